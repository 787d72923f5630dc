/* SPDX-License-Identifier: MIT */

/*
 * The lockfiles of pnpm, yarn and bun, line by line: every package must come from the registry.
 * This gives the student a sentence instead of a failed download; what keeps the install from going
 * elsewhere is its jail, which reaches nothing but the registry.
 */

#include <ctype.h>

#include "inside/inspect/inspect-lock.h"
#include "util/util.h"

#define LINE_SHOWN 160

struct line {
	const char *at; /* behind its indentation */
	size_t size, indent;
};

static bool line_next(const char **text, struct line *ret)
{
	const char *s = *text;
	size_t n = strcspn(s, "\n");

	if (!*s)
		return false;
	ret->indent = strspn(s, " ");
	ret->at = s + ret->indent;
	ret->size = n - MIN_OF(ret->indent, n);
	*text = s + n + (s[n] == '\n');
	return true;
}

static bool has(const struct line *l, const char *part)
{
	return memmem(l->at, l->size, part, strlen(part)) != NULL;
}

static bool begins(const struct line *l, const char *part)
{
	return l->size >= strlen(part) && strncmp(l->at, part, strlen(part)) == 0;
}

static bool ends(const struct line *l, const char *part)
{
	size_t n = strlen(part);

	return l->size >= n && strncmp(l->at + l->size - n, part, n) == 0;
}

static int refuse(const char *file, const struct line *l, const char *what, struct problem *p)
{
	char shown[LINE_SHOWN];

	(void)snprintf(shown, sizeof(shown), "%.*s", (int)MIN_OF(l->size, sizeof(shown) - 1),
		       l->at);
	return problem_set(p,
			   "%s: \"%s\" %s; only packages of the npm registry can be installed: "
			   "give a version in package.json and run the install again",
			   file, QUOTE(shown), what);
}

/* What a specification behind '@', a colon or a quote says of another place. */
static const char *elsewhere(const struct line *l, char before)
{
	static const struct {
		const char *scheme, *what;
	} schemes[] = {
		{ "file:", "is a folder or file" },
		{ "link:", "is a folder or file" },
		{ "portal:", "is a folder or file" },
		{ "git+", "is fetched from a repository" },
		{ "git:", "is fetched from a repository" },
		{ "git@", "is fetched from a repository" },
		{ "ssh:", "is fetched from a repository" },
		{ "github:", "is fetched from a repository" },
		{ "gitlab:", "is fetched from a repository" },
		{ "bitbucket:", "is fetched from a repository" },
		{ "http:", "is fetched from an address" },
		{ "https:", "is fetched from an address" },
		{ "exec:", "is made by a program" },
	};
	char word[16];

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		(void)snprintf(word, sizeof(word), "%c%s", before, schemes[i].scheme);
		if (has(l, word))
			return schemes[i].what;
	}
	return NULL;
}

/* An address that can be one of a registry: yarn and pnpm write them for registries of others. */
static bool is_tarball(const struct line *l)
{
	return (has(l, "https://") || has(l, "http://")) && has(l, "/-/") && has(l, ".tgz");
}

static int check_pnpm(const struct line *l, struct problem *p)
{
	static const char *const keys[] = { "directory:", "repo:", "commit:", "gitHosted:" };
	const char *what = NULL;

	/* Not in other values: messages of deprecated packages hold all kinds of addresses. */
	if (ends(l, ":"))
		what = elsewhere(l, '@');
	else if (begins(l, "version:") || begins(l, "specifier:"))
		what = elsewhere(l, ' ');
	if (is_tarball(l) && has(l, "tarball:"))
		what = NULL;
	else if (begins(l, "tarball:") || (begins(l, "resolution:") && has(l, "tarball:")))
		what = "is fetched from an address";
	for (size_t i = 0; i < ARRAY_SIZE(keys) && !what; i++)
		if (begins(l, keys[i]) || (begins(l, "resolution:") && has(l, keys[i])))
			what = "is fetched from a repository or folder";
	if (!what && l->indent == 0 && begins(l, "patchedDependencies:"))
		what = "changes packages by files of the project";
	return what ? refuse("pnpm-lock.yaml", l, what, p) : 0;
}

static int check_yarn(const struct line *l, struct problem *p)
{
	const char *what = NULL;

	if (begins(l, "resolved "))
		what = is_tarball(l) && !has(l, "\"git") ? NULL : "is fetched from elsewhere";
	else if (l->indent == 0 && l->size > 0 && *l->at != '#')
		what = elsewhere(l, '@');
	return what ? refuse("yarn.lock", l, what, p) : 0;
}

static int check_berry(const struct line *l, struct problem *p)
{
	const char *what = NULL;

	if (begins(l, "resolution:") && has(l, "@patch:"))
		what = has(l, "builtin<") ? NULL : "changes a package by a file of the project";
	else if (begins(l, "resolution:") && has(l, "@workspace:"))
		what = ends(l, "@workspace:.\"") ? NULL : "is another folder of a workspace";
	else if (begins(l, "resolution:"))
		what = has(l, "@npm:") && !has(l, "__archiveUrl") ? NULL
								  : "is fetched from elsewhere";
	return what ? refuse("yarn.lock", l, what, p) : 0;
}

/* "name": ["name@1.2.3", ...]: the version begins with a digit. */
static int check_bun(const struct line *l, struct problem *p)
{
	const char *at = memmem(l->at, l->size, "\": [\"", 5), *end;
	size_t n;

	if (l->indent != 4 || !at)
		return 0;
	at += 5;
	n = (size_t)(l->at + l->size - at);
	end = memchr(at, '"', n);
	n = end ? (size_t)(end - at) : n;
	for (end = at + n; end > at && end[-1] != '@'; end--)
		;
	if (end > at + 1 && isdigit((unsigned char)*end))
		return 0;
	return refuse("bun.lock", l, "is not a version of the registry", p);
}

/* Everything below "importers:" but "." is another project. */
static bool other_importer(const struct line *l, bool *inside)
{
	if (l->size > 0 && l->indent == 0)
		*inside = begins(l, "importers:");
	return *inside && l->indent == 2 && l->size > 0 && !begins(l, ".:") && !begins(l, "'.':") &&
	       !begins(l, ".: ") && !begins(l, "#");
}

static int several(const char *file, struct problem *p)
{
	return problem_set(
		p,
		"%s is of a workspace with several packages, which is not supported: "
		"submit the folder of the server, with its own package.json and lockfile",
		file);
}

int lockfile_check_text(enum lock_kind kind, const char *text, struct problem *p)
{
	bool importers = false;
	struct line l;
	int r = 0;

	while (r == 0 && line_next(&text, &l)) {
		if (kind == LOCK_PNPM && other_importer(&l, &importers))
			return several("pnpm-lock.yaml", p);
		if (kind == LOCK_PNPM)
			r = check_pnpm(&l, p);
		else if (kind == LOCK_YARN)
			r = check_yarn(&l, p);
		else if (kind == LOCK_BERRY)
			r = check_berry(&l, p);
		else if (kind == LOCK_BUN)
			r = check_bun(&l, p);
	}
	return r;
}
