/* SPDX-License-Identifier: MIT */

/*
 * Giving up privileges for good. The order matters: the bounding set and the securebits need
 * CAP_SETPCAP, the ids need CAP_SETUID and CAP_SETGID, so the capability sets go last. As the
 * securebits switch off what setuid(2) does to capabilities, they are dropped explicitly and read
 * back: nothing is inferred.
 */

#include "init.h"
#include <linux/securebits.h>

int groups_drop(void)
{
	return sys_setgroups(0, NULL);
}

int bounding_drop(void)
{
	unsigned long cap = 0;
	int r;

	/*
	 * Until -EINVAL: past the last one that this kernel has. capabilities_drop() reads them
	 * back.
	 */
	while ((r = sys_prctl(PR_CAPBSET_DROP, cap, 0)) >= 0)
		cap++;
	return r == -EINVAL && cap > 0 ? 0 : r;
}

int securebits_lock(void)
{
	return sys_prctl(PR_SET_SECUREBITS,
			 SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
				 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
			 0);
}

int ids_set(uint32_t uid, uint32_t gid)
{
	int r = sys_setresgid(gid);

	return r < 0 ? r : sys_setresuid(uid);
}

static int capabilities_verify(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { 0 };
	int r = sys_capget(&h, d);

	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++)
		if (d[i].effective || d[i].permitted || d[i].inheritable)
			return -EPERM;
	for (unsigned long cap = 0; (r = sys_prctl(PR_CAPBSET_READ, cap, 0)) >= 0; cap++)
		if (r > 0)
			return -EPERM;
	return 0;
}

int capabilities_drop(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	int r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);

	if (r >= 0)
		r = sys_capset(&h, none);
	return r < 0 ? r : capabilities_verify();
}
