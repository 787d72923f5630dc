/* SPDX-License-Identifier: MIT */

/* What trace says, to people who know their program and not the kernel, and to machines. */

#include "exec-report.h"
#include "trace.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <util/util.h>

#define WIDTH 20

static const char *times(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static uint32_t count_need(const struct tally *t, enum trace_need need)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += t->calls[i].need == need;
	return n;
}

/* ------------------------------------------------------------------------- the table */

static void print_call(FILE *to, const struct trace_call *c)
{
	const char *error = c->error ? strerrorname_np(c->error) : "an error";
	char some[48];

	(void)snprintf(some, sizeof(some), "%llu of them refused", (unsigned long long)c->refused);
	fprintf(to, "  %-*s %9llu  ", WIDTH, c->name, (unsigned long long)c->count);
	if (!c->refused)
		fputs("allowed\n", to);
	else if (c->by_arguments)
		fprintf(to, "%s for the arguments\n", c->refused == c->count ? "refused" : some);
	else if (c->need == NEED_ABSENT)
		fprintf(to, "hidden (%s)\n", error);
	else
		fprintf(to, "refused (%s)\n", error);
}

static void print_table(FILE *to, const struct tally *t)
{
	fprintf(to, "  %-*s %9s  %s\n", WIDTH, "call", "times", "what the policy does");
	for (uint32_t i = 0; i < t->n; i++)
		print_call(to, &t->calls[i]);
	if (t->unlisted)
		fprintf(to, "  %-*s %9llu\n", WIDTH, "(others)", (unsigned long long)t->unlisted);
}

/* ---------------------------------------------------------------------- the sections */

static void print_names(FILE *to, const struct tally *t, enum trace_need need)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (t->calls[i].need != need)
			continue;
		if (need == NEED_NEVER)
			fprintf(to, "  %-*s %s\n", WIDTH, t->calls[i].name, t->calls[i].why);
		else
			fprintf(to, "  %s\n", t->calls[i].name);
	}
}

static void print_section(FILE *to, const struct tally *t, enum trace_need need, const char *text)
{
	if (!count_need(t, need))
		return;
	fprintf(to, "\n%s\n", text);
	print_names(to, t, need);
}

/* Of every call and set of arguments that is refused even with what is missing allowed. */
static void for_refused_values(const struct tally *t, const struct lack *l,
			       void (*say)(void *to, const struct trace_call *c,
					   const struct trace_values *v, const char *text,
					   int32_t error),
			       void *to)
{
	const struct trace_arguments *a;
	int32_t error;
	char text[192];

	for (uint32_t i = 0; i < t->n; i++) {
		const struct trace_call *c = &t->calls[i];

		a = trace_arguments_of(c->name);
		for (uint32_t k = 0; a && c->need != NEED_NEVER && k < c->n_values; k++) {
			if (!trace_is_refused(l->plan, c, &c->values[k], &error))
				continue;
			a->print(c->values[k].value, text, sizeof(text));
			say(to, c, &c->values[k], text, error);
		}
	}
}

struct value_printer {
	FILE *to;
	bool any;
};

static void print_value(void *data, const struct trace_call *c, const struct trace_values *v,
			const char *text, int32_t error)
{
	struct value_printer *p = data;

	if (!p->any)
		fputs("\nRefused for what was asked of it, whatever a policy allows: each time the "
		      "command\ngets the error, and most commands go on without.\n",
		      p->to);
	p->any = true;
	fprintf(p->to, "  %-*s %s (%s, %llu time%s)\n", WIDTH, c->name, text,
		error ? strerrorname_np(error) : "killed", (unsigned long long)v->count,
		times(v->count));
}

static void print_allow_list(FILE *to, const struct lack *l)
{
	int column = 0;

	for (uint32_t i = 0; i < l->n_allow; i++) {
		if (column > 60) {
			fputs("\n\t\t", to);
			column = 0;
		}
		column += fprintf(to, "\"%s\"%s", l->allow[i], i + 1 < l->n_allow ? ", " : "");
	}
}

static void print_remedy(FILE *to, const struct lack *l, const char *policy)
{
	fprintf(to,
		"\nIf the command fails without them, allow them: save this as mine.json beside "
		"your\npolicies and run with --policy ./mine.json\n\n"
		"{\n\t\"extends\": \"%s\",\n\t\"syscalls\": { \"allow\": [\n\t\t",
		policy);
	print_allow_list(to, l);
	fputs("\n\t] }\n}\n", to);
}

void trace_print(FILE *to, const struct tally *t, const struct lack *l, const char *policy)
{
	uint32_t missing = count_need(t, NEED_ALLOW);
	struct value_printer values = { .to = to };

	fprintf(to, "sandbox-run trace: %llu system calls (requests to the kernel) of %u kinds\n\n",
		(unsigned long long)t->total, t->n);
	print_table(to, t);
	print_section(to, t, NEED_ALLOW,
		      "Missing from the policy: these fail with \"Operation not permitted\".");
	print_section(
		to, t, NEED_ABSENT,
		"Hidden: these fail as on an older kernel (\"Function not implemented\"), which "
		"programs\nexpect. They go another way then, by calls that are not seen here.");
	print_section(to, t, NEED_NEVER,
		      "Never allowed, by no policy: a command that cannot do without does not run "
		      "here.");
	for_refused_values(t, l, print_value, &values);
	if (missing)
		print_remedy(to, l, policy);
	else
		fprintf(to, "\nThe policy \"%s\" has all that a policy could allow.\n", policy);
}

/* ----------------------------------------------------------------------- for machines */

static void add_call(cJSON *list, const struct trace_call *c)
{
	static const char *const needs[] = {
		[NEED_NOTHING] = "nothing",
		[NEED_ALLOW] = "allow",
		[NEED_ABSENT] = "hidden",
		[NEED_NEVER] = "never",
	};
	cJSON *o = cJSON_CreateObject();

	(void)cJSON_AddStringToObject(o, "name", c->name);
	(void)cJSON_AddNumberToObject(o, "number", c->nr);
	(void)cJSON_AddNumberToObject(o, "count", (double)c->count);
	(void)cJSON_AddNumberToObject(o, "refused", (double)c->refused);
	if (c->error)
		(void)cJSON_AddStringToObject(o, "error", strerrorname_np(c->error));
	else
		(void)cJSON_AddNullToObject(o, "error");
	(void)cJSON_AddBoolToObject(o, "by_arguments", c->by_arguments);
	(void)cJSON_AddStringToObject(o, "needs", needs[c->need]);
	if (c->need == NEED_NEVER)
		(void)cJSON_AddStringToObject(o, "why", c->why);
	(void)cJSON_AddItemToArray(list, o);
}

static void add_value(void *list, const struct trace_call *c, const struct trace_values *v,
		      const char *text, int32_t error)
{
	const struct trace_arguments *a = trace_arguments_of(c->name);
	cJSON *o = cJSON_CreateObject(), *values;

	(void)cJSON_AddStringToObject(o, "name", c->name);
	(void)cJSON_AddStringToObject(o, "text", text);
	values = cJSON_AddArrayToObject(o, "values");
	for (int i = 0; a && i < a->n; i++)
		(void)cJSON_AddItemToArray(values, cJSON_CreateNumber(v->value[i]));
	(void)cJSON_AddNumberToObject(o, "count", (double)v->count);
	(void)cJSON_AddStringToObject(o, "error", error ? strerrorname_np(error) : "killed");
	(void)cJSON_AddItemToArray(list, o);
}

static void add_policy(cJSON *o, const struct lack *l, const char *policy)
{
	cJSON *p = cJSON_AddObjectToObject(o, "policy"), *list;

	(void)cJSON_AddStringToObject(p, "extends", policy);
	list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(p, "syscalls"), "allow");
	for (uint32_t i = 0; i < l->n_allow; i++)
		(void)cJSON_AddItemToArray(list, cJSON_CreateString(l->allow[i]));
}

int trace_json(FILE *to, const struct tally *t, const struct lack *l, const char *policy,
	       int exit_code)
{
	cJSON *o = cJSON_CreateObject(), *list;

	(void)cJSON_AddStringToObject(o, "schema", "sandbox-trace/1");
	(void)cJSON_AddNumberToObject(o, "status", exit_code);
	(void)cJSON_AddNumberToObject(o, "total", (double)t->total);
	(void)cJSON_AddNumberToObject(o, "unlisted", (double)t->unlisted);
	list = cJSON_AddArrayToObject(o, "calls");
	for (uint32_t i = 0; i < t->n; i++)
		add_call(list, &t->calls[i]);
	for_refused_values(t, l, add_value, cJSON_AddArrayToObject(o, "arguments"));
	add_policy(o, l, policy);
	return exec_write_object(to, o);
}
