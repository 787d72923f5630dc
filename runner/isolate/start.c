/* SPDX-License-Identifier: MIT */

/* See start.h. Static: a box may hold no library. */

#include "start.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <util/util.h>

extern char **environ;

static int failure = -1;

__attribute__((format(printf, 1, 2))) static _Noreturn void fail(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)!write(failure, text, MIN_OF((size_t)n, sizeof(text) - 1));
	_exit(2);
}

/* Opening a named pipe waits for its other end, which is what a judge with pipes wants. */
static void redirect(int fd, const char *path, int flags)
{
	int opened = open(path, flags | O_NOCTTY | O_CLOEXEC, 0666);

	if (opened < 0)
		fail("open(\"%.400s\"): %s", path, strerror(errno));
	if (dup2(opened, fd) < 0)
		fail("dup2: %s", strerror(errno));
}

static void limit(int resource, const char *name, const char *text)
{
	unsigned long long value = strtoull(text, NULL, 10);
	struct rlimit l = { .rlim_cur = value, .rlim_max = value }, now;

	/* What the jail allows at most stays the most. */
	if (getrlimit(resource, &now) == 0 && now.rlim_max < l.rlim_max)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	if (setrlimit(resource, &l) < 0)
		fail("setrlimit(%s): %s", name, strerror(errno));
}

/* A second earlier a signal that tells what it is for. */
static void limit_cpu(const char *text)
{
	unsigned long long value = strtoull(text, NULL, 10);
	struct rlimit l = { .rlim_cur = value, .rlim_max = value + 1 };

	if (setrlimit(RLIMIT_CPU, &l) < 0)
		fail("setrlimit(RLIMIT_CPU): %s", strerror(errno));
}

static const char *value_of(const char *word, const char *key)
{
	return starts_with(word, key) ? word + strlen(key) : NULL;
}

static void streams(char **words)
{
	const char *value;

	for (char **w = words; *w; w++) {
		if ((value = value_of(*w, START_STDIN)))
			redirect(0, value, O_RDONLY);
		else if ((value = value_of(*w, START_STDOUT)))
			redirect(1, value, O_WRONLY | O_CREAT | O_TRUNC);
		else if ((value = value_of(*w, START_STDERR)))
			redirect(2, value, O_WRONLY | O_CREAT | O_TRUNC);
		else if (streq(*w, START_MERGE) && dup2(1, 2) < 0)
			fail("Cannot send stderr to stdout: %s", strerror(errno));
	}
}

static void limits(char **words)
{
	const char *value;

	for (char **w = words; *w; w++) {
		if ((value = value_of(*w, START_AS)))
			limit(RLIMIT_AS, "RLIMIT_AS", value);
		else if ((value = value_of(*w, START_CPU)))
			limit_cpu(value);
		else if ((value = value_of(*w, START_FSIZE)))
			limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", value);
		else if ((value = value_of(*w, START_NOFILE)))
			limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", value);
		else if ((value = value_of(*w, START_STACK)))
			limit(RLIMIT_STACK, "RLIMIT_STACK", value);
		else if ((value = value_of(*w, START_CHDIR)) && chdir(value) < 0)
			fail("chdir(\"%.400s\"): %s", value, strerror(errno));
	}
}

int main(int argc, char **argv)
{
	char **program = argv + 2;

	if (argc < 2)
		return 2;
	failure = atoi(argv[1]);
	if (failure < 3 || fcntl(failure, F_SETFD, FD_CLOEXEC) < 0)
		return 2;
	while (*program && !streq(*program, "--"))
		program++;
	if (!*program || !program[1])
		fail("sandbox-isolate-start: no program was given");
	*program++ = NULL;
	streams(argv + 2);
	limits(argv + 2);
	(void)execve(program[0], program, environ);
	/* RLIMIT_AS may leave no room for stdio's buffers: one write without them. */
	(void)dprintf(2, "execve(\"%.400s\"): %s\n", program[0], strerror(errno));
	_exit(127);
}
