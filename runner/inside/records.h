/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/text.h"

/*
 * What the programs inside a jail tell the host: a stream of frames (u32le tag, u32le length,
 * bytes) that ends with RECORD_END. A stream without it was cut off and must not be used.
 *
 * The writer may be controlled by a submission (same uid), so the reader trusts nothing: the rules
 * below are checked for every frame, and a frame that passes needs no further check of its form.
 * A text is UTF-8 without control characters but newline and tab; an argument likewise and not
 * empty; a path is relative, without empty, "." or ".." parts and without control characters.
 */
enum record_tag {
	RECORD_END = 1,	 /* empty, the last frame */
	RECORD_ERROR,	 /* text, once: the submission is refused, and why */
	RECORD_NOTE,	 /* text: worth telling, decides nothing */
	RECORD_COUNTS,	 /* u32le files, u64le bytes: what was unpacked */
	RECORD_START,	 /* one argument of the start command; in order */
	RECORD_BUILD,	 /* one argument of the build command; in order */
	RECORD_MANIFEST, /* bytes: package.json reduced to its dependency fields, canonical */
	RECORD_LOCKFILE, /* bytes: package-lock.json without its names, canonical */
	RECORD_HAS_DEPENDENCIES,   /* empty: the manifest names at least one package */
	RECORD_DEPENDENCIES_ERROR, /* text, once: why its packages cannot be installed */
	RECORD_PRISMA,		   /* empty: the migrations are prisma/migrations directories */
	RECORD_MIGRATION,	   /* path of one SQL file; in the order to apply */
	/* path: the file of the start command; the first that exists counts */
	RECORD_ENTRY,
	RECORD_START_ERROR,   /* text, once: why there is nothing to start, and what to do */
	RECORD_START_FROM,    /* text, once: where the start command comes from */
	RECORD_BUILD_FROM,    /* text, once: the same of the build command */
	RECORD_BUILD_SKIPPED, /* text, once: why the server does not wait for the build */
	RECORD_LANGUAGE,      /* text, once: "TypeScript (tsc)" */
	RECORD_FRAMEWORK,     /* text, once: "express 5" */
	/* text: a migration command that was taken out of the start command */
	RECORD_START_MIGRATE,
	RECORD_NODE_MODULES,  /* empty: node_modules is the archive's own */
	RECORD_DRIZZLE,		   /* path of the folder of drizzle's migrations */
	RECORD_MIGRATE,		   /* one argument of the command that migrates; in order */
	RECORD_MIGRATE_TOOL,	   /* text, once: what the migrations are of, for people */
	RECORD_NODE_ENV,	   /* the NODE_ENV for which alone it is configured */
	RECORD_DATABASE_VARIABLE,  /* "part:NAME": a variable that .env names for the database */
	RECORD_DATABASE_NAME,	   /* the name of its database, as the submission writes it */
	RECORD_DATABASE_ROLE,	   /* the name of a user of its database, likewise */
	RECORD_PRISMA_SCHEMA,	   /* bytes: the Prisma schema and what its client depends on */
	RECORD_MANAGER,		   /* text, once: "pnpm@9.15.0", the package manager */
	RECORD_NPMRC,		   /* text, once: settings of an install, as lines of .npmrc */
	RECORD_WORKSPACE,	   /* bytes: pnpm-workspace.yaml, reduced to such settings */
	RECORD_SCRIPT,		   /* text: "1 name@version folder" of a package with a script */
	RECORD_TAGS,
};

#define RECORDS_MAX_BYTES (16u << 20)
#define RECORDS_MAX_FRAMES 4096u
#define RECORD_MAX_MANIFEST (256u << 10)
#define RECORD_MAX_LOCKFILE (8u << 20)
#define RECORD_MAX_ARGUMENTS 64u
#define RECORD_MAX_SCHEMA (4u << 20)
#define RECORD_MAX_ENTRIES 12u
#define RECORD_MAX_SCRIPTS 256u
#define RECORD_MAX_MIGRATIONS 1000u
#define RECORD_MAX_PATH 1024u
#define RECORD_MAX_VARIABLES 64u
#define RECORD_MAX_ROLES 8u

/* One frame; `data` points into the reader's buffer and is not terminated. */
struct record {
	enum record_tag tag;
	const char *data;
	uint32_t size;
};

/* Reads a buffer that the caller keeps alive. */
struct records_reader {
	const uint8_t *at, *end;
	uint32_t frames;
	uint16_t seen[RECORD_TAGS];
	bool ended;
};

/* 0, or -EMSGSIZE when there are more than RECORDS_MAX_BYTES. */
int records_init(struct records_reader *r, const void *bytes, size_t size);

/*
 * 1: *ret is the next frame. 0: RECORD_END was reached with nothing behind it; stays 0.
 * -EBADMSG: cut off, or a rule is broken; the whole stream must be thrown away.
 */
int records_next(struct records_reader *r, struct record *ret);

/* The frame's bytes as a string of the caller's, or NULL when out of memory. */
char *record_string(const struct record *record);

/* The numbers of a RECORD_COUNTS frame. */
void record_counts(const struct record *record, uint32_t *ret_files, uint64_t *ret_bytes);

/*
 * Writes one frame whole. 0, -EINVAL when the frame breaks a rule (the reader would refuse it), or
 * the errno of the write.
 */
int records_put(int fd, enum record_tag tag, const void *data, size_t size);
int records_put_string(int fd, enum record_tag tag, const char *s);
int records_put_counts(int fd, uint32_t files, uint64_t bytes);
/* A RECORD_NOTE, made fit for a record whatever its arguments are. */
int records_put_note(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What a path of a RECORD_MIGRATION must be; used for every path that a submission names. */
bool path_is_clean(const char *path, size_t size);
