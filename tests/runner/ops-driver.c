/* SPDX-License-Identifier: MIT */

/*
 * ops-driver LISTEN [anywhere|loopback [LIVE_MS]]: a supervisor that does nothing but what the lines on
 * standard input say. Answers each with one line; for test-ops.sh.
 */

#include <dirent.h>
#include <signal.h>

#include "fleet/ops/http.h"
#include "fleet/ops/metrics-internal.h"
#include "util/util.h"

static const char *const checks[] = { "redis", "ledger", "self_test", "disk", "pressure",
				       "serving" };

static int check_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (streq(checks[i], name))
			return (int)i;
	return 0;
}

/* Something in every metric. */
static void fill(struct metrics *m)
{
	for (unsigned int i = 0; i < METRIC_COUNT_; i++) {
		metrics_add(m, (enum metric)i, i, "one", "two");
		metrics_set(m, (enum metric)i, i * 0.5, "one", "two");
		for (uint64_t v = 1; v < 1ull << 45; v *= 7)
			metrics_observe(m, (enum metric)i, v, "one");
	}
}

/* Descriptors that a program which is executed would inherit, but for the first three. */
static int inherited(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		int fd = atoi(e->d_name);

		if (fd > 2 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			n++;
	}
	if (d)
		(void)closedir(d);
	return n;
}

/* Signals that a thread other than this one would take. */
static int takes_signals(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		char path[300], line[200];
		unsigned long long blocked = 0;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		if (atoi(e->d_name) <= 0 || atoi(e->d_name) == getpid() || !(f = fopen(path, "re")))
			continue;
		while (fgets(line, sizeof(line), f))
			(void)sscanf(line, "SigBlk: %llx", &blocked);
		(void)fclose(f);
		if (!(blocked & 1ull << (SIGTERM - 1)) || !(blocked & 1ull << (SIGHUP - 1)))
			n++;
	}
	if (d)
		(void)closedir(d);
	return n;
}

static void obey(struct ops *o, struct metrics *m, char *line)
{
	char *word = strtok(line, " \n"), *name, *rest;

	if (!word)
		return;
	name = strtok(NULL, " \n");
	rest = strtok(NULL, "\n");
	if (streq(word, "beat"))
		ops_beat(o);
	else if (streq(word, "ok") && name)
		ops_check_set(o, (enum ops_check)check_of(name), true, NULL);
	else if (streq(word, "fail") && name)
		ops_check_set(o, (enum ops_check)check_of(name), false, rest);
	else if (streq(word, "status"))
		ops_status_set(o, name);
	else if (streq(word, "jobs"))
		ops_jobs_set(o, name);
	else if (streq(word, "fill"))
		fill(m);
	printf("%s ready=%d inherited=%d signals=%d\n", word, ops_ready(o), inherited(),
	       takes_signals());
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct ops_options options = { .listen = argv[1] };
	struct metrics *m;
	struct sbx_error err = { 0 };
	struct ops *o;
	char line[4096];
	int r;

	if (argc < 2 || metrics_open(&m, &err) < 0)
		return 2;
	options.metrics = m;
	options.anywhere = argc > 2 && streq(argv[2], "anywhere");
	options.live_ns = argc > 3 ? strtoull(argv[3], NULL, 10) * NSEC_PER_MSEC : 0;
	r = ops_open(&o, &options, &err);
	printf("%d %u %s: %s\n", r, r < 0 ? 0 : ops_port(o), err.item, err.text);
	(void)fflush(stdout);
	while (r == 0 && fgets(line, sizeof(line), stdin))
		obey(o, m, line);
	if (r == 0)
		ops_close(o);
	metrics_close(m);
	return 0;
}
