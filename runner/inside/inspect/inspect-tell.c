/* SPDX-License-Identifier: MIT */

/* What was found out about building and starting, as records; also in words, for people. */

#include "inside/inspect/plan.h"
#include "util/util.h"

static int put_argv(int out, enum record_tag tag, const struct command *c)
{
	int r = c->n_env ? records_put_string(out, tag, "env") : 0;

	for (size_t i = 0; i < c->n && r == 0; i++)
		r = records_put_string(out, tag, c->words[i]);
	return r;
}

/* NODE_OPTIONS of a script would replace ours (the heap's limit): as options they are added. */
static void fold_node_options(struct command *c, struct project *pr)
{
	static const char name[] = "NODE_OPTIONS=";

	for (size_t i = 0; command_is(c, "node") && i < c->n_env; i++) {
		const char *value = c->words[i] + strlen(name);
		size_t at;

		if (!starts_with(c->words[i], name) || strpbrk(value, "\"'\\"))
			continue;
		command_remove(c, i--, 1);
		at = --c->n_env + 1;
		for (value += strspn(value, " "); *value; value += strspn(value, " ")) {
			size_t n = strcspn(value, " ");

			if (!command_insert(c, at++, keep(pr, value, n)))
				return;
			value += n;
		}
	}
}

static int put_commands(struct plan *pl, int out, enum record_tag tag, struct commands *list)
{
	struct command shell = { .before = '&' };
	bool exec = list->n > 0 && command_purpose(commands_last(list)) == PURPOSE_SERVER;

	if (list->n == 0)
		return 0;
	for (size_t i = 0; i < list->n; i++)
		fold_node_options(&list->list[i], &pl->pr);
	if (list->n == 1 && !command_has_raw(&list->list[0]) && !command_is(&list->list[0], "cd"))
		return put_argv(out, tag, &list->list[0]);
	(void)command_add(&shell, "sh");
	(void)command_add(&shell, "-c");
	(void)command_add(&shell, commands_text(&pl->pr, list->list, list->n, exec));
	return put_argv(out, tag, &shell);
}

static int put_text(int out, enum record_tag tag, const char *text)
{
	char clean[1024];

	if (!text)
		return 0;
	copy_string(clean, sizeof(clean), text);
	text_scrub(clean);
	return records_put_string(out, tag, clean);
}

static const char *compiler_of(const struct commands *list)
{
	static const char *const names[] = { "nest",    "swc",     "esbuild", "tsup",  "webpack",
					     "rollup",  "vite",    "ncc",     "babel", "tsdown",
					     "pkgroll", "unbuild", "tspc",    "tsc" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (commands_run(list, (const char *const[]){ names[i], NULL }))
			return names[i];
	return NULL;
}

static const char *runner_of(const struct command *c)
{
	static const char *const names[] = { "tsx",      "ts-node", "@swc-node", "esbuild-register",
					     "swc-node", "bun" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = c->n_env; k < c->n; k++)
			if (starts_with(c->words[k], names[i]))
				return names[i];
	return command_is(c, "node") ? "Node strips the types" : command_program(c);
}

static const char *language_of(struct plan *pl)
{
	struct command *c = commands_last(&pl->start);
	const char *compiler = pl->skipped ? NULL : compiler_of(&pl->build);
	size_t file = command_file(c);

	if (file && is_typescript(c->words[file]))
		return keepf(&pl->pr, "TypeScript (%s)", runner_of(c));
	if (compiler && pl->tsconfig.exists)
		return keepf(&pl->pr, "TypeScript (%s)", compiler);
	if (file && strlen(c->words[file]) > 4 && strstr(c->words[file], ".mjs"))
		return "JavaScript (ES modules)";
	return json_member(pl->pr.package, "type") &&
			       streq(json_member(pl->pr.package, "type"), "module")
		       ? "JavaScript (ES modules)"
		       : "JavaScript";
}

static const char *framework_of(struct project *pr)
{
	static const char *const packages[][2] = {
		{ "@nestjs/core", "nest" },
		{ "express", "express" },
		{ "fastify", "fastify" },
		{ "koa", "koa" },
		{ "hono", "hono" },
		{ "@hapi/hapi", "hapi" },
		{ "restify", "restify" },
		{ "polka", "polka" },
		{ "h3", "h3" },
		{ "elysia", "elysia" },
		{ "@adonisjs/core", "adonis" },
		{ "@feathersjs/feathers", "feathers" },
		{ "@apollo/server", "apollo" },
		{ "next", "next" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		int major = project_major(pr, packages[i][0]);

		if (project_wants(pr, packages[i][0]))
			return major < 0 ? packages[i][1]
					 : keepf(pr, "%s %d", packages[i][1], major);
	}
	return NULL;
}

int plan_tell(struct plan *pl, int out, struct problem *p)
{
	int r = put_commands(pl, out, RECORD_START, &pl->start);

	if (r == -EINVAL)
		return problem_set(p, "package.json: the script that starts the server is too long "
				      "or holds control characters");
	if (r == 0)
		r = put_commands(pl, out, RECORD_BUILD, &pl->build);
	if (r == -EINVAL)
		return problem_set(p, "package.json: scripts.build is too long or holds control "
				      "characters");
	for (size_t i = 0; i < pl->n_entries && r == 0; i++)
		r = records_put_string(out, RECORD_ENTRY, pl->entries[i]);
	for (size_t i = 0; i < pl->n_migrations && r == 0; i++)
		r = put_text(out, RECORD_START_MIGRATE, pl->migrations[i]);
	if (r == 0 && pl->start.n > 0)
		r = put_text(out, RECORD_START_FROM, pl->start_from);
	if (r == 0 && pl->build.n > 0)
		r = put_text(out, RECORD_BUILD_FROM, pl->build_from);
	if (r == 0 && pl->build.n > 0)
		r = put_text(out, RECORD_BUILD_SKIPPED, pl->skipped);
	if (r == 0 && pl->start.n > 0)
		r = put_text(out, RECORD_LANGUAGE, language_of(pl));
	if (r == 0)
		r = put_text(out, RECORD_FRAMEWORK, framework_of(&pl->pr));
	return r == 0 ? put_text(out, RECORD_START_ERROR, pl->error) : r;
}
