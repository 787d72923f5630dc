/* SPDX-License-Identifier: MIT */

/*
 * The library as a guest in its caller's process, whatever that process is like: large, threaded,
 * without stdio, with signal handlers, limits, masks and children of its own. Each case runs in a
 * child that is made so, takes a snapshot of itself, leads the usual life of a ctx with a jail and
 * must be the same afterwards; and, descriptors and children apart, in the middle of it.
 */

#include "guest.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define LARGE ((size_t)500 << 20)

static struct corner corner;

/* ------------------------------------------------------------------------------ cases */

static void plain(void)
{
	guest_life();
}

static long resident_pages(pid_t pid)
{
	char path[64];
	long total, resident = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	NEED(f && fscanf(f, "%ld %ld", &total, &resident) == 2);
	(void)fclose(f);
	return resident;
}

static long minor_faults(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

/*
 * A copy (fork) would make every page of the caller fault at its next write, and give init the
 * caller's size. Not one time is measured.
 */
static void large(void)
{
	char *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	long pages = (long)(LARGE / 4096), faults;
	struct guest guest, *g = &guest;
	pid_t init;

	NEED(memory != MAP_FAILED && madvise(memory, LARGE, MADV_NOHUGEPAGE) == 0);
	memset(memory, 1, LARGE);
	faults = minor_faults();
	guest_open(g);
	guest_echo(g);
	guest_serve(g);
	memset(memory, 2, LARGE);
	faults = minor_faults() - faults;
	if (faults > pages / 20)
		guest_complain("%ld of %ld pages faulted: the caller was copied", faults, pages);
	init = corner_find(getpid(), "sandbox-init");
	NEED(init > 0 && resident_pages(init) <= 256);
	guest_close(g);
	guest_life();
}

/* The creator dies, a copy of it with all its descriptors lives on: the jail must not. */
static void forks_a_copy(void)
{
	struct guest guest, *g = &guest;
	struct process left[2];
	pid_t creator, copy;
	int ends[2], i;

	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe2(ends, O_CLOEXEC) == 0);
	creator = fork();
	if (creator == 0) {
		guest_open(g);
		guest_serve(g);
		copy = fork();
		NEED(copy == 0 || write(ends[1], &copy, sizeof(copy)) == (ssize_t)sizeof(copy));
		for (;;)
			(void)pause();
	}
	(void)close(ends[1]);
	NEED(read(ends[0], &copy, sizeof(copy)) == (ssize_t)sizeof(copy));
	NEED(corner_find(creator, "sandbox-init") > 0);
	NEED(kill(creator, SIGKILL) == 0);
	for (i = 0; i < 20000 && corner_descendants(getpid(), left, 2) > 1; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		(void)poll(NULL, 0, 1);
	}
	NEED(corner_descendants(getpid(), left, 2) == 1 && left[0].pid == copy);
	NEED(kill(copy, SIGKILL) == 0);
}

/* The ctx was made by a parent that is gone: the creator of a jail is the process that makes it. */
static void serve_as_daemon(struct guest *g, pid_t parent)
{
	NEED(setsid() > 0);
	while (getppid() == parent)
		(void)poll(NULL, 0, 1);
	guest_plan(g, NULL);
	WORKS(guest_jail(g, &g->jail));
	guest_echo(g);
	guest_serve(g);
	guest_close(g);
	_exit(0);
}

static void becomes_a_daemon(void)
{
	struct sbx_ctx_options o = guest_options();
	struct guest guest = { 0 }, *g = &guest;
	int status = -1, last = -1;
	pid_t parent;

	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	parent = fork();
	if (parent == 0) {
		parent = getpid();
		WORKS(sbx_ctx_new(&g->ctx, &o, &g->err));
		if (fork() == 0)
			serve_as_daemon(g, parent);
		_exit(0);
	}
	while (waitpid(-1, &status, __WALL) > 0)
		last = last > 0 ? last : status;
	NEED(last == 0);
}

/* -------------------------------------------------------------------- cases: signals */

static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	signals++;
}

static void reap_all(int sig)
{
	int saved = errno;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = flags };

	NEED(sigaction(sig, &a, NULL) == 0);
}

static void counts_children(void)
{
	handle(SIGCHLD, count_signal, 0);
	guest_life();
}

static void reaps_all_children(void)
{
	handle(SIGCHLD, reap_all, SA_RESTART);
	guest_life();
}

static void ignores_children(void)
{
	handle(SIGCHLD, SIG_IGN, 0);
	guest_life();
}

static void wants_no_zombies(void)
{
	handle(SIGCHLD, count_signal, SA_NOCLDWAIT);
	guest_life();
}

static void blocks_all_signals(void)
{
	sigset_t all;

	(void)sigfillset(&all);
	NEED(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	guest_life();
}

/* No SA_RESTART: whatever can be interrupted is, all the time. */
static void has_a_busy_timer(void)
{
	long us = 300l * corner_slowness();
	const struct itimerval often = { { 0, us }, { 0, us } };
	int i;

	handle(SIGALRM, count_signal, 0);
	NEED(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (i = corner_times(10); i > 0; i--)
		guest_life();
	NEED(signals > 0);
}

static void *wait_for_children(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_SEQ_CST))
		if (waitpid(-1, NULL, __WALL) < 0)
			(void)sched_yield();
	return NULL;
}

static void has_a_thread_that_reaps(void)
{
	pthread_t thread;
	bool stop = false;

	NEED(pthread_create(&thread, NULL, wait_for_children, &stop) == 0);
	guest_life();
	guest_life();
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	NEED(pthread_join(thread, NULL) == 0);
}

/* ---------------------------------------------------------------- cases: descriptors */

static void has_no_stdio(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		(void)close(fd);
	guest_life();
}

static void has_no_stdout(void)
{
	(void)close(1);
	guest_life();
}

static void limit_soft(int resource, rlim_t n)
{
	struct rlimit limit;

	NEED(getrlimit((__rlimit_resource_t)resource, &limit) == 0);
	limit.rlim_cur = MIN_OF(n, limit.rlim_max);
	NEED(setrlimit((__rlimit_resource_t)resource, &limit) == 0);
}

/* Two jails at once; what they cost is said. */
static void has_64_descriptors(void)
{
	struct guest guest, *g = &guest;
	struct sbx_jail *second = NULL;

	guest_close_fds();
	NEED(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 }) == 0);
	guest_life();
	guest_open(g);
	guest_echo(g);
	guest_serve(g);
	WORKS(guest_jail(g, &second));
	(void)dprintf(1, "# descriptors: a ctx with a plan %d, a jail %d\n",
		      g->fds_ctx - g->fds_before, g->fds_jail - g->fds_ctx);
	sbx_jail_free(second);
	guest_close(g);
}

/* With every number of free descriptors: all or nothing. */
static void runs_out_of_descriptors(void)
{
	struct sbx_ctx_options o = guest_options();
	struct guest guest = { 0 }, *g = &guest;
	struct snapshot all;
	struct rlimit limit;
	int n, r = -1;

	NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	guest_close_fds();
	NEED(snapshot_take(&all, 0));
	for (n = 3; r < 0 && n < 120; n++) {
		limit_soft(RLIMIT_NOFILE, (rlim_t)n);
		r = sbx_ctx_new(&g->ctx, &o, &g->err);
		limit_soft(RLIMIT_NOFILE, limit.rlim_cur);
		if (r >= 0)
			guest_plan(g, NULL);
		limit_soft(RLIMIT_NOFILE, (rlim_t)n);
		if (r >= 0)
			r = guest_jail(g, &g->jail);
		limit_soft(RLIMIT_NOFILE, limit.rlim_cur);
		if (r >= 0)
			guest_echo(g);
		NEED(r >= 0 || g->err.text[0]);
		guest_close(g);
		*g = (struct guest){ 0 };
		guest_need_same(&all, 0, "after a failure");
	}
	NEED(r >= 0);
}

/* ---------------------------------------------------- cases: directories and the rest */

/* What the library makes for itself has modes of its own, too; a runtime directory that is new. */
static void has_umask_0777(void)
{
	struct sbx_ctx_options o = guest_options();
	struct guest guest = { 0 }, *g = &guest;
	char dir[128];

	(void)umask(0777);
	(void)snprintf(dir, sizeof(dir), "%s/new", corner.runtime);
	o.runtime_dir = dir;
	guest_plan(g, NULL);
	WORKS(sbx_ctx_new(&g->ctx, &o, &g->err));
	WORKS(guest_jail(g, &g->jail));
	guest_echo(g);
	guest_close(g);
	NEED(chdir(dir) == 0 && rmdir("ids") == 0 && rmdir("owners") == 0);
	NEED(chdir("/") == 0 && rmdir(dir) == 0);
	guest_life();
}

/* The jail's files and programs have modes of their own. */
static void has_an_odd_umask(void)
{
	static const mode_t masks[] = { 0777, 0 };
	struct guest guest, *g = &guest;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		(void)umask(masks[i]);
		guest_open(g);
		NEED(guest_probe(g, "umask", "022") == 0);
		NEED(guest_probe(g, "open", "/etc/passwd") == 0);
		NEED(guest_probe(g, "write", "/tmp/file") == 0);
		guest_close(g);
	}
	guest_life();
}

static void has_no_directory(void)
{
	char dir[] = "/tmp/sandbox-gone-XXXXXX";

	NEED(mkdtemp(dir) && chdir(dir) == 0 && rmdir(dir) == 0);
	guest_life();
}

/* Relative to where the caller is at the time of the call. */
static void names_files_from_its_directory(void)
{
	struct guest guest = { 0 }, *g = &guest;
	const char *build = getenv("SANDBOX_BUILD");

	NEED(chdir(build ? build : "build") == 0 && chdir("policies") == 0);
	guest_plan(g, "exec.json");
	sbx_plan_unref(g->plan);
	NEED(chdir("/") == 0);
	guest_life();
}

struct spawner {
	pthread_t thread;
	bool *stop;
	int runs, leaks;
};

/* A program that the caller starts meanwhile inherits nothing of ours: close-on-exec from birth. */
static void *spawn_all_the_time(void *data)
{
	char *argv[] = { getenv("SANDBOX_PROBE"), "extra-fds", NULL }, *env[] = { NULL };
	struct spawner *s = data;
	int status;
	pid_t pid;

	while (!__atomic_load_n(s->stop, __ATOMIC_SEQ_CST)) {
		if (posix_spawn(&pid, argv[0], NULL, NULL, argv, env) != 0 ||
		    waitpid(pid, &status, 0) != pid)
			continue;
		s->runs++;
		s->leaks += !WIFEXITED(status) || WEXITSTATUS(status) != EBADF;
	}
	return NULL;
}

static void has_threads_that_spawn(void)
{
	struct spawner spawners[2];
	struct guest guest, *g = &guest;
	bool stop = false;
	int i;

	guest_close_fds();
	for (i = 0; i < 2; i++) {
		spawners[i] = (struct spawner){ .stop = &stop };
		NEED(pthread_create(&spawners[i].thread, NULL, spawn_all_the_time, &spawners[i]) ==
		     0);
	}
	for (i = corner_times(20); i > 0; i--) {
		guest_open(g);
		guest_echo(g);
		guest_serve(g);
		guest_close(g);
	}
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++) {
		NEED(pthread_join(spawners[i].thread, NULL) == 0);
		if (!spawners[i].runs || spawners[i].leaks)
			guest_complain("%d of %d programs found a descriptor too many",
				       spawners[i].leaks, spawners[i].runs);
	}
}

/*
 * Soft limits that a caller set for itself are not the policy's. But an ordinary user's jails are
 * processes of this user, whose number the kernel counts: there the limit stays as it is.
 */
static void has_small_limits(void)
{
	struct guest guest, *g = &guest;

	if (!corner_unprivileged())
		limit_soft(RLIMIT_NPROC, 4);
	limit_soft(RLIMIT_FSIZE, 1 << 20);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	limit_soft(RLIMIT_DATA, 64 << 20); /* their shadow memory alone is more */
#endif
	guest_life();
	guest_open(g);
	NEED(guest_probe(g, "memory", "100") == 0);
	NEED(guest_probe(g, "fill", "/tmp/file:4") == 0);
	NEED(guest_probe(g, "forks", "20") == 0);
	guest_close(g);
}

/* What is refused for it says so, and leaves nothing. */
static void may_have_no_process(void)
{
	struct sbx_ctx_options o = guest_options();
	struct guest guest = { 0 }, *g = &guest;
	struct snapshot all;
	struct rlimit limit;

	NEED(getrlimit(RLIMIT_NPROC, &limit) == 0 && snapshot_take(&all, 0));
	guest_plan(g, NULL);
	limit_soft(RLIMIT_NPROC, 0);
	if (corner_unprivileged())
		NEED(sbx_ctx_new(&g->ctx, &o, &g->err) == -EAGAIN && g->err.text[0]);
	else
		guest_life();
	limit_soft(RLIMIT_NPROC, limit.rlim_cur);
	guest_close(g);
	guest_need_same(&all, 0, "after a refusal");
	snapshot_done(&all);
}

static void *drop_capabilities(void *data)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct guest *g = data;
	struct sbx_jail *j = NULL;

	NEED(syscall(SYS_capset, &head, none) == 0);
	if (corner_unprivileged())
		return NULL;
	NEED(guest_jail(g, &j) == -EPERM && g->err.text[0]);
	return NULL;
}

/* Capabilities are a thread's: the one without fails with a word, the other goes on. */
static void has_a_thread_without_capabilities(void)
{
	struct guest guest, *g = &guest;
	pthread_t thread;
	int fds;

	guest_open(g);
	fds = guest_count_fds();
	NEED(pthread_create(&thread, NULL, drop_capabilities, g) == 0 &&
	     pthread_join(thread, NULL) == 0);
	NEED(guest_count_fds() == fds);
	guest_echo(g);
	guest_close(g);
	guest_life();
}

static void has_no_new_privileges(void)
{
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	guest_life();
}

/*
 * The kernel gives the id maps of such a process's children to root alone: newuidmap(1) can write
 * them, where the user has subordinate ids.
 */
static void is_not_dumpable(void)
{
	struct sbx_ctx_options o = guest_options();
	struct guest guest = { 0 }, *g = &guest;

	NEED(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	if (!corner_unprivileged()) {
		guest_life();
		return;
	}
	if (sbx_ctx_new(&g->ctx, &o, &g->err) < 0) {
		NEED(strcmp(g->err.item, "PR_SET_DUMPABLE") == 0);
		return;
	}
	sbx_ctx_free(g->ctx);
	guest_life();
}

/* ------------------------------------------------------------------------------ main */

#define CASES(X)                                                                                   \
	X(plain)                                                                                   \
	X(large)                                                                                   \
	X(forks_a_copy)                                                                            \
	X(becomes_a_daemon)                                                                        \
	X(counts_children)                                                                         \
	X(reaps_all_children)                                                                      \
	X(ignores_children)                                                                        \
	X(wants_no_zombies)                                                                        \
	X(blocks_all_signals)                                                                      \
	X(has_a_busy_timer)                                                                        \
	X(has_a_thread_that_reaps)                                                                 \
	X(has_no_stdio)                                                                            \
	X(has_no_stdout)                                                                           \
	X(has_64_descriptors)                                                                      \
	X(runs_out_of_descriptors)                                                                 \
	X(has_umask_0777)                                                                          \
	X(has_an_odd_umask)                                                                        \
	X(has_no_directory)                                                                        \
	X(names_files_from_its_directory)                                                          \
	X(has_threads_that_spawn)                                                                  \
	X(has_small_limits)                                                                        \
	X(may_have_no_process)                                                                     \
	X(has_a_thread_without_capabilities)                                                       \
	X(has_no_new_privileges)                                                                   \
	X(is_not_dumpable)

#define TEST_FUNCTION(name)                                                                        \
	static void test_caller_##name(void **state)                                               \
	{                                                                                          \
		guest_run(&corner, name);                                                          \
	}
#define TEST_ENTRY(name) cmocka_unit_test(test_caller_##name),

CASES(TEST_FUNCTION)

/* Mounts of others must not look like ours; ours, if there were any, must reach this namespace. */
static int setup(void **state)
{
	if (geteuid() == 0 &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	     mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0))
		return -1;
	corner_init(&corner);
	return 0;
}

static int teardown(void **state)
{
	corner_done(&corner);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { CASES(TEST_ENTRY) };

	return cmocka_run_group_tests_name("embedding", tests, setup, teardown);
}
