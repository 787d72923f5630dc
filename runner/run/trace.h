/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of sandbox-run trace: trace.c runs the command, trace-tally.c counts its system calls,
 * trace-lack.c finds what the policy would have to allow, trace-args.c knows the calls whose
 * arguments matter, trace-report.c says it all.
 *
 * Names and arguments are the traced program's choice: counts of everything are bounded.
 */

#include "exec-jail.h"
#include <sandbox/sandbox.h>
#include <stdio.h>

#define TRACE_CALLS_MAX 1024
#define TRACE_VALUES_MAX 32 /* different arguments of one call */
#define TRACE_ALLOW_MAX 128

/* The arguments of one call that a filter may look at; the lower halves, as it does. */
struct trace_values {
	uint32_t value[3];
	uint64_t count;
};

enum trace_need {
	NEED_NOTHING, /* it is allowed */
	NEED_ALLOW,   /* it fails, and a policy could allow it */
	NEED_ABSENT,  /* it looks as if the kernel had no such call: programs expect that */
	NEED_NEVER,   /* it fails, and no policy can allow it */
};

struct trace_call {
	char name[32];
	int32_t nr;
	uint32_t arch;
	uint64_t count;
	uint64_t refused; /* of them, for whatever reason */
	int32_t error;    /* that refused ones fail with; 0: none, or several */
	bool by_arguments;
	enum trace_need need;
	char why[148]; /* NEED_NEVER */
	uint32_t n_values;
	struct trace_values values[TRACE_VALUES_MAX];
};

struct tally {
	struct trace_call *calls;
	uint32_t n;
	uint64_t total;
	uint64_t unlisted; /* of more kinds than there is room for */
};

int tally_init(struct tally *t);
void tally_add(struct tally *t, const struct sbx_plan *plan, const struct sbx_syscall *c);
void tally_done(struct tally *t);

/* What would have to be added to the policy. */
struct lack {
	char allow[TRACE_ALLOW_MAX][32]; /* calls and groups */
	uint32_t n_allow;
	struct sbx_plan *plan; /* with them */
};

/* Sorts the calls, says of each what it needs, and compiles the policy once more with that. */
int lack_find(struct lack *ret, struct tally *t, const struct exec_jail *j,
	      const struct exec_options *o, struct sbx_error *err);
void lack_done(struct lack *l);

/* The arguments of a call that filters look at; NULL: none. */
struct trace_arguments {
	const char *name;
	uint8_t n;
	uint8_t index[3];
	void (*print)(const uint32_t *values, char *buf, size_t size);
};

const struct trace_arguments *trace_arguments_of(const char *name);

/* Whether the plan refuses these arguments of a call, and with which errno. */
bool trace_is_refused(const struct sbx_plan *plan, const struct trace_call *c,
		      const struct trace_values *v, int32_t *ret_error);

void trace_print(FILE *to, const struct tally *t, const struct lack *l, const char *policy);
int trace_json(FILE *to, const struct tally *t, const struct lack *l, const char *policy,
	       int exit_code);

/* --report of trace, set by its table of options. */
extern const char *trace_report_path;
