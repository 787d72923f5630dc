/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counters, gauges and histograms of one runner, in memory that the supervisor and its slots share:
 * a slot counts with one atomic addition, and what it has counted stays when it dies. The layout is
 * fixed; a metric has a bounded number of series, what does not fit is counted as "other".
 *
 * Labels are what the table in metrics.c says, and never a student, contest, challenge or job.
 *
 * The shared memory is written by slots, which a submission may have taken over: who reads it
 * (metrics_write) trusts no byte of it.
 */

#include <sandbox/sandbox.h>
#include <stdint.h>
#include <stdio.h>

/* Names in the exposition have the prefix sandbox_runner_; in braces: the labels. */
enum metric {
	/* counters */
	METRIC_JOBS_CLAIMED,     /* jobs_claimed_total */
	METRIC_JOBS_FINISHED,    /* jobs_finished_total{verdict} */
	METRIC_JOBS_RETRIED,     /* jobs_retried_total{reason}: fetch, sandbox, database, ... */
	METRIC_LEASE_LOST,       /* lease_lost_total */
	METRIC_COMMITS,          /* commits_total{outcome}: ok, already, fenced */
	METRIC_DEAD,             /* dead_total */
	METRIC_SUPERSEDED,       /* superseded_total */
	METRIC_CANCELLED,        /* cancelled_total */
	METRIC_REDIS_ERRORS,     /* redis_errors_total */
	METRIC_REDIS_RECONNECTS, /* redis_reconnects_total */
	METRIC_LEDGER_ERRORS,    /* ledger_errors_total */
	METRIC_SLOT_RESTARTS,    /* slot_restarts_total{reason}: exit, signal, timeout */
	METRIC_TESTS,            /* tests_total{outcome}: passed, failed, skipped */
	METRIC_LIMIT_HITS, /* limit_hits_total{limit}: memory, disk, pids, output, wall, cpu */
	METRIC_SANDBOX_FAILURES, /* sandbox_failures_total{step,errno} */
	METRIC_ARTIFACT_BYTES,   /* artifact_bytes_total */
	/* fetches_total{outcome}: ok, gone, empty, too_large, changed, retry, refused */
	METRIC_FETCHES,
	METRIC_CACHE_HITS,   /* cache_hits_total{cache}: deps */
	METRIC_CACHE_MISSES, /* cache_misses_total{cache} */
	/* gauges: set by the supervisor alone */
	METRIC_SLOTS,         /* slots */
	METRIC_SLOTS_BUSY,    /* slots_busy */
	METRIC_DRAINING,      /* draining: 0, 1 */
	METRIC_QUEUE_DEPTH,   /* queue_depth{pri}: admin, contest, practice, rejudge */
	METRIC_QUEUE_OLDEST,  /* queue_oldest_seconds */
	METRIC_READY_USERS,   /* ready_users */
	METRIC_LEASES,        /* leases */
	METRIC_WORKERS_ALIVE, /* workers_alive */
	METRIC_DEAD_LETTERS,  /* dead_letters: in the stream now */
	METRIC_SCHEMAS_OPEN,  /* schemas_open: databases of submissions on the server */
	METRIC_LAST_SUCCESS,  /* last_success_timestamp_seconds */
	METRIC_BUILD_INFO,    /* build_info{version,commit}: 1 */
	METRIC_ENFORCED,      /* enforced{limit,backend}: 0, 1 */
	METRIC_PSI_SOME,      /* psi_some{res}: cpu, memory, io; a ratio, of 10 s */
	METRIC_READY,         /* ready{check}: what /readyz says */
	/* histograms: *_seconds are given in nanoseconds */
	METRIC_JOB_SECONDS,        /* job_seconds{verdict} */
	METRIC_QUEUE_WAIT_SECONDS, /* queue_wait_seconds */
	METRIC_STAGE_SECONDS,      /* stage_seconds{stage}: of pipeline.h, claim, commit */
	METRIC_JOB_CPU_SECONDS,    /* job_cpu_seconds */
	METRIC_JOB_MEMORY_PEAK,    /* job_memory_peak_bytes */
	METRIC_LOG_BYTES,          /* log_bytes: a submission's live log */
	METRIC_COUNT_,
};

struct metrics; /* metrics.c */

/* The supervisor's; the descriptor is for its slots, and stays the metrics'. */
int metrics_open(struct metrics **ret, struct sbx_error *err);
int metrics_fd(const struct metrics *m);
/*
 * A slot's, from an inherited descriptor (which stays the caller's). -EPROTO: of another version.
 */
int metrics_attach(struct metrics **ret, int fd, struct sbx_error *err);
struct metrics *metrics_close(struct metrics *m);

/*
 * Counting never fails; m may be NULL. A metric without labels takes NULL, NULL, one with one label
 * takes it in `a`. A label that is NULL, longer than 31 bytes or not [A-Za-z0-9_.+:/-] is "other".
 */
void metrics_add(struct metrics *m, enum metric which, uint64_t n, const char *a, const char *b);
void metrics_set(struct metrics *m, enum metric which, double value, const char *a, const char *b);
void metrics_observe(struct metrics *m, enum metric which, uint64_t value, const char *a);

/* For status and top: the sum of a counter's or gauge's series (a, b: NULL is any). */
double metrics_get(const struct metrics *m, enum metric which, const char *a, const char *b);
/* The value below which a share (0..1) of what was observed lies, interpolated; -1: nothing was. */
double metrics_quantile(const struct metrics *m, enum metric which, const char *a, double share);

/* The text exposition of Prometheus (version 0.0.4). 0 or -ENOMEM, -EIO. */
int metrics_write(const struct metrics *m, FILE *to);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
