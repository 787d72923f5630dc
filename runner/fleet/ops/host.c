/* SPDX-License-Identifier: MIT */
#include "fleet/ops/host.h"

#include <sys/statvfs.h>

#include "fleet/ops/metrics.h"
#include "util/util.h"

double host_pressure(const char *resource)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	double percent;

	(void)snprintf(path, sizeof(path), "/proc/pressure/%.20s", resource);
	f = fopen(path, "re");
	if (!f || fscanf(f, "some avg10=%lf", &percent) != 1 || percent < 0 || percent > 100)
		return -1;
	return percent / 100;
}

void host_pressure_publish(struct metrics *m)
{
	static const char *const resources[] = { "cpu", "memory", "io" };

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		double share = host_pressure(resources[i]);

		if (share >= 0)
			metrics_set(m, METRIC_PSI_SOME, share, resources[i], NULL);
	}
}

int host_disk(const char *path, const struct host_least *least, char why[static HOST_WHY])
{
	uint64_t left, bytes = least->bytes + (least->was_short ? least->bytes / 4 : 0);
	double inodes, share = least->inodes_percent * (least->was_short ? 1.25 : 1);
	struct statvfs s;

	if (statvfs(path, &s) < 0) {
		int r = -errno;

		(void)snprintf(why, HOST_WHY, "%.80s cannot be asked: %s", path, strerror(-r));
		return r;
	}
	left = (uint64_t)s.f_bavail * s.f_frsize;
	if (left < bytes) {
		(void)snprintf(why, HOST_WHY, "%.60s has %llu MiB left, %llu are needed", path,
			       (unsigned long long)left >> 20, (unsigned long long)bytes >> 20);
		return -ENOSPC;
	}
	/* A file system that makes inodes as it goes says that it has none. */
	inodes = s.f_files > 0 ? 100.0 * (double)s.f_favail / (double)s.f_files : 100;
	if (inodes < share) {
		(void)snprintf(why, HOST_WHY,
			       "%.60s has %llu inodes left (%.1f %%, %.1f are needed)", path,
			       (unsigned long long)s.f_favail, inodes, share);
		return -ENOSPC;
	}
	return 0;
}
