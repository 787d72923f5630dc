/* SPDX-License-Identifier: MIT */

/*
 * Policies in files: what extends another, where it is looked for, and the policies that are
 * shipped.
 */

#include "policy.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int load(const char *dir, const char *name, const char *search, struct sbx_policy **ret,
		struct sbx_error *err)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	return sbx_policy_load(ret, path, search, err);
}

static int make_files(void **state)
{
	static char dir[32];
	char name[16], text[64];
	int i;

	copy_string(dir, sizeof(dir), "/tmp/test-policy-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	write_file(dir, "parent",
		   "{\"pids\":1,\"memory\":\"8M\",\"mounts\":["
		   "{\"type\":\"dir\",\"target\":\"/a\"},"
		   "{\"type\":\"dir\",\"target\":\"/b\"},"
		   "{\"type\":\"dir\",\"target\":\"/c\"}],"
		   "\"syscalls\":{\"allow\":[\"@net\"]},"
		   "\"sysctls\":{\"net/a\":1,\"net/b\":2},\"optional\":[\"landlock\"]}");
	/* `extends` counts first wherever it stands. */
	write_file(dir, "child", "{\"pids\":2,\"mounts\":[{\"remove\":\"/a\"},"
				 "{\"type\":\"symlink\",\"target\":\"/b\",\"link\":\"c\"},"
				 "{\"type\":\"dir\",\"target\":\"/d\"}],"
				 "\"syscalls\":{\"eperm\":[\"bind\"]},"
				 "\"sysctls\":{\"net/b\":3},\"extends\":\"parent\"}");
	write_file(dir, "loop", "{\n\"extends\": \"loop2\"}");
	write_file(dir, "loop2", "{\n\n\"extends\": \"loop\"}");
	write_file(dir, "far", "{\"extends\":\"base\"}");
	write_file(dir, "bad", "{\"extends\":\"badparent\"}");
	write_file(dir, "badparent", "{\n\n\"pids\":0}");
	for (i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "deep%d", i);
		(void)snprintf(text, sizeof(text), "{\"extends\":\"deep%d\"}", i + 1);
		write_file(dir, name, text);
	}
	write_file(dir, "deep12", "{}");
	*state = dir;
	return 0;
}

static int remove_files(void **state)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	return system(command);
}

static void test_extends(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;

	assert_int_equal(load(*state, "child", NULL, &p, &err), 0);
	assert_int_equal(p->values.pids, 2);
	assert_int_equal(p->values.memory, 8 << 20);
	assert_true(p->landlock_optional);
	assert_int_equal(p->n_mounts, 3);
	assert_string_equal(p->mounts[0].m.target, "/b"); /* replaced where it stood */
	assert_int_equal(p->mounts[0].m.type, SBX_MOUNT_SYMLINK);
	assert_string_equal(p->mounts[1].m.target, "/c");
	assert_string_equal(p->mounts[2].m.target, "/d");
	assert_int_equal(p->n_rules, 2);
	assert_int_equal(p->rules[1].action, SBX_SYSCALL_EPERM);
	assert_int_equal(p->n_sysctls, 2);
	assert_string_equal(p->sysctls[1].value, "3");
	sbx_policy_free(p);
}

static void test_search_path(void **state)
{
	static const char text[] = "{\"extends\":\"parent\"}";
	struct sbx_policy *p = NULL;
	struct sbx_error err;
	char search[64];

	(void)snprintf(search, sizeof(search), ":/nonexistent:%s", (char *)*state);
	assert_int_equal(sbx_policy_parse(&p, text, strlen(text), "m", search, &err), 0);
	assert_int_equal(p->values.pids, 1);
	p = sbx_policy_free(p);
	assert_int_equal(sbx_policy_parse(&p, text, strlen(text), "m", "/nonexistent", &err),
			 -ENOENT);
	assert_null(p);
}

/* The rules of another file instead of its own; its parents are found in the same search path. */
static void test_syscalls_of(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;
	char child[64], far[64];

	(void)snprintf(child, sizeof(child), "%s/child.json", (char *)*state);
	(void)snprintf(far, sizeof(far), "%s/far.json", (char *)*state);
	assert_int_equal(load(POLICIES, "exec", POLICIES, &p, &err), 0);
	assert_int_equal(sbx_policy_set(p, "syscalls", child, &err), 0);
	assert_int_equal(p->n_rules, 2);
	assert_string_equal(p->rules[0].name, "@net");
	assert_string_equal(p->rules[1].name, "bind");
	assert_int_equal(p->values.pids, 256); /* nothing else of it */
	assert_int_equal(sbx_policy_set(p, "syscalls", "/nonexistent", &err), -ENOENT);
	assert_int_equal(p->n_rules, 2);
	assert_int_equal(sbx_policy_set(p, "syscalls", far, &err), 0);
	p = sbx_policy_free(p);
	assert_int_equal(load(POLICIES, "exec", NULL, &p, &err), 0);
	assert_int_equal(sbx_policy_set(p, "syscalls", far, &err), -ENOENT);
	sbx_policy_free(p);
}

static void test_extends_errors(void **state)
{
	struct sbx_policy *p = NULL;
	struct sbx_error err;

	assert_int_equal(load(*state, "loop", NULL, &p, &err), -ELOOP);
	assert_string_equal(err.text, "\"loop\" extends itself in the end");
	assert_non_null(strstr(err.item, "/loop2.json:3 $.extends"));
	assert_int_equal(load(*state, "loop", NULL, &p, NULL), -ELOOP);
	assert_int_equal(load(*state, "deep0", NULL, &p, &err), -ELOOP);
	assert_string_equal(err.text, "more than 8 policies extend each other");
	assert_int_equal(load(*state, "deep4", NULL, &p, &err), 0);
	p = sbx_policy_free(p);
	assert_int_equal(load(*state, "bad", NULL, &p, &err), -EINVAL);
	assert_non_null(strstr(err.item, "/badparent.json:3 $.pids"));
	assert_int_equal(load(*state, "absent", NULL, &p, &err), -ENOENT);
	assert_int_equal(sbx_policy_load(&p, *state, NULL, &err), -EISDIR);
	assert_null(p);
}

/* ---------------------------------------------------------------- what is shipped */

static const char *const shipped[] = {
	"base",	       "classic-judge", "compile",  "exec",   "node-build",
	"node-server", "npm-install",	"postgres", "root",   "tester", "tester-node",
};

static void test_shipped(void **state)
{
	struct sbx_policy *p;
	struct sbx_plan *plan;
	struct sbx_error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shipped); i++) {
		if (load(POLICIES, shipped[i], NULL, &p, &err) < 0)
			fail_msg("%s: %s: %s", shipped[i], err.item, err.text);
		if (sbx_policy_compile(p, &plan, &err) < 0)
			fail_msg("%s: %s: %s", shipped[i], err.item, err.text);
		assert_true(p->values.description[0]);
		assert_true(plan->memory && plan->pids && plan->cpu_milli && plan->output);
		assert_true(plan->wall_ns != UINT64_MAX && plan->cpu_ns != UINT64_MAX);
		assert_true(plan->blob->flags & PLAN_NO_NEW_USERNS);
		sbx_plan_unref(plan);
		sbx_policy_free(p);
	}
}

/* No policy that is shipped lets a jail write to what is the host's. */
static void test_shipped_mounts(void **state)
{
	struct sbx_policy *p;
	struct sbx_error err;
	const struct sbx_mount *m;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shipped); i++) {
		assert_int_equal(load(POLICIES, shipped[i], NULL, &p, &err), 0);
		for (j = 0; j < p->n_mounts; j++) {
			m = &p->mounts[j].m;
			assert_false(m->flags & SBX_MOUNT_RW);
			if (m->type == SBX_MOUNT_BIND)
				assert_true(starts_with(m->source, "/usr") ||
					    starts_with(m->source, "/etc/"));
		}
		sbx_policy_free(p);
	}
}

static char *read_all(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* The README's table row of `name`, or NULL; the caller frees it. */
static char *find_row(const char *readme, const char *name)
{
	char start[96];
	const char *row;

	(void)snprintf(start, sizeof(start), "\n| `%s` | ", name);
	row = strstr(readme, start);
	return row ? strndup(row + 1, strcspn(row + 1, "\n")) : NULL;
}

/* Every key, group and policy has its row, keys with the default that the code has. */
static void test_readme(void **state)
{
	_cleanup_free_ char *readme = read_all(POLICIES "/README.md");
	char name[64];
	char *row;
	size_t i;

	(void)state;
	for (i = 0; i < policy_n_keys; i++) {
		row = find_row(readme, policy_keys[i].name);
		(void)snprintf(name, sizeof(name), "` | `%s` |",
			       policy_keys[i].initial[0] ? policy_keys[i].initial : "\"\"");
		if (!row || !strstr(row, name))
			fail_msg("%s: no row with the default %s", policy_keys[i].name, name);
		free(row);
	}
	for (i = 0; i < seccomp_n_groups + ARRAY_SIZE(shipped); i++) {
		if (i < seccomp_n_groups)
			copy_string(name, sizeof(name), seccomp_groups[i].name);
		else
			(void)snprintf(name, sizeof(name), "%s.json",
				       shipped[i - seccomp_n_groups]);
		row = find_row(readme, name);
		if (!row)
			fail_msg("no row for %s", name);
		free(row);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extends),	      cmocka_unit_test(test_search_path),
		cmocka_unit_test(test_syscalls_of),   cmocka_unit_test(test_extends_errors),
		cmocka_unit_test(test_shipped),	      cmocka_unit_test(test_shipped_mounts),
		cmocka_unit_test(test_readme),
	};

	return cmocka_run_group_tests_name("policy files", tests, make_files, remove_files);
}
