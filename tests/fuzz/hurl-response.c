/* SPDX-License-Identifier: MIT */
/*
 * The reader of responses, through libcurl as it is used: a peer on the loopback sends the input and
 * closes, then a well-behaved one answers. Whatever was sent, the second request passes.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "hurl/hurl.h"
#include "util/util.h"

static const char test[] =
	"# @test any\nGET {{base}}/hostile\n[Options]\nmax-time: 2s\ncompressed: true\nHTTP "
	"*\n[Captures]\nx: header \"X\"\n"
	"# @test fields\nGET {{base}}/hostile\n[Options]\nmax-time: 2s\nlocation: true\nHTTP "
	"*\n[Asserts]\n"
	"header \"Content-Type\" not contains \"q\"\ncookie \"a[Max-Age]\" != 5\njsonpath \"$..a\" "
	"count >= 0\n"
	"body not matches /^(a+)+$/\nsha256 != hex,00;\nurl exists\nredirects count >= 0\n"
	"# @test after\nGET {{base}}/good\n[Options]\nmax-time: 10s\nHTTP 200\n`good`\n";

static struct {
	pthread_mutex_t lock;
	int listener;
	unsigned short port;
	const unsigned char *data;
	size_t size;
} peer = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void answer(int fd)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
	char request[4096] = "";
	size_t n = 0;
	ssize_t got;

	while (n + 1 < sizeof(request) && !strstr(request, "\r\n\r\n")) {
		got = recv(fd, request + n, sizeof(request) - 1 - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
		request[n] = '\0';
	}
	(void)pthread_mutex_lock(&peer.lock);
	if (strstr(request, " /good "))
		(void)send(fd, good, strlen(good), MSG_NOSIGNAL);
	else
		(void)send(fd, peer.data, peer.size, MSG_NOSIGNAL);
	(void)pthread_mutex_unlock(&peer.lock);
}

static void *serve(void *unused)
{
	for (;;) {
		int fd = accept4(peer.listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		answer(fd);
		(void)close(fd);
	}
	return unused;
}

static void start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	pthread_t thread;

	peer.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (peer.listener < 0 || bind(peer.listener, (struct sockaddr *)&a, n) < 0 ||
	    listen(peer.listener, 64) < 0 ||
	    getsockname(peer.listener, (struct sockaddr *)&a, &n) < 0 ||
	    hurl_global_init(false) < 0 || pthread_create(&thread, NULL, serve, NULL))
		abort();
	peer.port = ntohs(a.sin_port);
}

static void on_case(void *userdata, const struct hurl_case_result *result)
{
	if (streq(result->info->name, "after") && result->status != HURL_PASSED) {
		(void)fprintf(stderr, "%s\n", result->failure->message);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct hurl_run_options o = { .flags = HURL_LOOPBACK_ONLY, .on_case = on_case };
	struct hurl_file *file = NULL;
	struct hurl_summary summary;
	struct hurl_error err;
	char base[64];

	if (!peer.port)
		start();
	(void)pthread_mutex_lock(&peer.lock);
	peer.data = data;
	peer.size = size;
	(void)pthread_mutex_unlock(&peer.lock);
	snprintf(base, sizeof(base), "http://127.0.0.1:%u", peer.port);
	o.base = base;
	if (hurl_file_parse(&file, "fuzz.hurl", test, strlen(test), &err) < 0 ||
	    hurl_run(&file, 1, &o, &summary, &err) < 0)
		abort();
	assert(summary.total == 3);
	hurl_file_free(file);
	return 0;
}
