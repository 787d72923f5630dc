/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of `sandbox-run grade-all` share. */

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "challenge/challenge.h"
#include "cli/options.h"
#include "store/key.h"

#define GRADES_MAX 20000

enum entry_state {
	ENTRY_WAITS,
	ENTRY_RUNS,
	ENTRY_DONE,
};

/* One submission. `student` and `path` are as somebody named them: cleaned, still not trusted. */
struct entry {
	char *student, *path;
	char *file;          /* of its result, below the folder of results */
	char hash[KEY_SIZE]; /* "": it could not be read */
	enum entry_state state;
	bool kept;                /* the result is of an earlier run */
	const struct entry *twin; /* the first one with the same archive; NULL: none */
	char verdict[16];
	char *reason;
	uint32_t passed, total;
	double score, max_score, tests_ms, wall_ms;
	/* while it runs */
	pid_t pid;
	int pidfd, said; /* what it says on stderr */
};

struct grades {
	struct entry *entries;
	size_t n;
	struct challenge *challenge;
	char challenge_hash[KEY_SIZE];
	char *out; /* folder of results */
	size_t done, kept;
};

/* ------------------------------------------------------- grade-all-list.c */
/*
 * Reads the folder of submissions or the manifest. 0, or an exit code after a message; what is left
 * out is said on stderr.
 */
int grades_list(struct grades *g, const char *path);
void grades_done(struct grades *g);

/* ------------------------------------------------------ grade-all-state.c */
/* Hashes the submission. Is there a result of an earlier run that still holds? Then it is taken. */
bool entry_take_kept(struct grades *g, struct entry *e, bool again);
/* Where its worker writes the result. The caller's; NULL: out of memory. */
char *entry_temporary(const struct grades *g, const struct entry *e);
/*
 * Takes what the worker wrote (or, when that is nothing, what it said) and keeps it under the
 * entry's own name, in one step. 0 or -errno.
 */
int entry_finish(struct grades *g, struct entry *e);

/* ------------------------------------------------------ grade-all-table.c */
/* Who handed in the same archive as somebody before in the list? */
void grades_mark_twins(struct grades *g);
/* By tests passed, then by time; those that nobody could judge last. The caller frees the list. */
const struct entry **grades_ranked(const struct grades *g);
void grades_print_table(FILE *f, const struct grades *g, const struct entry **ranked);
void grades_write_csv(FILE *f, const struct grades *g, const struct entry **ranked);
void grades_write_json(FILE *f, const struct grades *g, const struct entry **ranked);
size_t grades_count(const struct grades *g, const char *verdict);
