/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What judges read: the meta file (lines of "key:value"), one line on stderr, and the exit code
 * that goes with them.
 *
 * The lines of the meta file are collected in memory and written at the end, in one piece, to a
 * file that was opened at the start: a file that cannot be written is better known before the work
 * is done, and a meta file that lies where the program can write holds what we say, not what it
 * left.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

#define EXIT_OK 0
#define EXIT_PROGRAM_FAILED 1 /* in the sense of the sandbox: RE, SG or TO */
#define EXIT_INTERNAL 2       /* XX, and wrong usage */

struct report {
	int meta; /* -1: no meta file was asked for */
	bool silent;
	int verbose;
	char lines[4096];
	size_t n;
	char message[1024]; /* why we failed, not the program; empty: we did not */
};

/* "-" is stdout. No link that a jailed program made below `box_root` is followed. */
int report_open(struct report *r, const char *path, const char *box_root);

/* Appends to the meta file. */
void report_meta(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Remembers why we failed (the first reason counts). Returns -1: `return report_fail(...)`. */
int report_fail(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int report_library(struct report *r, const struct sbx_error *err);

/* With -v only, to stderr. */
void report_note(const struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds status XX if we failed, writes and closes the meta file. The exit code: `code`, or 2. */
int report_finish(struct report *r, int code);
