/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run exec: a jail for any program.
 *
 * What the program gets is built, never inherited: arguments, environment and descriptors in
 * exec-input.c, streams in exec-stdio.c, the rest by the policy (exec-policy.c). The jail itself is
 * exec-jail.c's, which shell uses, too. This file runs the program and says what came of it.
 */

#include "exec-input.h"
#include "exec-jail.h"
#include "exec-plan.h"
#include "exec-report.h"
#include "exec-stdio.h"
#include "run/run.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define BACKGROUND_POLL_MS 500

struct run {
	struct exec_jail jail;
	struct exec_input input;
	struct stdio stdio;
	struct sbx_proc *proc;
	struct exec_outputs outputs;
};

/* Everything of the caller's first: what is missing there is said before a jail is made. */
static int prepare(struct run *run, char **argv, struct sbx_error *err)
{
	int r = exec_input_init(&run->input, &exec_opt, argv, err);

	if (r >= 0)
		r = stdio_init(&run->stdio, &exec_opt, err);
	if (r >= 0)
		r = exec_jail_plan(&run->jail, &exec_opt, err);
	return r < 0 ? r : exec_jail_make(&run->jail, &exec_opt, err);
}

static int start(struct run *run, struct sbx_error *err)
{
	struct sbx_exec e = { .size = sizeof(e) };
	int r;

	exec_input_apply(&run->input, &exec_opt, &e);
	stdio_apply(&run->stdio, &e);
	r = sbx_jail_exec(run->jail.jail, &run->proc, &e, err);
	stdio_started(&run->stdio);
	if (r >= 0)
		exec_started(&run->outputs, &run->jail, run->proc);
	return r;
}

/* Until the process has ended, attending signals and the terminal beside the library's own work. */
static int attend(struct run *run, struct sbx_result *ret, struct sbx_error *err)
{
	struct pollfd fds[3] = { { .fd = sbx_proc_pollfd(run->proc), .events = POLLIN },
				 { .fd = run->jail.signals, .events = POLLIN } };
	struct feed *feed = &run->stdio.feed;
	bool wait;
	int r;

	while ((r = sbx_proc_dispatch(run->proc, err)) == 0) {
		nfds_t n = feed_wants(feed, &fds[2].fd, &fds[2].events, &wait) ? 3 : 2;

		fds[2].revents = 0;
		if (poll(fds, n, wait ? BACKGROUND_POLL_MS : -1) < 0) {
			if (errno == EINTR)
				continue;
			return exec_fail(err, -errno, "wait", "poll", strerror(errno));
		}
		if (fds[1].revents)
			exec_jail_signal(&run->jail);
		if (n == 3 && fds[2].revents)
			feed_move(feed);
	}
	return r < 0 ? r : sbx_proc_wait(run->proc, UINT64_MAX, ret, err);
}

static void finish(struct run *run)
{
	run->proc = sbx_proc_free(run->proc);
	exec_jail_done(&run->jail);
	exec_input_done(&run->input);
	stdio_done(&run->stdio);
	exec_outputs_done(&run->outputs);
}

int cmd_exec(int argc, char **argv)
{
	struct sbx_result result = { .size = sizeof(result) };
	struct run run = { .jail = EXEC_JAIL_NULL, .stdio = STDIO_NULL };
	struct sbx_error err = { 0 };
	int n, r, code = options_read(&exec_command, argc, argv, &n);

	if (code < 0)
		code = exec_options_check("exec", &exec_opt);
	if (code >= 0)
		return code;
	if (n == 0 && !exec_opt.args_fd.text)
		return usage_error("exec", "no command was given; write it after the options");
	if (exec_opt.dry_run)
		return exec_plan_print("exec", &exec_opt, argv);
	r = exec_outputs_open(&run.outputs, &exec_opt, &err);
	if (r >= 0)
		r = prepare(&run, argv, &err);
	if (r >= 0)
		r = start(&run, &err);
	if (r >= 0)
		r = attend(&run, &result, &err);
	code = exec_finished("exec", &run.outputs, &run.jail, r >= 0 ? &result : NULL, &err);
	finish(&run);
	return code;
}
