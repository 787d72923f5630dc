/* SPDX-License-Identifier: MIT */

/*
 * Names for argument values, so that a report can say "AF_PACKET" where a filter sees 17. What is
 * not known here is printed as a number.
 */

#include "trace.h"
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <util/util.h>

struct symbol {
	uint32_t value;
	const char *name;
};

#define SYMBOL(x)                                                                                  \
	{                                                                                          \
		(uint32_t)(x), #x                                                                  \
	}
#define TYPE_FLAGS ((uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))

/* clang-format off */
static const struct symbol families[] = {
	SYMBOL(AF_UNIX),   SYMBOL(AF_INET),	 SYMBOL(AF_INET6), SYMBOL(AF_NETLINK),
	SYMBOL(AF_PACKET), SYMBOL(AF_VSOCK),	 SYMBOL(AF_ALG),   SYMBOL(AF_KEY),
	SYMBOL(AF_CAN),	   SYMBOL(AF_BLUETOOTH), SYMBOL(AF_TIPC),  SYMBOL(AF_RDS),
};

static const struct symbol types[] = {
	SYMBOL(SOCK_STREAM), SYMBOL(SOCK_DGRAM),  SYMBOL(SOCK_RAW),
	SYMBOL(SOCK_RDM),    SYMBOL(SOCK_PACKET), SYMBOL(SOCK_SEQPACKET),
};

static const struct symbol requests[] = {
	SYMBOL(TCGETS),	    SYMBOL(TCSETS),	SYMBOL(TCSETSW),    SYMBOL(TCSETSF),
	SYMBOL(TCGETA),	    SYMBOL(TCSBRK),	SYMBOL(TCXONC),	    SYMBOL(TCFLSH),
	SYMBOL(TIOCGPGRP),  SYMBOL(TIOCSPGRP),	SYMBOL(TIOCGWINSZ), SYMBOL(TIOCSWINSZ),
	SYMBOL(TIOCSCTTY),  SYMBOL(TIOCNOTTY),	SYMBOL(TIOCGSID),   SYMBOL(TIOCSTI),
	SYMBOL(TIOCOUTQ),   SYMBOL(TIOCGPTN),	SYMBOL(TIOCSPTLCK), SYMBOL(TIOCLINUX),
	SYMBOL(FIONREAD),   SYMBOL(FIONBIO),	SYMBOL(FIOASYNC),   SYMBOL(FIOCLEX),
	SYMBOL(FIONCLEX),   SYMBOL(SIOCGIFCONF), SYMBOL(SIOCGIFFLAGS), SYMBOL(SIOCGIFADDR),
	SYMBOL(SIOCGIFHWADDR), SYMBOL(SIOCGIFINDEX), SYMBOL(SIOCGIFNAME), SYMBOL(SIOCGIFMTU),
};

static const struct symbol commands[] = {
	SYMBOL(F_SETLEASE), SYMBOL(F_GETLEASE),	 SYMBOL(F_NOTIFY), SYMBOL(F_SETOWN),
	SYMBOL(F_SETSIG),   SYMBOL(F_SETPIPE_SZ), SYMBOL(F_SETOWN_EX),
};

static const struct symbol options[] = {
	SYMBOL(PR_SET_PDEATHSIG),	SYMBOL(PR_SET_DUMPABLE),   SYMBOL(PR_SET_KEEPCAPS),
	SYMBOL(PR_SET_TIMING),		SYMBOL(PR_SET_NAME),	   SYMBOL(PR_SET_SECCOMP),
	SYMBOL(PR_CAPBSET_DROP),	SYMBOL(PR_SET_SECUREBITS), SYMBOL(PR_SET_TIMERSLACK),
	SYMBOL(PR_SET_MM),		SYMBOL(PR_SET_PTRACER),	   SYMBOL(PR_SET_CHILD_SUBREAPER),
	SYMBOL(PR_GET_CHILD_SUBREAPER), SYMBOL(PR_SET_NO_NEW_PRIVS), SYMBOL(PR_GET_TID_ADDRESS),
	SYMBOL(PR_SET_THP_DISABLE),	SYMBOL(PR_GET_THP_DISABLE), SYMBOL(PR_CAP_AMBIENT),
	SYMBOL(PR_SET_SPECULATION_CTRL), SYMBOL(PR_GET_SPECULATION_CTRL),
	SYMBOL(PR_GET_TIMERSLACK),	SYMBOL(PR_GET_KEEPCAPS),   SYMBOL(PR_GET_SECUREBITS),
	SYMBOL(PR_TASK_PERF_EVENTS_DISABLE), SYMBOL(PR_MCE_KILL),
};

static const struct symbol arch_options[] = {
	SYMBOL(ARCH_SET_FS), SYMBOL(ARCH_GET_FS), SYMBOL(ARCH_SET_GS), SYMBOL(ARCH_GET_GS),
	SYMBOL(ARCH_GET_CPUID), SYMBOL(ARCH_SET_CPUID),
};

static const struct symbol clone_flags[] = {
	SYMBOL(CLONE_NEWNS),   SYMBOL(CLONE_NEWCGROUP), SYMBOL(CLONE_NEWUTS),
	SYMBOL(CLONE_NEWIPC),  SYMBOL(CLONE_NEWUSER),	SYMBOL(CLONE_NEWPID),
	SYMBOL(CLONE_NEWNET),  SYMBOL(CLONE_PTRACE),	SYMBOL(CLONE_UNTRACED),
	SYMBOL(CLONE_PARENT),
};
/* clang-format on */

static const char *name_of(const struct symbol *s, size_t n, uint32_t value, char buf[16])
{
	for (size_t i = 0; i < n; i++)
		if (s[i].value == value)
			return s[i].name;
	(void)snprintf(buf, 16, value < 4096 ? "%u" : "0x%x", value);
	return buf;
}

#define NAME_OF(table, value, buf) name_of(table, ARRAY_SIZE(table), value, buf)

static void print_socket(const uint32_t *v, char *buf, size_t size)
{
	char family[16], type[16];

	(void)snprintf(buf, size, "%s, %s%s%s, %u", NAME_OF(families, v[0], family),
		       NAME_OF(types, v[1] & ~TYPE_FLAGS, type),
		       v[1] & (uint32_t)SOCK_CLOEXEC ? " | SOCK_CLOEXEC" : "",
		       v[1] & (uint32_t)SOCK_NONBLOCK ? " | SOCK_NONBLOCK" : "", v[2]);
}

static void print_request(const uint32_t *v, char *buf, size_t size)
{
	char b[16];

	(void)snprintf(buf, size, "%s", NAME_OF(requests, v[0], b));
}

static void print_command(const uint32_t *v, char *buf, size_t size)
{
	char b[16];

	(void)snprintf(buf, size, "%s", NAME_OF(commands, v[0], b));
}

static void print_option(const uint32_t *v, char *buf, size_t size)
{
	char b[16];

	(void)snprintf(buf, size, "%s", NAME_OF(options, v[0], b));
}

static void print_arch_option(const uint32_t *v, char *buf, size_t size)
{
	char b[16];

	(void)snprintf(buf, size, "%s", NAME_OF(arch_options, v[0], b));
}

/* Those flags that a filter may refuse; the rest is every thread's and child's. */
static void print_clone(const uint32_t *v, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(clone_flags); i++)
		if (v[0] & clone_flags[i].value && n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " | " : "",
					      clone_flags[i].name);
	if (n == 0)
		(void)snprintf(buf, size, "flags 0x%x", v[0]);
}

static void print_pid(const uint32_t *v, char *buf, size_t size)
{
	(void)snprintf(buf, size, "of process %u", v[0]);
}

static void print_mode(const uint32_t *v, char *buf, size_t size)
{
	static const struct symbol kinds[] = {
		{ 0, "a file" },
		{ S_IFREG, "a file" },
		{ S_IFIFO, "a named pipe" },
		{ S_IFCHR, "a character device" },
		{ S_IFBLK, "a block device" },
		{ S_IFSOCK, "a socket" },
	};
	char b[16];

	(void)snprintf(buf, size, "%s", NAME_OF(kinds, v[0] & S_IFMT, b));
}

static const struct trace_arguments table[] = {
	{ "clone", 1, { 0 }, print_clone },
	{ "socket", 3, { 0, 1, 2 }, print_socket },
	{ "socketpair", 3, { 0, 1, 2 }, print_socket },
	{ "ioctl", 1, { 1 }, print_request },
	{ "fcntl", 1, { 1 }, print_command },
	{ "prctl", 1, { 0 }, print_option },
	{ "arch_prctl", 1, { 0 }, print_arch_option },
	{ "prlimit64", 1, { 0 }, print_pid },
	{ "mknod", 1, { 1 }, print_mode },
	{ "mknodat", 1, { 2 }, print_mode },
};

const struct trace_arguments *trace_arguments_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(table[i].name, name))
			return &table[i];
	return NULL;
}
