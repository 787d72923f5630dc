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

/* Closes `fd`. */
static void exchange_on(int fd)
{
	char out[65536], in[65536];
	size_t sent = 0, got = 0;
	ssize_t n;

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

static void exchange(struct sbx_jail *j)
{
	struct sbx_error err;
	int fd = sbx_jail_connect(j, 5432, 30 * NSEC_PER_SEC, &err);

	if (fd < 0)
		fail_msg("%s", fixture_error(&err));
	exchange_on(fd);
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

/* A jail in which something echoes on port 7000 ("7000"), or on ::1 alone ("7000/6"). */
struct echo_jail {
	struct sbx_plan *plan;
	struct sbx_jail *jail;
	struct sbx_proc *proc;
};

static struct echo_jail echo_jail(const char *where)
{
	const char *argv[] = { "/probe", "echo-server", where, NULL };
	struct echo_jail e = { .plan = fixture_plan("exec", NULL) };

	e.jail = fixture_jail(e.plan, NULL);
	e.proc = fixture_start(e.jail, argv, -1);
	assert_int_equal(sbx_jail_wait_listening(e.jail, 7000, 30 * NSEC_PER_SEC, e.proc, NULL), 0);
	return e;
}

static void echo_jail_free(struct echo_jail *e)
{
	sbx_proc_free(e->proc);
	sbx_jail_free(e->jail);
	sbx_plan_unref(e->plan);
}

/* Returns what sbx_jail_forward() does; fails the test if that is an error. */
static int publish(struct echo_jail *e, struct sbx_forward f)
{
	struct sbx_error err;
	int r;

	f.size = sizeof(f);
	f.flags = SBX_FORWARD_PUBLISH;
	f.port = 7000;
	r = sbx_jail_forward(e->jail, &f, &err);
	if (r < 0)
		fail_msg("%s", fixture_error(&err));
	return r;
}

static int connect_host(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -errno;
}

static void test_publish_tcp(void **state)
{
	struct echo_jail e = echo_jail("7000");
	struct sbx_forward taken = { .size = sizeof(taken),
				     .flags = SBX_FORWARD_PUBLISH,
				     .port = 7000 };
	int port = publish(&e, (struct sbx_forward){ 0 });

	assert_true(port > 0);
	exchange_on(connect_host(port));
	exchange_on(connect_host(port));
	taken.host_port = (uint16_t)port;
	assert_int_equal(sbx_jail_forward(e.jail, &taken, NULL), -EADDRINUSE);
	assert_int_equal(sbx_jail_kill(e.jail, NULL), 0);
	assert_int_equal(connect_host(port), -ECONNREFUSED);
	taken.host_port = 0;
	assert_int_equal(sbx_jail_forward(e.jail, &taken, NULL), -ECHILD);
	echo_jail_free(&e);
}

static void test_publish_finds_ipv6(void **state)
{
	struct echo_jail e = echo_jail("7000/6");
	int port = publish(&e, (struct sbx_forward){ .host = "localhost" });

	exchange_on(connect_host(port));
	echo_jail_free(&e);
}

/* Nobody answers in the jail: the connection is closed, and the relay goes on. */
static void test_publish_of_nothing(void **state)
{
	struct sbx_forward f = { .size = sizeof(f), .flags = SBX_FORWARD_PUBLISH, .port = 7001 };
	struct echo_jail e = echo_jail("7000");
	int port = sbx_jail_forward(e.jail, &f, NULL), i, fd;
	char byte;

	for (i = 0; i < 2; i++) {
		fd = connect_host(port);
		assert_true(fd >= 0);
		assert_true(read(fd, &byte, 1) <= 0);
		(void)close(fd);
	}
	echo_jail_free(&e);
}

static int connect_path(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	copy_string(a.sun_path, sizeof(a.sun_path), path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void test_publish_unix(void **state)
{
	char dir[] = "/tmp/sandbox-publish-XXXXXX", path[64], other[64];
	struct echo_jail e = echo_jail("7000");
	struct sbx_forward again = {
		.size = sizeof(again), .flags = SBX_FORWARD_PUBLISH, .port = 7000, .unix_path = path
	};
	struct stat st;
	int fd;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(publish(&e, (struct sbx_forward){ .unix_path = path }), 0);
	assert_int_equal(publish(&e, (struct sbx_forward){ .unix_path = other }), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	exchange_on(connect_path(path));
	assert_int_equal(sbx_jail_forward(e.jail, &again, NULL), -EADDRINUSE);
	exchange_on(connect_path(path));
	/* One is removed with the jail; the other is no longer ours by then. */
	assert_int_equal(unlink(other), 0);
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	echo_jail_free(&e);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What a killed caller left behind is in nobody's way; a file that is no socket stays. */
static void test_publish_over_a_dead_socket(void **state)
{
	char dir[] = "/tmp/sandbox-publish-XXXXXX";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct echo_jail e = echo_jail("7000");
	struct sbx_forward again = { .size = sizeof(again),
				     .flags = SBX_FORWARD_PUBLISH,
				     .port = 7000,
				     .unix_path = un.sun_path };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_non_null(mkdtemp(dir));
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	(void)close(fd);
	assert_int_equal(publish(&e, (struct sbx_forward){ .unix_path = un.sun_path }), 0);
	exchange_on(connect_path(un.sun_path));
	echo_jail_free(&e);
	e = echo_jail("7000");
	fd = open(un.sun_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(sbx_jail_forward(e.jail, &again, NULL), -EADDRINUSE);
	echo_jail_free(&e);
	assert_int_equal(unlink(un.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* So many bytes, then the relay is gone. */
static void test_publish_is_bounded_in_bytes(void **state)
{
	struct echo_jail e = echo_jail("7000");
	int port = publish(&e, (struct sbx_forward){ .bytes = 10000 });
	int fd = connect_host(port), i;
	size_t got = 0;
	char buf[1000];
	ssize_t n;

	assert_true(fd >= 0);
	memset(buf, 'x', sizeof(buf));
	for (i = 0; i < 20; i++)
		(void)!send(fd, buf, sizeof(buf), MSG_NOSIGNAL);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		got += (size_t)n;
	assert_true(n == 0 || errno == ECONNRESET);
	assert_true(got <= 10000);
	(void)close(fd);
	/* It ends a moment after the connection. */
	while ((fd = connect_host(port)) >= 0)
		(void)close(fd);
	assert_int_equal(fd, -ECONNREFUSED);
	echo_jail_free(&e);
}

static void test_publish_is_bounded_in_connections(void **state)
{
	struct echo_jail e = echo_jail("7000");
	int port = publish(&e, (struct sbx_forward){ .connections = 1 });
	int first = connect_host(port), second;
	char byte = 'a';

	assert_int_equal(write(first, &byte, 1), 1);
	assert_int_equal(read(first, &byte, 1), 1);
	second = connect_host(port);
	assert_int_equal(write(second, "b", 1), 1);
	/* The first is still served after that, the second is not. */
	assert_int_equal(write(first, &byte, 1), 1);
	assert_int_equal(read(first, &byte, 1), 1);
	assert_int_equal(recv(second, &byte, 1, MSG_DONTWAIT), -1);
	(void)close(first);
	assert_int_equal(read(second, &byte, 1), 1);
	assert_int_equal(byte, 'b');
	(void)close(second);
	echo_jail_free(&e);
}

static struct sbx_forward forward_to(struct echo_jail *e)
{
	return (struct sbx_forward){
		.size = sizeof(struct sbx_forward), .port = 5432, .host_port = 7000, .to = e->jail
	};
}

static void test_forward_to_another_jail(void **state)
{
	struct echo_jail e = echo_jail("7000");
	struct sbx_jail *j = fixture_jail(e.plan, NULL), *freed = fixture_jail(e.plan, NULL);
	struct sbx_forward f = forward_to(&e);
	struct sbx_error err;
	int fd;

	if (sbx_jail_forward(j, &f, &err) < 0 || sbx_jail_forward(freed, &f, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	exchange(j);
	exchange(freed);
	assert_int_equal(run_probe(j, "connect", "127.0.0.1:7000"), ECONNREFUSED);
	sbx_jail_free(freed);
	exchange(j);
	fd = sbx_jail_connect(j, 5432, 30 * NSEC_PER_SEC, NULL);
	assert_true(fd >= 0);
	assert_int_equal(sbx_jail_kill(e.jail, NULL), 0);
	/* The listener was the relay's alone, which is gone by now. */
	assert_int_equal(run_probe(j, "connect", "127.0.0.1:5432"), ECONNREFUSED);
	assert_int_equal(sbx_jail_forward(j, &f, NULL), -ECHILD);
	(void)close(fd);
	sbx_jail_free(j);
	echo_jail_free(&e);
}

static void test_relays_are_few(void **state)
{
	struct echo_jail e = echo_jail("7000"), second = echo_jail("7000");
	struct sbx_jail *j = fixture_jail(e.plan, NULL);
	struct sbx_forward f = forward_to(&e);
	int i;

	for (i = 0; i < 8; i++, f.port++)
		assert_int_equal(sbx_jail_forward(j, &f, NULL), 0);
	assert_int_equal(sbx_jail_forward(j, &f, NULL), -E2BIG);
	f.to = second.jail;
	assert_int_equal(sbx_jail_forward(j, &f, NULL), -E2BIG);
	assert_int_equal(sbx_jail_kill(e.jail, NULL), 0);
	assert_int_equal(sbx_jail_forward(j, &f, NULL), 0);
	sbx_jail_free(j);
	echo_jail_free(&second);
	echo_jail_free(&e);
}

static void test_forward_misuse(void **state)
{
	struct echo_jail e = echo_jail("7000"), other = echo_jail("7000");
	const struct sbx_forward wrong[] = {
		{ .port = 1 },
		{ .host = "localhost", .host_port = 1 },
		{ .port = 1, .host = "localhost" },
		{ .port = 1, .host = "localhost", .host_port = 1, .unix_path = "/x" },
		{ .port = 1, .to = other.jail },
		{ .port = 1, .to = e.jail, .host_port = 1 },
		{ .port = 1, .unix_path = "/x", .connections = 65 },
		{ .port = 1, .unix_path = "/x", .flags = 2 },
		{ .flags = SBX_FORWARD_PUBLISH, .unix_path = "/x" },
		{ .flags = SBX_FORWARD_PUBLISH, .port = 1, .to = other.jail, .host_port = 1 },
		{ .flags = SBX_FORWARD_PUBLISH, .port = 1, .unix_path = "/x", .host_port = 1 },
	};
	struct sbx_forward f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		f = wrong[i];
		f.size = sizeof(f);
		assert_int_equal(sbx_jail_forward(e.jail, &f, NULL), -EINVAL);
	}
	assert_int_equal(access("/x", F_OK), -1);
	echo_jail_free(&other);
	echo_jail_free(&e);
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

int main(void)
{
	const struct fixture_test tests[] = {
		FIXTURE_TEST(test_listening_and_connecting),
		FIXTURE_TEST(test_waiting_ends_with_the_program),
		FIXTURE_TEST(test_joined_network),
		FIXTURE_TEST(test_relay_to_a_unix_socket),
		FIXTURE_TEST(test_relay_is_bounded),
		FIXTURE_TEST(test_publish_tcp),
		FIXTURE_TEST(test_publish_finds_ipv6),
		FIXTURE_TEST(test_publish_of_nothing),
		FIXTURE_TEST(test_publish_unix),
		FIXTURE_TEST(test_publish_over_a_dead_socket),
		FIXTURE_TEST(test_publish_is_bounded_in_bytes),
		FIXTURE_TEST(test_publish_is_bounded_in_connections),
		FIXTURE_TEST(test_forward_to_another_jail),
		FIXTURE_TEST(test_relays_are_few),
		FIXTURE_TEST(test_forward_misuse),
		FIXTURE_TEST(test_open_stays_in_the_jail),
		FIXTURE_TEST(test_mount_added_later),
	};

	return fixture_run("network", tests, ARRAY_SIZE(tests));
}
