/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The registry that the operator's npm is set up for, and how an install jail reaches it: through
 * one relay, to the registry or to the proxy in front of it. TLS stays end to end: the jail's
 * /etc/hosts gives the registry's name the address of the relay.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>

struct npm_registry {
	char *url; /* what npm in the jail is told */
	char *proxy; /* "http://127.0.0.1:PORT", or NULL */
	char *cafile; /* on the host, or NULL */
	char *hosts; /* content of /etc/hosts in the jail */
	bool insecure; /* the operator has set strict-ssl=false */
	char *to_host; /* where the relay goes */
	uint16_t to_port;
	uint16_t port; /* where it listens in the jail */
};

/*
 * Asks the machine's npm, or else the one in `node_dir`, with the environment of this process.
 * -EINTR: `cancel_fd` became readable. Other errors are the operator's to repair and say how.
 */
int npm_registry_find(struct npm_registry *ret, const char *node_dir, int cancel_fd,
		      struct sbx_error *err);
void npm_registry_done(struct npm_registry *r);

/* The same from the text that `npm config get KEY...` prints. */
int npm_registry_parse(struct npm_registry *ret, const char *config, const char *ca_fallback,
		       struct sbx_error *err);
