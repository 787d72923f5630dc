/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/inspect/project.h"

/* What is going to be told; `start` with n 0: nothing was found. */
struct plan {
	struct project pr;
	struct tsconfig tsconfig;
	struct commands start, build;
	const char *start_from, *build_from;
	const char *entries[RECORD_MAX_ENTRIES];
	size_t n_entries;
	const char *migrations[8];
	size_t n_migrations;
	const char *error;
	const char *skipped; /* why the start command does not need the build */
};

/* inspect-command.c */
struct command *commands_last(struct commands *list);
bool commands_have(const struct commands *list, enum purpose purpose);
/* Is one of the programs among them? `names` ends with NULL. */
bool commands_run(const struct commands *list, const char *const *names);

/* inspect-start.c: fills `start`; false: nothing was found, and `error` may say why. */
bool plan_start(struct plan *pl);
/* The files that the start command may mean. */
void plan_entries(struct plan *pl);

/* inspect-build.c */
bool plan_has_build(struct plan *pl); /* or a script that is one */
/* Takes the commands out that have stages of their own. */
void plan_take_stages(struct plan *pl, struct commands *list);
void plan_build(struct plan *pl);
void plan_build_alone(struct plan *pl); /* when nothing to start was found */
void plan_take_builds(struct plan *pl);

/* inspect-tell.c: all of it as records. */
int plan_tell(struct plan *pl, int out, struct problem *p);
