/* SPDX-License-Identifier: MIT */

/*
 * What does it cost to run one short program in a jail? The library (jail made, program executed
 * and reaped, jail freed), a bare posix_spawn(3) and bwrap run the same static program. Neighbours
 * make times of a shared machine drift, so in every round each contender runs once, in turn and
 * beginning with another one each time, and the ratios are medians of the rounds' own ratios.
 *
 * Two rows: back to back, where caches and RCU are warm, and spaced, every single spawn after a
 * pause, as a server meets them. The second has the library's limits on; bwrap has none to set.
 *
 * Usage: spawn [--rounds N] [--spaced N] [--pause MS] [--policy FILE]
 */

#include "util/util.h"
#include <getopt.h>
#include <limits.h>
#include <sandbox/sandbox.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define ROUNDS_MAX 100000l
#define PAUSE_MAX 10000l

enum contender { LIBRARY, BARE, BWRAP, CONTENDERS };
enum phase { CREATE, EXECUTE, REAP, FREE, PHASES };

static const char *const names[CONTENDERS] = { "library", "bare posix_spawn", "bwrap --unshare-all" };

struct bench {
	struct sbx_ctx *ctx;
	struct sbx_plan *plan; /* of the row that runs */
	const char *policy;
	char program[PATH_MAX];
	bool has_bwrap;
	long pause_ms;
};

struct samples {
	long n;
	double *ms[CONTENDERS];
	double *phase_us[PHASES];
	double cpu_ms[CONTENDERS];
};

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "spawn: %s: %s\n", what, why);
	exit(1);
}

static _Noreturn void die_error(const struct sbx_error *err)
{
	(void)fprintf(stderr, "spawn: %s %s: %s\n", err->stage, err->item, err->text);
	exit(1);
}

/* -------------------------------------------------------------------- the contenders */

static void run_library(struct bench *b, double *phase_us[PHASES], long round)
{
	static const char *const argv[] = { "/program", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_error err = { 0 };
	struct sbx_jail *j;
	struct sbx_proc *p;
	uint64_t at[PHASES + 1];

	at[CREATE] = now_ns();
	if (sbx_jail_new(b->ctx, b->plan, &j, NULL, &err) < 0)
		die_error(&err);
	at[EXECUTE] = now_ns();
	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		die_error(&err);
	at[REAP] = now_ns();
	if (sbx_proc_wait(p, UINT64_MAX, &result, &err) < 0)
		die_error(&err);
	sbx_proc_free(p);
	at[FREE] = now_ns();
	sbx_jail_free(j);
	at[PHASES] = now_ns();
	if (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0)
		die("library", "the program did not end with 0");
	for (int i = 0; i < PHASES; i++)
		phase_us[i][round] = (double)(at[i + 1] - at[i]) / 1e3;
}

static void run_command(const char *name, char *const argv[])
{
	static char *const env[] = { NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, env) != 0)
		die(name, "cannot be started");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(name, "the program did not end with 0");
}

static void run_bwrap(char *program)
{
	char *const argv[] = { "bwrap", "--unshare-all", "--ro-bind", program, "/program", "--proc",
			       "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--remount-ro", "/",
			       "/program", NULL };

	run_command("bwrap", argv);
}

/* Of this process and of the children it has reaped. */
static double cpu_ms(void)
{
	static const int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	double sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		struct rusage u;

		(void)getrusage(who[i], &u);
		sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
	}
	return sum;
}

static void run_once(struct bench *b, enum contender who, struct samples *s, long round)
{
	char *const bare[] = { b->program, NULL };
	double cpu;
	uint64_t began;

	if (b->pause_ms)
		(void)usleep((useconds_t)b->pause_ms * 1000);
	cpu = cpu_ms();
	began = now_ns();
	if (who == LIBRARY)
		run_library(b, s->phase_us, round);
	else if (who == BARE)
		run_command("bare", bare);
	else
		run_bwrap(b->program);
	s->ms[who][round] = (double)(now_ns() - began) / 1e6;
	s->cpu_ms[who] += cpu_ms() - cpu;
}

/* --------------------------------------------------------------------------- a row */

static double *doubles(long n)
{
	double *v = calloc((size_t)n, sizeof(*v));

	if (!v)
		die("memory", "none left");
	return v;
}

static void samples_init(struct samples *s, long n)
{
	*s = (struct samples){ .n = n };
	for (int i = 0; i < CONTENDERS; i++)
		s->ms[i] = doubles(n);
	for (int i = 0; i < PHASES; i++)
		s->phase_us[i] = doubles(n);
}

static void samples_done(struct samples *s)
{
	for (int i = 0; i < CONTENDERS; i++)
		free(s->ms[i]);
	for (int i = 0; i < PHASES; i++)
		free(s->phase_us[i]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *v, long n, double q)
{
	_cleanup_free_ double *sorted = doubles(n);
	double r;

	memcpy(sorted, v, (size_t)n * sizeof(*v));
	qsort(sorted, (size_t)n, sizeof(*sorted), compare);
	r = sorted[(long)(q * (double)(n - 1) + 0.5)];
	return r;
}

static double ratio(const struct samples *s, enum contender a, enum contender b)
{
	_cleanup_free_ double *v = doubles(s->n);

	for (long i = 0; i < s->n; i++)
		v[i] = s->ms[a][i] / s->ms[b][i];
	return quantile(v, s->n, 0.5);
}

static void print_row(const struct bench *b, const struct samples *s, const char *title)
{
	printf("%-34s %8s %8s %8s %8s %8s\n", title, "p50 ms", "p99 ms", "cpu ms", "x bare", "x bwrap");
	for (int i = 0; i < CONTENDERS; i++) {
		if (i == BWRAP && !b->has_bwrap)
			continue;
		printf("  %-32s %8.2f %8.2f %8.2f %8.2f", names[i], quantile(s->ms[i], s->n, 0.5),
		       quantile(s->ms[i], s->n, 0.99), s->cpu_ms[i] / (double)s->n,
		       ratio(s, i, BARE));
		if (b->has_bwrap)
			printf(" %8.2f\n", ratio(s, i, BWRAP));
		else
			printf(" %8s\n", "-");
	}
	printf("  library, p50 us: create %.0f, exec %.0f, reap %.0f, free %.0f\n\n",
	       quantile(s->phase_us[CREATE], s->n, 0.5), quantile(s->phase_us[EXECUTE], s->n, 0.5),
	       quantile(s->phase_us[REAP], s->n, 0.5), quantile(s->phase_us[FREE], s->n, 0.5));
	(void)fflush(stdout);
}

/* One round more than is kept: the first finds nothing in any cache. */
static void run_row(struct bench *b, const char *title, long rounds)
{
	struct samples s, first;

	if (rounds == 0)
		return;
	samples_init(&s, rounds);
	samples_init(&first, 1);
	for (long round = -1; round < rounds; round++)
		for (int i = 0; i < CONTENDERS; i++) {
			enum contender who = (enum contender)((round + 1 + i) % CONTENDERS);

			if (who != BWRAP || b->has_bwrap)
				run_once(b, who, round < 0 ? &first : &s, round < 0 ? 0 : round);
		}
	print_row(b, &s, title);
	samples_done(&first);
	samples_done(&s);
}

/* ------------------------------------------------------------------------ the set-up */

static struct sbx_plan *make_plan(const struct bench *b, bool limits)
{
	static const char *const settings[][2] = {
		{ "memory", "64M" }, { "pids", "16" },	 { "cpu", "1" },
		{ "wall", "10s" },   { "cpu_time", "5s" },
	};
	struct sbx_mount program = { .size = sizeof(program), .type = SBX_MOUNT_BIND,
				     .source = b->program, .target = "/program" };
	struct sbx_error err = { 0 };
	struct sbx_policy *policy;
	struct sbx_plan *plan;

	if (sbx_policy_load(&policy, b->policy, NULL, &err) < 0)
		die_error(&err);
	if (sbx_policy_add_mount(policy, &program, &err) < 0)
		die_error(&err);
	for (size_t i = 0; limits && i < ARRAY_SIZE(settings); i++)
		if (sbx_policy_set(policy, settings[i][0], settings[i][1], &err) < 0)
			die_error(&err);
	if (sbx_policy_compile(policy, &plan, &err) < 0)
		die_error(&err);
	sbx_policy_free(policy);
	return plan;
}

static bool find_bwrap(void)
{
	char *const argv[] = { "bwrap", "--version", NULL };
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;
	bool found;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
	found = posix_spawnp(&pid, "bwrap", &actions, NULL, argv, NULL) == 0 &&
		waitpid(pid, &status, 0) == pid && status == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	if (!found)
		printf("bwrap is not installed: compared with a bare spawn alone\n\n");
	return found;
}

/* What the build put beside this program. */
static void beside(const char *name, char ret[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 64);
	char *slash;

	if (n < 0)
		die("/proc/self/exe", strerror(errno));
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	(void)snprintf(slash, 64, "/%s", name);
}

static long number(const char *name, const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > most)
		die(name, "wants a number that is not negative nor too large");
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' }, { "spaced", required_argument, NULL, 's' },
		{ "pause", required_argument, NULL, 'p' },  { "policy", required_argument, NULL, 'P' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench b = { .has_bwrap = true };
	struct sbx_error err = { 0 };
	long rounds = 300, spaced = 50, pause_ms = 200;
	char policy[PATH_MAX], title[64];
	int c;

	beside("spawn.json", policy);
	beside("nothing", b.program);
	b.policy = policy;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rounds = number("--rounds", optarg, ROUNDS_MAX);
		else if (c == 's')
			spaced = number("--spaced", optarg, ROUNDS_MAX);
		else if (c == 'p')
			pause_ms = number("--pause", optarg, PAUSE_MAX);
		else if (c == 'P')
			b.policy = optarg;
		else
			return 2;
	}
	b.has_bwrap = find_bwrap();
	if (sbx_ctx_new(&b.ctx, NULL, &err) < 0)
		die_error(&err);
	(void)snprintf(title, sizeof(title), "back to back, %ld rounds", rounds);
	b.plan = make_plan(&b, false);
	run_row(&b, title, rounds);
	b.plan = sbx_plan_unref(b.plan);
	(void)snprintf(title, sizeof(title), "%ld ms apart, limits, %ld rounds", pause_ms, spaced);
	b.plan = make_plan(&b, true);
	b.pause_ms = pause_ms;
	run_row(&b, title, spaced);
	sbx_plan_unref(b.plan);
	sbx_ctx_free(b.ctx);
	return 0;
}
