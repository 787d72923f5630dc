/* SPDX-License-Identifier: MIT */

/*
 * The name of an entry made into a path below the tree. Leading "/" and "./" are what browsers
 * write for a dropped folder and are removed; everything else that could lead elsewhere, or that no
 * project needs and a terminal would suffer from, is refused with the name shown.
 *
 * A name that is not UTF-8 was written by a tool that does not say its encoding; the format says
 * code page 437 for these, and what Windows writes in Western Europe (850) has the same letters.
 */

#include "inside/unpack/unpack.h"

#include <ctype.h>

#include "util/util.h"

#define NAME_PART_MAX 255u
#define NAME_MAX_RAW (2 * RECORD_MAX_PATH)

/* 0x80 to 0xff of code page 437. */
static const char *const cp437[128] = {
	"Ç", "ü", "é", "â", "ä", "à", "å", "ç", "ê", "ë", "è", "ï", "î", "ì", "Ä", "Å",
	"É", "æ", "Æ", "ô", "ö", "ò", "û", "ù", "ÿ", "Ö", "Ü", "¢", "£", "¥", "₧", "ƒ",
	"á", "í", "ó", "ú", "ñ", "Ñ", "ª", "º", "¿", "⌐", "¬", "½", "¼", "¡", "«", "»",
	"░", "▒", "▓", "│", "┤", "╡", "╢", "╖", "╕", "╣", "║", "╗", "╝", "╜", "╛", "┐",
	"└", "┴", "┬", "├", "─", "┼", "╞", "╟", "╚", "╔", "╩", "╦", "╠", "═", "╬", "╧",
	"╨", "╤", "╥", "╙", "╘", "╒", "╓", "╫", "╪", "┘", "┌", "█", "▄", "▌", "▐", "▀",
	"α", "ß", "Γ", "π", "Σ", "σ", "µ", "τ", "Φ", "Θ", "Ω", "δ", "∞", "φ", "ε", "∩",
	"≡", "±", "≥", "≤", "⌠", "⌡", "÷", "≈", "°", "∙", "·", "√", "ⁿ", "²", "■", "\u00a0",
};

static void decode_cp437(const char *raw, char *ret)
{
	for (; *raw; raw++) {
		if ((unsigned char)*raw < 0x80)
			*ret++ = *raw;
		else
			ret = stpcpy(ret, cp437[(unsigned char)*raw - 0x80]);
	}
	*ret = '\0';
}

static int check_bytes(const char *raw, size_t n, struct problem *p)
{
	for (size_t at = 0; at < n;) {
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
	char decoded[3 * NAME_MAX_RAW + 1];
	size_t n = strlen(raw), out = 0;
	unsigned depth = 0;
	int r;

	if (n > NAME_MAX_RAW)
		return problem_set(p, "the archive holds \"%s\": a path may have at most %u bytes",
				   QUOTE(raw), RECORD_MAX_PATH);
	if (utf8_valid_prefix(raw, n) < n) {
		decode_cp437(raw, decoded);
		raw = decoded;
		n = strlen(raw);
	}
	r = check_whole(raw, n, windows, p);
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
	return strlen(name) == n && strncasecmp(part, name, n) == 0;
}

/* What file managers and version control leave behind. */
static bool is_litter(const char *part, size_t n)
{
	static const char *const names[] = {
		".git",		".hg",		   ".svn",	   "__MACOSX",	      ".DS_Store",
		"Thumbs.db",	"ehthumbs.db",	   "desktop.ini",  ".AppleDouble",    ".LSOverride",
		".fseventsd",	".Spotlight-V100", ".Trashes",	   ".TemporaryItems",
		"$RECYCLE.BIN",
	};

	if (n > 2 && part[0] == '.' && part[1] == '_')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (part_is(part, n, names[i]))
			return true;
	return false;
}

bool name_is_litter(const char *path)
{
	for (const char *part = path; *part;) {
		size_t n = strcspn(part, "/");

		if (is_litter(part, n))
			return true;
		part += n + (part[n] == '/');
	}
	return false;
}

bool name_is_icon(const char *raw)
{
	size_t n = strlen(raw);

	return n >= 5 && streq(raw + n - 5, "Icon\r") && (n == 5 || raw[n - 6] == '/');
}

bool name_in_modules(const char *path, size_t *ret_end)
{
	for (const char *part = path; *part;) {
		size_t n = strcspn(part, "/");

		if (n == strlen("node_modules") && strncmp(part, "node_modules", n) == 0) {
			*ret_end = (size_t)(part - path) + n;
			return true;
		}
		part += n + (part[n] == '/');
	}
	return false;
}
