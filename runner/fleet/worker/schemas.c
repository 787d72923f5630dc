/* SPDX-License-Identifier: MIT */

/* See schemas.h. Each submission has one role, whatever else it has; the name says whose it is. */

#include "fleet/worker/schemas.h"

#include "util/util.h"

#define EVERY (15 * NSEC_PER_SEC)
#define AFTER_FAILURE (300 * NSEC_PER_SEC) /* who counts has other things to do */
#define TIMEOUT (2 * NSEC_PER_SEC)

static int count(struct schemas *s, const char *url, double *ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *row = NULL;
	int r = s->db ? 0 : pg_open(&s->db, url, "sandbox-runner count", err);

	if (r < 0)
		return r;
	pg_set_timeout(s->db, TIMEOUT);
	r = pg_query(s->db,
		     "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname ~ "
		     "'^sbx_[0-9a-f]{16}_[0-9a-f]{16}$'",
		     0, NULL, &row, err);
	if (r == 0)
		*ret = strtod(PQgetvalue(row, 0, 0), NULL);
	return r;
}

void schemas_count(struct schemas *s, const struct fleet_config *c, struct metrics *m,
		   const struct log *log)
{
	struct sbx_error err = { 0 };
	double n = 0;

	if (c->database.provider != DATABASE_SERVER || !c->database.url || now_ns() < s->next_ns)
		return;
	if (count(s, c->database.url, &n, &err) == 0) {
		metrics_set(m, METRIC_SCHEMAS_OPEN, n, NULL, NULL);
		s->next_ns = deadline_after(EVERY);
		return;
	}
	log_debug(log, "the students' databases are not counted: %s", err.text);
	s->next_ns = deadline_after(AFTER_FAILURE);
}

void schemas_done(struct schemas *s)
{
	pg_free(s->db);
	s->db = NULL;
}
