/* SPDX-License-Identifier: MIT */

/*
 * Files of an unpacked project. JSON goes through jansson with duplicate keys rejected (two readers
 * that pick different ones must not disagree about a project); nesting is limited by jansson to
 * 2,048, which bounds every recursion over a loaded document.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "inside/inspect.h"
#include "util/util.h"

enum file_kind file_kind(int root, const char *path)
{
	struct stat st;

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return FILE_NONE;
	if (S_ISREG(st.st_mode))
		return FILE_REGULAR;
	return S_ISDIR(st.st_mode) ? FILE_DIRECTORY : FILE_OTHER;
}

void json_donep(json_t **json)
{
	json_decref(*json);
}

const char *json_member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int read_exactly(int fd, char *to, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = read(fd, to + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += (size_t)n;
	}
	return 0;
}

static int read_file(int root, const char *path, size_t limit, char **ret, size_t *ret_size,
		     struct problem *p)
{
	_cleanup_close_ int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return problem_set(p, "%s is not a file", path);
	if ((size_t)st.st_size > limit)
		return problem_set(p, "%s is larger than %s", path, text_bytes(limit).s);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	r = read_exactly(fd, bytes, (size_t)st.st_size);
	if (r < 0)
		return r;
	*ret = steal_ptr(bytes);
	*ret_size = (size_t)st.st_size;
	return 0;
}

int file_read_json(int root, const char *path, size_t limit, json_t **ret, struct problem *p)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, skip;
	json_error_t error;
	json_t *json;
	int r = read_file(root, path, limit, &bytes, &size, p);

	if (r != 0)
		return r;
	*ret = NULL;
	if (!bytes)
		return 0;
	skip = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	json = json_loadb(bytes + skip, size - skip, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return problem_set(p, "%s:%d:%d: %s", path, error.line, error.column,
				   QUOTE(error.text));
	if (!json_is_object(json)) {
		json_decref(json);
		return problem_set(p, "%s:1:1: must be an object ({ ... })", path);
	}
	*ret = json;
	return 0;
}
