/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A small text file found in a tree; valid during the visit. */
struct walk_file {
	int dir;
	const char *name;
	const char *text; /* terminated, and no NUL within `size` */
	size_t size;
};

/*
 * Visits the wanted regular files below a directory, of at most `max_size` bytes, the files of a
 * folder before its folders, both by bytes of the name; never through a link, not into
 * node_modules, hidden folders, or those that `skip` names. Bounded in depth, folders and bytes:
 * what is beyond is not seen, which is no error.
 */
struct walk {
	bool (*wanted)(const char *name);
	bool (*skip)(const char *folder);                       /* may be NULL */
	int (*visit)(const struct walk_file *file, void *data); /* 0: go on */
	void *data;
	size_t max_size;
	unsigned max_depth;
	unsigned folders; /* so far */
	size_t bytes;
};

/* 0, what `visit` returned when it was not 0, or -errno. */
int walk_tree(struct walk *w, int root);
