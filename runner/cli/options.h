/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The words of a command line, read by a table. A command describes itself in one struct command:
 * its rows are at once the parser's input and the text of --help, so that the two cannot differ.
 *
 *   - `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`; flags may be joined (`-qv`).
 *   - An optional value (`--json[=FILE]`) is only ever given with '='.
 *   - `--` ends the options. Options may follow operands unless `stop_at_operand` is set.
 *   - `--help` belongs to every command; `--config` and `--no-config` to those of a program with
 *     files of defaults (program.h).
 *   - A name that is unknown is an error with a suggestion; abbreviations are not accepted, for
 *     what is unique today is not unique tomorrow.
 *
 * Values point into argv and live as long as it does. A later value replaces an earlier one; lists
 * collect all of them.
 *
 * What the command line leaves out is taken from the environment (sandbox-run --cpu-time is
 * SANDBOX_RUN_CPU_TIME; lists have one item a line), then from the files of defaults (see
 * option-defaults.h). A list comes from one of the three as a whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_ERROR_MAX 1200
#define OPTION_ROWS_MAX 96
#define OPTION_LIST_MAX 256

enum option_kind {
	OPTION_END,
	OPTION_GROUP,      /* a heading in --help: `help` is its text */
	OPTION_FLAG,       /* bool */
	OPTION_COUNT,      /* int, one more each time */
	OPTION_STRING,     /* const char * */
	OPTION_OPTIONAL,   /* struct option_optional */
	OPTION_LIST,       /* struct option_list */
	OPTION_PAIRS,      /* struct option_list of K=V, K a name of [A-Za-z_][A-Za-z0-9_]* */
	OPTION_SIZE,       /* struct option_measure, bytes: "256M"; K, M or G is required */
	OPTION_DURATION,   /* struct option_measure, nanoseconds: "10s", "500ms", "2m" */
	OPTION_CPU,        /* struct option_measure, thousandths of a processor: "1.5" */
	OPTION_NUMBER,     /* struct option_measure: 1 to 4,294,967,295 */
	OPTION_DESCRIPTOR, /* struct option_measure: 0 to 1,048,575 */
	OPTION_COLOR,      /* enum color: auto, always, never */
};

enum color {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

struct option_list {
	const char *items[OPTION_LIST_MAX];
	uint32_t n;
};

struct option_optional {
	bool given;
	const char *value; /* NULL: given without one */
};

struct option_measure {
	const char *text; /* as it was written; NULL: not given */
	uint64_t value;
};

struct option_spec {
	enum option_kind kind;
	char letter; /* 0: none */
	const char *name;
	const char *argument; /* what --help calls the value; NULL for flags */
	void *dest;
	const char *help;
};

struct command {
	const char *name;                  /* "exec" */
	const char *synopsis;              /* lines after "usage: PROGRAM " */
	const char *summary;               /* a paragraph; printed as it is, at most 80 columns */
	const char *examples;              /* lines, printed as they are */
	const char *epilog;                /* exit codes, last */
	const struct option_spec *options; /* ends with OPTION_END */
	bool stop_at_operand;              /* the first operand and all after it are operands */
};

/*
 * Reads argv[0..argc) alone. Operands are moved to the front of argv, which is ended with NULL;
 * *ret_operands says how many there are. 0; 1: help was asked for; -EINVAL: `error` says why.
 */
int options_parse(const struct command *c, int argc, char **argv, int *ret_operands,
		  char error[OPTIONS_ERROR_MAX]);

/* The same, and then what the environment and the files of defaults say of the rest. */
int options_parse_all(const struct command *c, int argc, char **argv, int *ret_operands,
		      char error[OPTIONS_ERROR_MAX]);

/*
 * The same for commands: prints the help to stdout or the error to stderr. -1: go on; otherwise the
 * exit code to return (0 after help, 2 after an error).
 */
int options_read(const struct command *c, int argc, char **argv, int *ret_operands);
/* The same, of argv alone. */
int options_read_words(const struct command *c, int argc, char **argv, int *ret_operands);

/* Prints "PROGRAM NAME: ..." and a pointer to --help; returns 2: `return usage_error(...)`. */
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0, or -EINVAL with *ret_why (static) saying what is wrong with the text. */
int parse_size(const char *text, uint64_t *ret_bytes, const char **ret_why);
int parse_duration(const char *text, uint64_t *ret_ns, const char **ret_why);
/* A long time, in seconds: 30d, 12h or 90m. */
int parse_age(const char *text, uint64_t *ret_s, const char **ret_why);
int parse_cpu(const char *text, uint32_t *ret_milli, const char **ret_why);

/* Whether to colour what is written to `fd`: by the option, NO_COLOR, whether it is a terminal. */
bool color_wanted(enum color mode, int fd);

/* The name of `names` (ended by NULL) that `word` was probably meant to be, or NULL. */
const char *suggest(const char *word, const char *const *names);
