/* SPDX-License-Identifier: MIT */

/*
 * Migrations are numbered from 1 by their order in the list. Each is made in a transaction that
 * holds a lock for the schema, so that any number of processes may ask for them at once; each
 * process looks anew what there is after it has got the lock.
 */

#include <errno.h>
#include <string.h>

#include "embed/embed.h"
#include "fleet/ledger/ledger-internal.h"
#include "util/util.h"

static uint64_t known_version(void)
{
	uint64_t n = 0;

	while (ledger_migrations[n].name)
		n++;
	return n;
}

/* FNV-1a: a number for the schema's name that all versions of this program compute alike. */
static uint64_t lock_key(const char *schema)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *schema != '\0'; schema++)
		h = (h ^ (uint8_t)*schema) * 0x100000001b3ull;
	return h >> 1;
}

static int newer(const struct ledger *l, uint64_t version, struct sbx_error *err)
{
	return pg_error(
		err, -EPROTO, l->name,
		"the ledger is of version %llu, this program knows %llu: it is too old for it",
		(unsigned long long)version, (unsigned long long)known_version());
}

static int read_version(struct ledger *l, uint64_t *ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	int r = ledger_query(l, "SELECT coalesce(max(version), 0) FROM @schema@.migration", 0, NULL,
			     &res, err);

	if (r == 0 && (PQntuples(res) != 1 || ledger_read_u64(res, 0, 0, INT32_MAX, ret) < 0))
		r = pg_error(err, -EIO, l->name, "the version of the ledger makes no sense");
	return r;
}

/* CREATE SCHEMA IF NOT EXISTS asks for the right to create one even if there is nothing to do. */
static const char schema_sql[] = "CREATE SCHEMA @schema@";
static const char table_sql[] =
	"CREATE TABLE @schema@.migration (version integer PRIMARY KEY,"
	" name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

static int make_schema(struct ledger *l, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *res = NULL;
	const char *params[] = { l->name };
	int r = ledger_query(
		l,
		"SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1),"
		" (SELECT count(*) FROM pg_class c JOIN pg_namespace n"
		" ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = 'migration')",
		1, params, &res, err);

	if (r == 0 && streq(PQgetvalue(res, 0, 0), "0"))
		r = ledger_query(l, schema_sql, 0, NULL, NULL, err);
	if (r == 0 && streq(PQgetvalue(res, 0, 1), "0"))
		r = ledger_query(l, table_sql, 0, NULL, NULL, err);
	return r;
}

static int lock(struct ledger *l, struct sbx_error *err)
{
	struct ledger_number key;
	const char *params[] = { ledger_number(&key, lock_key(l->name)) };

	return ledger_query(l, "SELECT pg_advisory_xact_lock($1)", 1, params, NULL, err);
}

static int apply(struct ledger *l, const struct embedded *m, uint64_t version,
		 struct sbx_error *err)
{
	_cleanup_free_ char *sql = ledger_sql(l, (const char *)m->data);
	struct ledger_number n;
	const char *const params[] = { ledger_number(&n, version), m->name };
	int r = sql ? pg_script(l->pg, sql, err) : pg_error(err, -ENOMEM, NULL, "no memory");

	if (r < 0)
		return r;
	return ledger_query(l, "INSERT INTO @schema@.migration (version, name) VALUES ($1, $2)",
			    ARRAY_SIZE(params), params, NULL, err);
}

/* In a transaction: 1 one more was made, 0 there is nothing to do. */
static int step(struct ledger *l, struct sbx_error *err)
{
	uint64_t version = 0;
	int r = lock(l, err);

	if (r == 0)
		r = make_schema(l, err);
	if (r == 0)
		r = read_version(l, &version, err);
	if (r < 0)
		return r;
	if (version > known_version())
		return newer(l, version, err);
	if (version == known_version())
		return 0;
	r = apply(l, &ledger_migrations[version], version + 1, err);
	return r < 0 ? r : 1;
}

int ledger_migrate(struct ledger *l, struct sbx_error *err)
{
	for (int made = 0;; made++) {
		int r = pg_begin(l->pg, err), more;

		if (r < 0)
			return r;
		more = step(l, err);
		if (more < 0) {
			pg_rollback(l->pg);
			return more;
		}
		r = pg_commit(l->pg, err);
		if (r < 0)
			return r;
		if (more == 0)
			return made;
	}
}

int ledger_check(struct ledger *l, struct sbx_error *err)
{
	uint64_t version;
	int r = read_version(l, &version, err);

	if (r < 0)
		return r;
	if (version > known_version())
		return newer(l, version, err);
	if (version < known_version())
		return pg_error(err, -EPROTO, l->name,
				"the ledger is of version %llu, this program needs %llu: run "
				"`sandbox-runner admin migrate`",
				(unsigned long long)version, (unsigned long long)known_version());
	return 0;
}
