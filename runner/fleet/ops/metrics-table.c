/* SPDX-License-Identifier: MIT */

/* What is measured. docs/operations.md says what each means for who is on call. */

#include "fleet/ops/metrics-internal.h"
#include "util/util.h"

#define MS NSEC_PER_MSEC
#define MIB (1024ull * 1024)

static const uint64_t seconds[] = {
	5 * MS,    10 * MS,   25 * MS,    50 * MS,    100 * MS,   250 * MS,    500 * MS, 1000 * MS,
	2500 * MS, 5000 * MS, 10000 * MS, 30000 * MS, 60000 * MS, 120000 * MS, 0,
};
static const uint64_t memory[] = {
	16 * MIB, 32 * MIB, 64 * MIB, 128 * MIB, 256 * MIB, 512 * MIB, 1024 * MIB, 2048 * MIB, 0,
};
static const uint64_t log_sizes[] = { 256, 1024, 4096, 16384, 65536, 262144, 1048576, 0 };

static const char *const verdicts[] = { "AC",  "PARTIAL",   "WA",         "CE",  "BOOT", "CRASH",
					"TLE", "MLE",       "OLE",        "DLE", "PLE",  "SEC",
					"IE",  "CANCELLED", "SUPERSEDED", NULL };
static const char *const commits[] = { "ok", "already", "fenced", NULL };
static const char *const tests[] = { "passed", "failed", "skipped", NULL };
static const char *const limits[] = { "memory", "disk", "pids", "output", "wall", "cpu", NULL };
static const char *const fetches[] = { "ok",      "gone",  "empty",   "too_large",
				       "changed", "retry", "refused", NULL };
static const char *const restarts[] = { "exit", "signal", "timeout", NULL };
static const char *const caches[] = { "deps", NULL };

#define COUNTER(name_, help_)                                                                      \
	{                                                                                          \
		.name = name_ "_total", .help = help_, .kind = KIND_COUNTER                        \
	}
#define COUNTER_BY(name_, label_, known_, help_)                                                   \
	{                                                                                          \
		.name = name_ "_total", .help = help_, .kind = KIND_COUNTER, .labels = { label_ }, \
		.known = known_                                                                    \
	}
#define GAUGE(name_, ...)                                                                          \
	{                                                                                          \
		.name = name_, .kind = KIND_GAUGE, __VA_ARGS__                                     \
	}
#define SECONDS(name_, ...)                                                                        \
	{                                                                                          \
		.name = name_, .kind = KIND_HISTOGRAM, .bounds = seconds, .scale = NSEC_PER_SEC,   \
		__VA_ARGS__                                                                        \
	}
#define BYTES(name_, bounds_, ...)                                                                 \
	{                                                                                          \
		.name = name_, .kind = KIND_HISTOGRAM, .bounds = bounds_, .scale = 1, __VA_ARGS__  \
	}

/* clang-format off */
const struct metric_info metric_infos[METRIC_COUNT_] = {
	[METRIC_JOBS_CLAIMED] = COUNTER("jobs_claimed", "Jobs taken from the queue."),
	[METRIC_JOBS_FINISHED] = COUNTER_BY("jobs_finished", "verdict", verdicts,
		"Jobs with a verdict that was committed."),
	[METRIC_JOBS_RETRIED] = COUNTER_BY("jobs_retried", "reason", NULL,
		"Jobs given back to be tried again, by the stage that failed."),
	[METRIC_LEASE_LOST] = COUNTER("lease_lost", "Jobs that another runner has taken over."),
	[METRIC_COMMITS] = COUNTER_BY("commits", "outcome", commits, "Commits to the queue."),
	[METRIC_DEAD] = COUNTER("dead", "Jobs given up: dead letters."),
	[METRIC_SUPERSEDED] = COUNTER("superseded", "Jobs replaced by a newer archive."),
	[METRIC_CANCELLED] = COUNTER("cancelled", "Jobs cancelled while they ran."),
	[METRIC_REDIS_ERRORS] = COUNTER("redis_errors", "Commands to Redis that failed."),
	[METRIC_REDIS_RECONNECTS] = COUNTER("redis_reconnects", "Connections to Redis made anew."),
	[METRIC_LEDGER_ERRORS] = COUNTER("ledger_errors", "Statements to the ledger that failed."),
	[METRIC_SLOT_RESTARTS] = COUNTER_BY("slot_restarts", "reason", restarts,
		"Slot processes started again."),
	[METRIC_TESTS] = COUNTER_BY("tests", "outcome", tests, "Hidden tests."),
	[METRIC_LIMIT_HITS] = COUNTER_BY("limit_hits", "limit", limits,
		"Limits that ended a submission."),
	[METRIC_SANDBOX_FAILURES] = { .name = "sandbox_failures_total", .kind = KIND_COUNTER,
		.labels = { "step", "errno" }, .help = "Jails that could not be made or entered." },
	[METRIC_ARTIFACT_BYTES] = COUNTER("artifact_bytes", "Bytes of archives fetched."),
	[METRIC_FETCHES] = COUNTER_BY("fetches", "outcome", fetches, "Fetches of archives."),
	[METRIC_CACHE_HITS] = COUNTER_BY("cache_hits", "cache", caches, "What was there already."),
	[METRIC_CACHE_MISSES] = COUNTER_BY("cache_misses", "cache", caches, "What had to be made."),

	[METRIC_SLOTS] = GAUGE("slots", .help = "Slots of this runner."),
	[METRIC_SLOTS_BUSY] = GAUGE("slots_busy", .help = "Slots that have a job."),
	[METRIC_DRAINING] = GAUGE("draining", .help = "1 while no new jobs are taken."),
	[METRIC_QUEUE_DEPTH] = GAUGE("queue_depth", .labels = { "pri" }, .help = "Jobs that wait."),
	[METRIC_QUEUE_OLDEST] = GAUGE("queue_oldest_seconds",
		.help = "How long the oldest job has been waiting."),
	[METRIC_READY_USERS] = GAUGE("ready_users", .help = "Students with a job that may run."),
	[METRIC_LEASES] = GAUGE("leases", .help = "Jobs that run, in the whole fleet."),
	[METRIC_WORKERS_ALIVE] = GAUGE("workers_alive", .help = "Runners with a recent heartbeat."),
	[METRIC_DEAD_LETTERS] = GAUGE("dead_letters", .help = "Dead letters that are kept."),
	[METRIC_SCHEMAS_OPEN] = GAUGE("schemas_open",
		.help = "Databases or schemas of submissions on the server that has them."),
	[METRIC_LAST_SUCCESS] = GAUGE("last_success_timestamp_seconds",
		.help = "When a verdict that is not IE was last committed."),
	[METRIC_BUILD_INFO] = GAUGE("build_info", .labels = { "version", "commit" },
		.help = "1, with what this is."),
	[METRIC_ENFORCED] = GAUGE("enforced", .labels = { "limit", "backend" },
		.help = "1 where the limit is enforced, 0 where it is not."),
	[METRIC_PSI_SOME] = GAUGE("psi_some", .labels = { "res" },
		.help = "Share of the last 10 s in which some task waited for it (0 to 1)."),
	[METRIC_READY] =
		GAUGE("ready", .labels = { "check" }, .help = "What /readyz says, 0 or 1."),

	[METRIC_JOB_SECONDS] = SECONDS("job_seconds", .labels = { "verdict" },
		.help = "From claim to commit."),
	[METRIC_QUEUE_WAIT_SECONDS] = SECONDS("queue_wait_seconds",
		.help = "From submission to the first claim."),
	[METRIC_STAGE_SECONDS] = SECONDS("stage_seconds", .labels = { "stage" },
		.help = "What a stage took."),
	[METRIC_JOB_CPU_SECONDS] = SECONDS("job_cpu_seconds",
		.help = "Processor time of a submission's jails."),
	[METRIC_JOB_MEMORY_PEAK] = BYTES("job_memory_peak_bytes", memory,
		.help = "The most memory that a submission's jails used."),
	[METRIC_LOG_BYTES] = BYTES("log_bytes", log_sizes, .help = "Size of a job's live log."),
};
/* clang-format on */
