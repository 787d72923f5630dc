/* SPDX-License-Identifier: MIT */

/*
 * Policies: what files and calls may say, and that every mistake is answered with its file, line,
 * path and a sentence that says what to do. (Files that extend others: test-policy-files.c.)
 */

#include "policy.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static int parse(const char *text, struct sbx_policy **ret, struct sbx_error *err)
{
	return sbx_policy_parse(ret, text, strlen(text), "p.json", NULL, err);
}

/* Parses what must be good. */
static struct sbx_policy *good(const char *text)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err = { 0 };

	if (parse(text, &p, &err) < 0)
		fail_msg("%s: %s: %s", text, err.item, err.text);
	return p;
}

/* --------------------------------------------------------------------- bad files */

struct bad {
	const char *text;
	const char *item;
	const char *message;
};

/* clang-format off */
static const struct bad bad_files[] = {
	{ "", "p.json:1", "not JSON: the text ends too early" },
	{ "{\n\"pids\": 3,\n\n", "p.json:4", "not JSON: the text ends too early" },
	{ "{\n\"pids\": 3,\n}", "p.json:2", "not JSON: no comma may stand before ] or }" },
	{ "{\"optional\": [\"a\", // x\n ]}", "p.json:1", "not JSON: no comma may stand before ] or }" },
	{ "{\n\"pids\" 3}", "p.json:2", "not JSON from here: 3}" },
	{ "{\"pids\": 3}\n x", "p.json:2", "not JSON from here: x" },
	{ "[]", "p.json:1 $", "a policy is an object: { ... }" },
	{ "{ /* a\n b\n", "p.json:1", "the comment is never closed with */" },
	{ "{\n// /* no\n\"pids\": \"a\"\n}", "p.json:3 $.pids", "must be a whole number or \"none\"" },
	{ "{\"hostname\": \"a\\u0000b\"}", "p.json:1", "a string may not hold \\u0000" },
	{ "{\"a\":[[[[[[[[[[[[[1]]]]]]]]]]]]]}", "p.json:1", "objects and lists are nested too deeply" },

	{ "{\n\"memroy\": \"1M\"}", "p.json:2 $.memroy", "unknown key; did you mean \"memory\"?" },
	{ "{\n\"something\": 1}", "p.json:2 $.something", "unknown key" },
	{ "{\"Pids\": 1}", "p.json:1 $.Pids", "unknown key; did you mean \"pids\"?" },
	{ "{\"syscals\": 1}", "p.json:1 $.syscals", "unknown key; did you mean \"syscalls\"?" },
	{ "{\n\"pids\": 1,\n\"cwd\": \"/\",\n\"pids\": 2}", "p.json:4 $.pids", "the key is there twice" },
	{ "{\"mounts\":[{},{\"type\":1,\n\"type\":2}]}", "p.json:2 $.mounts[1].type", "the key is there twice" },

	{ "{\"memory\": 256}", "p.json:1 $.memory", "must be a string with a unit, as \"256M\" or \"none\"" },
	{ "{\"memory\": \"256\"}", "p.json:1 $.memory", "\"256\" has no unit: write 256K, 256M or 256G" },
	{ "{\"memory\": \"256 M\"}", "p.json:1 $.memory", "\"256 M\" is no size: a whole number and B, K, M or G, as in 256M" },
	{ "{\"memory\": \"-1M\"}", "p.json:1 $.memory", "\"-1M\" is no size: a whole number and B, K, M or G, as in 256M" },
	{ "{\"memory\": \"1M\"}", "p.json:1 $.memory", "must be from 4M to 1024G" },
	{ "{\"memory\": \"99999999999999999999M\"}", "p.json:1 $.memory", "\"99999999999999999999M\" is too large" },
	{ "{\"memory\": \"999999999999999G\"}", "p.json:1 $.memory", "\"999999999999999G\" is too large" },
	{ "{\"disk\": \"none\"}", "p.json:1 $.disk", "\"none\" is no size: a whole number and B, K, M or G, as in 256M" },
	{ "{\"wall\": \"10\"}", "p.json:1 $.wall", "\"10\" has no unit: write 10ms, 10s or 10m" },
	{ "{\"wall\": \"1d\"}", "p.json:1 $.wall", "\"1d\" is no time: a whole number and ms, s, m or h, as in 10s" },
	{ "{\"wall\": 10}", "p.json:1 $.wall", "must be a string with a unit, as \"10s\" or \"none\"" },
	{ "{\"wall\": \"0s\"}", "p.json:1 $.wall", "must be from 1ms to 2592000s" },
	{ "{\"pids\": 1.5}", "p.json:1 $.pids", "\"1.5\" is no whole number" },
	{ "{\"pids\": -1}", "p.json:1 $.pids", "\"-1\" is no whole number" },
	{ "{\"pids\": 1e300}", "p.json:1 $.pids", "\"1e+300\" is no whole number" },
	{ "{\"pids\": 0}", "p.json:1 $.pids", "must be from 1 to 4000000" },
	{ "{\"pids\": \"64\"}", "p.json:1 $.pids", "must be a whole number or \"none\"" },
	{ "{\"cpu\": \"1.2345\"}", "p.json:1 $.cpu", "\"1.2345\" is no number of processors, as in 1 or 0.25" },
	{ "{\"cpu\": \"1.\"}", "p.json:1 $.cpu", "\"1.\" is no number of processors, as in 1 or 0.25" },
	{ "{\"cpu\": 0}", "p.json:1 $.cpu", "must be from 0.01 to 1024" },
	{ "{\"user\": 0}", "p.json:1 $.user", "must be from 1 to 65534" },
	{ "{\"landlock\": \"true\"}", "p.json:1 $.landlock", "must be true or false" },
	{ "{\"hostname\": \"a_b\"}", "p.json:1 $.hostname", "\"a_b\" is no host name: letters, digits, '-' and '.'" },
	{ "{\"hostname\": \"\"}", "p.json:1 $.hostname", "\"\" is no host name: letters, digits, '-' and '.'" },
	{ "{\"cwd\": \"work\"}", "p.json:1 $.cwd", "\"work\" is not absolute" },
	{ "{\"cwd\": \"/a/../b\"}", "p.json:1 $.cwd", "\"/a/../b\" holds . or .." },
	{ "{\"cwd\": null}", "p.json:1 $.cwd", "must be a string" },

	{ "{\"optional\": [\"seccomp\"]}", "p.json:1 $.optional[0]", "only \"landlock\" can be optional: all else is needed" },
	{ "{\"optional\": \"landlock\"}", "p.json:1 $.optional", "must be a list, as [\"landlock\"]" },
	{ "{\"extends\": \"../etc/x\"}", "p.json:1 $.extends", "must be the name of one policy: letters, digits, '-' and '_'" },
	{ "{\"extends\": [\"a\"]}", "p.json:1 $.extends", "must be the name of one policy: letters, digits, '-' and '_'" },
	{ "{\n\"extends\": \"nowhere\"}", "p.json:2 $.extends", "there is no nowhere.json beside this file or in the search path" },

	{ "{\"syscalls\": [\"read\"]}", "p.json:1 $.syscalls", "must be an object with \"allow\", \"eperm\" or \"enosys\"" },
	{ "{\"syscalls\": {\"kill\": []}}", "p.json:1 $.syscalls.kill", "unknown key: \"allow\", \"eperm\" or \"enosys\"" },
	{ "{\"syscalls\": {\"allow\": \"read\"}}", "p.json:1 $.syscalls.allow", "must be a list of names" },
	{ "{\"syscalls\": {\"allow\": [\"read\",\n 7]}}", "p.json:2 $.syscalls.allow[1]", "must be a name, as \"@files\"" },
	{ "{\"syscalls\": {\"allow\": [\"read\",\n\n \"wriet\"]}}", "p.json:3 $.syscalls.allow[1]", "\"wriet\": no such system call; did you mean \"write\"?" },
	{ "{\"syscalls\": {\"allow\": [\"ptrace\"]}}", "p.json:1 $.syscalls.allow[0]", "\"ptrace\": no policy can allow this: it reaches into other processes" },

	{ "{\"sysctls\": {\"kernel/core_pattern\": \"|x\"}}", "p.json:1 $.sysctls[\"kernel/core_pattern\"]",
	  "\"kernel/core_pattern\" is not a setting of a jail's own: net/, fs/mqueue/, kernel/shm*, sem, msg*" },
	{ "{\"sysctls\": {\"net/../kernel/x\": \"1\"}}", "p.json:1 $.sysctls[\"net/../kernel/x\"]", "\"net/../kernel/x\" is no path below /proc/sys" },
	{ "{\"sysctls\": {\"net/a\": \"1\\n2\"}}", "p.json:1 $.sysctls[\"net/a\"]", "\"net/a\" has a value with control characters" },
	{ "{\"sysctls\": {\"net/a\": true}}", "p.json:1 $.sysctls[\"net/a\"]", "must be a string or a number" },

	{ "{\"mounts\": {}}", "p.json:1 $.mounts", "must be a list of mounts: [ { ... }, ... ]" },
	{ "{\"mounts\": [\n1]}", "p.json:2 $.mounts[0]", "must be an object: { ... }" },
	{ "{\"mounts\": [{\"target\":\"/a\"}]}", "p.json:1 $.mounts[0]", "needs a \"type\": bind, tmpfs, proc, file, symlink, dir, device or overlay" },
	{ "{\"mounts\": [{\"type\":\"nfs\"}]}", "p.json:1 $.mounts[0].type", "must be \"bind\", \"tmpfs\", \"proc\", \"file\", \"symlink\", \"dir\", \"device\" or \"overlay\"" },
	{ "{\"mounts\": [{\"type\":\"dir\"}]}", "p.json:1 $.mounts[0]", "a mount of type \"dir\" needs a \"target\"" },
	{ "{\"mounts\": [{\"type\":\"dir\",\n\"traget\":\"/a\"}]}", "p.json:2 $.mounts[0].traget", "unknown key of a mount; did you mean \"target\"?" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\",\n\"rw\":true}]}", "p.json:2 $.mounts[0].rw", "a mount of type \"dir\" has no \"rw\"" },
	{ "{\"mounts\": [{\"type\":\"bind\",\"target\":\"/a\",\n\"rw\":1}]}", "p.json:2 $.mounts[0].rw", "must be true or false" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\",\"mode\":755}]}", "p.json:1 $.mounts[0].mode", "must be an octal mode in a string, as \"0755\"" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\",\"mode\":\"0798\"}]}", "p.json:1 $.mounts[0].mode", "must be an octal mode in a string, as \"0755\"" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\",\"mode\":\"4755\"}]}", "p.json:1 $.mounts[0]", "a dir at \"/a\" has a mode beyond 1777: no set-id bits in a jail" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\",\"uid\":70000}]}", "p.json:1 $.mounts[0].uid", "must be at most 65535" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a/../b\"}]}", "p.json:1 $.mounts[0]", "a dir at \"/a/../b\" holds . or .." },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a//b\"}]}", "p.json:1 $.mounts[0]", "a dir at \"/a//b\" holds // or ends with /" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a/\"}]}", "p.json:1 $.mounts[0]", "a dir at \"/a/\" holds // or ends with /" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/\"}]}", "p.json:1 $.mounts[0]", "a dir at \"/\" is the root, which is the jail's own; a policy may have an overlay or a bind there" },
	{ "{\"mounts\": [{\"type\":\"bind\",\"target\":\"/a\",\"source\":\"/\"}]}", "p.json:1 $.mounts[0]", "a bind at \"/a\" may not show the whole host: \"/\" is no source" },
	{ "{\"mounts\": [{\"type\":\"bind\",\"target\":\"/a\",\"source\":\"/proc/1\"}]}", "p.json:1 $.mounts[0]", "a bind at \"/a\" may not show the host's /proc; the type \"proc\" makes the jail's own" },
	{ "{\"mounts\": [{\"type\":\"device\",\"target\":\"/dev/x\",\"source\":\"/etc/passwd\"}]}", "p.json:1 $.mounts[0]", "a device at \"/dev/x\" has a source outside /dev" },
	{ "{\"mounts\": [{\"type\":\"tmpfs\",\"target\":\"/a\"}]}", "p.json:1 $.mounts[0]", "a mount of type \"tmpfs\" needs a \"size\"" },
	{ "{\"mounts\": [{\"type\":\"tmpfs\",\"target\":\"/a\",\"size\":\"1M\"}]}", "p.json:1 $.mounts[0]", "a mount of type \"tmpfs\" needs \"inodes\", the number of its files" },
	{ "{\"mounts\": [{\"type\":\"tmpfs\",\"target\":\"/a\",\"size\":\"0M\",\"inodes\":1}]}", "p.json:1 $.mounts[0]", "a tmpfs at \"/a\" needs a limit for bytes and one for inodes" },
	{ "{\"mounts\": [{\"type\":\"tmpfs\",\"target\":\"/a\",\"size\":5,\"inodes\":1}]}", "p.json:1 $.mounts[0].size", "must be a string with a unit, as \"64M\", or \"disk\"" },
	{ "{\"mounts\": [{\"type\":\"symlink\",\"target\":\"/a\",\"link\":\"\"}]}", "p.json:1 $.mounts[0]", "a symlink at \"/a\" has an empty or overlong link target" },
	{ "{\"mounts\": [{\"type\":\"file\",\"target\":\"/a\"}]}", "p.json:1 $.mounts[0]", "a mount of type \"file\" needs a \"content\"" },
	{ "{\"mounts\": [{\"type\":\"dir\",\"target\":\"/a\"},\n{\"type\":\"dir\",\"target\":\"/a\"}]}", "p.json:2 $.mounts[1]", "\"/a\" is mounted twice in one file" },
	{ "{\"mounts\": [{\"remove\":\"/a\"}]}", "p.json:1 $.mounts[0].remove", "\"/a\" cannot be removed: nothing is mounted there" },
	{ "{\"mounts\": [{\"remove\":\"/a\",\"type\":\"dir\"}]}", "p.json:1 $.mounts[0].remove", "must be the target of an earlier mount, and the only key" },
};
/* clang-format on */

static void test_bad_files(void **state)
{
	struct sbx_policy *p;
	struct sbx_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad_files); i++) {
		p = NULL;
		memset(&err, 0, sizeof(err));
		if (parse(bad_files[i].text, &p, &err) >= 0)
			fail_msg("accepted: %s", bad_files[i].text);
		assert_null(p);
		assert_true(err.code < 0);
		assert_string_equal(err.stage, "policy");
		if (strcmp(err.item, bad_files[i].item) || strcmp(err.text, bad_files[i].message))
			fail_msg("%s\n got: %s: %s\nwant: %s: %s", bad_files[i].text, err.item,
				 err.text, bad_files[i].item, bad_files[i].message);
		assert_int_equal(parse(bad_files[i].text, &p, NULL), err.code);
	}
}

/* The place is found in spite of what looks like JSON in strings, comments and escaped keys. */
static void test_places(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;

	(void)state;
	assert_int_equal(parse("{ // \"pids\": [\n"
			       "\"description\": \"}]\\\"{ // no\", /* \"\n"
			       "*/ \"\\u0068ostname\": \"ok\",\n"
			       "\"syscalls\": { \"allow\": [\"read\", \"write\"],\n"
			       "  \"eperm\": [\"@net\",\n"
			       "     \"@nett\"] } }",
			       &p, &err),
			 -EINVAL);
	assert_string_equal(err.item, "p.json:6 $.syscalls.eperm[1]");
	assert_int_equal(parse("{\"description\": \"a, b\",\n\"\\u0070ids\": {\"a\": [1, 2]}}", &p,
			       &err),
			 -EINVAL);
	assert_string_equal(err.item, "p.json:2 $.pids");
}

static void test_long_names_keep_the_line(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name));
	memcpy(name + 280, "/last.json", 11);
	assert_int_equal(sbx_policy_parse(&p, "{\"pids\":0}", 10, name, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.item, "/last.json:1 $.pids"));
	assert_true(starts_with(err.item, "..."));
}

static void test_nul_and_size(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;
	char *large = calloc(1, (1 << 20) + 2);

	(void)state;
	assert_int_equal(sbx_policy_parse(&p, "{}\0", 3, "p", NULL, &err), -EINVAL);
	assert_string_equal(err.text, "the text holds a NUL byte");
	memset(large, ' ', (1 << 20) + 1);
	assert_int_equal(sbx_policy_parse(&p, large, (1 << 20) + 1, "p", NULL, &err), -EFBIG);
	memcpy(large, "{}", 2);
	assert_int_equal(sbx_policy_parse(&p, large, 1 << 20, "p", NULL, &err), 0);
	sbx_policy_free(p);
	free(large);
}

/* -------------------------------------------------------------------------- good */

static void test_values(void **state)
{
	struct sbx_policy *p = good("{\"memory\":\"1G\",\"pids\":12,\"cpu\":1.5,\"wall\":\"500ms\","
				    "\"cpu_time\":\"2m\",\"output\":\"none\",\"stack\":\"64K\","
				    "\"landlock\":false,\"user\":70,\"cwd\":\"/a b\"}");

	(void)state;
	assert_int_equal(p->values.memory, 1ull << 30);
	assert_int_equal(p->values.pids, 12);
	assert_int_equal(p->values.cpu, 1500);
	assert_int_equal(p->values.wall, 500 * NSEC_PER_MSEC);
	assert_int_equal(p->values.cpu_time, 120 * NSEC_PER_SEC);
	assert_true(p->values.output == POLICY_NONE);
	assert_int_equal(p->values.stack, 65536);
	assert_int_equal(p->values.landlock, 0);
	assert_int_equal(p->values.user, 70);
	assert_string_equal(p->values.cwd, "/a b");
	sbx_policy_free(p);
	p = good("{\"cpu\":\"0.25\",\"pids\":\"none\"}");
	assert_int_equal(p->values.cpu, 250);
	assert_true(p->values.pids == POLICY_NONE);
	sbx_policy_free(p);
}

static void test_set(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;

	(void)state;
	assert_int_equal(sbx_policy_new(&p, &err), 0);
	assert_int_equal(sbx_policy_set(p, "memory", "256M", &err), 0);
	assert_int_equal(p->values.memory, 256ull << 20);
	assert_int_equal(sbx_policy_set(p, "cpu", "2", &err), 0);
	assert_int_equal(p->values.cpu, 2000);
	assert_int_equal(sbx_policy_set(p, "pids", "64", &err), 0);
	assert_int_equal(sbx_policy_set(p, "no_new_userns", "false", &err), 0);
	assert_int_equal(p->values.no_new_userns, 0);
	assert_int_equal(sbx_policy_set(p, "memory", "12", &err), -EINVAL);
	assert_string_equal(err.stage, "policy");
	assert_string_equal(err.item, "memory");
	assert_string_equal(err.text, "\"12\" has no unit: write 12K, 12M or 12G");
	assert_int_equal(p->values.memory, 256ull << 20);
	assert_int_equal(sbx_policy_set(p, "memori", "1G", &err), -EINVAL);
	assert_string_equal(err.text, "no such key; did you mean \"memory\"?");
	assert_int_equal(sbx_policy_set(p, "mounts", "x", &err), -EINVAL);
	assert_int_equal(sbx_policy_set(p, NULL, "x", &err), -EINVAL);
	assert_int_equal(sbx_policy_set(p, "pids", NULL, NULL), -EINVAL);
	assert_null(sbx_policy_free(p));
	assert_null(sbx_policy_free(NULL));
}

static void test_defaults_are_in_range(void **state)
{
	struct sbx_policy *p = NULL;
	char why[POLICY_WHY];
	size_t i;

	(void)state;
	assert_int_equal(sbx_policy_new(&p, NULL), 0);
	for (i = 0; i < policy_n_keys; i++)
		assert_int_equal(policy_value_set(p, &policy_keys[i], policy_keys[i].initial, why),
				 0);
	assert_int_equal(p->n_mounts + p->n_rules + p->n_sysctls, 0);
	sbx_policy_free(p);
}

static void test_add_mount(void **state)
{
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_BIND, .source = "/usr",
			       .target = "/usr" };
	struct sbx_policy *p = NULL;
	struct sbx_error err;

	(void)state;
	assert_int_equal(sbx_policy_new(&p, &err), 0);
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), 0);
	m.source = "/opt";
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), 0); /* replaces */
	assert_int_equal(p->n_mounts, 1);
	assert_string_equal(p->mounts[0].m.source, "/opt");
	assert_ptr_not_equal(p->mounts[0].m.source, m.source);
	m.target = "usr";
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), -EINVAL);
	assert_string_equal(err.stage, "mount");
	m.size = 4;
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), -EINVAL);
	assert_int_equal(sbx_policy_add_mount(p, NULL, &err), -EINVAL);
	sbx_policy_free(p);
}

/* A tree of the caller's at "/" comes first, whenever it was added, and only in a policy. */
static void test_root_mount(void **state)
{
	struct sbx_policy *p = good("{\"mounts\":[{\"type\":\"dir\",\"target\":\"/a\"}]}");
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_OVERLAY, .source = "/srv",
			       .target = "/", .bytes = 1 << 20, .inodes = 100 };
	struct string_pool pool = { 0 };
	struct plan_mount serialized;
	struct sbx_plan *plan = NULL;
	struct sbx_error err;

	(void)state;
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), 0);
	m.source = "/opt";
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), 0); /* replaces */
	assert_int_equal(p->n_mounts, 2);
	assert_string_equal(p->mounts[0].m.target, "/");
	assert_string_equal(p->mounts[0].m.source, "/opt");
	assert_string_equal(p->mounts[1].m.target, "/a");
	assert_int_equal(sbx_policy_add_syscall(p, "@base", SBX_SYSCALL_ALLOW, &err), 0);
	assert_int_equal(sbx_policy_compile(p, &plan, &err), 0);
	assert_string_equal(plan_string(plan, plan_mounts(plan)[0].target), "/");
	plan = sbx_plan_unref(plan);
	m.source = "/";
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), -EINVAL);
	m = (struct sbx_mount){ .size = sizeof(m), .type = SBX_MOUNT_TMPFS, .target = "/",
				.bytes = 1 << 20, .inodes = 100 };
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), -EINVAL);
	m = (struct sbx_mount){ .size = sizeof(m), .type = SBX_MOUNT_BIND, .source = "/srv",
				.target = "/" };
	assert_int_equal(mount_serialize(&m, &pool, &serialized, &err), -EINVAL);
	assert_int_equal(mount_serialize_of_plan(&m, &pool, &serialized, &err), 0);
	string_pool_done(&pool);
	sbx_policy_free(p);
}

static void test_too_many_mounts(void **state)
{
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_DIR };
	struct sbx_policy *p = NULL;
	struct sbx_error err;
	char target[16];
	unsigned int i;

	(void)state;
	assert_int_equal(sbx_policy_new(&p, &err), 0);
	m.target = target;
	for (i = 0; i <= POLICY_MOUNTS_MAX; i++) {
		(void)snprintf(target, sizeof(target), "/d%u", i);
		assert_int_equal(sbx_policy_add_mount(p, &m, &err),
				 i < POLICY_MOUNTS_MAX ? 0 : -E2BIG);
	}
	sbx_policy_free(p);
}

static void test_compile_errors(void **state)
{
	struct sbx_policy *p = good("{\"mounts\":[{\"type\":\"bind\",\"target\":\"/usr/lib\"},"
				    "{\"type\":\"bind\",\"target\":\"/usr\"}]}");
	struct sbx_plan *plan = NULL;
	struct sbx_error err;
	char text[70000];

	(void)state;
	assert_int_equal(sbx_policy_compile(p, &plan, &err), -EINVAL);
	assert_string_equal(err.item, "/usr");
	assert_string_equal(err.text,
			    "it would hide \"/usr/lib\", which comes before it: put it first");
	sbx_policy_free(p);
	p = good("{\"root_size\":\"64K\"}");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	const struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_FILE, .target = "/f",
				     .data = text };
	assert_int_equal(sbx_policy_add_mount(p, &m, &err), 0);
	assert_int_equal(sbx_policy_compile(p, &plan, &err), -ENOSPC);
	assert_string_equal(err.item, "root_size");
	assert_null(plan);
	sbx_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_long_names_keep_the_line),
		cmocka_unit_test(test_nul_and_size),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_defaults_are_in_range),
		cmocka_unit_test(test_add_mount),
		cmocka_unit_test(test_root_mount),
		cmocka_unit_test(test_too_many_mounts),
		cmocka_unit_test(test_compile_errors),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
