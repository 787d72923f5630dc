/* SPDX-License-Identifier: MIT */

/*
 * Rows into structs and back. The schema is ours, but a platform, or a person with psql, may write
 * there too: a row that does not fit is refused, never cut.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fleet/ledger/ledger-internal.h"
#include "util/util.h"

#define PAGE "2000"

const char *ledger_number(struct ledger_number *n, uint64_t value)
{
	(void)snprintf(n->s, sizeof(n->s), "%llu", (unsigned long long)value);
	return n->s;
}

const char *ledger_time(struct ledger_time *t, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&seconds, &tm);
	n = strftime(t->s, sizeof(t->s), "%Y-%m-%d %H:%M:%S", &tm);
	(void)snprintf(t->s + n, sizeof(t->s) - n, ".%03u+00", (unsigned int)(ms % 1000));
	return t->s;
}

int ledger_read_u64(const PGresult *res, int row, int column, uint64_t max, uint64_t *ret)
{
	const char *s = PQgetvalue(res, row, column);
	unsigned long long value;
	char *end;

	if (*s < '0' || *s > '9')
		return -EIO;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (*end != '\0' || errno || value > max)
		return -EIO;
	*ret = value;
	return 0;
}

static int read_u32(const PGresult *res, int row, int column, uint32_t *ret)
{
	uint64_t value;
	int r = ledger_read_u64(res, row, column, INT32_MAX, &value);

	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}

int ledger_read_text(const PGresult *res, int row, int column, char *to, size_t size)
{
	const char *s = PQgetvalue(res, row, column);

	if (strlen(s) >= size)
		return -EIO;
	strcpy(to, s);
	return 0;
}

#define TEXT(column, to) ledger_read_text(res, row, first + (column), (to), sizeof(to))

static int read_texts(const PGresult *res, int row, int first, struct ledger_result *r)
{
	int bad = 0;

	bad |= TEXT(0, r->id);
	bad |= TEXT(1, r->student);
	bad |= TEXT(2, r->contest);
	bad |= TEXT(3, r->challenge);
	bad |= TEXT(7, r->verdict);
	bad |= TEXT(12, r->archive_sha256);
	bad |= TEXT(13, r->tests_sha256);
	bad |= TEXT(14, r->worker);
	return bad ? -EIO : 0;
}

static int read_numbers(const PGresult *res, int row, int first, struct ledger_result *r)
{
	int bad = 0;

	bad |= read_u32(res, row, first + 4, &r->judge_rev);
	bad |= read_u32(res, row, first + 5, &r->attempt);
	bad |= ledger_read_u64(res, row, first + 6, LEDGER_TIME_MAX, &r->submitted_ms);
	bad |= read_u32(res, row, first + 8, &r->passed);
	bad |= read_u32(res, row, first + 9, &r->total);
	bad |= ledger_read_u64(res, row, first + 10, LEDGER_POINTS_MAX, &r->points);
	bad |= ledger_read_u64(res, row, first + 11, LEDGER_POINTS_MAX, &r->max_points);
	bad |= ledger_read_u64(res, row, first + 15, UINT64_MAX, &r->judged_ms);
	return bad ? -EIO : 0;
}

int ledger_result_read(const PGresult *res, int row, int first, struct ledger_result *ret,
		       struct sbx_error *err)
{
	struct ledger_result r = { 0 };

	if (PQnfields(res) != first + 17 || read_texts(res, row, first, &r) < 0 ||
	    read_numbers(res, row, first, &r) < 0)
		return pg_error(err, -EBADMSG, "result",
				"a row of the ledger is not as we write it: %s", r.id);
	if (!PQgetisnull(res, row, first + 16)) {
		r.json = strdup(PQgetvalue(res, row, first + 16));
		if (!r.json)
			return pg_error(err, -ENOMEM, NULL, "no memory");
	}
	*ret = r;
	return 0;
}

static const char page_sql[] = "SELECT " LEDGER_COLUMNS ", NULL FROM @schema@.result"
			       " WHERE ($1::pg_catalog.text IS NULL OR contest = $1)"
			       " AND ($2::pg_catalog.text IS NULL OR challenge = $2)"
			       " AND ($3::pg_catalog.text IS NULL OR student = $3)"
			       " AND (student, submission, judge_rev) > ($4, $5, $6)"
			       " ORDER BY student, submission, judge_rev LIMIT " PAGE;

static const char *or_null(const char *s)
{
	return s && s[0] ? s : NULL;
}

/* How many; *last is where the next page begins. */
static int each_of_page(struct ledger *l, const struct ledger_filter *f, struct ledger_result *last,
			ledger_each_fn fn, void *data, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	struct ledger_number rev;
	const char *const params[] = { or_null(f->contest),
				       or_null(f->challenge),
				       or_null(f->student),
				       last->student,
				       last->id,
				       ledger_number(&rev, last->judge_rev) };
	int r = ledger_query(l, page_sql, ARRAY_SIZE(params), params, &res, err);

	for (int i = 0; r == 0 && i < PQntuples(res); i++) {
		r = ledger_result_read(res, i, 0, last, err);
		if (r == 0)
			r = fn(last, data);
	}
	return r < 0 ? r : PQntuples(res);
}

int64_t ledger_each(struct ledger *l, const struct ledger_filter *filter, ledger_each_fn fn,
		    void *data, struct sbx_error *err)
{
	struct ledger_result last = { 0 };
	int64_t count = 0;
	int n;

	do {
		n = each_of_page(l, filter, &last, fn, data, err);
		if (n < 0)
			return n;
		count += n;
	} while (n == atoi(PAGE));
	return count;
}
