/* SPDX-License-Identifier: MIT */

/*
 * "npm run x", "pnpm x", "yarn x", "npx x" and the like, followed without starting the manager: it
 * costs 150 to 400 ms and a process each time. What a manager would do beyond that (workspaces,
 * other folders) is left to it.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

/*
 * The index of the first word behind `at` that is no harmless option; 0: one that is not harmless.
 */
static size_t skip_options(const struct command *c, size_t at)
{
	static const char *const harmless[] = {
		"--silent", "-s", "--quiet",      "-q",        "--if-present",     "--no-progress",
		"--yes",    "-y", "--no-install", "--offline", "--prefer-offline", "-d",
		"--bun",    NULL
	};

	for (; at < c->n && c->words[at][0] == '-' && !streq(c->words[at], "--"); at++)
		if (!word_in(c->words[at], harmless) && !starts_with(c->words[at], "--loglevel="))
			return 0;
	return at < c->n && streq(c->words[at], "--") ? at + 1 : at;
}

/* The command that begins with word `at`, with the assignments of `c`. */
static int expand_rest(struct project *pr, const struct command *c, size_t at, struct commands *ret,
		       int depth)
{
	struct command rest = *c;

	if (at == 0 || at >= c->n)
		return -1;
	command_remove(&rest, c->n_env, at - c->n_env);
	return expand_command(pr, &rest, ret, depth + 1) == 0 ? 1 : -1;
}

/*
 * The words behind the script's name are for its last command; of npm's, those that are no options,
 * and all behind the first "--".
 */
static bool give_arguments(const struct command *c, size_t at, struct commands *ret)
{
	struct command *last = &ret->list[ret->n - 1];
	bool npm = command_is(c, "npm") && !streq(c->words[at - 1], "--");

	if (!npm && at < c->n && streq(c->words[at], "--"))
		at++;
	for (; at < c->n; at++) {
		if (npm && streq(c->words[at], "--")) {
			npm = false;
			continue;
		}
		if ((npm && c->words[at][0] == '-') || !command_add(last, c->words[at]))
			return false;
	}
	return true;
}

static int run_script(struct project *pr, const struct command *c, size_t at, struct commands *ret,
		      int depth)
{
	size_t first = ret->n, behind;

	if (at == 0 || at >= c->n || *c->words[at] == RAW)
		return -1;
	if (expand_named(pr, c->words[at], ret, depth + 1) != 0 || ret->n == first)
		return -1;
	for (size_t i = first; i < ret->n; i++)
		for (size_t k = c->n_env; k > 0; k--) {
			if (!command_insert(&ret->list[i], 0, c->words[k - 1]))
				return -1;
			ret->list[i].n_env++;
		}
	/* npm keeps options that come before "--"; the others pass all on. */
	behind = command_is(c, "npm") ? skip_options(c, at + 1) : at + 1;
	return behind && give_arguments(c, behind, ret) ? 1 : -1;
}

/* Packages are installed already. */
static bool installs(const struct command *c, size_t at)
{
	static const char *const words[] = { "install", "i", "ci", "install-clean", NULL };

	if (at == c->n)
		return command_is(c, "yarn");
	return word_in(c->words[at], words) && skip_options(c, at + 1) == c->n;
}

static int expand_run(struct project *pr, const struct command *c, size_t at, struct commands *ret,
		      int depth)
{
	static const char *const run[] = { "run", "run-script", "rum", "urn", NULL };
	static const char *const execute[] = { "exec", "x", "dlx", NULL };
	bool npm = command_is(c, "npm");

	if (installs(c, at))
		return 1;
	if (at == 0 || at >= c->n)
		return -1;
	if (word_in(c->words[at], run))
		return run_script(pr, c, skip_options(c, at + 1), ret, depth);
	if (word_in(c->words[at], execute))
		return expand_rest(pr, c, skip_options(c, at + 1), ret, depth);
	if (npm && !streq(c->words[at], "start") && !streq(c->words[at], "test"))
		return -1;
	if (project_script(pr, c->words[at]))
		return run_script(pr, c, at, ret, depth);
	return npm ? -1 : expand_rest(pr, c, at, ret, depth);
}

/* "bun FILE" runs it; its own runtime is one of the packages, or the file is run by Node. */
static int expand_bun(struct project *pr, const struct command *c, size_t at, struct commands *ret,
		      int depth)
{
	struct command rest = *c;
	const char *why;

	while (at < c->n &&
	       (starts_with(c->words[at], "--watch") || starts_with(c->words[at], "--hot")))
		at++;
	if (at < c->n && streq(c->words[at], "run") && at + 1 < c->n &&
	    !project_script(pr, c->words[at + 1]))
		at++;
	while (at < c->n &&
	       (starts_with(c->words[at], "--watch") || starts_with(c->words[at], "--hot")))
		at++;
	if (at >= c->n || !entry_clean(c->words[at]) ||
	    file_kind(pr->root, entry_clean(c->words[at])) != FILE_REGULAR)
		return expand_run(pr, c, at, ret, depth);
	command_remove(&rest, c->n_env, c->n - c->n_env);
	if (run_file(pr, &rest, c->words[at], &why) != 0)
		return -1;
	for (at++; at < c->n; at++)
		if (!command_add(&rest, c->words[at]))
			return -1;
	return expand_command(pr, &rest, ret, depth + 1) == 0 ? 1 : -1;
}

int manager_expand(struct project *pr, const struct command *c, struct commands *ret, int depth)
{
	static const char *const managers[] = { "npm", "pnpm", "yarn", NULL };
	static const char *const executors[] = { "npx", "bunx", "pnpx", NULL };
	size_t at = skip_options(c, c->n_env + 1);

	if (word_in(command_program(c), managers) && pr->elsewhere)
		return -1;
	if (word_in(command_program(c), managers))
		return expand_run(pr, c, at, ret, depth);
	if (command_is(c, "bun") && !project_wants(pr, "bun") && !pr->elsewhere)
		return expand_bun(pr, c, c->n_env + 1, ret, depth);
	if (word_in(command_program(c), executors))
		return expand_rest(pr, c, at, ret, depth);
	if (command_is(c, "node") && c->n > c->n_env + 2 && streq(c->words[c->n_env + 1], "--run"))
		return run_script(pr, c, c->n_env + 2, ret, depth);
	return 0;
}
