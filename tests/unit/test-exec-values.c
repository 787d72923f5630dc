/* SPDX-License-Identifier: MIT */

/* The values of exec's options: runner/run/exec-parse.c. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/program.h"
#include "run/exec-options.h"

/* What a main.c has. */
const struct program program = { .name = "sandbox-run" };

static void test_exec_fds(void **state)
{
	static const struct {
		const char *text;
		int fd, target; /* 0: refused */
	} rows[] = {
		{ "7", 7, 7 },
		{ "0=3", 0, 3 },
		{ "9=1023", 9, 1023 },
		{ "2", 0, 0 },
		{ "7=2", 0, 0 },
		{ "7=1024", 0, 0 },
		{ "=5", 0, 0 },
		{ "5=", 0, 0 },
		{ "-1=5", 0, 0 },
		{ "7=5x", 0, 0 },
		{ "7:5", 0, 0 },
		{ "", 0, 0 },
		{ "99999999999=5", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exec_fd fd = { 0 };
		const char *why;
		int r = exec_parse_fd(rows[i].text, &fd, &why);

		if (r != (rows[i].target ? 0 : -EINVAL) || fd.fd != rows[i].fd ||
		    fd.target != rows[i].target)
			fail_msg("\"%s\": %d, %d=%d", rows[i].text, r, fd.fd, fd.target);
	}
}

static void test_exec_tmpfs(void **state)
{
	static const char *const bad[] = { "/a",   "/a:",    "/a:1",   "a:1M",     ":1M",
					   "/:1M", "/a/:1M", "//a:1M", "/../a:1M", "" };
	struct exec_tmpfs t;
	const char *why;

	assert_int_equal(exec_parse_tmpfs("/a:b:16M", &t, &why), 0);
	assert_string_equal(t.target, "/a:b");
	assert_int_equal(t.bytes, 16 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (exec_parse_tmpfs(bad[i], &t, &why) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_exec_ports(void **state)
{
	static const char *const bad_forward[] = {
		"5432",        "5432=",   "0=1",    "=1",        "65536=1",
		"1=0",         "1=65536", "1=host", "1=:5",      "1=host:",
		"1=host:port", "x=1",     "1=-1",   "1=[::1]80", "1=[]:",
	};
	static const char *const bad_publish[] = { "80", "=80", "80=0", "80=x", ":80=80", "x=80" };
	struct exec_port p;
	const char *why;

	assert_int_equal(exec_parse_forward("5432=[::1]:99", &p, &why), 0);
	assert_int_equal(p.port, 5432);
	assert_int_equal(p.host_port, 99);
	assert_string_equal(p.host, "::1");
	assert_int_equal(exec_parse_forward("1=/run/a=b:c", &p, &why), 0);
	assert_string_equal(p.unix_path, "/run/a=b:c");
	assert_int_equal(exec_parse_forward("1=db.example:2", &p, &why), 0);
	assert_string_equal(p.host, "db.example");
	assert_int_equal(exec_parse_publish("0=8000", &p, &why), 0);
	assert_int_equal(p.host_port, 0);
	assert_int_equal(exec_parse_publish("0.0.0.0:80=8000", &p, &why), 0);
	assert_string_equal(p.host, "0.0.0.0");
	assert_int_equal(exec_parse_publish("/tmp/a=b=8000", &p, &why), 0);
	assert_string_equal(p.unix_path, "/tmp/a=b");
	for (size_t i = 0; i < sizeof(bad_forward) / sizeof(bad_forward[0]); i++)
		if (exec_parse_forward(bad_forward[i], &p, &why) != -EINVAL)
			fail_msg("--forward %s was taken", bad_forward[i]);
	for (size_t i = 0; i < sizeof(bad_publish) / sizeof(bad_publish[0]); i++)
		if (exec_parse_publish(bad_publish[i], &p, &why) != -EINVAL)
			fail_msg("--publish %s was taken", bad_publish[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec_fds),
		cmocka_unit_test(test_exec_tmpfs),
		cmocka_unit_test(test_exec_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
