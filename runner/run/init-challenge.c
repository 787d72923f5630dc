/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run init-challenge: a challenge that works, to be changed into the one that a teacher has
 * in mind. The files are those of runner/template; a few words in them are filled in.
 *
 * It appears whole or not at all: what would go wrong is looked for first, the files are written
 * into a folder of another name, and only then they get theirs. Signals wait meanwhile.
 */

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "embed/embed.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "run/run.h"
#include "util/util.h"

static struct {
	const char *suite;
	bool database;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_FLAG, 0, "database", NULL, &opt.database,
	  "submissions get a Postgres; the solutions use it" },
	{ OPTION_STRING, 0, "suite", "KIND", &opt.suite,
	  "the tests are hurl (docs/hurl.md) or vitest files (default: hurl)" },
	{ OPTION_END },
};

const struct command init_challenge_command = {
	.name = "init-challenge",
	.synopsis = "init-challenge DIR [OPTIONS]",
	.summary = "Writes a small challenge that works into DIR, a new or empty folder:\n"
		   "challenge.json, a README for students, tests, a solution that passes them and\n"
		   "a wrong one that fails one of them.",
	.examples = "  sandbox-run init-challenge notes\n"
		    "  sandbox-run init-challenge notes --database\n"
		    "  sandbox-run init-challenge notes --suite vitest\n"
		    "  sandbox-run grade notes/solution --challenge notes --watch",
	.epilog = "Exit codes:\n"
		  "    0  done\n"
		  "    1  a file could not be written; nothing is left of the others\n"
		  "    2  the command line is wrong, or DIR cannot become a challenge\n"
		  "  130  interrupted; nothing is left",
	.options = specs,
};

/* A word of a template and what it becomes. */
struct word {
	const char *name, *value;
};

struct plan {
	const char *dir;
	bool is_there; /* and empty */
	char *stage;   /* what is filled: beside `dir`, or in it when that is there */
	int signals;
	char title[128];
	struct word words[4];
	const char *parts[4]; /* first words of the names of files that are written */
};

static const char plain_storage[] =
	"- It may keep notes in memory: they need not survive a restart.";
static const char database_storage[] = "- Notes are kept in Postgres, which `DATABASE_URL` names. "
				       "The database is empty; the files\n"
				       "  `migrations/*.sql` are applied to it in the order of "
				       "their names before the server starts.";

/* "car-rental" is "Car rental". What JSON or a reader would stumble over becomes a blank. */
static void title_of(const char *dir, char ret[128])
{
	char path[PATH_MAX], *s;

	copy_string(path, sizeof(path), dir);
	copy_string(ret, 128, basename(path));
	for (s = ret; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == '-' || *s == '_' || *s == '"' || *s == '\\')
			*s = ' ';
	}
	if (ret[0] >= 'a' && ret[0] <= 'z')
		ret[0] = (char)(ret[0] - 'a' + 'A');
	if (streq(ret, ".") || streq(ret, "..") || streq(ret, "/"))
		copy_string(ret, 128, "Notes");
}

static int complain(const char *path)
{
	fprintf(stderr, "sandbox-run init-challenge: %s: %s\n", path, strerror(errno));
	return EXIT_FAILED;
}

/* ---------------------------------------------------------------------------- problems */

static int problem(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int problem(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "sandbox-run init-challenge: ");
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

/* Of a folder that files are to be put into. */
static int check_writable(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0 && errno == ENOENT)
		return problem("there is no folder %s: make it first, or correct the name", dir);
	if (stat(dir, &st) < 0)
		return problem("%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return problem("%s is not a folder", dir);
	if (access(dir, W_OK | X_OK) < 0)
		return problem("nothing can be put into the folder %s: %s", dir, strerror(errno));
	return EXIT_OK;
}

static int check_empty(const char *dir)
{
	struct dirent *e;
	bool empty = true;
	DIR *d = opendir(dir);

	if (!d)
		return problem("%s: %s", dir, strerror(errno));
	while ((e = readdir(d)))
		empty &= streq(e->d_name, ".") || streq(e->d_name, "..");
	(void)closedir(d);
	return empty ? EXIT_OK
		     : problem("%s is not empty; name a folder that does not exist yet", dir);
}

static int check_dir(struct plan *p)
{
	char path[PATH_MAX];
	struct stat st;
	int code;

	p->is_there = lstat(p->dir, &st) == 0;
	if (!p->is_there && errno != ENOENT)
		return problem("%s: %s", p->dir, strerror(errno));
	if (!*p->dir || strlen(p->dir) >= sizeof(path) - 64)
		return problem("\"%.40s\" is not the name of a folder", p->dir);
	copy_string(path, sizeof(path), p->dir);
	code = check_writable(p->is_there ? path : dirname(path));
	return code == EXIT_OK && p->is_there ? check_empty(p->dir) : code;
}

/* ----------------------------------------------------------------------------- writing */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void remove_all(const char *path)
{
	(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int make_stage(struct plan *p)
{
	int n = (int)strlen(p->dir);
	mode_t mask = umask(0);

	(void)umask(mask);
	while (n > 1 && p->dir[n - 1] == '/')
		n--;
	if (asprintf(&p->stage, "%.*s%s.init-XXXXXX", n, p->dir, p->is_there ? "/" : "") < 0)
		p->stage = NULL;
	if (!p->stage || !mkdtemp(p->stage)) {
		free(p->stage);
		p->stage = NULL;
		return complain(p->dir);
	}
	return chmod(p->stage, 0777 & ~mask) < 0 ? complain(p->stage) : EXIT_OK;
}

/* What is in the stage gets its name in a folder that is there: every file, or none. */
static int move_in(const struct plan *p)
{
	char *moved[16] = {};
	size_t n = 0;
	DIR *d = opendir(p->stage);
	int code = d ? EXIT_OK : complain(p->stage);
	struct dirent *e;

	while (code == EXIT_OK && (e = readdir(d))) {
		_cleanup_free_ char *from = NULL;

		if (streq(e->d_name, ".") || streq(e->d_name, "..") || n == ARRAY_SIZE(moved))
			continue;
		if (asprintf(&from, "%s/%s", p->stage, e->d_name) < 0)
			from = NULL;
		if (asprintf(&moved[n], "%s/%s", p->dir, e->d_name) < 0)
			moved[n] = NULL;
		if (!from || !moved[n] || rename(from, moved[n]) < 0) {
			code = complain(e->d_name);
			free(moved[n]);
		} else {
			n++;
		}
	}
	if (d)
		(void)closedir(d);
	for (size_t i = 0; i < n; i++) {
		if (code != EXIT_OK)
			remove_all(moved[i]);
		free(moved[i]);
	}
	return code;
}

static int finish(const struct plan *p)
{
	if (fd_is_readable(p->signals))
		return EXIT_INTERRUPTED;
	if (p->is_there)
		return move_in(p);
	return rename(p->stage, p->dir) < 0 ? complain(p->dir) : EXIT_OK;
}

/* The folders on the way to `path`, below `from`. */
static int make_parents(char *path, size_t from)
{
	for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return complain(path);
		*slash = '/';
	}
	return EXIT_OK;
}

static void put_filled(FILE *f, const struct plan *p, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "@");
		const struct word *w = p->words;

		(void)fwrite(text, 1, n, f);
		text += n;
		while (w < p->words + ARRAY_SIZE(p->words) && !starts_with(text, w->name))
			w++;
		if (*text && w < p->words + ARRAY_SIZE(p->words)) {
			fputs(w->value, f);
			text += strlen(w->name);
		} else if (*text) {
			fputc(*text++, f);
		}
	}
}

static int write_file(const struct plan *p, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	FILE *f;
	bool bad;
	int code;

	if (asprintf(&path, "%s/%s", p->stage, name) < 0) {
		path = NULL;
		return complain(name);
	}
	code = make_parents(path, strlen(p->stage) + 1);
	if (code != EXIT_OK)
		return code;
	f = fopen(path, "wxe");
	if (!f)
		return complain(path);
	/* Only texts for people have words: code may hold an @ of its own. */
	if (starts_with(name, "README") || streq(name, "challenge.json"))
		put_filled(f, p, text);
	else
		fputs(text, f);
	bad = fflush(f) != 0;
	return fclose(f) != 0 || bad ? complain(path) : EXIT_OK;
}

static bool is_wanted(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->parts) && p->parts[i]; i++) {
		size_t n = strlen(p->parts[i]);

		if (strncmp(name, p->parts[i], n) == 0 && name[n] == '/')
			return true;
	}
	return false;
}

static int write_all(struct plan *p)
{
	int code = make_stage(p);

	for (const struct embedded *t = template_data; t->name && code == EXIT_OK; t++) {
		if (fd_is_readable(p->signals))
			code = EXIT_INTERRUPTED;
		else if (is_wanted(p, t->name))
			code = write_file(p, strchr(t->name, '/') + 1, (const char *)t->data);
	}
	if (code == EXIT_OK)
		code = finish(p);
	if (p->stage && (code != EXIT_OK || p->is_there))
		remove_all(p->stage);
	free(p->stage);
	return code;
}

static void fill(struct plan *p, bool vitest)
{
	title_of(p->dir, p->title);
	p->words[0] = (struct word){ "@TITLE@", p->title };
	p->words[1] = (struct word){ "@TESTS@", vitest ? "*.test.js" : "*.hurl" };
	p->words[2] = (struct word){ "@DATABASE@", opt.database ? "\"postgres\"" : "null" };
	p->words[3] = (struct word){ "@STORAGE@", opt.database ? database_storage : plain_storage };
	p->parts[0] = "common";
	p->parts[1] = vitest ? "vitest" : "hurl";
	p->parts[2] = opt.database ? "database" : "plain";
}

int cmd_init_challenge(int argc, char **argv)
{
	struct plan p = { .signals = -1 };
	int n, code = options_read(&init_challenge_command, argc, argv, &n);
	bool vitest = opt.suite && streq(opt.suite, "vitest");

	if (code >= 0)
		return code;
	if (n != 1)
		return usage_error("init-challenge",
				   n == 0 ? "DIR is missing" : "one DIR at a time");
	p.dir = argv[0];
	code = check_dir(&p);
	if (opt.suite && !vitest && !streq(opt.suite, "hurl"))
		return usage_error("init-challenge", "--suite takes hurl or vitest, not \"%.40s\"",
				   opt.suite);
	if (code != EXIT_OK)
		return code;
	p.signals = signals_open();
	if (p.signals < 0)
		return problem("signals cannot be blocked: %s", strerror(-p.signals));
	fill(&p, vitest);
	code = write_all(&p);
	close_fd(p.signals);
	if (code == EXIT_OK)
		fprintf(stderr,
			"%s is a challenge now. Try it, and change it while it is watched:\n"
			"  sandbox-run grade %s/solution --challenge %s\n"
			"  sandbox-run grade %s/wrong --challenge %s\n"
			"  sandbox-run grade %s/solution --challenge %s --watch\n",
			p.dir, p.dir, p.dir, p.dir, p.dir, p.dir, p.dir);
	return code;
}
