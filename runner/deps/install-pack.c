/* SPDX-License-Identifier: MIT */

/*
 * How an installed tree leaves its jail. The manager worked in the jail's own tmpfs. After it has
 * ended, and every process that it may have left was killed, a directory of the store is mounted in
 * the jail and `sandbox-inside pack` writes the tree to it; no other program ever runs in the jail
 * while it is there. The directory is open to everybody while it is filled, since it depends on the
 * caller's privileges whose the files are; it lies below the store's 0700. Then the jail is killed,
 * and tree_seal() makes the caller own what it finds plain files, directories and links and refuses
 * the rest: at no time can a jail write to a file that another one reads.
 */

#include "deps/install.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "pipeline/clean.h"
#include "util/util.h"

#define ENTRY_BYTES (768ull << 20)
#define ENTRY_FILES 100000
#define PACK_WALL (120 * NSEC_PER_SEC)
#define KILL_WALL (10 * NSEC_PER_SEC)

/* kill(2) of everybody at once: no child can slip through, and whoever asks is spared. */
static int kill_leftovers(struct install *i)
{
	struct sbx_result result;
	int r = job_kill_all(i->job, i->jail, KILL_WALL, &result);

	if (r < 0)
		return r;
	if (r > 0 || !job_command_succeeded(&result))
		return job_fail(i->job, -EIO, "pack", "what was left running could not be ended");
	return 0;
}

/* The directory as the jail has it: its ".." leads nowhere outside. */
static int mount_staging(struct install *i, const struct store_entry *entry, const char *name,
			 const char *target)
{
	_cleanup_free_ char *path = NULL;
	struct sbx_mount m = { .size = sizeof(m),
			       .type = SBX_MOUNT_BIND,
			       .flags = SBX_MOUNT_RW | SBX_MOUNT_IDMAP | SBX_MOUNT_NOEXEC,
			       .target = target };
	struct job *job = i->job;
	int r;

	if (asprintf(&path, "%s/%s", entry->path, name) < 0)
		return job_fail(job, -ENOMEM, "store", "out of memory");
	if (mkdirat(entry->dir, name, 0700) < 0 || fchmodat(entry->dir, name, 0777, 0) < 0)
		return job_fail(job, -errno, "store", "cannot make the staging directory: %m");
	m.source = path;
	r = sbx_jail_mount(i->jail, &m, &job->error);
	return r < 0 ? r : sbx_jail_open(i->jail, target, O_RDONLY | O_DIRECTORY, &job->error);
}

static int pack_failed(struct install *i, const struct sbx_result *result)
{
	_cleanup_free_ char *log = NULL, *line = NULL;
	size_t size = 0;

	log = job_read_fd(i->log, INSTALL_OUTPUT_MAX, &size);
	line = log ? clean_line(log, size, 300) : NULL;
	if (result->verdict == SBX_VERDICT_EXITED && result->exit_code == 1)
		return job_verdict(i->job, VERDICT_CE, "The installed packages cannot be used: %s",
				   line ? line : "");
	return job_fail(i->job, -EIO, "pack", "sandbox-inside pack ended with %d (verdict %d): %s",
			result->exit_code, result->verdict, line ? line : "");
}

static int run_pack(struct install *i, int staging, int base)
{
	char bytes[32], files[32];
	const char *from = i->pack_from ? i->pack_from : "/app/node_modules";
	const char *const argv[] = { "sandbox-inside", "pack", "--max-bytes", bytes, "--max-files",
				     files, "--from", from, base >= 0 ? "--base" : NULL, NULL };
	struct sbx_fd fds[] = { { staging, 3, SBX_FD_TREE_WRITE },
				{ base, 4, SBX_FD_TREE_READ },
				{ i->reuse.list, 5, 0 } };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDERR,
			      .path = INSIDE_PATH,
			      .argv = argv,
			      .cwd = "/",
			      .stderr_fd = i->log,
			      .stderr_limit = INSTALL_OUTPUT_MAX,
			      .fds = fds,
			      .n_fds = base >= 0 ? 3 : 1,
			      .wall_ns = PACK_WALL };
	struct sbx_result result;
	struct sbx_proc *p = NULL;
	int r;

	(void)snprintf(bytes, sizeof(bytes), "%llu", ENTRY_BYTES);
	(void)snprintf(files, sizeof(files), "%d", ENTRY_FILES);
	if (ftruncate(i->log, 0) < 0 || lseek(i->log, 0, SEEK_SET) < 0)
		return job_fail(i->job, -errno, "memfd", "cannot rewind: %m");
	r = sbx_jail_exec(i->jail, &p, &e, &i->job->error);
	if (r < 0)
		return r;
	r = job_wait(i->job, p, UINT64_MAX, &result);
	sbx_proc_free(p);
	if (r < 0)
		return r;
	return result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0
		       ? 0
		       : pack_failed(i, &result);
}

/* What was downloaded. That it could not be kept is no failure. */
static int take_tarballs(struct install *i, struct store_entry *entry)
{
	static const char *const argv[] = { "sandbox-inside", "take", NULL };
	_cleanup_close_ int staging = -1, list = -1;
	struct sbx_fd fds[2] = { { -1, 3, SBX_FD_TREE_WRITE }, { -1, 4, 0 } };
	struct sbx_exec e = { .path = INSIDE_PATH,
			      .argv = argv,
			      .cwd = i->manager->kind == MANAGER_NPM
					     ? "/tmp/npm/_cacache/content-v2/sha512"
					     : "/app/.kept", /* of install.cjs */
			      .fds = fds,
			      .n_fds = 2,
			      .wall_ns = PACK_WALL };
	struct sbx_result result;
	int r;

	if (i->reuse.missing_size == 0)
		return 0;
	staging = mount_staging(i, entry, "tarballs", REUSE_NEW);
	if (staging < 0)
		return staging;
	list = job_memfd(i->job, "tarballs");
	if (list < 0)
		return list;
	if (write(list, i->reuse.missing, i->reuse.missing_size) != (ssize_t)i->reuse.missing_size)
		return job_fail(i->job, -EIO, "memfd", "cannot list tarballs");
	fds[0].fd = staging;
	fds[1].fd = list;
	r = install_exec(i, &e, &result);
	/* An install script has closed it, or nothing was downloaded. */
	return r < 0 && streq(i->job->error.stage, "cwd") ? 0 : r;
}

int install_pack(struct install *i, struct store_entry *entry, struct tree_sum *ret)
{
	_cleanup_close_ int staging = -1, base = -1;
	int r = kill_leftovers(i);

	if (r == 0 && i->reuse.base)
		r = base = sbx_jail_open(i->jail, "/opt/base", O_RDONLY | O_DIRECTORY,
					 &i->job->error);
	if (r >= 0)
		r = staging = mount_staging(i, entry, "node_modules", INSTALL_PACK_TARGET);
	if (r >= 0)
		r = run_pack(i, staging, base);
	if (r == 0 && i->manager) /* not of what Prisma makes */
		r = take_tarballs(i, entry);
	if (r != 0)
		return r;
	r = sbx_jail_kill(i->jail, &i->job->error);
	if (r == 0)
		r = reuse_keep_tarballs(i->job, entry);
	if (r == 0 && i->in && !i->scripts_ran)
		r = reuse_record(&i->reuse, i->job, entry, i->in->manifest, i->lockfile,
				 i->lockfile_size);
	if (r < 0)
		return r;
	r = tree_seal(entry->dir, ret);
	if (r == 0 && i->reuse.base) {
		r = reuse_link(&i->reuse, i->job, entry, ret);
		if (r < 0)
			return r;
	}
	if (r == 0 && (ret->bytes > ENTRY_BYTES || ret->files > ENTRY_FILES))
		r = -EFBIG;
	return r < 0 ? job_fail(i->job, r, "store", "the packed tree is not what pack writes: %s",
				strerror(-r))
		     : 0;
}
