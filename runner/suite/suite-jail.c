/* SPDX-License-Identifier: MIT */

/*
 * The jail that suites are published and run in: the Node runtime, our programs, the packages and
 * the suite's files, all read-only. The suite's own folder is an overlay, because suites may write
 * files beside themselves; each run begins with the files as they are.
 */

#include "embed/embed.h"
#include "pipeline/strv.h"
#include "store/store.h"
#include "suite/suite.h"
#include "util/util.h"

#define OURS "/opt/suite"
#define SCRATCH_BYTES (16ull << 20)
#define SCRATCH_INODES 4096
#define MOUNTS 24
#define HEAP_MIB 320

struct mounts {
	struct sbx_mount m[MOUNTS];
	char *owned[MOUNTS];
	uint32_t n, n_owned;
	bool failed;
};

static void mounts_done(struct mounts *m)
{
	for (uint32_t i = 0; i < m->n_owned; i++)
		free(m->owned[i]);
}

static char *own(struct mounts *m, const char *a, const char *b)
{
	char *s = NULL;

	if (asprintf(&s, "%s/%s", a, b) < 0)
		s = NULL;
	m->failed |= !s;
	if (s)
		m->owned[m->n_owned++] = s;
	return s;
}

/* Beside the challenge's package.json; the folder ends in a slash, or is empty. */
static char *own_target(struct mounts *m, const struct suite_box *box)
{
	char name[4096];

	m->failed |= snprintf(name, sizeof(name), "%snode_modules", box->own_folder) >=
		     (int)sizeof(name);
	return own(m, "/suite/tests", name);
}

static struct sbx_mount *add_bind(struct mounts *m, const char *source, const char *target)
{
	struct sbx_mount *one = &m->m[m->n++];

	*one = (struct sbx_mount){ .size = sizeof(*one),
				   .type = SBX_MOUNT_BIND,
				   .flags = SBX_MOUNT_IDMAP,
				   .source = source,
				   .target = target };
	return one;
}

static void add_file(struct mounts *m, const char *target, const void *data, size_t size)
{
	m->m[m->n++] = (struct sbx_mount){ .size = sizeof(m->m[0]),
					   .type = SBX_MOUNT_FILE,
					   .mode = 0444,
					   .target = target,
					   .data = data,
					   .data_len = size };
}

/* The list of packages is no program. */
static bool is_program(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && (streq(dot, ".mjs") || streq(dot, ".cjs"));
}

static void add_all(struct mounts *m, struct job *job, const struct suite_box *box)
{
	struct sbx_mount *one;

	add_bind(m, job->settings->node_dir, "/opt/node");
	add_bind(m, own(m, box->packages->path, "node_modules"), SUITE_PACKAGES);
	one = add_bind(m, own(m, box->suite->path, "tests"), "/suite/tests");
	one->type = SBX_MOUNT_OVERLAY;
	one->mode = 0755;
	one->uid = one->gid = 1000;
	one->bytes = SCRATCH_BYTES;
	one->inodes = SCRATCH_INODES;
	if (box->own)
		add_bind(m, own(m, box->own->path, "node_modules"), own_target(m, box));
	one = add_bind(m, own(m, box->suite->path, "fast"), SUITE_FAST);
	if (box->publish)
		one->flags |= SBX_MOUNT_RW | SBX_MOUNT_NOEXEC;
	if (box->plan)
		add_file(m, OURS "/plan.json", box->plan, strlen(box->plan));
	else
		add_bind(m, own(m, box->suite->path, "plan.json"), OURS "/plan.json");
	for (const struct embedded *d = suite_data; d->name; d++) {
		if (is_program(d->name))
			add_file(m, own(m, OURS, d->name), d->data, d->size);
	}
}

int suite_jail(struct job *job, const struct suite_box *box, struct sbx_jail **ret)
{
	_cleanup_(mounts_done) struct mounts m = { 0 };
	struct sbx_plan *plan = NULL;
	struct sbx_jail_options o = {
		.size = sizeof(o), .netns_of = box->netns_of, .label = "tester-suite", .mounts = m.m
	};
	int r;

	add_all(&m, job, box);
	if (m.failed)
		return job_fail(job, -ENOMEM, "suite", "out of memory");
	o.n_mounts = m.n;
	r = job_plan(job, SUITE_POLICY, NULL, 0, &plan);
	if (r == 0)
		r = sbx_jail_new(job->ctx, plan, ret, &o, &job->error);
	sbx_plan_unref(plan);
	return r;
}

const char *suite_runner_name(enum tests_runner runner)
{
	static const char *const names[] = { [TESTS_HURL] = "hurl",
					     [TESTS_VITEST] = "vitest",
					     [TESTS_JEST] = "jest",
					     [TESTS_NODE] = "node:test" };

	return names[runner];
}

static char **make_env(const struct challenge *c, enum suite_way way)
{
	static const char *const fixed[] = { "PATH=/opt/node/bin:/usr/bin:/bin",
					     "HOME=/tmp",
					     "TMPDIR=/tmp",
					     "LANG=C.UTF-8",
					     "TZ=UTC",
					     "CI=true",
					     "NO_COLOR=1",
					     "NODE_NO_WARNINGS=1",
					     "SUITE_PLAN=" OURS "/plan.json",
					     "NODE_COMPILE_CACHE=" SUITE_FAST "/cache" };
	size_t n_fixed = ARRAY_SIZE(fixed) - (way != SUITE_REAL && way != SUITE_FAST_WAY);
	char **env = calloc(ARRAY_SIZE(fixed) + 4, sizeof(*env));
	size_t n = 0;
	bool failed = !env;

	while (!failed && n < n_fixed) {
		env[n] = strdup(fixed[n]);
		failed = !env[n++];
	}
	if (!failed &&
	    (asprintf(&env[n++], "PORT=%u", c->port) < 0 ||
	     asprintf(&env[n++], "BASE_URL=http://localhost:%u", c->port) < 0 ||
	     asprintf(&env[n++], "NODE_OPTIONS=--max-old-space-size=%d", HEAP_MIB) < 0)) {
		env[n - 1] = NULL;
		failed = true;
	}
	if (failed && env) {
		strv_free(env);
		return NULL;
	}
	return env;
}

int suite_command(const struct challenge *c, enum tests_runner runner, enum suite_way way,
		  struct sbx_exec *ret, char ***ret_env)
{
	static const char *const publish[] = { "node", OURS "/publish.mjs", NULL };
	static const char *const finish[] = { "node", OURS "/publish.mjs", "finish", NULL };
	static const char *const fast[] = { "node", SUITE_FAST "/core.cjs", NULL };
	static const char *const real[][3] = { [TESTS_VITEST] = { "node", OURS "/vitest.mjs" },
					       [TESTS_JEST] = { "node", OURS "/jest.cjs" },
					       [TESTS_NODE] = { "node", OURS "/node.mjs" } };
	char **env = make_env(c, way);

	if (!env)
		return -ENOMEM;
	*ret = (struct sbx_exec){ .size = sizeof(*ret),
				  .path = "/opt/node/bin/node",
				  .argv = way == SUITE_PUBLISH    ? publish
					  : way == SUITE_FINISH   ? finish
					  : way == SUITE_FAST_WAY ? fast
								  : real[runner],
				  .env = (const char *const *)env,
				  .cwd = "/suite/tests" };
	*ret_env = env;
	return 0;
}
