/* SPDX-License-Identifier: MIT */

/* See ns.h. */

#include "ns.h"
#include "holder.h"
#include "protocol.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STACK_SIZE 65536u

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* ------------------------------------------------- the child, between clone3 and execveat */

/*
 * No libc below this line: this code runs in the caller's memory as another process, while the
 * thread that owns the thread-local storage goes on.
 */
#define CHILD_CODE                                                                                 \
	__attribute__((noinline, no_stack_protector, no_sanitize("address", "thread", "undefined")))

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return ret;
}

static const char *const no_environment[] = { NULL };

/* Moves everything out of the way of the final numbers, then into place; all else is closed. */
CHILD_CODE static long child_place_fds(const struct spawn *s)
{
	int from[SPAWN_FDS + 2], n = s->n_fds + 2, i;
	long r;

	for (i = 0; i < n; i++) {
		int fd = i < s->n_fds ? s->fds[i] : i == s->n_fds ? s->image : s->child_gate;

		r = raw_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3 + SPAWN_FDS + 2, 0, 0);
		if (r < 0)
			return r;
		from[i] = (int)r;
	}
	for (i = 0; i < n; i++) {
		r = raw_syscall(SYS_dup3, from[i], 3 + i, i < s->n_fds ? 0 : O_CLOEXEC, 0, 0);
		if (r < 0)
			return r;
	}
	(void)raw_syscall(SYS_close_range, 0, 2, 0, 0, 0);
	return raw_syscall(SYS_close_range, 3 + n, ~0u, 0, 0, 0);
}

/*
 * Waits for the byte that says "mapped", or for the death of the creator. The descriptors are in
 * place by now: a child that still held the write end of the gate, its own or a sibling's, would
 * wait for ever after a kill -9 of the caller.
 */
CHILD_CODE static long child_wait_gate(int gate)
{
	struct pollfd fds[2] = { { .fd = gate, .events = POLLIN },
				 { .fd = CREATOR_FD, .events = POLLIN } };
	char byte;
	long r;

	do
		r = raw_syscall(SYS_poll, (long)fds, 2, -1, 0, 0);
	while (r == -EINTR);
	if (r < 0)
		return r;
	return raw_syscall(SYS_read, gate, (long)&byte, 1, 0, 0) == 1 ? 0 : -EPIPE;
}

/*
 * All capabilities go over the exec as ambient ones, because the child may be root nowhere yet. It
 * changes its ids only after the exec: here that would mark the memory that it shares, the
 * caller's, as not dumpable (commit_creds() in the kernel; capabilities and groups do not).
 */
CHILD_CODE static long child_keep_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };
	long r = raw_syscall(SYS_capset, (long)&head, (long)all, 0, 0, 0), cap;

	for (cap = 0; r >= 0; cap++)
		r = raw_syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return r == -EINVAL && cap > 1 ? 0 : r;
}

CHILD_CODE static long child_run(const struct spawn *s)
{
	const char *argv[2] = { s->name, NULL };
	int image = 3 + s->n_fds;
	uint64_t none = 0;
	long r = child_wait_gate(image + 1);

	if (r >= 0 && (s->flags & CLONE_NEWUSER)) {
		r = raw_syscall(SYS_setgroups, 0, 0, 0, 0, 0);
		if (r == -EPERM && s->map_way == MAP_OWN_ID)
			r = 0; /* the price of mapping without privileges: user_namespaces(7) */
		if (r >= 0)
			r = child_keep_capabilities();
	}
	if (r < 0)
		return r;
	(void)raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof(none), 0);
	return raw_syscall(SYS_execveat, image, (long)"", (long)argv, (long)no_environment,
			   AT_EMPTY_PATH);
}

/* Without the descriptors in place there is nobody to tell: the parent sees the end of file. */
CHILD_CODE __attribute__((noreturn, used)) static void child_main(const struct spawn *s)
{
	struct failed f = { .type = MSG_FAILED, .step = STEP_CLONE, .index = -1 };

	if (child_place_fds(s) >= 0) {
		f.error = (int32_t)child_run(s);
		(void)raw_syscall(SYS_write, CONTROL_FD, (long)&f, sizeof(f), 0, 0);
	}
	for (;;)
		(void)raw_syscall(SYS_exit_group, 127, 0, 0, 0, 0);
}

/* clone3 whose child goes on with child_main(s) on the stack given in `args`. */
CHILD_CODE static long clone_child(struct clone_args *args, const struct spawn *s)
{
	long ret;

	__asm__ volatile("movq %[s], %%r12\n\t"
			 "syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "movq %%r12, %%rdi\n\t"
			 "call *%[fn]\n\t"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone3), "D"(args),
			   "S"(sizeof(*args)), [s] "r"(s), [fn] "b"(child_main)
			 : "rcx", "r11", "r12", "memory");
	return ret;
}

/* ------------------------------------------------------------------ the helper thread */

static int fail_at(struct spawn *s, int step, int code)
{
	s->failed_step = step;
	return code;
}

static int join_and_clone(struct spawn *s)
{
	struct clone_args args = {
		.flags = s->flags | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)&s->pidfd,
		.stack = (uint64_t)(uintptr_t)s->stack,
		.stack_size = STACK_SIZE,
		.exit_signal = 0,
	};
	long pid;
	int r;

	if (s->cgroup) {
		r = cgroup_join_thread(s->cgroup);
		if (r < 0)
			return fail_at(s, STEP_CGROUP, r);
		if (s->cgroup->dir[H_V2] >= 0)
			args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)s->cgroup->dir[H_V2];
	}
	if (s->netns >= 0 && setns(s->netns, CLONE_NEWNET) < 0)
		return fail_at(s, STEP_NETNS, -errno);
	pid = clone_child(&args, s);
	if (pid < 0) {
		s->pidfd = -1; /* the kernel may have written one before it failed */
		return fail_at(s, STEP_CLONE, (int)pid);
	}
	s->pid = (int)pid;
	s->pidfd = fd_above_stdio(s->pidfd);
	return s->pidfd < 0 ? fail_at(s, STEP_CLONE, -EMFILE) : 0;
}

static int write_proc(int pid, const char *file, const char *text)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	size_t n = strlen(text);

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		return -errno;
	return 0;
}

static int write_map(int pid, const char *file, const struct id_maps *maps)
{
	char text[ID_MAPS_MAX * 40];
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < maps->n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%u %u %u\n",
				      maps->lines[i].inside, maps->lines[i].outside,
				      maps->lines[i].count);
	return write_proc(pid, file, text);
}

/*
 * The program is setuid root and checks in /etc/subuid or /etc/subgid that the ids are the
 * caller's.
 */
static int run_newidmap(const char *program, int pid, const struct id_maps *maps)
{
	char words[1 + 3 * ID_MAPS_MAX][16];
	char *argv[3 + 3 * ID_MAPS_MAX] = { (char *)program, words[0] }, *env[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	siginfo_t info = { 0 };
	pid_t child;
	uint32_t i, n = 1;
	int r;

	(void)snprintf(words[0], sizeof(words[0]), "%d", pid);
	for (i = 0; i < maps->n; i++) {
		(void)snprintf(words[n], sizeof(words[n]), "%u", maps->lines[i].inside);
		(void)snprintf(words[n + 1], sizeof(words[n]), "%u", maps->lines[i].outside);
		(void)snprintf(words[n + 2], sizeof(words[n]), "%u", maps->lines[i].count);
		n += 3;
	}
	for (i = 0; i < n; i++)
		argv[1 + i] = words[i];
	if (posix_spawnattr_init(&attr))
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&actions)) {
		(void)posix_spawnattr_destroy(&attr);
		return -ENOMEM;
	}
	for (i = 0; i < 3; i++) /* what it prints is said by its status as well */
		(void)posix_spawn_file_actions_addopen(&actions, (int)i, "/dev/null", O_RDWR, 0);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn(&child, program, &actions, &attr, argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	if (r)
		return -r;
	while (waitid(P_PID, (id_t)child, &info, WEXITED) < 0)
		if (errno != EINTR)
			return 0; /* the caller ignores SIGCHLD: the missing map will show */
	return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : -EPERM;
}

static int map_ids(const struct spawn *s)
{
	int r;

	switch (s->map_way) {
	case MAP_NEWUIDMAP:
		r = run_newidmap("/usr/bin/newuidmap", s->pid, &s->uids);
		return r < 0 ? r : run_newidmap("/usr/bin/newgidmap", s->pid, &s->gids);
	case MAP_OWN_ID:
		r = write_proc(s->pid, "setgroups", "deny");
		if (r < 0)
			return r;
		break;
	case MAP_WRITE:
		break;
	}
	r = write_map(s->pid, "uid_map", &s->uids);
	return r < 0 ? r : write_map(s->pid, "gid_map", &s->gids);
}

static int map_and_release(struct spawn *s)
{
	int r = s->flags & CLONE_NEWUSER ? map_ids(s) : 0;

	if (r < 0)
		return fail_at(s, STEP_IDMAP, r);
	return write(s->gate[1], "", 1) == 1 ? 0 : fail_at(s, STEP_CLONE, -errno);
}

static void *helper_main(void *data)
{
	int r = join_and_clone(data);

	if (r >= 0)
		r = map_and_release(data);
	return (void *)(intptr_t)r;
}

/* With every signal blocked: a handler of the caller must not run in the thread or the child. */
static int start_helper(struct spawn *s)
{
	sigset_t all;
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	(void)sigfillset(&all);
	(void)pthread_attr_setsigmask_np(&attr, &all);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	r = pthread_create(&s->thread, &attr, helper_main, s);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

int spawn_begin(struct spawn *s)
{
	int r;

	s->pid = s->pidfd = -1;
	s->gate[0] = s->gate[1] = -1;
	s->failed_step = STEP_CLONE;
	s->stack = NULL;
	if (s->holder)
		return holder_spawn(s->holder, s);
	s->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (s->stack == MAP_FAILED) {
		s->stack = NULL;
		return -errno;
	}
	r = pipe2(s->gate, O_CLOEXEC) < 0 ? -errno : 0;
	s->child_gate = s->gate[0];
	if (r == 0)
		r = start_helper(s);
	if (r < 0)
		spawn_settle(s);
	return r;
}

int spawn_finish(struct spawn *s)
{
	void *result;
	int r;

	if (s->holder)
		return 0;
	r = -pthread_join(s->thread, &result);

	if (r == 0)
		r = (int)(intptr_t)result;
	if (r < 0) {
		spawn_kill(s->pidfd); /* before its stack is taken away */
		s->pidfd = close_fd(s->pidfd);
		spawn_settle(s);
	}
	return r;
}

/*
 * The child's copy of the gate's read end closes when it executes; with ours closed too the write
 * end then reports an error condition. The struct stays as it is until then: the child reads it.
 */
int spawn_await_exec(struct spawn *s)
{
	struct pollfd gate = { .fd = s->gate[1], .events = 0 };

	close_fd(s->gate[0]);
	while (!s->holder && poll(&gate, 1, -1) < 0 && errno == EINTR)
		;
	s->gate[0] = -1;
	return fd_is_readable(s->pidfd) ? -ECHILD : 0;
}

void spawn_settle(struct spawn *s)
{
	s->gate[0] = close_fd(s->gate[0]);
	s->gate[1] = close_fd(s->gate[1]);
	if (s->stack)
		(void)munmap(s->stack, STACK_SIZE);
	s->stack = NULL;
}

/*
 * ECHILD: it was reaped already (the caller ignores SIGCHLD or waits for everything), or is the
 * holder's child. Its pidfd becomes readable when it is gone, in either case.
 */
void spawn_kill(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	siginfo_t info;
	int r;

	if (pidfd < 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	do
		r = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL);
	while (r < 0 && errno == EINTR);
	while (r < 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}
