/* SPDX-License-Identifier: MIT */

/*
 * What the value of an option may look like, one function for each kind, and which name was
 * probably meant. Nothing is printed: what is wrong is half a sentence that the caller completes.
 */

#include "cli/option-values.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <util/util.h>

#define WORD_MAX 32
#define DESCRIPTOR_MAX 1048575

int option_fail(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(error, OPTIONS_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int option_refuse(const char *said, const char *text, const char *why, char *error)
{
	if (!text || !*text)
		return option_fail(error, "%s: the value %s", said, why);
	return option_fail(error, "%s: \"%.64s\" %s", said, text, why);
}

bool option_takes_value(const struct option_spec *o)
{
	return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT;
}

bool option_is_list(const struct option_spec *o)
{
	return o->kind == OPTION_LIST || o->kind == OPTION_PAIRS;
}

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

int parse_age(const char *text, uint64_t *ret_s, const char **ret_why)
{
	static const struct {
		char unit;
		unsigned int seconds;
	} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 } };
	size_t n = strspn(text, "0123456789");

	*ret_why = "is not a number of days, hours or minutes; write it like 30d, 12h or 90m";
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (n == 0 || n > 6 || text[n] != units[i].unit || text[n + 1])
			continue;
		*ret_s = strtoul(text, NULL, 10) * units[i].seconds;
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

static int parse_descriptor(const char *text, uint64_t *ret, const char **ret_why)
{
	uint64_t n;

	*ret_why = "is not the number of a descriptor";
	if (digits(&text, &n) < 0 || *text != '\0' || n > DESCRIPTOR_MAX)
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
	else if (o->kind == OPTION_DESCRIPTOR)
		r = parse_descriptor(text, &value, ret_why);
	else
		r = parse_cpu(text, &milli, ret_why);
	if (r < 0)
		return r;
	m->text = text;
	m->value = o->kind == OPTION_CPU ? milli : value;
	return 0;
}

int option_store(const struct option_spec *o, const char *text, const char **ret_why)
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
