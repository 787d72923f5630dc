/* SPDX-License-Identifier: MIT */

/*
 * Reasons to claim nothing while all else goes on: what is running is finished, and nothing is
 * given back. The supervisor looks, once for all slots, and tells them; what has begun to hold is
 * let go only when things are clearly better, so that slots do not go on and off around a limit.
 */

#include "fleet/worker/supervisor.h"

#include "fleet/ops/host.h"
#include "util/util.h"

#define MEASURE_EVERY NSEC_PER_SEC
#define NEVER 100 /* percent: a pressure that is not looked at */

static const enum ops_check checks[HOLD_REASONS] = {
	[HOLD_SELF_TEST] = OPS_SELF_TEST,
	[HOLD_DISK] = OPS_DISK,
	[HOLD_MEMORY] = OPS_PRESSURE,
	[HOLD_CPU] = OPS_PRESSURE,
};

const char *hold_why(const struct supervisor *s)
{
	for (size_t i = 0; i < HOLD_REASONS; i++) {
		if (s->holds[i].on)
			return s->holds[i].why;
	}
	return "";
}

/* To a slot that has just been started, too: its first claim comes after it. */
void hold_tell(const struct supervisor *s, const struct process *p)
{
	struct control_packet packet = { .kind = CONTROL_HOLD, .ok = !*hold_why(s) };

	(void)control_send(p->socket, &packet);
}

static void tell_all(struct supervisor *s)
{
	for (size_t i = 0; i < SLOTS_MAX; i++) {
		if (s->processes[i].pid)
			hold_tell(s, &s->processes[i]);
	}
	s->beat_ns = 0; /* the fleet learns it now */
	s->changed = true;
}

/* One that is shared by several reasons passes when none of them holds. */
static void publish(struct supervisor *s, enum ops_check check)
{
	const char *why = "";

	for (size_t i = 0; i < HOLD_REASONS; i++) {
		if (checks[i] == check && s->holds[i].on)
			why = s->holds[i].why;
	}
	ops_check_set(s->ops, check, !*why, why);
}

void hold_set(struct supervisor *s, enum hold_reason reason, bool on, const char *why)
{
	struct hold *h = &s->holds[reason];
	bool before = *hold_why(s), was = h->on;

	h->on = on;
	copy_string(h->why, sizeof(h->why), on ? why : "");
	publish(s, checks[reason]);
	if (on && !was)
		log_warning(&s->log, "nothing is claimed: %s", h->why);
	else if (!on && was && *hold_why(s))
		log_info(&s->log, "still nothing is claimed: %s", hold_why(s));
	else if (!on && was)
		log_info(&s->log, "submissions are claimed again");
	if (before != (*hold_why(s) != '\0'))
		tell_all(s);
}

/* ------------------------------------------------------------------- looks */

static void look_at_pressure(struct supervisor *s, enum hold_reason reason, const char *resource,
			     uint64_t limit)
{
	double share = host_pressure(resource) * 100;
	char why[HOLD_WHY] = "";

	(void)snprintf(why, sizeof(why),
		       "programs wait for %s for %.0f %% of the time (%s_pressure is %llu)",
		       streq(resource, "cpu") ? "a processor" : resource, share, resource,
		       (unsigned long long)limit);
	hold_set(s, reason, limit < NEVER && host_over(share, (double)limit, s->holds[reason].on),
		 why);
}

static void look_at_disks(struct supervisor *s)
{
	const struct fleet_config *c = &s->config;
	struct host_least least = { .bytes = c->disk_free,
				    .inodes_percent = (uint32_t)c->inodes_free,
				    .was_short = s->holds[HOLD_DISK].on };
	char why[HOST_WHY] = "";
	int r = host_disk(s->store, &least, why);

	if (r == 0 && c->compat.devforces != DEVFORCES_OFF && c->compat.folder)
		r = host_disk(c->compat.folder, &least, why);
	/* It is made when it is needed first. */
	hold_set(s, HOLD_DISK, r < 0 && r != -ENOENT, why);
}

void hold_look(struct supervisor *s)
{
	if (now_ns() < s->look_ns)
		return;
	s->look_ns = deadline_after(MEASURE_EVERY);
	look_at_pressure(s, HOLD_MEMORY, "memory", s->config.memory_pressure);
	look_at_pressure(s, HOLD_CPU, "cpu", s->config.cpu_pressure);
	look_at_disks(s);
}
