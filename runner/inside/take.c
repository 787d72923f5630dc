/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside take`: carries single files out of a jail: those whose paths (relative, each
 * ended by NUL) are on descriptor 4, from the current directory into the directory on descriptor 3.
 * The list is the host's; what lies at these paths is not, so nothing is followed and only regular
 * files count. A file that is not there is left out.
 */

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "inside/inside.h"
#include "inside/records.h"
#include "util/util.h"

#define STAGING_FD 3
#define LIST_FD 4
#define LIST_MAX (8u << 20)
#define FILE_MAX (256u << 20)
#define TOTAL_MAX (1ull << 30)

/* One name after the other: openat2(2) is not among the calls of a jail. */
static int open_beneath(const char *path)
{
	_cleanup_close_ int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char part[RECORD_MAX_PATH + 1];
	int fd;

	for (const char *s = strchr(path, '/'); s && dir >= 0; s = strchr(path, '/')) {
		memcpy(part, path, (size_t)(s - path));
		part[s - path] = '\0';
		fd = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close_fd(dir);
		dir = fd;
		path = s + 1;
	}
	if (dir < 0)
		return -errno;
	fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_parents(const char *path)
{
	char part[RECORD_MAX_PATH + 1];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		memcpy(part, path, (size_t)(s - path));
		part[s - path] = '\0';
		if (mkdirat(STAGING_FD, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int copy(int from, int to, size_t size)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		size -= (size_t)n;
	}
	return 0;
}

static int take(const char *path, uint64_t *left)
{
	_cleanup_close_ int from = -1, to = -1;
	struct stat st;
	int r;

	if (!path_is_clean(path, strlen(path)))
		return -EINVAL;
	from = open_beneath(path);
	if (from < 0 || fstat(from, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    (uint64_t)st.st_size > *left)
		return 0;
	*left -= (uint64_t)st.st_size;
	r = make_parents(path);
	if (r < 0)
		return r;
	to = openat(STAGING_FD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (to < 0)
		return -errno;
	return copy(from, to, (size_t)st.st_size);
}

static char *read_list(size_t *ret_size)
{
	_cleanup_free_ char *list = NULL;
	struct stat st;

	if (fstat(LIST_FD, &st) < 0 || st.st_size > (off_t)LIST_MAX)
		return NULL;
	list = calloc(1, (size_t)st.st_size + 1);
	if (!list || pread(LIST_FD, list, (size_t)st.st_size, 0) != st.st_size)
		return NULL;
	*ret_size = (size_t)st.st_size;
	return steal_ptr(list);
}

int inside_take(int argc, char **argv)
{
	_cleanup_free_ char *list = NULL;
	uint64_t left = TOTAL_MAX;
	size_t size = 0;
	int r = 0;

	(void)argv;
	list = argc == 1 ? read_list(&size) : NULL;
	if (!list) {
		(void)fprintf(stderr, "usage: sandbox-inside take 3<DIRECTORY 4<LIST\n");
		return 2;
	}
	(void)umask(022);
	for (size_t at = 0; r == 0 && at < size; at += strlen(list + at) + 1)
		r = take(list + at, &left);
	if (r == 0)
		return 0;
	(void)fprintf(stderr, "sandbox-inside take: %s\n", strerror(-r));
	return 3;
}
