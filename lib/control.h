/* SPDX-License-Identifier: MIT */
#pragma once

/* Messages with descriptors over SEQPACKET sockets; protocol.h says what they mean. */

#include "protocol.h"
#include <stddef.h>
#include <sys/uio.h>

/* A pair, both ends close-on-exec, with room for MESSAGE_MAX in both directions. */
int control_pair(int ret[2]);

int control_send(int fd, const struct iovec *parts, int n_parts, const int *fds, int n_fds);

/*
 * One message into `buf`, at most `max_fds` descriptors into `fds` (all close-on-exec). Returns its
 * length; 0 is end of file; -ETIMEDOUT after `timeout_ms` (-1: never), -EPROTO if it was cut.
 */
int control_receive(int fd, void *buf, size_t size, int *fds, int max_fds, int *ret_fds,
		    int timeout_ms);
