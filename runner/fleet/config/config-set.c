/* SPDX-License-Identifier: MIT */

/* One value: its text is checked, kept, and parsed into its place in the structure. */

#include "fleet/config/config.h"

#include <limits.h>

#include "cli/options.h"
#include "pipeline/limits.h"
#include "pipeline/strv.h"
#include "pipeline/units.h"
#include "util/util.h"

#define ITEMS_MAX 256

__attribute__((format(printf, 2, 3))) static int refuse(char why[CONFIG_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, CONFIG_WHY, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static void *place(struct fleet_config *c, const struct config_key *k)
{
	return (char *)c + k->offset;
}

static int parse_number(const struct config_key *k, const char *text, uint64_t *ret, char *why)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno != 0 || n < k->min || n > k->max)
		return refuse(why, "\"%.60s\" is not a whole number from %llu to %llu", text,
			      (unsigned long long)k->min, (unsigned long long)k->max);
	*ret = n;
	return 0;
}

/* Also in hours and days, which nothing of a single submission takes. */
static int parse_time(const char *text, uint64_t *ret, const char **ret_why)
{
	const char *why;
	uint64_t seconds;

	if (parse_age(text, &seconds, &why) < 0 || seconds == 0)
		return parse_duration(text, ret, ret_why);
	*ret = seconds * NSEC_PER_SEC;
	return 0;
}

static int parse_measure(const struct config_key *k, const char *text, uint64_t *ret, char *why)
{
	bool size = k->kind == CONFIG_SIZE;
	char min[UNITS_TEXT], max[UNITS_TEXT];
	const char *reason = "";
	uint64_t value;

	if ((size ? parse_size(text, &value, &reason) : parse_time(text, &value, &reason)) < 0)
		return refuse(why, "\"%.60s\" %s; write it like \"%s\"", text, reason,
			      size ? "50M" : "15s");
	if (value < k->min || value > k->max)
		return refuse(why, "%s: it must be from %s to %s", text,
			      size ? units_size(min, k->min) : units_duration(min, k->min),
			      size ? units_size(max, k->max) : units_duration(max, k->max));
	*ret = value;
	return 0;
}

static int parse_bool(const char *text, bool *ret, char *why)
{
	static const char *const yes[] = { "true", "yes", "1" }, *const no[] = { "false", "no",
										 "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!streq(text, yes[i]) && !streq(text, no[i]))
			continue;
		*ret = streq(text, yes[i]);
		return 0;
	}
	return refuse(why, "\"%.60s\" is neither true nor false", text);
}

static int parse_choice(const struct config_key *k, const char *text, uint64_t *ret, char *why)
{
	char all[160] = "";

	for (size_t i = 0; k->choices[i]; i++) {
		size_t n = strlen(all);

		if (streq(text, k->choices[i])) {
			*ret = i;
			return 0;
		}
		(void)snprintf(all + n, sizeof(all) - n, "%s%s", n ? ", " : "", k->choices[i]);
	}
	return refuse(why, "\"%.60s\" is not one of %s", text, all);
}

/* What `text` names, absolute; the caller's. It need not exist. */
static char *absolute(const char *text, const char *base)
{
	char cwd[PATH_MAX], *ret;

	if (*text == '/')
		return strdup(text);
	if (!base)
		base = getcwd(cwd, sizeof(cwd));
	return base && asprintf(&ret, "%s/%s", base, text) >= 0 ? ret : NULL;
}

static int keep_list(struct fleet_config *c, char **list)
{
	char ***more = realloc(c->lists, (c->n_lists + 1) * sizeof(*more));

	if (!more) {
		strv_free(list);
		return -ENOMEM;
	}
	c->lists = more;
	more[c->n_lists++] = list;
	return 0;
}

static int parse_list(struct fleet_config *c, const char *text, char ***ret, char *why)
{
	char **list = calloc(ITEMS_MAX + 1, sizeof(*list));
	size_t n = 0, len;

	if (!list)
		return -ENOMEM;
	for (; *text; text += len + (text[len] == ',')) {
		text += strspn(text, " ");
		len = strcspn(text, ",");
		if (len == 0)
			continue;
		if (n == ITEMS_MAX || !(list[n] = strndup(text, len))) {
			strv_free(list);
			return n == ITEMS_MAX
				       ? refuse(why, "at most %d items are possible", ITEMS_MAX)
				       : -ENOMEM;
		}
		n++;
	}
	if (keep_list(c, list) < 0)
		return -ENOMEM;
	*ret = list;
	return 0;
}

static int parse_limits(const char *text, uint32_t *ret, char *why)
{
	const char *word;
	size_t len;

	*ret = 0;
	if (*text && limits_parse(text, ret, &word, &len) < 0)
		return refuse(why, "\"%.*s\" is not one of memory, swap, pids, cpu, cpu-time, all",
			      (int)MIN_OF(len, 64u), word);
	return 0;
}

static int parse(struct fleet_config *c, const struct config_key *k, const char *text, char *why)
{
	void *to = place(c, k);

	switch (k->kind) {
	case CONFIG_STRING:
	case CONFIG_PATH:
		*(const char **)to = *text ? text : NULL;
		return 0;
	case CONFIG_NUMBER:
		return parse_number(k, text, to, why);
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		return parse_measure(k, text, to, why);
	case CONFIG_BOOL:
		return parse_bool(text, to, why);
	case CONFIG_CHOICE:
		return parse_choice(k, text, to, why);
	case CONFIG_LIST:
		return parse_list(c, text, to, why);
	case CONFIG_LIMITS:
		return parse_limits(text, to, why);
	}
	return -EINVAL;
}

int config_set(struct fleet_config *c, const struct config_key *k, const char *text,
	       const char *base, enum config_source source, const char *from, char why[CONFIG_WHY])
{
	struct config_value *v = &c->values[k - config_keys];
	char *kept, *place_of;
	int r;

	if (v->rank > (int)source)
		return 0;
	kept = k->kind == CONFIG_PATH && *text ? absolute(text, base) : strdup(text);
	place_of = strdup(from);
	r = kept && place_of ? parse(c, k, kept, why) : -ENOMEM;
	if (r < 0) {
		free(kept);
		free(place_of);
		return r;
	}
	free(v->text);
	free(v->from);
	*v = (struct config_value){ kept, place_of, (int)source };
	return 0;
}

void config_done(struct fleet_config *c)
{
	for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
		free(c->values[i].text);
		free(c->values[i].from);
	}
	for (size_t i = 0; i < c->n_lists; i++)
		strv_free(c->lists[i]);
	free(c->lists);
	free(c->open_secret);
	memset(c, 0, sizeof(*c));
}
