/* SPDX-License-Identifier: MIT */

/*
 * Waits until the server listens on its port and answers HTTP there. When it does not, the student
 * is told which of the few usual mistakes it was: it ended, it listens elsewhere, it accepts but
 * does not answer, it is busy, or it waits for something.
 *
 * The time that the challenge gives is meant for a host that has a processor for the server. While
 * more programs want one than there are, it goes slower, in the proportion of what the server can
 * have got: who is judged beside many others is not to blame for them. There is an end to that, as
 * a hostile server can make the host a busy one.
 */

#include "pipeline/pipeline.h"

#include "pipeline/elsewhere.h"
#include "pipeline/host-share.h"
#include "pipeline/probe.h"
#include "pipeline/units.h"
#include "util/util.h"

#define BACKOFF_MIN NSEC_PER_MSEC
#define BACKOFF_MAX (5 * NSEC_PER_MSEC) /* a look costs 5 us, waiting too long costs the verdict */
#define PROBE_TIMEOUT (2 * NSEC_PER_SEC)
#define NO_ANSWER (-ECONNREFUSED)
#define BUSY_PART 10
#define SLOWER_MAX 4 /* times the challenge's time, on a host that is busy with others */
/* Of a server on another port: parts of the time for booting that it must be idle. */
#define PATIENCE_RELAY 40
#define PATIENCE_REFUSE 3

/* What was seen last, for the sentence when time is up. */
struct boot {
	uint64_t began, deadline;
	uint64_t seen, latest; /* when the host was looked at; where the deadline stays */
	uint64_t cpu_at_start;
	uint64_t cpu_late, late; /* in the last quarter of the time: what a loop still uses then */
	bool listened;           /* on the right port, at least once */
	int answer;              /* of the last probe */
	struct elsewhere elsewhere;
};

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

static int silent(struct job *job, const struct boot *b, const char *waited)
{
	uint64_t total = elsewhere_cpu(job), cpu = total - b->cpu_at_start;
	char used[UNITS_TEXT];

	if (!total)
		return job_verdict(job, VERDICT_BOOT,
				   "The server did not listen on port %u within %s: it waits for "
				   "something, is in an endless loop, or never calls listen().",
				   job->challenge->port, waited);
	units_duration(used, cpu);
	/*
	 * On a host with much else to do a loop may get little: only those that wait get nothing.
	 */
	if (b->late && (total - b->cpu_late) * BUSY_PART > now_ns() - b->late)
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
	uint32_t others;

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
				   "HTTP. Is it HTTPS? Use plain HTTP.",
				   c->port);
	if (b->listened && b->answer == -ECONNRESET)
		return job_verdict(job, VERDICT_BOOT,
				   "The server listens on port %u, but closes connections without "
				   "an answer. Is it HTTPS? Use plain HTTP.",
				   c->port);
	if (b->listened)
		return job_verdict(job, VERDICT_BOOT,
				   "The server listens on port %u, but did not answer GET %s "
				   "within %s. Does a handler wait for something, or neither "
				   "answer nor call next()?",
				   c->port, c->health ? c->health : "/", waited);
	others = elsewhere_ports(job, ports, sizeof(ports));
	if (others > 1 && c->any_port)
		return job_verdict(
			job, VERDICT_BOOT,
			"The server listens on the ports %s and not on %u, so it is not clear "
			"which of them is meant. Use the port in the environment variable "
			"PORT.",
			ports, c->port);
	if (others > 0)
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
	uint16_t port = job->server_port ? job->server_port : job->challenge->port;
	uint64_t now = now_ns(), patience;
	int r = sbx_jail_listening(job->app, port, &job->error);

	if (r < 0 || now >= b->deadline)
		return MIN_OF(r, 0);
	if (r == 0)
		return job->server_port || b->listened ? 0 : elsewhere_look(job, &b->elsewhere);
	b->listened = true;
	patience = MIN_OF(b->deadline - now, PROBE_TIMEOUT);
	r = probe_http(job, port, health ? health : "/", patience);
	if (r == -EINTR || r == -EIO)
		return r;
	/* A last look that was cut short says less than the one before. */
	if (r != -ETIMEDOUT || patience == PROBE_TIMEOUT || b->answer == NO_ANSWER)
		b->answer = r;
	return health ? r >= 200 && r < 300 : r > 0;
}

static bool gave_up(const struct job *job, const struct boot *b)
{
	return !job->challenge->any_port && elsewhere_settled(&b->elsewhere);
}

static void slow_down(struct boot *b)
{
	uint64_t now = now_ns();
	uint64_t lost = (now - b->seen) * (HOST_SHARE_ALL - host_share()) / HOST_SHARE_ALL;

	b->deadline = MIN_OF(b->deadline + lost, b->latest);
	b->seen = now;
}

static int wait_ready(struct job *job, struct boot *b)
{
	uint64_t backoff = BACKOFF_MIN;

	for (;;) {
		int r = job->server_ended ? 0 : look(job, b);

		if (!b->late && now_ns() > b->deadline - (b->deadline - b->began) / 4) {
			b->late = now_ns();
			b->cpu_late = elsewhere_cpu(job);
		}
		/*
		 * A jail that died under the look: its end is the evidence, not our failed
		 * question.
		 */
		if (r < 0 && r != -EINTR && job_attend(job, NULL, -1, 0, 0) >= 0 &&
		    job->server_ended)
			return server_ended(job);
		if (r < 0)
			return r;
		if (r > 0)
			return 0;
		if (job->server_ended)
			return server_ended(job);
		if (now_ns() >= b->deadline || gave_up(job, b))
			return time_is_up(job, b);
		r = job_attend(job, NULL, -1, 0, backoff);
		if (r < 0)
			return r;
		slow_down(b);
		backoff = MIN_OF(backoff * 3 / 2, BACKOFF_MAX);
	}
}

int stage_ready(struct job *job)
{
	struct boot b = { .began = now_ns(),
			  .cpu_at_start = elsewhere_cpu(job),
			  .answer = NO_ANSWER };
	int r;

	b.deadline = b.began + job->challenge->limits.boot_ns;
	b.seen = b.began;
	b.latest = b.began + job->challenge->limits.boot_ns * SLOWER_MAX;
	b.elsewhere.patience = job->challenge->limits.boot_ns /
			       (job->challenge->any_port ? PATIENCE_RELAY : PATIENCE_REFUSE);
	r = wait_ready(job, &b);
	if (r != 0)
		return r;
	job->was_ready = true;
	if (job->server_port)
		job_stage_note(job, "port %u, relayed to %u, answers with status %d",
			       job->server_port, job->challenge->port, b.answer);
	else
		job_stage_note(job, "port %u answers with status %d", job->challenge->port,
			       b.answer);
	return 0;
}
