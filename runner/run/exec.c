/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run exec: a jail for any program.
 *
 * Signals that would end us are blocked first and read from a descriptor, so that from the first
 * group made to the last one removed there is no instant at which Ctrl-C could leave something
 * behind. What the program gets is built, never inherited: its environment here, its descriptors in
 * exec-stdio.c, the rest by the policy.
 */

#include "exec-report.h"
#include "exec-stdio.h"
#include "options.h"
#include "run.h"
#include "settings.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

#define EXIT_SETUP 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define BACKGROUND_POLL_MS 500

static struct {
	const char *policy, *cwd;
	struct option_measure memory, cpu, cpu_time, wall, pids, disk, fsize, output;
	struct option_list ro, rw, env;
	struct option_optional json;
	bool quiet;
} opt = { .policy = "exec" };

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Limits (default: those of the policy)" },
	{ OPTION_SIZE, 'm', "memory", "SIZE", &opt.memory,
	  "memory of all processes and files in the jail; no swap" },
	{ OPTION_CPU, 0, "cpu", "N", &opt.cpu, "processors at once, as in 1.5" },
	{ OPTION_DURATION, 0, "cpu-time", "TIME", &opt.cpu_time,
	  "processor time of all processes" },
	{ OPTION_DURATION, 't', "wall", "TIME", &opt.wall, "time from start to end" },
	{ OPTION_NUMBER, 0, "pids", "N", &opt.pids, "processes and threads at once" },
	{ OPTION_SIZE, 0, "disk", "SIZE", &opt.disk, "what may be written to /box" },
	{ OPTION_SIZE, 0, "fsize", "SIZE", &opt.fsize, "size of one file" },
	{ OPTION_SIZE, 0, "output", "SIZE", &opt.output,
	  "bytes of stdout, and of stderr; of longer output the middle is cut" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What the command sees" },
	{ OPTION_STRING, 'p', "policy", "NAME", &opt.policy,
	  "a policy of the installation, or a file (default: exec)" },
	{ OPTION_LIST, 0, "ro", "SRC[:DST]", &opt.ro,
	  "show a file or directory, read-only, at DST (default: where it is)" },
	{ OPTION_LIST, 0, "rw", "SRC[:DST]", &opt.rw,
	  "the same, writable by the jailed user where its files belong to uid 1000" },
	{ OPTION_PAIRS, 'e', "env", "NAME=VALUE", &opt.env,
	  "set a variable; nothing is inherited but what is set here" },
	{ OPTION_STRING, 'C', "cwd", "DIR", &opt.cwd, "directory in the jail to start in" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &opt.json,
	  "the result as one line of JSON, to FILE or after the command's output to stdout" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet,
	  "do not say on stderr which limit was reached" },
	{ OPTION_END },
};

static const struct command command = {
	.name = "exec",
	.synopsis = "exec [OPTIONS] [--] COMMAND [ARGUMENTS]",
	.summary = "Runs COMMAND in a jail of its own: no network, no files of the host but\n"
		   "/usr and what --ro and --rw show, an empty environment, limits on everything.",
	.examples = "  sandbox-run exec -- python3 -c 'print(6 * 7)'\n"
		    "  sandbox-run exec --memory 64M --wall 5s --ro ./prog:/prog -- /prog\n"
		    "  sandbox-run exec --ro src:/src --rw out:/out -C /src -- make OUT=/out\n"
		    "  sandbox-run exec --output 64K --json=result.json -- ./judge < input\n"
		    "  sandbox-run exec -e HOME=/box -e DEBUG=1 -- env",
	.epilog = "Exit codes: those of the command, and\n"
		  "    2  the command line is wrong\n"
		  "  124  the time or cpu time limit was reached\n"
		  "  125  the jail could not be set up (a limit that cannot be enforced, too)\n"
		  "  126  the command cannot be executed\n"
		  "  127  the command was not found in the jail\n"
		  "  128+N  signal N ended it (137: also for the memory limit)\n"
		  "  130, 143  interrupted by Ctrl-C or SIGTERM; nothing is left behind",
	.options = specs,
	.stop_at_operand = true,
};

struct run {
	struct settings settings;
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct sbx_group *group; /* only with --memory; see make_jail() */
	struct sbx_jail *jail;
	struct sbx_proc *proc;
	struct stdio stdio;
	int signals;
	int caught; /* the signal that ended us; 0: none */
	FILE *json;
};

static int run_error(struct sbx_error *err, int code, const char *stage, const char *item,
		     const char *text)
{
	memset(err, 0, sizeof(*err));
	err->code = code;
	copy_string(err->stage, sizeof(err->stage), stage);
	copy_string(err->item, sizeof(err->item), item);
	copy_string(err->text, sizeof(err->text), text);
	return code;
}

/* ------------------------------------------------------------- preparation */

static int open_signals(struct run *run, struct sbx_error *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return run_error(err, -errno, "signals", "sigprocmask", strerror(errno));
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return run_error(err, -errno, "signals", "signalfd", strerror(errno));
	return 0;
}

/* Before the jail: a result that cannot be written is better known before the work is done. */
static int open_json(struct run *run, struct sbx_error *err)
{
	if (!opt.json.given)
		return 0;
	if (!opt.json.value || streq(opt.json.value, "-")) {
		run->json = stdout;
		return 0;
	}
	run->json = fopen(opt.json.value, "we");
	if (!run->json)
		return run_error(err, -errno, "json", opt.json.value, strerror(errno));
	return 0;
}

static int apply_limits(struct sbx_policy *policy, struct sbx_error *err)
{
	const struct {
		const char *key, *value;
	} limits[] = {
		{ "memory", opt.memory.text },	   { "cpu", opt.cpu.text },
		{ "cpu_time", opt.cpu_time.text }, { "wall", opt.wall.text },
		{ "pids", opt.pids.text },	   { "disk", opt.disk.text },
		{ "fsize", opt.fsize.text },	   { "output", opt.output.text },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && r >= 0; i++)
		if (limits[i].value)
			r = sbx_policy_set(policy, limits[i].key, limits[i].value, err);
	return r;
}

/* An absolute path without ".", "..", "//" and a slash at the end. */
static bool is_clean(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *s = path; *s; s = strchrnul(s + 1, '/')) {
		size_t len = strcspn(s + 1, "/");

		if (len == 0 || (len == 1 && s[1] == '.') ||
		    (len == 2 && s[1] == '.' && s[2] == '.'))
			return false;
	}
	return true;
}

/* With the IDMAP of --rw the jailed user owns what uid 1000 owns here: say so before it fails. */
static void warn_owner(const char *source)
{
	struct stat st;

	if (opt.quiet || stat(source, &st) < 0 || st.st_uid == 1000 || (st.st_mode & S_IWOTH))
		return;
	fprintf(stderr,
		"sandbox-run: --rw %s: belongs to uid %u, and the command is uid 1000: chown it to "
		"1000\n",
		source, (unsigned int)st.st_uid);
}

/* SRC or SRC:DST; DST begins with '/', so that a ':' elsewhere belongs to SRC. */
static int add_mount(struct sbx_policy *policy, const char *text, bool writable,
		     struct sbx_error *err)
{
	const char *colon = strstr(text, ":/");
	_cleanup_free_ char *given = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	_cleanup_free_ char *source = given ? realpath(given, NULL) : NULL;
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_BIND };

	if (!given)
		return run_error(err, -ENOMEM, "mount", text, "out of memory");
	if (!source)
		return run_error(err, -errno, writable ? "--rw" : "--ro", given, strerror(errno));
	m.source = source;
	m.target = colon ? colon + 1 : is_clean(given) ? given : source;
	if (writable) {
		m.flags = SBX_MOUNT_RW | SBX_MOUNT_IDMAP;
		warn_owner(source);
	}
	return sbx_policy_add_mount(policy, &m, err);
}

static int add_mounts(struct sbx_policy *policy, struct sbx_error *err)
{
	int r = 0;

	for (uint32_t i = 0; i < opt.ro.n && r >= 0; i++)
		r = add_mount(policy, opt.ro.items[i], false, err);
	for (uint32_t i = 0; i < opt.rw.n && r >= 0; i++)
		r = add_mount(policy, opt.rw.items[i], true, err);
	return r;
}

static int compile_policy(struct run *run, struct sbx_error *err)
{
	struct sbx_policy *policy = NULL;
	_cleanup_free_ char *path = NULL;
	int r = settings_policy(&run->settings, opt.policy, &path, err);

	if (r < 0)
		return r;
	r = sbx_policy_load(&policy, path, run->settings.policy_dir, err);
	if (r >= 0)
		r = apply_limits(policy, err);
	if (r >= 0)
		r = add_mounts(policy, err);
	if (r >= 0)
		r = sbx_policy_compile(policy, &run->plan, err);
	sbx_policy_free(policy);
	return r;
}

/*
 * A policy's "memory" is for the programs: the sizes of the jail's file systems, whose pages the
 * kernel counts as memory too, are added to it. Who writes --memory 64M means 64M in all, so a
 * parent group holds the jail to exactly that.
 */
static int make_jail(struct run *run, struct sbx_error *err)
{
	struct sbx_group_options g = { .size = sizeof(g),
				       .label = "exec",
				       .memory = opt.memory.value };
	struct sbx_jail_options o = { .size = sizeof(o), .label = "exec" };
	int r = 0;

	if (opt.memory.text)
		r = sbx_group_new(run->ctx, &run->group, &g, err);
	o.group = run->group;
	return r < 0 ? r : sbx_jail_new(run->ctx, run->plan, &run->jail, &o, err);
}

static int prepare(struct run *run, struct sbx_error *err)
{
	int r = open_signals(run, err);

	if (r >= 0)
		r = open_json(run, err);
	if (r >= 0)
		r = settings_find(&run->settings, NULL, err);
	if (r >= 0)
		r = stdio_init(&run->stdio, opt.output.value, err);
	if (r >= 0)
		r = compile_policy(run, err);
	if (r >= 0)
		r = sbx_ctx_new(&run->ctx, NULL, err);
	return r < 0 ? r : make_jail(run, err);
}

/* ------------------------------------------------------------------ running */

static const char *const base_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/tmp",
	"LANG=C.UTF-8",
};

/* Whether a later --env names the same variable as `text`. */
static bool replaced(const char *text, uint32_t from)
{
	size_t len = strcspn(text, "=") + 1;

	for (uint32_t i = from; i < opt.env.n; i++)
		if (strncmp(opt.env.items[i], text, len) == 0)
			return true;
	return false;
}

static void build_env(const char *env[ARRAY_SIZE(base_env) + OPTION_LIST_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(base_env); i++)
		if (!replaced(base_env[i], 0))
			env[n++] = base_env[i];
	for (uint32_t i = 0; i < opt.env.n; i++)
		if (!replaced(opt.env.items[i], i + 1))
			env[n++] = opt.env.items[i];
	env[n] = NULL;
}

static int start(struct run *run, char **argv, struct sbx_error *err)
{
	const char *env[ARRAY_SIZE(base_env) + OPTION_LIST_MAX + 1];
	struct sbx_exec e = {
		.size = sizeof(e), .argv = (const char *const *)argv, .env = env, .cwd = opt.cwd
	};
	int r;

	build_env(env);
	stdio_apply(&run->stdio, &e);
	r = sbx_jail_exec(run->jail, &run->proc, &e, err);
	stdio_started(&run->stdio);
	return r;
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (!run->caught)
		run->caught = (int)info.ssi_signo;
	(void)sbx_jail_kill(run->jail, NULL);
}

/* Until the process has ended, attending signals and the terminal beside the library's own work. */
static int attend(struct run *run, struct sbx_result *ret, struct sbx_error *err)
{
	struct pollfd fds[3] = { { .fd = sbx_proc_pollfd(run->proc), .events = POLLIN },
				 { .fd = run->signals, .events = POLLIN } };
	struct feed *feed = &run->stdio.feed;
	bool wait;
	int r;

	while ((r = sbx_proc_dispatch(run->proc, err)) == 0) {
		nfds_t n = feed_wants(feed, &fds[2].fd, &fds[2].events, &wait) ? 3 : 2;

		fds[2].revents = 0;
		if (poll(fds, n, wait ? BACKGROUND_POLL_MS : -1) < 0) {
			if (errno == EINTR)
				continue;
			return run_error(err, -errno, "wait", "poll", strerror(errno));
		}
		if (fds[1].revents)
			take_signal(run);
		if (n == 3 && fds[2].revents)
			feed_move(feed);
	}
	return r < 0 ? r : sbx_proc_wait(run->proc, UINT64_MAX, ret, err);
}

/* ---------------------------------------------------------------- reporting */

static int failure_code(const struct sbx_error *err)
{
	if (!streq(err->stage, "exec") || err->code == -E2BIG || err->code == -ETIMEDOUT)
		return EXIT_SETUP;
	return err->code == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static void print_failure(const struct sbx_error *err, int code)
{
	if (streq(err->stage, "cwd") && opt.cwd)
		fprintf(stderr, "sandbox-run exec: --cwd %s: cannot be entered: %s\n", opt.cwd,
			strerror(-err->code));
	else if (code == EXIT_NOT_FOUND)
		fprintf(stderr,
			"sandbox-run exec: %s: not found in the jail (or its interpreter is not)\n"
			"Only /usr of the host is there: show others with --ro, and give a full "
			"path.\n",
			err->item);
	else if (code == EXIT_NOT_EXECUTABLE)
		fprintf(stderr, "sandbox-run exec: %s: cannot be executed: %s\n", err->item,
			strerror(-err->code));
	else
		fprintf(stderr, "sandbox-run exec: %s%s%s%s%s\n", err->stage,
			err->item[0] ? ": " : "", err->item, err->text[0] ? ": " : "", err->text);
	if (code == EXIT_SETUP && err->code == -ENOTSUP)
		fputs("sandbox-run doctor says what this host lacks.\n", stderr);
}

static int report(struct run *run, const struct sbx_result *result, const struct sbx_error *err)
{
	const struct exec_limits limits = {
		opt.memory.text, opt.cpu_time.text, opt.wall.text,   opt.pids.text,
		opt.disk.text,	 opt.fsize.text,    opt.output.text,
	};
	int code = result ? exec_exit_code(result) : failure_code(err);

	if (run->caught)
		code = 128 + run->caught;
	if (!result)
		print_failure(err, code);
	else if (!opt.quiet && !run->caught)
		exec_summary(result, &limits);
	if (run->json && exec_json(run->json, result, err, code) < 0) {
		fprintf(stderr, "sandbox-run exec: the result cannot be written: %s\n",
			strerror(errno));
		return EXIT_SETUP;
	}
	return code;
}

static void finish(struct run *run)
{
	run->proc = sbx_proc_free(run->proc);
	run->jail = sbx_jail_free(run->jail);
	run->group = sbx_group_free(run->group);
	sbx_plan_unref(run->plan);
	run->ctx = sbx_ctx_free(run->ctx);
	stdio_done(&run->stdio);
	settings_done(&run->settings);
	run->signals = close_fd(run->signals);
	if (run->json && run->json != stdout)
		(void)fclose(run->json);
}

int cmd_exec(int argc, char **argv)
{
	struct sbx_result result = { .size = sizeof(result) };
	struct run run = { .signals = -1, .stdio.feed = { .source = -1, .sink = -1 } };
	struct sbx_error err = { 0 };
	int n, r, code = options_read(&command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n == 0)
		return usage_error("exec", "no command was given; write it after the options");
	if (opt.cwd && opt.cwd[0] != '/')
		return usage_error("exec", "--cwd: \"%.64s\" is not an absolute path of the jail",
				   opt.cwd);
	r = prepare(&run, &err);
	if (r >= 0)
		r = start(&run, argv, &err);
	if (r >= 0)
		r = attend(&run, &result, &err);
	code = report(&run, r >= 0 ? &result : NULL, &err);
	finish(&run);
	return code;
}
