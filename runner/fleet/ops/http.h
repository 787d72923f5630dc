/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The supervisor's window for operators and their machines: GET and HEAD of
 *
 *   /livez       200 while the supervisor's loop turns (ops_beat), else 503
 *   /readyz      200 when every check passes; one line for each, with what is wrong
 *   /metrics     for Prometheus
 *   /statusz     a JSON document about this runner
 *   /debug/jobs  a JSON document: what each slot is doing
 *
 * It has no login, therefore it listens on a loopback address or a unix socket and refuses any
 * other unless told otherwise. Connections, the size of a request and the time without progress are
 * bounded.
 *
 * A thread of its own answers, from copies: the supervisor may be waiting for Redis meanwhile. That
 * thread touches nothing but what is given here. It makes fork(2) without execve(2) dangerous; a
 * child that is executed inherits no descriptor of it.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>

struct ops;     /* http.c */
struct metrics; /* metrics.h */

struct ops_options {
	const char
		*listen; /* "127.0.0.1:9464", "[::1]:9464", "unix:/run/sandbox-runner/ops.sock" */
	bool anywhere;   /* listen on an address that is not loopback */
	struct metrics *metrics; /* outlives the server */
	uint64_t live_ns;        /* /livez: a heartbeat may be this old; 0: 30 s */
};

int ops_open(struct ops **ret, const struct ops_options *o, struct sbx_error *err);
struct ops *ops_close(struct ops *o); /* waits for the thread */

/* The TCP port (of a unix socket: 0): with ":0" in `listen` the kernel chose it. */
uint16_t ops_port(const struct ops *o);

/* All that follow: from any thread; o may be NULL. */

void ops_beat(struct ops *o); /* the loop is alive */

/* What /readyz asks for. None has passed until it is said to have. */
enum ops_check {
	OPS_REDIS,
	OPS_LEDGER,
	OPS_SELF_TEST,
	OPS_DISK,
	OPS_PRESSURE, /* so little is free that more work would only make all of it slower */
	OPS_SERVING, /* not draining, not still starting */
	OPS_CHECKS,
};
/* `why` is for when it is not ok: one line, copied. Sets METRIC_READY too. */
void ops_check_set(struct ops *o, enum ops_check check, bool ok, const char *why);
bool ops_ready(struct ops *o);

/* Documents, copied; NULL: {}. */
void ops_status_set(struct ops *o, const char *json);
void ops_jobs_set(struct ops *o, const char *json);
