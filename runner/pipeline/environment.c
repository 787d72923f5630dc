/* SPDX-License-Identifier: MIT */

/*
 * The environment of the student's programs: built, never inherited, so that nothing of the host or
 * of the operator is in it. A variable that the challenge sets wins over ours of the same name, and
 * a name comes only once: which of two a program sees would depend on the program.
 *
 * Where the database is, is told under every name that students read, and under each that the
 * submission's own .env files use for it (facts.database_variables).
 */

#include "pipeline/pipeline.h"

#include <stdarg.h>

#include "util/util.h"

#define HEAP_PERCENT 65

/* Grows with each variable; `failed` is sticky so that callers check once. */
struct env {
	char **v;
	size_t n;
	bool failed;
};

static void env_add(struct env *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void env_add(struct env *e, const char *fmt, ...)
{
	char **v = realloc(e->v, (e->n + 2) * sizeof(*v));
	va_list args;

	e->failed |= !v;
	if (!v)
		return;
	e->v = v;
	v[e->n + 1] = NULL;
	va_start(args, fmt);
	if (vasprintf(&v[e->n], fmt, args) < 0) {
		v[e->n] = NULL;
		e->failed = true;
	} else {
		e->n++;
	}
	va_end(args);
}

/* A name must not come twice: which of the two a program sees would depend on the program. */
static const char *challenge_value(const struct challenge *c, const char *name)
{
	size_t n = strlen(name);

	for (char **v = c->env; *v; v++) {
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	}
	return NULL;
}

static bool challenge_sets(const struct challenge *c, const char *name)
{
	return challenge_value(c, name) != NULL;
}

static void env_add_default(struct env *e, const struct challenge *c, const char *name,
			    const char *value)
{
	if (!challenge_sets(c, name))
		env_add(e, "%s=%s", name, value);
}

static bool env_has(const struct env *e, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < e->n; i++) {
		if (strncmp(e->v[i], name, n) == 0 && e->v[i][n] == '=')
			return true;
	}
	return false;
}

/* What a variable may say of the database; the words are those of RECORD_DATABASE_VARIABLE. */
enum part { URL, HOST, NUMBER, USER, PASSWORD, NAME, SSL, PARTS };

static const char *const part_names[PARTS] = {
	[URL] = "url",           [HOST] = "host", [NUMBER] = "port", [USER] = "user",
	[PASSWORD] = "password", [NAME] = "name", [SSL] = "ssl",
};

static const struct {
	const char *name;
	enum part part;
} database_names[] = {
	{ "DATABASE_URL", URL },
	{ "DATABASE_URI", URL },
	{ "DATABASE_PRIVATE_URL", URL },
	{ "DB_URL", URL },
	{ "DB_URI", URL },
	{ "DIRECT_URL", URL },
	{ "PG_CONNECTION_STRING", URL },
	{ "PG_URL", URL },
	{ "POSTGRESQL_URL", URL },
	{ "POSTGRES_PRISMA_URL", URL },
	{ "POSTGRES_URL", URL },
	{ "POSTGRES_URL_NON_POOLING", URL },
	{ "TYPEORM_URL", URL },
	{ "DATABASE_HOST", HOST },
	{ "DB_HOST", HOST },
	{ "PGHOST", HOST },
	{ "POSTGRES_HOST", HOST },
	{ "TYPEORM_HOST", HOST },
	{ "DATABASE_PORT", NUMBER },
	{ "DB_PORT", NUMBER },
	{ "PGPORT", NUMBER },
	{ "POSTGRES_PORT", NUMBER },
	{ "TYPEORM_PORT", NUMBER },
	{ "DATABASE_USER", USER },
	{ "DATABASE_USERNAME", USER },
	{ "DB_USER", USER },
	{ "DB_USERNAME", USER },
	{ "PGUSER", USER },
	{ "POSTGRES_USER", USER },
	{ "TYPEORM_USERNAME", USER },
	{ "DATABASE_PASSWORD", PASSWORD },
	{ "DB_PASS", PASSWORD },
	{ "DB_PASSWORD", PASSWORD },
	{ "PGPASSWORD", PASSWORD },
	{ "POSTGRES_PASSWORD", PASSWORD },
	{ "TYPEORM_PASSWORD", PASSWORD },
	{ "DATABASE_NAME", NAME },
	{ "DB_DATABASE", NAME },
	{ "DB_NAME", NAME },
	{ "PGDATABASE", NAME },
	{ "POSTGRES_DATABASE", NAME },
	{ "POSTGRES_DB", NAME },
	{ "TYPEORM_DATABASE", NAME },
};

/* Of Postgres in general: programs that support several databases ask for it. */
static const char *const database_kinds[][2] = {
	{ "DB_CLIENT", "pg" },     { "DB_DIALECT", "postgres" },         { "DB_SCHEMA", "public" },
	{ "DB_TYPE", "postgres" }, { "TYPEORM_CONNECTION", "postgres" },
};

/* "part:NAME" of the submission. What is set already, by us or the challenge, stays. */
static void env_add_own(struct env *e, const struct challenge *c, const char *variable,
			const char *const values[PARTS])
{
	const char *name = strchr(variable, ':');

	if (!name || env_has(e, name + 1))
		return;
	for (int i = 0; i < PARTS; i++) {
		if (strlen(part_names[i]) == (size_t)(name - variable) &&
		    starts_with(variable, part_names[i]))
			env_add_default(e, c, name + 1, values[i]);
	}
}

static void env_add_database(struct env *e, const struct job *job)
{
	const struct database *db = &job->database;
	char port[16];
	const char *const values[PARTS] = {
		[URL] = db->url,   [HOST] = "127.0.0.1",      [NUMBER] = port, [USER] = db->user,
		[NAME] = db->name, [PASSWORD] = db->password, [SSL] = "false",
	};

	if (!db->wanted || !db->url)
		return;
	(void)snprintf(port, sizeof(port), "%u", db->port);
	for (size_t i = 0; i < ARRAY_SIZE(database_names); i++)
		env_add_default(e, job->challenge, database_names[i].name,
				values[database_names[i].part]);
	for (size_t i = 0; i < ARRAY_SIZE(database_kinds); i++)
		env_add_default(e, job->challenge, database_kinds[i][0], database_kinds[i][1]);
	for (char **v = job->facts.database_variables; v && *v; v++)
		env_add_own(e, job->challenge, *v, values);
}

/* What stands in for the engines; `prisma generate` of the project's own build reads it, too. */
static void env_add_prisma(struct env *e, const struct prisma *p)
{
	const char *engines = *p->engines ? "engines/" : "";

	if (!*p->version)
		return;
	env_add(e, "CHECKPOINT_DISABLE=1");
	env_add(e, "PRISMA_HIDE_UPDATE_MESSAGE=1");
	env_add(e, "PRISMA_SCHEMA_ENGINE_BINARY=/opt/prisma/%s",
		*engines ? "engines/schema-engine" : "stub");
	if (p->client_engine)
		env_add(e, "PRISMA_CLIENT_ENGINE_TYPE=client");
	if (p->client_engine || p->wasm_engine || *engines)
		env_add(e, "PRISMA_QUERY_ENGINE_LIBRARY=/opt/prisma/%s",
			*engines ? "engines/libquery_engine.so.node" : "empty.node");
}

char **job_app_env(struct job *job)
{
	const struct challenge *c = job->challenge;
	struct env e = { 0 };
	char heap[64];

	snprintf(heap, sizeof(heap), "--max-old-space-size=%llu",
		 (unsigned long long)(c->limits.memory >> 20) * HEAP_PERCENT / 100);
	env_add(&e, "PATH=/app/node_modules/.bin:/opt/node/bin:/usr/local/bin:/usr/bin:/bin");
	env_add(&e, "HOME=/tmp");
	env_add(&e, "TMPDIR=/tmp");
	env_add(&e, "PORT=%u", c->port);
	env_add(&e, "API_PORT=%u", c->port);
	env_add_default(&e, c, "HOST", "0.0.0.0");
	env_add_default(&e, c, "LANG", "C.UTF-8");
	env_add_default(&e, c, "TZ", "UTC");
	env_add_default(&e, c, "NODE_ENV",
			job->facts.node_env ? job->facts.node_env : "production");
	env_add(&e, "NODE_OPTIONS=%s --require=" PROCESSORS_PATH "%s",
		challenge_value(c, "NODE_OPTIONS") ? challenge_value(c, "NODE_OPTIONS") : heap,
		job->prisma.client_engine ? " --require=/opt/prisma/shim.cjs"
		: job->prisma.wasm_engine ? " --require=/opt/prisma/engine.cjs"
					  : "");
	env_add_prisma(&e, &job->prisma);
	env_add_database(&e, job);
	for (char **v = c->env; *v; v++) {
		if (!starts_with(*v, "NODE_OPTIONS="))
			env_add(&e, "%s", *v);
	}
	if (e.failed) {
		(void)job_fail(job, -ENOMEM, "environment", "out of memory");
		return strv_free(e.v);
	}
	return e.v;
}
