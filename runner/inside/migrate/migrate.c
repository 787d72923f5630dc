/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside migrate [--prisma] [--from DIR] [--timeout 60s] FILE|FOLDER...`: applies SQL
 * files of the project in the current directory (or in DIR) to $DATABASE_URL, each as one simple
 * query; with --drizzle one folder of drizzle's. Files are
 * independent: a setting that one of them makes (search_path, say) does not reach the next. All are
 * read and checked before the first is applied (with --prisma: each before it is). A refusal is one
 * ERROR record on descriptor 3.
 */

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

#include "inside/inside.h"
#include "inside/migrate/migrate.h"
#include "inside/timeout.h"
#include "util/util.h"

#define RECORDS_FD 3

struct settings {
	bool prisma, drizzle;
	unsigned timeout_ms;
	const char *from;
	char **operands;
};

static int list_operand(int root, char *path, struct sql_list *list, struct problem *p)
{
	size_t n = strlen(path);
	struct stat st;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
	if (!path_is_clean(path, n))
		return problem_set(p, "\"%s\" is not a path inside the project", QUOTE(path));
	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return sql_list_add(list, path, p);
	return sql_list_folder(list, root, path, false, p);
}

static int check_files(int root, const struct sql_list *list, struct problem *p)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		_cleanup_(sql_done) struct sql_file file = {};

		r = sql_load(root, list->paths[i], &file, p);
		total += file.size;
		if (total > SQL_MAX_TOTAL)
			return problem_set(p,
					   "the SQL files are larger than %s together: leave out "
					   "rows",
					   text_bytes(SQL_MAX_TOTAL).s);
	}
	return r;
}

static int apply_files(struct session *s, int root, const struct sql_list *list, struct problem *p)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		_cleanup_(sql_done) struct sql_file file = {};

		if (i > 0)
			r = session_query(s, "DISCARD ALL", 0, NULL, NULL, p);
		if (r == 0)
			r = sql_load(root, list->paths[i], &file, p);
		if (r == 0)
			r = session_dump(s, &file, p);
	}
	return r;
}

static int apply(struct session *s, int root, const struct settings *settings,
		 const struct sql_list *list, struct problem *p)
{
	if (settings->drizzle)
		return drizzle_migrate(s, root, settings->operands[0], p);
	return settings->prisma ? prisma_deploy(s, root, list, p) : apply_files(s, root, list, p);
}

static int migrate(int root, const struct settings *settings, struct problem *p)
{
	_cleanup_(session_done) struct session s = { .timeout_ms = settings->timeout_ms };
	_cleanup_(sql_list_done) struct sql_list list = {};
	const char *url = getenv("DATABASE_URL");
	int r = 0;

	s.deadline = deadline_after(settings->timeout_ms * NSEC_PER_MSEC);
	for (char **path = settings->operands; *path && r == 0 && !settings->drizzle; path++)
		r = list_operand(root, *path, &list, p);
	if (r == 0 && !settings->prisma) /* there, only what is pending must be readable */
		r = check_files(root, &list, p);
	if (r != 0)
		return r;
	if (!url || !*url) {
		copy_string(p->text, sizeof(p->text), "DATABASE_URL is not set");
		return -EINVAL;
	}
	r = session_open(&s, url, p);
	if (r != 0)
		return r;
	return apply(&s, root, settings, &list, p);
}

static int parse(int argc, char **argv, struct settings *ret)
{
	static const struct option options[] = { { "prisma", no_argument, NULL, 'p' },
						 { "drizzle", no_argument, NULL, 'd' },
						 { "from", required_argument, NULL, 'f' },
						 { "timeout", required_argument, NULL, 't' },
						 {} };
	int option;

	*ret = (struct settings){ .timeout_ms = 60000, .from = "." };
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'p')
			ret->prisma = true;
		else if (option == 'd')
			ret->drizzle = true;
		else if (option == 'f')
			ret->from = optarg;
		else if (option != 't' || parse_timeout(optarg, &ret->timeout_ms) < 0)
			return -EINVAL;
	}
	ret->operands = argv + optind;
	return optind < argc && (!ret->drizzle || optind + 1 == argc) ? 0 : -EINVAL;
}

static int report(struct problem *p)
{
	text_scrub(p->text);
	if (records_put_string(RECORDS_FD, RECORD_ERROR, p->text) < 0 ||
	    records_put(RECORDS_FD, RECORD_END, NULL, 0) < 0)
		(void)fprintf(stderr, "%s\n", p->text);
	return 1;
}

int inside_migrate(int argc, char **argv)
{
	struct settings settings;
	_cleanup_close_ int root = -1;
	struct problem p = {};
	int r;

	if (parse(argc, argv, &settings) < 0) {
		(void)fprintf(stderr,
			      "usage: sandbox-inside migrate [--prisma|--drizzle] [--from DIR] "
			      "[--timeout 60s] FILE... 3>RECORDS\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	root = open(settings.from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : migrate(root, &settings, &p);
	if (r > 0)
		return report(&p);
	if (r < 0)
		(void)fprintf(stderr, "sandbox-inside migrate: %s\n",
			      p.text[0] ? p.text : strerror(-r));
	return r < 0 ? 3 : 0;
}

int main(int argc, char **argv)
{
	/* Callers that execute this file directly may name the verb. */
	if (argc > 1 && streq(argv[1], "migrate"))
		return inside_migrate(argc - 1, argv + 1);
	return inside_migrate(argc, argv);
}
