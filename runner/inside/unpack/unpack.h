/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/records.h"

#define UNPACK_MAX_ENTRIES 50000u
#define UNPACK_MAX_DEPTH 64u

/* The archive, mapped. */
struct zip {
	const uint8_t *bytes;
	size_t size;
};

struct archive;

/* libarchive's seekable reader over the map; NULL: out of memory, or `p` says what is wrong. */
struct archive *zip_open(const struct zip *zip, struct problem *p);
void zip_closep(struct archive **a);
struct quoted zip_error(struct archive *a);

/* What the central directory says before any of it is believed. */
struct zip_index {
	uint32_t entries;
	bool windows; /* every separator of the archive is a backslash */
};

/* unpack-index.c: the form of the archive; 0, 1 with `p`. */
int zip_check(const struct zip *zip, struct zip_index *ret, struct problem *p);

/* One entry, in the order in which libarchive delivers them. */
struct entry {
	char *path; /* clean; "" is the tree itself */
	char *link; /* the target of a symbolic link below node_modules; otherwise NULL */
	size_t modules; /* up to and with its first "node_modules"; 0: it is in none */
	unsigned type;	/* AE_IF* */
	bool directory, executable, skipped;
};

struct entries {
	struct entry *list;
	size_t n;
	size_t strip;	   /* bytes of the wrapping folders and their slashes */
	bool has_modules;  /* node_modules is in the archive */
	bool kept_modules; /* and unpacked; otherwise it is left out */
};

/*
 * unpack-list.c: all names and types, checked together. With `use_modules` node_modules is unpacked
 * if there is no lockfile that says what should be in it.
 */
int entries_read(const struct zip *zip, const struct zip_index *index, bool use_modules,
		 struct entries *ret, struct problem *p);
void entries_done(struct entries *e);
const char *entry_path(const struct entries *e, const struct entry *entry);

/* unpack-name.c: the name of an entry as a path below the tree. `ret` holds RECORD_MAX_PATH + 1. */
int name_clean(const char *raw, bool windows, char *ret, bool *ret_directory, struct problem *p);
bool name_is_litter(const char *path);
bool name_is_icon(const char *raw); /* the one file of macOS whose name holds a control character */
/* Is "node_modules" part of it? *ret_end is where that part ends. */
bool name_in_modules(const char *path, size_t *ret_end);

struct tally {
	uint32_t files;
	uint64_t bytes;
};

/* unpack-extract.c: the contents, below the directory `root`. */
int entries_extract(const struct zip *zip, const struct entries *e, int root, struct tally *ret,
		    struct problem *p);

/* unpack.c: all of it, with records written to `out`. 0; 1 refused (the record says why); <0. */
int unpack(int archive, int root, int out, bool use_modules);
