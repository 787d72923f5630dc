/* SPDX-License-Identifier: MIT */

/*
 * Landlock, a second line behind mounts and seccomp: read and execute everywhere, write where the
 * plan has a writable file system, use the devices; no other write, not even in /proc. Rights that
 * the kernel does not know are masked by its ABI, not by the header this was built with. ABI 1
 * cannot rename across directories and counts as none.
 */

#include "init.h"

#define ABI_REFER 2u
#define ABI_TRUNCATE 3u
#define ABI_NET 4u
#define ABI_IOCTL_DEV 5u
#define ABI_SCOPE 6u

#define EXECUTE (1ull << 0)
#define WRITE_FILE (1ull << 1)
#define READ_FILE (1ull << 2)
#define READ_DIR (1ull << 3)
#define MAKE_CHAR (1ull << 6)
#define MAKE_BLOCK (1ull << 11)
#define REFER (1ull << 13)
#define TRUNCATE (1ull << 14)
#define IOCTL_DEV (1ull << 15)

#define RIGHTS_ALL ((1ull << 16) - 1)
#define RIGHTS_READ (EXECUTE | READ_FILE | READ_DIR)
#define RIGHTS_WRITE (RIGHTS_ALL & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV))
#define RIGHTS_DEVICE (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV)
#define RIGHTS_OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

#define SCOPE_ABSTRACT (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)

#define VERSION_FLAG 1u /* landlock_create_ruleset(): tell the ABI */
#define RULE_PATH_BENEATH 1u

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

static uint64_t rights_known(uint32_t abi)
{
	uint64_t rights = RIGHTS_ALL;

	if (abi < ABI_IOCTL_DEV)
		rights &= ~IOCTL_DEV;
	if (abi < ABI_TRUNCATE)
		rights &= ~TRUNCATE;
	return rights;
}

static int add_rule(const struct init *in, int ruleset, int fd, uint64_t rights)
{
	struct path_rule rule = { .rights = rights & rights_known(in->landlock_abi), .fd = fd };
	struct stat st;
	int r = sys_fstat(fd, &st);

	if (r < 0)
		return r;
	if (!S_ISDIR(st.st_mode))
		rule.rights &= RIGHTS_OF_FILES;
	return sys_landlock_add(ruleset, RULE_PATH_BENEATH, &rule);
}

int landlock_add(struct init *in, int ruleset, const struct access *a)
{
	uint64_t rights = a->kind == ACCESS_DEVICE ? RIGHTS_DEVICE : RIGHTS_WRITE;

	return add_rule(in, ruleset, a->fd, rights);
}

int landlock_add_tree(struct init *in, int ruleset, int fd, uint32_t fd_flags)
{
	if (fd_flags & SBX_FD_TREE_WRITE)
		return add_rule(in, ruleset, fd, RIGHTS_WRITE);
	return add_rule(in, ruleset, fd, READ_FILE | READ_DIR);
}

int landlock_ruleset(struct init *in)
{
	struct ruleset_attr attr = { .fs = rights_known(in->landlock_abi) };
	uint32_t abi = in->landlock_abi;
	size_t size = abi >= ABI_SCOPE ? 24 : abi >= ABI_NET ? 16 : 8;
	_cleanup_close_ int ruleset = -1;
	int r;

	if (abi >= ABI_SCOPE && (in->plan->flags & PLAN_LANDLOCK_SCOPE_SIGNAL))
		attr.scoped |= SCOPE_SIGNAL;
	if (abi >= ABI_SCOPE && (in->plan->flags & PLAN_LANDLOCK_SCOPE_ABSTRACT))
		attr.scoped |= SCOPE_ABSTRACT;
	ruleset = sys_landlock_create(&attr, size, 0);
	if (ruleset < 0)
		return ruleset;
	r = add_rule(in, ruleset, in->root, RIGHTS_READ);
	for (uint32_t i = 0; r >= 0 && i < in->n_access; i++)
		r = landlock_add(in, ruleset, &in->access[i]);
	return r < 0 ? r : steal_fd(&ruleset);
}

int landlock_prepare(struct init *in)
{
	int abi;

	if (in->plan->landlock == PLAN_LANDLOCK_OFF)
		return 0;
	abi = sys_landlock_create(NULL, 0, VERSION_FLAG);
	if (abi < (int)ABI_REFER)
		return in->plan->landlock == PLAN_LANDLOCK_REQUIRED ? -EOPNOTSUPP : 0;
	in->landlock_abi = (uint32_t)abi;
	in->ruleset = landlock_ruleset(in);
	return in->ruleset < 0 ? in->ruleset : 0;
}
