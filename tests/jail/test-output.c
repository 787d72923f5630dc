/* SPDX-License-Identifier: MIT */

/*
 * Output that the library copies, to destinations of all kinds: what arrives is what was written,
 * and no reader, however slow, and no process, however long it lives, holds the caller up for ever.
 */

#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define KIB 300 /* more than a pipe, a socket and the library's ring hold together */

struct reader {
	pthread_t thread;
	int fd;
	size_t bytes;
	bool in_order;
};

/* "xxx...x\n" lines of 1,024 bytes, read in small pieces, with a rest now and then. */
static void *read_slowly(void *data)
{
	struct reader *r = data;
	char buf[700];
	ssize_t n, i;

	r->in_order = true;
	while ((n = read(r->fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			r->in_order &= buf[i] ==
				       ((r->bytes + (size_t)i) % 1024 == 1023 ? '\n' : 'x');
		r->bytes += (size_t)n;
		if (r->bytes / 700 % 40 == 0)
			(void)poll(NULL, 0, 1);
	}
	return NULL;
}

static struct sbx_proc *start(struct sbx_jail *j, const char *name, const char *argument, int fd,
			      uint64_t limit)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDOUT,
			      .argv = argv,
			      .stdout_fd = fd,
			      .stdout_limit = limit };
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return p;
}

static struct sbx_result finish(struct sbx_proc *p)
{
	struct sbx_result r = { .size = sizeof(r) };

	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	sbx_proc_free(p);
	return r;
}

/* All of it arrives, in order, at the other end of `write_end`. */
static void copy_to(int write_end, int read_end)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct reader reader = { .fd = read_end };
	struct sbx_proc *p = start(j, "output", "300", write_end, 1 << 20);
	struct sbx_result r;

	(void)close(write_end);
	assert_int_equal(pthread_create(&reader.thread, NULL, read_slowly, &reader), 0);
	r = finish(p);
	assert_int_equal(pthread_join(reader.thread, NULL), 0);
	(void)close(read_end);
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.exit_code, 0);
	assert_int_equal(r.stdout_bytes, KIB * 1024);
	assert_int_equal(reader.bytes, KIB * 1024);
	assert_true(reader.in_order);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_to_a_pipe(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	copy_to(ends[1], ends[0]);
}

static void test_to_a_pipe_that_does_not_block(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	copy_to(ends[1], ends[0]);
}

static void to_a_socket(int flags)
{
	int ends[2], size = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0, ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	copy_to(ends[1], ends[0]);
}

static void test_to_a_socket(void **state)
{
	to_a_socket(0);
}

static void test_to_a_socket_that_does_not_block(void **state)
{
	to_a_socket(SOCK_NONBLOCK);
}

/*
 * A reader that never reads: a blocking write would never return. The program can end, as the
 * library has room for all that is left; after some seconds the rest is given up.
 */
static void test_a_reader_that_has_stopped(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_result r;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	r = finish(start(j, "output", "120", ends[1], 80000));
	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	(void)close(ends[0]);
	(void)close(ends[1]);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* The program ends, its child goes on writing: the end of the program is the end of the copying. */
static void test_a_child_that_writes_for_ever(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct sbx_result r = finish(start(j, "flood", "", fd, 1 << 20));

	assert_int_equal(r.verdict, SBX_VERDICT_EXITED);
	assert_int_equal(r.exit_code, 0);
	(void)close(fd);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* The caller gets no SIGPIPE, the program does. */
static void test_a_reader_that_is_gone(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_result r;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[0]);
	r = finish(start(j, "output", "10000", ends[1], 64 << 20));
	assert_int_equal(r.verdict, SBX_VERDICT_SIGNALED);
	assert_int_equal(r.term_signal, SIGPIPE);
	(void)close(ends[1]);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/*
 * The caller forks while a program runs, and the copy has all his descriptors: what the library has
 * closed does not keep its set readable, so that who waits there would spin.
 */
static void test_beside_a_forked_copy(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), i = 0;
	struct sbx_proc *p = start(j, "mute", NULL, null, 1 << 20);
	struct pollfd set = { .fd = sbx_proc_pollfd(p), .events = POLLIN };
	pid_t copy = fork();

	assert_true(copy >= 0);
	if (copy == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (copy == 0)
		(void)pause();
	assert_int_equal(poll(&set, 1, -1), 1);
	do
		assert_int_equal(sbx_proc_dispatch(p, NULL), 0);
	while (poll(&set, 1, 0) == 1 && ++i < 1000);
	assert_int_equal(sbx_proc_kill(p, SIGKILL, NULL), 0);
	assert_int_equal(finish(p).verdict, SBX_VERDICT_KILLED);
	assert_int_equal(kill(copy, SIGKILL), 0);
	assert_int_equal(waitpid(copy, NULL, 0), copy);
	assert_in_range(i, 0, 999);
	(void)close(null);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_to_a_pipe),
		FIXTURE_TEST(test_to_a_pipe_that_does_not_block),
		FIXTURE_TEST(test_to_a_socket),
		FIXTURE_TEST(test_to_a_socket_that_does_not_block),
		FIXTURE_TEST(test_a_reader_that_has_stopped),
		FIXTURE_TEST(test_a_child_that_writes_for_ever),
		FIXTURE_TEST(test_a_reader_that_is_gone),
		FIXTURE_TEST(test_beside_a_forked_copy),
	};

	return fixture_run("output", tests, ARRAY_SIZE(tests));
}
