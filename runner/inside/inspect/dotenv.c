/* SPDX-License-Identifier: MIT */

/*
 * .env files: their assignments, and which of them say where the database is. A name alone does not
 * tell (HOST and PORT are the server's own); what counts is that the name speaks of a database that
 * is not of another kind, or that the value is the address of a Postgres.
 */

#include "inside/inspect/dotenv.h"

#include <ctype.h>

#include "util/util.h"

static const char *const part_names[PARTS] = {
	[PART_URL] = "url",           [PART_HOST] = "host", [PART_PORT] = "port",
	[PART_USER] = "user",         [PART_NAME] = "name", [PART_SSL] = "ssl",
	[PART_PASSWORD] = "password",
};

const char *database_part_name(enum database_part part)
{
	return part_names[part];
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct cursor {
	const char *s;
	size_t n, at;
};

static char peek(const struct cursor *c)
{
	return c->at < c->n ? c->s[c->at] : '\n';
}

static void skip_blanks(struct cursor *c)
{
	while (is_blank(peek(c)))
		c->at++;
}

static void skip_line(struct cursor *c)
{
	while (c->at < c->n && c->s[c->at] != '\n')
		c->at++;
	c->at += c->at < c->n;
}

/* A quoted value may span lines; a quote that is never closed is an ordinary character. */
static bool take_quoted(struct cursor *c, struct dotenv_entry *e)
{
	char quote = peek(c);

	if (quote != '"' && quote != '\'' && quote != '`')
		return false;
	for (size_t i = c->at + 1; i < c->n; i++) {
		if (c->s[i] != quote || c->s[i - 1] == '\\')
			continue;
		e->value = c->s + c->at + 1;
		e->value_size = i - c->at - 1;
		c->at = i + 1;
		return true;
	}
	return false;
}

static void take_plain(struct cursor *c, struct dotenv_entry *e)
{
	size_t start = c->at;

	while (c->at < c->n && c->s[c->at] != '\n' && c->s[c->at] != '\r' && c->s[c->at] != '#')
		c->at++;
	e->value = c->s + start;
	e->value_size = c->at - start;
	while (e->value_size > 0 && is_blank(e->value[e->value_size - 1]))
		e->value_size--;
}

/* The assignment that the line begins with; false: it has none. */
static bool take_entry(struct cursor *c, struct dotenv_entry *e)
{
	skip_blanks(c);
	if (c->n - c->at > 7 && strncmp(c->s + c->at, "export", 6) == 0 &&
	    is_blank(c->s[c->at + 6])) {
		c->at += 6;
		skip_blanks(c);
	}
	e->name = c->s + c->at;
	while (is_name(peek(c)))
		c->at++;
	e->name_size = (size_t)(c->s + c->at - e->name);
	skip_blanks(c);
	if (e->name_size == 0 || (peek(c) != '=' && peek(c) != ':'))
		return false;
	c->at++;
	skip_blanks(c);
	if (!take_quoted(c, e))
		take_plain(c, e);
	return true;
}

bool dotenv_next(const char *text, size_t size, size_t *at, struct dotenv_entry *ret)
{
	struct cursor c = { .s = text, .n = size, .at = *at };

	while (c.at < c.n) {
		bool found = take_entry(&c, ret);

		skip_line(&c);
		*at = c.at;
		if (found)
			return true;
	}
	return false;
}

static bool begins(const char *s, size_t n, const char *prefix)
{
	return n >= strlen(prefix) && strncasecmp(s, prefix, strlen(prefix)) == 0;
}

static bool is_postgres_url(const char *s, size_t n)
{
	return begins(s, n, "postgres://") || begins(s, n, "postgresql://");
}

bool database_url_parse(const char *s, size_t n, struct database_url *ret)
{
	const char *stop = s + n, *end, *at, *slash;

	if (!is_postgres_url(s, n))
		return false;
	*ret = (struct database_url){ .user = "", .name = "" };
	s = (const char *)memchr(s, ':', n) + 3;
	for (end = s; end < stop && !strchr(" \t\r\n\"'`?#", *end);)
		end++;
	slash = memchr(s, '/', (size_t)(end - s));
	at = memrchr(s, '@', (size_t)((slash ? slash : end) - s));
	if (at) {
		const char *colon = memchr(s, ':', (size_t)(at - s));

		ret->user = s;
		ret->user_size = (size_t)((colon ? colon : at) - s);
	}
	if (slash) {
		ret->name = slash + 1;
		ret->name_size = (size_t)(end - slash - 1);
	}
	return true;
}

/* The name in capitals with '_' around and between its words: dbHost and db-host are _DB_HOST_. */
struct words {
	char s[144];
};

static bool split_words(const struct dotenv_entry *e, struct words *ret)
{
	size_t n = 0;

	if (e->name_size > 64)
		return false;
	ret->s[n++] = '_';
	for (size_t i = 0; i < e->name_size; i++) {
		char c = e->name[i];

		if (i > 0 && isupper((unsigned char)c) && islower((unsigned char)e->name[i - 1]))
			ret->s[n++] = '_';
		ret->s[n++] = is_name(c) && isalnum((unsigned char)c)
				      ? (char)toupper((unsigned char)c)
				      : '_';
	}
	ret->s[n++] = '_';
	ret->s[n] = '\0';
	return true;
}

static bool has_any(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strstr(s, *words))
			return true;
	return false;
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && streq(s + n - m, suffix);
}

static bool speaks_of_postgres(const char *words)
{
	static const char *const ours[] = { "_DB",        "DB_",          "_DATABASE", "_PG",
					    "_POSTGRES",  "_PSQL",        "_TYPEORM_", "_SQL_",
					    "_SEQUELIZE", "_MIKRO_ORM",   "_PRISMA_",  "_NEON_",
					    "_SUPABASE_", "_DIRECT_URL_", NULL };
	static const char *const others[] = { "MONGO",     "REDIS",    "MYSQL",     "MARIA",
					      "SQLITE",    "MSSQL",    "SQLSERVER", "ORACLE",
					      "ELASTIC",   "DYNAMO",   "INFLUX",    "NEO4J",
					      "CASSANDRA", "FIREBASE", "RABBIT",    "KAFKA",
					      "_SMTP_",    "MAIL",     "COUCH",     NULL };

	return has_any(words, ours) && !has_any(words, others);
}

static enum database_part part_of_name(const char *words)
{
	static const struct {
		const char *ending;
		enum database_part part;
	} endings[] = {
		{ "URL_", PART_URL },
		{ "URI_", PART_URL },
		{ "_DSN_", PART_URL },
		{ "CONNECTION_STRING_", PART_URL },
		{ "CONN_STRING_", PART_URL },
		{ "CONNECTIONSTRING_", PART_URL },
		{ "URL_NON_POOLING_", PART_URL },
		{ "URL_UNPOOLED_", PART_URL },
		{ "HOST_", PART_HOST },
		{ "HOSTNAME_", PART_HOST },
		{ "HOST_NAME_", PART_HOST },
		{ "USER_NAME_", PART_USER },
		{ "_SERVER_", PART_HOST },
		{ "PORT_", PART_PORT },
		{ "USER_", PART_USER },
		{ "USERNAME_", PART_USER },
		{ "PASSWORD_", PART_PASSWORD },
		{ "PASS_", PART_PASSWORD },
		{ "_PWD_", PART_PASSWORD },
		{ "_SSL_", PART_SSL },
		{ "_NAME_", PART_NAME },
		{ "DATABASE_", PART_NAME },
		{ "DBNAME_", PART_NAME },
		{ "_DB_", PART_NAME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (ends_with(words, endings[i].ending))
			return endings[i].part;
	return PART_NONE;
}

/* Whether a value can be what the name says: a URL of something else is not the database. */
static bool value_fits(const struct dotenv_entry *e, enum database_part part)
{
	const char *scheme = memmem(e->value, e->value_size, "://", 3);

	if (scheme)
		return false;
	if (part == PART_PORT)
		return e->value_size <= 5 &&
		       (e->value_size == 0 || isdigit((unsigned char)e->value[0]));
	return true;
}

enum database_part dotenv_part(const struct dotenv_entry *e)
{
	struct words words;
	enum database_part part;

	if (is_postgres_url(e->value, e->value_size))
		return PART_URL;
	if (!split_words(e, &words) || !speaks_of_postgres(words.s))
		return PART_NONE;
	part = part_of_name(words.s);
	return part != PART_NONE && value_fits(e, part) ? part : PART_NONE;
}

int dotenv_rewrite(const char *text, size_t size, const char *const values[PARTS], char **ret,
		   size_t *ret_size)
{
	struct dotenv_entry e;
	size_t at = 0, copied = 0, out_size = 0;
	char *out = NULL;
	FILE *f;
	bool changed = false;

	*ret = NULL;
	f = open_memstream(&out, &out_size);
	if (!f)
		return -ENOMEM;
	while (dotenv_next(text, size, &at, &e)) {
		const char *value = values[dotenv_part(&e)];
		size_t from = (size_t)(e.value - text);

		if (!value)
			continue;
		(void)fwrite(text + copied, 1, from - copied, f);
		(void)fputs(value, f);
		copied = from + e.value_size;
		changed = true;
	}
	(void)fwrite(text + copied, 1, size - copied, f);
	if (fclose(f) != 0 || !changed) {
		free(out);
		return changed ? -ENOMEM : 0;
	}
	*ret = out;
	*ret_size = out_size;
	return 0;
}
