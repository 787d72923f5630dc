/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A box: the directory BOX_ROOT/ID with the program's directory "box" and its private temporary
 * directories below "tmp", and the lock LOCK_ROOT/ID.
 *
 * Between runs "box" belongs to the caller; while a program runs (and only then) to the box's own
 * uid, which is the same number on the disk and in the jail. An unprivileged caller cannot give
 * files away: there the program is the caller on the disk (SBX_MOUNT_IDMAP), and owners stay.
 *
 * The lock file says who initialized the box, in the format of isolate 2: neither tool will run a
 * box that the other one is working in. It is never unlinked, only truncated: who opened it before
 * would hold a lock on nothing.
 */

#include "config.h"
#include <sys/types.h>

struct box_lock {
	uint32_t magic;
	uint32_t owner;
	uint8_t cg;
	uint8_t initialized;
	uint8_t reserved[2];
};

struct box {
	const struct config *config;
	struct report *report;
	uint32_t id;
	uid_t uid; /* of the program */
	gid_t gid;
	uid_t owner; /* of the directory between runs */
	gid_t owner_gid;
	bool cg;
	bool privileged;
	char path[PATH_MAX];
	int root; /* BOX_ROOT */
	int dir;  /* BOX_ROOT/ID, once it is open */
	int lock;
	struct box_lock record;
};

struct box_request {
	uint32_t id;
	bool cg;
	int64_t as_uid; /* -1: the caller */
	int64_t as_gid;
};

/* All return 0 or -1 with the reason in the report, unless said otherwise. */

/* Checks the request and opens BOX_ROOT, which is made if needed. */
int box_prepare(struct box *b, struct config *config, const struct box_request *q,
		struct report *r);
void box_done(struct box *b);

/* 1: locked; 0: there is no such box (never with `create`). The lock ends with box_done(). */
int box_lock(struct box *b, bool create, bool wait);

/* Removes what is there, makes the directories anew. */
int box_create(struct box *b);
int box_remove(struct box *b); /* the directory; then box_forget() */
int box_forget(struct box *b);

int box_open(struct box *b);
int box_give_to_program(struct box *b);
int box_give_back(struct box *b, bool keep_special);

/* Limits what the box's uid may own in the box's file system: blocks of 1 KiB, and files. */
int box_quota(struct box *b, uint32_t blocks, uint32_t inodes);

/* A directory for the program, kept until the box is removed; `ret` is its path on the host. */
int box_tmp(struct box *b, const char *name, char ret[PATH_MAX]);

/* The path on the host of `rest` below the box's directory; no link is followed. -errno. */
int box_inner(struct box *b, const char *rest, char ret[PATH_MAX]);
