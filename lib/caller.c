/* SPDX-License-Identifier: MIT */

/* See caller.h. */

#include "caller.h"
#include "util/util.h"
#include <sys/capability.h>

const struct id_space default_ids = { .base = 1900000000u, .size = ID_RANGE, .count = 2048 };

void caller_lacks(char *ret, size_t size)
{
	static const cap_value_t needed[] = { CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_KILL,
					      CAP_DAC_OVERRIDE };
	cap_t caps = cap_get_proc();
	cap_flag_value_t value;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(needed) && n < size; i++) {
		char *name;

		if (caps && cap_get_flag(caps, needed[i], CAP_EFFECTIVE, &value) == 0 &&
		    value == CAP_SET)
			continue;
		name = cap_to_name(needed[i]);
		n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", name ? name : "?");
		(void)cap_free(name);
	}
	(void)cap_free(caps);
}

bool caller_is_privileged(const struct id_space *ids)
{
	char missing[128];

	caller_lacks(missing, sizeof(missing));
	return !missing[0] && ids_exist(ids);
}
