/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd with one polling thread. The documents are strings that the supervisor hands over
 * when something has changed; the thread copies them under a mutex that is held for nothing else.
 */

#include "fleet/ops/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "fleet/ops/http-listen.h"
#include "fleet/ops/metrics.h"
#include "util/util.h"

#define CONNECTIONS_MAX 128u
#define IDLE_SECONDS 5u
#define REQUEST_MAX (16u * 1024)
#define LIVE_DEFAULT (30 * NSEC_PER_SEC)

struct check {
	bool ok;
	char why[160];
};

struct ops {
	struct MHD_Daemon *daemon;
	struct metrics *metrics;
	char *path; /* of a unix socket */
	uint16_t port;
	uint64_t live_ns;
	_Atomic uint64_t beat_ns;
	pthread_mutex_t lock; /* of what follows */
	struct check checks[OPS_CHECKS];
	char *status, *jobs;
};

static const char *const check_names[OPS_CHECKS] = {
	[OPS_REDIS] = "redis", [OPS_LEDGER] = "ledger",     [OPS_SELF_TEST] = "self_test",
	[OPS_DISK] = "disk",   [OPS_PRESSURE] = "pressure", [OPS_SERVING] = "serving",
};

/* An answer: its text is malloc'ed. */
struct answer {
	unsigned int status;
	const char *type;
	char *text;
	size_t size;
};
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_JSON "application/json"

static void say(struct answer *a, unsigned int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct answer *a, unsigned int status, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&a->text, fmt, ap);
	va_end(ap);
	if (n < 0)
		a->text = NULL;
	a->size = n < 0 ? 0 : (size_t)n;
	a->status = status;
	a->type = TYPE_TEXT;
}

static void answer_live(struct ops *o, struct answer *a)
{
	uint64_t beat = atomic_load(&o->beat_ns), now = now_ns();
	uint64_t age = now > beat ? now - beat : 0;

	if (age <= o->live_ns)
		say(a, MHD_HTTP_OK, "ok\n");
	else
		say(a, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "the supervisor's loop has not turned for %llu s\n", age / NSEC_PER_SEC);
}

static void answer_ready(struct ops *o, struct answer *a)
{
	struct check checks[OPS_CHECKS];
	FILE *to = open_memstream(&a->text, &a->size);
	bool ready = true;

	if (!to)
		return;
	pthread_mutex_lock(&o->lock);
	memcpy(checks, o->checks, sizeof(checks));
	pthread_mutex_unlock(&o->lock);
	for (int i = 0; i < OPS_CHECKS; i++) {
		ready = ready && checks[i].ok;
		(void)fprintf(to, "[%c] %s: %s\n", checks[i].ok ? '+' : '-', check_names[i],
			      checks[i].ok ? "ok" : checks[i].why);
	}
	(void)fprintf(to, ready ? "ready\n" : "not ready\n");
	(void)fclose(to);
	a->status = ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
	a->type = TYPE_TEXT;
}

static void answer_metrics(struct ops *o, struct answer *a)
{
	FILE *to = open_memstream(&a->text, &a->size);

	if (!to)
		return;
	(void)metrics_write(o->metrics, to);
	(void)fclose(to);
	a->status = MHD_HTTP_OK;
	a->type = METRICS_CONTENT_TYPE;
}

static void answer_document(struct ops *o, struct answer *a, char *const *document)
{
	pthread_mutex_lock(&o->lock);
	say(a, MHD_HTTP_OK, "%s\n", *document ? *document : "{}");
	pthread_mutex_unlock(&o->lock);
	a->type = TYPE_JSON;
}

static void answer_status(struct ops *o, struct answer *a)
{
	answer_document(o, a, &o->status);
}

static void answer_jobs(struct ops *o, struct answer *a)
{
	answer_document(o, a, &o->jobs);
}

static const struct {
	const char *path;
	void (*answer)(struct ops *o, struct answer *a);
} routes[] = {
	{ "/livez", answer_live },      { "/readyz", answer_ready },
	{ "/metrics", answer_metrics }, { "/statusz", answer_status },
	{ "/debug/jobs", answer_jobs },
};

static void answer_path(struct ops *o, const char *path, struct answer *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (streq(path, routes[i].path)) {
			routes[i].answer(o, a);
			return;
		}
	}
	say(a, MHD_HTTP_NOT_FOUND,
	    "sandbox-runner: there are /livez, /readyz, /metrics, /statusz and /debug/jobs\n");
}

/* Takes the text of the answer. MHD_NO closes the connection. */
static enum MHD_Result send_answer(struct MHD_Connection *c, struct answer *a, bool allow)
{
	struct MHD_Response *r;
	enum MHD_Result sent;

	if (!a->text)
		return MHD_NO;
	r = MHD_create_response_from_buffer(a->size, a->text, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(a->text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(r, "Content-Type", a->type);
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (allow)
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD");
	sent = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return sent;
}

/* Called once when the head of a request is there, and again when all of it is. */
static enum MHD_Result handle(void *data, struct MHD_Connection *c, const char *path,
			      const char *method, const char *version, const char *body,
			      size_t *body_size, void **state)
{
	static char head_seen;
	struct answer a = { 0 };

	if (!streq(method, "GET") && !streq(method, "HEAD")) {
		say(&a, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
		return send_answer(c, &a, true);
	}
	if (!*state) {
		*state = &head_seen;
		return MHD_YES;
	}
	if (*body_size > 0) {
		*body_size = 0;
		return MHD_YES;
	}
	answer_path(data, path, &a);
	return send_answer(c, &a, false);
}

/* What it would print is about the requests of others: not ours to log. */
static void no_log(void *data, const char *fmt, va_list ap)
{
}

/* The thread must take none of the signals that the supervisor waits for. */
static struct MHD_Daemon *start(struct ops *o, int fd)
{
	struct MHD_Daemon *d;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG, 0,
			     NULL, NULL, handle, o, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
			     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
			     CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
			     MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return d;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 a; /* where the port is in AF_INET as well */
	socklen_t size = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &size) < 0 || a.sin6_family == AF_UNIX)
		return 0;
	return ntohs(a.sin6_port);
}

static int fail(struct sbx_error *err, int code, const char *text)
{
	if (err) {
		*err = (struct sbx_error){ .code = code, .stage = "ops" };
		copy_string(err->text, sizeof(err->text), text);
	}
	return code;
}

int ops_open(struct ops **ret, const struct ops_options *options, struct sbx_error *err)
{
	_cleanup_close_ int fd = -1;
	struct ops *o;

	o = calloc(1, sizeof(*o));
	if (!o)
		return fail(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&o->lock, NULL);
	o->metrics = options->metrics;
	o->live_ns = options->live_ns ? options->live_ns : LIVE_DEFAULT;
	ops_beat(o);
	for (int i = 0; i < OPS_CHECKS; i++)
		ops_check_set(o, (enum ops_check)i, false, "not known yet");
	fd = ops_listen(options->listen, options->anywhere, &o->path, err);
	if (fd < 0) {
		int r = fd;

		ops_close(o);
		return r;
	}
	o->port = port_of(fd);
	o->daemon = start(o, fd);
	if (!o->daemon) {
		ops_close(o);
		return fail(err, -ENOMEM, "the thread that answers HTTP cannot be started");
	}
	(void)steal_fd(&fd); /* the daemon closes it */
	*ret = o;
	return 0;
}

struct ops *ops_close(struct ops *o)
{
	if (!o)
		return NULL;
	if (o->path)
		(void)unlink(o->path);
	if (o->daemon)
		MHD_stop_daemon(o->daemon);
	(void)pthread_mutex_destroy(&o->lock);
	free(o->path);
	free(o->status);
	free(o->jobs);
	free(o);
	return NULL;
}

uint16_t ops_port(const struct ops *o)
{
	return o->port;
}

void ops_beat(struct ops *o)
{
	if (o)
		atomic_store(&o->beat_ns, now_ns());
}

void ops_check_set(struct ops *o, enum ops_check check, bool ok, const char *why)
{
	struct check c = { .ok = ok };

	if (!o)
		return;
	copy_string(c.why, sizeof(c.why), why ? why : "failed");
	for (char *p = c.why; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	pthread_mutex_lock(&o->lock);
	o->checks[check] = c;
	pthread_mutex_unlock(&o->lock);
	metrics_set(o->metrics, METRIC_READY, ok, check_names[check], NULL);
}

bool ops_ready(struct ops *o)
{
	bool ready = true;

	if (!o)
		return false;
	pthread_mutex_lock(&o->lock);
	for (int i = 0; i < OPS_CHECKS; i++)
		ready = ready && o->checks[i].ok;
	pthread_mutex_unlock(&o->lock);
	return ready;
}

/* Without memory the old document stays. */
static void replace(struct ops *o, char **document, const char *json)
{
	char *copy, *old;

	if (!o)
		return;
	copy = strdup(json ? json : "{}");
	if (!copy)
		return;
	pthread_mutex_lock(&o->lock);
	old = *document;
	*document = copy;
	pthread_mutex_unlock(&o->lock);
	free(old);
}

void ops_status_set(struct ops *o, const char *json)
{
	replace(o, o ? &o->status : NULL, json);
}

void ops_jobs_set(struct ops *o, const char *json)
{
	replace(o, o ? &o->jobs : NULL, json);
}
