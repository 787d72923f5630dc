/* SPDX-License-Identifier: MIT */

/*
 * The tester's report: JSON lines written by our engine, but in a process that has eaten the bytes
 * of a hostile server. What a case is called and how much it is worth is therefore taken from the
 * challenge; the report only adds how each one, in order, went. Lines, texts and the whole are
 * capped.
 */

#include "pipeline/tests-report.h"

#include <jansson.h>
#include <math.h>

#include "pipeline/clean.h"
#include "util/util.h"

#define MAX_LINE 65536
#define MAX_MESSAGE 1024
#define MAX_VALUE 2048
#define MAX_DURATION_MS 1e8

struct parse {
	struct tests_report *r;
	struct test_case *cases;
	uint32_t n;
	bool by_index;
	char *why;
};

static int bad(struct parse *p, const char *what)
{
	snprintf(p->why, TESTS_REPORT_WHY, "the tester's report is not to be trusted: %s", what);
	return -EBADMSG;
}

/* A whole number of the report, or -1. */
static long long number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) < 1000000
		       ? json_integer_value(v)
		       : -1;
}

static double duration(const json_t *object)
{
	double ms = json_number_value(json_object_get(object, "duration_ms"));

	return isfinite(ms) && ms >= 0 && ms <= MAX_DURATION_MS ? ms : 0;
}

/* NULL where there is no text; -ENOMEM. */
static int text(const json_t *object, const char *key, size_t max, char **ret)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_string(v) || json_string_length(v) == 0)
		return 0;
	free(*ret);
	*ret = clean_text(json_string_value(v), json_string_length(v), max);
	return *ret ? 0 : -ENOMEM;
}

static int add_failure(struct test_case *t, const json_t *failure)
{
	int r;

	if (!json_is_object(failure))
		return 0;
	t->failure_line = (int)MAX_OF(number(failure, "line"), 0);
	t->failure_column = (int)MAX_OF(number(failure, "column"), 0);
	r = text(failure, "message", MAX_MESSAGE, &t->message);
	if (r == 0)
		r = text(failure, "expected", MAX_VALUE, &t->expected);
	if (r == 0)
		r = text(failure, "actual", MAX_VALUE, &t->actual);
	return r < 0 ? r : text(failure, "request", MAX_MESSAGE, &t->request);
}

static bool status_known(const char *status)
{
	return status && (streq(status, "passed") || streq(status, "failed") ||
			  streq(status, "skipped"));
}

static int set_message(struct test_case *t, const char *message)
{
	char *copy = strdup(message);

	if (!copy)
		return -ENOMEM;
	free(t->message);
	t->message = copy;
	return 0;
}

/* What a suite skips has not been shown to work. */
static int fail_skipped(struct test_case *t)
{
	t->skipped = false;
	return t->message ? 0 : set_message(t, "the suite skipped this test");
}

static int set_result(struct parse *p, struct test_case *t, const json_t *event)
{
	const char *status = json_string_value(json_object_get(event, "status"));
	int r;

	if (!status_known(status))
		return bad(p, "a case without a status");
	p->r->n++;
	t->reported = true;
	t->passed = streq(status, "passed");
	t->skipped = streq(status, "skipped");
	p->r->skipped += t->skipped;
	t->duration_ms = duration(event);
	r = t->passed ? 0 : add_failure(t, json_object_get(event, "failure"));
	return r == 0 && t->skipped && p->by_index ? fail_skipped(t) : r;
}

static int on_indexed_case(struct parse *p, const json_t *event)
{
	long long i = number(event, "index");
	struct test_case *t;

	if (!p->r->planned || p->r->ended || i < 0 || i >= p->n)
		return bad(p, "a case that is not of the challenge");
	t = &p->cases[i];
	if (!t->reported)
		return set_result(p, t, event);
	t->passed = false;
	return set_message(t, "the suite reported this test twice");
}

static int on_case(struct parse *p, const json_t *event)
{
	struct test_case *t;

	if (p->by_index)
		return on_indexed_case(p, event);
	if (!p->r->planned || p->r->ended || p->r->n == p->n)
		return bad(p, "a case too many");
	t = &p->cases[p->r->n];
	if (number(event, "line") != t->line)
		return bad(p, "the cases are not those of the challenge");
	return set_result(p, t, event);
}

static int on_plan(struct parse *p, const json_t *event)
{
	if (p->r->planned || number(event, "cases") != p->n)
		return bad(p, "its plan is not the challenge's");
	p->r->planned = true;
	return 0;
}

static int on_end(struct parse *p, const json_t *event)
{
	const struct tests_report *r = p->r;
	long long passed = 0;

	if (r->ended || !r->planned || (!p->by_index && r->n != p->n))
		return bad(p, "it ends before its last case");
	p->r->ended = true;
	if (p->by_index)
		return 0;
	for (uint32_t i = 0; i < r->n; i++)
		passed += p->cases[i].passed;
	if (number(event, "total") != r->n || number(event, "passed") != passed ||
	    number(event, "skipped") != r->skipped ||
	    number(event, "failed") != (long long)r->n - passed - r->skipped)
		return bad(p, "its sums are wrong");
	return 0;
}

/*
 * What no single test failed for: a hook after them, an error that nobody caught, a test that was
 * not there when the suite was published. The cases that it names have failed, whatever they say.
 */
static int on_broken(struct parse *p, const json_t *event)
{
	const json_t *cases = json_object_get(event, "cases");
	int r = 0;

	if (!p->by_index || !p->r->planned || p->r->ended || !json_is_array(cases))
		return bad(p, "an unknown event");
	for (size_t i = 0; i < json_array_size(cases) && r == 0; i++) {
		const json_t *v = json_array_get(cases, i);
		long long index = json_is_integer(v) ? json_integer_value(v) : -1;

		if (index < 0 || index >= p->n)
			return bad(p, "a case that is not of the challenge");
		p->cases[index].broken = true;
		r = text(event, "message", MAX_MESSAGE, &p->cases[index].message);
	}
	return r;
}

static int on_line(struct parse *p, const char *line, size_t size)
{
	_cleanup_(json_decrefp) json_t *event = NULL;
	const char *name;

	if (size > MAX_LINE)
		return bad(p, "a line is too long");
	event = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	name = json_string_value(json_object_get(event, "event"));
	if (!name)
		return bad(p, "a line is not an event");
	if (streq(name, "plan"))
		return on_plan(p, event);
	if (streq(name, "case"))
		return on_case(p, event);
	if (streq(name, "end"))
		return on_end(p, event);
	if (streq(name, "broken"))
		return on_broken(p, event);
	if (streq(name, "error"))
		return text(event, "message", MAX_MESSAGE, &p->r->error);
	p->r->ready |= streq(name, "ready");
	return streq(name, "ready") ? 0 : bad(p, "an unknown event");
}

struct test_case *test_cases_declare(const struct challenge *c)
{
	struct test_case *cases = calloc(MAX_OF(c->n_cases, 1u), sizeof(*cases));

	for (uint32_t i = 0; cases && i < c->n_cases; i++) {
		const struct challenge_case *from = &c->cases[i];
		struct test_case *t = &cases[i];

		t->name = strdup(from->name);
		t->file = strdup(from->file);
		t->group = from->group ? strdup(from->group) : NULL;
		t->line = (int)from->line;
		t->points = from->points;
		t->hidden = from->hidden;
		if (!t->name || !t->file || (from->group && !t->group)) {
			test_cases_free(cases, c->n_cases);
			return NULL;
		}
	}
	return cases;
}

/* Whether they were reported before or after. */
static void fail_broken(struct parse *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->cases[i].broken)
			p->cases[i].passed = p->cases[i].skipped = false;
	}
}

int tests_report_parse(struct tests_report *ret, struct test_case *cases, uint32_t n, bool by_index,
		       const char *bytes, size_t size, char *why)
{
	struct parse p = { ret, cases, n, by_index, why };
	size_t taken = 0;
	int r = 0;

	*ret = (struct tests_report){ 0 };
	while (r == 0 && size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t len = newline ? (size_t)(newline - bytes) : size;

		taken += len + 1;
		if (taken > TESTS_REPORT_MAX)
			return bad(&p, "it is too big");
		/* A last line without its end was cut off. */
		if (!newline)
			break;
		r = len > 0 ? on_line(&p, bytes, len) : 0;
		bytes += len + 1;
		size -= len + 1;
	}
	fail_broken(&p);
	return r;
}

void test_cases_free(struct test_case *cases, uint32_t n)
{
	for (uint32_t i = 0; cases && i < n; i++) {
		struct test_case *t = &cases[i];

		free(t->name);
		free(t->group);
		free(t->file);
		free(t->message);
		free(t->expected);
		free(t->actual);
		free(t->request);
	}
	free(cases);
}

void tests_report_done(struct tests_report *r)
{
	free(r->error);
	*r = (struct tests_report){ 0 };
}
