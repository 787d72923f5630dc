/* SPDX-License-Identifier: MIT */

/*
 * Only the query is taken apart: the rest may hold a password with any bytes, which libpq reads.
 */

#include "fleet/ledger/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/pg.h"
#include "util/util.h"

static const char *const prisma_only[] = {
	"schema",    "connection_limit", "pool_timeout",
	"pgbouncer", "socket_timeout",   "statement_cache_size"
};

static bool is_url(const char *text)
{
	return starts_with(text, "postgres://") || starts_with(text, "postgresql://");
}

/* mysql://..., prisma://...: not ours. */
static bool is_foreign_url(const char *text)
{
	size_t n = strspn(text,
			  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return n > 0 && starts_with(text + n, "://") && !is_url(text);
}

/* Where the query begins, or NULL. A password may have a ? in it: libpq reads up to the @. */
static char *find_query(char *url)
{
	char *at = strstr(url, "://") + strlen("://");
	size_t n = strcspn(at, "@/");

	return strchr(at[n] == '@' ? at + n : at, '?');
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A value of the query with its %XX; NULL: malformed, or no memory. */
static char *decode(const char *from, size_t size)
{
	char *to = malloc(size + 1), *at = to;

	for (const char *end = from + size; to && from < end;) {
		int high = 0, low = 0;

		if (*from != '%') {
			*at++ = *from++;
			continue;
		}
		high = end - from >= 3 ? hex_digit(from[1]) : -1;
		low = high >= 0 ? hex_digit(from[2]) : -1;
		if (low < 0 || high + low == 0) {
			free(to);
			return NULL;
		}
		*at++ = (char)(high * 16 + low);
		from += 3;
	}
	if (to)
		*at = '\0';
	return to;
}

static bool is_prisma_only(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(prisma_only); i++)
		if (strlen(prisma_only[i]) == size && memcmp(prisma_only[i], name, size) == 0)
			return true;
	return false;
}

static int take(struct postgres_url *u, const char *name, size_t name_size, const char *value,
		size_t value_size, struct sbx_error *err)
{
	if (name_size == strlen("pgbouncer") && starts_with(name, "pgbouncer"))
		u->pooler = value_size == 4 && memcmp(value, "true", 4) == 0;
	if (name_size != strlen("schema") || !starts_with(name, "schema") || value_size == 0)
		return 0;
	free(u->schema);
	u->schema = decode(value, value_size);
	return u->schema ? 0
			 : pg_error(err, -EINVAL, "schema",
				    "what the URL says after schema= is malformed");
}

/* Copies what is libpq's from `query` to `to`, which is as long. */
static int filter(struct postgres_url *u, const char *query, char *to, struct sbx_error *err)
{
	char before = '?';

	for (const char *at = query; *at != '\0';) {
		size_t size = strcspn(at, "&"), name_size = MIN_OF(strcspn(at, "="), size);
		size_t value = MIN_OF(name_size + 1, size);
		int r = 0;

		if (is_prisma_only(at, name_size)) {
			r = take(u, at, name_size, at + value, size - value, err);
		} else if (size > 0) {
			*to++ = before;
			memcpy(to, at, size);
			to += size;
			before = '&';
		}
		if (r < 0)
			return r;
		at += size;
		at += *at == '&';
	}
	*to = '\0';
	return 0;
}

int postgres_url_parse(const char *text, struct postgres_url *ret, struct sbx_error *err)
{
	struct postgres_url u = { 0 };
	char *query;
	int r;

	if (is_foreign_url(text))
		return pg_error(err, -EINVAL, NULL,
				"the URL of the database must begin with postgresql://");
	u.url = strdup(text);
	if (!u.url)
		return pg_error(err, -ENOMEM, NULL, "no memory");
	query = is_url(text) ? find_query(u.url) : NULL;
	if (query) {
		const char *from = text + (query - u.url) + 1;

		r = filter(&u, from, query, err);
		if (r < 0) {
			postgres_url_done(&u);
			return r;
		}
	}
	*ret = u;
	return 0;
}

void postgres_url_done(struct postgres_url *u)
{
	free(u->url);
	free(u->schema);
	*u = (struct postgres_url){ 0 };
}
