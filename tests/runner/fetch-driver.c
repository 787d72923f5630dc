/* SPDX-License-Identifier: MIT */

/*
 * fetch-driver [OPTION VALUE]... : reads "URL [SHA256]" a line from standard input, fetches with one
 * fetcher, and says what became of each in one line. For test-fetch.sh.
 */

#include "fleet/fetch/fetch.h"

#include <sys/mman.h>

#include "util/util.h"

#define LIST_MAX 16

struct driver {
	struct fetch_options options;
	const char *hosts[LIST_MAX], *networks[LIST_MAX];
	int cancel_fd;
};

static uint64_t number(const char *s)
{
	return strtoull(s, NULL, 10);
}

static int take_option(struct driver *d, const char *name, const char *value)
{
	struct fetch_options *o = &d->options;

	if (streq(name, "--host") && o->n_hosts < LIST_MAX)
		d->hosts[o->n_hosts++] = value;
	else if (streq(name, "--network") && o->n_networks < LIST_MAX)
		d->networks[o->n_networks++] = value;
	else if (streq(name, "--file-root"))
		o->file_root = value;
	else if (streq(name, "--ca"))
		o->ca_file = value;
	else if (streq(name, "--https-only"))
		o->https_only = number(value);
	else if (streq(name, "--max"))
		o->max_bytes = number(value);
	else if (streq(name, "--total-ms"))
		o->total_ns = number(value) * NSEC_PER_MSEC;
	else if (streq(name, "--connect-ms"))
		o->connect_ns = number(value) * NSEC_PER_MSEC;
	else if (streq(name, "--stall-ms"))
		o->stall_ns = number(value) * NSEC_PER_MSEC;
	else if (streq(name, "--stall-bytes"))
		o->stall_bytes = number(value);
	else if (streq(name, "--cancel-fd"))
		d->cancel_fd = (int)number(value);
	else
		return -EINVAL;
	return 0;
}

static const char *outcome_name(int r)
{
	static const char *const names[] = { "done", "gone", "empty", "too-large", "changed" };

	if (r >= 0)
		return names[r];
	return r == -EAGAIN      ? "again"
	       : r == -EPERM     ? "refused"
	       : r == -ECANCELED ? "cancelled"
				 : "failed";
}

/* Sealed, at its start, and as large as is said. */
static const char *inspect(const struct fetched *f)
{
	int seals = fcntl(f->fd, F_GET_SEALS);
	int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	if (f->fd < 0)
		return "none";
	if ((seals & wanted) != wanted)
		return "unsealed";
	if (lseek(f->fd, 0, SEEK_CUR) != 0 || lseek(f->fd, 0, SEEK_END) != (off_t)f->size)
		return "misplaced";
	return "sealed";
}

static void fetch_one(const struct driver *d, struct fetcher *f, char *line)
{
	struct fetch_request request = { .url = strtok(line, " \n"), .cancel_fd = d->cancel_fd };
	struct sbx_error err = { 0 };
	struct fetched got;
	int r;

	if (!request.url)
		return;
	request.sha256 = strtok(NULL, " \n");
	r = fetch_archive(f, &request, &got, &err);
	printf("%s status=%ld size=%llu sha=%.8s redirects=%u reused=%d retry=%llu fd=%s from=%s "
	       "text=%s: %s\n",
	       outcome_name(r), got.status, (unsigned long long)got.size, got.sha256, got.redirects,
	       got.reused, (unsigned long long)got.retry_after_ms, inspect(&got), got.from,
	       err.item, err.text);
	(void)fflush(stdout);
	close_fd(got.fd);
}

int main(int argc, char **argv)
{
	struct driver d = { .cancel_fd = -1 };
	struct fetcher *f = NULL;
	struct sbx_error err;
	char line[16384];

	d.options.hosts = d.hosts;
	d.options.networks = d.networks;
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc || take_option(&d, argv[i], argv[i + 1]) < 0) {
			fprintf(stderr, "fetch-driver: %s?\n", argv[i]);
			return 2;
		}
	}
	if (fetcher_new(&f, &d.options, &err) < 0) {
		printf("options: %s: %s\n", err.item, err.text);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		fetch_one(&d, f, line);
	fetcher_free(f);
	return 0;
}
