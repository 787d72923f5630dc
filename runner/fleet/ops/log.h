/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the operator reads: one line for each event, on a descriptor that many processes may share.
 * A line is at most LOG_LINE_MAX bytes and goes out in one write(2), so that on a pipe, a terminal,
 * the journal and a file opened with O_APPEND the lines of several processes do not mix. What does
 * not fit is cut, and ends in "...".
 *
 * Every string is escaped: control bytes, quotes, and what is not UTF-8. All the same, what a
 * submission prints does not belong here: it goes to the submission's own log. Nor do URLs with
 * their query, which may be signed (fetch_url_display).
 *
 * Where the journal is at the other end ($JOURNAL_STREAM), lines begin with <LEVEL>, which it takes
 * off. A write that fails is not reported anywhere: nothing is left to report it to. Lines that
 * nobody reads are lost, and nobody waits for their reader (log-put.c).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 4096 /* PIPE_BUF */

enum log_format {
	LOG_FORMAT_JSON,
	LOG_FORMAT_LOGFMT,
	LOG_FORMAT_TEXT, /* for a terminal */
};

/* The numbers of syslog(3), and of the library's callback. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* A value of its own, by which one may search. */
struct log_field {
	const char
		*name; /* [a-z_]{1,32}, and not one that every line has: ts, level, msg, job ... */
	const char *text; /* NULL: the number */
	int64_t number;
};
#define LOG_TEXT(name_, text_) ((struct log_field){ .name = (name_), .text = (text_) })
#define LOG_NUMBER(name_, n_) ((struct log_field){ .name = (name_), .number = (int64_t)(n_) })
#define LOG_FIELDS(...)                                                                            \
	(const struct log_field[]){ __VA_ARGS__ },                                                 \
		sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field)

struct log {
	int fd; /* borrowed */
	enum log_format format;
	enum log_level level; /* what is above is not written */
	bool journal;
	char worker[65];
	char slot[16]; /* "" in the supervisor */
	/* Of the job at hand; "": there is none. */
	char job[65], stage[24], trace_id[33], user_hash[17];
};

/* "json", "logfmt", "text"; "error" ... "debug". 0 or -EINVAL. */
int log_format_parse(const char *text, enum log_format *ret);
int log_level_parse(const char *text, enum log_level *ret);

void log_init(struct log *ret, int fd, enum log_format format, enum log_level level,
	      const char *worker);

/*
 * The lines that follow are about this job. `student` is written as a hash: the same for the same
 * student on every worker, and no name. `traceparent` as W3C has it; "" or NULL.
 */
void log_job_begin(struct log *log, const char *id, const char *student, const char *traceparent);
void log_stage(struct log *log, const char *stage); /* "" or NULL: none */
void log_job_end(struct log *log);

/* Fields may be NULL, 0; see LOG_FIELDS. errno is kept. */
void log_write(const struct log *log, enum log_level level, const struct log_field *fields,
	       size_t n_fields, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#define log_error(log, ...) log_write(log, LOG_LEVEL_ERROR, NULL, 0, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, NULL, 0, __VA_ARGS__)
#define log_info(log, ...) log_write(log, LOG_LEVEL_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(log, ...) log_write(log, LOG_LEVEL_DEBUG, NULL, 0, __VA_ARGS__)
