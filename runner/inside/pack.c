/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside pack`: carries an installed node_modules out of the jail which made it, into a
 * directory that the host opened (descriptor 3). The tree was written by a hostile program that may
 * still be at work: each step goes through a descriptor, follows no link, and decides by what the
 * opened descriptor is. Copied are directories, regular files and links that stay inside; modes
 * become 0755 or 0644, owners and times those of the copy.
 *
 * With a base (descriptor 4, a sealed tree that is the lower layer of the overlay which npm worked
 * on) a file that is the same there is not copied but listed on descriptor 5, for the host to link.
 * Most are not even read: a file of the overlay that was never copied up shows the inode number and
 * the change time of the base's own, and nobody can set a change time.
 */

#include "inside/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include "inside/inside.h"
#include "util/util.h"

#define STAGING_FD 3
#define BASE_FD 4
#define LIST_FD 5
#define LIST_BUFFER (64u << 10)
#define PACK_MAX_DEPTH 64u
#define PATH_SHOWN 4096u
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct copy {
	struct pack_limits left, limits;
	struct problem *p;
	char path[PATH_SHOWN]; /* where the walk is, for messages and the list */
	char buffer[128 << 10];
	char other[128 << 10];
	int list;
	size_t listed;
	char list_buffer[LIST_BUFFER];
};

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

bool pack_link_ok(const char *target, unsigned depth)
{
	bool named = false;

	if (target[0] == '/' || target[0] == '\0')
		return false;
	while (*target) {
		size_t n = strcspn(target, "/");

		if (n == 2 && target[0] == '.' && target[1] == '.') {
			if (named || depth-- == 0)
				return false;
		} else if (n > 1 || (n == 1 && target[0] != '.')) {
			named = true;
		}
		target += n + (target[n] == '/');
	}
	return true;
}

static int count_file(struct copy *c)
{
	if (c->left.files == 0)
		return problem_set(c->p,
				   "the installed packages have more than %llu files (at \"%s\"): "
				   "use fewer or smaller packages",
				   (unsigned long long)c->limits.files, QUOTE(c->path));
	c->left.files--;
	return 0;
}

static int write_block(struct copy *c, int to, size_t size)
{
	if (size > c->left.bytes)
		return problem_set(c->p,
				   "the installed packages are larger than %s (at \"%s\"): use "
				   "fewer or smaller packages",
				   text_bytes(c->limits.bytes).s, QUOTE(c->path));
	c->left.bytes -= size;
	return write_full(to, c->buffer, size);
}

static int copy_content(struct copy *c, int from, int to)
{
	for (;;) {
		ssize_t n = read(from, c->buffer, sizeof(c->buffer));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		r = write_block(c, to, (size_t)n);
		if (r != 0)
			return r;
	}
}

static int special_problem(struct copy *c)
{
	return problem_set(c->p,
			   "the installed packages hold \"%s\", which is neither a file, a folder "
			   "nor a link that stays inside",
			   QUOTE(c->path));
}

static int flush_list(struct copy *c)
{
	size_t size = c->listed;

	c->listed = 0;
	return write_full(c->list, c->list_buffer, size);
}

static int list_path(struct copy *c)
{
	size_t size = strlen(c->path) + 1;
	int r = 0;

	if (c->listed + size > sizeof(c->list_buffer))
		r = flush_list(c);
	memcpy(c->list_buffer + c->listed, c->path, size);
	c->listed += size;
	return r;
}

static mode_t packed_mode(const struct stat *st)
{
	return st->st_mode & 0111 ? 0755 : 0644;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int same_content(struct copy *c, int a, int b)
{
	for (off_t at = 0;; at += sizeof(c->buffer)) {
		ssize_t n = read_full_at(a, c->buffer, sizeof(c->buffer), at);
		ssize_t m = read_full_at(b, c->other, sizeof(c->other), at);

		if (n < 0 || m < 0)
			return n < 0 ? (int)n : (int)m;
		if (n != m || memcmp(c->buffer, c->other, (size_t)n) != 0)
			return 0;
		if ((size_t)n < sizeof(c->buffer))
			return 1;
	}
}

/*
 * Only what is the base's own inode, seen through the overlay, has all of these in common with it.
 */
static bool same_inode(const struct stat *a, const struct stat *b)
{
	return S_ISREG(b->st_mode) && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       (b->st_mode & 07777) == packed_mode(a) && same_time(&a->st_ctim, &b->st_ctim) &&
	       same_time(&a->st_mtim, &b->st_mtim);
}

/* A path that was cut is not one to be listed. */
static bool may_share(const struct copy *c, int base_dir)
{
	return base_dir >= 0 && strlen(c->path) < sizeof(c->path) - 1;
}

/* 1: the base has the very same file at this path. */
static int in_base(struct copy *c, int from, const struct stat *st, int base_dir, const char *name)
{
	_cleanup_close_ int fd = -1;
	struct stat other;

	if (!may_share(c, base_dir))
		return 0;
	fd = openat(base_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &other) < 0 || !S_ISREG(other.st_mode))
		return 0;
	if (other.st_size != st->st_size || (other.st_mode & 07777) != packed_mode(st))
		return 0;
	return same_inode(st, &other) ? 1 : same_content(c, from, fd);
}

/* What is shared counts, too: the limits are those of the tree. */
static int share(struct copy *c, const struct stat *st)
{
	if ((uint64_t)st->st_size > c->left.bytes)
		return write_block(c, -1, (size_t)st->st_size);
	c->left.bytes -= (uint64_t)st->st_size;
	return list_path(c);
}

static int copy_file(struct copy *c, int from_dir, int to_dir, int base_dir, const char *name)
{
	_cleanup_close_ int from = -1, to = -1;
	struct stat st;
	int r;

	from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (from < 0)
		return errno == ELOOP || errno == ENXIO ? special_problem(c) : -errno;
	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return special_problem(c);
	r = in_base(c, from, &st, base_dir, name);
	if (r != 0)
		return r < 0 ? r : share(c, &st);
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    packed_mode(&st));
	if (to < 0)
		return -errno;
	return copy_content(c, from, to);
}

static int copy_link(struct copy *c, int from_dir, int to_dir, const char *name, unsigned depth)
{
	char target[1025];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (n == sizeof(target) - 1 || !pack_link_ok(target, depth))
		return problem_set(c->p,
				   "the installed packages hold the link \"%s\" to \"%s\", which "
				   "leads out of the folder",
				   QUOTE(c->path), QUOTE(target));
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_directory(struct copy *c, int from, int to, int base, unsigned depth);

static int copy_folder(struct copy *c, int from_dir, int to_dir, int base_dir, const char *name,
		       unsigned depth)
{
	_cleanup_close_ int from = -1, to = -1, base = -1;

	if (depth + 1 > PACK_MAX_DEPTH)
		return problem_set(c->p,
				   "the installed packages are nested more than %u folders deep "
				   "(at \"%s\")",
				   PACK_MAX_DEPTH, QUOTE(c->path));
	from = openat(from_dir, name, DIRECTORY_FLAGS);
	if (from < 0)
		return errno == ELOOP || errno == ENOTDIR ? special_problem(c) : -errno;
	if (mkdirat(to_dir, name, 0755) < 0)
		return -errno;
	to = openat(to_dir, name, DIRECTORY_FLAGS);
	if (to < 0)
		return -errno;
	if (base_dir >= 0)
		base = openat(base_dir, name, DIRECTORY_FLAGS);
	return copy_directory(c, from, to, base, depth + 1);
}

static int copy_entry(struct copy *c, int from, int to, int base, const char *name, unsigned depth)
{
	struct stat st, other;
	int r = count_file(c);

	if (r != 0)
		return r;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, from, to, base, name, depth);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, to, name, depth);
	if (S_ISREG(st.st_mode) && may_share(c, base) &&
	    fstatat(base, name, &other, AT_SYMLINK_NOFOLLOW) == 0 && same_inode(&st, &other))
		return share(c, &st);
	return S_ISREG(st.st_mode) ? copy_file(c, from, to, base, name) : special_problem(c);
}

static int copy_directory(struct copy *c, int from, int to, int base, unsigned depth)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	_cleanup_close_ int fd = openat(from, ".", DIRECTORY_FLAGS); /* an offset of its own */
	size_t length = strlen(c->path);
	struct dirent *d;
	int r = 0;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)steal_fd(&fd);
	while (r == 0 && (errno = 0, d = readdir(dir))) {
		if (streq(d->d_name, ".") || streq(d->d_name, ".."))
			continue;
		(void)snprintf(c->path + length, sizeof(c->path) - length, "%s%s",
			       length ? "/" : "", d->d_name);
		r = copy_entry(c, from, to, base, d->d_name, depth);
		if (r == 0)
			c->path[length] = '\0';
	}
	return r == 0 && errno != 0 ? -errno : r;
}

int pack(int from, int to, const struct pack_base *base, const struct pack_limits *limits,
	 struct problem *p)
{
	_cleanup_free_ struct copy *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->p = p;
	c->limits = c->left = *limits;
	c->list = base ? base->list : -1;
	r = copy_directory(c, from, to, base ? base->dir : -1, 0);
	if (r == 0 && c->listed)
		r = flush_list(c);
	/* By its owner, who pack runs as: an install script has taken the right away. */
	if (r == -EACCES)
		return problem_set(p, "the installed packages hold \"%s\", which cannot be read",
				   QUOTE(c->path));
	if (r < 0)
		(void)snprintf(p->text, sizeof(p->text), "cannot copy \"%s\": %s", QUOTE(c->path),
			       strerror(-r));
	return r;
}

static int parse_count(const char *s, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *end || v == 0)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_limits(int argc, char **argv, struct pack_limits *ret, bool *ret_base,
			const char **ret_from)
{
	static const struct option options[] = { { "from", required_argument, NULL, 'F' },
						 { "max-bytes", required_argument, NULL, 'b' },
						 { "max-files", required_argument, NULL, 'f' },
						 { "base", no_argument, NULL, 'B' },
						 {} };
	int option, r = 0;

	while (r == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return -EINVAL;
		if (option == 'B') {
			*ret_base = true;
			continue;
		}
		if (option == 'F') {
			*ret_from = optarg;
			continue;
		}
		r = parse_count(optarg, option == 'b' ? &ret->bytes : &ret->files);
	}
	return r == 0 && optind == argc && ret->bytes && ret->files ? 0 : -EINVAL;
}

int inside_pack(int argc, char **argv)
{
	_cleanup_close_ int from = -1;
	static const struct pack_base base = { .dir = BASE_FD, .list = LIST_FD };
	struct pack_limits limits = {};
	const char *folder = ".";
	struct problem p = {};
	bool based = false;
	int r = parse_limits(argc, argv, &limits, &based, &folder);

	if (r < 0) {
		(void)fprintf(stderr, "usage: sandbox-inside pack --max-bytes N --max-files N "
				      "[--from FOLDER] 3<DIRECTORY [--base 4<BASE 5>LIST]\n");
		return 2;
	}
	(void)umask(022);
	from = open(folder, DIRECTORY_FLAGS);
	if (from < 0)
		r = problem_set(&p, "the folder that they were installed in is gone, or closed");
	else
		r = pack(from, STAGING_FD, based ? &base : NULL, &limits, &p);
	if (r == 0)
		return 0;
	(void)fprintf(stderr, "sandbox-inside pack: %s\n", p.text[0] ? p.text : strerror(-r));
	return r < 0 ? 3 : 1;
}
