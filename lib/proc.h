/* SPDX-License-Identifier: MIT */
#pragma once

/* A process in a jail: exec.c starts it, proc.c attends it, result.c says how it ended. */

#include "jail.h"
#include <sandbox/sandbox.h>

/*
 * One capped output stream: the first three quarters of the limit go straight to `dest`, the rest
 * into a ring that is written behind a mark at the end.
 */
struct stream {
	int pipe; /* read end; -1: none or closed */
	int dest;
	uint64_t limit, head, total;
	bool broken; /* nobody reads `dest` any more */
	char *ring;
	size_t ring_size, ring_at;
};

struct sbx_proc {
	struct sbx_jail *jail;
	int status; /* socket; -1: it has ended */
	int pidfd;
	int epoll;
	int wall_timer, cpu_timer;
	struct stream streams[2];
	uint64_t began_ns, ended_ns;
	uint64_t cpu_limit, cpu_at_start;
	uint64_t oom_at_start, pids_refused_at_start;
	bool wall_limited, output_kill;
	bool ended, lost;
	bool killed;       /* by the caller */
	uint32_t exceeded; /* SBX_HIT_* for which we killed it */
	struct exited exited;
};

int stream_init(struct stream *s, int dest, uint64_t limit, int *ret_write_end);
int stream_move(struct stream *s); /* what is there now; 1: over the limit */
bool stream_stalled(const struct stream *s); /* its reader does not keep up: watch `dest` meanwhile */
void stream_finish(struct stream *s);
void stream_done(struct stream *s);

void proc_result(struct sbx_proc *p, struct sbx_result *ret);
