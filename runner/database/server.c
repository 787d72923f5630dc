/* SPDX-License-Identifier: MIT */

/*
 * See server.h. Rights that are needed: LOGIN, CREATEROLE and CREATEDB; no superuser, though some
 * limits are the superuser's to set (docs/databases.md). The database belongs to the administrator,
 * not to the role, which could drop or rename it then; of it the role gets the schema `public`.
 *
 * The one time that we connect to a database of a submission is before it exists for anybody else.
 * The search path is pg_catalog alone, on every connection.
 */

#include "database/server.h"

#include <stdarg.h>
#include <sys/random.h>

#include "net/pq.h"
#include "util/util.h"

#define OPTIONS                                                                                    \
	"-csearch_path=pg_catalog -cstatement_timeout=30s -clock_timeout=2s "                      \
	"-cclient_min_messages=warning -cstandard_conforming_strings=on"
#define CONNECT_TIMEOUT (10 * NSEC_PER_SEC)
#define VERSION_MIN 130000   /* DROP DATABASE .. WITH (FORCE) */
#define VERSION_OWNER 150000 /* `public` belongs to the database's owner */

static void finishp(PGconn **conn)
{
	PQfinish(*conn);
}

static void clearp(PGresult **result)
{
	PQclear(*result);
}

int server_fail(struct sbx_error *err, int code, const char *item, const char *fmt, ...)
{
	va_list args;

	*err = (struct sbx_error){ .code = code };
	copy_string(err->stage, sizeof(err->stage), "database");
	copy_string(err->item, sizeof(err->item), item);
	va_start(args, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	err->text[strcspn(err->text, "\n")] = '\0';
	return code;
}

#define SAY_MAX 20 /* lines a minute */

void server_say(const char *fmt, ...)
{
	static uint64_t minute_ns;
	static uint32_t said;
	char text[240];
	va_list args;

	if (now_ns() - minute_ns >= 60 * NSEC_PER_SEC) {
		if (said > SAY_MAX)
			(void)fprintf(stderr, "sandbox-keeper: %u more lines were left out\n",
				      said - SAY_MAX);
		minute_ns = now_ns();
		said = 0;
	}
	if (said++ >= SAY_MAX)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	(void)fprintf(stderr, "sandbox-keeper: %s\n", text);
}

/* What libpq says, without the line breaks that end it. */
static const char *reason(PGconn *conn, char text[200])
{
	copy_string(text, 200, PQerrorMessage(conn));
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = c[1] ? ' ' : '\0';
	return text;
}

int server_run(PGconn *conn, char *ret_state, struct sbx_error *err, const char *fmt, ...)
{
	_cleanup_(clearp) PGresult *result = NULL;
	_cleanup_free_ char *sql = NULL;
	const char *state;
	char text[200];
	va_list args;
	int r;

	va_start(args, fmt);
	r = vasprintf(&sql, fmt, args);
	va_end(args);
	if (r < 0) {
		sql = NULL;
		return server_fail(err, -ENOMEM, "", "out of memory");
	}
	result = PQexec(conn, sql);
	if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
		return 0;
	state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	if (ret_state)
		copy_string(ret_state, 6, state ? state : "");
	r = PQstatus(conn) != CONNECTION_OK     ? -EAGAIN
	    : state && streq(state, "42501")    ? -EACCES
	    : state && starts_with(state, "53") ? -EAGAIN
						: -EIO;
	return server_fail(err, r, "", "%s", reason(conn, text));
}

/* "sbx_", 16 digits of the owner, "_", 16 random ones. */
bool server_name_valid(const char *name)
{
	static const char digits[] = "0123456789abcdef";

	return starts_with(name, SERVER_PREFIX) && strlen(name) == 37 &&
	       strspn(name + 4, digits) == 16 && name[20] == '_' && strspn(name + 21, digits) == 16;
}

static int random_digits(char *ret, size_t bytes)
{
	unsigned char b[32];

	if (getrandom(b, bytes, 0) != (ssize_t)bytes)
		return -EIO;
	for (size_t i = 0; i < bytes; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", b[i]);
	return 0;
}

/* ------------------------------------------------------------------------- connecting */

/* What libpq would write to standard error as it comes. */
static void on_notice(void *data, const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	(void)data;
	server_say("the server: %s: %s", severity ? severity : "NOTICE",
		   text ? text : "(without text)");
}

PGconn *server_connect(const struct server_settings *settings, const char *database,
		       struct sbx_error *err)
{
	/* The first dbname is a whole connection string; a later one overrides what it says. */
	const char *const keys[] = { "dbname",
				     "options",
				     "application_name",
				     "keepalives_idle",
				     "tcp_user_timeout",
				     "client_encoding",
				     database ? "dbname" : NULL,
				     NULL };
	const char *const values[] = { settings->url, OPTIONS, "sandbox-keeper", "30",
				       "30000",       "UTF8",  database,         NULL };
	char why[RESOLVE_WHY];
	PGconn *conn = pq_start(keys, values, deadline_after(CONNECT_TIMEOUT / 2), why);

	if (!conn && *why)
		(void)server_fail(err, -EAGAIN, "", "%s", why);
	else if (!conn)
		(void)server_fail(err, -ENOMEM, "", "out of memory");
	if (!conn)
		return NULL;
	(void)PQsetNoticeReceiver(conn, on_notice, NULL);
	if (pq_await(conn, deadline_after(CONNECT_TIMEOUT)) != -ETIMEDOUT)
		return conn;
	PQfinish(conn);
	(void)server_fail(err, -EAGAIN, "", "the server does not answer");
	return NULL;
}

static int check_url(const struct server_settings *settings, struct sbx_error *err)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(settings->url, &why);
	int r = 0;

	if (!options)
		r = server_fail(err, -EINVAL, "URL", "the URL of the database server: %s",
				why ? why : "out of memory");
	for (PQconninfoOption *o = options; o && o->keyword && r == 0; o++) {
		if (streq(o->keyword, "sslmode") && o->val &&
		    (streq(o->val, "require") || starts_with(o->val, "verify")))
			r = server_fail(err, -EINVAL, "sslmode",
					"submissions would reach this server without TLS: have a "
					"tunnel or pgbouncer here that speaks it");
	}
	PQfreemem(why);
	PQconninfoFree(options);
	return r;
}

static int one_value(PGconn *conn, const char *sql, char *ret, size_t size)
{
	_cleanup_(clearp) PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		return -EIO;
	copy_string(ret, size, PQgetvalue(result, 0, 0));
	return 0;
}

#define WHO_SQL                                                                                    \
	"SELECT concat(rolsuper::int, (rolsuper OR rolcreaterole)::int, "                          \
	"(rolsuper OR rolcreatedb)::int) FROM pg_roles WHERE rolname = current_user"
#define LIMITS_SQL "SELECT has_parameter_privilege('temp_file_limit', 'SET')::int"

static int learn_rights(struct server *s, struct sbx_error *err)
{
	char who[8] = "", limits[4] = "0";
	int version = PQserverVersion(s->conn);

	if (one_value(s->conn, WHO_SQL, who, sizeof(who)) < 0)
		return server_fail(err, -EAGAIN, "", "the server does not say what we may do");
	s->superuser = who[0] == '1';
	if (version < (s->superuser ? VERSION_MIN : VERSION_OWNER))
		return server_fail(err, -EACCES, "",
				   "Postgres %d is too old: 15, or as a superuser 13",
				   version / 10000);
	if (who[1] != '1' || (who[2] != '1' && !s->settings->shared))
		return server_fail(err, -EACCES, PQuser(s->conn),
				   "this role lacks rights: ALTER ROLE ... CREATEROLE CREATEDB");
	if (version >= VERSION_OWNER)
		(void)one_value(s->conn, LIMITS_SQL, limits, sizeof(limits));
	s->sets_limits = s->superuser || *limits == '1';
	return 0;
}

/* A dead connection is noticed by the server, too: until then its lock says that we live. */
#define KEEPALIVE_SQL                                                                              \
	"SELECT set_config('tcp_keepalives_idle', '30', false), "                                  \
	"set_config('tcp_keepalives_interval', '10', false), "                                     \
	"set_config('tcp_keepalives_count', '3', false)"

static int take_owner(struct server *s, struct sbx_error *err)
{
	int r = random_digits(s->owner, 8);

	if (r < 0)
		return server_fail(err, r, "", "no random bytes");
	r = server_run(s->conn, NULL, err, KEEPALIVE_SQL);
	if (r == 0)
		r = server_run(s->conn, NULL, err, "SELECT pg_advisory_lock(%lld)",
			       (long long)strtoull(s->owner, NULL, 16));
	return r;
}

static int connect_failed(struct server *s, struct sbx_error *err)
{
	char text[200];
	/* libpq has no code for it: the server answered, or it did not. */
	bool answered = PQserverVersion(s->conn) > 0;
	bool refused = answered || strstr(PQerrorMessage(s->conn), "FATAL:");

	if (strstr(PQerrorMessage(s->conn), "starting up") ||
	    strstr(PQerrorMessage(s->conn), "shutting down") ||
	    strstr(PQerrorMessage(s->conn), "too many"))
		refused = false;
	return server_fail(err, refused ? -EACCES : -EAGAIN, "", "%s", reason(s->conn, text));
}

int server_open(struct server *s, const struct server_settings *settings, struct sbx_error *err)
{
	int r = check_url(settings, err);

	*s = SERVER_NULL;
	s->settings = settings;
	if (r < 0)
		return r;
	s->conn = server_connect(settings, NULL, err);
	if (!s->conn)
		return err->code;
	if (PQstatus(s->conn) != CONNECTION_OK)
		r = connect_failed(s, err);
	if (r == 0)
		r = learn_rights(s, err);
	if (r == 0) {
		s->admin = PQescapeIdentifier(s->conn, PQuser(s->conn), strlen(PQuser(s->conn)));
		r = s->admin ? take_owner(s, err) : server_fail(err, -ENOMEM, "", "out of memory");
	}
	if (r < 0)
		server_close(s);
	return r;
}

void server_close(struct server *s)
{
	PQfreemem(s->admin);
	PQfinish(s->conn);
	s->admin = NULL;
	s->conn = NULL;
}

bool server_alive(const struct server *s)
{
	return s->conn && PQstatus(s->conn) == CONNECTION_OK;
}

/* --------------------------------------------------------------------------- preparing */

static void copy_address(struct server *s, struct database_server *d)
{
	const char *address = PQhostaddr(s->conn), *host = PQhost(s->conn);

	/* A name would be looked up again, perhaps with another answer. */
	copy_string(d->host, sizeof(d->host),
		    host && *host == '/'  ? host
		    : address && *address ? address
					  : host);
	d->port = (uint16_t)strtoul(PQport(s->conn), NULL, 10);
}

/*
 * What a role begins with. The timeouts are defaults that it may change; what it may not change is
 * a superuser's to set, and comes where we can: space for temporary files, and nothing of what its
 * statements do in the server's log.
 */
#define ROLE_DEFAULTS                                                                              \
	"ALTER ROLE %s SET statement_timeout = '60s'; "                                            \
	"ALTER ROLE %s SET idle_in_transaction_session_timeout = '60s'"
#define ROLE_LIMITS "; ALTER ROLE %s SET temp_file_limit = '%s'"
#define ROLE_LOG                                                                                   \
	"; ALTER ROLE %s SET log_min_messages = 'fatal'; "                                         \
	"ALTER ROLE %s SET log_min_error_statement = 'panic'; "                                    \
	"ALTER ROLE %s SET log_statement = 'none'; ALTER ROLE %s SET log_min_duration_statement "  \
	"= "                                                                                       \
	"-1"

static int limit_role(struct server *s, const char *name, struct sbx_error *err)
{
	int r = server_run(s->conn, NULL, err, ROLE_DEFAULTS, name, name);

	if (r == 0 && s->sets_limits)
		r = server_run(s->conn, NULL, err, ROLE_LIMITS, name, s->settings->temp_file_limit);
	if (r == 0 && s->superuser)
		r = server_run(s->conn, NULL, err, ROLE_LOG, name, name, name, name);
	return r;
}

/*
 * The verifier is computed here: neither the statement nor its log shows the password. Who is no
 * superuser has to be a member to end the role's sessions, and to give it a schema.
 */
static int make_role(struct server *s, const struct database_server *d, struct sbx_error *err)
{
	char *verifier = PQencryptPasswordConn(s->conn, d->password, d->role, "scram-sha-256");
	int r;

	if (!verifier)
		return server_fail(err, -ENOMEM, "", "no verifier for a password");
	r = server_run(s->conn, NULL, err, "CREATE ROLE %s LOGIN PASSWORD '%s' CONNECTION LIMIT %u",
		       d->role, verifier, d->connections);
	PQfreemem(verifier);
	if (r == 0 && !s->superuser)
		r = server_run(s->conn, NULL, err, "GRANT %s TO %s", d->role, s->admin);
	return r < 0 ? r : limit_role(s, d->role, err);
}

static int own_schema(struct server *s, const char *name, struct sbx_error *err)
{
	_cleanup_(finishp) PGconn *conn = server_connect(s->settings, name, err);
	char text[200];

	if (!conn)
		return err->code;
	if (PQstatus(conn) != CONNECTION_OK)
		return server_fail(err, -EAGAIN, name, "%s", reason(conn, text));
	return server_run(
		conn, NULL, err,
		"ALTER SCHEMA public OWNER TO %s; REVOKE ALL ON SCHEMA public FROM PUBLIC", name);
}

static int make_database(struct server *s, const char *name, struct sbx_error *err)
{
	const char *template = s->settings->template ? s->settings->template : "template0";
	_cleanup_free_ char *sql = NULL;
	char *quoted = PQescapeIdentifier(s->conn, template, strlen(template));
	int r;

	if (!quoted)
		return server_fail(err, -ENOMEM, "", "out of memory");
	r = server_run(s->conn, NULL, err, "CREATE DATABASE %s TEMPLATE %s%s", name, quoted,
		       s->settings->template ? "" : " ENCODING 'UTF8'");
	PQfreemem(quoted);
	if (r == 0)
		r = server_run(s->conn, NULL, err,
			       "REVOKE ALL ON DATABASE %s FROM PUBLIC; "
			       "GRANT CONNECT, TEMPORARY, CREATE ON DATABASE %s TO %s",
			       name, name, name);
	return r < 0 ? r : own_schema(s, name, err);
}

int server_prepare(struct server *s, struct database_server *ret, struct sbx_error *err)
{
	struct database_server d = { .connections = (uint16_t)s->settings->connections };
	struct sbx_error ignored;
	char random[17];
	int r = random_digits(random, 8);

	if (r == 0)
		r = random_digits(d.password, 24);
	if (r < 0)
		return server_fail(err, r, "", "no random bytes");
	(void)snprintf(d.role, sizeof(d.role), SERVER_PREFIX "%s_%s", s->owner, random);
	copy_string(d.name, sizeof(d.name), s->settings->shared ? s->settings->shared : d.role);
	copy_address(s, &d);
	r = make_role(s, &d, err);
	if (r == 0)
		r = s->settings->shared ? schema_make(s, d.role, err)
					: make_database(s, d.role, err);
	if (r < 0) {
		(void)server_drop(s, d.role, &ignored);
		return r;
	}
	*ret = d;
	return 0;
}
