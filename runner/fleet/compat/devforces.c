/* SPDX-License-Identifier: MIT */

/*
 * What DevForces' Postgres says of a submission and of its contest. Ids are text there, names need
 * their quotes, "createdAt" is UTC without saying so.
 *
 * A submission has a row in "SubmissionSession" only when it was made for a contest; else who made
 * it is the part of the URL's last segment before "-challenge-", and nothing is ranked.
 */

#include "fleet/compat/devforces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/compat/devforces-table.h"
#include "util/util.h"

#define PENALTY_S (20 * 60)

int devforces_table(struct pg *db, const char *name, char ret[DEVFORCES_TABLE_MAX],
		    struct sbx_error *err)
{
	const char *schema = pg_schema(db);
	char quoted[66];
	int r = pg_quote_name(schema ? schema : "public", quoted, err);

	if (r < 0)
		return r;
	(void)snprintf(ret, DEVFORCES_TABLE_MAX, "%s.\"%s\"", quoted, name);
	return 0;
}

/* What may be an id in the queue. */
static bool is_id(const char *text)
{
	size_t n = strspn(text,
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:@-");

	return n > 0 && n <= QUEUE_ID_MAX && text[n] == '\0';
}

static int take_id(char ret[QUEUE_ID_MAX + 1], const char *text, const char *what,
		   struct sbx_error *err)
{
	if (!is_id(text))
		return pg_error(err, -EINVAL, "devforces",
				"%s is not made of at most %d letters, digits and _.:@-", what,
				QUEUE_ID_MAX);
	copy_string(ret, QUEUE_ID_MAX + 1, text);
	return 0;
}

/* "https://bucket/USER-challenge-CHALLENGE?signature" */
static int student_of_url(struct queue_submission *s, struct sbx_error *err)
{
	char mark[QUEUE_ID_MAX + 16], student[QUEUE_ID_MAX + 1];
	size_t path = strcspn(s->url, "?#"), from = path;
	const char *end;

	while (from > 0 && s->url[from - 1] != '/')
		from--;
	(void)snprintf(mark, sizeof(mark), "-challenge-%s", s->challenge);
	end = strstr(s->url + from, mark);
	if (!end || end >= s->url + path || (size_t)(end - s->url) - from > QUEUE_ID_MAX)
		return pg_error(
			err, -EINVAL, "devforces",
			"whose submission it is stands neither in SubmissionSession nor in the "
			"URL, whose last part is not USER%s",
			mark);
	copy_string(student, (size_t)(end - s->url) - from + 1, s->url + from);
	return take_id(s->student, student, "the user in the URL", err);
}

static int take_session(struct queue_submission *s, const PGresult *row, struct sbx_error *err)
{
	int r = take_id(s->student, PQgetvalue(row, 0, 0), "\"SubmissionSession\".\"userId\"", err);

	if (r == 0)
		r = take_id(s->contest, PQgetvalue(row, 0, 1),
			    "\"SubmissionSession\".\"contestId\"", err);
	if (r == 0)
		s->submitted_ms = strtoull(PQgetvalue(row, 0, 2), NULL, 10);
	s->priority = QUEUE_CONTEST;
	return r;
}

int devforces_complete(struct pg *db, struct queue_submission *s, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *row = NULL;
	char challenges[DEVFORCES_TABLE_MAX], sessions[DEVFORCES_TABLE_MAX], sql[512];
	const char *const params[] = { s->challenge, s->id };
	int r = devforces_table(db, "Challenge", challenges, err);

	if (r == 0)
		r = devforces_table(db, "SubmissionSession", sessions, err);
	if (r < 0)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "SELECT s.\"userId\", s.\"contestId\", "
		       "(extract(epoch FROM s.\"createdAt\") * 1000)::bigint "
		       "FROM %s c LEFT JOIN %s s ON s.token = $2 WHERE c.id = $1",
		       challenges, sessions);
	r = pg_query(db, sql, ARRAY_SIZE(params), params, &row, err);
	if (r < 0)
		return r;
	if (PQntuples(row) == 0)
		return pg_error(err, -ENOENT, "devforces", "there is no challenge %s",
				s->challenge);
	if (!PQgetisnull(row, 0, 0))
		return take_session(s, row, err);
	s->priority = QUEUE_PRACTICE;
	return student_of_url(s, err);
}

int devforces_contest(struct pg *db, const char *id, struct contest *ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *row = NULL;
	char contests[DEVFORCES_TABLE_MAX], sql[256];
	const char *const params[] = { id };
	int r = devforces_table(db, "Contest", contests, err);

	if (r < 0)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "SELECT (extract(epoch FROM \"startsAt\") * 1000)::bigint, duration FROM %s "
		       "WHERE id = $1",
		       contests);
	r = pg_query(db, sql, ARRAY_SIZE(params), params, &row, err);
	if (r < 0 || PQntuples(row) == 0)
		return r;
	*ret = (struct contest){
		.rules = CONTEST_POINTS,
		.starts_ms = strtoull(PQgetvalue(row, 0, 0), NULL, 10),
		.penalty_s = PENALTY_S,
	};
	ret->ends_ms = ret->starts_ms + strtoull(PQgetvalue(row, 0, 1), NULL, 10) * 1000;
	return 1;
}
