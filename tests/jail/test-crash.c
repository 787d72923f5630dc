/* SPDX-License-Identifier: MIT */

/*
 * kill -9 of whoever takes part, at any point: the caller, a jail's init, a relay, the holder of an
 * unprivileged caller. Processes, mounts and namespaces are gone at once, groups, leases and owner
 * files with the next ctx of anybody; and a peer that lives through all of it is never touched.
 *
 * Victims are children of the test, which inherits what they leave (corner.h). Where a moment is
 * drawn by lot the seed is printed; SANDBOX_SEED repeats it.
 */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define JAILS_FOR_A_KILL 10
#define LONG (60 * NSEC_PER_SEC)

static struct corner corner;
static struct sbx_plan *plan;
static uint64_t seed;
static int kills = 100;

/* -------------------------------------------------------------------------- a life */

/* Everything that a caller may have when it is killed. */
struct life {
	struct sbx_ctx *ctx;
	struct sbx_group *group;
	struct sbx_pool *pool;
	struct sbx_jail *jail, *joined, *pooled;
	struct sbx_proc *server;
	struct sbx_error err;
};

static const struct sbx_mount *probe_mount(void)
{
	static struct sbx_mount m = { .size = sizeof(m),
				      .type = SBX_MOUNT_BIND,
				      .target = "/probe" };

	m.source = getenv("SANDBOX_PROBE");
	return &m;
}

static int make_ctx(struct life *l)
{
	struct sbx_ctx_options o = corner_options(&corner);

	return sbx_ctx_new(&l->ctx, &o, &l->err);
}

static int make_group(struct life *l)
{
	struct sbx_group_options o = { .size = sizeof(o), .memory = 1ull << 30, .pids = 200 };

	return sbx_group_new(l->ctx, &l->group, &o, &l->err);
}

static int make_jail(struct life *l)
{
	struct sbx_jail_options o = {
		.size = sizeof(o), .group = l->group, .mounts = probe_mount(), .n_mounts = 1
	};

	return sbx_jail_new(l->ctx, plan, &l->jail, &o, &l->err);
}

static int start_server(struct life *l)
{
	const char *argv[] = { "/probe", "answer", "8000", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };

	return sbx_jail_exec(l->jail, &l->server, &e, &l->err);
}

static int await_server(struct life *l)
{
	return sbx_jail_wait_listening(l->jail, 8000, LONG, l->server, &l->err);
}

static int start_relay(struct life *l)
{
	struct sbx_forward f = { .size = sizeof(f), .port = 9000, .unix_path = "/no/such/socket" };

	return sbx_jail_forward(l->jail, &f, &l->err);
}

static int make_joined(struct life *l)
{
	struct sbx_jail_options o = { .size = sizeof(o),
				      .netns_of = l->jail,
				      .group = l->group,
				      .mounts = probe_mount(),
				      .n_mounts = 1 };

	return sbx_jail_new(l->ctx, plan, &l->joined, &o, &l->err);
}

static int run_program(struct life *l, const char *name, const char *argument)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_proc *p = NULL;
	int r = sbx_jail_exec(l->jail, &p, &e, &l->err);

	if (r >= 0)
		r = sbx_proc_wait(p, LONG, NULL, &l->err);
	sbx_proc_free(p);
	return r;
}

static int run_orphans(struct life *l)
{
	return run_program(l, "orphans", "3");
}

static int fill_pool(struct life *l)
{
	struct sbx_group_options group = { .size = sizeof(group), .pids = 100 };
	struct sbx_pool_options o = { .size = sizeof(o), .jails = 2, .group = &group };
	int r = sbx_pool_new(l->ctx, plan, &l->pool, &o, &l->err);

	return r < 0 ? r : sbx_pool_fill(l->pool, 0, &l->err);
}

static int take_from_pool(struct life *l)
{
	return sbx_pool_take(l->pool, &l->pooled, NULL, &l->err);
}

static int end_jails(struct life *l)
{
	l->server = sbx_proc_free(l->server);
	l->joined = sbx_jail_free(l->joined);
	l->jail = sbx_jail_free(l->jail);
	return 0;
}

static int end_rest(struct life *l)
{
	l->pooled = sbx_jail_free(l->pooled);
	l->pool = sbx_pool_free(l->pool);
	l->group = sbx_group_free(l->group);
	l->ctx = sbx_ctx_free(l->ctx);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct life *l);
} steps[] = {
	{ "sbx_ctx_new", make_ctx },        { "sbx_group_new", make_group },
	{ "sbx_jail_new", make_jail },      { "sbx_jail_exec", start_server },
	{ "wait_listening", await_server }, { "sbx_jail_forward", start_relay },
	{ "a joined jail", make_joined },   { "orphans", run_orphans },
	{ "sbx_pool_fill", fill_pool },     { "sbx_pool_take", take_from_pool },
	{ "sbx_jail_free", end_jails },     { "sbx_ctx_free", end_rest },
};

/* In a child. A step that fails ends it with a word, unless failures are expected. */
static bool lead_life(struct life *l, size_t n, bool may_fail)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r >= 0; i++)
		r = steps[i].run(l);
	if (r >= 0)
		return true;
	if (!may_fail) {
		(void)fprintf(stderr, "# %s: %s\n", steps[i - 1].name, fixture_error(&l->err));
		_exit(1);
	}
	(void)end_jails(l);
	(void)end_rest(l);
	return false;
}

/* ------------------------------------------------------------------------- children */

/* A child with one end of a socket pair; `ret` gets the other. */
static pid_t start_child(void (*body)(int fd, size_t argument), size_t argument, int *ret)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ends[0]);
		body(ends[1], argument);
		_exit(0);
	}
	(void)close(ends[1]);
	*ret = ends[0];
	return pid;
}

static void end_child(pid_t pid, int fd)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
}

static void need_byte(int fd, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&p, 1, 120000) != 1 || read(fd, &byte, 1) != 1)
		fail_msg("%s: no sign of life", what);
}

/* Goes as far as `n` steps, says so and waits for its end. */
static void stop_after(int fd, size_t n)
{
	struct life l = { 0 };

	(void)lead_life(&l, n, false);
	(void)!write(fd, "", 1);
	for (;;)
		(void)pause();
}

static void live_on_and_on(int fd, size_t unused)
{
	struct life l = { 0 };

	(void)!write(fd, "", 1);
	for (;;)
		(void)lead_life(&l, ARRAY_SIZE(steps), false);
}

/* Has a jail with a program; for each byte that comes says whether both are as they were. */
static void be_a_peer(int fd, size_t unused)
{
	struct life l = { 0 };
	char byte;

	(void)lead_life(&l, 6, false);
	(void)!write(fd, "", 1);
	while (read(fd, &byte, 1) == 1) {
		struct sbx_stats s = { .size = sizeof(s) };

		if (sbx_proc_dispatch(l.server, NULL) != 0 ||
		    sbx_jail_stats(l.jail, &s, NULL) != 0 ||
		    sbx_jail_listening(l.jail, 8000, NULL) != 1 ||
		    sbx_jail_listening(l.jail, 9000, NULL) != 1 ||
		    run_program(&l, "memory", "1") < 0)
			_exit(1);
		(void)!write(fd, "", 1);
	}
	(void)end_jails(&l);
	(void)end_rest(&l);
}

struct peer {
	pid_t pid;
	int fd;
};

static struct peer start_peer(void)
{
	struct peer p;

	p.pid = start_child(be_a_peer, 0, &p.fd);
	need_byte(p.fd, "the peer");
	return p;
}

static void ask_peer(const struct peer *p)
{
	assert_int_equal(write(p->fd, "", 1), 1);
	need_byte(p->fd, "the peer's jail");
}

static void end_peer(struct peer *p)
{
	int status = -1;

	ask_peer(p);
	(void)close(p->fd);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_int_equal(status, 0);
}

/* ----------------------------------------------------------------------------- tests */

static void test_callers_killed_after_each_call(void **state)
{
	struct peer peer = start_peer();
	struct traces before = corner_look(&corner);
	size_t i;
	pid_t pid;
	int fd;

	for (i = 0; i <= ARRAY_SIZE(steps); i++) {
		pid = start_child(stop_after, i, &fd);
		need_byte(fd, i ? steps[i - 1].name : "start");
		end_child(pid, fd);
		corner_settle(before.descendants);
		corner_sweep(&corner);
		corner_assert_same(before, corner_look(&corner));
	}
	end_peer(&peer);
}

/* No sweep in between but those of the next victims, which are killed in theirs, too. */
static void test_callers_killed_at_any_moment(void **state)
{
	struct peer peer = start_peer();
	struct traces before = corner_look(&corner);
	struct timespec pause = { 0 };
	int fds[2], i, v;
	pid_t pids[2];

	for (i = 0; i < kills; i += 2) {
		for (v = 0; v < 2; v++) {
			pids[v] = start_child(live_on_and_on, 0, &fds[v]);
			need_byte(fds[v], "a victim");
		}
		for (v = 0; v < 2; v++) {
			pause.tv_nsec = corner_random(&seed, 20000000);
			(void)nanosleep(&pause, NULL);
			end_child(pids[v], fds[v]);
		}
	}
	corner_settle(before.descendants);
	ask_peer(&peer);
	corner_sweep(&corner);
	corner_assert_same(before, corner_look(&corner));
	end_peer(&peer);
}

static int count_fds(void)
{
	return corner_look(&corner).fds;
}

/* Until the other end closes; what is taken from it are errors, and then all must work again. */
static void bear_losses(int fd, size_t unused)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct life l = { 0 };
	int fds = count_fds();

	do {
		(void)lead_life(&l, ARRAY_SIZE(steps), true);
		l = (struct life){ 0 };
		(void)!write(fd, "", 1);
	} while (poll(&p, 1, 0) == 0);
	(void)lead_life(&l, ARRAY_SIZE(steps), false);
	_exit(count_fds() == fds ? 0 : 2);
}

/* By a pidfd that was looked at again: the number may be somebody else's by now. */
static bool kill_descendant(pid_t of, pid_t pid)
{
	struct process list[64];
	int i, n, fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool found = false;

	n = MIN_OF(corner_descendants(of, list, ARRAY_SIZE(list)), (int)ARRAY_SIZE(list));
	for (i = 0; fd >= 0 && i < n; i++)
		found |= list[i].pid == pid;
	if (found)
		found = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	close_fd(fd);
	return found;
}

/* Init of any jail, relay, holder, jailed program, or a child that has not executed yet. */
static void test_anything_killed_below_a_caller(void **state)
{
	struct traces before = corner_look(&corner);
	struct timespec pause = { 0 };
	struct process list[64];
	int fd, i, n, status = -1;
	pid_t pid = start_child(bear_losses, 0, &fd);

	need_byte(fd, "the caller");
	for (i = 0; i < kills;) {
		pause.tv_nsec = corner_random(&seed, 3000000);
		(void)nanosleep(&pause, NULL);
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		n = MIN_OF(corner_descendants(pid, list, ARRAY_SIZE(list)), (int)ARRAY_SIZE(list));
		if (n && kill_descendant(pid, list[corner_random(&seed, (uint32_t)n)].pid))
			i++;
	}
	(void)shutdown(fd, SHUT_WR);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(fd);
	assert_int_equal(status, 0);
	corner_settle(before.descendants);
	corner_assert_same(before, corner_look(&corner));
}

/* The program is lost, not the caller; what comes after has a holder again. */
static void test_a_killed_holder(void **state)
{
	struct sbx_ctx_options o = corner_options(&corner);
	struct traces before = corner_look(&corner);
	struct sbx_result r = { .size = sizeof(r) };
	struct life l = { 0 };

	o.flags |= SBX_CTX_UNPRIVILEGED;
	o.allow_unenforced = ~0u >> 27;
	if (sbx_ctx_new(&l.ctx, &o, &l.err) < 0 || make_jail(&l) < 0 || start_server(&l) < 0)
		fail_msg("%s", fixture_error(&l.err));
	assert_true(kill_descendant(getpid(), corner_find(getpid(), "sandbox-holder")));
	assert_int_equal(sbx_proc_wait(l.server, LONG, &r, NULL), 0);
	assert_int_equal(r.verdict, SBX_VERDICT_LOST);
	assert_true(run_orphans(&l) < 0);
	(void)end_jails(&l);
	if (make_jail(&l) < 0 || start_server(&l) < 0 || await_server(&l) < 0)
		fail_msg("%s", fixture_error(&l.err));
	(void)end_jails(&l);
	(void)end_rest(&l);
	corner_assert_same(before, corner_look(&corner));
}

static void test_a_thousand_jails_and_a_hundred_kills(void **state)
{
	struct traces before = corner_look(&corner);
	struct timespec pause = { 0 };
	struct life l = { 0 };
	pid_t pid = 0;
	int i, fd = -1;

	assert_int_equal(make_ctx(&l), 0);
	for (i = 0; i < kills * JAILS_FOR_A_KILL; i++) {
		if (i % JAILS_FOR_A_KILL == 0)
			pid = start_child(live_on_and_on, 0, &fd);
		if (make_jail(&l) < 0 || run_orphans(&l) < 0)
			fail_msg("%s", fixture_error(&l.err));
		l.jail = sbx_jail_free(l.jail);
		if (i % JAILS_FOR_A_KILL == JAILS_FOR_A_KILL - 1) {
			pause.tv_nsec = corner_random(&seed, 5000000);
			(void)nanosleep(&pause, NULL);
			end_child(pid, fd);
		}
	}
	(void)end_rest(&l);
	corner_settle(before.descendants);
	corner_sweep(&corner);
	corner_assert_same(before, corner_look(&corner));
}

static int setup(void **state)
{
	corner_init(&corner);
	seed = corner_seed();
	kills = corner_times(kills);
	plan = fixture_plan("exec", NULL);
	corner_sweep(&corner);
	return 0;
}

static int teardown(void **state)
{
	sbx_plan_unref(plan);
	corner_done(&corner);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callers_killed_after_each_call),
		cmocka_unit_test(test_callers_killed_at_any_moment),
		cmocka_unit_test(test_anything_killed_below_a_caller),
		cmocka_unit_test(test_a_killed_holder),
		cmocka_unit_test(test_a_thousand_jails_and_a_hundred_kills),
	};

	return cmocka_run_group_tests_name("crash", tests, setup, teardown);
}
