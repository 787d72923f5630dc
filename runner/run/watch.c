/* SPDX-License-Identifier: MIT */
#include "run/watch.h"

#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "util/util.h"

#define MAX_DIRS 20000
#define MAX_DEPTH 64
#define SETTLE_ROUNDS 50
#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |   \
	 IN_MOVE_SELF)

/* `only`: the one name in it that matters (a file that is watched by its folder), or NULL. */
struct watch_dir {
	int wd;
	char *path, *only;
};

int watch_open(struct watch *w)
{
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return w->fd < 0 ? -errno : 0;
}

static struct watch_dir *find(struct watch *w, int wd)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->dirs[i].wd == wd)
			return &w->dirs[i];
	}
	return NULL;
}

static void forget(struct watch *w, int wd)
{
	struct watch_dir *d = find(w, wd);

	if (!d)
		return;
	free(d->path);
	free(d->only);
	*d = w->dirs[--w->n];
}

static int add_dir(struct watch *w, const char *path, const char *only)
{
	int wd = inotify_add_watch(w->fd, path, CHANGES | IN_ONLYDIR);
	struct watch_dir *more, *known;

	if (wd < 0)
		return -errno;
	known = find(w, wd);
	if (known && (!known->only || (only && streq(known->only, only))))
		return 0;
	if (known) {
		/* Two things in it matter now: all of it does. */
		free(known->only);
		known->only = NULL;
		return 0;
	}
	if (w->n == MAX_DIRS)
		return -ENOSPC;
	more = realloc(w->dirs, (w->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->dirs = more;
	more[w->n] = (struct watch_dir){ wd, strdup(path), only ? strdup(only) : NULL };
	if (!more[w->n].path || (only && !more[w->n].only))
		return -ENOMEM;
	w->n++;
	return 0;
}

/* node_modules and .git are not handed in; the others are what editors write while one types. */
static bool is_ignored(const char *name)
{
	size_t n = strlen(name);

	if (streq(name, "node_modules") || streq(name, ".git") || streq(name, "4913"))
		return true;
	return n > 0 && (name[n - 1] == '~' || (n > 4 && streq(name + n - 4, ".swp")) ||
			 (n > 4 && streq(name + n - 4, ".swx")) || starts_with(name, ".#"));
}

static int add_tree(struct watch *w, const char *path, unsigned int depth)
{
	int r = add_dir(w, path, NULL);
	struct dirent *e;
	DIR *d;

	/* It may be gone already, or be no folder. */
	if (r < 0 || depth > MAX_DEPTH)
		return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : MIN_OF(r, 0);
	d = opendir(path);
	while (d && r == 0 && (e = readdir(d))) {
		_cleanup_free_ char *child = NULL;

		if (streq(e->d_name, ".") || streq(e->d_name, "..") || is_ignored(e->d_name) ||
		    (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
			continue;
		if (asprintf(&child, "%s/%s", path, e->d_name) < 0) {
			child = NULL;
			r = -ENOMEM;
		} else {
			r = add_tree(w, child, depth + 1);
		}
	}
	if (d)
		(void)closedir(d);
	return r;
}

int watch_path(struct watch *w, const char *path)
{
	char above[PATH_MAX], name[PATH_MAX];
	const char *dir;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_tree(w, path, 1);
	copy_string(above, sizeof(above), path);
	copy_string(name, sizeof(name), path);
	dir = dirname(above);
	if (access(dir, F_OK) < 0 && !streq(dir, path) && !streq(dir, "/") && !streq(dir, "."))
		return watch_path(w, dir);
	return add_dir(w, dir, basename(name));
}

void watch_ignore(struct watch *w, const char *path)
{
	struct stat st;

	if (w->n_ignored < ARRAY_SIZE(w->ignored) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		w->ignored[w->n_ignored++] = (struct watch_file){ st.st_dev, st.st_ino };
}

static bool is_ours(const struct watch *w, const char *path)
{
	struct stat st;

	if (w->n_ignored == 0 || stat(path, &st) < 0)
		return false;
	for (uint32_t i = 0; i < w->n_ignored; i++) {
		if (w->ignored[i].dev == st.st_dev && w->ignored[i].ino == st.st_ino)
			return true;
	}
	return false;
}

/* Does it matter? -errno. */
static int take_event(struct watch *w, const struct inotify_event *e)
{
	const char *name = e->len > 0 ? e->name : "";
	_cleanup_free_ char *path = NULL;
	struct watch_dir *d;
	int r = 0;

	if (e->mask & IN_Q_OVERFLOW)
		return 1;
	d = find(w, e->wd);
	if (e->mask & IN_IGNORED) {
		forget(w, e->wd);
		return 0;
	}
	if (!d || is_ignored(name) || (d->only && *name && !streq(d->only, name)))
		return 0;
	if (asprintf(&path, "%s/%s", d->path, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (is_ours(w, path))
		return 0;
	if ((e->mask & IN_ISDIR) && (e->mask & (IN_CREATE | IN_MOVED_TO)) && !d->only)
		r = add_tree(w, path, 1);
	copy_string(w->last, sizeof(w->last), *name ? name : basename(path));
	return r < 0 ? r : 1;
}

int watch_take(struct watch *w)
{
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	int changed = 0;
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(buf + at);
			int r = take_event(w, e);

			if (r < 0)
				return r;
			changed |= r;
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : changed;
}

int watch_settle(struct watch *w, int quiet_ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	for (int i = 0; i < SETTLE_ROUNDS && poll(&p, 1, quiet_ms) > 0; i++) {
		int r = watch_take(w);

		if (r < 0)
			return r;
	}
	return 0;
}

void watch_close(struct watch *w)
{
	w->fd = close_fd(w->fd);
	for (size_t i = 0; i < w->n; i++) {
		free(w->dirs[i].path);
		free(w->dirs[i].only);
	}
	free(w->dirs);
	w->dirs = NULL;
	w->n = 0;
}
