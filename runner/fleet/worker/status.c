/* SPDX-License-Identifier: MIT */

/*
 * What the supervisor tells of itself: documents and gauges for its endpoints, lines for SIGUSR1.
 */

#include "fleet/worker/supervisor.h"

#include <cjson/cJSON.h>

#include "fleet/ops/host.h"
#include "util/util.h"

#define PUBLISH_EVERY (250 * NSEC_PER_MSEC)

static const char *const priorities[] = { "admin", "contest", "practice", "rejudge" };

const char *status_state(const struct supervisor *s)
{
	static const char *const names[] = { "serving", "resting", "draining", "stopping" };

	return names[s->state];
}

static double seconds_since(uint64_t ns)
{
	return (double)((now_ns() - ns) / NSEC_PER_MSEC) / 1000;
}

static cJSON *slot_json(const struct supervisor *s, size_t i)
{
	const struct process *p = &s->processes[i];
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "slot", (double)i);
	cJSON_AddNumberToObject(o, "pid", p->pid);
	cJSON_AddStringToObject(o, "state", *p->id ? "busy" : p->ready ? "idle" : "starting");
	if (*p->id) {
		cJSON_AddStringToObject(o, "job", p->id);
		cJSON_AddStringToObject(o, "stage", p->stage);
		cJSON_AddNumberToObject(o, "seconds", seconds_since(p->since_ns));
	}
	return o;
}

static cJSON *slots_json(const struct supervisor *s, bool busy)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (s->processes[i].pid && (!busy || *s->processes[i].id))
			cJSON_AddItemToArray(list, slot_json(s, i));
	}
	return list;
}

static cJSON *status_json(const struct supervisor *s)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "worker", s->config.name);
	cJSON_AddStringToObject(o, "version", sbx_version());
	cJSON_AddStringToObject(o, "state", status_state(s));
	cJSON_AddNumberToObject(o, "uptime_seconds", seconds_since(s->began_ns));
	cJSON_AddBoolToObject(o, "redis", !s->redis_away);
	cJSON_AddStringToObject(o, "held", hold_why(s));
	cJSON_AddItemToObject(o, "slots", slots_json(s, false));
	return o;
}

static void set_document(struct supervisor *s, cJSON *o, void (*set)(struct ops *, const char *))
{
	char *text = cJSON_PrintUnformatted(o);

	if (text)
		set(s->ops, text);
	free(text);
	cJSON_Delete(o);
}

static void set_queue_gauges(struct supervisor *s)
{
	struct queue_status q;
	struct sbx_error err = { 0 };
	struct metrics *m = s->metrics;

	if (queue_status(s->queue, &q, &err) < 0)
		return;
	for (size_t i = 0; i < QUEUE_PRIORITIES; i++)
		metrics_set(m, METRIC_QUEUE_DEPTH, (double)q.waiting[i], priorities[i], NULL);
	metrics_set(m, METRIC_QUEUE_OLDEST, (double)q.oldest_ms / 1000, NULL, NULL);
	metrics_set(m, METRIC_READY_USERS, (double)q.ready_students, NULL, NULL);
	metrics_set(m, METRIC_LEASES, (double)q.running, NULL, NULL);
	metrics_set(m, METRIC_WORKERS_ALIVE, (double)q.workers, NULL, NULL);
	metrics_set(m, METRIC_DEAD_LETTERS, (double)q.dead, NULL, NULL);
}

void status_measure(struct supervisor *s)
{
	if (!s->ops)
		return;
	if (!s->redis_away)
		set_queue_gauges(s);
	host_pressure_publish(s->metrics);
}

void status_publish(struct supervisor *s)
{
	bool serving = s->state == SUPERVISOR_SERVING;

	s->changed = false;
	s->publish_ns = deadline_after(PUBLISH_EVERY);
	if (!s->ops)
		return;
	metrics_set(s->metrics, METRIC_SLOTS, (double)s->config.slots, NULL, NULL);
	metrics_set(s->metrics, METRIC_SLOTS_BUSY, processes_count(s, true), NULL, NULL);
	metrics_set(s->metrics, METRIC_DRAINING, !serving, NULL, NULL);
	ops_check_set(s->ops, OPS_SERVING, serving, status_state(s));
	set_document(s, status_json(s), ops_status_set);
	set_document(s, slots_json(s, true), ops_jobs_set);
}

void status_publish_once(struct supervisor *s)
{
	static const char *const by[] = {
		[SBX_BY_NONE] = "none",       [SBX_BY_CGROUP2] = "cgroup2",
		[SBX_BY_CGROUP1] = "cgroup1", [SBX_BY_RLIMIT] = "rlimit",
		[SBX_BY_TMPFS] = "tmpfs",     [SBX_BY_TIMER] = "timer",
		[SBX_BY_PIPE] = "pipe",       [SBX_BY_NO_SWAP] = "no-swap"
	};
	const struct {
		const char *limit;
		int32_t by;
	} limits[] = { { "memory", s->tested.memory_by },
		       { "swap", s->tested.swap_by },
		       { "pids", s->tested.pids_by },
		       { "cpu", s->tested.cpu_by },
		       { "cpu-time", s->tested.cpu_time_by } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		size_t k = (size_t)limits[i].by;

		if (k < ARRAY_SIZE(by) && by[k])
			metrics_set(s->metrics, METRIC_ENFORCED, k != SBX_BY_NONE, limits[i].limit,
				    by[k]);
	}
	metrics_set(s->metrics, METRIC_BUILD_INFO, 1, sbx_version(), "unknown");
	ops_check_set(s->ops, OPS_SELF_TEST, true, "");
}

void status_dump(struct supervisor *s)
{
	log_info(&s->log, "%s for %.0f s, %u of %llu slots are busy, Redis %s", status_state(s),
		 seconds_since(s->began_ns), processes_count(s, true),
		 (unsigned long long)s->config.slots, s->redis_away ? "is away" : "answers");
	if (*hold_why(s))
		log_info(&s->log, "nothing is claimed: %s", hold_why(s));
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		const struct process *p = &s->processes[i];

		if (!p->pid)
			continue;
		log_write(
			&s->log, LOG_LEVEL_INFO,
			LOG_FIELDS(LOG_NUMBER("slot_pid", p->pid), LOG_TEXT("slot_job", p->id),
				   LOG_TEXT("slot_stage", p->stage),
				   LOG_NUMBER("seconds", *p->id ? seconds_since(p->since_ns) : 0)),
			"slot %zu: %s", i,
			*p->id     ? "busy"
			: p->ready ? "idle"
				   : "starting");
	}
}
