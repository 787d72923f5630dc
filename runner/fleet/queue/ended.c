/* SPDX-License-Identifier: MIT */

/*
 * What ended without a judge: superseded or cancelled before it was begun. The script that ends it
 * writes it into `ended` in the same step, and there it stays until somebody has it in the ledger,
 * whose rows are unique: who dies in between, or two who do it at once, make one row.
 */

#include "fleet/queue/queue-internal.h"

enum {
	E_ID,
	E_REV,
	E_STUDENT,
	E_CONTEST,
	E_CHALLENGE,
	E_SUBMITTED,
	E_VERDICT,
	E_PARTS,
};

static int parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 18 || text[n])
		return -EINVAL;
	*ret = strtoull(text, NULL, 10);
	return *ret <= max ? 0 : -EINVAL;
}

/* "id/rev/student/contest/challenge/submitted/verdict"; no name has a '/'. */
static int parse(const char *text, struct queue_end *ret)
{
	struct queue_end e = { .judge_rev = 0 };
	char buffer[sizeof(e.entry)], *rest = buffer, *part[E_PARTS];
	uint64_t rev = 0;

	if (strlen(text) >= sizeof(e.entry))
		return -EINVAL;
	queue_copy(e.entry, text);
	queue_copy(buffer, text);
	for (size_t i = 0; i < E_PARTS; i++) {
		part[i] = strsep(&rest, "/");
		if (!part[i])
			return -EINVAL;
	}
	if (rest || !queue_id_ok(part[E_ID]) || !queue_id_ok(part[E_STUDENT]) ||
	    (*part[E_CONTEST] && !queue_id_ok(part[E_CONTEST])) ||
	    !queue_id_ok(part[E_CHALLENGE]) || !queue_id_ok(part[E_VERDICT]) ||
	    strlen(part[E_VERDICT]) >= sizeof(e.verdict) ||
	    parse_number(part[E_REV], INT32_MAX, &rev) < 0 || rev == 0 ||
	    parse_number(part[E_SUBMITTED], UINT64_MAX, &e.submitted_ms) < 0)
		return -EINVAL;
	queue_copy(e.id, part[E_ID]);
	queue_copy(e.student, part[E_STUDENT]);
	queue_copy(e.contest, part[E_CONTEST]);
	queue_copy(e.challenge, part[E_CHALLENGE]);
	queue_copy(e.verdict, part[E_VERDICT]);
	e.judge_rev = (uint32_t)rev;
	*ret = e;
	return 0;
}

static int call(struct queue *q, size_t max, const char *entry, size_t size, const char *why,
		redisReply **ret, struct sbx_error *err)
{
	struct redis_words *w = queue_args(q);

	redis_add_number(w, max);
	redis_add_bytes(w, entry, size);
	redis_add(w, why);
	return queue_call(q, SCRIPT_ENDED, 0, ret, err);
}

static int forget(struct queue *q, const char *entry, size_t size, const char *why,
		  struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;

	return call(q, 0, entry, size, why, &reply, err);
}

int queue_ended(struct queue *q, struct queue_end *ret, size_t max, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	int r = call(q, max, "", 0, "", &reply, err), n = 0;

	for (size_t i = 0; r == 0 && i < MIN_OF(reply->elements, max); i++) {
		const char *entry = redis_text(reply, i);

		if (parse(entry, &ret[n]) == 0)
			n++;
		else
			r = forget(q, entry, reply->element[i]->len,
				   "its end, as Redis has it, makes no sense", err);
	}
	return r < 0 ? r : n;
}

int queue_ended_done(struct queue *q, const struct queue_end *e, const char *why,
		     struct sbx_error *err)
{
	return forget(q, e->entry, strlen(e->entry), why ? why : "", err);
}
