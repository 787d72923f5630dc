/* SPDX-License-Identifier: MIT */

/*
 * The submission as one sealed memfd that holds a zip: copied from a file, or made from a folder by
 * fetch-folder.c. Nothing of it is looked at here; that is done inside the jail (unpack.c).
 */

#include "pipeline/fetch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/util.h"

static int copy_some(struct job *job, int from, int to)
{
	char buf[65536];
	uint64_t total = 0;

	for (;;) {
		ssize_t n = read(from, buf, sizeof(buf));

		if (n < 0)
			return job_fail(job, -errno, "fetch", "%s cannot be read: %m",
					job->submission);
		if (n == 0)
			return 0;
		total += (uint64_t)n;
		if (total > FETCH_MAX_BYTES)
			return job_fail(job, -EFBIG, "fetch", "%s grew while it was read",
					job->submission);
		for (ssize_t at = 0, w; at < n; at += w) {
			w = write(to, buf + at, (size_t)(n - at));
			if (w < 0)
				return job_fail(job, -errno, "fetch",
						"no memory for the archive: %m");
		}
	}
}

static int fetch_file(struct job *job, int fd, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return job_fail(job, -EINVAL, "fetch", "%s is neither a folder nor a file",
				job->submission);
	if (st->st_size == 0)
		return job_verdict(job, VERDICT_CE,
				   "the archive is empty (0 bytes): upload the project as a .zip "
				   "file");
	if (st->st_size > FETCH_MAX_BYTES)
		return job_verdict(job, VERDICT_CE,
				   "The archive has %.1f MiB; at most %u MiB are accepted. Is "
				   "node_modules in it? Leave it out.",
				   (double)st->st_size / (1 << 20), FETCH_MAX_BYTES >> 20);
	job_stage_note(job, "zip, %lld KiB", ((long long)st->st_size + 1023) / 1024);
	return copy_some(job, fd, job->archive_fd);
}

static int seal(struct job *job)
{
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

	if (lseek(job->archive_fd, 0, SEEK_SET) < 0 ||
	    fcntl(job->archive_fd, F_ADD_SEALS, seals) < 0)
		return job_fail(job, -errno, "fetch", "the archive cannot be sealed: %m");
	return 0;
}

static void undo_archive(void *data)
{
	struct job *job = data;

	job->archive_fd = close_fd(job->archive_fd);
}

int stage_fetch(struct job *job)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	/* A worker has fetched it already: sealed, and looked at by nobody. */
	if (job->archive_fd >= 0)
		return job_push_undo(job, undo_archive, job);
	fd = open(job->submission, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return job_fail(job, -errno, "fetch", "%s cannot be opened: %m", job->submission);
	job->archive_fd = memfd_create("submission", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job->archive_fd < 0)
		return job_fail(job, -errno, "fetch", "no memory for the archive: %m");
	r = job_push_undo(job, undo_archive, job);
	if (r == 0)
		r = S_ISDIR(st.st_mode) ? fetch_folder(job, fd) : fetch_file(job, fd, &st);
	return r != 0 ? r : seal(job);
}
