/* SPDX-License-Identifier: MIT */
/* The files that a test file names: read below its folder and nowhere else. */
#include "asset.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/util.h"

/* Folder by folder, and no links: where openat2(2) is missing, in a jail, there are none anyway. */
static int walk_below(int folder, const char *name)
{
	_cleanup_free_ char *copy = strdup(name);
	_cleanup_close_ int at = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	char *part = copy, *slash;
	int fd;

	if (!copy || at < 0)
		return -ENOMEM;
	while ((slash = strchr(part, '/'))) {
		*slash = '\0';
		fd = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		(void)close(at);
		at = fd;
		part = slash + 1;
	}
	fd = openat(at, part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* No link leads out of the folder, and a FIFO does not block. */
static int open_below(int folder, const char *name)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS)
		return walk_below(folder, name);
	return fd < 0 ? -errno : fd;
}

static const char *read_asset(struct hurl_arena *arena, int fd, size_t *ret_len)
{
	struct stat st;
	ssize_t n;
	char *data;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	if (st.st_size > HURL_MAX_ASSET) {
		errno = EFBIG;
		return NULL;
	}
	data = hurl_arena_alloc(arena, (size_t)st.st_size + 1);
	n = data ? read_full(fd, data, (size_t)st.st_size) : -1;
	if (n < 0)
		return NULL;
	*ret_len = (size_t)n;
	return data;
}

static int cannot(const struct hurl_file *f, const struct hurl_asset *a, int code,
		  struct hurl_error *err)
{
	*err = (struct hurl_error){ .line = a->pos.line, .column = a->pos.column };
	copy_string(err->file, sizeof(err->file), f->name);
	snprintf(err->text, sizeof(err->text), "cannot read the file %s: %s", a->name,
		 code == EXDEV ? "a link leads out of the test file's folder" : strerror(code));
	return -EINVAL;
}

int hurl_assets_load(struct hurl_file *f, const char *path, struct hurl_error *err)
{
	_cleanup_free_ char *copy = NULL;
	_cleanup_close_ int folder = -1;

	if (!f->asset_count)
		return 0;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < f->asset_count; i++) {
		struct hurl_asset *a = &f->assets[i];
		_cleanup_close_ int fd = folder < 0 ? folder : open_below(folder, a->name);

		if (fd < 0)
			return cannot(f, a, folder < 0 ? ENOENT : -fd, err);
		a->data = read_asset(&f->arena, fd, &a->len);
		if (!a->data)
			return cannot(f, a, errno, err);
	}
	return 0;
}

const char *hurl_asset_type(const char *name)
{
	static const char *const types[][2] = {
		{ ".gif", "image/gif" },       { ".jpg", "image/jpeg" },
		{ ".jpeg", "image/jpeg" },     { ".png", "image/png" },
		{ ".svg", "image/svg+xml" },   { ".txt", "text/plain" },
		{ ".htm", "text/html" },       { ".html", "text/html" },
		{ ".pdf", "application/pdf" }, { ".xml", "application/xml" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (streq(dot, types[i][0]))
			return types[i][1];
	return "application/octet-stream";
}
