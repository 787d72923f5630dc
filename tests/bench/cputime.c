/* SPDX-License-Identifier: MIT */

/*
 * cputime [--programs DIR]... NAME=PID...: who used the processors, until standard input ends. NAME is what
 * the process PID and all its descendants are counted as, by program:
 *
 *	NAME PROGRAM PROCESSES MILLISECONDS
 *
 * Processes that are there from the beginning to the end are counted by /proc/PID/stat, with all the
 * threads that they ever had (PROGRAM has a * behind). Others by what the kernel says of each of their
 * threads when it ends (taskstats, sum_exec_runtime: nanoseconds, not ticks); who descends from whom is
 * known from the kernel's events for fork (proc connector), for a parent may be gone by then. What a
 * process still uses after that, giving back its memory and namespaces, is in neither: a control group
 * around all of it tells that (fleet.sh). Files of --programs are told apart by inode number, since their
 * names are longer than the kernel's 15 letters.
 *
 * Needs root, and the initial pid and network namespaces.
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util.h"

#define PIDS (1u << 22)
#define ROOTS 16
#define ROWS 256
#define STAYING 256
#define FILES 32
#define BUFFER (16 << 20)

struct row {
	unsigned char root;
	char program[40];
	uint64_t n, ns;
};

struct staying {
	int pid;
	unsigned char root;
	uint64_t ticks;
	char name[32];
};

static struct {
	unsigned char of[PIDS]; /* 0: nobody's; else the number of the root, from 1 */
	bool stays[PIDS];
	const char *roots[ROOTS];
	unsigned char n_roots;
	struct row rows[ROWS];
	struct staying staying[STAYING];
	struct {
		uint64_t inode;
		char name[40];
	} files[FILES];
	size_t n_rows, n_staying, n_files;
	int events, stats;
	bool lost;
} all;

static int fail(const char *what)
{
	(void)fprintf(stderr, "cputime: %s: %m\n", what);
	return -errno;
}

/* ------------------------------------------------------------------- /proc */

static int read_stat(int pid, int *ret_parent, uint64_t *ret_ticks, char name[32])
{
	unsigned long user, system;
	char path[64], line[1024];
	const char *open, *close;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f)) {
		if (f)
			(void)fclose(f);
		return -ESRCH;
	}
	(void)fclose(f);
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close ||
	    sscanf(close + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", ret_parent,
		   &user, &system) != 3)
		return -EPROTO;
	(void)snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
	*ret_ticks = user + system;
	return 0;
}

static void note_staying(int pid, unsigned char root)
{
	struct staying *s = &all.staying[all.n_staying];
	int parent;

	if (all.stays[pid] || all.n_staying == STAYING ||
	    read_stat(pid, &parent, &s->ticks, s->name) < 0)
		return;
	s->pid = pid;
	s->root = root;
	all.of[pid] = root;
	all.stays[pid] = true;
	all.n_staying++;
}

/* Whose parent is known is known; until nobody is new. */
static void note_descendants(void)
{
	size_t before;

	do {
		DIR *proc = opendir("/proc");
		struct dirent *d;

		before = all.n_staying;
		while (proc && (d = readdir(proc))) {
			int pid = atoi(d->d_name), parent;
			uint64_t ticks;
			char name[32];

			if (pid > 0 && !all.of[pid] &&
			    read_stat(pid, &parent, &ticks, name) == 0 && all.of[parent])
				note_staying(pid, all.of[parent]);
		}
		if (proc)
			(void)closedir(proc);
	} while (all.n_staying > before);
}

/* -------------------------------------------------------------------- rows */

static struct row *row_of(unsigned char root, const char *program)
{
	struct row *row;

	for (size_t i = 0; i < all.n_rows; i++) {
		if (all.rows[i].root == root && streq(all.rows[i].program, program))
			return &all.rows[i];
	}
	if (all.n_rows == ROWS)
		return NULL;
	row = &all.rows[all.n_rows++];
	row->root = root;
	(void)snprintf(row->program, sizeof(row->program), "%s", program);
	for (char *c = row->program; *c; c++) {
		if (*c == ' ')
			*c = '_';
	}
	return row;
}

static void count(unsigned char root, const char *program, uint64_t n, uint64_t ns)
{
	struct row *row = row_of(root, program);

	if (!row)
		return;
	row->n += n;
	row->ns += ns;
}

static void count_staying(void)
{
	uint64_t tick = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);

	for (size_t i = 0; i < all.n_staying; i++) {
		const struct staying *s = &all.staying[i];
		char name[32], program[40];
		uint64_t ticks;
		int parent;

		if (read_stat(s->pid, &parent, &ticks, name) < 0) {
			(void)fprintf(stderr, "cputime: %s, process %d, did not stay\n", s->name,
				      s->pid);
			continue;
		}
		(void)snprintf(program, sizeof(program), "%s*", s->name);
		count(s->root, program, 1, (ticks - s->ticks) * tick);
	}
}

/* ------------------------------------------------------------------ kernel */

static int send_netlink(int fd, uint16_t type, const void *data, size_t size)
{
	struct {
		struct nlmsghdr header;
		char data[512];
	} m = { .header = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
			    .nlmsg_type = type,
			    .nlmsg_flags = NLM_F_REQUEST } };

	memcpy(NLMSG_DATA(&m.header), data, size);
	return send(fd, &m, m.header.nlmsg_len, 0) < 0 ? fail("netlink") : 0;
}

static int open_netlink(int protocol, uint32_t groups)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int size = BUFFER, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fail("netlink");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static int open_events(void)
{
	struct {
		struct cn_msg header;
		enum proc_cn_mcast_op op;
	} m = { .header = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(m.op) },
		.op = PROC_CN_MCAST_LISTEN };

	all.events = open_netlink(NETLINK_CONNECTOR, CN_IDX_PROC);
	return all.events < 0 ? all.events
			      : send_netlink(all.events, NLMSG_DONE, &m,
					     offsetof(typeof(m), op) + sizeof(m.op));
}

struct request {
	struct genlmsghdr header;
	struct nlattr attribute;
	char text[64];
};

static int request(uint16_t family, uint8_t command, uint16_t attribute, const char *text)
{
	struct request m = { .header = { .cmd = command, .version = 1 } };
	size_t size = strlen(text) + 1;

	m.attribute.nla_type = attribute;
	m.attribute.nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy(m.text, text, size);
	return send_netlink(all.stats, family, &m,
			    offsetof(struct request, text) + NLA_ALIGN(size));
}

static const struct nlattr *find(const void *from, size_t size, uint16_t type)
{
	const char *at = from, *end = at + size;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *a = (const struct nlattr *)at;

		if (a->nla_len < NLA_HDRLEN)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		at += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

static const void *payload(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static int open_stats(void)
{
	char buffer[8192], processors[32];
	const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;
	const struct nlattr *id;
	ssize_t n;

	all.stats = open_netlink(NETLINK_GENERIC, 0);
	if (all.stats < 0 || request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
				     TASKSTATS_GENL_NAME) < 0)
		return -errno;
	n = recv(all.stats, buffer, sizeof(buffer), 0);
	id = n > (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN) && h->nlmsg_type != NLMSG_ERROR
		     ? find((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
			    (size_t)n - NLMSG_HDRLEN - GENL_HDRLEN, CTRL_ATTR_FAMILY_ID)
		     : NULL;
	if (!id)
		return fail("this kernel has no taskstats");
	(void)snprintf(processors, sizeof(processors), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	return request(*(const uint16_t *)payload(id), TASKSTATS_CMD_GET,
		       TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, processors);
}

/* ------------------------------------------------------------------ events */

static void take_event(const struct proc_event *e)
{
	uint32_t child = (uint32_t)e->event_data.fork.child_tgid;
	uint32_t parent = (uint32_t)e->event_data.fork.parent_tgid;

	if (e->what != PROC_EVENT_FORK || child >= PIDS || parent >= PIDS || child == parent)
		return;
	all.of[child] = all.of[parent];
	all.stays[child] = false;
}

static void take_events(void)
{
	char buffer[4096];
	ssize_t n;

	while ((n = recv(all.events, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;
		const struct cn_msg *m = (const struct cn_msg *)NLMSG_DATA(h);

		take_event((const struct proc_event *)m->data);
	}
	all.lost |= n < 0 && errno == ENOBUFS;
}

static const char *program_of(const struct taskstats *s)
{
	for (size_t i = 0; i < all.n_files; i++) {
		if (s->ac_exe_inode == all.files[i].inode)
			return all.files[i].name;
	}
	return s->ac_comm;
}

static void take_end(const struct taskstats *s)
{
	uint32_t process = s->ac_tgid;

	if (process >= PIDS || !all.of[process] || all.stays[process])
		return;
	count(all.of[process], program_of(s), s->ac_pid == process, s->cpu_run_virtual_total);
}

static void take_stats(void)
{
	static char buffer[16384];
	ssize_t n;

	while ((n = recv(all.stats, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;
		const struct nlattr *a, *s = NULL;
		struct taskstats copy = { 0 };

		/* Who it descends from was said before. */
		take_events();
		a = find((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
			 (size_t)n - NLMSG_HDRLEN - GENL_HDRLEN, TASKSTATS_TYPE_AGGR_PID);
		if (a)
			s = find(payload(a), a->nla_len - NLA_HDRLEN, TASKSTATS_TYPE_STATS);
		if (!s)
			continue;
		memcpy(&copy, payload(s), MIN_OF(sizeof(copy), (size_t)s->nla_len - NLA_HDRLEN));
		take_end(&copy);
	}
	all.lost |= n < 0 && errno == ENOBUFS;
}

static void watch(void)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
			      { .fd = all.events, .events = POLLIN },
			      { .fd = all.stats, .events = POLLIN } };

	while (!p[0].revents) {
		(void)poll(p, ARRAY_SIZE(p), -1);
		take_events();
		take_stats();
	}
}

/* -------------------------------------------------------------------- main */

static void note_programs(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;

	while (d && all.n_files < FILES && (e = readdir(d))) {
		if (fstatat(dirfd(d), e->d_name, &st, 0) < 0 || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & 0111))
			continue;
		all.files[all.n_files].inode = st.st_ino;
		(void)snprintf(all.files[all.n_files].name, sizeof(all.files->name), "%.39s",
			       e->d_name);
		all.n_files++;
	}
	if (d)
		(void)closedir(d);
}

static bool take_argument(char *text)
{
	char *equals = strchr(text, '=');
	int pid = equals ? atoi(equals + 1) : 0;

	if (pid <= 0 || (unsigned int)pid >= PIDS || all.n_roots == ROOTS - 1)
		return false;
	*equals = '\0';
	all.roots[++all.n_roots] = text;
	note_staying(pid, all.n_roots);
	return true;
}

int main(int argc, char **argv)
{
	int i = 1;

	for (; i + 1 < argc && streq(argv[i], "--programs"); i += 2)
		note_programs(argv[i + 1]);
	if (i == argc || open_events() < 0 || open_stats() < 0)
		return EXIT_FAILURE;
	for (; i < argc; i++) {
		if (!take_argument(argv[i]))
			return EXIT_FAILURE;
	}
	note_descendants();
	(void)puts("ready");
	(void)fflush(stdout);
	watch();
	count_staying();
	for (size_t k = 0; k < all.n_rows; k++)
		printf("%s %s %" PRIu64 " %.3f\n", all.roots[all.rows[k].root],
		       all.rows[k].program, all.rows[k].n, (double)all.rows[k].ns / NSEC_PER_MSEC);
	if (all.lost)
		(void)fprintf(stderr, "cputime: some events were lost\n");
	return all.lost ? EXIT_FAILURE : EXIT_SUCCESS;
}
