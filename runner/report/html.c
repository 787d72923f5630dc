/* SPDX-License-Identifier: MIT */

/*
 * One page that needs nothing else: no script, no font, no picture from outside, and a policy
 * (Content-Security-Policy) that lets the browser fetch none, whatever a text might have smuggled
 * in. Every text goes through markup.c.
 */

#include <math.h>

#include "pipeline/units.h"
#include "report/formats.h"
#include "report/markup.h"
#include "util/util.h"

static void put(FILE *f, const char *before, const char *text, const char *after)
{
	fputs(before, f);
	markup_text(f, text);
	fputs(after, f);
}

static const cJSON *list_of(const struct result *v, const char *key)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v->root, key);

	return cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0 ? list : NULL;
}

/* A class of the style sheet: verdicts are words of capitals. */
static const char *verdict_class(const struct result *v)
{
	return *result_verdict_words(v->verdict) ? v->verdict : "none";
}

static void put_head(FILE *f, const struct result *v)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      f);
	put(f, "", v->verdict, ": ");
	put(f, "", v->submission, ", ");
	put(f, "", v->challenge, "</title>\n");
	fprintf(f, "<style>\n%s</style>\n</head>\n<body>\n<main>\n", html_style);
}

static void put_tally(FILE *f, const struct result *v)
{
	fputs("<p><b>", f);
	if (v->run == 0)
		fprintf(f, "None of the %u tests was run", v->total);
	else
		fprintf(f, "%u of %u tests passed", v->passed, v->run);
	fputs("</b>", f);
	if (!result_is_ours(v))
		fprintf(f, " · <b>%.10g of %.10g points</b>", v->score, v->max_score);
	fprintf(f, " · %.2f s in all</p>\n", v->wall_ms / 1000);
	if (v->run > 0)
		fprintf(f, "<div class=\"tally\"><i style=\"width:%.1f%%\"></i></div>\n",
			100.0 * v->passed / v->run);
}

static void put_verdict(FILE *f, const struct result *v)
{
	char time[32];

	put(f, "<header>\n<p class=\"soft\">", v->challenge, "</p>\n");
	fprintf(f, "<h1><span class=\"verdict %s\">", verdict_class(v));
	put(f, "", v->verdict, "</span> ");
	put(f, "", result_verdict_words(v->verdict), "</h1>\n");
	fprintf(f, "<p class=\"reason %s\">", verdict_class(v));
	put(f, "", v->reason, "</p>\n");
	put_tally(f, v);
	put(f, "<p class=\"soft\">Submission <code>", v->submission, "</code>");
	result_time(time, v->began_ms);
	if (*time)
		fprintf(f, ", judged %.10s at %.8s UTC", time, time + 11);
	fputs("</p>\n</header>\n", f);
}

/* ---------------------------------------------------------------------- tests */

static void put_pre(FILE *f, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(f, "<div><div class=\"label-text\">%s</div>", label);
	put(f, "<pre>", text, "</pre></div>\n");
}

static void put_why(FILE *f, const struct result_case *t)
{
	fputs("<div class=\"why\">\n", f);
	if (t->request)
		put(f, "<p>Request: <code>", t->request, "</code></p>\n");
	if (t->message)
		put(f, "<p>", t->message, "</p>\n");
	if (t->hint)
		put(f, "<p>Hint: ", t->hint, "</p>\n");
	if (t->expected || t->actual) {
		fputs("<div class=\"pair\">\n", f);
		put_pre(f, "expected", t->expected);
		put_pre(f, "what came", t->actual);
		fputs("</div>\n", f);
	}
	if (t->file) {
		put(f, "<p class=\"place\">", t->file, "");
		fprintf(f, ", line %d</p>\n", t->failure_line ? t->failure_line : t->line);
	}
	fputs("</div>\n", f);
}

static void put_case_line(FILE *f, const struct result_case *t)
{
	static const char *const marks[] = { "<span class=\"bad\">✗ failed</span>",
					     "<span class=\"good\">✓ passed</span>",
					     "<span class=\"skip\">○ not run</span>" };

	fputs(marks[t->passed ? 1 : t->skipped ? 2 : 0], f);
	if (t->name)
		put(f, " <span class=\"name\">", t->name, "</span>");
	else
		fputs(" <span class=\"name soft\">a hidden test</span>", f);
	fprintf(f, " <span class=\"num\">%.10g point%s · %.0f ms</span>", t->points,
		t->points == 1 ? "" : "s", t->duration_ms);
}

static void put_case(FILE *f, const struct result_case *t)
{
	bool told = !t->passed && (t->message || t->request || t->expected || t->actual || t->hint);

	fputs(told ? "<details class=\"test\" open><summary>"
		   : "<div class=\"test\"><div class=\"line\">",
	      f);
	put_case_line(f, t);
	fputs(told ? "</summary>\n" : "</div>", f);
	if (told)
		put_why(f, t);
	fputs(told ? "</details>\n" : "</div>\n", f);
}

static bool same_group(const struct result_case *a, const struct result_case *b)
{
	if (!a->group || !b->group)
		return a->group == b->group;
	return streq(a->group, b->group);
}

static void put_tests(FILE *f, const struct result *v)
{
	if (v->run == 0)
		return;
	fputs("<section><h2>Tests</h2>\n", f);
	if (v->n_cases == 0)
		fputs("<p>This challenge tells how many tests passed, and not which.</p>\n", f);
	else if (streq(v->reveal, "names") && v->passed < v->run)
		fputs("<p class=\"soft\">This challenge tells which tests failed, and not what "
		      "they "
		      "asked.</p>\n",
		      f);
	for (uint32_t i = 0; i < v->n_cases; i++) {
		const struct result_case *t = &v->cases[i];

		if (t->group && (i == 0 || !same_group(t, &v->cases[i - 1])))
			put(f, "<h3>", t->group, "</h3>\n");
		put_case(f, t);
	}
	fputs("</section>\n", f);
}

/* --------------------------------------------------------------------- stages */

static const char *stage_words(const char *name)
{
	static const char *const words[][2] = {
		{ "fetch", "reading what was handed in" },
		{ "template", "what all databases begin with" },
		{ "unpack", "unpacking it in its jail" },
		{ "deps", "its packages" },
		{ "generate", "code that its packages generate" },
		{ "database", "waiting for its database" },
		{ "build", "building" },
		{ "migrate", "making its tables" },
		{ "start", "starting the server" },
		{ "ready", "waiting for its first answer" },
		{ "test", "the hidden tests" },
		{ "teardown", "removing all of it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (streq(words[i][0], name))
			return words[i][1];
	}
	return "";
}

static void put_stages(FILE *f, const struct result *v)
{
	if (v->n_stages == 0)
		return;
	fputs("<section><h2>Where the time went</h2>\n", f);
	html_waterfall(f, v);
	fputs("<table><thead><tr><th>Stage</th><th>What it is</th><th>Time</th><th></th></tr>"
	      "</thead>\n",
	      f);
	for (uint32_t i = 0; i < v->n_stages; i++) {
		const struct result_stage *s = &v->stages[i];

		put(f, "<tr><td>", s->name, "</td><td>");
		put(f, "", stage_words(s->name), "</td>");
		fprintf(f, "<td class=\"num\">%.1f ms</td><td>", s->wall_ms);
		put(f, "", s->note, "</td></tr>\n");
	}
	fputs("</table></section>\n", f);
}

/* --------------------------------------------------------------------- limits */

enum kind { BYTES, MILLISECONDS, COUNT, PROCESSORS };

static const char *number_text(enum kind kind, double n, char out[UNITS_TEXT])
{
	if (isnan(n) || n < 0 || n > 1e15)
		return "";
	if (kind == BYTES)
		return units_size(out, (uint64_t)n);
	if (kind == MILLISECONDS)
		return units_duration(out, (uint64_t)(n * 1e6));
	snprintf(out, UNITS_TEXT, "%.10g", n);
	return out;
}

/* NULL members: no such thing is measured, or kept by anything in particular. */
static const struct limit_row {
	const char *name, *limit, *used, *by;
	enum kind kind;
} limit_rows[] = {
	{ "Memory of its programs", "memory", "memory_peak", "memory", BYTES },
	{ "Disk space", "disk", "disk_used", "disk", BYTES },
	{ "Processes and threads", "pids", "pids_peak", "pids", COUNT },
	{ "Processors at once", "cpu", NULL, "cpu", PROCESSORS },
	{ "Processor time", "cpu_time_ms", "cpu_ms", "cpu_time", MILLISECONDS },
	{ "Output (stdout, and stderr)", "output", NULL, "output", BYTES },
	{ "Time to install", "install_ms", NULL, NULL, MILLISECONDS },
	{ "Time to build", "build_ms", NULL, NULL, MILLISECONDS },
	{ "Time to the first answer", "boot_ms", NULL, NULL, MILLISECONDS },
	{ "Time for all tests", "tests_ms", NULL, NULL, MILLISECONDS },
	{ "Memory of its database", "database_memory", NULL, NULL, BYTES },
	{ "Disk space of its database", "database_disk", NULL, NULL, BYTES },
};

static const char *by_words(const char *by)
{
	static const char *const words[][2] = {
		{ "cgroup2", "the kernel (cgroup v2)" }, { "cgroup1", "the kernel (cgroup v1)" },
		{ "rlimit", "the kernel (rlimit)" },     { "tmpfs", "the size of its file system" },
		{ "timer", "the sandbox's timer" },      { "pipe", "the sandbox, which reads it" },
		{ "no swap", "the host has no swap" },   { "none", "nothing" },
	};

	for (size_t i = 0; by && i < ARRAY_SIZE(words); i++) {
		if (streq(words[i][0], by))
			return words[i][1];
	}
	return by;
}

static void put_files_share(FILE *f, const struct result *v)
{
	double files = result_number(v, "usage", "disk_total");
	char text[UNITS_TEXT];

	if (files > 0)
		put(f, ", and ", number_text(BYTES, files, text), " for files");
}

static void put_limits(FILE *f, const struct result *v)
{
	char text[UNITS_TEXT];

	if (!cJSON_GetObjectItemCaseSensitive(v->root, "limits"))
		return;
	fputs("<section><h2>Limits</h2>\n<table><thead><tr><th>Limit</th><th>Allowed</th>"
	      "<th>Used</th><th>Kept by</th></tr></thead>\n",
	      f);
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		const char *by = row->by ? result_string(v, "enforced", row->by)
					 : "the sandbox's timer";

		if (starts_with(row->limit, "database"))
			by = NULL;
		put(f, "<tr><td>", row->name, "</td><td class=\"num\">");
		put(f, "", number_text(row->kind, result_number(v, "limits", row->limit), text),
		    "");
		if (streq(row->limit, "memory"))
			put_files_share(f, v);
		fputs("</td><td class=\"num\">", f);
		if (row->used)
			put(f, "",
			    number_text(row->kind, result_number(v, "usage", row->used), text), "");
		put(f, "</td><td>", by_words(by), "</td></tr>\n");
	}
	fputs("</table>\n<p class=\"soft\">Used memory counts the files that it wrote, too: the "
	      "room that they have comes on top.</p></section>\n",
	      f);
}

/* ----------------------------------------------------------------------- rest */

static void put_detected(FILE *f, const struct result *v)
{
	const cJSON *list = list_of(v, "detected"), *item;

	if (!list)
		return;
	fputs("<section><h2>What was found in the submission</h2>\n<table>\n", f);
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *what = cJSON_GetObjectItemCaseSensitive(item, "what");
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(item, "text");

		put(f, "<tr><td>", cJSON_GetStringValue(what), "</td><td><code>");
		put(f, "", cJSON_GetStringValue(text), "</code></td></tr>\n");
	}
	fputs("</table></section>\n", f);
}

static void put_notes(FILE *f, const struct result *v)
{
	const cJSON *notes = list_of(v, "notes"), *unenforced = list_of(v, "unenforced"), *item;

	if (!notes && !unenforced)
		return;
	fputs("<section><h2>Notes</h2>\n<ul>\n", f);
	cJSON_ArrayForEach(item, notes) put(f, "<li>", cJSON_GetStringValue(item), "</li>\n");
	cJSON_ArrayForEach(item, unenforced) put(
		f, "<li>Not enforced on this host, as it was allowed: ", cJSON_GetStringValue(item),
		"</li>\n");
	fputs("</ul></section>\n", f);
}

static void put_log(FILE *f, const struct result *v)
{
	if (!v->log || !*v->log)
		return;
	put(f, "<section><h2>The last lines that it printed</h2>\n<pre>", v->log,
	    "</pre></section>\n");
}

static void put_error(FILE *f, const struct result *v)
{
	const char *text = result_string(v, "error", "text");

	if (!text)
		return;
	put(f, "<section><h2>What failed in the sandbox</h2>\n<pre>",
	    result_string(v, "error", "stage"), ": ");
	put(f, "", result_string(v, "error", "item"), " ");
	put(f, "", text, "</pre></section>\n");
}

void report_html(FILE *f, const struct result *v)
{
	put_head(f, v);
	put_verdict(f, v);
	put_error(f, v);
	put_tests(f, v);
	put_log(f, v);
	put_notes(f, v);
	put_detected(f, v);
	put_stages(f, v);
	html_charts(f, v);
	put_limits(f, v);
	put(f, "<footer>sandbox-run ", v->version, "</footer>\n</main>\n</body>\n</html>\n");
}
