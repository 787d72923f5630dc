/* SPDX-License-Identifier: MIT */

/*
 * From what a program did to what its policy lacks. Everything is asked of the library: whether a
 * call may be allowed at all by trying to, what a group holds by compiling a policy of it alone.
 */

#include "trace.h"
#include <errno.h>
#include <stdlib.h>
#include <util/util.h>

/* So many calls of one group are a sign that the program does what the group is for. */
#define GROUP_LEAST 2
#define BASE_LEAST 8

/* Of @base the parts are tried after the whole. */
static const struct {
	const char *name;
	uint32_t least;
} groups[] = {
	{ "@base", BASE_LEAST },     { "@memory", GROUP_LEAST },   { "@time", GROUP_LEAST },
	{ "@signals", GROUP_LEAST }, { "@threads", GROUP_LEAST },  { "@identity", GROUP_LEAST },
	{ "@io", GROUP_LEAST },      { "@process", GROUP_LEAST },  { "@files", GROUP_LEAST },
	{ "@net", GROUP_LEAST },     { "@sysv-ipc", GROUP_LEAST }, { "@fifo", GROUP_LEAST },
};

static int by_count(const void *a, const void *b)
{
	const struct trace_call *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

/*
 * Whether a policy may allow the call, by letting one try. What is hidden is hidden for a reason.
 */
static enum trace_need need_of(struct trace_call *c)
{
	struct sbx_policy *policy = NULL;
	struct sbx_error err = { 0 };
	int r;

	if (!c->refused || c->by_arguments)
		return NEED_NOTHING;
	if (c->error == ENOSYS)
		return NEED_ABSENT;
	r = sbx_policy_new(&policy, &err);
	if (r >= 0)
		r = sbx_policy_add_syscall(policy, c->name, SBX_SYSCALL_ALLOW, &err);
	sbx_policy_free(policy);
	if (r >= 0)
		return NEED_ALLOW;
	copy_string(c->why, sizeof(c->why), err.text);
	return NEED_NEVER;
}

static struct sbx_plan *plan_of_group(const char *name)
{
	struct sbx_policy *policy = NULL;
	struct sbx_plan *plan = NULL;

	if (sbx_policy_new(&policy, NULL) >= 0 &&
	    sbx_policy_add_syscall(policy, name, SBX_SYSCALL_ALLOW, NULL) >= 0)
		(void)sbx_policy_compile(policy, &plan, NULL);
	sbx_policy_free(policy);
	return plan;
}

static bool holds(const struct sbx_plan *plan, const struct trace_call *c)
{
	int32_t by_arguments;
	int action = sbx_plan_syscall(plan, c->arch, c->nr, NULL, &by_arguments, NULL);

	return action == SBX_SYSCALL_ALLOW || by_arguments;
}

static void allow(struct lack *l, const char *name)
{
	if (l->n_allow < TRACE_ALLOW_MAX)
		copy_string(l->allow[l->n_allow++], sizeof(l->allow[0]), name);
}

/* Takes the calls that a group holds off the list, if they are enough. */
static void try_group(struct lack *l, const char *name, uint32_t least,
		      const struct trace_call **missing, uint32_t *n)
{
	struct sbx_plan *plan = plan_of_group(name);
	uint32_t in = 0, left = 0;

	if (!plan)
		return;
	for (uint32_t i = 0; i < *n; i++)
		in += holds(plan, missing[i]);
	if (in >= least) {
		allow(l, name);
		for (uint32_t i = 0; i < *n; i++)
			if (!holds(plan, missing[i]))
				missing[left++] = missing[i];
		*n = left;
	}
	sbx_plan_unref(plan);
}

static void cover(struct lack *l, const struct tally *t)
{
	const struct trace_call *missing[TRACE_CALLS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->calls[i].need == NEED_ALLOW)
			missing[n++] = &t->calls[i];
	for (size_t i = 0; i < ARRAY_SIZE(groups) && n > 0; i++)
		try_group(l, groups[i].name, groups[i].least, missing, &n);
	for (uint32_t i = 0; i < n; i++)
		allow(l, missing[i]->name);
}

/* As --seccomp allow:NAME,... would do it. */
static int compile_with(struct lack *l, const struct exec_jail *j, const struct exec_options *o,
			struct sbx_error *err)
{
	_cleanup_free_ struct exec_options *with = malloc(sizeof(*with));
	char rule[8 + TRACE_ALLOW_MAX * 33] = "allow:";

	if (!with)
		return exec_fail(err, -ENOMEM, "trace", "", "out of memory");
	*with = *o;
	for (uint32_t i = 0; i < l->n_allow; i++) {
		(void)strcat(rule, i ? "," : "");
		(void)strcat(rule, l->allow[i]);
	}
	if (l->n_allow && with->seccomp.n == OPTION_LIST_MAX)
		return exec_fail(err, -E2BIG, "--seccomp", "", "too many to add one for trace");
	if (l->n_allow)
		with->seccomp.items[with->seccomp.n++] = rule;
	return exec_policy_compile(&j->settings, j->policy_path, with, &l->plan, err);
}

int lack_find(struct lack *ret, struct tally *t, const struct exec_jail *j,
	      const struct exec_options *o, struct sbx_error *err)
{
	memset(ret, 0, sizeof(*ret));
	qsort(t->calls, t->n, sizeof(*t->calls), by_count);
	for (uint32_t i = 0; i < t->n; i++)
		t->calls[i].need = need_of(&t->calls[i]);
	cover(ret, t);
	return compile_with(ret, j, o, err);
}

void lack_done(struct lack *l)
{
	sbx_plan_unref(l->plan);
	l->plan = NULL;
}
