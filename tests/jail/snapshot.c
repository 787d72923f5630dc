/* SPDX-License-Identifier: MIT */

/* See snapshot.h. */

#include "snapshot.h"
#include "corner.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

static void add_descriptors(FILE *out)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	char target[256];
	ssize_t n;
	int fd;

	while (d && (e = readdir(d))) {
		fd = atoi(e->d_name);
		if (e->d_name[0] == '.' || fd == dirfd(d))
			continue;
		n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		(void)fprintf(out, "fd %d: %s, flags %x %x, at %lld\n", fd, target,
			      (unsigned int)fcntl(fd, F_GETFD), (unsigned int)fcntl(fd, F_GETFL),
			      (long long)lseek(fd, 0, SEEK_CUR));
	}
	if (d)
		(void)closedir(d);
}

static void add_children(FILE *out)
{
	struct process list[64];
	int i, n = corner_descendants(getpid(), list, ARRAY_SIZE(list));

	for (i = 0; i < MIN_OF(n, (int)ARRAY_SIZE(list)); i++)
		(void)fprintf(out, "child %d: %s of %d\n", (int)list[i].pid, list[i].name,
			      (int)list[i].parent);
}

/*
 * By sigaction(2), not by SigCgt of /proc: glibc catches its own signal 33 as soon as there was
 * a thread. A SIGCHLD may be pending where the caller blocks it: our children end.
 */
static void add_signals(FILE *out)
{
	struct sigaction a;
	stack_t stack;
	sigset_t mask, pending;
	int sig;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	(void)sigpending(&pending);
	for (sig = 1; sig <= 64; sig++) {
		memset(&a, 0, sizeof(a));
		(void)sigaction(sig, NULL, &a);
		(void)fprintf(out,
			      "signal %d: handler %p, flags %x, mask %lx, blocked %d, pending %d\n",
			      sig, (void *)(uintptr_t)a.sa_handler, (unsigned int)a.sa_flags,
			      a.sa_mask.__val[0], sigismember(&mask, sig),
			      sig != SIGCHLD && sigismember(&pending, sig));
	}
	(void)sigaltstack(NULL, &stack);
	(void)fprintf(out, "signal stack: %p %d\n", stack.ss_sp, stack.ss_flags);
}

static void add_link(FILE *out, const char *path)
{
	char target[512];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	struct stat st = { 0 };

	target[n > 0 ? n : 0] = '\0';
	(void)stat(path, &st);
	(void)fprintf(out, "%s: %s %llu\n", path, target, (unsigned long long)st.st_ino);
}

static void add_links(FILE *out)
{
	static const char *const names[] = { "cwd",     "root",     "exe",
					     "ns/mnt",  "ns/net",   "ns/ipc",
					     "ns/uts",  "ns/pid",   "ns/pid_for_children",
					     "ns/user", "ns/cgroup" };
	char path[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/%s", names[i]);
		add_link(out, path);
	}
}

/* `prefixes` NULL: every line. */
static void add_file(FILE *out, const char *path, const char *const *prefixes)
{
	FILE *f = fopen(path, "re");
	const char *const *p;
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		for (p = prefixes; p && *p && !starts_with(line, *p); p++)
			;
		if (!p || *p)
			(void)fprintf(out, "%s: %s", path, line);
	}
	if (f)
		(void)fclose(f);
}

static void add_files(FILE *out)
{
	static const char *const status[] = { "Name",    "Umask",        "Uid",       "Gid",
					      "Groups",  "Threads",      "Cap",       "NoNewPrivs",
					      "Seccomp", "Cpus_allowed", "TracerPid", NULL };

	add_file(out, "/proc/self/status", status);
	add_file(out, "/proc/self/mountinfo", NULL);
	add_file(out, "/proc/self/cgroup", NULL);
	add_file(out, "/proc/self/timers", NULL);
	add_file(out, "/proc/self/oom_score_adj", NULL);
}

static void add_attributes(FILE *out)
{
	int subreaper = 0, death_signal = 0;

	(void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
	(void)prctl(PR_GET_PDEATHSIG, &death_signal);
	(void)fprintf(out, "dumpable %d, keepcaps %d, securebits %x, timerslack %d\n",
		      prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS),
		      (unsigned int)prctl(PR_GET_SECUREBITS), prctl(PR_GET_TIMERSLACK));
	(void)fprintf(out, "subreaper %d, death signal %d\n", subreaper, death_signal);
	(void)fprintf(out, "session keyring %ld\n",
		      syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	(void)fprintf(out, "scheduler %d, priority %d, personality %x\n", sched_getscheduler(0),
		      getpriority(PRIO_PROCESS, 0), (unsigned int)personality(0xffffffff));
	(void)fprintf(out, "session %d, group %d, locale %s\n", (int)getsid(0), (int)getpgrp(),
		      setlocale(LC_ALL, NULL));
}

static void add_timers_and_limits(FILE *out)
{
	struct itimerval timer;
	struct rlimit limit;
	int i;

	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		(void)getitimer((__itimer_which_t)i, &timer);
		(void)fprintf(out, "interval timer %d: every %ld.%06ld\n", i,
			      (long)timer.it_interval.tv_sec, (long)timer.it_interval.tv_usec);
		if (!timer.it_interval.tv_sec && !timer.it_interval.tv_usec)
			(void)fprintf(out, "interval timer %d: armed %d\n", i,
				      timer.it_value.tv_sec || timer.it_value.tv_usec);
	}
	for (i = 0; i < RLIMIT_NLIMITS; i++) {
		(void)getrlimit((__rlimit_resource_t)i, &limit);
		(void)fprintf(out, "limit %d: %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
			      (unsigned long long)limit.rlim_max);
	}
}

static void add_environment(FILE *out)
{
	char **e;

	(void)fprintf(out, "environment at %p\n", (void *)environ);
	for (e = environ; e && *e; e++)
		(void)fprintf(out, "environment: %s\n", *e);
}

bool snapshot_take(struct snapshot *s, unsigned int flags)
{
	FILE *out;

	*s = (struct snapshot){ 0 };
	out = open_memstream(&s->text, &s->size);
	if (!out)
		return false;
	if (!(flags & SNAPSHOT_OWNED)) {
		add_descriptors(out);
		add_children(out);
	}
	add_signals(out);
	add_links(out);
	add_files(out);
	add_attributes(out);
	add_timers_and_limits(out);
	add_environment(out);
	return fclose(out) == 0 && s->size > 1000;
}

void snapshot_done(struct snapshot *s)
{
	free(s->text);
	*s = (struct snapshot){ 0 };
}

bool snapshot_differs(const struct snapshot *before, const struct snapshot *after, char *ret,
		      size_t size)
{
	const char *a = before->text, *b = after->text;
	size_t n, m;

	while (*a && *b) {
		n = strcspn(a, "\n");
		m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n) != 0)
			break;
		a += n + (a[n] == '\n');
		b += m + (b[m] == '\n');
	}
	if (!*a && !*b)
		return false;
	(void)snprintf(ret, size, "was \"%.*s\", is \"%.*s\"", (int)strcspn(a, "\n"), a,
		       (int)strcspn(b, "\n"), b);
	return true;
}
