/* SPDX-License-Identifier: MIT */
/* From an entry of the file to what is sent: variables filled in, parameters encoded. */
#pragma once

#include "http.h"

/* headers of the request belong to the caller, also after a failure: curl_slist_free_all. */
int hurl_build_request(struct hurl_eval *e, const struct hurl_entry *entry,
		       const struct hurl_options *options, struct hurl_http_request *ret);
