/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "pipeline/pipeline.h"

#define PROBE_LINE 1024 /* bytes of an answer that are looked at */

/* The status of a line "HTTP/1.x NNN ..." that is complete; 0: not yet; -EPROTO: not HTTP. */
int probe_status(const char *bytes, size_t n);

/*
 * One GET of `path` from the app's server at `port`, as if it were addressed to the challenge's
 * port, attending to the job meanwhile. The HTTP status;
 * -ETIMEDOUT nothing came within `timeout_ns`; -EPROTO it was not HTTP; -ECONNREFUSED and other
 * codes of the network: no connection; -ECHILD the server ended; -EINTR cancelled; -EIO ours, in
 * job->error.
 */
int probe_http(struct job *job, uint16_t port, const char *path, uint64_t timeout_ns);
