/* SPDX-License-Identifier: MIT */

/*
 * The host's side of what tests ask for. The tester has eaten what a hostile server sent: an index
 * is all that it can say, each is answered once, and anything else ends the job as our failure.
 *
 * A restart ends all processes of the app's jail; the jail stays, with its files and its network,
 * and so does the database. A server that does not come back is a fact for the tests, not the end
 * of them: the tester fails this case and the rest. Limits that the server meets meanwhile decide
 * the verdict as ever.
 */

#include "pipeline/test-asks.h"

#include <stdarg.h>
#include <sys/socket.h>

#include "pipeline/clean.h"
#include "util/util.h"

#define STOP_TIMEOUT (5 * NSEC_PER_SEC)
#define LOOK (2 * NSEC_PER_MSEC)

void ask_failed(struct hurl_answer *a, enum hurl_answer_status status, const char *fmt, ...)
{
	_cleanup_free_ char *clean = NULL;
	char text[sizeof(a->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean = clean_text(text, strlen(text), sizeof(a->text) - 4);
	copy_string(a->text, sizeof(a->text), clean ? clean : "");
	a->len = (uint32_t)strlen(a->text);
	a->status = status;
}

/* The server's own port: the challenge's may be that of a relay, which stays. */
static uint16_t server_port(const struct job *job)
{
	return job->server_port ? job->server_port : job->challenge->port;
}

/* The server's end is known, and nobody listens on its port any more. */
static int wait_stopped(struct job *job, struct hurl_answer *ret)
{
	uint64_t deadline = deadline_after(STOP_TIMEOUT);
	int r = 0;

	while (r >= 0 && now_ns() < deadline) {
		if (job->server_ended && sbx_jail_listening(job->app, server_port(job), NULL) <= 0)
			return 0;
		r = job_attend(job, NULL, -1, 0, LOOK);
	}
	if (r < 0)
		return r;
	ask_failed(ret, HURL_ANSWER_FAILED, "the server did not end when it was stopped");
	return 1;
}

static int stop(struct job *job, struct hurl_answer *ret)
{
	struct sbx_result result;
	int r = job_kill_all(job, job->app, KILL_SERVER_WALL, &result);

	if (r > 0)
		ask_failed(ret, HURL_ANSWER_FAILED,
			   "the server cannot be stopped: it has as many processes as it may");
	if (r == 0)
		r = wait_stopped(job, ret);
	if (r != 0)
		return r;
	job->server = sbx_proc_free(job->server);
	job->server_ended = false;
	return 0;
}

/* What would have been the verdict at the first start is here what the failed test says. */
static void gone(struct job *job, struct hurl_answer *ret)
{
	ask_failed(ret, HURL_ANSWER_GONE, "after the restart: %.340s", job->reason);
	if (job->verdict == VERDICT_BOOT) {
		job->verdict = VERDICT_NONE;
		*job->reason = '\0';
	}
	if (job->server_ended)
		job->server = sbx_proc_free(job->server);
	job->server_ended = false;
}

static int restart(struct job *job, struct hurl_answer *ret)
{
	int r = stop(job, ret);

	if (r != 0)
		return MIN_OF(r, 0);
	r = server_exec(job);
	if (r == 0)
		r = stage_ready(job);
	if (r < 0)
		return r;
	if (r > 0)
		gone(job, ret);
	else
		ret->status = HURL_ANSWER_DONE;
	return 0;
}

/* Files in memory are disk to a student, and not counted. */
static void memory(struct job *job, struct hurl_answer *ret)
{
	struct sbx_stats s = { .size = sizeof(s) };

	if (sbx_jail_stats(job->app, &s, NULL) < 0 || s.memory_now == 0) {
		ask_failed(ret, HURL_ANSWER_FAILED, "nothing on this host counts memory");
		return;
	}
	ret->status = HURL_ANSWER_DONE;
	ret->number = s.memory_now > s.disk_used ? s.memory_now - s.disk_used : 0;
}

static int answer(struct job *job, const struct challenge_ask *ask, struct hurl_answer *ret)
{
	switch ((enum hurl_ask_kind)ask->kind) {
	case HURL_ASK_RESTART:
		return restart(job, ret);
	case HURL_ASK_SQL:
		return ask_sql(job, ask->sql, ret);
	case HURL_ASK_MEMORY:
		memory(job, ret);
	}
	return 0;
}

static void undo_asked(void *data)
{
	struct job *job = data;

	free(steal_ptr(job->asked));
}

static int remember(struct job *job, uint32_t index)
{
	if (!job->asked) {
		job->asked = calloc(job->challenge->n_asks, 1);
		if (!job->asked)
			return job_fail(job, -ENOMEM, "tester", "out of memory");
		if (job_push_undo(job, undo_asked, job) < 0)
			return job->error.code;
	}
	if (job->asked[index])
		return job_fail(job, -EBADMSG, "tester", "it asks for the same thing twice");
	job->asked[index] = 1;
	return 0;
}

int hurl_asked(struct job *job, struct tester *t)
{
	struct hurl_answer reply = { .status = HURL_ANSWER_FAILED };
	uint32_t index;
	ssize_t n = recv(t->asks, &index, sizeof(index), MSG_DONTWAIT | MSG_TRUNC);
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* It will not ask any more: the socket would stay readable until its end is seen. */
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		t->asks = close_fd(t->asks);
		return 0;
	}
	if (n != (ssize_t)sizeof(index) || index >= job->challenge->n_asks)
		return job_fail(job, -EBADMSG, "tester",
				"it asks for something that the challenge does not have");
	r = remember(job, index);
	if (r == 0)
		r = answer(job, &job->challenge->asks[index], &reply);
	if (r < 0)
		return r;
	/* A tester that is gone is found out by its missing report. */
	if (send(t->asks, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EPIPE && errno != ECONNRESET)
		return job_fail(job, -errno, "tester", "cannot answer: %m");
	return 0;
}
