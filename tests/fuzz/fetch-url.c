/* SPDX-License-Identifier: MIT */

/*
 * A URL of a submission. One that may be fetched is, as libcurl will use it, of a host that is listed,
 * without credentials; what is shown of any has no query.
 */

#include "fleet/fetch/fetch-url.h"
#include "util/util.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static bool has_part(CURLU *u, CURLUPart which)
{
	char *value = NULL;
	bool has = curl_url_get(u, which, &value, 0) == CURLUE_OK;

	curl_free(value);
	return has;
}

static bool is_listed(const char *host)
{
	static const char suffix[] = ".s3.example.net", exact[] = "files.example.org";
	size_t n = strlen(host);

	return streq(host, exact) || streq(host, "127.0.0.1") || streq(host, "[2001:db8::1]") ||
	       (n > strlen(suffix) && streq(host + n - strlen(suffix), suffix));
}

static void check_target(const struct fetch_target *t)
{
	char *host = NULL;

	expect(!has_part(t->url, CURLUPART_USER) && !has_part(t->url, CURLUPART_PASSWORD));
	if (t->file) {
		expect(t->file[0] == '/');
		return;
	}
	expect(curl_url_get(t->url, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	expect(strcasecmp(host, t->host) == 0 && is_listed(t->host));
	curl_free(host);
}

static void check_display(const char *url)
{
	char display[FETCH_DISPLAY_MAX];

	fetch_url_display(url, display);
	expect(display[0] && strlen(display) < sizeof(display) && !strpbrk(display, "?#"));
	for (const char *c = display; *c; c++)
		expect((unsigned char)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const hosts[] = { "files.example.org", "*.s3.example.net",
					     "[2001:db8::1]", "127.0.0.1:8080" };
	const struct fetch_options o = { .hosts = hosts,
					 .n_hosts = ARRAY_SIZE(hosts),
					 .file_root = "/srv" };
	_cleanup_free_ char *url = strndup((const char *)data, size);
	struct fetch_rules *rules = NULL;
	struct fetch_target t;
	char why[148] = "";

	expect(url && fetch_rules_new(&rules, &o, NULL) == 0);
	url[strcspn(url, "\n")] = '\0';
	if (fetch_target_parse(&t, url, rules, &o, why) == 0) {
		check_target(&t);
		fetch_target_done(&t);
	} else {
		expect(why[0]);
		for (const char *c = why; *c; c++)
			expect(*c >= ' ' && *c < 0x7f);
	}
	check_display(url);
	fetch_rules_free(rules);
	return 0;
}
