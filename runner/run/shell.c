/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run shell: the jail of exec, to look around in. The options are exec's but for the
 * streams, which are a terminal of its own (terminal.h); no limit of time holds unless one is
 * given.
 */

#include "exec-input.h"
#include "exec-jail.h"
#include "exec-plan.h"
#include "exec-report.h"
#include "run/run.h"
#include "terminal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

struct shell {
	struct exec_jail jail;
	struct exec_input input;
	struct terminal terminal;
	struct exec_outputs outputs;
	struct sbx_proc *proc;
};

/* TERM is the one thing that the shell needs to know of where it is shown. */
static void add_term(void)
{
	static char pair[128];
	const char *term = getenv("TERM");

	if (!term || !*term || exec_opt.env.n >= OPTION_LIST_MAX)
		return;
	for (uint32_t i = 0; i < exec_opt.env.n; i++)
		if (starts_with(exec_opt.env.items[i], "TERM="))
			return;
	(void)snprintf(pair, sizeof(pair), "TERM=%s", term);
	exec_opt.env.items[exec_opt.env.n++] = pair;
}

static int start(struct shell *s, struct sbx_error *err)
{
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDIN | SBX_EXEC_STDOUT | SBX_EXEC_STDERR,
		.stdin_fd = s->terminal.slave,
		.stdout_fd = s->terminal.slave,
		.stderr_fd = s->terminal.slave,
		.stdout_limit = UINT64_MAX,
		.stderr_limit = UINT64_MAX,
		.wall_ns = exec_opt.wall.text ? 0 : UINT64_MAX,
		.cpu_ns = exec_opt.cpu_time.text ? 0 : UINT64_MAX,
	};
	int r;

	exec_input_apply(&s->input, &exec_opt, &e);
	r = sbx_jail_exec(s->jail.jail, &s->proc, &e, err);
	terminal_started(&s->terminal);
	if (r >= 0)
		exec_started(&s->outputs, &s->jail, s->proc);
	return r;
}

static int attend(struct shell *s, struct sbx_result *ret, struct sbx_error *err)
{
	int r, seen;

	while ((r = sbx_proc_dispatch(s->proc, err)) == 0) {
		seen = terminal_poll(&s->terminal, sbx_proc_pollfd(s->proc), s->jail.signals);
		if (seen < 0) {
			(void)sbx_jail_kill(s->jail.jail, NULL);
			return exec_fail(err, seen, "terminal", "", strerror(-seen));
		}
		if (seen > 0)
			exec_jail_signal(&s->jail);
	}
	return r < 0 ? r : sbx_proc_wait(s->proc, UINT64_MAX, ret, err);
}

static int run(struct shell *s, char *const *argv, struct sbx_result *ret, struct sbx_error *err)
{
	int r = exec_outputs_open(&s->outputs, &exec_opt, err);

	if (r >= 0)
		r = exec_input_init(&s->input, &exec_opt, argv, err);
	if (r >= 0)
		r = exec_jail_plan(&s->jail, &exec_opt, err);
	if (r >= 0)
		r = exec_jail_make(&s->jail, &exec_opt, err);
	if (r >= 0)
		r = terminal_open(&s->terminal, err);
	if (r >= 0)
		r = start(s, err);
	if (r >= 0)
		r = attend(s, ret, err);
	terminal_close(&s->terminal);
	return r;
}

int cmd_shell(int argc, char **argv)
{
	static char *const default_argv[] = { "/bin/sh", "-i", NULL };
	struct shell s = { .jail = EXEC_JAIL_NULL, .terminal = TERMINAL_NULL };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_error err = { 0 };
	int n, r, code = options_read(&shell_command, argc, argv, &n);

	if (code < 0)
		code = exec_options_check("shell", &exec_opt);
	if (code >= 0)
		return code;
	exec_opt.terminal = true;
	add_term();
	if (exec_opt.dry_run)
		return exec_plan_print("shell", &exec_opt, n > 0 ? argv : default_argv);
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return usage_error("shell", "standard input and output must be a terminal; exec "
					    "runs commands without one");
	r = run(&s, n > 0 ? argv : default_argv, &result, &err);
	code = exec_finished("shell", &s.outputs, &s.jail, r >= 0 ? &result : NULL, &err);
	s.proc = sbx_proc_free(s.proc);
	exec_jail_done(&s.jail);
	exec_input_done(&s.input);
	exec_outputs_done(&s.outputs);
	return code;
}
