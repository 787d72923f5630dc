/* SPDX-License-Identifier: MIT */

/* How npm's settings become a route: hosts, ports, proxies, and what is refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "deps/npm-registry.h"
#include "util/util.h"

#define REST "cafile=null\nstrict-ssl=true\n"

static struct npm_registry parsed(const char *config)
{
	struct sbx_error err = {};
	struct npm_registry r;

	if (npm_registry_parse(&r, config, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

static void test_https_by_name(void **state)
{
	struct npm_registry r =
		parsed("registry=https://packages.example/npm/\nproxy=null\nhttps-proxy=null\n"
		       "noproxy=\n" REST);

	(void)state;
	assert_string_equal(r.url, "https://packages.example/npm/");
	assert_string_equal(r.to_host, "packages.example");
	assert_int_equal(r.to_port, 443);
	assert_int_equal(r.port, 443);
	assert_null(r.proxy);
	assert_string_equal(r.hosts,
			    "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 packages.example\n");
	npm_registry_done(&r);
}

static void test_http_with_port(void **state)
{
	struct npm_registry r = parsed("registry=http://localhost:4873/\n" REST);

	(void)state;
	assert_int_equal(r.port, 4873);
	assert_string_equal(r.to_host, "localhost");
	assert_string_equal(r.hosts, "127.0.0.1 localhost\n::1 localhost\n");
	npm_registry_done(&r);
}

/* The jail has no route to an address; plain http can be renamed, a certificate could not. */
static void test_addresses(void **state)
{
	struct npm_registry r = parsed("registry=http://192.0.2.7:8081/repo/npm/\n" REST);

	(void)state;
	assert_string_equal(r.url, "http://127.0.0.1:8081/repo/npm/");
	assert_string_equal(r.to_host, "192.0.2.7");
	npm_registry_done(&r);
	assert_int_equal(npm_registry_parse(&r, "registry=https://192.0.2.7/\n" REST, NULL, NULL),
			 -EINVAL);
}

static void test_proxy(void **state)
{
	struct npm_registry r =
		parsed("registry=https://packages.example/\nproxy=null\n"
		       "https-proxy=http://proxy.example:3128/\nnoproxy=other.example\n" REST);

	(void)state;
	assert_string_equal(r.proxy, "http://127.0.0.1:3128");
	assert_string_equal(r.to_host, "proxy.example");
	assert_int_equal(r.to_port, 3128);
	assert_string_equal(r.hosts, "127.0.0.1 localhost\n::1 localhost\n");
	npm_registry_done(&r);
}

static void test_noproxy(void **state)
{
	static const char *const lists[] = { "a.example,packages.example", ".packages.example",
					     "example", "*" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_free_ char *config = NULL;
		struct npm_registry r;

		assert_true(asprintf(&config,
				     "registry=https://packages.example/\nhttps-proxy=http://p:1\n"
				     "noproxy=%s\n" REST,
				     lists[i]) > 0);
		r = parsed(config);
		assert_null(r.proxy);
		npm_registry_done(&r);
	}
}

static void test_suffix_is_not_a_domain(void **state)
{
	struct npm_registry r =
		parsed("registry=https://packages.example/\nhttps-proxy=http://p:1\n"
		       "noproxy=ages.example\n" REST);

	(void)state;
	assert_non_null(r.proxy);
	npm_registry_done(&r);
}

static void test_refused(void **state)
{
	static const struct {
		const char *config;
		int code;
	} rows[] = {
		{ "", -EINVAL },
		{ "registry=\n", -EINVAL },
		{ "registry=file:///etc\n", -EINVAL },
		{ "registry=https://\n", -EINVAL },
		{ "registry=https://a b/\n", -EINVAL },
		{ "registry=https://a\t127.0.0.1/\n", -EINVAL },
		{ "registry=https://host:0/\n", -EINVAL },
		{ "registry=https://host:65536/\n", -EINVAL },
		{ "registry=https://host:/\n", -EINVAL },
		{ "registry=https://user:word@host/\n", -EACCES },
		{ "registry=https://host/\nhttps-proxy=http://user:word@proxy:1/\n", -EACCES },
		{ "registry=https://host/\nhttps-proxy=https://proxy:1/\n", -EINVAL },
		{ "registry=https://host/\ncafile=/nonexistent/ca.pem\n", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sbx_error err = {};
		struct npm_registry r;

		assert_int_equal(npm_registry_parse(&r, rows[i].config, NULL, &err), rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		assert_true(strlen(err.text) > 20);
	}
}

static void test_certificates(void **state)
{
	struct npm_registry r =
		parsed("registry=https://host/\ncafile=/proc/self/status\nstrict-ssl=true\n");

	(void)state;
	assert_non_null(r.cafile);
	assert_false(r.insecure);
	npm_registry_done(&r);
	assert_int_equal(npm_registry_parse(&r, "registry=https://host/\n" REST, "/dev/null", NULL),
			 0);
	assert_string_equal(r.cafile, "/dev/null");
	npm_registry_done(&r);
	assert_int_equal(
		npm_registry_parse(&r, "registry=https://host/\n" REST, "/nonexistent", NULL), 0);
	assert_null(r.cafile);
	npm_registry_done(&r);
	r = parsed("registry=https://host/\nstrict-ssl=false\n");
	assert_true(r.insecure);
	npm_registry_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_https_by_name), cmocka_unit_test(test_http_with_port),
		cmocka_unit_test(test_addresses),     cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_noproxy),	      cmocka_unit_test(test_suffix_is_not_a_domain),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_certificates),
	};

	return cmocka_run_group_tests_name("npm-registry", tests, NULL, NULL);
}
