/* SPDX-License-Identifier: MIT */

/*
 * First reading: every name and type of the archive, judged together before a byte is written.
 * Links and special files are refused by name; what is skipped (node_modules, .git, the litter of
 * file managers) may hold anything. Two names are the same only when all bytes are: the tree is on
 * a file system that tells cases apart.
 */

#include "inside/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include "util/util.h"

static int check_type(struct archive_entry *ae, const char *path, struct problem *p)
{
	switch (archive_entry_filetype(ae)) {
	case AE_IFREG:
	case AE_IFDIR:
		return 0;
	case AE_IFLNK:
		return problem_set(p,
				   "the archive holds the symbolic link \"%s\": links are not "
				   "accepted; put the file itself into the zip",
				   QUOTE(path));
	default:
		return problem_set(p,
				   "the archive holds \"%s\", which is neither a file nor a folder "
				   "(a device, pipe or socket): leave it out",
				   QUOTE(path));
	}
}

static int read_entry(struct archive_entry *ae, bool windows, bool keep_modules, struct entries *e,
		      struct problem *p)
{
	char path[RECORD_MAX_PATH + 1];
	const char *raw = archive_entry_pathname(ae);
	struct entry *entry = &e->list[e->n];
	int r;

	if (!raw)
		return problem_set(p,
				   "entry %zu of the archive has a name that cannot be read: "
				   "rename files to plain letters and make the zip again",
				   e->n + 1);
	r = name_clean(raw, windows, path, &entry->directory, p);
	if (r != 0)
		return r;
	entry->skipped = name_is_skipped(path, keep_modules, &e->skipped_modules);
	if (!entry->skipped) {
		r = check_type(ae, path, p);
		if (r != 0)
			return r;
	}
	entry->directory |= archive_entry_filetype(ae) == AE_IFDIR;
	entry->executable = (archive_entry_mode(ae) & 0111) != 0;
	entry->path = strdup(path);
	if (!entry->path)
		return -ENOMEM;
	e->n++;
	return 0;
}

static int read_entries(const struct zip *zip, const struct zip_index *index, bool keep_modules,
			struct entries *e, struct problem *p)
{
	_cleanup_(zip_closep) struct archive *a = zip_open(zip, p);
	struct archive_entry *ae;
	int r;

	if (!a)
		return p->text[0] ? 1 : -ENOMEM;
	for (;;) {
		r = archive_read_next_header(a, &ae);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r < ARCHIVE_WARN)
			return problem_set(p, "the archive is damaged at entry %zu: %s", e->n + 1,
					   zip_error(a).s);
		if (e->n >= index->entries)
			return problem_set(p, "the archive is damaged: it holds more entries than "
					      "its table of contents; make the zip again");
		r = read_entry(ae, index->windows, keep_modules, e, p);
		if (r != 0)
			return r;
	}
}

const char *entry_path(const struct entries *e, const struct entry *entry)
{
	size_t n = strlen(entry->path);

	return entry->path + MIN_OF(e->strip, n);
}

/* The first folder of every entry that counts, when it is the same one for all. */
static void find_wrapping(struct entries *e)
{
	const char *folder = NULL;
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct entry *entry = &e->list[i];
		size_t size = strcspn(entry->path, "/");

		if (entry->skipped || size == 0)
			continue;
		if (entry->path[size] == '\0' && !entry->directory)
			return;
		if (!folder) {
			folder = entry->path;
			n = size;
		}
		if (size != n || memcmp(folder, entry->path, n) != 0)
			return;
	}
	if (folder)
		e->strip = n + 1;
}

static unsigned path_rank(char c)
{
	return c == '/' ? 1 : c == '\0' ? 0 : (unsigned)(unsigned char)c + 1;
}

/* "/" sorts before everything else: what lies in a folder follows it immediately. */
static int compare_paths(const void *a, const void *b)
{
	const char *x = (*(struct entry *const *)a)->path, *y = (*(struct entry *const *)b)->path;

	while (*x && *x == *y)
		x++, y++;
	return (int)path_rank(*x) - (int)path_rank(*y);
}

static int check_pair(const struct entry *a, const struct entry *b, struct problem *p)
{
	size_t n = strlen(a->path);

	if (strncmp(a->path, b->path, n) != 0 || (b->path[n] != '\0' && b->path[n] != '/'))
		return 0;
	if (b->path[n] == '\0' && a->directory && b->directory)
		return 0;
	if (b->path[n] == '\0' && a->directory == b->directory)
		return problem_set(p, "the archive holds \"%s\" twice: keep one of the two",
				   QUOTE(b->path));
	if (!a->directory || b->path[n] == '\0')
		return problem_set(p,
				   "the archive holds \"%s\" both as a file and as a folder: "
				   "rename one of the two",
				   QUOTE(a->path));
	return 0;
}

static int check_clashes(const struct entries *e, struct problem *p)
{
	_cleanup_free_ const struct entry **sorted = calloc(e->n + 1, sizeof(*sorted));
	size_t n = 0;
	int r = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < e->n; i++)
		if (!e->list[i].skipped && e->list[i].path[0])
			sorted[n++] = &e->list[i];
	if (n == 0)
		return problem_set(p, "the archive holds no files: zip the folder of the project");
	qsort(sorted, n, sizeof(*sorted), compare_paths);
	for (size_t i = 1; i < n && r == 0; i++)
		r = check_pair(sorted[i - 1], sorted[i], p);
	return r;
}

static bool is_archive_name(const char *path)
{
	static const char *const suffixes[] = { ".zip", ".tar.gz", ".tgz", ".rar", ".7z", ".tar" };
	size_t n = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t m = strlen(suffixes[i]);

		if (n > m && strcasecmp(path + n - m, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* A zip that holds just another archive is a mistake of one click; say so instead of "no start". */
static int check_nested(const struct entries *e, struct problem *p)
{
	const struct entry *only = NULL;

	for (size_t i = 0; i < e->n; i++) {
		if (e->list[i].skipped || e->list[i].directory)
			continue;
		if (only)
			return 0;
		only = &e->list[i];
	}
	if (!only)
		return problem_set(p, "the archive holds only empty folders: zip the folder of the "
				      "project");
	if (is_archive_name(only->path))
		return problem_set(p,
				   "the archive holds only another archive, \"%s\": zip the folder "
				   "of the project itself",
				   QUOTE(only->path));
	return 0;
}

void entries_done(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->list[i].path);
	free(e->list);
	*e = (struct entries){};
}

int entries_read(const struct zip *zip, const struct zip_index *index, bool keep_modules,
		 struct entries *ret, struct problem *p)
{
	_cleanup_(entries_done) struct entries e = {};
	int r;

	p->text[0] = '\0';
	e.list = calloc(index->entries, sizeof(*e.list));
	if (!e.list)
		return -ENOMEM;
	r = read_entries(zip, index, keep_modules, &e, p);
	if (r == 0)
		r = check_clashes(&e, p);
	if (r == 0)
		r = check_nested(&e, p);
	if (r != 0)
		return r;
	find_wrapping(&e);
	*ret = e;
	e = (struct entries){};
	return 0;
}
