/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a slot and its judge say to each other: packets of one size over a SEQPACKET socket, which
 * is the judge's descriptor 3. The judge is the process that runs the pipeline. It holds no
 * credential, in no way: its environment is built, it is executed and not forked, and the
 * database's administrator is not among its descriptors. What it says is taken from it as from
 * anybody who may have been taken over by a submission: of one size, of a known kind, texts ended
 * and cleaned, numbers in their ranges, and of the one job that was asked for.
 *
 *   slot   SETUP [+ keeper]     once; a socket to where databases come from (database/keeper.h)
 *   judge  READY | FAILED
 *   slot   RUN + archive        a sealed memfd
 *   judge  STAGE ... RESULT + the result's JSON in a memfd, then it is ready for the next
 *
 * While a job runs, anything that comes from the slot, its end included, means: stop. The one
 * packet that says so is CANCEL; a judge without a job drops it.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "fleet/queue/queue.h"

#define JUDGE_FD 3
#define JUDGE_RESULT_MAX QUEUE_RESULT_MAX

enum judge_kind {
	JUDGE_SETUP = 1,
	JUDGE_RUN,
	JUDGE_CANCEL,
	JUDGE_READY,
	JUDGE_FAILED,
	JUDGE_STAGE,
	JUDGE_RESULT,
};

/* Of the whole life of a judge. */
struct judge_setup {
	char store[1024], policies[1024]; /* "": the default */
	char challenge[1024];             /* the folder that is prepared for first; "": none */
	uint64_t store_size;
	uint32_t allow_unenforced, ahead;
	int32_t log_level, log_format; /* of ops/log.h */
	char worker[65], slot[16];
};

struct judge_order {
	char id[QUEUE_ID_MAX + 1], student[QUEUE_ID_MAX + 1], traceparent[56];
	char challenge[1024]; /* the folder */
};

struct judge_stage {
	char name[24], note[96];
	uint32_t done;
	uint64_t wall_ns;
};

struct judge_verdict {
	char verdict[16], tests_sha256[QUEUE_SHA256_HEX + 1];
	uint32_t passed, failed, skipped, total;
	uint64_t points, max_points; /* thousandths of score and max_score */
	uint64_t wall_ns, cpu_ns, memory_peak;
	uint32_t json_size;
	int32_t error; /* errno of an IE, and where */
	char step[32];
	char reason[512]; /* for the student */
	char why[512];    /* of an IE: for the operator */
};

struct judge_packet {
	uint32_t kind, serial; /* of the job; 0: of none */
	union {
		struct judge_setup setup;
		struct judge_order order;
		struct judge_stage stage;
		struct judge_verdict verdict;
		char why[512]; /* FAILED */
	};
};

/* `fd` -1: none. 0, -EPIPE the other is gone, other -errno. */
int judge_send(int socket, const struct judge_packet *p, int fd);
/*
 * 1 and *ret, and *ret_fd if a descriptor came along (else -1); 0 nothing is there; -EPIPE the
 * other is gone; -EBADMSG what it says is no packet. Does not wait. Texts of *ret are ended, no
 * more.
 */
int judge_receive(int socket, struct judge_packet *ret, int *ret_fd);

/* judge-check.c: 0, or -EBADMSG: it is no verdict, or does not add up. */
int judge_check_verdict(const struct judge_verdict *v);
/* The JSON of a result, of this size, terminated; the caller's. -EBADMSG: it is none, or longer. */
int judge_take_json(int fd, uint32_t size, char **ret);
