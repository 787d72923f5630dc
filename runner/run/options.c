/* SPDX-License-Identifier: MIT */

/*
 * A table-driven reader of command lines; see options.h for its rules. Parsing prints nothing and
 * allocates nothing: the error is a sentence in the caller's buffer, so that tests can read it.
 */

#include "options.h"
#include "run.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define NAMES_MAX 64
#define WORD_MAX 32

static const struct option_spec help_option = { OPTION_FLAG, 'h',  "help",
						NULL,	     NULL, "print this help" };

/* ---------------------------------------------------------------- values */

static int digits(const char **text, uint64_t *ret)
{
	const char *s = *text;
	uint64_t n = 0;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return -ERANGE;
	*text = s;
	*ret = n;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes, const char **ret_why)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t n;

	*ret_why = "is not a size; write a whole number and K, M or G, as in 256M";
	if (digits(&text, &n) < 0)
		return -EINVAL;
	if (*text == '\0') {
		*ret_why = "has no unit; add K, M or G, as in 256M";
		return -EINVAL;
	}
	unit = strchr(units, *text);
	if (!unit || text[1] != '\0')
		return -EINVAL;
	for (ptrdiff_t i = unit - units; i >= 0; i--)
		if (__builtin_mul_overflow(n, 1024, &n) || n > INT64_MAX) {
			*ret_why = "is too large";
			return -EINVAL;
		}
	if (n == 0) {
		*ret_why = "is nothing; the smallest size is 1K";
		return -EINVAL;
	}
	*ret_bytes = n;
	return 0;
}

int parse_duration(const char *text, uint64_t *ret_ns, const char **ret_why)
{
	static const struct {
		const char *suffix;
		uint64_t ns;
	} units[] = { { "ms", NSEC_PER_MSEC }, { "s", NSEC_PER_SEC }, { "m", 60 * NSEC_PER_SEC } };
	uint64_t n;

	*ret_why = "is not a duration; write a whole number and ms, s or m, as in 10s";
	if (digits(&text, &n) < 0)
		return -EINVAL;
	if (*text == '\0') {
		*ret_why = "has no unit; add ms, s or m, as in 10s";
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!streq(text, units[i].suffix))
			continue;
		if (__builtin_mul_overflow(n, units[i].ns, &n) || n > INT64_MAX) {
			*ret_why = "is too long";
			return -EINVAL;
		}
		if (n == 0) {
			*ret_why = "is no time at all";
			return -EINVAL;
		}
		*ret_ns = n;
		return 0;
	}
	return -EINVAL;
}

int parse_cpu(const char *text, uint32_t *ret_milli, const char **ret_why)
{
	uint64_t n, scale = 100;

	*ret_why = "is not a number of processors; write it as in 1.5, from 0.01 to 1024";
	if (digits(&text, &n) < 0 || n > 1024)
		return -EINVAL;
	n *= 1000;
	if (*text == '.') {
		text++;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text) && scale > 0; text++, scale /= 10)
			n += (uint64_t)(*text - '0') * scale;
	}
	if (*text != '\0' || n < 10 || n > 1024000)
		return -EINVAL;
	*ret_milli = (uint32_t)n;
	return 0;
}

static int parse_number(const char *text, uint64_t *ret, const char **ret_why)
{
	uint64_t n;

	*ret_why = "is not a whole number from 1 to 4294967295";
	if (digits(&text, &n) < 0 || *text != '\0' || n < 1 || n > UINT32_MAX)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int parse_color(const char *text, enum color *ret, const char **ret_why)
{
	static const char *const names[] = { "auto", "always", "never" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(text, names[i])) {
			*ret = (enum color)i;
			return 0;
		}
	*ret_why = "is not one of auto, always, never";
	return -EINVAL;
}

static int parse_pair(const char *text, const char **ret_why)
{
	const char *s = text;

	*ret_why = "is not NAME=VALUE with a name of letters, digits and '_'";
	if (isdigit((unsigned char)*s))
		return -EINVAL;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return s > text && *s == '=' ? 0 : -EINVAL;
}

static int list_add(struct option_list *list, const char *text, const char **ret_why)
{
	if (list->n == OPTION_LIST_MAX) {
		*ret_why = "is one too many; 256 is the limit";
		return -EINVAL;
	}
	list->items[list->n++] = text;
	return 0;
}

static int measure(const struct option_spec *o, const char *text, const char **ret_why)
{
	struct option_measure *m = o->dest;
	uint32_t milli = 0;
	uint64_t value = 0;
	int r;

	if (o->kind == OPTION_SIZE)
		r = parse_size(text, &value, ret_why);
	else if (o->kind == OPTION_DURATION)
		r = parse_duration(text, &value, ret_why);
	else if (o->kind == OPTION_NUMBER)
		r = parse_number(text, &value, ret_why);
	else
		r = parse_cpu(text, &milli, ret_why);
	if (r < 0)
		return r;
	m->text = text;
	m->value = o->kind == OPTION_CPU ? milli : value;
	return 0;
}

static int store_value(const struct option_spec *o, const char *text, const char **ret_why)
{
	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)o->dest = true;
		return 0;
	case OPTION_COUNT:
		++*(int *)o->dest;
		return 0;
	case OPTION_STRING:
		*ret_why = "is empty";
		*(const char **)o->dest = text;
		return *text ? 0 : -EINVAL;
	case OPTION_OPTIONAL:
		*ret_why = "is empty";
		*(struct option_optional *)o->dest = (struct option_optional){ true, text };
		return !text || *text ? 0 : -EINVAL;
	case OPTION_PAIRS:
		if (parse_pair(text, ret_why) < 0)
			return -EINVAL;
		return list_add(o->dest, text, ret_why);
	case OPTION_LIST:
		*ret_why = "is empty";
		return *text ? list_add(o->dest, text, ret_why) : -EINVAL;
	case OPTION_COLOR:
		return parse_color(text, o->dest, ret_why);
	default:
		return measure(o, text, ret_why);
	}
}

/* ------------------------------------------------------------ suggestions */

/* Edits (insert, delete, replace, swap neighbours) that make `b` of `a`; both below WORD_MAX. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN_OF(best, d[i - 1][j] + 1);
			best = MIN_OF(best, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN_OF(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	return d[n][m];
}

const char *suggest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned int best_distance = 3;

	if (strlen(word) >= WORD_MAX || strlen(word) < 2)
		return NULL;
	for (; *names; names++) {
		unsigned int d;

		if (strlen(*names) >= WORD_MAX)
			continue;
		/* "--mem" is far from "--memory" in edits and yet the likeliest of all. */
		d = starts_with(*names, word) ? 1 : distance(word, *names);
		if (d < best_distance && d < strlen(*names)) {
			best_distance = d;
			best = *names;
		}
	}
	return best;
}

/* ---------------------------------------------------------------- parsing */

__attribute__((format(printf, 2, 3))) static int fail(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(error, OPTIONS_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool takes_value(const struct option_spec *o)
{
	return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT;
}

static const struct option_spec *find_long(const struct command *c, const char *name, size_t len)
{
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->name && strncmp(o->name, name, len) == 0 && o->name[len] == '\0')
			return o;
	return len == 4 && strncmp(name, "help", 4) == 0 ? &help_option : NULL;
}

static const struct option_spec *find_letter(const struct command *c, char letter)
{
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++)
		if (o->letter == letter)
			return o;
	return letter == 'h' ? &help_option : NULL;
}

static int unknown_long(const struct command *c, const char *name, size_t len, char *error)
{
	const char *names[NAMES_MAX + 1] = { "help" };
	char word[WORD_MAX + 1];
	const char *near;
	size_t n = 1;

	for (const struct option_spec *o = c->options; o->kind != OPTION_END && n < NAMES_MAX; o++)
		if (o->name)
			names[n++] = o->name;
	(void)snprintf(word, sizeof(word), "%.*s", (int)len, name);
	near = suggest(word, names);
	if (near)
		return fail(error, "unknown option --%.*s; did you mean --%s?",
			    (int)MIN_OF(len, 64u), name, near);
	return fail(error, "unknown option --%.*s", (int)MIN_OF(len, 64u), name);
}

static int bad_value(const struct option_spec *o, const char *value, const char *why, char *error)
{
	if (!value || !*value)
		return fail(error, "--%s: the value %s", o->name, why);
	return fail(error, "--%s: \"%.64s\" %s", o->name, value, why);
}

/* `*i` is the index of the word; moved on when the next word is taken as the value. */
static int parse_long(const struct command *c, int argc, char **argv, int *i, char *error)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '='), *value = NULL, *why = "";
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *o = find_long(c, name, len);

	if (!o)
		return unknown_long(c, name, len, error);
	if (equals && !takes_value(o))
		return fail(error, "--%s takes no value", o->name);
	if (o == &help_option)
		return 1;
	if (equals)
		value = equals + 1;
	else if (takes_value(o) && o->kind != OPTION_OPTIONAL) {
		if (*i + 1 >= argc)
			return fail(error, "--%s needs a value: --%s %s", o->name, o->name,
				    o->argument);
		value = argv[++*i];
	}
	if (store_value(o, value, &why) < 0)
		return bad_value(o, value, why, error);
	return 0;
}

static int parse_short(const struct command *c, int argc, char **argv, int *i, char *error)
{
	for (const char *s = argv[*i] + 1; *s; s++) {
		const struct option_spec *o = find_letter(c, *s);
		const char *value, *why = "";

		if (!o)
			return fail(error, "unknown option -%c",
				    isprint((unsigned char)*s) ? *s : '?');
		if (o == &help_option)
			return 1;
		if (!takes_value(o) || o->kind == OPTION_OPTIONAL) {
			(void)store_value(o, NULL, &why);
			continue;
		}
		value = s[1] ? s + 1 : *i + 1 < argc ? argv[++*i] : NULL;
		if (!value)
			return fail(error, "-%c needs a value: -%c %s", *s, *s, o->argument);
		if (store_value(o, value, &why) < 0)
			return bad_value(o, value, why, error);
		return 0;
	}
	return 0;
}

int options_parse(const struct command *c, int argc, char **argv, int *ret_operands,
		  char error[OPTIONS_ERROR_MAX])
{
	bool ended = false;
	int n = 0;

	for (int i = 0; i < argc; i++) {
		char *word = argv[i];
		int r;

		if (ended || word[0] != '-' || word[1] == '\0') {
			argv[n++] = word;
			ended = ended || c->stop_at_operand;
			continue;
		}
		if (streq(word, "--")) {
			ended = true;
			continue;
		}
		r = word[1] == '-' ? parse_long(c, argc, argv, &i, error) :
				     parse_short(c, argc, argv, &i, error);
		if (r != 0)
			return r;
	}
	argv[n] = NULL;
	*ret_operands = n;
	return 0;
}

/* ------------------------------------------------------------------- help */

/* Words of `text` from column `indent` on, where the cursor is, in lines of at most 80 columns. */
static void print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > 80) {
			printf("\n%*s", indent, "");
			column = indent;
		}
		column += printf("%s%.*s", column > indent ? " " : "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_option(const struct option_spec *o)
{
	const int indent = 26;
	char left[80];
	int n;

	n = o->letter ? snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name) :
			snprintf(left, sizeof(left), "      --%s", o->name);
	if (o->argument && n > 0 && n < (int)sizeof(left))
		n += snprintf(left + n, sizeof(left) - (size_t)n,
			      o->kind == OPTION_OPTIONAL ? "[=%s]" : " %s", o->argument);
	fputs(left, stdout);
	if (n >= indent)
		printf("\n%*s", indent, "");
	else
		printf("%*s", indent - n, "");
	print_wrapped(o->help, indent);
}

void options_help(const struct command *c)
{
	bool general = true;

	printf("usage: sandbox-run %s\n\n%s\n\nExamples:\n%s\n", c->synopsis, c->summary,
	       c->examples);
	for (const struct option_spec *o = c->options; o->kind != OPTION_END; o++) {
		if (o->kind == OPTION_GROUP) {
			printf("\n%s:\n", o->help);
			general = false;
			continue;
		}
		if (general)
			printf("\nOptions:\n");
		general = false;
		print_option(o);
	}
	if (c->options->kind == OPTION_END)
		printf("\nOptions:\n");
	print_option(&help_option);
	printf("\n%s\n", c->epilog);
}

int usage_error(const char *command, const char *fmt, ...)
{
	char text[OPTIONS_ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "sandbox-run %s: %s\nsandbox-run %s --help lists its options.\n", command,
		text, command);
	return EXIT_USAGE;
}

int options_read(const struct command *c, int argc, char **argv, int *ret_operands)
{
	char error[OPTIONS_ERROR_MAX] = "";
	int r = options_parse(c, argc, argv, ret_operands, error);

	if (r < 0)
		return usage_error(c->name, "%s", error);
	if (r > 0) {
		options_help(c);
		return EXIT_OK;
	}
	return -1;
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
