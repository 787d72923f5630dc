/* SPDX-License-Identifier: MIT */

/*
 * A table-driven reader of command lines; see options.h for its rules. Parsing prints nothing: the
 * error is a sentence in the caller's buffer, so that tests can read it. Kinds of values are in
 * option-values.c, what the command line leaves out in option-defaults.c, --help in option-help.c.
 */

#include "cli/options.h"
#include "cli/option-defaults.h"
#include "cli/option-help.h"
#include "cli/option-values.h"
#include "cli/program.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define WORD_MAX 32

/* One command line that is being read. */
struct parse {
	const struct command *command;
	struct option_given given;
	struct option_sources sources;
	char *error;
};

static const struct option_spec *find_common(const char *name, size_t len)
{
	for (size_t i = 0; i < option_common_count(); i++)
		if (strncmp(option_common[i].name, name, len) == 0 &&
		    option_common[i].name[len] == '\0')
			return &option_common[i];
	return NULL;
}

static const struct option_spec *find_long(const struct command *c, const char *name, size_t len)
{
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->name && strncmp(o->name, name, len) == 0 && o->name[len] == '\0')
			return o;
	return find_common(name, len);
}

static const struct option_spec *find_letter(const struct command *c, char letter)
{
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->letter == letter)
			return o;
	return letter == 'h' ? &option_common[OPTION_COMMON_HELP] : NULL;
}

static int unknown_long(const struct parse *p, const char *name, size_t len)
{
	const char *names[OPTION_ROWS_MAX + 4] = { NULL };
	char word[WORD_MAX + 1];
	const char *near;
	size_t n = option_common_names(names);

	for (const struct option_spec *o = p->command->options;
	     o->kind != OPTION_END && n < ARRAY_SIZE(names) - 1; o++)
		if (o->name)
			names[n++] = o->name;
	(void)snprintf(word, sizeof(word), "%.*s", (int)len, name);
	near = suggest(word, names);
	if (near)
		return option_fail(p->error, "unknown option --%.*s; did you mean --%s?",
				   (int)MIN_OF(len, 64u), name, near);
	return option_fail(p->error, "unknown option --%.*s", (int)MIN_OF(len, 64u), name);
}

/* 1: help was asked for. */
static int store(struct parse *p, const struct option_spec *o, const char *value)
{
	const char *why = "";
	char said[WORD_MAX + 3];

	if (o == &option_common[OPTION_COMMON_HELP])
		return 1;
	if (o == &option_common[OPTION_COMMON_NO_CONFIG]) {
		p->sources.no_config = true;
		return 0;
	}
	if (o == &option_common[OPTION_COMMON_CONFIG]) {
		p->sources.config = value;
		return *value ? 0 : option_refuse("--config", value, "is empty", p->error);
	}
	p->given.row[o - p->command->options] = true;
	if (option_store(o, value, &why) == 0)
		return 0;
	(void)snprintf(said, sizeof(said), "--%s", o->name);
	return option_refuse(said, value, why, p->error);
}

/* `*i` is the index of the word; moved on when the next word is taken as the value. */
static int parse_long(struct parse *p, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '='), *value = NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *o = find_long(p->command, name, len);

	if (!o)
		return unknown_long(p, name, len);
	if (equals && !option_takes_value(o))
		return option_fail(p->error, "--%s takes no value", o->name);
	if (equals)
		value = equals + 1;
	else if (option_takes_value(o) && o->kind != OPTION_OPTIONAL) {
		if (*i + 1 >= argc)
			return option_fail(p->error, "--%s needs a value: --%s %s", o->name,
					   o->name, o->argument);
		value = argv[++*i];
	}
	return store(p, o, value);
}

static int parse_short(struct parse *p, int argc, char **argv, int *i)
{
	for (const char *s = argv[*i] + 1; *s; s++) {
		const struct option_spec *o = find_letter(p->command, *s);
		const char *value;
		int r;

		if (!o)
			return option_fail(p->error, "unknown option -%c",
					   isprint((unsigned char)*s) ? *s : '?');
		if (!option_takes_value(o) || o->kind == OPTION_OPTIONAL) {
			r = store(p, o, NULL);
			if (r != 0)
				return r;
			continue;
		}
		value = s[1] ? s + 1 : *i + 1 < argc ? argv[++*i] : NULL;
		if (!value)
			return option_fail(p->error, "-%c needs a value: -%c %s", *s, *s,
					   o->argument);
		return store(p, o, value);
	}
	return 0;
}

static int parse_words(struct parse *p, int argc, char **argv, int *ret_operands)
{
	bool ended = false;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		char *word = argv[i];
		int r;

		if (ended || word[0] != '-' || word[1] == '\0') {
			argv[n++] = word;
			ended = ended || p->command->stop_at_operand;
			continue;
		}
		if (streq(word, "--")) {
			ended = true;
			continue;
		}
		r = word[1] == '-' ? parse_long(p, argc, argv, &i) : parse_short(p, argc, argv, &i);
		if (r != 0)
			return r;
	}
	argv[n] = NULL;
	*ret_operands = n;
	return 0;
}

int options_parse(const struct command *c, int argc, char **argv, int *ret_operands,
		  char error[OPTIONS_ERROR_MAX])
{
	struct parse p = { .command = c, .error = error };

	return parse_words(&p, argc, argv, ret_operands);
}

int options_parse_all(const struct command *c, int argc, char **argv, int *ret_operands,
		      char error[OPTIONS_ERROR_MAX])
{
	struct parse p = { .command = c, .error = error };
	int r = parse_words(&p, argc, argv, ret_operands);

	return r == 0 ? options_defaults(c, &p.given, &p.sources, error) : r;
}

int usage_error(const char *command, const char *fmt, ...)
{
	char text[OPTIONS_ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s %s: %s\n%s %s --help lists its options.\n", program.name, command, text,
		program.name, command);
	return EXIT_USAGE;
}

/* What a parser returned, for a command. */
static int outcome(const struct command *c, int r, const char *error)
{
	if (r < 0)
		return usage_error(c->name, "%s", error);
	if (r > 0) {
		options_help(c);
		return EXIT_OK;
	}
	return -1;
}

int options_read(const struct command *c, int argc, char **argv, int *ret_operands)
{
	char error[OPTIONS_ERROR_MAX] = "";

	return outcome(c, options_parse_all(c, argc, argv, ret_operands, error), error);
}

int options_read_words(const struct command *c, int argc, char **argv, int *ret_operands)
{
	char error[OPTIONS_ERROR_MAX] = "";

	return outcome(c, options_parse(c, argc, argv, ret_operands, error), error);
}

bool color_wanted(enum color mode, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (mode != COLOR_AUTO)
		return mode == COLOR_ALWAYS;
	if ((no_color && *no_color) || (term && streq(term, "dumb")))
		return false;
	return isatty(fd) == 1;
}
