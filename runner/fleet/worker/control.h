/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the supervisor and one of its processes (a slot, the intake) say to each other: packets over
 * a SEQPACKET socket, descriptor 3 of that process, which also has its configuration as a sealed
 * memfd (4) and the metrics' memory (5). When the socket ends the supervisor has died: its
 * processes let go of what they have and end, too.
 *
 * Both run the same program; no submission's byte is in any packet.
 */

#include <stdbool.h>
#include <stdint.h>

#include "fleet/queue/queue.h"

#define CONTROL_FD 3
#define CONTROL_CONFIG_FD 4
#define CONTROL_METRICS_FD 5
#define CONTROL_BEAT (5 * NSEC_PER_SEC)

enum control_kind {
	/* of the process */
	CONTROL_READY = 1, /* it may claim; `ok`: the ledger answers */
	CONTROL_CLAIMED,   /* id, fence: renew them */
	CONTROL_STAGE,     /* text: what it is doing with the job */
	CONTROL_DONE, /* id, fence: nothing to be renewed any more; text: the verdict, or why not */
	CONTROL_FAILED, /* text: it cannot work, and ends */
	CONTROL_LEDGER, /* `ok`; text: why not */
	CONTROL_ALIVE,  /* of a slot, every CONTROL_BEAT at least, but for the time of a fetch */
	CONTROL_TESTED, /* of the self-test; `ok`; text: what is not as it must be */
	/* of the supervisor */
	CONTROL_DRAIN,     /* finish, then end */
	CONTROL_HOLD,      /* `ok` 0: claim nothing, until it comes with 1 */
	CONTROL_STOP,      /* give back what is running, then end */
	CONTROL_FENCED,    /* id, fence: somebody else has it */
	CONTROL_CANCELLED, /* id, fence: stop it and commit that */
};

struct control_packet {
	uint32_t kind, ok;
	uint64_t fence;
	char id[QUEUE_ID_MAX + 1];
	char text[200];
};

int control_send(int socket, const struct control_packet *p);
/* 1 and *ret; 0 nothing is there; -EPIPE the other is gone; -EBADMSG. Does not wait. */
int control_receive(int socket, struct control_packet *ret);
