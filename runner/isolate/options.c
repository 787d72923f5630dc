/* SPDX-License-Identifier: MIT */

/* See options.h. */

#include "options.h"
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <util/util.h>

#define TIME_MAX 2592000.0 /* 30 days */

/* What no option has a letter for. */
enum {
	OPT_INIT = 256,
	OPT_RUN,
	OPT_CLEANUP,
	OPT_VERSION,
	OPT_PRINT_CG_ROOT,
	OPT_HELP,
	OPT_CG,
	OPT_CG_MEM,
	OPT_CG_TIMING,
	OPT_NO_CG_TIMING,
	OPT_SHARE_NET,
	OPT_INHERIT_FDS,
	OPT_STDERR_TO_STDOUT,
	OPT_TTY_HACK,
	OPT_CORE,
	OPT_SPECIAL_FILES,
	OPT_WAIT,
	OPT_AS_UID,
	OPT_AS_GID,
};

static const char letters[] = "b:c:d:DeE:f:i:k:m:M:n:o:p::q:r:st:vw:x:";

static const struct option names[] = {
	{ "init", 0, NULL, OPT_INIT },
	{ "run", 0, NULL, OPT_RUN },
	{ "cleanup", 0, NULL, OPT_CLEANUP },
	{ "version", 0, NULL, OPT_VERSION },
	{ "print-cg-root", 0, NULL, OPT_PRINT_CG_ROOT },
	{ "help", 0, NULL, OPT_HELP },
	{ "as-gid", 1, NULL, OPT_AS_GID },
	{ "as-uid", 1, NULL, OPT_AS_UID },
	{ "box-id", 1, NULL, 'b' },
	{ "cg", 0, NULL, OPT_CG },
	{ "cg-mem", 1, NULL, OPT_CG_MEM },
	{ "cg-timing", 0, NULL, OPT_CG_TIMING },
	{ "chdir", 1, NULL, 'c' },
	{ "core", 1, NULL, OPT_CORE },
	{ "dir", 1, NULL, 'd' },
	{ "env", 1, NULL, 'E' },
	{ "extra-time", 1, NULL, 'x' },
	{ "fsize", 1, NULL, 'f' },
	{ "full-env", 0, NULL, 'e' },
	{ "inherit-fds", 0, NULL, OPT_INHERIT_FDS },
	{ "mem", 1, NULL, 'm' },
	{ "meta", 1, NULL, 'M' },
	{ "no-cg-timing", 0, NULL, OPT_NO_CG_TIMING },
	{ "no-default-dirs", 0, NULL, 'D' },
	{ "open-files", 1, NULL, 'n' },
	{ "processes", 2, NULL, 'p' },
	{ "quota", 1, NULL, 'q' },
	{ "share-net", 0, NULL, OPT_SHARE_NET },
	{ "silent", 0, NULL, 's' },
	{ "special-files", 0, NULL, OPT_SPECIAL_FILES },
	{ "stack", 1, NULL, 'k' },
	{ "stderr", 1, NULL, 'r' },
	{ "stderr-to-stdout", 0, NULL, OPT_STDERR_TO_STDOUT },
	{ "stdin", 1, NULL, 'i' },
	{ "stdout", 1, NULL, 'o' },
	{ "time", 1, NULL, 't' },
	{ "tty-hack", 0, NULL, OPT_TTY_HACK },
	{ "verbose", 0, NULL, 'v' },
	{ "wait", 0, NULL, OPT_WAIT },
	{ "wall-time", 1, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
	"Usage: isolate [OPTIONS] --init | --run -- PROGRAM [ARGUMENTS] | --cleanup\n"
	"\n"
	"The command line of isolate, on libsandbox. See sandbox-isolate(1).\n"
	"\n"
	"Boxes:\n"
	"  -b, --box-id=ID           which box (default 0)\n"
	"      --as-uid=U --as-gid=G whose box; only for root\n"
	"      --wait                wait while the box is in use\n"
	"      --cg                  memory and time of all processes together\n"
	"  -q, --quota=BLOCKS,FILES  disk quota of the box (file systems with quotas)\n"
	"Limits (sizes in KB, times in seconds, fractions allowed):\n"
	"  -t, --time=T   -w, --wall-time=T   -x, --extra-time=T\n"
	"  -m, --mem=KB              address space of each process\n"
	"      --cg-mem=KB           memory of all processes; needs --cg\n"
	"  -k, --stack=KB   -f, --fsize=KB   -n, --open-files=N (default 64)\n"
	"  -p, --processes[=N]       processes and threads (default 1)\n"
	"Files:\n"
	"  -i, --stdin=F  -o, --stdout=F  -r, --stderr=F   paths inside; relative to /box\n"
	"      --stderr-to-stdout\n"
	"  -c, --chdir=DIR           where to start (default /box)\n"
	"  -d, --dir=IN[=OUT][:rw|:noexec|:maybe|:fs|:tmp|:dev|:norec]...   --dir=IN=\n"
	"  -D, --no-default-dirs     no box, bin, dev, lib, lib64, proc, tmp, usr\n"
	"      --inherit-fds   --special-files\n"
	"Environment:\n"
	"  -E, --env=NAME[=VALUE]   -e, --full-env\n"
	"Output:\n"
	"  -M, --meta=F   -s, --silent   -v, --verbose   --version   --help\n"
	"\n"
	"Exit codes: 0 the program succeeded; 1 it failed, was killed or met a limit;\n"
	"2 the sandbox failed.\n";

__attribute__((format(printf, 1, 2))) static int wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("Try `isolate --help', or see sandbox-isolate(1).\n", stderr);
	return EXIT_INTERNAL;
}

static int read_number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end)
		return wrong("Invalid numeric parameter: %s\n", text);
	if (errno || value > INT_MAX)
		return wrong("Numeric parameter out of range: %s\n", text);
	*ret = (uint32_t)value;
	return -1;
}

static int read_id(const char *text, int64_t *ret)
{
	uint32_t value = 0;
	int code = read_number(text, &value);

	if (code < 0)
		*ret = value;
	return code;
}

/* 0 is no limit, and nothing that is one may become it by rounding. */
static int read_time(const char *text, uint64_t *ret)
{
	char *end;
	double value;

	errno = 0;
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return wrong("Invalid time: %s\n", text);
	if (value < 0 || value > TIME_MAX)
		return wrong("Time out of range: %s (0 to 30 days, in seconds)\n", text);
	*ret = (uint64_t)(value * (double)NSEC_PER_SEC);
	if (value > 0 && *ret < NSEC_PER_MSEC)
		*ret = NSEC_PER_MSEC;
	return -1;
}

static int read_quota(struct options *o, const char *text)
{
	const char *comma = strchr(text, ',');
	_cleanup_free_ char *blocks = comma ? strndup(text, (size_t)(comma - text)) : NULL;
	int code;

	if (!blocks)
		return wrong("Invalid quota specified: %s (BLOCKS,FILES)\n", text);
	code = read_number(blocks, &o->quota_blocks);
	if (code < 0)
		code = read_number(comma + 1, &o->quota_inodes);
	o->quota = true;
	return code;
}

static int read_rule(struct options *o, int c, const char *text)
{
	const char *why = "";
	int r = c == 'd' ? rules_add_dir(&o->rules, text, &why)
			 : rules_add_env(&o->rules, text, &why);

	if (r == 0)
		return -1;
	return wrong("Invalid %s specified: %s: %s\n", c == 'd' ? "directory rule" : "environment",
		     text, why);
}

static int set_command(struct options *o, enum command command)
{
	if (o->command != COMMAND_NONE && o->command != command)
		return wrong("Only one command is allowed.\n");
	o->command = command;
	return -1;
}

static int read_command(struct options *o, int c)
{
	switch (c) {
	case OPT_INIT:
		return set_command(o, COMMAND_INIT);
	case OPT_RUN:
		return set_command(o, COMMAND_RUN);
	case OPT_CLEANUP:
		return set_command(o, COMMAND_CLEANUP);
	case OPT_VERSION:
		return set_command(o, COMMAND_VERSION);
	case OPT_PRINT_CG_ROOT:
		return set_command(o, COMMAND_PRINT_CG_ROOT);
	case OPT_HELP:
		fputs(help, stdout);
		return EXIT_OK;
	default: /* getopt_long(3) has said what is wrong */
		return wrong("%s", "");
	}
}

static int read_limit(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 't':
		return read_time(arg, &o->time_ns);
	case 'w':
		return read_time(arg, &o->wall_ns);
	case 'x':
		return read_time(arg, &o->extra_ns);
	case 'm':
		return read_number(arg, &o->mem);
	case 'k':
		return read_number(arg, &o->stack);
	case 'f':
		return read_number(arg, &o->fsize);
	case 'n':
		return read_number(arg, &o->open_files);
	case OPT_CORE:
		return read_number(arg, &o->core);
	case OPT_CG_MEM:
		return read_number(arg, &o->cg_mem);
	case 'p':
		o->processes = 0;
		return arg ? read_number(arg, &o->processes) : -1;
	case 'q':
		return read_quota(o, arg);
	case 'b':
		return read_number(arg, &o->box.id);
	case OPT_AS_UID:
		return read_id(arg, &o->box.as_uid);
	case OPT_AS_GID:
		return read_id(arg, &o->box.as_gid);
	default:
		return read_command(o, c);
	}
}

/* Options that are a word; true if `c` is one. */
static bool read_flag(struct options *o, int c)
{
	switch (c) {
	case OPT_CG:
		return o->box.cg = true;
	case OPT_CG_TIMING: /* always so with --cg */
		return true;
	case OPT_NO_CG_TIMING:
		return o->no_cg_timing = true;
	case 'D':
		return o->rules.no_default_dirs = true;
	case 'e':
		return o->rules.full_env = true;
	case OPT_INHERIT_FDS:
		return o->inherit_fds = true;
	case 's':
		return o->silent = true;
	case OPT_SHARE_NET:
		return o->share_net = true;
	case OPT_SPECIAL_FILES:
		return o->special_files = true;
	case OPT_TTY_HACK:
		return o->tty_hack = true;
	case 'v':
		return ++o->verbose;
	case OPT_WAIT:
		return o->wait = true;
	default:
		return false;
	}
}

/* Of --stderr and --stderr-to-stdout the later one counts. */
static int read_option(struct options *o, int c, const char *arg)
{
	if (read_flag(o, c))
		return -1;
	switch (c) {
	case 'c':
		o->chdir = arg;
		return -1;
	case 'i':
		o->stdin_path = arg;
		return -1;
	case 'o':
		o->stdout_path = arg;
		return -1;
	case 'r':
		o->stderr_path = arg;
		o->stderr_to_stdout = false;
		return -1;
	case OPT_STDERR_TO_STDOUT:
		o->stderr_path = NULL;
		o->stderr_to_stdout = true;
		return -1;
	case 'M':
		o->meta = arg;
		return -1;
	case 'd':
	case 'E':
		return read_rule(o, c, arg);
	default:
		return read_limit(o, c, arg);
	}
}

static int check(const struct options *o, int operands)
{
	if (o->command == COMMAND_NONE)
		return wrong("Please specify an isolate command (e.g. --init, --run).\n");
	if (o->cg_mem && !o->box.cg)
		return wrong("Options related to control groups require --cg to be set.\n");
	if (o->command == COMMAND_RUN && operands == 0)
		return wrong("--run mode requires a command to run\n");
	if (o->command != COMMAND_RUN && operands > 0)
		return wrong("%s mode takes no parameters\n",
			     o->command == COMMAND_INIT ? "--init" : "This");
	return -1;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, code;

	memset(o, 0, sizeof(*o));
	o->open_files = 64;
	o->processes = 1;
	o->box.as_uid = o->box.as_gid = -1;
	if (rules_init(&o->rules) < 0)
		return wrong("Out of memory\n");
	while ((c = getopt_long(argc, argv, letters, names, NULL)) >= 0) {
		code = read_option(o, c, optarg);
		if (code >= 0)
			return code;
	}
	o->argv = argv + optind;
	return check(o, argc - optind);
}
