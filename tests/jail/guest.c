/* SPDX-License-Identifier: MIT */

/* See guest.h. */

#include "guest.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

#define REPORT_FD 200 /* out of the way of what the cases do to small numbers */
#define LONG (60 * NSEC_PER_SEC)

static const struct corner *corner;

/* In a child of the test: cmocka's own assertions would go on with the next test there. */
_Noreturn void guest_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vdprintf(REPORT_FD, fmt, ap);
	va_end(ap);
	_exit(1);
}

int guest_count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

struct sbx_ctx_options guest_options(void)
{
	return corner_options(corner);
}

void guest_plan(struct guest *g, const char *path)
{
	const char *build = getenv("SANDBOX_BUILD");
	struct sbx_policy *p = NULL;
	char usual[512];

	(void)snprintf(usual, sizeof(usual), "%s/policies/exec.json", build ? build : "build");
	WORKS(sbx_policy_load(&p, path ? path : usual, NULL, &g->err));
	WORKS(sbx_policy_compile(p, &g->plan, &g->err));
	sbx_policy_free(p);
}

int guest_jail(struct guest *g, struct sbx_jail **ret)
{
	struct sbx_mount probe = { .size = sizeof(probe),
				   .type = SBX_MOUNT_BIND,
				   .source = getenv("SANDBOX_PROBE"),
				   .target = "/probe" };
	struct sbx_jail_options o = { .size = sizeof(o), .mounts = &probe, .n_mounts = 1 };

	return sbx_jail_new(g->ctx, g->plan, ret, &o, &g->err);
}

void guest_open(struct guest *g)
{
	struct sbx_ctx_options o = guest_options();

	*g = (struct guest){ .fds_before = guest_count_fds() };
	guest_plan(g, NULL);
	WORKS(sbx_ctx_new(&g->ctx, &o, &g->err));
	g->fds_ctx = guest_count_fds();
	WORKS(guest_jail(g, &g->jail));
	g->fds_jail = guest_count_fds();
}

/* The cases close the small numbers: what the test itself opens must not hide that. */
static void pipe_above_stdio(int ret[2])
{
	int ends[2], i;

	NEED(pipe2(ends, O_CLOEXEC) == 0);
	for (i = 0; i < 2; i++)
		ret[i] = fcntl(ends[i], F_DUPFD_CLOEXEC, 10);
	(void)close(ends[0]);
	(void)close(ends[1]);
	NEED(ret[0] >= 10 && ret[1] >= 10);
}

int guest_probe(struct guest *g, const char *name, const char *argument)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_proc *p = NULL;

	WORKS(sbx_jail_exec(g->jail, &p, &e, &g->err));
	WORKS(sbx_proc_wait(p, LONG, &r, &g->err));
	sbx_proc_free(p);
	if (r.verdict != SBX_VERDICT_EXITED)
		guest_complain("%s %s: verdict %d, signal %d", name, argument, r.verdict,
			       r.term_signal);
	return r.exit_code;
}

/* A word goes in and comes back; the library copies the output. */
void guest_echo(struct guest *g)
{
	const char *argv[] = { "/probe", "echo", NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDIN | SBX_EXEC_STDOUT,
			      .argv = argv,
			      .stdout_limit = 65536 };
	struct sbx_result r = { .size = sizeof(r) };
	struct sbx_proc *p = NULL;
	int in[2], out[2];
	char word[8] = "";

	pipe_above_stdio(in);
	pipe_above_stdio(out);
	e.stdin_fd = in[0];
	e.stdout_fd = out[1];
	WORKS(sbx_jail_exec(g->jail, &p, &e, &g->err));
	NEED(write(in[1], "a word", 6) == 6);
	(void)close(in[0]);
	(void)close(in[1]);
	WORKS(sbx_proc_wait(p, LONG, &r, &g->err));
	sbx_proc_free(p);
	(void)close(out[1]);
	NEED(read(out[0], word, sizeof(word)) == 6 && streq(word, "a word"));
	(void)close(out[0]);
	NEED(r.verdict == SBX_VERDICT_EXITED && r.exit_code == 0);
}

/* A server that runs until the end, a connection to it, and a relay. */
void guest_serve(struct guest *g)
{
	const char *argv[] = { "/probe", "answer", "8000", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv };
	struct sbx_forward f = { .size = sizeof(f), .port = 9000, .unix_path = "/no/such/socket" };
	int fd;

	WORKS(sbx_jail_exec(g->jail, &g->server, &e, &g->err));
	WORKS(sbx_jail_wait_listening(g->jail, 8000, LONG, g->server, &g->err));
	WORKS(fd = sbx_jail_connect(g->jail, 8000, LONG, &g->err));
	(void)close(fd);
	WORKS(sbx_jail_forward(g->jail, &f, &g->err));
}

void guest_close(struct guest *g)
{
	sbx_proc_free(g->server);
	sbx_jail_free(g->jail);
	sbx_ctx_free(g->ctx);
	sbx_plan_unref(g->plan);
}

/* What the caller's printf(3) writes to must not be ours because the number was free. */
static void need_no_stdio(const bool open_before[3])
{
	char path[32], target[256];
	ssize_t n;
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = open_before[fd] ? -1 : readlink(path, target, sizeof(target));
		if (n >= 0)
			guest_complain("the library keeps %.*s at number %d", (int)n, target, fd);
	}
}

/* A thread that was joined may be counted a moment longer: it gives up its id before it is gone. */
void guest_need_same(const struct snapshot *before, unsigned int flags, const char *when)
{
	struct snapshot after;
	char text[1024];
	bool differs;
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		NEED(snapshot_take(&after, flags));
		differs = snapshot_differs(before, &after, text, sizeof(text));
		snapshot_done(&after);
		if (!differs)
			return;
		if (!strstr(text, "Threads:"))
			break;
		(void)poll(NULL, 0, 1);
	}
	guest_complain("%s: %s", when, text);
}

void guest_life(void)
{
	bool open_before[3];
	struct snapshot all, owned;
	struct guest guest, *g = &guest;
	int fd;

	for (fd = 0; fd <= 2; fd++)
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	NEED(snapshot_take(&owned, SNAPSHOT_OWNED));
	NEED(snapshot_take(&all, 0));
	guest_open(g);
	need_no_stdio(open_before);
	guest_echo(g);
	guest_serve(g);
	need_no_stdio(open_before);
	guest_need_same(&owned, SNAPSHOT_OWNED, "while a jail lives");
	guest_close(g);
	guest_need_same(&all, 0, "afterwards");
	snapshot_done(&all);
	snapshot_done(&owned);
}

void guest_close_fds(void)
{
	NEED(close_range(3, REPORT_FD - 1, 0) == 0 && close_range(REPORT_FD + 1, ~0u, 0) == 0);
}

/* --------------------------------------------------------------------- in the parent */

/* Runs `body` in a child with a copy of everything, and reaps what it leaves. */
static void run_child(void (*body)(void))
{
	char text[1536] = "";
	int ends[2], status = -1;
	struct pollfd p = { .events = POLLIN };
	ssize_t n = 0;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (dup3(ends[1], REPORT_FD, O_CLOEXEC) != REPORT_FD)
			_exit(2);
		(void)close(ends[0]);
		(void)close(ends[1]);
		body();
		_exit(0);
	}
	(void)close(ends[1]);
	p.fd = ends[0];
	if (poll(&p, 1, 120000) == 1)
		n = read(ends[0], text, sizeof(text) - 1);
	else
		(void)snprintf(text, sizeof(text), "it hangs");
	(void)close(ends[0]);
	if (n <= 0 && text[0])
		(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	corner_settle(0);
	if (text[0] || status)
		fail_msg("%s (status %#x)", text, (unsigned int)status);
}

void guest_run(struct corner *c, void (*body)(void))
{
	struct traces before;

	corner = c;
	corner_sweep(c);
	before = corner_look(c);
	run_child(body);
	corner_sweep(c);
	corner_assert_same(before, corner_look(c));
}
