/* SPDX-License-Identifier: MIT */

/* The table of keys: all that can be said, with kinds, ranges and defaults. */

#include "fleet/config/config.h"

#include <ctype.h>

#include "util/util.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define AT(member) offsetof(struct fleet_config, member)

static const char *const providers[] = { "instance", "server", NULL };
static const char *const isolations[] = { "database", "schema", NULL };
static const char *const modes[] = { "off", "publish", "publish+rank", NULL };
static const char *const levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const formats[] = { "auto", "json", "logfmt", "text", NULL };

const struct config_key config_keys[] = {
	{ "name", CONFIG_STRING, CONFIG_RESTART, AT(name), NULL, 0, 0, NULL, "NAME",
	  "of this worker, as leases and results tell it (default: the host's name)" },
	{ "slots", CONFIG_NUMBER, 0, AT(slots), NULL, 1, 1024, NULL, "N",
	  "submissions judged at the same time (default: the number of processors)" },
	{ "challenges", CONFIG_PATH, 0, AT(challenges), NULL, 0, 0, NULL, "DIR",
	  "folder with a folder for each challenge, by its id" },
	{ "store", CONFIG_PATH, 0, AT(store), NULL, 0, 0, NULL, "DIR",
	  "runtimes and installed packages (default: that of sandbox-run)" },
	{ "store_size", CONFIG_SIZE, 0, AT(store_size), "10G", 100 * MIB, 1ull << 50, NULL, "SIZE",
	  "what installed packages may take on the disk" },
	{ "policies", CONFIG_PATH, 0, AT(policies), NULL, 0, 0, NULL, "DIR",
	  "folder of the policies (default: the installation's)" },
	{ "redis.url", CONFIG_STRING, CONFIG_SECRET | CONFIG_RESTART | CONFIG_REQUIRED,
	  AT(redis.url), "redis://127.0.0.1:6379", 0, 0, NULL, "URL",
	  "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix:///PATH[?db=N]" },
	{ "redis.prefix", CONFIG_STRING, CONFIG_RESTART | CONFIG_REQUIRED, AT(redis.prefix),
	  "sbx:{q}:", 0, 0, NULL, "TEXT", "of all keys in Redis" },
	{ "redis.timeout", CONFIG_DURATION, 0, AT(redis.timeout_ns), "2s", 50 * NSEC_PER_MSEC,
	  MINUTE, NULL, "TIME", "for one command" },
	{ "ledger.url", CONFIG_STRING, CONFIG_SECRET | CONFIG_REQUIRED, AT(ledger.url), NULL, 0, 0,
	  NULL, "URL", "the Postgres that keeps all results (required)" },
	{ "ledger.schema", CONFIG_STRING, CONFIG_REQUIRED, AT(ledger.schema), "sandbox", 0, 0, NULL,
	  "NAME", "the schema that its tables are in" },
	{ "ledger.timeout", CONFIG_DURATION, 0, AT(ledger.timeout_ns), "5s", 50 * NSEC_PER_MSEC,
	  MINUTE, NULL, "TIME", "for one statement" },
	{ "queue.lease", CONFIG_DURATION, CONFIG_RESTART, AT(queue.lease_ns), "15s", NSEC_PER_SEC,
	  10 * MINUTE, NULL, "TIME",
	  "how long a submission stays with a worker that is not heard of" },
	{ "queue.max_attempts", CONFIG_NUMBER, 0, AT(queue.max_attempts), "3", 1, 1000, NULL, "N",
	  "after so many failures of ours a submission gets the verdict IE" },
	{ "queue.depth", CONFIG_NUMBER, 0, AT(queue.depth), "10000", 1, 10000000, NULL, "N",
	  "submissions that may wait; more are refused" },
	{ "queue.student_waiting", CONFIG_NUMBER, 0, AT(queue.student_waiting), "3", 1, 100000,
	  NULL, "N", "submissions of one student that may wait" },
	{ "queue.student_running", CONFIG_NUMBER, 0, AT(queue.student_running), "1", 1, 1000, NULL,
	  "N", "submissions of one student that are judged at the same time" },
	{ "queue.keep", CONFIG_DURATION, 0, AT(queue.keep_ns), "7d", MINUTE, 366 * 24 * HOUR, NULL,
	  "TIME", "how long Redis keeps what is done, with its result; the ledger keeps all" },
	{ "queue.intake", CONFIG_LIST, CONFIG_RESTART, AT(queue.intake), "", 0, 0, NULL, "LIST",
	  "lists in Redis that producers push submissions into" },
	{ "fetch.hosts", CONFIG_LIST, 0, AT(fetch.hosts), "", 0, 0, NULL, "LIST",
	  "servers that archives are fetched from: HOST, *.DOMAIN, with :PORT" },
	{ "fetch.networks", CONFIG_LIST, 0, AT(fetch.networks), "", 0, 0, NULL, "LIST",
	  "private networks that these servers may be in: 10.1.0.0/16" },
	{ "fetch.file_root", CONFIG_PATH, 0, AT(fetch.file_root), NULL, 0, 0, NULL, "DIR",
	  "what file: URLs are below; without it they are refused" },
	{ "fetch.ca_file", CONFIG_PATH, 0, AT(fetch.ca_file), NULL, 0, 0, NULL, "FILE",
	  "certificates of authorities that are trusted (default: the system's)" },
	{ "fetch.https_only", CONFIG_BOOL, 0, AT(fetch.https_only), "false", 0, 0, NULL, "YES",
	  "refuse http: URLs" },
	{ "fetch.max_size", CONFIG_SIZE, 0, AT(fetch.max_size), "50M", KIB, 50 * MIB, NULL, "SIZE",
	  "of an archive" },
	{ "fetch.timeout", CONFIG_DURATION, 0, AT(fetch.timeout_ns), "60s", NSEC_PER_SEC, HOUR,
	  NULL, "TIME", "for the whole of a fetch" },
	{ "fetch.connect_timeout", CONFIG_DURATION, 0, AT(fetch.connect_timeout_ns), "10s",
	  100 * NSEC_PER_MSEC, HOUR, NULL, "TIME", "until the server is connected" },
	{ "database.provider", CONFIG_CHOICE, 0, AT(database.provider), "instance", 0, 0, providers,
	  "WHICH", "the students' databases: instance (one made for each) or server" },
	{ "database.url", CONFIG_STRING, CONFIG_SECRET, AT(database.url), NULL, 0, 0, NULL, "URL",
	  "of the server, as a role that may create roles and databases" },
	{ "database.isolation", CONFIG_CHOICE, 0, AT(database.isolation), "database", 0, 0,
	  isolations, "WHAT", "on a server, of each submission's own: database or schema" },
	{ "database.shared", CONFIG_STRING, 0, AT(database.shared), NULL, 0, 0, NULL, "NAME",
	  "with isolation schema: the database that all of them share" },
	{ "database.template", CONFIG_STRING, 0, AT(database.template), NULL, 0, 0, NULL, "NAME",
	  "of each submission's database (default: template0)" },
	{ "database.temp_file_limit", CONFIG_STRING, 0, AT(database.temp_file_limit), NULL, 0, 0,
	  NULL, "SIZE", "of each session, as Postgres writes it (default: 64MB)" },
	{ "database.connections", CONFIG_NUMBER, 0, AT(database.connections), "20", 1, 60, NULL,
	  "N", "of one submission to its database at the same time" },
	{ "database.ahead", CONFIG_NUMBER, 0, AT(database.ahead), "1", 0, 4, NULL, "N",
	  "databases that each slot has ready on the server" },
	{ "judge.jobs", CONFIG_NUMBER, 0, AT(judge.jobs), "500", 1, 1000000, NULL, "N",
	  "submissions after which a judging process is replaced" },
	{ "judge.ahead", CONFIG_BOOL, 0, AT(judge.ahead), "true", 0, 0, NULL, "YES",
	  "make jails and database of the next submission while a slot is idle" },
	{ "judge.timeout", CONFIG_DURATION, 0, AT(judge.timeout_ns), "30m", 10 * NSEC_PER_SEC,
	  24 * HOUR, NULL, "TIME", "for one submission, whatever its challenge allows" },
	{ "compat.devforces", CONFIG_CHOICE, CONFIG_RESTART, AT(compat.devforces), "off", 0, 0,
	  modes, "MODE", "stand in for DevForces' worker: off, publish or publish+rank" },
	{ "compat.database_url", CONFIG_STRING, CONFIG_SECRET, AT(compat.database_url), NULL, 0, 0,
	  NULL, "URL", "DevForces' own Postgres, which is only read" },
	{ "compat.folder", CONFIG_PATH, 0, AT(compat.folder), "/var/lib/sandbox-runner/devforces",
	  0, 0, NULL, "DIR", "where challenges of DevForces are kept as folders" },
	{ "compat.fast", CONFIG_BOOL, 0, AT(compat.fast), "false", 0, 0, NULL, "YES",
	  "run its suites without Vitest where that is proven to agree" },
	{ "allow_unenforced", CONFIG_LIMITS, 0, AT(allow_unenforced), "", 0, 0, NULL, "LIST",
	  "limits to go without where this host cannot enforce them" },
	{ "memory_pressure", CONFIG_NUMBER, 0, AT(memory_pressure), "40", 1, 100, NULL, "PERCENT",
	  "claim nothing while programs wait for memory for more of the time" },
	{ "cpu_pressure", CONFIG_NUMBER, 0, AT(cpu_pressure), "100", 1, 100, NULL, "PERCENT",
	  "claim nothing while programs wait for a processor for more of the time; 100: never" },
	{ "disk_free", CONFIG_SIZE, 0, AT(disk_free), "512M", KIB, 1ull << 60, NULL, "SIZE",
	  "claim nothing while the store's file system has less" },
	{ "inodes_free", CONFIG_NUMBER, 0, AT(inodes_free), "1", 0, 100, NULL, "PERCENT",
	  "claim nothing while fewer of its inodes are free" },
	{ "self_test", CONFIG_DURATION, 0, AT(self_test_ns), "10m", NSEC_PER_SEC, 24 * HOUR, NULL,
	  "TIME", "how often to test, while serving, that jails are what the policies demand" },
	{ "drain_timeout", CONFIG_DURATION, 0, AT(drain_timeout_ns), "90s", NSEC_PER_MSEC,
	  24 * HOUR, NULL, "TIME", "for what is running when the worker is asked to end" },
	{ "listen", CONFIG_STRING, CONFIG_RESTART, AT(listen), NULL, 0, 0, NULL, "ADDRESS",
	  "/metrics, /readyz and more: 127.0.0.1:9464 or unix:/PATH (default: nowhere)" },
	{ "listen_anywhere", CONFIG_BOOL, CONFIG_RESTART, AT(listen_anywhere), "false", 0, 0, NULL,
	  "YES", "that address need not be a loopback one; there is no login" },
	{ "log.level", CONFIG_CHOICE, 0, AT(log.level), "info", 0, 0, levels, "LEVEL",
	  "error, warning, info or debug" },
	{ "log.format", CONFIG_CHOICE, 0, AT(log.format), "auto", 0, 0, formats, "FORMAT",
	  "json, logfmt, text or auto (text on a terminal)" },
	{ NULL },
};

_Static_assert(ARRAY_SIZE(config_keys) <= CONFIG_KEYS_MAX, "CONFIG_KEYS_MAX is too small");

size_t config_key_count(void)
{
	return ARRAY_SIZE(config_keys) - 1;
}

int config_key_index(const char *path)
{
	for (size_t i = 0; config_keys[i].path; i++) {
		if (streq(config_keys[i].path, path))
			return (int)i;
	}
	return -1;
}

void config_option_name(const struct config_key *k, char ret[CONFIG_NAME])
{
	copy_string(ret, CONFIG_NAME, k->path);
	for (char *p = ret; *p; p++)
		*p = (char)(*p == '.' || *p == '_' ? '-' : *p);
}

void config_variable_name(const struct config_key *k, char ret[CONFIG_NAME])
{
	int n = snprintf(ret, CONFIG_NAME, "SANDBOX_RUNNER_%s", k->path);

	for (int i = 0; i < MIN_OF(n, CONFIG_NAME - 1); i++)
		ret[i] = (char)(ret[i] == '.' ? '_' : toupper((unsigned char)ret[i]));
}
