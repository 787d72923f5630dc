/* SPDX-License-Identifier: MIT */

/*
 * Pools: jails that wait are real ones, given away once, with what may still be added to them, and
 * in pairs that share a network.
 */

#include "fixture.h"
#include "util/util.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

static struct sbx_pool *make_pool(struct sbx_plan *plan, uint32_t jails, struct sbx_pool *beside)
{
	struct sbx_pool_options o = { .size = sizeof(o), .jails = jails, .beside = beside };
	struct sbx_pool *pool = NULL;
	struct sbx_error err;

	if (sbx_pool_new(fixture_ctx(), plan, &pool, &o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return pool;
}

static void fill(struct sbx_pool *pool, uint32_t n, int expected)
{
	struct sbx_error err = { 0 };
	int r = sbx_pool_fill(pool, n, &err);

	if (r != expected)
		fail_msg("%d jails wait, not %d: %s", r, expected, fixture_error(&err));
}

static struct sbx_jail *take(struct sbx_pool *pool, const struct sbx_jail_options *o)
{
	struct sbx_jail *j = NULL;
	struct sbx_error err;

	if (sbx_pool_take(pool, &j, o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return j;
}

/* The probe comes as an extra mount, below the work tree: the root is sealed by then. */
static struct sbx_mount probe_mount(void)
{
	return (struct sbx_mount){ .size = sizeof(struct sbx_mount),
				   .type = SBX_MOUNT_BIND,
				   .source = getenv("SANDBOX_PROBE"),
				   .target = "/box/probe" };
}

static struct sbx_jail *take_with_probe(struct sbx_pool *pool, struct sbx_jail *netns_of)
{
	struct sbx_mount probe = probe_mount();
	struct sbx_jail_options o = { .size = sizeof(o),
				      .label = "student-7",
				      .netns_of = netns_of,
				      .mounts = &probe,
				      .n_mounts = 1 };

	return take(pool, &o);
}

static int run(struct sbx_jail *j, const char *name, const char *argument)
{
	const char *argv[] = { "/box/probe", name, argument, NULL };
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_result r = { .size = sizeof(r) };

	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	sbx_proc_free(p);
	return r.exit_code;
}

static void test_each_is_used_once(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool *pool = make_pool(plan, 3, NULL);
	struct sbx_jail *j[4];
	int i, k;

	assert_int_equal(sbx_pool_waiting(pool), 0);
	fill(pool, 1, 1);
	fill(pool, 0, 3);
	fill(pool, 0, 3);
	for (i = 0; i < 4; i++) {
		j[i] = take_with_probe(pool, NULL);
		assert_int_equal(sbx_pool_waiting(pool), i < 3 ? 2 - i : 0);
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(j[i], j[k]);
		assert_int_equal(run(j[i], "write", "/box/mine"), 0);
	}
	for (i = 0; i < 4; i++)
		sbx_jail_free(j[i]);
	fill(pool, 2, 2);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

/* It has run nothing and nobody has written to it. */
static void test_what_waits_is_virgin(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool *pool = make_pool(plan, 1, NULL);
	struct sbx_stats stats = { .size = sizeof(stats) };
	struct sbx_jail *j;

	fill(pool, 0, 1);
	j = take(pool, NULL);
	assert_int_equal(sbx_jail_stats(j, &stats, NULL), 0);
	assert_int_equal(stats.disk_full, 0);
	if (stats.pids_now) /* where something counts: init alone */
		assert_int_equal(stats.pids_now, 1);
	sbx_jail_free(j);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

static void test_a_killed_one_is_not_given_away(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool *pool = make_pool(plan, 2, NULL);
	struct sbx_jail *first;
	char command[256];

	fill(pool, 0, 2);
	/* All inits that are children of ours or of our holder's are of this pool; until they are dead. */
	(void)snprintf(
		command, sizeof(command),
		"p=$(pgrep -d, -P %d -f ^sandbox-holder); i=$(pgrep -P %d${p:+,$p} "
		"-f ^sandbox-init) && kill -KILL $i && "
		"while ps -o stat= -p $(echo $i | tr ' ' ,) | grep -qv ^Z; do sleep 0.01; done",
		(int)getpid(), (int)getpid());
	assert_int_equal(system(command), 0);
	first = take_with_probe(pool, NULL);
	assert_int_equal(run(first, "write", "/box/mine"), 0);
	sbx_jail_free(first);
	fill(pool, 0, 2);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

static int listen_in(struct sbx_jail *j)
{
	int fd = sbx_jail_listen(j, 5000, 4, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void test_pairs_share_a_network(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool *servers = make_pool(plan, 2, NULL);
	struct sbx_pool *testers = make_pool(plan, 2, servers);
	struct sbx_jail *a, *b, *tester, *cold;
	int fd;

	fill(testers, 0, 0); /* nobody to be beside yet */
	fill(servers, 0, 2);
	fill(testers, 0, 2);
	a = take(servers, NULL);
	b = take(servers, NULL);
	fd = listen_in(a);
	tester = take(testers, &(struct sbx_jail_options){ .size = sizeof(struct sbx_jail_options),
							   .netns_of = a });
	assert_int_equal(sbx_pool_waiting(testers), 1);
	assert_int_equal(sbx_jail_listening(tester, 5000, NULL), 1);
	assert_int_equal(sbx_jail_listening(b, 5000, NULL), 0);
	/* A second one beside the same jail was not made ahead: it is made now. */
	cold = take(testers, &(struct sbx_jail_options){ .size = sizeof(struct sbx_jail_options),
							 .netns_of = a });
	assert_int_equal(sbx_pool_waiting(testers), 1);
	assert_int_equal(sbx_jail_listening(cold, 5000, NULL), 1);
	(void)close(fd);
	sbx_jail_free(cold);
	sbx_jail_free(tester);
	sbx_jail_free(a);
	sbx_jail_free(b);
	fill(testers, 0, 0); /* the one beside b can never be asked for again */
	sbx_pool_free(testers);
	sbx_pool_free(servers);
	sbx_plan_unref(plan);
}

static void test_a_group_for_each(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_group_options group = { .size = sizeof(group), .memory = 64u << 20 };
	struct sbx_pool_options o = { .size = sizeof(o), .jails = 2, .group = &group };
	struct sbx_result r = { .size = sizeof(r) };
	const char *argv[] = { "/box/probe", "memory", "200", NULL };
	struct sbx_pool *pool = NULL;
	struct sbx_jail *hungry, *other;
	struct sbx_proc *p;

	assert_int_equal(sbx_pool_new(fixture_ctx(), plan, &pool, &o, NULL), 0);
	fill(pool, 0, 2);
	hungry = take_with_probe(pool, NULL);
	other = take_with_probe(pool, NULL);
	p = fixture_start(hungry, argv, -1);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	assert_int_equal(r.verdict, SBX_VERDICT_MEMORY);
	sbx_proc_free(p);
	assert_int_equal(run(other, "memory", "8"), 0);
	sbx_jail_free(hungry);
	sbx_jail_free(other);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

#define THREADS 8
#define ROUNDS 12

static void *use_pool(void *data)
{
	struct sbx_pool *pool = data;
	struct sbx_jail *j;
	intptr_t bad = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 3 == 0 && sbx_pool_fill(pool, 2, NULL) < 0)
			bad++;
		if (sbx_pool_take(pool, &j, NULL, NULL) < 0) {
			bad++;
			continue;
		}
		bad += sbx_jail_listening(j, 80, NULL) != 0;
		sbx_jail_free(j);
	}
	return (void *)bad;
}

static void test_many_threads(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool *pool = make_pool(plan, 4, NULL);
	pthread_t threads[THREADS];
	void *bad;
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_pool, pool), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_ptr_equal(bad, NULL);
	}
	assert_true(sbx_pool_waiting(pool) <= 4);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

static void test_options_are_checked(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_pool_options o = { .size = sizeof(o) };
	struct sbx_mount tmp = { .size = sizeof(tmp),
				 .type = SBX_MOUNT_TMPFS,
				 .target = "/box/t",
				 .bytes = 4096,
				 .inodes = 2 };
	struct sbx_jail_options late = { .size = sizeof(late), .mounts = &tmp, .n_mounts = 1 };
	struct sbx_pool *pool = NULL;
	struct sbx_jail *j = NULL;
	struct sbx_error err;

	assert_int_equal(sbx_pool_new(fixture_ctx(), plan, &pool, &o, &err), -EINVAL);
	assert_string_equal(err.stage, "pool");
	o.jails = 2000;
	assert_int_equal(sbx_pool_new(fixture_ctx(), plan, &pool, &o, &err), -EINVAL);
	o.jails = 1;
	o.label = "no/slash";
	assert_int_equal(sbx_pool_new(fixture_ctx(), plan, &pool, &o, &err), -EINVAL);
	assert_null(pool);
	assert_null(sbx_pool_free(NULL));
	pool = make_pool(plan, 1, NULL);
	fill(pool, 0, 1);
	assert_int_equal(sbx_pool_take(pool, &j, &late, &err), -EINVAL);
	assert_null(j);
	sbx_pool_free(pool);
	sbx_plan_unref(plan);
}

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_each_is_used_once),
		FIXTURE_TEST(test_what_waits_is_virgin),
		FIXTURE_TEST(test_a_killed_one_is_not_given_away),
		FIXTURE_TEST(test_pairs_share_a_network),
		FIXTURE_TEST_NEEDS(test_a_group_for_each, SBX_LIMIT_MEMORY, NULL),
		FIXTURE_TEST(test_many_threads),
		FIXTURE_TEST(test_options_are_checked),
	};

	return fixture_run("pool", tests, ARRAY_SIZE(tests));
}
