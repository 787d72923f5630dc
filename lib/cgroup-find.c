/* SPDX-License-Identifier: MIT */

/* See cgroup-find.h. */

#include "cgroup-find.h"
#include "util/util.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* ------------------------------------------------------------------------- mounts */

/* One line of /proc/self/mountinfo, if it is a control group file system. */
static bool parse_mount(char *line, struct cgroup_mount *ret)
{
	char *dash = strstr(line, " - "), type[32], options[256];

	memset(ret, 0, sizeof(*ret));
	if (!dash || sscanf(line, "%*s %*s %*s %511s %511s", ret->root, ret->mount) != 2 ||
	    sscanf(dash, " - %31s %*s %255s", type, options) != 2)
		return false;
	ret->v2 = streq(type, "cgroup2");
	if (!ret->v2 && !streq(type, "cgroup"))
		return false;
	(void)snprintf(ret->controllers, sizeof(ret->controllers), ",%.250s,", options);
	return true;
}

bool cgroup_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = list; (at = strstr(at, word)); at += n)
		if ((at == list || strchr(" \n", at[-1])) && strchr(" \n", at[n]))
			return true;
	return false;
}

bool cgroup_mount_has(const struct cgroup_mount *m, const char *controller)
{
	char path[600], list[512], word[32];

	if (!m->v2) {
		(void)snprintf(word, sizeof(word), ",%s,", controller);
		return strstr(m->controllers, word);
	}
	(void)snprintf(path, sizeof(path), "%s/cgroup.controllers", m->mount);
	return cgroup_read_text(AT_FDCWD, path, list, sizeof(list)) >= 0 &&
	       cgroup_has_word(list, controller);
}

bool cgroup_find(const char *controller, struct cgroup_mount *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	struct cgroup_mount m;
	bool found = false;
	char line[4096];

	while (f && fgets(line, sizeof(line), f)) {
		if (!parse_mount(line, &m) || (!controller && !m.v2) || (found && !m.v2))
			continue;
		if (controller && !cgroup_mount_has(&m, controller))
			continue;
		*ret = m;
		found = true;
		if (m.v2)
			break;
	}
	return found;
}

/* One line of /proc/self/cgroup, "4:memory:/path" or "0::/path": its path, if it is the one. */
static char *own_line(char *line, const char *controller)
{
	char *list, *path, word[32], commas[280];

	line[strcspn(line, "\n")] = '\0';
	list = strchr(line, ':');
	path = list ? strchr(list + 1, ':') : NULL;
	if (!path)
		return NULL;
	*path++ = '\0';
	list++;
	if (!controller)
		return starts_with(line, "0") && !*list ? path : NULL;
	(void)snprintf(word, sizeof(word), ",%s,", controller);
	(void)snprintf(commas, sizeof(commas), ",%.270s,", list);
	return strstr(commas, word) ? path : NULL;
}

int cgroup_own(const struct cgroup_mount *m, const char *controller, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	size_t root = streq(m->root, "/") ? 0 : strlen(m->root);
	char line[4096], *path = NULL;
	int n;

	while (!path && f && fgets(line, sizeof(line), f))
		path = own_line(line, m->v2 ? NULL : controller);
	/* "/..": outside of what our cgroup namespace shows. */
	if (!path || starts_with(path, "/..") || strncmp(path, m->root, root) != 0 ||
	    (root && path[root] != '/' && path[root]))
		return -ENOENT;
	path += root;
	n = snprintf(ret, size, "%s%s", m->mount, streq(path, "/") ? "" : path);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* --------------------------------------------------------------------- delegation */

static uint32_t controllers_in(int dir, const char *file)
{
	char list[512];
	uint32_t set = 0;

	if (cgroup_read_text(dir, file, list, sizeof(list)) < 0)
		return 0;
	set |= cgroup_has_word(list, "memory") ? CONTROLLER_MEMORY : 0;
	set |= cgroup_has_word(list, "pids") ? CONTROLLER_PIDS : 0;
	set |= cgroup_has_word(list, "cpu") ? CONTROLLER_CPU : 0;
	return set;
}

static bool may_write(int dir, const char *name, int mode)
{
	return faccessat(dir, name, mode, AT_EACCESS) == 0;
}

/* Who sits in the group itself: nobody (0), this process alone (1), or others (2). */
static int occupants(int dir)
{
	char text[4096], *at, *end;
	long pid;
	int n = 0;

	if (cgroup_read_text(dir, "cgroup.procs", text, sizeof(text)) < 0)
		return 2;
	for (at = text; *at; at = end + strspn(end, "\n")) {
		pid = strtol(at, &end, 10);
		if (end == at || pid != getpid())
			return 2; /* 0: a process of another pid namespace */
		n = 1;
	}
	return n;
}

/*
 * Groups with processes of their own can give no controller to groups below; the real root, which
 * has no cgroup.type, is exempt. Below a threaded group, or one that is the root of threads, only
 * threads can live.
 */
void cgroup_examine(const char *path, bool may_enable, struct cgroup_base *ret)
{
	_cleanup_close_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint32_t given, available;
	char type[32] = "";
	int who;

	memset(ret, 0, sizeof(*ret));
	copy_string(ret->path, sizeof(ret->path), path);
	if (dir < 0)
		return;
	available = controllers_in(dir, "cgroup.controllers");
	given = controllers_in(dir, "cgroup.subtree_control") & available;
	ret->controllers = given;
	ret->missing = available & ~given;
	(void)cgroup_read_text(dir, "cgroup.type", type, sizeof(type));
	if (!may_write(dir, ".", W_OK | X_OK) || !may_write(dir, "cgroup.procs", W_OK) ||
	    (*type && !streq(type, "domain\n")))
		return;
	ret->state = BASE_READY;
	if (!ret->missing || !may_enable || !may_write(dir, "cgroup.subtree_control", W_OK))
		return;
	who = *type ? occupants(dir) : 0;
	ret->state = who == 0 ? BASE_READY : who == 1 ? BASE_ALONE : BASE_CROWDED;
	if (ret->state == BASE_CROWDED)
		return;
	ret->controllers = available;
	ret->missing = 0;
	ret->enable = true;
}

static bool parent_of(const char *path, const struct cgroup_mount *v2, char *ret, size_t size)
{
	char *slash;

	copy_string(ret, size, path);
	slash = strrchr(ret, '/');
	if (!slash || streq(path, v2->mount))
		return false;
	*slash = '\0';
	return true;
}

/* systemd marks what it delegates (since 251). */
static bool is_marked(const char *path)
{
	char value[4];

	return getxattr(path, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

static bool is_leaf_for_caller(const char *own, const char *parent)
{
	const char *name = strrchr(own, '/');

	return (name && starts_with(name + 1, CALLER_LEAF)) ||
	       (is_marked(parent) && !is_marked(own));
}

static bool is_unlimited(int dir, const char *file)
{
	char text[64];

	return cgroup_read_text(dir, file, text, sizeof(text)) < 0 || starts_with(text, "max");
}

static bool has_no_limits(const char *path)
{
	_cleanup_close_ int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && is_unlimited(dir, "memory.max") && is_unlimited(dir, "memory.high") &&
	       is_unlimited(dir, "cpu.max");
}

static bool serves(const struct cgroup_base *b, bool own_leaf)
{
	return b->state == BASE_READY || (own_leaf && b->state == BASE_ALONE);
}

/*
 * What is left of it for who may not, or cannot, empty the group: membership without controllers.
 */
static void without_leaf(struct cgroup_base *b)
{
	_cleanup_close_ int dir = open(b->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint32_t given = dir >= 0 ? controllers_in(dir, "cgroup.subtree_control") : 0;

	b->missing |= b->controllers & ~given;
	b->controllers &= given;
	b->enable = false;
}

static bool is_real_root(const char *mount)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/cgroup.type", mount);
	return access(path, F_OK) < 0;
}

static bool choose_delegated(const struct cgroup_mount *v2, bool own_leaf, struct cgroup_base *ret)
{
	struct cgroup_base beside = { 0 };
	char own[1024], parent[1024];
	bool has_parent;

	memset(ret, 0, sizeof(*ret));
	copy_string(ret->path, sizeof(ret->path), v2->mount);
	if (cgroup_own(v2, NULL, own, sizeof(own)) < 0)
		return false;
	has_parent = parent_of(own, v2, parent, sizeof(parent));
	if (has_parent && is_leaf_for_caller(own, parent))
		cgroup_examine(parent, true, ret);
	if (ret->state == BASE_DENIED)
		cgroup_examine(own, true, ret);
	if (serves(ret, own_leaf) && ret->controllers)
		return true;
	if (has_parent && has_no_limits(own))
		cgroup_examine(parent, false, &beside);
	if (beside.state == BASE_READY && (beside.controllers || ret->state == BASE_DENIED)) {
		*ret = beside;
		return true;
	}
	if (ret->state == BASE_ALONE && !own_leaf)
		without_leaf(ret);
	return ret->state != BASE_DENIED;
}

bool cgroup_choose_base(const struct cgroup_mount *v2, bool privileged, bool own_leaf,
			struct cgroup_base *ret)
{
	if (privileged) {
		cgroup_examine(v2->mount, true, ret);
		if (is_real_root(v2->mount) || (ret->state == BASE_READY && !ret->missing))
			return ret->state == BASE_READY;
	}
	return choose_delegated(v2, own_leaf, ret);
}
