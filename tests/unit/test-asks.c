/* SPDX-License-Identifier: MIT */

/*
 * The host's side of what tests ask for, with a tester that was taken over: it gets what the
 * challenge allows, once, and anything else ends the job. Jails and processes are made up here.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>

#include "pipeline/test-asks.h"
#include "util/util.h"

/* What the made-up host does. */
static struct {
	int exec, ready, started; /* results */
	unsigned int execs, kills, statements, starts, undos;
	bool stays; /* the server does not die */
	const char *sql;
	enum verdict verdict;
} host;

int sbx_jail_exec(struct sbx_jail *j, struct sbx_proc **ret, const struct sbx_exec *e, struct sbx_error *err)
{
	host.execs++;
	host.kills += streq(e->argv[1], "killall");
	copy_string(err->stage, sizeof(err->stage), host.exec < 0 ? "fork" : "");
	return host.exec;
}

struct sbx_proc *sbx_proc_free(struct sbx_proc *p)
{
	return NULL;
}

int sbx_jail_listening(struct sbx_jail *j, uint16_t port, struct sbx_error *err)
{
	return 0;
}

int sbx_jail_stats(struct sbx_jail *j, struct sbx_stats *ret, struct sbx_error *err)
{
	ret->memory_now = 100;
	ret->disk_used = 30;
	return 0;
}

int job_wait(struct job *job, struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret)
{
	return 0;
}

int job_attend(struct job *job, struct sbx_proc *p, int fd, short events, uint64_t timeout_ns)
{
	job->server_ended = !host.stays;
	return host.stays ? -EINTR : 1;
}

int job_fail(struct job *job, int code, const char *stage, const char *fmt, ...)
{
	return code;
}

int job_push_undo(struct job *job, void (*run)(void *data), void *data)
{
	host.undos++;
	return 0;
}

int server_exec(struct job *job)
{
	host.starts++;
	assert_null(job->server);
	assert_false(job->server_ended);
	return host.started;
}

int stage_ready(struct job *job)
{
	if (host.ready > 0) {
		job->verdict = host.verdict;
		copy_string(job->reason, sizeof(job->reason), "it is gone\033[2J");
		job->server_ended = true;
	}
	return host.ready;
}

int ask_sql(struct job *job, const char *sql, struct hurl_answer *ret)
{
	host.statements++;
	host.sql = sql;
	ret->status = HURL_ANSWER_NULL;
	return 0;
}

static struct challenge_ask asks[] = {
	{ .kind = HURL_ASK_RESTART },
	{ .kind = HURL_ASK_SQL, .sql = (char *)"SELECT 1" },
	{ .kind = HURL_ASK_MEMORY },
};
static struct challenge challenge = { .asks = asks, .n_asks = ARRAY_SIZE(asks), .port = 8000 };

struct fixture {
	struct job job;
	struct tester tester;
	int theirs;
};

static void setup(struct fixture *f)
{
	int ends[2];

	memset(&host, 0, sizeof(host));
	*f = (struct fixture){ .job = JOB_NULL };
	f->job.challenge = &challenge;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	f->tester.asks = ends[0];
	f->theirs = ends[1];
}

static void done(struct fixture *f)
{
	free(f->job.asked);
	(void)close(f->tester.asks);
	(void)close(f->theirs);
}

static int ask_bytes(struct fixture *f, const void *bytes, size_t n)
{
	assert_int_equal(send(f->theirs, bytes, n, 0), n);
	return hurl_asked(&f->job, &f->tester);
}

static int ask(struct fixture *f, uint32_t index, struct hurl_answer *ret)
{
	int r = ask_bytes(f, &index, sizeof(index));

	if (r == 0)
		assert_int_equal(recv(f->theirs, ret, sizeof(*ret), MSG_DONTWAIT), sizeof(*ret));
	return r;
}

static void test_answers(void **state)
{
	struct hurl_answer a;
	struct fixture f;

	setup(&f);
	assert_int_equal(hurl_asked(&f.job, &f.tester), 0); /* nothing was asked */
	assert_int_equal(ask(&f, 2, &a), 0);
	assert_int_equal(a.status, HURL_ANSWER_DONE);
	assert_int_equal(a.number, 70);
	assert_int_equal(ask(&f, 1, &a), 0);
	assert_int_equal(a.status, HURL_ANSWER_NULL);
	assert_string_equal(host.sql, "SELECT 1");
	assert_int_equal(ask(&f, 0, &a), 0);
	assert_int_equal(a.status, HURL_ANSWER_DONE);
	assert_int_equal(host.kills, 1);
	assert_int_equal(host.starts, 1);
	assert_int_equal(host.undos, 1);
	done(&f);
}

static void test_taken_over(void **state)
{
	static const uint32_t indexes[] = { 3, 1000, UINT32_MAX };
	uint32_t twice[2] = { 0 };
	struct hurl_answer a;
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
		setup(&f);
		assert_int_equal(ask(&f, indexes[i], &a), -EBADMSG);
		assert_int_equal(host.execs, 0);
		done(&f);
	}
	setup(&f);
	assert_int_equal(ask_bytes(&f, "abc", 3), -EBADMSG);
	assert_int_equal(ask_bytes(&f, twice, sizeof(twice)), -EBADMSG);
	assert_int_equal(ask(&f, 1, &a), 0);
	assert_int_equal(ask(&f, 1, &a), -EBADMSG);
	assert_int_equal(host.statements, 1);
	(void)shutdown(f.theirs, SHUT_RDWR);
	assert_int_equal(hurl_asked(&f.job, &f.tester), 0);
	done(&f);
}

static void test_restart_fails(void **state)
{
	static const enum verdict verdicts[] = { VERDICT_BOOT, VERDICT_MLE };
	struct hurl_answer a;
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		setup(&f);
		host.ready = 1;
		host.verdict = verdicts[i];
		assert_int_equal(ask(&f, 0, &a), 0);
		assert_int_equal(a.status, HURL_ANSWER_GONE);
		assert_true(starts_with(a.text, "after the restart: it is gone"));
		assert_null(strchr(a.text, '\033'));
		/* a limit decides as ever; otherwise the tests do */
		assert_int_equal(f.job.verdict, i == 0 ? VERDICT_NONE : VERDICT_MLE);
		assert_false(f.job.server_ended);
		done(&f);
	}
	setup(&f);
	host.exec = -EAGAIN;
	assert_int_equal(ask(&f, 0, &a), 0);
	assert_int_equal(a.status, HURL_ANSWER_FAILED);
	assert_int_equal(host.starts, 0);
	done(&f);
	setup(&f); /* Ctrl-C meanwhile */
	host.stays = true;
	assert_int_equal(ask(&f, 0, &a), -EINTR);
	done(&f);
	setup(&f);
	host.ready = -EIO;
	assert_int_equal(ask(&f, 0, &a), -EIO);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_restart_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
