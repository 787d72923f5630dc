/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside pack`: carries an installed node_modules out of the jail which made it, into a
 * directory that the host opened (descriptor 3). The tree was written by a hostile program that may
 * still be at work: each step goes through a descriptor, follows no link, and decides by what the
 * opened descriptor is. Copied are directories, regular files and links that stay inside; modes
 * become 0755 or 0644, owners and times those of the copy.
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
#define PACK_MAX_DEPTH 64u
#define PATH_SHOWN 4096u
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct copy {
	struct pack_limits left, limits;
	struct problem *p;
	char path[PATH_SHOWN]; /* where the walk is, for messages */
	char buffer[128 << 10];
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
	const char *at = c->buffer;

	if (size > c->left.bytes)
		return problem_set(c->p,
				   "the installed packages are larger than %s (at \"%s\"): use "
				   "fewer or smaller packages",
				   text_bytes(c->limits.bytes).s, QUOTE(c->path));
	c->left.bytes -= size;
	while (size > 0) {
		ssize_t n = write(to, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
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

static int copy_file(struct copy *c, int from_dir, int to_dir, const char *name)
{
	_cleanup_close_ int from = -1, to = -1;
	struct stat st;

	from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (from < 0)
		return errno == ELOOP || errno == ENXIO ? special_problem(c) : -errno;
	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return special_problem(c);
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    st.st_mode & 0111 ? 0755 : 0644);
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

static int copy_directory(struct copy *c, int from, int to, unsigned depth);

static int copy_folder(struct copy *c, int from_dir, int to_dir, const char *name, unsigned depth)
{
	_cleanup_close_ int from = -1, to = -1;

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
	return copy_directory(c, from, to, depth + 1);
}

static int copy_entry(struct copy *c, int from, int to, const char *name, unsigned depth)
{
	struct stat st;
	int r = count_file(c);

	if (r != 0)
		return r;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, from, to, name, depth);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, to, name, depth);
	return S_ISREG(st.st_mode) ? copy_file(c, from, to, name) : special_problem(c);
}

static int copy_directory(struct copy *c, int from, int to, unsigned depth)
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
		r = copy_entry(c, from, to, d->d_name, depth);
		if (r == 0)
			c->path[length] = '\0';
	}
	return r == 0 && errno != 0 ? -errno : r;
}

int pack(int from, int to, const struct pack_limits *limits, struct problem *p)
{
	_cleanup_free_ struct copy *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->p = p;
	c->limits = c->left = *limits;
	r = copy_directory(c, from, to, 0);
	if (r < 0)
		(void)problem_set(p, "cannot copy \"%s\": %s", QUOTE(c->path), strerror(-r));
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

static int parse_limits(int argc, char **argv, struct pack_limits *ret)
{
	static const struct option options[] = { { "max-bytes", required_argument, NULL, 'b' },
						 { "max-files", required_argument, NULL, 'f' },
						 {} };
	int option, r = 0;

	while (r == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return -EINVAL;
		r = parse_count(optarg, option == 'b' ? &ret->bytes : &ret->files);
	}
	return r == 0 && optind == argc && ret->bytes && ret->files ? 0 : -EINVAL;
}

int inside_pack(int argc, char **argv)
{
	_cleanup_close_ int from = -1;
	struct pack_limits limits = {};
	struct problem p = {};
	int r = parse_limits(argc, argv, &limits);

	if (r < 0) {
		(void)fprintf(stderr, "usage: sandbox-inside pack --max-bytes N --max-files N "
				      "3<DIRECTORY\n");
		return 2;
	}
	(void)umask(022);
	from = open(".", DIRECTORY_FLAGS);
	r = from < 0 ? -errno : pack(from, STAGING_FD, &limits, &p);
	if (r == 0)
		return 0;
	(void)fprintf(stderr, "sandbox-inside pack: %s\n", p.text[0] ? p.text : strerror(-r));
	return r < 0 ? 3 : 1;
}
