/* SPDX-License-Identifier: MIT */

/*
 * Paths below the jail's root, one component at a time: no symbolic link is followed, no ".." is
 * accepted, nothing is looked up by an absolute path. This holds against a program that changes
 * the tree meanwhile (MOUNT requests): it can make a step fail, not lead it elsewhere.
 */

#include "init.h"

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* Copies the next component of `*path` and moves on. 0: there is none. */
static int next_component(const char **path, char ret[static NAME_MAX_SIZE])
{
	const char *p = *path;
	size_t n = 0;

	while (*p == '/')
		p++;
	while (p[n] && p[n] != '/') {
		if (n == NAME_MAX_SIZE - 1)
			return -ENAMETOOLONG;
		ret[n] = p[n];
		n++;
	}
	ret[n] = '\0';
	*path = p + n;
	if (string_equal(ret, ".") || string_equal(ret, ".."))
		return -EINVAL;
	return n > 0;
}

static int enter_directory(int dir, const char *name)
{
	int fd = sys_openat2(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, STRICT);
	int r;

	if (fd != -ENOENT)
		return fd;
	r = sys_mkdirat(dir, name, 0755);
	if (r < 0 && r != -EEXIST)
		return r;
	return sys_openat2(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, STRICT);
}

/* Makes what is missing. The root itself has no name and gives -EBUSY. */
int tree_open_parent(int root, const char *target, char ret_name[static NAME_MAX_SIZE])
{
	_cleanup_close_ int dir = -1; /* -1: still at the root */
	char following[NAME_MAX_SIZE];
	int r;

	if (*target != '/')
		return -EINVAL;
	r = next_component(&target, ret_name);
	if (r <= 0)
		return r < 0 ? r : -EBUSY;
	while ((r = next_component(&target, following)) > 0) {
		int next = enter_directory(dir < 0 ? root : dir, ret_name);

		if (next < 0)
			return next;
		close_cleanup(&dir);
		dir = next;
		memcpy(ret_name, following, strlen(following) + 1);
	}
	if (r < 0)
		return r;
	return dir < 0 ? sys_dupfd(root, 0) : steal_fd(&dir);
}

int tree_open_directory(int root, const char *target)
{
	char name[NAME_MAX_SIZE];
	_cleanup_close_ int parent = tree_open_parent(root, target, name);

	if (parent == -EBUSY)
		return sys_dupfd(root, 0);
	return parent < 0 ? parent : enter_directory(parent, name);
}

/* Something that is not a directory, as a place to mount on; an empty file if there is nothing. */
int tree_open_file(int root, const char *target)
{
	char name[NAME_MAX_SIZE];
	_cleanup_close_ int parent = tree_open_parent(root, target, name);
	int fd;

	if (parent < 0)
		return parent;
	/*
	 * Rarely is something there; and the empty file's own descriptor names the place as well.
	 */
	fd = sys_openat2(parent, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW, 0644, STRICT);
	if (fd != -EEXIST)
		return fd;
	return sys_openat2(parent, name, O_PATH | O_NOFOLLOW, 0, STRICT);
}
