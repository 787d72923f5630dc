/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an operator says to sandbox-runner (docs/sandbox-runner.conf.5.scd documents every key). A
 * key is a path, "redis.url"; its value is a text that is parsed by the key's kind, wherever it
 * comes from:
 *
 *   flag         --redis-url VALUE
 *   environment  SANDBOX_RUNNER_REDIS_URL=VALUE; of a secret also
 *                SANDBOX_RUNNER_REDIS_URL_FILE=PATH, the value being the first line of that file
 *   file         { "redis": { "url": VALUE } }, JSON with comments
 *   default
 *
 * The first of these that says something counts; lists are taken as a whole. A key that is unknown
 * is an error with a suggestion, since a limit that was misspelt is not one that was left out.
 *
 * A configuration is also how a supervisor tells its slots: as the file that config_write() makes
 * of it.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum devforces_mode {
	DEVFORCES_OFF,
	DEVFORCES_PUBLISH,
	DEVFORCES_PUBLISH_RANK,
};

enum database_provider {
	DATABASE_INSTANCE,
	DATABASE_SERVER,
};

#define CONFIG_KEYS_MAX 64
#define CONFIG_WHY 1200

struct config_value {
	char *text; /* NULL: not said, and there is no default */
	char *from; /* "default", "--slots", "SANDBOX_RUNNER_SLOTS", the file's name */
	int rank;   /* of where it came from: enum config_source */
};

/* Strings and lists belong to it; a string that was not given is NULL, a list is never NULL. */
struct fleet_config {
	const char *name;
	uint64_t slots;
	bool read_by_all, written_by_all; /* all users of this machine may do that with the file */
	char *open_secret; /* what is wrong with who can read a file of a secret; NULL: nothing */

	const char *challenges, *store, *policies;
	uint64_t store_size;

	struct {
		const char *url, *prefix;
		uint64_t timeout_ns;
	} redis;
	struct {
		const char *url, *schema;
		uint64_t timeout_ns;
	} ledger;
	struct {
		uint64_t lease_ns, max_attempts, depth, student_waiting, student_running, keep_ns;
		char **intake;
	} queue;
	struct {
		char **hosts, **networks;
		const char *file_root, *ca_file;
		bool https_only;
		uint64_t max_size, timeout_ns, connect_timeout_ns;
	} fetch;
	struct {
		uint64_t provider; /* enum database_provider */
		const char *url;
		uint64_t isolation; /* 0: a database each, 1: a schema each */
		const char *shared, *template, *temp_file_limit;
		uint64_t connections, ahead;
	} database;
	struct {
		uint64_t jobs, timeout_ns;
		bool ahead;
	} judge;
	struct {
		uint64_t devforces; /* enum devforces_mode */
		const char *database_url, *folder;
		bool fast;
	} compat;

	uint32_t allow_unenforced; /* SBX_LIMIT_* */
	uint64_t drain_timeout_ns, self_test_ns;
	uint64_t memory_pressure, cpu_pressure; /* percent */
	uint64_t disk_free, inodes_free;        /* bytes, percent */
	const char *listen;                     /* NULL: nothing listens */
	bool listen_anywhere;
	struct {
		uint64_t level;  /* an index: error, warning, info, debug */
		uint64_t format; /* 0: by what stdout is; 1 + enum log_format of ops/log.h */
	} log;

	struct config_value values[CONFIG_KEYS_MAX]; /* by the index of the key */
	char ***lists;                               /* all that were made, to be freed */
	size_t n_lists;
};

enum config_kind {
	CONFIG_STRING,
	/* made absolute: of a file below its folder, else below the working directory */
	CONFIG_PATH,
	CONFIG_NUMBER,   /* uint64_t */
	CONFIG_SIZE,     /* uint64_t, "50M" */
	CONFIG_DURATION, /* uint64_t, nanoseconds, "15s" */
	CONFIG_BOOL,
	CONFIG_CHOICE, /* uint64_t, an index into choices */
	CONFIG_LIST,   /* char **, NULL-terminated; as a text with commas */
	CONFIG_LIMITS, /* uint32_t of SBX_LIMIT_*; a list of their names */
};

#define CONFIG_SECRET 1u   /* masked when printed; may come from a file of its own */
#define CONFIG_RESTART 2u  /* a reload does not change it */
#define CONFIG_REQUIRED 4u /* a worker cannot run without */

struct config_key {
	const char *path;
	enum config_kind kind;
	uint32_t flags;
	size_t offset;
	const char *by_default; /* NULL: none, or computed */
	uint64_t min, max;      /* of numbers */
	const char *const *choices;
	const char *argument, *help; /* of its option */
};
/* Ends with a path that is NULL. */
extern const struct config_key config_keys[];
size_t config_key_count(void);
int config_key_index(const char *path); /* -1: there is none */
/* "redis.url" as "redis-url", and as "SANDBOX_RUNNER_REDIS_URL". */
#define CONFIG_NAME 64
void config_option_name(const struct config_key *k, char ret[CONFIG_NAME]);
void config_variable_name(const struct config_key *k, char ret[CONFIG_NAME]);

/* What the command line says: by the index of the key; NULL: nothing. */
struct config_flags {
	const char *file;
	const char *text[CONFIG_KEYS_MAX];
};

/*
 * Reads flags, environment, file (that of the flags, of $SANDBOX_RUNNER_CONFIG, or none) and
 * defaults. 0; -EINVAL or -ENOMEM and `why` is a sentence that names the place.
 */
int config_load(struct fleet_config *ret, const struct config_flags *flags, char why[CONFIG_WHY]);
/* Of what config_write() made, alone. */
int config_parse(struct fleet_config *ret, const char *name, const char *text, size_t size,
		 char why[CONFIG_WHY]);
/* What single values cannot tell; `serving`: what a worker needs must be there. */
int config_check(const struct fleet_config *c, bool serving, char why[CONFIG_WHY]);
void config_done(struct fleet_config *c);

/*
 * As the file that says the same. `annotate`: a comment behind each value says where it comes from.
 */
int config_write(FILE *to, const struct fleet_config *c, bool secrets, bool annotate);

/* The key whose value differs and of which a reload says that it takes a restart; NULL: none. */
const char *config_needs_restart(const struct fleet_config *a, const struct fleet_config *b);

/*
 * config-set.c: one value from its text. `base`: the folder of relative paths, NULL: the working
 * one.
 */
enum config_source {
	CONFIG_FROM_NOTHING,
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_FLAG,
};
int config_set(struct fleet_config *c, const struct config_key *k, const char *text,
	       const char *base, enum config_source source, const char *from, char why[CONFIG_WHY]);
