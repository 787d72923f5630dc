/* SPDX-License-Identifier: MIT */

/* From the options of exec to a compiled plan. Whatever is wrong is known before a jail is made. */

#include "exec-jail.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <util/util.h>

/* As /tmp of the policies: one file for each 8 KiB. */
#define BYTES_PER_INODE 8192
#define INODES_LEAST 1024
#define ROOT_BYTES (64ull << 20)
#define NAME_MAX_BYTES 64

static int apply_limits(struct sbx_policy *policy, const struct exec_options *o,
			struct sbx_error *err)
{
	const struct {
		const char *key, *value;
	} limits[] = {
		{ "memory", o->memory.text },     { "cpu", o->cpu.text },
		{ "cpu_time", o->cpu_time.text }, { "wall", o->wall.text },
		{ "pids", o->pids.text },         { "disk", o->disk.text },
		{ "fsize", o->fsize.text },       { "output", o->output.text },
		{ "nofile", o->nofile.text },     { "stack", o->stack.text },
		{ "user", o->uid.text },          { "group", o->gid.text },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && r >= 0; i++)
		if (limits[i].value)
			r = sbx_policy_set(policy, limits[i].key, limits[i].value, err);
	return r;
}

/* ------------------------------------------------------------------ mounts */

/*
 * With the IDMAP of --rw the jailed user owns what the same uid owns here: say so before it fails.
 */
static void warn_owner(const struct exec_options *o, const char *source)
{
	unsigned int uid = o->uid.text ? (unsigned int)o->uid.value : 1000;
	struct stat st;

	if (o->quiet || geteuid() != 0 || stat(source, &st) < 0 || st.st_uid == uid ||
	    (st.st_mode & S_IWOTH))
		return;
	fprintf(stderr,
		"sandbox-run: --rw %s: belongs to uid %u, and the command is uid %u: chown it to "
		"%u\n",
		source, (unsigned int)st.st_uid, uid, uid);
}

/* SRC or SRC:DST; DST begins with '/', so that a ':' elsewhere belongs to SRC. */
static int add_bind(struct sbx_policy *policy, const struct exec_options *o, const char *text,
		    bool writable, struct sbx_error *err)
{
	const char *colon = strstr(text, ":/");
	_cleanup_free_ char *given = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	_cleanup_free_ char *source = given ? realpath(given, NULL) : NULL;
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_BIND };

	if (!given)
		return exec_fail(err, -ENOMEM, "mount", text, "out of memory");
	if (!source)
		return exec_fail(err, -errno, writable ? "--rw" : "--ro", given, strerror(errno));
	m.source = source;
	m.target = colon ? colon + 1 : exec_path_is_clean(given) ? given : source;
	if (writable) {
		m.flags = SBX_MOUNT_RW | SBX_MOUNT_IDMAP;
		warn_owner(o, source);
	}
	return sbx_policy_add_mount(policy, &m, err);
}

static int add_tmpfs(struct sbx_policy *policy, const char *text, struct sbx_error *err)
{
	struct sbx_mount m = { .size = sizeof(m), .type = SBX_MOUNT_TMPFS, .mode = 01777 };
	struct exec_tmpfs t;
	const char *why;

	if (exec_parse_tmpfs(text, &t, &why) < 0)
		return exec_fail(err, -EINVAL, "--tmpfs", text, why);
	m.target = t.target;
	m.bytes = t.bytes;
	m.inodes = MAX_OF(t.bytes / BYTES_PER_INODE, (uint64_t)INODES_LEAST);
	return sbx_policy_add_mount(policy, &m, err);
}

/*
 * An overlay, not a bind: the places that the policy mounts on need not be there, and what programs
 * write does not reach the tree.
 */
static int add_root(struct sbx_policy *policy, const struct exec_options *o, struct sbx_error *err)
{
	_cleanup_free_ char *source = realpath(o->root, NULL);
	struct sbx_mount m = {
		.size = sizeof(m),
		.type = SBX_MOUNT_OVERLAY,
		.flags = SBX_MOUNT_IDMAP,
		.source = source,
		.target = "/",
		.mode = 0755,
		.bytes = o->disk.text ? o->disk.value : ROOT_BYTES,
	};
	struct stat st;

	if (!source || stat(source, &st) < 0)
		return exec_fail(err, -errno, "--root", o->root, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return exec_fail(err, -ENOTDIR, "--root", o->root,
				 "is not a directory; unpack the image first");
	m.inodes = MAX_OF(m.bytes / BYTES_PER_INODE, (uint64_t)INODES_LEAST);
	return sbx_policy_add_mount(policy, &m, err);
}

static int add_mounts(struct sbx_policy *policy, const struct exec_options *o,
		      struct sbx_error *err)
{
	int r = o->root ? add_root(policy, o, err) : 0;

	for (uint32_t i = 0; i < o->tmpfs.n && r >= 0; i++)
		r = add_tmpfs(policy, o->tmpfs.items[i], err);
	for (uint32_t i = 0; i < o->ro.n && r >= 0; i++)
		r = add_bind(policy, o, o->ro.items[i], false, err);
	for (uint32_t i = 0; i < o->rw.n && r >= 0; i++)
		r = add_bind(policy, o, o->rw.items[i], true, err);
	return r;
}

/* ------------------------------------------------------------ system calls */

static int add_names(struct sbx_policy *policy, const char *names, int32_t action,
		     struct sbx_error *err)
{
	char name[NAME_MAX_BYTES];
	int r = 0;

	for (size_t len; r >= 0; names += len + 1) {
		len = strcspn(names, ",");
		if (len == 0 || len >= sizeof(name))
			return exec_fail(err, -EINVAL, "--seccomp", names,
					 "is not a list of system calls and @groups with commas");
		memcpy(name, names, len);
		name[len] = '\0';
		r = sbx_policy_add_syscall(policy, name, action, err);
		if (!names[len])
			break;
	}
	return r;
}

static int add_profile(struct sbx_policy *policy, const struct settings *settings, const char *name,
		       struct sbx_error *err)
{
	_cleanup_free_ char *path = NULL;
	int r = settings_policy(settings, name, &path, err);

	return r < 0 ? r : sbx_policy_set(policy, "syscalls", path, err);
}

/* Later rules win, so the profile, which replaces all, comes first wherever it was given. */
static int apply_seccomp(struct sbx_policy *policy, const struct settings *settings,
			 const struct exec_options *o, struct sbx_error *err)
{
	static const struct {
		const char *prefix;
		int32_t action;
	} kinds[] = {
		{ "allow:", SBX_SYSCALL_ALLOW },
		{ "deny:", SBX_SYSCALL_EPERM },
		{ "enosys:", SBX_SYSCALL_ENOSYS },
	};
	const char *profile = NULL;
	int r = 0;

	for (uint32_t i = 0; i < o->seccomp.n; i++)
		if (!starts_with(o->seccomp.items[i], "allow:") &&
		    !starts_with(o->seccomp.items[i], "deny:") &&
		    !starts_with(o->seccomp.items[i], "enosys:"))
			profile = o->seccomp.items[i];
	if (profile)
		r = add_profile(policy, settings, profile, err);
	for (uint32_t i = 0; i < o->seccomp.n && r >= 0; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds) && r >= 0; k++)
			if (starts_with(o->seccomp.items[i], kinds[k].prefix))
				r = add_names(policy, o->seccomp.items[i] + strlen(kinds[k].prefix),
					      kinds[k].action, err);
	if (r >= 0 && o->terminal)
		r = sbx_policy_add_syscall(policy, "@terminal", SBX_SYSCALL_ALLOW, err);
	/* socketpair(2) stays: what it makes leads nowhere but to the program itself. */
	if (r >= 0 && streq(o->net, "none"))
		r = sbx_policy_add_syscall(policy, "socket", SBX_SYSCALL_EPERM, err);
	return r;
}

int exec_policy_compile(const struct settings *settings, const char *path,
			const struct exec_options *o, struct sbx_plan **ret, struct sbx_error *err)
{
	struct sbx_policy *policy = NULL;
	int r = sbx_policy_load(&policy, path, settings->policy_dir, err);

	if (r >= 0)
		r = apply_limits(policy, o, err);
	if (r >= 0)
		r = add_mounts(policy, o, err);
	if (r >= 0)
		r = apply_seccomp(policy, settings, o, err);
	if (r >= 0)
		r = sbx_policy_compile(policy, ret, err);
	sbx_policy_free(policy);
	return r;
}
