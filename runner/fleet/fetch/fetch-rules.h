/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a fetch may go: which hosts by name and port, and which addresses. Pure functions of the
 * operator's lists; fetch.c asks them for every URL and for every socket.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "fleet/fetch/fetch.h"

struct fetch_rules; /* fetch-rules.c */

int fetch_rules_new(struct fetch_rules **ret, const struct fetch_options *o, struct sbx_error *err);
struct fetch_rules *fetch_rules_free(struct fetch_rules *r);

/* `host` in small letters, an IPv6 address in brackets; `standard`: the scheme's own port. */
bool fetch_host_allowed(const struct fetch_rules *r, const char *host, uint16_t port,
			uint16_t standard);

/* NULL: a connection may be made to it. Else what it is: "loopback", "private", ... */
const char *fetch_address_refused(const struct fetch_rules *r, const struct sockaddr *a);
