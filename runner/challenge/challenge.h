/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A challenge: a folder with challenge.json (docs/challenge.md) and the hidden tests. Written by
 * teachers, so its errors name file, line and `$.path`; loaded whole before anything is run.
 *
 * The tests are read once, here. What is checked is what is run: the tester gets these bytes, not
 * the files, so that they may be readable by their owner only and may change meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reveal {
	REVEAL_NONE,     /* how many tests passed */
	REVEAL_NAMES,    /* which ones */
	REVEAL_MESSAGES, /* and what the failing ones expected and got */
	REVEAL_ALL,      /* hidden ones too: for teachers, by the command line only */
};

enum command_kind {
	COMMAND_AUTO, /* what the submission's package.json says */
	COMMAND_NONE, /* null: this step does nothing */
	COMMAND_ARGV,
};

/*
 * `argv` is NULL-terminated; for "migrate" it holds files and folders ("dir/") of the submission.
 */
struct challenge_command {
	enum command_kind kind;
	char **argv;
};

/* Which packages may run install scripts, in the install jail only. */
enum scripts_kind {
	SCRIPTS_AUTO, /* all that have one and need it */
	SCRIPTS_NONE,
	SCRIPTS_LISTED,
};

struct challenge_scripts {
	enum scripts_kind kind;
	char **packages; /* names, NULL-terminated; of SCRIPTS_LISTED */
};

/* Bytes, nanoseconds, thousandths of a processor. */
struct challenge_limits {
	uint64_t memory;
	uint64_t disk;
	uint64_t output; /* of stdout and of stderr, each */
	uint64_t database_disk;
	uint64_t database_memory;
	uint32_t pids;
	uint32_t cpu_milli;
	uint64_t boot_ns;
	uint64_t tests_ns;
	uint64_t install_ns;
	uint64_t build_ns;
	uint64_t cpu_time_ns;
};

/* What a test file is run with. */
enum tests_runner {
	TESTS_HURL,
	TESTS_VITEST,
	TESTS_JEST,
	TESTS_NODE,
};

/* `name` is relative to the folder; `mount` is its name below /tests in the tester's jail. */
struct challenge_test {
	char *name;
	char *mount;
	char *text;
	size_t size;
	uint32_t cases;
	enum tests_runner runner; /* those of one lie together */
};

/* A further file that the suites need: a helper, a fixture, a configuration. */
struct challenge_file {
	char *name;
	char *text;
	size_t size;
};

/* What the suites need besides, of a package.json beside them; of npm. */
struct challenge_packages {
	char *folder;	/* where it is: "tests/", or "" for the folder of the challenge */
	char *manifest; /* reduced to what is to be installed; NULL: nothing */
	char *lockfile; /* NULL: none */
	size_t lockfile_size;
};

/*
 * How the JavaScript test suites are run; their cases are known once they are published (suite.h).
 */
struct challenge_suite {
	bool given;		  /* the key is there */
	bool no_fast;		  /* "fast": false */
	bool forced;		  /* `runner` instead of what each file says */
	enum tests_runner runner;
	uint32_t total; /* tests that they must have; 0: not said */
	double points;	/* of each test */
	struct challenge_file *files;
	uint32_t n_files;
	struct challenge_packages packages;
	bool published;
};

/* A file that a test names (file,NAME;), for the tester's jail: below /tests. */
struct challenge_asset {
	char *mount;
	char *data;
	size_t size;
};

/*
 * What a line of a test may ask the host for (hurl.h: enum hurl_ask_kind); the tester says which
 * one.
 */
struct challenge_ask {
	int kind;
	char *sql; /* NULL: no statement */
};

/* One case as the files declare it, in the order in which the tester runs them. */
struct challenge_case {
	char *name;
	char *group; /* NULL: none */
	char *hint;  /* NULL, or what to tell who failed it */
	const char *file;
	uint32_t line;
	double points;
	bool hidden;
};

struct challenge {
	char *dir;
	char *title;
	struct challenge_test *tests;
	uint32_t n_tests;
	struct challenge_asset *assets;
	uint32_t n_assets;
	struct challenge_ask *asks; /* of all test files, in their order */
	uint32_t n_asks;
	struct challenge_case *cases;
	uint32_t n_cases;
	double case_points; /* the sum of the cases' own points */
	struct challenge_command install, build, migrate, start;
	bool migrate_runs; /* migrate.argv is a command, not files */
	struct challenge_scripts install_scripts;
	bool lockfile_required; /* else versions are resolved once when it is missing or outdated */
	bool use_node_modules;	/* of the archive, when there is no lockfile */
	bool any_port; /* the server may listen elsewhere; `port` is what the tests address */
	uint16_t port;
	char *health;  /* path; NULL: any HTTP answer on / means ready */
	bool postgres; /* "database": "postgres" */
	struct challenge_limits limits;
	enum reveal reveal;
	double points; /* 0: the sum of the tests' points */
	char **env;    /* "KEY=value"; NULL-terminated, never NULL */
	struct challenge_suite suite;
	char *template; /* folder below `dir` that students start from; NULL: none */
};

#define CHALLENGE_MAX_CASES 5000
#define CHALLENGE_ERROR_SIZE 1024

/*
 * Loads and checks `dir`/challenge.json and its tests. 0, -ENOMEM, or -EINVAL with `why` (of
 * CHALLENGE_ERROR_SIZE bytes) saying what is wrong where and what to do.
 */
int challenge_load(struct challenge **ret, const char *dir, char *why);
/* The same with challenge.json from memory; `dir` is where its tests are. */
int challenge_parse(struct challenge **ret, const char *dir, const char *text, size_t size,
		    char *why);
/* One without tests, all else as if nothing was said. NULL: out of memory. */
struct challenge *challenge_bare(void);
struct challenge *challenge_free(struct challenge *c);
static inline void challenge_freep(struct challenge **c)
{
	challenge_free(*c);
}

/* "none", "names", "messages", "all"; -EINVAL otherwise. */
int reveal_parse(const char *s, enum reveal *ret);
const char *reveal_name(enum reveal r);
