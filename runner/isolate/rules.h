/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rules of the command line: which variables the program has (--env, --full-env), and what its
 * file tree holds (--dir).
 */

#include "box.h"

#define RULES_MAX 512

enum dir_flag {
	DIR_RW = 1,
	DIR_NOEXEC = 2,
	DIR_FS = 4,
	DIR_MAYBE = 8,
	DIR_DEV = 16,
	DIR_TMP = 32,
	DIR_NOREC = 64,
	DIR_DEFAULT = 1 << 15,
};

struct dir_rule {
	char *inside;  /* "usr/lib": no slash at the ends, no "." or ".." */
	char *outside; /* a path, a file system (fs); NULL: nothing is there */
	unsigned int flags;
};

struct rules {
	struct dir_rule dirs[RULES_MAX];
	unsigned int n_dirs;
	const char *env[RULES_MAX]; /* "NAME", "NAME=VALUE"; borrowed */
	unsigned int n_env;
	bool full_env;
	bool no_default_dirs;
};

/* The default rules. 0 or -ENOMEM. */
int rules_init(struct rules *rules);
void rules_done(struct rules *rules);

/* 0; -EINVAL: the text is no rule; -E2BIG; -ENOMEM. `why` (static) says what is wrong. */
int rules_add_dir(struct rules *rules, const char *text, const char **why);
int rules_add_env(struct rules *rules, const char *text, const char **why);

/* Adds the mounts of all rules to `policy`. 0 or -1, the reason in the report. */
int rules_mount(const struct rules *rules, struct box *b, struct sbx_policy *policy);

/* The program's environment, NULL-terminated; free each string and the list. NULL: no memory. */
char **rules_environment(const struct rules *rules);
void environment_free(char **env);
