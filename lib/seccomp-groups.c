/* SPDX-License-Identifier: MIT */

/*
 * What the names in a policy stand for. Three tables and a list:
 *
 *   groups     "@files" and friends, made of system calls and other groups
 *   checks     what the arguments of some calls must be; they belong to the call, so they hold
 *              however a policy came to allow it
 *   refused    calls that no policy can allow, each with the reason that its author is told
 *   fallbacks  calls that fail with ENOSYS rather than EPERM, because libraries try them first
 *              and do without when the kernel "does not have" them
 *
 * Knowingly left out of every group (a policy may name them): chown family (without capabilities it
 * can only fail or do nothing), writing extended attributes, memory locking, scheduling classes,
 * I/O priorities and NUMA placement, sync(2) and syncfs(2) (they make the host write), flock(2)
 * (the files below /usr are shared between jails: a lock is a message), vmsplice(2), the libaio
 * family, POSIX message queues, changing ids, personality(2), installing further filters.
 */

#include "seccomp-filter.h"
#include "util/util.h"
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* clang-format off */
const struct seccomp_group seccomp_groups[] = {
	{ "@base", "what every program needs: memory, time, signals, threads, descriptors, exec",
	  NAMES("@memory", "@time", "@signals", "@threads", "@io", "@identity",
		"execve", "exit", "exit_group", "wait4", "waitid", "arch_prctl",
		"prctl", "prlimit64", "getrlimit", "setrlimit", "getrusage", "times", "uname",
		"sysinfo", "getrandom") },
	{ "@memory", "mappings and protection keys, PROT_EXEC included: just-in-time compilers",
	  NAMES("brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "mincore", "msync",
		"membarrier", "pkey_alloc", "pkey_free", "pkey_mprotect") },
	{ "@time", "reading clocks, sleeping, timers",
	  NAMES("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
		"time", "alarm", "getitimer", "setitimer", "timer_create", "timer_settime",
		"timer_gettime", "timer_getoverrun", "timer_delete", "timerfd_create",
		"timerfd_settime", "timerfd_gettime") },
	{ "@signals", "handling and sending; the process namespace says to whom",
	  NAMES("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
		"rt_sigsuspend", "rt_sigtimedwait", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
		"sigaltstack", "restart_syscall", "signalfd", "signalfd4", "kill", "tgkill",
		"tkill", "pause") },
	{ "@threads", "clone without namespaces, futexes, reading the scheduler",
	  NAMES("clone", "futex", "futex_waitv", "set_robust_list", "get_robust_list",
		"set_tid_address", "rseq", "gettid", "sched_yield", "sched_getaffinity",
		"sched_getparam", "sched_getscheduler", "sched_getattr",
		"sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval",
		"getcpu") },
	{ "@identity", "asking who one is, never changing it",
	  NAMES("getpid", "getppid", "getpgid", "getpgrp", "getsid", "getuid", "geteuid",
		"getgid", "getegid", "getresuid", "getresgid", "getgroups", "capget") },
	{ "@process", "fork and vfork by name (libc uses clone), sessions, niceness",
	  NAMES("fork", "vfork", "setpgid", "setsid", "getpriority",
		"setpriority", "ioprio_get") },
	{ "@io", "descriptors: reading, writing, pipes, polling, copying",
	  NAMES("read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev",
		"preadv2", "pwritev2", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
		"ioctl", "lseek", "pipe", "pipe2", "poll", "ppoll", "select", "pselect6",
		"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
		"epoll_pwait2", "eventfd", "eventfd2", "sendfile", "splice", "tee",
		"copy_file_range", "fstat", "newfstatat", "openat", "open", "readlink",
		"readlinkat", "access", "getcwd") },
	{ "@files", "everything on files that needs no privilege",
	  NAMES("creat", "stat", "lstat", "statx", "faccessat", "faccessat2", "getdents",
		"getdents64", "chdir", "fchdir", "rename", "renameat", "renameat2", "mkdir",
		"mkdirat", "rmdir", "link", "linkat", "unlink", "unlinkat", "symlink",
		"symlinkat", "chmod", "fchmod", "fchmodat", "truncate", "ftruncate", "fallocate",
		"fadvise64", "readahead", "utime", "utimes", "futimesat", "utimensat", "statfs",
		"fstatfs", "fsync", "fdatasync", "umask", "inotify_init", "inotify_init1",
		"inotify_add_watch", "inotify_rm_watch", "getxattr", "lgetxattr", "fgetxattr",
		"listxattr", "llistxattr", "flistxattr") },
	{ "@net", "unix, IPv4 and IPv6 sockets, and asking for the interfaces",
	  NAMES("socket", "socketpair", "bind", "listen", "accept", "accept4", "connect",
		"getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom",
		"sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown") },
	{ "@sysv-ipc", "System V shared memory and semaphores, private to the jail (Postgres)",
	  NAMES("shmget", "shmat", "shmdt", "shmctl", "semget", "semop", "semtimedop", "semctl") },
	{ "@fifo", "making named pipes", NAMES("mknod", "mknodat") },
	{ "@terminal", "lets an allowed ioctl change a terminal and its foreground job: shells",
	  (const char *const[]){ NULL } },
};
/* clang-format on */
const size_t seccomp_n_groups = ARRAY_SIZE(seccomp_groups);

/* Numbers by hand where the headers of the oldest system that we build on lack the name. */
#define TCGETS2_NR 0x802c542au
#define TCSETS2_NR 0x402c542bu
#define TCSETSW2_NR 0x402c542cu
#define TCSETSF2_NR 0x402c542du
#define PR_SET_VMA_NR 0x53564d41u
#define ARCH_CET_STATUS_NR 0x3001u
#define SHSTK_STATUS_NR 0x5005u

#define CLONE_DENIED                                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_UNTRACED | CLONE_PARENT)

#define TYPE_MASK (~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))

static const uint32_t socket_families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

/* clang-format off */
static const uint32_t socket_rows[] = {
	AF_UNIX, SOCK_STREAM, 0,
	AF_UNIX, SOCK_DGRAM, 0,
	AF_INET, SOCK_STREAM, 0,
	AF_INET, SOCK_STREAM, IPPROTO_TCP,
	AF_INET, SOCK_DGRAM, 0,
	AF_INET, SOCK_DGRAM, IPPROTO_UDP,
	AF_INET6, SOCK_STREAM, 0,
	AF_INET6, SOCK_STREAM, IPPROTO_TCP,
	AF_INET6, SOCK_DGRAM, 0,
	AF_INET6, SOCK_DGRAM, IPPROTO_UDP,
	AF_NETLINK, SOCK_RAW, 0 /* NETLINK_ROUTE: getifaddrs(3), getaddrinfo(3) */,
};

static const uint32_t socketpair_rows[] = {
	AF_UNIX, SOCK_STREAM, 0,
	AF_UNIX, SOCK_DGRAM, 0,
	AF_UNIX, SOCK_SEQPACKET, 0,
};

#define IOCTL_REQUESTS FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TCGETS, TCGETS2_NR, TIOCGWINSZ
static const uint32_t ioctl_requests[] = { IOCTL_REQUESTS };

/* Not TIOCSTI and TIOCLINUX, which type for others, TIOCSETD and TIOCCONS. */
static const uint32_t terminal_requests[] = {
	IOCTL_REQUESTS, TCSETS, TCSETSW, TCSETSF, TCSETS2_NR, TCSETSW2_NR, TCSETSF2_NR,
	TIOCGPGRP, TIOCSPGRP, TIOCSWINSZ, TIOCSCTTY, TIOCGSID,
};

/* Not F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ, F_SETOWN, F_SETSIG: signals and pages of others. */
static const uint32_t fcntl_commands[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
	F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ,
	F_GET_SEALS, F_ADD_SEALS,
};

/* PDEATHSIG is for Postgres, whose children refuse to start without it. */
static const uint32_t prctl_options[] = {
	PR_SET_NAME, PR_GET_NAME, PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE,
	PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP, PR_SET_VMA_NR,
};

static const uint32_t arch_prctl_options[] = {
	ARCH_SET_FS, ARCH_GET_FS, ARCH_CET_STATUS_NR, SHSTK_STATUS_NR,
};

static const uint32_t fifo_modes[] = { 0, S_IFREG, S_IFIFO };
static const uint32_t own_pid[] = { 0 };

#define ONE_OF(a, m, e, v) .op = CHECK_ONE_OF, .arg = (a), .mask = (m), .error = (e), \
	.values = (v), .n = ARRAY_SIZE(v)
#define TUPLES(e, v) .op = CHECK_TUPLES, .mask = TYPE_MASK, .error = (e), .values = (v), \
	.n = ARRAY_SIZE(v) / 3

const struct seccomp_check seccomp_checks[] = {
	{ "clone", .op = CHECK_NO_BITS, .arg = 0, .mask = CLONE_DENIED, .error = EPERM,
	  .text = "no new namespaces, no PTRACE, UNTRACED or PARENT" },
	{ "socket", ONE_OF(0, ~0u, EAFNOSUPPORT, socket_families),
	  .text = "families unix, inet, inet6, netlink" },
	{ "socket", TUPLES(EPROTONOSUPPORT, socket_rows),
	  .text = "unix stream and datagram, TCP, UDP, netlink route" },
	{ "socketpair", ONE_OF(0, ~0u, EAFNOSUPPORT, (const uint32_t[]){ AF_UNIX }),
	  .text = "family unix" },
	{ "socketpair", TUPLES(EPROTONOSUPPORT, socketpair_rows),
	  .text = "stream, datagram, seqpacket" },
	{ "ioctl", ONE_OF(1, ~0u, ENOTTY, ioctl_requests), .group = "@terminal", .without = true,
	  .text = "FIONBIO FIOCLEX FIONCLEX FIONREAD TCGETS TCGETS2 TIOCGWINSZ" },
	{ "ioctl", ONE_OF(1, ~0u, ENOTTY, terminal_requests), .group = "@terminal",
	  .text = "the same, and setting a terminal's modes, size, foreground group and session" },
	{ "fcntl", ONE_OF(1, ~0u, EPERM, fcntl_commands),
	  .text = "descriptors, flags, locks, seals; no leases, owners, signals, pipe sizes" },
	{ "prctl", ONE_OF(0, ~0u, EINVAL, prctl_options),
	  .text = "names, PDEATHSIG, reading dumpable, bounding set, no_new_privs and seccomp" },
	{ "arch_prctl", ONE_OF(0, ~0u, EPERM, arch_prctl_options),
	  .text = "SET_FS, GET_FS, asking for shadow stacks" },
	{ "prlimit64", ONE_OF(0, ~0u, EPERM, own_pid), .text = "the caller's own limits" },
	{ "mknod", ONE_OF(1, S_IFMT, EPERM, fifo_modes), .text = "named pipes and files" },
	{ "mknodat", ONE_OF(2, S_IFMT, EPERM, fifo_modes), .text = "named pipes and files" },
};
/* clang-format on */
const size_t seccomp_n_checks = ARRAY_SIZE(seccomp_checks);

/*
 * openat2, pidfd_open and pidfd_send_signal would be harmless, but their callers all have another
 * way; execveat and memfd_create run code that no file of the jail holds.
 */
const char *const seccomp_fallbacks[] = {
	"clone3",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"memfd_create",
	"memfd_secret",
	"openat2",
	"execveat",
	"pidfd_open",
	"pidfd_send_signal",
	"landlock_create_ruleset",
	"landlock_add_rule",
	"landlock_restrict_self",
	NULL,
};

#define WHY_POINTER                                                                                \
	"its flags lie behind a pointer: namespaces could not be refused; libc falls back to "     \
	"clone"
#define WHY_RING "what runs through a ring is not seen by any filter"
#define WHY_MOUNT "it changes the file tree that the jail is made of"
#define WHY_OTHERS "it reaches into other processes"
#define WHY_NAMESPACE "it makes or enters namespaces"
#define WHY_KEYS "keyrings outlive the jail and are shared with the host"
#define WHY_KERNEL "it is kernel attack surface that no submission needs"
#define WHY_HOST "it acts on the whole host"
#define WHY_HANDLE "file handles lead around the jail's root"

const struct seccomp_refused seccomp_refused[] = {
	{ "clone3", WHY_POINTER },
	{ "io_uring_setup", WHY_RING },
	{ "io_uring_enter", WHY_RING },
	{ "io_uring_register", WHY_RING },
	{ "mount", WHY_MOUNT },
	{ "umount2", WHY_MOUNT },
	{ "pivot_root", WHY_MOUNT },
	{ "chroot", WHY_MOUNT },
	{ "fsopen", WHY_MOUNT },
	{ "fsconfig", WHY_MOUNT },
	{ "fsmount", WHY_MOUNT },
	{ "fspick", WHY_MOUNT },
	{ "move_mount", WHY_MOUNT },
	{ "open_tree", WHY_MOUNT },
	{ "mount_setattr", WHY_MOUNT },
	{ "ptrace", WHY_OTHERS },
	{ "process_vm_readv", WHY_OTHERS },
	{ "process_vm_writev", WHY_OTHERS },
	{ "process_madvise", WHY_OTHERS },
	{ "process_mrelease", WHY_OTHERS },
	{ "pidfd_getfd", WHY_OTHERS },
	{ "kcmp", WHY_OTHERS },
	{ "move_pages", WHY_OTHERS },
	{ "migrate_pages", WHY_OTHERS },
	{ "setns", WHY_NAMESPACE },
	{ "unshare", WHY_NAMESPACE },
	{ "keyctl", WHY_KEYS },
	{ "add_key", WHY_KEYS },
	{ "request_key", WHY_KEYS },
	{ "bpf", WHY_KERNEL },
	{ "userfaultfd", WHY_KERNEL },
	{ "perf_event_open", WHY_KERNEL },
	{ "modify_ldt", WHY_KERNEL },
	{ "uselib", WHY_KERNEL },
	{ "remap_file_pages", WHY_KERNEL },
	{ "lookup_dcookie", WHY_KERNEL },
	{ "fanotify_init", WHY_KERNEL },
	{ "fanotify_mark", WHY_KERNEL },
	{ "name_to_handle_at", WHY_HANDLE },
	{ "open_by_handle_at", WHY_HANDLE },
	{ "kexec_load", WHY_HOST },
	{ "kexec_file_load", WHY_HOST },
	{ "init_module", WHY_HOST },
	{ "finit_module", WHY_HOST },
	{ "delete_module", WHY_HOST },
	{ "create_module", WHY_HOST },
	{ "reboot", WHY_HOST },
	{ "swapon", WHY_HOST },
	{ "swapoff", WHY_HOST },
	{ "iopl", WHY_HOST },
	{ "ioperm", WHY_HOST },
	{ "acct", WHY_HOST },
	{ "quotactl", WHY_HOST },
	{ "quotactl_fd", WHY_HOST },
	{ "settimeofday", WHY_HOST },
	{ "clock_settime", WHY_HOST },
	{ "clock_adjtime", WHY_HOST },
	{ "adjtimex", WHY_HOST },
	{ "sethostname", WHY_HOST },
	{ "setdomainname", WHY_HOST },
	{ "syslog", WHY_HOST },
	{ "vhangup", WHY_HOST },
	{ "nfsservctl", WHY_HOST },
};
const size_t seccomp_n_refused = ARRAY_SIZE(seccomp_refused);
