/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "head.h"
#include "http-url.h"
#include "util/util.h"

#define MAX_ORIGINS 16
/*
 * A body in chunks of one byte is six times as long; chunks may also have extensions without end.
 */
#define MAX_RECEIVED (8u * HURL_MAX_BODY)

struct hurl_http {
	CURL *easy;
	unsigned int flags;
	const volatile sig_atomic_t *cancel;
	size_t cookie_bytes;
	size_t max_body;
	curl_socket_t socket;		/* of the connection that was used last */
	char *origins[MAX_ORIGINS];	/* that the test file itself names */
	size_t origin_count;
};

struct transfer {
	struct hurl_http *http;
	struct hurl_head head;
	struct hurl_buf body;
	size_t received;		/* bytes behind the head, as they came */
	bool leftovers;			/* bytes behind the end of the body */
	bool head_only;
	bool refused;			/* an address that is not a loopback one */
	bool cancelled;
};

/* One hop: what changes when a redirect is followed. */
struct hop {
	CURLU *url;
	const char *method;
	bool has_body;
	json_t *redirects;
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
	h->max_body = HURL_MAX_BODY;
	h->socket = CURL_SOCKET_BAD;
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

void hurl_http_limit(struct hurl_http *h, size_t max)
{
	h->max_body = max;
}

static const char too_big[] = "a body of more than 8 MiB";

/* For the copies of a test, less. */
static const char *body_problem(const struct hurl_http *h)
{
	return h->max_body == HURL_MAX_BODY ? too_big
					    : "a body too big for a test with so many copies";
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata)
{
	struct transfer *t = userdata;

	if (!hurl_head_line(&t->head, data, n * size))
		return 0;
	if (t->head.complete && !t->head_only && t->head.lengths &&
	    t->head.length > (int64_t)t->http->max_body) {
		t->head.problem = body_problem(t->http);
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
	t->head.problem = hurl_buf_error(&t->body) == -E2BIG
				  ? body_problem(t->http)
				  : "too much for the memory of a request";
	return 0;
}

/*
 * libcurl drops what follows the end of a body, and says so here only. A server that sends more
 * than it announced is broken, and on another day its surplus would be the answer to the next
 * request.
 */
static int on_debug(CURL *easy, curl_infotype type, char *data, size_t size, void *userdata)
{
	struct transfer *t = userdata;

	if (type == CURLINFO_DATA_IN)
		t->received += size;
	if (type == CURLINFO_TEXT && (memmem(data, size, "Leftovers after chunking", 24) ||
				      memmem(data, size, "Excess found", 12)))
		t->leftovers = true;
	return 0;
}

static int on_progress(void *userdata, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct transfer *t = userdata;

	t->cancelled = t->http->cancel && *t->http->cancel;
	if (t->received > MAX_RECEIVED)
		t->head.problem = "far more bytes than its body has";
	return t->cancelled || t->received > MAX_RECEIVED;
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
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
			 h->flags & HURL_ALLOW_HTTPS ? "http,https" : "http");
	curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, t);
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

/*
 * Bytes, or the end, on a connection on which nothing was asked: not one to ask the next thing on.
 */
static bool has_input(curl_socket_t fd)
{
	char byte;

	return fd != CURL_SOCKET_BAD && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void set_request(struct hurl_http *h, const struct hurl_http_request *req,
			const struct hop *hop)
{
	CURL *c = h->easy;

	curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
			 req->http10 ? (long)CURL_HTTP_VERSION_1_0 : (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, req->path_as_is ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, has_input(h->socket) ? 1L : 0L);
	h->socket = CURL_SOCKET_BAD;

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
	/*
	 * As in Hurl, an encoded body is decoded, asked for or not; request.c sees to the header.
	 */
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

static int keep_ip(struct hurl_http *h, struct hurl_eval *e, struct hurl_response *ret)
{
	char *ip = NULL;

	(void)curl_easy_getinfo(h->easy, CURLINFO_PRIMARY_IP, &ip);
	ret->ip = hurl_arena_strndup(e->arena, ip ? ip : "", ip ? strlen(ip) : 0);
	return ret->ip ? 0 : -ENOMEM;
}

/* What came behind the body that was announced, in the same breath or until now. */
static bool sent_too_much(struct hurl_http *h, const struct transfer *t)
{
	const struct hurl_head *head = &t->head;
	unsigned int status = head->response->status;

	if (t->leftovers)
		return true;
	if (!t->head_only && status != 204 && status != 304 && head->lengths && !head->chunked &&
	    t->received > (size_t)head->length)
		return true;
	(void)curl_easy_getinfo(h->easy, CURLINFO_ACTIVESOCKET, &h->socket);
	if (h->socket == CURL_SOCKET_BAD || (!head->lengths && !head->chunked))
		return false;
	return recv(h->socket, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
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
	hurl_buf_init(&t.body, h->max_body);
	curl_easy_reset(h->easy);
	set_guards(h, &t);
	set_request(h, req, hop);
	code = curl_easy_perform(h->easy);
	curl_easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &us);
	r = keep_ip(h, e, ret);
	if (!code && t.head.complete && sent_too_much(h, &t)) {
		t.head.problem = "more bytes than it announced";
		code = CURLE_WEIRD_SERVER_REPLY;
	}
	curl_easy_reset(h->easy); /* nothing may point to this frame or to the request */
	h->cookie_bytes += t.head.cookie_bytes;
	ret->duration_ms = us / 1000;
	ret->duration_us = us;
	if (r == 0 && (code || !t.head.complete))
		r = transfer_failed(e, req, &t, code ? code : CURLE_WEIRD_SERVER_REPLY);
	else if (r == 0)
		r = keep_body(e, &t.body, ret);
	hurl_buf_done(&t.body);
	return r != 0 ? r : keep_url(e, hop->url, ret);
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

int hurl_http_adopt(struct hurl_http *h, struct hurl_http *from)
{
	struct curl_slist *cookies = NULL;
	int r = 0;

	if (curl_easy_getinfo(from->easy, CURLINFO_COOKIELIST, &cookies))
		return -ENOMEM;
	for (struct curl_slist *c = cookies; c && r == 0; c = c->next)
		if (curl_easy_setopt(h->easy, CURLOPT_COOKIELIST, c->data))
			r = -ENOMEM;
	curl_slist_free_all(cookies);
	for (size_t i = 0; r == 0 && i < from->origin_count; i++) {
		_cleanup_free_ char *origin = strdup(from->origins[i]);

		r = origin ? trust(h, &origin) : -ENOMEM;
	}
	h->cookie_bytes = from->cookie_bytes;
	return r;
}

int hurl_http_trust(struct hurl_http *h, const char *text)
{
	_cleanup_free_ char *origin = NULL;
	CURLU *url = curl_url();
	int r = -EINVAL;

	if (url && !curl_url_set(url, CURLUPART_URL, text, 0))
		origin = hurl_url_origin(url);
	if (origin)
		r = trust(h, &origin);
	curl_url_cleanup(url);
	return r;
}

static int check_scheme(struct hurl_http *h, struct hurl_eval *e,
			const struct hurl_http_request *req, CURLU *url)
{
	char *scheme = hurl_url_part(url, CURLUPART_SCHEME, 0);
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
	_cleanup_free_ char *origin = hurl_url_origin(url);
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

static void decref(void *json)
{
	json_decref(json);
}

/* The absolute URL of a step, for the query redirects. */
static int remember_step(struct hurl_eval *e, struct hop *hop)
{
	char *text = hurl_url_part(hop->url, CURLUPART_URL, 0);
	json_t *step = text ? json_pack("{s:s}", "location", text) : NULL;

	curl_free(text);
	if (!hop->redirects) {
		hop->redirects = json_array();
		if (!hop->redirects || hurl_arena_defer(e->arena, decref, hop->redirects) < 0) {
			json_decref(step);
			return -ENOMEM;
		}
	}
	return step && json_array_append_new(hop->redirects, step) == 0 ? 0 : -ENOMEM;
}

/* Points the hop to the Location, if it stays on the same server. */
static int redirect(struct hurl_eval *e, const struct hurl_http_request *req,
		    const struct hurl_response *resp, struct hop *hop)
{
	_cleanup_free_ char *from = hurl_url_origin(hop->url), *to = NULL;
	const struct hurl_header *h = location_of(resp);

	if (!curl_url_set(hop->url, CURLUPART_URL, h->value,
			  CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME))
		to = hurl_url_origin(hop->url);
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
	return remember_step(e, hop);
}

static int exchange(struct hurl_http *h, struct hurl_eval *e, const struct hurl_http_request *req,
		    struct hop *hop, struct hurl_response *ret, unsigned int *ret_sent)
{
	for (unsigned int redirects = 0;; redirects++) {
		int r;

		(*ret_sent)++;
		r = perform(h, e, req, hop, ret);
		ret->redirects = hop->redirects;
		if (r != 0 || !req->follow || !is_redirect(ret->status) || !location_of(ret))
			return r;
		if (redirects == req->max_redirs)
			return hurl_eval_fail(e, req->pos, "more than %u redirects",
					      req->max_redirs);
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
	code = curl_url_set(hop.url, CURLUPART_URL, req->url,
			    CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME |
				    (req->path_as_is ? (unsigned int)CURLU_PATH_AS_IS : 0u));
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
