/* SPDX-License-Identifier: MIT */

/*
 * Results are inserted and read, never changed: whoever comes second with a result reads the first.
 * That the inserted row is on the disk when ledger_insert() returns is pg.c's to see to.
 */

#include "fleet/ledger/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/ledger-internal.h"
#include "util/util.h"

int ledger_open(struct ledger **ret, const char *url, const char *schema, struct sbx_error *err)
{
	struct ledger *l = calloc(1, sizeof(*l));
	int r = l ? pg_open(&l->pg, url, "sandbox-runner", err)
		  : pg_error(err, -ENOMEM, NULL, "no memory");

	if (r < 0) {
		free(l);
		return r;
	}
	if (!schema)
		schema = pg_schema(l->pg) ? pg_schema(l->pg) : LEDGER_SCHEMA;
	r = pg_quote_name(schema, l->schema, err);
	if (r < 0) {
		ledger_free(l);
		return r;
	}
	copy_string(l->name, sizeof(l->name), schema);
	*ret = l;
	return 0;
}

void ledger_set_timeout(struct ledger *l, uint64_t ns)
{
	pg_set_timeout(l->pg, ns);
}

struct ledger *ledger_free(struct ledger *l)
{
	if (l)
		pg_free(l->pg);
	free(l);
	return NULL;
}

char *ledger_sql(const struct ledger *l, const char *template)
{
	static const char name[] = "@schema@";
	size_t size = strlen(template) + 1, n = strlen(l->schema);
	char *sql, *to;

	for (const char *at = template; (at = strstr(at, name)); at += strlen(name))
		size += n;
	sql = to = malloc(size);
	if (!sql)
		return NULL;
	for (const char *at; (at = strstr(template, name)); template = at + strlen(name)) {
		to = mempcpy(to, template, (size_t)(at - template));
		to = mempcpy(to, l->schema, n);
	}
	strcpy(to, template);
	return sql;
}

int ledger_query(struct ledger *l, const char *template, int n, const char *const *params,
		 PGresult **ret, struct sbx_error *err)
{
	_cleanup_free_ char *sql = ledger_sql(l, template);

	int r = sql ? pg_query(l->pg, sql, n, params, ret, err)
		    : pg_error(err, -ENOMEM, NULL, "no memory");

	/* A table or column is missing; what the server says of it helps nobody. */
	if (r == -EPROTO && err && err->item[0])
		r = pg_error(
			err, r, l->name,
			"the ledger is not there, or too old: run `sandbox-runner admin migrate`");
	return r;
}

void ledger_result_done(struct ledger_result *r)
{
	free(r->json);
	r->json = NULL;
}

static bool verdict_ok(const char *verdict)
{
	size_t n = strspn(verdict, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n > 0 && verdict[n] == '\0';
}

static bool sha256_ok(const char *hex)
{
	return hex[0] == '\0' || queue_sha256_ok(hex);
}

static int check(const struct ledger_result *r, struct sbx_error *err)
{
	const char *wrong = NULL;

	if (!queue_id_ok(r->id) || !queue_id_ok(r->student) || !queue_id_ok(r->challenge) ||
	    (r->contest[0] && !queue_id_ok(r->contest)) || !queue_id_ok(r->worker))
		wrong = "an id is malformed";
	else if (!verdict_ok(r->verdict))
		wrong = "the verdict is malformed";
	else if (!sha256_ok(r->archive_sha256) || !sha256_ok(r->tests_sha256))
		wrong = "a checksum is malformed";
	else if (r->judge_rev == 0 || r->judge_rev > INT32_MAX || r->attempt > INT32_MAX)
		wrong = "judge_rev or attempt is out of range";
	else if (r->submitted_ms > LEDGER_TIME_MAX)
		wrong = "the time of submission is beyond the year 9999";
	else if (r->passed > r->total || r->total > INT32_MAX || r->points > r->max_points ||
		 r->max_points > LEDGER_POINTS_MAX)
		wrong = "tests or points are out of range";
	return wrong ? pg_error(err, -EINVAL, r->id, "this result cannot be recorded: %s", wrong)
		     : 0;
}

static const char insert_sql[] =
	"WITH added AS (INSERT INTO @schema@.result (submission, judge_rev, student, contest,"
	" challenge, attempt, submitted_at, verdict, passed, total, points, max_points,"
	" archive_sha256, tests_sha256, worker, stages, usage, result)"
	" VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	" $16, $17, $18) ON CONFLICT (submission, judge_rev) DO NOTHING RETURNING *)"
	" SELECT 1, " LEDGER_COLUMNS ", NULL FROM added"
	" UNION ALL SELECT 0, " LEDGER_COLUMNS ", result FROM @schema@.result"
	" WHERE submission = $1 AND judge_rev = $2";

static int send_insert(struct ledger *l, const struct ledger_result *r, const struct ledger_json *j,
		       PGresult **ret, struct sbx_error *err)
{
	struct ledger_number rev, attempt, passed, total, points, max;
	struct ledger_time at;
	const char *const params[] = {
		r->id,
		ledger_number(&rev, r->judge_rev),
		r->student,
		r->contest,
		r->challenge,
		ledger_number(&attempt, r->attempt),
		ledger_time(&at, r->submitted_ms),
		r->verdict,
		ledger_number(&passed, r->passed),
		ledger_number(&total, r->total),
		ledger_number(&points, r->points),
		ledger_number(&max, r->max_points),
		r->archive_sha256,
		r->tests_sha256,
		r->worker,
		j->stages,
		j->usage,
		j->text,
	};

	return ledger_query(l, insert_sql, ARRAY_SIZE(params), params, ret, err);
}

/* The row that stands: what was inserted has the json that was sent. */
static int read_standing(const PGresult *res, struct ledger_json *j, struct ledger_result *ret,
			 struct sbx_error *err)
{
	bool inserted = streq(PQgetvalue(res, 0, 0), "1");
	struct ledger_result standing = { 0 };
	int r = ledger_result_read(res, 0, 1, &standing, err);

	if (r < 0)
		return r;
	if (inserted)
		standing.json = steal_ptr(j->text);
	if (ret)
		*ret = standing;
	else
		ledger_result_done(&standing);
	return inserted;
}

int ledger_insert(struct ledger *l, const struct ledger_result *result,
		  struct ledger_result *ret_standing, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	_cleanup_(ledger_json_done) struct ledger_json j = { 0 };
	struct ledger_result standing = { 0 };
	int r = check(result, err);

	if (r == 0)
		r = ledger_json_make(result->json, &j, err);
	if (r == 0)
		r = send_insert(l, result, &j, &res, err);
	if (r < 0)
		return r;
	if (PQntuples(res) == 1)
		return read_standing(res, &j, ret_standing, err);
	/* Another one was inserted while this one was: too late for the statement to see it. */
	r = ledger_find(l, result->id, result->judge_rev, &standing, err);
	if (r == 0)
		r = pg_error(err, -EAGAIN, result->id,
			     "the result was removed while it was recorded");
	if (r < 0)
		return r;
	if (ret_standing)
		*ret_standing = standing;
	else
		ledger_result_done(&standing);
	return 0;
}

int ledger_find(struct ledger *l, const char *id, uint32_t judge_rev, struct ledger_result *ret,
		struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	struct ledger_number rev;
	const char *const params[] = { id, ledger_number(&rev, judge_rev) };
	int r;

	if (!queue_id_ok(id) || judge_rev > INT32_MAX)
		return pg_error(err, -EINVAL, NULL, "the id is malformed");
	r = ledger_query(l,
			 "SELECT " LEDGER_COLUMNS ", result FROM @schema@.result"
			 " WHERE submission = $1 AND judge_rev = $2",
			 ARRAY_SIZE(params), params, &res, err);
	if (r < 0 || PQntuples(res) == 0)
		return r;
	r = ledger_result_read(res, 0, 0, ret, err);
	return r < 0 ? r : 1;
}

int ledger_latest(struct ledger *l, const char *id, struct ledger_result *ret,
		  struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	const char *const params[] = { id };
	int r;

	if (!queue_id_ok(id))
		return pg_error(err, -EINVAL, NULL, "the id is malformed");
	r = ledger_query(l,
			 "SELECT " LEDGER_COLUMNS ", result FROM @schema@.result"
			 " WHERE submission = $1 ORDER BY judge_rev DESC LIMIT 1",
			 ARRAY_SIZE(params), params, &res, err);
	if (r < 0 || PQntuples(res) == 0)
		return r;
	r = ledger_result_read(res, 0, 0, ret, err);
	return r < 0 ? r : 1;
}
