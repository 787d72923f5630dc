/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "pipeline/pipeline.h"

/* How a job is told to people. */
struct report {
	FILE *out;
	bool color;
	bool live;  /* a terminal: the stage that runs is shown, too */
	bool quiet; /* only the verdict */
	int verbose;
};

/* For job->progress; job->progress_data is the struct report. */
void report_progress(const struct job *job, const char *stage, bool done);
void report_begin(const struct report *r, const struct job *job);
/* Tests, verdict, reason, what it used. */
void report_end(const struct report *r, const struct job *job);

/* May this be told: the case's name; what it expected and got; what the server printed? */
bool reveal_name_of(const struct job *job, const struct test_case *t);
bool reveal_failure_of(const struct job *job, const struct test_case *t);
bool reveal_log(const struct job *job);

/* The result as JSON (docs/result.md). The caller's; NULL: out of memory. */
char *result_json(const struct job *job);
