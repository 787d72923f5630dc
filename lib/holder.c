/* SPDX-License-Identifier: MIT */

/* See holder.h; the messages are in holder-format.h. */

#include "holder.h"
#include "control.h"
#include "error.h"
#include "jail.h"
#include "util/process.h"
#include "util/util.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#define HOLDER_NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS)

void holder_init(struct holder *h, int image)
{
	*h = (struct holder){ .image = image, .control = -1, .pidfd = -1 };
	(void)pthread_mutex_init(&h->lock, NULL);
}

static void stop(struct holder *h)
{
	h->control = close_fd(h->control);
	spawn_kill(h->pidfd);
	h->pidfd = close_fd(h->pidfd);
}

void holder_done(struct holder *h)
{
	stop(h);
	(void)pthread_mutex_destroy(&h->lock);
}

/* -------------------------------------------------------------------------- starting */

static void make_maps(const struct holder *h, struct spawn *s)
{
	s->map_way = h->n_ids ? MAP_NEWUIDMAP : MAP_OWN_ID;
	s->uids.lines[0] = (struct id_map){ 0, geteuid(), 1 };
	s->gids.lines[0] = (struct id_map){ 0, getegid(), 1 };
	s->uids.lines[1] = (struct id_map){ 1, h->sub_uid, h->n_ids };
	s->gids.lines[1] = (struct id_map){ 1, h->sub_gid, h->n_ids };
	s->uids.n = s->gids.n = h->n_ids ? 2 : 1;
}

/* Its first word: whether it could prepare itself. */
static int await_ready(struct holder *h, int *ret_step)
{
	struct holder_reply q;
	int n = control_receive(h->control, &q, sizeof(q), NULL, 0, NULL, REPLY_TIMEOUT_MS);

	*ret_step = STEP_CLONE;
	if (n != (int)sizeof(q) || q.type != HOLDER_REPLY)
		return n < 0 ? n : -ECHILD;
	*ret_step = q.step;
	return q.error;
}

static int start(struct holder *h, int *ret_step)
{
	struct spawn s = { .flags = HOLDER_NAMESPACES,
			   .netns = -1,
			   .image = h->image,
			   .name = "sandbox-holder",
			   .n_fds = 3 };
	_cleanup_close_ int inner = -1, creator = creator_pidfd();
	int pair[2], r = creator < 0 ? creator : control_pair(pair);

	*ret_step = STEP_CONTROL;
	if (r < 0)
		return r;
	h->control = pair[0];
	inner = pair[1];
	s.fds[0] = inner;
	s.fds[1] = h->image;
	s.fds[2] = creator;
	make_maps(h, &s);
	r = spawn_begin(&s);
	if (r >= 0)
		r = spawn_finish(&s);
	*ret_step = s.failed_step;
	if (r >= 0) {
		h->pidfd = s.pidfd;
		inner = close_fd(inner);
		r = await_ready(h, ret_step);
	}
	if (r < 0)
		stop(h); /* before its stack is taken away */
	spawn_settle(&s);
	return r;
}

/* As many ids as both files give, in whole ranges. */
static const char *find_subordinate(struct holder *h)
{
	uint32_t uids = ids_subordinate("/etc/subuid", geteuid(), &h->sub_uid);
	uint32_t gids = ids_subordinate("/etc/subgid", geteuid(), &h->sub_gid);
	uint32_t n = MIN_OF(uids, gids) / ID_RANGE_SUBORDINATE * ID_RANGE_SUBORDINATE;

	h->n_ids = 0;
	if (!n)
		return "/etc/subuid and /etc/subgid do not both give this user 1,024 ids";
	if (access("/usr/bin/newuidmap", X_OK) < 0 || access("/usr/bin/newgidmap", X_OK) < 0)
		return "newuidmap and newgidmap are missing (package uidmap)";
	h->n_ids = n;
	return NULL;
}

static uint64_t read_switch(const char *path)
{
	uint64_t value;

	return cgroup_read_u64(AT_FDCWD, path, &value) < 0 ? UINT64_MAX : value;
}

/* The switches of distributions that forbid user namespaces, by name. */
static int explain(int code, int step, struct sbx_error *err)
{
	const char *item = "user namespace", *text;

	if (read_switch("/proc/sys/user/max_user_namespaces") == 0) {
		item = "user.max_user_namespaces";
		text = "is 0: an ordinary user can make no jails; set it to 15000, or run as root";
	} else if (read_switch("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
		item = "kernel.unprivileged_userns_clone";
		text = "is 0: an ordinary user can make no jails; set it to 1, or run as root";
	} else if (read_switch("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1) {
		item = "kernel.apparmor_restrict_unprivileged_userns";
		text = "is 1: load the AppArmor profile that comes with sandbox-run, or set it to "
		       "0";
	} else if (read_switch("/proc/sys/vm/memfd_noexec") == 2) {
		item = "vm.memfd_noexec";
		text = "is 2: the jail's init cannot be executed; set it to 0 or 1";
	} else if (code == -EAGAIN) {
		item = "RLIMIT_NPROC";
		text = "this user may have no more processes: raise the limit (ulimit -u)";
	} else if (prctl(PR_GET_DUMPABLE) != 1) {
		item = "PR_SET_DUMPABLE";
		text = "this process is not dumpable, so the kernel lets nobody but root map ids "
		       "for its children";
	} else if (step == STEP_MOUNT_CREATE) {
		text = "procfs cannot be mounted: is /proc of this container covered in part?";
	} else {
		text = "cannot be made here; see sandbox-run doctor";
	}
	return error_set(err, code == -ECHILD ? -EPERM : code, "userns", item, "%s", text);
}

int holder_start(struct holder *h, char *why_no_ids, size_t size, struct sbx_error *err)
{
	const char *why = find_subordinate(h);
	int step, r = start(h, &step);

	if (r < 0 && h->n_ids && step == STEP_IDMAP) {
		why = "newuidmap or newgidmap refused to map them; are they setuid root?";
		h->n_ids = 0;
		r = start(h, &step);
	}
	copy_string(why_no_ids, size, why ? why : "");
	return r < 0 ? explain(r, step, err) : 0;
}

/* -------------------------------------------------------------------------- requests */

static bool is_alive(const struct holder *h)
{
	return h->pidfd >= 0 && !fd_is_readable(h->pidfd);
}

static int ask_once(struct holder *h, const struct iovec *parts, int n_parts, const int *fds,
		    int n_fds, int *ret_step)
{
	struct holder_reply q;
	int n, got = 0, fd = -1, r = 0;

	if (!is_alive(h)) {
		stop(h);
		r = start(h, ret_step);
	}
	if (r < 0)
		return r;
	r = control_send(h->control, parts, n_parts, fds, n_fds);
	if (r == -EPIPE || r == -ECONNRESET)
		stop(h);
	if (r < 0)
		return r;
	n = control_receive(h->control, &q, sizeof(q), &fd, 1, &got, REPLY_TIMEOUT_MS);
	if (n == (int)sizeof(q) && q.type == HOLDER_REPLY) {
		*ret_step = q.step;
		return q.error < 0 ? q.error : got == 1 ? fd : -EPROTO;
	}
	if (got)
		close_fd(fd);
	stop(h); /* a late answer would be taken for the next one's */
	return n < 0 ? n : -ECHILD;
}

/*
 * With the lock held. Returns the descriptor that came with the answer. A holder that is about to
 * die looks alive until the last of its children is gone: then the next one is asked again.
 */
static int ask(struct holder *h, const struct iovec *parts, int n_parts, const int *fds, int n_fds,
	       int *ret_step)
{
	int r = ask_once(h, parts, n_parts, fds, n_fds, ret_step);

	if (h->control < 0 && (r == -EPIPE || r == -ECONNRESET || r == -ECHILD))
		r = ask_once(h, parts, n_parts, fds, n_fds, ret_step);
	return r;
}

int holder_tree(struct holder *h, const char *path, uint64_t attributes, bool recursive)
{
	struct holder_tree q = { .type = HOLDER_TREE,
				 .recursive = recursive,
				 .attributes = attributes };
	struct iovec parts[2] = { { &q, sizeof(q) }, { (void *)path, strlen(path) + 1 } };
	int step = 0, r;

	if (parts[1].iov_len > HOLDER_PATH_MAX)
		return -ENAMETOOLONG;
	(void)pthread_mutex_lock(&h->lock);
	r = ask(h, parts, 2, NULL, 0, &step);
	(void)pthread_mutex_unlock(&h->lock);
	return r;
}

static int add_fd(int *fds, int n, int fd)
{
	fds[n] = fd;
	return n + 1;
}

int holder_spawn(struct holder *h, struct spawn *s)
{
	struct holder_spawn q = { .type = HOLDER_SPAWN,
				  .n_fds = (uint32_t)s->n_fds,
				  .flags = s->flags,
				  .joins_netns = s->netns >= 0,
				  .in_cgroup = s->cgroup && s->cgroup->dir[H_V2] >= 0,
				  .n_uid_maps = s->uids.n,
				  .n_gid_maps = s->gids.n };
	struct iovec part = { &q, sizeof(q) };
	int fds[SPAWN_FDS + 2], n = s->n_fds, r;

	memcpy(fds, s->fds, (size_t)n * sizeof(fds[0]));
	memcpy(q.uid_maps, s->uids.lines, sizeof(q.uid_maps));
	memcpy(q.gid_maps, s->gids.lines, sizeof(q.gid_maps));
	copy_string(q.name, sizeof(q.name), s->name);
	if (q.joins_netns)
		n = add_fd(fds, n, s->netns);
	if (q.in_cgroup)
		n = add_fd(fds, n, s->cgroup->dir[H_V2]);
	(void)pthread_mutex_lock(&h->lock);
	r = ask(h, &part, 1, fds, n, &s->failed_step);
	(void)pthread_mutex_unlock(&h->lock);
	if (r < 0)
		return r;
	s->pidfd = r;
	s->pid = pidfd_pid(r); /* the holder knows another */
	return 0;
}
