/* SPDX-License-Identifier: MIT */
#pragma once

#include <cjson/cJSON.h>
#include <stddef.h>

/*
 * JSON that people write: with comments (// and slash-star), which are blanked so that offsets stay
 * true. Errors are `FILE:LINE:COLUMN: what is wrong ($.path)`. Unknown and duplicate keys are
 * refused.
 */
#define JSON_CONFIG_WHY 1024

struct json_config {
	const char *name; /* of the file, for messages; the caller's */
	char *text;	  /* comments blanked */
	cJSON *root;
	char *why; /* the caller's, JSON_CONFIG_WHY bytes */
};

/* A member that an object may have. `set` returns 0, or what json_config_error() returned. */
struct json_key {
	const char *name;
	int (*set)(struct json_config *c, const cJSON *value, void *data);
};

/* 0, -ENOMEM, or -EINVAL and `why` filled. json_config_done() in every case. */
int json_config_parse(struct json_config *c, const char *name, const char *text, size_t size,
		      char *why);
void json_config_done(struct json_config *c);

/* Says what is wrong with the value `at`; returns -EINVAL. */
int json_config_error(struct json_config *c, const cJSON *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Calls the `set` of every member of `object`, in the order of the file. */
int json_config_object(struct json_config *c, const cJSON *object, const struct json_key *keys,
		       size_t n, void *data);
/* Refuses a key that comes twice; part of json_config_object. */
int json_config_unique(struct json_config *c, const cJSON *object);
