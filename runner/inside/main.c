/* SPDX-License-Identifier: MIT */

/*
 * sandbox-inside: the programs that work inside jails, under one name. `unpack` and `pack` are in
 * this binary, which is static so that a jail needs no library for them; the others need libcurl or
 * libpq and are siblings, executed from the directory in which this file lies. That directory comes
 * from the kernel (AT_EXECFN), because /proc may not be there and argv[0] is whatever the caller
 * likes.
 */

#include <sys/auxv.h>

#include "inside/inside.h"
#include "util/util.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv); /* NULL: a sibling */
	const char *help;
};

static const struct verb verbs[] = {
	{ "unpack", inside_unpack,
	  "unpack the zip on fd 0 into the current directory; records on fd 3" },
	{ "pack", inside_pack, "copy the current directory into the directory on fd 3" },
	{ "take", inside_take, "copy the files listed on fd 4 into the directory on fd 3" },
	{ "scripts", inside_scripts, "list packages here with install scripts; records on fd 3" },
	{ "script", inside_script, "run the install scripts of one package" },
	{ "dotenv", inside_dotenv,
	  "give the .env files here the values of DATABASE_URL, PGHOST ..." },
	{ "killall", inside_killall, "end all other processes of this jail" },
	{ "test", NULL, "run hidden tests against a server" },
	{ "migrate", NULL, "apply SQL files to DATABASE_URL" },
	{ "database", NULL, "open a fresh database to its role" },
};

static int run_sibling(const char *verb, char **argv)
{
	const char *self = (const char *)getauxval(AT_EXECFN), *slash;
	char path[4096];
	int directory;

	if (!self || !strchr(self, '/'))
		self = argv[0];
	slash = strrchr(self, '/');
	directory = slash ? (int)(slash - self) + 1 : 0;
	if (snprintf(path, sizeof(path), "%.*ssandbox-inside-%s", directory, self, verb) >=
	    (int)sizeof(path)) {
		(void)fprintf(stderr, "sandbox-inside: its own path is too long\n");
		return 3;
	}
	argv[1] = path;
	(void)execv(path, argv + 1);
	(void)fprintf(stderr, "sandbox-inside: cannot execute %s: %s\n", path, strerror(errno));
	return 3;
}

static void usage(FILE *to)
{
	(void)fprintf(to, "usage: sandbox-inside VERB [ARGUMENT...]\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		(void)fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].help);
}

int main(int argc, char **argv)
{
	if (argc >= 2 && streq(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && i < ARRAY_SIZE(verbs); i++) {
		if (!streq(argv[1], verbs[i].name))
			continue;
		if (verbs[i].run)
			return verbs[i].run(argc - 1, argv + 1);
		return run_sibling(verbs[i].name, argv);
	}
	if (argc >= 2)
		(void)fprintf(stderr, "sandbox-inside: unknown verb '%s'\n", argv[1]);
	usage(stderr);
	return 2;
}
