/* SPDX-License-Identifier: MIT */
#include "deps/npm-errors.h"

#include "pipeline/clean.h"
#include "util/util.h"

#define ERROR_TEXT 360

/* What npm said: the value of its line "npm error code X", "" if there is none. */
void npm_error_code(const char *log, char *ret, size_t size)
{
	static const char mark[] = "npm error code ";
	const char *at = strstr(log, mark);

	(void)snprintf(ret, size, "%.*s", at ? (int)strcspn(at + strlen(mark), "\r\n") : 0,
		       at ? at + strlen(mark) : "");
}

/* Lines that tell the student nothing, by how they begin. */
static bool is_noise(const char *line)
{
	/* clang-format off */
	static const char *const noise[] = {
		"code ", "errno ", "404\n", "A complete log", "Clean install a project",
		"`npm ci` can only", "Note that you can", "tarball, folder,", "In most cases",
		"a package version that",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(noise); i++) {
		if (starts_with(line, noise[i]))
			return true;
	}
	return false;
}

/* npm repeats a word of its code before each line: "404  'x@1' is not in this registry." */
static const char *skip_tag(const char *line)
{
	static const char *const tags[] = { "404 ", "notarget ", "ERESOLVE " };

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if (starts_with(line, tags[i]))
			line += strlen(tags[i]);
	}
	return line + strspn(line, " ");
}

/* What npm says went wrong, on one line, without its prefixes and its usage. */
char *npm_error_text(const char *log)
{
	static const char mark[] = "npm error ";
	_cleanup_free_ char *text = calloc(1, ERROR_TEXT + 1);
	size_t used = 0;

	for (const char *line = log; text && *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *say;
		size_t n;

		if (!starts_with(line, mark))
			continue;
		say = skip_tag(line + strlen(mark));
		n = strcspn(say, "\n");
		if (starts_with(say, "Usage:"))
			break;
		if (n == 0 || is_noise(say) || used + n + 1 > ERROR_TEXT)
			continue;
		if (used > 0)
			text[used++] = ' ';
		memcpy(text + used, say, n);
		used += n;
	}
	return text ? clean_line(text, used, ERROR_TEXT) : NULL;
}

/*
 * npm names the digest that it wanted, not the package; the lockfile has both. Its bytes are only
 * searched: the last "node_modules/NAME" in front of the digest. NULL: not found, or out of memory.
 */
char *npm_package_of_digest(const char *lockfile, size_t size, const char *log)
{
	static const char mark[] = ": wanted ", key[] = "\"node_modules/";
	const char *wanted = strstr(log, mark), *at, *name = NULL, *end;
	size_t n;

	if (!wanted)
		return NULL;
	wanted += strlen(mark);
	n = strcspn(wanted, " \n");
	end = n > 16 ? memmem(lockfile, size, wanted, n) : NULL;
	if (!end)
		return NULL;
	for (at = lockfile; (at = memmem(at, (size_t)(end - at), key, strlen(key))); at++)
		name = at + strlen(key);
	at = name ? memchr(name, '"', (size_t)(end - name)) : NULL;
	return at ? clean_line(name, (size_t)(at - name), 200) : NULL;
}

bool npm_error_is_students(const char *code)
{
	/* clang-format off */
	static const char *const students[] = {
		"E404", "E403", "E405", "ETARGET", "ENOVERSIONS", "EINTEGRITY", "EUSAGE",
		"ERESOLVE", "EJSONPARSE", "EBADENGINE", "EBADPLATFORM", "EINVALIDPACKAGENAME",
		"EINVALIDTAGNAME", "EUNSUPPORTEDPROTOCOL", "EOVERRIDE", "ENOLOCK", "EALLOWGIT",
		"EALLOWREMOTE", "ENOGIT", "TAR_BAD_ARCHIVE", "EBADNAME", "ECYCLE",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(students); i++) {
		if (streq(code, students[i]))
			return true;
	}
	return false;
}
