/* SPDX-License-Identifier: MIT */

/*
 * What is built before the server starts: the script "build", what the start script compiles, or
 * tsc where only that can make the file that is started. A build that the server does not wait for
 * is told with the reason, because the challenge may start the server otherwise.
 */

#include <strings.h>

#include "inside/inspect/plan.h"
#include "util/util.h"

static const char *const build_names[] = { "build",       "build:server", "build:prod",
					   "build:api",   "build:ts",     "compile",
					   "tsc",         "transpile",    "heroku-postbuild",
					   "postinstall", "prepare" };

static bool plan_has_compiler(struct plan *pl)
{
	return pl->tsconfig.exists && !pl->tsconfig.no_emit && project_has(&pl->pr, "typescript");
}

bool plan_has_build(struct plan *pl)
{
	for (size_t i = 0; i < ARRAY_SIZE(build_names) - 2; i++)
		if (project_script(&pl->pr, build_names[i]))
			return true;
	return plan_has_compiler(pl);
}

static void note_migration(struct plan *pl, const struct command *c)
{
	if (pl->n_migrations < ARRAY_SIZE(pl->migrations))
		pl->migrations[pl->n_migrations++] = commands_text(&pl->pr, c, 1, false);
}

/* Takes the commands out that have stages of their own. */
void plan_take_stages(struct plan *pl, struct commands *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		enum purpose purpose = command_purpose(&list->list[i]);

		if (purpose == PURPOSE_MIGRATION)
			note_migration(pl, &list->list[i]);
		else if (purpose != PURPOSE_GENERATE)
			list->list[n++] = list->list[i];
	}
	list->n = n;
}

static bool same_command(const struct command *a, const struct command *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->words[i], b->words[i]))
			return false;
	return true;
}

static void add_build(struct plan *pl, const struct command *c)
{
	for (size_t i = 0; i < pl->build.n; i++)
		if (same_command(&pl->build.list[i], c))
			return;
	if (pl->build.n < SCRIPT_COMMANDS)
		pl->build.list[pl->build.n++] = *c;
}

/* What the start script does up to its last compiler belongs to the build. */
void plan_take_builds(struct plan *pl)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < pl->start.n; i++)
		if (command_purpose(&pl->start.list[i]) == PURPOSE_BUILD)
			n = i + 1;
	if (n == 0)
		return;
	if (pl->skipped) {
		pl->skipped = pl->build_from = NULL;
		pl->build.n = 0;
	}
	for (size_t i = 0; i < n; i++)
		add_build(pl, &pl->start.list[i]);
	pl->build_from = pl->build_from ? pl->build_from : pl->start_from;
	pl->start.n -= n;
	memmove(pl->start.list, pl->start.list + n, pl->start.n * sizeof(*pl->start.list));
}

/*
 * A build that goes to other folders or makes pages for browsers is not what the server waits for.
 */
static bool is_elsewhere(const struct commands *list)
{
	static const char *const names[] = { "cd", "npm",  "pnpm",  "yarn",  "react-scripts",
					     "ng", "vite", "lerna", "turbo", "nx",
					     NULL };

	return commands_run(list, names);
}

/* Nothing but a check of the types: its author wants to hear of errors. */
static bool checks_types(struct plan *pl, const struct commands *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!command_is(&list->list[i], "tsc"))
			continue;
		for (size_t k = 0; k < list->list[i].n; k++)
			if (strcasecmp(list->list[i].words[k], "--noEmit") == 0)
				return true;
		if (pl->tsconfig.no_emit)
			return true;
	}
	return false;
}

static const char *build_needless(struct plan *pl, const struct commands *list)
{
	struct command *c = commands_last(&pl->start);
	size_t file = command_file(c);

	if (!file || !entry_clean(c->words[file]) || !entry_exists(&pl->pr, c->words[file]))
		return NULL;
	if (is_typescript(c->words[file]))
		return checks_types(pl, list) ? NULL : "the server runs from its sources";
	return is_elsewhere(list) ? "it is not the server's" : NULL;
}

static void build_by_compiler(struct plan *pl)
{
	struct command c = { .before = '&' };

	if (!plan_has_compiler(pl) || pl->n_entries == 0 || !command_add(&c, "tsc"))
		return;
	pl->build.list[0] = c;
	pl->build.n = 1;
	pl->build_from = "tsconfig.json";
}

/* The script "build", when nothing else is known. */
void plan_build_alone(struct plan *pl)
{
	if (expand_named(&pl->pr, "build", &pl->build, 0) != 0)
		pl->build.n = 0;
	plan_take_stages(pl, &pl->build);
	pl->build_from = "package.json \"build\"";
}

void plan_build(struct plan *pl)
{
	struct commands list = {};
	size_t n_names = pl->n_entries > 0 ? ARRAY_SIZE(build_names) : 1;

	for (size_t i = 0; i < n_names && list.n == 0; i++) {
		if (expand_named(&pl->pr, build_names[i], &list, 0) != 0)
			list.n = 0;
		plan_take_stages(pl, &list);
		/* The hooks of an install count only as far as they compile. */
		if (i + 3 >= ARRAY_SIZE(build_names) && !commands_have(&list, PURPOSE_BUILD))
			list.n = 0;
		pl->build_from = keepf(&pl->pr, "package.json \"%s\"", build_names[i]);
	}
	if (list.n == 0)
		pl->build_from = NULL;
	else
		pl->skipped = build_needless(pl, &list);
	pl->build = list;
	if (list.n == 0)
		build_by_compiler(pl);
}
