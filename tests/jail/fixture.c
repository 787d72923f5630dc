/* SPDX-License-Identifier: MIT */

#include "fixture.h"
#include "corner.h"
#include "util/util.h"
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct sbx_ctx *ctx;

const char *fixture_error(const struct sbx_error *err)
{
	static char text[320];

	(void)snprintf(text, sizeof(text), "%d %s %s: %s", err->code, err->stage, err->item,
		       err->text);
	return text;
}

bool fixture_is_user(void)
{
	return geteuid() != 0;
}

const struct corner *fixture_corner(void)
{
	static struct corner corner;

	if (!corner.parent[0])
		corner_init(&corner);
	return &corner;
}

/* An ordinary user on a host that delegated no group: the tests of what needs one are not run. */
struct sbx_ctx_options fixture_ctx_options(void)
{
	struct sbx_ctx_options o = corner_options(fixture_corner());

	if (fixture_is_user())
		o.flags = SBX_CTX_OWN_LEAF;
	return o;
}

struct sbx_ctx *fixture_ctx(void)
{
	struct sbx_ctx_options o = fixture_ctx_options();
	struct sbx_error err;

	if (!ctx && sbx_ctx_new(&ctx, &o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return ctx;
}

void fixture_free(void)
{
	ctx = sbx_ctx_free(ctx);
}

struct sbx_plan *fixture_plan(const char *name, const char *const *settings)
{
	const char *build = getenv("SANDBOX_BUILD");
	struct sbx_policy *policy;
	struct sbx_plan *plan = NULL;
	struct sbx_error err;
	char path[512], key[64];
	const char *value;
	int r;

	(void)snprintf(path, sizeof(path), "%s/policies/%s.json", build ? build : "build", name);
	if (sbx_policy_load(&policy, path, NULL, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	for (; settings && *settings; settings++) {
		value = strchr(*settings, '=');
		(void)snprintf(key, sizeof(key), "%.*s", (int)(value - *settings), *settings);
		r = sbx_policy_set(policy, key, value + 1, &err);
		if (r < 0)
			fail_msg("%s", fixture_error(&err));
	}
	r = sbx_policy_compile(policy, &plan, &err);
	sbx_policy_free(policy);
	if (r < 0)
		fail_msg("%s", fixture_error(&err));
	return plan;
}

struct sbx_jail *fixture_jail(struct sbx_plan *plan, const struct sbx_jail_options *options)
{
	struct sbx_jail_options o = { .size = sizeof(o) };
	struct sbx_mount mounts[17] = { { .size = sizeof(mounts[0]),
					  .type = SBX_MOUNT_BIND,
					  .source = getenv("SANDBOX_PROBE"),
					  .target = "/probe" } };
	struct sbx_jail *j = NULL;
	struct sbx_error err;

	if (options)
		o = *options;
	assert_true(o.n_mounts < ARRAY_SIZE(mounts));
	if (o.n_mounts)
		memcpy(mounts + 1, o.mounts, o.n_mounts * sizeof(mounts[0]));
	o.mounts = mounts;
	o.n_mounts++;
	if (sbx_jail_new(fixture_ctx(), plan, &j, &o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return j;
}

struct sbx_proc *fixture_start(struct sbx_jail *j, const char *const *argv, int stdout_fd)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv, .env = env, .stdout_fd = stdout_fd };
	struct sbx_proc *p = NULL;
	struct sbx_error err;

	if (stdout_fd >= 0)
		e.flags |= SBX_EXEC_STDOUT;
	if (sbx_jail_exec(j, &p, &e, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return p;
}

struct sbx_result fixture_probe(const char *policy, const char *const *settings, const char *name,
				const char *argument)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_plan *plan = fixture_plan(policy, settings);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_error err;

	if (sbx_proc_wait(p, UINT64_MAX, &result, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
	return result;
}

int fixture_host(const char *name, const char *argument, bool unshared)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshared && unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
			_exit(254);
		(void)execl(getenv("SANDBOX_PROBE"), "probe", name, argument, NULL);
		_exit(253);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int teardown(void **state)
{
	struct corner corner = *fixture_corner();

	(void)state;
	fixture_free();
	corner_done(&corner);
	return 0;
}

/* What nothing enforces here, found by running a program with all limits. */
static uint32_t unenforced(void)
{
	struct sbx_result r = fixture_probe("exec", NULL, "exit", "0");

	return r.unenforced;
}

static const char *why_not(const struct fixture_test *t, uint32_t missing)
{
	if ((t->needs & FIXTURE_ROOT) && fixture_is_user())
		return t->why ? t->why : "it is about what root's jails have";
	if ((t->needs & FIXTURE_V1) &&
	    access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK) < 0)
		return "this host has no memory hierarchy of cgroup v1";
	if (t->needs & missing & SBX_LIMIT_MEMORY)
		return "no memory controller is this user's";
	if (t->needs & missing & SBX_LIMIT_CPU_TIME)
		return "no group of this user's counts processor time";
	if (t->needs & missing & SBX_LIMIT_CPU)
		return "no cpu controller is this user's";
	if ((t->needs & FIXTURE_GROUPS) && missing)
		return "no group was delegated to this user";
	return NULL;
}

int fixture_run(const char *name, const struct fixture_test *tests, size_t n)
{
	struct CMUnitTest selected[64] = { 0 };
	uint32_t missing = fixture_is_user() ? unenforced() : 0;
	size_t i, k = 0;
	const char *why;

	for (i = 0; i < n && k < ARRAY_SIZE(selected); i++) {
		why = why_not(&tests[i], missing);
		if (why) {
			print_message("# not in this lane: %s: %s\n", tests[i].test.name, why);
			continue;
		}
		selected[k++] = tests[i].test;
	}
	return _cmocka_run_group_tests(name, selected, k, NULL, teardown);
}
