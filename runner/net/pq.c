/* SPDX-License-Identifier: MIT */

/*
 * A URL may name several servers, host=a,b port=1,2: each name becomes one for each of its
 * addresses, host=a,a,b hostaddr=...,...,..., so that libpq tries as many as it would have. What is
 * a folder of sockets, or an address by itself, is left to libpq, as a URL that has none of these
 * (PGHOST, the default socket).
 */

#include "net/pq.h"

#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "util/util.h"

#define WORDS_MAX 16

/* The three lists as they grow, with commas. */
struct servers {
	char *host, *address, *port;
	size_t n;
	int lost; /* memory */
};

static void servers_done(struct servers *s)
{
	free(s->host);
	free(s->address);
	free(s->port);
}

static void append(struct servers *s, char **list, const char *word)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s", *list ? *list : "", s->n ? "," : "", word) < 0) {
		s->lost = -ENOMEM;
		return;
	}
	free(*list);
	*list = longer;
}

static void add(struct servers *s, const char *host, const char *address, const char *port)
{
	append(s, &s->host, host);
	append(s, &s->address, address);
	append(s, &s->port, port);
	s->n++;
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (streq(options->keyword, keyword))
			return options->val && *options->val ? options->val : NULL;
	return NULL;
}

/* Of one name all addresses; 0, or as resolve_host(). */
static int add_name(struct servers *s, const char *host, const char *port, uint64_t deadline,
		    char why[RESOLVE_WHY])
{
	struct addresses found;
	char text[NI_MAXHOST];
	int r = resolve_host(host, NULL, deadline, &found, why);

	for (size_t i = 0; r == 0 && i < found.n; i++)
		if (getnameinfo((struct sockaddr *)&found.list[i].to, found.list[i].size, text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
			add(s, host, text, port);
	return r;
}

/* The i-th of a list, or the only one. */
static void item(const char *list, size_t i, char *ret, size_t size)
{
	size_t n;

	if (!strchr(list, ','))
		i = 0;
	for (; i > 0 && strchr(list, ','); i--)
		list = strchr(list, ',') + 1;
	n = strcspn(list, ",");
	copy_string(ret, MIN_OF(n + 1, size), list);
}

/* At least one that is found; else what became of the last one. */
static int find_servers(const char *hosts, const char *ports, uint64_t deadline, struct servers *s,
			char why[RESOLVE_WHY])
{
	char host[256], port[16], reason[RESOLVE_WHY] = "";
	size_t n = 1;
	int r = 0;

	for (const char *c = hosts; *c; c++)
		n += *c == ',';
	for (size_t i = 0; i < n; i++) {
		item(hosts, i, host, sizeof(host));
		item(ports ? ports : "", i, port, sizeof(port));
		if (*host == '\0' || *host == '/' || *host == '@')
			add(s, host, "", port);
		else if (add_name(s, host, port, deadline, reason) < 0)
			(void)snprintf(why, RESOLVE_WHY, "cannot find the host %.60s: %.70s", host,
				       reason);
	}
	r = s->n == 0 ? -ENOENT : 0;
	if (s->lost)
		*why = '\0';
	return s->lost ? s->lost : r;
}

/* Behind the first dbname, which is the URL: what comes later overrides it. */
static PGconn *start(const char *const *keys, const char *const *values, const struct servers *s)
{
	const char *const more[][2] = { { "host", s->host },
					{ "hostaddr", s->address },
					{ "port", s->port } };
	const char *k[WORDS_MAX + 4] = { NULL }, *v[WORDS_MAX + 4] = { NULL };
	bool added = s->n == 0;
	size_t n = 0;

	for (size_t i = 0; i < WORDS_MAX && keys[i]; i++) {
		k[n] = keys[i];
		v[n++] = values[i];
		if (added || !streq(keys[i], "dbname"))
			continue;
		added = true;
		for (size_t j = 0; j < ARRAY_SIZE(more); j++, n++) {
			k[n] = more[j][0];
			v[n] = more[j][1];
		}
	}
	return PQconnectStartParams(k, v, 1);
}

static const char *url_of(const char *const *keys, const char *const *values)
{
	for (size_t i = 0; keys[i]; i++)
		if (streq(keys[i], "dbname"))
			return values[i];
	return "";
}

PGconn *pq_start(const char *const *keys, const char *const *values, uint64_t deadline,
		 char why[RESOLVE_WHY])
{
	_cleanup_(servers_done) struct servers s = { .host = NULL };
	PQconninfoOption *options = PQconninfoParse(url_of(keys, values), NULL);
	const char *host = option(options, "host");
	int r = 0;

	*why = '\0';
	/* What cannot be parsed is libpq's to refuse. */
	if (host && !option(options, "hostaddr"))
		r = find_servers(host, option(options, "port"), deadline, &s, why);
	PQconninfoFree(options);
	return r < 0 ? NULL : start(keys, values, &s);
}

/* 0; -ETIMEDOUT. */
static int wait_ready(PGconn *conn, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		uint64_t now = now_ns();
		int r;

		if (now >= deadline)
			return -ETIMEDOUT;
		r = poll(&p, 1, (int)((deadline - now) / NSEC_PER_MSEC) + 1);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

int pq_await(PGconn *conn, uint64_t deadline)
{
	if (PQstatus(conn) == CONNECTION_BAD)
		return -EIO;
	for (;;) {
		PostgresPollingStatusType state = PQconnectPoll(conn);
		int r;

		if (state == PGRES_POLLING_OK)
			return 0;
		if (state == PGRES_POLLING_FAILED)
			return -EIO;
		r = wait_ready(conn, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
		if (r < 0)
			return r;
	}
}
