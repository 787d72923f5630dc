/* SPDX-License-Identifier: MIT */

/*
 * Plans: what a policy says is in the blob, where plan-format.h says it is; the memfd is sealed;
 * the description tells it all.
 */

#include "plan.h"
#include "policy.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char policy_text[] =
	"{\"user\":70,\"group\":71,\"hostname\":\"db\",\"cwd\":\"/run\",\"memory\":\"100M\","
	"\"pids\":9,\"cpu\":1.5,\"wall\":\"2s\",\"output\":\"1K\",\"fsize\":\"3M\",\"stack\":\"1M\","
	"\"disk\":\"7M\",\"disk_inodes\":77,\"root_size\":\"2M\",\"scope_signals\":true,"
	"\"optional\":[\"landlock\"],"
	"\"sysctls\":{\"net/core/somaxconn\":5,\"kernel/sem\":\"1 2 3 4\"},"
	"\"mounts\":["
	"{\"type\":\"bind\",\"target\":\"/usr\",\"optional\":true},"
	"{\"type\":\"tmpfs\",\"target\":\"/app\",\"size\":\"disk\",\"mode\":\"1777\"},"
	"{\"type\":\"tmpfs\",\"target\":\"/tmp\",\"size\":\"1M\",\"inodes\":8,\"uid\":0,\"gid\":5},"
	"{\"type\":\"overlay\",\"target\":\"/o\",\"source\":\"/usr/share\",\"size\":\"2M\",\"inodes\":8},"
	"{\"type\":\"file\",\"target\":\"/f\",\"content\":\"two\\nlines\\n\"},"
	"{\"type\":\"file\",\"target\":\"/empty\",\"content\":\"\"},"
	"{\"type\":\"symlink\",\"target\":\"/l\",\"link\":\"f\"},"
	"{\"type\":\"device\",\"target\":\"/dev/null\"},"
	"{\"type\":\"proc\",\"target\":\"/proc\"}],"
	"\"syscalls\":{\"allow\":[\"@base\",\"@net\"]}}";

static struct sbx_plan *compile(const char *text)
{
	struct sbx_policy *p = NULL;
	struct sbx_plan *plan = NULL;
	struct sbx_error err = { 0 };

	if (sbx_policy_parse(&p, text, strlen(text), "t", NULL, &err) < 0 ||
	    sbx_policy_compile(p, &plan, &err) < 0)
		fail_msg("%s: %s", err.item, err.text);
	sbx_policy_free(p);
	return plan;
}

static int set_up(void **state)
{
	*state = compile(policy_text);
	return 0;
}

static int tear_down(void **state)
{
	assert_null(sbx_plan_unref(*state));
	return 0;
}

static void test_header(void **state)
{
	const struct sbx_plan *p = *state;
	const struct plan_header *h = p->blob;

	assert_int_equal(h->magic, PLAN_MAGIC);
	assert_int_equal(h->flags, PLAN_LANDLOCK_SCOPE_SIGNAL | PLAN_NO_NEW_USERNS);
	assert_int_equal(h->landlock, PLAN_LANDLOCK_OPTIONAL);
	assert_int_equal(h->uid, 70);
	assert_int_equal(h->gid, 71);
	assert_string_equal(plan_string(p, h->hostname), "db");
	assert_string_equal(plan_string(p, h->cwd), "/run");
	assert_string_equal(plan_string(p, 0), "");
	assert_int_equal(h->root_bytes, 2 << 20);
	assert_int_equal(h->n_mounts, 9);
	assert_true(h->n_filter > 100);
	assert_int_equal((h->mounts_off | h->sysctls_off | h->rlimits_off | h->filter_off) % 8, 0);
}

/* The parts lie one behind the other, inside the blob, and none on another. */
static void test_layout(void **state)
{
	const struct plan_header *h = ((struct sbx_plan *)*state)->blob;

	assert_true(h->mounts_off >= sizeof(*h));
	assert_true(h->sysctls_off >= h->mounts_off + h->n_mounts * sizeof(struct plan_mount));
	assert_true(h->rlimits_off >= h->sysctls_off + h->n_sysctls * sizeof(struct plan_sysctl));
	assert_true(h->filter_off >= h->rlimits_off + h->n_rlimits * sizeof(struct plan_rlimit));
	assert_true(h->strings_off >= h->filter_off + h->n_filter * sizeof(struct sock_filter));
	assert_true(h->size >= h->strings_off + h->strings_size);
	assert_int_equal(((const char *)h)[h->strings_off + h->strings_size - 1], '\0');
}

static void test_host_side(void **state)
{
	const struct sbx_plan *p = *state;

	/* 100M, and the root (2), /app (7), /tmp (1) and /o (2) full */
	assert_int_equal(p->memory, 112ull << 20);
	assert_int_equal(p->pids, 9);
	assert_int_equal(p->cpu_milli, 1500);
	assert_int_equal(p->wall_ns, 2 * NSEC_PER_SEC);
	assert_true(p->cpu_ns == UINT64_MAX);
	assert_int_equal(p->output, 1024);
}

static void test_no_limits(void **state)
{
	struct sbx_plan *p = compile("{}");

	(void)state;
	assert_int_equal(p->memory, 0);
	assert_int_equal(p->pids, 0);
	assert_int_equal(p->cpu_milli, 0);
	assert_true(p->wall_ns == UINT64_MAX);
	assert_int_equal(p->output, 0);
	assert_int_equal(p->blob->n_mounts, 0);
	assert_int_equal(p->blob->landlock, PLAN_LANDLOCK_REQUIRED);
	sbx_plan_unref(p);
	p = compile("{\"landlock\":false,\"optional\":[\"landlock\"],\"no_new_userns\":false}");
	assert_int_equal(p->blob->landlock, PLAN_LANDLOCK_OFF);
	assert_int_equal(p->blob->flags, 0);
	sbx_plan_unref(p);
}

static void test_mounts(void **state)
{
	const struct sbx_plan *p = *state;
	const struct plan_mount *m = plan_mounts(p);

	assert_int_equal(m[0].type, SBX_MOUNT_BIND);
	assert_int_equal(m[0].flags, SBX_MOUNT_OPTIONAL);
	assert_string_equal(plan_string(p, m[0].source), "/usr");
	assert_int_equal(m[1].bytes, 7 << 20);
	assert_int_equal(m[1].inodes, 77);
	assert_int_equal(m[1].mode, 01777);
	assert_int_equal(m[1].uid, 70);
	assert_int_equal(m[1].gid, 71);
	assert_int_equal(m[2].uid, 0);
	assert_int_equal(m[2].gid, 5);
	assert_int_equal(m[2].mode, 0755);
	assert_string_equal(plan_string(p, m[3].source), "/usr/share");
	assert_int_equal(m[3].uid, 70);
	assert_string_equal(plan_string(p, m[4].data), "two\nlines\n");
	assert_int_equal(m[4].data_len, 10);
	assert_int_equal(m[4].mode, 0444);
	assert_int_equal(m[5].data_len, 0);
	assert_string_equal(plan_string(p, m[6].data), "f");
	assert_string_equal(plan_string(p, m[7].source), "/dev/null");
	assert_int_equal(m[8].type, SBX_MOUNT_PROC);
	assert_string_equal(plan_string(p, m[8].target), "/proc");
}

static const struct plan_rlimit *find_rlimit(const struct sbx_plan *p, uint32_t resource)
{
	const struct plan_rlimit *r =
		(const struct plan_rlimit *)((const char *)p->blob + p->blob->rlimits_off);
	uint32_t i;

	for (i = 0; i < p->blob->n_rlimits; i++)
		if (r[i].resource == resource)
			return &r[i];
	return NULL;
}

static void test_rlimits_and_sysctls(void **state)
{
	const struct sbx_plan *p = *state;
	const struct plan_sysctl *s =
		(const struct plan_sysctl *)((const char *)p->blob + p->blob->sysctls_off);

	assert_int_equal(find_rlimit(p, RLIMIT_CORE)->value, 0);
	assert_int_equal(find_rlimit(p, RLIMIT_FSIZE)->value, 3 << 20);
	assert_int_equal(find_rlimit(p, RLIMIT_STACK)->value, 1 << 20);
	assert_int_equal(find_rlimit(p, RLIMIT_NOFILE)->value, 1024);
	assert_null(find_rlimit(p, RLIMIT_AS));
	assert_null(find_rlimit(p, RLIMIT_NPROC));
	assert_int_equal(p->blob->n_sysctls, 2);
	assert_string_equal(plan_string(p, s[0].path), "net/core/somaxconn");
	assert_string_equal(plan_string(p, s[0].value), "5");
	assert_int_equal(s[0].flags, PLAN_SYSCTL_NET);
	assert_string_equal(plan_string(p, s[1].value), "1 2 3 4");
	assert_int_equal(s[1].flags, 0);
}

static void test_sealed(void **state)
{
	const struct sbx_plan *p = *state;
	const int wanted = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat st;
	char *copy;

	assert_int_equal(fcntl(p->memfd, F_GET_SEALS) & wanted, wanted);
	assert_int_equal(fcntl(p->memfd, F_GETFD), FD_CLOEXEC);
	assert_true(write(p->memfd, "x", 1) < 0);
	assert_true(ftruncate(p->memfd, 0) < 0);
	assert_int_equal(fstat(p->memfd, &st), 0);
	assert_int_equal(st.st_size, p->blob->size);
	copy = malloc(p->blob->size);
	assert_int_equal(pread(p->memfd, copy, p->blob->size, 0), p->blob->size);
	assert_memory_equal(copy, p->blob, p->blob->size);
	free(copy);
}

static void test_references(void **state)
{
	struct sbx_plan *p = compile("{}");

	(void)state;
	assert_ptr_equal(sbx_plan_ref(p), p);
	assert_null(sbx_plan_unref(p));
	assert_int_equal(p->blob->magic, PLAN_MAGIC); /* still there */
	assert_null(sbx_plan_unref(p));
	assert_null(sbx_plan_unref(NULL));
	assert_null(sbx_plan_ref(NULL));
}

/* The same policy is the same plan: nothing of the process leaks into it. */
static void test_deterministic(void **state)
{
	const struct sbx_plan *a = *state;
	struct sbx_plan *b = compile(policy_text);

	assert_int_equal(a->blob->size, b->blob->size);
	assert_memory_equal(a->blob, b->blob, a->blob->size);
	sbx_plan_unref(b);
}

/* ---------------------------------------------------------------- mount_serialize */

struct row {
	struct sbx_mount m;
	const char *fault;
};

/* clang-format off */
static const struct row rows[] = {
	{ { .type = SBX_MOUNT_BIND, .source = "/a", .target = "/b", .flags = SBX_MOUNT_RW }, NULL },
	{ { .type = SBX_MOUNT_BIND, .source = "/a", .target = "/b", .flags = 16 }, "has unknown flags" },
	{ { .type = SBX_MOUNT_BIND, .target = "/b" }, "needs a source" },
	{ { .type = SBX_MOUNT_BIND, .source = "a", .target = "/b" }, "has a source that is no absolute path without . and .." },
	{ { .type = SBX_MOUNT_BIND, .source = "/a", .target = "/b", .data = "x" }, "has content that its type does not use" },
	{ { .type = SBX_MOUNT_BIND, .source = "/a", .target = "/b", .mode = 0755 }, "has a mode or owner that its type does not use" },
	{ { .type = SBX_MOUNT_BIND, .source = "/a", .target = "/b", .bytes = 1 }, "has a size that its type does not use" },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1, .inodes = 1 }, NULL },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1 }, "needs a limit for bytes and one for inodes" },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1ull << 41, .inodes = 1 }, "may hold 1T at most" },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1, .inodes = 1, .flags = SBX_MOUNT_RW }, "has a flag (rw, optional, idmap, noexec) that its type does not use" },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1, .inodes = 1, .mode = 02755 }, "has a mode beyond 1777: no set-id bits in a jail" },
	{ { .type = SBX_MOUNT_TMPFS, .target = "/b", .bytes = 1, .inodes = 1, .gid = 65536 }, "has an owner beyond 65535" },
	{ { .type = SBX_MOUNT_TMPFS, .source = "/x", .target = "/b", .bytes = 1, .inodes = 1 }, "has a source that its type does not use" },
	{ { .type = SBX_MOUNT_FILE, .target = "/b", .data = "" }, NULL },
	{ { .type = SBX_MOUNT_FILE, .target = "/b" }, "needs content or a link target" },
	{ { .type = SBX_MOUNT_FILE, .target = "/b", .data = "x", .data_len = (1 << 20) + 1 }, "has more than 1M of content" },
	{ { .type = SBX_MOUNT_SYMLINK, .target = "/b", .data = "x" }, NULL },
	{ { .type = SBX_MOUNT_SYMLINK, .target = "/b", .data = "x\0y", .data_len = 3 }, "has an empty or overlong link target" },
	{ { .type = SBX_MOUNT_DIR, .target = "/b" }, NULL },
	{ { .type = SBX_MOUNT_DIR, .target = "" }, "has no target" },
	{ { .type = SBX_MOUNT_DIR }, "has no target" },
	{ { .type = SBX_MOUNT_DIR, .target = "b" }, "is not absolute" },
	{ { .type = SBX_MOUNT_DIR, .target = "/" }, "is the root, which is the jail's own" },
	{ { .type = SBX_MOUNT_DIR, .target = "/b/." }, "holds . or .." },
	{ { .type = SBX_MOUNT_DIR, .target = "/../b" }, "holds . or .." },
	{ { .type = SBX_MOUNT_DIR, .target = "/...b" }, NULL },
	{ { .type = SBX_MOUNT_DIR, .target = "//b" }, "holds // or ends with /" },
	{ { .type = SBX_MOUNT_DIR, .target = "/b\n" }, "holds a control character" },
	{ { .type = SBX_MOUNT_DEVICE, .source = "/dev/null", .target = "/dev/null" }, NULL },
	{ { .type = SBX_MOUNT_DEVICE, .source = "/devil", .target = "/dev/null" }, "has a source outside /dev" },
};
/* clang-format on */

static void test_serialize_rows(void **state)
{
	struct string_pool pool = { 0 };
	struct plan_mount out;
	struct sbx_mount m;
	struct sbx_error err;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		m = rows[i].m;
		m.size = sizeof(m);
		memset(&out, 0xab, sizeof(out));
		r = mount_serialize(&m, &pool, &out, &err);
		if (!rows[i].fault && r < 0)
			fail_msg("row %zu: %s", i, err.text);
		if (rows[i].fault && (r != -EINVAL || !strstr(err.text, rows[i].fault)))
			fail_msg("row %zu: %d %s, not: %s", i, r, err.text, rows[i].fault);
		if (rows[i].fault)
			assert_int_equal(out.type, 0xabababab); /* untouched on failure */
	}
	string_pool_done(&pool);
}

static void test_serialize_sizes(void **state)
{
	struct {
		struct sbx_mount m;
		uint64_t later;
	} future = { .m = { .size = sizeof(future), .type = SBX_MOUNT_DIR, .target = "/d" } };
	struct string_pool pool = { 0 };
	struct plan_mount out;
	struct sbx_error err;

	(void)state;
	assert_int_equal(mount_serialize(&future.m, &pool, &out, &err), 0);
	future.later = 1;
	assert_int_equal(mount_serialize(&future.m, &pool, &out, &err), -E2BIG);
	assert_int_equal(mount_serialize(NULL, &pool, &out, &err), -EINVAL);
	future.m.size = sizeof(future.m);
	future.m.type = 9;
	assert_int_equal(mount_serialize(&future.m, &pool, &out, &err), -EINVAL);
	assert_string_equal(err.text, "there is no mount type 9");
	string_pool_done(&pool);
}

static void test_string_pool(void **state)
{
	struct string_pool pool = { 0 };
	uint32_t a = 0, b = 0;

	(void)state;
	assert_int_equal(string_pool_add(&pool, "a\0b", 3, &a), 0);
	assert_int_equal(string_pool_add(&pool, "", 0, &b), 0);
	assert_int_equal(a, 1);
	assert_int_equal(b, 5);
	assert_memory_equal(pool.bytes, "\0a\0b\0\0", 6);
	assert_int_equal(pool.size, 6);
	assert_int_equal(string_pool_add(&pool, "", SIZE_MAX, &a), -E2BIG);
	assert_int_equal(string_pool_add(&pool, "", 17 << 20, &a), -E2BIG);
	string_pool_done(&pool);
	assert_null(pool.bytes);
}

/* -------------------------------------------------------------------- description */

static void test_describe(void **state)
{
	static const char *const expected[] = {
		"identity\n  user           70\n  group          71\n  hostname       db\n",
		"  landlock       where the kernel has it\n  scopes         signals\n",
		"  new userns     refused\n",
		"limits\n  memory         112M with all file systems full\n  pids           9\n",
		"  cpu            1.5\n  cpu_time       none\n  wall           2s\n",
		"  output         1K each of stdout and stderr\n",
		"  core           0\n",
		"  fsize          3145728\n",
		"  kernel/sem = 1 2 3 4\n",
		"  tmpfs    / 2M, 2048 inodes, read-only\n",
		"  bind     /usr read-only optional\n",
		"  tmpfs    /app 7M, 77 inodes 1777 70:71\n",
		"  overlay  /o from /usr/share 2M, 8 inodes 0755 70:71\n",
		"  file     /f (10 bytes) 0444 0:0\n",
		"  symlink  /l -> f\n",
		"  device   /dev/null\n",
		"  proc     /proc\n",
		"  socket         families unix, inet, inet6, netlink, else EAFNOSUPPORT\n",
		"  clone          no new namespaces, no PTRACE, UNTRACED or PARENT, else EPERM\n",
		"  with arguments 8\n",
		"  killed         i386, x32\n",
	};
	char text[16384] = "";
	struct sbx_error err;
	size_t i;
	int fd = memfd_create("description", MFD_CLOEXEC);

	assert_int_equal(sbx_plan_describe(*state, fd, &err), 0);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	(void)close_fd(fd);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		if (!strstr(text, expected[i]))
			fail_msg("missing: %s\nin: %s", expected[i], text);
	assert_null(strstr(text, "mknod"));
	assert_int_equal(sbx_plan_describe(*state, -1, &err), -EBADF);
}

/* The filter in the blob is the filter that was compiled, not an empty one. */
static void test_filter(void **state)
{
	const struct sbx_plan *p = *state;
	const struct sock_filter *f =
		(const struct sock_filter *)((const char *)p->blob + p->blob->filter_off);
	struct seccomp_data data = { .nr = 59 /* execve */, .arch = 0xc000003e };

	assert_int_equal(seccomp_simulate(f, p->blob->n_filter, &data, NULL), SECCOMP_RET_ALLOW);
	data.nr = 83; /* mkdir */
	assert_int_equal(seccomp_simulate(f, p->blob->n_filter, &data, NULL),
			 SECCOMP_RET_ERRNO | EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_host_side),
		cmocka_unit_test(test_no_limits),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_rlimits_and_sysctls),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_serialize_rows),
		cmocka_unit_test(test_serialize_sizes),
		cmocka_unit_test(test_string_pool),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_filter),
	};

	return cmocka_run_group_tests_name("plan", tests, set_up, tear_down);
}
