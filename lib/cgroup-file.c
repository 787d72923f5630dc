/* SPDX-License-Identifier: MIT */

/* The small files of control groups: one value, or lines of "key value". */

#include "cgroup.h"
#include "error.h"
#include "util/util.h"
#include <fcntl.h>
#include <sys/stat.h>

int cgroup_write(int dir, const char *file, const char *value)
{
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do /* v1 gives up changing a memory limit when a signal of the caller's comes */
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int cgroup_make(int parent, const char *name)
{
	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	(void)fchmodat(parent, name, 0755, 0);
	return 0;
}

int cgroup_write_u64(int dir, const char *file, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_write(dir, file, text);
}

int cgroup_read_text(int dir, const char *file, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int cgroup_read_u64(int dir, const char *file, uint64_t *ret)
{
	char text[64], *end;
	unsigned long long value;
	int r = cgroup_read_text(dir, file, text, sizeof(text));

	if (r < 0)
		return r;
	if (starts_with(text, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || errno)
		return -EBADMSG;
	*ret = value;
	return 0;
}

uint64_t cgroup_key(const char *text, const char *key)
{
	size_t n = strlen(key);
	const char *line;

	for (line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (!strncmp(line, key, n) && line[n] == ' ')
			return strtoull(line + n + 1, NULL, 10);
	return 0;
}

uint64_t cgroup_read_key(int dir, const char *file, const char *key)
{
	char text[4096];

	return cgroup_read_text(dir, file, text, sizeof(text)) < 0 ? 0 : cgroup_key(text, key);
}

int cgroup_limit(int dir, const char *file, uint64_t value, uint64_t slack, struct sbx_error *err)
{
	uint64_t got;
	int r = cgroup_write_u64(dir, file, value);

	if (r >= 0)
		r = cgroup_read_u64(dir, file, &got);
	if (r < 0)
		return error_set(err, r, "cgroup", file, "cannot set the limit %llu",
				 (unsigned long long)value);
	if (got > value || value - got > slack)
		return error_set(err, -ENOTSUP, "cgroup", file,
				 "wrote the limit %llu, the kernel kept %llu",
				 (unsigned long long)value, (unsigned long long)got);
	return 0;
}

/* One more: our init is counted too, and on v1 for a moment the thread that makes it. */
int cgroup_limit_pids(int dir, uint32_t n, struct sbx_error *err)
{
	return cgroup_limit(dir, "pids.max", (uint64_t)n + 1, 0, err);
}

void cgroup_read_pids(int dir, struct sbx_stats *ret)
{
	(void)cgroup_read_u64(dir, "pids.current", &ret->pids_now);
	(void)cgroup_read_u64(dir, "pids.peak", &ret->pids_peak);
	ret->pids_refused = cgroup_read_key(dir, "pids.events", "max");
}

bool host_has_swap(void)
{
	char text[256];

	if (cgroup_read_text(AT_FDCWD, "/proc/swaps", text, sizeof(text)) < 0)
		return true;
	return strchr(text, '\n') && *(strchr(text, '\n') + 1);
}
