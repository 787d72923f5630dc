/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include "fleet/fetch/fetch-rules.h"
#include "util/util.h"

static struct fetch_rules *rules_of(const char *const *hosts, size_t n, const char *const *networks,
				    size_t m)
{
	struct fetch_options o = {
		.hosts = hosts, .n_hosts = n, .networks = networks, .n_networks = m
	};
	struct fetch_rules *r = NULL;
	struct sbx_error err = { 0 };

	if (fetch_rules_new(&r, &o, &err) < 0)
		fail_msg("%s: %s", err.item, err.text);
	return r;
}

static const char *refused(const struct fetch_rules *r, const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
		return fetch_address_refused(r, (const struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
	return fetch_address_refused(r, (const struct sockaddr *)&six);
}

/* First, last and the neighbours of each block. */
static void test_addresses(void **state)
{
	static const char *const public[] = {
		"1.1.1.1",          "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
		"100.128.0.0",      "126.255.255.255", "128.0.0.0",       "169.253.255.255",
		"169.255.0.0",      "172.15.255.255",  "172.32.0.0",      "192.0.1.0",
		"192.0.3.0",        "192.167.255.255", "192.169.0.0",     "198.17.255.255",
		"198.20.0.0",       "223.255.255.255", "2606:4700::1111", "2001:4860::8888",
		"2001:db7:ffff::",  "2001:db9::",      "2003::1",         "::ffff:1.1.1.1",
		"64:ff9b::1.1.1.1",
	};
	static const char *const special[] = {
		"0.0.0.0",
		"0.255.255.255",
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.0.0",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.192",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.0.0",
		"192.168.255.255",
		"198.18.0.0",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::2",
		"::10.0.0.1",
		"::1.1.1.1",
		"::ffff:10.0.0.1",
		"::ffff:127.0.0.1",
		"64:ff9b::10.0.0.1",
		"64:ff9b::7f00:1",
		"64:ff9b:1::1",
		"100::1",
		"fc00::1",
		"fdff:ffff::1",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"ff02::1",
		"2001::1",
		"2001:1ff:ffff::1",
		"2001:db8::1",
		"2002:7f00:1::1",
		"3fff::1",
		"4000::1",
		"5f00::1",
		"1fff::1",
	};
	struct fetch_rules *r = rules_of(NULL, 0, NULL, 0);
	struct sockaddr_un local = { .sun_family = AF_UNIX };

	for (size_t i = 0; i < ARRAY_SIZE(public); i++)
		if (refused(r, public[i]))
			fail_msg("%s is refused: %s", public[i], refused(r, public[i]));
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (!refused(r, special[i]))
			fail_msg("%s is allowed", special[i]);
	assert_non_null(fetch_address_refused(r, (const struct sockaddr *)&local));
	fetch_rules_free(r);
}

static void test_networks(void **state)
{
	static const char *const networks[] = { "10.1.0.0/16", "fd00:1::/33", "127.0.0.1/32",
						"192.168.4.0/22" };
	static const char *const allowed[] = {
		"10.1.0.0",         "10.1.255.255",  "fd00:1::1", "fd00:1:7fff::1",    "127.0.0.1",
		"::ffff:127.0.0.1", "192.168.7.255", "1.1.1.1",   "64:ff9b::10.1.2.3",
	};
	static const char *const not_allowed[] = {
		"10.0.255.255", "10.2.0.0", "fd00:1:8000::1", "fd00:2::1",
		"127.0.0.2",    "::1",      "192.168.8.0",    "192.168.3.255",
	};
	struct fetch_rules *r = rules_of(NULL, 0, networks, ARRAY_SIZE(networks));

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (refused(r, allowed[i]))
			fail_msg("%s is refused: %s", allowed[i], refused(r, allowed[i]));
	for (size_t i = 0; i < ARRAY_SIZE(not_allowed); i++)
		if (!refused(r, not_allowed[i]))
			fail_msg("%s is allowed", not_allowed[i]);
	fetch_rules_free(r);
}

static void test_hosts(void **state)
{
	static const char *const hosts[] = { "Files.Example.org", "*.s3.example.net", "minio:9000",
					     "[2001:DB8:0::1]:8443", "203.0.113.7" };
	static const struct {
		const char *host;
		uint16_t port, standard;
		bool allowed;
	} rows[] = {
		{ "files.example.org", 443, 443, true },
		{ "files.example.org", 80, 80, true },
		{ "files.example.org", 80, 443, false },
		{ "files.example.org", 8443, 443, false },
		{ "files.example.org.", 443, 443, false },
		{ "xfiles.example.org", 443, 443, false },
		{ "files.example.org.evil.net", 443, 443, false },
		{ "bucket.s3.example.net", 443, 443, true },
		{ "a.b.s3.example.net", 443, 443, true },
		{ "s3.example.net", 443, 443, false },
		{ ".s3.example.net", 443, 443, false },
		{ "evils3.example.net", 443, 443, false },
		{ "minio", 9000, 80, true },
		{ "minio", 80, 80, false },
		{ "[2001:db8::1]", 8443, 443, true },
		{ "[2001:db8::2]", 8443, 443, false },
		{ "2001:db8::1", 8443, 443, false },
		{ "203.0.113.7", 80, 80, true },
		{ "203.0.113.70", 80, 80, false },
		{ "", 80, 80, false },
	};
	struct fetch_rules *r = rules_of(hosts, ARRAY_SIZE(hosts), NULL, 0);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (fetch_host_allowed(r, rows[i].host, rows[i].port, rows[i].standard) !=
		    rows[i].allowed)
			fail_msg("%s:%u is %s", rows[i].host, rows[i].port,
				 rows[i].allowed ? "refused" : "allowed");
	fetch_rules_free(r);
}

static void test_nothing_listed(void **state)
{
	struct fetch_rules *r = rules_of(NULL, 0, NULL, 0);

	assert_false(fetch_host_allowed(r, "example.org", 443, 443));
	fetch_rules_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_nothing_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
