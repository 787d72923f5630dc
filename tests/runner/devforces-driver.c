/* SPDX-License-Identifier: MIT */

/*
 * Calls runner/fleet/compat for test-devforces.sh, and prints what comes of it, a member a line:
 *
 *   complete URL PAYLOAD         a payload, and what the database adds
 *   contest URL ID
 *   challenge URL ID DIR FAST    the folder and the number of tests
 *   result VERDICT PASSED TOTAL  a message
 *   log KIND TEXT
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fleet/compat/devforces.h"
#include "util/util.h"

#define NOW 1764000000000ull

static int failed(const struct sbx_error *err, int r)
{
	printf("error=%d %s\n", r, err->text);
	return 1;
}

static int complete(struct pg *db, const char *payload)
{
	struct queue_submission s;
	struct sbx_error err = { 0 };
	char why[200];
	int r = queue_payload_parse(payload, strlen(payload), &s, why);

	if (r < 0) {
		printf("refused=%s\n", why);
		return 1;
	}
	r = devforces_complete(db, &s, &err);
	if (r < 0)
		return failed(&err, r);
	printf("id=%s\nchannel=%s\nstudent=%s\ncontest=%s\nsubmitted=%" PRIu64 "\npriority=%d\n", s.id,
	       s.channel, s.student, s.contest, s.submitted_ms, (int)s.priority);
	return 0;
}

static int contest(struct pg *db, const char *id)
{
	struct contest c = { 0 };
	struct sbx_error err = { 0 };
	int r = devforces_contest(db, id, &c, &err);

	if (r < 0)
		return failed(&err, r);
	printf("found=%d\nrules=%d\nstarts=%" PRIu64 "\nends=%" PRIu64 "\npenalty=%u\n", r, (int)c.rules,
	       c.starts_ms, c.ends_ms, c.penalty_s);
	return 0;
}

static int challenge(struct pg *db, const char *id, const char *dir, bool fast)
{
	_cleanup_close_ int fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	struct devforces_challenge c = { 0 };
	struct sbx_error err = { 0 };
	int r = devforces_challenge(db, id, fd, dir, fast, &c, &err);

	if (r < 0)
		return failed(&err, r);
	printf("folder=%s\ntotal=%u\n", c.folder, c.total);
	devforces_challenge_done(&c);
	return 0;
}

static int print(char *text)
{
	printf("%s\n", text);
	free(text);
	return 0;
}

static int with_database(int argc, char **argv)
{
	_cleanup_(pg_freep) struct pg *db = NULL;
	struct sbx_error err = { 0 };
	int r = pg_open(&db, argv[2], "test", &err);

	if (r < 0)
		return failed(&err, r);
	if (streq(argv[1], "complete"))
		return complete(db, argv[3]);
	if (streq(argv[1], "contest"))
		return contest(db, argv[3]);
	return argc == 6 ? challenge(db, argv[3], argv[4], streq(argv[5], "fast")) : 2;
}

int main(int argc, char **argv)
{
	uint32_t total;

	if (argc == 5 && streq(argv[1], "result")) {
		total = (uint32_t)atoi(argv[4]);
		return print(devforces_result_message(
			devforces_passed(total, (uint32_t)atoi(argv[3]), argv[2]), total, NOW));
	}
	if (argc == 4 && streq(argv[1], "log"))
		return print(devforces_log_message(argv[2], argv[3], NOW));
	return argc >= 4 ? with_database(argc, argv) : 2;
}
