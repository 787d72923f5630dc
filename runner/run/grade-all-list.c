/* SPDX-License-Identifier: MIT */

/*
 * Which submissions there are: the zips and folders of a folder, or a manifest, which is CSV or
 * lines of JSON. Names are hostile: they are cleaned before they are shown, and never part of a
 * path but after file_name().
 */

#include <cjson/cJSON.h>
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

#include "challenge/challenge-tests.h"
#include "pipeline/clean.h"
#include "run/grade-all.h"
#include "run/run.h"
#include "util/util.h"

#define MAX_MANIFEST (16u << 20)
#define MAX_NAME 100

static int complain(const char *path, unsigned int line, const char *what)
{
	if (line)
		fprintf(stderr, "sandbox-run grade-all: %s:%u: %s\n", path, line, what);
	else
		fprintf(stderr, "sandbox-run grade-all: %s: %s\n", path, what);
	return EXIT_USAGE;
}

static bool file_taken(const struct grades *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++) {
		if (strcasecmp(g->entries[i].file, name) == 0)
			return true;
	}
	return false;
}

/* Letters, digits, "-", "_" and dots that do not lead; everything else is "_". Unique. */
static char *file_name(const struct grades *g, const char *student)
{
	char stem[MAX_NAME + 1], *ret = NULL;
	size_t n = 0;

	for (const char *s = student; *s && n < MAX_NAME; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			     (*s >= '0' && *s <= '9') || *s == '-' || *s == '_' ||
			     (*s == '.' && n > 0);

		stem[n++] = plain ? *s : '_';
	}
	stem[n] = '\0';
	if (asprintf(&ret, "%s.json", n ? stem : "_") < 0)
		return NULL;
	for (unsigned int i = 2; file_taken(g, ret); i++) {
		free(ret);
		if (asprintf(&ret, "%s~%u.json", n ? stem : "_", i) < 0)
			return NULL;
	}
	return ret;
}

/* -ENOMEM, -ENOSPC: too many. */
static int add(struct grades *g, const char *student, const char *path)
{
	struct entry *more, e = { .pid = -1, .pidfd = -1, .said = -1 };

	if (g->n == GRADES_MAX)
		return -ENOSPC;
	if ((g->n & (g->n - 1)) == 0) {
		more = realloc(g->entries, MAX_OF(g->n * 2, 16u) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		g->entries = more;
	}
	e.student = clean_line(student, strlen(student), CLEAN_LINE);
	e.path = strdup(path);
	e.file = e.student ? file_name(g, e.student) : NULL;
	if (!e.student || !e.path || !e.file) {
		free(e.student);
		free(e.path);
		free(e.file);
		return -ENOMEM;
	}
	g->entries[g->n++] = e;
	return 0;
}

void grades_done(struct grades *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct entry *e = &g->entries[i];

		free(e->student);
		free(e->path);
		free(e->file);
		free(e->reason);
		close_fd(e->pidfd);
		close_fd(e->said);
	}
	free(g->entries);
	free(g->out);
	challenge_free(g->challenge);
	*g = (struct grades){ 0 };
}

static int told(int r)
{
	if (r == -ENOSPC)
		return complain("the list", 0, "more than 20000 submissions");
	return r < 0 ? complain("the list", 0, "out of memory") : EXIT_OK;
}

/* --------------------------------------------------------------------- folder */

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static bool is_zip(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcasecmp(name + n - 4, ".zip") == 0;
}

/* 1: it is no submission. */
static int add_from_folder(struct grades *g, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL, *student = strdup(name);
	struct stat st;

	if (!student ||
	    asprintf(&path, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (stat(path, &st) < 0 || !(S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && is_zip(name))))
		return 1;
	if (S_ISREG(st.st_mode))
		student[strlen(student) - 4] = '\0';
	return add(g, student, path);
}

static int list_folder(struct grades *g, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, not_hidden, alphasort), r = 0;
	unsigned int others = 0;

	if (n < 0)
		return complain(dir, 0, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_from_folder(g, dir, entries[i]->d_name);
		others += r > 0;
		free(entries[i]);
	}
	free(entries);
	if (r < 0)
		return told(r);
	if (others)
		fprintf(stderr,
			"sandbox-run grade-all: %u file%s of %s left out: neither zip nor folder\n",
			others, others == 1 ? "" : "s", dir);
	return g->n > 0 ? EXIT_OK : complain(dir, 0, "there is no zip and no folder in it");
}

/* ------------------------------------------------------------------- manifest */

struct manifest {
	const char *name;
	char *dir; /* which its paths are relative to */
	unsigned int line;
};

static int add_named(struct grades *g, const struct manifest *m, const char *student,
		     const char *path)
{
	_cleanup_free_ char *joined = NULL;

	if (!*student || !*path)
		return complain(m->name, m->line, "student and path are both needed");
	if (path[0] == '/')
		return told(add(g, student, path));
	if (asprintf(&joined, "%s/%s", m->dir, path) < 0) {
		joined = NULL;
		return told(-ENOMEM);
	}
	return told(add(g, student, joined));
}

static int add_json_line(struct grades *g, const struct manifest *m, const char *line)
{
	cJSON *o = cJSON_Parse(line);
	const char *student = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "student"));
	const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "path"));
	int code;

	if (student && path)
		code = add_named(g, m, student, path);
	else
		code = complain(
			m->name, m->line,
			"a line must be like {\"student\": \"ada\", \"path\": \"ada.zip\"}");
	cJSON_Delete(o);
	return code;
}

/*
 * One field of CSV in place, quotes removed. Returns where the next one begins, NULL after the
 * last; *ret_bad: a quote that is not closed, or something behind it.
 */
static char *csv_field(char *s, char **ret, bool *ret_bad)
{
	char *to = s;

	*ret = s;
	if (*s != '"') {
		char *end = strchr(s, ',');

		if (end)
			*end = '\0';
		return end ? end + 1 : NULL;
	}
	for (s++; *s && !(s[0] == '"' && s[1] != '"'); s++) {
		s += s[0] == '"';
		*to++ = *s;
	}
	*ret_bad = *s != '"' || (s[1] && s[1] != ',');
	s += *s == '"';
	s += *s == ',' ? 1 : 0;
	*to = '\0';
	return s[-1] == ',' ? s : NULL;
}

static int add_csv_line(struct grades *g, const struct manifest *m, char *line)
{
	char *student, *path = NULL, *rest;
	bool bad = false;

	rest = csv_field(line, &student, &bad);
	if (rest && !bad)
		(void)csv_field(rest, &path, &bad);
	if (bad || !path)
		return complain(m->name, m->line,
				"a line must be student,path, like ada,ada.zip (with a comma in "
				"one of them, in double quotes)");
	if (m->line == 1 && streq(student, "student") && streq(path, "path"))
		return EXIT_OK;
	return add_named(g, m, student, path);
}

static int list_lines(struct grades *g, struct manifest *m, char *text)
{
	bool json = text[strspn(text, " \t\r\n")] == '{';
	int code = EXIT_OK;

	for (char *next = text; next && code == EXIT_OK;) {
		char *line = next, *end = strchr(line, '\n');
		size_t n;

		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		n = strlen(line);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		m->line++;
		if (line[strspn(line, " \t")] == '\0')
			continue;
		code = json ? add_json_line(g, m, line) : add_csv_line(g, m, line);
	}
	if (code == EXIT_OK && g->n == 0)
		return complain(m->name, 0, "it names no submission");
	return code;
}

static int list_manifest(struct grades *g, const char *path)
{
	char dir[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	struct manifest m = { .name = path };
	size_t size = 0;
	int r = challenge_read_file(path, MAX_MANIFEST, &text, &size);

	if (r < 0)
		return complain(path, 0,
				r == -EFBIG ? "it is too big for a manifest" : strerror(-r));
	if (memchr(text, '\0', size))
		return complain(path, 0,
				"this is no manifest: neither CSV (student,path) nor "
				"lines of JSON");
	copy_string(dir, sizeof(dir), path);
	m.dir = dirname(dir);
	/* A byte order mark, as spreadsheets write it. */
	return list_lines(g, &m, starts_with(text, "\xef\xbb\xbf") ? text + 3 : text);
}

int grades_list(struct grades *g, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return complain(path, 0, strerror(errno));
	return S_ISDIR(st.st_mode) ? list_folder(g, path) : list_manifest(g, path);
}
