/* SPDX-License-Identifier: MIT */

/*
 * URLs are parsed once, by libcurl, which then is given the parsed form: no second parser can read
 * them otherwise. It has brought 127.1 and 0x7f000001 into dotted form by then.
 */

#include "fleet/fetch/fetch-url.h"

#include <ctype.h>

#include "util/util.h"

#define URL_MAX 4096
#define WHY_SIZE 148
#define PARSE_FLAGS (CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME) /* as it was signed */

static void curl_freep(char **p)
{
	curl_free(*p);
}
#define _cleanup_curl_ _cleanup_(curl_freep)

static void curlu_freep(CURLU **u)
{
	curl_url_cleanup(*u);
}

static char *part(CURLU *u, CURLUPart which, unsigned int flags)
{
	char *value = NULL;

	return curl_url_get(u, which, &value, flags) == CURLUE_OK ? value : NULL;
}

static int refuse(char *why, const char *text)
{
	copy_string(why, WHY_SIZE, text);
	return -EPERM;
}

static bool host_is_plain(const char *host)
{
	return host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]")] == '\0';
}

static int check_server(struct fetch_target *t, const struct fetch_rules *rules, char *why)
{
	uint16_t standard = t->https ? 443 : 80;
	_cleanup_curl_ char *host = part(t->url, CURLUPART_HOST, 0);
	_cleanup_curl_ char *port = part(t->url, CURLUPART_PORT, 0);
	_cleanup_curl_ char *zone = part(t->url, CURLUPART_ZONEID, 0);
	uint16_t number = port ? (uint16_t)strtoul(port, NULL, 10) : standard;

	if (!host || !*host || strlen(host) >= sizeof(t->host))
		return refuse(why, "the URL names no host");
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!host_is_plain(host) || zone)
		return refuse(why,
			      "the URL's host is not written in letters, digits, dots and hyphens");
	copy_string(t->host, sizeof(t->host), host);
	if (fetch_host_allowed(rules, host, number, standard))
		return 0;
	(void)snprintf(why, WHY_SIZE,
		       "the host %.60s, port %u, is not in the list of hosts to fetch from "
		       "(fetch.hosts)",
		       host, number);
	return -EPERM;
}

static int check_file(struct fetch_target *t, const struct fetch_options *o, char *why)
{
	_cleanup_curl_ char *host = part(t->url, CURLUPART_HOST, 0);
	_cleanup_curl_ char *path = NULL;

	if (!o->file_root)
		return refuse(why, "files are not fetched here (fetch.file_root is not set)");
	if (host && *host && !streq(host, "localhost"))
		return refuse(why, "a file: URL is file:///PATH, without a host");
	path = part(t->url, CURLUPART_PATH, CURLU_URLDECODE);
	if (!path || path[0] != '/')
		return refuse(why, "a file: URL is file:///PATH");
	t->file = strdup(path);
	return t->file ? 0 : -ENOMEM;
}

static int check(struct fetch_target *t, const struct fetch_rules *rules,
		 const struct fetch_options *o, char *why)
{
	_cleanup_curl_ char *scheme = part(t->url, CURLUPART_SCHEME, 0);
	_cleanup_curl_ char *user = part(t->url, CURLUPART_USER, 0);
	_cleanup_curl_ char *password = part(t->url, CURLUPART_PASSWORD, 0);

	if (!scheme)
		return refuse(why, "this is no URL");
	if (user || password)
		return refuse(why, "a URL with user:password@ is not fetched");
	if (streq(scheme, "file"))
		return check_file(t, o, why);
	t->https = streq(scheme, "https");
	if (!t->https && !streq(scheme, "http"))
		return refuse(why, "only http: and https: are fetched");
	if (!t->https && o->https_only)
		return refuse(why, "only https: is fetched here (fetch.https_only)");
	return check_server(t, rules, why);
}

int fetch_target_parse(struct fetch_target *ret, const char *url, const struct fetch_rules *rules,
		       const struct fetch_options *o, char why[static WHY_SIZE])
{
	struct fetch_target t = { 0 };
	CURLUcode c;
	int r;

	if (strlen(url) > URL_MAX)
		return refuse(why, "the URL is longer than 4096 bytes");
	t.url = curl_url();
	if (!t.url)
		return -ENOMEM;
	c = curl_url_set(t.url, CURLUPART_URL, url, PARSE_FLAGS);
	if (c == CURLUE_OUT_OF_MEMORY)
		r = -ENOMEM;
	else if (c != CURLUE_OK)
		r = refuse(why, "this is no URL that can be fetched");
	else
		r = check(&t, rules, o, why);
	if (r < 0) {
		fetch_target_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void fetch_target_done(struct fetch_target *t)
{
	curl_url_cleanup(t->url);
	free(t->file);
	*t = (struct fetch_target){ 0 };
}

void fetch_url_display(const char *url, char ret[static FETCH_DISPLAY_MAX])
{
	_cleanup_(curlu_freep) CURLU *u = curl_url();
	_cleanup_curl_ char *whole = NULL;

	copy_string(ret, FETCH_DISPLAY_MAX, "(a URL that cannot be read)");
	if (!u || strlen(url) > URL_MAX ||
	    curl_url_set(u, CURLUPART_URL, url, PARSE_FLAGS) != CURLUE_OK)
		return;
	(void)curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	(void)curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	(void)curl_url_set(u, CURLUPART_USER, NULL, 0);
	(void)curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	(void)curl_url_set(u, CURLUPART_OPTIONS, NULL, 0);
	whole = part(u, CURLUPART_URL, 0);
	if (!whole)
		return;
	for (char *p = whole; *p; p++)
		*p = (char)(*p > ' ' && *p <= '~' ? *p : '_');
	if (strlen(whole) >= FETCH_DISPLAY_MAX)
		copy_string(whole + FETCH_DISPLAY_MAX - 4, 4, "...");
	copy_string(ret, FETCH_DISPLAY_MAX, whole);
}
