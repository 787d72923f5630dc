/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/* Adds to the reason of a verdict (of a server that ran: to the notes) why it has no database. */
void advise(struct job *job);
/* A sentence for what a program printed, the caller's; NULL: nothing is known. `port`: of ours. */
char *advice_text(const char *log, uint16_t port);
/* Likewise; the server was found on port `found`, and `port` is the challenge's. */
char *advice_port(const char *log, uint16_t found, uint16_t port);
/* Likewise for the dependencies of package.json, as canonical JSON; `postgres`: there is one. */
char *advice_manifest(const char *manifest, bool postgres);
