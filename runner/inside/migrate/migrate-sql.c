/* SPDX-License-Identifier: MIT */

/*
 * SQL files: reading them, and finding the statement of which the server speaks. The server names a
 * place only for errors of syntax and names; for others (a constraint, a missing privilege) the
 * failing statement is the one behind those that have answered, so statements must be counted. The
 * scanner knows quotes, dollar quotes, comments, parentheses and the bodies of BEGIN ATOMIC; what
 * it finds is used in messages only, never to decide what is executed.
 */

#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "inside/migrate/migrate.h"
#include "util/util.h"

void sql_done(struct sql_file *file)
{
	free(file->bytes);
	*file = (struct sql_file){};
}

static int check_text(const char *path, const char *bytes, size_t size, struct problem *p)
{
	size_t bad = utf8_valid_prefix(bytes, size);
	const char *nul = memchr(bytes, '\0', size);

	if (size >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return problem_set(p, "%s is saved as UTF-16: save it as UTF-8", QUOTE(path));
	if (nul && (size_t)(nul - bytes) < bad)
		bad = (size_t)(nul - bytes);
	if (bad == size)
		return 0;
	return problem_set(p, "%s:%u: holds %s: save the file as UTF-8 text", QUOTE(path),
			   sql_place(bytes, bad).line,
			   bytes[bad] == '\0' ? "a NUL byte" : "bytes that are not UTF-8");
}

static int read_whole(int fd, const char *path, struct sql_file *file, struct problem *p)
{
	ssize_t n;

	file->bytes = malloc(SQL_MAX_FILE + 2);
	if (!file->bytes)
		return -ENOMEM;
	n = read_full(fd, file->bytes, SQL_MAX_FILE + 1);
	if (n < 0)
		return (int)n;
	if (n > SQL_MAX_FILE)
		return problem_set(p, "%s is larger than %s: split it, or leave out rows",
				   QUOTE(path), text_bytes(SQL_MAX_FILE).s);
	file->size = (size_t)n;
	file->bytes[file->size] = '\0';
	return check_text(path, file->bytes, file->size, p);
}

static int missing_file(int code, const char *path, struct problem *p)
{
	if (code == -ENOENT || code == -ENOTDIR)
		return problem_set(p, "%s does not exist in the project: put it into the archive",
				   QUOTE(path));
	if (code == -ELOOP)
		return problem_set(p, "%s is a link: put the file itself there", QUOTE(path));
	return code;
}

int sql_load(int root, const char *path, struct sql_file *ret, struct problem *p)
{
	_cleanup_(sql_done) struct sql_file file = { .path = path };
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	if (!path_is_clean(path, strlen(path)))
		return problem_set(p, "\"%s\" is not the path of a file of the project",
				   QUOTE(path));
	fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return missing_file(-errno, path, p);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return problem_set(p, "%s is not a file: put the file itself there", QUOTE(path));
	r = read_whole(fd, path, &file, p);
	if (r != 0)
		return r;
	file.sql = file.bytes;
	if (starts_with(file.bytes, "\xef\xbb\xbf"))
		file.sql += 3;
	file.size -= (size_t)(file.sql - file.bytes);
	*ret = file;
	file = (struct sql_file){};
	return 0;
}

struct sql_place sql_place(const char *sql, size_t offset)
{
	struct sql_place place = { .line = 1, .column = 1 };

	for (size_t i = 0; i < offset; i++) {
		if (sql[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((uint8_t)sql[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

size_t sql_offset(const char *sql, size_t size, unsigned long position)
{
	unsigned long characters = 0;

	for (size_t i = 0; i < size; i++)
		if (((uint8_t)sql[i] & 0xc0) != 0x80 && ++characters == position)
			return i;
	return size;
}

struct scan {
	const char *s;
	size_t n, at;
	int parens, blocks;
	bool begin; /* the word before was BEGIN */
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (uint8_t)c >= 0x80;
}

static char peek(const struct scan *s, size_t ahead)
{
	return ahead < s->n - s->at ? s->s[s->at + ahead] : '\0';
}

static void skip_line(struct scan *s)
{
	while (s->at < s->n && s->s[s->at] != '\n')
		s->at++;
}

static void skip_comment(struct scan *s)
{
	unsigned depth = 0;

	do {
		if (peek(s, 0) == '/' && peek(s, 1) == '*') {
			depth++;
			s->at += 2;
		} else if (peek(s, 0) == '*' && peek(s, 1) == '/') {
			depth--;
			s->at += 2;
		} else {
			s->at++;
		}
	} while (depth > 0 && s->at < s->n);
	s->at = MIN_OF(s->at, s->n);
}

static void skip_quoted(struct scan *s, bool escapes)
{
	char quote = s->s[s->at++];

	for (; s->at < s->n; s->at++) {
		if (escapes && s->s[s->at] == '\\')
			s->at++;
		else if (s->s[s->at] == quote && peek(s, 1) == quote)
			s->at++;
		else if (s->s[s->at] == quote)
			break;
	}
	s->at = MIN_OF(s->at + 1, s->n);
}

/* $tag$ ... $tag$; a lone dollar is one character. */
static void skip_dollar(struct scan *s)
{
	const char *tag = s->s + s->at, *found;
	size_t n = 1;

	while (n < s->n - s->at && is_word(tag[n]) && tag[n] != '$')
		n++;
	if (n == s->n - s->at || tag[n] != '$' || isdigit((unsigned char)tag[1])) {
		s->at++;
		return;
	}
	n++;
	found = memmem(tag + n, s->n - s->at - n, tag, n);
	s->at = found ? (size_t)(found - s->s) + n : s->n;
}

static bool word_is(const char *word, size_t n, const char *name)
{
	return strlen(name) == n && strncasecmp(word, name, n) == 0;
}

static void skip_word(struct scan *s)
{
	const char *word = s->s + s->at;
	size_t n = 0;

	while (n < s->n - s->at && is_word(word[n]))
		n++;
	s->at += n;
	if (s->begin && word_is(word, n, "atomic"))
		s->blocks++;
	else if (s->blocks > 0 && word_is(word, n, "case"))
		s->blocks++;
	else if (s->blocks > 0 && word_is(word, n, "end"))
		s->blocks--;
	s->begin = word_is(word, n, "begin");
	if (word_is(word, n, "e") && peek(s, 0) == '\'')
		skip_quoted(s, true);
}

static bool skip_space(struct scan *s)
{
	if (isspace((unsigned char)peek(s, 0)))
		s->at++;
	else if (peek(s, 0) == '-' && peek(s, 1) == '-')
		skip_line(s);
	else if (peek(s, 0) == '/' && peek(s, 1) == '*')
		skip_comment(s);
	else
		return false;
	return true;
}

static void skip_token(struct scan *s)
{
	char c = s->s[s->at];

	if (c == '\'' || c == '"') {
		skip_quoted(s, false);
	} else if (c == '$') {
		skip_dollar(s);
	} else if (is_word(c)) {
		skip_word(s);
	} else {
		s->parens += c == '(' ? 1 : c == ')' && s->parens > 0 ? -1 : 0;
		s->at++;
	}
}

bool sql_next(const char *sql, size_t size, size_t *at, size_t *ret_start, size_t *ret_end)
{
	struct scan s = { .s = sql, .n = size, .at = *at };

	while (s.at < s.n && (s.s[s.at] == ';' || skip_space(&s)))
		s.at += peek(&s, 0) == ';';
	if (s.at >= s.n)
		return false;
	*ret_start = *ret_end = s.at;
	while (s.at < s.n && !(s.s[s.at] == ';' && s.parens == 0 && s.blocks == 0)) {
		if (skip_space(&s))
			continue;
		skip_token(&s);
		*ret_end = s.at;
	}
	*at = MIN_OF(s.at + 1, s.n);
	return true;
}
