/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"
#include "json/json-config.h"

/*
 * Each sets one member from one value of challenge.json: 0, or what json_config_error() returned.
 */
int challenge_set_command(struct json_config *cfg, const cJSON *v, struct challenge_command *ret,
			  bool may_be_null);
int challenge_set_migrate(struct json_config *cfg, const cJSON *v, struct challenge *c);
int challenge_set_node_modules(struct json_config *cfg, const cJSON *v, struct challenge *c);
int challenge_set_lockfile(struct json_config *cfg, const cJSON *v, struct challenge *c);
int challenge_set_scripts(struct json_config *cfg, const cJSON *v, struct challenge_scripts *ret);
