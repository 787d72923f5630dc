/* SPDX-License-Identifier: MIT */

/* See ids.h. */

#include "ids.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

int lock_file(int dir, const char *name, int create)
{
	_cleanup_close_ int fd = -1;
	struct stat here, linked;
	int tries;

	for (tries = 0; tries < 8; tries++) {
		fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0),
			    0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;
		if (fstat(fd, &here) == 0 &&
		    fstatat(dir, name, &linked, AT_SYMLINK_NOFOLLOW) == 0 &&
		    here.st_ino == linked.st_ino && here.st_dev == linked.st_dev)
			return steal_fd(&fd);
		fd = close_fd(fd);
	}
	return -EWOULDBLOCK;
}

static int check_file(const char *path, uint32_t base, uint32_t count, struct sbx_error *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	uint64_t end = base + (uint64_t)count * ID_RANGE;
	unsigned long long start, n;
	char line[512], *at;

	while (f && fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || sscanf(at, ":%llu:%llu", &start, &n) != 2)
			continue;
		if (start < end && start + n > base)
			return error_set(err, -EADDRINUSE, "ids", path,
					 "ids %llu+%llu belong to %.*s there and meet ours (%u+): "
					 "set another id_base",
					 start, n, (int)MIN_OF(at - line, 24), line, base);
	}
	return 0;
}

int ids_check(uint32_t base, uint32_t count, struct sbx_error *err)
{
	int r;

	if (base < ID_RANGE || !count || base + (uint64_t)count * ID_RANGE > INT32_MAX)
		return error_set(err, -EINVAL, "ids", "id_base",
				 "ids %u + %u ranges do not lie between 65536 and 2147483647", base,
				 count);
	r = check_file("/etc/subuid", base, count, err);
	return r < 0 ? r : check_file("/etc/subgid", base, count, err);
}

int id_lease_take(struct id_lease *ret, int dir, uint32_t base, uint32_t count, uint32_t hint,
		  struct sbx_error *err)
{
	uint32_t i, slot;
	char name[16];
	int fd;

	for (i = 0; i < count; i++) {
		slot = (hint + i) % count;
		(void)snprintf(name, sizeof(name), "%u", slot);
		fd = lock_file(dir, name, 1);
		if (fd == -EWOULDBLOCK)
			continue;
		if (fd < 0)
			return error_set(err, fd, "ids", name, "cannot lease a range of ids");
		*ret = (struct id_lease){
			.fd = fd, .dir = dir, .slot = slot, .first = base + slot * ID_RANGE
		};
		return 0;
	}
	return error_set(err, -EAGAIN, "ids", "ids",
			 "all %u ranges of ids are leased: too many jails at once", count);
}

void id_lease_release(struct id_lease *lease)
{
	char name[16];

	if (lease->fd < 0)
		return;
	(void)snprintf(name, sizeof(name), "%u", lease->slot);
	(void)unlinkat(lease->dir, name, 0);
	lease->fd = close_fd(lease->fd);
}
