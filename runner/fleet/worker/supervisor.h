/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The supervisor: the one process of a worker that has all the others. It starts slots (and the
 * intake) and replaces those that die, renews the leases of what they judge, hears the operator's
 * signals, and tells of all that. It never judges, and waits for nothing but its descriptors and,
 * with a deadline, for Redis.
 *
 *   serving   everything runs
 *   resting   an administrator has drained this worker (sandbox-runner admin drain): no slots
 *   draining  SIGTERM: slots finish what they have, drain_timeout at most, then stopping
 *   stopping  a second SIGTERM: slots give back what they have, then are killed
 */

#include <sys/types.h>

#include "fleet/config/config.h"
#include "fleet/ops/http.h"
#include "fleet/ops/log.h"
#include "fleet/ops/metrics.h"
#include "fleet/queue/queue.h"
#include "fleet/worker/control.h"

#define SLOTS_MAX 1024
#define PROCESSES_MAX (SLOTS_MAX + 2)
#define INTAKE SLOTS_MAX /* its place */
#define SELF_TEST (SLOTS_MAX + 1)

enum supervisor_state {
	SUPERVISOR_SERVING,
	SUPERVISOR_RESTING,
	SUPERVISOR_DRAINING,
	SUPERVISOR_STOPPING,
};

struct process {
	pid_t pid; /* 0: it does not run */
	int pidfd, socket;
	bool ready, leaving, told; /* told: that its job is lost or cancelled */
	bool stopping, hung;
	uint64_t start_ns, backoff_ns; /* when it is to be started (again) */
	uint64_t started_ns, kill_ns;  /* kill_ns UINT64_MAX: not to be killed */
	uint64_t heard_ns;             /* when it has said something last */
	char id[QUEUE_ID_MAX + 1];     /* "": no job */
	char stage[24];
	uint64_t fence, since_ns;
};

/* Why nothing is claimed; hold.c. */
enum hold_reason {
	HOLD_SELF_TEST,
	HOLD_DISK,
	HOLD_MEMORY,
	HOLD_CPU,
	HOLD_REASONS,
};
#define HOLD_WHY 200
struct hold {
	bool on;
	char why[HOLD_WHY];
};

struct supervisor {
	struct fleet_config config;
	const struct config_flags *flags;
	struct log log;
	struct metrics *metrics;
	struct ops *ops;
	struct queue *queue;
	char *store;              /* where it is */
	struct sbx_result tested; /* of the self-test */
	int epoll, signals, config_fd;
	enum supervisor_state state;
	struct hold holds[HOLD_REASONS];
	uint64_t look_ns, test_ns;  /* when next */
	struct control_packet test; /* what the self-test that runs has said; kind 0: nothing */
	struct process processes[PROCESSES_MAX];
	uint64_t began_ns, drain_ns;                                /* until then */
	uint64_t renew_ns, beat_ns, watchdog_ns, watchdog_every_ns; /* when next */
	uint64_t publish_ns;                                        /* not before then */
	uint64_t looked_ns;                 /* when we looked last for those that hang */
	bool accepted;                      /* this Redis does what a queue needs */
	bool shared;                        /* its name is another worker's, too */
	bool redis_away, notified, changed; /* changed: since it was published */
};

/* processes.c */
void processes_init(struct supervisor *s);
void processes_start(struct supervisor *s);
/* CONTROL_DRAIN or CONTROL_STOP to all; those that are not to run any more, after a reload. */
void processes_tell(struct supervisor *s, enum control_kind kind);
void processes_kill_late(struct supervisor *s);
/* Its lease would be renewed for ever, and its submission would have no result. */
void processes_kill_hung(struct supervisor *s);
/* What happened to descriptor `data` of the epoll set. */
void processes_event(struct supervisor *s, uint64_t data);
/* Takes all that they have said until now. */
void processes_listen(struct supervisor *s);
uint32_t processes_count(const struct supervisor *s, bool busy);
bool processes_gone(const struct supervisor *s);
uint64_t processes_deadline(const struct supervisor *s);

/* hold.c */
void hold_look(struct supervisor *s);
void hold_set(struct supervisor *s, enum hold_reason reason, bool on, const char *why);
void hold_tell(const struct supervisor *s, const struct process *p);
/* "": submissions are claimed. */
const char *hold_why(const struct supervisor *s);

/* leases.c */
/*
 * Once, when Redis answers for the first time. 0, also while it does not; -EPERM it cannot be used.
 */
int leases_require(struct supervisor *s);
void leases_renew(struct supervisor *s);
void leases_release(struct supervisor *s, const struct process *p, bool attempt_counts,
		    const char *why);
void leases_beat(struct supervisor *s);

/* status.c */
void status_publish(struct supervisor *s);
void status_measure(struct supervisor *s);      /* the queue and the host, at every heartbeat */
void status_publish_once(struct supervisor *s); /* what does not change */
void status_dump(struct supervisor *s);
const char *status_state(const struct supervisor *s);

/* supervisor.c */
/* A sealed memfd; without secrets for who is to have none. */
int supervisor_config(const struct supervisor *s, bool secrets);
int supervisor_run(struct supervisor *s); /* an exit code */
void supervisor_rest(struct supervisor *s, bool on);
