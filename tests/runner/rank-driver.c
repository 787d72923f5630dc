/* SPDX-License-Identifier: MIT */

/*
 * Ranking for shell tests: `rank-driver REDIS-URL POSTGRES-URL`, commands as in ledger-driver.c,
 * with the queue and the ledger as the worker uses them. What is away is asked again for a while.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/rebuild.h"
#include "util/util.h"

#define WORDS 10
#define SHOWN 1000

static char *word[WORDS];
static struct queue *q;
static struct ledger *l;
static struct sbx_error err;

static uint64_t number(int i)
{
	return word[i] ? strtoull(word[i], NULL, 10) : 0;
}

static const char *text(int i)
{
	return word[i] ? word[i] : "";
}

/* As a worker does: the verdict into the ledger, and what stands there to the queue. */
static int finish(const struct queue_job *job, const char *verdict, uint64_t points)
{
	_cleanup_(ledger_result_done) struct ledger_result standing = { 0 };
	const struct queue_submission *s = &job->submission;
	struct ledger_result mine = { .judge_rev = job->judge_rev,
				      .attempt = job->attempt,
				      .submitted_ms = s->submitted_ms,
				      .passed = 1,
				      .total = 1,
				      .points = points,
				      .max_points = LEDGER_POINTS_MAX,
				      .worker = "driver",
				      .json = (char[]){ "{}" } };
	struct queue_result r = { .json = "{}", .json_size = 2 };
	struct contest contest = { 0 };
	uint64_t receivers;
	int done;

	copy_string(mine.id, sizeof(mine.id), s->id);
	copy_string(mine.student, sizeof(mine.student), s->student);
	copy_string(mine.contest, sizeof(mine.contest), s->contest);
	copy_string(mine.challenge, sizeof(mine.challenge), s->challenge);
	copy_string(mine.verdict, sizeof(mine.verdict), verdict);
	done = ledger_insert(l, &mine, &standing, &err);
	if (done >= 0 && s->contest[0])
		done = ledger_contest(l, s->contest, &contest, &err);
	if (done < 0)
		return done;
	r.verdict = standing.verdict;
	r.passed = standing.passed;
	r.total = standing.total;
	r.points = standing.points;
	r.max_points = standing.max_points;
	return queue_commit(q, job, &contest, &r, &receivers, &err);
}

/* judge ID STUDENT CONTEST CHALLENGE SUBMITTED VERDICT POINTS: enqueued, claimed, committed. */
static int do_judge(void)
{
	struct queue_submission s = { .url = "http://localhost/x",
				      .priority = QUEUE_CONTEST,
				      .submitted_ms = number(5) };
	struct queue_place place;
	struct queue_job job;
	int r;

	copy_string(s.id, sizeof(s.id), text(1));
	copy_string(s.student, sizeof(s.student), text(2));
	copy_string(s.contest, sizeof(s.contest), text(3));
	copy_string(s.challenge, sizeof(s.challenge), text(4));
	r = queue_enqueue(q, &s, &place, &err);
	if (r >= 0)
		r = queue_claim(q, "driver", 0, &job, &err);
	if (r == 0 || (r > 0 && !streq(job.submission.id, s.id)))
		printf("another one was next\n");
	if (r <= 0)
		return r;
	r = finish(&job, text(6), number(7));
	if (r >= 0)
		printf("%s\n", r == QUEUE_COMMITTED ? "committed" : "not committed");
	return r;
}

/* many STUDENTS CONTEST CHALLENGES COUNT SEED: judges so many, verdicts at random; one line. */
static int do_many(void)
{
	unsigned int seed = (unsigned int)number(5);
	uint64_t n = number(4);

	for (uint64_t i = 0; i < n; i++) {
		struct queue_submission s = { .url = "http://localhost/x",
					      .submitted_ms = 1700000000000 +
							      (uint64_t)(rand_r(&seed) % 7200000) };
		struct queue_place place;
		struct queue_job job;
		int r;

		(void)snprintf(s.id, sizeof(s.id), "m%u-%" PRIu64, (unsigned int)number(5), i);
		(void)snprintf(s.student, sizeof(s.student), "s%" PRIu64,
			       (uint64_t)rand_r(&seed) % number(1));
		(void)snprintf(s.challenge, sizeof(s.challenge), "c%" PRIu64,
			       (uint64_t)rand_r(&seed) % number(3));
		copy_string(s.contest, sizeof(s.contest), text(2));
		r = queue_enqueue(q, &s, &place, &err);
		if (r >= 0)
			r = queue_claim(q, "driver", 0, &job, &err);
		if (r > 0)
			r = finish(&job, rand_r(&seed) % 3 ? "WA" : "AC",
				   (uint64_t)(rand_r(&seed) % 5) * 250);
		if (r < 0)
			return r;
	}
	printf("judged %" PRIu64 "\n", n);
	return 0;
}

/* rejudge ID VERDICT POINTS */
static int do_rejudge(void)
{
	struct queue_selection which = { .id = text(1), .urgent = true };
	struct queue_rejudged how_many;
	struct queue_job job;
	int r = queue_rejudge(q, &which, &how_many, &err);

	if (r >= 0)
		r = queue_claim(q, "driver", 0, &job, &err);
	if (r == 0)
		printf("nothing to judge\n");
	if (r <= 0)
		return r;
	r = finish(&job, text(2), number(3));
	if (r >= 0)
		printf("%s as %" PRIu32 "\n", r == QUEUE_COMMITTED ? "committed" : "not committed",
		       job.judge_rev);
	return r;
}

/* contest ID RULES STARTS ENDS PENALTY */
static int do_contest(void)
{
	struct contest c = {
		.rules = streq(text(2), "icpc")     ? CONTEST_ICPC
			 : streq(text(2), "points") ? CONTEST_POINTS
						    : CONTEST_NONE,
		.starts_ms = number(3),
		.ends_ms = number(4),
		.penalty_s = (uint32_t)number(5),
	};
	int r = ledger_contest_set(l, text(1), &c, &err);

	if (r >= 0)
		printf("set\n");
	return r;
}

static int do_rebuild(void)
{
	int64_t n = ledger_rank_rebuild(l, q, text(1), &err);

	if (n >= 0)
		printf("rebuilt %" PRId64 "\n", n);
	return (int)n;
}

static int by_rank(const void *a, const void *b)
{
	const struct queue_rank *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->student, y->student);
}

/* As `standings` of ledger-driver.c shows them. */
static int do_show(void)
{
	static struct queue_rank rows[SHOWN];
	uint64_t total;
	int n = queue_rank_read(q, text(1), 0, SHOWN, rows, &total, &err);

	if (n < 0)
		return n;
	qsort(rows, (size_t)n, sizeof(rows[0]), by_rank);
	for (int i = 0; i < n; i++)
		printf("%" PRIu64 ":%s:%" PRIu32 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 " ",
		       rows[i].rank, rows[i].student, rows[i].solved, rows[i].points,
		       rows[i].penalty_s, rows[i].last_ms);
	printf("(%" PRIu64 ")\n", total);
	return 0;
}

static int print_standing(const struct ledger_standing *s, void *data)
{
	(void)data;
	printf("%" PRIu64 ":%s:%" PRIu32 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 " ", s->rank,
	       s->student, s->solved, s->points, s->penalty_s, s->last_ms);
	return 0;
}

static int do_standings(void)
{
	int64_t n = ledger_standings(l, text(1), print_standing, NULL, &err);

	if (n >= 0)
		printf("(%" PRId64 ")\n", n);
	return (int)n;
}

static int do_migrate(void)
{
	int r = ledger_migrate(l, &err);

	if (r >= 0)
		printf("migrated\n");
	return r;
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "migrate", do_migrate }, { "contest", do_contest },     { "judge", do_judge },
	{ "many", do_many },       { "rejudge", do_rejudge },     { "rebuild", do_rebuild },
	{ "show", do_show },       { "standings", do_standings },
};

static int run(char *line)
{
	for (int i = 0; i < WORDS; i++)
		word[i] = strsep(&line, "\t");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(word[0], commands[i].name))
			return commands[i].run();
	err = (struct sbx_error){ .text = "no such command" };
	return -EINVAL;
}

static int serve(void)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		int r;

		line[n - 1] = '\0';
		r = run(line);
		if (r < 0)
			printf("error %s %s: %s\n", strerrorname_np(-r), err.item, err.text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct queue_options o = { .url = argv[1],
				   .student_running_max = 100,
				   .student_waiting_max = 100 };
	int r = argc == 3 ? queue_open(&q, &o, &err) : -EINVAL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r == 0)
		r = ledger_open(&l, argv[2], NULL, &err);
	if (r == 0)
		r = serve();
	else
		printf("error %s: %s\n", err.item, err.text);
	ledger_free(l);
	queue_free(q);
	return r < 0;
}
