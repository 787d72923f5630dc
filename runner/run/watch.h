/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Waits for changes below some paths with inotify(7); nothing is polled. Folders that appear are
 * followed. What nobody hands in (node_modules, .git) and what editors leave beside a file are
 * not looked at.
 */
struct watch {
	int fd;
	struct watch_dir *dirs;
	size_t n;
	char last[256]; /* name of the last thing that changed */
	struct watch_file {
		dev_t dev;
		ino_t ino;
	} ignored[16]; /* files that we write ourselves */
	uint32_t n_ignored;
};

#define WATCH_NULL                                                                                 \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* 0 or -errno. */
int watch_open(struct watch *w);
/*
 * Watches the folder, or the one that the file is in; while there is nothing at `path`, the folder
 * above it. To be called again before each wait, for what has come back. 0 or -errno.
 */
int watch_path(struct watch *w, const char *path);
void watch_ignore(struct watch *w, const char *path);
/* Takes what has happened, without waiting: is there a change that matters? -errno. */
int watch_take(struct watch *w);
/* Until nothing has changed for `quiet_ms`, so that a checkout of many files is one change. */
int watch_settle(struct watch *w, int quiet_ms);
void watch_close(struct watch *w);
