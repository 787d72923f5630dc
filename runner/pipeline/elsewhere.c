/* SPDX-License-Identifier: MIT */

/*
 * Most students write the port into their code. While the challenge's port is silent, another one
 * that answers HTTP is the server, if it is the only one and goes on being it: several answers in a
 * row, each of which proves that the server's event loop got around to it and still had not opened
 * the right port, and an idle processor meanwhile. How long depends on the time that the challenge
 * gives a server to boot, never on an absolute one. With "any_port" a relay then stands in for the
 * right port, in the same network namespace, so that the tests need not know. Without it the
 * student is told, after a much longer time of idleness but before the time for booting is over.
 *
 * The relay's listener is made in the tester's jail, which shares the namespace: the app's own jail
 * cannot be both ends of a relay.
 */

#include "pipeline/elsewhere.h"

#include "pipeline/probe.h"
#include "util/util.h"

#define LOOK_INTERVAL (50 * NSEC_PER_MSEC) /* each look is a request: there may be a rate limit */
#define LOOK_LATER (300 * NSEC_PER_MSEC)
#define LOOK_TIMEOUT (300 * NSEC_PER_MSEC)
#define ANSWERS 4u
#define IDLE_PERCENT 20u
#define MAX_LISTENERS 32
#define MAX_PORTS 5u
#define RELAY_CONNECTIONS 64
#define RELAY_BYTES (16ull << 30)
/* Where Node's debugger listens, which speaks HTTP. */
#define DEBUG_FIRST 9229
#define DEBUG_LAST 9239

uint64_t elsewhere_cpu(struct job *job)
{
	uint64_t memory, cpu;

	sbx_jail_usage(job->app, &memory, &cpu);
	return cpu;
}

static bool is_ours(const struct job *job, uint16_t port)
{
	return (job->database.wanted && port == job->database.port) ||
	       (port >= DEBUG_FIRST && port <= DEBUG_LAST);
}

static uint32_t list_ports(struct job *job, uint16_t ret[MAX_PORTS])
{
	struct sbx_listener all[MAX_LISTENERS];
	int n = sbx_jail_listeners(job->app, all, MAX_LISTENERS, NULL);
	uint32_t found = 0;

	for (int i = 0; i < MIN_OF(n, MAX_LISTENERS); i++) {
		bool known = is_ours(job, all[i].port);

		for (uint32_t k = 0; k < found; k++)
			known |= ret[k] == all[i].port;
		if (!known && found < MAX_PORTS)
			ret[found++] = all[i].port;
	}
	return found;
}

uint32_t elsewhere_ports(struct job *job, char *text, size_t size)
{
	uint16_t ports[MAX_PORTS];
	uint32_t n = list_ports(job, ports);

	*text = '\0';
	for (uint32_t i = 0; i < n; i++) {
		size_t at = strlen(text);

		(void)snprintf(text + at, size - at, "%s%u", i ? ", " : "", ports[i]);
	}
	return n;
}

/* The one port that answers. 0: none, or several; <0. */
static int find_answering(struct job *job)
{
	const char *path = job->challenge->health ? job->challenge->health : "/";
	uint16_t ports[MAX_PORTS];
	uint32_t n = list_ports(job, ports);
	int found = 0;

	for (uint32_t i = 0; i < n; i++) {
		int r = probe_http(job, ports[i], path, LOOK_TIMEOUT);

		if (r == -EINTR || r == -EIO)
			return r;
		if (r > 0 && found)
			return 0;
		if (r > 0)
			found = ports[i];
	}
	return found;
}

static int relay(struct job *job, uint16_t port)
{
	const struct sbx_forward f = {
		.size = sizeof(f),
		.port = job->challenge->port,
		.host_port = port,
		.connections = RELAY_CONNECTIONS,
		.bytes = RELAY_BYTES,
		.to = job->app,
	};
	int r;

	if (job->n_testers == 0)
		return 0;
	r = sbx_jail_forward(job->testers[0].jail, &f, &job->error);
	/* It has opened the right port at last. */
	if (r == -EADDRINUSE)
		return 0;
	if (r < 0)
		return r;
	job->server_port = port;
	job_note(job,
		 "Your server listens on port %u, not on the one in PORT (%u). This challenge "
		 "allows that; others may not.",
		 port, job->challenge->port);
	job_detected(job, "port", "%u instead of %u", port, job->challenge->port);
	return 0;
}

/* Nothing else was done since the last look than to answer it. */
static void watch_idle(struct job *job, struct elsewhere *e, uint64_t now)
{
	uint64_t cpu = elsewhere_cpu(job);

	if (!e->answers || !e->looked_at ||
	    (cpu - e->cpu) * 100 > (now - e->looked_at) * IDLE_PERCENT)
		e->idle_since = now;
	e->cpu = cpu;
	e->looked_at = now;
}

int elsewhere_look(struct job *job, struct elsewhere *e)
{
	uint64_t now = now_ns();
	int port;

	if (now < e->next)
		return 0;
	port = find_answering(job);
	if (port < 0)
		return port;
	now = now_ns();
	e->answers = port && port == e->port ? e->answers + 1 : port > 0;
	e->port = (uint16_t)port;
	e->next = now + (e->answers < ANSWERS ? LOOK_INTERVAL : LOOK_LATER);
	watch_idle(job, e, now);
	return job->challenge->any_port && elsewhere_settled(e) ? relay(job, e->port) : 0;
}

bool elsewhere_settled(const struct elsewhere *e)
{
	return e->answers >= ANSWERS && e->looked_at - e->idle_since > e->patience;
}
