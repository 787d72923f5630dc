/* SPDX-License-Identifier: MIT */

/*
 * A challenge as a part of a bundle: a copy, so that the bundle says the same on another machine
 * and after the challenge was changed. What a challenge is not made of (hidden files, node_modules)
 * is left out.
 */

#include "fleet/admin/bundle.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "challenge/challenge.h"
#include "fleet/compat/devforces.h"
#include "pipeline/tests-hash.h"
#include "util/util.h"

#define DEPTH_MAX 16
#define FILES_MAX 4000
#define BYTES_MAX (256ull << 20)

struct copy {
	uint32_t files;
	uint64_t bytes;
};

static int copy_folder(struct copy *c, int from, int to, unsigned int depth);

static int copy_file(struct copy *c, int from, int to, const char *name, uint64_t size)
{
	_cleanup_close_ int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_close_ int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t done = 0;
	ssize_t n = 1;

	if (in < 0 || out < 0)
		return -errno;
	if (++c->files > FILES_MAX || size > BYTES_MAX - c->bytes)
		return -EFBIG;
	while (done < size && n > 0) {
		n = sendfile(out, in, NULL, size - done);
		done += (uint64_t)MAX_OF(n, 0);
	}
	c->bytes += done;
	return n < 0 ? -errno : done < size ? -EBUSY : 0;
}

static int copy_one(struct copy *c, int from, int to, const char *name, unsigned int depth)
{
	_cleanup_close_ int in = -1, out = -1;
	struct stat st;

	if (fstatat(from, name, &st, 0) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, to, name, (uint64_t)st.st_size);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == DEPTH_MAX)
		return -ELOOP;
	in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0 || mkdirat(to, name, 0700) < 0)
		return -errno;
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return out < 0 ? -errno : copy_folder(c, in, out, depth + 1);
}

static int copy_folder(struct copy *c, int from, int to, unsigned int depth)
{
	int r = 0, fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		r = -errno;
		close_fd(fd);
		return r;
	}
	while (r == 0 && (e = readdir(d))) {
		if (e->d_name[0] != '.' && !streq(e->d_name, "node_modules"))
			r = copy_one(c, from, to, e->d_name, depth);
	}
	(void)closedir(d);
	return r;
}

/* EXIT_OK with *ret false: this configuration has none of that name. */
static int from_folder(struct admin *a, int dir, const char *id, bool *ret)
{
	_cleanup_close_ int base = -1, from = -1, to = -1;
	struct copy c = { 0 };
	int r;

	*ret = false;
	base = a->config.challenges ? open(a->config.challenges, O_DIRECTORY | O_CLOEXEC) : -1;
	if (base >= 0)
		from = openat(base, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0)
		return EXIT_OK;
	*ret = true;
	if (mkdirat(dir, "challenge", 0700) < 0)
		return admin_complain(a, EXIT_FAILED, "challenge: %s", strerror(errno));
	to = openat(dir, "challenge", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = to < 0 ? -errno : copy_folder(&c, from, to, 0);
	return r < 0 ? admin_complain(a, EXIT_FAILED, "the challenge %s cannot be copied: %s", id,
				      strerror(-r))
		     : EXIT_OK;
}

static int from_devforces(struct admin *a, int dir, const char *path, const char *id)
{
	_cleanup_(pg_freep) struct pg *db = NULL;
	struct devforces_challenge c = { .folder = NULL };
	int r = pg_open(&db, a->config.compat.database_url, "sandbox-runner bundle", &a->err);

	if (r == 0)
		r = devforces_challenge(db, id, dir, path, a->config.compat.fast, &c, &a->err);
	if (r < 0)
		return admin_failed(a);
	r = renameat(dir, basename(c.folder), dir, "challenge");
	devforces_challenge_done(&c);
	return r < 0 ? admin_complain(a, EXIT_FAILED, "challenge: %s", strerror(errno)) : EXIT_OK;
}

static void hash(struct admin *a, const char *path, char ret[static KEY_SIZE])
{
	_cleanup_(challenge_freep) struct challenge *c = NULL;
	char why[CHALLENGE_ERROR_SIZE] = "";
	_cleanup_free_ char *folder = NULL;

	*ret = '\0';
	if (asprintf(&folder, "%s/challenge", path) < 0) {
		folder = NULL;
		return;
	}
	if (challenge_load(&c, folder, why) < 0 || tests_hash(c, ret) < 0)
		(void)admin_complain(a, EXIT_OK, "the challenge cannot be loaded: %s", why);
}

int bundle_challenge(struct admin *a, int dir, const char *path, const char *id,
		     char ret[static KEY_SIZE])
{
	bool found = true;
	int code = a->config.compat.devforces != DEVFORCES_OFF && a->config.compat.database_url
			   ? from_devforces(a, dir, path, id)
			   : from_folder(a, dir, id, &found);

	*ret = '\0';
	if (code == EXIT_OK && found)
		hash(a, path, ret);
	else if (code == EXIT_OK)
		(void)admin_complain(
			a, EXIT_OK,
			"this configuration has no challenge %s: the bundle is without "
			"one, and cannot be judged (\"challenges\" names their folder)",
			id);
	return code;
}
