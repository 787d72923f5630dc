/* SPDX-License-Identifier: MIT */

/*
 * JUnit's XML, in the dialect that CI systems agree on: testsuites > testsuite > testcase, with no
 * attribute that Jenkins' schema, the strictest, does not have. A suite is a group of the
 * challenge. Tests that were not run are skipped there, which most systems show as harmless: one
 * more case, named after the verdict, fails when no other does (result_needs_own()).
 */

#include "report/formats.h"
#include "report/markup.h"
#include "util/util.h"

struct counts {
	uint32_t tests, failures, errors, skipped;
	double ms;
};

static void attribute(FILE *f, const char *name, const char *value)
{
	fprintf(f, " %s=\"", name);
	markup_attribute(f, value);
	fputc('"', f);
}

static void put_counts(FILE *f, const struct counts *c)
{
	fprintf(f, " tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%.3f\"", c->tests,
		c->failures, c->errors, c->ms / 1000);
}

static const char *suite_of(const struct result *v, const struct result_case *t)
{
	return t->group ? t->group : v->challenge;
}

static bool in_suite(const struct result *v, const struct result_case *t, const char *suite)
{
	return streq(suite_of(v, t), suite);
}

static void count(struct counts *c, const struct result_case *t)
{
	c->tests++;
	c->failures += !t->passed && !t->skipped;
	c->skipped += t->skipped;
	c->ms += t->duration_ms;
}

static void put_line(FILE *f, const char *label, const char *text)
{
	if (!text)
		return;
	fputs(label, f);
	markup_text(f, text);
	fputc('\n', f);
}

static void put_outcome(FILE *f, const struct result_case *t)
{
	if (t->skipped) {
		fputs("<skipped", f);
		attribute(f, "message", t->message ? t->message : "not run");
		fputs("/>", f);
		return;
	}
	fputs("<failure type=\"AssertionError\"", f);
	attribute(f, "message", t->message ? t->message : "failed");
	fputc('>', f);
	put_line(f, "request: ", t->request);
	put_line(f, "expected: ", t->expected);
	put_line(f, "actual: ", t->actual);
	put_line(f, "hint: ", t->hint);
	if (t->file) {
		markup_text(f, t->file);
		fprintf(f, ":%d\n", t->failure_line ? t->failure_line : t->line);
	}
	fputs("</failure>", f);
}

static void put_case(FILE *f, const struct result *v, const struct result_case *t)
{
	fputs("    <testcase", f);
	attribute(f, "name", t->name ? t->name : "a hidden test");
	attribute(f, "classname", suite_of(v, t));
	fprintf(f, " time=\"%.3f\"", t->duration_ms / 1000);
	if (t->passed) {
		fputs("/>\n", f);
		return;
	}
	fputc('>', f);
	put_outcome(f, t);
	fputs("</testcase>\n", f);
}

static void put_suite_head(FILE *f, const struct result *v, const char *name,
			   const struct counts *c)
{
	char time[32];

	fputs("  <testsuite", f);
	attribute(f, "name", name);
	put_counts(f, c);
	fprintf(f, " skipped=\"%u\"", c->skipped);
	if (*result_time(time, v->began_ms))
		fprintf(f, " timestamp=\"%.19s\"", time);
	fputs(">\n", f);
}

/* The cases of one group, wherever they stand; those of an earlier group of the name are in it. */
static void put_suite(FILE *f, const struct result *v, uint32_t first)
{
	const char *name = suite_of(v, &v->cases[first]);
	struct counts c = { 0 };

	for (uint32_t i = 0; i < first; i++) {
		if (in_suite(v, &v->cases[i], name))
			return;
	}
	for (uint32_t i = first; i < v->n_cases; i++) {
		if (in_suite(v, &v->cases[i], name))
			count(&c, &v->cases[i]);
	}
	put_suite_head(f, v, name, &c);
	for (uint32_t i = first; i < v->n_cases; i++) {
		if (in_suite(v, &v->cases[i], name))
			put_case(f, v, &v->cases[i]);
	}
	fputs("  </testsuite>\n", f);
}

/* What is not the outcome of a named test: a limit, a broken archive, or tests without names. */
static void put_own(FILE *f, const struct result *v, const struct counts *c)
{
	bool bad = c->failures + c->errors > 0;

	put_suite_head(f, v, "submission", c);
	fputs("    <testcase", f);
	attribute(f, "name", v->verdict);
	attribute(f, "classname", v->challenge);
	fprintf(f, " time=\"%.3f\"%s", c->ms / 1000, bad ? ">" : "/>\n");
	if (bad) {
		fprintf(f, "<%s", c->errors ? "error" : "failure");
		attribute(f, "type", v->verdict);
		attribute(f, "message", v->reason);
		fputc('>', f);
		markup_text(f, v->log ? v->log : "");
		fprintf(f, "</%s></testcase>\n", c->errors ? "error" : "failure");
	}
	fputs("  </testsuite>\n", f);
}

void report_junit(FILE *f, const struct result *v)
{
	bool own = result_needs_own(v), bad = own && !result_own_passed(v);
	struct counts all = { 0 }, verdict = { .tests = own, .ms = own ? v->wall_ms : 0 };

	verdict.errors = bad && result_is_ours(v);
	verdict.failures = bad && !verdict.errors;
	for (uint32_t i = 0; i < v->n_cases; i++)
		count(&all, &v->cases[i]);
	all.tests += verdict.tests;
	all.failures += verdict.failures;
	all.errors += verdict.errors;
	all.ms = v->wall_ms;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", f);
	attribute(f, "name", v->challenge);
	put_counts(f, &all);
	fputs(">\n", f);
	for (uint32_t i = 0; i < v->n_cases; i++)
		put_suite(f, v, i);
	if (own)
		put_own(f, v, &verdict);
	fputs("</testsuites>\n", f);
}
