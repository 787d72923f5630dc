/* SPDX-License-Identifier: MIT */

/*
 * What lies beside an entry. Both files are on the disk before the entry has its name; .info names
 * the hash and the size of .sums, so that the two are known to belong together, and ends with a
 * line that a file which was cut off does not have.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store-internal.h"
#include "util/util.h"

#define INFO_MAX 1024

static int open_beside(int kind, const char *key, const char *suffix, int flags)
{
	_cleanup_free_ char *name = NULL;
	int fd;

	if (asprintf(&name, "%s%s", key, suffix) < 0)
		return -ENOMEM;
	fd = openat(kind, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

static int parse(const char *text, struct store_info *ret)
{
	unsigned long long files, bytes, disk, size;
	int at = 0;
	size_t n;

	if (sscanf(text, "files %llu\nbytes %llu\ndisk %llu\nsums %64s %llu\nlabel %n", &files,
		   &bytes, &disk, ret->sums_hash, &size, &at) != 5 ||
	    at == 0)
		return -EBADMSG;
	n = strcspn(text + at, "\n");
	if (n >= sizeof(ret->label) || !streq(text + at + n, "\nend\n"))
		return -EBADMSG;
	memcpy(ret->label, text + at, n);
	ret->label[n] = '\0';
	ret->sum = (struct tree_sum){ .files = files, .bytes = bytes, .disk = disk };
	ret->sums_size = size;
	return 0;
}

int info_read(int kind, const char *key, struct store_info *ret)
{
	_cleanup_close_ int fd = open_beside(kind, key, ".info", O_RDONLY);
	_cleanup_close_ int sums = -1;
	struct store_info info = {};
	char text[INFO_MAX];
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -EBADMSG;
	info.used = st.st_mtim;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	r = parse(text, &info);
	sums = open_beside(kind, key, ".sums", O_PATH);
	if (r < 0 || sums < 0 || fstat(sums, &st) < 0 || (uint64_t)st.st_size != info.sums_size)
		r = -EBADMSG;
	*ret = info;
	return r;
}

int info_write(int kind, const char *key, const struct store_info *i)
{
	_cleanup_close_ int fd = open_beside(kind, key, ".info", O_WRONLY | O_CREAT | O_TRUNC);
	char text[INFO_MAX];
	int n;

	if (fd < 0)
		return fd;
	n = snprintf(text, sizeof(text),
		     "files %llu\nbytes %llu\ndisk %llu\nsums %s %llu\nlabel %s\nend\n",
		     (unsigned long long)i->sum.files, (unsigned long long)i->sum.bytes,
		     (unsigned long long)i->sum.disk, i->sums_hash,
		     (unsigned long long)i->sums_size, *i->label ? i->label : "-");
	if (write(fd, text, (size_t)n) != n)
		return -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

int info_write_sums(int kind, const char *key, const struct sums *sums, struct store_info *info)
{
	_cleanup_close_ int fd = open_beside(kind, key, ".sums", O_WRONLY | O_CREAT | O_TRUNC);
	struct stat st;
	int r;

	if (fd < 0)
		return fd;
	r = sums_write(sums, fd, info->sums_hash);
	if (r < 0)
		return r;
	if (fsync(fd) < 0 || fstat(fd, &st) < 0)
		return -errno;
	info->sums_size = (uint64_t)st.st_size;
	return 0;
}

int info_read_sums(int kind, const char *key, const struct store_info *info, struct sums *ret)
{
	_cleanup_close_ int fd = open_beside(kind, key, ".sums", O_RDONLY);
	struct sums sums = {};
	char hash[KEY_SIZE];
	int r;

	if (fd < 0)
		return -EBADMSG;
	r = sums_read(fd, &sums, hash);
	if (r < 0)
		return r;
	if (!streq(hash, info->sums_hash)) {
		sums_done(&sums);
		return -EBADMSG;
	}
	*ret = sums;
	return 0;
}

void info_touch(int kind, const char *key)
{
	_cleanup_free_ char *info = NULL;

	if (asprintf(&info, "%s.info", key) >= 0)
		(void)utimensat(kind, info, NULL, AT_SYMLINK_NOFOLLOW);
}

int store_bury(struct store *s, int kind, const char *kind_name, const char *key)
{
	_cleanup_free_ char *grave = NULL, *info = NULL, *sums = NULL;

	if (asprintf(&grave, "%s-%s.evicted", kind_name, key) < 0 ||
	    asprintf(&info, "%s.info", key) < 0 || asprintf(&sums, "%s.sums", key) < 0)
		return -ENOMEM;
	(void)tree_remove(s->tmp, grave);
	if (renameat(kind, key, s->tmp, grave) < 0 && errno != ENOENT)
		return -errno;
	(void)unlinkat(kind, info, 0);
	(void)unlinkat(kind, sums, 0);
	(void)tree_remove(s->tmp, grave);
	return 0;
}
