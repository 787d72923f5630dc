/* SPDX-License-Identifier: MIT */

/*
 * Files of an unpacked project. JSON goes through jansson with duplicate keys rejected (two readers
 * that pick different ones must not disagree about a project); nesting is limited by jansson to
 * 2,048, which bounds every recursion over a loaded document.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "inside/inspect/inspect.h"
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

int file_read(int root, const char *path, size_t limit, char **ret, size_t *ret_size,
	      struct problem *p)
{
	_cleanup_close_ int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return problem_set(p, "%s is not a file: put the file itself there", path);
	if ((size_t)st.st_size > limit)
		return problem_set(p, "%s is larger than %s: leave out of it what is not needed",
				   path, text_bytes(limit).s);
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	n = read_full(fd, bytes, (size_t)st.st_size);
	if (n != st.st_size)
		return n < 0 ? (int)n : -EIO;
	bytes[st.st_size] = '\0';
	*ret = steal_ptr(bytes);
	*ret_size = (size_t)st.st_size;
	return 0;
}

char *file_read_text(int root, const char *path, size_t limit)
{
	struct problem p;
	char *text = NULL;
	size_t size = 0;

	if (file_read(root, path, limit, &text, &size, &p) != 0 || !text)
		return NULL;
	text[size] = '\0';
	return text;
}

int file_read_json(int root, const char *path, size_t limit, json_t **ret, struct problem *p)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, skip;
	json_error_t error;
	json_t *json;
	int r = file_read(root, path, limit, &bytes, &size, p);

	if (r != 0)
		return r;
	*ret = NULL;
	if (!bytes)
		return 0;
	skip = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	json = json_loadb(bytes + skip, size - skip, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return problem_set(p, "%s:%d:%d: this is not valid JSON: %s", path, error.line,
				   error.column, QUOTE(error.text));
	if (!json_is_object(json)) {
		json_decref(json);
		return problem_set(p, "%s:1:1: the file must be an object: { ... }", path);
	}
	*ret = json;
	return 0;
}
