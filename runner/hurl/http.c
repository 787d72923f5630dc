/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "head.h"
#include "util/util.h"

#define MAX_ORIGINS 16

struct hurl_http {
	CURL *easy;
	unsigned int flags;
	const volatile sig_atomic_t *cancel;
	size_t cookie_bytes;
	char *origins[MAX_ORIGINS];	/* that the test file itself names */
	size_t origin_count;
};

struct transfer {
	struct hurl_http *http;
	struct hurl_head head;
	struct hurl_buf body;
	bool head_only;
	bool refused;			/* an address that is not a loopback one */
	bool cancelled;
};

/* One hop: what changes when a redirect is followed. */
struct hop {
	CURLU *url;
	const char *method;
	bool has_body;
};

int hurl_global_init(bool tls)
{
	return curl_global_init(tls ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING) ? -EIO : 0;
}

int hurl_http_new(struct hurl_http **ret, unsigned int flags, const volatile sig_atomic_t *cancel)
{
	struct hurl_http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->flags = flags;
	h->cancel = cancel;
	h->easy = curl_easy_init();
	/*
	 * An empty cookie starts the cookie engine, which curl_easy_reset() then keeps. The usual
	 * way, an empty CURLOPT_COOKIEFILE for every request, leaks at each reset in libcurl 7.88.
	 */
	if (!h->easy || curl_easy_setopt(h->easy, CURLOPT_COOKIELIST, "Set-Cookie:")) {
		hurl_http_free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

struct hurl_http *hurl_http_free(struct hurl_http *h)
{
	if (!h)
		return NULL;
	curl_easy_cleanup(h->easy);
	for (size_t i = 0; i < h->origin_count; i++)
		free(h->origins[i]);
	free(h);
	return NULL;
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata)
{
	struct transfer *t = userdata;

	if (!hurl_head_line(&t->head, data, n * size))
		return 0;
	if (t->head.complete && !t->head_only && t->head.lengths &&
	    t->head.length > HURL_MAX_BODY) {
		t->head.problem = "a body of more than 8 MiB";
		return 0;
	}
	if (t->http->cookie_bytes + t->head.cookie_bytes > HURL_MAX_COOKIE_BYTES) {
		t->head.problem = "more than 1 MiB of cookies";
		return 0;
	}
	return n * size;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata)
{
	struct transfer *t = userdata;

	hurl_buf_add(&t->body, data, n * size);
	if (!hurl_buf_error(&t->body))
		return n * size;
	t->head.problem = hurl_buf_error(&t->body) == -E2BIG ? "a body of more than 8 MiB"
							     : "too much for the memory of a request";
	return 0;
}

static int on_progress(void *userdata, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct transfer *t = userdata;

	t->cancelled = t->http->cancel && *t->http->cancel;
	return t->cancelled;
}

static bool is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)a;

	if (a->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static curl_socket_t on_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = userdata;

	if ((t->http->flags & HURL_LOOPBACK_ONLY) && !is_loopback(&a->addr)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static unsigned int remaining_ms(uint64_t deadline_ns)
{
	uint64_t now = now_ns();

	return now >= deadline_ns ? 0 : (unsigned int)((deadline_ns - now) / NSEC_PER_MSEC + 1);
}

static void set_guards(struct hurl_http *h, struct transfer *t)
{
	CURL *c = h->easy;

	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, h->flags & HURL_ALLOW_HTTPS ? "http,https" : "http");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, HURL_USER_AGENT);
}

static void set_request(struct hurl_http *h, const struct hurl_http_request *req,
			const struct hop *hop)
{
	CURL *c = h->easy;

	curl_easy_setopt(c, CURLOPT_CURLU, hop->url);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)MAX_OF(remaining_ms(req->deadline_ns), 1u));
	if (hop->has_body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body);
	} else {
		curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	}
	if (streq(hop->method, "HEAD"))
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, hop->method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, req->headers);
	if (req->cookies)
		curl_easy_setopt(c, CURLOPT_COOKIE, req->cookies);
	if (req->compressed)
		curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	if (req->user) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERNAME, req->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, req->password);
	}
}

static const char *reason(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return "nothing accepts connections there";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "this host name is unknown";
	case CURLE_PARTIAL_FILE:
		return "the connection was closed before the body was complete";
	case CURLE_GOT_NOTHING:
		return "the connection was closed without an answer";
	case CURLE_RECV_ERROR:
		return "the connection was reset while receiving";
	case CURLE_SEND_ERROR:
		return "the connection was reset while sending";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return "the answer is not HTTP/1.1";
	case CURLE_BAD_CONTENT_ENCODING:
		return "the body is not what its Content-Encoding or chunks say";
	default:
		return curl_easy_strerror(code);
	}
}

static int transfer_failed(struct hurl_eval *e, const struct hurl_http_request *req,
			   const struct transfer *t, CURLcode code)
{
	char expected[80];

	if (t->cancelled)
		return hurl_eval_fail(e, req->pos, "interrupted");
	snprintf(expected, sizeof(expected), "a complete response within %u ms", req->timeout_ms);
	hurl_fail_expected(e->fail, expected, strlen(expected));
	if (t->refused && code == CURLE_COULDNT_CONNECT)
		return hurl_eval_fail(e, req->pos, "only loopback addresses may be contacted");
	if (t->head.problem)
		return hurl_eval_fail(e, req->pos, "no acceptable response: the server sends %s",
				      t->head.problem);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return hurl_eval_fail(e, req->pos, "no complete response within %u ms",
				      req->timeout_ms);
	return hurl_eval_fail(e, req->pos, "no acceptable response: %s", reason(code));
}

/* The body moves to the arena without a copy. */
static int keep_body(struct hurl_eval *e, struct hurl_buf *body, struct hurl_response *ret)
{
	int r;

	ret->body = "";
	ret->body_len = body->len;
	if (!body->data)
		return 0;
	r = hurl_arena_charge(e->arena, body->cap);
	if (r == 0) {
		ret->body = body->data;
		body->data = NULL;
		r = hurl_arena_defer(e->arena, free, (void *)ret->body);
	}
	return r;
}

static int keep_url(struct hurl_eval *e, CURLU *url, struct hurl_response *ret)
{
	char *text = NULL;

	if (curl_url_get(url, CURLUPART_URL, &text, 0))
		return -ENOMEM;
	ret->url = hurl_arena_strndup(e->arena, text, strlen(text));
	curl_free(text);
	return ret->url ? 0 : -ENOMEM;
}

static int perform(struct hurl_http *h, struct hurl_eval *e, const struct hurl_http_request *req,
		   const struct hop *hop, struct hurl_response *ret)
{
	struct transfer t = {
		.http = h,
		.head = { .arena = e->arena, .response = ret },
		.head_only = streq(hop->method, "HEAD"),
	};
	curl_off_t us = 0;
	CURLcode code;
	int r;

	*ret = (struct hurl_response){ 0 };
	hurl_buf_init(&t.body, HURL_MAX_BODY);
	curl_easy_reset(h->easy);
	set_guards(h, &t);
	set_request(h, req, hop);
	code = curl_easy_perform(h->easy);
	curl_easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_reset(h->easy); /* nothing may point to this frame or to the request */
	h->cookie_bytes += t.head.cookie_bytes;
	ret->duration_ms = us / 1000;
	if (code || !t.head.complete)
		r = transfer_failed(e, req, &t, code ? code : CURLE_WEIRD_SERVER_REPLY);
	else
		r = keep_body(e, &t.body, ret);
	hurl_buf_done(&t.body);
	return r != 0 ? r : keep_url(e, hop->url, ret);
}

static char *part(CURLU *url, CURLUPart which, unsigned int flags)
{
	char *text = NULL;

	return curl_url_get(url, which, &text, flags) ? NULL : text;
}

/* "http://host:port", or NULL */
static char *origin_of(CURLU *url)
{
	char *scheme = part(url, CURLUPART_SCHEME, 0), *host = part(url, CURLUPART_HOST, 0);
	char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT), *origin = NULL;

	if (!scheme || !host || !port || asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
		origin = NULL;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	for (char *c = origin; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	return origin;
}

static bool is_trusted(const struct hurl_http *h, const char *origin)
{
	for (size_t i = 0; i < h->origin_count; i++)
		if (streq(h->origins[i], origin))
			return true;
	return false;
}

static int trust(struct hurl_http *h, char **origin)
{
	if (is_trusted(h, *origin))
		return 0;
	if (h->origin_count == MAX_ORIGINS)
		return -E2BIG;
	h->origins[h->origin_count++] = steal_ptr(*origin);
	return 0;
}

int hurl_http_trust(struct hurl_http *h, const char *text)
{
	_cleanup_free_ char *origin = NULL;
	CURLU *url = curl_url();
	int r = -EINVAL;

	if (url && !curl_url_set(url, CURLUPART_URL, text, 0))
		origin = origin_of(url);
	if (origin)
		r = trust(h, &origin);
	curl_url_cleanup(url);
	return r;
}

static int check_scheme(struct hurl_http *h, struct hurl_eval *e,
			const struct hurl_http_request *req, CURLU *url)
{
	char *scheme = part(url, CURLUPART_SCHEME, 0);
	bool ok = scheme && (streq(scheme, "http") ||
			     (streq(scheme, "https") && (h->flags & HURL_ALLOW_HTTPS)));

	curl_free(scheme);
	if (ok)
		return 0;
	return hurl_eval_fail(e, req->pos, "only http://%s URLs are supported here",
			      h->flags & HURL_ALLOW_HTTPS ? " and https://" : "");
}

/* What a server wrote into a captured variable must not choose whom we talk to. */
static int check_origin(struct hurl_http *h, struct hurl_eval *e,
			const struct hurl_http_request *req, CURLU *url)
{
	_cleanup_free_ char *origin = origin_of(url);
	int r;

	if (!origin)
		return hurl_eval_fail(e, req->pos, "this URL has no host");
	if (req->url_captured && !is_trusted(h, origin))
		return hurl_eval_fail(e, req->pos, "a captured value leads to another server, %s",
				      origin);
	if (req->url_captured)
		return 0;
	r = trust(h, &origin);
	if (r == -E2BIG)
		return hurl_eval_fail(e, req->pos, "more than %d different servers in one file",
				      MAX_ORIGINS);
	return r;
}

static bool is_redirect(unsigned int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static const struct hurl_header *location_of(const struct hurl_response *r)
{
	for (size_t i = 0; i < r->header_count; i++)
		if (strcasecmp(r->headers[i].name, "Location") == 0)
			return &r->headers[i];
	return NULL;
}

/* Points the hop to the Location, if it stays on the same server. */
static int redirect(struct hurl_eval *e, const struct hurl_http_request *req,
		    const struct hurl_response *resp, struct hop *hop)
{
	_cleanup_free_ char *from = origin_of(hop->url), *to = NULL;
	const struct hurl_header *h = location_of(resp);

	if (!curl_url_set(hop->url, CURLUPART_URL, h->value, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME))
		to = origin_of(hop->url);
	if (!from || !to || !streq(from, to)) {
		hurl_fail_expected(e->fail, from ? from : "", from ? strlen(from) : 0);
		hurl_fail_actual(e->fail, h->value, h->len);
		return hurl_eval_fail(e, req->pos,
				      "a redirect to another server is not followed");
	}
	if (resp->status <= 303 && !streq(hop->method, "HEAD") &&
	    (resp->status == 303 || streq(hop->method, "POST"))) {
		hop->method = "GET";
		hop->has_body = false;
	}
	return 0;
}

static int exchange(struct hurl_http *h, struct hurl_eval *e, const struct hurl_http_request *req,
		    struct hop *hop, struct hurl_response *ret, unsigned int *ret_sent)
{
	for (unsigned int redirects = 0;; redirects++) {
		int r;

		(*ret_sent)++;
		r = perform(h, e, req, hop, ret);
		if (r != 0 || !req->follow || !is_redirect(ret->status) || !location_of(ret))
			return r;
		if (redirects == req->max_redirs)
			return hurl_eval_fail(e, req->pos, "more than %u redirects", req->max_redirs);
		r = redirect(e, req, ret, hop);
		if (r != 0)
			return r;
		if (!remaining_ms(req->deadline_ns))
			return hurl_eval_fail(e, req->pos, "no complete response within %u ms",
					      req->timeout_ms);
	}
}

int hurl_http_exchange(struct hurl_http *h, struct hurl_eval *e,
		       const struct hurl_http_request *req, struct hurl_response *ret,
		       unsigned int *ret_sent)
{
	struct hop hop = { .url = curl_url(), .method = req->method, .has_body = req->has_body };
	CURLUcode code;
	int r = 0;

	*ret_sent = 0;
	if (!hop.url)
		return -ENOMEM;
	code = curl_url_set(hop.url, CURLUPART_URL, req->url, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
	if (code)
		r = hurl_eval_fail(e, req->pos, "this is not a URL: %s", curl_url_strerror(code));
	if (r == 0)
		r = check_scheme(h, e, req, hop.url);
	if (r == 0)
		r = check_origin(h, e, req, hop.url);
	if (r == 0)
		r = exchange(h, e, req, &hop, ret, ret_sent);
	curl_url_cleanup(hop.url);
	return r;
}

int hurl_check_base(const char *text, unsigned int flags, char *why, size_t why_size)
{
	CURLU *url = curl_url();
	char *scheme, *query, *fragment;
	int r = -EINVAL;

	if (!url)
		return -ENOMEM;
	if (curl_url_set(url, CURLUPART_URL, text, 0)) {
		curl_url_cleanup(url);
		snprintf(why, why_size, "expected a URL such as http://localhost:8000");
		return -EINVAL;
	}
	scheme = part(url, CURLUPART_SCHEME, 0);
	query = part(url, CURLUPART_QUERY, 0);
	fragment = part(url, CURLUPART_FRAGMENT, 0);
	if (!scheme || !(streq(scheme, "http") ||
			 (streq(scheme, "https") && (flags & HURL_ALLOW_HTTPS))))
		snprintf(why, why_size, "expected http://%s",
			 flags & HURL_ALLOW_HTTPS ? " or https://" : "");
	else if (query || fragment)
		snprintf(why, why_size, "a base URL has no '?' and no '#'");
	else
		r = 0;
	curl_free(scheme);
	curl_free(query);
	curl_free(fragment);
	curl_url_cleanup(url);
	return r;
}
