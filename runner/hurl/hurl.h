/* SPDX-License-Identifier: MIT */
/*
 * hurl: a native engine for a documented subset of Hurl (docs/hurl.md).
 *
 * Two steps. hurl_file_load() turns one test file (.hurl, or .json: the same written as JSON) into
 * an immutable struct; hurl_run() sends the
 * requests of any number of loaded files and calls back once per case. Files are independent of
 * each other; inside a file, variables, captures and cookies persist.
 *
 * Invariants
 *  - The server under test is hostile. Every size, count, depth and time that it influences has a
 *    cap below; reaching one fails the case and nothing else. What it sent reaches a caller only
 *    through struct hurl_failure, whose strings are valid UTF-8 without control bytes.
 *  - Nothing of the file is ignored: what the subset lacks is refused by name when it is loaded.
 *  - No globals, no signal handlers, no output, no exit. A loaded file is never written to.
 *
 * Functions return 0 or -errno. Outputs are not touched on failure.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What every request says about its sender, together with "Accept: * / *" (without the blanks).
 * The readiness probe sends the same two headers in the same order after Host, so that a server
 * cannot tell it from a test.
 */
#define HURL_USER_AGENT "hurl-subset/1"

#define HURL_MAX_SOURCE (1024 * 1024)		/* bytes of one .hurl file */
#define HURL_MAX_ENTRIES 10000			/* requests in one file */
#define HURL_MAX_BODY (8 * 1024 * 1024)		/* bytes of a response body, after decompression */
/* of one response, interim answers and trailers included */
#define HURL_MAX_HEADER_BYTES (64 * 1024)
#define HURL_MAX_HEADERS 100
#define HURL_MAX_COOKIE_BYTES (1024 * 1024)	/* Set-Cookie bytes that one file's run accepts */
#define HURL_MAX_JSON_DEPTH 200
#define HURL_MAX_JSON_VALUES 250000		/* values in one response */
#define HURL_MAX_NODES 1000000			/* nodes that one JSONPath may visit or select */
#define HURL_MAX_CAPTURE (1024 * 1024)		/* bytes of one captured value */
#define HURL_MAX_SCRATCH (96 * 1024 * 1024)	/* memory of one request with its asserts */
#define HURL_MAX_REDIRECTS 20
#define HURL_MAX_NAME 200			/* bytes of a case name */
#define HURL_MAX_ASSET (8 * 1024 * 1024)	/* bytes of one file,NAME; */
#define HURL_MAX_ASSETS 64			/* in one test file */
#define HURL_MAX_ASSET_NAME 255
#define HURL_MAX_PARALLEL 50			/* copies of a case at once */
#define HURL_MAX_REPEAT 1000
#define HURL_MAX_CASE_REQUESTS 10000		/* of a case with its copies and rounds */
#define HURL_MAX_ASKS 1000			/* things that one file wants of the host */
#define HURL_MAX_SQL 2000			/* bytes of one statement */
#define HURL_MAX_ANSWER 400			/* bytes of what the host says */
#define HURL_DEFAULT_REQUEST_MS 5000
#define HURL_MAX_REQUEST_MS 60000

struct hurl_file;

/*
 * Where and why a file was refused. line 0: the file as a whole (it cannot be read, it is too big).
 */
struct hurl_error {
	char file[256];
	unsigned int line;
	unsigned int column;	/* counted in characters, from 1 */
	char text[512];		/* what was expected, what is wrong, what to do */
	char source[160];	/* the source line, cut around the column and escaped; "" if none */
	unsigned int caret;	/* characters of source before the column */
};

/*
 * @name is what messages and reports call the file. -EINVAL: refused, *ret_err says why. Files that
 * it names (file,NAME;) are read by hurl_file_load() only, from its folder.
 */
int hurl_file_load(struct hurl_file **ret, const char *path, const char *name,
		   struct hurl_error *ret_err);
int hurl_file_parse(struct hurl_file **ret, const char *name, const char *text, size_t len,
		    struct hurl_error *ret_err);
struct hurl_file *hurl_file_free(struct hurl_file *f);
size_t hurl_file_cases(const struct hurl_file *f);

/*
 * What a test file asks of the host of the server: parsed from the same bytes it is the same list
 * for the host, so that an index says it all.
 */
enum hurl_ask_kind {
	HURL_ASK_RESTART,	/* end the server, start it again, wait until it is ready */
	HURL_ASK_SQL,		/* one statement as the application's role */
	HURL_ASK_MEMORY,	/* bytes that the server's jail holds */
};

struct hurl_ask {
	enum hurl_ask_kind kind;
	const char *sql;
	unsigned int line;
};

size_t hurl_file_asks(const struct hurl_file *f);
const struct hurl_ask *hurl_file_ask(const struct hurl_file *f, size_t i);

enum hurl_answer_status {
	HURL_ANSWER_DONE,	/* number */
	HURL_ANSWER_TEXT,	/* text: the value of the statement */
	HURL_ANSWER_NULL,	/* it is NULL */
	HURL_ANSWER_FAILED,	/* text: why; the case fails */
	HURL_ANSWER_GONE,	/* text: why; there is no server any more, all that follows fails */
};

/* A packet between a tester and its host; the question is a uint32_t index. */
struct hurl_answer {
	uint32_t status;
	uint32_t len;		/* of text */
	uint64_t number;
	char text[HURL_MAX_ANSWER];
};

/* The other form of the same file, a text of the caller's (free); -EOPNOTSUPP: see @ret_err. */
int hurl_file_to_json(const struct hurl_file *f, char **ret, struct hurl_error *ret_err);
int hurl_file_to_hurl(const struct hurl_file *f, char **ret, struct hurl_error *ret_err);

/* "file:line:column: text" into @out, always terminated. */
void hurl_error_format(const struct hurl_error *err, char *out, size_t size);

struct hurl_case_info {
	const char *file;
	const char *name;
	const char *group;	/* NULL: none */
	const char *requires;	/* NULL, or the group that must have passed so far */
	const char *hint;	/* NULL, or what to tell who failed it */
	unsigned int line;
	unsigned int points;
	bool hidden;
};

enum hurl_status {
	HURL_PASSED,
	HURL_FAILED,
	HURL_SKIPPED,		/* not run: the total deadline passed, or the run was cancelled */
};

/* All strings are escaped for display and bounded (message 512, request 320, the others 1,200). */
struct hurl_failure {
	const char *message;
	const char *file;
	unsigned int line;	/* 0: no place in the file */
	unsigned int column;
	const char *request;	/* "POST /signup", "" if no request was made */
	const char *expected;	/* "" if the message says it all */
	const char *actual;
	const char *source;	/* the source line, as in struct hurl_error */
	unsigned int caret;
};

struct hurl_case_result {
	const struct hurl_case_info *info;
	enum hurl_status status;
	unsigned int requests;
	double duration_ms;
	const struct hurl_failure *failure;	/* NULL when passed */
};

struct hurl_summary {
	unsigned int passed, failed, skipped, total;
	uint64_t points, max_points;
	double duration_ms;
	unsigned int left_out;	/* asks that HURL_SKIP_ASKS left out */
	bool timed_out;		/* the total deadline cut the run */
	bool cancelled;
};

struct hurl_variable {
	const char *name;
	/* true, false, null and numbers are typed, "..." is a string without its quotes */
	const char *value;
};

#define HURL_LOOPBACK_ONLY 1u	/* connect to 127.0.0.0/8 and ::1 and nowhere else */
#define HURL_ALLOW_HTTPS 2u	/* https:// URLs too; certificates are verified */
#define HURL_SKIP_ASKS 4u	/* leave out what only a host can do (counted in the summary) */

struct hurl_run_options {
	/* NULL, or the URL that {{base}} and {{port}} are made of */
	const char *base;
	const struct hurl_variable *variables;	/* initial variables of every file */
	size_t variable_count;
	unsigned int flags;
	uint64_t total_timeout_ms;		/* 0: none */
	/* NULL, or: non-zero ends the run within a second */
	const volatile sig_atomic_t *cancel;
	void (*on_case)(void *userdata, const struct hurl_case_result *result);
	/*
	 * @index counts the asks of all files. <0: the host is gone, the case fails. NULL: there is
	 * no host; hurl_run() refuses files that need one, unless HURL_SKIP_ASKS.
	 */
	int (*ask)(void *userdata, uint32_t index, struct hurl_answer *ret);
	void *userdata;
};

/*
 * Once per process, before the first hurl_run and before threads; @tls false saves some
 * milliseconds.
 */
int hurl_global_init(bool tls);

/*
 * What hurl_run() would refuse before its first request: asks without a host, groups that nothing
 * is of. -EINVAL: see @ret_err.
 */
int hurl_check_run(struct hurl_file *const *files, size_t count,
		   const struct hurl_run_options *options, struct hurl_error *ret_err);

/*
 * Runs all cases of all files in order. on_case is called exactly once per case, skipped ones
 * included. A failing case is a result, not an error: <0 only means that the engine could not
 * work (-ENOMEM), -EINVAL a malformed option, described in @ret_err.
 */
int hurl_run(struct hurl_file *const *files, size_t count, const struct hurl_run_options *options,
	     struct hurl_summary *ret, struct hurl_error *ret_err);

/* "127.0.0.1:80" and the like: checks "http[s]://host[:port][/path]" as hurl_run does. */
int hurl_check_base(const char *url, unsigned int flags, char *ret_why, size_t why_size);
