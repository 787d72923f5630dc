/* SPDX-License-Identifier: MIT */
#pragma once

#include "inside/records.h"

/*
 * What the submission calls its database and the users of it. A name in the code cannot be told to
 * it by a variable, so it counts most; then .env, then the compose file, then examples.
 */
enum identity_source {
	IDENTITY_NONE,
	IDENTITY_EXAMPLE,
	IDENTITY_COMPOSE,
	IDENTITY_DOTENV,
	IDENTITY_CODE,
};

struct identity {
	char name[64];
	enum identity_source source;
	char roles[RECORD_MAX_ROLES][64];
	unsigned n_roles;
};

/* What is no name of a database or a role, or a name that is reserved, is ignored. */
void identity_name(struct identity *id, enum identity_source source, const char *s, size_t n);
void identity_role(struct identity *id, const char *s, size_t n);
/* A postgres:// URL. */
void identity_url(struct identity *id, enum identity_source source, const char *s, size_t n);

/* identity-code.c: what source files and compose files say. */
int identity_scan(int root, struct identity *id);
/* For its test: one file of JavaScript or JSON; one compose file. */
void identity_of_code(struct identity *id, const char *text, size_t size);
void identity_of_compose(struct identity *id, const char *text, size_t size);
