/* SPDX-License-Identifier: MIT */

/* See ids.h. */

#include "ids.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <pwd.h>
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
		fd = fd_above_stdio(fd);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return -errno;
		if (create)
			(void)fchmod(fd, 0600); /* whatever the caller's umask is */
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

/* Lines are NAME:FIRST:COUNT, where NAME is the user's name or number (subuid(5)). */
uint32_t ids_subordinate(const char *path, uint32_t uid, uint32_t *ret_first)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct passwd entry, *user = NULL;
	unsigned long first, count;
	char line[512], names[4096], number[16], *at;

	(void)snprintf(number, sizeof(number), "%u", uid);
	if (getpwuid_r(uid, &entry, names, sizeof(names), &user) != 0)
		user = NULL;
	while (f && fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || sscanf(at, ":%lu:%lu", &first, &count) != 2)
			continue;
		*at = '\0';
		if (!streq(line, number) && (!user || !streq(line, user->pw_name)))
			continue;
		if (!count || first >= UINT32_MAX || count > UINT32_MAX - first)
			continue;
		*ret_first = (uint32_t)first;
		return (uint32_t)count;
	}
	return 0;
}

bool ids_exist(const struct id_space *space)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/uid_map", "re");
	uint64_t end = space->base + (uint64_t)space->size * space->count;
	unsigned long long inside, outside, count;

	while (f && fscanf(f, "%llu %llu %llu", &inside, &outside, &count) == 3)
		if (inside <= space->base && inside + count >= end)
			return true;
	return false;
}

int id_lease_take(struct id_lease *ret, int dir, const struct id_space *space, uint32_t hint,
		  struct sbx_error *err)
{
	uint32_t i, slot;
	char name[16];
	int fd;

	for (i = 0; i < space->count; i++) {
		slot = (hint + i) % space->count;
		(void)snprintf(name, sizeof(name), "%u", slot);
		fd = lock_file(dir, name, 1);
		if (fd == -EWOULDBLOCK)
			continue;
		if (fd < 0)
			return error_set(err, fd, "ids", name, "cannot lease a range of ids");
		*ret = (struct id_lease){ .fd = fd,
					  .dir = dir,
					  .slot = slot,
					  .first = space->base + slot * space->size };
		return 0;
	}
	return error_set(err, -EAGAIN, "ids", "ids",
			 "all %u ranges of ids are leased: too many jails at once", space->count);
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

void id_maps_add(struct id_maps *maps, uint32_t inside, uint32_t outside, uint32_t count)
{
	if (count)
		maps->lines[maps->n++] = (struct id_map){ inside, outside, count };
}

void id_maps_range(struct id_maps *maps, uint32_t first, uint32_t n, uint32_t user, bool is_caller)
{
	maps->n = 0;
	if (user < n && !is_caller) {
		id_maps_add(maps, 0, first, n);
		return;
	}
	id_maps_add(maps, 0, first, MIN_OF(user, n - 1));
	id_maps_add(maps, user, is_caller ? 0 : first + n - 1, 1);
	if (user < n)
		id_maps_add(maps, user + 1, first + user + 1, n - user - 1);
}

bool id_maps_have(const struct id_maps *maps, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < maps->n; i++)
		if (id >= maps->lines[i].inside &&
		    id - maps->lines[i].inside < maps->lines[i].count)
			return true;
	return false;
}
