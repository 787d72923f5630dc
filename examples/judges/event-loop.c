/* SPDX-License-Identifier: MIT */

/*
 * Many jails in one thread:   event-loop [JAILS]     (50)
 *
 * A server that has an event loop already adds one descriptor for each process, sbx_proc_pollfd(),
 * and calls sbx_proc_dispatch() when it is readable: that moves output, keeps limits, and says when
 * the process has ended, without blocking. Limits are kept by dispatching: a loop that is busy with
 * something else for a second stops a program a second late.
 *
 * What does block is making a jail and starting a program in it, some milliseconds each: a server
 * that cannot wait so long does that in another thread, or ahead of time (sbx_pool_fill()).
 */

#include <errno.h>
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define N_KINDS 5
#define MILLISECOND 1000000ull

struct kind {
	const char *argv[4];
	uint64_t cpu_ns, wall_ns, stdout_limit; /* 0: the policy's */
	int32_t verdict;                        /* how it has to end */
	uint32_t seen;
	uint64_t stdout_bytes;
};

static struct kind kinds[N_KINDS] = {
	{ .argv = { "true" }, .verdict = SBX_VERDICT_EXITED },
	{ .argv = { "seq", "100000" }, .verdict = SBX_VERDICT_EXITED },
	{ .argv = { "yes" }, .stdout_limit = 1 << 20, .verdict = SBX_VERDICT_OUTPUT },
	{ .argv = { "sleep", "infinity" },
	  .wall_ns = 300 * MILLISECOND,
	  .verdict = SBX_VERDICT_WALL },
	{ .argv = { "sha1sum", "/dev/zero" },
	  .cpu_ns = 100 * MILLISECOND,
	  .wall_ns = UINT64_MAX,
	  .verdict = SBX_VERDICT_CPU },
};

struct task {
	struct kind *kind;
	struct sbx_jail *jail;
	struct sbx_proc *proc;
};

static int start(struct task *t, struct sbx_ctx *ctx, struct sbx_plan *plan, int epoll, int null,
		 struct sbx_error *err)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDOUT | SBX_EXEC_OUTPUT_KILL,
			      .argv = t->kind->argv,
			      .env = env,
			      .stdout_fd = null,
			      .stdout_limit = t->kind->stdout_limit,
			      .wall_ns = t->kind->wall_ns,
			      .cpu_ns = t->kind->cpu_ns };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = t };
	int r = sbx_jail_new(ctx, plan, &t->jail, NULL, err);

	if (r >= 0)
		r = sbx_jail_exec(t->jail, &t->proc, &e, err);
	if (r < 0)
		return r;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, sbx_proc_pollfd(t->proc), &event) < 0 ? -errno : 0;
}

/* A process before its jail. Its descriptor leaves the epoll set when the library closes it. */
static void finish(struct task *t)
{
	t->proc = sbx_proc_free(t->proc);
	t->jail = sbx_jail_free(t->jail);
}

/* 1: the task has ended. */
static int attend(struct task *t, struct sbx_error *err)
{
	struct sbx_result result = { .size = sizeof(result) };
	int r = sbx_proc_dispatch(t->proc, err);

	if (r <= 0)
		return r;
	r = sbx_proc_wait(t->proc, 0, &result, err); /* has ended: this only reads the result */
	if (r < 0)
		return r;
	if (result.verdict == t->kind->verdict)
		t->kind->seen++;
	else
		printf("%s: verdict %d\n", t->kind->argv[0], result.verdict);
	t->kind->stdout_bytes += result.stdout_bytes;
	finish(t);
	return 1;
}

static int loop(int epoll, int running, struct sbx_error *err)
{
	struct epoll_event events[16];
	int i, n, r;

	while (running > 0) {
		n = epoll_wait(epoll, events, 16, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n; i++) {
			r = attend(events[i].data.ptr, err);
			if (r < 0)
				return r;
			running -= r;
		}
	}
	return 0;
}

static int make_plan(struct sbx_plan **ret, struct sbx_error *err)
{
	const char *dir = getenv("SANDBOX_POLICY_DIR");
	struct sbx_policy *policy = NULL;
	char path[4096];
	int r;

	(void)snprintf(path, sizeof(path), "%s/classic-judge.json",
		       dir ? dir : "/usr/local/share/sandbox/policies");
	r = sbx_policy_load(&policy, path, NULL, err);
	if (r >= 0)
		r = sbx_policy_compile(policy, ret, err);
	sbx_policy_free(policy);
	return r;
}

static int run(struct sbx_ctx *ctx, struct task *tasks, int n, struct sbx_error *err)
{
	int i, null = open("/dev/null", O_WRONLY | O_CLOEXEC), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct sbx_plan *plan = NULL;
	int r = null < 0 || epoll < 0 ? -errno : make_plan(&plan, err);

	for (i = 0; r >= 0 && i < n; i++) {
		tasks[i].kind = &kinds[i % N_KINDS];
		r = start(&tasks[i], ctx, plan, epoll, null, err);
	}
	if (r >= 0)
		r = loop(epoll, n, err);
	for (i = 0; i < n; i++)
		finish(&tasks[i]); /* nothing left, unless something failed */
	sbx_plan_unref(plan);
	if (epoll >= 0)
		(void)close(epoll);
	if (null >= 0)
		(void)close(null);
	return r;
}

int main(int argc, char **argv)
{
	int i, r, n = argc > 1 ? atoi(argv[1]) : 50;
	struct task *tasks = n > 0 ? calloc((size_t)n, sizeof(*tasks)) : NULL;
	struct sbx_error err = { 0 };
	struct sbx_ctx *ctx = NULL;
	uint32_t seen = 0;

	if (!tasks) {
		(void)fprintf(stderr, "usage: event-loop [JAILS]\n");
		return 2;
	}
	r = sbx_ctx_new(&ctx, NULL, &err);
	if (r >= 0)
		r = run(ctx, tasks, n, &err);
	sbx_ctx_free(ctx);
	free(tasks);
	if (r < 0) {
		(void)fprintf(stderr, "event-loop: %s %s: %s\n", err.stage, err.item,
			      err.code ? err.text : strerror(-r));
		return 4;
	}
	for (i = 0; i < N_KINDS; i++) {
		printf("%-8s %4u as expected, %llu bytes of output\n", kinds[i].argv[0],
		       kinds[i].seen, (unsigned long long)kinds[i].stdout_bytes);
		seen += kinds[i].seen;
	}
	printf("%u of %d\n", seen, n);
	return seen != (uint32_t)n;
}
