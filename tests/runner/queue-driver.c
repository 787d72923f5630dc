/* SPDX-License-Identifier: MIT */

/*
 * One operation of the queue for a shell: the word of what became of it, or the error as
 * "EAGAIN: sentence". SANDBOX_TEST_REDIS is the URL.
 *
 * Usage: queue-driver enqueue ID STUDENT | judge | requires | intake LIST | twice ID
 *   twice: enqueues, says so, waits for a line on standard input, enqueues again on the same connection
 */

#include <signal.h>

#include "fleet/queue/queue.h"
#include "util/util.h"

static struct sbx_error err;

static const char *name_of(int code)
{
	return code == -EAGAIN   ? "EAGAIN"
	       : code == -EACCES ? "EACCES"
	       : code == -EPROTO ? "EPROTO"
	       : code == -EINVAL ? "EINVAL"
				 : "another error";
}

static int say(int r, const char *const *words)
{
	if (r < 0)
		printf("%s: %s\n", name_of(r), err.text);
	else if (words)
		printf("%s\n", words[r]);
	else
		printf("%d\n", r);
	(void)fflush(stdout);
	return r < 0;
}

static int enqueue(struct queue *q, const char *id, const char *student)
{
	static const char *const words[] = { "accepted", "duplicate", "full", "student-full" };
	struct queue_submission s = { .priority = QUEUE_PRACTICE, .challenge = "ch", .url = "u" };
	struct queue_place place;

	copy_string(s.id, sizeof(s.id), id);
	copy_string(s.student, sizeof(s.student), student);
	return say(queue_enqueue(q, &s, &place, &err), words);
}

static int twice(struct queue *q, const char *id)
{
	char line[16];
	int r = enqueue(q, id, id);

	if (!fgets(line, sizeof(line), stdin))
		return 1;
	return enqueue(q, id, id) || r;
}

static int judge(struct queue *q)
{
	static const char *const words[] = { "committed", "already", "fenced" };
	const struct contest contest = { .rules = CONTEST_NONE };
	const struct queue_result result = { .verdict = "AC" };
	struct queue_job job;
	uint64_t receivers;
	int r = queue_claim(q, "driver", 0, &job, &err);

	if (r <= 0)
		return say(r, NULL);
	return say(queue_commit(q, &job, &contest, &result, &receivers, &err), words);
}

static int requires(struct queue *q)
{
	struct queue_finding list[QUEUE_FINDINGS_MAX];
	int n = queue_requires(q, list, &err);

	for (int i = 0; i < n; i++)
		printf("%s: %s\n", list[i].fatal ? "fatal" : "note", list[i].text);
	return say(n, NULL);
}

int main(int argc, char **argv)
{
	struct queue_options o = { .url = getenv("SANDBOX_TEST_REDIS"),
				   .command_timeout_ns = 2 * NSEC_PER_SEC };
	struct queue *q;
	int r;

	if (argc < 2 || !o.url)
		return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	r = queue_open(&q, &o, &err);
	if (r < 0)
		return say(r, NULL);
	if (streq(argv[1], "enqueue") && argc == 4)
		r = enqueue(q, argv[2], argv[3]);
	else if (streq(argv[1], "twice") && argc == 3)
		r = twice(q, argv[2]);
	else if (streq(argv[1], "judge"))
		r = judge(q);
	else if (streq(argv[1], "requires"))
	r = requires(q);
	else if (streq(argv[1], "intake") && argc == 3)
		r = say(queue_intake(q, argv[2], NULL, NULL, &err), NULL);
	else r = 2;
	queue_free(q);
	return r;
}
