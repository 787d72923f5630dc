/* SPDX-License-Identifier: MIT */

/*
 * To be preloaded: a child that would become the program SLOW_EXEC (its first argument) stays where
 * it is, forked and not yet executed, as one that gets no processor, until the file SLOW_EXEC_UNTIL
 * is there.
 */

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int execve(const char *path, char *const argv[], char *const envp[])
{
	int (*real)(const char *, char *const[], char *const[]) = (int (*)(
		const char *, char *const[], char *const[]))dlsym(RTLD_NEXT, "execve");
	const char *who = getenv("SLOW_EXEC"), *until = getenv("SLOW_EXEC_UNTIL");

	if (who && until && argv[0] && argv[1] && strcmp(argv[0], "sandbox-runner") == 0 &&
	    strcmp(argv[1], who) == 0) {
		while (access(until, F_OK) < 0)
			(void)usleep(1000);
	}
	return real(path, argv, envp);
}
