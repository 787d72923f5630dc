/* SPDX-License-Identifier: MIT */

/*
 * Reading the plan and the START message. Both come from the library that started us and are
 * trusted in what they ask for, but every offset, count and length is checked: a bug there must be
 * a refusal here, not a wild pointer in the one process of the jail that has capabilities.
 */

#include "init.h"

#define ENTRIES_MAX 512u

const char *string_at(const struct strings *s, uint32_t offset)
{
	/* The area ends with a NUL, so any offset inside it is a string. */
	return offset < s->size ? s->bytes + offset : NULL;
}

static bool strings_valid(const struct strings *s)
{
	return s->size > 0 && s->bytes[s->size - 1] == '\0';
}

static bool array_valid(const struct plan_header *p, uint32_t offset, uint32_t n, size_t item)
{
	return offset >= sizeof(*p) && offset % 8 == 0 && offset <= p->size &&
	       n <= (p->size - offset) / item;
}

static bool plan_valid(const struct plan_header *p)
{
	return array_valid(p, p->mounts_off, p->n_mounts, sizeof(struct plan_mount)) &&
	       array_valid(p, p->sysctls_off, p->n_sysctls, sizeof(struct plan_sysctl)) &&
	       array_valid(p, p->rlimits_off, p->n_rlimits, sizeof(struct plan_rlimit)) &&
	       array_valid(p, p->filter_off, p->n_filter, sizeof(struct sock_filter)) &&
	       p->strings_off >= sizeof(*p) && p->strings_off <= p->size &&
	       p->strings_size <= p->size - p->strings_off && p->n_filter > 0 &&
	       p->n_filter <= BPF_MAXINSNS && p->landlock <= PLAN_LANDLOCK_REQUIRED;
}

int plan_map(struct init *in)
{
	const struct plan_header *p;
	struct stat st;
	int r = sys_fstat(PLAN_FD, &st);

	if (r < 0)
		return r;
	if (st.st_size < (long)sizeof(*p) || st.st_size > (1l << 30))
		return -EINVAL;
	p = sys_mmap_file(PLAN_FD, (size_t)st.st_size);
	if ((uintptr_t)p >= -4095ul)
		return (int)(intptr_t)p;
	if (p->magic != PLAN_MAGIC || p->size > (uint64_t)st.st_size || p->size < sizeof(*p) ||
	    !plan_valid(p))
		return -EINVAL;
	in->plan = p;
	in->plan_strings = (struct strings){ (const char *)p + p->strings_off, p->strings_size };
	(void)sys_close(PLAN_FD);
	return strings_valid(&in->plan_strings) ? 0 : -EINVAL;
}

uint32_t entry_count(const struct init *in)
{
	return in->start->n_plan + in->start->n_extra;
}

/* Lays the parts of START over the message. */
static int start_parse(struct init *in)
{
	const struct message *m = &in->message;
	const struct start_request *s = (const struct start_request *)m->bytes;
	size_t fd_of, mounts, strings;

	if (m->size < sizeof(*s) || s->type != MSG_START || s->n_plan != in->plan->n_mounts ||
	    s->n_plan > ENTRIES_MAX || s->n_extra > ENTRIES_MAX - s->n_plan)
		return -EPROTO;
	fd_of = sizeof(*s);
	mounts = (fd_of + sizeof(int16_t) * (s->n_plan + s->n_extra) + 7) & ~7ul;
	strings = mounts + sizeof(struct plan_mount) * s->n_extra;
	if (strings > m->size || s->strings_size != m->size - strings)
		return -EPROTO;
	in->start = s;
	in->sole_uid = s->sole_uid;
	in->sole_gid = s->sole_gid;
	in->nproc = s->processes;
	in->fd_of = (const int16_t *)(m->bytes + fd_of);
	in->extra = (const struct plan_mount *)(m->bytes + mounts);
	in->extra_strings = (struct strings){ (const char *)m->bytes + strings, s->strings_size };
	if (s->n_extra > 0 && !strings_valid(&in->extra_strings))
		return -EPROTO;
	return s->hostname[sizeof(s->hostname) - 1] == '\0' ? 0 : -EPROTO;
}

int start_receive(struct init *in)
{
	int r;

	/* Nobody is left to tell: end quietly. */
	if (!creator_is_alive_until_request())
		sys_exit(0);
	r = message_receive(CONTROL_FD, &in->message);
	if (r < 0)
		return r;
	if (r == 0)
		sys_exit(0);
	return start_parse(in);
}

static bool entry_valid(const struct entry *e)
{
	const struct plan_mount *m = &e->mount;
	bool wants_fd = m->type == SBX_MOUNT_BIND || m->type == SBX_MOUNT_DEVICE ||
			m->type == SBX_MOUNT_OVERLAY;

	return e->target && wants_fd == (e->fd >= 0) && m->data < e->strings.size &&
	       m->data_len <= e->strings.size - m->data;
}

/* Where a jail has one pair of ids, everything in it is theirs. */
void entry_own(const struct init *in, struct entry *e)
{
	if (!in->sole_uid)
		return;
	e->mount.uid = in->sole_uid;
	e->mount.gid = in->sole_gid;
}

int entry_get(struct init *in, uint32_t i, struct entry *ret)
{
	bool extra = i >= in->start->n_plan;
	int16_t fd = in->fd_of[i];
	const struct plan_mount *plan = (const struct plan_mount *)((const char *)in->plan +
								    in->plan->mounts_off);
	struct entry e = {
		.mount = extra ? in->extra[i - in->start->n_plan] : plan[i],
		.strings = extra ? in->extra_strings : in->plan_strings,
		.fd = -1,
		.index = (int)i,
	};

	if (fd == -2)
		return e.mount.flags & SBX_MOUNT_OPTIONAL ? 1 : -EPROTO;
	entry_own(in, &e);
	e.target = string_at(&e.strings, e.mount.target);
	if (fd >= 0)
		e.fd = message_steal_fd(&in->message, (uint32_t)fd);
	if (!entry_valid(&e)) {
		close_cleanup(&e.fd);
		return -EPROTO;
	}
	*ret = e;
	return 0;
}
