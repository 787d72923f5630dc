/* SPDX-License-Identifier: MIT */

/*
 * What a command of a script is for. A start script may also build, migrate and generate; the
 * pipeline has stages of its own for these.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

static bool has_word(const struct command *c, const char *const *list)
{
	for (size_t i = c->n_env + 1; i < c->n; i++)
		if (word_in(c->words[i], list))
			return true;
	return false;
}

static const char *const node_valued[] = {
	"-r", "--require",    "--import",   "--loader",     "--experimental-loader",
	"-C", "--conditions", "--env-file", "--watch-path", "--env-file-if-exists",
	NULL
};
static const char *const ts_node_valued[] = { "-r",        "--require",  "-P",
					      "--project", "-O",         "--compiler-options",
					      "-C",        "--compiler", "-I",
					      "--ignore",  "-D",         "--ignore-diagnostics",
					      "--cwd",     NULL };
static const char *const tsx_valued[] = { "--tsconfig", "-r",         "--require",
					  "--import",   "--env-file", "--ignore",
					  "--include",  "--exclude",  NULL };
static const char *const none_valued[] = { NULL };

static const struct {
	const char *program;
	const char *const *valued;
} runners[] = {
	{ "node", node_valued },
	{ "tsx", tsx_valued },
	{ "ts-node", ts_node_valued },
	{ "ts-node-esm", ts_node_valued },
	{ "ts-node-dev", ts_node_valued },
	{ "ts-node-script", ts_node_valued },
	{ "swc-node", none_valued },
	{ "esr", none_valued },
	{ "esno", none_valued },
	{ "babel-node", none_valued },
	{ "bun", none_valued },
	{ "vite-node", none_valued },
	{ "jiti", none_valued },
	{ "sucrase-node", none_valued },
	{ "tsm", none_valued },
};

size_t command_file(const struct command *c)
{
	const char *program = command_program(c);

	for (size_t k = 0; k < ARRAY_SIZE(runners); k++) {
		if (!streq(program, runners[k].program))
			continue;
		for (size_t i = c->n_env + 1; i < c->n; i++) {
			if (word_in(c->words[i], runners[k].valued))
				i++;
			else if (streq(c->words[i], "-e") || streq(c->words[i], "-p") ||
				 streq(c->words[i], "--eval") || *c->words[i] == RAW)
				return 0;
			else if (c->words[i][0] != '-')
				return i;
		}
	}
	return 0;
}

static bool is_migration(const struct command *c)
{
	static const char *const prisma[] = { "migrate", "push", NULL };
	static const char *const drizzle[] = { "migrate", "push", "push:pg", "up", "up:pg", NULL };
	static const char *const knex[] = { "migrate:latest", "migrate:up", "migrate:rollback",
					    NULL };
	static const char *const sequelize[] = { "db:migrate", "db:create", "db:drop",
						 "db:migrate:undo:all", NULL };
	static const char *const typeorm[] = { "migration:run", "schema:sync", "schema:drop",
					       "migrations:run", NULL };
	static const char *const mikro[] = { "migration:up", "migration:fresh", "schema:update",
					     "schema:fresh", "schema:create",   NULL };
	static const char *const up[] = { "up", "redo", NULL };
	static const struct {
		const char *program;
		const char *const *words;
	} tools[] = {
		{ "prisma", prisma },
		{ "drizzle-kit", drizzle },
		{ "knex", knex },
		{ "sequelize", sequelize },
		{ "sequelize-cli", sequelize },
		{ "typeorm", typeorm },
		{ "typeorm-ts-node-commonjs", typeorm },
		{ "typeorm-ts-node-esm", typeorm },
		{ "mikro-orm", mikro },
		{ "node-pg-migrate", up },
		{ "db-migrate", up },
	};
	size_t file = command_file(c);

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (command_is(c, tools[i].program) && has_word(c, tools[i].words))
			return true;
	return file && strstr(c->words[file], "typeorm/cli") && has_word(c, typeorm);
}

static bool is_generate(const struct command *c)
{
	static const char *const words[] = { "generate", "generate:pg", NULL };

	return (command_is(c, "prisma") || command_is(c, "drizzle-kit")) && has_word(c, words);
}

static bool is_build(const struct command *c)
{
	static const char *const programs[] = { "tsc",         "swc",
						"esbuild",     "tsup",
						"rollup",      "webpack",
						"babel",       "ncc",
						"tsc-alias",   "unbuild",
						"pkgroll",     "parcel",
						"tspc",        "resolve-tspaths",
						"tsdown",      "rimraf",
						"copyfiles",   "cpx",
						"del-cli",     "tsconfig-replace-paths",
						"cpy",         "shx",
						"microbundle", NULL };
	static const char *const with_build[] = { "vite",          "nest",   "next", "nuxt",
						  "react-scripts", "parcel", NULL };
	static const char *const build[] = { "build", NULL };

	return word_in(command_program(c), programs) ||
	       (word_in(command_program(c), with_build) && has_word(c, build));
}

static bool is_server(const struct command *c)
{
	static const char *const programs[] = { "json-server", "pm2-runtime", "fastify", "sails",
						"strapi",      "adonis",      NULL };
	static const char *const with_start[] = { "next", "nuxt", "nest", "strapi", NULL };
	static const char *const start[] = { "start", NULL };

	return command_file(c) || word_in(command_program(c), programs) ||
	       (word_in(command_program(c), with_start) && has_word(c, start));
}

enum purpose command_purpose(const struct command *c)
{
	if (is_migration(c))
		return PURPOSE_MIGRATION;
	if (is_generate(c))
		return PURPOSE_GENERATE;
	if (is_build(c))
		return PURPOSE_BUILD;
	return is_server(c) ? PURPOSE_SERVER : PURPOSE_OTHER;
}
