/* SPDX-License-Identifier: MIT */

/*
 * Second reading: the contents, onto the work tree. Every directory is entered by a descriptor and
 * never through a link, every file is created with O_EXCL, and modes are 0755 or 0644: no bit of
 * the archive but "executable" survives. Checksums are libarchive's; any warning about content is a
 * refusal. The size of the tree is the file system's: ENOSPC is explained, not avoided.
 */

#include "inside/unpack/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "util/util.h"

#define SCRIPT_MAX (256u << 10)
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The directory of the last file: most files lie beside their predecessor. */
struct tree {
	int root;
	int fd;
	char path[RECORD_MAX_PATH + 1];
};

static void tree_done(struct tree *t)
{
	t->fd = close_fd(t->fd);
}

static int full_problem(int root, const char *path, struct problem *p)
{
	struct statfs fs;

	if (fstatfs(root, &fs) < 0)
		return -errno;
	if (fs.f_files > 0 && fs.f_ffree == 0)
		return problem_set(p,
				   "the project has too many files: the disk of this challenge "
				   "holds %llu files and folders and was full at \"%s\"; leave out "
				   "generated files",
				   (unsigned long long)fs.f_files, QUOTE(path));
	return problem_set(p,
			   "the project is too large: the disk of this challenge holds %s and was "
			   "full at \"%s\"; leave out build output, media and dumps",
			   text_bytes((uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize).s, QUOTE(path));
}

static int write_problem(int code, int root, const char *path, struct problem *p)
{
	if (code == -ENOSPC || code == -EDQUOT)
		return full_problem(root, path, p);
	if (code == -EFBIG)
		return problem_set(p,
				   "\"%s\" is larger than a file of this challenge may be: leave "
				   "it out",
				   QUOTE(path));
	return code;
}

static int enter_part(int fd, const char *part)
{
	int next;

	if (mkdirat(fd, part, 0755) < 0 && errno != EEXIST)
		return -errno;
	next = openat(fd, part, DIRECTORY_FLAGS);
	return next < 0 ? -errno : next;
}

/* Makes t->fd the directory `path` (which is `n` bytes long), creating what is missing. */
static int tree_enter(struct tree *t, const char *path, size_t n)
{
	_cleanup_close_ int fd = -1;
	char copy[RECORD_MAX_PATH + 1], *rest = copy, *part;

	if (t->fd >= 0 && strlen(t->path) == n && memcmp(t->path, path, n) == 0)
		return 0;
	memcpy(copy, path, n);
	copy[n] = '\0';
	fd = openat(t->root, ".", DIRECTORY_FLAGS);
	if (fd < 0)
		return -errno;
	while ((part = strsep(&rest, "/"))) {
		int next = *part ? enter_part(fd, part) : fd;

		if (next < 0)
			return next;
		if (next != fd)
			close_fd(fd);
		fd = next;
	}
	close_fd(t->fd);
	t->fd = steal_fd(&fd);
	memcpy(t->path, path, n);
	t->path[n] = '\0';
	return 0;
}

static int write_block(int fd, const char *data, size_t size, int64_t offset)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_content(struct archive *a, int fd, const char *path, struct tally *tally, int root,
			 struct problem *p)
{
	for (;;) {
		const void *data;
		int64_t offset;
		size_t size;
		int r = archive_read_data_block(a, &data, &size, &offset);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return problem_set(p,
					   "the archive is damaged: \"%s\" cannot be unpacked "
					   "(%s); make the zip again",
					   QUOTE(path), zip_error(a).s);
		r = write_block(fd, data, size, offset);
		if (r < 0)
			return write_problem(r, root, path, p);
		tally->bytes += size;
	}
}

static bool is_shell_script(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && strcasecmp(name + n - 3, ".sh") == 0;
}

/*
 * Windows ends lines with CR LF, and no shell of ours reads that ("/bin/sh\r": not found). Nothing
 * else of a submission is changed: Node, JSON and SQL do not mind.
 */
static int mend_lines(int fd, uint64_t size)
{
	_cleanup_free_ char *text = NULL;
	size_t out = 0;

	if (size == 0 || size > SCRIPT_MAX)
		return 0;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	if (pread(fd, text, size, 0) != (ssize_t)size)
		return -EIO;
	for (size_t i = 0; i < size; i++)
		if (text[i] != '\r' || i + 1 == size || text[i + 1] != '\n')
			text[out++] = text[i];
	if (out == size)
		return 0;
	if (ftruncate(fd, (off_t)out) < 0)
		return -errno;
	return write_block(fd, text, out, 0);
}

static int extract_link(struct tree *t, const struct entry *entry, const char *path,
			struct problem *p)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int r = tree_enter(t, path, slash ? (size_t)(slash - path) : 0);

	if (r == 0 && symlinkat(entry->link, t->fd, name) < 0)
		r = -errno;
	return r < 0 ? write_problem(r, t->root, path, p) : 0;
}

static int extract_file(struct archive *a, struct tree *t, const struct entry *entry,
			const char *path, struct tally *tally, struct problem *p)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_close_ int fd = -1;
	uint64_t before = tally->bytes;
	int r = tree_enter(t, path, slash ? (size_t)(slash - path) : 0);

	if (r < 0)
		return write_problem(r, t->root, path, p);
	fd = openat(t->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    entry->executable ? 0755 : 0644);
	if (fd < 0)
		return write_problem(-errno, t->root, path, p);
	tally->files++;
	r = write_content(a, fd, path, tally, t->root, p);
	if (r == 0 && is_shell_script(name))
		r = mend_lines(fd, tally->bytes - before);
	return r;
}

static int extract_entry(struct archive *a, struct tree *t, const struct entries *e,
			 const struct entry *entry, struct tally *tally, struct problem *p)
{
	const char *path = entry_path(e, entry);
	int r;

	if (entry->skipped || *path == '\0')
		return 0;
	if (entry->link)
		return extract_link(t, entry, path, p);
	if (!entry->directory)
		return extract_file(a, t, entry, path, tally, p);
	r = tree_enter(t, path, strlen(path));
	return r < 0 ? write_problem(r, t->root, path, p) : 0;
}

int entries_extract(const struct zip *zip, const struct entries *e, int root, struct tally *ret,
		    struct problem *p)
{
	_cleanup_(zip_closep) struct archive *a = NULL;
	_cleanup_(tree_done) struct tree t = { .root = root, .fd = -1 };
	struct archive_entry *ae;
	struct tally tally = {};
	int r;

	p->text[0] = '\0';
	a = zip_open(zip, p);
	if (!a)
		return p->text[0] ? 1 : -ENOMEM;
	for (size_t i = 0; i < e->n; i++) {
		r = archive_read_next_header(a, &ae);
		if (r < ARCHIVE_WARN || r == ARCHIVE_EOF)
			return -EBADMSG;
		r = extract_entry(a, &t, e, &e->list[i], &tally, p);
		if (r != 0)
			return r;
	}
	*ret = tally;
	return 0;
}
