/* SPDX-License-Identifier: MIT */

/* The operator's log: every line is one that its readers can parse, whatever is in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "fleet/ops/log.h"
#include "util/util.h"

static int fd = -1;
static char text[1 << 20];

static int setup(void **state)
{
	fd = memfd_create("log", MFD_CLOEXEC);
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fd = close_fd(fd);
	return 0;
}

/* What was written since the last time. */
static const char *written(void)
{
	ssize_t n = read_full_at(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return text;
}

static json_t *parse_line(const char *line)
{
	json_error_t e;
	json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, &e);

	if (!j)
		fail_msg("%s: %s", e.text, line);
	return j;
}

static const char *member(json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s ? s : "";
}

static void test_json(void **state)
{
	struct log log;
	json_t *j;

	log_init(&log, fd, LOG_FORMAT_JSON, LOG_LEVEL_INFO, "host-1");
	log_job_begin(&log, "job-7", "ada",
		      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	log_stage(&log, "build");
	log_write(&log, LOG_LEVEL_WARNING,
		  LOG_FIELDS(LOG_TEXT("verdict", "A\"C"), LOG_NUMBER("passed", -3)), "judged %s",
		  "it");
	j = parse_line(written());
	assert_string_equal(member(j, "msg"), "judged it");
	assert_string_equal(member(j, "level"), "warning");
	assert_string_equal(member(j, "worker"), "host-1");
	assert_string_equal(member(j, "job"), "job-7");
	assert_string_equal(member(j, "stage"), "build");
	assert_string_equal(member(j, "trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(member(j, "verdict"), "A\"C");
	assert_int_equal(json_integer_value(json_object_get(j, "passed")), -3);
	assert_int_equal(strlen(member(j, "user_hash")), 16);
	assert_int_equal(strlen(member(j, "ts")), strlen("2026-11-23T05:10:09.123Z"));
	json_decref(j);
	assert_null(strstr(text, "ada"));
	log_job_end(&log);
	log_info(&log, "idle");
	assert_null(strstr(written(), "job-7"));
	assert_non_null(strstr(text, "idle"));
}

static void test_hostile_bytes(void **state)
{
	static const char hostile[] =
		"a\nb\r\t\x1b[31m\x01\x7f\xff\xc3(\xed\xa0\x80\"\\\xe2\x80\xae\xc2\x85 z";
	struct log log;
	json_t *j;

	for (int format = LOG_FORMAT_JSON; format <= LOG_FORMAT_TEXT; format++) {
		log_init(&log, fd, (enum log_format)format, LOG_LEVEL_INFO, hostile);
		log_job_begin(&log, hostile, hostile, hostile);
		log_stage(&log, hostile);
		log_write(&log, LOG_LEVEL_INFO, LOG_FIELDS(LOG_TEXT("field", hostile)), "%s",
			  hostile);
		written();
		for (const char *p = text; p[1]; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				fail_msg("byte %02x in %s", *p, text);
		assert_int_equal(text[strlen(text) - 1], '\n');
		if (format != LOG_FORMAT_JSON)
			continue;
		j = parse_line(text);
		assert_int_equal(strncmp(member(j, "msg"), "a\nb\r\t\x1b[31m", 9), 0);
		json_decref(j);
	}
}

/* The longest of everything is still one line, parses, and fits in one atomic write. */
static void test_long(void **state)
{
	static char lots[100000];
	struct log log;

	for (int kind = 0; kind < 3; kind++) {
		memset(lots, kind == 0 ? 'x' : kind == 1 ? '\1' : 0xff, sizeof(lots) - 1);
		log_init(&log, fd, LOG_FORMAT_JSON, LOG_LEVEL_INFO, lots);
		log_job_begin(&log, lots, lots, lots);
		log_stage(&log, lots);
		memset(log.slot, kind == 1 ? '\1' : 'x', sizeof(log.slot) - 1);
		log_write(&log, LOG_LEVEL_INFO,
			  LOG_FIELDS(LOG_TEXT("a", lots), LOG_TEXT("b", lots), LOG_TEXT("c", lots),
				     LOG_TEXT("d", lots), LOG_TEXT("e", lots), LOG_TEXT("f", lots)),
			  "%s", lots);
		json_decref(parse_line(written()));
		assert_true(strlen(text) <= LOG_LINE_MAX);
		assert_non_null(strstr(text, "..."));
		log.format = LOG_FORMAT_TEXT;
		log_write(&log, LOG_LEVEL_INFO,
			  LOG_FIELDS(LOG_TEXT("a", lots), LOG_TEXT("b", lots)), "%s", lots);
		assert_true(strlen(written()) <= LOG_LINE_MAX);
	}
}

static void test_levels(void **state)
{
	enum log_level level;
	enum log_format format;
	struct log log;

	assert_int_equal(log_level_parse("debug", &level), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(log_format_parse("logfmt", &format), 0);
	assert_int_equal(format, LOG_FORMAT_LOGFMT);
	assert_int_equal(log_format_parse("xml", &format), -EINVAL);
	log_init(&log, fd, LOG_FORMAT_LOGFMT, LOG_LEVEL_WARNING, "w");
	log_info(&log, "no");
	log_debug(&log, "no");
	assert_string_equal(written(), "");
	log_warning(&log, "y es");
	log_error(&log, "yes");
	assert_non_null(strstr(written(), "level=warning msg=\"y es\" worker=w\n"));
}

/* A log that cannot be written is no reason to fail, nor does it change errno. */
static void test_no_reader(void **state)
{
	struct log log;

	log_init(&log, -1, LOG_FORMAT_JSON, LOG_LEVEL_INFO, "w");
	errno = ENOTTY;
	log_info(&log, "nobody hears");
	assert_int_equal(errno, ENOTTY);
}

/* Many processes, one pipe: no line is torn. */
static void test_together(void **state)
{
	enum { WRITERS = 4, LINES = 40 };
	struct log log;
	int p[2], lines = 0;
	FILE *from;
	char line[LOG_LINE_MAX + 2], filler[1500];

	memset(filler, 'y', sizeof(filler));
	filler[sizeof(filler) - 1] = '\0';
	assert_int_equal(pipe(p), 0);
	log_init(&log, p[1], LOG_FORMAT_JSON, LOG_LEVEL_INFO, "w");
	for (int i = 0; i < WRITERS; i++) {
		if (fork() == 0) {
			for (int k = 0; k < LINES; k++)
				log_info(&log, "%d %d %s", i, k, filler);
			_exit(0);
		}
	}
	close(p[1]);
	from = fdopen(p[0], "r");
	assert_non_null(from);
	while (fgets(line, sizeof(line), from)) {
		json_decref(parse_line(line));
		lines++;
	}
	(void)fclose(from);
	for (int i = 0; i < WRITERS; i++)
		assert_true(wait(NULL) > 0);
	assert_int_equal(lines, WRITERS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test(test_no_reader),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
