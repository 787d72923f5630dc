/* SPDX-License-Identifier: MIT */

/*
 * Waits until the server listens on its port and answers HTTP there. When it does not, the student
 * is told which of the few usual mistakes it was: it ended, it listens elsewhere, it accepts but
 * does not answer, it is busy, or it waits for something.
 */

#include "pipeline/pipeline.h"

#include "pipeline/probe.h"
#include "pipeline/units.h"
#include "util/util.h"

#define BACKOFF_MIN NSEC_PER_MSEC
#define BACKOFF_MAX (5 * NSEC_PER_MSEC) /* a look costs 5 us, waiting too long costs the verdict */
#define PROBE_TIMEOUT (2 * NSEC_PER_SEC)
#define MAX_LISTENERS 32

/* What was seen last, for the sentence when time is up. */
struct boot {
	uint64_t began, deadline;
	uint64_t cpu_at_start;
	bool listened; /* on the right port, at least once */
	int answer;    /* of the last probe */
};

/* 0: nothing on this host counts it. */
static uint64_t cpu_used(struct job *job)
{
	struct sbx_stats s = { .size = sizeof(s) };

	return sbx_jail_stats(job->app, &s, NULL) == 0 ? s.cpu_ns : 0;
}

static int server_ended(struct job *job)
{
	job_take_log(job, job->server_log);
	if (job->server_result.verdict == SBX_VERDICT_EXITED && job->server_result.exit_code == 0)
		return job_verdict(job, VERDICT_BOOT,
				   "The server ended by itself (exit code 0) before it "
				   "answered on port %u. Does it call listen()?",
				   job->challenge->port);
	return job_verdict_from(job, &job->server_result, VERDICT_BOOT,
				"While it started, the server");
}

/* Ports that the student's programs listen on, the database's left out: "3000", "3000 and 9229". */
static uint32_t other_ports(struct job *job, char *text, size_t size)
{
	struct sbx_listener all[MAX_LISTENERS];
	uint16_t seen[MAX_LISTENERS];
	int n = sbx_jail_listeners(job->app, all, MAX_LISTENERS, NULL);
	uint32_t found = 0;

	*text = '\0';
	for (int i = 0; i < MIN_OF(n, MAX_LISTENERS); i++) {
		bool known = job->database.wanted && all[i].port == job->database.port;
		size_t at = strlen(text);

		for (uint32_t k = 0; k < found; k++)
			known |= seen[k] == all[i].port;
		if (known || found == 5)
			continue;
		seen[found++] = all[i].port;
		snprintf(text + at, size - at, "%s%u", at ? ", " : "", all[i].port);
	}
	return found;
}

static int silent(struct job *job, const struct boot *b, const char *waited)
{
	uint64_t cpu = cpu_used(job) - b->cpu_at_start, wall = now_ns() - b->began;
	char used[UNITS_TEXT];

	if (!cpu_used(job))
		return job_verdict(job, VERDICT_BOOT,
				   "The server did not listen on port %u within %s: it waits for "
				   "something, is in an endless loop, or never calls listen().",
				   job->challenge->port, waited);
	units_duration(used, cpu);
	if (cpu > wall / 2)
		return job_verdict(
			job, VERDICT_BOOT,
			"The server did not listen on port %u within %s. It used "
			"%s of CPU time meanwhile: is there an endless loop at its start?",
			job->challenge->port, waited, used);
	return job_verdict(job, VERDICT_BOOT,
			   "The server did not listen on port %u within %s. It used only %s of "
			   "CPU time: %s",
			   job->challenge->port, waited, used,
			   job->database.wanted
				   ? "does it wait for a database other than the one in "
				     "DATABASE_URL, or for anything else outside?"
				   : "it waits for something, or never calls listen().");
}

static int time_is_up(struct job *job, const struct boot *b)
{
	const struct challenge *c = job->challenge;
	char waited[UNITS_TEXT], ports[64];

	job_take_log(job, job->server_log);
	units_duration(waited, c->limits.boot_ns);
	if (b->listened && b->answer > 0)
		return job_verdict(job, VERDICT_BOOT,
				   "GET %s answered with status %d for %s; the server is "
				   "ready when it answers with 200 to 299.",
				   c->health, b->answer, waited);
	if (b->listened && b->answer == -EPROTO)
		return job_verdict(job, VERDICT_BOOT,
				   "The server listens on port %u, but what it answers is not "
				   "HTTP.",
				   c->port);
	if (b->listened)
		return job_verdict(job, VERDICT_BOOT,
				   "The server listens on port %u, but did not answer GET %s "
				   "within %s.",
				   c->port, c->health ? c->health : "/", waited);
	if (other_ports(job, ports, sizeof(ports)) > 0)
		return job_verdict(job, VERDICT_BOOT,
				   "The server listens on port %s, not on %u. Use the port "
				   "in the environment variable PORT.",
				   ports, c->port);
	return silent(job, b, waited);
}

/* 1: ready. 0: not yet. */
static int look(struct job *job, struct boot *b)
{
	const char *health = job->challenge->health;
	uint64_t now = now_ns();
	int r = sbx_jail_listening(job->app, job->challenge->port, &job->error);

	if (r <= 0 || now >= b->deadline)
		return MIN_OF(r, 0);
	b->listened = true;
	r = probe_http(job, health ? health : "/", MIN_OF(b->deadline - now, PROBE_TIMEOUT));
	if (r == -EINTR || r == -EIO)
		return r;
	b->answer = r;
	return health ? r >= 200 && r < 300 : r > 0;
}

static int wait_ready(struct job *job, struct boot *b)
{
	uint64_t backoff = BACKOFF_MIN;

	for (;;) {
		int r = job->server_ended ? 0 : look(job, b);

		/* A jail that died under the look: its end is the evidence, not our failed question. */
		if (r < 0 && r != -EINTR && job_attend(job, NULL, -1, 0, 0) >= 0 &&
		    job->server_ended)
			return server_ended(job);
		if (r < 0)
			return r;
		if (r > 0)
			return 0;
		if (job->server_ended)
			return server_ended(job);
		if (now_ns() >= b->deadline)
			return time_is_up(job, b);
		r = job_attend(job, NULL, -1, 0, backoff);
		if (r < 0)
			return r;
		backoff = MIN_OF(backoff * 3 / 2, BACKOFF_MAX);
	}
}

int stage_ready(struct job *job)
{
	struct boot b = { .began = now_ns(),
			  .cpu_at_start = cpu_used(job),
			  .answer = -ECONNREFUSED };
	int r;

	b.deadline = b.began + job->challenge->limits.boot_ns;
	r = wait_ready(job, &b);
	if (r != 0)
		return r;
	job->was_ready = true;
	job_stage_note(job, "port %u answers with status %d", job->challenge->port, b.answer);
	return 0;
}
