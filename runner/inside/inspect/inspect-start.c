/* SPDX-License-Identifier: MIT */

/*
 * What starts the server: a script of package.json, the first whose file is there or can be made;
 * else a file. "main" counts only when the file exists: `npm init` writes index.js into every
 * package.json.
 */

#include "inside/inspect/plan.h"
#include "util/util.h"

static const char *const start_names[] = {
	"start",      "start:prod",   "start:production", "prod", "production", "serve",
	"server",     "start:server", "start:api",        "api",  "dev",        "start:dev",
	"dev:server", "dev:api",      "develop",          "watch"
};
/* Programs for browsers, and servers of plain files: not what is looked for. */
static bool is_client(struct commands *list)
{
	static const char *const names[] = { "react-scripts",
					     "vite",
					     "ng",
					     "vue-cli-service",
					     "webpack-dev-server",
					     "expo",
					     "parcel",
					     "astro",
					     "live-server",
					     "http-server",
					     "serve",
					     "svelte-kit",
					     "echo",
					     NULL };

	return list->n > 0 &&
	       commands_run(&(struct commands){ .list[0] = *commands_last(list), .n = 1 }, names);
}

/* The file that the list's last command runs is there, or can still be made. */
static bool can_start(struct plan *pl, struct commands *list)
{
	static const char *const cd[] = { "cd", NULL };
	struct command *c = commands_last(list);
	size_t file = command_file(c);

	if (!file || !entry_clean(c->words[file]) || commands_run(list, cd))
		return true;
	return entry_exists(&pl->pr, c->words[file]) ||
	       (!is_typescript(c->words[file]) &&
		(commands_have(list, PURPOSE_BUILD) || plan_has_build(pl)));
}

static bool start_by_script(struct plan *pl)
{
	struct commands list, *fallback = &pl->start;
	const char *from = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(start_names); i++) {
		list.n = 0;
		if (expand_named(&pl->pr, start_names[i], &list, 0) != 0 || list.n == 0)
			continue;
		if (is_client(&list) || (i > 0 && !commands_have(&list, PURPOSE_SERVER)))
			continue;
		pl->start_from = keepf(&pl->pr, "package.json \"%s\"", start_names[i]);
		if (can_start(pl, &list)) {
			pl->start = list;
			return true;
		}
		if (!from) {
			from = pl->start_from;
			*fallback = list;
		}
	}
	pl->start_from = from;
	return from != NULL;
}

static void add_entry(struct plan *pl, const char *file)
{
	for (size_t i = 0; i < pl->n_entries; i++)
		if (streq(pl->entries[i], file))
			return;
	if (pl->n_entries < RECORD_MAX_ENTRIES && path_is_clean(file, strlen(file)))
		pl->entries[pl->n_entries++] = file;
}

static bool run(struct plan *pl, const char *file)
{
	struct command c = { .before = '&' };

	if (!command_add(&c, "node") || !command_add(&c, file))
		return false;
	pl->start.list[0] = c;
	pl->start.n = 1;
	return true;
}

/* A TypeScript file that the compiler has to see first. */
static bool run_compiled(struct plan *pl, const char *file)
{
	const char *output[4];
	size_t n = tsc_output(&pl->pr, &pl->tsconfig, file, output);

	for (size_t i = 0; i < n; i++)
		add_entry(pl, output[i]);
	return run(pl, output[0]);
}

static bool has_runner(const struct project *pr)
{
	return project_has(pr, "tsx") || project_has(pr, "ts-node") ||
	       project_has(pr, "@swc-node/register") || project_has(pr, "esbuild-register");
}

static void cannot_run(struct plan *pl, const char *file, const char *why)
{
	struct problem p;

	(void)problem_set(
		&p,
		"The server seems to be %s, but package.json does not say how to run it, and "
		"Node alone cannot: %s. Add tsx (npm install tsx) and the script \"start\": "
		"\"tsx %s\", or typescript with a \"build\" script and a \"start\" script "
		"that runs what it makes.",
		QUOTE(file), QUOTE(why), QUOTE(file));
	pl->error = keep(&pl->pr, p.text, strlen(p.text));
}

/* "main" names what the build will make. */
static const char *future_main(struct plan *pl)
{
	const char *file = json_member(pl->pr.package, "main");

	if (!file || !entry_clean(file) || streq(entry_clean(file), "index.js") ||
	    !plan_has_build(pl))
		return NULL;
	return entry_clean(file);
}

static bool start_by_file(struct plan *pl)
{
	struct command c = { .before = '&' };
	const char *file = entry_find(&pl->pr, &pl->start_from), *main = future_main(pl), *why;

	if (!file && main) {
		pl->start_from = "package.json \"main\"";
		add_entry(pl, main);
		return run(pl, main);
	}
	if (!file)
		return false;
	if (!is_typescript(file) || has_runner(&pl->pr) || pl->tsconfig.strips ||
	    !plan_has_build(pl)) {
		if (run_file(&pl->pr, &c, file, &why) == 0) {
			pl->start.list[0] = c;
			pl->start.n = 1;
			return true;
		}
	}
	if (plan_has_build(pl)) {
		if (main)
			add_entry(pl, main);
		return run_compiled(pl, file);
	}
	if (why)
		cannot_run(pl, file, why);
	return false;
}

/* Files that the start command may mean, when the one that it names is still to be made. */
void plan_entries(struct plan *pl)
{
	static const char *const endings[] = { "", ".js", ".mjs", ".cjs", "/index.js" };
	struct command *c = commands_last(&pl->start);
	size_t file = command_file(c);
	const char *clean = file ? entry_clean(c->words[file]) : NULL;

	if (pl->n_entries > 0 || !clean || pl->start.n > 1 || command_has_raw(c) ||
	    entry_exists(&pl->pr, clean))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		add_entry(pl, keepf(&pl->pr, "%s%s", clean, endings[i]));
	/* Where Nest puts main.js depends on what else tsc finds. */
	if (project_has(&pl->pr, "@nestjs/core") && strchr(clean, '/'))
		add_entry(pl, keepf(&pl->pr, "%.*s/src/main.js", (int)strcspn(clean, "/"), clean));
}

bool plan_start(struct plan *pl)
{
	return start_by_script(pl) || start_by_file(pl);
}
