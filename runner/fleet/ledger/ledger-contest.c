/* SPDX-License-Identifier: MIT */

/* Contests, and the standings as Postgres computes them. */

#include <errno.h>
#include <string.h>

#include "fleet/ledger/ledger-internal.h"
#include "util/util.h"

static const char *const rules[] = {
	[CONTEST_ICPC] = "icpc",
	[CONTEST_POINTS] = "points",
};

static int read_contest(const PGresult *res, struct contest *ret)
{
	struct contest c = { 0 };
	uint64_t penalty;

	for (size_t i = 1; i < ARRAY_SIZE(rules); i++)
		if (streq(PQgetvalue(res, 0, 0), rules[i]))
			c.rules = (enum contest_rules)i;
	if (c.rules == CONTEST_NONE ||
	    ledger_read_u64(res, 0, 1, LEDGER_TIME_MAX, &c.starts_ms) < 0 ||
	    ledger_read_u64(res, 0, 2, LEDGER_TIME_MAX, &c.ends_ms) < 0 ||
	    ledger_read_u64(res, 0, 3, INT32_MAX, &penalty) < 0 ||
	    ledger_read_u64(res, 0, 4, INT64_MAX, &c.version) < 0)
		return -EIO;
	c.penalty_s = (uint32_t)penalty;
	*ret = c;
	return 1;
}

int ledger_contest(struct ledger *l, const char *id, struct contest *ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	int r;

	if (!queue_id_ok(id))
		return pg_error(err, -EINVAL, NULL, "the id of the contest is malformed");
	r = ledger_query(
		l,
		"SELECT rules, " LEDGER_MS("starts_at") ", " LEDGER_MS(
			"ends_at") ", penalty_s, version FROM @schema@.contest WHERE id = $1",
		1, &id, &res, err);
	if (r < 0 || PQntuples(res) == 0)
		return r;
	r = read_contest(res, ret);
	return r < 0 ? pg_error(err, -EBADMSG, id, "the row of this contest makes no sense") : r;
}

static int check(const char *id, const struct contest *c, struct sbx_error *err)
{
	if (!queue_id_ok(id))
		return pg_error(err, -EINVAL, NULL, "the id of the contest is malformed");
	if (c->rules == CONTEST_NONE)
		return 0;
	if (c->rules != CONTEST_ICPC && c->rules != CONTEST_POINTS)
		return pg_error(err, -EINVAL, id, "rules are icpc, points or none");
	if (c->starts_ms > c->ends_ms || c->ends_ms > LEDGER_TIME_MAX)
		return pg_error(err, -EINVAL, id, "the contest ends before it begins, or never");
	if (c->penalty_s > INT32_MAX || (c->rules == CONTEST_ICPC && c->penalty_s % 60 != 0))
		return pg_error(
			err, -EINVAL, id,
			"icpc counts whole minutes: the penalty must be a multiple of 60 s");
	return 0;
}

int ledger_contest_set(struct ledger *l, const char *id, const struct contest *c,
		       struct sbx_error *err)
{
	struct ledger_time starts, ends;
	struct ledger_number penalty;
	const char *params[5] = { id };
	int r = check(id, c, err);

	if (r < 0)
		return r;
	if (c->rules == CONTEST_NONE)
		return ledger_query(l, "DELETE FROM @schema@.contest WHERE id = $1", 1, params,
				    NULL, err);
	params[1] = rules[c->rules];
	params[2] = ledger_time(&starts, c->starts_ms);
	params[3] = ledger_time(&ends, c->ends_ms);
	params[4] = ledger_number(&penalty, c->penalty_s);
	return ledger_query(
		l,
		"INSERT INTO @schema@.contest AS c (id, rules, starts_at, ends_at, penalty_s)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET"
		" rules = excluded.rules, starts_at = excluded.starts_at,"
		" ends_at = excluded.ends_at, penalty_s = excluded.penalty_s"
		" WHERE (c.rules, c.starts_at, c.ends_at, c.penalty_s) IS DISTINCT FROM"
		" (excluded.rules, excluded.starts_at, excluded.ends_at, excluded.penalty_s)",
		ARRAY_SIZE(params), params, NULL, err);
}

static int read_standing(const PGresult *res, int row, struct ledger_standing *s)
{
	uint64_t solved = 0;
	int bad = ledger_read_u64(res, row, 0, UINT64_MAX, &s->rank);

	bad |= ledger_read_text(res, row, 1, s->student, sizeof(s->student));
	bad |= ledger_read_u64(res, row, 2, UINT32_MAX, &solved);
	bad |= ledger_read_u64(res, row, 3, UINT64_MAX, &s->points);
	bad |= ledger_read_u64(res, row, 4, UINT64_MAX, &s->penalty_s);
	bad |= ledger_read_u64(res, row, 5, UINT64_MAX, &s->last_ms);
	s->solved = (uint32_t)solved;
	return bad ? -EIO : 0;
}

int64_t ledger_standings(struct ledger *l, const char *contest, ledger_standing_fn fn, void *data,
			 struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	int r;

	if (!queue_id_ok(contest))
		return pg_error(err, -EINVAL, NULL, "the id of the contest is malformed");
	r = ledger_query(
		l,
		"SELECT rank, student, solved, points, penalty_s, coalesce(" LEDGER_MS(
			"last_at") ", 0) FROM @schema@.standings($1) ORDER BY rank, student",
		1, &contest, &res, err);
	if (r < 0)
		return r;
	for (int i = 0; i < PQntuples(res); i++) {
		struct ledger_standing s = { 0 };

		if (read_standing(res, i, &s) < 0)
			return pg_error(err, -EIO, contest, "the standings make no sense");
		r = fn(&s, data);
		if (r < 0)
			return r;
	}
	return PQntuples(res);
}
