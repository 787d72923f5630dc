/* SPDX-License-Identifier: MIT */

/* runner/inside/records.c: what is written is read back; what breaks a rule ends the stream. */

#include "inside-fixture.h"

static void put_le(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

struct stream {
	uint8_t bytes[65536];
	size_t n;
};

static void add(struct stream *s, uint32_t tag, const void *data, size_t size)
{
	put_le(s->bytes + s->n, tag);
	put_le(s->bytes + s->n + 4, (uint32_t)size);
	if (size > 0)
		memcpy(s->bytes + s->n + 8, data, size);
	s->n += 8 + size;
}

/* Reads to the end; the last answer. */
static int read_all(const struct stream *s, unsigned *ret_frames)
{
	struct records_reader reader;
	struct record record;
	unsigned frames = 0;
	int r;

	assert_int_equal(records_init(&reader, s->bytes, s->n), 0);
	while ((r = records_next(&reader, &record)) > 0)
		frames++;
	if (ret_frames)
		*ret_frames = frames;
	return r;
}

static int read_one(uint32_t tag, const void *data, size_t size)
{
	struct stream s = {};

	add(&s, tag, data, size);
	add(&s, RECORD_END, NULL, 0);
	return read_all(&s, NULL);
}

static void test_round_trip(void **state)
{
	struct fixture f;
	struct records_reader reader;
	struct record record;
	uint32_t files;
	uint64_t bytes;
	char *text;

	fixture_open(&f);
	assert_int_equal(records_put_counts(f.out, 7, 1ull << 40), 0);
	assert_int_equal(records_put_string(f.out, RECORD_NOTE, "two\nlines\tö"), 0);
	assert_int_equal(records_put(f.out, RECORD_MANIFEST, "\0\1", 2), 0);
	assert_int_equal(records_put(f.out, RECORD_END, NULL, 0), 0);
	fixture_load(&f, &reader);
	assert_int_equal(records_next(&reader, &record), 1);
	record_counts(&record, &files, &bytes);
	assert_int_equal(files, 7);
	assert_true(bytes == 1ull << 40);
	assert_int_equal(records_next(&reader, &record), 1);
	text = record_string(&record);
	assert_string_equal(text, "two\nlines\tö");
	free(text);
	assert_int_equal(records_next(&reader, &record), 1);
	assert_int_equal(record.tag, RECORD_MANIFEST);
	assert_int_equal(record.size, 2);
	assert_int_equal(records_next(&reader, &record), 0);
	assert_int_equal(records_next(&reader, &record), 0);
	fixture_close(&f);
}

static void test_every_cut_is_refused(void **state)
{
	struct stream s = {};
	size_t whole;

	add(&s, RECORD_START, "node", 4);
	add(&s, RECORD_HAS_DEPENDENCIES, NULL, 0);
	add(&s, RECORD_END, NULL, 0);
	whole = s.n;
	assert_int_equal(read_all(&s, NULL), 0);
	for (s.n = 0; s.n < whole; s.n++)
		assert_int_equal(read_all(&s, NULL), -EBADMSG);
	s.n = whole + 1;
	assert_int_equal(read_all(&s, NULL), -EBADMSG);
}

static void test_tags_and_sizes(void **state)
{
	static char big[RECORD_MAX_MANIFEST];

	assert_int_equal(read_one(0, NULL, 0), -EBADMSG);
	assert_int_equal(read_one(RECORD_TAGS, NULL, 0), -EBADMSG);
	assert_int_equal(read_one(UINT32_MAX, NULL, 0), -EBADMSG);
	assert_int_equal(read_one(RECORD_PRISMA, "x", 1), -EBADMSG);
	assert_int_equal(read_one(RECORD_COUNTS, "x", 1), -EBADMSG);
	memset(big, 'a', sizeof(big));
	assert_int_equal(read_one(RECORD_NOTE, big, TEXT_MAX), 0);
	assert_int_equal(read_one(RECORD_NOTE, big, TEXT_MAX + 1), -EBADMSG);
	assert_int_equal(records_put(-1, RECORD_MANIFEST, big, sizeof(big)), -EBADF);
	assert_int_equal(records_put(-1, RECORD_NOTE, big, TEXT_MAX + 1), -EINVAL);
}

static void test_texts(void **state)
{
	assert_int_equal(read_one(RECORD_ERROR, "ok \xc3\xb6\n", 6), 0);
	assert_int_equal(read_one(RECORD_ERROR, "a\0b", 3), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\x1b[2J", 4), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\r", 1), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\xc3", 1), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\xc0\x80", 2), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\xed\xa0\x80", 3), -EBADMSG);
	assert_int_equal(read_one(RECORD_ERROR, "\xe2\x80\xae", 3), -EBADMSG); /* U+202E */
	assert_int_equal(read_one(RECORD_START, "", 0), -EBADMSG);
}

static void test_paths(void **state)
{
	static const struct {
		const char *path;
		bool ok;
	} rows[] = {
		{ "a", true },	   { "a/b.sql", true }, { "..a/b..", true }, { "\xc3\xb6/x", true },
		{ "", false },	   { "/a", false },	{ "a/", false },     { "a//b", false },
		{ "..", false },   { "a/../b", false }, { "./a", false },    { "a/.", false },
		{ "a\nb", false }, { "a\tb", false },	{ "\xff", false },
	};
	char part[257] = "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (path_is_clean(rows[i].path, strlen(rows[i].path)) != rows[i].ok)
			fail_msg("%s", rows[i].path);
	memset(part, 'x', 255);
	assert_true(path_is_clean(part, 255));
	part[255] = 'x';
	assert_false(path_is_clean(part, 256));
}

static void test_counts_of_frames(void **state)
{
	struct stream s = {};
	unsigned frames;

	add(&s, RECORD_ERROR, "a", 1);
	add(&s, RECORD_ERROR, "b", 1);
	add(&s, RECORD_END, NULL, 0);
	assert_int_equal(read_all(&s, &frames), -EBADMSG);
	assert_int_equal(frames, 1);
	s.n = 0;
	for (unsigned i = 0; i <= RECORD_MAX_ARGUMENTS; i++)
		add(&s, RECORD_START, "x", 1);
	add(&s, RECORD_END, NULL, 0);
	assert_int_equal(read_all(&s, &frames), -EBADMSG);
	assert_int_equal(frames, RECORD_MAX_ARGUMENTS);
}

static void test_total(void **state)
{
	struct records_reader reader;

	assert_int_equal(records_init(&reader, "", RECORDS_MAX_BYTES), 0);
	assert_int_equal(records_init(&reader, "", RECORDS_MAX_BYTES + 1u), -EMSGSIZE);
}

static void test_quote(void **state)
{
	char text[] = "a\x1b\xff\nb";

	assert_string_equal(QUOTE("a\x1b[0m\n\xff\xc3\xb6"), "a\\x1b[0m\\x0a\\xff\xc3\xb6");
	assert_string_equal(QUOTE("\xe2\x80\xaex"), "\\u{202e}x");
	text_scrub(text);
	assert_string_equal(text, "a ?\nb");
	assert_string_equal(text_bytes(64ull << 20).s, "64 MiB");
	assert_string_equal(text_bytes(1536).s, "1.5 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_every_cut_is_refused),
		cmocka_unit_test(test_tags_and_sizes), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_paths),	       cmocka_unit_test(test_counts_of_frames),
		cmocka_unit_test(test_total),	       cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
