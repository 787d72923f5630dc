/* SPDX-License-Identifier: MIT */
/*
 * A case as a whole: its rounds (# @repeat), the copies of a round (# @parallel), and what is asked
 * of all their requests together (# @expect, # @p95).
 *
 * Copies are threads that send their n-th requests at the same time: before each one they wait at a
 * gate for those that are still running. A copy that has failed leaves the gate to the others.
 */
#include "run.h"

#include <pthread.h>

#include "util/util.h"

#define COPY_STACK (1024 * 1024)

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t open;
	unsigned int members, waiting, round;
};

struct copy {
	pthread_t thread;
	bool started;
	unsigned int number;
	const struct hurl_case *c;
	struct gate *gate;
	struct run run;
	struct session session;
	struct hurl_pos at; /* the request that failed */
	bool passed;
	int error;
};

static void gate_open(struct gate *g)
{
	g->waiting = 0;
	g->round++;
	(void)pthread_cond_broadcast(&g->open);
}

static void gate_wait(struct gate *g)
{
	unsigned int round;

	(void)pthread_mutex_lock(&g->lock);
	round = g->round;
	if (++g->waiting >= g->members)
		gate_open(g);
	while (round == g->round)
		(void)pthread_cond_wait(&g->open, &g->lock);
	(void)pthread_mutex_unlock(&g->lock);
}

static void gate_leave(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	g->members--;
	if (g->members && g->waiting >= g->members)
		gate_open(g);
	(void)pthread_mutex_unlock(&g->lock);
}

static void *copy_main(void *data)
{
	struct copy *copy = data;
	const struct hurl_case *c = copy->c;
	struct session *s = &copy->session;
	size_t i = 0;

	for (; i < c->count; i++) {
		const struct hurl_entry *entry = &s->file->entries[c->first + i];

		copy->at = entry->pos;
		gate_wait(copy->gate);
		if (!run_entry(s, entry))
			break;
	}
	gate_leave(copy->gate);
	copy->passed = i == c->count;
	return NULL;
}

/* What the file knows so far, and the copy's number. */
static int copy_session(struct copy *copy, struct session *from)
{
	struct session *s = &copy->session;
	const struct hurl_case *c = copy->c;
	struct hurl_value number = hurl_value_int(copy->number);
	int r = hurl_vars_copy(&s->vars, &from->vars);

	if (r == 0)
		r = hurl_http_adopt(s->http, from->http);
	if (r == 0)
		r = hurl_vars_set(&s->vars, "copy", &number, false);
	if (c->seeded)
		hurl_random_seed(&s->random, c->seed, copy->number);
	s->max_scratch = HURL_MAX_SCRATCH / c->parallel;
	hurl_http_limit(s->http, MIN_OF(s->max_scratch / 2, (size_t)HURL_MAX_BODY));
	if (c->tally_count)
		s->tallied = &s->file->entries[c->first + c->count - 1];
	if (c->p95_us) {
		s->duration_max = HURL_MAX_CASE_REQUESTS;
		s->durations_us = calloc(s->duration_max, sizeof(*s->durations_us));
		r = r == 0 && !s->durations_us ? -ENOMEM : r;
	}
	return r;
}

static int copy_start(struct copy *copy, struct session *from)
{
	pthread_attr_t attr;
	int r;

	copy->run = *from->run;
	copy->session = (struct session){ .run = &copy->run, .file = from->file };
	r = session_start(&copy->session, &copy->run, false);
	if (r == 0)
		r = copy_session(copy, from);
	if (r < 0 || pthread_attr_init(&attr))
		return r < 0 ? r : -ENOMEM;
	r = -pthread_attr_setstacksize(&attr, COPY_STACK);
	if (r == 0)
		r = -pthread_create(&copy->thread, &attr, copy_main, copy);
	(void)pthread_attr_destroy(&attr);
	copy->started = r == 0;
	return r;
}

static void take_durations(struct session *s, const struct session *copy)
{
	size_t n = MIN_OF(copy->duration_count, s->duration_max - s->duration_count);

	if (n)
		memcpy(s->durations_us + s->duration_count, copy->durations_us,
		       n * sizeof(*s->durations_us));
	s->duration_count += n;
}

/* Its sums go to the file's session; the first failure of any copy becomes the case's. */
static void copy_end(struct copy *copy, struct session *s, unsigned int total, bool *passed,
		     struct hurl_pos *at)
{
	struct session *own = &copy->session;

	if (copy->started)
		(void)pthread_join(copy->thread, NULL);
	s->requests += own->requests;
	s->run->summary.timed_out |= copy->run.summary.timed_out;
	s->run->summary.cancelled |= copy->run.summary.cancelled;
	take_durations(s, own);
	if (copy->started && !copy->passed && *passed) {
		char message[sizeof(s->fail.message)];

		*passed = false;
		*at = copy->at;
		s->fail = own->fail;
		snprintf(message, sizeof(message), "copy %u of %u: %.440s", copy->number, total,
			 own->fail.message);
		copy_string(s->fail.message, sizeof(s->fail.message), message);
	}
	session_done(own);
}

static bool counts_for(unsigned int status, const struct hurl_tally *t)
{
	return t->status < 10 ? status / 100 == t->status : status == t->status;
}

static void add_status(char *out, size_t size, unsigned int count, unsigned int status)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, status < 10 ? "%s%u x %uxx" : "%s%u x %u", n ? ", " : "", count,
		 status);
}

static void describe_tallies(const struct hurl_case *c, char *out, size_t size)
{
	*out = '\0';
	for (size_t i = 0; i < c->tally_count; i++)
		add_status(out, size, c->tallies[i].count, c->tallies[i].status);
}

static void describe_statuses(const struct copy *copies, unsigned int n, char *out, size_t size)
{
	*out = '\0';
	for (unsigned int i = 0; i < n; i++) {
		unsigned int count = 0, status = copies[i].session.status;
		bool first = true;

		for (unsigned int k = 0; k < n; k++) {
			first &= k >= i || copies[k].session.status != status;
			count += copies[k].session.status == status;
		}
		if (first && strlen(out) + 20 < size)
			add_status(out, size, count, status);
	}
}

/* Exact statuses before classes: 201 is not counted for 2xx when it has a place of its own. */
static bool tallies_hold(struct session *s, const struct hurl_case *c, const struct copy *copies)
{
	char expected[300], actual[300];
	bool hold = true;

	for (size_t t = 0; t < c->tally_count; t++) {
		unsigned int count = 0;

		for (unsigned int i = 0; i < c->parallel; i++) {
			bool counts = counts_for(copies[i].session.status, &c->tallies[t]);

			for (size_t o = 0; o < c->tally_count && c->tallies[t].status < 10; o++)
				counts &= c->tallies[o].status != copies[i].session.status;
			count += counts;
		}
		hold &= count == c->tallies[t].count;
	}
	if (hold)
		return true;
	describe_tallies(c, expected, sizeof(expected));
	describe_statuses(copies, c->parallel, actual, sizeof(actual));
	(void)session_fail(s, c->expect_pos, expected, actual,
			   "the statuses of %u requests at once are others", c->parallel);
	return false;
}

static bool run_copies(struct session *s, const struct hurl_case *c, struct hurl_pos *at)
{
	struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .open = PTHREAD_COND_INITIALIZER,
			     .members = c->parallel };
	struct copy *copies = calloc(c->parallel, sizeof(*copies));
	bool passed = true;
	int error = copies ? 0 : -ENOMEM;

	for (unsigned int i = 0; copies && i < c->parallel; i++) {
		copies[i] = (struct copy){ .number = i + 1, .c = c, .gate = &gate };
		copies[i].error = error < 0 ? error : copy_start(&copies[i], s);
		error = copies[i].error;
		if (error < 0)
			gate_leave(&gate);
	}
	for (unsigned int i = 0; copies && i < c->parallel; i++)
		copy_end(&copies[i], s, c->parallel, &passed, at);
	if (error < 0) {
		*at = c->parallel_pos;
		(void)session_fail(s, c->parallel_pos, "", "",
				   "%u copies cannot be run at once: %s", c->parallel,
				   strerror(-error));
		passed = false;
	}
	if (passed && c->tally_count) {
		*at = c->expect_pos;
		passed = tallies_hold(s, c, copies);
	}
	free(copies);
	return passed;
}

static bool run_round(struct session *s, const struct hurl_case *c, struct hurl_pos *at)
{
	bool steps = !c->parallel && c->repeat < 2;

	if (c->parallel)
		return run_copies(s, c, at);
	for (size_t i = 0; i < c->count; i++) {
		const struct hurl_entry *entry = &s->file->entries[c->first + i];

		*at = entry->pos;
		if (steps && i && !run_steps(s, c, c->first + i))
			return false;
		if (!run_entry(s, entry))
			return false;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool p95_holds(struct session *s, const struct hurl_case *c)
{
	size_t n = s->duration_count;
	char expected[40], actual[60];
	uint32_t p95;

	if (!c->p95_us || !n)
		return true;
	qsort(s->durations_us, n, sizeof(*s->durations_us), by_value);
	p95 = s->durations_us[(n * 95 + 99) / 100 - 1];
	if (p95 < c->p95_us)
		return true;
	snprintf(expected, sizeof(expected), "less than %.1f ms", (double)c->p95_us / 1000);
	snprintf(actual, sizeof(actual), "%.1f ms (of %zu requests)", p95 / 1000.0, n);
	(void)session_fail(s, c->p95_pos, expected, actual,
			   "95 of 100 requests should have been faster");
	return false;
}

static bool run_rounds(struct session *s, const struct hurl_case *c, struct hurl_pos *at)
{
	for (unsigned int i = 0; i < MAX_OF(c->repeat, 1u); i++)
		if (!run_round(s, c, at))
			return false;
	return true;
}

static bool run_all(struct session *s, const struct hurl_case *c, struct hurl_pos *at)
{
	if (!run_steps(s, c, c->first) || !run_rounds(s, c, at))
		return false;
	*at = c->p95_pos;
	if (!p95_holds(s, c))
		return false;
	*at = c->memory_pos;
	if (!run_memory(s, c))
		return false;
	return run_steps(s, c, c->first + c->count);
}

bool run_case_entries(struct session *s, const struct hurl_case *c, struct hurl_pos *ret_at)
{
	bool passed;

	*ret_at = s->file->entries[c->first].pos;
	if (c->seeded)
		hurl_random_seed(&s->random, c->seed, 0);
	else
		hurl_random_start(&s->random);
	if (c->p95_us) {
		s->duration_max = HURL_MAX_CASE_REQUESTS;
		s->durations_us = calloc(s->duration_max, sizeof(*s->durations_us));
		if (!s->durations_us) {
			(void)session_fail(s, c->p95_pos, "", "", "out of memory");
			return false;
		}
	}
	passed = run_all(s, c, ret_at);
	free(steal_ptr(s->durations_us));
	s->duration_count = s->duration_max = 0;
	return passed;
}
