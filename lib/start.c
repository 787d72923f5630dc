/* SPDX-License-Identifier: MIT */

/* See start.h. */

#include "start.h"
#include "control.h"
#include "error.h"
#include "mount.h"
#include "util/util.h"

void start_done(struct start *s)
{
	while (s->n_fds > 0)
		close_fd(s->fds[--s->n_fds]);
	string_pool_done(&s->pool);
	free(s->extra);
	free(s->fd_of);
}

int start_init(struct start *s, const struct sbx_plan *plan, const struct sbx_jail_options *o,
	       struct sbx_error *err)
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
	s->head.n_plan = plan->blob->n_mounts;
	s->head.n_extra = o->n_mounts;
	return 0;
}

uint64_t start_extra_tmpfs(const struct start *s)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < s->head.n_extra; i++)
		if (s->extra[i].type == SBX_MOUNT_TMPFS || s->extra[i].type == SBX_MOUNT_OVERLAY)
			sum += s->extra[i].bytes;
	return sum;
}

const struct plan_mount *start_nth(const struct start *s, const struct sbx_plan *plan, uint32_t i,
				   const char **pool)
{
	if (i < s->head.n_plan) {
		*pool = plan_string(plan, 0);
		return &plan_mounts(plan)[i];
	}
	*pool = s->pool.bytes ? s->pool.bytes : "";
	return &s->extra[i - s->head.n_plan];
}

int start_mounts(struct start *s, const struct sbx_jail *j, int userns, struct sbx_error *err)
{
	const struct sbx_plan *plan = j->plan;
	uint32_t i, n = s->head.n_plan + s->head.n_extra;
	const struct plan_mount *m;
	const char *pool;
	int fd, r;

	s->fd_of = calloc(n ? n : 1, sizeof(*s->fd_of));
	if (!s->fd_of)
		return error_set(err, -ENOMEM, "mount", NULL, "out of memory");
	for (i = 0; i < n; i++) {
		m = start_nth(s, plan, i, &pool);
		r = mount_prepare(m, pool + m->source, ctx_holder(j->ctx), userns, &fd, err);
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

int start_send(struct start *s, int control)
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

bool start_wants_idmap(const struct start *s, const struct sbx_plan *plan)
{
	const char *pool;
	uint32_t i;

	for (i = 0; i < s->head.n_plan + s->head.n_extra; i++)
		if (start_nth(s, plan, i, &pool)->flags & SBX_MOUNT_IDMAP)
			return true;
	return false;
}
