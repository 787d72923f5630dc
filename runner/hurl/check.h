/* SPDX-License-Identifier: MIT */
/*
 * What an entry expects of its response: status, headers, captures, body, asserts, in this order.
 */
#pragma once

#include "eval.h"

int hurl_check_response(struct hurl_eval *e, const struct hurl_expectation *x);
