/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What `admin gc` goes through. Each part looks at one place, removes there what no living worker
 * holds (a lock or a lease says so, or its age), or with --dry-run counts it, and tells what it
 * was.
 */

#include "fleet/admin/admin.h"

struct cJSON;

struct gc {
	struct admin *a;
	bool dry;
	uint64_t older_s;
	struct cJSON *items; /* with --json */
	uint64_t found, bytes;
	bool failed; /* some place could not be looked at */
};

/*
 * `n` (0: nothing is said) of what `what` calls: its name in JSON, and a sentence about it, in
 * which one %s stands for "s" or "", as n has it.
 */
void gc_tell(struct gc *g, const char *place, const char *what, uint64_t n, uint64_t bytes,
	     const char *sentence);
/* What gc does not remove, but somebody may want to. */
void gc_note(struct gc *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A place that could not be looked at; the others are. */
void gc_failed(struct gc *g, const char *place, const struct sbx_error *err);

void gc_store(struct gc *g);
void gc_host(struct gc *g);
