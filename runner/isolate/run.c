/* SPDX-License-Identifier: MIT */

/*
 * isolate --run. Signals that would end us are blocked and read from a descriptor, so that at no
 * instant could Ctrl-C leave a box with the program's owner. The box is given to the program before
 * the jail is made, and back after the jail is gone: nobody works in it while it changes hands.
 *
 * Limits: memory of all processes (--cg-mem) is a parent group, exact to the byte; number of
 * processes, cpu and wall time are the jail's; address space, file size, descriptors and stack
 * (and, as a net below, cpu time) are resource limits of the program, set by start.c inside.
 */

#include "run.h"
#include "start.h"
#include "streams.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

#define PIDS_UNLIMITED                                                                             \
	4096 /* what --processes without a number means: enough, and not the host's */
#define PIDS_MOST 4000000
#define FILES_MOST 1048576
#define STACK_MOST (64u << 20) /* KB; start.c sets what was asked for, up to this */
#define BACKGROUND_POLL_MS 500
#define INHERITED_MAX 28
#define WORDS_MAX 16
#define WORD_SIZE 4200

struct run {
	const struct options *o;
	struct box *box;
	struct report *report;
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct sbx_group *group;
	struct sbx_jail *jail;
	struct sbx_proc *proc;
	struct streams streams;
	int signals;
	int failure; /* read end of start.c's pipe */
	struct sbx_fd fds[INHERITED_MAX + 1];
	uint32_t n_fds;
	char words[WORDS_MAX][WORD_SIZE];
	unsigned int n_words;
	struct outcome outcome;
};

static int failed(struct run *run, const char *what)
{
	return report_fail(run->report, "%s: %s", what, strerror(errno));
}

/* ------------------------------------------------------------------ policy */

__attribute__((format(printf, 5, 6))) static int set(struct sbx_policy *policy, int r,
						     struct sbx_error *err, const char *key,
						     const char *fmt, ...)
{
	char value[32];
	va_list ap;

	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return sbx_policy_set(policy, key, value, err);
}

static int set_limits(struct run *run, struct sbx_policy *policy, struct sbx_error *err)
{
	const struct options *o = run->o;
	uint32_t pids = o->processes ? MIN_OF(o->processes, (uint32_t)PIDS_MOST) : PIDS_UNLIMITED;
	uint32_t files = o->open_files ? MIN_OF(o->open_files, (uint32_t)FILES_MOST) : FILES_MOST;
	int r = 0;

	r = set(policy, r, err, "user", "%u", run->box->uid);
	r = set(policy, r, err, "group", "%u", run->box->gid);
	r = set(policy, r, err, "pids", "%u", pids);
	r = set(policy, r, err, "nofile", "%u", MAX_OF(files, 8u));
	if (o->wall_ns)
		r = set(policy, r, err, "wall", "%llums",
			(unsigned long long)(o->wall_ns / NSEC_PER_MSEC));
	if (o->time_ns)
		r = set(policy, r, err, "cpu_time", "%llums",
			(unsigned long long)((o->time_ns + o->extra_ns) / NSEC_PER_MSEC));
	if (o->stack)
		r = set(policy, r, err, "stack", "%uK", MIN_OF(MAX_OF(o->stack, 64u), STACK_MOST));
	/* The group below is the exact limit; this one says that there must be one. */
	if (o->cg_mem)
		r = set(policy, r, err, "memory", "%uK", MAX_OF(o->cg_mem, 4096u));
	return r;
}

static int make_plan(struct run *run)
{
	const struct config *c = run->box->config;
	struct sbx_policy *policy = NULL;
	struct sbx_error err = { 0 };
	int r = sbx_policy_load(&policy, c->policy, c->policy_dir, &err);

	if (r >= 0)
		r = set_limits(run, policy, &err);
	if (r < 0)
		(void)report_library(run->report, &err);
	if (r >= 0)
		r = rules_mount(&run->o->rules, run->box, policy);
	if (r >= 0) {
		r = sbx_policy_compile(policy, &run->plan, &err);
		if (r < 0)
			(void)report_library(run->report, &err);
	}
	sbx_policy_free(policy);
	return r < 0 ? -1 : 0;
}

static void log_line(void *data, int level, const char *line)
{
	report_note(data, "%s", line);
}

static int make_jail(struct run *run)
{
	const struct sbx_ctx_options c = { .size = sizeof(c),
					   .flags = SBX_CTX_OWN_LEAF,
					   .log = log_line,
					   .log_data = run->report,
					   .allow_unenforced = run->box->config->allow_unenforced };
	const struct sbx_group_options g = { .size = sizeof(g),
					     .label = "isolate",
					     .memory = (uint64_t)run->o->cg_mem << 10 };
	struct sbx_jail_options j = { .size = sizeof(j), .label = "isolate" };
	struct sbx_stats before = { .size = sizeof(before) };
	struct sbx_error err = { 0 };
	int r = sbx_ctx_new(&run->ctx, &c, &err);

	if (r >= 0 && run->o->cg_mem)
		r = sbx_group_new(run->ctx, &run->group, &g, &err);
	j.group = run->group;
	if (r >= 0)
		r = sbx_jail_new(run->ctx, run->plan, &run->jail, &j, &err);
	if (r < 0)
		return report_library(run->report, &err);
	if (sbx_jail_stats(run->jail, &before, NULL) >= 0)
		run->outcome.cpu_before = before.cpu_ns;
	return 0;
}

/* ------------------------------------------------------------- descriptors */

/* Descriptors that show files of the host stay outside, whoever left them open. */
static int inherit(struct run *run, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return report_fail(run->report, "Cannot pass descriptor %d: it is a %s of the host",
				   fd, S_ISDIR(st.st_mode) ? "directory" : "disk");
	if (run->n_fds == INHERITED_MAX)
		return report_fail(run->report, "Cannot pass more than %d descriptors",
				   INHERITED_MAX);
	if (isatty(fd) == 1)
		return report_fail(run->report,
				   "Cannot pass descriptor %d: a program that holds a "
				   "terminal could type into it",
				   fd);
	run->fds[run->n_fds++] = (struct sbx_fd){ .fd = fd, .target = fd };
	return 0;
}

/* What the caller left open is what is not close-on-exec: all of ours are. */
static int inherit_all(struct run *run)
{
	DIR *d = run->o->inherit_fds ? opendir("/proc/self/fd") : NULL;
	struct dirent *e;
	int r = 0;

	while (d && r == 0 && (e = readdir(d))) {
		int fd = atoi(e->d_name), flags = fd > 2 ? fcntl(fd, F_GETFD) : -1;

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			r = inherit(run, fd);
	}
	if (d)
		(void)closedir(d);
	return r;
}

static int free_number(const struct run *run)
{
	for (int number = 3;; number++) {
		uint32_t i = 0;

		while (i < run->n_fds && run->fds[i].target != number)
			i++;
		if (i == run->n_fds)
			return number;
	}
}

/* --------------------------------------------------------------- the start */

__attribute__((format(printf, 2, 3))) static void word(struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(run->words[run->n_words++], WORD_SIZE, fmt, ap);
	va_end(ap);
}

static void kilobytes(struct run *run, const char *key, uint32_t kb)
{
	if (kb)
		word(run, "%s%llu", key, (unsigned long long)kb << 10);
}

static int path_word(struct run *run, const char *key, const char *path)
{
	if (path && strlen(path) >= PATH_MAX)
		return report_fail(run->report, "The path %.64s... is too long", path);
	if (path)
		word(run, "%s%s", key, path);
	return 0;
}

static int make_words(struct run *run, int pipe_number)
{
	const struct options *o = run->o;

	word(run, START_PATH);
	word(run, "%d", pipe_number);
	if (path_word(run, START_STDIN, o->stdin_path) < 0 ||
	    path_word(run, START_STDOUT, o->stdout_path) < 0 ||
	    path_word(run, START_STDERR, o->stderr_path) < 0)
		return -1;
	if (o->stderr_to_stdout)
		word(run, START_MERGE);
	/* After the jail's own clock; it alone is left where nothing counts the jail's time. */
	if (o->time_ns)
		word(run, START_CPU "%llu",
		     (unsigned long long)((o->time_ns + o->extra_ns) / NSEC_PER_SEC + 2));
	kilobytes(run, START_FSIZE, o->fsize);
	kilobytes(run, START_STACK, o->stack);
	if (o->open_files)
		word(run, START_NOFILE "%u", o->open_files);
	if (path_word(run, START_CHDIR, o->chdir) < 0)
		return -1;
	kilobytes(run, START_AS, o->mem);
	word(run, "--");
	return 0;
}

static int start_failed(struct run *run, const struct sbx_error *err)
{
	if (streq(err->stage, "cwd"))
		return report_fail(run->report,
				   "Cannot change to /box: %s; a directory rule has to "
				   "put something there",
				   strerror(-err->code));
	return report_library(run->report, err);
}

static int exec_words(struct run *run)
{
	struct sbx_exec e = {
		.size = sizeof(e), .cwd = "/box", .fds = run->fds, .n_fds = run->n_fds
	};
	_cleanup_free_ const char **argv = NULL;
	char **env = rules_environment(&run->o->rules);
	struct sbx_error err = { 0 };
	size_t n = 0;
	int r = -ENOMEM;

	while (run->o->argv[n])
		n++;
	argv = calloc(run->n_words + n + 1, sizeof(*argv));
	if (!argv || !env) {
		environment_free(env);
		return report_fail(run->report, "Out of memory");
	}
	for (unsigned int i = 0; i < run->n_words; i++)
		argv[i] = run->words[i];
	memcpy(argv + run->n_words, run->o->argv, n * sizeof(*argv));
	e.argv = argv;
	e.env = (const char *const *)env;
	streams_apply(&run->streams, &e);
	r = sbx_jail_exec(run->jail, &run->proc, &e, &err);
	environment_free(env);
	return r < 0 ? start_failed(run, &err) : 0;
}

static int start(struct run *run)
{
	_cleanup_close_ int write_end = -1;
	int ends[2], number = free_number(run), r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return failed(run, "Cannot make a pipe");
	run->failure = ends[0];
	write_end = ends[1];
	run->fds[run->n_fds++] = (struct sbx_fd){ .fd = write_end, .target = number };
	if (make_words(run, number) < 0)
		return -1;
	r = exec_words(run);
	streams_started(&run->streams);
	return r;
}

/* ------------------------------------------------------------------ waiting */

static int open_signals(struct run *run)
{
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGHUP);
	(void)sigaddset(&blocked, SIGINT);
	(void)sigaddset(&blocked, SIGQUIT);
	(void)sigaddset(&blocked, SIGTERM);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &blocked, NULL) < 0)
		return failed(run, "Cannot block signals");
	run->signals = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
	return run->signals < 0 ? failed(run, "Cannot read signals") : 0;
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (run->outcome.interrupted) {
		(void)sbx_jail_kill(run->jail, NULL);
		return;
	}
	/* The program alone, so that its numbers are known; the rest ends with the jail. */
	run->outcome.interrupted = (int)info.ssi_signo;
	(void)sbx_proc_kill(run->proc, SIGKILL, NULL);
}

static int attend(struct run *run)
{
	struct pollfd fds[3] = { { .fd = sbx_proc_pollfd(run->proc), .events = POLLIN },
				 { .fd = run->signals, .events = POLLIN } };
	struct streams *streams = &run->streams;
	struct sbx_error err = { 0 };
	bool later;
	int r;

	while ((r = sbx_proc_dispatch(run->proc, &err)) == 0) {
		nfds_t n = streams_wants(streams, &fds[2].fd, &fds[2].events, &later) ? 3 : 2;

		fds[2].revents = 0;
		if (poll(fds, n, later ? BACKGROUND_POLL_MS : -1) < 0 && errno != EINTR)
			return failed(run, "Cannot wait");
		if (fds[1].revents)
			take_signal(run);
		if (n == 3 && fds[2].revents)
			streams_move(streams);
	}
	run->outcome.result.size = sizeof(run->outcome.result);
	if (r >= 0)
		r = sbx_proc_wait(run->proc, UINT64_MAX, &run->outcome.result, &err);
	return r < 0 ? report_library(run->report, &err) : 0;
}

/* What start.c had to say. The program itself has no way to this pipe. */
static int check_start(struct run *run)
{
	char text[512];
	ssize_t n;

	if (fcntl(run->failure, F_SETFL, O_NONBLOCK) < 0)
		return failed(run, "Cannot read what the start said");
	n = read(run->failure, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return report_fail(run->report, "%s", text);
}

/* --------------------------------------------------------------- altogether */

static int refuse(struct run *run)
{
	const struct options *o = run->o;

	if (o->share_net)
		return report_fail(run->report,
				   "--share-net: a jail always has a network of its own here, with "
				   "nothing but loopback; what the program may reach from there is "
				   "named one by one: sandbox-run exec --forward");
	if (o->tty_hack)
		return report_fail(
			run->report,
			"--tty-hack: a program that holds a terminal could type into it; "
			"without this option input and output are copied");
	if (o->core)
		return report_fail(run->report,
				   "--core: a jail dumps no core, so its size must be 0");
	return 0;
}

static int prepare(struct run *run)
{
	if (streams_init(&run->streams, run->report) < 0 || inherit_all(run) < 0 ||
	    make_plan(run) < 0)
		return -1;
	return make_jail(run);
}

static void end_jail(struct run *run)
{
	run->proc = sbx_proc_free(run->proc);
	run->jail = sbx_jail_free(run->jail);
	run->group = sbx_group_free(run->group);
	run->plan = sbx_plan_unref(run->plan);
	run->ctx = sbx_ctx_free(run->ctx);
	streams_done(&run->streams);
}

static int run_program(struct run *run)
{
	int r = prepare(run);

	if (r == 0)
		r = start(run);
	if (r == 0)
		r = attend(run);
	if (r == 0 && !run->outcome.interrupted)
		r = check_start(run);
	end_jail(run);
	return r;
}

int run_box(const struct options *o, struct box *b)
{
	struct run *run = calloc(1, sizeof(*run));
	int code = EXIT_INTERNAL;

	if (!run) {
		(void)report_fail(b->report, "Out of memory");
		return code;
	}
	run->o = o;
	run->box = b;
	run->report = b->report;
	run->signals = run->failure = -1;
	run->streams.in = run->streams.sink = -1;
	if (refuse(run) == 0 && open_signals(run) == 0) {
		int r = box_give_to_program(b);

		if (r == 0)
			r = run_program(run);
		/* Also after a failure: the caller has to reach what lies in the box. */
		if (box_give_back(b, o->special_files) == 0 && r == 0)
			code = outcome_report(&run->outcome, o, b->report);
	}
	run->signals = close_fd(run->signals);
	run->failure = close_fd(run->failure);
	free(run);
	return code;
}
