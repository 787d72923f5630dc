/* SPDX-License-Identifier: MIT */

/* Sockets of a jail, what listens in it, jails that share a network, relays, and files by name. */

#include "fixture.h"
#include "util/util.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *const listen_8000[] = { "/probe", "listen", "8000", NULL };

static int run_probe(struct sbx_jail *j, const char *name, const char *argument)
{
	const char *argv[] = { "/probe", name, argument, NULL };
	struct sbx_proc *p = fixture_start(j, argv, -1);
	struct sbx_result r = { .size = sizeof(r) };

	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, &r, NULL), 0);
	sbx_proc_free(p);
	return r.exit_code;
}

static void test_listening_and_connecting(void **state)
{
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_listener list[4];
	struct sbx_error err;
	struct sbx_proc *p;
	int fd;

	assert_int_equal(sbx_jail_listening(j, 8000, &err), 0);
	assert_int_equal(sbx_jail_connect(j, 8000, NSEC_PER_SEC, &err), -ECONNREFUSED);
	p = fixture_start(j, listen_8000, -1);
	assert_int_equal(sbx_jail_wait_listening(j, 8000, 30 * NSEC_PER_SEC, p, &err), 0);
	fd = sbx_jail_connect(j, 8000, 30 * NSEC_PER_SEC, &err);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(sbx_jail_listeners(j, list, ARRAY_SIZE(list), &err), 1);
	assert_int_equal(list[0].port, 8000);
	assert_int_equal(list[0].uid, 1000);
	assert_int_equal(list[0].family, AF_INET);
	assert_int_equal(sbx_jail_wait_listening(j, 8001, NSEC_PER_MSEC, p, &err), -ETIMEDOUT);
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_waiting_ends_with_the_program(void **state)
{
	const char *argv[] = { "/probe", "memory", "1", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_proc *p = fixture_start(j, argv, -1);

	assert_int_equal(sbx_jail_wait_listening(j, 8000, UINT64_MAX, p, NULL), -ECHILD);
	sbx_proc_free(p);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* The second jail reaches the first one's port and nothing else of it; a third reaches neither. */
static void test_joined_network(void **state)
{
	struct sbx_jail_options joined = { .size = sizeof(joined), .label = "tester" };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *app = fixture_jail(plan, NULL), *tester, *stranger;
	struct sbx_proc *p = fixture_start(app, listen_8000, -1);

	assert_int_equal(sbx_jail_wait_listening(app, 8000, 30 * NSEC_PER_SEC, p, NULL), 0);
	joined.netns_of = app;
	tester = fixture_jail(plan, &joined);
	stranger = fixture_jail(plan, NULL);
	assert_int_equal(run_probe(tester, "connect", "127.0.0.1:8000"), 0);
	assert_int_equal(run_probe(stranger, "connect", "127.0.0.1:8000"), ECONNREFUSED);
	assert_int_equal(run_probe(app, "write", "/box/secret"), 0);
	assert_int_equal(run_probe(app, "open", "/box/secret"), 0);
	assert_int_equal(run_probe(tester, "open", "/box/secret"), ENOENT);
	/* Process 2 is the listener in one and does not exist in the other: no shared pids. */
	assert_int_equal(run_probe(app, "signal", "2"), 0);
	assert_int_not_equal(run_probe(tester, "see-pid", "3"), 0);
	sbx_jail_free(stranger);
	sbx_jail_free(tester);
	sbx_proc_free(p);
	sbx_jail_free(app);
	sbx_plan_unref(plan);
}

/* Echoes one connection on a unix socket, in a child. */
static pid_t start_echo(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	copy_string(a.sun_path, sizeof(a.sun_path), path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	if (pid == 0) {
		char buf[4096];
		ssize_t n;
		int c;

		(void)alarm(120); /* no orphan, should the test fail */
		c = accept(fd, NULL, NULL);
		while (c >= 0 && (n = read(c, buf, sizeof(buf))) > 0)
			(void)!write(c, buf, (size_t)n);
		_exit(0);
	}
	(void)close(fd);
	return pid;
}

static void exchange(struct sbx_jail *j)
{
	char out[65536], in[65536];
	struct sbx_error err;
	size_t sent = 0, got = 0;
	int fd = sbx_jail_connect(j, 5432, 30 * NSEC_PER_SEC, &err);
	ssize_t n;

	if (fd < 0)
		fail_msg("%s", fixture_error(&err));
	memset(out, 'a', sizeof(out));
	out[sizeof(out) - 1] = 'z';
	while (got < sizeof(in)) {
		if (sent < sizeof(out)) {
			n = write(fd, out + sent, MIN_OF(sizeof(out) - sent, (size_t)4096));
			assert_true(n > 0);
			sent += (size_t)n;
		}
		n = read(fd, in + got, sizeof(in) - got);
		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(in, out, sizeof(out));
	(void)close(fd);
}

static void test_relay_to_a_unix_socket(void **state)
{
	char path[] = "/tmp/sandbox-relay-XXXXXX", socket_path[64];
	struct sbx_forward f = { .size = sizeof(f), .port = 5432 };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_error err;
	pid_t echo;

	assert_non_null(mkdtemp(path));
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/s", path);
	echo = start_echo(socket_path);
	f.unix_path = socket_path;
	if (sbx_jail_forward(j, &f, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	exchange(j);
	sbx_jail_free(j);
	assert_int_equal(waitpid(echo, NULL, 0), echo);
	(void)unlink(socket_path);
	(void)rmdir(path);
	sbx_plan_unref(plan);
}

/* A relay carries so many bytes and no more. */
static void test_relay_is_bounded(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sbx_forward f = {
		.size = sizeof(f), .port = 5432, .host = "127.0.0.1", .bytes = 10000
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client, server, i;
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	socklen_t size = sizeof(a);
	struct sbx_error err;
	size_t got = 0;
	char buf[1000];
	ssize_t n;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	f.host_port = ntohs(a.sin_port);
	if (sbx_jail_forward(j, &f, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	client = sbx_jail_connect(j, 5432, 30 * NSEC_PER_SEC, &err);
	assert_true(client >= 0);
	server = accept(fd, NULL, NULL);
	assert_true(server >= 0);
	memset(buf, 'x', sizeof(buf));
	for (i = 0; i < 20; i++)
		(void)!send(client, buf, sizeof(buf), MSG_NOSIGNAL);
	while ((n = read(server, buf, sizeof(buf))) > 0)
		got += (size_t)n;
	assert_true(got <= 10000 + 65536);
	(void)close(client);
	(void)close(server);
	(void)close(fd);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

/* What a jailed program leaves behind is opened by name from outside: links lead nowhere else. */
static void test_open_stays_in_the_jail(void **state)
{
	const char *link[] = { "/bin/ln", "-s", "/etc/passwd", "/box/link", NULL };
	const char *fifo[] = { "/bin/sh", "-c", "echo inside > /box/file", NULL };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	char in_jail[4096], on_host[4096];
	struct sbx_proc *p;
	int fd, host;
	ssize_t n;

	p = fixture_start(j, link, -1);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, NULL, NULL), 0);
	sbx_proc_free(p);
	p = fixture_start(j, fifo, -1);
	assert_int_equal(sbx_proc_wait(p, UINT64_MAX, NULL, NULL), 0);
	sbx_proc_free(p);
	fd = sbx_jail_open(j, "/box/file", O_RDONLY, NULL);
	assert_true(fd >= 0);
	n = read(fd, in_jail, sizeof(in_jail));
	assert_int_equal(n, 7);
	assert_memory_equal(in_jail, "inside\n", 7);
	(void)close(fd);
	fd = sbx_jail_open(j, "/box/link", O_RDONLY, NULL);
	host = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && host >= 0);
	n = read(fd, in_jail, sizeof(in_jail));
	assert_true(n > 0);
	assert_true(read(host, on_host, sizeof(on_host)) != n ||
		    memcmp(in_jail, on_host, (size_t)n) != 0);
	(void)close(fd);
	(void)close(host);
	assert_int_equal(sbx_jail_open(j, "/proc/self/root/etc", O_RDONLY, NULL) < 0, 1);
	assert_int_equal(sbx_jail_open(j, "/box/nothing", O_RDONLY, NULL), -ENOENT);
	sbx_jail_free(j);
	sbx_plan_unref(plan);
}

static void test_mount_added_later(void **state)
{
	char dir[] = "/tmp/sandbox-mount-XXXXXX", path[64];
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_BIND, .target = "/box/deps" };
	struct sbx_plan *plan = fixture_plan("exec", NULL);
	struct sbx_jail *j = fixture_jail(plan, NULL);
	struct sbx_error err;
	int fd;

	assert_non_null(mkdtemp(dir));
	(void)chmod(dir, 0755);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	(void)close(fd);
	assert_int_equal(run_probe(j, "open", "/box/deps/file"), ENOENT);
	m.source = dir;
	if (sbx_jail_mount(j, &m, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	assert_int_equal(run_probe(j, "open", "/box/deps/file"), 0);
	assert_int_equal(run_probe(j, "write", "/box/deps/new"), EROFS);
	assert_int_equal(run_probe(j, "write", "/box/new"), 0);
	sbx_jail_free(j);
	(void)unlink(path);
	(void)rmdir(dir);
	sbx_plan_unref(plan);
}

static int teardown(void **state)
{
	fixture_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listening_and_connecting),
		cmocka_unit_test(test_waiting_ends_with_the_program),
		cmocka_unit_test(test_joined_network),
		cmocka_unit_test(test_relay_to_a_unix_socket),
		cmocka_unit_test(test_relay_is_bounded),
		cmocka_unit_test(test_open_stays_in_the_jail),
		cmocka_unit_test(test_mount_added_later),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, teardown);
}
