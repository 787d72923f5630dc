/* SPDX-License-Identifier: MIT */

/*
 * A slot's judge: started ahead, used for many jobs, replaced when it has died, after a number of
 * jobs and after each failure of ours. Nothing that it says is believed without a look.
 */

#include "fleet/worker/slot.h"

#include <poll.h>
#include <signal.h>

#include "fleet/worker/child.h"
#include "fleet/worker/control.h"
#include "util/util.h"

#define START_TIMEOUT (60 * NSEC_PER_SEC)
#define CANCEL_TIMEOUT                                                                             \
	(30 * NSEC_PER_SEC) /* to remove jails; then it is killed, and they with it */

/* ----------------------------------------------------------------- process */

void slot_judge_stop(struct slot *s)
{
	struct slot_judge *j = &s->judge;
	struct pollfd p = { .fd = j->pidfd, .events = POLLIN };

	if (j->pid == 0)
		return;
	j->socket = close_fd(j->socket);
	if (poll(&p, 1, (int)(CANCEL_TIMEOUT / NSEC_PER_MSEC)) <= 0) {
		log_warning(&s->log, "the judge, process %d, did not end by itself: killed",
			    j->pid);
		(void)kill(j->pid, SIGKILL);
	}
	(void)child_reap(j->pid, j->pidfd);
	*j = (struct slot_judge){ .pidfd = -1, .socket = -1, .serial = j->serial };
}

static void kill_judge(struct slot *s)
{
	(void)kill(s->judge.pid, SIGKILL);
	slot_judge_stop(s);
}

/*
 * It stays when the judge is replaced: the first thing a new one asks for drops what the other had.
 */
static int start_keeper(struct slot *s)
{
	const struct fleet_config *c = &s->config;
	struct keeper_options o = { .program = s->keeper_program,
				    .url = c->database.url,
				    .shared = c->database.isolation ? c->database.shared : NULL,
				    .template = c->database.template,
				    .temp_file_limit = c->database.temp_file_limit,
				    .connections = (uint32_t)c->database.connections,
				    .ahead = (uint32_t)c->database.ahead };
	struct sbx_error err = { 0 };
	int r;

	if (c->database.provider != DATABASE_SERVER || keeper_alive(&s->keeper))
		return 0;
	keeper_stop(&s->keeper);
	r = keeper_start(&s->keeper, &o, &err);
	if (r < 0)
		log_error(&s->log, "the keeper of databases cannot be started: %s", err.text);
	return r;
}

static int send_setup(struct slot *s)
{
	const struct fleet_config *c = &s->config;
	struct judge_packet p = {
		.kind = JUDGE_SETUP,
		.setup = { .store_size = c->store_size,
			   .allow_unenforced = c->allow_unenforced,
			   .ahead = c->judge.ahead,
			   .log_level = (int32_t)s->log.level,
			   .log_format = (int32_t)s->log.format },
	};

	copy_string(p.setup.store, sizeof(p.setup.store), c->store ? c->store : "");
	copy_string(p.setup.policies, sizeof(p.setup.policies), c->policies ? c->policies : "");
	copy_string(p.setup.challenge, sizeof(p.setup.challenge), s->last_challenge);
	copy_string(p.setup.worker, sizeof(p.setup.worker), c->name);
	copy_string(p.setup.slot, sizeof(p.setup.slot), s->log.slot);
	return judge_send(s->judge.socket, &p, s->keeper.fd);
}

static int start(struct slot *s)
{
	static const char *const argv[] = { "sandbox-runner", "judge", NULL };
	struct child_options o = { .argv = argv, .variables = child_variables };
	struct slot_judge *j = &s->judge;
	int pair[2], r = start_keeper(s);

	if (r == 0)
		r = child_sockets(pair);
	if (r < 0)
		return r;
	for (int i = 0; i < CHILD_FDS; i++)
		o.fds[i] = i == 0 ? pair[1] : -1;
	r = child_start(&o, &j->pid, &j->pidfd);
	close_fd(pair[1]);
	if (r < 0) {
		close_fd(pair[0]);
		return r;
	}
	j->socket = pair[0];
	j->ready = false;
	j->jobs = 0;
	j->started_ns = now_ns();
	return send_setup(s);
}

/* ----------------------------------------------------------------- packets */

/*
 * 1 a packet; 0 nothing of the judge, but perhaps of the supervisor (or the time is over); -EIO it
 * is gone, or what came makes no sense.
 */
static int next_packet(struct slot *s, uint64_t timeout_ns, struct judge_packet *ret, int *ret_fd,
		       char why[200])
{
	struct slot_judge *j = &s->judge;
	struct pollfd set[] = { { .fd = j->socket, .events = POLLIN },
				{ .fd = CONTROL_FD, .events = POLLIN } };
	int ms = (int)(MIN_OF(timeout_ns, CONTROL_BEAT) / NSEC_PER_MSEC + 1);
	int r = judge_receive(j->socket, ret, ret_fd);

	slot_alive(s);
	if (r == 0 && poll(set, s->stop == SLOT_GO_ON ? 2 : 1, ms) < 0 && errno != EINTR)
		r = -errno;
	if (set[1].revents)
		slot_listen(s);
	if (r == 0)
		r = judge_receive(j->socket, ret, ret_fd);
	if (r >= 0)
		return r;
	if (r == -EPIPE)
		(void)snprintf(why, 200, "the judging process ended");
	else
		(void)snprintf(why, 200, "the judging process said what makes no sense: %s",
			       strerror(-r));
	return -EIO;
}

static int wait_ready(struct slot *s)
{
	uint64_t deadline = deadline_after(START_TIMEOUT);
	char why[200] = "the judge did not become ready in time";

	while (now_ns() < deadline && s->stop == SLOT_GO_ON) {
		struct judge_packet p;
		int fd, r = next_packet(s, deadline - now_ns(), &p, &fd, why);

		if (r > 0)
			close_fd(fd);
		if (r > 0 && p.kind == JUDGE_READY) {
			s->judge.ready = true;
			return 0;
		}
		if (r > 0 && p.kind == JUDGE_FAILED)
			copy_string(why, sizeof(why), p.why);
		if (r != 0)
			break;
	}
	kill_judge(s);
	if (s->stop != SLOT_GO_ON)
		return -EINTR;
	log_error(&s->log, "no judge can be started: %s", why);
	return -EAGAIN;
}

int slot_judge_ready(struct slot *s)
{
	struct slot_judge *j = &s->judge;
	int r;

	if (j->pid && (fd_is_readable(j->pidfd) || j->jobs >= s->config.judge.jobs ||
		       (s->keeper.fd >= 0 && !keeper_alive(&s->keeper))))
		slot_judge_stop(s);
	if (j->pid && j->ready)
		return 0;
	r = j->pid ? 0 : start(s);
	if (r < 0) {
		log_error(&s->log, "no judge can be started: %s", strerror(-r));
		return -EAGAIN;
	}
	return wait_ready(s);
}

/* ------------------------------------------------------------------ result */

static int take_result(const struct judge_verdict *v, int fd, struct slot_result *ret)
{
	_cleanup_free_ char *json = NULL;
	int r = judge_check_verdict(v);

	if (r == 0)
		r = judge_take_json(fd, v->json_size, &json);
	if (r < 0)
		return r;
	ret->v = *v;
	ret->json = steal_ptr(json);
	return 0;
}

void slot_result_done(struct slot_result *r)
{
	free(r->json);
	*r = (struct slot_result){ .json = NULL };
}

/* --------------------------------------------------------------------- run */

/* 1: the result was taken. */
static int take_packet(struct slot *s, const struct judge_packet *p, int fd,
		       struct slot_result *ret, char why[200])
{
	int r = 0;

	if (p->serial != s->judge.serial)
		return 0;
	if (p->kind == JUDGE_STAGE)
		slot_log_stage(s, &p->stage);
	if (p->kind != JUDGE_RESULT)
		return 0;
	r = take_result(&p->verdict, fd, ret);
	if (r < 0)
		(void)snprintf(why, 200, "the judging process gave a result that makes no sense");
	return r < 0 ? -EIO : 1;
}

/* Until the result is there, or the time is over. 0; -ETIMEDOUT; -EIO. */
static int await_result(struct slot *s, uint64_t deadline, bool until_stop, struct slot_result *ret,
			char why[200])
{
	while (now_ns() < deadline) {
		struct judge_packet p;
		int fd, r;

		if (until_stop && s->stop != SLOT_GO_ON)
			return -ECANCELED;
		r = next_packet(s, deadline - now_ns(), &p, &fd, why);
		if (r > 0)
			r = take_packet(s, &p, fd, ret, why);
		close_fd(fd);
		if (r != 0)
			return MIN_OF(r, 0);
	}
	return -ETIMEDOUT;
}

/* It is told to stop, and gets the time to remove its jails; what it has found does not count. */
static void cancel(struct slot *s)
{
	struct judge_packet p = { .kind = JUDGE_CANCEL, .serial = s->judge.serial };
	struct slot_result result = { .json = NULL };
	char why[200];

	if (judge_send(s->judge.socket, &p, -1) < 0 ||
	    await_result(s, deadline_after(CANCEL_TIMEOUT), false, &result, why) < 0)
		kill_judge(s);
	slot_result_done(&result);
}

int slot_judge_run(struct slot *s, const struct queue_job *job, const char *folder, int archive,
		   struct slot_result *ret, char why[200])
{
	struct slot_judge *j = &s->judge;
	struct judge_packet p = { .kind = JUDGE_RUN, .serial = ++j->serial };
	int r;

	copy_string(p.order.id, sizeof(p.order.id), job->submission.id);
	copy_string(p.order.student, sizeof(p.order.student), job->submission.student);
	copy_string(p.order.traceparent, sizeof(p.order.traceparent), job->submission.traceparent);
	copy_string(p.order.challenge, sizeof(p.order.challenge), folder);
	copy_string(s->last_challenge, sizeof(s->last_challenge), folder);
	j->jobs++;
	(void)snprintf(why, 200, "the judging process ended");
	r = judge_send(j->socket, &p, archive) < 0 ? -EIO : 0;
	if (r == 0)
		r = await_result(s, deadline_after(s->config.judge.timeout_ns), true, ret, why);
	if (r == -ECANCELED) {
		cancel(s);
		return r;
	}
	/* Only the slot says that, and it did not. */
	if (r == 0 && streq(ret->v.verdict, "CANCELLED")) {
		slot_result_done(ret);
		(void)snprintf(why, 200, "the judging process stopped by itself");
		r = -EIO;
	}
	if (r == -ETIMEDOUT)
		(void)snprintf(why, 200, "it was not judged within judge.timeout");
	if (r < 0) {
		kill_judge(s);
		return -EIO;
	}
	if (streq(ret->v.verdict, "IE"))
		slot_judge_stop(s);
	return 0;
}
