/* SPDX-License-Identifier: MIT */
#pragma once

#include <nettle/sha2.h>
#include <sandbox/sandbox.h>

#include "fleet/fetch/fetch.h"
#include "util/error.h"

/* What is being written: a memfd, its hash and its size. */
struct fetch_sink {
	int fd;
	uint64_t size, max;
	struct sha256_ctx hash;
	int error; /* -errno of a write */
	bool too_large;
};
/* How much was taken: less than n ends the transfer. */
size_t fetch_sink_write(struct fetch_sink *s, const void *data, size_t n);

/* `path` below the root, whatever links are there: an enum fetch_outcome, or <0 with *err. */
int fetch_file(const char *root, const char *path, struct fetch_sink *to, struct sbx_error *err);

#define fetch_fail(err, code, item, ...) error_format(err, code, "fetch", item, __VA_ARGS__)
