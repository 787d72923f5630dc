/* SPDX-License-Identifier: MIT */

/* See exec-input.h. */

#include "exec-input.h"
#include "exec-jail.h"
#include "exec-stdio.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define ARGS_BYTES_MAX (128u << 10) /* what the library takes in all */
#define FDS_MAX 29                  /* the library passes 32, the streams among them */

static const char *const base_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin",
	"HOME=/tmp",
	"LANG=C.UTF-8",
};

/* Whether a later --env names the same variable as `text`. */
static bool replaced(const struct option_list *env, const char *text, uint32_t from)
{
	size_t len = strcspn(text, "=") + 1;

	for (uint32_t i = from; i < env->n; i++)
		if (strncmp(env->items[i], text, len) == 0)
			return true;
	return false;
}

static int build_env(struct exec_input *in, const struct option_list *env)
{
	size_t n = 0;

	in->env = calloc(ARRAY_SIZE(base_env) + env->n + 1, sizeof(*in->env));
	if (!in->env)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(base_env); i++)
		if (!replaced(env, base_env[i], 0))
			in->env[n++] = base_env[i];
	for (uint32_t i = 0; i < env->n; i++)
		if (!replaced(env, env->items[i], i + 1))
			in->env[n++] = env->items[i];
	return 0;
}

/* -E2BIG beyond what any program could be given. */
static int read_args(int fd, char **ret, size_t *ret_size)
{
	_cleanup_free_ char *text = malloc(ARGS_BYTES_MAX + 2);
	size_t size = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (n != 0 && size <= ARGS_BYTES_MAX) {
		n = read(fd, text + size, ARGS_BYTES_MAX + 1 - size);
		if (n < 0 && errno != EINTR)
			return -errno;
		size += n > 0 ? (size_t)n : 0;
	}
	if (size > ARGS_BYTES_MAX)
		return -E2BIG;
	if (size > 0 && text[size - 1] != '\0')
		text[size++] = '\0';
	*ret = steal_ptr(text);
	*ret_size = size;
	return 0;
}

static int build_argv(struct exec_input *in, const struct exec_options *o, char *const *argv,
		      struct sbx_error *err)
{
	size_t given = 0, size = 0, more = 0;
	int r = 0;

	while (argv[given])
		given++;
	if (o->args_fd.text)
		r = read_args((int)o->args_fd.value, &in->text, &size);
	if (r < 0)
		return exec_fail(err, r, "--args-fd", o->args_fd.text,
				 r == -E2BIG ? "holds more than the 128 KiB that a program can get"
					     : strerror(-r));
	for (size_t i = 0; i < size; i++)
		more += in->text[i] == '\0';
	in->argv = calloc(given + more + 1, sizeof(*in->argv));
	if (!in->argv)
		return exec_fail(err, -ENOMEM, "arguments", "", "out of memory");
	for (size_t i = 0; i < given; i++)
		in->argv[i] = argv[i];
	for (size_t i = 0; i < size; i += strlen(in->text + i) + 1)
		in->argv[given++] = in->text + i;
	if (given == 0 || !in->argv[0][0])
		return exec_fail(err, -EINVAL, "arguments", "",
				 "no command was given, neither as words nor on --args-fd");
	return 0;
}

/* A directory would lead out of the jail, and who holds a terminal can type into it. */
static int check_fd(const char *text, int fd, struct sbx_error *err)
{
	int r = stdio_check(fd, text, err);

	if (r < 0) {
		copy_string(err->stage, sizeof(err->stage), "--fd");
		return r;
	}
	if (isatty(fd) == 1)
		return exec_fail(err, -ENOTTY, "--fd", text,
				 "is a terminal, which the jail must not have");
	return 0;
}

static int build_fds(struct exec_input *in, const struct option_list *fds, struct sbx_error *err)
{
	struct exec_fd fd;
	const char *why;
	int r = 0;

	if (fds->n > FDS_MAX)
		return exec_fail(err, -E2BIG, "--fd", fds->items[FDS_MAX],
				 "is one too many; 29 is the limit");
	in->fds = calloc(fds->n + 1, sizeof(*in->fds));
	if (!in->fds)
		return exec_fail(err, -ENOMEM, "--fd", "", "out of memory");
	for (uint32_t i = 0; i < fds->n && r == 0; i++) {
		const char *text = fds->items[i];

		if (exec_parse_fd(text, &fd, &why) < 0)
			return exec_fail(err, -EINVAL, "--fd", text, why);
		for (uint32_t j = 0; j < i; j++)
			if (in->fds[j].target == fd.target)
				return exec_fail(err, -EEXIST, "--fd", text,
						 "has a target that was given before");
		in->fds[in->n_fds++] = (struct sbx_fd){ .fd = fd.fd, .target = fd.target };
		r = check_fd(text, fd.fd, err);
	}
	return r;
}

int exec_input_init(struct exec_input *in, const struct exec_options *o, char *const *argv,
		    struct sbx_error *err)
{
	int r = build_argv(in, o, argv, err);

	if (r == 0)
		r = build_fds(in, &o->fds, err);
	if (r == 0 && build_env(in, &o->env) < 0)
		r = exec_fail(err, -ENOMEM, "environment", "", "out of memory");
	return r;
}

void exec_input_done(struct exec_input *in)
{
	free(in->text);
	free(in->argv);
	free(in->env);
	free(in->fds);
	memset(in, 0, sizeof(*in));
}

void exec_input_apply(const struct exec_input *in, const struct exec_options *o, struct sbx_exec *e)
{
	e->argv = in->argv;
	e->env = in->env;
	e->cwd = o->cwd;
	e->fds = in->fds;
	e->n_fds = in->n_fds;
}
