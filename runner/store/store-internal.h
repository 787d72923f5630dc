/* SPDX-License-Identifier: MIT */
#pragma once

/* What store.c and store-trim.c share. */

#include "store/store.h"

struct store {
	char *path;
	int dir, tmp, locks;
	uint64_t cap;
};

int store_error(struct sbx_error *err, int code, const char *item, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The directory of a kind, made if missing. The caller's. */
int store_kind_fd(struct store *s, const char *kind);

/* The lock, or -EWOULDBLOCK. `how` is LOCK_SH or LOCK_EX. */
int store_lock_now(struct store *s, const char *name, int how);

/* Removes from tmp/ what nobody is making any more. */
void store_sweep(struct store *s);
