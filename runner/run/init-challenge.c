/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run init-challenge: a challenge that works, to be changed into the one that a teacher has
 * in mind. The files are those of runner/template; a few words in them are filled in.
 */

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

#include "embed/embed.h"
#include "cli/options.h"
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
		  "    1  a file could not be written\n"
		  "    2  the command line is wrong, or DIR is not empty",
	.options = specs,
};

/* A word of a template and what it becomes. */
struct word {
	const char *name, *value;
};

struct plan {
	const char *dir;
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

static int make_dir(const char *dir)
{
	struct dirent *e;
	bool empty = true;
	DIR *d;

	if (mkdir(dir, 0777) == 0)
		return EXIT_OK;
	if (errno != EEXIST)
		return complain(dir);
	d = opendir(dir);
	if (!d)
		return complain(dir);
	while ((e = readdir(d)))
		empty &= streq(e->d_name, ".") || streq(e->d_name, "..");
	(void)closedir(d);
	return empty ? EXIT_OK
		     : usage_error("init-challenge",
				   "%s is not empty; name a folder that does not exist yet", dir);
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

	if (asprintf(&path, "%s/%s", p->dir, name) < 0) {
		path = NULL;
		return complain(name);
	}
	code = make_parents(path, strlen(p->dir) + 1);
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

static int write_all(const struct plan *p)
{
	int code = make_dir(p->dir);

	for (const struct embedded *t = template_data; t->name && code == EXIT_OK; t++) {
		if (is_wanted(p, t->name))
			code = write_file(p, strchr(t->name, '/') + 1, (const char *)t->data);
	}
	return code;
}

int cmd_init_challenge(int argc, char **argv)
{
	struct plan p = { 0 };
	int n, code = options_read(&init_challenge_command, argc, argv, &n);
	bool vitest = opt.suite && streq(opt.suite, "vitest");

	if (code >= 0)
		return code;
	if (n != 1)
		return usage_error("init-challenge",
				   n == 0 ? "DIR is missing" : "one DIR at a time");
	if (opt.suite && !vitest && !streq(opt.suite, "hurl"))
		return usage_error("init-challenge", "--suite takes hurl or vitest, not \"%.40s\"",
				   opt.suite);
	p.dir = argv[0];
	title_of(p.dir, p.title);
	p.words[0] = (struct word){ "@TITLE@", p.title };
	p.words[1] = (struct word){ "@TESTS@", vitest ? "*.test.js" : "*.hurl" };
	p.words[2] = (struct word){ "@DATABASE@", opt.database ? "\"postgres\"" : "null" };
	p.words[3] = (struct word){ "@STORAGE@", opt.database ? database_storage : plain_storage };
	p.parts[0] = "common";
	p.parts[1] = vitest ? "vitest" : "hurl";
	p.parts[2] = opt.database ? "database" : "plain";
	code = write_all(&p);
	if (code == EXIT_OK)
		fprintf(stderr,
			"%s is a challenge now. Try it, and change it while it is watched:\n"
			"  sandbox-run grade %s/solution --challenge %s\n"
			"  sandbox-run grade %s/wrong --challenge %s\n"
			"  sandbox-run grade %s/solution --challenge %s --watch\n",
			p.dir, p.dir, p.dir, p.dir, p.dir, p.dir, p.dir);
	return code;
}
