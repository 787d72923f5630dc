/* SPDX-License-Identifier: MIT */

/*
 * What a jail refuses, and that the refusal is the jail's: each probe fails in the jail with the
 * errno that is named and succeeds in its control, on the host or in a jail whose policy allows it.
 */

#include "fixture.h"
#include "util/util.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

enum control { ON_HOST, ON_HOST_UNSHARED, IN_JAIL };

struct denial {
	const char *what;
	const char *name;
	const char *argument;
	int error; /* exit status in the jail; negative: the signal that kills it */
	enum control control;
	const char *setting; /* IN_JAIL: the key that allows it */
	const char *deny;    /* a key that makes the jail under test refuse it */
};

static const struct denial denials[] = {
	{ "a mount", "mount", "/tmp", EPERM, ON_HOST_UNSHARED },
	{ "a user namespace by unshare", "unshare", "", EPERM, ON_HOST },
	{ "a user namespace by clone", "clone-newuser", "", EPERM, ON_HOST },
	{ "clone3, whose flags no filter can see", "clone3", "", ENOSYS, ON_HOST },
	{ "ptrace of a child", "ptrace", "", EPERM, ON_HOST },
	{ "a kernel key", "keyctl", "", EPERM, ON_HOST },
	{ "bpf", "bpf", "", EPERM, ON_HOST },
	{ "the ninth inotify instance, of those that all of a user share", "inotify", "9", EMFILE,
	  ON_HOST },
	{ "io_uring", "io_uring", "", ENOSYS, ON_HOST },
	{ "memfd_create", "memfd", "", ENOSYS, ON_HOST },
	{ "userfaultfd", "userfaultfd", "", EPERM, ON_HOST },
	{ "setuid(0)", "setuid", "", EPERM, ON_HOST },
	{ "chroot", "chroot", "", EPERM, ON_HOST },
	{ "a vsock socket", "vsock", "", EAFNOSUPPORT, ON_HOST },
	{ "a vsock socket behind bit 32", "vsock-high-bit", "", EAFNOSUPPORT, ON_HOST },
	{ "a packet socket", "packet", "", EAFNOSUPPORT, ON_HOST },
	{ "the i386 system calls", "i386", "", -SIGSYS, ON_HOST },
	{ "any capability", "capabilities", "", EPERM, ON_HOST },
	{ "new privileges by execve", "new-privileges", "", EPERM, ON_HOST },
	{ "the host's /etc/shadow", "open", "/etc/shadow", ENOENT, ON_HOST },
	{ "the host's /root", "open", "/root", ENOENT, ON_HOST },
	{ "the host's processes", "open", "/proc/1/status", ENOENT, ON_HOST },
	{ "kernel settings", "open", "/proc/sys/kernel/hostname", ENOENT, ON_HOST },
	{ "sysfs", "open", "/sys/kernel", ENOENT, ON_HOST },
	{ "writing to /usr", "write", "/usr/sandbox-probe", EROFS, IN_JAIL, "cwd=/box" },
	{ "writing to the root", "write", "/sandbox-probe", EROFS, IN_JAIL, "cwd=/box" },
	{ "a device node", "mknod", "/box/null", EPERM, ON_HOST },
	{ "the 40th process", "forks", "40", EAGAIN, IN_JAIL, "pids=64", "pids=16" },
	{ "the 17th mebibyte of disk", "fill", "/box/f:17", ENOSPC, IN_JAIL, "disk=32M",
	  "disk=16M" },
	{ "the 200th file", "files", "/box:200", ENOSPC, IN_JAIL, "disk_inodes=400",
	  "disk_inodes=100" },
	{ "a file over fsize", "fill", "/box/f:3", -SIGXFSZ, IN_JAIL, "fsize=4M", "fsize=2M" },
	{ "memory over the limit", "memory", "700", -SIGKILL, IN_JAIL, "memory=1G", "memory=16M" },
};

static int ended(const struct sbx_result *r)
{
	return r->term_signal ? -r->term_signal : r->exit_code;
}

static int run_control(const struct denial *d)
{
	const char *settings[] = { d->setting, NULL };
	struct sbx_result r;
	const char *argument = d->argument;
	char path[64];
	int status;

	if (d->control == IN_JAIL) {
		/* The same open succeeds one directory away, where the policy lets it write. */
		if (streq(d->name, "write"))
			argument = "/box/sandbox-probe";
		r = fixture_probe("exec", settings, d->name, argument);
		return ended(&r);
	}
	if (streq(d->name, "mknod")) {
		(void)snprintf(path, sizeof(path), "/tmp/sandbox-probe-%d", (int)getpid());
		argument = path;
	}
	status = fixture_host(d->name, argument, d->control == ON_HOST_UNSHARED);
	if (streq(d->name, "mknod"))
		(void)unlink(path);
	return status;
}

static void test_denial(void **state)
{
	const struct denial *d = *state;
	const char *settings[] = { d->deny, NULL };
	struct sbx_result r = fixture_probe("exec", settings, d->name, d->argument);
	int control;

	if (ended(&r) != d->error)
		fail_msg("in the jail %s ended with %d (%s), not %d", d->what, ended(&r),
			 ended(&r) > 0 ? strerror(ended(&r)) : "signal", d->error);
	control = run_control(d);
	/* An ordinary user may not do it anywhere: that it is the jail that denies is root's lane. */
	if (control && fixture_is_user() && d->control != IN_JAIL)
		return;
	if (control)
		fail_msg("where it is allowed %s still fails with %d (%s): the denial proves "
			 "nothing",
			 d->what, control, strerror(control));
}

/* Descriptors of the caller, made on purpose without close-on-exec. */
static void test_no_descriptor_of_the_caller(void **state)
{
	struct sbx_result r;
	int fd = dup(STDOUT_FILENO);

	assert_true(fd > 2);
	r = fixture_probe("exec", NULL, "extra-fds", "");
	assert_int_equal(r.exit_code, EBADF);
	assert_int_equal(fixture_host("extra-fds", "", false), 0);
	(void)close(fd);
}

/* A listener on the host's loopback: reachable there, not from the jail. */
static void test_no_network_of_the_host(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sbx_result r;
	char where[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	(void)snprintf(where, sizeof(where), "127.0.0.1:%u", ntohs(a.sin_port));
	assert_int_equal(fixture_host("connect", where, false), 0);
	r = fixture_probe("exec", NULL, "connect", where);
	assert_int_equal(r.exit_code, ECONNREFUSED);
	(void)close(fd);
	r = fixture_probe("exec", NULL, "connect", "169.254.169.254:80");
	assert_int_equal(r.exit_code, ENETUNREACH);
}

static void test_no_process_of_the_host(void **state)
{
	char pid[16];
	struct sbx_result r;

	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(fixture_host("signal", pid, false), 0);
	assert_int_equal(fixture_host("see-pid", pid, false), 0);
	r = fixture_probe("exec", NULL, "signal", pid);
	assert_int_equal(r.exit_code, ESRCH);
	r = fixture_probe("exec", NULL, "see-pid", pid);
	assert_int_equal(r.exit_code, ENOENT);
	/* Its own init it may neither see nor signal. */
	r = fixture_probe("exec", NULL, "see-pid", "1");
	assert_int_equal(r.exit_code, ENOENT);
	/* The kernel drops what is sent to the init of one's own pid namespace. */
	r = fixture_probe("exec", NULL, "signal", "1");
	assert_true(r.exit_code == EPERM || (fixture_is_user() && r.exit_code == 0));
}

int main(void)
{
	struct fixture_test tests[ARRAY_SIZE(denials) + 3] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(denials); i++)
		tests[i] = (struct fixture_test){
			.test = { .name = denials[i].what,
				  .test_func = test_denial,
				  .initial_state = (void *)&denials[i] },
			.needs = streq(denials[i].name, "memory") ? SBX_LIMIT_MEMORY : 0,
		};
	tests[i++] = (struct fixture_test)FIXTURE_TEST(test_no_descriptor_of_the_caller);
	tests[i++] = (struct fixture_test)FIXTURE_TEST(test_no_network_of_the_host);
	tests[i++] = (struct fixture_test)FIXTURE_TEST(test_no_process_of_the_host);
	return fixture_run("denials", tests, ARRAY_SIZE(tests));
}
