/* SPDX-License-Identifier: MIT */
/*
 * The head of a response, line by line as libcurl delivers it, judged more strictly than libcurl
 * does: exact status lines, CRLF, no folding, one Content-Length or chunks but not both, counted
 * and bounded. Interim (1xx) answers and trailers count against the same limits.
 */
#pragma once

#include "eval.h"

struct hurl_head {
	struct hurl_arena *arena;
	struct hurl_response *response;
	size_t bytes;
	size_t cookie_bytes;
	unsigned int lines;
	unsigned int lengths;		/* Content-Length headers */
	int64_t length;
	bool chunked;
	bool started, complete;
	const char *problem;		/* NULL, or what is wrong (static text) */
};

/* False: the transfer must end, see problem. */
bool hurl_head_line(struct hurl_head *h, const char *line, size_t len);
