/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside unpack`: the zip on descriptor 0 into the current directory, then a look at what
 * the project is (inspect.c), told to the host as records on descriptor 3.
 *
 * It runs as the jailed user on a fresh file system of limited size, so that nothing it can be
 * talked into harms more than the submission itself. Names are all judged before anything is
 * written; an archive is unpacked whole or refused with one sentence.
 */

#include "inside/unpack/unpack.h"

#include <archive.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "inside/inside.h"
#include "inside/inspect/inspect.h"
#include "util/util.h"

#define RECORDS_FD 3

struct archive *zip_open(const struct zip *zip, struct problem *p)
{
	_cleanup_(zip_closep) struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK)
		return NULL;
	if (archive_read_open_memory(a, zip->bytes, zip->size) != ARCHIVE_OK) {
		(void)problem_set(p, "the archive is not a usable zip (%s): make it again",
				  zip_error(a).s);
		return NULL;
	}
	return steal_ptr(a);
}

void zip_closep(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

struct quoted zip_error(struct archive *a)
{
	const char *s = archive_error_string(a);

	if (!s)
		s = "no reason given";
	return text_quote(s, strcspn(s, "\n"));
}

static void zip_unmap(struct zip *zip)
{
	if (zip->bytes)
		(void)munmap((void *)zip->bytes, zip->size);
}

static int zip_map(int fd, struct zip *ret)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ESPIPE;
	*ret = (struct zip){ .size = (size_t)st.st_size };
	if (st.st_size == 0)
		return 0;
	map = mmap(NULL, ret->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	ret->bytes = map;
	return 0;
}

static int unpack_tree(const struct zip *zip, int root, int out, bool use_modules,
		       struct problem *p)
{
	_cleanup_(entries_done) struct entries e = {};
	struct zip_index index;
	struct tally tally;
	int r = zip_check(zip, &index, p);

	if (r == 0)
		r = entries_read(zip, &index, use_modules, &e, p);
	if (r == 0)
		r = entries_extract(zip, &e, root, &tally, p);
	if (r == 0)
		r = records_put_counts(out, tally.files, tally.bytes);
	if (r == 0 && e.has_modules && !e.kept_modules)
		r = records_put_note(out,
				     "node_modules in the archive was left out: packages are "
				     "installed from package.json");
	return r;
}

int unpack(int archive, int root, int out, bool use_modules)
{
	_cleanup_(zip_unmap) struct zip zip = {};
	struct problem p = {};
	int r = zip_map(archive, &zip), written;

	if (r < 0)
		return r;
	r = unpack_tree(&zip, root, out, use_modules, &p);
	if (r == 0)
		r = project_choose(root, out, &p);
	if (r == 0 && file_kind(root, "node_modules") == FILE_DIRECTORY)
		r = records_put(out, RECORD_NODE_MODULES, NULL, 0);
	if (r == 0)
		r = inspect(root, out, &p);
	if (r < 0)
		return r;
	if (r > 0) {
		text_scrub(p.text);
		written = records_put_string(out, RECORD_ERROR, p.text);
		if (written < 0)
			return written;
	}
	written = records_put(out, RECORD_END, NULL, 0);
	return written < 0 ? written : r;
}

/*
 * libarchive converts names that are marked as UTF-8 to the locale's encoding; in the C locale it
 * gives no name at all for the others. Without the locale such names are refused, not guessed.
 */
static void set_locale(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		(void)setlocale(LC_CTYPE, "en_US.UTF-8");
}

int inside_unpack(int argc, char **argv)
{
	_cleanup_close_ int root = -1;
	bool use_modules = argc == 2 && streq(argv[1], "--use-node-modules");
	int r;

	if (argc > 2 || (argc == 2 && !use_modules)) {
		(void)fprintf(stderr, "usage: sandbox-inside unpack [--use-node-modules] "
				      "<ARCHIVE.zip 3>RECORDS\n");
		return 2;
	}
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG makes a better message */
	(void)umask(022);
	set_locale();
	root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : unpack(STDIN_FILENO, root, RECORDS_FD, use_modules);
	if (r < 0) {
		(void)fprintf(stderr, "sandbox-inside unpack: %s\n",
			      r == -ESPIPE ? "the archive on descriptor 0 is not a regular file"
					   : strerror(-r));
		return 3;
	}
	return r;
}
