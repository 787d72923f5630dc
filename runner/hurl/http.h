/* SPDX-License-Identifier: MIT */
/*
 * HTTP to a hostile server, by libcurl. One session per file: connections and cookies persist in
 * it. Redirects are followed here, not by libcurl, and only to the same scheme, host and port.
 */
#pragma once

#include <curl/curl.h>

#include "eval.h"

struct hurl_http;

struct hurl_http_request {
	struct hurl_pos pos;	/* of the request line, for failures */
	const char *method;
	const char *url;
	bool url_captured;	/* a captured variable had a part in scheme, host or port */
	struct curl_slist *headers;
	bool has_body;
	const char *body;
	size_t body_len;
	const char *cookies;	/* NULL, or "a=1; b=2" besides the session's own */
	const char *user;	/* NULL: no authentication */
	const char *password;
	bool compressed;
	bool encoding;		/* the headers have an Accept-Encoding */
	bool path_as_is;
	bool http10;
	bool follow;
	unsigned int max_redirs;
	uint64_t deadline_ns;
	unsigned int timeout_ms; /* what the deadline came from, for the message */
};

int hurl_http_new(struct hurl_http **ret, unsigned int flags, const volatile sig_atomic_t *cancel);
struct hurl_http *hurl_http_free(struct hurl_http *h);

/* Copies of a test share the memory that one may have: bodies of at most @max bytes. */
void hurl_http_limit(struct hurl_http *h, size_t max);
/* The cookies, and the servers that may be contacted, of another session. */
int hurl_http_adopt(struct hurl_http *h, struct hurl_http *from);

/* Requests to this origin are allowed even when a captured variable made the URL. */
int hurl_http_trust(struct hurl_http *h, const char *url);

/*
 * Sends and receives; *ret_sent counts requests, also of a failed exchange. 0, EVAL_FAILED, <0. The
 * response lives in the arena of @e.
 */
int hurl_http_exchange(struct hurl_http *h, struct hurl_eval *e,
		       const struct hurl_http_request *request, struct hurl_response *ret,
		       unsigned int *ret_sent);
