/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run deps: the content store, for those who run it. What is listed, verified and evicted
 * are its entries; how they are made is the business of the stages, which `deps warm` runs without
 * a submission being judged.
 */

#include "run/deps.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>

#include "run/exec-options.h"
#include "util/util.h"

struct deps_options deps_options;
#define opt deps_options

static const struct option_spec rows[] = {
	{ OPTION_STRING, 0, "store", "DIR", &opt.store,
	  "the store (default: $SANDBOX_STORE, " SETTINGS_STORE_HELP ")" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &opt.json, "ls: as JSON, to FILE or to stdout" },
	{ OPTION_SIZE, 0, "cap", "SIZE", &opt.cap,
	  "gc: evict what was least recently used until SIZE is left" },
	{ OPTION_STRING, 0, "older-than", "TIME", &opt.older,
	  "gc: evict what was not used for TIME: 30d, 12h or 90m" },
	{ OPTION_FLAG, 0, "dedupe", NULL, &opt.dedupe,
	  "gc: make equal files of different entries one file on the disk" },
	{ OPTION_FLAG, 0, "repair", NULL, &opt.repair,
	  "verify: remove what is damaged; it is made again when it is needed" },
	{ OPTION_STRING, 'c', "challenge", "DIR", &opt.challenge,
	  "warm: for the submissions of this challenge, its template first" },
	{ OPTION_NUMBER, 'j', "jobs", "N", &opt.jobs, "warm: so many at once (default: 2)" },
	{ OPTION_STRING, 0, "allow-unenforced", "LIST", &opt.allow_unenforced,
	  "warm: go without these limits (memory, swap, pids, cpu, cpu-time, all) where a host "
	  "cannot enforce them (default: refuse)" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "warm, verify: only what is wrong" },
	{ OPTION_COUNT, 'v', "verbose", NULL, &opt.verbose, "warm: the library's log" },
	{ OPTION_END },
};

const struct command deps_command = {
	.name = "deps",
	.synopsis = "deps ls [--json]\n"
		    "       sandbox-run deps warm [--challenge DIR] [SUBMISSION...]\n"
		    "       sandbox-run deps verify [--repair]\n"
		    "       sandbox-run deps gc [--cap SIZE] [--older-than TIME] [--dedupe]\n"
		    "       sandbox-run deps engines import DIR",
	.summary = "The content store: installed packages, generated clients, database templates.\n"
		   "ls lists what is in it; warm installs what folders or zips need, before a "
		   "contest;\n"
		   "verify reads every byte again and compares it with the checksums made when an\n"
		   "entry was sealed; gc evicts and shares what is equal; engines import takes\n"
		   "Prisma's native engines.",
	.examples = "  sandbox-run deps ls\n"
		    "  sandbox-run deps warm --challenge challenges/car-rental\n"
		    "  sandbox-run deps warm -c challenges/car-rental last-year/*.zip\n"
		    "  sandbox-run deps verify --repair\n"
		    "  sandbox-run deps gc --older-than 30d --cap 5G --dedupe\n"
		    "  sandbox-run deps engines import ./prisma-engines",
	.epilog = "Exit codes:\n"
		  "    0  done; verify: nothing is damaged; warm: all of it is stored\n"
		  "    1  verify: something is damaged; warm: something cannot be installed\n"
		  "    2  the command line is wrong\n"
		  "    4  the sandbox failed",
	.options = rows,
};

int deps_complain(const char *fmt, ...)
{
	va_list args;

	fputs("sandbox-run deps: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_INFRASTRUCTURE;
}

int deps_complain_error(const struct sbx_error *e)
{
	return deps_complain("%s%s%s: %s", e->stage, *e->item ? ": " : "", e->item, e->text);
}

struct call {
	char **words;
	int n;
	struct settings *settings;
	struct store *store;
};

static int check_older(void)
{
	const char *why;

	if (!opt.older || parse_age(opt.older, &opt.older_seconds, &why) == 0)
		return 0;
	return usage_error("deps",
			   "--older-than takes days, hours or minutes, like 30d, 12h or 90m, "
			   "not \"%.40s\"",
			   opt.older);
}

static int check_words(const struct call *c)
{
	static const char *const verbs[] = { "ls", "warm", "verify", "gc", "engines", NULL };
	const char *verb = c->words[0], *near;

	if (streq(verb, "ls") || streq(verb, "verify") || streq(verb, "gc")) {
		if (c->n > 1)
			return usage_error("deps", "%s takes no names", verb);
		if (streq(verb, "gc") && !opt.cap.text && !opt.older && !opt.dedupe)
			return usage_error("deps", "gc needs --cap, --older-than or --dedupe");
		return 0;
	}
	if (streq(verb, "warm")) {
		if (c->n == 1 && !opt.challenge)
			return usage_error("deps", "warm what? give folders, zips or --challenge");
		return 0;
	}
	if (streq(verb, "engines")) {
		if (c->n != 3 || !streq(c->words[1], "import"))
			return usage_error("deps",
					   "engines import DIR: the folder with the engines");
		return 0;
	}
	near = suggest(verb, verbs);
	return usage_error("deps", "\"%.64s\" is not one of ls, warm, verify, gc, engines%s%s%s",
			   verb, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int dispatch(const struct call *c)
{
	const char *verb = c->words[0];

	if (streq(verb, "ls"))
		return deps_list(c->store);
	if (streq(verb, "verify"))
		return deps_verify(c->store);
	if (streq(verb, "gc"))
		return deps_gc(c->store);
	if (streq(verb, "engines"))
		return deps_engines_import(c->settings, c->store, c->words[2]);
	return deps_warm(c->settings, c->store, c->words + 1, c->n - 1);
}

int cmd_deps(int argc, char **argv)
{
	struct settings settings;
	struct sbx_error err = { 0 };
	struct call c = { .words = argv, .settings = &settings };
	int code = options_read(&deps_command, argc, argv, &c.n);

	if (code >= 0)
		return code;
	if (c.n == 0)
		return usage_error("deps", "ls, warm, verify, gc or engines is missing");
	code = check_words(&c);
	if (code == 0)
		code = check_older();
	if (code == 0 && opt.allow_unenforced)
		code = MAX_OF(exec_parse_limits("deps", "--allow-unenforced", opt.allow_unenforced,
						&opt.unenforced),
			      0);
	if (code != 0)
		return code;
	/* File names in the zip of a folder are marked as UTF-8 only in a UTF-8 locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	if (settings_find(&settings, opt.store, &err) < 0)
		return deps_complain_error(&err);
	if (store_open(&c.store, settings.store_dir, 0, &err) < 0)
		code = deps_complain_error(&err);
	else
		code = dispatch(&c);
	store_free(c.store);
	settings_done(&settings);
	return code;
}
