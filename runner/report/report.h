/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "pipeline/pipeline.h"
#include "report/result.h"

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
/* Tests, verdict, reason, what it used; the job's stages have been told as they ended. */
void report_end(const struct report *r, const struct job *job, const struct result *v);
/* All of it, its stages included. */
void report_whole(const struct report *r, const struct result *v);

/* May this be told: the case's name; what it expected and got; what the server printed? */
bool reveal_name_of(const struct job *job, const struct test_case *t);
bool reveal_failure_of(const struct job *job, const struct test_case *t);
bool reveal_log(const struct job *job);
