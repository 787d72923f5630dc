/* SPDX-License-Identifier: MIT */

/*
 * Starting a program in a parked jail: one EXEC message with the descriptors, then the exec pipe
 * says whether execve(2) worked or which step failed. Of a traced program the pipe is a socket, on
 * which the listener for its system calls comes first.
 */

#include "error.h"
#include "proc.h"
#include "util/util.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

struct request {
	struct exec_request head;
	char *strings;
	size_t size;
	uint64_t default_output;
	int fds[FDS_MAX + 2]; /* status socket, exec pipe, then the program's; borrowed */
	int own[4];           /* ours to close once the message is sent */
	int n_own;
};

static size_t list_size(const char *const *list)
{
	size_t n = 0;

	for (; list && *list; list++)
		n += strlen(*list) + 1;
	return n;
}

static void add_string(struct request *q, const char *s)
{
	size_t n = strlen(s) + 1;

	memcpy(q->strings + q->size, s, n);
	q->size += n;
}

static uint32_t add_strings(struct request *q, const char *const *list)
{
	uint32_t n = 0;

	for (; list && list[n]; n++)
		add_string(q, list[n]);
	return n;
}

static int add_fd(struct request *q, int fd, int target, uint32_t flags)
{
	uint32_t i;

	if (q->head.n_fds == FDS_MAX)
		return -EMFILE;
	if (fd < 0 || target < 0 || target > 1023)
		return -EBADF;
	for (i = 0; i < q->head.n_fds; i++)
		if (q->head.target[i] == target)
			return -EEXIST;
	q->fds[2 + q->head.n_fds] = fd;
	q->head.target[q->head.n_fds] = target;
	q->head.fd_flags[q->head.n_fds++] = flags;
	return 0;
}

static int add_output(struct request *q, struct stream *s, bool given, int fd, int target,
		      uint64_t limit)
{
	int end, r;

	if (!given)
		return 0;
	limit = limit ? limit : q->default_output;
	if (!limit || limit == UINT64_MAX)
		return add_fd(q, fd, target, 0);
	r = stream_init(s, fd, limit, &end);
	if (r < 0)
		return r;
	q->own[q->n_own++] = end;
	return add_fd(q, end, target, 0);
}

/* One descriptor for both, as after 2>&1: one pipe then, so that the order of lines is kept. */
static bool is_one_stream(const struct sbx_exec *e)
{
	const uint32_t both = SBX_EXEC_STDOUT | SBX_EXEC_STDERR;

	return (e->flags & both) == both && e->stdout_fd == e->stderr_fd &&
	       e->stdout_limit == e->stderr_limit;
}

static int add_fds(struct request *q, struct sbx_proc *p, const struct sbx_exec *e)
{
	uint32_t i;
	int r = 0;

	if (e->flags & SBX_EXEC_STDIN)
		r = add_fd(q, e->stdin_fd, 0, 0);
	if (r >= 0)
		r = add_output(q, &p->streams[0], e->flags & SBX_EXEC_STDOUT, e->stdout_fd, 1,
			       e->stdout_limit);
	if (r >= 0 && is_one_stream(e))
		r = add_fd(q, q->fds[2 + q->head.n_fds - 1], 2, 0);
	else if (r >= 0)
		r = add_output(q, &p->streams[1], e->flags & SBX_EXEC_STDERR, e->stderr_fd, 2,
			       e->stderr_limit);
	for (i = 0; r >= 0 && i < e->n_fds; i++)
		r = add_fd(q, e->fds[i].fd, e->fds[i].target, e->fds[i].flags);
	return r;
}

static int request_build(struct request *q, struct sbx_proc *p, const struct sbx_exec *e,
			 struct sbx_error *err)
{
	const struct sbx_plan *plan = p->jail->plan;
	const char *path = e->path ? e->path : e->argv ? e->argv[0] : NULL;
	const char *cwd = e->cwd ? e->cwd : plan_string(plan, plan->blob->cwd);
	size_t size;
	int r;

	if (!path || !*path || !e->argv || !e->argv[0])
		return error_set(err, -EINVAL, "exec", "argv",
				 "a program needs a name and an argv");
	q->head.type = MSG_EXEC;
	q->head.flags = e->flags & SBX_EXEC_TRACE ? EXEC_TRACED : 0;
	q->head.uid = e->flags & SBX_EXEC_IDS ? e->uid : plan->blob->uid;
	q->head.gid = e->flags & SBX_EXEC_IDS ? e->gid : plan->blob->gid;
	if (!jail_has_ids(p->jail, q->head.uid, q->head.gid))
		return error_set(err, -EINVAL, "exec", "uid",
				 "the jail has no ids %u and %u; 0 is its init's alone",
				 q->head.uid, q->head.gid);
	size = strlen(path) + 1 + strlen(cwd) + 1 + list_size(e->argv) + list_size(e->env);
	if (size > STRINGS_MAX)
		return error_set(err, -E2BIG, "exec", path,
				 "arguments and environment exceed 128 KiB");
	q->strings = malloc(size);
	if (!q->strings)
		return error_set(err, -ENOMEM, "exec", path, "out of memory");
	add_string(q, path);
	add_string(q, cwd);
	q->head.argc = add_strings(q, e->argv);
	q->head.envc = add_strings(q, e->env);
	q->head.strings_size = (uint32_t)q->size;
	if (q->head.argc > ARGS_MAX || q->head.envc > ARGS_MAX)
		return error_set(err, -E2BIG, "exec", path, "more than %u arguments or variables",
				 ARGS_MAX);
	if (e->cpu_ns && e->cpu_ns != UINT64_MAX && !cgroup_counts_cpu(&p->jail->cgroup) &&
	    !(p->jail->ctx->allow_unenforced & SBX_LIMIT_CPU_TIME))
		return error_set(err, -ENOTSUP, "cpu_time", path,
				 "nothing here counts the jail's processor time; see sandbox-run "
				 "doctor, or allow it to be unenforced");
	q->default_output = plan->output;
	r = add_fds(q, p, e);
	if (r < 0)
		return error_set(err, r, "fds", path,
				 "its descriptors cannot be passed (at most %u, no number twice)",
				 FDS_MAX);
	return 0;
}

static ssize_t read_outcome(int pipe_end, uint64_t deadline, struct exec_failure *ret)
{
	struct pollfd fd = { .fd = pipe_end, .events = POLLIN };
	int r;

	do
		r = proc_poll(&fd, 1, deadline);
	while (r > 0 && !fd.revents);
	return r > 0 ? read(pipe_end, ret, sizeof(*ret)) : r < 0 ? r : -ETIMEDOUT;
}

static int await_exec(struct sbx_proc *p, int pipe_end, bool traced, const char *path,
		      struct sbx_error *err)
{
	uint64_t deadline = deadline_after(REPLY_TIMEOUT_MS * NSEC_PER_MSEC);
	struct exec_failure f;
	ssize_t n = traced ? trace_await_exec(p, pipe_end, deadline, &f)
			   : read_outcome(pipe_end, deadline, &f);

	if (n == -ETIMEDOUT)
		return error_set(err, -ETIMEDOUT, "exec", path,
				 "not started in 10 s: is the jail starved of processor time?");
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(f))
		return error_set(err, -EPROTO, "exec", path, "the jail's init reported nothing");
	if (traced && f.step == STEP_SECCOMP && f.error == -EBUSY)
		return error_set(err, -EBUSY, "seccomp", path,
				 "cannot be traced: whoever runs us listens to our system calls "
				 "already");
	return error_set(err, f.error < 0 ? f.error : -EPROTO, step_name(f.step), path, "%s",
			 step_advice(f.step, f.error));
}

/* The status socket first says that the child exists (with its pidfd) or that fork failed. */
static int await_started(struct sbx_proc *p, const char *path, struct sbx_error *err)
{
	union {
		uint32_t type;
		struct started started;
		struct failed failed;
	} m;
	int got = 0,
	    n = control_receive(p->status, &m, sizeof(m), &p->pidfd, 1, &got, REPLY_TIMEOUT_MS);

	if (n >= (int)sizeof(m.started) && m.type == MSG_STARTED && got == 1)
		return 0;
	if (n >= (int)sizeof(m.failed) && m.type == MSG_FAILED)
		return jail_failed(p->jail, &m.failed, path, err);
	if (n == -ETIMEDOUT)
		return error_set(err, -ETIMEDOUT, "exec", path,
				 "the jail's init did not answer in 10 s: is the jail starved of "
				 "processor time?");
	return error_set(err, -ECHILD, "control", path, "%s", step_advice(STEP_CONTROL, 0));
}

static int send_request(struct sbx_proc *p, struct request *q, const char *path,
			struct sbx_error *err)
{
	_cleanup_close_ int status = -1, exec_read = -1, exec_write = -1;
	struct iovec parts[2] = { { &q->head, sizeof(q->head) } };
	bool traced = q->head.flags & EXEC_TRACED;
	int pair[2], ends[2], r;

	if (p->jail->dead)
		return error_set(err, -ECHILD, "control", path, "the jail has ended");
	r = control_pair(pair);
	if (r >= 0) {
		p->status = pair[0];
		status = pair[1];
		r = traced ? control_pair(ends) : pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
	}
	if (r < 0)
		return error_set(err, r, "exec", path, "cannot make the status channel");
	exec_read = fd_above_stdio(ends[0]);
	exec_write = fd_above_stdio(ends[1]);
	if (exec_read < 0 || exec_write < 0)
		return error_set(err, -errno, "exec", path, "no descriptor is left");
	q->fds[0] = status;
	q->fds[1] = exec_write;
	parts[1] = (struct iovec){ q->strings, q->size };
	p->began_ns = now_ns();
	r = control_send(p->jail->control, parts, 2, q->fds, 2 + (int)q->head.n_fds);
	if (r < 0)
		return error_set(err, r == -EMSGSIZE ? -E2BIG : -ECHILD, "control", path,
				 "the jail's init cannot be reached");
	p->jail->used = true;
	status = close_fd(status);
	exec_write = close_fd(exec_write);
	while (q->n_own)
		close_fd(q->own[--q->n_own]);
	r = await_started(p, path, err);
	return r < 0 ? r : await_exec(p, exec_read, traced, path, err);
}

/* ------------------------------------------------------------------------- watching */

static int watch(struct sbx_proc *p, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0)
		return 0;
	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int make_timer(uint64_t ns, int *ret)
{
	struct itimerspec t = { .it_value = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
					      .tv_nsec = (long)(ns % NSEC_PER_SEC) } };
	int fd = fd_above_stdio(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &t, NULL) < 0) {
		close_fd(fd);
		return -errno;
	}
	*ret = fd;
	return 0;
}

static int watch_all(struct sbx_proc *p, uint64_t wall_ns)
{
	int r = 0;

	p->epoll = fd_above_stdio(epoll_create1(EPOLL_CLOEXEC));
	if (p->epoll < 0)
		return -errno;
	p->streams[0].epoll = p->streams[1].epoll = p->epoll;
	if (wall_ns != UINT64_MAX)
		r = make_timer(MAX_OF(wall_ns, (uint64_t)1), &p->wall_timer);
	if (r >= 0 && p->cpu_limit != UINT64_MAX)
		r = make_timer(1000000, &p->cpu_timer);
	if (r >= 0)
		r = watch(p, p->status);
	if (r >= 0)
		r = watch(p, p->streams[0].pipe);
	if (r >= 0)
		r = watch(p, p->streams[1].pipe);
	if (r >= 0)
		r = watch(p, p->listener);
	if (r >= 0)
		r = watch(p, p->wall_timer);
	return r < 0 ? r : watch(p, p->cpu_timer);
}

static struct sbx_proc *proc_alloc(struct sbx_jail *j, const struct sbx_exec *e)
{
	struct sbx_stats before = { 0 };
	struct sbx_proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->jail = j;
	p->status = p->pidfd = p->epoll = p->wall_timer = p->cpu_timer = p->listener = -1;
	p->streams[0].pipe = p->streams[0].dest = p->streams[1].pipe = p->streams[1].dest = -1;
	p->streams[0].epoll = p->streams[1].epoll = -1;
	p->output_kill = e->flags & SBX_EXEC_OUTPUT_KILL;
	p->cpu_limit = e->cpu_ns ? e->cpu_ns : j->plan->cpu_ns;
	if (j->used)
		cgroup_read(&j->cgroup, &before);
	else
		before.cpu_ns = cgroup_cpu_ns(&j->cgroup); /* init's; the other counters are new */
	p->cpu_at_start = before.cpu_ns;
	p->oom_at_start = before.oom_kills;
	p->pids_refused_at_start = before.pids_refused;
	return p;
}

SBX_PUBLIC int sbx_jail_exec(struct sbx_jail *j, struct sbx_proc **ret, const struct sbx_exec *e,
			     struct sbx_error *err)
{
	struct sbx_exec x;
	struct request *q;
	struct sbx_proc *p;
	int r = options_copy(&x, sizeof(x), e);

	if (r < 0 || !e)
		return error_set(err, r < 0 ? r : -EINVAL, "exec", "size",
				 "struct sbx_exec has a size this library does not know");
	p = proc_alloc(j, &x);
	q = calloc(1, sizeof(*q));
	r = p && q ? request_build(q, p, &x, err)
		   : error_set(err, -ENOMEM, "exec", NULL, "out of memory");
	if (r >= 0)
		r = send_request(p, q, x.path ? x.path : x.argv[0], err);
	if (q) {
		while (q->n_own)
			close_fd(q->own[--q->n_own]);
		free(q->strings);
	}
	free(q);
	if (r >= 0) {
		uint64_t wall = x.wall_ns ? x.wall_ns : j->plan->wall_ns;

		p->wall_limited = wall != UINT64_MAX;
		r = watch_all(p, wall);
		if (r < 0)
			(void)error_set(err, r, "exec", "epoll", "the process cannot be watched");
	}
	if (r < 0) {
		sbx_proc_free(p);
		return r;
	}
	*ret = p;
	return 0;
}
