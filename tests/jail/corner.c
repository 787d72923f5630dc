/* SPDX-License-Identifier: MIT */

#include "corner.h"
#include "fixture.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PROCESSES_MAX 4096
#define NAMESPACES_MAX 1024

static const char *const namespace_kinds[] = {
	"mnt", "net", "ipc", "uts", "cgroup", "pid", "user"
};

bool corner_unprivileged(void)
{
	const char *lane = getenv("SANDBOX_LANE");

	return geteuid() != 0 || (lane && streq(lane, "user"));
}

void corner_init(struct corner *c)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(c->runtime, sizeof(c->runtime), "%.40s/sandbox-test-XXXXXX",
		       tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(c->runtime))
		fail_msg("%s: %s", c->runtime, strerror(errno));
	(void)snprintf(c->parent, sizeof(c->parent), "sandbox-test-%d", (int)getpid());
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

/* Runs `command` in a shell and returns the number that it prints. */
static int shell_number(const char *command)
{
	FILE *f = popen(command, "re");
	int n = -1;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	(void)pclose(f);
	return n;
}

/* What should not be there is removed all the same: the next run is not to blame for it. */
void corner_done(struct corner *c)
{
	struct traces left = corner_look(c);
	char command[256];

	(void)snprintf(
		command, sizeof(command),
		"find /sys/fs/cgroup -depth -type d -path '*/%s*' -exec rmdir {} + 2>&1 | wc -l",
		c->parent);
	(void)shell_number(command);
	(void)snprintf(command, sizeof(command), "rm -rf %s 2>&1 | wc -l", c->runtime);
	assert_int_equal(shell_number(command), 0);
	assert_int_equal(left.descendants, 0);
	assert_int_equal(left.groups, 0);
	assert_int_equal(left.leases, 0);
	assert_int_equal(left.owners, 0);
}

static void print_log(void *unused, int level, const char *line)
{
	if (level <= SBX_LOG_WARNING)
		print_message("# library: %s\n", line);
}

struct sbx_ctx_options corner_options(const struct corner *c)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .runtime_dir = c->runtime,
				     .cgroup_parent = c->parent,
				     .log = print_log };

	if (corner_unprivileged()) {
		o.flags = SBX_CTX_UNPRIVILEGED;
		o.allow_unenforced = SBX_LIMIT_MEMORY | SBX_LIMIT_SWAP | SBX_LIMIT_PIDS |
				     SBX_LIMIT_CPU | SBX_LIMIT_CPU_TIME;
	}
	return o;
}

struct sbx_ctx *corner_ctx(const struct corner *c)
{
	struct sbx_ctx_options o = corner_options(c);
	struct sbx_ctx *ctx = NULL;
	struct sbx_error err;

	if (sbx_ctx_new(&ctx, &o, &err) < 0)
		fail_msg("%s", fixture_error(&err));
	return ctx;
}

void corner_sweep(const struct corner *c)
{
	sbx_ctx_free(corner_ctx(c));
}

/* ------------------------------------------------------------------------ processes */

/* The fields of proc_pid_stat(5) up to the parent; the name may hold blanks and brackets. */
static bool read_process(const char *pid, struct process *ret)
{
	char path[300], text[512] = "", *open_at, *close_at;
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close_fd(fd);
	open_at = strchr(text, '(');
	close_at = strrchr(text, ')');
	if (n <= 0 || !open_at || !close_at)
		return false;
	*close_at = '\0';
	*ret = (struct process){ .pid = (pid_t)atoi(pid) };
	copy_string(ret->name, sizeof(ret->name), open_at + 1);
	return sscanf(close_at + 1, " %*c %d", &ret->parent) == 1;
}

static int read_processes(struct process *ret, int n)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int count = 0;

	while (d && count < n && (e = readdir(d)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
		    read_process(e->d_name, &ret[count]))
			count++;
	if (d)
		(void)closedir(d);
	return count;
}

static bool is_descendant(const struct process *all, int n, const struct process *p, pid_t of)
{
	pid_t parent = p->parent;
	int depth, i;

	for (depth = 0; depth < 16 && parent > 1; depth++) {
		if (parent == of)
			return true;
		for (i = 0; i < n && all[i].pid != parent; i++)
			;
		parent = i < n ? all[i].parent : 0;
	}
	return false;
}

int corner_descendants(pid_t pid, struct process *ret, int n)
{
	struct process *all = calloc(PROCESSES_MAX, sizeof(*all));
	int i, total = all ? read_processes(all, PROCESSES_MAX) : 0, count = 0;

	for (i = 0; i < total; i++)
		if (is_descendant(all, total, &all[i], pid)) {
			if (count < n)
				ret[count] = all[i];
			count++;
		}
	free(all);
	return count;
}

pid_t corner_find(pid_t pid, const char *name)
{
	struct process list[256];
	int i, n = MIN_OF(corner_descendants(pid, list, ARRAY_SIZE(list)), (int)ARRAY_SIZE(list));

	for (i = 0; i < n; i++)
		if (streq(list[i].name, name))
			return list[i].pid;
	return 0;
}

/* A descendant whose parent has just died is nobody's for a moment: two looks must agree. */
void corner_settle(int n)
{
	struct process list[1];
	int tries, agreed = 0;

	for (tries = 0; tries < 20000 && agreed < 2; tries++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		agreed = corner_descendants(getpid(), list, 1) <= n ? agreed + 1 : 0;
		if (!agreed)
			(void)poll(NULL, 0, 1);
	}
	if (agreed < 2)
		fail_msg("%d processes are left, not %d, one of them %s",
			 corner_descendants(getpid(), list, 1), n, list[0].name);
}

/* --------------------------------------------------------------------------- looking */

static int count_entries(const char *dir, const char *name)
{
	char path[320];
	struct dirent *e;
	int n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		(void)closedir(d);
	return n;
}

static int count_lines(const char *path)
{
	FILE *f = fopen(path, "re");
	int c, n = 0;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		(void)fclose(f);
	return n;
}

static int count_groups(const struct corner *c)
{
	char command[160];

	(void)snprintf(command, sizeof(command),
		       "find /sys/fs/cgroup -path '*/%s/*' -type d 2>/dev/null | wc -l", c->parent);
	return shell_number(command);
}

static void add_namespaces(pid_t pid, ino_t *seen, int *n)
{
	char path[64];
	struct stat st;
	size_t i;
	int k;

	for (i = 0; i < ARRAY_SIZE(namespace_kinds); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, namespace_kinds[i]);
		if (stat(path, &st) < 0)
			continue;
		for (k = 0; k < *n && seen[k] != st.st_ino; k++)
			;
		if (k == *n && *n < NAMESPACES_MAX)
			seen[(*n)++] = st.st_ino;
	}
}

struct traces corner_look(const struct corner *c)
{
	struct process list[256];
	ino_t seen[NAMESPACES_MAX];
	struct traces t = { .groups = count_groups(c),
			    .leases = count_entries(c->runtime, "ids"),
			    .owners = count_entries(c->runtime, "owners"),
			    .mounts = count_lines("/proc/self/mountinfo"),
			    .fds = count_entries("/proc/self", "fd"),
			    .threads = count_entries("/proc/self", "task") };
	int i;

	t.descendants = corner_descendants(getpid(), list, ARRAY_SIZE(list));
	add_namespaces(getpid(), seen, &t.namespaces);
	for (i = 0; i < MIN_OF(t.descendants, (int)ARRAY_SIZE(list)); i++)
		add_namespaces(list[i].pid, seen, &t.namespaces);
	return t;
}

/* Those that have been joined may be counted a moment longer. */
static int settled_threads(int n, int most)
{
	int tries;

	for (tries = 0; n > most && tries < 1000; tries++) {
		(void)poll(NULL, 0, 1);
		n = count_entries("/proc/self", "task");
	}
	return n;
}

void corner_assert_same(struct traces before, struct traces after)
{
	const struct {
		const char *name;
		int before, after;
	} all[] = {
		{ "descendants", before.descendants, after.descendants },
		{ "namespaces", before.namespaces, after.namespaces },
		{ "control groups", before.groups, after.groups },
		{ "id leases", before.leases, after.leases },
		{ "owner files", before.owners, after.owners },
		{ "mounts", before.mounts, after.mounts },
		{ "descriptors", before.fds, after.fds },
		{ "threads", before.threads, settled_threads(after.threads, before.threads) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].before != all[i].after)
			fail_msg("%s: %d before, %d after", all[i].name, all[i].before,
				 all[i].after);
}

/* ---------------------------------------------------------------------------- chance */

int corner_slowness(void)
{
	const char *slow = getenv("SANDBOX_SLOW");

	return slow ? atoi(slow) : 1;
}

int corner_times(int n)
{
	int divisor = corner_slowness();

	return divisor > 1 ? MAX_OF(n / divisor, MIN_OF(n, 5)) : n;
}

uint64_t corner_seed(void)
{
	const char *given = getenv("SANDBOX_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0;

	if (!seed && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = 1;
	print_message("# SANDBOX_SEED=%#llx\n", (unsigned long long)seed);
	return seed;
}

/* splitmix64 */
uint32_t corner_random(uint64_t *seed, uint32_t below)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ z >> 31) % below);
}
