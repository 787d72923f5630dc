/* SPDX-License-Identifier: MIT */

/*
 * admin rank: leaderboards as Redis or the ledger has them, and Redis's made again from the ledger.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "fleet/ledger/rebuild.h"
#include "fleet/queue/rank.h"
#include "util/util.h"

#define PAGE 200

struct table {
	cJSON *list; /* with --json */
	uint64_t left, rows;
	bool headed;
};

/* Not before there is something to be shown: an error has no table. */
static void head(struct table *t)
{
	if (!t->headed && !t->list)
		printf("%4s  %-24s %6s %10s %10s  %s\n", "RANK", "STUDENT", "SOLVED", "POINTS",
		       "PENALTY", "LAST (UTC)");
	t->headed = true;
}

static void row(struct table *t, const struct queue_rank *r)
{
	char last[32];
	cJSON *o;

	if (t->left == 0)
		return;
	t->left--;
	t->rows++;
	if (!t->list) {
		head(t);
		printf("%4" PRIu64 "  %-24s %6u %10.3f %10" PRIu64 "  %s\n", r->rank, r->student,
		       r->solved, (double)r->points / 1000, r->penalty_s / 60,
		       admin_time(r->last_ms, last));
		return;
	}
	o = cJSON_CreateObject();
	admin_put(o, "rank", r->rank);
	cJSON_AddStringToObject(o, "student", r->student);
	admin_put(o, "solved", r->solved);
	cJSON_AddNumberToObject(o, "points", (double)r->points / 1000);
	admin_put(o, "penalty_s", r->penalty_s);
	admin_put(o, "last_ms", r->last_ms);
	cJSON_AddItemToArray(t->list, o);
}

static int standing_row(const struct ledger_standing *s, void *data)
{
	struct queue_rank r = {
		.rank = s->rank,
		.solved = s->solved,
		.points = s->points,
		.penalty_s = s->penalty_s,
		.last_ms = s->last_ms,
	};

	copy_string(r.student, sizeof(r.student), s->student);
	row(data, &r);
	return 0;
}

static int from_ledger(struct admin *a, const char *contest, struct table *t)
{
	struct ledger *l = admin_ledger(a);

	if (!l)
		return a->refused;
	return ledger_standings(l, contest, standing_row, t, &a->err) < 0 ? admin_failed(a)
									  : EXIT_OK;
}

static int from_redis(struct admin *a, const char *contest, struct table *t)
{
	_cleanup_free_ struct queue_rank *page = calloc(PAGE, sizeof(*page));
	struct queue *q = admin_queue(a);
	uint64_t from = 0, total = 1;

	if (!q || !page)
		return EXIT_INFRASTRUCTURE;
	while (from < total && t->left > 0) {
		int n = queue_rank_read(q, contest, from, PAGE, page, &total, &a->err);

		if (n < 0)
			return admin_failed(a);
		if (n == 0)
			break;
		for (int i = 0; i < n; i++)
			row(t, &page[i]);
		from += (uint64_t)n;
	}
	return EXIT_OK;
}

/* An empty table of a contest that is none would look like one that nobody has solved. */
static int check_contest(struct admin *a, const char *id)
{
	struct contest c = { 0 };

	if (!a->config.ledger.url || !admin_ledger(a) ||
	    ledger_contest(a->ledger, id, &c, &a->err) != 0)
		return EXIT_OK;
	return admin_complain(a, EXIT_FAILED, "there is no contest %s in the ledger", id);
}

static int show(struct admin *a, const char *contest)
{
	struct table t = {
		.list = admin_opt.json ? cJSON_CreateArray() : NULL,
		.left = admin_opt.limit.text ? admin_opt.limit.value : UINT64_MAX,
	};
	int code;

	code = admin_opt.from_ledger ? from_ledger(a, contest, &t) : from_redis(a, contest, &t);
	if (code == EXIT_OK && t.rows == 0)
		code = check_contest(a, contest);
	if (t.list && code == EXIT_OK)
		return admin_print_json(t.list);
	if (code == EXIT_OK)
		head(&t);
	cJSON_Delete(t.list);
	return code;
}

static int rebuild(struct admin *a, const char *contest)
{
	struct queue *q = admin_queue(a);
	struct ledger *l = q ? admin_ledger(a) : NULL;
	int64_t n;

	if (!l)
		return q ? a->refused : EXIT_INFRASTRUCTURE;
	n = ledger_rank_rebuild(l, q, contest, &a->err);
	if (n < 0)
		return admin_failed(a);
	printf("%" PRId64 " students\n", n);
	return EXIT_OK;
}

int admin_rank(struct admin *a, int argc, char **argv)
{
	if (streq(argv[0], "show"))
		return show(a, argv[1]);
	if (streq(argv[0], "rebuild"))
		return rebuild(a, argv[1]);
	return usage_error("admin", "rank takes show or rebuild, and a CONTEST");
}
