/* SPDX-License-Identifier: MIT */

/*
 * One line of a log for the sentence of a verdict. The log is a student's program's: what is read
 * here only words the reason, and a forged line misleads its author alone. Looked at are the first
 * megabyte and the last, each line to a bounded length.
 */

#include "pipeline/log-line.h"

#include <ctype.h>

#include "util/util.h"

#define SEEN (1u << 20)
#define LINE 512

struct lines {
	char compiler[LINE]; /* the first error of a compiler */
	char thrown[LINE];   /* the last error that was thrown */
	char other[LINE];    /* the last line that says anything */
	char place[LINE];    /* of the project, before or behind `thrown` */
	char before[LINE];   /* the last place that was seen */
	unsigned since;      /* lines since then */
};

/* `text` without escape sequences and control bytes. */
static void copy_line(const char *text, size_t n, char ret[LINE])
{
	size_t out = 0;

	for (size_t i = 0; i < n && out + 1 < LINE; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x1b && i + 1 < n && text[i + 1] == '[') {
			for (i += 2; i < n && !isalpha((unsigned char)text[i]);)
				i++;
		} else if (c >= 0x20 && c != 0x7f) {
			ret[out++] = (char)c;
		}
	}
	ret[out] = '\0';
}

static bool is_compiler_error(const char *line)
{
	const char *ts = strstr(line, "error TS");

	return (ts && isdigit((unsigned char)ts[8])) || strstr(line, "[ERROR] ") ||
	       starts_with(line, "ERROR in ") || starts_with(line, "Error: Command failed");
}

/* "TypeError: x", "Error [CODE]: x", "Uncaught PrismaClientError: x", "error: x". */
static bool is_thrown(const char *line)
{
	size_t n;

	if (starts_with(line, "Uncaught "))
		line += strlen("Uncaught ");
	n = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.");
	if (n < 5 || (strncasecmp(line + n - 5, "error", 5) != 0 &&
		      (n < 9 || strncmp(line + n - 9, "Exception", 9) != 0)))
		return false;
	line += n;
	if (starts_with(line, " ["))
		line += strcspn(line, "]") + (strchr(line, ']') != NULL);
	return starts_with(line, ": ");
}

/*
 * "file:///app/src/a.js:12:3" or "/app/src/a.js:12" as "src/a.js:12"; false: none of the project.
 */
static bool find_place(const char *line, char ret[LINE])
{
	const char *s = strstr(line, "/app/"), *colon;
	size_t n;

	if (!s || strstr(s, "node_modules/"))
		return false;
	s += strlen("/app/");
	n = strcspn(s, ": )'\"");
	colon = s[n] == ':' ? s + n : NULL;
	if (n == 0 || n > 100 || !colon || !isdigit((unsigned char)colon[1]))
		return false;
	n += 1 + strspn(colon + 1, "0123456789");
	(void)snprintf(ret, LINE, "%.*s", (int)MIN_OF(n, (size_t)120), s);
	return true;
}

static bool says_nothing(const char *line)
{
	line += strspn(line, " \t^~})];");
	return !*line || starts_with(line, "at ") || starts_with(line, "Node.js v") ||
	       starts_with(line, "npm ") || starts_with(line, "node:internal");
}

/* "fetch failed", "Failed query" and AggregateError say nothing: why stands behind, indented. */
static const char *cause_of(const struct lines *l, const char *line)
{
	static const char mark[] = "[cause]: ";
	const char *s = line + strspn(line, " ");

	if (s == line || !*l->thrown)
		return NULL;
	if (starts_with(s, mark))
		s += strlen(mark);
	else if (!starts_with(l->thrown, "AggregateError"))
		return NULL;
	return is_thrown(s) ? s : NULL;
}

static void see_line(struct lines *l, const char *line)
{
	const char *cause = cause_of(l, line);
	char place[LINE];

	l->since++;
	if (!*l->compiler && is_compiler_error(line)) {
		copy_string(l->compiler, LINE, line);
	} else if (cause) { /* the place stays that of what it caused */
		copy_string(l->thrown, LINE, cause);
	} else if (is_thrown(line)) {
		copy_string(l->thrown, LINE, line);
		copy_string(l->place, LINE, l->since <= 8 ? l->before : "");
		*l->before = '\0';
	} else if (find_place(line, place)) {
		if (*l->thrown && !*l->place && starts_with(line + strspn(line, " "), "at "))
			copy_string(l->place, LINE, place);
		copy_string(l->before, LINE, place);
		l->since = 0;
	}
	if (!says_nothing(line))
		copy_string(l->other, LINE, line);
}

static void see(struct lines *l, const char *log, size_t n)
{
	char line[LINE];

	for (size_t at = 0; at < n;) {
		const char *end = memchr(log + at, '\n', n - at);
		size_t size = end ? (size_t)(end - (log + at)) : n - at;

		copy_line(log + at, size, line);
		see_line(l, line);
		at += size + 1;
	}
}

void log_error_line(const char *log, size_t n, char ret[LOG_LINE])
{
	struct lines l = { .since = UINT16_MAX };
	const char *line;

	see(&l, log, MIN_OF(n, (size_t)SEEN));
	if (n > SEEN)
		see(&l, log + MAX_OF(n - SEEN, (size_t)SEEN), MIN_OF(n - SEEN, (size_t)SEEN));
	line = *l.compiler ? l.compiler : *l.thrown ? l.thrown : l.other;
	line += strspn(line, " \t");
	if (line == l.thrown && *l.place)
		(void)snprintf(ret, LOG_LINE, "%.160s (%.70s)", line, l.place);
	else
		(void)snprintf(ret, LOG_LINE, "%.*s", LOG_LINE - 1, line);
}

/* The package of a module's name that is no path: "@scope/name" of "@scope/name/x"; 0: none. */
static size_t package_length(const char *s, size_t n)
{
	size_t at = 0;

	if (n == 0 || n > 100 || strchr("./#~", *s) || memchr(s, ':', n) || starts_with(s, "@/"))
		return 0;
	while (at < n && s[at] != '/')
		at++;
	if (*s == '@' && at < n)
		for (at++; at < n && s[at] != '/';)
			at++;
	return at;
}

/* The client is generated by a package that many have beside their projects only. */
static bool lacks_prisma(const char *line, const char *manifest)
{
	return manifest && strstr(manifest, "\"@prisma/client\":") &&
	       !strstr(manifest, "\"prisma\":") &&
	       (strstr(line, ".prisma/client") || strstr(line, "client did not initialize yet"));
}

void log_error_hint(const char *line, const char *manifest, char ret[LOG_LINE])
{
	static const char *const marks[] = { "Cannot find module '", "Cannot find package '" };

	*ret = '\0';
	if (lacks_prisma(line, manifest))
		(void)snprintf(ret, LOG_LINE,
			       "; what makes it is not in package.json (npm install prisma)");
	for (size_t i = 0; i < ARRAY_SIZE(marks) && !*ret; i++) {
		const char *name = strstr(line, marks[i]);
		char wanted[128];
		int n;

		if (!name)
			continue;
		name += strlen(marks[i]);
		n = (int)package_length(name, strcspn(name, "'"));
		(void)snprintf(wanted, sizeof(wanted), "\"%.*s\":", n, name);
		if (n > 0 && !manifest)
			(void)snprintf(ret, LOG_LINE, "; there is no package.json in the archive");
		else if (n > 0 && !strstr(manifest, wanted))
			(void)snprintf(ret, LOG_LINE,
				       "; it is not in package.json (npm install %.*s)", n, name);
		return;
	}
}
