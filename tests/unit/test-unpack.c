/* SPDX-License-Identifier: MIT */

/*
 * runner/inside/unpack*.c on archives built byte by byte, because no tool writes the hostile ones.
 * For a refusal, the sentence must hold a given part, and for refused names the tree stays empty.
 */

#include "inside-fixture.h"

#include <dirent.h>
#include <locale.h>

#include "inside/unpack/unpack.h"

#define FLAG_UTF8 0x800

struct builder {
	uint8_t body[65536], central[65536];
	size_t n, nc;
	uint16_t entries;
	uint16_t flags, method, made_by; /* of the following entries */
};

static void put(uint8_t *p, size_t *n, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[(*n)++] = (uint8_t)(v >> (8 * i));
}

static void put_bytes(uint8_t *p, size_t *n, const void *data, size_t size)
{
	memcpy(p + *n, data, size);
	*n += size;
}

static uint32_t crc32_of(const char *s, size_t n)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint8_t)s[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void add_named(struct builder *b, const char *name, size_t length, const char *content,
		      unsigned mode)
{
	size_t size = strlen(content), offset = b->n;
	uint32_t crc = crc32_of(content, size);

	put(b->body, &b->n, 0x04034b50, 4);
	put(b->body, &b->n, 20, 2);
	put(b->body, &b->n, b->flags, 2);
	put(b->body, &b->n, b->method, 2);
	put(b->body, &b->n, 0x210000, 4);
	put(b->body, &b->n, crc, 4);
	put(b->body, &b->n, size, 4);
	put(b->body, &b->n, size, 4);
	put(b->body, &b->n, length, 2);
	put(b->body, &b->n, 0, 2);
	put_bytes(b->body, &b->n, name, length);
	put_bytes(b->body, &b->n, content, size);

	put(b->central, &b->nc, 0x02014b50, 4);
	put(b->central, &b->nc, b->made_by, 2);
	put(b->central, &b->nc, 20, 2);
	put(b->central, &b->nc, b->flags, 2);
	put(b->central, &b->nc, b->method, 2);
	put(b->central, &b->nc, 0x210000, 4);
	put(b->central, &b->nc, crc, 4);
	put(b->central, &b->nc, size, 4);
	put(b->central, &b->nc, size, 4);
	put(b->central, &b->nc, length, 2);
	put(b->central, &b->nc, 0, 8);
	put(b->central, &b->nc, (uint64_t)mode << 16, 4);
	put(b->central, &b->nc, offset, 4);
	put_bytes(b->central, &b->nc, name, length);
	b->entries++;
}

static void add(struct builder *b, const char *name, const char *content)
{
	add_named(b, name, strlen(name), content, 0100644);
}

static void start(struct builder *b)
{
	*b = (struct builder){ .made_by = 0x0314 };
}

static int finish(const struct builder *b)
{
	uint8_t end[22];
	size_t n = 0;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	put(end, &n, 0x06054b50, 4);
	put(end, &n, 0, 4);
	put(end, &n, b->entries, 2);
	put(end, &n, b->entries, 2);
	put(end, &n, b->nc, 4);
	put(end, &n, b->n, 4);
	put(end, &n, 0, 2);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->body, b->n), b->n);
	assert_int_equal(write(fd, b->central, b->nc), b->nc);
	assert_int_equal(write(fd, end, n), n);
	return fd;
}

static int raw_archive(const void *bytes, size_t size)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	return fd;
}

static bool is_empty(const struct fixture *f)
{
	DIR *dir = opendir(f->path);
	unsigned n = 0;

	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n == 2;
}

/* Takes `archive`. `reason` NULL: it must be accepted. */
static void expect(struct fixture *f, int archive, const char *reason)
{
	int r = unpack(archive, f->root, f->out, false);
	char *text = fixture_records(f, RECORD_ERROR, true);

	close_fd(archive);
	if (!reason) {
		if (text)
			fail_msg("refused: %s", text);
		assert_int_equal(r, 0);
		return;
	}
	if (!text)
		fail_msg("accepted, expected \"%s\"", reason);
	else if (!strstr(text, reason))
		fail_msg("\"%s\" does not hold \"%s\"", text, reason);
	assert_int_equal(r, 1);
	free(text);
}

static void expect_name(const char *name, size_t length, uint16_t flags, unsigned mode,
			const char *reason)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "ok", "1");
	b.flags = flags;
	add_named(&b, name, length, "2", mode);
	expect(&f, finish(&b), reason);
	if (reason)
		assert_true(is_empty(&f));
	fixture_close(&f);
}

static void test_names_refused(void **state)
{
	static const struct {
		const char *name, *reason;
	} rows[] = {
		{ "../x", "may not leave the folder" },
		{ "a/../../x", "may not leave the folder" },
		{ "a/..", "may not leave the folder" },
		{ "/../x", "may not leave the folder" },
		{ "C:/x", "drive letter" },
		{ "a\nb", "control character" },
		{ "a\x1b[2J", "a\\x1b[2J" },
		{ "a\x7f", "control character" },
		{ "a\xc2\x85", "control character" },
		{ "d/a\\b", "backslash" },
		{ "ok", "twice" },
		{ "./ok", "twice" },
		{ "/ok", "twice" },
		{ "ok/x", "both as a file and as a folder" },
		{ "ok/", "both as a file and as a folder" },
	};
	char name[2048];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_name(rows[i].name, strlen(rows[i].name), 0, 0100644, rows[i].reason);
	expect_name("a\0b", 3, 0, 0100644, "NUL");
	expect_name("a\xff", 2, FLAG_UTF8, 0100644, "cannot be read");
	memset(name, 'x', sizeof(name));
	expect_name(name, 256, 0, 0100644, "255 bytes");
	for (size_t i = 0; i < sizeof(name); i += 2)
		name[i + 1] = '/';
	expect_name(name, 129, 0, 0100644, "64 folders");
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 200 == 199 ? '/' : 'x';
	expect_name(name, 1100, 0, 0100644, "1024 bytes");
}

static void test_names_accepted(void **state)
{
	static const char *const names[] = { "..a", "a..", "...",  "-x",    "a b",  "$(x)", "OK",
					     "a:b", "oké", "/abs", "./dot", "a//b", "a/./b" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_name(names[i], strlen(names[i]), 0, 0100644, NULL);
	if (setlocale(LC_CTYPE, NULL) && strstr(setlocale(LC_CTYPE, NULL), "UTF-8"))
		expect_name("\xe6\x97\xa5/\xc3\xa9", 6, FLAG_UTF8, 0100644, NULL);
}

static void test_types(void **state)
{
	expect_name("link", 4, 0, 0120777, "symbolic link \"link\"");
	expect_name("dev", 3, 0, 0020666, "neither a file nor a folder");
	expect_name("block", 5, 0, 0060666, "neither a file nor a folder");
	expect_name("node_modules/.bin/x", 19, 0, 0120777, NULL);
	expect_name("node_modules", 12, 0, 0120777, NULL);
}

static void test_modes(void **state)
{
	struct fixture f;
	struct builder b;
	struct stat st;

	fixture_open(&f);
	start(&b);
	add_named(&b, "suid", 4, "", 0106777);
	add_named(&b, "plain", 5, "", 0100000);
	add_named(&b, "dir/", 4, "", 0041777);
	(void)umask(022);
	expect(&f, finish(&b), NULL);
	assert_int_equal(fstatat(f.root, "suid", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(fstatat(f.root, "plain", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(fstatat(f.root, "dir", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	fixture_close(&f);
}

static void expect_file(const struct fixture *f, const char *path, const char *content)
{
	char *text = fixture_read(f, path);

	assert_string_equal(text, content);
	free(text);
}

static void test_wrapping_folder(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "/proj/", "");
	add(&b, "/proj/src/a.js", "A");
	add(&b, "__MACOSX/proj/._a", "litter");
	add(&b, ".DS_Store", "litter");
	add(&b, "proj/node_modules/x/index.js", "module");
	add(&b, "proj/.git/config", "git");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	assert_int_equal(faccessat(f.root, "node_modules", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, ".git", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, "__MACOSX", F_OK, 0), -1);
	fixture_expect(&f, RECORD_NOTE,
		       "node_modules in the archive was left out: packages are installed from "
		       "package.json",
		       true);
	fixture_reset(&f);
	start(&b);
	add(&b, "proj/a", "A");
	add(&b, "other", "B");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "proj/a", "A");
	fixture_close(&f);
}

static void test_windows_archive(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	b.made_by = 20;
	add(&b, "proj\\src\\a.js", "A");
	add(&b, "proj\\b.js", "B");
	add(&b, "proj\\empty\\", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	expect_file(&f, "b.js", "B");
	fixture_reset(&f);
	start(&b);
	add(&b, "a\\..\\..\\x", "A");
	expect(&f, finish(&b), "may not leave the folder");
	/* both kinds of separators, as some tools for Windows write them */
	fixture_reset(&f);
	start(&b);
	b.made_by = 20;
	add(&b, "proj/src\\a.js", "A");
	add(&b, "proj/", "");
	add(&b, "proj\\b.js", "B");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/a.js", "A");
	expect_file(&f, "b.js", "B");
	fixture_close(&f);
}

static void test_not_a_zip(void **state)
{
	static const struct {
		const char *bytes, *reason;
	} rows[] = {
		{ "", "empty (0 bytes)" },
		{ "\x1f\x8b........................", ".tar.gz" },
		{ "Rar!........................", "RAR" },
		{ "7z\xbc\xaf'........................", "7z" },
		{ "\r\n<!DOCTYPE html><html></html>", "HTML" },
		{ "hello", "unknown format" },
		{ "PK\3\4..........................", "cut off" },
	};
	struct fixture f;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		expect(&f, raw_archive(rows[i].bytes, strlen(rows[i].bytes)), rows[i].reason);
		fixture_reset(&f);
	}
	fixture_close(&f);
}

/* Any cut, at any byte, is refused without a crash. */
static void test_truncated(void **state)
{
	struct fixture f;
	struct builder b;
	uint8_t whole[1024];
	ssize_t size;
	int fd;

	fixture_open(&f);
	start(&b);
	add(&b, "package.json", "{}");
	add(&b, "a.js", "content");
	fd = finish(&b);
	size = pread(fd, whole, sizeof(whole), 0);
	close_fd(fd);
	for (ssize_t n = 0; n < size; n++) {
		expect(&f, raw_archive(whole, (size_t)n), "the archive");
		assert_true(is_empty(&f));
		fixture_reset(&f);
	}
	fixture_close(&f);
}

/* Every byte of an archive changed in several ways: refused or accepted, but always a whole answer.
 */
static void test_mutations(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff };
	struct fixture f;
	struct builder b;
	uint8_t whole[1024];
	ssize_t size;
	int fd;

	fixture_open(&f);
	start(&b);
	add(&b, "d/a.js", "content");
	add(&b, "d/b.js", "more");
	fd = finish(&b);
	size = pread(fd, whole, sizeof(whole), 0);
	close_fd(fd);
	for (ssize_t i = 0; i < size * (ssize_t)ARRAY_SIZE(changes); i++) {
		uint8_t *byte = &whole[i / (ssize_t)ARRAY_SIZE(changes)];
		uint8_t change = changes[i % (ssize_t)ARRAY_SIZE(changes)];

		*byte ^= change;
		fd = raw_archive(whole, (size_t)size);
		assert_in_range(unpack(fd, f.root, f.out, false), 0, 1);
		free(fixture_records(&f, RECORD_ERROR, true));
		close_fd(fd);
		*byte ^= change;
		fixture_reset(&f);
	}
	fixture_close(&f);
}

static void expect_changed(size_t at, uint8_t value, const char *reason)
{
	struct fixture f;
	struct builder b;
	int fd;

	fixture_open(&f);
	start(&b);
	add(&b, "a.js", "content");
	fd = finish(&b);
	assert_int_equal(pwrite(fd, &value, 1, (off_t)(at < b.n ? at : b.n + at - 1000)), 1);
	expect(&f, fd, reason);
	fixture_close(&f);
}

static void test_damage(void **state)
{
	expect_changed(36, 'X', "cannot be unpacked (ZIP bad CRC"); /* content */
	expect_changed(30, 'b', "does not agree");		    /* the local name */
	expect_changed(1008, 1, "encrypted");  /* flags in the central directory */
	expect_changed(1010, 99, "encrypted"); /* method: AES */
	expect_changed(1010, 12, "compressed with bzip2 (method 12)");
	expect_changed(1010, 9, "compressed with Deflate64 (method 9)");
	expect_changed(1010, 14, "compressed with LZMA (method 14)");
	expect_changed(1010, 77, "compressed with an unusual method (method 77)");
	expect_changed(1022, 1, "overlap"); /* compressed size 64 KiB */
	expect_changed(1043, 1, "missing"); /* local offset beyond the file */
}

static void test_nothing_inside(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	expect(&f, finish(&b), "holds no files");
	fixture_reset(&f);
	start(&b);
	add(&b, "empty/", "");
	expect(&f, finish(&b), "only empty folders");
	fixture_reset(&f);
	start(&b);
	add(&b, "x/inner.ZIP", "");
	add(&b, "x/README.txt", "");
	expect(&f, finish(&b), "holds another archive, \"x/inner.ZIP\"");
	fixture_reset(&f);
	start(&b);
	add(&b, "backup.zip", "");
	add(&b, "server.js", "");
	expect(&f, finish(&b), NULL);
	fixture_reset(&f);
	start(&b);
	add(&b, ".DS_Store", "");
	add(&b, "__MACOSX/._x", "");
	expect(&f, finish(&b), "holds no files");
	fixture_close(&f);
}

/* Parts of a split archive say so in the end record. */
static void test_split(void **state)
{
	static const uint8_t two[2] = { 2, 0 };
	struct fixture f;
	struct builder b;
	int fd;

	fixture_open(&f);
	start(&b);
	add(&b, "a.js", "content");
	fd = finish(&b);
	assert_int_equal(pwrite(fd, two, 2, (off_t)(b.n + b.nc + 4)), 2);
	expect(&f, fd, "one part of several");
	fixture_close(&f);
}

static void test_old_names(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "caf\x82/\x9a\xe1.js", "A");
	add(&b, "package.json", "{}");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "café/Üß.js", "A");
	fixture_close(&f);
}

static void test_litter(void **state)
{
	static const char *const names[] = { "._server.js",  "Icon\r",	  "d/Icon\r",	 "Thumbs.db",
					     "desktop.ini",  "Desktop.ini", ".svn/x",	 ".git/config",
					     "d/.DS_Store",  "__MACOSX/x",  ".Trashes/1", "._d/x" };
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		start(&b);
		add(&b, names[i], "litter");
		add(&b, "server.js", "A");
		expect(&f, finish(&b), NULL);
		expect_file(&f, "server.js", "A");
		assert_int_equal(faccessat(f.root, names[i], F_OK, 0), -1);
		fixture_reset(&f);
	}
	start(&b);
	add(&b, ".env", "A=1");
	add(&b, ".gitignore", "x");
	add(&b, "Icon", "i");
	expect(&f, finish(&b), NULL);
	expect_file(&f, ".env", "A=1");
	expect_file(&f, ".gitignore", "x");
	expect_file(&f, "Icon", "i");
	fixture_close(&f);
}

static void test_line_endings(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "package.json", "{\r\n\"main\": \"a.js\"\r\n}\r\n");
	add(&b, "a.js", "x\r\n");
	add(&b, "start.sh", "#!/bin/sh\r\necho 'a\rb'\r\n\r");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "a.js", "x\r\n");
	expect_file(&f, "start.sh", "#!/bin/sh\necho 'a\rb'\n\r");
	fixture_expect(&f, RECORD_START, "node|a.js", true);
	fixture_close(&f);
}

static void test_wrapped_twice(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "a/b/c/package.json", "{}");
	add(&b, "a/b/c/src/x.js", "X");
	add(&b, "a/.DS_Store", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/x.js", "X");
	fixture_reset(&f);
	start(&b);
	add(&b, "proj/src/server.js", "X");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "src/server.js", "X");
	fixture_close(&f);
}

/* Takes `archive`. */
static void expect_modules(struct fixture *f, int archive, bool used)
{
	assert_int_equal(unpack(archive, f->root, f->out, true), 0);
	close_fd(archive);
	fixture_expect(f, RECORD_NODE_MODULES, used ? "" : NULL, true);
	assert_int_equal(faccessat(f->root, "node_modules/x/index.js", F_OK, 0), used ? 0 : -1);
}

static void add_modules(struct builder *b)
{
	add(b, "p/package.json", "{}");
	add(b, "p/node_modules/x/index.js", "module");
}

static void add_link(struct builder *b, const char *name, const char *target)
{
	add_named(b, name, strlen(name), target, 0120777);
}

static void test_modules_used(void **state)
{
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add_modules(&b);
	add_link(&b, "p/node_modules/.bin/x", "../x/index.js");
	add_link(&b, "p/node_modules/y", "x");
	add_link(&b, "p/node_modules/out", "../package.json");
	add_link(&b, "p/node_modules/far", "../../../etc/passwd");
	add_link(&b, "p/node_modules/abs", "/etc/passwd");
	expect_modules(&f, finish(&b), true);
	expect_file(&f, "node_modules/.bin/x", "module");
	expect_file(&f, "node_modules/y/index.js", "module");
	assert_int_equal(faccessat(f.root, "node_modules/out", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(f.root, "node_modules/far", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(f.root, "node_modules/abs", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	/* a lockfile says better what they should be */
	fixture_reset(&f);
	start(&b);
	add_modules(&b);
	add(&b, "p/yarn.lock", "");
	expect_modules(&f, finish(&b), false);
	/* a file below a link */
	fixture_reset(&f);
	start(&b);
	add_modules(&b);
	add_link(&b, "p/node_modules/y", "x");
	add(&b, "p/node_modules/y/evil.js", "");
	assert_int_equal(unpack(finish(&b), f.root, f.out, true), 1);
	fixture_close(&f);
}

#define SERVER "{\"dependencies\":{\"express\":\"4\"}}"
#define CLIENT "{\"dependencies\":{\"react\":\"18\"}}"

static void test_several_projects(void **state)
{
	static const char note[] = "the project is the folder \"backend\" of the archive; the rest was "
				   "left out";
	struct fixture f;
	struct builder b;

	fixture_open(&f);
	start(&b);
	add(&b, "frontend/package.json", CLIENT);
	add(&b, "frontend/index.js", "");
	add(&b, "backend/package.json", SERVER);
	add(&b, "backend/server.js", "S");
	add(&b, "backend/backend/x", "X");
	add(&b, "README.md", "");
	expect(&f, finish(&b), NULL);
	expect_file(&f, "server.js", "S");
	expect_file(&f, "backend/x", "X");
	assert_int_equal(faccessat(f.root, "frontend", F_OK, 0), -1);
	assert_int_equal(faccessat(f.root, "README.md", F_OK, 0), -1);
	fixture_expect(&f, RECORD_NOTE, note, true);
	fixture_expect(&f, RECORD_START, "node|server.js", true);
	fixture_reset(&f);
	start(&b);
	add(&b, "a/package.json", SERVER);
	add(&b, "b/package.json", SERVER);
	expect(&f, finish(&b), "several projects that could be the server");
	/* a workspace whose root has nothing to start */
	fixture_reset(&f);
	start(&b);
	add(&b, "package.json", "{\"scripts\":{\"start\":\"npm start --prefix apps/api\"}}");
	add(&b, "apps/api/package.json", "{\"scripts\":{\"start\":\"node main.js\"}}");
	add(&b, "apps/api/main.js", "M");
	add(&b, "apps/web/package.json", CLIENT);
	expect(&f, finish(&b), NULL);
	expect_file(&f, "main.js", "M");
	/* what lies at the top is the project as soon as it can be started */
	fixture_reset(&f);
	start(&b);
	add(&b, "package.json", "{\"scripts\":{\"start\":\"node x.js\"}}");
	add(&b, "x.js", "X");
	add(&b, "api/package.json", SERVER);
	expect(&f, finish(&b), NULL);
	expect_file(&f, "x.js", "X");
	fixture_close(&f);
}

static void test_too_many_entries(void **state)
{
	const unsigned n = UNPACK_MAX_ENTRIES + 1;
	struct fixture f;
	struct builder b;
	uint8_t *bytes = calloc(n, 128);
	size_t at = 0, central;

	fixture_open(&f);
	start(&b);
	add(&b, "a", "");
	assert_non_null(bytes);
	put_bytes(bytes, &at, b.body, b.n);
	for (unsigned i = 0; i < n; i++)
		put_bytes(bytes, &at, b.central, b.nc);
	central = at - b.n;
	put(bytes, &at, 0x06054b50, 4);
	put(bytes, &at, 0, 4);
	put(bytes, &at, 1, 2);
	put(bytes, &at, 1, 2);
	put(bytes, &at, central, 4);
	put(bytes, &at, b.n, 4);
	put(bytes, &at, 0, 2);
	expect(&f, raw_archive(bytes, at), "more than 50000 entries");
	free(bytes);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_refused),	cmocka_unit_test(test_names_accepted),
		cmocka_unit_test(test_types),		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_wrapping_folder), cmocka_unit_test(test_windows_archive),
		cmocka_unit_test(test_not_a_zip),	cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutations),	cmocka_unit_test(test_damage),
		cmocka_unit_test(test_nothing_inside),	cmocka_unit_test(test_too_many_entries),
		cmocka_unit_test(test_split),		cmocka_unit_test(test_old_names),
		cmocka_unit_test(test_litter),		cmocka_unit_test(test_line_endings),
		cmocka_unit_test(test_wrapped_twice),	cmocka_unit_test(test_modules_used),
		cmocka_unit_test(test_several_projects),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
