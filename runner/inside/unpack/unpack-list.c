/* SPDX-License-Identifier: MIT */

/*
 * First reading: every name and type of the archive, judged together before a byte is written.
 * Links and special files are refused by name; what is skipped (node_modules, .git, the litter of
 * file managers) may hold anything. Two names are the same only when all bytes are: the tree is on
 * a file system that tells cases apart.
 *
 * Where node_modules is used, links in it are too (.bin, and all of pnpm's): relative ones that
 * stay in the same node_modules. Others are left out, as the package managers would not have made
 * them.
 */

#include "inside/unpack/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include "util/util.h"

#define MAX_WRAPPING 8

/* Does a link at `path` with this target stay below its node_modules (the first `top` bytes)? */
static bool link_stays(const char *path, size_t top, const char *target)
{
	int depth = -1;

	if (target[0] == '/' || strlen(target) > RECORD_MAX_PATH)
		return false;
	for (const char *s = path + top; *s; s++)
		depth += *s == '/';
	for (const char *part = target; *part;) {
		size_t n = strcspn(part, "/");

		if (n == 2 && part[0] == '.' && part[1] == '.')
			depth--;
		else if (n > 0 && !(n == 1 && part[0] == '.'))
			depth++;
		if (depth < 0)
			return false;
		part += n + (part[n] == '/');
	}
	return true;
}

static int check_type(struct entry *entry, struct problem *p)
{
	switch (entry->type) {
	case AE_IFREG:
	case AE_IFDIR:
		return 0;
	case AE_IFLNK:
		if (entry->modules) {
			entry->skipped = !entry->link ||
					 !link_stays(entry->path, entry->modules, entry->link);
			return 0;
		}
		return problem_set(p,
				   "the archive holds the symbolic link \"%s\": links are not "
				   "accepted; put the file itself into the zip",
				   QUOTE(entry->path));
	default:
		return problem_set(p,
				   "the archive holds \"%s\", which is neither a file nor a folder "
				   "(a device, pipe or socket): leave it out",
				   QUOTE(entry->path));
	}
}

static int check_types(struct entries *e, struct problem *p)
{
	int r = 0;

	for (size_t i = 0; i < e->n && r == 0; i++)
		if (!e->list[i].skipped)
			r = check_type(&e->list[i], p);
	return r;
}

static int entry_fill(struct entry *entry, struct archive_entry *ae, const char *path)
{
	const char *link = archive_entry_symlink(ae);

	entry->type = archive_entry_filetype(ae);
	entry->directory |= entry->type == AE_IFDIR;
	entry->executable = (archive_entry_mode(ae) & 0111) != 0;
	entry->skipped = name_is_litter(path);
	if (!name_in_modules(path, &entry->modules))
		entry->modules = 0;
	if (entry->modules && entry->type == AE_IFLNK && link && *link) {
		entry->link = strdup(link);
		if (!entry->link)
			return -ENOMEM;
	}
	entry->path = strdup(path);
	return entry->path ? 0 : -ENOMEM;
}

static int read_entry(struct archive_entry *ae, bool windows, struct entries *e, struct problem *p)
{
	char path[RECORD_MAX_PATH + 1] = "__MACOSX/Icon";
	const char *raw = archive_entry_pathname(ae);
	struct entry *entry = &e->list[e->n];
	int r;

	if (!raw)
		return problem_set(p,
				   "entry %zu of the archive has a name that cannot be read: "
				   "rename files to plain letters and make the zip again",
				   e->n + 1);
	r = name_is_icon(raw) ? 0 : name_clean(raw, windows, path, &entry->directory, p);
	if (r == 0)
		r = entry_fill(entry, ae, path);
	if (r == 0)
		e->n++;
	else
		free(entry->link);
	return r;
}

static int read_entries(const struct zip *zip, const struct zip_index *index, struct entries *e,
			struct problem *p)
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
			return problem_set(p,
					   "the archive is damaged at entry %zu (%s); make the zip "
					   "again",
					   e->n + 1, zip_error(a).s);
		if (e->n >= index->entries)
			return problem_set(p, "the archive is damaged: it holds more entries than "
					      "its table of contents; make the zip again");
		r = read_entry(ae, index->windows, e, p);
		if (r != 0)
			return r;
	}
}

const char *entry_path(const struct entries *e, const struct entry *entry)
{
	size_t n = strlen(entry->path);

	return entry->path + MIN_OF(e->strip, n);
}

static bool is_lockfile(const struct entry *entry)
{
	static const char *const names[] = { "package-lock.json", "npm-shrinkwrap.json",
					     "pnpm-lock.yaml",	  "yarn.lock",
					     "bun.lock",	  "bun.lockb" };
	const char *slash = strrchr(entry->path, '/'), *name = slash ? slash + 1 : entry->path;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!entry->modules && !entry->directory && streq(name, names[i]))
			return true;
	return false;
}

static void choose_modules(struct entries *e, bool use_modules)
{
	bool locked = false;

	for (size_t i = 0; i < e->n; i++) {
		e->has_modules |= e->list[i].modules > 0;
		locked |= is_lockfile(&e->list[i]);
	}
	e->kept_modules = e->has_modules && use_modules && !locked;
	for (size_t i = 0; i < e->n && !e->kept_modules; i++)
		e->list[i].skipped |= e->list[i].modules > 0;
}

/*
 * The folder below the first `strip` bytes in which all entries are that count: `strip` moved
 * behind it. The same number when there is none, or files beside it.
 */
static size_t enter_only_folder(const struct entries *e, size_t strip)
{
	const char *folder = NULL;
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct entry *entry = &e->list[i];
		const char *path = entry->path + MIN_OF(strip, strlen(entry->path));
		size_t size = strcspn(path, "/");

		if (entry->skipped || size == 0)
			continue;
		if (path[size] == '\0' && !entry->directory)
			return strip;
		if (!folder) {
			folder = path;
			n = size;
		}
		if (size != n || memcmp(folder, path, n) != 0)
			return strip;
	}
	return folder ? strip + n + 1 : strip;
}

static bool has_file(const struct entries *e, size_t strip, const char *name)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct entry *entry = &e->list[i];

		if (!entry->skipped && !entry->directory && strlen(entry->path) > strip &&
		    streq(entry->path + strip, name))
			return true;
	}
	return false;
}

/*
 * One wrapping folder is removed always; more of them only when package.json lies in the last,
 * because a project may well consist of a folder "src" and nothing else.
 */
static void find_wrapping(struct entries *e)
{
	size_t deep;

	e->strip = enter_only_folder(e, 0);
	deep = e->strip;
	for (int i = 1; i < MAX_WRAPPING; i++)
		deep = enter_only_folder(e, deep);
	if (has_file(e, deep, "package.json"))
		e->strip = deep;
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

static bool ends_with_any(const char *path, const char *const *suffixes, size_t n)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(suffixes[i]);

		if (length > m && strcasecmp(path + length - m, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* Zipping a zip is a mistake of one click; say so instead of "there is nothing to start". */
static int check_nested(const struct entries *e, struct problem *p)
{
	static const char *const archives[] = { ".zip", ".tar.gz", ".tgz", ".rar", ".7z", ".tar" };
	static const char *const sources[] = { ".js",  ".mjs", ".cjs",	".ts",
					       ".mts", ".cts", ".json", ".sh" };
	const struct entry *nested = NULL;
	size_t files = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct entry *entry = &e->list[i];

		if (entry->skipped || entry->directory)
			continue;
		files++;
		if (ends_with_any(entry->path, sources, ARRAY_SIZE(sources)))
			return 0;
		if (ends_with_any(entry->path, archives, ARRAY_SIZE(archives)))
			nested = entry;
	}
	if (files == 0)
		return problem_set(p, "the archive holds only empty folders: zip the folder of the "
				      "project");
	if (nested)
		return problem_set(p,
				   "the archive holds another archive, \"%s\", and no program: zip "
				   "the folder of the project itself",
				   QUOTE(nested->path));
	return 0;
}

void entries_done(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->list[i].path);
		free(e->list[i].link);
	}
	free(e->list);
	*e = (struct entries){};
}

int entries_read(const struct zip *zip, const struct zip_index *index, bool use_modules,
		 struct entries *ret, struct problem *p)
{
	_cleanup_(entries_done) struct entries e = {};
	int r;

	p->text[0] = '\0';
	e.list = calloc(index->entries, sizeof(*e.list));
	if (!e.list)
		return -ENOMEM;
	r = read_entries(zip, index, &e, p);
	if (r != 0)
		return r;
	choose_modules(&e, use_modules);
	r = check_types(&e, p);
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
