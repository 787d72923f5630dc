/* SPDX-License-Identifier: MIT */
#include "store/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tree.h"
#include "util/util.h"

/* The list comes folder by folder: the two that are at hand are kept open. */
struct linking {
	int base, to;
	int base_dir, to_dir;
	char folder[TREE_PATH_MAX];
	bool open;
};

static void linking_done(struct linking *l)
{
	if (l->base_dir != l->base)
		close_fd(l->base_dir);
	if (l->to_dir != l->to)
		close_fd(l->to_dir);
	l->base_dir = l->to_dir = -1;
	l->open = false;
}

static bool is_clean(const char *path)
{
	if (!*path)
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
		    (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

static int open_folder(struct linking *l, const char *path, size_t n)
{
	if (l->open && strlen(l->folder) == n && memcmp(l->folder, path, n) == 0)
		return 0;
	linking_done(l);
	memcpy(l->folder, path, n);
	l->folder[n] = '\0';
	l->open = true;
	l->base_dir = n ? tree_open(l->base, l->folder, O_PATH | O_DIRECTORY) : l->base;
	l->to_dir = n ? tree_open(l->to, l->folder, O_PATH | O_DIRECTORY) : l->to;
	return l->base_dir < 0 ? l->base_dir : MIN_OF(l->to_dir, 0);
}

static int link_one(struct linking *l, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat st;
	mode_t mode;
	int r;

	if (strlen(path) >= TREE_PATH_MAX || !is_clean(path))
		return -EBADMSG;
	r = open_folder(l, path, slash ? (size_t)(slash - path) : 0);
	if (r < 0)
		return r;
	if (fstatat(l->base_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	mode = st.st_mode & 07777;
	if (!S_ISREG(st.st_mode) || (mode != 0644 && mode != 0755))
		return -EINVAL;
	return linkat(l->base_dir, name, l->to_dir, name, 0) < 0 ? -errno : 0;
}

int share_link(int base, int to, const char *list, size_t size, int max)
{
	_cleanup_(linking_done) struct linking l = {
		.base = base, .to = to, .base_dir = -1, .to_dir = -1
	};
	int n = 0, r;

	if (size > 0 && list[size - 1] != '\0')
		return -EBADMSG;
	for (size_t at = 0; at < size; at += strlen(list + at) + 1) {
		if (n++ == max)
			return -E2BIG;
		r = link_one(&l, list + at);
		if (r < 0)
			return r;
	}
	return n;
}
