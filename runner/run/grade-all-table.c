/* SPDX-License-Identifier: MIT */

/* The table of all submissions: for a terminal, for a spreadsheet, for programs. */

#include <cjson/cJSON.h>

#include "pipeline/clean.h"
#include "run/grade-all.h"
#include "util/util.h"

#define STUDENT_WIDTH 28

static bool is_judged(const struct entry *e)
{
	return e->state == ENTRY_DONE && !streq(e->verdict, "IE");
}

static int by_rank(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;

	if (is_judged(x) != is_judged(y))
		return is_judged(x) ? -1 : 1;
	if (x->passed != y->passed)
		return x->passed > y->passed ? -1 : 1;
	if (x->passed > 0 && x->tests_ms != y->tests_ms)
		return x->tests_ms < y->tests_ms ? -1 : 1;
	return strcmp(x->student, y->student);
}

const struct entry **grades_ranked(const struct grades *g)
{
	const struct entry **list = calloc(MAX_OF(g->n, 1u), sizeof(struct entry *));

	for (size_t i = 0; list && i < g->n; i++)
		list[i] = &g->entries[i];
	if (list)
		qsort(list, g->n, sizeof(struct entry *), by_rank);
	return list;
}

void grades_mark_twins(struct grades *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct entry *e = &g->entries[i];

		for (size_t k = 0; *e->hash && k < i && !e->twin; k++) {
			if (streq(g->entries[k].hash, e->hash))
				e->twin = &g->entries[k];
		}
	}
}

size_t grades_count(const struct grades *g, const char *verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += g->entries[i].state == ENTRY_DONE && streq(g->entries[i].verdict, verdict);
	return n;
}

/* Bytes that make at most `columns` characters. */
static int cut_at(const char *s, int columns)
{
	const char *at = s;

	for (; *at; at++) {
		if (((unsigned char)*at & 0xc0) != 0x80 && columns-- == 0)
			break;
	}
	return (int)(at - s);
}

static int width_of(const char *s, int bytes)
{
	int n = 0;

	for (int i = 0; i < bytes; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

void grades_print_table(FILE *f, const struct grades *g, const struct entry **ranked)
{
	fprintf(f, "\n%5s  %-*s  %-9s  %9s  %9s  %9s\n", "rank", STUDENT_WIDTH, "student",
		"verdict", "tests", "points", "time");
	for (size_t i = 0; i < g->n; i++) {
		const struct entry *e = ranked[i];
		int bytes = cut_at(e->student, STUDENT_WIDTH);
		char rank[24] = "-", tests[32], time[32];

		if (e->state != ENTRY_DONE)
			continue;
		if (is_judged(e))
			snprintf(rank, sizeof(rank), "%zu", i + 1);
		snprintf(tests, sizeof(tests), "%u/%u", e->passed, e->total);
		snprintf(time, sizeof(time), "%.2f s", e->tests_ms / 1000);
		fprintf(f, "%5s  %.*s%*s  %-9s  %9s  %9.6g  %9s", rank, bytes, e->student,
			STUDENT_WIDTH - width_of(e->student, bytes), "", e->verdict, tests,
			e->score, time);
		if (e->twin)
			fprintf(f, "  the same archive as %.*s",
				cut_at(e->twin->student, STUDENT_WIDTH), e->twin->student);
		fputc('\n', f);
	}
}

/*
 * A field of CSV. A spreadsheet takes what begins with = + - @ for a formula, whatever the quotes
 * say: an apostrophe before it makes it text.
 */
static void put_field(FILE *f, const char *s)
{
	fputc('"', f);
	if (*s && strchr("=+-@\t\r", *s))
		fputc('\'', f);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

static void put_raw(FILE *f, const char *s)
{
	_cleanup_free_ char *clean = clean_line(s, strlen(s), 4096);

	put_field(f, clean ? clean : "");
}

void grades_write_csv(FILE *f, const struct grades *g, const struct entry **ranked)
{
	fputs("rank,student,verdict,passed,total,score,max_score,tests_ms,wall_ms,same_as,path,"
	      "result,reason\r\n",
	      f);
	for (size_t i = 0; i < g->n; i++) {
		const struct entry *e = ranked[i];

		if (e->state != ENTRY_DONE)
			continue;
		if (is_judged(e))
			fprintf(f, "%zu", i + 1);
		fputc(',', f);
		put_field(f, e->student);
		fprintf(f, ",%s,%u,%u,%.10g,%.10g,%.0f,%.0f,", e->verdict, e->passed, e->total,
			e->score, e->max_score, e->tests_ms, e->wall_ms);
		put_field(f, e->twin ? e->twin->student : "");
		fputc(',', f);
		put_raw(f, e->path);
		fputc(',', f);
		put_field(f, e->file);
		fputc(',', f);
		put_field(f, e->reason ? e->reason : "");
		fputs("\r\n", f);
	}
}

static void put_row(cJSON *rows, const struct entry *e, size_t rank)
{
	_cleanup_free_ char *path = clean_line(e->path, strlen(e->path), 4096);
	cJSON *o = cJSON_CreateObject();

	cJSON_AddItemToArray(rows, o);
	if (is_judged(e))
		cJSON_AddNumberToObject(o, "rank", (double)rank);
	else
		cJSON_AddNullToObject(o, "rank");
	cJSON_AddStringToObject(o, "student", e->student);
	cJSON_AddStringToObject(o, "verdict", e->verdict);
	cJSON_AddStringToObject(o, "reason", e->reason ? e->reason : "");
	cJSON_AddNumberToObject(o, "passed", e->passed);
	cJSON_AddNumberToObject(o, "total", e->total);
	cJSON_AddNumberToObject(o, "score", e->score);
	cJSON_AddNumberToObject(o, "max_score", e->max_score);
	cJSON_AddNumberToObject(o, "tests_ms", e->tests_ms);
	cJSON_AddNumberToObject(o, "wall_ms", e->wall_ms);
	if (e->twin)
		cJSON_AddStringToObject(o, "same_as", e->twin->student);
	else
		cJSON_AddNullToObject(o, "same_as");
	cJSON_AddStringToObject(o, "path", path ? path : "");
	cJSON_AddStringToObject(o, "result", e->file);
	cJSON_AddStringToObject(o, "archive_sha256", e->hash);
	cJSON_AddBoolToObject(o, "kept", e->kept);
}

void grades_write_json(FILE *f, const struct grades *g, const struct entry **ranked)
{
	cJSON *root = cJSON_CreateObject(), *rows;
	_cleanup_free_ char *text = NULL;

	cJSON_AddStringToObject(root, "schema", "sandbox-grades/1");
	cJSON_AddStringToObject(root, "challenge", g->challenge->title);
	cJSON_AddStringToObject(root, "challenge_sha256", g->challenge_hash);
	cJSON_AddNumberToObject(root, "submissions", (double)g->n);
	cJSON_AddNumberToObject(root, "done", (double)g->done);
	rows = cJSON_AddArrayToObject(root, "rows");
	for (size_t i = 0; i < g->n; i++) {
		if (ranked[i]->state == ENTRY_DONE)
			put_row(rows, ranked[i], i + 1);
	}
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (text)
		fprintf(f, "%s\n", text);
}
