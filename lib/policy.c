/* SPDX-License-Identifier: MIT */

/*
 * The policy object: what the public calls and the file reader write into, and what the plan is
 * compiled from. Everything is checked when it is added, so that an error names the place where it
 * was said; what only the whole can show (sizes that do not fit, a mount that hides another) is
 * checked by sbx_policy_compile().
 */

#include "policy.h"
#include "error.h"
#include <stdarg.h>

int policy_error(struct sbx_error *err, int code, const char *stage, const char *item,
		 const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)error_set(err, 0, stage, item, "%s", text);
	err->code = code;
	return code;
}

static int no_memory(struct sbx_error *err)
{
	return error_set(err, -ENOMEM, "policy", NULL, "the policy could not be kept");
}

SBX_PUBLIC int sbx_policy_new(struct sbx_policy **ret, struct sbx_error *err)
{
	struct sbx_policy *p = calloc(1, sizeof(*p));

	if (!p)
		return no_memory(err);
	if (policy_values_init(p) < 0) {
		free(p);
		return error_set(err, -EINVAL, "policy", NULL, "a default is out of its own range");
	}
	*ret = p;
	return 0;
}

static void mount_done(struct policy_mount *pm)
{
	free((char *)pm->m.source);
	free((char *)pm->m.target);
	free((char *)pm->m.data);
	memset(pm, 0, sizeof(*pm));
}

SBX_PUBLIC struct sbx_policy *sbx_policy_free(struct sbx_policy *p)
{
	size_t i;

	if (!p)
		return NULL;
	for (i = 0; i < p->n_mounts; i++)
		mount_done(&p->mounts[i]);
	for (i = 0; i < p->n_sysctls; i++) {
		free(p->sysctls[i].path);
		free(p->sysctls[i].value);
	}
	free(p->mounts);
	free(p->rules);
	free(p->sysctls);
	free(p->search_path);
	free(p);
	return NULL;
}

SBX_PUBLIC int sbx_policy_set(struct sbx_policy *p, const char *key, const char *value,
			      struct sbx_error *err)
{
	const struct policy_key *k;
	char why[POLICY_WHY];
	const char *near;

	if (!key || !value)
		return policy_error(err, -EINVAL, "policy", key, "a key and a value are needed");
	if (streq(key, "syscalls"))
		return policy_syscalls_of(p, value, err);
	k = policy_key_find(key);
	near = k ? NULL : policy_key_nearest(key);
	if (!k)
		return policy_error(err, -EINVAL, "policy", key, "no such key%s%s%s",
				    near ? "; did you mean \"" : "", near ? near : "",
				    near ? "\"?" : "");
	if (policy_value_set(p, k, value, why) < 0)
		return policy_error(err, -EINVAL, "policy", key, "%s", why);
	return 0;
}

/* Room for one more; `*array` stays valid when it fails. */
static int grow(void **array, size_t n, size_t element)
{
	void *larger;

	if (n && (n & (n - 1)))
		return 0;
	larger = reallocarray(*array, n ? 2 * n : 1, element);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	return 0;
}

static char *copy_bytes(const char *from, size_t n)
{
	char *to = malloc(n + 1);

	if (to) {
		memcpy(to, from, n);
		to[n] = '\0';
	}
	return to;
}

static int mount_copy(struct policy_mount *to, const struct policy_mount *from)
{
	const struct sbx_mount *m = &from->m;

	*to = *from;
	to->m.size = sizeof(to->m);
	to->m.data_len = m->data && !m->data_len ? strlen(m->data) : m->data_len;
	to->m.source = m->source ? strdup(m->source) : NULL;
	to->m.target = strdup(m->target);
	to->m.data = m->data ? copy_bytes(m->data, to->m.data_len) : NULL;
	if (to->m.target && (to->m.source || !m->source) && (to->m.data || !m->data))
		return 0;
	mount_done(to);
	return -ENOMEM;
}

struct sbx_mount policy_mount_resolve(const struct sbx_policy *p, const struct policy_mount *pm)
{
	struct sbx_mount m = pm->m;

	if (pm->disk_bytes)
		m.bytes = p->values.disk;
	if (pm->disk_inodes)
		m.inodes = p->values.disk_inodes;
	if (pm->user_uid)
		m.uid = (uint32_t)p->values.user;
	if (pm->group_gid)
		m.gid = (uint32_t)p->values.group;
	return m;
}

/*
 * mount_serialize_of_plan() into the void: the same checks as for the plan, at the place of the
 * mistake.
 */
static int mount_check(const struct sbx_policy *p, const struct policy_mount *pm,
		       struct sbx_error *err)
{
	struct sbx_mount m = policy_mount_resolve(p, pm);
	struct string_pool pool = { 0 };
	struct plan_mount scratch;
	int r = mount_serialize_of_plan(&m, &pool, &scratch, err);

	string_pool_done(&pool);
	return r;
}

static struct policy_mount *mount_find(struct sbx_policy *p, const char *target)
{
	size_t i;

	for (i = 0; i < p->n_mounts; i++)
		if (streq(p->mounts[i].m.target, target))
			return &p->mounts[i];
	return NULL;
}

int policy_mount_add(struct sbx_policy *p, const struct policy_mount *pm, struct sbx_error *err)
{
	struct policy_mount copy, *old;
	int r = mount_check(p, pm, err);

	if (r < 0)
		return r;
	old = mount_find(p, pm->m.target);
	if (old && pm->file && old->file == pm->file)
		return policy_error(err, -EEXIST, "mount", pm->m.target,
				    "\"%.80s\" is mounted twice in one file", pm->m.target);
	if (!old && p->n_mounts >= POLICY_MOUNTS_MAX)
		return policy_error(err, -E2BIG, "mount", pm->m.target,
				    "a policy has at most %u mounts", POLICY_MOUNTS_MAX);
	if (!p->mounts)
		p->mounts = calloc(POLICY_MOUNTS_MAX, sizeof(*p->mounts));
	if (!p->mounts || mount_copy(&copy, pm) < 0)
		return no_memory(err);
	if (old) {
		mount_done(old);
		*old = copy;
		return 0;
	}
	if (streq(copy.m.target, "/")) { /* what all others are mounted on */
		memmove(p->mounts + 1, p->mounts, p->n_mounts++ * sizeof(copy));
		p->mounts[0] = copy;
		return 0;
	}
	p->mounts[p->n_mounts++] = copy;
	return 0;
}

SBX_PUBLIC int sbx_policy_add_mount(struct sbx_policy *p, const struct sbx_mount *m,
				    struct sbx_error *err)
{
	struct policy_mount pm = { 0 };
	int r = m ? options_copy(&pm.m, sizeof(pm.m), m) : -EINVAL;

	if (r < 0)
		return error_set(err, r, "policy", NULL,
				 "the mount is of no size that this library knows");
	pm.m.size = sizeof(pm.m);
	return policy_mount_add(p, &pm, err);
}

int policy_mount_remove(struct sbx_policy *p, const char *target, struct sbx_error *err)
{
	struct policy_mount *pm = mount_find(p, target);
	size_t at;

	if (!pm)
		return policy_error(err, -ENOENT, "mount", target,
				    "\"%.80s\" cannot be removed: nothing is mounted there",
				    target);
	at = (size_t)(pm - p->mounts);
	mount_done(pm);
	memmove(pm, pm + 1, (p->n_mounts - at - 1) * sizeof(*pm));
	p->n_mounts--;
	return 0;
}

SBX_PUBLIC int sbx_policy_add_syscall(struct sbx_policy *p, const char *name, int32_t action,
				      struct sbx_error *err)
{
	struct seccomp_rule rule;
	int r;

	if (!name)
		return policy_error(err, -EINVAL, "policy", NULL, "a system call needs a name");
	r = seccomp_rule_init(&rule, name, action, err);
	if (r < 0)
		return r;
	if (p->n_rules >= POLICY_RULES_MAX)
		return policy_error(err, -E2BIG, "policy", name, "a policy has at most %u rules",
				    POLICY_RULES_MAX);
	if (grow((void **)&p->rules, p->n_rules, sizeof(*p->rules)) < 0)
		return no_memory(err);
	p->rules[p->n_rules++] = rule;
	return 0;
}

/* Only what belongs to a namespace of the jail; all else would be the host's. */
static bool sysctl_is_namespaced(const char *path)
{
	static const char *const ipc[] = {
		"kernel/sem",    "kernel/shmmax", "kernel/shmall", "kernel/shmmni",
		"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/shm_rmid_forced",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ipc); i++)
		if (streq(path, ipc[i]))
			return true;
	return starts_with(path, "net/") || starts_with(path, "fs/mqueue/");
}

static const char *sysctl_fault(const char *path, const char *value)
{
	char absolute[128];
	const char *s;

	if (!sysctl_is_namespaced(path))
		return "is not a setting of a jail's own: net/, fs/mqueue/, kernel/shm*, sem, msg*";
	if ((size_t)snprintf(absolute, sizeof(absolute), "/%s", path) >= sizeof(absolute))
		return "is too long";
	if (policy_path_fault(absolute))
		return "is no path below /proc/sys";
	if (!value[0] || strlen(value) > 255)
		return "has a value that is empty or longer than 255 bytes";
	for (s = value; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return "has a value with control characters";
	return NULL;
}

int policy_sysctl_set(struct sbx_policy *p, const char *path, const char *value, char *why)
{
	const char *fault = sysctl_fault(path, value);
	struct policy_sysctl *s = NULL;
	_cleanup_free_ char *copy = NULL;
	size_t i;

	if (!fault && p->n_sysctls >= POLICY_SYSCTLS_MAX)
		fault = "is one more than a policy may have";
	if (fault) {
		(void)snprintf(why, POLICY_WHY, "\"%.50s\" %s", path, fault);
		return -EINVAL;
	}
	(void)snprintf(why, POLICY_WHY, "no memory");
	copy = strdup(value);
	for (i = 0; i < p->n_sysctls && !s; i++)
		s = streq(p->sysctls[i].path, path) ? &p->sysctls[i] : NULL;
	if (!copy || (!s && grow((void **)&p->sysctls, p->n_sysctls, sizeof(*s)) < 0))
		return -ENOMEM;
	if (!s) {
		s = &p->sysctls[p->n_sysctls];
		*s = (struct policy_sysctl){ .path = strdup(path) };
		if (!s->path)
			return -ENOMEM;
		p->n_sysctls++;
	}
	free(s->value);
	s->value = steal_ptr(copy);
	return 0;
}

/* A later mount on a parent directory hides an earlier one: never meant, hard to see at run time.
 */
static int check_hidden(const struct sbx_policy *p, struct sbx_error *err)
{
	const char *early, *late;
	size_t i, j, n;

	for (i = 1; i < p->n_mounts; i++) {
		late = p->mounts[i].m.target;
		n = strlen(late);
		for (j = 0; j < i; j++) {
			early = p->mounts[j].m.target;
			if (strncmp(early, late, n) || early[n] != '/')
				continue;
			return policy_error(
				err, -EINVAL, "mount", late,
				"it would hide \"%.60s\", which comes before it: put it first",
				early);
		}
	}
	return 0;
}

static int check_totals(const struct sbx_policy *p, struct sbx_error *err)
{
	uint64_t files = 0;
	unsigned int n_tmpfs = 0;
	size_t i;

	for (i = 0; i < p->n_mounts; i++) {
		n_tmpfs += policy_mount_holds_memory(p->mounts[i].m.type);
		if (p->mounts[i].m.type == SBX_MOUNT_FILE)
			files += (p->mounts[i].m.data_len + 4095) / 4096 * 4096;
	}
	if (n_tmpfs > POLICY_TMPFS_MAX)
		return policy_error(err, -E2BIG, "mount", NULL,
				    "a policy has at most %u tmpfs and overlay mounts",
				    POLICY_TMPFS_MAX);
	if (files > p->values.root_size)
		return policy_error(err, -ENOSPC, "policy", "root_size",
				    "the files of the policy need %llu bytes: raise root_size",
				    (unsigned long long)files);
	return 0;
}

SBX_PUBLIC int sbx_policy_compile(const struct sbx_policy *p, struct sbx_plan **ret,
				  struct sbx_error *err)
{
	_cleanup_free_ struct sock_filter *filter = NULL;
	uint32_t n = 0;
	int r;

	r = check_hidden(p, err);
	if (r == 0)
		r = check_totals(p, err);
	if (r == 0)
		r = seccomp_compile(p->rules, p->n_rules, &filter, &n, err);
	if (r == 0)
		r = plan_build(p, filter, n, ret, err);
	return r;
}
