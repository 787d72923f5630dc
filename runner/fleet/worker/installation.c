/* SPDX-License-Identifier: MIT */

/* See installation.h. */

#include "fleet/worker/installation.h"

#include "pipeline/settings.h"
#include "store/store.h"
#include "util/error.h"
#include "util/util.h"

#define TEST_WALL (30 * NSEC_PER_SEC)

static void library_log(void *data, int level, const char *line)
{
	if (level <= SBX_LOG_WARNING)
		log_warning(data, "sandbox: %s", line);
	else
		log_debug(data, "sandbox: %s", line);
}

static int open_all(struct installation *i, const struct installation_options *o,
		    struct sbx_error *err)
{
	struct sbx_ctx_options ctx = { .size = sizeof(ctx),
				       .flags = SBX_CTX_OWN_LEAF,
				       .log = library_log,
				       .log_data = (void *)o->log,
				       .allow_unenforced = o->allow_unenforced };
	int r;

	if (o->policies && *o->policies && setenv("SANDBOX_POLICY_DIR", o->policies, 1) < 0)
		return error_format(err, -ENOENT, "settings", "", "out of memory");
	r = settings_find(&i->settings, o->store && *o->store ? o->store : NULL, err);
	if (r < 0)
		return r;
	r = settings_find_runtime(&i->settings, err);
	if (r == 0)
		r = sbx_ctx_new(&i->ctx, &ctx, err);
	return r < 0 ? r : store_open(&i->store, i->settings.store_dir, o->store_size, err);
}

int installation_open(struct installation *ret, const struct installation_options *o,
		      struct sbx_error *err)
{
	struct installation i = { .ctx = NULL };
	int r = open_all(&i, o, err);

	if (r < 0)
		installation_done(&i);
	else
		*ret = i;
	return r;
}

void installation_done(struct installation *i)
{
	store_free(i->store);
	sbx_ctx_free(i->ctx);
	settings_done(&i->settings);
	*i = (struct installation){ .ctx = NULL };
}

static int load_policy(struct job *job, const char *name)
{
	struct sbx_plan *plan = NULL;
	int r = job_plan(job, name, NULL, 0, &plan);

	sbx_plan_unref(plan);
	return r;
}

/* As a student's server is run: all namespaces, all limits, the pinned Node. */
static int run_node(struct job *job, struct sbx_result *ret)
{
	const char *const argv[] = { "node", "--version", NULL };
	struct sbx_mount node = { .size = sizeof(node),
				  .type = SBX_MOUNT_BIND,
				  .source = job->settings->node_dir,
				  .target = "/opt/node" };
	struct sbx_exec e = { .size = sizeof(e),
			      .path = "/opt/node/bin/node",
			      .argv = argv,
			      .cwd = "/app",
			      .wall_ns = TEST_WALL };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_plan *plan = NULL;
	int r = job_plan_with(job, "node-server.json", NULL, 0, &node, 1, &plan);

	if (r == 0)
		r = sbx_run(job->ctx, plan, &e, &result, &job->error);
	sbx_plan_unref(plan);
	if (r < 0)
		return r;
	*ret = result;
	if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0)
		return 0;
	return job_fail(job, -EIO, "self-test",
			"node --version in a jail ended with verdict %d, exit code %d, signal %d",
			result.verdict, result.exit_code, result.term_signal);
}

int installation_test(struct installation *i, struct sbx_result *ret, struct sbx_error *err)
{
	static const char *const policies[] = { "node-build.json", "npm-install.json",
						"postgres.json", "tester.json",
						"tester-node.json" };
	struct job job = JOB_NULL;
	int r = 0;

	job.settings = &i->settings;
	job.ctx = i->ctx;
	for (size_t n = 0; n < ARRAY_SIZE(policies) && r == 0; n++)
		r = load_policy(&job, policies[n]);
	if (r == 0)
		r = run_node(&job, ret);
	if (r < 0)
		*err = job.error;
	return r;
}
