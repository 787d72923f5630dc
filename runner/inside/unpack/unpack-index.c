/* SPDX-License-Identifier: MIT */

/*
 * A look at the archive before libarchive gets it: is it a zip at all, is it whole, and is the
 * central directory of a size that is worth reading? libarchive builds a tree of all entries when
 * it opens the file, so a million of them must be refused here. Names are compared between the
 * central directory and the local headers, because tools disagree on which of the two counts.
 *
 * Nothing else is taken from here: names and types that are acted upon come from libarchive.
 */

#include "inside/unpack/unpack.h"

#include "util/util.h"

#define EOCD_SIZE 22u
#define EOCD64_SIZE 56u
#define LOCATOR_SIZE 20u
#define CENTRAL_SIZE 46u
#define LOCAL_SIZE 30u
#define METHOD_STORED 0
#define METHOD_DEFLATED 8
#define METHOD_AES 99
#define FLAG_ENCRYPTED (1u << 0 | 1u << 6 | 1u << 13)

struct walk {
	const struct zip *zip;
	struct problem *p;
	uint64_t start, end; /* of the central directory */
	uint64_t moved;	     /* bytes before the archive which its offsets do not count */
	uint64_t compressed;
	const uint8_t *slash, *backslash; /* the first entries with one in their name */
	bool unix_backslash; /* an archiver that knows "/" wrote a backslash */
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool starts(const struct zip *zip, const char *magic, size_t n)
{
	return zip->size >= n && memcmp(zip->bytes, magic, n) == 0;
}

static const char *other_format(const struct zip *zip)
{
	size_t i = 0;

	if (starts(zip, "\x1f\x8b", 2))
		return "a .tar.gz or .gz file";
	if (starts(zip, "Rar!", 4))
		return "a RAR archive";
	if (starts(zip, "7z\xbc\xaf", 4))
		return "a 7z archive";
	if (starts(zip, "BZh", 3))
		return "a bzip2 file";
	if (starts(zip,
		   "\xfd"
		   "7zXZ",
		   5))
		return "an xz file";
	if (zip->size >= 262 && memcmp(zip->bytes + 257, "ustar", 5) == 0)
		return "a tar archive";
	while (i < zip->size && i < 64 && strchr(" \t\r\n\xef\xbb\xbf", zip->bytes[i]))
		i++;
	if (i < zip->size && zip->bytes[i] == '<')
		return "an HTML or XML page";
	return NULL;
}

static int not_a_zip(const struct zip *zip, struct problem *p)
{
	const char *format;

	if (zip->size == 0)
		return problem_set(p, "the archive is empty (0 bytes): upload the project as a "
				      ".zip file");
	if (starts(zip, "PK\3\4", 4))
		return problem_set(p,
				   "the archive is cut off: it begins like a zip, but its table of "
				   "contents is missing after %zu bytes; make the zip again and "
				   "upload it whole",
				   zip->size);
	format = other_format(zip);
	return problem_set(p, "the archive is %s, not a zip: upload the project as a .zip file",
			   format ? format : "in an unknown format");
}

/* The last end record whose comment reaches at most to the end of the file, as libarchive does. */
static const uint8_t *find_end(const struct zip *zip)
{
	size_t tail = MIN_OF(zip->size, (size_t)EOCD_SIZE + 65535);

	for (size_t back = EOCD_SIZE; back <= tail; back++) {
		const uint8_t *p = zip->bytes + zip->size - back;

		if (memcmp(p, "PK\5\6", 4) == 0 && EOCD_SIZE + (size_t)le16(p + 20) <= back)
			return p;
	}
	return NULL;
}

static bool is_central(const struct zip *zip, uint64_t at)
{
	return at + 4 <= zip->size && memcmp(zip->bytes + at, "PK\1\2", 4) == 0;
}

/* A zip64 end record replaces the numbers of the ordinary one. */
static void read_zip64(struct walk *w, const uint8_t *end, uint64_t *size, uint64_t *offset)
{
	const struct zip *zip = w->zip;
	uint64_t at;

	if (end - zip->bytes < (ptrdiff_t)LOCATOR_SIZE ||
	    memcmp(end - LOCATOR_SIZE, "PK\6\7", 4) != 0)
		return;
	at = le64(end - LOCATOR_SIZE + 8);
	if (at > zip->size || zip->size - at < EOCD64_SIZE ||
	    memcmp(zip->bytes + at, "PK\6\6", 4) != 0)
		return;
	*size = le64(zip->bytes + at + 40);
	*offset = le64(zip->bytes + at + 48);
	w->end = at;
}

static int find_directory(struct walk *w, const uint8_t *end)
{
	uint64_t size = le32(end + 12), offset = le32(end + 16);

	w->end = (uint64_t)(end - w->zip->bytes);
	if (le16(end + 4) != 0 && le16(end + 4) != UINT16_MAX)
		return problem_set(w->p,
				   "the archive is one part of several (.z01, .z02 ...): make "
				   "one zip that is not split");
	read_zip64(w, end, &size, &offset);
	if (size == 0)
		return problem_set(w->p, "the archive holds no files: zip the folder of the "
					 "project");
	if (size > w->end || offset > w->end)
		return problem_set(w->p, "the archive is damaged: its table of contents lies "
					 "outside of the file; make the zip again");
	w->start = offset;
	if (!is_central(w->zip, offset) && is_central(w->zip, w->end - size)) {
		w->start = w->end - size;
		w->moved = w->start - offset;
	}
	return 0;
}

static int check_local(struct walk *w, const uint8_t *central, struct quoted name)
{
	uint64_t at = le32(central + 42);
	uint16_t length = le16(central + 28);
	const uint8_t *local;

	if (at == UINT32_MAX)
		return 0;
	at += w->moved;
	if (at + LOCAL_SIZE + length > w->zip->size)
		return problem_set(w->p,
				   "the archive is cut off or damaged: the contents of \"%s\" are "
				   "missing; make the zip again",
				   name.s);
	local = w->zip->bytes + at;
	if (memcmp(local, "PK\3\4", 4) != 0 || le16(local + 26) != length ||
	    memcmp(local + LOCAL_SIZE, central + CENTRAL_SIZE, length) != 0)
		return problem_set(w->p,
				   "the archive is damaged: its table of contents does not agree "
				   "with the entry \"%s\"; make the zip again",
				   name.s);
	return 0;
}

/* The high byte of "version made by": FAT, NTFS or VFAT. */
static bool made_on_windows(const uint8_t *central)
{
	return central[5] == 0 || central[5] == 10 || central[5] == 11 || central[5] == 14;
}

/* NULL: deflated or stored, which is all that is accepted. */
static const char *method_problem(uint16_t method)
{
	switch (method) {
	case METHOD_STORED:
	case METHOD_DEFLATED:
		return NULL;
	case 9:
		return "Deflate64";
	case 12:
		return "bzip2";
	case 14:
		return "LZMA";
	case 93:
		return "Zstandard";
	case 95:
		return "xz";
	case 98:
		return "PPMd";
	default:
		return "an unusual method";
	}
}

static int check_name(struct walk *w, const uint8_t *central, struct quoted name)
{
	const char *s = (const char *)central + CENTRAL_SIZE;
	size_t n = le16(central + 28);

	if (n == 0)
		return problem_set(w->p, "the archive holds an entry without a name; make the zip "
					 "again");
	if (memchr(s, '\0', n))
		return problem_set(w->p,
				   "the archive holds \"%s\", a name with a NUL byte: rename the "
				   "file",
				   name.s);
	if (!w->slash && memchr(s, '/', n))
		w->slash = central;
	if (memchr(s, '\\', n)) {
		w->backslash = w->backslash ? w->backslash : central;
		w->unix_backslash |= !made_on_windows(central);
	}
	return 0;
}

static int check_entry(struct walk *w, const uint8_t *central)
{
	const char *s = (const char *)central + CENTRAL_SIZE;
	uint16_t flags = le16(central + 8), method = le16(central + 10);
	struct quoted name = text_quote(s, le16(central + 28));
	int r;

	r = check_name(w, central, name);
	if (r != 0)
		return r;
	if ((flags & FLAG_ENCRYPTED) || method == METHOD_AES)
		return problem_set(w->p,
				   "the archive is encrypted (\"%s\"): make the zip without a "
				   "password",
				   name.s);
	if (method_problem(method))
		return problem_set(w->p,
				   "\"%s\" is compressed with %s (method %u): make the zip with "
				   "the ordinary method, Deflate",
				   name.s, method_problem(method), method);
	if (le32(central + 20) != UINT32_MAX)
		w->compressed += le32(central + 20);
	if (w->compressed > w->zip->size)
		return problem_set(w->p,
				   "the archive is forged: its entries overlap (at \"%s\"); make "
				   "the zip with an ordinary tool",
				   name.s);
	return check_local(w, central, name);
}

static int walk_directory(struct walk *w, uint32_t *ret_entries)
{
	uint64_t at = w->start;
	uint32_t n = 0;

	while (at + CENTRAL_SIZE <= w->end && is_central(w->zip, at)) {
		const uint8_t *central = w->zip->bytes + at;
		uint64_t size = CENTRAL_SIZE + (uint64_t)le16(central + 28) + le16(central + 30) +
				le16(central + 32);
		int r;

		if (size > w->end - at)
			break;
		if (++n > UNPACK_MAX_ENTRIES)
			return problem_set(w->p,
					   "the archive holds more than %u entries: leave out "
					   "node_modules, build output and other generated files",
					   UNPACK_MAX_ENTRIES);
		r = check_entry(w, central);
		if (r != 0)
			return r;
		at += size;
	}
	if (n == 0 || (at < w->end && memcmp(w->zip->bytes + at, "PK\5\5", 4) != 0))
		return problem_set(w->p,
				   "the archive is damaged: its table of contents breaks off after "
				   "%u entries; make the zip again",
				   n);
	*ret_entries = n;
	return 0;
}

int zip_check(const struct zip *zip, struct zip_index *ret, struct problem *p)
{
	struct walk w = { .zip = zip, .p = p };
	const uint8_t *end = find_end(zip);
	uint32_t n = 0;
	int r;

	if (!end)
		return not_a_zip(zip, p);
	r = find_directory(&w, end);
	if (r == 0)
		r = walk_directory(&w, &n);
	if (r != 0)
		return r;
	if (w.slash && w.unix_backslash)
		return problem_set(
			p,
			"the archive holds \"%s\": names may not hold a backslash; rename the file",
			text_quote((const char *)w.backslash + CENTRAL_SIZE, le16(w.backslash + 28))
				.s);
	*ret = (struct zip_index){ .entries = n, .windows = w.backslash != NULL };
	return 0;
}
