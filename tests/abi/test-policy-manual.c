/* SPDX-License-Identifier: MIT */

/*
 * What is written about policies is true: every key is in the manual page and in the README.md,
 * with its type, default and range; the README's column for base.json is base.json; and neither
 * knows a key, a group or a policy that does not exist.
 */

#include "policy.h"
#include <dirent.h>
#include <seccomp-filter.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PAGE SOURCE "/docs/sandbox-policy.5.scd"
#define README SOURCE "/policies/README.md"

static char *page, *readme;

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 200000);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 199999, f) > 0);
	(void)fclose(f);
	return text;
}

static int set_up(void **state)
{
	page = read_text(PAGE);
	readme = read_text(README);
	return 0;
}

static int tear_down(void **state)
{
	free(page);
	free(readme);
	return 0;
}

/* The line of `text` that begins with `start`, without its newline; empty if there is none. */
static const char *line_of(const char *text, const char *start)
{
	static char line[2048];
	const char *at = text;

	line[0] = '\0';
	while (at && strncmp(at, start, strlen(start)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (at)
		(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

static const char *type_name(const struct policy_key *key)
{
	static const char *const names[] = {
		[POLICY_TEXT] = "text",      [POLICY_HOSTNAME] = "name", [POLICY_PATH] = "path",
		[POLICY_SIZE] = "size",      [POLICY_DURATION] = "time", [POLICY_COUNT] = "number",
		[POLICY_CPU] = "processors", [POLICY_BOOL] = "boolean",
	};

	return names[key->type];
}

/* The number that a value stands for, as the policy keeps it. */
static uint64_t value_of(const struct policy_key *key, const char *text)
{
	struct sbx_policy *p = NULL;
	char why[POLICY_WHY];
	uint64_t value;

	assert_int_equal(sbx_policy_new(&p, NULL), 0);
	if (policy_value_set(p, key, text, why) < 0)
		fail_msg("%s: %s", key->name, why);
	memcpy(&value, (char *)&p->values + key->offset, sizeof(value));
	sbx_policy_free(p);
	return value;
}

static bool is_string(const struct policy_key *key)
{
	return key->type == POLICY_TEXT || key->type == POLICY_HOSTNAME || key->type == POLICY_PATH;
}

/* "*memory* _size_, default *none*; 4M to 1024G"; " or none" where that is not the default */
static void check_entry(const struct policy_key *key)
{
	char start[128], least[32] = "", most[32] = "";
	const char *line, *rest;
	int read = 0;
	uint64_t value;

	(void)snprintf(start, sizeof(start), "*%s* _%s_, default *%s*", key->name, type_name(key),
		       key->initial[0] ? key->initial : "\"\"");
	line = line_of(page, start);
	if (!line[0])
		fail_msg("%s: no entry \"%s\"", PAGE, start);
	rest = line + strlen(start);
	if (key->type == POLICY_BOOL) {
		assert_string_equal(rest, "");
		return;
	}
	if (is_string(key)) {
		assert_int_equal(sscanf(rest, "; at most %31s bytes", most), 1);
		assert_int_equal(strtoul(most, NULL, 10), key->most);
		return;
	}
	if (sscanf(rest, "; %31s to %31s%n", least, most, &read) != 2)
		fail_msg("%s: the entry of %s has no range", PAGE, key->name);
	if (!streq(rest + read, key->none && !streq(key->initial, "none") ? " or none" : ""))
		fail_msg("%s: the entry of %s says \"%s\" of none", PAGE, key->name, rest + read);
	value = value_of(key, least);
	assert_true(value == key->least);
	value = value_of(key, most);
	assert_true(value == key->most);
}

static void test_the_page_has_every_key(void **state)
{
	size_t i;

	for (i = 0; i < policy_n_keys; i++)
		check_entry(&policy_keys[i]);
}

/* Cell `n` of a table row: between its bars, without blanks and backquotes. */
static void cell_of(const char *row, int n, char *ret, size_t size)
{
	const char *at = row, *end;

	ret[0] = '\0';
	for (; at && n >= 0; n--)
		at = strchr(at + 1, '|');
	end = at ? strchr(at + 1, '|') : NULL;
	if (!end)
		return;
	for (at++; at < end && (*at == ' ' || *at == '`'); at++)
		;
	while (end > at && (end[-1] == ' ' || end[-1] == '`'))
		end--;
	(void)snprintf(ret, size, "%.*s", (int)(end - at), at);
}

static void check_row(const struct policy_key *key, const struct sbx_policy *base)
{
	const char *const value = (const char *)&base->values + key->offset;
	char start[64], text[128];
	const char *row;
	uint64_t number;

	(void)snprintf(start, sizeof(start), "| `%s` |", key->name);
	row = line_of(readme, start);
	if (!row[0])
		fail_msg("%s: no row for \"%s\"", README, key->name);
	cell_of(row, 0, text, sizeof(text));
	assert_string_equal(text, key->initial[0] ? key->initial : "\"\"");
	cell_of(row, 1, text, sizeof(text));
	if (key->type == POLICY_TEXT) {
		assert_string_equal(text, value[0] ? "yes" : "no");
		return;
	}
	if (is_string(key)) {
		assert_string_equal(text, value);
		return;
	}
	memcpy(&number, value, sizeof(number));
	if (value_of(key, text) != number)
		fail_msg("%s: base.json has another \"%s\" than %s", README, key->name, text);
}

static void test_the_readme_has_every_key(void **state)
{
	struct sbx_policy *base = NULL;
	size_t i;

	assert_int_equal(sbx_policy_load(&base, SOURCE "/policies/base.json", NULL, NULL), 0);
	for (i = 0; i < policy_n_keys; i++)
		check_row(&policy_keys[i], base);
	sbx_policy_free(base);
}

/* Lines that look like an entry or a row for a key. */
static void test_nothing_is_described_that_is_not_there(void **state)
{
	char name[64];
	const char *at;
	int n = 0;

	for (at = page; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (sscanf(at, "*%63[a-z_]* _%*[a-z]_, default ", name) != 1 ||
		    !strstr(line_of(at, "*"), ", default *"))
			continue;
		if (!policy_key_find(name))
			fail_msg("%s: there is no key \"%s\"", PAGE, name);
		n++;
	}
	assert_int_equal(n, policy_n_keys);
	at = strstr(readme, "| key | default |");
	assert_non_null(at);
	for (n = -2; at && *at == '|'; at = strchr(at, '\n'), at = at ? at + 1 : NULL, n++) {
		if (sscanf(at, "| `%63[a-z_]` |", name) == 1 && !policy_key_find(name))
			fail_msg("%s: there is no key \"%s\"", README, name);
	}
	assert_int_equal(n, policy_n_keys);
}

static void assert_named(const char *text, const char *where, const char *word)
{
	if (!strstr(text, word))
		fail_msg("%s does not speak of %s", where, word);
}

static void test_lists_and_groups_are_in_both(void **state)
{
	static const char *const lists[] = { "extends", "optional", "mounts", "syscalls",
					     "sysctls" };
	char word[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		(void)snprintf(word, sizeof(word), "\"%s\": ", lists[i]);
		assert_named(page, PAGE, word);
		(void)snprintf(word, sizeof(word), "## `%s`", lists[i]);
		assert_named(readme, README, word);
	}
	for (i = 0; i < seccomp_n_groups; i++) {
		(void)snprintf(word, sizeof(word), "*%s*\n", seccomp_groups[i].name);
		assert_named(page, PAGE, word);
		(void)snprintf(word, sizeof(word), "| `%s` |", seccomp_groups[i].name);
		assert_named(readme, README, word);
	}
}

static void test_mount_types_and_keys_are_in_both(void **state)
{
	char *source = read_text(SOURCE "/lib/policy-mounts.c"), name[64], word[80];
	const char *at;
	int keys = 0, types = 0;

	for (at = source; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		if (sscanf(at, "\t{ \"%63[a-z]\", KIND_", name) != 1)
			continue;
		keys++;
		(void)snprintf(word, sizeof(word), "*%s*", name);
		assert_named(page, PAGE, word);
		(void)snprintf(word, sizeof(word), "`%s`", name);
		assert_named(readme, README, word);
	}
	for (at = strstr(source, "type_names[] = {"); at && *at != '}'; at++) {
		if (sscanf(at, "] = \"%63[a-z]\"", name) != 1)
			continue;
		types++;
		(void)snprintf(word, sizeof(word), "\n*%s*\n", name);
		assert_named(page, PAGE, word);
		(void)snprintf(word, sizeof(word), "| `%s` |", name);
		assert_named(readme, README, word);
	}
	assert_true(keys >= 14);
	assert_true(types >= 8);
	free(source);
}

static void test_policies_are_in_both(void **state)
{
	DIR *d = opendir(SOURCE "/policies");
	struct dirent *e;
	char word[300];
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len < 6 || !streq(e->d_name + len - 5, ".json"))
			continue;
		n++;
		(void)snprintf(word, sizeof(word), "*%.*s*", (int)len - 5, e->d_name);
		assert_named(page, PAGE, word);
		(void)snprintf(word, sizeof(word), "| `%s` |", e->d_name);
		assert_named(readme, README, word);
	}
	(void)closedir(d);
	assert_true(n >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_page_has_every_key),
		cmocka_unit_test(test_the_readme_has_every_key),
		cmocka_unit_test(test_nothing_is_described_that_is_not_there),
		cmocka_unit_test(test_lists_and_groups_are_in_both),
		cmocka_unit_test(test_mount_types_and_keys_are_in_both),
		cmocka_unit_test(test_policies_are_in_both),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
