/* SPDX-License-Identifier: MIT */

/*
 * The context. Its owner token is the answer to kill -9: every control group carries the token in
 * its name, and owners/TOKEN in the runtime directory is locked while the owner lives. Whoever
 * makes the next context takes the lock of the dead and removes their groups; a live owner's lock
 * cannot be taken, so its groups are never touched. (Processes, mounts and namespaces need no
 * sweep: they die with the jail's init, which watches its creator.)
 */

#include "ctx.h"
#include "caller.h"
#include "error.h"
#include "ids.h"
#include "init-image.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#define DEFAULT_RUNTIME_DIR "/run/sandbox"

#define LIMITS_ALL                                                                                 \
	(SBX_LIMIT_MEMORY | SBX_LIMIT_SWAP | SBX_LIMIT_PIDS | SBX_LIMIT_CPU | SBX_LIMIT_CPU_TIME)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

void ctx_log(const struct sbx_ctx *ctx, int level, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!ctx->log)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ctx->log(ctx->log_data, level, line);
}

static int memfd_filled(const char *name, unsigned int flags, const char *bytes, size_t size)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
	size_t done = 0;
	ssize_t n;

	if (fd < 0 && errno == EINVAL) /* flags of 6.3 */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	while (done < size) {
		n = write(fd, bytes + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	(void)lseek(fd, 0, SEEK_SET); /* the offset is shared by all that get the descriptor */
	return fd_above_stdio(steal_fd(&fd));
}

int memfd_program(const char *name, const void *bytes, size_t size)
{
	return memfd_filled(name, MFD_EXEC, bytes, size);
}

int memfd_data(const char *name, const void *bytes, size_t size)
{
	return memfd_filled(name, MFD_NOEXEC_SEAL, bytes, size);
}

struct holder *ctx_holder(struct sbx_ctx *ctx)
{
	return ctx->privileged ? NULL : &ctx->holder;
}

static int open_dir(int at, const char *name, struct sbx_error *err)
{
	struct stat st;
	int fd;

	if (mkdirat(at, name, 0700) == 0)
		(void)fchmodat(at, name, 0700, 0); /* whatever the caller's umask is */
	else if (errno != EEXIST)
		return error_set(err, -errno, "ctx", name, "cannot make the runtime directory");
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return error_set(err, -errno, "ctx", name, "cannot open the runtime directory");
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022)) {
		close_fd(fd);
		return error_set(err, -EPERM, "ctx", name,
				 "the runtime directory is not ours alone: chown it to the caller "
				 "and chmod go-w");
	}
	return fd_above_stdio(fd);
}

/*
 * The directory that the user's own programs share, gone at logout; or one in /tmp, checked below.
 */
static void default_runtime(const struct sbx_ctx *ctx, char *ret, size_t size)
{
	const char *user_dir = ctx->privileged ? NULL : secure_getenv("XDG_RUNTIME_DIR");

	if (ctx->privileged)
		copy_string(ret, size, DEFAULT_RUNTIME_DIR);
	else if (user_dir && user_dir[0] == '/')
		(void)snprintf(ret, size, "%s/sandbox", user_dir);
	else
		(void)snprintf(ret, size, "/tmp/sandbox-%u", geteuid());
}

static int open_runtime(struct sbx_ctx *ctx, const char *path, struct sbx_error *err)
{
	_cleanup_close_ int base = -1;
	char by_default[512];

	default_runtime(ctx, by_default, sizeof(by_default));
	base = open_dir(AT_FDCWD, path ? path : by_default, err);
	if (base < 0)
		return base;
	ctx->ids_dir = open_dir(base, "ids", err);
	if (ctx->ids_dir < 0)
		return ctx->ids_dir;
	ctx->owners_dir = open_dir(base, "owners", err);
	return ctx->owners_dir < 0 ? ctx->owners_dir : 0;
}

/*
 * A sweeper may hold the lock of a new file for a moment: then it is not ours, and we take another.
 */
static int take_token(struct sbx_ctx *ctx, struct sbx_error *err)
{
	unsigned char random[8];
	int i, tries = 0;

	do {
		if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return error_set(err, -errno, "ctx", "getrandom", "no random bytes");
		for (i = 0; i < 8; i++)
			(void)snprintf(ctx->token + 2 * i, 3, "%02x", random[i]);
		ctx->owner_fd = lock_file(ctx->owners_dir, ctx->token, 1);
	} while (ctx->owner_fd == -EWOULDBLOCK && ++tries < 8);
	if (ctx->owner_fd < 0)
		return error_set(err, ctx->owner_fd, "ctx", ctx->token,
				 "cannot lock the owner token");
	return 0;
}

/* Calls `each` for every file of `dir` whose lock can be taken; where it is true the file goes. */
static void sweep_dir(struct sbx_ctx *ctx, int dir,
		      bool (*each)(struct sbx_ctx *, int, const char *))
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *e;

	if (!d) {
		close_fd(copy);
		return;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		fd = lock_file(dir, e->d_name, 0);
		if (fd < 0)
			continue;
		if (!each || each(ctx, fd, e->d_name))
			(void)unlinkat(dir, e->d_name, 0);
		close_fd(fd);
	}
	(void)closedir(d);
}

static bool sweep_owner(struct sbx_ctx *ctx, int fd, const char *token)
{
	ctx_log(ctx, SBX_LOG_INFO, "removing what dead owner %s left behind", token);
	return cgroup_sweep(fd, token) == 0;
}

static int prepare_init(struct sbx_ctx *ctx, struct sbx_error *err)
{
	ctx->init_memfd = memfd_program("sandbox-init", sbx_init_image, sbx_init_image_size);
	if (ctx->init_memfd < 0)
		return error_set(err, ctx->init_memfd, "ctx", "memfd",
				 "cannot prepare the jail's init");
	return 0;
}

/* The ids of the holder's namespace: its own is 0, the subordinate ones follow. */
static int prepare_holder(struct sbx_ctx *ctx, struct sbx_error *err)
{
	char why[128];
	int r;

	ctx->holder.image = ctx->init_memfd;
	r = holder_start(&ctx->holder, why, sizeof(why), err);
	if (r < 0)
		return r;
	ctx->ids = (struct id_space){ .base = 1,
				      .size = ID_RANGE_SUBORDINATE,
				      .count = ctx->holder.n_ids / ID_RANGE_SUBORDINATE };
	if (why[0])
		ctx_log(ctx, SBX_LOG_INFO, "jails run under the caller's own id: %s", why);
	return 0;
}

static int ctx_setup(struct sbx_ctx *ctx, const struct sbx_ctx_options *o, struct sbx_error *err)
{
	struct cgroup_root_options groups = { .parent = o->cgroup_parent ? o->cgroup_parent
									 : "sandbox",
					      .token = ctx->token,
					      .privileged = ctx->privileged,
					      .own_leaf = o->flags & SBX_CTX_OWN_LEAF };
	int r = ctx->privileged ? ids_check(ctx->ids.base, ctx->ids.count, err) : 0;

	if (r >= 0)
		r = open_runtime(ctx, o->runtime_dir, err);
	if (r >= 0)
		r = take_token(ctx, err);
	if (r >= 0)
		r = cgroup_root_init(&ctx->cgroups, &groups, err);
	if (r < 0)
		return r;
	r = cgroup_root_record(&ctx->cgroups, ctx->owner_fd);
	if (r < 0)
		return error_set(err, r, "ctx", ctx->token, "cannot write the owner token");
	sweep_dir(ctx, ctx->owners_dir, sweep_owner);
	sweep_dir(ctx, ctx->ids_dir, NULL);
	r = prepare_init(ctx, err);
	return r < 0 || ctx->privileged ? r : prepare_holder(ctx, err);
}

SBX_PUBLIC int sbx_ctx_new(struct sbx_ctx **ret, const struct sbx_ctx_options *o,
			   struct sbx_error *err)
{
	struct sbx_ctx_options options;
	struct sbx_ctx *ctx;
	int i, r = options_copy(&options, sizeof(options), o);

	if (r < 0)
		return error_set(err, r, "ctx", "options",
				 "struct sbx_ctx_options has a size this library does not know");
	if (options.flags & ~(SBX_CTX_UNPRIVILEGED | SBX_CTX_OWN_LEAF) ||
	    options.allow_unenforced & ~LIMITS_ALL)
		return error_set(err, -EINVAL, "ctx", "flags",
				 "a flag or a limit that this library does not know");
	if (options.cgroup_parent &&
	    (strchr(options.cgroup_parent, '/') || !options.cgroup_parent[0]))
		return error_set(err, -EINVAL, "ctx", "cgroup_parent",
				 "must be one name without '/'");
	ctx = calloc(1, sizeof(*ctx));
	if (!ctx)
		return error_set(err, -ENOMEM, "ctx", NULL, "out of memory");
	ctx->log = options.log;
	ctx->log_data = options.log_data;
	ctx->ids_dir = ctx->owners_dir = ctx->owner_fd = ctx->init_memfd = -1;
	for (i = 0; i < H_COUNT; i++)
		ctx->cgroups.parent[i] = -1;
	ctx->ids = default_ids;
	if (options.id_base)
		ctx->ids.base = options.id_base;
	if (options.id_count)
		ctx->ids.count = options.id_count;
	ctx->privileged = !(options.flags & SBX_CTX_UNPRIVILEGED) &&
			  caller_is_privileged(&ctx->ids);
	ctx->allow_unenforced = options.allow_unenforced;
	holder_init(&ctx->holder, -1);
	atomic_init(&ctx->next_id, (unsigned int)getpid());
	r = ctx_setup(ctx, &options, err);
	if (r < 0) {
		sbx_ctx_free(ctx);
		return r;
	}
	*ret = ctx;
	return 0;
}

SBX_PUBLIC struct sbx_ctx *sbx_ctx_free(struct sbx_ctx *ctx)
{
	if (!ctx)
		return NULL;
	holder_done(&ctx->holder);
	/* Groups of jails that the caller did not free: now, or by the next owner. */
	if (ctx->owner_fd >= 0 && cgroup_sweep(ctx->owner_fd, ctx->token) == 0)
		(void)unlinkat(ctx->owners_dir, ctx->token, 0);
	close_fd(ctx->owner_fd);
	close_fd(ctx->owners_dir);
	close_fd(ctx->ids_dir);
	close_fd(ctx->init_memfd);
	cgroup_root_done(&ctx->cgroups);
	free(ctx);
	return NULL;
}
