/* SPDX-License-Identifier: MIT */
#pragma once

#include <sandbox/sandbox.h>
#include <stdbool.h>

/*
 * A URL as Prisma takes it, made one that libpq takes: schema, connection_limit, pool_timeout,
 * pgbouncer, socket_timeout and statement_cache_size are taken out of its query; all else stays as
 * it is. What is no URL ("host=... dbname=...") is copied.
 */
struct postgres_url {
	char *url;
	char *schema; /* what `schema` said, decoded; NULL: nothing */
	bool pooler;  /* pgbouncer=true: a pooler in transaction mode stands in front */
};
int postgres_url_parse(const char *text, struct postgres_url *ret, struct sbx_error *err);
void postgres_url_done(struct postgres_url *u);
