/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A process in a jail: exec.c starts it, proc.c attends it, trace.c follows its system calls,
 * result.c says how it ended.
 */

#include "jail.h"
#include <poll.h>
#include <sandbox/sandbox.h>
#include <sys/types.h>

/*
 * One capped output stream: the first three quarters of the limit go straight to `dest`, the rest
 * into a ring that is written behind a mark at the end.
 */
struct stream {
	int pipe;  /* read end; -1: none or closed */
	int epoll; /* the set that it is in; -1: none */
	int dest;
	uint64_t limit, head, total;
	bool broken; /* nobody reads `dest` any more */
	bool is_socket;
	char *ring;
	size_t ring_size, ring_at;
	char *pending; /* what `dest` has not taken yet: no more is read meanwhile */
	size_t pending_at, pending_end;
};

struct sbx_proc {
	struct sbx_jail *jail;
	int status; /* socket; -1: it has ended */
	int pidfd;
	int epoll;
	int wall_timer, cpu_timer;
	struct stream streams[2];
	uint64_t began_ns, ended_ns;
	uint64_t cpu_limit, cpu_at_start, cpu_used;
	uint64_t oom_at_start, pids_refused_at_start;
	bool wall_limited, output_kill;
	bool reported; /* EXITED has come, or is known not to */
	bool ended, lost;
	bool traced;  /* it was executed with SBX_EXEC_TRACE */
	int listener; /* for its system calls; -1: none, or all that made them have ended */
	struct sbx_syscall early[2]; /* seen while it was executed and not asked for yet */
	int n_early;
	bool killed;       /* by the caller */
	uint32_t exceeded; /* SBX_HIT_* for which we killed it */
	struct exited exited;
};

int stream_init(struct stream *s, int dest, uint64_t limit, int *ret_write_end);
int stream_move(struct stream *s); /* what is there now; 1: over the limit */
bool stream_stalled(
	const struct stream *s); /* its reader does not keep up: watch `dest` meanwhile */
void stream_finish(struct stream *s);
void stream_done(struct stream *s);

/* What has happened by now, limits included; `serve`: lets system calls go on unseen. 1: ended. */
int proc_attend(struct sbx_proc *p, bool serve, struct sbx_error *err);
int proc_poll(struct pollfd *fds, nfds_t n, uint64_t deadline); /* 0: the time is over */
void proc_stop_timers(struct sbx_proc *p);
int proc_close(struct sbx_proc *p, int fd); /* one of its set, taken out as in stream.c; -1 */

/*
 * As read(2) from the exec pipe of a traced process, whose execve(2) waits for us too: 0 if it was
 * executed, the size of a struct exec_failure, or a negative errno.
 */
ssize_t trace_await_exec(struct sbx_proc *p, int channel, uint64_t deadline,
			 struct exec_failure *ret);
void trace_serve(struct sbx_proc *p);
bool trace_is_over(struct sbx_proc *p); /* no process is left that the listener could hear of */

void proc_result(struct sbx_proc *p, struct sbx_result *ret);
