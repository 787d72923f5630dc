/* SPDX-License-Identifier: MIT */
/*
 * Shared by run.c (files, entries, attempts), run-case.c (rounds, copies and what is asked of a
 * case as a whole) and run-host.c (what only the host can do).
 *
 * A session belongs to one file: its variables, connections and cookies. A copy of a case
 * (# @parallel) has a session and a run of its own, made from the file's, in a thread of its own;
 * copies share nothing that is written but the gate that they start from.
 */
#pragma once

#include "check.h"
#include "hurl.h"
#include "random.h"
#include "request.h"

struct run_group {
	const char *name;
	bool failed;
};

struct run {
	const struct hurl_run_options *options;
	struct hurl_summary summary;
	uint64_t started_ns;
	uint64_t deadline_ns;
	uint32_t ask_base; /* asks of the files before this one */
	struct run_group *groups;
	size_t group_count;
	bool gone; /* no server any more: it did not come back */
	char gone_text[HURL_MAX_ANSWER + 80];
};

struct session {
	struct run *run;
	const struct hurl_file *file;
	struct hurl_vars vars;
	struct hurl_http *http;
	struct hurl_random random;
	size_t max_scratch;
	unsigned int requests;  /* of the current case */
	uint32_t *durations_us; /* of the current case, if it has a limit for them */
	size_t duration_count, duration_max;
	const struct hurl_entry *tallied; /* its status is counted, not demanded (# @expect) */
	unsigned int status;              /* of the last response */
	struct hurl_fail_record fail;     /* of the current attempt */
};

/* run.c */
bool run_must_stop(struct run *run);
int session_start(struct session *s, const struct run *run_of, bool variables);
void session_done(struct session *s);
/* False: it failed (see fail), or the run must stop. */
bool run_entry(struct session *s, const struct hurl_entry *entry);
/* Records a failure of the case as a whole, at a pragma. Returns EVAL_FAILED. */
int session_fail(struct session *s, struct hurl_pos pos, const char *expected, const char *actual,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* run-case.c: false as in run_entry(); *ret_at is where it stopped. */
bool run_case_entries(struct session *s, const struct hurl_case *c, struct hurl_pos *ret_at);

/* run-host.c */
bool run_steps(struct session *s, const struct hurl_case *c, size_t before);
bool run_memory(struct session *s, const struct hurl_case *c);
int run_check_asks(struct hurl_file *const *files, size_t count,
		   const struct hurl_run_options *options, struct hurl_error *err);
