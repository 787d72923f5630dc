/* SPDX-License-Identifier: MIT */

#include "http-peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "util/util.h"

#define HEAD "HTTP/1.1 200 OK\r\n"
#define REQUEST_MAX 65536

struct request {
	char method[16];
	char path[512];
	char *head;
	char *body;
	unsigned short port;
};

static bool send_bytes(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_text(int fd, const char *text)
{
	return send_bytes(fd, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static bool send_format(int fd, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n >= 0 && send_bytes(fd, text, (size_t)n);
}

static bool answer(int fd, const char *headers, const char *body)
{
	return send_format(fd, HEAD "Content-Length: %zu\r\n%s\r\n%s", strlen(body), headers, body);
}

static void repeat(int fd, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		if (!send_text(fd, text))
			return;
}

/* Bytes with pauses, for as long as somebody reads. */
static void drip(int fd, const char *text)
{
	for (;; text = *text ? text : "x") {
		if (!send_bytes(fd, text, 1))
			return;
		text++;
		(void)poll(NULL, 0, 10);
	}
}

/* ------------------------------------------------------------ endless, slow */

static void endless_chunks(int fd, const struct request *q)
{
	send_text(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n");
	while (send_text(fd, "10\r\n0123456789abcdef\r\n"))
		;
}

static void endless_body(int fd, const struct request *q)
{
	send_text(fd, HEAD "\r\n");
	while (send_text(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
		;
}

static void slow_head(int fd, const struct request *q)
{
	drip(fd, HEAD "X-Slow: ");
}

static void slow_body(int fd, const struct request *q)
{
	send_text(fd, HEAD "Content-Length: 100000\r\n\r\n");
	drip(fd, "x");
}

static void silent(int fd, const struct request *q)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void endless_interim(int fd, const struct request *q)
{
	while (send_text(fd, "HTTP/1.1 100 Continue\r\n\r\n"))
		;
}

static void trailer_flood(int fd, const struct request *q)
{
	send_text(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n");
	while (send_text(fd, "X-Trailer: 0123456789abcdef0123456789abcdef\r\n"))
		;
}

/* ------------------------------------------------------------------- heads */

static void big_header(int fd, const struct request *q)
{
	send_text(fd, HEAD);
	for (int i = 0; i < 20; i++) {
		send_format(fd, "X-%d: ", i);
		repeat(fd, "0123456789abcdef", 512);
		send_text(fd, "\r\n");
	}
	send_text(fd, "Content-Length: 0\r\n\r\n");
}

static void many_headers(int fd, const struct request *q)
{
	send_text(fd, HEAD);
	for (int i = 0; i < 200; i++)
		send_format(fd, "X-%d: y\r\n", i);
	send_text(fd, "Content-Length: 0\r\n\r\n");
}

static void nul_header(int fd, const struct request *q)
{
	static const char text[] = HEAD "X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n";

	send_bytes(fd, text, sizeof(text) - 1);
}

static void tls_hello(int fd, const struct request *q)
{
	static const char text[] = "\x15\x03\x01\x00\x02\x02\x16\r\n\r\n";

	send_bytes(fd, text, sizeof(text) - 1);
}

static void noise(int fd, const struct request *q)
{
	unsigned int state = 1;
	char bytes[4096];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		state = state * 1103515245u + 12345u;
		bytes[i] = (char)(state >> 16);
	}
	send_bytes(fd, bytes, sizeof(bytes));
}

/* ------------------------------------------------------------------ bodies */

static void reset(int fd, const struct request *q)
{
	struct linger now = { .l_onoff = 1 };

	send_text(fd, HEAD "Content-Length: 1000\r\n\r\npart");
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void deep_json(int fd, const struct request *q)
{
	send_text(fd, HEAD "\r\n");
	repeat(fd, "[[[[[[[[[[", 10000);
}

static void wide_json(int fd, const struct request *q)
{
	send_text(fd, HEAD "\r\n[");
	repeat(fd, "{},{},{},{},{},{},{},{},{},{},", 100000);
	send_text(fd, "{}]");
}

static void echo(int fd, const struct request *q)
{
	const char *cookie = strcasestr(q->head, "\nCookie: "), *type = strcasestr(q->head, "\nContent-Type: ");

	cookie = cookie ? cookie + 9 : "";
	type = type ? type + 15 : "";
	send_format(fd, HEAD "Content-Length: %zu\r\nX-Method: %s\r\nX-Path: %s\r\nX-Cookie: %.*s\r\n"
		    "X-Type: %.*s\r\n\r\n%s",
		    strlen(q->body), q->method, q->path, (int)strcspn(cookie, "\r"), cookie,
		    (int)strcspn(type, "\r"), type, q->body);
}

/* Everything that tells one request from another, as it came. */
static void head(int fd, const struct request *q)
{
	answer(fd, "", q->head);
}

/*
 * gzip whose every 13 bits become 258 bytes: one literal, then matches of length 258 and distance 1
 * in the fixed code, without end. Eight matches are exactly 13 bytes.
 */
static void gzip_bomb(int fd, const struct request *q)
{
	static const unsigned char start[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	static const char first[] = "01010010001"; /* not the last block, fixed code, literal 'a' */
	static const char match[] = "1100010100000"; /* length code 285, distance code 0 */
	unsigned char head_bytes[13 * 64] = { 0 }, bytes[sizeof(head_bytes)] = { 0 };

	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		unsigned char set = match[(bit + 2) % 13] == '1'; /* eleven bits come before */

		bytes[bit / 8] |= (unsigned char)(set << bit % 8);
		if (bit < strlen(first))
			set = first[bit] == '1';
		head_bytes[bit / 8] |= (unsigned char)(set << bit % 8);
	}
	send_text(fd, HEAD "Content-Encoding: gzip\r\n\r\n");
	send_bytes(fd, start, sizeof(start));
	send_bytes(fd, head_bytes, sizeof(head_bytes));
	while (send_bytes(fd, bytes, sizeof(bytes)))
		;
}

static void cookie_flood(int fd, const struct request *q)
{
	send_text(fd, HEAD);
	for (int i = 0; i < 15; i++) {
		send_format(fd, "Set-Cookie: c%d=", i);
		repeat(fd, "0123456789abcdef", 240);
		send_text(fd, "\r\n");
	}
	send_text(fd, "Content-Length: 0\r\n\r\n");
}

/* --------------------------------------------------------------- redirects */

static void redirect(int fd, const char *location)
{
	send_format(fd, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", location);
}

static void to_other_port(int fd, const struct request *q)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/ok", q->port ^ 1);
	redirect(fd, url);
}

static void to_itself(int fd, const struct request *q)
{
	redirect(fd, "/loop");
}

static void to_ok(int fd, const struct request *q)
{
	redirect(fd, "/ok?redirected");
}

static void to_file(int fd, const struct request *q)
{
	redirect(fd, "file:///etc/passwd");
}

static void to_other_host(int fd, const struct request *q)
{
	redirect(fd, "http://169.254.169.254/latest/meta-data/");
}

/* Fails the first time that a counter in the path is seen below its goal: the state is in the client. */
static void flaky(int fd, const struct request *q)
{
	const char *cookie = strcasestr(q->head, "tries=");
	int n = cookie ? atoi(cookie + 6) : 0;

	send_format(fd, "HTTP/1.1 %d X\r\nSet-Cookie: tries=%d\r\nContent-Length: 0\r\n\r\n",
		    n < 2 ? 503 : 200, n + 1);
}

static void drip_chunks(int fd, const struct request *q)
{
	send_text(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n");
	while (send_text(fd, "1\r\nx\r\n"))
		(void)poll(NULL, 0, 10);
}

static void chunk_extension(int fd, const struct request *q)
{
	send_text(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n2;");
	while (send_text(fd, "name=0123456789abcdef0123456789abcdef;"))
		;
}

static void header_line(int fd, const struct request *q)
{
	send_text(fd, HEAD "X-Line: ");
	while (send_text(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
		;
}

static void reset_first(int fd, const struct request *q)
{
	struct linger now = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void fin_first(int fd, const struct request *q)
{
	(void)shutdown(fd, SHUT_WR);
	silent(fd, q);
}

static void long_string(int fd, const struct request *q)
{
	send_text(fd, HEAD "\r\n\"");
	while (send_text(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
		;
}

static void big_number(int fd, const struct request *q)
{
	send_text(fd, HEAD "\r\n");
	repeat(fd, "9999999999", 100000);
}

/* How often it was asked for: the copies of a test are told apart by a file in memory. */
static unsigned int *shared_count;

static void only_one(int fd, const struct request *q)
{
	bool first = __atomic_fetch_add(shared_count, 1, __ATOMIC_SEQ_CST) == 0;

	send_format(fd, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", first ? "201 Created" : "409 Conflict");
}

static void counter(int fd, const struct request *q)
{
	char body[32];

	snprintf(body, sizeof(body), "%u", __atomic_exchange_n(shared_count, 0, __ATOMIC_SEQ_CST));
	answer(fd, "", body);
}

static void slow_answer(int fd, const struct request *q)
{
	(void)poll(NULL, 0, 3);
	answer(fd, "", "{}");
}

static void gzip_hello(int fd, const struct request *q)
{
	static const unsigned char zip[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
					     7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0, 0 };

	send_format(fd, HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof(zip));
	send_bytes(fd, zip, sizeof(zip));
}

struct route {
	const char *path;
	const char *bytes;	/* sent as they are; the connection is closed behind them */
	const char *body;	/* a good answer with this body; the connection stays */
	void (*serve)(int fd, const struct request *q);
};

static const struct route routes[] = {
	{ "/ok", NULL, "{\"ok\":true}", NULL },
	{ "/car", NULL, "{\"id\":9007199254740993,\"tags\":[\"a\",\"b\"],\"n\":1.0}", NULL },
	{ "/dup", NULL, "{\"a\":1,\"a\":2}", NULL },
	{ "/nul", NULL, "{\"a\":\"ok\\u0000evil\"}", NULL },
	{ "/bom", NULL, "\xef\xbb\xbf{\"a\":1}", NULL },
	{ "/bad-utf8", NULL, "{\"a\":\"\xff\xfe\"}", NULL },
	{ "/ansi", NULL, "\033[2J\033]0;x\007<script>\r\n\xe2\x80\xae", NULL },
	{ "/evil-url", NULL, "{\"url\":\"http://127.0.0.2:1/steal\"}", NULL },
	{ "/line-break", NULL, "{\"v\":\"a\\r\\nX-Injected: 1\"}", NULL },
	{ "/quote", NULL, "{\"v\":\"x\\\",\\\"role\\\":\\\"admin\"}", NULL },
	{ "/aaaa", NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", NULL },
	{ "/http09", "hello, this is an old server\n", NULL, NULL },
	{ "/h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL, NULL },
	{ "/http2-status", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", NULL, NULL },
	{ "/short", HEAD "Content-Length: 100\r\n\r\nshort", NULL, NULL },
	{ "/long", HEAD "Content-Length: 2\r\n\r\n{}{}{}{}{}", NULL, NULL },
	{ "/two-lengths", HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/both", HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", NULL,
	  NULL },
	{ "/negative", HEAD "Content-Length: -2\r\n\r\n{}", NULL, NULL },
	{ "/huge-length", HEAD "Content-Length: 9223372036854775808\r\n\r\n{}", NULL, NULL },
	{ "/big-length", HEAD "Content-Length: 90000000000\r\n\r\n{}", NULL, NULL },
	{ "/bad-chunk", HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", NULL, NULL },
	{ "/big-chunk", HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n", NULL, NULL },
	{ "/cut-chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n10\r\n{}", NULL, NULL },
	{ "/fold", HEAD "X-A: b\r\n folded: c\r\nContent-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/no-colon", HEAD "nonsense\r\nContent-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/bare-lf", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", NULL, NULL },
	{ "/status-long", "HTTP/1.1 99999 OK\r\nContent-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/status-low", "HTTP/1.1 042 OK\r\nContent-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/switch", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", NULL, NULL },
	{ "/close", "", NULL, NULL },
	{ "/half-head", "HTTP/1.1 200 OK\r\nContent-Le", NULL, NULL },
	{ "/headers", HEAD "Vary: A\r\nvary:  B \r\nX-Empty:\r\nContent-Length: 0\r\n\r\n", NULL, NULL },
	{ "/cookies", HEAD "Set-Cookie: sid=abc; Path=/; HttpOnly; SameSite=Lax\r\n"
	  "Set-Cookie: theme=dark; Max-Age=60; Secure\r\nContent-Length: 0\r\n\r\n", NULL, NULL },
	{ "/chunked-more", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
	  NULL, NULL },
	{ "/two-answers", HEAD "Content-Length: 2\r\n\r\n{}" HEAD "Content-Length: 11\r\n\r\n{\"ok\":true}",
	  NULL, NULL },
	{ "/interims", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" HEAD
	  "Content-Length: 2\r\n\r\n{}", NULL, NULL },
	{ "/trailer", HEAD "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\n{}\r\n0\r\nX-T: 1\r\n\r\n",
	  NULL, NULL },
	{ "/no-length", HEAD "\r\n{}", NULL, NULL },
	{ "/te-identity", HEAD "Transfer-Encoding: identity, chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n", NULL,
	  NULL },
	{ "/lying-gzip", HEAD "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", NULL, NULL },
	{ "/unknown-encoding", HEAD "Content-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb", NULL, NULL },
	{ "/length-plus", HEAD "Content-Length: +2\r\n\r\n{}", NULL, NULL },
	{ "/length-list", HEAD "Content-Length: 2, 2\r\n\r\n{}", NULL, NULL },
	{ "/space-colon", HEAD "Content-Length : 2\r\n\r\n{}", NULL, NULL },
	{ "/negative-chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", NULL, NULL },
	{ "/proto-key", NULL, "{\"a\":1,\"__proto__\":{\"admin\":true}}", NULL },
	{ "/drip-chunks", NULL, NULL, drip_chunks },
	{ "/long-chunk-extension", NULL, NULL, chunk_extension },
	{ "/header-line", NULL, NULL, header_line },
	{ "/reset-first", NULL, NULL, reset_first },
	{ "/fin-first", NULL, NULL, fin_first },
	{ "/long-string", NULL, NULL, long_string },
	{ "/big-number", NULL, NULL, big_number },
	{ "/only-one", NULL, NULL, only_one },
	{ "/counter", NULL, NULL, counter },
	{ "/gzip-hello", NULL, NULL, gzip_hello },
	{ "/slow-answer", NULL, NULL, slow_answer },
	{ "/endless", NULL, NULL, endless_chunks },
	{ "/endless-body", NULL, NULL, endless_body },
	{ "/endless-interim", NULL, NULL, endless_interim },
	{ "/trailers", NULL, NULL, trailer_flood },
	{ "/slow-head", NULL, NULL, slow_head },
	{ "/slow-body", NULL, NULL, slow_body },
	{ "/silent", NULL, NULL, silent },
	{ "/big-header", NULL, NULL, big_header },
	{ "/many-headers", NULL, NULL, many_headers },
	{ "/nul-header", NULL, NULL, nul_header },
	{ "/tls", NULL, NULL, tls_hello },
	{ "/noise", NULL, NULL, noise },
	{ "/reset", NULL, NULL, reset },
	{ "/deep", NULL, NULL, deep_json },
	{ "/wide", NULL, NULL, wide_json },
	{ "/gzip-bomb", NULL, NULL, gzip_bomb },
	{ "/cookie-flood", NULL, NULL, cookie_flood },
	{ "/echo", NULL, NULL, echo },
	{ "/head", NULL, NULL, head },
	{ "/away", NULL, NULL, to_other_port },
	{ "/away-host", NULL, NULL, to_other_host },
	{ "/file", NULL, NULL, to_file },
	{ "/loop", NULL, NULL, to_itself },
	{ "/redirect", NULL, NULL, to_ok },
	{ "/flaky", NULL, NULL, flaky },
};

static size_t content_length(const char *text)
{
	const char *at = strcasestr(text, "\nContent-Length: ");

	return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* One request into `q`; false at the end of the connection. */
static bool receive(int fd, char *buf, struct request *q)
{
	size_t have = 0;
	char *end;

	do {
		ssize_t n = recv(fd, buf + have, REQUEST_MAX - 1 - have, 0);

		if (n <= 0)
			return false;
		have += (size_t)n;
		buf[have] = '\0';
		end = strstr(buf, "\r\n\r\n");
	} while (!end || have < (size_t)(end + 4 - buf) + content_length(buf));
	q->head = buf;
	q->body = end + 4;
	return sscanf(buf, "%15s %511s", q->method, q->path) == 2;
}

/* True: the connection may carry another request. */
static bool dispatch(int fd, const struct request *q)
{
	size_t n = strcspn(q->path, "?");

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		const struct route *r = &routes[i];

		if (strlen(r->path) != n || memcmp(r->path, q->path, n) != 0)
			continue;
		if (r->body && strcmp(q->method, "HEAD") == 0)
			return send_format(fd, HEAD "Content-Length: %zu\r\n\r\n", strlen(r->body));
		if (r->body)
			return answer(fd, "Content-Type: application/json\r\n", r->body);
		if (r->serve)
			r->serve(fd, q);
		else
			send_text(fd, r->bytes);
		return r->serve == echo || r->serve == head || r->serve == flaky || r->serve == to_ok ||
		       r->serve == to_itself;
	}
	return send_text(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void serve_connection(int fd, unsigned short port)
{
	_cleanup_free_ char *buf = malloc(REQUEST_MAX);
	struct request q = { .port = port };
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (buf && receive(fd, buf, &q) && dispatch(fd, &q))
		;
	(void)close(fd);
}

static void serve(int listener, unsigned short port)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)close(listener);
			serve_connection(fd, port);
			_exit(0);
		}
		(void)close(fd);
	}
}

int http_peer_start(struct http_peer *ret)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(a);

	shared_count = mmap(NULL, sizeof(*shared_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	if (shared_count == MAP_FAILED)
		return -errno;
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return -errno;
	ret->port = ntohs(a.sin_port);
	ret->pid = fork();
	if (ret->pid < 0)
		return -errno;
	if (ret->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd, ret->port);
		_exit(0);
	}
	return 0;
}

void http_peer_stop(struct http_peer *peer)
{
	(void)kill(peer->pid, SIGKILL);
	(void)waitpid(peer->pid, NULL, 0);
}
