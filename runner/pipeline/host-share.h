/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much of a processor a program gets while others want one, too: 1000 thousandths as long as
 * there are no more programs that can run than processors, 1000/n of them when n times as many can.
 * An estimate: weights and quotas of control groups are not looked at.
 */

#define HOST_SHARE_ALL 1000u

/* At this moment, from proc_loadavg(5). HOST_SHARE_ALL where that cannot be read. */
unsigned int host_share(void);

/* The same of the text of that file, on so many processors. */
unsigned int host_share_of(const char *loadavg, long processors);
