/* SPDX-License-Identifier: MIT */
#include "util/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A child with this name, which lives until it is killed, or ends at once; a pidfd of it. */
static pid_t child(const char *name, bool lives, int *ret_pidfd)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, name);
		while (lives)
			(void)pause();
		_exit(0);
	}
	*ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(*ret_pidfd >= 0);
	return pid;
}

static void test_alive(void **state)
{
	static const char *const names[] = { "server", ") Z 1 1 1 0 4", "a) (b" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_close_ int pidfd = -1;
		pid_t pid = child(names[i], true, &pidfd);

		assert_int_equal(pidfd_pid(pidfd), pid);
		assert_false(pidfd_is_exiting(pidfd));
		end(pid);
	}
}

static void test_ended(void **state)
{
	_cleanup_close_ int pidfd = -1;
	pid_t pid = child("server", false, &pidfd);
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(pidfd_pid(pidfd), pid);
	assert_true(pidfd_is_exiting(pidfd));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(pidfd_pid(pidfd), -1);
	assert_false(pidfd_is_exiting(pidfd));
}

static void test_none(void **state)
{
	_cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pidfd_pid(file), -1);
	assert_int_equal(pidfd_pid(-1), -1);
	assert_false(pidfd_is_exiting(file));
	assert_false(pidfd_is_exiting(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
