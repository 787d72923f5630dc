/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The options of exec and shell: one struct, filled by options.c, read by everything that prepares
 * a jail and its program. What can be wrong with a value by itself is found by
 * exec_options_check(), before anything is opened or made.
 */

#include "cli/options.h"
#include <sandbox/sandbox.h>

struct exec_options {
	const char *policy, *root, *net, *cwd, *label;
	const char *stdin_path, *stdout_path, *stderr_path;
	const char *allow_unenforced, *require;
	struct option_measure memory, cpu, cpu_time, wall, pids, disk, fsize, output, nofile, stack;
	struct option_measure uid, gid, args_fd, status_fd;
	struct option_list ro, rw, tmpfs, seccomp, env, fds, forward, publish;
	struct option_optional json;
	bool append, dry_run, quiet;
	bool terminal; /* by shell: what it takes to use one */
	int verbose;
	uint32_t unenforced; /* SBX_LIMIT_*: what the jail may go without, from the two lists */
};

/* One --fd, --tmpfs, --forward or --publish, taken apart. */
struct exec_fd {
	int fd, target;
};

struct exec_tmpfs {
	char target[1024];
	uint64_t bytes;
};

struct exec_port {
	uint16_t port, host_port; /* in the jail; outside, 0: any (--publish) */
	char host[256];           /* "": 127.0.0.1 */
	char unix_path[108];      /* "": TCP */
};

/* 0, or -EINVAL and *ret_why (static). */
int exec_parse_fd(const char *text, struct exec_fd *ret, const char **ret_why);
int exec_parse_tmpfs(const char *text, struct exec_tmpfs *ret, const char **ret_why);
int exec_parse_forward(const char *text, struct exec_port *ret, const char **ret_why);
int exec_parse_publish(const char *text, struct exec_port *ret, const char **ret_why);

/* A list of limits, also grade's. -1: *ret is filled; otherwise the exit code, after a message. */
int exec_parse_limits(const char *command, const char *option, const char *text, uint32_t *ret);

/*
 * Checks what the table cannot, and fills `unenforced`. -1: go on; otherwise the exit code, after a
 * message.
 */
int exec_options_check(const char *command, struct exec_options *o);

/* Shared by exec_command and shell_command. */
extern struct exec_options exec_opt;

/* An absolute path without ".", "..", "//" and a slash at the end. */
bool exec_path_is_clean(const char *path);
