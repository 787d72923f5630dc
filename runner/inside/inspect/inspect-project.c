/* SPDX-License-Identifier: MIT */

/*
 * Which folder of an archive is the project. Students zip "frontend/" and "backend/" together, or a
 * monorepo: when exactly one folder looks like a server it becomes the tree, everything else is
 * removed, and the student is told. When several do, nothing is guessed.
 */

#include <dirent.h>
#include <fcntl.h>

#include "inside/inspect/inspect.h"
#include "inside/inspect/project.h"
#include "util/util.h"

#define MAX_DEPTH 3
#define MAX_FOLDERS 32
#define MAX_LOOKS 2000
#define ASIDE ".sandbox-project"

enum kind {
	KIND_NONE,   /* nothing that could be started */
	KIND_CLIENT, /* for a browser */
	KIND_MAYBE,  /* has a file to start */
	KIND_SERVER,
};

struct folders {
	struct folder {
		char path[RECORD_MAX_PATH + 1];
		enum kind kind;
	} list[MAX_FOLDERS];
	size_t n;
	unsigned looks;
};

static bool wants_any(const struct project *pr, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (project_wants(pr, names[i]))
			return true;
	return false;
}

/* Does a script run a file that is there? */
static bool script_has_entry(struct project *pr, const char *name)
{
	struct commands *list = hurl_arena_alloc(&pr->arena, sizeof(*list));
	const struct command *last;
	size_t file;

	if (!list || expand_named(pr, name, list, 0) != 0 || list->n != 1)
		return false;
	last = &list->list[0];
	file = command_file(last);
	return file && entry_exists(pr, last->words[file]);
}

static bool has_entry(struct project *pr)
{
	const char *from;

	return entry_find(pr, &from) || script_has_entry(pr, "start") ||
	       script_has_entry(pr, "dev");
}

static enum kind kind_of(struct project *pr)
{
	static const char *const servers[] = {
		"express",
		"fastify",
		"koa",
		"hono",
		"@nestjs/core",
		"@hapi/hapi",
		"restify",
		"polka",
		"h3",
		"elysia",
		"@adonisjs/core",
		"@feathersjs/feathers",
		"@feathersjs/express",
		"@hono/node-server",
		"json-server",
		"apollo-server",
		"@apollo/server",
		"sails",
	};
	static const char *const clients[] = {
		"react", "vue",           "svelte", "@angular/core", "next",
		"nuxt",  "react-scripts", "preact", "solid-js",      "astro",
		"expo",  "react-native",  "vite",   "@sveltejs/kit", "parcel",
	};

	if (wants_any(pr, servers, ARRAY_SIZE(servers)))
		return KIND_SERVER;
	if (wants_any(pr, clients, ARRAY_SIZE(clients)))
		return KIND_CLIENT;
	return has_entry(pr) ? KIND_MAYBE : KIND_NONE;
}

static enum kind folder_kind(int root)
{
	_cleanup_(json_donep) json_t *package = NULL;
	struct project pr = { .root = root };
	struct problem p;
	enum kind kind;

	hurl_arena_init(&pr.arena, PROJECT_MEMORY);
	if (file_read_json(root, "package.json", RECORD_MAX_MANIFEST, &package, &p) == 0)
		pr.package = package;
	kind = kind_of(&pr);
	hurl_arena_done(&pr.arena);
	return kind;
}

static bool is_searched(const char *name)
{
	static const char *const not [] = { "node_modules", "dist",  "build", "out",
					    "public",       "tests", "test",  "coverage",
					    "__tests__",    "e2e",   "docs",  ASIDE };

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(not ); i++)
		if (streq(name, not [i]))
			return false;
	return true;
}

static enum kind add_folder(struct folders *f, int dir, const char *path)
{
	struct folder *folder = &f->list[f->n];

	if (f->n == MAX_FOLDERS || file_kind(dir, "package.json") != FILE_REGULAR)
		return KIND_NONE;
	copy_string(folder->path, sizeof(folder->path), path);
	folder->kind = folder_kind(dir);
	f->n++;
	return folder->kind;
}

/* Takes `fd`. */
static void search(struct folders *f, int fd, const char *path, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		close_fd(fd);
		return;
	}
	while ((e = readdir(dir)) && f->looks++ < MAX_LOOKS) {
		char below[RECORD_MAX_PATH + 1];
		int next;

		if (!is_searched(e->d_name) ||
		    snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", e->d_name) >=
			    (int)sizeof(below))
			continue;
		next = openat(dirfd(dir), e->d_name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			continue;
		/* A server may well hold other package.json files; they are its own matter. */
		if (add_folder(f, next, below) != KIND_SERVER && depth < MAX_DEPTH)
			search(f, next, below, depth + 1);
		else
			close_fd(next);
	}
	(void)closedir(dir);
}

static const struct folder *only_one(const struct folders *f, enum kind kind, size_t *ret_n)
{
	const struct folder *found = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].kind != kind)
			continue;
		found = &f->list[i];
		(*ret_n)++;
	}
	return *ret_n == 1 ? found : NULL;
}

static void remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		close_fd(fd);
		(void)unlinkat(at, name, 0);
		return;
	}
	while ((e = readdir(dir)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			remove_tree(dirfd(dir), e->d_name);
	(void)closedir(dir);
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

/* For every name in `from`: moved to `to`, or removed when `to` is -1; `except` stays. */
static int move_all(int from, int to, const char *except)
{
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (e = readdir(dir))) {
		if (streq(e->d_name, ".") || streq(e->d_name, "..") || streq(e->d_name, except))
			continue;
		if (to < 0)
			remove_tree(from, e->d_name);
		else if (renameat(from, e->d_name, to, e->d_name) < 0)
			r = -errno;
	}
	(void)closedir(dir);
	return r;
}

static int make_root(int root, const char *path)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (renameat(root, path, root, ASIDE) < 0)
		return -errno;
	r = move_all(root, -1, ASIDE);
	if (r < 0)
		return r;
	fd = openat(root, ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = move_all(fd, root, "");
	if (r == 0 && unlinkat(root, ASIDE, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int several(const struct folders *f, enum kind kind, struct problem *p)
{
	const char *names[2] = { "", "" };
	size_t n = 0;

	for (size_t i = 0; i < f->n && n < ARRAY_SIZE(names); i++)
		if (f->list[i].kind == kind)
			names[n++] = f->list[i].path;
	return problem_set(
		p,
		"the archive holds several projects that could be the server, among them "
		"\"%s\" and \"%s\": zip only the folder of the one to be graded",
		QUOTE(names[0]), QUOTE(names[1]));
}

static int choose(int root, const struct folders *f, const struct folder **ret, struct problem *p)
{
	bool package = file_kind(root, "package.json") == FILE_REGULAR;
	size_t servers, maybes;

	*ret = only_one(f, KIND_SERVER, &servers);
	if (servers > 1 && !package)
		return several(f, KIND_SERVER, p);
	if (servers > 0)
		return 0;
	*ret = only_one(f, KIND_MAYBE, &maybes);
	return maybes > 1 && !package ? several(f, KIND_MAYBE, p) : 0;
}

int project_choose(int root, int out, struct problem *p)
{
	_cleanup_free_ struct folders *f = calloc(1, sizeof(*f));
	const struct folder *chosen = NULL;
	enum kind own = folder_kind(root);
	char path[768];
	int fd, r;

	if (!f)
		return -ENOMEM;
	if (own == KIND_SERVER || own == KIND_MAYBE)
		return 0;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	search(f, fd, "", 1);
	r = choose(root, f, &chosen, p);
	if (r != 0 || !chosen)
		return r;
	copy_string(path, sizeof(path), QUOTE(chosen->path));
	r = make_root(root, chosen->path);
	return r < 0 ? r
		     : records_put_note(out,
					"the project is the folder \"%s\" of the archive; the rest "
					"was left out",
					path);
}
