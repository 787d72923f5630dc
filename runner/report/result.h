/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A result as reports read it. All that people and machines are told goes through its JSON
 * (docs/result.md): what `reveal` hides is not in there, so no report can tell it, and a report of
 * a file is the same as that of the run that wrote it.
 *
 * Strings belong to `root`. They are well-formed UTF-8 without control bytes (but newlines and
 * tabs), and still what a submission said: each format escapes them its own way.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job; /* pipeline.h */

struct result_case {
	const char *name, *group, *file; /* NULL: not told */
	const char *message, *request, *expected, *actual;
	const char *hint; /* of its author, for those who failed it */
	int line, failure_line, failure_column;
	double points, duration_ms;
	bool hidden, passed, skipped;
};

struct result_stage {
	const char *name, *note;
	double start_ms, wall_ms;
};

struct result_sample {
	double at_ms;
	double memory[2], cpu_ms[2]; /* of the application, of its database */
};

struct result {
	cJSON *root;
	const char *challenge, *submission, *verdict, *reason, *version, *reveal, *log;
	double score, max_score, wall_ms;
	double began_ms; /* since 1970; 0: not known */
	uint32_t total, run, passed, failed, skipped;
	struct result_case *cases;
	uint32_t n_cases;
	struct result_stage *stages;
	uint32_t n_stages;
	struct result_sample *samples;
	uint32_t n_samples;
};

/* The JSON of a job. NULL: out of memory. */
cJSON *result_tree(const struct job *job);

#define RESULT_WHY 256

/* Takes `root` in every case. 0, -ENOMEM, or -EINVAL with `why` (of RESULT_WHY bytes). */
int result_new(struct result **ret, cJSON *root, char *why);
/* From a file that --json wrote; "-" is stdin. Its strings are cleaned: it may be anybody's. */
int result_load(struct result **ret, const char *path, char *why);
struct result *result_free(struct result *v);
static inline void result_freep(struct result **v)
{
	result_free(*v);
}

/* root.OBJECT.KEY (`object` NULL: root.KEY); NAN or NULL where there is none. */
double result_number(const struct result *v, const char *object, const char *key);
const char *result_string(const struct result *v, const char *object, const char *key);

/*
 * Formats that know only tests get one more, for the submission: when it failed by itself, when its
 * tests are not named, or when none of them failed and the verdict is not AC (some were skipped).
 */
bool result_needs_own(const struct result *v);
bool result_own_passed(const struct result *v);
/* IE and CANCELLED: nobody's fault but ours, or nobody's. */
bool result_is_ours(const struct result *v);
/* "BOOT" in plain words: "The server never answered". */
const char *result_verdict_words(const char *verdict);
/* began_ms as "2026-11-23T02:00:33.123Z"; "" when it is not known. Returns `out`. */
const char *result_time(char out[32], double ms);
