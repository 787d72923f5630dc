/* SPDX-License-Identifier: MIT */

/*
 * The ledger's results come ordered by student, and so does Redis's list of students: both are
 * walked side by side. Redis's time is asked before the ledger is read, so whatever the ledger did
 * not show was committed to Redis after that time, and is kept there.
 */

#include "fleet/ledger/rebuild.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/pg.h"
#include "util/util.h"

struct rebuild {
	struct queue *q;
	const char *contest;
	struct contest c;
	struct queue_rank_begun begun;
	size_t next; /* of begun.students */
	char student[QUEUE_ID_MAX + 1];
	struct queue_rank_attempt *attempts; /* of this student */
	size_t n, room;
	int64_t students;
	struct sbx_error *err;
};

static int send(struct rebuild *b, const char *student, size_t n)
{
	return queue_rank_student(b->q, b->contest, &b->c, student, b->begun.ms, b->attempts, n,
				  b->err);
}

/* Redis's students before `student` (NULL: all that are left), which are not in the ledger. */
static int send_unknown(struct rebuild *b, const char *student)
{
	for (; b->next < b->begun.n; b->next++) {
		const char *known = b->begun.students[b->next];
		int order = student ? strcmp(known, student) : -1, r;

		if (order > 0)
			return 0;
		r = order < 0 ? send(b, known, 0) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int finish_student(struct rebuild *b)
{
	int r = b->n > 0 ? send(b, b->student, b->n) : 0;

	b->students += b->n > 0;
	b->n = 0;
	return r;
}

static int add(struct rebuild *b, const struct ledger_result *r)
{
	struct queue_rank_attempt *a;

	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 64;

		a = reallocarray(b->attempts, room, sizeof(*a));
		if (!a)
			return pg_error(b->err, -ENOMEM, NULL, "no memory");
		b->attempts = a;
		b->room = room;
	}
	a = &b->attempts[b->n++];
	*a = (struct queue_rank_attempt){
		.judge_rev = r->judge_rev,
		.submitted_ms = r->submitted_ms,
		.points = r->points,
	};
	copy_string(a->id, sizeof(a->id), r->id);
	copy_string(a->challenge, sizeof(a->challenge), r->challenge);
	copy_string(a->verdict, sizeof(a->verdict), r->verdict);
	return 0;
}

static int on_result(const struct ledger_result *result, void *data)
{
	struct rebuild *b = data;
	int r = 0;

	if (!streq(result->student, b->student)) {
		r = finish_student(b);
		if (r == 0)
			r = send_unknown(b, result->student);
		copy_string(b->student, sizeof(b->student), result->student);
	}
	return r < 0 ? r : add(b, result);
}

static int64_t walk(struct rebuild *b, struct ledger *l, struct sbx_error *err)
{
	struct ledger_filter filter = { .contest = b->contest };
	int64_t r = ledger_each(l, &filter, on_result, b, err);

	if (r >= 0)
		r = finish_student(b);
	if (r >= 0)
		r = send_unknown(b, NULL);
	return r < 0 ? r : b->students;
}

int64_t ledger_rank_rebuild(struct ledger *l, struct queue *q, const char *contest,
			    struct sbx_error *err)
{
	struct rebuild b = { .q = q, .contest = contest, .err = err };
	int64_t r = queue_rank_begin(q, contest, &b.begun, err);

	if (r == 0)
		r = ledger_contest(l, contest, &b.c, err);
	if (r == 0)
		r = queue_rank_forget(q, contest, err);
	else if (r > 0)
		r = walk(&b, l, err);
	free(b.begun.students);
	free(b.attempts);
	return r;
}
