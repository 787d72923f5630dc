/* SPDX-License-Identifier: MIT */

/*
 * What doctor prints: every check is complete, and the switches of a host that forbid jails are
 * found and named. The switches are turned off in namespaces of a child's own (or, where the host's
 * kernel has none, put there as files of a tmpfs over /proc/sys/kernel), never on the host.
 */

#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <util/util.h>
/* cmocka.h wants the above */
#include <cmocka.h>

#define CHECKS_MAX 96 /* doctor's room for them */
#define ORDINARY 65533u

/* The first thing that is wrong with the checks, "" if nothing is. */
static void examine(const struct sbx_check *c, int n, char *ret, size_t size)
{
	ret[0] = '\0';
	for (int i = 0; i < n && !*ret; i++) {
		bool passed = c[i].status == SBX_CHECK_PASS;

		if (!c[i].name[0] || !c[i].found[0])
			(void)snprintf(ret, size, "check %d (%s) says nothing", i, c[i].name);
		else if (c[i].status < SBX_CHECK_PASS || c[i].status > SBX_CHECK_FAIL)
			(void)snprintf(ret, size, "%s: status %d", c[i].name, c[i].status);
		else if (!passed && (!c[i].breaks[0] || !c[i].remedy[0]))
			(void)snprintf(ret, size, "%s: no consequence or no remedy", c[i].name);
		else if (passed && (c[i].breaks[0] || c[i].remedy[0]))
			(void)snprintf(ret, size, "%s: passes and has a remedy", c[i].name);
		else if (strlen(c[i].breaks) == sizeof(c[i].breaks) - 1 ||
			 strlen(c[i].remedy) == sizeof(c[i].remedy) - 1 ||
			 strlen(c[i].name) == sizeof(c[i].name) - 1)
			(void)snprintf(ret, size, "%s: a text is cut", c[i].name);
		for (int k = 0; k < i; k++)
			if (streq(c[i].name, c[k].name))
				(void)snprintf(ret, size, "%s: twice", c[i].name);
	}
}

static const struct sbx_check *find(const struct sbx_check *c, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (streq(c[i].name, name))
			return &c[i];
	return NULL;
}

static void test_complete(void **state)
{
	struct sbx_check checks[CHECKS_MAX];
	int n = sbx_probe(checks, CHECKS_MAX);
	char wrong[128];

	(void)state;
	assert_in_range(n, 30, CHECKS_MAX);
	examine(checks, n, wrong, sizeof(wrong));
	assert_string_equal(wrong, "");
}

static void test_room(void **state)
{
	struct sbx_check checks[3];
	int n;

	(void)state;
	memset(checks, 0x55, sizeof(checks));
	n = sbx_probe(checks, 2);
	assert_in_range(n, 30, CHECKS_MAX);
	assert_string_equal(checks[0].name, "kernel");
	assert_int_not_equal(checks[1].name[0], 0x55);
	assert_int_equal(checks[2].name[0], 0x55);
	assert_int_equal(sbx_probe(NULL, 0), n);
}

/* ---------------------------------------------------------- in a child of its own */

struct scene {
	bool (*prepare)(void);
	const char *check; /* has this status, and says `found`, and its remedy says `remedy` */
	int status;
	const char *found, *remedy;
};

static bool write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static void report(int to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void report(int to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vdprintf(to, fmt, ap);
	va_end(ap);
}

static void child(const struct scene *s, int to)
{
	struct sbx_check checks[CHECKS_MAX];
	const struct sbx_check *c;
	char wrong[128];
	int n;

	if (!s->prepare()) {
		report(to, "cannot be prepared: %s", strerror(errno));
		return;
	}
	n = sbx_probe(checks, CHECKS_MAX);
	examine(checks, n, wrong, sizeof(wrong));
	c = find(checks, n, s->check);
	if (wrong[0])
		report(to, "%s", wrong);
	else if (!c)
		report(to, "%s is missing", s->check);
	else if (c->status != s->status || !strstr(c->found, s->found) ||
		 !strstr(c->remedy, s->remedy))
		report(to, "%s: status %d, found \"%s\", remedy \"%s\"", s->check, c->status,
		       c->found, c->remedy);
}

/* A pid namespace is entered by children only. */
static void grandchild(const struct scene *s, int to)
{
	pid_t pid = fork();

	if (pid == 0) {
		child(s, to);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		report(to, "fork: %s", strerror(errno));
}

static void play(const struct scene *s, bool (*outer)(void))
{
	char said[512] = "";
	int pipe_fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (outer && !outer())
			report(pipe_fds[1], "cannot be prepared: %s", strerror(errno));
		else if (outer)
			grandchild(s, pipe_fds[1]);
		else
			child(s, pipe_fds[1]);
		_exit(0);
	}
	(void)close(pipe_fds[1]);
	n = read(pipe_fds[0], said, sizeof(said) - 1);
	(void)close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(n >= 0);
	assert_string_equal(said, "");
}

/* Root there, nobody outside. */
static bool enter_namespaces(int flags)
{
	char uids[64], gids[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | flags) < 0)
		return false;
	(void)snprintf(uids, sizeof(uids), "0 %u 1", (unsigned int)uid);
	(void)snprintf(gids, sizeof(gids), "0 %u 1", (unsigned int)gid);
	return write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", uids) && write_text("/proc/self/gid_map", gids);
}

static bool ordinary_user(void)
{
	return geteuid() != 0 || setresuid(ORDINARY, ORDINARY, ORDINARY) == 0;
}

static bool no_more_userns(void)
{
	return enter_namespaces(0) && write_text("/proc/sys/user/max_user_namespaces", "0");
}

static bool no_more_netns(void)
{
	return enter_namespaces(0) && write_text("/proc/sys/user/max_net_namespaces", "0");
}

static bool new_pid_namespace(void)
{
	return enter_namespaces(CLONE_NEWPID);
}

static bool no_executable_memfd(void)
{
	return write_text("/proc/sys/vm/memfd_noexec", "2");
}

static bool kernel_settings(const char *name, const char *value)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/kernel/%s", name);
	return enter_namespaces(CLONE_NEWNS) &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/proc/sys/kernel", "tmpfs", 0, NULL) == 0 && write_text(path, value);
}

static bool debians_switch(void)
{
	return kernel_settings("unprivileged_userns_clone", "0\n");
}

static bool ubuntus_switch(void)
{
	return kernel_settings("apparmor_restrict_unprivileged_userns", "1\n");
}

static void test_ordinary_user(void **state)
{
	static const struct scene s = { ordinary_user, "privilege", SBX_CHECK_WARN, "uid ",
					"sudo" };

	(void)state;
	play(&s, NULL);
}

static void test_max_user_namespaces(void **state)
{
	static const struct scene s = { no_more_userns, "user-namespaces", SBX_CHECK_FAIL,
					"user.max_user_namespaces = 0",
					"sysctl -w user.max_user_namespaces=" };

	(void)state;
	play(&s, NULL);
}

static void test_max_net_namespaces(void **state)
{
	static const struct scene s = { no_more_netns, "namespaces", SBX_CHECK_FAIL,
					"user.max_net_namespaces = 0",
					"sysctl -w user.max_net_namespaces=" };

	(void)state;
	play(&s, NULL);
}

static void test_memfd_noexec(void **state)
{
	static const struct scene s = { no_executable_memfd, "memfd", SBX_CHECK_FAIL,
					"vm.memfd_noexec = 2", "sysctl -w vm.memfd_noexec=1" };

	(void)state;
	if (access("/proc/sys/vm/memfd_noexec", W_OK) < 0)
		skip(); /* before 6.3, or not as root */
	play(&s, new_pid_namespace);
}

static void test_unprivileged_userns_clone(void **state)
{
	static const struct scene s = { debians_switch, "userns-clone", SBX_CHECK_FAIL,
					"kernel.unprivileged_userns_clone = 0",
					"sysctl -w kernel.unprivileged_userns_clone=1" };

	(void)state;
	play(&s, NULL);
}

static void test_apparmor(void **state)
{
	static const struct scene s = { ubuntus_switch, "apparmor", SBX_CHECK_FAIL,
					"kernel.apparmor_restrict_unprivileged_userns = 1",
					"apparmor_parser" };

	(void)state;
	play(&s, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_ordinary_user),
		cmocka_unit_test(test_max_user_namespaces),
		cmocka_unit_test(test_max_net_namespaces),
		cmocka_unit_test(test_memfd_noexec),
		cmocka_unit_test(test_unprivileged_userns_clone),
		cmocka_unit_test(test_apparmor),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
