/* SPDX-License-Identifier: MIT */

/*
 * The shared memory is one memfd that can neither shrink nor grow, so no access faults. A series is
 * found by comparing labels; a new one is claimed with a compare-and-swap of its state, then its
 * labels are written, then it is ready. Two processes that need the same new series at once may
 * both make one: readers add them up (metrics_read).
 *
 * Gauges of one series have one writer, the supervisor.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fleet/ops/metrics-internal.h"
#include "util/util.h"

#define MAGIC 0x5b0c7a51

static const char no_place[] = "other";

unsigned int metric_buckets(const struct metric_info *info)
{
	unsigned int n = 0;

	while (info->bounds[n])
		n++;
	return n + 1;
}

static bool label_ok(const char *s)
{
	size_t n = strnlen(s, LABEL_SIZE);

	return n > 0 && n < LABEL_SIZE &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+:/-") ==
		       n;
}

static const char *label_of(const struct metric_info *info, int i, const char *given)
{
	if (!info->labels[i])
		return "";
	return given && label_ok(given) ? given : no_place;
}

static bool series_is(const struct series *s, const char *a, const char *b)
{
	return strncmp(s->labels[0], a, LABEL_SIZE) == 0 &&
	       strncmp(s->labels[1], b, LABEL_SIZE) == 0;
}

static void series_fill(struct series *s, const char *a, const char *b)
{
	copy_string(s->labels[0], LABEL_SIZE, a);
	copy_string(s->labels[1], LABEL_SIZE, b);
	atomic_store_explicit(&s->state, SERIES_READY, memory_order_release);
}

/* The series with these labels, made if there is none; the last when there is no place. */
static struct series *series_find(struct metrics *m, enum metric which, const char *a,
				  const char *b)
{
	const struct metric_info *info = &metric_infos[which];
	struct series *all = m->shared->series[which];

	a = label_of(info, 0, a);
	b = label_of(info, 1, b);
	for (unsigned int i = 0; i < SERIES_MAX - 1; i++) {
		uint32_t state = atomic_load_explicit(&all[i].state, memory_order_acquire);

		if (state == SERIES_FREE &&
		    atomic_compare_exchange_strong(&all[i].state, &state, SERIES_CLAIMED)) {
			series_fill(&all[i], a, b);
			return &all[i];
		}
		if (state == SERIES_READY && series_is(&all[i], a, b))
			return &all[i];
	}
	series_fill(&all[SERIES_MAX - 1], label_of(info, 0, NULL), label_of(info, 1, NULL));
	return &all[SERIES_MAX - 1];
}

/* What is known to be possible shows as 0 from the start: a rate needs a value before the first. */
static void register_known(struct metrics *m)
{
	for (unsigned int i = 0; i < METRIC_COUNT_; i++) {
		const struct metric_info *info = &metric_infos[i];

		if (info->kind == KIND_COUNTER && !info->labels[0])
			(void)series_find(m, i, NULL, NULL);
		for (unsigned int k = 0; info->known && info->known[k]; k++)
			(void)series_find(m, i, info->known[k], NULL);
	}
}

static int fail(struct sbx_error *err, int code, const char *text)
{
	if (err) {
		*err = (struct sbx_error){ .code = code, .stage = "metrics" };
		copy_string(err->text, sizeof(err->text), text);
	}
	return code;
}

static int map(struct metrics *m, int fd, struct sbx_error *err)
{
	void *p = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return fail(err, -errno, "the memory of the metrics cannot be mapped");
	m->shared = p;
	return 0;
}

int metrics_open(struct metrics **ret, struct sbx_error *err)
{
	struct metrics *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return fail(err, -ENOMEM, "no memory for the metrics");
	m->fd = memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd < 0 || ftruncate(m->fd, sizeof(*m->shared)) < 0 ||
	    fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		r = fail(err, -errno, "no shared memory for the metrics");
	else
		r = map(m, m->fd, err);
	if (r < 0) {
		metrics_close(m);
		return r;
	}
	m->shared->n_metrics = METRIC_COUNT_;
	m->shared->size = sizeof(*m->shared);
	m->shared->magic = MAGIC;
	register_known(m);
	*ret = m;
	return 0;
}

int metrics_fd(const struct metrics *m)
{
	return m->fd;
}

int metrics_attach(struct metrics **ret, int fd, struct sbx_error *err)
{
	struct metrics *m;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return fail(err, -errno, "the memory of the metrics was not passed on");
	if (st.st_size != (off_t)sizeof(*m->shared))
		return fail(err, -EPROTO, "the metrics are of another version of sandbox-runner");
	m = calloc(1, sizeof(*m));
	if (!m)
		return fail(err, -ENOMEM, "no memory for the metrics");
	m->fd = -1;
	r = map(m, fd, err);
	if (r == 0 && (m->shared->magic != MAGIC || m->shared->n_metrics != METRIC_COUNT_ ||
		       m->shared->size != sizeof(*m->shared)))
		r = fail(err, -EPROTO, "the metrics are of another version of sandbox-runner");
	if (r < 0) {
		metrics_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct metrics *metrics_close(struct metrics *m)
{
	if (!m)
		return NULL;
	if (m->shared)
		(void)munmap(m->shared, sizeof(*m->shared));
	close_fd(m->fd);
	free(m);
	return NULL;
}

void metrics_add(struct metrics *m, enum metric which, uint64_t n, const char *a, const char *b)
{
	if (m && which < METRIC_COUNT_ && metric_infos[which].kind == KIND_COUNTER)
		atomic_fetch_add(&series_find(m, which, a, b)->value, n);
}

void metrics_set(struct metrics *m, enum metric which, double value, const char *a, const char *b)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	if (m && which < METRIC_COUNT_ && metric_infos[which].kind == KIND_GAUGE)
		atomic_store(&series_find(m, which, a, b)->value, bits);
}

void metrics_observe(struct metrics *m, enum metric which, uint64_t value, const char *a)
{
	const struct metric_info *info = &metric_infos[which];
	unsigned int bucket = 0;
	struct series *s;

	if (!m || which >= METRIC_COUNT_ || info->kind != KIND_HISTOGRAM)
		return;
	while (info->bounds[bucket] && value > info->bounds[bucket])
		bucket++;
	s = series_find(m, which, a, NULL);
	atomic_fetch_add(&s->value, value);
	atomic_fetch_add(&s->buckets[bucket], 1);
}

/* A copy of the labels, which may change under our eyes; are they what may be shown? */
static bool read_labels(const struct metric_info *info, const struct series *s,
			char ret[2][LABEL_SIZE])
{
	if (atomic_load_explicit(&s->state, memory_order_acquire) != SERIES_READY)
		return false;
	memcpy(ret, s->labels, sizeof(s->labels));
	for (int i = 0; i < 2; i++)
		if (info->labels[i] ? !label_ok(ret[i]) : ret[i][0] != '\0')
			return false;
	return true;
}

static void add_reading(struct reading *to, const struct series *s)
{
	uint64_t value = atomic_load(&s->value);
	double gauge;

	memcpy(&gauge, &value, sizeof(gauge));
	to->gauge += gauge;
	to->value += value;
	for (unsigned int i = 0; i < BUCKETS_MAX; i++) {
		uint64_t n = atomic_load(&s->buckets[i]);

		to->buckets[i] += n;
		to->count += n;
	}
}

int metrics_read(const struct metrics *m, enum metric which, unsigned int n, struct reading *ret)
{
	const struct series *all = m->shared->series[which];
	const struct metric_info *info = &metric_infos[which];
	char labels[2][LABEL_SIZE];

	memset(ret, 0, sizeof(*ret));
	if (!read_labels(info, &all[n], ret->labels))
		return 0;
	for (unsigned int i = 0; i < SERIES_MAX; i++) {
		if (!read_labels(info, &all[i], labels) || !streq(labels[0], ret->labels[0]) ||
		    !streq(labels[1], ret->labels[1]))
			continue;
		if (i < n)
			return 0;
		add_reading(ret, &all[i]);
	}
	return 1;
}

static bool matches(const struct reading *r, const char *a, const char *b)
{
	return (!a || streq(a, r->labels[0])) && (!b || streq(b, r->labels[1]));
}

double metrics_get(const struct metrics *m, enum metric which, const char *a, const char *b)
{
	enum metric_kind kind = metric_infos[which].kind;
	struct reading r;
	double sum = 0;

	for (unsigned int i = 0; m && i < SERIES_MAX; i++) {
		if (!metrics_read(m, which, i, &r) || !matches(&r, a, b))
			continue;
		sum += kind == KIND_GAUGE     ? r.gauge
		       : kind == KIND_COUNTER ? (double)r.value
					      : (double)r.count;
	}
	return sum;
}

/* All series with this label as one. */
static uint64_t merge_buckets(const struct metrics *m, enum metric which, const char *a,
			      uint64_t ret[static BUCKETS_MAX])
{
	struct reading r;
	uint64_t count = 0;

	for (unsigned int i = 0; m && i < SERIES_MAX; i++) {
		if (!metrics_read(m, which, i, &r) || !matches(&r, a, NULL))
			continue;
		for (unsigned int b = 0; b < BUCKETS_MAX; b++)
			ret[b] += r.buckets[b];
		count += r.count;
	}
	return count;
}

double metrics_quantile(const struct metrics *m, enum metric which, const char *a, double share)
{
	const struct metric_info *info = &metric_infos[which];
	uint64_t buckets[BUCKETS_MAX] = { 0 }, count;
	double rank, below = 0, scale = (double)info->scale;

	if (info->kind != KIND_HISTOGRAM)
		return -1;
	count = merge_buckets(m, which, a, buckets);
	if (count == 0)
		return -1;
	rank = share * (double)count;
	for (unsigned int i = 0;; i++) {
		double from = i > 0 ? (double)info->bounds[i - 1] / scale : 0;
		double n = (double)buckets[i];

		if (!info->bounds[i])
			return from; /* above the last bound: no more is known */
		if (n > 0 && below + n >= rank)
			return from + ((double)info->bounds[i] / scale - from) * (rank - below) / n;
		below += n;
	}
}
