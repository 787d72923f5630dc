/* SPDX-License-Identifier: MIT */
#pragma once

#include <curl/curl.h>

/* NULL: there is none. curl_free. */
char *hurl_url_part(CURLU *url, CURLUPart which, unsigned int flags);
/* "http://host:port" in small letters, or NULL. free. */
char *hurl_url_origin(CURLU *url);
