/* SPDX-License-Identifier: MIT */

/*
 * Serializes a checked policy into the blob of plan-format.h. The blob lives in a memfd that is
 * sealed before anybody sees it: the jail's init, which hostile programs may one day take over,
 * cannot change what the next jail is made of. The mapping is private, because before Linux 6.7 a
 * write-sealed memfd could not be mapped shared, not even for reading.
 */

#include "plan.h"
#include "error.h"
#include "policy.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define POOL_MAX (16u << 20)
#define FILE_MAX (1u << 20)
#define MOUNT_BYTES_MAX (1ull << 40)

int string_pool_add(struct string_pool *pool, const void *bytes, size_t n, uint32_t *ret_offset)
{
	size_t start = pool->size ? pool->size : 1; /* byte 0 is the empty string */
	size_t need = start + n + 1, capacity;
	char *larger;

	if (n > POOL_MAX || need > POOL_MAX)
		return -E2BIG;
	if (need > pool->capacity) {
		capacity = MAX_OF(need, 2 * pool->capacity);
		larger = realloc(pool->bytes, capacity);
		if (!larger)
			return -ENOMEM;
		pool->bytes = larger;
		pool->capacity = capacity;
	}
	pool->bytes[0] = '\0';
	if (n)
		memcpy(pool->bytes + start, bytes, n);
	pool->bytes[start + n] = '\0';
	pool->size = need;
	*ret_offset = (uint32_t)start;
	return 0;
}

void string_pool_done(struct string_pool *pool)
{
	free(pool->bytes);
	memset(pool, 0, sizeof(*pool));
}

static int pool_string(struct string_pool *pool, const char *s, uint32_t *ret)
{
	*ret = 0;
	return s && s[0] ? string_pool_add(pool, s, strlen(s), ret) : 0;
}

struct mount_kind {
	const char *name;
	uint32_t flags;
	bool source, data, sized;
	uint32_t mode;
};

static const struct mount_kind kinds[] = {
	[SBX_MOUNT_BIND] = { "bind",
			     SBX_MOUNT_RW | SBX_MOUNT_OPTIONAL | SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC,
			     .source = true },
	[SBX_MOUNT_TMPFS] = { "tmpfs", SBX_MOUNT_NOEXEC, .sized = true, .mode = 0755 },
	[SBX_MOUNT_PROC] = { "proc", SBX_MOUNT_NOEXEC },
	[SBX_MOUNT_FILE] = { "file", 0, .data = true, .mode = 0444 },
	[SBX_MOUNT_SYMLINK] = { "symlink", 0, .data = true },
	[SBX_MOUNT_DIR] = { "dir", 0, .mode = 0755 },
	[SBX_MOUNT_DEVICE] = { "device", SBX_MOUNT_OPTIONAL, .source = true },
	[SBX_MOUNT_OVERLAY] = { "overlay", SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC, .source = true,
				.sized = true, .mode = 0755 },
};

/* `root`: "/" may be the target, of what can hold the mount points of all others. */
static const char *fault_of_paths(const struct sbx_mount *m, const struct mount_kind *k, bool root)
{
	if (!m->target || !m->target[0])
		return "has no target";
	if (streq(m->target, "/") &&
	    (!root || (m->type != SBX_MOUNT_OVERLAY && m->type != SBX_MOUNT_BIND)))
		return "is the root, which is the jail's own; a policy may have an overlay or a "
		       "bind there";
	if (k->source != (m->source && m->source[0]))
		return k->source ? "needs a source" : "has a source that its type does not use";
	if (k->source && streq(m->source, "/"))
		return "may not show the whole host: \"/\" is no source";
	if (k->source && policy_path_fault(m->source))
		return "has a source that is no absolute path without . and ..";
	if (k->source && (streq(m->source, "/proc") || starts_with(m->source, "/proc/")))
		return "may not show the host's /proc; the type \"proc\" makes the jail's own";
	if (m->type == SBX_MOUNT_DEVICE && !starts_with(m->source, "/dev/"))
		return "has a source outside /dev";
	return policy_path_fault(m->target);
}

static const char *fault_of_content(const struct sbx_mount *m, const struct mount_kind *k)
{
	if (k->data != (m->data != NULL))
		return k->data ? "needs content or a link target"
			       : "has content that its type does not use";
	if (m->data_len > FILE_MAX)
		return "has more than 1M of content";
	if (m->type == SBX_MOUNT_SYMLINK && (!m->data[0] || strlen(m->data) >= 4096 ||
					     (m->data_len && strlen(m->data) != m->data_len)))
		return "has an empty or overlong link target";
	if (k->sized && (!m->bytes || !m->inodes))
		return "needs a limit for bytes and one for inodes";
	if (k->sized ? m->bytes > MOUNT_BYTES_MAX : m->bytes || m->inodes)
		return k->sized ? "may hold 1T at most" : "has a size that its type does not use";
	return NULL;
}

static const char *fault_of_attributes(const struct sbx_mount *m, const struct mount_kind *k)
{
	if (m->flags & ~(SBX_MOUNT_RW | SBX_MOUNT_OPTIONAL | SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC))
		return "has unknown flags";
	if (m->flags & ~k->flags)
		return "has a flag (rw, optional, idmap, noexec) that its type does not use";
	if (m->mode & ~01777u)
		return "has a mode beyond 1777: no set-id bits in a jail";
	if (!k->mode && (m->mode || m->uid || m->gid))
		return "has a mode or owner that its type does not use";
	if (m->uid > 65535 || m->gid > 65535)
		return "has an owner beyond 65535";
	return NULL;
}

static int mount_strings(const struct sbx_mount *m, struct string_pool *pool,
			 struct plan_mount *out)
{
	int r;

	out->data_len = m->data && !m->data_len ? strlen(m->data) : m->data_len;
	r = pool_string(pool, m->source, &out->source);
	if (r == 0)
		r = pool_string(pool, m->target, &out->target);
	if (r == 0 && m->data)
		r = string_pool_add(pool, m->data, out->data_len, &out->data);
	return r;
}

static int serialize(const struct sbx_mount *m, bool root, struct string_pool *pool,
		     struct plan_mount *ret, struct sbx_error *err)
{
	struct sbx_mount copy;
	struct plan_mount out = { 0 };
	const struct mount_kind *k;
	const char *fault;
	int r;

	r = m ? options_copy(&copy, sizeof(copy), m) : -EINVAL;
	if (r < 0)
		return error_set(err, r, "mount", NULL,
				 "the mount is of no size that this library knows");
	if (copy.type < SBX_MOUNT_BIND || copy.type >= ARRAY_SIZE(kinds))
		return policy_error(err, -EINVAL, "mount", copy.target, "there is no mount type %u",
				    copy.type);
	k = &kinds[copy.type];
	fault = fault_of_paths(&copy, k, root);
	fault = fault ? fault : fault_of_content(&copy, k);
	fault = fault ? fault : fault_of_attributes(&copy, k);
	if (fault)
		return policy_error(err, -EINVAL, "mount", copy.target, "a %s at \"%.50s\" %s",
				    k->name, copy.target ? copy.target : "", fault);
	out.type = copy.type;
	out.flags = copy.flags;
	out.mode = copy.mode ? copy.mode : k->mode;
	out.uid = copy.uid;
	out.gid = copy.gid;
	out.bytes = copy.bytes;
	out.inodes = copy.inodes;
	r = mount_strings(&copy, pool, &out);
	if (r < 0)
		return error_set(err, r, "mount", copy.target, "the mount could not be kept");
	*ret = out;
	return 0;
}

int mount_serialize(const struct sbx_mount *m, struct string_pool *pool, struct plan_mount *ret,
		    struct sbx_error *err)
{
	return serialize(m, false, pool, ret, err);
}

int mount_serialize_of_plan(const struct sbx_mount *m, struct string_pool *pool,
			    struct plan_mount *ret, struct sbx_error *err)
{
	return serialize(m, true, pool, ret, err);
}

/* The parts of a plan before they are one blob. */
struct parts {
	struct plan_header header;
	struct plan_mount *mounts;
	struct plan_sysctl *sysctls;
	struct plan_rlimit rlimits[12];
	struct string_pool pool;
};

static void parts_done(struct parts *b)
{
	free(b->mounts);
	free(b->sysctls);
	string_pool_done(&b->pool);
}

static void add_rlimit(struct parts *b, uint32_t resource, uint64_t value)
{
	b->rlimits[b->header.n_rlimits++] = (struct plan_rlimit){ .resource = resource,
								  .value = value };
}

/*
 * Never RLIMIT_AS: V8 reserves address space by the gigabyte and does not start. Never
 * RLIMIT_NPROC: the cgroup counts, and per jail instead of per id. The constants below take from a
 * jail what a policy has no reason to give.
 */
static void build_rlimits(struct parts *b, const struct policy_values *v)
{
	add_rlimit(b, RLIMIT_CORE, 0);
	add_rlimit(b, RLIMIT_NOFILE, v->nofile);
	add_rlimit(b, RLIMIT_STACK, v->stack);
	if (v->fsize != POLICY_NONE)
		add_rlimit(b, RLIMIT_FSIZE, v->fsize);
	add_rlimit(b, RLIMIT_MEMLOCK, 65536);
	add_rlimit(b, RLIMIT_MSGQUEUE, 0);
	add_rlimit(b, RLIMIT_SIGPENDING, 4096);
	add_rlimit(b, RLIMIT_NICE, 0);
	add_rlimit(b, RLIMIT_RTPRIO, 0);
}

static int build_mounts(struct parts *b, const struct sbx_policy *p, struct sbx_error *err)
{
	struct sbx_mount m;
	size_t i;
	int r = 0;

	b->mounts = calloc(p->n_mounts + 1, sizeof(*b->mounts));
	if (!b->mounts)
		return error_set(err, -ENOMEM, "plan", NULL, "the plan could not be made");
	for (i = 0; r == 0 && i < p->n_mounts; i++) {
		m = policy_mount_resolve(p, &p->mounts[i]);
		r = mount_serialize_of_plan(&m, &b->pool, &b->mounts[i], err);
	}
	b->header.n_mounts = (uint32_t)p->n_mounts;
	return r;
}

static int build_sysctls(struct parts *b, const struct sbx_policy *p)
{
	struct plan_sysctl *s;
	size_t i;
	int r = 0;

	b->sysctls = calloc(p->n_sysctls + 1, sizeof(*b->sysctls));
	if (!b->sysctls)
		return -ENOMEM;
	for (i = 0; r == 0 && i < p->n_sysctls; i++) {
		s = &b->sysctls[i];
		s->flags = starts_with(p->sysctls[i].path, "net/") ? PLAN_SYSCTL_NET : 0;
		r = pool_string(&b->pool, p->sysctls[i].path, &s->path);
		if (r == 0)
			r = pool_string(&b->pool, p->sysctls[i].value, &s->value);
	}
	b->header.n_sysctls = (uint32_t)p->n_sysctls;
	return r;
}

static int build_header(struct parts *b, const struct sbx_policy *p)
{
	const struct policy_values *v = &p->values;
	struct plan_header *h = &b->header;
	int r;

	h->magic = PLAN_MAGIC;
	h->flags = (v->no_new_userns ? PLAN_NO_NEW_USERNS : 0) |
		   (v->scope_signals ? PLAN_LANDLOCK_SCOPE_SIGNAL : 0) |
		   (v->scope_sockets ? PLAN_LANDLOCK_SCOPE_ABSTRACT : 0);
	h->landlock = PLAN_LANDLOCK_REQUIRED;
	if (p->landlock_optional)
		h->landlock = PLAN_LANDLOCK_OPTIONAL;
	if (!v->landlock)
		h->landlock = PLAN_LANDLOCK_OFF;
	h->uid = (uint32_t)v->user;
	h->gid = (uint32_t)v->group;
	h->root_bytes = v->root_size;
	h->root_inodes = v->root_inodes;
	r = pool_string(&b->pool, v->hostname, &h->hostname);
	return r < 0 ? r : pool_string(&b->pool, v->cwd, &h->cwd);
}

static uint32_t place(uint32_t *at, size_t bytes)
{
	uint32_t start = *at;

	*at = (uint32_t)((start + bytes + 7) & ~(size_t)7);
	return start;
}

static void lay_out(struct parts *b, uint32_t n_filter)
{
	struct plan_header *h = &b->header;
	uint32_t at = 0;

	(void)place(&at, sizeof(*h));
	h->mounts_off = place(&at, h->n_mounts * sizeof(struct plan_mount));
	h->sysctls_off = place(&at, h->n_sysctls * sizeof(struct plan_sysctl));
	h->rlimits_off = place(&at, h->n_rlimits * sizeof(struct plan_rlimit));
	h->n_filter = n_filter;
	h->filter_off = place(&at, n_filter * sizeof(struct sock_filter));
	h->strings_size = (uint32_t)b->pool.size;
	h->strings_off = place(&at, b->pool.size);
	h->size = at;
}

static char *join(const struct parts *b, const struct sock_filter *filter)
{
	const struct plan_header *h = &b->header;
	char *blob = calloc(1, h->size);

	if (!blob)
		return NULL;
	memcpy(blob, h, sizeof(*h));
	memcpy(blob + h->mounts_off, b->mounts, h->n_mounts * sizeof(*b->mounts));
	memcpy(blob + h->sysctls_off, b->sysctls, h->n_sysctls * sizeof(*b->sysctls));
	memcpy(blob + h->rlimits_off, b->rlimits, h->n_rlimits * sizeof(*b->rlimits));
	memcpy(blob + h->filter_off, filter, h->n_filter * sizeof(*filter));
	memcpy(blob + h->strings_off, b->pool.bytes, b->pool.size);
	return blob;
}

static int sealed_memfd(const char *blob, size_t size)
{
	_cleanup_close_ int fd = -1;
	ssize_t n;
	size_t at;

	fd = memfd_create("sandbox-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("sandbox-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	for (at = 0; at < size; at += (size_t)n) {
		n = write(fd, blob + at, size - at);
		if (n < 0)
			return -errno;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	fd = fd_above_stdio(fd);
	return fd < 0 ? -errno : steal_fd(&fd);
}

static uint64_t or_zero(uint64_t value)
{
	return value == POLICY_NONE ? 0 : value;
}

/* tmpfs pages are charged to the jail: a limit that did not count them would kill a full disk. */
static uint64_t memory_with_files(const struct sbx_policy *p, const struct parts *b)
{
	uint64_t sum = p->values.memory;
	size_t i;

	if (sum == POLICY_NONE)
		return 0;
	sum += p->values.root_size;
	for (i = 0; i < p->n_mounts; i++)
		if (policy_mount_holds_memory(b->mounts[i].type))
			sum += b->mounts[i].bytes;
	return sum;
}

static int plan_new(const struct sbx_policy *p, const struct parts *b, const char *blob,
		    struct sbx_plan **ret)
{
	_cleanup_close_ int fd = sealed_memfd(blob, b->header.size);
	_cleanup_free_ struct sbx_plan *plan = NULL;
	void *map;

	if (fd < 0)
		return fd;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	map = mmap(NULL, b->header.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	atomic_init(&plan->refs, 1);
	plan->blob = map;
	plan->memfd = steal_fd(&fd);
	plan->memory = memory_with_files(p, b);
	plan->pids = (uint32_t)or_zero(p->values.pids);
	plan->cpu_milli = (uint32_t)or_zero(p->values.cpu);
	plan->wall_ns = p->values.wall;
	plan->cpu_ns = p->values.cpu_time;
	plan->output = or_zero(p->values.output);
	*ret = steal_ptr(plan);
	return 0;
}

int plan_build(const struct sbx_policy *p, const struct sock_filter *filter, uint32_t n_filter,
	       struct sbx_plan **ret, struct sbx_error *err)
{
	_cleanup_(parts_done) struct parts b = { 0 };
	_cleanup_free_ char *blob = NULL;
	int r = build_mounts(&b, p, err);

	if (r < 0)
		return r;
	build_rlimits(&b, &p->values);
	r = build_sysctls(&b, p);
	if (r == 0)
		r = build_header(&b, p);
	if (r == 0) {
		lay_out(&b, n_filter);
		blob = join(&b, filter);
		r = blob ? plan_new(p, &b, blob, ret) : -ENOMEM;
	}
	return r < 0 ? error_set(err, r, "plan", NULL, "the plan could not be made") : 0;
}

SBX_PUBLIC struct sbx_plan *sbx_plan_ref(struct sbx_plan *plan)
{
	if (plan)
		atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
	return plan;
}

SBX_PUBLIC struct sbx_plan *sbx_plan_unref(struct sbx_plan *plan)
{
	if (!plan || atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) > 1)
		return NULL;
	(void)munmap((void *)plan->blob, plan->blob->size);
	(void)close_fd(plan->memfd);
	free(plan);
	return NULL;
}
