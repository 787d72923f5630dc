/* SPDX-License-Identifier: MIT */

/*
 * Migrations that are programs: those of knex, sequelize, typeorm, node-pg-migrate and mikro-orm,
 * and scripts of package.json that exist to migrate. A script says best what its author wants, so
 * it comes first; one that starts a server, watches, or needs a program that is not here (psql,
 * docker) does not count. A tool counts when the project has its configuration and depends on it.
 */

#include "inside/inspect/inspect-tools.h"

#include "util/util.h"

#define MAX_CONFIG (64u << 10)

bool package_has(const json_t *package, const char *name)
{
	return json_object_get(json_object_get(package, "dependencies"), name) ||
	       json_object_get(json_object_get(package, "devDependencies"), name);
}

static int put_command(int out, const char *tool, const char *const *argv)
{
	int r = records_put_string(out, RECORD_MIGRATE_TOOL, tool);

	for (; *argv && r == 0; argv++)
		r = records_put_string(out, RECORD_MIGRATE, *argv);
	return r;
}

static bool contains_any(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strstr(s, *words))
			return true;
	return false;
}

/* Does it migrate and end, with what is here? */
static bool is_migration(const char *script)
{
	static const char *const not [] = { "psql",
					    "docker",
					    "createdb",
					    "dropdb",
					    "nodemon",
					    "watch",
					    "prisma",
					    "migrate:make",
					    ":create",
					    ":generate",
					    "rollback",
					    "undo",
					    ":revert",
					    "npm start",
					    "run start",
					    "run dev",
					    "echo ",
					    " down",
					    "drizzle-kit generate",
					    "drop",
					    "drizzle-kit studio",
					    "test",
					    NULL };

	return !contains_any(script, not );
}

/* Written to be called as `npm run migrate up`. */
static bool wants_up(const char *script)
{
	return starts_with(script, "node-pg-migrate") && !strstr(script, " up");
}

static int try_scripts(const json_t *package, const char *const *names, int out, bool *ret)
{
	const json_t *scripts = json_object_get(package, "scripts");

	*ret = false;
	for (; *names && !*ret; names++) {
		const char *script = json_member(scripts, *names);
		char text[TEXT_MAX];
		const char *argv[] = { "sh", "-c", text, NULL };
		char tool[96];
		int r;

		if (!script || strlen(script) >= sizeof(text) - 8 || !is_migration(script))
			continue;
		(void)snprintf(text, sizeof(text), "%s%s", script, wants_up(script) ? " up" : "");
		/* The tool alone does nothing: it is for `npm run NAME COMMAND`. */
		if (!strchr(text, ' '))
			continue;
		(void)snprintf(tool, sizeof(tool), "package.json \"%s\"", *names);
		r = put_command(out, tool, argv);
		if (r == -EINVAL) /* control characters: nothing that a person wrote to be run */
			continue;
		if (r < 0)
			return r;
		*ret = true;
	}
	return 0;
}

int inspect_setup_script(const json_t *package, int out)
{
	static const char *const names[] = { "db:init",  "db:setup",      "db:create", "db:sync",
					     "init-db",  "initdb",        "init:db",   "setup:db",
					     "setup-db", "create-tables", NULL };
	bool found;

	return try_scripts(package, names, out, &found);
}

/* How a program of a package is run when its configuration may be TypeScript. */
static void with_loader(const json_t *package, const char *config, const char *program,
			const char *file, const char **argv, size_t *n)
{
	size_t size = strlen(config);

	if (size > 3 && streq(config + size - 2, "ts") && package_has(package, "tsx")) {
		argv[(*n)++] = "tsx";
		argv[(*n)++] = file;
	} else {
		argv[(*n)++] = program;
	}
}

static int try_knex(int root, const json_t *package, int out, bool *ret)
{
	static const char *const folders[] = { "",       "src",        "db",
					       "src/db", "database",   "src/database",
					       "config", "src/config", NULL };
	char config[64];
	const char *argv[8] = {};
	size_t n = 0;

	*ret = package_has(package, "knex") &&
	       find_config(root, folders, "knexfile", config, sizeof(config));
	if (!*ret)
		return 0;
	with_loader(package, config, "knex", "node_modules/knex/bin/cli.js", argv, &n);
	argv[n++] = "migrate:latest";
	argv[n++] = "--knexfile";
	argv[n++] = config;
	return put_command(out, "knex", argv);
}

static int try_sequelize(int root, const json_t *package, int out, bool *ret)
{
	static const char *const argv[] = { "sequelize-cli", "db:migrate", NULL };
	static const char *const folders[] = { "config", NULL };
	char config[64];

	*ret = package_has(package, "sequelize-cli") &&
	       (file_kind(root, ".sequelizerc") == FILE_REGULAR ||
		(find_config(root, folders, "config", config, sizeof(config)) &&
		 file_kind(root, "migrations") == FILE_DIRECTORY));
	return *ret ? put_command(out, "sequelize", argv) : 0;
}

/* A data source that names migrations and does not make its tables by itself. */
static bool has_migrations(int root, const char *file)
{
	_cleanup_free_ char *text = file_read_text(root, file, MAX_CONFIG);
	const char *sync = text ? strstr(text, "synchronize") : NULL;

	if (!text || !strstr(text, "migrations"))
		return false;
	sync = sync ? sync + strlen("synchronize") : NULL;
	sync = sync ? sync + strspn(sync, "\"': \t") : NULL;
	return !sync || !starts_with(sync, "true");
}

/* src/db/data-source.ts as tsc leaves it: dist/db/data-source.js. */
static void compiled(const char *source, char *ret, size_t size)
{
	const char *below = starts_with(source, "src/") ? source + 4 : source;

	(void)snprintf(ret, size, "dist/%.*sjs", (int)(strlen(below) - 2), below);
}

static int try_typeorm(int root, const json_t *package, int out, bool *ret)
{
	static const char *const folders[] = { "src",      "src/config", "src/database",
					       "src/db",   "",           "config",
					       "database", "db",         "src/typeorm",
					       NULL };
	static const char *const names[] = { "data-source", "dataSource",     "datasource",
					     "ormconfig",   "typeorm.config", "data_source",
					     NULL };
	char config[64], js[80];
	const char *argv[8] = {};
	bool found = false;
	size_t n = 0;

	for (size_t i = 0; names[i] && !found; i++)
		found = find_config(root, folders, names[i], config, sizeof(config)) &&
			has_migrations(root, config);
	*ret = found && package_has(package, "typeorm");
	if (!*ret)
		return 0;
	if (!streq(config + strlen(config) - 2, "ts")) {
		argv[n++] = "typeorm";
	} else if (package_has(package, "ts-node")) {
		argv[n++] = "typeorm-ts-node-commonjs";
	} else if (package_has(package, "tsx")) {
		argv[n++] = "tsx";
		argv[n++] = "node_modules/typeorm/cli.js";
	} else {
		argv[n++] = "typeorm";
		compiled(config, js, sizeof(js));
		copy_string(config, sizeof(config), js);
	}
	argv[n++] = "migration:run";
	argv[n++] = "-d";
	argv[n++] = config;
	return put_command(out, "typeorm", argv);
}

/* Tables that `prisma db push` makes of a schema without migrations. */
static int try_prisma_push(int root, const json_t *package, int out, bool *ret)
{
	static const char *const argv[] = { "prisma", "db", "push", NULL };
	char path[RECORD_MAX_PATH];
	_cleanup_free_ char *text = NULL;

	*ret = prisma_schema_path(root, package, path, sizeof(path));
	if (*ret && file_kind(root, path) == FILE_REGULAR) {
		text = file_read_text(root, path, 4 * MAX_CONFIG);
		*ret = text && strstr(text, "postgres");
	}
	return *ret ? put_command(out, "prisma db push", argv) : 0;
}

static int try_others(int root, const json_t *package, int out, bool *ret)
{
	static const char *const pgmigrate[] = { "node-pg-migrate", "up", NULL };
	static const char *const mikro[] = { "mikro-orm", "migration:up", NULL };
	static const char *const push[] = { "drizzle-kit", "push", "--force", NULL };
	char folder[RECORD_MAX_PATH + 1];

	*ret = true;
	if (package_has(package, "node-pg-migrate") &&
	    file_kind(root, "migrations") == FILE_DIRECTORY)
		return put_command(out, "node-pg-migrate", pgmigrate);
	if (package_has(package, "@mikro-orm/migrations") && package_has(package, "@mikro-orm/cli"))
		return put_command(out, "mikro-orm", mikro);
	if (package_has(package, "drizzle-kit") && drizzle_folder(root, folder, sizeof(folder)))
		return put_command(out, "drizzle-kit push", push);
	*ret = false;
	return 0;
}

int inspect_tools(int root, const json_t *package, int out, bool *ret)
{
	static const char *const names[] = { "db:migrate",     "migrate:deploy",
					     "migrate:latest", "migrate:up",
					     "migration:run",  "migrations:run",
					     "migration:up",   "migrate:run",
					     "migrate:prod",   "db:migrate:run",
					     "migrate",        "migrations",
					     "run-migrations", NULL };
	int r = try_scripts(package, names, out, ret);

	if (r == 0 && !*ret)
		r = try_knex(root, package, out, ret);
	if (r == 0 && !*ret)
		r = try_sequelize(root, package, out, ret);
	if (r == 0 && !*ret)
		r = try_typeorm(root, package, out, ret);
	if (r == 0 && !*ret)
		r = try_prisma_push(root, package, out, ret);
	if (r == 0 && !*ret)
		r = try_others(root, package, out, ret);
	return r;
}
