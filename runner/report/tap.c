/* SPDX-License-Identifier: MIT */

/*
 * TAP 14. A test that was not run is "not ok" and says so in its message: SKIP would count as
 * passed. The strings of the blocks are JSON's, which YAML reads as they are.
 */

#include "report/formats.h"
#include "util/util.h"

/* On one line; # would begin a directive, \ an escape. */
static void put_description(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '#' || *s == '\\')
			fputc('\\', f);
		fputc((unsigned char)*s < 0x20 ? ' ' : *s, f);
	}
}

static void put_key(FILE *f, const char *key, const char *value)
{
	cJSON *string = value ? cJSON_CreateString(value) : NULL;
	_cleanup_free_ char *text = string ? cJSON_PrintUnformatted(string) : NULL;

	cJSON_Delete(string);
	if (text)
		fprintf(f, "  %s: %s\n", key, text);
}

static void put_case(FILE *f, uint32_t number, const struct result_case *t)
{
	fprintf(f, "%sok %u - ", t->passed ? "" : "not ", number);
	if (t->group) {
		put_description(f, t->group);
		fputs(": ", f);
	}
	put_description(f, t->name ? t->name : "a hidden test");
	fprintf(f, "\n  ---\n  duration_ms: %.3f\n", t->duration_ms);
	if (!t->passed) {
		put_key(f, "message", t->message);
		put_key(f, "severity", t->skipped ? "not run" : "fail");
		put_key(f, "request", t->request);
		put_key(f, "expected", t->expected);
		put_key(f, "actual", t->actual);
		put_key(f, "hint", t->hint);
		put_key(f, "file", t->file);
		if (t->file)
			fprintf(f, "  line: %d\n", t->failure_line ? t->failure_line : t->line);
	}
	fputs("  ...\n", f);
}

void report_tap(FILE *f, const struct result *v)
{
	bool own = result_needs_own(v), good = own && result_own_passed(v);

	fprintf(f, "TAP version 14\n1..%u\n", v->n_cases + own);
	for (uint32_t i = 0; i < v->n_cases; i++)
		put_case(f, i + 1, &v->cases[i]);
	if (!own)
		return;
	fprintf(f, "%sok %u - submission: ", good ? "" : "not ", v->n_cases + 1);
	put_description(f, v->verdict);
	fputs("\n  ---\n", f);
	put_key(f, "message", v->reason);
	put_key(f, "log", v->log && *v->log ? v->log : NULL);
	fputs("  ...\n", f);
}
