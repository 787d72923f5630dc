/* SPDX-License-Identifier: MIT */

/*
 * Names that students write into their code: addresses (postgres://user:pw@host/name), settings of
 * a client ({ user: 'x', database: 'y' }, also behind `process.env.X ||`), the arguments of
 * `new Sequelize('name', 'user')`, and what a compose file gives to its Postgres. This reads no
 * JavaScript: what it misses costs the student one sentence of advice, and what it finds wrongly
 * costs a role that nobody uses.
 */

#include <ctype.h>

#include "inside/inspect/dotenv.h"
#include "inside/inspect/identity.h"
#include "util/util.h"

#define MAX_CODE (256u << 10)
/* Of a URL and of an expression: a file is scanned in proportion to its size, whatever is in it. */
#define MAX_SCANNED 400u

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_identifier(const char *s, size_t n)
{
	if (n == 0 || n > 63 || isdigit((unsigned char)s[0]) || s[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_word(s[i]) && s[i] != '-')
			return false;
	return true;
}

static bool is_reserved(const char *s, size_t n)
{
	static const char *const names[] = { "app",  "template0", "template1", "sandbox_admin",
					     "none", "public",    "true",      "false",
					     "null", "undefined", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], s, n) == 0)
			return true;
	return false;
}

void identity_name(struct identity *id, enum identity_source source, const char *s, size_t n)
{
	if (source <= id->source || !is_identifier(s, n) || is_reserved(s, n))
		return;
	id->source = source;
	memcpy(id->name, s, n);
	id->name[n] = '\0';
}

void identity_role(struct identity *id, const char *s, size_t n)
{
	if (!is_identifier(s, n) || is_reserved(s, n) || starts_with(s, "pg_") ||
	    (n == 8 && strncmp(s, "postgres", 8) == 0) || id->n_roles == RECORD_MAX_ROLES)
		return;
	for (unsigned i = 0; i < id->n_roles; i++)
		if (strlen(id->roles[i]) == n && strncmp(id->roles[i], s, n) == 0)
			return;
	memcpy(id->roles[id->n_roles], s, n);
	id->roles[id->n_roles++][n] = '\0';
}

void identity_url(struct identity *id, enum identity_source source, const char *s, size_t n)
{
	struct database_url url;

	if (!database_url_parse(s, n, &url))
		return;
	identity_name(id, source, url.name, url.name_size);
	identity_role(id, url.user, url.user_size);
}

static void scan_urls(struct identity *id, const char *text, size_t size)
{
	const char *end = text + size, *s = text;

	while ((s = strstr(s, "postgres"))) {
		identity_url(id, IDENTITY_CODE, s, MIN_OF((size_t)(end - s), MAX_SCANNED));
		s += strlen("postgres");
	}
}

/*
 * The last quoted literal of the expression at `s`, which ends at a comma, a bracket or the line's
 * end: 'x' of `process.env.DB || 'x'`, nothing of `env['DB']`. Returns where it ends.
 */
static const char *take_literal(const char *s, const char **ret, size_t *ret_size)
{
	const char *before = s, *end = s + strnlen(s, MAX_SCANNED);

	*ret = NULL;
	for (; s < end && !strchr(",})\n;", *s); s++) {
		const char *close;

		if (*s != '\'' && *s != '"' && *s != '`') {
			before = isspace((unsigned char)*s) ? before : s;
			continue;
		}
		close = memchr(s + 1, *s, (size_t)(end - s - 1));
		if (!close || memchr(s, '\n', (size_t)(close - s)))
			break;
		if (*before != '[') {
			*ret = s + 1;
			*ret_size = (size_t)(close - s - 1);
		}
		s = close;
	}
	return s;
}

/* The value of `key:` at each place in the text. */
static void scan_key(struct identity *id, const char *text, const char *key, bool is_role)
{
	size_t n = strlen(key);

	for (const char *s = text; (s = strstr(s, key)); s += n) {
		const char *value = s + n, *literal;
		size_t size;

		if (s > text && (is_word(s[-1]) || s[-1] == '.'))
			continue;
		value += *value == '"' || *value == '\'';
		value += strspn(value, " \t");
		if (*value != ':')
			continue;
		(void)take_literal(value + 1, &literal, &size);
		if (!literal)
			continue;
		if (is_role)
			identity_role(id, literal, size);
		else
			identity_name(id, IDENTITY_CODE, literal, size);
	}
}

static void scan_sequelize(struct identity *id, const char *text)
{
	static const char call[] = "new Sequelize(";

	for (const char *s = text; (s = strstr(s, call)); s += strlen(call)) {
		const char *literal, *at = s + strlen(call);
		size_t size;

		at += strspn(at, " \t\r\n");
		at = take_literal(at, &literal, &size);
		if (literal)
			identity_name(id, IDENTITY_CODE, literal, size);
		if (*at != ',')
			continue;
		at += 1 + strspn(at + 1, " \t\r\n");
		(void)take_literal(at, &literal, &size);
		if (literal)
			identity_role(id, literal, size);
	}
}

/* Whether "database: 'x'" in this file can be about Postgres. */
static bool speaks_of_postgres(const char *text)
{
	static const char *const words[] = { "postgres", "'pg'",        "\"pg\"", "5432",
					     "Pool(",    "new Client(", "PGUSER" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

void identity_of_code(struct identity *id, const char *text, size_t size)
{
	const char *production = strstr(text, "production");

	if (!speaks_of_postgres(text))
		return;
	/* { development: { database: 'a' }, production: { database: 'b' } }: ours is the latter. */
	if (production && production[10 + strspn(production + 10, "\"' \t")] == ':')
		scan_key(id, production, "database", false);
	scan_urls(id, text, size);
	scan_sequelize(id, text);
	scan_key(id, text, "database", false);
	scan_key(id, text, "dbName", false);
	scan_key(id, text, "user", true);
	scan_key(id, text, "username", true);
}

/* The value of POSTGRES_DB: x, - POSTGRES_DB=x, "${POSTGRES_DB:-x}". */
static const char *compose_value(const char *s, size_t *ret_size)
{
	const char *fallback;
	size_t n;

	s += strspn(s, "\"' \t");
	if (*s != ':' && *s != '=')
		return NULL;
	s++;
	s += strspn(s, "\"' \t");
	n = strcspn(s, "\"' \t\r\n#}");
	fallback = memmem(s, n, ":-", 2);
	if (fallback) {
		n -= (size_t)(fallback + 2 - s);
		s = fallback + 2;
	}
	*ret_size = n;
	return s;
}

void identity_of_compose(struct identity *id, const char *text, size_t size)
{
	static const char *const keys[] = { "POSTGRES_DB", "POSTGRES_USER" };
	const char *value;
	size_t n;

	(void)size;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (const char *s = text; (s = strstr(s, keys[i])); s += strlen(keys[i])) {
			value = compose_value(s + strlen(keys[i]), &n);
			if (value && i == 0)
				identity_name(id, IDENTITY_COMPOSE, value, n);
			else if (value)
				identity_role(id, value, n);
		}
	}
}

static bool has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && streq(name + n - m, ending);
}

static bool is_compose(const char *name)
{
	return strstr(name, "compose") && (has_ending(name, ".yml") || has_ending(name, ".yaml"));
}

/* Minified bundles and tests say nothing of the server's database. */
static bool is_code(const char *name)
{
	static const char *const endings[] = { ".js",  ".cjs", ".mjs",        ".ts",
					       ".cts", ".mts", "config.json", "database.json" };

	if (strstr(name, ".test.") || strstr(name, ".spec.") || strstr(name, ".min.") ||
	    has_ending(name, ".d.ts"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (has_ending(name, endings[i]))
			return true;
	return streq(name, "config.json") || streq(name, "database.json");
}

static bool is_wanted(const char *name)
{
	return is_compose(name) || is_code(name);
}

static bool is_skipped(const char *folder)
{
	static const char *const names[] = { "test",   "tests",  "__tests__", "coverage",
					     "public", "client", "frontend" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(folder, names[i]))
			return true;
	return false;
}

static int visit(const struct walk_file *file, void *data)
{
	if (is_compose(file->name))
		identity_of_compose(data, file->text, file->size);
	else
		identity_of_code(data, file->text, file->size);
	return 0;
}

int identity_scan(int root, struct identity *id)
{
	struct walk w = { .wanted = is_wanted,
			  .skip = is_skipped,
			  .visit = visit,
			  .data = id,
			  .max_size = MAX_CODE,
			  .max_depth = 6 };

	return walk_tree(&w, root);
}
