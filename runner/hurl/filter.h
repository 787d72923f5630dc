/* SPDX-License-Identifier: MIT */
/* Filters that are rows of the table in filter.c and live elsewhere. */
#pragma once

#include "eval.h"

#define FILTER_ARGS                                                                                \
	struct hurl_eval *e, const struct hurl_filter *f, const struct hurl_value *in,             \
		struct hurl_value *ret

int hurl_filter_wrong_input(struct hurl_eval *e, const struct hurl_filter *f,
			    const struct hurl_value *in, const char *needs);
/* The buffer becomes the result. */
int hurl_filter_finish(struct hurl_eval *e, const struct hurl_filter *f, struct hurl_buf *b,
		       bool bytes, struct hurl_value *ret);

/* What a filter may make of a body of HURL_MAX_BODY: percent encoding triples it. */
#define HURL_MAX_RESULT (3 * HURL_MAX_BODY + 64)

/* filter-codec.c */
int hurl_filter_url_encode(FILTER_ARGS);
int hurl_filter_url_decode(FILTER_ARGS);
int hurl_filter_url_param(FILTER_ARGS);
int hurl_filter_base64_encode(FILTER_ARGS);
int hurl_filter_base64_decode(FILTER_ARGS);
int hurl_filter_base64_url_encode(FILTER_ARGS);
int hurl_filter_base64_url_decode(FILTER_ARGS);
int hurl_filter_to_hex(FILTER_ARGS);
int hurl_filter_utf8_encode(FILTER_ARGS);
int hurl_filter_utf8_decode(FILTER_ARGS);
int hurl_filter_html_escape(FILTER_ARGS);
int hurl_filter_location(FILTER_ARGS);
