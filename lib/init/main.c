/* SPDX-License-Identifier: MIT */

/*
 * PID 1 of a jail. The library starts it from a sealed memfd as uid 0 of the jail's user namespace,
 * in namespaces that are new and still show the host. It builds the jail, says PARKED and then does
 * what the library asks for on the control socket, until that closes or the creator dies.
 *
 * It is the only program in the jail with capabilities, so it is small, keeps no memory of its
 * caller, parses no byte that a jailed program wrote, and gives programs no descriptor that was not
 * meant for them. Whatever goes wrong before PARKED ends it with a FAILED message, and the kernel
 * ends the jail with it. No libc: its resident size is that of a handful of pages.
 */

#include "init.h"

/* Aligned, so that what every jail touches is one page. */
static struct init the_init __attribute__((aligned(4096)));
static unsigned char message_buffer[MESSAGE_MAX] __attribute__((aligned(4096)));

static const struct stage stages[] = {
	{ STEP_PLAN, process_protect },
	{ STEP_PLAN, plan_map },
	{ STEP_PLAN, start_receive },
	{ STEP_SYSCTL, sysctls_write },
	{ STEP_HOSTNAME, hostname_set },
	{ STEP_PROPAGATION, propagation_stop },
	{ STEP_ROOT, root_make },
	{ STEP_MOUNT_TARGET, mounts_make },
	{ STEP_PIVOT, root_pivot },
	{ STEP_MOUNT_PROOF, mounts_prove },
	{ STEP_LOOPBACK, loopback_up },
	{ STEP_LANDLOCK_RULES, landlock_prepare },
	{ STEP_PARK, park },
};

static void build_jail(struct init *in)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(stages); i++) {
		int r;

		in->step = stages[i].step;
		in->index = -1;
		r = stages[i].run(in);
		if (r < 0) {
			failed_send(CONTROL_FD, in, r);
			sys_exit(1);
		}
	}
}

_Noreturn void init_main(void)
{
	struct init *in = &the_init;

	in->message.bytes = message_buffer;
	in->root = in->host_proc = in->mountinfo = in->signals = in->ruleset = -1;
	build_jail(in);
	loop_run(in);
}
