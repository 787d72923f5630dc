/* SPDX-License-Identifier: MIT */

/*
 * runner/net for test-net.sh, a line for each time: what was found, or why not.
 *
 *   resolve MS HOST    the addresses of HOST, within MS; again after each line of standard input
 *   pq MS URL          a connection of libpq
 */

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/pq.h"
#include "net/resolve.h"
#include "util/util.h"

static uint64_t wait_ns;

static void resolve(const char *host)
{
	struct addresses found;
	char why[RESOLVE_WHY], text[NI_MAXHOST];
	int r = resolve_host(host, NULL, deadline_after(wait_ns), &found, why);

	if (r < 0)
		printf("%s", why);
	for (size_t i = 0; r == 0 && i < found.n; i++)
		if (getnameinfo((struct sockaddr *)&found.list[i].to, found.list[i].size, text,
				sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
			printf("%s%s", i ? " " : "", text);
	printf("\n");
	(void)fflush(stdout);
}

static void connect_to(const char *url)
{
	const char *const keys[] = { "application_name", "dbname", NULL };
	const char *const values[] = { "driver", url, NULL };
	char why[RESOLVE_WHY];
	PGconn *conn = pq_start(keys, values, deadline_after(wait_ns), why);
	int r = conn ? pq_await(conn, deadline_after(wait_ns)) : 0;

	if (!conn)
		printf("%s\n", why);
	else if (r < 0)
		printf("%s", r == -ETIMEDOUT ? "no answer\n" : PQerrorMessage(conn));
	else
		printf("connected to %s at %s:%s\n", PQhost(conn), PQhostaddr(conn), PQport(conn));
	PQfinish(conn);
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 4)
		return 2;
	wait_ns = strtoull(argv[2], NULL, 10) * NSEC_PER_MSEC;
	if (streq(argv[1], "pq")) {
		connect_to(argv[3]);
		return 0;
	}
	do
		resolve(argv[3]);
	while (fgets(line, sizeof(line), stdin));
	return 0;
}
