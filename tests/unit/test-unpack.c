/* SPDX-License-Identifier: MIT */

/*
 * runner/inside/unpack*.c on archives built byte by byte, because no tool writes the hostile ones.
 * For a refusal, the sentence must hold a given part, and for refused names the tree stays empty.
 */

#include "unpack-fixture.h"

#include <dirent.h>
#include <locale.h>

static bool is_empty(const struct fixture *f)
{
	DIR *dir = opendir(f->path);
	unsigned n = 0;

	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n == 2;
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
		cmocka_unit_test(test_names_refused),
		cmocka_unit_test(test_names_accepted),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_not_a_zip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_too_many_entries),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_old_names),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
