/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), as Postgres speaks it: without channel
 * binding, the name of the role being known from the start. One struct a login.
 */

#define SCRAM_TEXT 512

struct scram {
	char first_bare[64];          /* "n=,r=..." */
	uint8_t server_signature[32]; /* expected at the end */
};

/* The first message, "n,,n=,r=...". Its length, or -errno. */
int scram_first(struct scram *s, char ret[SCRAM_TEXT]);
/* What the server answered, and the proof to send. Its length, or -EPROTO. */
int scram_final(struct scram *s, const char *password, const char *server_first, size_t size,
		char ret[SCRAM_TEXT]);
/* 0: the server has proved that it knows the role, too; -EPROTO. */
int scram_verify(const struct scram *s, const char *server_final, size_t size);
