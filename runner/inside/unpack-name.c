/* SPDX-License-Identifier: MIT */

/*
 * The name of an entry made into a path below the tree. Leading "/" and "./" are what browsers
 * write for a dropped folder and are removed; everything else that could lead elsewhere, or that no
 * project needs and a terminal would suffer from, is refused with the name shown.
 */

#include "inside/unpack.h"

#include <ctype.h>

#include "util/util.h"

#define NAME_PART_MAX 255u

static int check_bytes(const char *raw, size_t n, struct problem *p)
{
	size_t at = utf8_valid_prefix(raw, n);

	if (at < n)
		return problem_set(p,
				   "the name \"%s\" in the archive is not UTF-8: rename the file "
				   "with plain letters, or make the zip with a current tool",
				   QUOTE(raw));
	for (at = 0; at < n;) {
		uint32_t code = 0;

		at += utf8_sequence((const uint8_t *)raw + at, n - at, &code);
		if (code_is_control(code))
			return problem_set(p,
					   "the name \"%s\" in the archive holds a control "
					   "character: rename the file",
					   QUOTE(raw));
	}
	return 0;
}

static int check_part(const char *raw, const char *part, size_t n, bool first, struct problem *p)
{
	if (n == 2 && part[0] == '.' && part[1] == '.')
		return problem_set(p,
				   "the archive holds \"%s\": names may not leave the folder of "
				   "the project (\"..\")",
				   QUOTE(raw));
	if (first && n == 2 && isalpha((unsigned char)part[0]) && part[1] == ':')
		return problem_set(p,
				   "the archive holds \"%s\": names may not begin with a drive "
				   "letter; zip the folder of the project itself",
				   QUOTE(raw));
	if (n > NAME_PART_MAX)
		return problem_set(p, "the archive holds \"%s\": a name may have at most %u bytes",
				   QUOTE(raw), NAME_PART_MAX);
	return 0;
}

static int check_whole(const char *raw, size_t n, bool windows, struct problem *p)
{
	if (n > 2 * RECORD_MAX_PATH)
		return problem_set(p, "the archive holds \"%s\": a path may have at most %u bytes",
				   QUOTE(raw), RECORD_MAX_PATH);
	if (!windows && memchr(raw, '\\', n))
		return problem_set(p,
				   "the archive holds \"%s\": names may not hold a backslash; "
				   "rename the file",
				   QUOTE(raw));
	return check_bytes(raw, n, p);
}

int name_clean(const char *raw, bool windows, char *ret, bool *ret_directory, struct problem *p)
{
	const char *separators = windows ? "\\/" : "/";
	size_t n = strlen(raw), out = 0;
	unsigned depth = 0;
	int r = check_whole(raw, n, windows, p);

	if (r != 0)
		return r;
	for (size_t at = 0; at < n;) {
		size_t size = strcspn(raw + at, separators);
		const char *part = raw + at;

		at += size + 1;
		if (size == 0 || (size == 1 && part[0] == '.'))
			continue;
		r = check_part(raw, part, size, depth == 0, p);
		if (r != 0)
			return r;
		if (++depth > UNPACK_MAX_DEPTH || out + size + 1 > RECORD_MAX_PATH)
			return problem_set(p,
					   "the archive holds \"%s\": a path may have at most %u "
					   "bytes and %u folders",
					   QUOTE(raw), RECORD_MAX_PATH, UNPACK_MAX_DEPTH);
		if (out > 0)
			ret[out++] = '/';
		memcpy(ret + out, part, size);
		out += size;
	}
	ret[out] = '\0';
	*ret_directory = out == 0 || strchr(separators, raw[n - 1]) != NULL;
	return 0;
}

static bool part_is(const char *part, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(part, name, n) == 0;
}

bool name_is_skipped(const char *path, bool keep_modules, bool *ret_modules)
{
	for (const char *part = path; *part;) {
		size_t n = strcspn(part, "/");

		if (!keep_modules && part_is(part, n, "node_modules")) {
			*ret_modules = true;
			return true;
		}
		if (part_is(part, n, ".git") || part_is(part, n, "__MACOSX") ||
		    part_is(part, n, ".DS_Store") || part_is(part, n, "Thumbs.db"))
			return true;
		part += n + (part[n] == '/');
	}
	return false;
}
