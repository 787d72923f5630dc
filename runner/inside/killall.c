/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside killall`: ends every process of its jail but itself and the jail's init. One call
 * of kill(2), in which no process can fork its way out: a child is not born while its parent has a
 * fatal signal waiting.
 */

#include <signal.h>

#include "inside/inside.h"
#include "util/util.h"

int inside_killall(int argc, char **argv)
{
	if (kill(-1, SIGKILL) == 0 || errno == ESRCH)
		return 0;
	(void)fprintf(stderr, "sandbox-inside killall: %m\n");
	return 3;
}
