/* SPDX-License-Identifier: MIT */

/*
 * The life of a jail: lease ids, make control groups with their limits, clone init into them, map
 * its ids, hand it the mounts, wait until it is parked; and the end of all that in reverse. Nothing
 * of a jail outlives sbx_jail_free(), and nothing survives a failed sbx_jail_new().
 */

#include "jail.h"
#include "error.h"
#include "mount.h"
#include "ns.h"
#include "util/util.h"
#include <ctype.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

int creator_pidfd(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd < 0 ? -errno : fd;
}

int jail_failed(const struct sbx_jail *j, const struct failed *f, const char *item,
		struct sbx_error *err)
{
	return error_set(err, f->error < 0 ? f->error : -EPROTO, step_name(f->step),
			 item ? item : j->label, "%s", step_advice(f->step, f->error));
}

static int lost(const struct sbx_jail *j, struct sbx_error *err)
{
	return error_set(err, -ECHILD, step_name(STEP_CONTROL), j->label, "%s",
			 step_advice(STEP_CONTROL, -ECHILD));
}

/* ------------------------------------------------------------------------- START */

/* What the START message is made of; owns the detached mounts until they are sent. */
struct start {
	struct start_request head;
	struct plan_mount *extra;
	struct string_pool pool;
	int16_t *fd_of;
	int fds[START_FDS_MAX];
	int n_fds;
};

static void start_done(struct start *s)
{
	while (s->n_fds > 0)
		close_fd(s->fds[--s->n_fds]);
	string_pool_done(&s->pool);
	free(s->extra);
	free(s->fd_of);
}

static int start_extra(struct start *s, const struct sbx_jail_options *o, struct sbx_error *err)
{
	uint32_t i;
	int r;

	if (o->n_mounts > 128)
		return error_set(err, -E2BIG, "mount", "mounts", "at most 128 extra mounts");
	s->extra = calloc(o->n_mounts ? o->n_mounts : 1, sizeof(*s->extra));
	if (!s->extra)
		return error_set(err, -ENOMEM, "mount", NULL, "out of memory");
	for (i = 0; i < o->n_mounts; i++) {
		r = mount_serialize(&o->mounts[i], &s->pool, &s->extra[i], err);
		if (r < 0)
			return r;
	}
	s->head.n_extra = o->n_mounts;
	return 0;
}

static uint64_t extra_tmpfs(const struct start *s)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < s->head.n_extra; i++)
		if (s->extra[i].type == SBX_MOUNT_TMPFS || s->extra[i].type == SBX_MOUNT_OVERLAY)
			sum += s->extra[i].bytes;
	return sum;
}

/* Mount `i` of the plan, then of the extra ones, and the pool that its strings are in. */
static const struct plan_mount *nth_mount(const struct start *s, const struct sbx_plan *plan,
					  uint32_t i, const char **pool)
{
	if (i < s->head.n_plan) {
		*pool = plan_string(plan, 0);
		return &plan_mounts(plan)[i];
	}
	*pool = s->pool.bytes ? s->pool.bytes : "";
	return &s->extra[i - s->head.n_plan];
}

static int start_mounts(struct start *s, const struct sbx_plan *plan, int userns,
			struct sbx_error *err)
{
	uint32_t i, n = s->head.n_plan + s->head.n_extra;
	const struct plan_mount *m;
	const char *pool;
	int fd, r;

	s->fd_of = calloc(n ? n : 1, sizeof(*s->fd_of));
	if (!s->fd_of)
		return error_set(err, -ENOMEM, "mount", NULL, "out of memory");
	for (i = 0; i < n; i++) {
		m = nth_mount(s, plan, i, &pool);
		r = mount_prepare(m, pool + m->source, userns, &fd, err);
		if (r < 0)
			return r;
		if (fd < 0) {
			s->fd_of[i] = (int16_t)fd;
			continue;
		}
		if (s->n_fds == START_FDS_MAX) {
			close_fd(fd);
			return error_set(err, -E2BIG, "mount", pool + m->target,
					 "more than %u mounts come from the host", START_FDS_MAX);
		}
		s->fd_of[i] = (int16_t)s->n_fds;
		s->fds[s->n_fds++] = fd;
	}
	return 0;
}

static int start_send(struct start *s, int control)
{
	static const char zeros[8];
	size_t fd_bytes = (s->head.n_plan + s->head.n_extra) * sizeof(*s->fd_of);
	struct iovec parts[] = {
		{ &s->head, sizeof(s->head) },
		{ s->fd_of, fd_bytes },
		{ (void *)zeros, -(sizeof(s->head) + fd_bytes) & 7 },
		{ s->extra, s->head.n_extra * sizeof(*s->extra) },
		{ s->pool.bytes, s->pool.size },
	};

	s->head.type = MSG_START;
	s->head.strings_size = (uint32_t)s->pool.size;
	return control_send(control, parts, ARRAY_SIZE(parts), s->fds, s->n_fds);
}

/* ------------------------------------------------------------------------ parking */

static uint64_t tmpfs_total(const struct sbx_jail *j)
{
	struct statfs fs;
	uint64_t sum = 0;
	int i;

	for (i = 0; i < j->n_quotas; i++)
		if (fstatfs(j->quotas[i], &fs) == 0)
			sum += (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	return sum;
}

static int wait_parked(struct sbx_jail *j, const struct start *s, struct sbx_error *err)
{
	union {
		uint32_t type;
		struct parked parked;
		struct failed failed;
	} m;
	const struct plan_mount *mount;
	const char *pool, *item = NULL;
	int n = control_receive(j->control, &m, sizeof(m), j->quotas, JAIL_QUOTAS, &j->n_quotas,
				REPLY_TIMEOUT_MS);

	if (n == -ETIMEDOUT)
		return error_set(err, n, "control", j->label,
				 "the jail's init did not park in 10 s");
	if (n < (int)sizeof(m.failed))
		return lost(j, err);
	if (m.type == MSG_FAILED) {
		if (m.failed.index >= 0 && m.failed.step >= STEP_MOUNT_TARGET &&
		    m.failed.step <= STEP_MOUNT_PROOF &&
		    (uint32_t)m.failed.index < s->head.n_plan + s->head.n_extra) {
			mount = nth_mount(s, j->plan, (uint32_t)m.failed.index, &pool);
			item = pool + mount->target;
		}
		return jail_failed(j, &m.failed, item, err);
	}
	if (m.type != MSG_PARKED)
		return error_set(err, -EPROTO, "control", j->label,
				 "unexpected message from the jail's init");
	j->disk_total = tmpfs_total(j);
	return 0;
}

static int open_proc_ns(int pid, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool wants_userns(const struct start *s, const struct sbx_plan *plan)
{
	const char *pool;
	uint32_t i;

	for (i = 0; i < s->head.n_plan + s->head.n_extra; i++)
		if (nth_mount(s, plan, i, &pool)->flags & SBX_MOUNT_IDMAP)
			return true;
	return false;
}

static int hand_over(struct sbx_jail *j, struct start *s, int userns, struct sbx_error *err)
{
	int r = start_mounts(s, j->plan, userns, err);

	if (r < 0)
		return r;
	return start_send(s, j->control) < 0 ? lost(j, err) : 0;
}

static int hand_over_mapped(struct sbx_jail *j, struct start *s, struct sbx_error *err)
{
	_cleanup_close_ int userns = open_proc_ns(j->pid, "user");

	if (userns < 0)
		return error_set(err, userns, "idmap", j->label,
				 "the jail's user namespace cannot be opened");
	return hand_over(j, s, userns, err);
}

/*
 * START waits in the socket for init: its mounts are made while the clone is, which takes longer.
 * Only what needs the new user namespace comes after it.
 */
static int spawn_and_hand_over(struct sbx_jail *j, struct spawn *spawn, struct start *s,
			       struct sbx_error *err)
{
	bool mapped = wants_userns(s, j->plan);
	struct sbx_error early_err = { 0 };
	int early = 0, r = spawn_begin(spawn);

	if (r >= 0) {
		if (!mapped)
			early = hand_over(j, s, -1, &early_err);
		r = spawn_finish(spawn);
	}
	if (r < 0)
		return error_set(err, r, step_name(spawn->failed_step), j->label, "%s",
				 step_advice(spawn->failed_step, r));
	j->pid = spawn->pid;
	j->pidfd = spawn->pidfd;
	if (early < 0 && err)
		*err = early_err;
	return mapped ? hand_over_mapped(j, s, err) : early;
}

static int spawn_init(struct sbx_jail *j, const struct sbx_jail_options *o, struct start *s,
		      struct sbx_error *err)
{
	struct spawn spawn = { .flags = NAMESPACES,
			       .cgroup = &j->cgroup,
			       .netns = -1,
			       .image = j->ctx->init_memfd,
			       .name = "sandbox-init",
			       .n_fds = 3,
			       .map_first = j->ids.first,
			       .map_count = ID_RANGE };
	_cleanup_close_ int inner = -1, creator = -1, netns = -1;
	int pair[2], r = control_pair(pair);

	if (r < 0)
		return error_set(err, r, "control", j->label, "cannot make the control socket");
	j->control = pair[0];
	inner = pair[1];
	creator = creator_pidfd();
	if (creator < 0)
		return error_set(err, creator, "control", j->label,
				 "cannot make a pidfd of the caller");
	if (o->netns_of) {
		netns = o->netns_of->dead ? -ESRCH : open_proc_ns(o->netns_of->pid, "net");
		if (netns < 0)
			return error_set(err, netns, "netns", o->netns_of->label,
					 "the jail whose network is to be joined is gone");
		spawn.netns = netns;
	} else {
		spawn.flags |= CLONE_NEWNET;
	}
	spawn.fds[0] = inner;
	spawn.fds[1] = j->plan->memfd;
	spawn.fds[2] = creator;
	s->head.n_plan = j->plan->blob->n_mounts;
	s->head.flags = o->netns_of ? START_JOINED_NET : 0;
	s->head.uid_count = ID_RANGE;
	r = spawn_and_hand_over(j, &spawn, s, err);
	inner = close_fd(inner); /* so that the death of init is an end of file here */
	if (r >= 0)
		r = wait_parked(j, s, err);
	if (r < 0 && j->pidfd >= 0)
		(void)sbx_jail_kill(j, NULL); /* before its stack is taken away */
	spawn_settle(&spawn);
	return r;
}

/* -------------------------------------------------------------------------- public */

static int check_label(const char *label, char *ret, size_t size, struct sbx_error *err)
{
	const char *c;

	for (c = label; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			break;
	if (!*label || *c || strlen(label) >= size)
		return error_set(err, -EINVAL, "jail", "label",
				 "must be 1 to 31 letters, digits, '-' or '_'");
	copy_string(ret, size, label);
	return 0;
}

static struct sbx_jail *jail_alloc(struct sbx_ctx *ctx, struct sbx_plan *plan)
{
	struct sbx_jail *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->ctx = ctx;
	j->plan = sbx_plan_ref(plan);
	j->ids.fd = j->control = j->pidfd = j->diag = -1;
	j->dead = true;
	return j;
}

static int jail_setup(struct sbx_jail *j, const struct sbx_jail_options *o, struct start *s,
		      struct sbx_error *err)
{
	struct cgroup_limits limits = { .memory = j->plan->memory,
					.pids = j->plan->pids,
					.cpu_milli = j->plan->cpu_milli,
					.leaf = true };
	struct sbx_ctx *ctx = j->ctx;
	int r = check_label(o->label ? o->label : "jail", j->label, sizeof(j->label), err);

	if (r < 0)
		return r;
	r = start_extra(s, o, err);
	if (r < 0)
		return r;
	if (limits.memory)
		limits.memory += extra_tmpfs(s);
	r = id_lease_take(&j->ids, ctx->ids_dir, ctx->id_base, ctx->id_count,
			  atomic_fetch_add(&ctx->next_id, 1) % ctx->id_count, err);
	if (r < 0)
		return r;
	j->group = o->group;
	r = cgroup_init(&j->cgroup, &ctx->cgroups, o->group ? &o->group->cgroup : NULL, j->label,
			&limits, err);
	if (r < 0)
		return r;
	j->dead = false;
	return spawn_init(j, o, s, err);
}

SBX_PUBLIC int sbx_jail_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
			    const struct sbx_jail_options *o, struct sbx_error *err)
{
	struct sbx_jail_options options;
	struct start *s;
	struct sbx_jail *j;
	int r = options_copy(&options, sizeof(options), o);

	if (r < 0)
		return error_set(err, r, "jail", "options",
				 "struct sbx_jail_options has a size this library does not know");
	j = jail_alloc(ctx, plan);
	s = calloc(1, sizeof(*s));
	r = j && s ? jail_setup(j, &options, s, err)
		   : error_set(err, -ENOMEM, "jail", NULL, "out of memory");
	if (s)
		start_done(s);
	free(s);
	if (r < 0) {
		sbx_jail_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

SBX_PUBLIC int sbx_jail_mount(struct sbx_jail *j, const struct sbx_mount *mount,
			      struct sbx_error *err)
{
	_cleanup_(string_pool_done) struct string_pool pool = { 0 };
	struct mount_request request = { .type = MSG_MOUNT };
	_cleanup_close_ int userns = -1, fd = -1;
	struct iovec parts[2] = { { &request, sizeof(request) } };
	int r = mount_serialize(mount, &pool, &request.mount, err);

	if (r < 0)
		return r;
	if (mount->type != SBX_MOUNT_BIND && mount->type != SBX_MOUNT_OVERLAY)
		return error_set(err, -EINVAL, "mount", mount->target,
				 "only bind and overlay mounts can be added");
	userns = j->dead ? -ESRCH : open_proc_ns(j->pid, "user");
	if (userns < 0)
		return lost(j, err);
	r = mount_prepare(&request.mount, pool.bytes + request.mount.source, userns, &fd, err);
	if (r < 0)
		return r;
	if (fd < 0)
		return 0; /* optional and absent */
	request.strings_size = (uint32_t)pool.size;
	parts[1] = (struct iovec){ pool.bytes, pool.size };
	return jail_request(j, parts, 2, &fd, 1, NULL, err);
}

int jail_request(struct sbx_jail *j, const struct iovec *parts, int n_parts, const int *fds,
		 int n_fds, int *ret_fd, struct sbx_error *err)
{
	union {
		uint32_t type;
		struct reply reply;
		struct failed failed;
	} m;
	_cleanup_close_ int fd = -1;
	int n, got = 0;

	if (j->dead)
		return lost(j, err);
	n = control_send(j->control, parts, n_parts, fds, n_fds);
	if (n == -EMSGSIZE)
		return error_set(err, -E2BIG, "control", j->label, "the request is too large");
	if (n < 0)
		return lost(j, err);
	n = control_receive(j->control, &m, sizeof(m), &fd, 1, &got, REPLY_TIMEOUT_MS);
	if (n == -ETIMEDOUT)
		return error_set(err, n, "control", j->label,
				 "the jail's init did not answer in 10 s: is the jail starved of "
				 "processor time?");
	if (n < (int)sizeof(m.reply))
		return lost(j, err);
	if (m.type == MSG_FAILED)
		return jail_failed(j, &m.failed, NULL, err);
	if (m.type != MSG_REPLY)
		return error_set(err, -EPROTO, "control", j->label,
				 "unexpected message from the jail's init");
	if (m.reply.error < 0)
		return error_set(err, m.reply.error, "jail", j->label,
				 "the jail's init refused the request");
	if (ret_fd) {
		if (fd < 0)
			return error_set(err, -EPROTO, "control", j->label,
					 "a descriptor is missing");
		*ret_fd = steal_fd(&fd);
	}
	return 0;
}

SBX_PUBLIC int sbx_jail_open(struct sbx_jail *j, const char *path, int flags, struct sbx_error *err)
{
	struct open_request request = { .type = MSG_OPEN, .flags = flags };
	struct iovec parts[2] = { { &request, sizeof(request) },
				  { (void *)path, strlen(path) + 1 } };
	int fd = -1, r;

	if (parts[1].iov_len > 4096)
		return error_set(err, -ENAMETOOLONG, "open", NULL,
				 "the path is longer than 4095 bytes");
	r = jail_request(j, parts, 2, NULL, 0, &fd, err);
	if (r < 0 && err && streq(err->stage, "jail")) {
		copy_string(err->item, sizeof(err->item), path);
		(void)error_set(err, r, "open", path, "cannot be opened in the jail");
	}
	return r < 0 ? r : fd;
}

SBX_PUBLIC int sbx_jail_kill(struct sbx_jail *j, struct sbx_error *err)
{
	int i;

	(void)err;
	if (!j->dead) {
		j->killed = true;
		cgroup_kill(&j->cgroup);
		spawn_kill(j->pidfd);
		j->dead = true;
	}
	for (i = 0; i < j->n_relays; i++) {
		spawn_kill(j->relays[i]);
		close_fd(j->relays[i]);
	}
	j->n_relays = 0;
	return 0;
}

SBX_PUBLIC struct sbx_jail *sbx_jail_free(struct sbx_jail *j)
{
	int i;

	if (!j)
		return NULL;
	if (j->pidfd >= 0)
		(void)sbx_jail_kill(j, NULL);
	close_fd(j->control);
	close_fd(j->pidfd);
	close_fd(j->diag);
	for (i = 0; i < j->n_quotas; i++)
		close_fd(j->quotas[i]);
	cgroup_done(&j->cgroup);
	id_lease_release(&j->ids);
	sbx_plan_unref(j->plan);
	free(j);
	return NULL;
}

static void read_disks(const struct sbx_jail *j, struct sbx_stats *ret)
{
	struct statfs fs;
	int i;

	ret->disk_total = j->disk_total;
	for (i = 0; i < j->n_quotas; i++) {
		if (fstatfs(j->quotas[i], &fs) < 0)
			continue;
		ret->disk_used += (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
		if (!fs.f_bfree || !fs.f_ffree)
			ret->disk_full = 1;
	}
}

SBX_PUBLIC int sbx_jail_stats(struct sbx_jail *j, struct sbx_stats *ret, struct sbx_error *err)
{
	struct sbx_stats stats = { .size = sizeof(stats) }, group = { 0 };
	uint32_t size = ret->size;

	if (size < 8)
		return error_set(err, -EINVAL, "stats", "size",
				 "struct sbx_stats needs its size set");
	cgroup_read(&j->cgroup, &stats);
	read_disks(j, &stats);
	if (j->group) {
		cgroup_read(&j->group->cgroup, &group);
		stats.group_oom = group.oom_kills > 0;
	}
	memset(ret, 0, size);
	memcpy(ret, &stats, MIN_OF((size_t)size, sizeof(stats)));
	ret->size = size;
	return 0;
}
