/* SPDX-License-Identifier: MIT */
#include "pipeline/plans.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/util.h"

static void policy_freep(struct sbx_policy **p)
{
	sbx_policy_free(*p);
}

/* What goes into a plan. */
struct parts {
	const char *name;
	const char *const (*settings)[2];
	size_t n;
	const struct sbx_mount *mounts;
	size_t n_mounts;
};

static int compile(struct job *job, const struct parts *p, struct sbx_plan **ret)
{
	_cleanup_(policy_freep) struct sbx_policy *policy = NULL;
	_cleanup_free_ char *path = NULL;
	const char *dir = job->settings->policy_dir;
	int r;

	if (asprintf(&path, "%s/%s", dir, p->name) < 0)
		return job_fail(job, -ENOMEM, "policy", "out of memory");
	r = sbx_policy_load(&policy, path, dir, &job->error);
	for (size_t i = 0; i < p->n && r == 0; i++)
		r = sbx_policy_set(policy, p->settings[i][0], p->settings[i][1], &job->error);
	for (size_t i = 0; i < p->n_mounts && r == 0; i++)
		r = sbx_policy_add_mount(policy, &p->mounts[i], &job->error);
	return r < 0 ? r : sbx_policy_compile(policy, ret, &job->error);
}

/* A policy may extend others; which, is not looked at. */
static int add_folder(struct key *k, const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	struct stat st;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		key_add_string(k, e->d_name);
		key_add(k, &st.st_ino, sizeof(st.st_ino));
		key_add(k, &st.st_size, sizeof(st.st_size));
		key_add(k, &st.st_mtim, sizeof(st.st_mtim));
		key_add(k, &st.st_ctim, sizeof(st.st_ctim));
	}
	(void)closedir(d);
	return 0;
}

static void add_mount(struct key *k, const struct sbx_mount *m)
{
	const uint64_t numbers[] = {
		m->type, m->flags, m->mode, m->uid, m->gid, m->bytes, m->inodes
	};

	key_add(k, numbers, sizeof(numbers));
	key_add_string(k, m->source ? m->source : "");
	key_add_string(k, m->target ? m->target : "");
	/* As the library counts it: 0 is the length of a string. */
	key_add(k, m->data, m->data_len || !m->data ? m->data_len : strlen(m->data));
}

static int make_key(const struct job *job, const struct parts *p, char ret[static KEY_SIZE])
{
	struct key k;
	int r;

	key_begin(&k, "plan 1");
	key_add_string(&k, job->settings->policy_dir);
	r = add_folder(&k, job->settings->policy_dir);
	key_add_string(&k, p->name);
	key_add(&k, &p->n, sizeof(p->n));
	for (size_t i = 0; i < p->n; i++) {
		key_add_string(&k, p->settings[i][0]);
		key_add_string(&k, p->settings[i][1]);
	}
	for (size_t i = 0; i < p->n_mounts; i++)
		add_mount(&k, &p->mounts[i]);
	key_end(&k, ret);
	return r;
}

static struct sbx_plan *find(const struct plans *plans, const char *key)
{
	for (size_t i = 0; i < PLANS_KEPT; i++) {
		if (plans->kept[i].plan && streq(plans->kept[i].key, key))
			return plans->kept[i].plan;
	}
	return NULL;
}

static void keep(struct plans *plans, const char *key, struct sbx_plan *plan)
{
	unsigned int i = plans->next;

	sbx_plan_unref(plans->kept[i].plan);
	plans->kept[i].plan = sbx_plan_ref(plan);
	copy_string(plans->kept[i].key, sizeof(plans->kept[i].key), key);
	plans->next = (i + 1) % PLANS_KEPT;
}

void plans_done(struct plans *p)
{
	for (size_t i = 0; i < PLANS_KEPT; i++)
		p->kept[i].plan = sbx_plan_unref(p->kept[i].plan);
}

int job_plan_with(struct job *job, const char *name, const char *const (*settings)[2], size_t n,
		  const struct sbx_mount *mounts, size_t n_mounts, struct sbx_plan **ret)
{
	const struct parts parts = { name, settings, n, mounts, n_mounts };
	struct sbx_plan *plan;
	char key[KEY_SIZE];
	int r;

	if (!job->plans || make_key(job, &parts, key) < 0)
		return compile(job, &parts, ret);
	plan = find(job->plans, key);
	if (plan) {
		*ret = sbx_plan_ref(plan);
		return 0;
	}
	r = compile(job, &parts, ret);
	if (r == 0)
		keep(job->plans, key, *ret);
	return r;
}

int job_plan(struct job *job, const char *name, const char *const (*settings)[2], size_t n,
	     struct sbx_plan **ret)
{
	return job_plan_with(job, name, settings, n, NULL, 0, ret);
}
