/* SPDX-License-Identifier: MIT */

/*
 * This host: control groups of processes that have died, and folders of DevForces' challenges as
 * they were once. A living owner holds the lock of its file (lib/ctx.c), so what can be locked is
 * of a dead one; whoever makes a context removes that, so all there is to do is to make one.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fleet/admin/gc.h"
#include "store/tree.h"
#include "util/util.h"

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

struct dead {
	uint64_t owners, groups;
};

static uint64_t count_groups(int owner, const char *token)
{
	char text[8192], *save = NULL;
	ssize_t n = pread(owner, text, sizeof(text) - 1, 0);
	size_t size = strlen(token);
	uint64_t groups = 0;

	text[MAX_OF(n, 0)] = '\0';
	for (char *path = strtok_r(text, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
		_cleanup_(closedirp) DIR *d = opendir(path);
		struct dirent *e;

		while (d && (e = readdir(d)))
			groups += strncmp(e->d_name, token, size) == 0 && e->d_name[size] == '.';
	}
	return groups;
}

static void count_owners(const char *runtime, struct dead *ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	struct stat st;

	if (asprintf(&path, "%s/owners", runtime) < 0) {
		path = NULL;
		return;
	}
	d = opendir(path);
	/* What lies in /tmp may be anybody's. */
	if (!d || fstat(dirfd(d), &st) < 0 || st.st_uid != geteuid())
		return;
	while ((e = readdir(d))) {
		_cleanup_close_ int fd = -1;

		if (e->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		ret->owners++;
		ret->groups += count_groups(fd, e->d_name);
	}
}

/* Of whom this is called: where a context of theirs keeps it (sandbox.h). */
static struct dead count_dead(void)
{
	const char *user = getenv("XDG_RUNTIME_DIR");
	struct dead ret = { 0 };
	char path[512];

	if (geteuid() == 0)
		count_owners("/run/sandbox", &ret);
	if (user && *user == '/') {
		(void)snprintf(path, sizeof(path), "%s/sandbox", user);
		count_owners(path, &ret);
	}
	(void)snprintf(path, sizeof(path), "/tmp/sandbox-%u", geteuid());
	count_owners(path, &ret);
	return ret;
}

static void gc_owners(struct gc *g)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .allow_unenforced = g->a->config.allow_unenforced };
	struct dead before = count_dead(), left = { 0 };
	struct sbx_ctx *ctx = NULL;

	if (!g->dry && before.owners > 0) {
		if (sbx_ctx_new(&ctx, &o, &g->a->err) < 0) {
			gc_failed(g, "host", &g->a->err);
			return;
		}
		sbx_ctx_free(ctx);
		left = count_dead();
	}
	gc_tell(g, "host", "owners", before.owners - MIN_OF(left.owners, before.owners), 0,
		"owner%s of jails that died before removing all of them");
	gc_tell(g, "host", "groups", before.groups - MIN_OF(left.groups, before.groups), 0,
		"control group%s of these");
}

/* ----------------------------------------------------- DevForces' challenges */

/* Its time is that of the last submission (devforces-challenge.c). Hidden ones are half made. */
static bool is_old_folder(int dir, const char *name, time_t before)
{
	struct stat st;

	return name[0] != '.' && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode) && st.st_mtime < before &&
	       strspn(name, "0123456789abcdef") == strlen(name);
}

static uint64_t disk_of(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct tree_sum sum = { 0 };

	return fd >= 0 && tree_sum(fd, &sum) == 0 ? sum.disk : 0;
}

static void gc_challenges(struct gc *g)
{
	const struct fleet_config *c = &g->a->config;
	_cleanup_(closedirp) DIR *d = c->compat.devforces != DEVFORCES_OFF && c->compat.folder
					      ? opendir(c->compat.folder)
					      : NULL;
	time_t before = time(NULL) - (time_t)g->older_s;
	uint64_t n = 0, bytes = 0;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		uint64_t disk;

		if (!is_old_folder(dirfd(d), e->d_name, before))
			continue;
		disk = disk_of(dirfd(d), e->d_name);
		if (!g->dry && tree_remove(dirfd(d), e->d_name) < 0)
			continue;
		n++;
		bytes += disk;
	}
	gc_tell(g, "host", "challenges", n, bytes,
		"folder%s of DevForces' challenges not used lately");
}

void gc_host(struct gc *g)
{
	gc_owners(g);
	gc_challenges(g);
}
