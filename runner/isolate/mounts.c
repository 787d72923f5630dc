/* SPDX-License-Identifier: MIT */

/*
 * What directory rules become in a policy.
 *
 *   box=./box:rw      the box, ids mapped one to one: the program's uid is its owner on the disk
 *   DIR:rw            the same of another tree; what is mounted below it is not shown
 *   DIR               as it is on the host, read-only, with what is mounted below it
 *   DIR:tmp           a directory of the box, kept between runs
 *   dev               not the host's /dev, but the handful of devices that programs need
 *   proc=proc:fs      own processes only
 */

#include "rules.h"
#include "start.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <util/util.h>

#define SHM_BYTES (64ull << 20)
#define SHM_INODES 1024
#define TMPFS_BYTES (256ull << 20)
#define TMPFS_INODES 65536

static int add(struct box *b, struct sbx_policy *policy, const struct sbx_mount *m)
{
	struct sbx_error err = { 0 };

	if (sbx_policy_add_mount(policy, m, &err) < 0)
		return report_library(b->report, &err);
	return 0;
}

static int add_tmpfs(struct box *b, struct sbx_policy *policy, const char *target, uint64_t bytes,
		     uint64_t inodes)
{
	const struct sbx_mount m = { .size = sizeof(m),
				     .type = SBX_MOUNT_TMPFS,
				     .target = target,
				     .mode = 01777,
				     .bytes = bytes,
				     .inodes = inodes };

	return add(b, policy, &m);
}

static bool has_rule(const struct rules *rules, const char *inside)
{
	for (unsigned int i = 0; i < rules->n_dirs; i++)
		if (streq(rules->dirs[i].inside, inside))
			return true;
	return false;
}

/* ---------------------------------------------------------------- devices */

static int add_devices(const struct rules *rules, const char *at, struct box *b,
		       struct sbx_policy *policy)
{
	static const struct {
		const char *name, *link;
	} nodes[] = {
		{ "null", NULL },
		{ "zero", NULL },
		{ "full", NULL },
		{ "random", NULL },
		{ "urandom", NULL },
		{ "fd", "/proc/self/fd" },
		{ "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" },
	};
	char target[PATH_MAX], source[64];

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct sbx_mount m = { .size = sizeof(m), .target = target, .data = nodes[i].link };

		(void)snprintf(target, sizeof(target), "/%.3000s/%s", at, nodes[i].name);
		(void)snprintf(source, sizeof(source), "/dev/%s", nodes[i].name);
		m.type = m.data ? SBX_MOUNT_SYMLINK : SBX_MOUNT_DEVICE;
		m.source = m.data ? NULL : source;
		if (add(b, policy, &m) < 0)
			return -1;
	}
	if (has_rule(rules, "dev/shm") || !streq(at, "dev"))
		return 0;
	return add_tmpfs(b, policy, "/dev/shm", SHM_BYTES, SHM_INODES);
}

static int add_device(const struct dir_rule *rule, const char *source, struct box *b,
		      struct sbx_policy *policy, const char *target)
{
	const struct sbx_mount m = {
		.size = sizeof(m), .type = SBX_MOUNT_DEVICE, .source = source, .target = target
	};
	struct stat st;

	if (starts_with(source, "/dev/") && stat(source, &st) == 0 && S_ISCHR(st.st_mode))
		return add(b, policy, &m);
	return report_fail(b->report,
			   "Cannot allow devices in %s: here the option dev is for /dev, and for "
			   "single nodes (--dir=dev/NAME=/dev/NAME:dev)",
			   rule->outside);
}

/* ------------------------------------------------------------- directories */

static int add_filesystem(const struct dir_rule *rule, struct box *b, struct sbx_policy *policy,
			  const char *target)
{
	const struct sbx_mount proc = { .size = sizeof(proc),
					.type = SBX_MOUNT_PROC,
					.target = target };

	if (streq(rule->outside, "proc"))
		return add(b, policy, &proc);
	if (streq(rule->outside, "tmpfs"))
		return add_tmpfs(b, policy, target, TMPFS_BYTES, TMPFS_INODES);
	return report_fail(b->report,
			   "Cannot mount %s on %s: the file systems that a box may have "
			   "are proc and tmpfs",
			   rule->outside, target);
}

/* 0; 1: left out; -1. */
static int find_source(const struct dir_rule *rule, struct box *b, char ret[PATH_MAX])
{
	_cleanup_free_ char *real = NULL;
	int r = 0;

	if (rule->flags & DIR_TMP)
		return box_tmp(b, rule->inside, ret);
	if (starts_with(rule->outside, "./"))
		r = box_inner(b, rule->outside + 2, ret);
	else if ((real = realpath(rule->outside, NULL)))
		copy_string(ret, PATH_MAX, real);
	else
		r = -errno;
	if ((r == -ENOENT || r == -ENOTDIR) && (rule->flags & DIR_MAYBE)) {
		report_note(b->report, "Not binding %s on %s (does not exist)", rule->outside,
			    rule->inside);
		return 1;
	}
	if (r < 0)
		return report_fail(b->report, "Cannot mount %s on /%s: %s", rule->outside,
				   rule->inside,
				   r == -ELOOP ? "a link lies on the way, and in a box none is "
						 "followed"
					       : strerror(-r));
	return 0;
}

static int add_bind(const struct dir_rule *rule, const char *source, struct box *b,
		    struct sbx_policy *policy, const char *target)
{
	struct sbx_mount m = {
		.size = sizeof(m), .type = SBX_MOUNT_BIND, .source = source, .target = target
	};

	if (streq(source, "/proc") || starts_with(source, "/proc/"))
		return report_fail(b->report,
				   "Cannot mount %s on %s: it would show the host's processes; "
				   "--dir=proc=proc:fs shows the program's own",
				   source, target);
	if (rule->flags & DIR_RW)
		m.flags |= SBX_MOUNT_RW | SBX_MOUNT_IDMAP;
	/*
	 * Which also shows one mount, not what lies on it. Below the box the program is the owner.
	 */
	if ((rule->flags & DIR_NOREC) || starts_with(rule->outside, "./"))
		m.flags |= SBX_MOUNT_IDMAP;
	if (rule->flags & DIR_NOEXEC)
		m.flags |= SBX_MOUNT_NOEXEC;
	return add(b, policy, &m);
}

static int mount_rule(const struct rules *rules, const struct dir_rule *rule, struct box *b,
		      struct sbx_policy *policy)
{
	char source[PATH_MAX], target[PATH_MAX];
	int r;

	if (snprintf(target, sizeof(target), "/%s", rule->inside) >= (int)sizeof(target))
		return report_fail(b->report, "The path %.64s... is too long", rule->inside);
	if (!rule->outside) {
		report_note(b->report, "Not binding anything on %s", rule->inside);
		return 0;
	}
	if (rule->flags & DIR_FS)
		return add_filesystem(rule, b, policy, target);
	r = find_source(rule, b, source);
	if (r != 0)
		return r < 0 ? r : 0;
	if (streq(source, "/dev"))
		return add_devices(rules, rule->inside, b, policy);
	if (rule->flags & DIR_DEV)
		return add_device(rule, source, b, policy, target);
	report_note(b->report, "Binding %s on %s", source, target);
	return add_bind(rule, source, b, policy, target);
}

int rules_mount(const struct rules *rules, struct box *b, struct sbx_policy *policy)
{
	const struct sbx_mount starter = { .size = sizeof(starter),
					   .type = SBX_MOUNT_BIND,
					   .source = b->config->starter,
					   .target = START_PATH };

	for (unsigned int i = 0; i < rules->n_dirs; i++) {
		const struct dir_rule *rule = &rules->dirs[i];

		if (rules->no_default_dirs && (rule->flags & DIR_DEFAULT))
			continue;
		if (mount_rule(rules, rule, b, policy) < 0)
			return -1;
	}
	return add(b, policy, &starter);
}
