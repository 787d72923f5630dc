/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a judge and a keeper say to each other, in messages over a SOCK_SEQPACKET pair: one request,
 * one reply. When the judge's end is closed, the keeper drops all that it has made, and ends.
 */

#include <stdint.h>

#define KEEPER_SOCKET_FD 3
#define KEEPER_URL_FD 4

#define SERVER_NAME_MAX 64

/* A database that was made for one submission. Strings end with a NUL. */
struct database_server {
	char host[256]; /* a name or address, or the directory of a unix socket */
	char role[SERVER_NAME_MAX], password[SERVER_NAME_MAX], name[SERVER_NAME_MAX];
	uint16_t port;
	uint16_t connections; /* of the role, at once */
};

enum keeper_what {
	KEEPER_TAKE = 1, /* give me a database; `disk`: what it may hold */
	KEEPER_STATUS,   /* how is it? */
	KEEPER_EXAMINE,  /* the same, when something has failed: is the server to blame? */
	KEEPER_RELEASE,  /* I am done with it; no reply */
};

/* Started with --check the keeper sends a struct sbx_check for each thing it found, and ends. */
#define KEEPER_CHECKS_MAX 16u

/*
 * Started with --sweep it sends one for each name that a dead owner left and that it has dropped
 * (with --dry-run: would drop), and then the end: `code` 0, or -errno and the text says why.
 */
struct keeper_swept {
	int32_t code;
	uint32_t end;
	char text[240];
};

struct keeper_request {
	uint32_t what;
	uint32_t serial; /* comes back with the reply: one may have stopped waiting for another */
	uint64_t disk;   /* bytes */
};

struct keeper_reply {
	int32_t code;       /* 0, or -errno: text says why */
	uint32_t over_disk; /* it was larger than it may be, and is closed */
	uint32_t lost;      /* the cluster was away since it was taken */
	uint32_t serial;
	uint64_t disk; /* bytes that it holds, more than an empty one */
	struct database_server database;
	char text[240];
};
