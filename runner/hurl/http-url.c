/* SPDX-License-Identifier: MIT */
/* Parts of URLs, and what a server's own URL may look like. */
#include "http-url.h"

#include "http.h"
#include "util/util.h"

char *hurl_url_part(CURLU *url, CURLUPart which, unsigned int flags)
{
	char *text = NULL;

	return curl_url_get(url, which, &text, flags) ? NULL : text;
}

/* "http://host:port", or NULL */
char *hurl_url_origin(CURLU *url)
{
	char *scheme = hurl_url_part(url, CURLUPART_SCHEME, 0),
	     *host = hurl_url_part(url, CURLUPART_HOST, 0);
	char *port = hurl_url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT), *origin = NULL;

	if (!scheme || !host || !port || asprintf(&origin, "%s://%s:%s", scheme, host, port) < 0)
		origin = NULL;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	for (char *c = origin; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	return origin;
}

int hurl_check_base(const char *text, unsigned int flags, char *why, size_t why_size)
{
	CURLU *url = curl_url();
	char *scheme, *query, *fragment;
	int r = -EINVAL;

	if (!url)
		return -ENOMEM;
	if (curl_url_set(url, CURLUPART_URL, text, 0)) {
		curl_url_cleanup(url);
		snprintf(why, why_size, "expected a URL such as http://localhost:8000");
		return -EINVAL;
	}
	scheme = hurl_url_part(url, CURLUPART_SCHEME, 0);
	query = hurl_url_part(url, CURLUPART_QUERY, 0);
	fragment = hurl_url_part(url, CURLUPART_FRAGMENT, 0);
	if (!scheme ||
	    !(streq(scheme, "http") || (streq(scheme, "https") && (flags & HURL_ALLOW_HTTPS))))
		snprintf(why, why_size, "expected http://%s",
			 flags & HURL_ALLOW_HTTPS ? " or https://" : "");
	else if (query || fragment)
		snprintf(why, why_size, "a base URL has no '?' and no '#'");
	else
		r = 0;
	curl_free(scheme);
	curl_free(query);
	curl_free(fragment);
	curl_url_cleanup(url);
	return r;
}
