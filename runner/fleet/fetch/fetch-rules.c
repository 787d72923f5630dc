/* SPDX-License-Identifier: MIT */

/*
 * Addresses are refused by what they are for (the special-purpose registries of IANA): IPv4 by a
 * list of blocks; IPv6 unless it is global unicast and in none of the blocks listed. An IPv6
 * address that stands for an IPv4 one (mapped, NAT64) is judged by that one.
 */

#include "fleet/fetch/fetch-rules.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>

#include "util/error.h"
#include "util/util.h"

#define HOST_MAX 254

struct host_rule {
	char name[HOST_MAX]; /* of a suffix: with its leading dot */
	bool suffix, is_address;
	struct in6_addr address;
	uint16_t port; /* 0: the scheme's own */
};

/* A block of addresses; IPv4 as mapped IPv6, its bits counted from there. */
struct network {
	struct in6_addr base;
	unsigned int bits;
};

struct fetch_rules {
	struct host_rule *hosts;
	struct network *networks;
	size_t n_hosts, n_networks;
};

struct block {
	const char *text, *what;
};
static const struct block special4[] = {
	{ "0.0.0.0/8", "unspecified" },
	{ "10.0.0.0/8", "private" },
	{ "100.64.0.0/10", "carrier-grade NAT" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local" },
	{ "172.16.0.0/12", "private" },
	{ "192.0.0.0/24", "reserved" },
	{ "192.0.2.0/24", "documentation" },
	{ "192.88.99.0/24", "reserved" },
	{ "192.168.0.0/16", "private" },
	{ "198.18.0.0/15", "benchmarking" },
	{ "198.51.100.0/24", "documentation" },
	{ "203.0.113.0/24", "documentation" },
	{ "224.0.0.0/4", "multicast" },
	{ "240.0.0.0/4", "reserved" },
};
/* What is not in 2000::/3 is refused anyway; the names are for the message. */
static const struct block special6[] = {
	{ "::/128", "unspecified" },    { "::1/128", "loopback" },
	{ "fc00::/7", "unique local" }, { "fe80::/10", "link-local" },
	{ "fec0::/10", "site-local" },  { "ff00::/8", "multicast" },
	{ "2001::/23", "reserved" },    { "2001:db8::/32", "documentation" },
	{ "2002::/16", "6to4" },        { "3fff::/20", "documentation" },
};
static const char global6[] = "2000::/3", nat64[] = "64:ff9b::/96";

#define fail(err, item, ...) error_format(err, -EINVAL, "fetch", item, __VA_ARGS__)

static void map4(struct in6_addr *ret, const void *four)
{
	memset(ret, 0, sizeof(*ret));
	ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
	memcpy(&ret->s6_addr[12], four, 4);
}

static int parse_address(const char *text, struct in6_addr *ret, bool *ret_is4)
{
	struct in_addr four;

	*ret_is4 = inet_pton(AF_INET, text, &four) == 1;
	if (*ret_is4) {
		map4(ret, &four);
		return 0;
	}
	return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -EINVAL;
}

static int parse_network(const char *text, struct network *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned long bits;
	bool is4;

	if (!slash || slash - text >= (ptrdiff_t)sizeof(address) || strlen(slash + 1) > 3 ||
	    slash[1] == '\0' || strspn(slash + 1, "0123456789") != strlen(slash + 1))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (parse_address(address, &ret->base, &is4) < 0)
		return -EINVAL;
	bits = strtoul(slash + 1, NULL, 10);
	if (bits > (is4 ? 32 : 128))
		return -EINVAL;
	ret->bits = (unsigned int)bits + (is4 ? 96 : 0);
	return 0;
}

static bool network_has(const struct network *n, const struct in6_addr *a)
{
	unsigned int whole = n->bits / 8, rest = n->bits % 8;
	unsigned int mask = rest ? 0xffu << (8 - rest) & 0xff : 0;

	return memcmp(n->base.s6_addr, a->s6_addr, whole) == 0 &&
	       (!rest || (n->base.s6_addr[whole] & mask) == (a->s6_addr[whole] & mask));
}

static bool block_has(const char *text, const struct in6_addr *a)
{
	struct network n;

	return parse_network(text, &n) == 0 && network_has(&n, a);
}

static const char *find_block(const struct block *blocks, size_t n, const struct in6_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (block_has(blocks[i].text, a))
			return blocks[i].what;
	return NULL;
}

static bool is_listed(const struct fetch_rules *r, const struct in6_addr *a)
{
	for (size_t i = 0; i < r->n_networks; i++)
		if (network_has(&r->networks[i], a))
			return true;
	return false;
}

static const char *judge(const struct fetch_rules *r, const struct in6_addr *a)
{
	struct in6_addr four;
	const char *what;

	if (is_listed(r, a))
		return NULL;
	if (block_has(nat64, a)) {
		map4(&four, &a->s6_addr[12]);
		return judge(r, &four);
	}
	if (IN6_IS_ADDR_V4MAPPED(a))
		return find_block(special4, ARRAY_SIZE(special4), a);
	what = find_block(special6, ARRAY_SIZE(special6), a);
	return what ? what : block_has(global6, a) ? NULL : "not public";
}

const char *fetch_address_refused(const struct fetch_rules *r, const struct sockaddr *a)
{
	struct in6_addr six;

	if (a->sa_family == AF_INET) {
		map4(&six, &((const struct sockaddr_in *)(const void *)a)->sin_addr);
		return judge(r, &six);
	}
	if (a->sa_family == AF_INET6)
		return judge(r, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
	return "not of the internet";
}

/* "[2001:db8::1]" as an address; false: it is a name or an IPv4 address. */
static bool bracketed(const char *host, struct in6_addr *ret)
{
	char address[INET6_ADDRSTRLEN];
	size_t n = strlen(host);

	if (n < 3 || n - 2 >= sizeof(address) || host[0] != '[' || host[n - 1] != ']')
		return false;
	memcpy(address, host + 1, n - 2);
	address[n - 2] = '\0';
	return inet_pton(AF_INET6, address, ret) == 1;
}

static bool rule_has(const struct host_rule *rule, const char *host)
{
	size_t n = strlen(host), suffix = strlen(rule->name);
	struct in6_addr a;

	if (rule->is_address)
		return bracketed(host, &a) && IN6_ARE_ADDR_EQUAL(&a, &rule->address);
	if (rule->suffix)
		return n > suffix && streq(host + n - suffix, rule->name);
	return streq(host, rule->name);
}

bool fetch_host_allowed(const struct fetch_rules *r, const char *host, uint16_t port,
			uint16_t standard)
{
	for (size_t i = 0; i < r->n_hosts; i++)
		if (port == (r->hosts[i].port ? r->hosts[i].port : standard) &&
		    rule_has(&r->hosts[i], host))
			return true;
	return false;
}

/* Takes ":PORT" off the end. */
static int take_port(char *text, uint16_t *ret)
{
	char *colon = strrchr(text, ':');
	unsigned long port;

	if (!colon || colon[1] == '\0' || strchr(colon, ']'))
		return colon && !strchr(colon, ']') ? -EINVAL : 0;
	if (strlen(colon + 1) > 5 || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	port = strtoul(colon + 1, NULL, 10);
	if (port == 0 || port > 65535)
		return -EINVAL;
	*ret = (uint16_t)port;
	*colon = '\0';
	return 0;
}

static int parse_host(const char *text, struct host_rule *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
	char name[HOST_MAX];

	memset(ret, 0, sizeof(*ret));
	if (strlen(text) >= sizeof(name))
		return -EINVAL;
	for (size_t i = 0; i <= strlen(text); i++)
		name[i] = (char)tolower((unsigned char)text[i]);
	if (take_port(name, &ret->port) < 0)
		return -EINVAL;
	ret->suffix = starts_with(name, "*.");
	copy_string(ret->name, sizeof(ret->name), ret->suffix ? name + 1 : name);
	if (ret->name[0] == '[') {
		ret->is_address = bracketed(ret->name, &ret->address);
		return ret->is_address ? 0 : -EINVAL;
	}
	if (strlen(ret->name) < (ret->suffix ? 2 : 1) || ret->name[strlen(ret->name) - 1] == '.' ||
	    strspn(ret->name, allowed) != strlen(ret->name))
		return -EINVAL;
	return 0;
}

static int parse_hosts(struct fetch_rules *r, const struct fetch_options *o, struct sbx_error *err)
{
	for (size_t i = 0; i < o->n_hosts; i++, r->n_hosts++)
		if (parse_host(o->hosts[i], &r->hosts[i]) < 0)
			return fail(err, o->hosts[i],
				    "this is no host to fetch from: one is files.example.org, "
				    "*.example.org or [2001:db8::1], with :PORT where it is not "
				    "the usual one");
	return 0;
}

static int parse_networks(struct fetch_rules *r, const struct fetch_options *o,
			  struct sbx_error *err)
{
	for (size_t i = 0; i < o->n_networks; i++, r->n_networks++)
		if (parse_network(o->networks[i], &r->networks[i]) < 0)
			return fail(err, o->networks[i],
				    "this is no network: one is 10.1.0.0/16 or fd00::/8");
	return 0;
}

int fetch_rules_new(struct fetch_rules **ret, const struct fetch_options *o, struct sbx_error *err)
{
	struct fetch_rules *r = calloc(1, sizeof(*r));
	int e;

	if (r) {
		r->hosts = calloc(o->n_hosts + 1, sizeof(*r->hosts));
		r->networks = calloc(o->n_networks + 1, sizeof(*r->networks));
	}
	if (!r || !r->hosts || !r->networks) {
		fetch_rules_free(r);
		return -ENOMEM;
	}
	e = parse_hosts(r, o, err);
	if (e == 0)
		e = parse_networks(r, o, err);
	if (e < 0) {
		fetch_rules_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

struct fetch_rules *fetch_rules_free(struct fetch_rules *r)
{
	if (!r)
		return NULL;
	free(r->hosts);
	free(r->networks);
	free(r);
	return NULL;
}
