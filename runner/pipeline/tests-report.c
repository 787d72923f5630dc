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
#define WHY 128

struct parse {
	struct tests_report *r;
	const struct challenge *c;
	char *why;
};

static int bad(struct parse *p, const char *what)
{
	snprintf(p->why, WHY, "the tester's report is not to be trusted: %s", what);
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

static int on_case(struct parse *p, const json_t *event)
{
	struct tests_report *r = p->r;
	const char *status = json_string_value(json_object_get(event, "status"));
	struct test_case *t;

	if (!r->planned || r->ended || r->n == p->c->n_cases)
		return bad(p, "a case too many");
	t = &r->cases[r->n];
	if (number(event, "line") != t->line)
		return bad(p, "the cases are not those of the challenge");
	if (!status ||
	    !(streq(status, "passed") || streq(status, "failed") || streq(status, "skipped")))
		return bad(p, "a case without a status");
	r->n++;
	t->passed = streq(status, "passed");
	t->skipped = streq(status, "skipped");
	r->skipped += t->skipped;
	t->duration_ms = duration(event);
	return t->passed ? 0 : add_failure(t, json_object_get(event, "failure"));
}

static int on_plan(struct parse *p, const json_t *event)
{
	if (p->r->planned || number(event, "cases") != p->c->n_cases)
		return bad(p, "its plan is not the challenge's");
	p->r->planned = true;
	return 0;
}

static int on_end(struct parse *p, const json_t *event)
{
	const struct tests_report *r = p->r;
	long long passed = 0;

	for (uint32_t i = 0; i < r->n; i++)
		passed += r->cases[i].passed;
	if (r->ended || r->n != p->c->n_cases)
		return bad(p, "it ends before its last case");
	if (number(event, "total") != r->n || number(event, "passed") != passed ||
	    number(event, "skipped") != r->skipped ||
	    number(event, "failed") != (long long)r->n - passed - r->skipped)
		return bad(p, "its sums are wrong");
	p->r->ended = true;
	return 0;
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
	if (streq(name, "error"))
		return text(event, "message", MAX_MESSAGE, &p->r->error);
	return streq(name, "ready") ? 0 : bad(p, "an unknown event");
}

/* All cases as the challenge declares them, none passed. */
static int declare_cases(struct tests_report *r, const struct challenge *c)
{
	r->cases = calloc(c->n_cases, sizeof(*r->cases));
	if (!r->cases)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_cases; i++) {
		const struct challenge_case *from = &c->cases[i];
		struct test_case *t = &r->cases[i];

		t->name = strdup(from->name);
		t->file = strdup(from->file);
		t->group = from->group ? strdup(from->group) : NULL;
		t->line = (int)from->line;
		t->points = from->points;
		t->hidden = from->hidden;
		if (!t->name || !t->file || (from->group && !t->group)) {
			test_cases_free(r->cases, c->n_cases);
			r->cases = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

int tests_report_parse(struct tests_report *ret, const struct challenge *c, const char *bytes,
		       size_t size, char *why)
{
	struct parse p = { ret, c, why };
	int r;

	*ret = (struct tests_report){ 0 };
	r = declare_cases(ret, c);
	if (r == 0 && size > TESTS_REPORT_MAX)
		return bad(&p, "it is too big");
	while (r == 0 && size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t n = newline ? (size_t)(newline - bytes) : size;

		/* A last line without its end was cut off. */
		if (!newline)
			break;
		r = n > 0 ? on_line(&p, bytes, n) : 0;
		bytes += n + 1;
		size -= n + 1;
	}
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

void tests_report_done(struct tests_report *r, const struct challenge *c)
{
	test_cases_free(r->cases, c->n_cases);
	free(r->error);
	*r = (struct tests_report){ 0 };
}
