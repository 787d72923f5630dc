/* SPDX-License-Identifier: MIT */

/* A submission that does what its input says: the first line of a test is what is to happen in it. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile char sink;

static long used_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void touch(long mebibytes)
{
	size_t n = (size_t)mebibytes << 20;
	char *p = malloc(n);

	if (!p)
		exit(99);
	memset(p, 1, n);
	sink = p[n - 1];
}

/* A page of stack for each level, in use until the deeper ones have returned. */
static int recurse(long n)
{
	volatile char frame[4096];
	int deeper;

	frame[0] = frame[4095] = (char)n;
	deeper = n ? recurse(n - 1) : 0;
	return deeper + frame[0] - frame[4095];
}

/* Children that say on a pipe when they have touched 60 MiB, and keep them. */
static int have_children(long n)
{
	char byte = 0;
	int ends[2];

	if (pipe(ends) < 0)
		exit(97);
	for (; n > 0; n--)
		if (fork() == 0) {
			touch(60);
			(void)!write(ends[1], &byte, 1);
			for (;;)
				(void)pause();
		}
	return ends[0];
}

static void feed_children(long n)
{
	int said = have_children(n);
	char byte;

	while (n-- > 0)
		if (read(said, &byte, 1) != 1)
			exit(96);
}

static int lose_children(long n)
{
	int status;

	(void)have_children(n);
	return wait(&status) > 0 && WIFSIGNALED(status);
}

/* What a test has left would be seen by the next. */
static int writes(void)
{
	static const char *const names[] = { "/tmp/x", "/box/x", "/dev/shm/x", "/x", "/etc/x" };
	char byte = 0;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (open(names[i], O_WRONLY | O_CREAT, 0600) >= 0)
			return 1;
	return pwrite(3, &byte, 1, 0) == 1 || ftruncate(3, 0) == 0; /* the program itself */
}

int main(void)
{
	char what[32] = "";
	long n = 0, i;

	if (scanf("%31s %ld", what, &n) < 1)
		return 98;
	if (!strcmp(what, "print"))
		for (i = 0; i < n; i++)
			(void)puts("0123456789abcde");
	else if (!strcmp(what, "burn"))
		while (used_ms() < n)
			;
	else if (!strcmp(what, "touch"))
		touch(n);
	else if (!strcmp(what, "recurse"))
		sink = (char)recurse(n);
	else if (!strcmp(what, "children"))
		feed_children(n);
	else if (!strcmp(what, "too-many"))
		return lose_children(n);
	else if (!strcmp(what, "sleep"))
		(void)sleep((unsigned int)n);
	else if (!strcmp(what, "writes"))
		return writes();
	else if (!strcmp(what, "exit"))
		return (int)n;
	else if (!strcmp(what, "raise"))
		(void)raise((int)n);
	else if (!strcmp(what, "crash"))
		*(volatile int *)n = 1;
	(void)puts(" done\t");
	return 0;
}
