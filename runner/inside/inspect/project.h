/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "hurl/arena.h"
#include "inside/inspect/inspect.h"

/*
 * A project while it is looked at: its files, its package.json, and memory for everything that is
 * made of them. Allocation failures are remembered in the arena's owner, so that callers check
 * once: every function here that returns a string returns "" then, and project_failed() says so.
 */
struct project {
	int root;
	const json_t *package; /* may be NULL */
	struct hurl_arena arena;
	bool failed;
	bool elsewhere; /* behind a "cd": package managers read another package.json there */
	unsigned steps; /* script-expand.c: commands looked at so far */
};

#define PROJECT_MEMORY (16u << 20)

const char *keep(struct project *pr, const char *s, size_t n);
const char *keepf(struct project *pr, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* scripts.NAME, trimmed; NULL: there is none, or it is empty. */
const char *project_script(const struct project *pr, const char *name);
/* The version that a package is wanted in; NULL: it is no dependency. */
const char *project_wants(const struct project *pr, const char *package);
/* Is the package a dependency, or in the node_modules of the archive? */
bool project_has(const struct project *pr, const char *package);
/* The first number of the version: 5 of "^5.1.0"; -1: none. */
int project_major(const struct project *pr, const char *package);

/* ----------------------------------------------------- script-parse.c: scripts as commands */

/*
 * A word is literal, or, with RAW before it, text for a shell (variables, patterns): what it will
 * be is not known here, only that it is one word or a few.
 */
#define RAW '\1'
#define SCRIPT_WORDS 48
#define SCRIPT_COMMANDS 24

struct command {
	const char *words[SCRIPT_WORDS + 1]; /* NULL-terminated */
	size_t n, n_env;                     /* the first n_env are assignments */
	char before; /* what joins it to its predecessor: '&' (&&), ';', or 'p' (&: at once) */
};

struct commands {
	struct command list[SCRIPT_COMMANDS];
	size_t n;
};

/* 0; 1: it needs a shell (pipes, substitutions, loops), or is too long; nothing of *ret counts. */
int script_parse(struct project *pr, const char *script, struct commands *ret);
bool word_in(const char *word, const char *const *list); /* which ends with NULL */
bool command_add(struct command *c, const char *word);
void command_remove(struct command *c, size_t at, size_t n);
bool command_insert(struct command *c, size_t at, const char *word);
/* Its program; "" when there is none, or when it is not literal. */
const char *command_program(const struct command *c);
bool command_is(const struct command *c, const char *program);
bool command_has_raw(const struct command *c);
/* As a shell reads it; `n` commands joined by their operators. */
const char *commands_text(struct project *pr, const struct command *list, size_t n, bool exec_last);

/* ----------------------------------------- script-expand.c, script-tools.c: what they come to */

/*
 * Appends to `ret` what a command comes down to when it is run once, without package managers,
 * watchers and wrappers. 0; 1: that cannot be told.
 */
int expand_command(struct project *pr, const struct command *c, struct commands *ret, int depth);
int expand_named(struct project *pr, const char *name, struct commands *ret, int depth);
/* script-tools.c: rewrites one step. 0: not a tool it knows; 1: `c` was changed, go on with it. */
int tool_unwrap(struct project *pr, struct command *c);
/* script-manager.c: npm, pnpm, yarn, bun and their -x. 0 not one; 1 done (appended); -1 unknown. */
int manager_expand(struct project *pr, const struct command *c, struct commands *ret, int depth);

/* ------------------------------------------------------ script-purpose.c: what a command is for */

enum purpose {
	PURPOSE_OTHER,
	PURPOSE_SERVER,
	PURPOSE_BUILD,
	PURPOSE_MIGRATION,
	PURPOSE_GENERATE,
};
enum purpose command_purpose(const struct command *c);
/* The word that names the file that it runs; 0: none. */
size_t command_file(const struct command *c);

/* ----------------------------------------------------------- inspect-typescript.c */

bool is_typescript(const char *file);
struct tsconfig {
	bool exists, no_emit, strips;
	const char *out_dir, *root_dir; /* clean paths, "" for the folder itself; NULL: not set */
};
void tsconfig_read(struct project *pr, struct tsconfig *ret);
/* Makes `c` run `file`, behind its assignments. 0; 1: it cannot be run, *why says it. */
int run_file(struct project *pr, struct command *c, const char *file, const char **why);
/* Where tsc may put what it makes of `file`; the likeliest first. Returns how many, at most 4. */
size_t tsc_output(struct project *pr, const struct tsconfig *t, const char *file,
		  const char *ret[4]);

/* inspect-erasable.c: NULL: Node can run `file` and what it imports; otherwise why not. */
const char *erasable_problem(struct project *pr, const char *file);

/*
 * inspect-entry.c: a file by its usual name. NULL: there is none. *from says where it comes from.
 */
const char *entry_find(struct project *pr, const char **ret_from);
bool entry_exists(const struct project *pr, const char *file);
/* "./dist/main" as a clean path; NULL: it leads elsewhere. */
const char *entry_clean(const char *file);
