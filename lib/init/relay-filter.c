/* SPDX-License-Identifier: MIT */

/*
 * The relay handles bytes of a hostile program in the host's namespaces, so it keeps eleven system
 * calls and no more: none that opens a file, maps memory or starts a program.
 */

#include "bpf.h"
#include "relay.h"

/* Allows one call whatever its arguments: if equal go on to the RETURN, else skip it. */
#define ALLOW(number) IF_EQUAL((number), 0, 1), RETURN(SECCOMP_RET_ALLOW)

static const struct sock_filter filter[] = {
	LOAD(arch),
	IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	ALLOW(__NR_poll),
	ALLOW(__NR_recvfrom),
	ALLOW(__NR_sendto),
	ALLOW(__NR_accept4),
	ALLOW(__NR_connect),
	ALLOW(__NR_close),
	ALLOW(__NR_shutdown),
	ALLOW(__NR_getsockopt),
	ALLOW(__NR_setsockopt),
	ALLOW(__NR_restart_syscall),
	ALLOW(__NR_exit_group),
	IF_EQUAL(__NR_socket, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(args[0]), /* the lower half: a domain is an int */
	ALLOW(AF_UNIX),
	ALLOW(AF_INET),
	ALLOW(AF_INET6),
	RETURN(SECCOMP_RET_KILL_PROCESS),
};

int relay_filter_install(void)
{
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};

	return sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
}
