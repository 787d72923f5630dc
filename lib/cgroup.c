/* SPDX-License-Identifier: MIT */

/* See cgroup.h. This file finds the hierarchies and handles directories; limits are in the back ends. */

#include "cgroup.h"
#include "error.h"
#include "util/util.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

int cgroup_write(int dir, const char *file, const char *value)
{
	_cleanup_close_ int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int cgroup_write_u64(int dir, const char *file, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_write(dir, file, text);
}

int cgroup_read_text(int dir, const char *file, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int cgroup_read_u64(int dir, const char *file, uint64_t *ret)
{
	char text[64], *end;
	unsigned long long value;
	int r = cgroup_read_text(dir, file, text, sizeof(text));

	if (r < 0)
		return r;
	if (starts_with(text, "max")) {
		*ret = UINT64_MAX;
		return 0;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || errno)
		return -EBADMSG;
	*ret = value;
	return 0;
}

uint64_t cgroup_read_key(int dir, const char *file, const char *key)
{
	char text[4096];
	size_t n = strlen(key);
	char *line;

	if (cgroup_read_text(dir, file, text, sizeof(text)) < 0)
		return 0;
	for (line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (!strncmp(line, key, n) && line[n] == ' ')
			return strtoull(line + n + 1, NULL, 10);
	return 0;
}

int cgroup_limit(int dir, const char *file, uint64_t value, uint64_t slack, struct sbx_error *err)
{
	uint64_t got;
	int r = cgroup_write_u64(dir, file, value);

	if (r >= 0)
		r = cgroup_read_u64(dir, file, &got);
	if (r < 0)
		return error_set(err, r, "cgroup", file, "cannot set the limit %llu",
				 (unsigned long long)value);
	if (got > value || value - got > slack)
		return error_set(err, -ENOTSUP, "cgroup", file,
				 "wrote the limit %llu, the kernel kept %llu",
				 (unsigned long long)value, (unsigned long long)got);
	return 0;
}

/* One more: our init is counted too, and on v1 for a moment the thread that makes it. */
int cgroup_limit_pids(int dir, uint32_t n, struct sbx_error *err)
{
	return cgroup_limit(dir, "pids.max", (uint64_t)n + 1, 0, err);
}

void cgroup_read_pids(int dir, struct sbx_stats *ret)
{
	(void)cgroup_read_u64(dir, "pids.current", &ret->pids_now);
	(void)cgroup_read_u64(dir, "pids.peak", &ret->pids_peak);
	ret->pids_refused = cgroup_read_key(dir, "pids.events", "max");
}

bool host_has_swap(void)
{
	char text[256];

	if (cgroup_read_text(AT_FDCWD, "/proc/swaps", text, sizeof(text)) < 0)
		return true;
	return strchr(text, '\n') && *(strchr(text, '\n') + 1);
}

/* ------------------------------------------------------------ finding the hierarchies */

struct mounts {
	char v2[256];
	char v1[H_COUNT][256];
};

static bool has_option(const struct mntent *m, const char *name)
{
	return hasmntopt(m, name) != NULL;
}

static void find_mounts(struct mounts *ret)
{
	static const char *const controllers[H_COUNT] = { NULL, "memory", "pids", "cpu" };
	struct mntent entry, *m;
	char buf[4096];
	FILE *f = setmntent("/proc/self/mounts", "re");
	int i;

	memset(ret, 0, sizeof(*ret));
	if (!f)
		return;
	while ((m = getmntent_r(f, &entry, buf, sizeof(buf)))) {
		if (streq(m->mnt_type, "cgroup2") && !ret->v2[0])
			copy_string(ret->v2, sizeof(ret->v2), m->mnt_dir);
		if (!streq(m->mnt_type, "cgroup"))
			continue;
		for (i = H_MEMORY; i < H_COUNT; i++)
			if (has_option(m, controllers[i]) && !ret->v1[i][0])
				copy_string(ret->v1[i], sizeof(ret->v1[i]), m->mnt_dir);
	}
	(void)endmntent(f);
}

/* The caller's own group in the v1 hierarchy of `controller`, "/" if it is not found. */
static void own_v1_group(const char *controller, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4096], *list, *path, *save, *c;

	copy_string(ret, size, "/");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		for (c = strtok_r(list + 1, ",", &save); c; c = strtok_r(NULL, ",", &save))
			if (streq(c, controller))
				copy_string(ret, size, path);
	}
}

static int make_parent(struct cgroup_root *root, int i, const char *mount, const char *own,
		       const char *name, struct sbx_error *err)
{
	_cleanup_close_ int base = -1;
	char path[1024];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", mount, own);
	base = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return error_set(err, -errno, "cgroup", path, "cannot open the control group");
	if (mkdirat(base, name, 0755) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cgroup", path, "cannot make the group %s there",
				 name);
	fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "cgroup", path, "cannot open the group %s", name);
	root->parent[i] = fd;
	(void)snprintf(root->path[i], sizeof(root->path[i]), "%s/%s", path, name);
	return 0;
}

static bool v2_has(const char *controllers, const char *name)
{
	const char *at = strstr(controllers, name);
	size_t n = strlen(name);

	return at && (at == controllers || at[-1] == ' ') &&
	       (at[n] == ' ' || at[n] == '\n' || !at[n]);
}

static void enable_controllers(int dir)
{
	(void)cgroup_write(dir, "cgroup.subtree_control", "+memory");
	(void)cgroup_write(dir, "cgroup.subtree_control", "+pids");
	(void)cgroup_write(dir, "cgroup.subtree_control", "+cpu");
}

/* Opens the v2 parent and notes which controllers can be used below it. */
static int open_v2(struct cgroup_root *root, const char *mount, const char *name,
		   struct sbx_error *err)
{
	_cleanup_close_ int top = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char controllers[512] = "";
	int r;

	if (top >= 0)
		enable_controllers(top);
	r = make_parent(root, H_V2, mount, "", name, err);
	if (r < 0)
		return r;
	(void)cgroup_read_text(root->parent[H_V2], "cgroup.controllers", controllers,
			       sizeof(controllers));
	root->memory = v2_has(controllers, "memory") ? &cgroup_v2_ops : NULL;
	root->pids = v2_has(controllers, "pids") ? &cgroup_v2_ops : NULL;
	root->cpu = v2_has(controllers, "cpu") ? &cgroup_v2_ops : NULL;
	root->v2_controllers = root->memory || root->pids || root->cpu;
	if (root->v2_controllers)
		enable_controllers(root->parent[H_V2]);
	return 0;
}

static int open_v1(struct cgroup_root *root, const struct mounts *mounts, const char *name,
		   struct sbx_error *err)
{
	static const char *const names[H_COUNT] = { NULL, "memory", "pids", "cpu" };
	const struct cgroup_ops **slot[H_COUNT] = { NULL, &root->memory, &root->pids, &root->cpu };
	char own[512];
	int i, r;

	for (i = H_MEMORY; i < H_COUNT; i++) {
		if (*slot[i] || !mounts->v1[i][0])
			continue;
		own_v1_group(names[i], own, sizeof(own));
		r = make_parent(root, i, mounts->v1[i], own, name, err);
		if (r < 0)
			return r;
		*slot[i] = &cgroup_v1_ops;
	}
	return 0;
}

int cgroup_root_init(struct cgroup_root *root, const char *parent, const char *token,
		     struct sbx_error *err)
{
	struct mounts mounts;
	int i, r;

	memset(root, 0, sizeof(*root));
	for (i = 0; i < H_COUNT; i++)
		root->parent[i] = -1;
	copy_string(root->token, sizeof(root->token), token);
	find_mounts(&mounts);
	if (!mounts.v2[0])
		return error_set(err, -ENOTSUP, "cgroup", "cgroup2",
				 "no cgroup2 file system is mounted: mount -t cgroup2 none "
				 "/sys/fs/cgroup/unified");
	r = open_v2(root, mounts.v2, parent, err);
	if (r >= 0)
		r = open_v1(root, &mounts, parent, err);
	if (r < 0) {
		cgroup_root_done(root);
		return r;
	}
	return 0;
}

void cgroup_root_done(struct cgroup_root *root)
{
	int i;

	for (i = 0; i < H_COUNT; i++)
		root->parent[i] = close_fd(root->parent[i]);
}

/* ----------------------------------------------------------------- leftovers of the dead */

/* The last of the killed may still be on its way out of a v1 group: then rmdir says busy. */
static int remove_group(int parent, const char *name)
{
	int tries;

	for (tries = 0; unlinkat(parent, name, AT_REMOVEDIR) < 0; tries++) {
		if (errno != EBUSY || tries == 100)
			return -errno;
		(void)usleep(1000);
	}
	return 0;
}

static int remove_tree(int parent, const char *name, int depth)
{
	_cleanup_close_ int dir = openat(parent, name,
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct dirent *e;
	DIR *d;
	int copy;

	if (dir >= 0 && depth < 4) {
		copy = dup(dir);
		d = copy >= 0 ? fdopendir(copy) : NULL;
		if (!d)
			close_fd(copy);
		while (d && (e = readdir(d)))
			if (e->d_type == DT_DIR && e->d_name[0] != '.')
				(void)remove_tree(dir, e->d_name, depth + 1);
		if (d)
			(void)closedir(d);
	}
	return remove_group(parent, name);
}

/* rmdir needs the processes gone, and cgroup.kill does not wait for them. */
static void kill_and_settle(int parent, const char *name)
{
	_cleanup_close_ int dir = openat(parent, name,
					 O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int tries;

	if (dir < 0)
		return;
	(void)cgroup_write(dir, "cgroup.kill", "1");
	for (tries = 0; tries < 200 && cgroup_read_key(dir, "cgroup.events", "populated"); tries++)
		(void)usleep(1000);
}

/* The v2 parent comes first: what is killed there leaves the other hierarchies too. */
static int sweep_parent(const char *path, const char *token)
{
	int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = parent >= 0 ? fdopendir(parent) : NULL;
	size_t n = strlen(token);
	struct dirent *e;
	int r = 0;

	if (!d) {
		close_fd(parent);
		return 0;
	}
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, token, n) || e->d_name[n] != '.')
			continue;
		kill_and_settle(parent, e->d_name);
		if (remove_tree(parent, e->d_name, 0) < 0)
			r = -EBUSY;
	}
	(void)closedir(d);
	return r;
}

int cgroup_root_record(const struct cgroup_root *root, int fd)
{
	int i;

	for (i = 0; i < H_COUNT; i++)
		if (root->parent[i] >= 0 && dprintf(fd, "%s\n", root->path[i]) < 0)
			return -errno;
	return 0;
}

int cgroup_sweep(int fd, const char *token)
{
	char text[8192], *path, *save;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	int r = 0;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (path = strtok_r(text, "\n", &save); path; path = strtok_r(NULL, "\n", &save))
		if (sweep_parent(path, token) < 0)
			r = -EBUSY;
	return r;
}

/* ---------------------------------------------------------------------------- groups */

static int missing(struct sbx_error *err, const char *what)
{
	return error_set(err, -ENOTSUP, "cgroup", what,
			 "no usable %s controller: enable it (kernel option cgroup_enable=%s, or "
			 "delegate it) or set no such limit",
			 what, what);
}

static int set_limits(struct cgroup *cg, const struct cgroup_limits *l, struct sbx_error *err)
{
	const struct cgroup_root *root = cg->root;
	int r = 0;

	if ((l->memory && !root->memory) || (l->pids && !root->pids) ||
	    (l->cpu_milli && !root->cpu))
		return missing(err, l->memory && !root->memory ? "memory"
				    : l->pids && !root->pids   ? "pids"
							       : "cpu");
	if (l->memory) {
		int dir = cg->dir[root->memory == &cgroup_v1_ops ? H_MEMORY : H_V2];

		r = root->memory->limit_memory(dir, l->memory, err);
		if (r < 0)
			return r;
		r = root->memory->limit_swap(dir, l->memory, err);
		if (r < 0)
			return r;
		cg->memory_by = root->memory->by;
		cg->swap_by = r;
	}
	if (l->pids) {
		r = root->pids->limit_pids(cg->dir[root->pids == &cgroup_v1_ops ? H_PIDS : H_V2],
					   l->pids, err);
		cg->pids_by = root->pids->by;
	}
	if (r >= 0 && l->cpu_milli) {
		r = root->cpu->limit_cpu(cg->dir[root->cpu == &cgroup_v1_ops ? H_CPU : H_V2],
					 l->cpu_milli, err);
		cg->cpu_by = root->cpu->by;
	}
	return r < 0 ? r : 0;
}

/*
 * A v1 cpu group counts nothing for us. Who has no cpu limit, own or inherited, is better off without:
 * the thread that joins it goes to the end of the processor's queue.
 */
static bool is_needed(const struct cgroup *cg, const struct cgroup_limits *l, int hierarchy)
{
	return hierarchy != H_CPU || l->cpu_milli || cg->parent || !l->leaf;
}

static int make_dirs(struct cgroup *cg, const struct cgroup_limits *l, struct sbx_error *err)
{
	int i, parent;

	for (i = 0; i < H_COUNT; i++) {
		parent = cg->parent ? cg->parent->dir[i] : cg->root->parent[i];
		if (parent < 0 || !is_needed(cg, l, i))
			continue;
		if (mkdirat(parent, cg->name, 0755) < 0)
			return error_set(err, -errno, "cgroup", cg->name, "cannot make the group");
		cg->made |= 1u << i;
		cg->dir[i] = openat(parent, cg->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (cg->dir[i] < 0)
			return error_set(err, -errno, "cgroup", cg->name, "cannot open the group");
	}
	return 0;
}

int cgroup_init(struct cgroup *cg, struct cgroup_root *root, struct cgroup *parent,
		const char *label, const struct cgroup_limits *limits, struct sbx_error *err)
{
	int i, r;

	memset(cg, 0, sizeof(*cg));
	cg->root = root;
	cg->parent = parent;
	for (i = 0; i < H_COUNT; i++)
		cg->dir[i] = -1;
	(void)snprintf(cg->name, sizeof(cg->name), "%.16s.%u.%.31s", root->token,
		       __atomic_fetch_add(&root->next, 1, __ATOMIC_RELAXED), label);
	r = make_dirs(cg, limits, err);
	if (r >= 0 && root->v2_controllers && parent)
		enable_controllers(parent->dir[H_V2]);
	if (r >= 0)
		r = set_limits(cg, limits, err);
	if (r < 0)
		cgroup_done(cg);
	return r;
}

void cgroup_done(struct cgroup *cg)
{
	int i, parent;

	if (!cg->root)
		return;
	for (i = 0; i < H_COUNT; i++) {
		if (!(cg->made & 1u << i))
			continue;
		parent = cg->parent ? cg->parent->dir[i] : cg->root->parent[i];
		cg->dir[i] = close_fd(cg->dir[i]);
		(void)unlinkat(parent, cg->name, AT_REMOVEDIR);
	}
	cg->root = NULL;
}

int cgroup_join_thread(const struct cgroup *cg)
{
	int i, r;

	for (i = H_MEMORY; i < H_COUNT; i++) {
		if (cg->dir[i] < 0)
			continue;
		r = cgroup_v1_ops.join(cg->dir[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

void cgroup_kill(const struct cgroup *cg)
{
	if (cg->root && cg->dir[H_V2] >= 0)
		(void)cgroup_write(cg->dir[H_V2], "cgroup.kill", "1");
}

uint64_t cgroup_cpu_ns(const struct cgroup *cg)
{
	return cgroup_read_key(cg->dir[H_V2], "cpu.stat", "usage_usec") * 1000;
}

void cgroup_read(const struct cgroup *cg, struct sbx_stats *ret)
{
	const struct cgroup_root *root = cg->root;

	if (root->memory)
		root->memory->read_memory(cg->dir[root->memory == &cgroup_v1_ops ? H_MEMORY : H_V2],
					  ret);
	if (root->pids)
		root->pids->read_pids(cg->dir[root->pids == &cgroup_v1_ops ? H_PIDS : H_V2], ret);
	ret->cpu_ns = cgroup_cpu_ns(cg);
}
