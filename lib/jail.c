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
#include "start.h"
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
	int fd = fd_above_stdio((int)syscall(SYS_pidfd_open, getpid(), 0));

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
			mount = start_nth(s, j->plan, (uint32_t)m.failed.index, &pool);
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

static int hand_over(struct sbx_jail *j, struct start *s, int userns, struct sbx_error *err)
{
	int r = start_mounts(s, j, userns, err);

	if (r < 0)
		return r;
	r = start_send(s, j->control);
	if (r == -EMSGSIZE)
		return error_set(err, -E2BIG, "mount", "mounts",
				 "the extra mounts are larger than 192 KiB together: bind a file "
				 "instead of giving its content, or give it in the policy");
	return r < 0 ? lost(j, err) : 0;
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
	bool mapped = j->ctx->privileged && start_wants_idmap(s, j->plan);
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

static int open_netns(const struct sbx_jail_options *o, const struct beside *beside,
		      struct sbx_error *err)
{
	int fd;

	if (beside)
		return fcntl(beside->netns, F_DUPFD_CLOEXEC, 3);
	fd = o->netns_of->dead ? -ESRCH : open_proc_ns(o->netns_of->pid, "net");
	if (fd < 0)
		return error_set(err, fd, "netns", o->netns_of->label,
				 "the jail whose network is to be joined is gone");
	return fd;
}

static int spawn_init(struct sbx_jail *j, const struct sbx_jail_options *o,
		      const struct beside *beside, struct start *s, struct sbx_error *err)
{
	bool joins = beside || o->netns_of;
	struct spawn spawn = { .flags = NAMESPACES,
			       .cgroup = &j->cgroup,
			       .netns = -1,
			       .image = j->ctx->init_memfd,
			       .name = "sandbox-init",
			       .holder = ctx_holder(j->ctx),
			       .uids = j->uids,
			       .gids = j->gids,
			       .n_fds = 3 };
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
	if (joins) {
		netns = open_netns(o, beside, err);
		if (netns < 0)
			return netns;
		spawn.netns = netns;
	} else {
		spawn.flags |= CLONE_NEWNET;
	}
	spawn.fds[0] = inner;
	spawn.fds[1] = j->plan->memfd;
	spawn.fds[2] = creator;
	s->head.flags = joins ? START_JOINED_NET : 0;
	s->head.sole_uid = j->sole_id ? j->plan->blob->uid : 0;
	s->head.sole_gid = j->sole_id ? j->plan->blob->gid : 0;
	s->head.processes = j->cgroup.pids_by == SBX_BY_RLIMIT ? j->plan->pids : 0;
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

int label_copy(const char *label, char *ret, size_t size, struct sbx_error *err)
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
	j->beside = BESIDE_NONE;
	j->serial = atomic_fetch_add(&ctx->next_serial, 1) + 1;
	j->dead = true;
	return j;
}

/*
 * Where ids on the disk cannot be mapped, who wants that gets the other half of it: the policy's
 * user is the caller, whose trees it may use.
 */
static int take_ids(struct sbx_jail *j, const struct start *s, struct sbx_error *err)
{
	const struct plan_header *plan = j->plan->blob;
	struct sbx_ctx *ctx = j->ctx;
	bool is_caller = !ctx->privileged && start_wants_idmap(s, j->plan);
	int r;

	j->sole_id = ctx->ids.count == 0;
	if (j->sole_id) {
		id_maps_add(&j->uids, plan->uid, 0, 1);
		id_maps_add(&j->gids, plan->gid, 0, 1);
		return 0;
	}
	r = id_lease_take(&j->ids, ctx->ids_dir, &ctx->ids, atomic_fetch_add(&ctx->next_id, 1),
			  err);
	if (r < 0)
		return r;
	id_maps_range(&j->uids, j->ids.first, ctx->ids.size, plan->uid, is_caller);
	id_maps_range(&j->gids, j->ids.first, ctx->ids.size, plan->gid, is_caller);
	return 0;
}

/* Never init's own, unless there is no other. */
bool jail_has_ids(const struct sbx_jail *j, uint32_t uid, uint32_t gid)
{
	return uid && gid && id_maps_have(&j->uids, uid) && id_maps_have(&j->gids, gid);
}

/* --------------------------------------------------------------------------- making */

static int jail_setup(struct sbx_jail *j, const struct sbx_jail_options *o,
		      const struct beside *beside, struct start *s, struct sbx_error *err)
{
	struct cgroup_limits limits = { .memory = j->plan->memory,
					.pids = j->plan->pids,
					.cpu_milli = j->plan->cpu_milli,
					.cpu_ns = j->plan->cpu_ns,
					.leaf = true,
					.allow = j->ctx->allow_unenforced };
	int r = label_copy(o->label ? o->label : "jail", j->label, sizeof(j->label), err);

	if (r < 0)
		return r;
	r = start_init(s, j->plan, o, err);
	if (r < 0)
		return r;
	if (limits.memory)
		limits.memory += start_extra_tmpfs(s);
	r = take_ids(j, s, err);
	if (r < 0)
		return r;
	j->group = o->group;
	r = cgroup_init(&j->cgroup, &j->ctx->cgroups, o->group ? &o->group->cgroup : NULL, j->label,
			&limits, err);
	if (r < 0)
		return r;
	j->dead = false;
	return spawn_init(j, o, beside, s, err);
}

int jail_make(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
	      const struct sbx_jail_options *o, const struct beside *beside, struct sbx_error *err)
{
	struct sbx_jail *j = jail_alloc(ctx, plan);
	struct start *s = calloc(1, sizeof(*s));
	int r = j && s ? jail_setup(j, o, beside, s, err)
		       : error_set(err, -ENOMEM, "jail", NULL, "out of memory");

	if (s)
		start_done(s);
	free(s);
	if (r >= 0 && beside) {
		j->beside.serial = beside->serial;
		j->beside.pidfd = fcntl(beside->pidfd, F_DUPFD_CLOEXEC, 3);
	}
	if (r < 0) {
		sbx_jail_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

int beside_open(struct beside *ret, const struct sbx_jail *j)
{
	int netns = fd_above_stdio(open_proc_ns(j->pid, "net"));
	int pidfd = fcntl(j->pidfd, F_DUPFD_CLOEXEC, 3);

	if (netns < 0 || pidfd < 0) {
		close_fd(netns);
		close_fd(pidfd);
		return netns < 0 ? netns : -EMFILE;
	}
	*ret = (struct beside){ .serial = j->serial,
				.netns = netns,
				.pidfd = pidfd,
				.group = j->group ? group_ref(j->group) : NULL };
	return 1;
}

void beside_close(struct beside *b)
{
	close_fd(b->netns);
	close_fd(b->pidfd);
	sbx_group_free(b->group);
	*b = BESIDE_NONE;
}

SBX_PUBLIC int sbx_jail_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_jail **ret,
			    const struct sbx_jail_options *o, struct sbx_error *err)
{
	struct sbx_jail_options options;
	int r = options_copy(&options, sizeof(options), o);

	if (r < 0)
		return error_set(err, r, "jail", "options",
				 "struct sbx_jail_options has a size this library does not know");
	return jail_make(ctx, plan, ret, &options, NULL, err);
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
	if (j->ctx->privileged)
		userns = j->dead ? -ESRCH : open_proc_ns(j->pid, "user");
	if (j->ctx->privileged && userns < 0)
		return lost(j, err);
	r = mount_prepare(&request.mount, pool.bytes + request.mount.source, ctx_holder(j->ctx),
			  userns, &fd, err);
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
	(void)err;
	if (!j->dead) {
		j->killed = true;
		cgroup_kill(&j->cgroup);
		spawn_kill(j->pidfd);
		j->dead = true;
	}
	relays_end(j);
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
	beside_close(&j->beside);
	for (i = 0; i < j->n_quotas; i++)
		close_fd(j->quotas[i]);
	cgroup_done(&j->cgroup);
	if (j->owns_group)
		sbx_group_free(j->group);
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
	struct sbx_stats stats = { .size = sizeof(stats) };
	uint32_t size = ret->size;

	if (size < 8)
		return error_set(err, -EINVAL, "stats", "size",
				 "struct sbx_stats needs its size set");
	cgroup_read(&j->cgroup, &stats);
	read_disks(j, &stats);
	if (j->group)
		stats.group_oom = cgroup_oom_kills(&j->group->cgroup) > 0;
	memset(ret, 0, size);
	memcpy(ret, &stats, MIN_OF((size_t)size, sizeof(stats)));
	ret->size = size;
	return 0;
}

SBX_PUBLIC void sbx_jail_usage(struct sbx_jail *j, uint64_t *ret_memory, uint64_t *ret_cpu_ns)
{
	cgroup_usage(&j->cgroup, ret_memory, ret_cpu_ns);
}
