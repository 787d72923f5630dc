/* SPDX-License-Identifier: MIT */

/*
 * See exec-plan.h. The compiled plan describes itself (sbx_plan_describe); what the command line
 * adds, and what this host would enforce limits with, stands beside it.
 */

#include "exec-plan.h"
#include "exec-input.h"
#include "exec-jail.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define CHECKS_MAX 64

/* As a shell would need it written. */
static void print_word(const char *word)
{
	bool plain = *word;

	for (const char *s = word; *s && plain; s++)
		plain = isalnum((unsigned char)*s) || strchr("%+,-./:=@_", *s);
	if (plain) {
		printf(" %s", word);
		return;
	}
	fputs(" '", stdout);
	for (const char *s = word; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			printf("\\x%02x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('\'');
}

static void print_list(const char *title, const struct option_list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		printf("  %-14s %s\n", title, list->items[i]);
}

static const struct sbx_check *find_check(const struct sbx_check *checks, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (streq(checks[i].name, name))
			return &checks[i];
	return NULL;
}

static void print_enforcer(const struct sbx_check *checks, int n, const struct exec_options *o,
			   const char *limit, const char *check, uint32_t bit)
{
	const struct sbx_check *c = find_check(checks, n, check);

	printf("  %-14s ", limit);
	if (c && c->status == SBX_CHECK_PASS)
		printf("%s\n", c->found);
	else if (bit == SBX_LIMIT_PIDS && geteuid() != 0)
		printf("RLIMIT_NPROC of the jail's user (%s)\n", c ? c->found : "no cgroup");
	else if (o->unenforced & bit)
		printf("not, and it need not be (--allow-unenforced)%s%s\n", c ? ": " : "",
		       c ? c->found : "");
	else
		printf("%s; without it the run is refused\n", c ? c->found : "unknown");
}

/* --memory counts everything: the policy's own figure has room for full file systems. */
static void print_total(const struct exec_options *o)
{
	if (o->memory.text)
		printf("  %-14s %s for all of it, by a group around the jail\n", "in all",
		       o->memory.text);
}

static void print_enforcement(const struct exec_options *o)
{
	static struct sbx_check checks[CHECKS_MAX];
	int n = MIN_OF(sbx_probe(checks, CHECKS_MAX), CHECKS_MAX);

	printf("what enforces the limits here\n");
	print_total(o);
	print_enforcer(checks, n, o, "memory", "cgroup-memory", SBX_LIMIT_MEMORY);
	print_enforcer(checks, n, o, "swap", "swap", SBX_LIMIT_SWAP);
	print_enforcer(checks, n, o, "pids", "cgroup-pids", SBX_LIMIT_PIDS);
	print_enforcer(checks, n, o, "cpu", "cgroup-cpu", SBX_LIMIT_CPU);
	print_enforcer(checks, n, o, "cpu_time", "cgroup-cpu", SBX_LIMIT_CPU_TIME);
	printf("  %-14s a timer of sandbox-run\n", "wall");
	printf("  %-14s a pipe that sandbox-run reads\n", "output");
	printf("  %-14s the size of file systems in memory\n", "disk");
	printf("  %-14s the kernel, for each process (setrlimit)\n", "rlimits");
}

static void print_ports(const struct exec_options *o)
{
	printf("network\n  %-14s %s\n", "namespace",
	       streq(o->net, "none") ? "of its own; no program can make a socket"
				     : "of its own, with a loopback interface");
	print_list("forward", &o->forward);
	print_list("publish", &o->publish);
}

static void print_stream(int fd, const char *name, const char *path)
{
	printf("  %-14s ", name);
	if (path)
		printf("%s\n", path);
	else
		printf("%s\n", isatty(fd) == 1 ? "the terminal, through a pipe" : "the caller's");
}

static void print_program(const char *command, const struct exec_options *o, char *const *argv,
			  const struct exec_input *in)
{
	if (streq(command, "shell")) {
		printf("streams\n  %-14s a terminal of its own\n", "all");
	} else {
		printf("streams\n");
		print_stream(STDIN_FILENO, "stdin", o->stdin_path);
		print_stream(STDOUT_FILENO, "stdout", o->stdout_path);
		print_stream(STDERR_FILENO, "stderr", o->stderr_path);
		print_list("descriptor", &o->fds);
	}
	printf("environment\n");
	for (const char *const *e = (const char *const *)in->env; *e; e++)
		printf("  %s\n", *e);
	printf("command\n ");
	for (; *argv; argv++)
		print_word(*argv);
	if (o->args_fd.text)
		printf(" (and what descriptor %s holds)", o->args_fd.text);
	if (o->cwd)
		printf("\n  in %s", o->cwd);
	putchar('\n');
}

int exec_plan_print(const char *command, const struct exec_options *o, char *const *argv)
{
	struct exec_jail j = EXEC_JAIL_NULL;
	struct exec_options quiet = *o;
	struct exec_input in = { 0 };
	struct sbx_error err = { 0 };
	int r, code = 0;

	quiet.args_fd.text = NULL; /* reading it would take it from whoever runs it next */
	r = exec_jail_plan(&j, o, &err);
	if (r >= 0 && (*argv || !o->args_fd.text))
		r = exec_input_init(&in, &quiet, argv, &err);
	else if (r >= 0)
		r = exec_input_init(&in, &quiet, (char *[]){ "-", NULL }, &err);
	if (r >= 0) {
		printf("policy\n  %s\n", j.policy_path);
		(void)fflush(stdout);
		r = sbx_plan_describe(j.plan, STDOUT_FILENO, &err);
	}
	if (r >= 0) {
		print_enforcement(o);
		print_ports(o);
		print_program(command, o, argv, &in);
		printf("nothing was made and nothing was run (--dry-run)\n");
	} else {
		code = exec_jail_complain(command, o, &err);
	}
	exec_input_done(&in);
	exec_jail_done(&j);
	return code;
}
