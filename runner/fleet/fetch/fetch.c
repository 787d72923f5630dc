/* SPDX-License-Identifier: MIT */

/*
 * One transfer at a time, driven through libcurl's multi interface: the loop here has the deadline,
 * the stall limit and the descriptor that cancels. Redirects are followed here and not by libcurl,
 * so that each target passes the same checks as the first URL.
 *
 * Connections belong to the multi handle and stay there between fetches. One that is reused was
 * judged when it was made, by the same rules: they do not change while a fetcher lives.
 */

#include "fleet/fetch/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/mman.h>

#include "fleet/fetch/fetch-file.h"
#include "fleet/fetch/fetch-rules.h"
#include "fleet/fetch/fetch-url.h"
#include "inside/text.h"
#include "util/util.h"

#define REDIRECTS_MAX 3
#define HEAD_MAX (64u * 1024) /* of one answer, with those that precede it (1xx) */
#define UNWANTED_MAX                                                                               \
	(64u * 1024) /* read of a body that is not the archive, to keep the connection */
#define RETRY_AFTER_MAX_S 3600
#define CONNECTIONS_KEPT 4L

struct fetcher {
	struct fetch_options options; /* with its defaults filled in; the lists are in the rules */
	char *file_root, *ca_file;
	struct fetch_rules *rules;
	struct curl_slist *headers;
	CURLM *multi;
	CURL *easy;
};

/* One request and its answer. */
struct transfer {
	struct fetcher *f;
	struct fetch_sink *sink;
	int cancel_fd;
	uint64_t deadline_ns;
	uint64_t received; /* bytes of any kind */
	uint32_t head, unwanted;
	uint32_t opened;     /* sockets */
	const char *refused; /* what the last address that was refused is */
	char refused_address[INET6_ADDRSTRLEN];
	char curl_error[CURL_ERROR_SIZE];
	CURLcode code;
	long status;
};

static char *copy_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

static void fill_defaults(struct fetch_options *o)
{
	if (!o->max_bytes)
		o->max_bytes = FETCH_MAX_DEFAULT;
	if (!o->total_ns)
		o->total_ns = 60 * NSEC_PER_SEC;
	if (!o->connect_ns)
		o->connect_ns = 10 * NSEC_PER_SEC;
	if (!o->stall_ns)
		o->stall_ns = 10 * NSEC_PER_SEC;
	if (!o->stall_bytes)
		o->stall_bytes = 10 * 1024;
	o->hosts = o->networks = NULL;
	o->n_hosts = o->n_networks = 0;
}

int fetcher_new(struct fetcher **ret, const struct fetch_options *o, struct sbx_error *err)
{
	struct fetch_rules *rules;
	struct fetcher *f;
	int r = fetch_rules_new(&rules, o, err);

	if (r < 0)
		return r;
	f = calloc(1, sizeof(*f));
	if (!f) {
		fetch_rules_free(rules);
		return fetch_fail(err, -ENOMEM, "", "out of memory");
	}
	f->rules = rules;
	f->options = *o;
	f->options.file_root = f->file_root = copy_or_null(o->file_root);
	f->options.ca_file = f->ca_file = copy_or_null(o->ca_file);
	fill_defaults(&f->options);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		f->multi = curl_multi_init();
		f->easy = curl_easy_init();
		f->headers = curl_slist_append(NULL, "Accept-Encoding: identity");
	}
	if (!f->multi || !f->easy || !f->headers ||
	    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT) != CURLM_OK) {
		fetcher_free(f);
		return fetch_fail(err, -ENOMEM, "", "libcurl cannot be initialised");
	}
	*ret = f;
	return 0;
}

struct fetcher *fetcher_free(struct fetcher *f)
{
	if (!f)
		return NULL;
	curl_easy_cleanup(f->easy);
	(void)curl_multi_cleanup(f->multi);
	curl_slist_free_all(f->headers);
	fetch_rules_free(f->rules);
	free(f->file_root);
	free(f->ca_file);
	free(f);
	return NULL;
}

/* All sockets are made here, after names have been resolved: the only place that decides. */
static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = data;
	const struct sockaddr *sa = &a->addr;
	const char *refused = fetch_address_refused(t->f->rules, sa);
	int fd;

	if (refused) {
		t->refused = refused;
		if (sa->sa_family == AF_INET || sa->sa_family == AF_INET6)
			(void)inet_ntop(sa->sa_family,
					sa->sa_family == AF_INET ? (const char *)sa + 4
								 : (const char *)sa + 8,
					t->refused_address, sizeof(t->refused_address));
		return CURL_SOCKET_BAD;
	}
	fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	t->opened++;
	return fd;
}

static size_t on_header(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	t->received += n;
	t->head += (uint32_t)MIN_OF(n, HEAD_MAX);
	return t->head > HEAD_MAX ? 0 : n;
}

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	long status = 0;

	t->received += n;
	(void)curl_easy_getinfo(t->f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return fetch_sink_write(t->sink, data, n);
	t->unwanted += (uint32_t)MIN_OF(n, UNWANTED_MAX);
	return t->unwanted > UNWANTED_MAX ? 0 : n;
}

#define SET(option, value) ok = ok && curl_easy_setopt(c, option, value) == CURLE_OK

static int prepare(struct transfer *t, const struct fetch_target *target)
{
	const struct fetch_options *o = &t->f->options;
	CURL *c = t->f->easy;
	bool ok = true;

	curl_easy_reset(c);
	SET(CURLOPT_CURLU, target->url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTPHEADER, t->f->headers);
	SET(CURLOPT_USERAGENT, "sandbox-runner");
	SET(CURLOPT_PROXY, ""); /* and none from the environment */
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* a name that is being resolved is not waited for */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(o->connect_ns / NSEC_PER_MSEC));
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)o->max_bytes);
	SET(CURLOPT_ERRORBUFFER, t->curl_error);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	if (o->ca_file)
		SET(CURLOPT_CAINFO, o->ca_file);
	return ok ? 0 : -ENOMEM;
}

static bool is_connected(CURL *c)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(c, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK && us > 0;
}

/* The window in which stall_bytes must arrive; it opens with the connection. */
struct window {
	uint64_t ends_ns, received;
};

static bool is_stalled(struct window *w, const struct transfer *t, uint64_t now)
{
	const struct fetch_options *o = &t->f->options;
	bool stalled = now >= w->ends_ns && t->received - w->received < o->stall_bytes;

	if (now >= w->ends_ns || !is_connected(t->f->easy))
		*w = (struct window){ now + o->stall_ns, t->received };
	return stalled;
}

/* 0 the transfer has ended, as t->code says; -ECANCELED, -ETIMEDOUT (t->code stays 0), -ENOMEM. */
static int drive(struct transfer *t)
{
	struct curl_waitfd cancel = { .fd = t->cancel_fd, .events = CURL_WAIT_POLLIN };
	struct window w = { now_ns() + t->f->options.stall_ns, 0 };
	CURLM *m = t->f->multi;
	int running, left;
	CURLMsg *msg;

	for (;;) {
		uint64_t now = now_ns(), until = MIN_OF(t->deadline_ns, w.ends_ns);

		if (t->cancel_fd >= 0 && fd_is_readable(t->cancel_fd))
			return -ECANCELED;
		if (now >= t->deadline_ns || is_stalled(&w, t, now))
			return -ETIMEDOUT;
		if (curl_multi_perform(m, &running) != CURLM_OK)
			return -ENOMEM;
		if (!running)
			break;
		until = until > now ? (until - now) / NSEC_PER_MSEC + 1 : 1;
		if (curl_multi_poll(m, &cancel, t->cancel_fd >= 0 ? 1 : 0, (int)MIN_OF(until, 1000),
				    NULL) != CURLM_OK)
			return -ENOMEM;
	}
	t->code = CURLE_OK;
	while ((msg = curl_multi_info_read(m, &left)))
		if (msg->msg == CURLMSG_DONE)
			t->code = msg->data.result;
	return 0;
}

static int request(struct transfer *t, const struct fetch_target *target)
{
	int r = prepare(t, target);

	if (r < 0 || curl_multi_add_handle(t->f->multi, t->f->easy) != CURLM_OK)
		return -ENOMEM;
	r = drive(t);
	(void)curl_easy_getinfo(t->f->easy, CURLINFO_RESPONSE_CODE, &t->status);
	(void)curl_multi_remove_handle(t->f->multi, t->f->easy);
	return r;
}

/* Why no answer came, or not all of it. */
static int judge_failure(const struct transfer *t, const char *from, struct sbx_error *err)
{
	const char *text = t->curl_error[0] ? t->curl_error : curl_easy_strerror(t->code);
	struct quoted why = text_quote(text, strlen(text));

	if (t->refused && !t->opened)
		return fetch_fail(err, -EPERM, from,
				  "this leads to %s, which is %s: refused "
				  "(fetch.networks lists what is allowed)",
				  t->refused_address, t->refused);
	if (t->head > HEAD_MAX)
		return fetch_fail(err, -EAGAIN, from, "the answer's head is larger than %u KiB",
				  HEAD_MAX / 1024);
	return fetch_fail(err, -EAGAIN, from, "%s", strchr(why.s, '?') ? "no answer" : why.s);
}

static uint64_t retry_after_ms(CURL *c)
{
	curl_off_t s = 0;

	if (curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &s) != CURLE_OK || s <= 0)
		return 0;
	return (uint64_t)MIN_OF(s, RETRY_AFTER_MAX_S) * 1000;
}

static int judge_status(const struct transfer *t, const char *from, struct fetched *ret,
			struct sbx_error *err)
{
	bool later = t->status == 408 || t->status == 425 || t->status == 429;

	if (t->status == 204)
		return FETCH_EMPTY;
	if (t->status >= 400 && t->status < 500 && !later)
		return FETCH_GONE;
	ret->retry_after_ms = retry_after_ms(t->f->easy);
	return fetch_fail(err, -EAGAIN, from, "the server answered %ld", t->status);
}

/* An answer that was read to its end, or whose reading was ended here. */
static int judge_answer(const struct transfer *t, const char *from, struct fetched *ret,
			struct sbx_error *err)
{
	bool ended_here = t->unwanted > UNWANTED_MAX || t->code == CURLE_FILESIZE_EXCEEDED;

	if (t->sink->error < 0)
		return fetch_fail(err, t->sink->error, from, "no memory for the archive: %s",
				  strerror(-t->sink->error));
	if (t->status != 200 && t->status >= 200 && (t->code == CURLE_OK || ended_here))
		return judge_status(t, from, ret, err);
	if (t->sink->too_large || t->code == CURLE_FILESIZE_EXCEEDED)
		return FETCH_TOO_LARGE;
	if (t->code != CURLE_OK || t->status != 200)
		return judge_failure(t, from, err);
	return FETCH_DONE;
}

static bool is_redirect(const struct transfer *t, char **ret_to)
{
	*ret_to = NULL;
	return t->code == CURLE_OK && t->status >= 300 && t->status < 400 &&
	       curl_easy_getinfo(t->f->easy, CURLINFO_REDIRECT_URL, ret_to) == CURLE_OK && *ret_to;
}

static int parse(struct fetcher *f, const char *url, struct fetch_target *ret, struct fetched *got,
		 struct sbx_error *err)
{
	const char *redirected = got->redirects > 0 ? "it redirects: " : "";
	char why[148] = "out of memory";
	int r;

	fetch_url_display(url, got->from);
	r = fetch_target_parse(ret, url, f->rules, &f->options, why);
	return r < 0 ? fetch_fail(err, r, got->from, "%s%s", redirected, why) : 0;
}

/* A redirect: the next target. From https only to https, and never to a file. */
static int follow(struct fetcher *f, const char *to, struct fetch_target *target,
		  struct fetched *ret, struct sbx_error *err)
{
	struct fetch_target next;
	int r;

	if (++ret->redirects > REDIRECTS_MAX)
		return fetch_fail(err, -EPERM, ret->from, "it redirects more than %u times",
				  REDIRECTS_MAX);
	r = parse(f, to, &next, ret, err);
	if (r < 0)
		return r;
	if (next.file || (target->https && !next.https)) {
		fetch_target_done(&next);
		return fetch_fail(err, -EPERM, ret->from,
				  "it redirects to something less safe (file: or plain http:)");
	}
	fetch_target_done(target);
	*target = next;
	return 0;
}

/* The answer that is no redirect. */
static int fetch_http(struct transfer *t, struct fetch_target *target, struct fetched *ret,
		      struct sbx_error *err)
{
	char *to;
	int r;

	for (;;) {
		long connects = 1;

		t->head = t->unwanted = t->opened = 0;
		t->refused = NULL;
		t->status = 0;
		t->code = CURLE_OK;
		r = request(t, target);
		ret->status = t->status;
		(void)curl_easy_getinfo(t->f->easy, CURLINFO_NUM_CONNECTS, &connects);
		ret->reused = connects == 0 && t->status > 0;
		if (r == -ECANCELED)
			return fetch_fail(err, r, ret->from, "cancelled");
		if (r == -ETIMEDOUT)
			return fetch_fail(err, -EAGAIN, ret->from, "%s",
					  now_ns() >= t->deadline_ns
						  ? "not fetched in time"
						  : "the server sends too slowly");
		if (r < 0)
			return fetch_fail(err, r, ret->from, "libcurl failed");
		if (!is_redirect(t, &to))
			return judge_answer(t, ret->from, ret, err);
		r = follow(t->f, to, target, ret, err);
		if (r < 0)
			return r;
	}
}

static void write_hash(struct fetch_sink *s, char ret[static FETCH_SHA256_HEX + 1])
{
	uint8_t hash[SHA256_DIGEST_SIZE];

	sha256_digest(&s->hash, sizeof(hash), hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

/* The archive is whole: is it what it has to be? */
static int finish(struct fetch_sink *s, const struct fetch_request *request, struct fetched *ret,
		  struct sbx_error *err)
{
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	ret->size = s->size;
	if (s->size == 0)
		return FETCH_EMPTY;
	write_hash(s, ret->sha256);
	if (request->sha256 && *request->sha256 && !streq(request->sha256, ret->sha256))
		return FETCH_CHANGED;
	if (lseek(s->fd, 0, SEEK_SET) < 0 || fcntl(s->fd, F_ADD_SEALS, seals) < 0)
		return fetch_fail(err, -errno, ret->from, "the archive cannot be sealed");
	ret->fd = steal_fd(&s->fd);
	return FETCH_DONE;
}

static int fetch(struct fetcher *f, const struct fetch_request *request, struct fetch_sink *s,
		 struct fetched *ret, struct sbx_error *err)
{
	struct transfer t = { .f = f, .sink = s, .cancel_fd = request->cancel_fd };
	struct fetch_target target = { 0 };
	int r = parse(f, request->url, &target, ret, err);

	t.deadline_ns = deadline_after(f->options.total_ns);
	if (r < 0)
		return r;
	r = target.file ? fetch_file(f->file_root, target.file, s, err)
			: fetch_http(&t, &target, ret, err);
	fetch_target_done(&target);
	return r == FETCH_DONE ? finish(s, request, ret, err) : r;
}

int fetch_archive(struct fetcher *f, const struct fetch_request *r, struct fetched *ret,
		  struct sbx_error *err)
{
	struct fetch_sink s = { .max = f->options.max_bytes };
	uint64_t began = now_ns();
	int outcome;

	*ret = (struct fetched){ .fd = -1 };
	sha256_init(&s.hash);
	s.fd = memfd_create("archive", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s.fd < 0)
		return fetch_fail(err, -errno, "", "no memory for the archive");
	outcome = fetch(f, r, &s, ret, err);
	close_fd(s.fd);
	ret->wall_ns = now_ns() - began;
	return outcome;
}
