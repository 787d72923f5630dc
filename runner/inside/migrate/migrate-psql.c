/* SPDX-License-Identifier: MIT */

/*
 * SQL files that were written for psql and an administrator: dumps, and the init.sql of a compose
 * file. There is one database and its owner's role, both made already, so what makes databases,
 * roles and owners has nothing left to do and is blanked out, and so are the commands of psql that
 * only switch or show something. Rows behind COPY ... FROM stdin are fed as psql would. Blanks keep
 * every line in its place.
 */

#include <ctype.h>

#include "inside/migrate/migrate.h"
#include "util/util.h"

void sql_blank(char *sql, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (sql[i] != '\n')
			sql[i] = ' ';
}

/* The words of a statement, in capitals, joined by one space; enough of them to tell its kind. */
struct head {
	char s[256];
};

static struct head read_head(const char *sql, size_t n)
{
	struct head h = {};
	size_t at = 0;
	bool space = false;

	for (size_t i = 0; i < n && at < sizeof(h.s) - 3; i++) {
		if (isspace((unsigned char)sql[i])) {
			space = at > 0;
			continue;
		}
		if (space)
			h.s[at++] = ' ';
		space = false;
		h.s[at++] = (char)toupper((unsigned char)sql[i]);
	}
	h.s[at++] = ' ';
	return h;
}

/* What only an administrator may do, or what has been done. */
static bool is_administrative(const char *head)
{
	static const char *const beginnings[] = {
		"CREATE DATABASE ",
		"DROP DATABASE ",
		"ALTER DATABASE ",
		"CREATE ROLE ",
		"CREATE USER ",
		"DROP ROLE ",
		"DROP USER ",
		"ALTER ROLE ",
		"ALTER USER ",
		"GRANT ",
		"REVOKE ",
		"SET ROLE ",
		"SET SESSION AUTHORIZATION ",
		"ALTER DEFAULT PRIVILEGES ",
		"COMMENT ON EXTENSION ",
		"COMMENT ON DATABASE ",
		"CREATE EXTENSION IF NOT EXISTS PLPGSQL ",
		"CREATE TABLESPACE ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (starts_with(head, beginnings[i]) && !strstr(head, " USER MAPPING "))
			return true;
	return starts_with(head, "ALTER ") && strstr(head, " OWNER TO ");
}

static size_t line_end(const char *sql, size_t size, size_t at)
{
	const char *newline = memchr(sql + at, '\n', size - at);

	return newline ? (size_t)(newline - sql) : size;
}

/* \connect, \set, \restrict: nothing to do here. \i and \copy would read another file. */
static int take_command(struct sql_dump *d, const char *path, size_t at, size_t *ret,
			struct problem *p)
{
	size_t end = line_end(d->sql, d->size, at);
	const char *s = d->sql + at;

	if (starts_with(s, "\\i ") || starts_with(s, "\\ir ") || starts_with(s, "\\include") ||
	    starts_with(s, "\\copy") || starts_with(s, "\\gexec") || starts_with(s, "\\."))
		return problem_set(
			p,
			"%s:%u: \"%s\" is a command of psql that cannot be run here: put "
			"the SQL itself into the file",
			QUOTE(path), sql_place(d->sql, at).line,
			text_quote(s, MIN_OF(end - at, 80u)).s);
	d->left_out++;
	sql_blank(d->sql, at, end);
	*ret = end;
	return 0;
}

static bool is_copy(const char *head)
{
	return starts_with(head, "COPY ") && strstr(head, " FROM STDIN ");
}

/* The rows from the line behind the statement to "\." */
static int take_rows(struct sql_dump *d, const char *path, size_t at, size_t *ret,
		     struct problem *p)
{
	struct sql_rows rows = { .statement_end = at };
	size_t line = line_end(d->sql, d->size, at);
	struct sql_rows *more;

	rows.from = MIN_OF(line + 1, d->size);
	for (line = rows.from;; line = line_end(d->sql, d->size, line) + 1) {
		if (line >= d->size)
			return problem_set(p, "%s:%u: the rows of COPY have no end (\"\\.\")",
					   QUOTE(path), sql_place(d->sql, at).line);
		if (starts_with(d->sql + line, "\\.\n") || starts_with(d->sql + line, "\\.\r\n") ||
		    streq(d->sql + line, "\\."))
			break;
	}
	rows.to = line;
	*ret = line_end(d->sql, d->size, line);
	rows.end = *ret;
	more = reallocarray(d->rows, d->n_rows + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->rows = more;
	d->rows[d->n_rows++] = rows;
	return 0;
}

void sql_dump_done(struct sql_dump *d)
{
	free(d->sql);
	free(d->rows);
	*d = (struct sql_dump){};
}

int sql_dump(const struct sql_file *file, struct sql_dump *d, struct problem *p)
{
	size_t at = 0, start, end;
	int r = 0;

	*d = (struct sql_dump){ .sql = strndup(file->sql, file->size), .size = file->size };
	if (!d->sql)
		return -ENOMEM;
	while (r == 0) {
		size_t before = at;
		struct head head;

		if (!sql_next(d->sql, d->size, &at, &start, &end))
			break;
		if (d->sql[start] == '\\') {
			r = take_command(d, file->path, start, &at, p);
			continue;
		}
		head = read_head(d->sql + start, end - start);
		if (is_administrative(head.s)) {
			d->left_out++;
			sql_blank(d->sql, start, at);
		} else if (is_copy(head.s)) {
			r = take_rows(d, file->path, end, &at, p);
		}
		if (at <= before)
			break;
	}
	return r;
}
