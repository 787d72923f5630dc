/* SPDX-License-Identifier: MIT */

/*
 * Tries one thing and says what came of it: exit status 0 it worked, otherwise the errno. Linked
 * statically and run both inside jails, where it must fail, and where it is allowed, where it must
 * work: a denial whose control does not succeed proves nothing.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static int try_open(const char *path)
{
	return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int try_write(const char *path)
{
	return result(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_mount(const char *dir)
{
	return result(mount("none", dir, "tmpfs", 0, NULL));
}

static int try_unshare(const char *unused)
{
	return result(unshare(CLONE_NEWUSER));
}

static int try_clone_newuser(const char *unused)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return result(pid);
}

static int try_clone3(const char *unused)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return result(pid);
}

static int try_ptrace(const char *unused)
{
	pid_t pid = fork();
	int r;

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	r = result(ptrace(PTRACE_SEIZE, pid, 0, 0));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

static int try_keyctl(const char *unused)
{
	return result(
		syscall(SYS_add_key, "user", "sandbox-probe", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

static int try_bpf(const char *unused)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

static int try_io_uring(const char *unused)
{
	char params[120] = { 0 };

	return result(syscall(SYS_io_uring_setup, 1, params));
}

static int try_memfd(const char *unused)
{
	return result(memfd_create("probe", 0));
}

static int try_userfaultfd(const char *unused)
{
	return result(syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int try_setuid(const char *unused)
{
	return result(setuid(0));
}

static int try_chroot(const char *unused)
{
	return result(chroot("/"));
}

static int try_socket_vsock(const char *unused)
{
	return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}

/* The kernel looks at the lower 32 bits only; a filter that compares 64 lets this through. */
static int try_socket_high_bit(const char *unused)
{
	return result(syscall(SYS_socket, (1L << 32) | AF_VSOCK, SOCK_STREAM, 0));
}

static int try_packet(const char *unused)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_connect(const char *where)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char host[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
	socklen_t size = sizeof(error);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	unsigned int port;

	if (sscanf(where, "%63[^:]:%u", host, &port) != 2 ||
	    inet_pton(AF_INET, host, &a.sin_addr) != 1)
		return EINVAL;
	a.sin_port = htons((uint16_t)port);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, 5000) <= 0)
		return ETIMEDOUT;
	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

static int try_interfaces(const char *unused)
{
	char name[64];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	FILE *f;

	(void)fd;
	f = fopen("/proc/net/route", "r");
	if (!f)
		return errno;
	return fgets(name, sizeof(name), f) ? 0 : ENODATA;
}

/* 200 children at once. */
static int try_inotify(const char *count)
{
	int n = atoi(count);

	for (; n > 0; n--)
		if (inotify_init1(IN_CLOEXEC) < 0)
			return errno;
	return 0;
}

static int try_forks(const char *count)
{
	int n = atoi(count), i, r = 0, made = 0;
	pid_t pids[1024];

	for (i = 0; i < n && i < 1024; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)pause();
			_exit(0);
		}
		if (pid < 0) {
			r = errno;
			break;
		}
		pids[made++] = pid;
	}
	for (i = 0; i < made; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	return r;
}

static int try_memory(const char *mebibytes)
{
	size_t n = (size_t)atoi(mebibytes) << 20, i;
	volatile char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				0);

	if (p == MAP_FAILED)
		return errno;
	for (i = 0; i < n; i += 4096)
		p[i] = 1;
	return 0;
}

/* "PATH:MEBIBYTES" */
static int try_fill(const char *what)
{
	static char block[65536];
	char path[256];
	int n, fd, i;

	if (sscanf(what, "%255[^:]:%d", path, &n) != 2)
		return EINVAL;
	memset(block, 'x', sizeof(block));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return errno;
	for (i = 0; i < n * 16; i++)
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			return errno ? errno : ENOSPC;
	return 0;
}

static int try_files(const char *what)
{
	char dir[200], path[256];
	int n, i, fd;

	if (sscanf(what, "%199[^:]:%d", dir, &n) != 2)
		return EINVAL;
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/f%d", dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return errno;
		(void)close(fd);
	}
	return 0;
}

static int try_spin(const char *unused)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
	return 0;
}

/* Until so much cpu time is used by its own account, which it prints in nanoseconds. */
static int try_burn(const char *milliseconds)
{
	long long used, wanted = atoll(milliseconds) * 1000000;
	struct timespec t;

	do {
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		used = t.tv_sec * 1000000000ll + t.tv_nsec;
	} while (used < wanted);
	(void)printf("%lld\n", used);
	return 0;
}

static int try_exit(const char *code)
{
	return atoi(code);
}

static int try_raise(const char *sig)
{
	return result(raise(atoi(sig)));
}

static int try_sleep(const char *seconds)
{
	(void)sleep((unsigned int)atoi(seconds));
	return 0;
}

static int try_output(const char *kibibytes)
{
	char line[1024];
	int i, n = atoi(kibibytes);

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (i = 0; i < n; i++)
		if (write(1, line, sizeof(line)) < 0)
			return errno;
	return 0;
}

/* Closes what it could write to, and lives on. */
static int try_mute(const char *unused)
{
	(void)close(1);
	(void)close(2);
	while (pause() < 0)
		;
	return 0;
}

/* Descriptors besides the three: whoever started us must not have leaked one. */
static int try_extra_fds(const char *unused)
{
	int fd;

	for (fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	return EBADF;
}

/* Works where any capability is left, or may come back by executing a file. */
static int try_capabilities(const char *unused)
{
	char line[256];
	unsigned long long caps, all = 0;
	FILE *f = fopen("/proc/self/status", "r");

	if (!f)
		return errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Cap%*[a-zA-Z]: %llx", &caps) == 1)
			all |= caps;
	(void)fclose(f);
	return all ? 0 : EPERM;
}

static int try_new_privileges(const char *unused)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static int try_signal_init(const char *pid)
{
	return result(kill(atoi(pid), 0));
}

/* Another process with the same uid as ours outside: can it be seen? */
static int try_see_pid(const char *pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	return result(access(path, R_OK));
}

static int try_i386(const char *unused)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "memory"); /* getpid */
	return ret > 0 ? 0 : ENOSYS;
}

static int try_chmod_suid(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat st;

	if (fd < 0 || fchmod(fd, 04755) < 0 || fstat(fd, &st) < 0)
		return errno;
	return st.st_mode & S_ISUID ? 0 : EPERM;
}

static int try_mknod(const char *path)
{
	return result(mknod(path, S_IFCHR | 0600, 0x0103)); /* 1:3, null */
}

static int try_listen(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_ANY) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0)
		return errno;
	(void)!write(1, "listening\n", 10);
	(void)pause();
	return 0;
}

static int try_orphans(const char *count)
{
	int i, n = atoi(count);

	for (i = 0; i < n; i++)
		if (fork() == 0) {
			if (setsid() >= 0 && fork() == 0) {
				(void)signal(SIGTERM, SIG_IGN);
				for (;;)
					(void)pause();
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	return 0;
}

/* Standard input to standard output. */
static int try_echo(const char *unused)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(0, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) != n)
			return errno;
	return result(n);
}

/* Ends at once and leaves a child that writes for as long as somebody reads. */
static int try_flood(const char *unused)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	if (fork() == 0)
		while (write(1, block, sizeof(block)) > 0)
			;
	return 0;
}

/* Whoever connects to the port is told what came on standard input. */
static int try_answer(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), c, one = 1;
	char word[256];
	ssize_t n = read(0, word, sizeof(word));

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (n < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 8) < 0)
		return errno;
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		(void)!write(c, word, (size_t)n);
		(void)close(c);
	}
	return errno;
}

/* Connects to the port and writes what it is told there to standard output. */
static int try_ask(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || dup2(fd, 0) < 0)
		return errno;
	return try_echo(NULL);
}

/* "PORT" on 127.0.0.1 or "PORT/6" on ::1: every connection gets back what it sends. */
static int try_echo_server(const char *where)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int six = strchr(where, '/') != NULL, fd, c;

	v4.sin_port = v6.sin6_port = htons((uint16_t)atoi(where));
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
		 six ? sizeof(v6) : sizeof(v4)) < 0 ||
	    listen(fd, 64) < 0)
		return errno;
	(void)signal(SIGCHLD, SIG_IGN);
	while ((c = accept(fd, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			(void)dup2(c, 0);
			(void)dup2(c, 1);
			(void)close(c);
			_exit(try_echo(NULL));
		}
		(void)close(c);
	}
	return errno;
}

/* Works if the file mode creation mask is the given one, in octal. */
static int try_umask(const char *octal)
{
	return umask(0) == (mode_t)strtoul(octal, NULL, 8) ? 0 : EPERM;
}

/* Calls that a trace must show with these names and arguments, and nothing that depends on luck. */
static int try_calls(const char *unused)
{
	static const char path[] = "/nowhere";

	(void)syscall(SYS_getppid);
	(void)syscall(SYS_mount, 0, path, 0, 0x1234, 0);
	(void)syscall(SYS_openat2, -100, path, 0, 0);
	(void)syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	(void)syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
	(void)syscall(SYS_lseek, -1L, 0x123456789abcL, 2);
	(void)syscall(1000, 1, 2, 3, 4, 5, 6);
	return 42;
}

static int try_calls_forever(const char *unused)
{
	for (;;)
		(void)syscall(SYS_getppid);
	return 0;
}

static void *thread_calls(void *unused)
{
	(void)syscall(SYS_getsid, 0);
	return NULL;
}

/*
 * A thread, a child, and a process of neither that outlives us: it goes on when the end of a pipe
 * says that we are gone, and then lives on if it is told to.
 */
static int try_family(const char *outlives)
{
	pthread_t thread;
	int ends[2];
	char byte;

	if (pipe(ends) < 0 || pthread_create(&thread, NULL, thread_calls, NULL))
		return errno ? errno : EAGAIN;
	(void)pthread_join(thread, NULL);
	if (fork() == 0) {
		(void)syscall(SYS_getpgid, 0);
		_exit(0);
	}
	(void)wait(NULL);
	if (fork() == 0) {
		(void)close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		(void)syscall(SYS_getpgrp);
		if (*outlives)
			(void)pause();
		_exit(0);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const char *arg);
} probes[] = {
	{ "calls", try_calls },
	{ "calls-forever", try_calls_forever },
	{ "family", try_family },
	{ "open", try_open },
	{ "write", try_write },
	{ "mount", try_mount },
	{ "unshare", try_unshare },
	{ "clone-newuser", try_clone_newuser },
	{ "clone3", try_clone3 },
	{ "ptrace", try_ptrace },
	{ "keyctl", try_keyctl },
	{ "bpf", try_bpf },
	{ "io_uring", try_io_uring },
	{ "memfd", try_memfd },
	{ "userfaultfd", try_userfaultfd },
	{ "setuid", try_setuid },
	{ "chroot", try_chroot },
	{ "vsock", try_socket_vsock },
	{ "vsock-high-bit", try_socket_high_bit },
	{ "packet", try_packet },
	{ "connect", try_connect },
	{ "interfaces", try_interfaces },
	{ "forks", try_forks },
	{ "memory", try_memory },
	{ "fill", try_fill },
	{ "files", try_files },
	{ "spin", try_spin },
	{ "burn", try_burn },
	{ "exit", try_exit },
	{ "raise", try_raise },
	{ "sleep", try_sleep },
	{ "output", try_output },
	{ "mute", try_mute },
	{ "extra-fds", try_extra_fds },
	{ "capabilities", try_capabilities },
	{ "new-privileges", try_new_privileges },
	{ "signal", try_signal_init },
	{ "see-pid", try_see_pid },
	{ "i386", try_i386 },
	{ "suid", try_chmod_suid },
	{ "mknod", try_mknod },
	{ "listen", try_listen },
	{ "inotify", try_inotify },
	{ "orphans", try_orphans },
	{ "echo", try_echo },
	{ "flood", try_flood },
	{ "answer", try_answer },
	{ "ask", try_ask },
	{ "umask", try_umask },
	{ "echo-server", try_echo_server },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(probes) / sizeof(probes[0]); i++)
		if (!strcmp(argv[1], probes[i].name))
			return probes[i].run(argc > 2 ? argv[2] : "");
	(void)fprintf(stderr, "usage: probe NAME [ARGUMENT]\n");
	return 255;
}
