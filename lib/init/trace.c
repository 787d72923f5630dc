/* SPDX-License-Identifier: MIT */

/*
 * SBX_EXEC_TRACE: a filter that refuses nothing of this ABI and asks the library about every call,
 * the execve(2) of the program and all that its children do included. What the plan's filter kills
 * for, calls of foreign ABIs, this one kills for too: there is no continuing such a call that would
 * tell anybody more.
 *
 * The listener that the library answers on comes into being with the filter, in the process that
 * the filter stops at its next call: sending the listener away is that call. So the filter lets one
 * sendmsg(2) pass, known by 24 random bytes in the three registers that sendmsg has no use for.
 * They are gone when the program is executed.
 */

#include "bpf.h"
#include "exec.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5) /* 5.19 */
#endif

#define X32_BIT 0x40000000u
#define COOKIE_WORDS 6
#define FIRST_WORD 5

/* The lower half of args[3], its upper half, the lower half of args[4] ...; then the comparison. */
#define COMPARE_WORD(i)                                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3]) + 4 * (i)),      \
		IF_EQUAL(0, 0, 14 - 2 * (i))

/* clang-format off */
static struct sock_filter filter[] = {
	LOAD(arch),
	IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	IF_EQUAL(__NR_sendmsg, 0, 2 * COOKIE_WORDS + 1),
	COMPARE_WORD(0), COMPARE_WORD(1), COMPARE_WORD(2),
	COMPARE_WORD(3), COMPARE_WORD(4), COMPARE_WORD(5),
	RETURN(SECCOMP_RET_ALLOW),
	IF_EQUAL(~0u, 2, 0), /* not a call: what a tracer makes of one that it skips */
	IF_AT_LEAST(X32_BIT, 0, 1),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	RETURN(SECCOMP_RET_USER_NOTIF),
};
/* clang-format on */

static union {
	uint32_t words[COOKIE_WORDS];
	uint64_t args[COOKIE_WORDS / 2];
} cookie;

static int make_cookie(void)
{
	long n = sys3(__NR_getrandom, (long)&cookie, sizeof(cookie), 0);

	if (n != sizeof(cookie))
		return n < 0 ? (int)n : -EIO;
	for (uint32_t i = 0; i < COOKIE_WORDS; i++)
		filter[FIRST_WORD + 2 * i + 1].k = cookie.words[i];
	return 0;
}

static int send_listener(int channel, int listener)
{
	struct traced t = { .type = MSG_TRACED };
	struct iovec iov = { .base = &t, .size = sizeof(t) };
	struct {
		struct cmsghdr header;
		int32_t fd;
		int32_t padding;
	} control = { { sizeof(struct cmsghdr) + sizeof(int32_t), SOL_SOCKET, SCM_RIGHTS },
		      listener,
		      0 };
	struct msghdr m = {
		.iov = &iov, .n_iov = 1, .control = &control, .control_size = sizeof(control)
	};
	long n = sys6(__NR_sendmsg, channel, (long)&m, MSG_NOSIGNAL, (long)cookie.args[0],
		      (long)cookie.args[1], (long)cookie.args[2]);

	return n < 0 ? (int)n : 0;
}

/*
 * Without WAIT_KILLABLE_RECV a signal interrupts a call that waits for its answer, and the call is
 * made, and seen, once more.
 */
int trace_install(int channel)
{
	const struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };
	int listener, r = make_cookie();

	if (r < 0)
		return r;
	listener = sys_seccomp(SECCOMP_SET_MODE_FILTER,
			       SECCOMP_FILTER_FLAG_NEW_LISTENER |
				       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			       &program);
	if (listener == -EINVAL)
		listener = sys_seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
				       &program);
	return listener < 0 ? listener : send_listener(channel, listener);
}
