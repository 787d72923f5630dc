/* SPDX-License-Identifier: MIT */

/*
 * Why a submission does not reach its database, or a port, in words for its author: what clients,
 * Postgres and Node print then is known, and what to change is the same for all. Looked for in what
 * the program printed; it explains a verdict and never makes one.
 */

#include "pipeline/advice.h"

#include <stdarg.h>

#include "pipeline/clean.h"
#include "util/util.h"

#define LOG_SEEN (512u << 10)

/* `text` up to the first of `ends` behind `mark`; NULL: the mark is not there. */
static const char *behind(const char *log, const char *mark, const char *ends, int *ret_size)
{
	const char *s = strstr(log, mark);

	if (!s)
		return NULL;
	s += strlen(mark);
	*ret_size = (int)MIN_OF(strcspn(s, ends), 80u);
	return *ret_size > 0 ? s : NULL;
}

/* "ECONNREFUSED 127.0.0.1:5433": a port on which nothing of ours listens. */
static const char *refused_port(const char *log, uint16_t port, int *ret_size)
{
	static const char *const marks[] = { "ECONNREFUSED 127.0.0.1:", "ECONNREFUSED ::1:",
					     "ECONNREFUSED 127.0.1.1:" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *s = behind(log, marks[i], " \n\r\t,})'\"", ret_size);
		unsigned number = 0;

		if (s && sscanf(s, "%5u", &number) == 1 && number != port)
			return s;
	}
	return NULL;
}

static char *say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *say(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

char *advice_text(const char *log, uint16_t port)
{
	const char *s;
	int n;

	s = behind(log, "database \"", "\"\n", &n);
	if (s && starts_with(s + n, "\" does not exist"))
		return say(
			"The code connects to a database named \"%.*s\", which is not the one of "
			"this submission: use DATABASE_URL of the environment, or DB_NAME.",
			n, s);
	s = behind(log, "role \"", "\"\n", &n);
	if (s && starts_with(s + n, "\" does not exist"))
		return say(
			"The code connects to the database as the user \"%.*s\", who does not "
			"exist: use DATABASE_URL of the environment, or DB_USER and DB_PASSWORD.",
			n, s);
	s = behind(log, "getaddrinfo ENOTFOUND ", " \n\r\t,})'\"", &n);
	if (!s)
		s = behind(log, "getaddrinfo EAI_AGAIN ", " \n\r\t,})'\"", &n);
	if (s)
		return say(
			"The code looks for the host \"%.*s\", and there is no network here but "
			"localhost: the database is at DATABASE_URL of the environment, or DB_HOST "
			"and DB_PORT.",
			n, s);
	s = refused_port(log, port, &n);
	if (s)
		return say(
			"The code connects to port %.*s, where nothing listens: the database is at "
			"DATABASE_URL of the environment, or DB_HOST and DB_PORT.",
			n, s);
	if (strcasestr(log, "self-signed certificate") ||
	    strstr(log, "DEPTH_ZERO_SELF_SIGNED_CERT"))
		return say(
			"The code wants a certificate that somebody known has signed: connect to "
			"DATABASE_URL without TLS, or with ssl: { rejectUnauthorized: false }.");
	return NULL;
}

/* A client of a database that is not here, among the dependencies; the other may be there, too. */
char *advice_manifest(const char *manifest, bool postgres)
{
	static const char *const clients[][2] = {
		{ "mongoose", "MongoDB" }, { "mongodb", "MongoDB" }, { "mysql2", "MySQL" },
		{ "mysql", "MySQL" },      { "ioredis", "Redis" },   { "redis", "Redis" },
		{ "mssql", "SQL Server" },
	};
	char key[32];

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		(void)snprintf(key, sizeof(key), "\"%s\":", clients[i][0]);
		if (!strstr(manifest, key))
			continue;
		if (postgres)
			return say("package.json has %s, but there is no %s here: the only "
				   "database is "
				   "PostgreSQL, at DATABASE_URL of the environment.",
				   clients[i][0], clients[i][1]);
		return say("package.json has %s, but there is no %s here: this challenge has no "
			   "database.",
			   clients[i][0], clients[i][1]);
	}
	return NULL;
}

/*
 * A server that opened another port first and then the right one, where a relay stands in by now.
 */
char *advice_port(const char *log, uint16_t found, uint16_t port)
{
	char mark[16];

	(void)snprintf(mark, sizeof(mark), ":%u", port);
	for (const char *s = log; (s = strstr(s, "EADDRINUSE")); s++) {
		const char *end = s + strcspn(s, "\n"), *at = strstr(s, mark);

		if (!at || at >= end || (at[strlen(mark)] >= '0' && at[strlen(mark)] <= '9'))
			continue;
		return say("The server first answered on port %u and later wanted port %u, too, to "
			   "which that one was relayed by then: open the port in PORT first, or no "
			   "other.",
			   found, port);
	}
	return NULL;
}

/* Of a server that did not come up, or not where it should; the better sentence first. */
static char *advice_of(struct job *job)
{
	_cleanup_free_ char *log = NULL;
	bool wanted = job->database.wanted;
	char *text = NULL;
	size_t size;

	if (job->verdict == VERDICT_BOOT && job->facts.manifest)
		text = advice_manifest(job->facts.manifest, wanted);
	if (text || (!wanted && !job->server_port))
		return text;
	if (job->server_log >= 0)
		log = job_read_fd(job->server_log, LOG_SEEN, &size);
	if (log && job->server_port)
		text = advice_port(log, job->server_port, job->challenge->port);
	if (text || !wanted)
		return text;
	text = log ? advice_text(log, job->database.port) : NULL;
	if (!text && job->log_tail)
		text = advice_text(job->log_tail, job->database.port);
	return text;
}

void advise(struct job *job)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	size_t at = strlen(job->reason);

	if (job->verdict == VERDICT_NONE || job->verdict == VERDICT_AC ||
	    job->verdict == VERDICT_IE || job->verdict == VERDICT_CANCELLED)
		return;
	text = advice_of(job);
	clean = text ? clean_line(text, strlen(text), CLEAN_LINE) : NULL;
	if (!clean)
		return;
	if (job->was_ready || at + strlen(clean) + 2 > sizeof(job->reason))
		job_note(job, "%s", clean);
	else
		(void)snprintf(job->reason + at, sizeof(job->reason) - at, " %s", clean);
}
