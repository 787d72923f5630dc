/* SPDX-License-Identifier: MIT */

/*
 * The SQL files of a folder in the order in which migration tools number them: by bytes of the
 * name. Used when the project is inspected and again when a challenge names a folder explicitly.
 */

#include "inside/sqllist.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/util.h"

void sql_list_done(struct sql_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->paths[i]);
	list->n = 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && streq(s + n - m, suffix);
}

static bool is_wanted(int folder, const char *name, bool prisma)
{
	struct stat st;

	if (streq(name, ".") || streq(name, "..") ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (prisma)
		return S_ISDIR(st.st_mode);
	return S_ISREG(st.st_mode) && ends_with(name, ".sql") && !ends_with(name, ".down.sql");
}

int sql_list_add(struct sql_list *list, const char *path, struct problem *p)
{
	char *copy;

	if (list->n == RECORD_MAX_MIGRATIONS)
		return problem_set(p, "there are more than %u SQL files (at \"%s\")",
				   RECORD_MAX_MIGRATIONS, QUOTE(path));
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	list->paths[list->n++] = copy;
	return 0;
}

static int add_entry(struct sql_list *list, const char *folder, const char *name, bool prisma,
		     struct problem *p)
{
	char path[RECORD_MAX_PATH + 1];

	if (snprintf(path, sizeof(path), "%s/%s%s", folder, name, prisma ? "/migration.sql" : "") >=
	    (int)sizeof(path))
		return problem_set(p, "the path of \"%s\" is longer than %u bytes", QUOTE(name),
				   RECORD_MAX_PATH);
	return sql_list_add(list, path, p);
}

int sql_list_folder(struct sql_list *list, int root, const char *folder, bool prisma,
		    struct problem *p)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t first = list->n;
	struct dirent *d;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close_fd(fd);
		return -errno;
	}
	while (r == 0 && (d = readdir(dir)))
		if (is_wanted(fd, d->d_name, prisma))
			r = add_entry(list, folder, d->d_name, prisma, p);
	qsort(list->paths + first, list->n - first, sizeof(list->paths[0]), compare);
	return r;
}
