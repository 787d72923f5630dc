/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run trace: the jail of exec without its system call filter, to learn which calls a
 * command makes and what the policy would have said to each. All else of the jail stands: tree,
 * limits, network, ids.
 */

#include "trace.h"
#include "exec-input.h"
#include "exec-report.h"
#include "exec-stdio.h"
#include "run/run.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define BACKGROUND_POLL_MS 500
#define CALLS_PER_TURN 256 /* between two looks at signals and the terminal */

const char *trace_report_path;

struct trace {
	struct exec_jail jail;
	struct exec_input input;
	struct stdio stdio;
	struct exec_outputs outputs;
	struct sbx_proc *proc;
	FILE *report; /* NULL: stderr */
	struct tally tally;
};

static int prepare(struct trace *t, char **argv, struct sbx_error *err)
{
	int r = exec_outputs_open(&t->outputs, &exec_opt, err);

	if (r < 0)
		return r;
	if (trace_report_path) {
		t->report = fopen(trace_report_path, "we");
		if (!t->report)
			return exec_fail(err, -errno, "--report", trace_report_path,
					 strerror(errno));
	}
	if (tally_init(&t->tally) < 0)
		return exec_fail(err, -ENOMEM, "trace", "", "out of memory");
	r = exec_input_init(&t->input, &exec_opt, argv, err);
	if (r >= 0)
		r = stdio_init(&t->stdio, &exec_opt, err);
	if (r >= 0)
		r = exec_jail_plan(&t->jail, &exec_opt, err);
	return r < 0 ? r : exec_jail_make(&t->jail, &exec_opt, err);
}

static int start(struct trace *t, struct sbx_error *err)
{
	struct sbx_exec e = { .size = sizeof(e), .flags = SBX_EXEC_TRACE };
	int r;

	exec_input_apply(&t->input, &exec_opt, &e);
	stdio_apply(&t->stdio, &e);
	r = sbx_jail_exec(t->jail.jail, &t->proc, &e, err);
	stdio_started(&t->stdio);
	return r;
}

/* What waits now. 0: the command and its children have ended; 1: not yet. */
static int count_calls(struct trace *t, struct sbx_error *err)
{
	struct sbx_syscall c = { .size = sizeof(c) };
	int r;

	for (int i = 0; i < CALLS_PER_TURN; i++) {
		r = sbx_proc_next_syscall(t->proc, 0, &c, err);
		if (r == -ETIMEDOUT)
			return 1;
		if (r <= 0)
			return r;
		tally_add(&t->tally, t->jail.plan, &c);
	}
	return 1;
}

/*
 * Until the command itself has ended; what it leaves behind ends with the jail, as in exec. Its
 * last calls are taken before that is looked at, for a process that is gone makes none.
 */
static int attend(struct trace *t, struct sbx_result *ret, struct sbx_error *err)
{
	struct pollfd fds[4] = { { .fd = sbx_proc_pollfd(t->proc), .events = POLLIN },
				 { .fd = t->jail.signals, .events = POLLIN },
				 { .fd = sbx_proc_pidfd(t->proc), .events = POLLIN } };
	struct feed *feed = &t->stdio.feed;
	bool wait;
	int r;

	while ((r = count_calls(t, err)) > 0 && !fds[2].revents) {
		nfds_t n = feed_wants(feed, &fds[3].fd, &fds[3].events, &wait) ? 4 : 3;

		fds[3].revents = 0;
		if (poll(fds, n, wait ? BACKGROUND_POLL_MS : -1) < 0) {
			if (errno == EINTR)
				continue;
			return exec_fail(err, -errno, "wait", "poll", strerror(errno));
		}
		if (fds[1].revents)
			exec_jail_signal(&t->jail);
		if (n == 4 && fds[3].revents)
			feed_move(feed);
	}
	return r < 0 ? r : sbx_proc_wait(t->proc, UINT64_MAX, ret, err);
}

/* ---------------------------------------------------------------------------- report */

/* As "extends" names it: the file's name without directory and ".json". */
static void policy_name(const struct trace *t, char buf[256])
{
	const char *path = t->jail.policy_path, *slash = strrchr(path, '/');
	size_t n;

	copy_string(buf, 256, slash ? slash + 1 : path);
	n = strlen(buf);
	if (n > 5 && streq(buf + n - 5, ".json"))
		buf[n - 5] = '\0';
}

static int report(struct trace *t, int code, struct sbx_error *err)
{
	struct lack *lack = calloc(1, sizeof(*lack));
	char policy[256];
	int r;

	if (!lack)
		return exec_fail(err, -ENOMEM, "trace", "", "out of memory");
	policy_name(t, policy);
	r = lack_find(lack, &t->tally, &t->jail, &exec_opt, err);
	if (r >= 0 && t->outputs.json &&
	    trace_json(t->outputs.json, &t->tally, lack, policy, code) < 0)
		r = exec_fail(err, -EIO, "--json", "", "the result cannot be written");
	if (r >= 0 && (t->report || !exec_opt.quiet))
		trace_print(t->report ? t->report : stderr, &t->tally, lack, policy);
	if (r >= 0 && t->report && fflush(t->report) != 0)
		r = exec_fail(err, -errno, "--report", trace_report_path, strerror(errno));
	lack_done(lack);
	free(lack);
	return r;
}

static void finish(struct trace *t)
{
	t->proc = sbx_proc_free(t->proc);
	exec_jail_done(&t->jail);
	exec_input_done(&t->input);
	stdio_done(&t->stdio);
	exec_outputs_done(&t->outputs);
	tally_done(&t->tally);
	if (t->report)
		(void)fclose(t->report);
}

static int run(struct trace *t, char **argv)
{
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_error err = { 0 };
	int code, r = prepare(t, argv, &err);

	if (r >= 0)
		r = start(t, &err);
	if (r >= 0)
		r = attend(t, &result, &err);
	if (r < 0)
		return exec_jail_complain("trace", &exec_opt, &err);
	code = t->jail.caught ? 128 + t->jail.caught : exec_exit_code(&result);
	if (!exec_opt.quiet && !t->jail.caught)
		exec_summary(&result, &exec_opt);
	r = report(t, code, &err);
	return r < 0 ? exec_jail_complain("trace", &exec_opt, &err) : code;
}

int cmd_trace(int argc, char **argv)
{
	struct trace t = { .jail = EXEC_JAIL_NULL, .stdio = STDIO_NULL };
	int n, code = options_read(&trace_command, argc, argv, &n);

	if (code < 0)
		code = exec_options_check("trace", &exec_opt);
	if (code >= 0)
		return code;
	if (n == 0)
		return usage_error("trace", "no command was given; write it after the options");
	code = run(&t, argv);
	finish(&t);
	return code;
}
