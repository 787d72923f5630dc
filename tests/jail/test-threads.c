/* SPDX-License-Identifier: MIT */

/*
 * Callers with threads: 16 of them make, use and free jails at once, from one ctx and shared plans
 * or each from its own ctx. Every program gets a word that no other one gets, through each channel
 * that a jail has (stdin and stdout, a port, a joined network, a relay), and all of them must come
 * back from where they were sent. Afterwards nothing is left.
 *
 * cmocka's assertions belong to the main thread: a worker notes what went wrong and ends.
 * tests/jail/test-tsan.sh runs the same program with ThreadSanitizer.
 */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#define THREADS 16
#define PORT 8000
#define RELAY_PORT 9000
#define LONG (60 * NSEC_PER_SEC)

static struct corner corner;
static int rounds = 4;

struct worker {
	pthread_t thread;
	struct sbx_ctx *ctx; /* NULL: one of its own in each round */
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	struct sbx_pool *pool; /* its plan has the probe */
	int number, round;
	char problem[512]; /* empty: all is well */
	struct sbx_error err;
};

static bool problem(struct worker *w, const char *what)
{
	(void)snprintf(w->problem, sizeof(w->problem), "thread %d, round %d: %s: %d %s %s: %s",
		       w->number, w->round, what, w->err.code, w->err.stage, w->err.item,
		       w->err.text);
	return false;
}

/* What this worker tells through this channel in this round, and nobody else ever does. */
static void word_for(const struct worker *w, const char *channel, char ret[64])
{
	(void)snprintf(ret, 64, "%s of thread %d in round %d", channel, w->number, w->round);
}

static bool is_word(struct worker *w, const char *channel, int fd)
{
	char word[64], got[64] = "";
	size_t n = 0;
	ssize_t part;

	while (n < sizeof(got) - 1 && (part = read(fd, got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)part;
	word_for(w, channel, word);
	if (streq(got, word))
		return true;
	(void)snprintf(w->err.text, sizeof(w->err.text), "wanted \"%s\", got \"%s\"", word, got);
	return problem(w, "the word is not the one that was sent");
}

/* ------------------------------------------------------------------------- programs */

static struct sbx_jail *new_jail(struct worker *w, struct sbx_jail *netns_of)
{
	struct sbx_mount probe = { .size = sizeof(probe),
				   .type = SBX_MOUNT_BIND,
				   .source = getenv("SANDBOX_PROBE"),
				   .target = "/probe" };
	struct sbx_jail_options o = {
		.size = sizeof(o), .netns_of = netns_of, .mounts = &probe, .n_mounts = !w->pool
	};
	struct sbx_jail *j = NULL;

	if (sbx_jail_new(w->ctx, w->plan, &j, &o, &w->err) < 0)
		(void)problem(w, "sbx_jail_new");
	return j;
}

/* `ret_out` gets the read end of the program's stdout; `limit` as stdout_limit. */
static struct sbx_proc *start(struct worker *w, struct sbx_jail *j, const char *const *argv,
			      const char *input, uint64_t limit, int *ret_out)
{
	_cleanup_close_ int in_read = -1, in_write = -1, out_read = -1, out_write = -1;
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDIN | SBX_EXEC_STDOUT,
			      .argv = argv,
			      .stdout_limit = limit };
	struct sbx_proc *p = NULL;
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 ||
	    (in_read = in[0], in_write = in[1], pipe2(out, O_CLOEXEC) < 0)) {
		(void)problem(w, strerror(errno));
		return NULL;
	}
	out_read = out[0];
	out_write = out[1];
	e.stdin_fd = in_read;
	e.stdout_fd = out_write;
	if (sbx_jail_exec(j, &p, &e, &w->err) < 0) {
		(void)problem(w, "sbx_jail_exec");
		return NULL;
	}
	(void)!write(in_write, input, strlen(input));
	*ret_out = steal_fd(&out_read);
	return p;
}

static bool finish(struct worker *w, struct sbx_proc *p, int verdict)
{
	struct sbx_result r = { .size = sizeof(r) };
	bool ok = sbx_proc_wait(p, LONG, &r, &w->err) == 0;

	sbx_proc_free(p);
	if (!ok)
		return problem(w, "sbx_proc_wait");
	if (r.verdict == verdict && (verdict != SBX_VERDICT_EXITED || r.exit_code == 0))
		return true;
	(void)snprintf(w->err.text, sizeof(w->err.text), "verdict %d, exit code %d, signal %d",
		       r.verdict, r.exit_code, r.term_signal);
	return problem(w, "it ended in another way than it should");
}

/* -------------------------------------------------------------------------- channels */

/* Directly, or through the library's own copying of output. */
static bool use_stdio(struct worker *w, struct sbx_jail *j, uint64_t limit)
{
	const char *argv[] = { "/probe", "echo", NULL };
	_cleanup_close_ int out = -1;
	struct sbx_proc *p;
	char word[64];

	word_for(w, "stdin", word);
	p = start(w, j, argv, word, limit, &out);
	return p && finish(w, p, SBX_VERDICT_EXITED) && is_word(w, "stdin", out);
}

static bool ask_from(struct worker *w, struct sbx_jail *j, const char *port, const char *channel)
{
	const char *argv[] = { "/probe", "ask", port, NULL };
	_cleanup_close_ int out = -1;
	struct sbx_proc *p = start(w, j, argv, "", UINT64_MAX, &out);

	return p && finish(w, p, SBX_VERDICT_EXITED) && is_word(w, channel, out);
}

/* The same port number in all jails at once. */
static bool use_port(struct worker *w, struct sbx_jail *j, struct sbx_proc *server)
{
	_cleanup_close_ int fd = -1;
	struct sbx_listener list[4];
	struct sbx_jail *joined;
	bool ok;

	if (sbx_jail_wait_listening(j, PORT, LONG, server, &w->err) < 0)
		return problem(w, "sbx_jail_wait_listening");
	if (sbx_jail_listeners(j, list, ARRAY_SIZE(list), &w->err) != 1 || list[0].port != PORT)
		return problem(w, "sbx_jail_listeners");
	fd = sbx_jail_connect(j, PORT, LONG, &w->err);
	if (fd < 0)
		return problem(w, "sbx_jail_connect");
	if (!is_word(w, "port", fd))
		return false;
	joined = new_jail(w, j);
	ok = joined && ask_from(w, joined, "8000", "port");
	sbx_jail_free(joined);
	return ok;
}

static bool serve_once(struct worker *w, int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	_cleanup_close_ int c = -1;
	char word[64];

	if (poll(&p, 1, 60000) <= 0 || (c = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		return problem(w, "nobody came through the relay");
	word_for(w, "relay", word);
	return write(c, word, strlen(word)) > 0 || problem(w, "write to the relay");
}

/* A program in the jail reaches a socket of this worker's own, and no other worker's. */
static bool use_relay(struct worker *w, struct sbx_jail *j)
{
	const char *argv[] = { "/probe", "ask", "9000", NULL };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct sbx_forward f = { .size = sizeof(f), .port = RELAY_PORT, .unix_path = a.sun_path };
	_cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), out = -1;
	struct sbx_proc *p;
	bool ok;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/%d", corner.runtime, w->number);
	(void)unlink(a.sun_path);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(a.sun_path, 0666) < 0 ||
	    listen(listener, 4) < 0)
		return problem(w, strerror(errno));
	if (sbx_jail_forward(j, &f, &w->err) < 0)
		return problem(w, "sbx_jail_forward");
	p = start(w, j, argv, "", UINT64_MAX, &out);
	ok = p && serve_once(w, listener) && finish(w, p, SBX_VERDICT_EXITED) &&
	     is_word(w, "relay", out);
	(void)unlink(a.sun_path);
	return ok;
}

static bool use_file(struct worker *w, struct sbx_jail *j)
{
	_cleanup_close_ int fd = sbx_jail_open(j, "/etc/hosts", O_RDONLY, &w->err);
	struct sbx_stats s = { .size = sizeof(s) };
	char text[16] = "";

	if (fd < 0 || read(fd, text, 9) != 9 || !streq(text, "127.0.0.1"))
		return problem(w, "sbx_jail_open");
	if (sbx_jail_stats(j, &s, &w->err) < 0 || !s.disk_total)
		return problem(w, "sbx_jail_stats");
	return true;
}

/* The end by a limit kills this jail and no other. */
static bool use_limit(struct worker *w, struct sbx_jail *j)
{
	const char *argv[] = { "/probe", "sleep", "600", NULL };
	struct sbx_exec e = { .size = sizeof(e), .argv = argv, .wall_ns = NSEC_PER_MSEC };
	struct sbx_proc *p = NULL;

	if (sbx_jail_exec(j, &p, &e, &w->err) < 0)
		return problem(w, "sbx_jail_exec");
	return finish(w, p, SBX_VERDICT_WALL);
}

static bool use_jail(struct worker *w, struct sbx_jail *j)
{
	const char *argv[] = { "/probe", "answer", "8000", NULL };
	_cleanup_close_ int out = -1;
	struct sbx_proc *server;
	char word[64];
	bool ok;

	if (!use_stdio(w, j, UINT64_MAX) || !use_stdio(w, j, 4096) || !use_file(w, j))
		return false;
	word_for(w, "port", word);
	server = start(w, j, argv, word, UINT64_MAX, &out);
	if (!server)
		return false;
	ok = use_port(w, j, server) && use_relay(w, j) &&
	     (sbx_proc_kill(server, SIGKILL, &w->err) == 0 || problem(w, "sbx_proc_kill"));
	if (!ok) {
		sbx_proc_free(server);
		return false;
	}
	return finish(w, server, SBX_VERDICT_KILLED) && use_limit(w, j);
}

/* ----------------------------------------------------------------------------- tests */

static void *work(void *data)
{
	struct worker *w = data;
	struct sbx_ctx_options o = corner_options(&corner);
	bool own = !w->ctx;
	struct sbx_jail *j;

	for (w->round = 0; w->round < rounds && !w->problem[0]; w->round++) {
		if (own && sbx_ctx_new(&w->ctx, &o, &w->err) < 0) {
			(void)problem(w, "sbx_ctx_new");
			break;
		}
		j = new_jail(w, NULL);
		if (j)
			(void)use_jail(w, j);
		sbx_jail_free(j);
		if (own)
			w->ctx = sbx_ctx_free(w->ctx);
	}
	return NULL;
}

/* Starts a thread for each worker, waits for all and fails with the first problem. */
static void run_all(struct worker *workers, void *(*body)(void *))
{
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, body, &workers[i]), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	for (i = 0; i < THREADS; i++)
		if (workers[i].problem[0])
			fail_msg("%s", workers[i].problem);
}

static void prepare(struct worker *workers, struct sbx_ctx *ctx, struct sbx_plan **plans, int n)
{
	int i;

	memset(workers, 0, THREADS * sizeof(*workers));
	for (i = 0; i < THREADS; i++)
		workers[i] = (struct worker){ .ctx = ctx, .plan = plans[i % n], .number = i };
}

static struct traces look_warm(struct sbx_plan *plan)
{
	struct sbx_ctx *ctx = corner_ctx(&corner);
	struct worker w = { .ctx = ctx, .plan = plan };
	struct sbx_jail *j = new_jail(&w, NULL);

	assert_non_null(j);
	sbx_jail_free(j);
	sbx_ctx_free(ctx);
	return corner_look(&corner);
}

static void test_one_ctx_and_shared_plans(void **state)
{
	static const char *const settings[] = { "memory=64M", "pids=16", NULL };
	struct sbx_plan *plans[] = { fixture_plan("exec", NULL), fixture_plan("exec", settings) };
	struct traces before = look_warm(plans[0]);
	struct sbx_ctx *ctx = corner_ctx(&corner);
	struct worker workers[THREADS];

	prepare(workers, ctx, plans, 2);
	run_all(workers, work);
	sbx_ctx_free(ctx);
	corner_assert_same(before, corner_look(&corner));
	sbx_plan_unref(plans[0]);
	sbx_plan_unref(plans[1]);
}

/* Each ctx sweeps what dead owners left; none takes a live one for dead. */
static void test_a_ctx_for_each_thread(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct traces before = look_warm(plan);
	struct worker workers[THREADS];

	prepare(workers, NULL, &plan, 1);
	run_all(workers, work);
	corner_assert_same(before, corner_look(&corner));
	sbx_plan_unref(plan);
}

static void *make(void *data)
{
	struct worker *w = data;

	w->jail = new_jail(w, NULL);
	return NULL;
}

static void *use(void *data)
{
	struct worker *w = data;

	(void)use_jail(w, w->jail);
	return NULL;
}

/* Made by a thread that has ended, used by another that has ended, freed by a third. */
static void test_jails_go_from_thread_to_thread(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct traces before = look_warm(plan);
	struct sbx_ctx *ctx = corner_ctx(&corner);
	struct worker workers[THREADS];
	int i;

	prepare(workers, ctx, &plan, 1);
	run_all(workers, make);
	run_all(workers, use);
	for (i = 0; i < THREADS; i++)
		workers[i].jail = sbx_jail_free(workers[i].jail);
	sbx_ctx_free(ctx);
	corner_assert_same(before, corner_look(&corner));
	sbx_plan_unref(plan);
}

static struct sbx_plan *plan_with_probe(void)
{
	struct sbx_mount probe = { .size = sizeof(probe),
				   .type = SBX_MOUNT_BIND,
				   .source = getenv("SANDBOX_PROBE"),
				   .target = "/probe" };
	const char *build = getenv("SANDBOX_BUILD");
	struct sbx_policy *p = NULL;
	struct sbx_plan *plan = NULL;
	struct sbx_error err;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/policies/exec.json", build ? build : "build");
	if (sbx_policy_load(&p, path, NULL, &err) < 0 ||
	    sbx_policy_add_mount(p, &probe, &err) < 0 || sbx_policy_compile(p, &plan, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	sbx_policy_free(p);
	return plan;
}

static void *fill_and_take(void *data)
{
	struct worker *w = data;

	for (w->round = 0; w->round < rounds && !w->problem[0]; w->round++) {
		if (sbx_pool_fill(w->pool, 1, &w->err) < 0)
			(void)problem(w, "sbx_pool_fill");
		else if (sbx_pool_take(w->pool, &w->jail, NULL, &w->err) < 0)
			(void)problem(w, "sbx_pool_take");
		else
			(void)use_jail(w, w->jail);
		w->jail = sbx_jail_free(w->jail);
	}
	return NULL;
}

/* Filled and emptied by all of them at once: each jail goes to one. */
static void test_one_pool(void **state)
{
	struct sbx_pool_options o = { .size = sizeof(o), .jails = THREADS / 2 };
	struct sbx_plan *plan = plan_with_probe(), *plain = fixture_plan("exec", NULL);
	struct traces before = look_warm(plain);
	struct sbx_ctx *ctx = corner_ctx(&corner);
	struct worker workers[THREADS];
	struct sbx_pool *pool = NULL;
	int i;

	prepare(workers, ctx, &plan, 1);
	assert_int_equal(sbx_pool_new(ctx, plan, &pool, &o, NULL), 0);
	for (i = 0; i < THREADS; i++)
		workers[i].pool = pool;
	run_all(workers, fill_and_take);
	sbx_pool_free(pool);
	sbx_ctx_free(ctx);
	corner_assert_same(before, corner_look(&corner));
	sbx_plan_unref(plan);
	sbx_plan_unref(plain);
}

static void *compile(void *data)
{
	struct worker *w = data;
	const char *bad = "{\n\t\"memory\": \"64M\",\n\t\"unheard_of\": 1\n}\n";
	const char *build = getenv("SANDBOX_BUILD");
	struct sbx_policy *p = NULL;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/policies/exec.json", build ? build : "build");
	for (w->round = 0; w->round < rounds && !w->problem[0]; w->round++) {
		if (sbx_policy_load(&p, path, NULL, &w->err) < 0)
			(void)problem(w, "sbx_policy_load");
		else if (sbx_policy_compile(p, &w->plan, &w->err) < 0)
			(void)problem(w, "sbx_policy_compile");
		w->plan = sbx_plan_unref(w->plan);
		p = sbx_policy_free(p);
		if (sbx_policy_parse(&p, bad, strlen(bad), "bad", NULL, &w->err) >= 0 ||
		    !strstr(w->err.item, "bad:3"))
			(void)problem(w, "a wrong key on line 3");
	}
	return NULL;
}

static void test_policies_are_read_at_once(void **state)
{
	struct worker workers[THREADS];
	struct sbx_plan *none = NULL;

	prepare(workers, NULL, &none, 1);
	run_all(workers, compile);
}

static int setup(void **state)
{
	const char *given = getenv("SANDBOX_ROUNDS");

	rounds = given ? atoi(given) : corner_slowness() > 1 ? 1 : rounds;
	corner_init(&corner);
	return chmod(corner.runtime, 0711); /* relays have an id of their own */
}

static int teardown(void **state)
{
	corner_done(&corner);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_ctx_and_shared_plans),
		cmocka_unit_test(test_a_ctx_for_each_thread),
		cmocka_unit_test(test_jails_go_from_thread_to_thread),
		cmocka_unit_test(test_one_pool),
		cmocka_unit_test(test_policies_are_read_at_once),
	};

	return cmocka_run_group_tests_name("threads", tests, setup, teardown);
}
