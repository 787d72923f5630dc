/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/types.h>

/*
 * A scripted HTTP server for the tests of the engine, honest on some paths and hostile on most. It
 * listens on a free port of 127.0.0.1 and serves each connection in a process of its own, so that a
 * connection that never ends holds up nothing; all of them end with the test.
 */
struct http_peer {
	pid_t pid;
	unsigned short port;
};

int http_peer_start(struct http_peer *ret);
void http_peer_stop(struct http_peer *peer);
