/* SPDX-License-Identifier: MIT */

/*
 * The SQL files of a folder in the order in which migration tools number them: by the name, in
 * which 2 comes before 10. Used when the project is inspected and again when a challenge names a
 * folder explicitly.
 */

#include "inside/migrate/sqllist.h"

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
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

/* The place of a character in the order of localeCompare: marks, digits, letters. */
static int collate(unsigned char c)
{
	static const char marks[] = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
	const char *mark = c ? strchr(marks, c) : NULL;

	if (!c)
		return 0;
	if (mark)
		return 1 + (int)(mark - marks);
	if (c >= '0' && c <= '9')
		return 100 + c;
	if (c >= 'A' && c <= 'Z')
		return 200 + c - 'A' + 'a';
	return 200 + c;
}

/* The names of Prisma's directories, as its JavaScript sorts them. */
static int compare_locale(const void *a, const void *b)
{
	const char *s = *(char *const *)a, *t = *(char *const *)b;
	size_t n = strrchr(s, '/') - s, m = strrchr(t, '/') - t;

	for (size_t i = 0; i < n || i < m; i++) {
		int x = i < n ? collate((unsigned char)s[i]) : 0;
		int y = i < m ? collate((unsigned char)t[i]) : 0;

		if (x != y)
			return x < y ? -1 : 1;
	}
	return -strcmp(s, t); /* small letters first */
}

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && streq(s + n - m, suffix);
}

static bool undoes(const char *name)
{
	static const char *const endings[] = { ".down.sql", "_down.sql", "-down.sql", ".undo.sql",
					       "rollback.sql" };

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (ends_with(name, endings[i]))
			return true;
	return streq(name, "down.sql");
}

static bool is_wanted(int folder, const char *name, bool prisma)
{
	struct stat st;

	if (streq(name, ".") || streq(name, "..") ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (prisma)
		return S_ISDIR(st.st_mode);
	return S_ISREG(st.st_mode) && ends_with(name, ".sql") && !undoes(name);
}

int sql_list_add(struct sql_list *list, const char *path, struct problem *p)
{
	char *copy;

	if (list->n == RECORD_MAX_MIGRATIONS)
		return problem_set(p,
				   "there are more than %u SQL files (at \"%s\"): put some of "
				   "them together",
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
		return problem_set(p,
				   "the path of \"%s\" is longer than %u bytes: use shorter names",
				   QUOTE(name), RECORD_MAX_PATH);
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
	qsort(list->paths + first, list->n - first, sizeof(list->paths[0]),
	      prisma ? compare_locale : compare);
	return r;
}

/* Does the name say that the file makes tables? Data and queries are not wanted by themselves. */
static bool is_schema(const char *path)
{
	static const char *const yes[] = { "schema", "init",      "table", "create", "ddl",
					   "setup",  "structure", "dump",  "backup", "migrat" };
	static const char *const no[] = { "seed",   "data.sql", "insert", "sample", "mock",
					  "dummy",  "test",     "quer",   "drop",   "reset",
					  "delete", "fixture",  "mysql",  "sqlite" };
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (strcasestr(name, no[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (strcasestr(name, yes[i]))
			return true;
	return (name[0] >= '0' && name[0] <= '9') || strcasecmp(name, "db.sql") == 0 ||
	       strcasecmp(name, "database.sql") == 0;
}

/* init.sql prepares what schema.sql needs; bytes order them so, too. */
int sql_list_schema(struct sql_list *list, int root, const char *folder, struct problem *p)
{
	size_t first = list->n, kept = first;
	int r = sql_list_folder(list, root, folder, false, p);

	for (size_t i = first; i < list->n; i++) {
		if (r == 0 && is_schema(list->paths[i]))
			list->paths[kept++] = list->paths[i];
		else
			free(list->paths[i]);
	}
	list->n = kept;
	for (size_t i = first; i < kept && streq(folder, "."); i++)
		memmove(list->paths[i], list->paths[i] + 2, strlen(list->paths[i]) - 1);
	return r;
}
