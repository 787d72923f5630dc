/* SPDX-License-Identifier: MIT */

/*
 * The requests of a parked jail. A message that makes no sense is answered with FAILED and
 * STEP_CONTROL (an EXEC: with the end of its status socket); the descriptors that came with it are
 * closed either way.
 */

#include "init.h"

#define PROC_MAGIC 0x9fa0

#define OPEN_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* `fd` is sent if it is one; closed in any case. */
static int reply(int fd)
{
	struct reply r = { .type = MSG_REPLY, .error = fd < 0 ? fd : 0 };
	int sent = message_send(CONTROL_FD, &r, sizeof(r), &fd, fd >= 0);

	if (fd < 0)
		return 0;
	(void)sys_close(fd);
	if (sent >= 0)
		return 0;
	/* The descriptor could not be passed (too many in flight): say at least that. */
	r.error = sent;
	return message_send(CONTROL_FD, &r, sizeof(r), NULL, 0);
}

static int serve_socket(struct init *in)
{
	const struct socket_request *q = (const struct socket_request *)in->message.bytes;

	if (in->message.size != sizeof(*q))
		return -EPROTO;
	return reply(sys_socket(q->domain, q->socket_type | SOCK_CLOEXEC, q->protocol));
}

/*
 * Init opens with its own rights, so the answer must not be something that only init may see: in
 * procfs that would be init itself ("self" is init there). And nothing that acts when opened.
 */
static int check_opened(int fd, bool by_path)
{
	struct statfs fs;
	struct stat st;
	int r = sys_fstatfs(fd, &fs);

	if (r >= 0)
		r = sys_fstat(fd, &st);
	if (r < 0)
		return r;
	if (fs.f_type == PROC_MAGIC)
		return -EACCES;
	return by_path || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? 0 : -EINVAL;
}

static int open_in_jail(struct init *in, const char *path, int flags)
{
	bool by_path = flags & O_PATH;
	_cleanup_close_ int fd = -1;
	int r;

	if (flags & ~OPEN_FLAGS)
		return -EINVAL;
	if (!by_path)
		flags |= O_NONBLOCK | O_NOCTTY;
	fd = sys_openat2(in->root, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	r = check_opened(fd, by_path);
	return r < 0 ? r : steal_fd(&fd);
}

static int serve_open(struct init *in)
{
	const struct message *m = &in->message;
	const struct open_request *q = (const struct open_request *)m->bytes;

	if (m->size <= sizeof(*q) || m->bytes[m->size - 1] != '\0')
		return -EPROTO;
	return reply(open_in_jail(in, (const char *)(q + 1), q->flags & ~(O_NONBLOCK | O_NOCTTY)));
}

static int mount_entry(struct init *in, struct entry *ret)
{
	struct message *m = &in->message;
	const struct mount_request *q = (const struct mount_request *)m->bytes;
	struct entry e = { .index = -1 };

	if (m->size <= sizeof(*q) || q->strings_size != m->size - sizeof(*q) || m->n_fds != 1 ||
	    m->bytes[m->size - 1] != '\0' ||
	    (q->mount.type != SBX_MOUNT_BIND && q->mount.type != SBX_MOUNT_OVERLAY))
		return -EPROTO;
	e.mount = q->mount;
	entry_own(in, &e);
	e.strings = (struct strings){ (const char *)(q + 1), q->strings_size };
	e.target = string_at(&e.strings, q->mount.target);
	if (!e.target || e.target[0] != '/' || !e.target[1])
		return -EPROTO;
	e.fd = message_steal_fd(m, 0);
	*ret = e;
	return 0;
}

/* The flags of a detached mount, before any program can see it. */
static int check_mount_flags(const struct entry *e)
{
	struct statfs fs;
	long wanted = MS_NOSUID | MS_NODEV;
	int r = sys_fstatfs(e->fd, &fs);

	if (r < 0)
		return r;
	if (e->mount.type == SBX_MOUNT_BIND && !(e->mount.flags & SBX_MOUNT_RW))
		wanted |= MS_RDONLY;
	return (fs.f_flags & wanted) == wanted ? 0 : -EROFS;
}

/* Programs that start from now on may write to it; those that run keep the rules they have. */
static int allow_new_access(struct init *in, uint32_t before)
{
	int r = 0;

	in->step = STEP_LANDLOCK_RULES;
	for (uint32_t i = before; r >= 0 && in->ruleset >= 0 && i < in->n_access; i++)
		r = landlock_add(in, in->ruleset, &in->access[i]);
	return r;
}

static int serve_mount(struct init *in)
{
	uint32_t before = in->n_access, known = in->n_known;
	struct entry e;
	int r = mount_entry(in, &e);

	if (r < 0)
		return r;
	in->step = STEP_MOUNT_PROOF;
	in->index = -1;
	r = check_mount_flags(&e);
	if (r < 0)
		close_cleanup(&e.fd);
	else
		r = mount_apply(in, &e);
	if (r >= 0)
		r = mounts_prove_again(in);
	if (r >= 0)
		r = allow_new_access(in, before);
	if (r < 0) {
		failed_send(CONTROL_FD, in, r);
		/* Programs can see it already: such a jail does not go on. */
		if (in->step == STEP_MOUNT_PROOF && in->n_known > known)
			sys_exit(1);
		return 0;
	}
	return message_send(CONTROL_FD, &(struct reply){ .type = MSG_REPLY }, sizeof(struct reply),
			    NULL, 0);
}

static int dispatch(struct init *in)
{
	switch (in->message.type) {
	case MSG_EXEC:
		return program_start(in);
	case MSG_SOCKET:
		return serve_socket(in);
	case MSG_OPEN:
		return serve_open(in);
	case MSG_MOUNT:
		return serve_mount(in);
	}
	return -EPROTO;
}

/* 0: the library has gone. */
int request_serve(struct init *in)
{
	int r = message_receive(CONTROL_FD, &in->message);

	if (r == 0)
		return 0;
	if (r > 0)
		r = dispatch(in);
	message_done(&in->message);
	/*
	 * An EXEC is answered on its own socket, which has just closed: a word here would be taken
	 * for the answer to the next request.
	 */
	if (r < 0 && in->message.type != MSG_EXEC) {
		in->step = STEP_CONTROL;
		in->index = -1;
		failed_send(CONTROL_FD, in, r);
	}
	return 1;
}
