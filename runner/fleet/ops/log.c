/* SPDX-License-Identifier: MIT */

/*
 * A line is built in a buffer on the stack and written at once. The head (time, level, worker, job)
 * has a bounded size, the message at most MESSAGE_MAX bytes; fields follow as long as they fit
 * whole, so that what is written is always well-formed.
 */

#include "fleet/ops/log.h"

#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fleet/ops/log-put.h"
#include "inside/text.h"
#include "util/util.h"

#define MESSAGE_MAX 2048
#define FIELD_MAX 512
#define TAIL 8 /* what closes the line */

struct line {
	char buf[LOG_LINE_MAX];
	size_t n;
	enum log_format format;
	bool first;
};

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "error", LOG_LEVEL_ERROR },
	{ "warning", LOG_LEVEL_WARNING },
	{ "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (streq(text, levels[i].name)) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *level_name(enum log_level level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (level <= levels[i].level)
			return levels[i].name;
	return "debug";
}

int log_format_parse(const char *text, enum log_format *ret)
{
	static const char *const names[] = { "json", "logfmt", "text" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(text, names[i])) {
			*ret = (enum log_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* $JOURNAL_STREAM is "DEVICE:INODE" of the socket that the service manager gave us. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_init(struct log *ret, int fd, enum log_format format, enum log_level level,
	      const char *worker)
{
	memset(ret, 0, sizeof(*ret));
	ret->fd = fd;
	ret->format = format;
	ret->level = level;
	ret->journal = is_journal(fd);
	copy_string(ret->worker, sizeof(ret->worker), worker ? worker : "");
}

static void hash_name(char ret[static 17], const char *name)
{
	uint8_t hash[8];
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, strlen(name), (const uint8_t *)name);
	sha256_digest(&c, sizeof(hash), hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

/* "00-TRACE_ID-PARENT-FLAGS", the trace id 32 hex digits. */
static void take_trace_id(char ret[static 33], const char *traceparent)
{
	const char *id = traceparent + 3;

	if (strlen(traceparent) < 36 || traceparent[2] != '-' || id[32] != '-' ||
	    strspn(id, "0123456789abcdef") != 32)
		return;
	copy_string(ret, 33, id);
}

void log_job_begin(struct log *log, const char *id, const char *student, const char *traceparent)
{
	log_job_end(log);
	copy_string(log->job, sizeof(log->job), id);
	if (student && *student)
		hash_name(log->user_hash, student);
	if (traceparent)
		take_trace_id(log->trace_id, traceparent);
}

void log_stage(struct log *log, const char *stage)
{
	copy_string(log->stage, sizeof(log->stage), stage ? stage : "");
}

void log_job_end(struct log *log)
{
	log->job[0] = log->stage[0] = log->trace_id[0] = log->user_hash[0] = '\0';
}

/* One character of `s` in the escapes of JSON: bytes of `out`, *ret_taken those of `s`. */
static size_t escape_one(char out[static 16], const char *s, size_t n, bool quotes,
			 size_t *ret_taken)
{
	uint32_t code;
	size_t taken = utf8_sequence((const uint8_t *)s, n, &code);

	*ret_taken = taken ? taken : 1;
	if (!taken)
		return (size_t)snprintf(out, 16, "\\ufffd");
	if (quotes && (code == '"' || code == '\\'))
		return (size_t)snprintf(out, 16, "\\%c", (char)code);
	if (code == '\n')
		return (size_t)snprintf(out, 16, "\\n");
	if (code_is_control(code) && code < 0x10000)
		return (size_t)snprintf(out, 16, "\\u%04x", (unsigned int)code);
	memcpy(out, s, taken);
	return taken;
}

/* At most `max` bytes of `s`, escaped, as far as there is room for it and the tail. */
static void add_escaped(struct line *l, const char *s, size_t max, bool quotes)
{
	size_t n = strlen(s), room = sizeof(l->buf) - l->n, end, taken, got;
	char one[16];

	end = l->n + MIN_OF(max, room > TAIL + 8 ? room - TAIL - 8 : 0);
	while (n > 0) {
		got = escape_one(one, s, n, quotes, &taken);
		if (l->n + got + 3 > end) {
			memcpy(l->buf + l->n, "...", 3);
			l->n += 3;
			return;
		}
		memcpy(l->buf + l->n, one, got);
		l->n += got;
		s += taken;
		n -= taken;
	}
}

static void add_raw(struct line *l, const char *s)
{
	size_t n = strlen(s);

	memcpy(l->buf + l->n, s, n);
	l->n += n;
}

static void add_name(struct line *l, const char *name)
{
	if (!l->first)
		add_raw(l, l->format == LOG_FORMAT_JSON ? "," : " ");
	l->first = false;
	if (l->format == LOG_FORMAT_JSON)
		add_raw(l, "\"");
	add_raw(l, name);
	add_raw(l, l->format == LOG_FORMAT_JSON ? "\":" : "=");
}

/* Needs no quotes in logfmt. */
static bool is_word(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_.:@/-")] == '\0';
}

static void add_string(struct line *l, const char *name, const char *value, size_t max)
{
	const char *quote = l->format == LOG_FORMAT_LOGFMT && is_word(value) ? "" : "\"";

	add_name(l, name);
	add_raw(l, quote);
	add_escaped(l, value, max, true);
	add_raw(l, quote);
}

/* Whole or not at all. */
static void add_field(struct line *l, const struct log_field *f)
{
	char number[24];

	if (sizeof(l->buf) - l->n < strlen(f->name) + FIELD_MAX + TAIL + 24)
		return;
	if (f->text) {
		add_string(l, f->name, f->text, FIELD_MAX);
		return;
	}
	(void)snprintf(number, sizeof(number), "%lld", (long long)f->number);
	add_name(l, f->name);
	add_raw(l, number);
}

static void add_job(struct line *l, const struct log *log)
{
	const struct {
		const char *name, *value;
	} parts[] = {
		{ "worker", log->worker },     { "slot", log->slot },
		{ "job", log->job },           { "stage", log->stage },
		{ "trace_id", log->trace_id }, { "user_hash", log->user_hash },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].value[0])
			add_string(l, parts[i].name, parts[i].value, 6 * 65);
}

static void write_time(char ret[static 32])
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(ret, 24, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + n, 32 - n, ".%03uZ", (unsigned int)(now.tv_nsec / 1000000) % 1000);
}

/* "05:10:09.123 info    slot 2 7f3a... build: message (verdict="AC" passed=12)" */
static void write_text(struct line *l, const struct log *log, const char *ts, const char *level,
		       const char *message, const struct log_field *fields, size_t n)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "%.12s %-7s ", ts + 11, level);
	add_raw(l, head);
	if (log->slot[0]) {
		add_raw(l, "slot ");
		add_escaped(l, log->slot, 64, false);
		add_raw(l, " ");
	}
	if (log->job[0]) {
		add_escaped(l, log->job, 400, false);
		add_raw(l, log->stage[0] ? " " : ": ");
	}
	if (log->stage[0]) {
		add_escaped(l, log->stage, 150, false);
		add_raw(l, ": ");
	}
	add_escaped(l, message, MESSAGE_MAX, false);
	if (n > 0)
		add_raw(l, " (");
	l->first = true;
	for (size_t i = 0; i < n; i++)
		add_field(l, &fields[i]);
	if (n > 0)
		add_raw(l, ")");
}

static void write_fields(struct line *l, const struct log *log, const char *ts, const char *level,
			 const char *message, const struct log_field *fields, size_t n)
{
	bool json = l->format == LOG_FORMAT_JSON;

	if (json)
		add_raw(l, "{");
	l->first = true;
	add_string(l, "ts", ts, 64);
	add_string(l, "level", level, 64);
	add_string(l, "msg", message, MESSAGE_MAX);
	add_job(l, log);
	for (size_t i = 0; i < n; i++)
		add_field(l, &fields[i]);
	if (json)
		add_raw(l, "}");
}

void log_write(const struct log *log, enum log_level level, const struct log_field *fields,
	       size_t n_fields, const char *fmt, ...)
{
	struct line l = { .format = log->format };
	char message[MESSAGE_MAX + 64], ts[32], priority[8];
	unsigned int lost;
	int saved = errno;
	va_list ap;

	if (level > log->level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	write_time(ts);
	if (log->journal) {
		(void)snprintf(priority, sizeof(priority), "<%u>", (unsigned int)level);
		add_raw(&l, priority);
	}
	if (log->format == LOG_FORMAT_TEXT)
		write_text(&l, log, ts, level_name(level), message, fields, n_fields);
	else
		write_fields(&l, log, ts, level_name(level), message, fields, n_fields);
	add_raw(&l, "\n");
	lost = log_put(log->fd, l.buf, l.n);
	if (lost > 0)
		log_warning(log, "%u lines of this log were lost: nobody read them", lost);
	errno = saved;
}
