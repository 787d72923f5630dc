/* SPDX-License-Identifier: MIT */
#include "pipeline/host-share.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "util/util.h"

unsigned int host_share_of(const char *loadavg, long processors)
{
	unsigned int runnable = 0;

	/* Three averages; those that can run right now, who asks among them; all. */
	if (sscanf(loadavg, "%*s %*s %*s %u/", &runnable) != 1 || processors < 1 ||
	    runnable <= processors)
		return HOST_SHARE_ALL;
	return (unsigned int)MAX_OF(processors * HOST_SHARE_ALL / runnable, 1);
}

unsigned int host_share(void)
{
	char text[128];
	_cleanup_close_ int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return HOST_SHARE_ALL;
	text[n] = '\0';
	return host_share_of(text, sysconf(_SC_NPROCESSORS_ONLN));
}
