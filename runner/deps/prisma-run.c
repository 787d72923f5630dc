/* SPDX-License-Identifier: MIT */

/* Node in an install jail, with the submission's schema and nothing else of it. */

#include "deps/prisma-run.h"

#include "util/util.h"

int prisma_run(struct install *i, const char *script, uint64_t wall_ns, struct sbx_result *ret)
{
	static const char *const env[] = { "PATH=/opt/node/bin:/usr/bin:/bin", "HOME=/tmp",
					   "LANG=C.UTF-8", "TZ=UTC", NULL };
	const char *const argv[] = { "node", script, NULL };
	const struct facts *f = &i->job->facts;
	struct sbx_fd fd = { i->manifest, 3, 0 };
	struct sbx_exec e = { .path = "/opt/node/bin/node",
			      .argv = argv,
			      .env = env,
			      .cwd = "/app",
			      .fds = &fd,
			      .n_fds = 1,
			      .wall_ns = wall_ns };

	if (write(i->manifest, f->prisma_schema, f->prisma_schema_size) !=
		    (ssize_t)f->prisma_schema_size ||
	    lseek(i->manifest, 0, SEEK_SET) < 0)
		return job_fail(i->job, -EIO, "memfd", "cannot keep the schema in memory");
	return install_exec(i, &e, ret);
}
