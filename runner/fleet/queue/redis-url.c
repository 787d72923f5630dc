/* SPDX-License-Identifier: MIT */

/* Where a Redis is. TLS is not spoken: what asks for it is told what to do instead. */

#include "fleet/queue/redis.h"
#include "util/util.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* [from, to) with %XX decoded; NULL: malformed, or out of memory. */
static char *decode(const char *from, const char *to)
{
	char *text = malloc((size_t)(to - from) + 1), *out = text;

	for (; text && from < to; from++) {
		if (*from != '%') {
			*out++ = *from;
			continue;
		}
		if (to - from < 3 || hex(from[1]) < 0 || hex(from[2]) < 0 ||
		    (from[1] == '0' && from[2] == '0')) {
			free(text);
			return NULL;
		}
		*out++ = (char)(hex(from[1]) * 16 + hex(from[2]));
		from += 2;
	}
	if (text)
		*out = '\0';
	return text;
}

static int bad(struct sbx_error *err, const char *what)
{
	return redis_error(err, -EINVAL, "url",
			   "the Redis URL has %s; it is redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] "
			   "or unix:///PATH[?db=N]",
			   what);
}

static int parse_login(struct redis_url *u, const char **at, const char *end, struct sbx_error *err)
{
	const char *sign = memrchr(*at, '@', (size_t)(end - *at));
	const char *colon = sign ? memchr(*at, ':', (size_t)(sign - *at)) : NULL;

	if (!sign)
		return 0;
	if (!colon)
		return bad(err, "a user without a password");
	if (colon > *at)
		u->user = decode(*at, colon);
	u->password = decode(colon + 1, sign);
	if ((colon > *at && !u->user) || !u->password)
		return bad(err, "a % in the password or user that is not %XX");
	*at = sign + 1;
	return 0;
}

static int parse_db(struct redis_url *u, const char *text, struct sbx_error *err)
{
	char *end;
	long n;

	if (!*text)
		return 0;
	n = strtol(text, &end, 10);
	if (*end || n < 0 || n > 65535 || !(*text >= '0' && *text <= '9'))
		return bad(err, "a database that is no number");
	u->db = (int)n;
	return 0;
}

static int parse_unix(struct redis_url *u, const char *at, struct sbx_error *err)
{
	const char *query = strchrnul(at, '?');

	u->path = strndup(at, (size_t)(query - at));
	if (!u->path)
		return -ENOMEM;
	if (u->path[0] != '/')
		return bad(err, "no absolute path");
	if (strlen(u->path) > 107)
		return bad(err, "a path of more than 107 bytes");
	if (*query && !starts_with(query, "?db="))
		return bad(err, "a parameter that is not known");
	return parse_db(u, *query ? query + strlen("?db=") : "", err);
}

static int parse_port(struct redis_url *u, const char *from, const char *to, struct sbx_error *err)
{
	size_t n = (size_t)(to - from);

	if (n == 0 || n >= sizeof(u->port) || strspn(from, "0123456789") < n)
		return bad(err, "a port that is no number");
	memcpy(u->port, from, n);
	u->port[n] = '\0';
	return 0;
}

static int parse_tcp(struct redis_url *u, const char *at, const char *end, struct sbx_error *err)
{
	bool brackets = *at == '[';
	const char *close = brackets ? memchr(at, ']', (size_t)(end - at)) : NULL;
	const char *colon;

	if (brackets && !close)
		return bad(err, "a [ without ]");
	colon = memchr(close ? close : at, ':', (size_t)(end - (close ? close : at)));
	if (brackets)
		u->host = strndup(at + 1, (size_t)(close - at - 1));
	else
		u->host = strndup(at, (size_t)((colon ? colon : end) - at));
	if (!u->host)
		return -ENOMEM;
	if (!u->host[0])
		return bad(err, "no host");
	copy_string(u->port, sizeof(u->port), "6379");
	if (colon) {
		int r = parse_port(u, colon + 1, end, err);

		if (r < 0)
			return r;
	}
	return *end ? parse_db(u, end + 1, err) : 0;
}

int redis_url_parse(const char *text, struct redis_url *ret, struct sbx_error *err)
{
	const char *at, *end;
	int r;

	*ret = (struct redis_url){ 0 };
	if (starts_with(text, "rediss://"))
		return redis_error(err, -EINVAL, "url",
				   "rediss:// (TLS) is not spoken: run stunnel beside it and name "
				   "its local end with redis:// or unix://");
	if (starts_with(text, "unix://")) {
		at = text + strlen("unix://");
		end = strstr(at, "@/");
		r = *at == '/' || !end ? 0 : parse_login(ret, &at, end + 1, err);
		return r < 0 ? r : parse_unix(ret, at, err);
	}
	if (!starts_with(text, "redis://"))
		return bad(err, "another scheme");
	at = text + strlen("redis://");
	end = strrchr(at, '@');
	end = end ? end : at;
	end += strcspn(end, "/");
	r = parse_login(ret, &at, end, err);
	return r < 0 ? r : parse_tcp(ret, at, end, err);
}

void redis_url_done(struct redis_url *u)
{
	free(u->host);
	free(u->path);
	free(u->user);
	if (u->password)
		explicit_bzero(u->password, strlen(u->password));
	free(u->password);
	*u = (struct redis_url){ 0 };
}
