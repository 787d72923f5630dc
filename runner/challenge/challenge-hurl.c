/* SPDX-License-Identifier: MIT */

/* What Hurl files bring along besides cases: files beside them, and things to ask of the host. */

#include "challenge/challenge-hurl.h"

#include "challenge/challenge-tests.h"
#include "hurl/ast.h"
#include "hurl/hurl.h"
#include "util/util.h"

#define MAX_ASSETS 256
#define MAX_ASSET (1u << 20) /* what a jail takes as one file of its plan */
#define MAX_ASSET_BYTES (7u << 20) /* of all: with the tests themselves, what a plan holds */

static int bad(char *why, const char *path, uint32_t line, const char *what)
{
	snprintf(why, CHALLENGE_ERROR_SIZE, "%s:%u: %s", path, line, what);
	return -EINVAL;
}

static int read_asset(struct challenge *c, const struct hurl_asset *a, const char *folder,
		      const char *path, char *why, struct challenge_asset *ret)
{
	_cleanup_free_ char *from = NULL;
	char text[600];
	uint64_t sum = 0;
	int r;

	if (asprintf(&from, "%s%s", folder, a->name) < 0) {
		from = NULL;
		return -ENOMEM;
	}
	r = challenge_read_file(from, MAX_ASSET, &ret->data, &ret->size);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		snprintf(text, sizeof(text), "cannot read the file %s: %s", a->name,
			 r == -EFBIG	? "it is bigger than 1 MiB"
			 : r == -EINVAL ? "not a regular file"
					: strerror(-r));
		return bad(why, path, a->pos.line, text);
	}
	for (uint32_t i = 0; i < c->n_assets; i++)
		sum += c->assets[i].size;
	if (sum + ret->size > MAX_ASSET_BYTES)
		return bad(why, path, a->pos.line, "the files of all tests together exceed 7 MiB");
	return 0;
}

static bool is_mounted(const struct challenge *c, const char *mount)
{
	for (uint32_t i = 0; i < c->n_assets; i++) {
		if (streq(c->assets[i].mount, mount))
			return true;
	}
	return false;
}

/* "uploads/01.hurl" and "a.png" make "uploads/a.png": the length of "uploads/". */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static int add_asset(struct challenge *c, const struct challenge_test *t,
		     const struct hurl_asset *a, const char *path, char *why)
{
	_cleanup_free_ char *folder = strndup(path, folder_length(path)), *mount = NULL;
	struct challenge_asset *assets, one = { 0 };
	int r;

	if (!folder ||
	    asprintf(&mount, "%.*s%s", (int)folder_length(t->mount), t->mount, a->name) < 0) {
		mount = NULL;
		return -ENOMEM;
	}
	if (is_mounted(c, mount))
		return 0;
	if (c->n_assets == MAX_ASSETS)
		return bad(why, path, a->pos.line, "more than 256 files beside the tests");
	for (uint32_t i = 0; i < c->n_tests; i++) {
		if (c->tests[i].mount && streq(c->tests[i].mount, mount))
			return bad(why, path, a->pos.line, "this file is a test itself");
	}
	assets = realloc(c->assets, (c->n_assets + 1) * sizeof(*assets));
	if (!assets)
		return -ENOMEM;
	c->assets = assets;
	r = read_asset(c, a, folder, path, why, &one);
	if (r < 0) {
		free(one.data);
		return r;
	}
	one.mount = steal_ptr(mount);
	assets[c->n_assets++] = one;
	return 0;
}

static int add_ask(struct challenge *c, const struct hurl_ask *ask, const char *path, char *why)
{
	struct challenge_ask *asks;

	if (ask->kind == HURL_ASK_SQL && !c->postgres)
		return bad(why, path, ask->line,
			   "'# @sql' needs a challenge with \"database\": \"postgres\"");
	asks = realloc(c->asks, (c->n_asks + 1) * sizeof(*asks));
	if (!asks)
		return -ENOMEM;
	c->asks = asks;
	asks[c->n_asks] = (struct challenge_ask){ .kind = ask->kind };
	if (ask->sql) {
		asks[c->n_asks].sql = strdup(ask->sql);
		if (!asks[c->n_asks].sql)
			return -ENOMEM;
	}
	c->n_asks++;
	return 0;
}

static bool has_group(const struct challenge *c, const struct hurl_file *file, size_t n,
		      const char *group)
{
	for (uint32_t i = 0; i < c->n_cases; i++) {
		if (c->cases[i].group && streq(c->cases[i].group, group))
			return true;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = file->cases[i].info.group;

		if (name && streq(name, group))
			return true;
	}
	return false;
}

static int check_groups(const struct challenge *c, const struct hurl_file *file, const char *path,
			char *why)
{
	for (size_t i = 0; i < file->case_count; i++) {
		const struct hurl_case *one = &file->cases[i];
		char text[300];

		if (!one->info.requires || has_group(c, file, i, one->info.requires))
			continue;
		snprintf(text, sizeof(text), "no test before this one is of the group '%s'",
			 one->info.requires);
		return bad(why, path, one->requires_pos.line, text);
	}
	return 0;
}

int challenge_add_hurl(struct challenge *c, const struct challenge_test *t,
		       const struct hurl_file *file, const char *path, char *why)
{
	int r = check_groups(c, file, path, why);

	for (size_t i = 0; i < file->asset_count && r == 0; i++)
		r = add_asset(c, t, &file->assets[i], path, why);
	for (size_t i = 0; i < hurl_file_asks(file) && r == 0; i++)
		r = add_ask(c, hurl_file_ask(file, i), path, why);
	return r;
}

void challenge_hurl_done(struct challenge *c)
{
	for (uint32_t i = 0; i < c->n_assets; i++) {
		free(c->assets[i].mount);
		free(c->assets[i].data);
	}
	free(c->assets);
	for (uint32_t i = 0; i < c->n_asks; i++)
		free(c->asks[i].sql);
	free(c->asks);
}
