/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* sd_notify(3): a datagram to $NOTIFY_SOCKET; nothing where there is none. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* How often WATCHDOG=1 is to be sent, in ns: half of what the manager waits; 0: it does not. */
uint64_t notify_watchdog_ns(void);
