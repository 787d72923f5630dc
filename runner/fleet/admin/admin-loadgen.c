/* SPDX-License-Identifier: MIT */

/*
 * admin loadgen: many submissions of one archive, by as many students as are wanted, each with an
 * id of its own. It goes as fast as the queue takes them: full means wait, not lost.
 */

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "util/util.h"

#define STUDENTS 40
#define SUBMISSIONS_MAX 1000000

static void wait_ns(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(ns % NSEC_PER_SEC) };

	(void)nanosleep(&t, NULL);
}

/* 0, or an exit code. */
static int hand_in(struct admin *a, const struct queue_submission *s)
{
	for (;;) {
		struct queue_place place = { 0 };
		int r = queue_enqueue(a->queue, s, &place, &a->err);

		if (r == -EAGAIN)
			wait_ns(queue_backoff_ns(a->queue));
		else if (r == -EINVAL)
			return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
		else if (r < 0)
			return admin_failed(a);
		else if (r == QUEUE_FULL || r == QUEUE_STUDENT_FULL)
			wait_ns(MAX_OF(place.retry_after_ms, 1u) * NSEC_PER_MSEC);
		else
			return EXIT_OK;
	}
}

static int run(struct admin *a, uint64_t n, uint64_t students)
{
	struct queue_submission s = { .priority = admin_opt.contest ? QUEUE_CONTEST
								    : QUEUE_PRACTICE };
	uint64_t began = now_ns(), round;
	int code = EXIT_OK;

	if (getrandom(&round, sizeof(round), 0) != (ssize_t)sizeof(round))
		return admin_complain(a, EXIT_INFRASTRUCTURE, "no random numbers");
	copy_string(s.challenge, sizeof(s.challenge), admin_opt.challenge);
	copy_string(s.contest, sizeof(s.contest), admin_opt.contest ? admin_opt.contest : "");
	copy_string(s.url, sizeof(s.url), admin_opt.url);
	for (uint64_t i = 0; i < n && code == EXIT_OK; i++) {
		(void)snprintf(s.id, sizeof(s.id), "load-%016" PRIx64 "-%" PRIu64, round, i + 1);
		(void)snprintf(s.student, sizeof(s.student), "student-%" PRIu64, i % students + 1);
		code = hand_in(a, &s);
	}
	if (code == EXIT_OK)
		printf("%" PRIu64 " submissions of %" PRIu64 " students handed in within %.1f s: "
		       "load-%016" PRIx64 "-1 and so on\n",
		       n, MIN_OF(n, students), (double)(now_ns() - began) / NSEC_PER_SEC, round);
	return code;
}

int admin_loadgen(struct admin *a, int argc, char **argv)
{
	char *end;
	unsigned long n = strtoul(argv[0], &end, 10);

	if (*end || n < 1 || n > SUBMISSIONS_MAX)
		return usage_error("admin", "loadgen takes a number from 1 to %d", SUBMISSIONS_MAX);
	if (!admin_opt.url || !admin_opt.challenge)
		return usage_error("admin", "loadgen needs --url and --challenge");
	if (strlen(admin_opt.url) > QUEUE_URL_MAX)
		return usage_error("admin", "the URL has more than %d bytes", QUEUE_URL_MAX);
	a->flood = true;
	if (!admin_queue(a))
		return EXIT_INFRASTRUCTURE;
	return run(a, n, admin_opt.students.text ? admin_opt.students.value : STUDENTS);
}
