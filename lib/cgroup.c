/* SPDX-License-Identifier: MIT */

/*
 * The groups themselves: see cgroup.h. Where they are made is cgroup-root.c's, what is written into
 * them the back ends'.
 */

#include "cgroup.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <sys/stat.h>

/* ---------------------------------------------------------------------------- limits */

/* Short: with the limit's name before and the way out behind it has to fit into one sentence. */
static const char *const remedies[LACK_COUNT] = {
	[LACK_NOTHING] = "see sandbox-run doctor",
	[LACK_KERNEL] = "boot a kernel that has this controller (cgroup_enable=)",
	[LACK_MOUNT] = "mount -t cgroup2 none /sys/fs/cgroup/unified",
	[LACK_V1] = "cgroup v1 has it, which only root may use; boot with v2",
	[LACK_DELEGATION] = "run it with systemd-run --user --scope -p Delegate=yes",
	[LACK_LEAF] = "needs SBX_CTX_OWN_LEAF, as the caller sits in its group",
	[LACK_ROOM] = "others sit in its group; systemd-run --user --scope gives one",
	[LACK_CONTAINER] = "others sit in the container's top group; see sandbox-run doctor",
	[LACK_GIVEN] = "the delegated group was not given it; see sandbox-run doctor",
	[LACK_RIGHTS] = "cgroups cannot be written here; see sandbox-run doctor",
};

struct setting {
	struct cgroup *cg;
	const struct cgroup_limits *limits;
	struct sbx_error *err;
};

/* A limit that nothing here enforces: refused, or noted where that is allowed. */
static int missing(const struct setting *s, uint32_t bit, const char *what, enum cgroup_lack lack)
{
	if (s->limits->allow & bit) {
		s->cg->unenforced |= bit;
		return 0;
	}
	return error_set(s->err, -ENOTSUP, "cgroup", what,
			 "cannot limit %s: %s; or --allow-unenforced %s", what, remedies[lack],
			 what);
}

/* A back end has failed: the error is its own, unless the limit may go. */
static int failed(const struct setting *s, uint32_t bit, int r)
{
	if (!(s->limits->allow & bit))
		return r;
	s->cg->unenforced |= bit;
	if (s->err)
		memset(s->err, 0, sizeof(*s->err));
	return 0;
}

static int served_at(const struct cgroup *cg, const struct cgroup_ops *ops, int v1)
{
	return cg->dir[ops == &cgroup_v1_ops ? v1 : H_V2];
}

/* Swap is outside of the memory limit unless it is limited too, or there is none. */
static int set_swap(const struct setting *s)
{
	const struct cgroup_ops *ops = s->cg->root->memory;
	int r;

	if (s->cg->unenforced & SBX_LIMIT_MEMORY) {
		if (host_has_swap())
			s->cg->unenforced |= SBX_LIMIT_SWAP;
		else
			s->cg->swap_by = SBX_BY_NO_SWAP;
		return 0;
	}
	r = ops->limit_swap(served_at(s->cg, ops, H_MEMORY), s->limits->memory, s->err);
	if (r < 0)
		return failed(s, SBX_LIMIT_SWAP, r);
	s->cg->swap_by = r;
	return 0;
}

static int set_memory(const struct setting *s)
{
	const struct cgroup_root *root = s->cg->root;
	int r;

	if (!s->limits->memory)
		return 0;
	if (root->memory) {
		r = root->memory->limit_memory(served_at(s->cg, root->memory, H_MEMORY),
					       s->limits->memory, s->err);
		if (r >= 0)
			s->cg->memory_by = root->memory->by;
		else
			r = failed(s, SBX_LIMIT_MEMORY, r);
	} else {
		r = missing(s, SBX_LIMIT_MEMORY, "memory", root->lack[H_MEMORY]);
	}
	return r < 0 ? r : set_swap(s);
}

/* Of a single jail RLIMIT_NPROC limits the same: it is counted for each user namespace. */
static int set_pids(const struct setting *s)
{
	const struct cgroup_root *root = s->cg->root;
	int r;

	if (!s->limits->pids)
		return 0;
	if (!root->pids && s->limits->leaf) {
		s->cg->pids_by = SBX_BY_RLIMIT;
		return 0;
	}
	if (!root->pids)
		return missing(s, SBX_LIMIT_PIDS, "pids", root->lack[H_PIDS]);
	r = root->pids->limit_pids(served_at(s->cg, root->pids, H_PIDS), s->limits->pids, s->err);
	if (r < 0)
		return failed(s, SBX_LIMIT_PIDS, r);
	s->cg->pids_by = root->pids->by;
	return 0;
}

static int set_cpu(const struct setting *s)
{
	const struct cgroup_root *root = s->cg->root;
	int r;

	if (!s->limits->cpu_milli)
		return 0;
	if (!root->cpu)
		return missing(s, SBX_LIMIT_CPU, "cpu", root->lack[H_CPU]);
	r = root->cpu->limit_cpu(served_at(s->cg, root->cpu, H_CPU), s->limits->cpu_milli, s->err);
	if (r < 0)
		return failed(s, SBX_LIMIT_CPU, r);
	s->cg->cpu_by = root->cpu->by;
	return 0;
}

static int set_cpu_time(const struct setting *s)
{
	if (!s->limits->cpu_ns || s->limits->cpu_ns == UINT64_MAX)
		return 0;
	if (!cgroup_counts_cpu(s->cg))
		return missing(s, SBX_LIMIT_CPU_TIME, "cpu-time", s->cg->root->lack[H_V2]);
	s->cg->cpu_time_by = SBX_BY_TIMER;
	return 0;
}

static int set_limits(struct cgroup *cg, const struct cgroup_limits *limits, struct sbx_error *err)
{
	const struct setting s = { .cg = cg, .limits = limits, .err = err };
	int r = set_memory(&s);

	if (r >= 0)
		r = set_pids(&s);
	if (r >= 0)
		r = set_cpu(&s);
	return r < 0 ? r : set_cpu_time(&s);
}

/* ---------------------------------------------------------------------------- groups */

/*
 * A v1 cpu group counts nothing for us. Who has no cpu limit, own or inherited, is better off
 * without: the thread that joins it goes to the end of the processor's queue.
 */
static bool is_needed(const struct cgroup *cg, const struct cgroup_limits *l, int hierarchy)
{
	return hierarchy != H_CPU || l->cpu_milli || cg->parent || !l->leaf;
}

static int make_dirs(struct cgroup *cg, const struct cgroup_limits *l, struct sbx_error *err)
{
	int i, parent, r;

	for (i = 0; i < H_COUNT; i++) {
		parent = cg->parent ? cg->parent->dir[i] : cg->root->parent[i];
		if (parent < 0 || !is_needed(cg, l, i))
			continue;
		r = cgroup_make(parent, cg->name);
		if (r < 0)
			return error_set(err, r, "cgroup", cg->name, "cannot make the group");
		cg->made |= 1u << i;
		cg->dir[i] = fd_above_stdio(
			openat(parent, cg->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
		if (cg->dir[i] < 0)
			return error_set(err, -errno, "cgroup", cg->name, "cannot open the group");
	}
	return 0;
}

int cgroup_init(struct cgroup *cg, struct cgroup_root *root, struct cgroup *parent,
		const char *label, const struct cgroup_limits *limits, struct sbx_error *err)
{
	int i, r;

	memset(cg, 0, sizeof(*cg));
	cg->root = root;
	cg->parent = parent;
	for (i = 0; i < H_COUNT; i++)
		cg->dir[i] = -1;
	cg->usage[0] = cg->usage[1] = -1;
	(void)snprintf(cg->name, sizeof(cg->name), "%.16s.%u.%.31s", root->token,
		       __atomic_fetch_add(&root->next, 1, __ATOMIC_RELAXED), label);
	r = make_dirs(cg, limits, err);
	if (r >= 0 && root->v2_controllers && parent)
		cgroup_enable_controllers(parent->dir[H_V2]);
	if (r >= 0)
		r = set_limits(cg, limits, err);
	if (r < 0)
		cgroup_done(cg);
	return r;
}

void cgroup_done(struct cgroup *cg)
{
	int i, parent;

	if (!cg->root)
		return;
	for (i = 0; i < 2; i++)
		cg->usage[i] = close_fd(cg->usage[i]);
	for (i = 0; i < H_COUNT; i++) {
		if (!(cg->made & 1u << i))
			continue;
		parent = cg->parent ? cg->parent->dir[i] : cg->root->parent[i];
		cg->dir[i] = close_fd(cg->dir[i]);
		if (unlinkat(parent, cg->name, AT_REMOVEDIR) < 0 && errno == EBUSY)
			cgroup_end(parent, cg->name);
	}
	cg->root = NULL;
}

int cgroup_join_thread(const struct cgroup *cg)
{
	int i, r;

	for (i = H_MEMORY; i < H_COUNT; i++) {
		if (cg->dir[i] < 0)
			continue;
		r = cgroup_v1_ops.join(cg->dir[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

void cgroup_kill(const struct cgroup *cg)
{
	if (cg->root && cg->dir[H_V2] >= 0)
		(void)cgroup_write(cg->dir[H_V2], "cgroup.kill", "1");
}

bool cgroup_counts_cpu(const struct cgroup *cg)
{
	return cg->root && cg->dir[H_V2] >= 0;
}

uint64_t cgroup_cpu_ns(const struct cgroup *cg)
{
	if (!cgroup_counts_cpu(cg))
		return 0;
	return cgroup_read_key(cg->dir[H_V2], "cpu.stat", "usage_usec") * 1000;
}

uint64_t cgroup_oom_kills(const struct cgroup *cg)
{
	const struct cgroup_ops *ops = cg->root ? cg->root->memory : NULL;

	return ops ? cgroup_read_key(served_at(cg, ops, H_MEMORY), ops->oom_file, "oom_kill") : 0;
}

/* Of two threads that open it at the same time one keeps its own. */
static bool read_again(int *fd, int dir, const char *file, char *buf, size_t size)
{
	int none = -1, open = __atomic_load_n(fd, __ATOMIC_ACQUIRE);
	ssize_t n;

	if (open < 0) {
		open = fd_above_stdio(openat(dir, file, O_RDONLY | O_CLOEXEC));
		if (open >= 0 && !__atomic_compare_exchange_n(fd, &none, open, false,
							      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			close_fd(open);
			open = none;
		}
	}
	n = open < 0 ? -1 : pread(open, buf, size - 1, 0);
	if (n > 0)
		buf[n] = '\0';
	return n > 0;
}

void cgroup_usage(struct cgroup *cg, uint64_t *ret_memory, uint64_t *ret_cpu_ns)
{
	const struct cgroup_ops *ops = cg->root ? cg->root->memory : NULL;
	char text[4096];

	*ret_memory = *ret_cpu_ns = 0;
	if (ops && read_again(&cg->usage[0], served_at(cg, ops, H_MEMORY), ops->memory_file, text,
			      sizeof(text)))
		*ret_memory = strtoull(text, NULL, 10);
	if (cgroup_counts_cpu(cg) &&
	    read_again(&cg->usage[1], cg->dir[H_V2], "cpu.stat", text, sizeof(text)))
		*ret_cpu_ns = cgroup_key(text, "usage_usec") * 1000;
}

void cgroup_read(const struct cgroup *cg, struct sbx_stats *ret)
{
	const struct cgroup_root *root = cg->root;

	if (!root)
		return;
	if (root->memory)
		root->memory->read_memory(served_at(cg, root->memory, H_MEMORY), ret);
	if (root->pids)
		root->pids->read_pids(served_at(cg, root->pids, H_PIDS), ret);
	ret->cpu_ns = cgroup_cpu_ns(cg);
}
