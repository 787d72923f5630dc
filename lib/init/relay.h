/* SPDX-License-Identifier: MIT */
#pragma once

#include "rt.h"

/* Allows what the relay's loop needs and kills for anything else. */
int relay_filter_install(void);
