/* SPDX-License-Identifier: MIT */

/* The supervisor's processes: started, heard, told, buried, started again. */

#include "fleet/worker/supervisor.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "fleet/worker/child.h"
#include "util/util.h"

#define BACKOFF_MIN (100 * NSEC_PER_MSEC)
#define BACKOFF_MAX (30 * NSEC_PER_SEC)
#define STABLE (60 * NSEC_PER_SEC)       /* who has lived that long starts again at once */
#define TEST_TIMEOUT (60 * NSEC_PER_SEC) /* a self-test */
#define TEST_AGAIN (10 * NSEC_PER_SEC)   /* after one that failed, at most */
#define STOP_TIMEOUT (40 * NSEC_PER_SEC) /* to remove jails; more than a slot gives its judge */

/* Of the epoll set: a process's socket, and its end. */
#define EVENT_SOCKET(i) ((uint64_t)(i) << 1)
#define EVENT_END(i) (((uint64_t)(i) << 1) | 1)

void processes_init(struct supervisor *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		s->processes[i] = (struct process){ .pidfd = -1,
						    .socket = -1,
						    .kill_ns = UINT64_MAX };
}

static size_t index_of(const struct supervisor *s, const struct process *p)
{
	return (size_t)(p - s->processes);
}

/* What it is called in the log. */
static void name_of(const struct supervisor *s, const struct process *p, char ret[32])
{
	size_t i = index_of(s, p);

	if (i == INTAKE)
		copy_string(ret, 32, "the intake");
	else if (i == SELF_TEST)
		copy_string(ret, 32, "the self-test");
	else
		(void)snprintf(ret, 32, "slot %zu", i);
}

static bool is_wanted(const struct supervisor *s, size_t i)
{
	if (s->state != SUPERVISOR_SERVING || !s->accepted)
		return false;
	if (i == SELF_TEST)
		return now_ns() >= s->test_ns;
	return i == INTAKE || i < s->config.slots;
}

/* ------------------------------------------------------------------- start */

static int watch(struct supervisor *s, int fd, uint64_t data)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = data };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/*
 * Reaps it. What is closed is taken out of the set before: a child that was forked just now has it,
 * too, until its execve(2), and the set would go on telling of it, as of who is in this place next.
 */
static int reap(struct supervisor *s, struct process *p)
{
	int status;

	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, p->pidfd, NULL);
	(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, p->socket, NULL);
	status = child_reap(p->pid, p->pidfd);
	close_fd(p->socket);
	p->pid = 0;
	p->pidfd = p->socket = -1;
	return status;
}

static int start(struct supervisor *s, struct process *p)
{
	size_t i = index_of(s, p);
	char number[16];
	const char *argv[] = { "sandbox-runner",
			       i == INTAKE      ? "intake"
			       : i == SELF_TEST ? "self-test"
						: "slot",
			       number, NULL };
	struct child_options o = { .argv = argv, .variables = child_variables };
	_cleanup_close_ int bare = i == SELF_TEST ? supervisor_config(s, false) : -1;
	int pair[2], r = bare < -1 ? bare : child_sockets(pair);

	if (r < 0)
		return r;
	(void)snprintf(number, sizeof(number), "%zu", i);
	o.fds[0] = pair[1];
	o.fds[1] = i == SELF_TEST ? bare : s->config_fd;
	o.fds[2] = metrics_fd(s->metrics);
	o.fds[3] = -1;
	r = child_start(&o, &p->pid, &p->pidfd);
	close_fd(pair[1]);
	if (r < 0) {
		close_fd(pair[0]);
		return r;
	}
	p->socket = pair[0];
	p->started_ns = p->heard_ns = now_ns();
	r = watch(s, p->socket, EVENT_SOCKET(i));
	if (r == 0)
		r = watch(s, p->pidfd, EVENT_END(i));
	if (r < 0) {
		(void)kill(p->pid, SIGKILL);
		(void)reap(s, p);
		return r;
	}
	if (i == SELF_TEST) {
		s->test = (struct control_packet){ .kind = 0 };
		p->kill_ns = deadline_after(TEST_TIMEOUT);
	} else if (*hold_why(s)) {
		hold_tell(s, p);
	}
	return 0;
}

static void again_later(struct process *p)
{
	p->backoff_ns = MIN_OF(MAX_OF(p->backoff_ns * 2, BACKOFF_MIN), BACKOFF_MAX);
	p->start_ns = deadline_after(p->backoff_ns);
}

void processes_start(struct supervisor *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = &s->processes[i];
		char name[32];
		int r;

		if (p->pid || !is_wanted(s, i) || now_ns() < p->start_ns)
			continue;
		r = start(s, p);
		if (r == 0)
			continue;
		name_of(s, p, name);
		log_error(&s->log, "%s cannot be started: %s", name, strerror(-r));
		again_later(p);
	}
}

/* -------------------------------------------------------------------- tell */

static void tell(struct supervisor *s, struct process *p, enum control_kind kind)
{
	struct control_packet packet = { .kind = kind };

	(void)s;
	(void)control_send(p->socket, &packet);
	p->leaving = true;
	if (kind != CONTROL_STOP || p->stopping)
		return;
	p->stopping = true;
	p->kill_ns = deadline_after(STOP_TIMEOUT);
}

void processes_tell(struct supervisor *s, enum control_kind kind)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (s->processes[i].pid)
			tell(s, &s->processes[i], kind);
	}
}

void processes_kill_late(struct supervisor *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = &s->processes[i];
		char name[32];

		if (!p->pid || now_ns() < p->kill_ns)
			continue;
		name_of(s, p, name);
		log_warning(&s->log, "%s does not end: killed", name);
		(void)kill(p->pid, SIGKILL);
		p->kill_ns = UINT64_MAX;
	}
}

/* More than the longest time for which a slot that is well says nothing. */
static uint64_t silence_max(const struct supervisor *s)
{
	return s->config.fetch.timeout_ns + 4 * s->config.queue.lease_ns;
}

void processes_kill_hung(struct supervisor *s)
{
	uint64_t now = now_ns(), before = s->looked_ns;

	s->looked_ns = now;
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct process *p = &s->processes[i];

		if (!p->pid || p->kill_ns != UINT64_MAX)
			continue;
		/* We were stopped ourselves: what they said meanwhile is still to be heard. */
		if (now - before > silence_max(s) / 2)
			p->heard_ns = now;
		if (now - p->heard_ns < silence_max(s))
			continue;
		log_error(&s->log, "slot %zu has said nothing for %llu s: killed", i,
			  (unsigned long long)((now - p->heard_ns) / NSEC_PER_SEC));
		(void)kill(p->pid, SIGKILL);
		p->hung = true;
		p->heard_ns = now;
	}
}

/* --------------------------------------------------------------------- end */

static bool had_success(const struct process *p)
{
	return p->ready && now_ns() - p->started_ns > STABLE;
}

/* Whatever but "it is well" comes out of it holds: a test that cannot be made was not passed. */
static void end_self_test(struct supervisor *s, struct process *p)
{
	char how[CHILD_STATUS_TEXT], why[HOLD_WHY] = "";
	bool ok, late = p->kill_ns == UINT64_MAX, left = p->leaving;
	int status = reap(s, p);

	*p = (struct process){ .pidfd = -1, .socket = -1, .kill_ns = UINT64_MAX };
	ok = s->test.kind == CONTROL_TESTED && s->test.ok && status == 0;
	s->test_ns = deadline_after(ok ? s->config.self_test_ns
				       : MIN_OF(s->config.self_test_ns, TEST_AGAIN));
	if (!ok && left)
		return;
	if (ok)
		log_debug(&s->log, "the self-test passed");
	(void)snprintf(why, sizeof(why), "the self-test fails: %.160s",
		       s->test.kind == CONTROL_TESTED ? s->test.text
		       : late                         ? "it does not end"
						      : child_status(status, how));
	hold_set(s, HOLD_SELF_TEST, !ok, why);
}

static void bury(struct supervisor *s, struct process *p)
{
	bool killed_by_us = p->stopping, expected = p->leaving;
	char name[32], how[CHILD_STATUS_TEXT], why[128];
	int status = reap(s, p);

	name_of(s, p, name);
	child_status(status, how);
	if (*p->id) {
		(void)snprintf(why, sizeof(why), "%s died: %s", name, how);
		leases_release(s, p, !killed_by_us, why);
	}
	if (expected || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		log_debug(&s->log, "%s ended: %s", name, how);
		*p = (struct process){ .pidfd = -1, .socket = -1, .kill_ns = UINT64_MAX };
		return;
	}
	metrics_add(s->metrics, METRIC_SLOT_RESTARTS, 1,
		    p->hung               ? "timeout"
		    : WIFSIGNALED(status) ? "signal"
					  : "exit",
		    NULL);
	log_error(&s->log, "%s died: %s; it is started again", name, how);
	*p = (struct process){ .pidfd = -1,
			       .socket = -1,
			       .kill_ns = UINT64_MAX,
			       .backoff_ns = had_success(p) ? 0 : p->backoff_ns };
	again_later(p);
}

/* -------------------------------------------------------------------- hear */

static void take_job(struct supervisor *s, struct process *p, const struct control_packet *packet)
{
	(void)s;
	copy_string(p->id, sizeof(p->id), packet->id);
	copy_string(p->stage, sizeof(p->stage), "claim");
	p->fence = packet->fence;
	p->since_ns = now_ns();
	p->told = false;
}

static void hear(struct supervisor *s, struct process *p, const struct control_packet *packet)
{
	p->heard_ns = now_ns();
	s->changed |= packet->kind != CONTROL_ALIVE;
	switch (packet->kind) {
	case CONTROL_READY:
		p->ready = true;
		ops_check_set(s->ops, OPS_LEDGER, packet->ok,
			      packet->ok ? "" : "it does not answer");
		break;
	case CONTROL_LEDGER:
		ops_check_set(s->ops, OPS_LEDGER, packet->ok, packet->text);
		break;
	case CONTROL_CLAIMED:
		take_job(s, p, packet);
		break;
	case CONTROL_TESTED:
		s->test = *packet;
		break;
	case CONTROL_STAGE:
		copy_string(p->stage, sizeof(p->stage), packet->text);
		break;
	case CONTROL_DONE:
		p->id[0] = p->stage[0] = '\0';
		p->backoff_ns = 0;
		if (*packet->text && !streq(packet->text, "IE"))
			metrics_set(s->metrics, METRIC_LAST_SUCCESS, (double)time(NULL), NULL,
				    NULL);
		break;
	default:
		break;
	}
}

/* 0, or -EPIPE and the like when nothing more can come. */
static int listen_to(struct supervisor *s, struct process *p)
{
	struct control_packet packet;
	int r;

	while ((r = control_receive(p->socket, &packet)) > 0)
		hear(s, p, &packet);
	return r;
}

void processes_listen(struct supervisor *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (s->processes[i].pid)
			(void)listen_to(s, &s->processes[i]);
	}
}

void processes_event(struct supervisor *s, uint64_t data)
{
	struct process *p = &s->processes[data >> 1];
	int r;

	if (!p->pid)
		return;
	/* All that it has said first: whether it had a job decides about what its end means. */
	r = listen_to(s, p);
	s->changed |= data & 1;
	if ((data & 1) && index_of(s, p) == SELF_TEST)
		end_self_test(s, p);
	else if (data & 1)
		bury(s, p);
	else if (r < 0)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_DEL, p->socket, NULL);
}

/* ------------------------------------------------------------------- count */

uint32_t processes_count(const struct supervisor *s, bool busy)
{
	uint32_t n = 0;

	for (size_t i = 0; i < SLOTS_MAX; i++)
		n += s->processes[i].pid && (!busy || *s->processes[i].id);
	return n;
}

bool processes_gone(const struct supervisor *s)
{
	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (s->processes[i].pid)
			return false;
	}
	return true;
}

uint64_t processes_deadline(const struct supervisor *s)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		const struct process *p = &s->processes[i];

		if (p->pid)
			next = MIN_OF(next, p->kill_ns);
		else if (is_wanted(s, i))
			next = MIN_OF(next, p->start_ns);
		else if (i == SELF_TEST && s->state == SUPERVISOR_SERVING && s->accepted)
			next = MIN_OF(next, s->test_ns);
	}
	return next;
}
