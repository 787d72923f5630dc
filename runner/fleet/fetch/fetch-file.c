/* SPDX-License-Identifier: MIT */
#include "fleet/fetch/fetch-file.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/util.h"

size_t fetch_sink_write(struct fetch_sink *s, const void *data, size_t n)
{
	if (n > s->max - s->size) {
		s->too_large = true;
		return 0;
	}
	s->error = write_full(s->fd, data, n);
	if (s->error < 0)
		return 0;
	sha256_update(&s->hash, n, data);
	s->size += n;
	return n;
}

static int open_below(int dir, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int copy(int from, struct fetch_sink *to, const char *path, struct sbx_error *err)
{
	char buf[65536];
	ssize_t n;

	while ((n = read_full(from, buf, sizeof(buf))) > 0) {
		if (fetch_sink_write(to, buf, (size_t)n) == (size_t)n)
			continue;
		return to->too_large
			       ? FETCH_TOO_LARGE
			       : fetch_fail(err, to->error, path, "no memory for the archive");
	}
	if (n < 0)
		return fetch_fail(err, -EAGAIN, path, "the file cannot be read: %s",
				  strerror((int)-n));
	return FETCH_DONE;
}

int fetch_file(const char *root, const char *path, struct fetch_sink *to, struct sbx_error *err)
{
	_cleanup_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (dir < 0)
		return fetch_fail(err, -EAGAIN, root,
				  "the folder of files (fetch.file_root) cannot "
				  "be opened: %s",
				  strerror(errno));
	fd = open_below(dir, path);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return FETCH_GONE;
	if (fd < 0)
		return fetch_fail(err, -EAGAIN, path, "the file cannot be opened: %s",
				  strerror(-fd));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fetch_fail(err, -EPERM, path, "this is not a file");
	if ((uint64_t)st.st_size > to->max)
		return FETCH_TOO_LARGE;
	return copy(fd, to, path, err);
}
