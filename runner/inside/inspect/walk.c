/* SPDX-License-Identifier: MIT */

/*
 * Looking through a project for small files: sorted, so that the result does not depend on the file
 * system, and bounded, because the tree is a stranger's.
 */

#include "inside/inspect/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/util.h"

#define MAX_FOLDERS 300
#define MAX_NAMES 2000
#define MAX_BYTES (8u << 20)

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int visit_file(struct walk *w, int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct walk_file file = { .dir = dir, .name = name };
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > w->max_size || w->bytes > MAX_BYTES)
		return 0;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read_full(fd, text, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	file.size = (size_t)n;
	w->bytes += file.size;
	file.text = text;
	return memchr(text, '\0', file.size) ? 0 : w->visit(&file, w->data);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(int dir, char **names, size_t *ret)
{
	_cleanup_(closedirp) DIR *d = NULL;
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	size_t n = 0;

	d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		close_fd(copy);
	while (d && n < MAX_NAMES && (e = readdir(d))) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		names[n] = strdup(e->d_name);
		if (!names[n++])
			return -ENOMEM;
	}
	qsort(names, n, sizeof(*names), by_name);
	*ret = n;
	return 0;
}

static int walk_folder(struct walk *w, int dir, unsigned depth);

static int enter(struct walk *w, int dir, const char *name, unsigned depth)
{
	_cleanup_close_ int sub = -1;

	if (name[0] == '.' || streq(name, "node_modules") || depth >= w->max_depth ||
	    w->folders >= MAX_FOLDERS || (w->skip && w->skip(name)))
		return 0;
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return 0;
	w->folders++;
	return walk_folder(w, sub, depth + 1);
}

static int walk_folder(struct walk *w, int dir, unsigned depth)
{
	_cleanup_free_ char **names = calloc(MAX_NAMES, sizeof(*names));
	size_t n = 0;
	int r;

	if (!names)
		return -ENOMEM;
	r = list_names(dir, names, &n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = w->wanted(names[i]) ? visit_file(w, dir, names[i]) : 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = enter(w, dir, names[i], depth);
	for (size_t i = 0; i < MAX_NAMES; i++)
		free(names[i]);
	return r;
}

int walk_tree(struct walk *w, int root)
{
	return walk_folder(w, root, 1);
}
