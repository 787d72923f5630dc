/* SPDX-License-Identifier: MIT */

/*
 * The holder of an unprivileged caller: root in a user namespace that the caller owns, PID 1 of a
 * pid namespace, in a copy of the caller's mount namespace. It does for the library the two things
 * that need such a position: clone trees of the host into detached mounts, and start jails and
 * relays as its children, in user namespaces of their own whose ids it may map.
 *
 * It runs no program but this image, hears nobody but the library, and when it ends, by the death
 * of its creator or by any other, the kernel ends all that it has started.
 */

#include "../holder-format.h"
#include "init.h"

#define SPAWN_HIGH 16 /* above all numbers that a child is given */

static struct message message;
static unsigned char buffer[MESSAGE_MAX] __attribute__((aligned(4096)));
static int proc = -1; /* of our own pid namespace, attached nowhere */

static int prepare(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	_cleanup_close_ int fs = -1;
	int r = sys_prctl(PR_SET_DUMPABLE, 0, 0);

	if (r < 0)
		return r;
	(void)sys_prctl(PR_SET_NAME, (unsigned long)"sandbox-holder", 0);
	sys_umask(0);
	/* The kernel reaps our children: their ends are seen through their pidfds. */
	r = sys_sigaction(SIGCHLD, &ignore);
	if (r < 0)
		return r;
	r = fs = sys_fsopen("proc");
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (r >= 0)
		r = proc = sys_fsmount(fs,
				       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return r < 0 ? r : 0;
}

/* ---------------------------------------------------------------------------- trees */

static int clone_tree(void)
{
	const struct holder_tree *q = (const struct holder_tree *)message.bytes;
	const char *path = (const char *)(q + 1);
	struct mount_attr attr = { .attr_set = q->attributes, .propagation = MS_PRIVATE };
	uint32_t depth = q->recursive ? AT_RECURSIVE : 0;
	_cleanup_close_ int fd = -1;
	int r;

	if (message.size <= sizeof(*q) || message.bytes[message.size - 1] != '\0' || path[0] != '/')
		return -EPROTO;
	fd = sys_open_tree(path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT | depth);
	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, depth, &attr);
	return r < 0 ? r : steal_fd(&fd);
}

/* --------------------------------------------------------- the child, until it executes */

static int place_fds(int gate)
{
	const struct holder_spawn *q = (const struct holder_spawn *)message.bytes;
	int from[HOLDER_FDS_MAX + 2];
	uint32_t n = q->n_fds + 2;

	for (uint32_t i = 0; i < n; i++) {
		int fd = i < q->n_fds ? message.fds[i] : i == q->n_fds ? HOLDER_IMAGE_FD : gate;

		from[i] = sys_dupfd(fd, SPAWN_HIGH);
		if (from[i] < 0)
			return from[i];
	}
	for (uint32_t i = 0; i < n; i++) {
		int r = sys_dup3(from[i], 3 + (int)i, i < q->n_fds ? 0 : O_CLOEXEC);

		if (r < 0)
			return r;
	}
	(void)sys_close_range(0, 2, 0);
	return sys_close_range(3 + n, ~0u, 0);
}

/* A byte: the ids are mapped. End of file: they could not be. */
static int await_maps(int gate)
{
	char byte;
	long n;

	do
		n = sys_read(gate, &byte, 1);
	while (n == -EINTR);
	return n == 1 ? 0 : -EPIPE;
}

static bool maps_root(const struct holder_spawn *q)
{
	for (uint32_t i = 0; i < q->n_uid_maps; i++)
		if (q->uid_maps[i].inside == 0)
			return true;
	return false;
}

static int become_root(void)
{
	int r = sys_setresgid(0);

	if (r >= 0)
		r = sys_setresuid(0);
	if (r >= 0)
		r = sys_setgroups(0, NULL);
	/* Where no group but one's own may be mapped, none may be dropped either. */
	return r == -EPERM ? 0 : r;
}

/* A namespace without a uid 0: execve(2) lets capabilities pass only if they are ambient. */
static int keep_capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	int r = sys_capget(&h, d);

	for (int i = 0; i < 2; i++)
		d[i].inheritable = d[i].permitted;
	if (r >= 0)
		r = sys_capset(&h, d);
	for (unsigned long cap = 0; r >= 0 && cap < 64; cap++)
		if (d[cap / 32].permitted & 1u << cap % 32)
			r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap);
	return r;
}

static int execute_image(const struct holder_spawn *q)
{
	char *argv[] = { (char *)(uintptr_t)q->name, NULL };
	char *env[] = { NULL };
	int image = 3 + (int)q->n_fds;
	int r = await_maps(image + 1);

	if (r >= 0)
		r = maps_root(q) ? become_root() : keep_capabilities();
	return r < 0 ? r : sys_execveat(image, argv, env);
}

/* Until the descriptors are in place there is nobody to tell. */
static _Noreturn void child_main(int gate)
{
	const struct holder_spawn *q = (const struct holder_spawn *)message.bytes;
	struct failed f = { .type = MSG_FAILED, .step = STEP_CLONE, .index = -1 };

	if (place_fds(gate) < 0)
		sys_exit(127);
	f.error = execute_image(q);
	(void)message_send(CONTROL_FD, &f, sizeof(f), NULL, 0);
	sys_exit(127);
}

/* ------------------------------------------------------------------------ spawning */

static char *append(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return to + n;
}

static int write_map(int pid, const char *name, const struct id_map *maps, uint32_t n)
{
	char path[64], text[ID_MAPS_MAX * 3 * NUMBER_MAX], number[NUMBER_MAX], *p = path;
	_cleanup_close_ int fd = -1;
	long written;

	p = append(p, number_format(number, (uint64_t)pid, 10));
	p = append(p, "/");
	p = append(p, name);
	*p = '\0';
	p = text;
	for (uint32_t i = 0; i < n; i++) {
		p = append(p, number_format(number, maps[i].inside, 10));
		p = append(p, " ");
		p = append(p, number_format(number, maps[i].outside, 10));
		p = append(p, " ");
		p = append(p, number_format(number, maps[i].count, 10));
		p = append(p, "\n");
	}
	fd = sys_openat(proc, path, O_WRONLY);
	if (fd < 0)
		return fd;
	written = sys_write(fd, text, (size_t)(p - text));
	return written < 0 ? (int)written : 0;
}

static int map_ids(int pid, const struct holder_spawn *q)
{
	int r = 0;

	if (!(q->flags & CLONE_NEWUSER))
		return 0;
	r = write_map(pid, "uid_map", q->uid_maps, q->n_uid_maps);
	return r < 0 ? r : write_map(pid, "gid_map", q->gid_maps, q->n_gid_maps);
}

/*
 * Both ends of the gate are close-on-exec: when the child has executed, or died, ours has no
 * reader.
 */
static void await_exec(int gate)
{
	struct pollfd p = { .fd = gate, .events = 0 };

	while (sys_poll(&p, 1, -1) == -EINTR)
		;
}

static int clone_child(const struct holder_spawn *q, int gate[2], int *ret_pidfd)
{
	struct clone_args args = { .flags = q->flags | CLONE_PIDFD, .exit_signal = SIGCHLD };
	uint32_t next = q->n_fds;
	int pid, r = 0;

	args.pidfd = (uint64_t)(uintptr_t)ret_pidfd;
	if (q->joins_netns)
		r = sys_setns(message.fds[next++], CLONE_NEWNET);
	if (r < 0)
		return r;
	if (q->in_cgroup) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)message.fds[next];
	}
	pid = sys_clone3(&args);
	if (pid == 0)
		child_main(gate[0]);
	return pid;
}

static bool spawn_valid(const struct holder_spawn *q)
{
	return message.size == sizeof(*q) && q->n_fds <= HOLDER_FDS_MAX &&
	       message.n_fds == q->n_fds + !!q->joins_netns + !!q->in_cgroup &&
	       q->n_uid_maps <= ID_MAPS_MAX && q->n_gid_maps <= ID_MAPS_MAX &&
	       q->name[sizeof(q->name) - 1] == '\0';
}

static int spawn(int *ret_step)
{
	const struct holder_spawn *q = (const struct holder_spawn *)message.bytes;
	_cleanup_close_ int read_end = -1, write_end = -1, pidfd = -1;
	int gate[2], pid, r;

	*ret_step = STEP_CLONE;
	if (!spawn_valid(q))
		return -EPROTO;
	r = sys_pipe2(gate, O_CLOEXEC);
	if (r < 0)
		return r;
	read_end = gate[0];
	write_end = gate[1];
	pid = clone_child(q, gate, &pidfd);
	if (pid < 0)
		return pid;
	(void)sys_close(steal_fd(&read_end));
	*ret_step = STEP_IDMAP;
	r = map_ids(pid, q);
	if (r < 0) {
		struct pollfd gone = { .fd = pidfd, .events = POLLIN };

		(void)sys_kill(pid, SIGKILL);
		while (sys_poll(&gone, 1, -1) == -EINTR)
			;
		return r;
	}
	(void)sys_write(write_end, "", 1);
	await_exec(write_end);
	return steal_fd(&pidfd);
}

/* ---------------------------------------------------------------------------- loop */

/* `fd` is closed in any case. */
static int reply(int fd, int step)
{
	struct holder_reply q = { .type = HOLDER_REPLY, .error = fd < 0 ? fd : 0, .step = step };
	int r = message_send(HOLDER_CONTROL_FD, &q, sizeof(q), &fd, fd >= 0);

	if (fd >= 0)
		(void)sys_close(fd);
	return r;
}

static void serve_spawn(void)
{
	int step, fd = spawn(&step);

	(void)reply(fd, step);
}

/*
 * Who has joined a jail's network can never return to the host's (setns(2) wants rights over it),
 * so a copy of us joins, clones and answers. We sleep until it has ended; its child becomes ours.
 */
static void serve_spawn_elsewhere(void)
{
	struct clone_args args = { .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	int pid = sys_clone3(&args);

	if (pid < 0)
		(void)reply(pid, STEP_CLONE);
	if (pid != 0)
		return;
	serve_spawn();
	sys_exit(0);
}

static void serve(void)
{
	const struct holder_spawn *q = (const struct holder_spawn *)message.bytes;
	int r = message_receive(HOLDER_CONTROL_FD, &message);

	if (r == 0)
		sys_exit(0);
	if (r < 0 || (message.type != HOLDER_TREE && message.type != HOLDER_SPAWN))
		(void)reply(-EPROTO, STEP_CONTROL);
	else if (message.type == HOLDER_TREE)
		(void)reply(clone_tree(), STEP_MOUNT_CREATE);
	else if (message.size == sizeof(*q) && q->joins_netns)
		serve_spawn_elsewhere();
	else
		serve_spawn();
	message_done(&message);
}

_Noreturn void holder_main(void)
{
	struct pollfd fds[] = {
		{ .fd = HOLDER_CONTROL_FD, .events = POLLIN },
		{ .fd = HOLDER_CREATOR_FD, .events = POLLIN },
	};
	struct holder_reply ready = { .type = HOLDER_REPLY, .step = STEP_MOUNT_CREATE };

	message.bytes = buffer;
	ready.error = prepare();
	(void)message_send(HOLDER_CONTROL_FD, &ready, sizeof(ready), NULL, 0);
	while (ready.error == 0) {
		int n = sys_poll(fds, ARRAY_SIZE(fds), -1);

		if (n == -EINTR)
			continue;
		if (n < 0 || fds[1].revents || (fds[0].revents & ~POLLIN))
			break;
		if (fds[0].revents)
			serve();
	}
	sys_exit(0);
}
