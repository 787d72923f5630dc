/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * System calls without a C library: one thin function for each call that init and the relay make.
 * All return what the kernel returns: a negative errno on failure.
 *
 * Only kernel headers are used. What they keep for C libraries (msghdr, statfs flags, socket
 * constants) and what those of an older distribution lack (Landlock) is defined here.
 */

#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <linux/wait.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC O_CLOEXEC
#define SOL_SOCKET 1
#define SO_ERROR 4
#define SCM_RIGHTS 1
#define SHUT_WR 1
#define MSG_CTRUNC 0x08
#define MSG_TRUNC 0x20
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define MNT_DETACH 2
#define PROT_READ 1
#define MAP_PRIVATE 2
#define MADV_DONTNEED 4
#ifndef SIG_SETMASK
#define SIG_SETMASK 2
#endif

/* The signal mask of the kernel's interface. */
#define SIGNAL_BIT(s) (1ul << ((s)-1))
#define SIGNAL_MAX 64

struct iovec {
	void *base;
	size_t size;
};

struct msghdr {
	void *name;
	uint32_t name_size;
	struct iovec *iov;
	size_t n_iov;
	void *control;
	size_t control_size;
	uint32_t flags;
};

struct cmsghdr {
	size_t size; /* of header and data */
	int32_t level;
	int32_t type;
};

static inline long sys6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Fewer registers to load: most calls have at most three arguments. */
static inline long sys3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline _Noreturn void sys_exit(int code)
{
	for (;;)
		sys3(__NR_exit_group, code, 0, 0);
}

static inline long sys_read(int fd, void *p, size_t n)
{
	return sys3(__NR_read, fd, (long)p, (long)n);
}

static inline long sys_write(int fd, const void *p, size_t n)
{
	return sys3(__NR_write, fd, (long)p, (long)n);
}

static inline long sys_pread(int fd, void *p, size_t n, long offset)
{
	return sys6(__NR_pread64, fd, (long)p, (long)n, offset, 0, 0);
}

static inline int sys_close(int fd)
{
	return (int)sys3(__NR_close, fd, 0, 0);
}

static inline int sys_open(const char *path, int flags)
{
	return (int)sys6(__NR_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, 0, 0, 0);
}

static inline int sys_openat(int dir, const char *path, int flags)
{
	return (int)sys6(__NR_openat, dir, (long)path, flags | O_CLOEXEC, 0, 0, 0);
}

static inline int sys_openat2(int dir, const char *path, int flags, int mode, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.mode = (uint64_t)mode,
				.resolve = resolve };

	return (int)sys6(__NR_openat2, dir, (long)path, (long)&how, sizeof(how), 0, 0);
}

static inline int sys_fstat(int fd, struct stat *ret)
{
	return (int)sys3(__NR_fstat, fd, (long)ret, 0);
}

static inline int sys_fstatfs(int fd, struct statfs *ret)
{
	return (int)sys3(__NR_fstatfs, fd, (long)ret, 0);
}

static inline int sys_statx(int fd, const char *path, int flags, uint32_t mask, struct statx *ret)
{
	return (int)sys6(__NR_statx, fd, (long)path, flags, mask, (long)ret, 0);
}

static inline int sys_mkdirat(int dir, const char *path, uint32_t mode)
{
	return (int)sys3(__NR_mkdirat, dir, (long)path, mode);
}

static inline int sys_symlinkat(const char *data, int dir, const char *path)
{
	return (int)sys3(__NR_symlinkat, (long)data, dir, (long)path);
}

static inline long sys_readlinkat(int dir, const char *path, char *ret, size_t n)
{
	return sys6(__NR_readlinkat, dir, (long)path, (long)ret, (long)n, 0, 0);
}

static inline int sys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	return (int)sys6(__NR_fchownat, dir, (long)path, uid, gid, flags, 0);
}

static inline int sys_fchmod(int fd, uint32_t mode)
{
	return (int)sys3(__NR_fchmod, fd, mode, 0);
}

static inline int sys_fchmodat(int dir, const char *path, uint32_t mode)
{
	return (int)sys3(__NR_fchmodat, dir, (long)path, mode);
}

static inline int sys_ftruncate(int fd, long size)
{
	return (int)sys3(__NR_ftruncate, fd, size, 0);
}

static inline int sys_chdir(const char *path)
{
	return (int)sys3(__NR_chdir, (long)path, 0, 0);
}

static inline int sys_fchdir(int fd)
{
	return (int)sys3(__NR_fchdir, fd, 0, 0);
}

static inline void sys_umask(uint32_t mask)
{
	(void)sys3(__NR_umask, mask, 0, 0);
}

static inline int sys_dupfd(int fd, int lowest)
{
	return (int)sys3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
}

static inline int sys_dup3(int fd, int target, int flags)
{
	return (int)sys3(__NR_dup3, fd, target, flags);
}

static inline int sys_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
	return (int)sys3(__NR_close_range, first, last, flags);
}

static inline int sys_poll(struct pollfd *fds, uint32_t n, int timeout_ms)
{
	return (int)sys3(__NR_poll, (long)fds, n, timeout_ms);
}

static inline void *sys_mmap_file(int fd, size_t size)
{
	return (void *)sys6(__NR_mmap, 0, (long)size, PROT_READ, MAP_PRIVATE, fd, 0);
}

static inline int sys_madvise(void *p, size_t size, int advice)
{
	return (int)sys3(__NR_madvise, (long)p, (long)size, advice);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b)
{
	return (int)sys6(__NR_prctl, option, (long)a, (long)b, 0, 0, 0);
}

static inline int sys_sethostname(const char *name, size_t n)
{
	return (int)sys3(__NR_sethostname, (long)name, (long)n, 0);
}

static inline int sys_sigprocmask(int how, unsigned long mask)
{
	return (int)sys6(__NR_rt_sigprocmask, how, (long)&mask, 0, sizeof(mask), 0, 0);
}

static inline int sys_sigaction(int sig, const struct sigaction *action)
{
	return (int)sys6(__NR_rt_sigaction, sig, (long)action, 0, sizeof(unsigned long), 0, 0);
}

static inline int sys_signalfd(unsigned long mask)
{
	return (int)sys6(__NR_signalfd4, -1, (long)&mask, sizeof(mask), O_CLOEXEC | O_NONBLOCK, 0,
			 0);
}

static inline int sys_clone3(struct clone_args *args)
{
	return (int)sys3(__NR_clone3, (long)args, sizeof(*args), 0);
}

static inline int sys_wait4(int pid, int *ret_status, int options, struct rusage *ret_usage)
{
	return (int)sys6(__NR_wait4, pid, (long)ret_status, options, (long)ret_usage, 0, 0);
}

static inline int sys_execve(const char *path, char *const *argv, char *const *env)
{
	return (int)sys3(__NR_execve, (long)path, (long)argv, (long)env);
}

static inline int sys_execveat(int fd, char *const *argv, char *const *env)
{
	return (int)sys6(__NR_execveat, fd, (long)"", (long)argv, (long)env, AT_EMPTY_PATH, 0);
}

static inline int sys_kill(int pid, int sig)
{
	return (int)sys3(__NR_kill, pid, sig, 0);
}

static inline int sys_pipe2(int *ret, int flags)
{
	return (int)sys3(__NR_pipe2, (long)ret, flags, 0);
}

static inline int sys_setns(int fd, unsigned long type)
{
	return (int)sys3(__NR_setns, fd, (long)type, 0);
}

static inline int sys_setsid(void)
{
	return (int)sys3(__NR_setsid, 0, 0, 0);
}

static inline int sys_setgroups(size_t n, const uint32_t *groups)
{
	return (int)sys3(__NR_setgroups, (long)n, (long)groups, 0);
}

static inline int sys_setresuid(uint32_t id)
{
	return (int)sys3(__NR_setresuid, id, id, id);
}

static inline int sys_setresgid(uint32_t id)
{
	return (int)sys3(__NR_setresgid, id, id, id);
}

static inline int sys_capget(struct __user_cap_header_struct *h, struct __user_cap_data_struct *d)
{
	return (int)sys3(__NR_capget, (long)h, (long)d, 0);
}

static inline int sys_capset(struct __user_cap_header_struct *h, struct __user_cap_data_struct *d)
{
	return (int)sys3(__NR_capset, (long)h, (long)d, 0);
}

static inline int sys_prlimit(uint32_t resource, const struct rlimit64 *new, struct rlimit64 *old)
{
	return (int)sys6(__NR_prlimit64, 0, resource, (long)new, (long)old, 0, 0);
}

static inline int sys_seccomp(uint32_t operation, uint32_t flags, const void *args)
{
	return (int)sys3(__NR_seccomp, operation, flags, (long)args);
}

static inline int sys_mount_propagation(const char *path, unsigned long flags)
{
	return (int)sys6(__NR_mount, 0, (long)path, 0, (long)flags, 0, 0);
}

static inline int sys_umount(const char *path, int flags)
{
	return (int)sys3(__NR_umount2, (long)path, flags, 0);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)sys3(__NR_pivot_root, (long)new_root, (long)put_old, 0);
}

static inline int sys_fsopen(const char *type)
{
	return (int)sys3(__NR_fsopen, (long)type, FSOPEN_CLOEXEC, 0);
}

static inline int sys_fsconfig(int fs, uint32_t command, const char *key, const char *value)
{
	return (int)sys6(__NR_fsconfig, fs, command, (long)key, (long)value, 0, 0);
}

static inline int sys_fsmount(int fs, uint32_t attributes)
{
	return (int)sys3(__NR_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}

/* Attaches the mount `fd` to what `dir` and `path` name (path "": to `dir` itself). */
static inline int sys_move_mount(int fd, int dir, const char *path)
{
	uint32_t flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (!*path)
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return (int)sys6(__NR_move_mount, fd, (long)"", dir, (long)path, flags, 0);
}

static inline int sys_open_tree(const char *path, uint32_t flags)
{
	return (int)sys3(__NR_open_tree, AT_FDCWD, (long)path, flags);
}

static inline int sys_mount_setattr(int fd, uint32_t flags, struct mount_attr *attr)
{
	return (int)sys6(__NR_mount_setattr, fd, (long)"", AT_EMPTY_PATH | flags, (long)attr,
			 sizeof(*attr), 0);
}

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)sys3(__NR_socket, domain, type, protocol);
}

static inline int sys_connect(int fd, const void *address, uint32_t size)
{
	return (int)sys3(__NR_connect, fd, (long)address, size);
}

static inline int sys_accept4(int fd, int flags)
{
	return (int)sys6(__NR_accept4, fd, 0, 0, flags, 0, 0);
}

static inline int sys_shutdown(int fd, int how)
{
	return (int)sys3(__NR_shutdown, fd, how, 0);
}

static inline int sys_getsockopt(int fd, int level, int name, void *ret, uint32_t *size)
{
	return (int)sys6(__NR_getsockopt, fd, level, name, (long)ret, (long)size, 0);
}

static inline long sys_recv(int fd, void *p, size_t n, int flags)
{
	return sys6(__NR_recvfrom, fd, (long)p, (long)n, flags, 0, 0);
}

static inline long sys_send(int fd, const void *p, size_t n, int flags)
{
	return sys6(__NR_sendto, fd, (long)p, (long)n, flags, 0, 0);
}

static inline long sys_recvmsg(int fd, struct msghdr *m, int flags)
{
	return sys3(__NR_recvmsg, fd, (long)m, flags);
}

static inline long sys_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return sys3(__NR_sendmsg, fd, (long)m, flags);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)sys3(__NR_ioctl, fd, (long)request, (long)argument);
}

static inline int sys_landlock_create(const void *attr, size_t size, uint32_t flags)
{
	return (int)sys3(__NR_landlock_create_ruleset, (long)attr, (long)size, flags);
}

static inline int sys_landlock_add(int ruleset, uint32_t type, const void *attr)
{
	return (int)sys6(__NR_landlock_add_rule, ruleset, type, (long)attr, 0, 0, 0);
}

static inline int sys_landlock_restrict(int ruleset)
{
	return (int)sys3(__NR_landlock_restrict_self, ruleset, 0, 0);
}
