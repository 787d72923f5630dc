/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/ledger/ledger.h"
#include "fleet/ledger/pg.h"

struct ledger {
	struct pg *pg;
	char name[64];   /* of the schema */
	char schema[66]; /* the same, quoted */
};

/* "@schema@" replaced by the schema; NULL: no memory. */
char *ledger_sql(const struct ledger *l, const char *template);

/* pg_query() of a template. */
int ledger_query(struct ledger *l, const char *template, int n, const char *const *params,
		 PGresult **ret, struct sbx_error *err);

/* What ledger_result_read() reads, in this order; `result` (or NULL) is to follow. */
#define LEDGER_MS(column) "pg_catalog.round(EXTRACT(EPOCH FROM " column ") * 1000)::pg_catalog.int8"
#define LEDGER_COLUMNS                                                                             \
	"submission, student, coalesce(contest, ''), challenge, judge_rev, attempt, " LEDGER_MS(   \
		"submitted_at") ", verdict, passed, total, points, max_points, archive_sha256, "   \
				"tests_sha256, worker, " LEDGER_MS("judged_at")

/* From row `row`, columns from `column`. -EBADMSG: not what we have written. */
int ledger_result_read(const PGresult *res, int row, int column, struct ledger_result *ret,
		       struct sbx_error *err);
int ledger_read_u64(const PGresult *res, int row, int column, uint64_t max, uint64_t *ret);
int ledger_read_text(const PGresult *res, int row, int column, char *to, size_t size);

/* A number as a parameter. */
struct ledger_number {
	char s[24];
};
const char *ledger_number(struct ledger_number *n, uint64_t value);
/* "2026-01-31 09:30:00.123+00" */
struct ledger_time {
	char s[40];
};
const char *ledger_time(struct ledger_time *t, uint64_t ms);

/*
 * The result as it is kept: `text` is what no JSON reader stumbles over, `stages` and `usage` its
 * members (NULL: there is none). -EINVAL: it is no JSON object.
 */
struct ledger_json {
	char *text, *stages, *usage;
};
int ledger_json_make(const char *json, struct ledger_json *ret, struct sbx_error *err);
void ledger_json_done(struct ledger_json *j);
