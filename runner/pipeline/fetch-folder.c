/* SPDX-License-Identifier: MIT */

/*
 * A folder becomes the zip that its author would have handed in. It may be a student's: the walk
 * goes from descriptor to descriptor, follows no link, opens nothing but regular files and
 * directories, and is bounded in files, bytes and depth. The files are stored, not packed: they are
 * unpacked again a moment later.
 *
 * Where the challenge uses a submission's node_modules they are taken along, and the links in them
 * as links, which nothing on the host follows.
 */

#include "pipeline/fetch.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/util.h"

#define MAX_FILES 20000
#define MAX_DEPTH 64
#define MAX_PATH 1024

struct walk {
	struct job *job;
	struct archive *zip;
	uint32_t files, links;
	uint64_t bytes;
	char path[MAX_PATH];
};

/* What nobody hands in: installed again, or of no use to a server. */
static bool is_skipped(const struct walk *w, const char *name)
{
	static const char *const names[] = { ".", "..", ".git" };

	if (streq(name, "node_modules"))
		return !w->job->challenge->use_node_modules;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(name, names[i]))
			return true;
	}
	return false;
}

static int zip_failed(struct walk *w)
{
	return job_fail(w->job, -EIO, "fetch", "%s cannot be put into the archive: %s", w->path,
			archive_error_string(w->zip));
}

static int too_big(struct walk *w)
{
	return job_verdict(w->job, VERDICT_CE,
			   "The folder has more than %u MiB or %u files%s; that is too much for a "
			   "submission: leave out build output, media and dumps.",
			   FETCH_MAX_BYTES >> 20, MAX_FILES,
			   w->job->challenge->use_node_modules ? "" : " without node_modules");
}

static int write_header(struct walk *w, const struct stat *st)
{
	struct archive_entry *e = archive_entry_new();
	int r;

	if (!e)
		return job_fail(w->job, -ENOMEM, "fetch", "out of memory");
	archive_entry_set_pathname(e, w->path);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, st->st_mode & S_IXUSR ? 0755 : 0644);
	archive_entry_set_size(e, st->st_size);
	r = archive_write_header(w->zip, e);
	archive_entry_free(e);
	return r == ARCHIVE_OK ? 0 : zip_failed(w);
}

static int write_content(struct walk *w, int fd, uint64_t size)
{
	char buf[65536];

	while (size > 0) {
		ssize_t n = read(fd, buf, MIN_OF(size, sizeof(buf)));

		if (n < 0)
			return job_fail(w->job, -errno, "fetch", "%s cannot be read: %m", w->path);
		if (n == 0)
			return job_fail(w->job, -EIO, "fetch", "%s shrank while it was read",
					w->path);
		if (archive_write_data(w->zip, buf, (size_t)n) != n)
			return zip_failed(w);
		size -= (uint64_t)n;
	}
	return 0;
}

static int add_file(struct walk *w, int fd, const struct stat *st)
{
	int r;

	w->files++;
	w->bytes += (uint64_t)st->st_size;
	if (w->files > MAX_FILES || w->bytes > FETCH_MAX_BYTES)
		return too_big(w);
	r = write_header(w, st);
	return r < 0 ? r : write_content(w, fd, (uint64_t)st->st_size);
}

static bool in_modules(const struct walk *w)
{
	return starts_with(w->path, "node_modules/") || strstr(w->path, "/node_modules/");
}

static int add_link(struct walk *w, int dir, const char *name)
{
	struct archive_entry *e;
	char target[MAX_PATH];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	int r;

	if (n <= 0 || n == (ssize_t)sizeof(target) - 1)
		return 0;
	target[n] = '\0';
	e = archive_entry_new();
	if (!e)
		return job_fail(w->job, -ENOMEM, "fetch", "out of memory");
	archive_entry_set_pathname(e, w->path);
	archive_entry_set_filetype(e, AE_IFLNK);
	archive_entry_set_perm(e, 0777);
	archive_entry_set_symlink(e, target);
	r = archive_write_header(w->zip, e);
	archive_entry_free(e);
	return r == ARCHIVE_OK ? 0 : zip_failed(w);
}

static int walk_dir(struct walk *w, int dir, unsigned int depth);

static int walk_one(struct walk *w, int dir, const char *name, unsigned int depth)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ELOOP && in_modules(w))
		return ++w->files > MAX_FILES ? too_big(w) : add_link(w, dir, name);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO || errno == ENOENT)) {
		w->links += errno == ELOOP;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return job_fail(w->job, -errno, "fetch", "%s cannot be opened: %m", w->path);
	if (S_ISDIR(st.st_mode))
		return walk_dir(w, steal_fd(&fd), depth + 1);
	return S_ISREG(st.st_mode) ? add_file(w, fd, &st) : 0;
}

/* Takes `dir`. */
static int walk_dir(struct walk *w, int dir, unsigned int depth)
{
	size_t length = strlen(w->path);
	struct dirent *e;
	DIR *d;
	int r = 0;

	d = fdopendir(dir);
	if (!d) {
		close_fd(dir);
		return job_fail(w->job, -errno, "fetch", "%s cannot be read: %m", w->path);
	}
	if (depth > MAX_DEPTH)
		r = job_verdict(w->job, VERDICT_CE,
				"The folder is more than %d levels deep (at %.60s...): leave out "
				"what is generated.",
				MAX_DEPTH, w->path);
	while (r == 0 && (e = readdir(d))) {
		if (is_skipped(w, e->d_name))
			continue;
		if (snprintf(w->path + length, MAX_PATH - length, "%s%s", length ? "/" : "",
			     e->d_name) >= (int)(MAX_PATH - length))
			r = job_verdict(w->job, VERDICT_CE,
					"A file name with its folders has more than %d bytes (at "
					"%.60s...): use shorter names, or leave it out.",
					MAX_PATH, w->path);
		else
			r = walk_one(w, dirfd(d), e->d_name, depth);
		w->path[length] = '\0';
	}
	(void)closedir(d);
	return r;
}

static int write_zip(struct walk *w, int dir)
{
	int r;

	/* In a UTF-8 locale (grade.c sets one) the names are marked as UTF-8, otherwise they are
	 * bytes. */
	if (archive_write_set_format_zip(w->zip) != ARCHIVE_OK ||
	    archive_write_set_options(w->zip, "zip:compression=store") != ARCHIVE_OK ||
	    archive_write_open_fd(w->zip, w->job->archive_fd) != ARCHIVE_OK)
		return zip_failed(w);
	r = walk_dir(w, dir, 1);
	if (r != 0)
		return r;
	return archive_write_close(w->zip) == ARCHIVE_OK ? 0 : zip_failed(w);
}

int fetch_folder(struct job *job, int dir)
{
	struct walk w = { .job = job, .zip = archive_write_new() };
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3), r;

	if (!w.zip || copy < 0) {
		close_fd(copy);
		(void)archive_write_free(w.zip);
		return job_fail(job, -ENOMEM, "fetch", "out of memory");
	}
	r = write_zip(&w, copy);
	(void)archive_write_free(w.zip);
	if (r == 0 && w.files == 0)
		return job_verdict(job, VERDICT_CE,
				   "The folder holds no file (.git, links and node_modules do not "
				   "count): give the folder of the project.");
	if (r == 0 && w.links > 0)
		job_note(job, "%u symbolic links of the folder were left out.", w.links);
	if (r == 0)
		job_stage_note(job, "folder, %u file%s, %llu KiB", w.files, w.files == 1 ? "" : "s",
			       (unsigned long long)((w.bytes + 1023) / 1024));
	return r;
}
