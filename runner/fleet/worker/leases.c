/* SPDX-License-Identifier: MIT */

/*
 * The supervisor's part with Redis: leases are renewed for all slots in one call, and the worker
 * says that it is there. With Redis away nothing is to be done: whether leases were lost is known
 * when it is back.
 */

#include "fleet/worker/supervisor.h"

#include "util/util.h"

#define BEAT (5 * NSEC_PER_SEC)

/* 0: it answered. */
static int heard(struct supervisor *s, int r, const struct sbx_error *err)
{
	bool away = r < 0;

	if (away)
		metrics_add(s->metrics, METRIC_REDIS_ERRORS, 1, NULL, NULL);
	if (away && !s->redis_away)
		log_warning(&s->log, "Redis: %s%s%s; asked again until it answers", err->item,
			    *err->item ? ": " : "", err->text);
	if (!away && s->redis_away) {
		metrics_add(s->metrics, METRIC_REDIS_RECONNECTS, 1, NULL, NULL);
		log_info(&s->log, "Redis is back");
	}
	s->redis_away = away;
	ops_check_set(s->ops, OPS_REDIS, !away, away ? err->text : "");
	return away ? r : 0;
}

int leases_require(struct supervisor *s)
{
	struct queue_finding findings[QUEUE_FINDINGS_MAX];
	struct sbx_error err = { 0 };
	int n = queue_requires(s->queue, findings, &err), r = 0;

	if (heard(s, MIN_OF(n, 0), &err) < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		log_write(&s->log, findings[i].fatal ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, NULL, 0,
			  "%s%s", findings[i].fatal ? "not serving: " : "", findings[i].text);
		r = findings[i].fatal ? -EPERM : r;
	}
	s->accepted = r == 0;
	return r;
}

static uint64_t interval(const struct supervisor *s)
{
	return s->config.queue.lease_ns / 3;
}

static void tell(struct supervisor *s, struct process *p, const struct queue_lease *l)
{
	struct control_packet packet = { .kind = l->state < 0 ? CONTROL_CANCELLED : CONTROL_FENCED,
					 .fence = l->fence };

	/* One that is done has no lease any more either, and was not lost. */
	if (l->state > 0 || p->told || p->fence != l->fence || !streq(p->id, l->id))
		return;
	copy_string(packet.id, sizeof(packet.id), l->id);
	p->told = control_send(p->socket, &packet) == 0;
	log_info(&s->log, "%s: %s", l->id, l->state < 0 ? "cancelled" : "its lease was lost");
}

void leases_renew(struct supervisor *s)
{
	static struct queue_lease leases[SLOTS_MAX];
	static struct process *of[SLOTS_MAX];
	struct sbx_error err = { 0 };
	size_t n = 0;

	s->renew_ns = deadline_after(interval(s));
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		struct process *p = &s->processes[i];

		if (!p->pid || !*p->id)
			continue;
		leases[n] = (struct queue_lease){ .fence = p->fence, .state = 1 };
		copy_string(leases[n].id, sizeof(leases[n].id), p->id);
		of[n++] = p;
	}
	if (n == 0)
		return;
	if (heard(s, queue_renew(s->queue, leases, n, &err), &err) < 0) {
		s->renew_ns = deadline_after(
			MIN_OF(MAX_OF(queue_backoff_ns(s->queue), 1u), interval(s)));
		return;
	}
	processes_listen(s);
	for (size_t i = 0; i < n; i++)
		tell(s, of[i], &leases[i]);
}

void leases_release(struct supervisor *s, const struct process *p, bool attempt_counts,
		    const char *why)
{
	struct sbx_error err = { 0 };
	int r = queue_release(s->queue, p->id, p->fence, attempt_counts, why, &err);

	/*
	 * Not given back is no harm: its lease runs out. A last attempt is committed by who claims
	 * it.
	 */
	if (heard(s, r, &err) < 0)
		return;
	log_info(&s->log, "%s: %s", p->id,
		 r == QUEUE_REQUEUED ? "given back" : "not given back: it is decided by others");
}

void leases_beat(struct supervisor *s)
{
	bool claims = s->state == SUPERVISOR_SERVING && !*hold_why(s);
	struct queue_worker w = { .slots = claims ? (uint32_t)s->config.slots : 0,
				  .busy = processes_count(s, true),
				  .draining = s->state != SUPERVISOR_SERVING };
	struct queue_flags flags;
	struct sbx_error err = { 0 };

	s->beat_ns = deadline_after(s->accepted ? BEAT : BEAT / 10);
	if (!s->accepted)
		return;
	copy_string(w.id, sizeof(w.id), s->config.name);
	(void)snprintf(w.token, sizeof(w.token), "%d-%llu", getpid(),
		       (unsigned long long)s->began_ns);
	copy_string(w.version, sizeof(w.version), sbx_version());
	copy_string(w.held, sizeof(w.held), hold_why(s));
	if (gethostname(w.host, sizeof(w.host) - 1) < 0)
		w.host[0] = '\0';
	if (heard(s, queue_beat(s->queue, &w, &flags, &err), &err) < 0)
		return;
	if (flags.shared && !s->shared)
		log_error(&s->log, "another worker has the same name: give each its own, or what "
				   "admin shows and drains is now the one and now the other");
	s->shared = flags.shared;
	supervisor_rest(s, flags.drain);
}
