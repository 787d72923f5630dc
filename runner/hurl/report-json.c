/* SPDX-License-Identifier: MIT */
#include "report-json.h"

#include "util/util.h"

/*
 * Display text is valid UTF-8 already, except that a fixed buffer may have cut its last character.
 */
static void add_text(struct hurl_buf *b, const char *s)
{
	size_t len = strlen(s), valid = 0;
	unsigned int code;

	while (valid < len) {
		size_t n = hurl_utf8_next(s + valid, len - valid, &code);

		if (!n)
			break;
		valid += n;
	}
	hurl_buf_add_json(b, s, valid);
}

static void add_member(struct hurl_buf *b, const char *key, const char *value)
{
	hurl_buf_printf(b, ",\"%s\":", key);
	if (value)
		add_text(b, value);
	else
		hurl_buf_adds(b, "null");
}

static const char *status_name(enum hurl_status status)
{
	return status == HURL_PASSED ? "passed" : status == HURL_FAILED ? "failed" : "skipped";
}

static void add_failure(struct hurl_buf *b, const struct hurl_failure *f)
{
	hurl_buf_adds(b, ",\"failure\":{\"message\":");
	add_text(b, f->message);
	add_member(b, "file", f->file);
	hurl_buf_printf(b, ",\"line\":%u,\"column\":%u", f->line, f->column);
	add_member(b, "request", f->request);
	add_member(b, "expected", f->expected);
	add_member(b, "actual", f->actual);
	hurl_buf_addc(b, '}');
}

void hurl_report_ready(struct hurl_buf *b)
{
	hurl_buf_adds(b, "{\"event\":\"ready\"}\n");
}

void hurl_report_plan(struct hurl_buf *b, size_t cases)
{
	hurl_buf_printf(b, "{\"event\":\"plan\",\"cases\":%zu}\n", cases);
}

void hurl_report_case(struct hurl_buf *b, const struct hurl_case_result *r)
{
	hurl_buf_adds(b, "{\"event\":\"case\",\"name\":");
	add_text(b, r->info->name);
	add_member(b, "file", r->info->file);
	hurl_buf_printf(b, ",\"line\":%u", r->info->line);
	add_member(b, "group", r->info->group);
	hurl_buf_printf(b, ",\"points\":%u,\"hidden\":%s", r->info->points,
			r->info->hidden ? "true" : "false");
	if (r->info->hint)
		add_member(b, "hint", r->info->hint);
	add_member(b, "status", status_name(r->status));
	hurl_buf_printf(b, ",\"duration_ms\":%.2f,\"requests\":%u", r->duration_ms, r->requests);
	if (r->failure)
		add_failure(b, r->failure);
	hurl_buf_adds(b, "}\n");
}

void hurl_report_end(struct hurl_buf *b, const struct hurl_summary *s)
{
	hurl_buf_printf(
		b, "{\"event\":\"end\",\"passed\":%u,\"failed\":%u,\"skipped\":%u,\"total\":%u",
		s->passed, s->failed, s->skipped, s->total);
	hurl_buf_printf(b, ",\"points\":%llu,\"max_points\":%llu,\"duration_ms\":%.2f}\n",
			(unsigned long long)s->points, (unsigned long long)s->max_points,
			s->duration_ms);
}

void hurl_report_error(struct hurl_buf *b, const char *message)
{
	hurl_buf_adds(b, "{\"event\":\"error\",\"message\":");
	add_text(b, message);
	hurl_buf_adds(b, "}\n");
}

int hurl_report_flush(struct hurl_buf *b, int fd)
{
	int r = hurl_buf_error(b);

	if (r == 0)
		r = write_full(fd, b->data, b->len);
	hurl_buf_done(b);
	return r;
}
