/* SPDX-License-Identifier: MIT */
/*
 * Results for machines: one JSON object per line, each below 64 KiB, valid UTF-8 whatever the
 * server under test sent. Each function appends one line, newline included; check the buffer once.
 */
#pragma once

#include "buf.h"
#include "hurl.h"

#define HURL_MAX_REPORT_LINE (64 * 1024)

void hurl_report_ready(struct hurl_buf *b);
void hurl_report_plan(struct hurl_buf *b, size_t cases);
void hurl_report_case(struct hurl_buf *b, const struct hurl_case_result *result);
void hurl_report_end(struct hurl_buf *b, const struct hurl_summary *summary);
void hurl_report_error(struct hurl_buf *b, const char *message);

/* Writes all of the buffer and empties it. 0 or -errno (also the buffer's own error). */
int hurl_report_flush(struct hurl_buf *b, int fd);
