/* SPDX-License-Identifier: MIT */
#pragma once

#include "challenge/challenge.h"
#include "json/json-config.h"

/* What docs/challenge.md says; the reasons are there. */
extern const struct challenge_limits challenge_default_limits;

/* Changes those members of `ret` that the object `v` names. */
int challenge_set_limits(struct json_config *cfg, const cJSON *v, struct challenge_limits *ret);
