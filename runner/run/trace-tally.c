/* SPDX-License-Identifier: MIT */

/* See trace.h. */

#include "trace.h"
#include <errno.h>
#include <stdlib.h>
#include <util/util.h>

int tally_init(struct tally *t)
{
	t->calls = calloc(TRACE_CALLS_MAX, sizeof(*t->calls));
	return t->calls ? 0 : -ENOMEM;
}

void tally_done(struct tally *t)
{
	free(t->calls);
	*t = (struct tally){ 0 };
}

static struct trace_call *find_call(struct tally *t, const struct sbx_syscall *c)
{
	struct trace_call *call;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->calls[i].nr == c->nr && t->calls[i].arch == c->arch)
			return &t->calls[i];
	if (t->n == TRACE_CALLS_MAX)
		return NULL;
	call = &t->calls[t->n++];
	copy_string(call->name, sizeof(call->name), c->name);
	call->nr = c->nr;
	call->arch = c->arch;
	return call;
}

static void add_values(struct trace_call *call, const struct trace_arguments *a,
		       const struct sbx_syscall *c)
{
	struct trace_values v = { .count = 1 };

	for (int i = 0; i < a->n; i++)
		v.value[i] = (uint32_t)c->args[a->index[i]];
	for (uint32_t i = 0; i < call->n_values; i++)
		if (memcmp(call->values[i].value, v.value, sizeof(v.value)) == 0) {
			call->values[i].count++;
			return;
		}
	if (call->n_values < TRACE_VALUES_MAX)
		call->values[call->n_values++] = v;
}

void tally_add(struct tally *t, const struct sbx_plan *plan, const struct sbx_syscall *c)
{
	struct trace_call *call = find_call(t, c);
	const struct trace_arguments *a = trace_arguments_of(c->name);
	int32_t by_arguments, error;

	t->total++;
	if (!call) {
		t->unlisted++;
		return;
	}
	call->count++;
	if (a)
		add_values(call, a, c);
	if (c->action == SBX_SYSCALL_ALLOW)
		return;
	(void)sbx_plan_syscall(plan, c->arch, c->nr, c->args, &by_arguments, &error);
	call->error = call->refused == 0 || call->error == error ? error : 0;
	call->by_arguments = by_arguments;
	call->refused++;
}

bool trace_is_refused(const struct sbx_plan *plan, const struct trace_call *c,
		      const struct trace_values *v, int32_t *ret_error)
{
	const struct trace_arguments *a = trace_arguments_of(c->name);
	uint64_t args[6] = { 0 };

	for (int i = 0; a && i < a->n; i++)
		args[a->index[i]] = v->value[i];
	return sbx_plan_syscall(plan, c->arch, c->nr, args, NULL, ret_error) != SBX_SYSCALL_ALLOW;
}
