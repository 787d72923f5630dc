/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>

#include "fleet/fetch/fetch-rules.h"

/*
 * A URL that may be fetched, as libcurl has parsed it: what it was judged by is what it will use.
 */
struct fetch_target {
	CURLU *url;
	char *file; /* of file: the path, decoded; else NULL */
	bool https;
	char host[256]; /* of the URL; "" of a file */
};

/* 0; -EPERM and `why` says what is wrong with it, without its query; -ENOMEM. */
int fetch_target_parse(struct fetch_target *ret, const char *url, const struct fetch_rules *rules,
		       const struct fetch_options *o, char why[static 148]);
void fetch_target_done(struct fetch_target *t);
