/* SPDX-License-Identifier: MIT */

/*
 * The ledger for shell tests: `ledger-driver URL SCHEMA`, then a command per line on standard
 * input, its words separated by tabs, and a line of answer for each. A failure is "error ERRNO
 * TEXT".
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/ledger.h"
#include "fleet/ledger/pg.h"
#include "util/util.h"

#define WORDS 16

static char *word[WORDS];

static int print_error(int r, const struct sbx_error *err)
{
	printf("error %s %s: %s\n", strerrorname_np(-r), err->item, err->text);
	return r;
}

static uint64_t number(int i)
{
	return word[i] ? strtoull(word[i], NULL, 10) : 0;
}

static const char *text(int i)
{
	return word[i] ? word[i] : "";
}

static int do_migrate(struct ledger *l, struct sbx_error *err)
{
	int r = ledger_migrate(l, err);

	if (r >= 0)
		printf("migrated %d\n", r);
	return r;
}

/* timeout MS: of a statement */
static int do_timeout(struct ledger *l, struct sbx_error *err)
{
	(void)err;
	ledger_set_timeout(l, number(1) * NSEC_PER_MSEC);
	printf("set\n");
	return 0;
}

static int do_check(struct ledger *l, struct sbx_error *err)
{
	int r = ledger_check(l, err);

	if (r >= 0)
		printf("fine\n");
	return r;
}

static void print_result(const char *how, const struct ledger_result *r)
{
	printf("%s %s/%" PRIu32 " %s %s %s #%" PRIu32 " @%" PRIu64 " %s %" PRIu32 "/%" PRIu32
	       " %" PRIu64 "/%" PRIu64 " %s %s %s %zu %s\n",
	       how, r->id, r->judge_rev, r->student, r->contest[0] ? r->contest : "-", r->challenge,
	       r->attempt, r->submitted_ms, r->verdict, r->passed, r->total, r->points,
	       r->max_points, r->archive_sha256[0] ? r->archive_sha256 : "-",
	       r->tests_sha256[0] ? r->tests_sha256 : "-", r->worker, r->json ? strlen(r->json) : 0,
	       r->judged_ms ? "dated" : "undated");
}

/* insert ID REV STUDENT CONTEST CHALLENGE SUBMITTED VERDICT POINTS WORKER JSON|@FILE */
static int do_insert(struct ledger *l, struct sbx_error *err)
{
	_cleanup_(ledger_result_done) struct ledger_result standing = { 0 };
	_cleanup_free_ char *json = NULL;
	struct ledger_result r = {
		.judge_rev = (uint32_t)number(2),
		.attempt = 1,
		.submitted_ms = number(6),
		.passed = 1,
		.total = 2,
		.points = number(8),
		.max_points = LEDGER_POINTS_MAX,
	};
	int done;

	copy_string(r.id, sizeof(r.id), text(1));
	copy_string(r.student, sizeof(r.student), text(3));
	copy_string(r.contest, sizeof(r.contest), text(4));
	copy_string(r.challenge, sizeof(r.challenge), text(5));
	copy_string(r.verdict, sizeof(r.verdict), text(7));
	copy_string(r.worker, sizeof(r.worker), text(9));
	if (text(10)[0] == '@') {
		FILE *f = fopen(text(10) + 1, "re");
		size_t n;

		json = calloc(1, 2 * QUEUE_RESULT_MAX);
		n = f ? fread(json, 1, 2 * QUEUE_RESULT_MAX - 1, f) : 0;
		json[n] = '\0';
		fclosep(&f);
	}
	r.json = json ? json : (char *)(uintptr_t)text(10);
	done = ledger_insert(l, &r, &standing, err);
	if (done >= 0)
		print_result(done ? "inserted" : "stands", &standing);
	return done;
}

/* many PREFIX COUNT: inserts, each until it is done, whatever Postgres does meanwhile. */
static int do_many(struct ledger *l, struct sbx_error *err)
{
	uint64_t refusals = 0, stood = 0, n = number(2);
	struct ledger_result r = { .judge_rev = 1,
				   .student = "s",
				   .challenge = "c",
				   .verdict = "AC",
				   .worker = "w",
				   .json = (char[]){ "{}" } };

	for (uint64_t i = 0; i < n; i++) {
		int done;

		(void)snprintf(r.id, sizeof(r.id), "%.40s%" PRIu64, text(1), i);
		while ((done = ledger_insert(l, &r, NULL, err)) == -EAGAIN) {
			refusals++;
			(void)usleep(10000);
		}
		if (done < 0)
			return done;
		stood += done == 0;
	}
	printf("%" PRIu64 " done, %s, %s\n", n, refusals ? "some refused" : "none refused",
	       stood <= refusals ? "none twice" : "some twice");
	return 0;
}

static int do_find(struct ledger *l, struct sbx_error *err)
{
	struct ledger_result found = { 0 };
	int r = ledger_find(l, text(1), (uint32_t)number(2), &found, err);

	if (r == 0)
		printf("none\n");
	if (r > 0)
		print_result("found", &found);
	ledger_result_done(&found);
	return r;
}

static int do_contest_set(struct ledger *l, struct sbx_error *err)
{
	struct contest c = {
		.rules = streq(text(2), "icpc")     ? CONTEST_ICPC
			 : streq(text(2), "points") ? CONTEST_POINTS
						    : CONTEST_NONE,
		.starts_ms = number(3),
		.ends_ms = number(4),
		.penalty_s = (uint32_t)number(5),
	};
	int r = ledger_contest_set(l, text(1), &c, err);

	if (r >= 0)
		printf("set\n");
	return r;
}

static int do_contest(struct ledger *l, struct sbx_error *err)
{
	struct contest c;
	int r = ledger_contest(l, text(1), &c, err);

	if (r == 0)
		printf("none\n");
	if (r > 0)
		printf("%s [%" PRIu64 ", %" PRIu64 ") %" PRIu32 " v%" PRIu64 "\n",
		       c.rules == CONTEST_ICPC ? "icpc" : "points", c.starts_ms, c.ends_ms,
		       c.penalty_s, c.version);
	return r;
}

static int print_standing(const struct ledger_standing *s, void *data)
{
	(void)data;
	printf("%" PRIu64 ":%s:%" PRIu32 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 " ", s->rank,
	       s->student, s->solved, s->points, s->penalty_s, s->last_ms);
	return 0;
}

static int do_standings(struct ledger *l, struct sbx_error *err)
{
	int64_t r = ledger_standings(l, text(1), print_standing, NULL, err);

	if (r >= 0)
		printf("(%" PRId64 ")\n", r);
	return (int)r;
}

struct seen {
	uint64_t hash, stop_at, count;
};

static int see(const struct ledger_result *r, void *data)
{
	struct seen *s = data;

	for (const char *c = r->id; *c != '\0'; c++)
		s->hash = s->hash * 31 + (uint8_t)*c;
	s->hash = s->hash * 31 + r->judge_rev;
	return ++s->count == s->stop_at ? -ECANCELED : 0;
}

/* each CONTEST CHALLENGE STUDENT [STOP-AT] */
static int do_each(struct ledger *l, struct sbx_error *err)
{
	struct ledger_filter f = { text(1), text(2), text(3) };
	struct seen s = { .stop_at = number(4) };
	int64_t n = ledger_each(l, &f, see, &s, err);

	if (n == -ECANCELED) {
		printf("stopped after %" PRIu64 "\n", s.count);
		return 0;
	}
	if (n >= 0)
		printf("%" PRId64 " %016" PRIx64 "\n", n, s.hash);
	return (int)n;
}

static const struct {
	const char *name;
	int (*run)(struct ledger *l, struct sbx_error *err);
} commands[] = {
	{ "timeout", do_timeout },         { "migrate", do_migrate }, { "check", do_check },
	{ "insert", do_insert },           { "find", do_find },       { "contest", do_contest },
	{ "contest-set", do_contest_set }, { "many", do_many },       { "each", do_each },
	{ "standings", do_standings },
};

static int run(struct ledger *l, char *line, struct sbx_error *err)
{
	for (int i = 0; i < WORDS; i++)
		word[i] = strsep(&line, "\t");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(word[0], commands[i].name))
			return commands[i].run(l, err);
	return pg_error(err, -EINVAL, word[0], "no such command");
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *line = NULL;
	struct ledger *l = NULL;
	struct sbx_error err = { 0 };
	size_t size = 0;
	ssize_t n;
	int r = argc == 3 ? ledger_open(&l, argv[1], argv[2][0] ? argv[2] : NULL, &err) : -EINVAL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (r < 0) {
		print_error(r, &err);
		return 1;
	}
	while ((n = getline(&line, &size, stdin)) > 0) {
		line[n - 1] = '\0';
		r = run(l, line, &err);
		if (r < 0)
			print_error(r, &err);
	}
	ledger_free(l);
	return 0;
}
