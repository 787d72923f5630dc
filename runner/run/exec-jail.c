/* SPDX-License-Identifier: MIT */

/* See exec-jail.h. */

#include "exec-jail.h"
#include "cli/signals.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <util/util.h>

int exec_fail(struct sbx_error *err, int code, const char *stage, const char *item,
	      const char *text)
{
	memset(err, 0, sizeof(*err));
	err->code = code;
	copy_string(err->stage, sizeof(err->stage), stage);
	copy_string(err->item, sizeof(err->item), item);
	copy_string(err->text, sizeof(err->text), text);
	return code;
}

int exec_jail_plan(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err)
{
	int r = settings_find(&j->settings, NULL, err);

	if (r >= 0)
		r = settings_policy(&j->settings, o->policy, &j->policy_path, err);
	if (r >= 0)
		r = exec_policy_compile(&j->settings, j->policy_path, o, &j->plan, err);
	return r;
}

static int open_signals(struct exec_jail *j, struct sbx_error *err)
{
	j->signals = signals_open();
	if (j->signals < 0)
		return exec_fail(err, j->signals, "signals", "signalfd", strerror(-j->signals));
	return 0;
}

void exec_jail_signal(struct exec_jail *j)
{
	struct signalfd_siginfo info;

	if (read(j->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (!j->caught)
		j->caught = (int)info.ssi_signo;
	(void)sbx_jail_kill(j->jail, NULL);
}

static void log_line(void *data, int level, const char *line)
{
	const struct exec_options *o = data;
	int most = o->verbose > 1 ? SBX_LOG_DEBUG : o->verbose ? SBX_LOG_INFO : SBX_LOG_WARNING;

	if (level <= most && (o->verbose || !o->quiet))
		fprintf(stderr, "sandbox: %s\n", line);
}

static int make_context(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err)
{
	struct sbx_ctx_options c = {
		.size = sizeof(c),
		.flags = SBX_CTX_OWN_LEAF,
		.log = log_line,
		.log_data = (void *)o,
		.allow_unenforced = o->unenforced,
	};

	return sbx_ctx_new(&j->ctx, &c, err);
}

/*
 * A policy's "memory" is for the programs: the sizes of the jail's file systems, whose pages the
 * kernel counts as memory too, are added to it. Who writes --memory 64M means 64M in all, so a
 * parent group holds the jail to exactly that.
 */
static int make_jail(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err)
{
	const char *label = o->label ? o->label : "exec";
	struct sbx_group_options g = { .size = sizeof(g),
				       .label = label,
				       .memory = o->memory.value };
	struct sbx_jail_options jail = { .size = sizeof(jail), .label = label };
	int r = 0;

	if (o->memory.text)
		r = sbx_group_new(j->ctx, &j->group, &g, err);
	jail.group = j->group;
	return r < 0 ? r : sbx_jail_new(j->ctx, j->plan, &j->jail, &jail, err);
}

/* ------------------------------------------------------------------- ports */

static int open_port(struct exec_jail *j, const struct exec_port *p, uint32_t flags,
		     struct sbx_error *err)
{
	struct sbx_forward f = {
		.size = sizeof(f),
		.flags = flags,
		.port = p->port,
		.host_port = p->host_port,
		.host = p->unix_path[0] ? NULL
			: p->host[0]    ? p->host
					: "127.0.0.1",
		.unix_path = p->unix_path[0] ? p->unix_path : NULL,
	};

	return sbx_jail_forward(j->jail, &f, err);
}

/* The relay is no user of this host, so a socket that is not open to all is closed to it. */
static int check_socket(const struct exec_port *p, struct sbx_error *err)
{
	struct stat st;

	if (!p->unix_path[0])
		return 0;
	if (stat(p->unix_path, &st) < 0)
		return exec_fail(err, -errno, "--forward", p->unix_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return exec_fail(err, -ENOTSOCK, "--forward", p->unix_path, "is not a socket");
	if (geteuid() == 0 && !(st.st_mode & S_IWOTH))
		return exec_fail(err, -EACCES, "--forward", p->unix_path,
				 "may not be connected to by others, and the relay is no user of "
				 "this host: chmod o+rw");
	return 0;
}

static void say_published(const struct exec_port *p)
{
	bool v6 = strchr(p->host, ':');

	if (p->unix_path[0])
		fprintf(stderr, "sandbox-run: %s leads to port %u of the jail\n", p->unix_path,
			p->port);
	else
		fprintf(stderr, "sandbox-run: %s%s%s:%u leads to port %u of the jail\n",
			v6 ? "[" : "", p->host[0] ? p->host : "127.0.0.1", v6 ? "]" : "",
			p->host_port, p->port);
}

static int publish(struct exec_jail *j, const struct exec_options *o, const char *text,
		   struct sbx_error *err)
{
	struct exec_port *p = &j->published[j->n_published];
	const char *why;
	bool chosen;
	int r;

	if (exec_parse_publish(text, p, &why) < 0)
		return exec_fail(err, -EINVAL, "--publish", text, why);
	chosen = p->host_port != 0;
	r = open_port(j, p, SBX_FORWARD_PUBLISH, err);
	if (r < 0)
		return r;
	if (!p->unix_path[0] && r > 0)
		p->host_port = (uint16_t)r;
	j->n_published++;
	if (!o->quiet && (!chosen || o->verbose))
		say_published(p);
	return 0;
}

static int open_ports(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err)
{
	struct exec_port p;
	const char *why;
	int r = 0;

	if (o->publish.n > EXEC_PORTS_MAX)
		return exec_fail(err, -E2BIG, "--publish", o->publish.items[EXEC_PORTS_MAX],
				 "is one too many; 64 is the limit");
	for (uint32_t i = 0; i < o->forward.n && r >= 0; i++) {
		if (exec_parse_forward(o->forward.items[i], &p, &why) < 0)
			return exec_fail(err, -EINVAL, "--forward", o->forward.items[i], why);
		r = check_socket(&p, err);
		if (r == 0)
			r = open_port(j, &p, 0, err);
	}
	for (uint32_t i = 0; i < o->publish.n && r >= 0; i++)
		r = publish(j, o, o->publish.items[i], err);
	return r < 0 ? r : 0;
}

int exec_jail_make(struct exec_jail *j, const struct exec_options *o, struct sbx_error *err)
{
	int r = open_signals(j, err);

	if (r >= 0)
		r = make_context(j, o, err);
	if (r >= 0)
		r = make_jail(j, o, err);
	return r < 0 ? r : open_ports(j, o, err);
}

void exec_jail_done(struct exec_jail *j)
{
	j->jail = sbx_jail_free(j->jail);
	j->group = sbx_group_free(j->group);
	sbx_plan_unref(j->plan);
	j->plan = NULL;
	j->ctx = sbx_ctx_free(j->ctx);
	settings_done(&j->settings);
	free(j->policy_path);
	j->policy_path = NULL;
	j->signals = close_fd(j->signals);
}

/* --------------------------------------------------------------- complaint */

static int failure_code(const struct sbx_error *err)
{
	if (!streq(err->stage, "exec") || err->code == -E2BIG || err->code == -ETIMEDOUT)
		return EXIT_SETUP;
	return err->code == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

int exec_jail_complain(const char *command, const struct exec_options *o,
		       const struct sbx_error *err)
{
	int code = failure_code(err);

	if (streq(err->stage, "cwd") && o->cwd)
		fprintf(stderr, "sandbox-run %s: --cwd %s: cannot be entered: %s\n", command,
			o->cwd, strerror(-err->code));
	else if (code == EXIT_NOT_FOUND)
		fprintf(stderr,
			"sandbox-run %s: %s: not found in the jail (or its interpreter is not)\n"
			"%s: show others with --ro, and give a full path.\n",
			command, err->item,
			o->root ? "Only what --root holds is there"
				: "Only /usr of the host is there");
	else if (code == EXIT_NOT_EXECUTABLE)
		fprintf(stderr, "sandbox-run %s: %s: cannot be executed: %s\n", command, err->item,
			strerror(-err->code));
	else
		fprintf(stderr, "sandbox-run %s: %s%s%s%s%s\n", command, err->stage,
			err->item[0] ? ": " : "", err->item, err->text[0] ? ": " : "", err->text);
	if (code == EXIT_SETUP && err->code == -ENOTSUP)
		fputs("sandbox-run doctor says what this host lacks and how to repair it; "
		      "--allow-unenforced goes without.\n",
		      stderr);
	return code;
}
