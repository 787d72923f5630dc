/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inside/relay/scram.h"
#include "inside/relay/tls.h"

/*
 * One connection of the application to the cluster. The application is hostile, so each length is
 * checked against what is there; the cluster is not, and is treated the same way.
 */

#define BUFFER_SIZE 16384u
#define STARTUP_MAX 10000u /* as Postgres */
#define KEY_MAX 64u
#define NAME_MAX_PG 64

enum { CLIENT, SERVER };

enum state {
	FREE,
	STARTUP,    /* the client has not yet said what it wants */
	CONNECTING, /* to the cluster */
	LOGIN,      /* as the one role; until ReadyForQuery */
	COPY,
	CLOSING, /* what is in the buffers still goes out */
};

/* Bytes that were read from one side: [start, pass) may go to the other one. */
struct buffer {
	uint32_t start, pass, end;
	bool ended;  /* nothing more to read */
	bool closed; /* and the other side knows */
	unsigned char data[BUFFER_SIZE];
};

struct connection {
	enum state state;
	int fd[2];
	struct buffer from[2];
	unsigned negotiations; /* of encryption */
	bool wants_tls;        /* and was told that it gets it */
	struct tls *tls;       /* of the client's side; NULL: in the clear */
	bool tls_wants_output; /* before anything can be read */
	bool cancels;          /* it carries a CancelRequest and nothing else */
	struct scram scram;
	uint8_t key[KEY_MAX]; /* of BackendKeyData: process and secret */
	uint32_t n_key;
};

struct identity {
	char user[NAME_MAX_PG], database[NAME_MAX_PG], password[128];
	bool tls; /* can be offered */
};

/* Why the relay ends: what its exit code tells the host. */
enum relay_end {
	RELAY_USAGE = 2,
	RELAY_OURS = 3,
	RELAY_UNREACHABLE = 4, /* the cluster does not answer, or is not ready */
	RELAY_REFUSED = 5, /* it wants another authentication than SCRAM, or is not who it was */
};

/*
 * startup.c. What the client said first, in from[CLIENT]: 0 more is needed; 1 from[CLIENT] is now
 * what to send to the cluster (state CONNECTING is wanted); -errno: to be closed, with
 * `*ret_refusal` (may be NULL) as why.
 */
int startup_step(struct connection *c, const struct identity *who, const struct connection *all,
		 size_t n, const char **ret_refusal);

/* login.c. Messages of the cluster until it is ready: 0, or -enum relay_end. */
int login_step(struct connection *c, const struct identity *who);

/* An ErrorResponse (FATAL) for the client; what was for it before is gone. */
void connection_refuse(struct connection *c, const char *code, const char *text);
/* One byte or a small message at once; -EPIPE: the peer does not take it. */
int send_small(int fd, const void *bytes, size_t size);

static inline uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}
