/* SPDX-License-Identifier: MIT */

/* Values of exec's options that have parts: N=M, DST:SIZE, PORT=TARGET, lists of limits. */

#include "exec-options.h"
#include "pipeline/limits.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <util/util.h>

#define TARGET_MAX 1023

bool exec_path_is_clean(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *s = path; *s; s = strchrnul(s + 1, '/')) {
		size_t len = strcspn(s + 1, "/");

		if (len == 0 || (len == 1 && s[1] == '.') ||
		    (len == 2 && s[1] == '.' && s[2] == '.'))
			return false;
	}
	return true;
}

/* Decimal digits up to `end`, at most `most`. */
static int parse_number(const char *text, const char *end, uint32_t most, uint32_t *ret)
{
	uint32_t n = 0;

	if (text == end)
		return -EINVAL;
	for (; text < end; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		n = n * 10 + (uint32_t)(*text - '0');
		if (n > most)
			return -EINVAL;
	}
	*ret = n;
	return 0;
}

int exec_parse_fd(const char *text, struct exec_fd *ret, const char **ret_why)
{
	const char *equals = strchrnul(text, '=');
	uint32_t fd = 0, target = 0;

	*ret_why = "is not N or N=M, numbers of descriptors; M is from 3 to 1023";
	if (parse_number(text, equals, 1u << 20, &fd) < 0)
		return -EINVAL;
	target = fd;
	if (*equals && parse_number(equals + 1, strchr(equals, '\0'), TARGET_MAX, &target) < 0)
		return -EINVAL;
	if (target < 3 || target > TARGET_MAX) {
		*ret_why = *equals ? "has a target that is not from 3 to 1023"
				   : "needs a target from 3 to 1023: N=M (0 to 2 are --stdin, "
				     "--stdout and --stderr)";
		return -EINVAL;
	}
	*ret = (struct exec_fd){ (int)fd, (int)target };
	return 0;
}

int exec_parse_tmpfs(const char *text, struct exec_tmpfs *ret, const char **ret_why)
{
	const char *colon = strrchr(text, ':');
	struct exec_tmpfs t = { 0 };

	*ret_why = "is not DST:SIZE, as in /scratch:16M";
	if (!colon || (size_t)(colon - text) >= sizeof(t.target))
		return -EINVAL;
	memcpy(t.target, text, (size_t)(colon - text));
	if (!exec_path_is_clean(t.target)) {
		*ret_why = "has no absolute path without . and .. before the ':'";
		return -EINVAL;
	}
	if (parse_size(colon + 1, &t.bytes, ret_why) < 0)
		return -EINVAL;
	*ret = t;
	return 0;
}

/* ------------------------------------------------------------------ ports */

static int parse_port(const char *text, const char *end, bool zero, uint16_t *ret)
{
	uint32_t n = 0;

	if (parse_number(text, end, 65535, &n) < 0 || (n == 0 && !zero))
		return -EINVAL;
	*ret = (uint16_t)n;
	return 0;
}

/* [HOST:]PORT or a path, up to `end`. */
static int parse_outside(const char *text, const char *end, bool zero, struct exec_port *p,
			 const char **ret_why)
{
	const char *colon = memrchr(text, ':', (size_t)(end - text)), *host = text;
	size_t n;

	if (*text == '/') {
		*ret_why = "has a path that is longer than the 107 bytes of a unix socket's";
		if ((size_t)(end - text) >= sizeof(p->unix_path))
			return -EINVAL;
		memcpy(p->unix_path, text, (size_t)(end - text));
		return 0;
	}
	if (parse_port(colon ? colon + 1 : text, end, zero, &p->host_port) < 0) {
		*ret_why = "has no port from 1 to 65535 outside";
		return -EINVAL;
	}
	if (!colon)
		return 0;
	n = (size_t)(colon - host);
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	*ret_why = "has no host before the ':'";
	if (n == 0 || n >= sizeof(p->host))
		return -EINVAL;
	memcpy(p->host, host, n);
	return 0;
}

int exec_parse_forward(const char *text, struct exec_port *ret, const char **ret_why)
{
	const char *equals = strchr(text, '=');
	struct exec_port p = { 0 };

	*ret_why = "is not PORT=TARGET, as in 5432=127.0.0.1:5432 or 5432=/run/db.sock";
	if (!equals || parse_port(text, equals, false, &p.port) < 0)
		return -EINVAL;
	if (parse_outside(equals + 1, strchr(equals, '\0'), false, &p, ret_why) < 0)
		return -EINVAL;
	*ret = p;
	return 0;
}

int exec_parse_publish(const char *text, struct exec_port *ret, const char **ret_why)
{
	const char *equals = strrchr(text, '=');
	struct exec_port p = { 0 };

	*ret_why = "is not [ADDR:]PORT=PORT, as in 8080=8000 or 0.0.0.0:80=8000";
	if (!equals || parse_port(equals + 1, strchr(equals, '\0'), false, &p.port) < 0)
		return -EINVAL;
	if (parse_outside(text, equals, true, &p, ret_why) < 0)
		return -EINVAL;
	*ret = p;
	return 0;
}

/* ----------------------------------------------------------------- limits */

int exec_parse_limits(const char *command, const char *option, const char *text, uint32_t *ret)
{
	const char *word;
	size_t len;

	if (limits_parse(text, ret, &word, &len) < 0)
		return usage_error(command,
				   "%s: \"%.*s\" is not one of memory, swap, pids, cpu, "
				   "cpu-time, all",
				   option, (int)MIN_OF(len, 64u), word);
	return -1;
}

static int check_unenforced(const char *command, struct exec_options *o)
{
	uint32_t required = LIMITS_ALL;
	int code = -1;

	if (o->require && o->allow_unenforced)
		return usage_error(command,
				   "--require and --allow-unenforced say the same; give one");
	if (o->allow_unenforced)
		return exec_parse_limits(command, "--allow-unenforced", o->allow_unenforced,
					 &o->unenforced);
	if (o->require)
		code = exec_parse_limits(command, "--require", o->require, &required);
	o->unenforced = LIMITS_ALL & ~required;
	return code;
}

/* ------------------------------------------------------------------ check */

union parsed {
	struct exec_fd fd;
	struct exec_tmpfs tmpfs;
	struct exec_port port;
};

static int parse_fd(const char *text, union parsed *p, const char **why)
{
	return exec_parse_fd(text, &p->fd, why);
}

static int parse_tmpfs(const char *text, union parsed *p, const char **why)
{
	return exec_parse_tmpfs(text, &p->tmpfs, why);
}

static int parse_forward(const char *text, union parsed *p, const char **why)
{
	return exec_parse_forward(text, &p->port, why);
}

static int parse_publish(const char *text, union parsed *p, const char **why)
{
	return exec_parse_publish(text, &p->port, why);
}

static int check_lists(const char *command, const struct exec_options *o)
{
	const struct {
		const char *name;
		const struct option_list *list;
		int (*parse)(const char *text, union parsed *p, const char **why);
	} lists[] = {
		{ "fd", &o->fds, parse_fd },
		{ "tmpfs", &o->tmpfs, parse_tmpfs },
		{ "forward", &o->forward, parse_forward },
		{ "publish", &o->publish, parse_publish },
	};
	union parsed p;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (uint32_t j = 0; j < lists[i].list->n; j++)
			if (lists[i].parse(lists[i].list->items[j], &p, &why) < 0)
				return usage_error(command, "--%s: \"%.100s\" %s", lists[i].name,
						   lists[i].list->items[j], why);
	return -1;
}

static int check_seccomp(const char *command, const struct exec_options *o)
{
	bool profile = false;

	for (uint32_t i = 0; i < o->seccomp.n; i++) {
		const char *s = o->seccomp.items[i];

		if (starts_with(s, "allow:") || starts_with(s, "deny:") ||
		    starts_with(s, "enosys:"))
			continue;
		if (profile)
			return usage_error(command,
					   "--seccomp: \"%.64s\" is a second profile; "
					   "one is the limit",
					   s);
		profile = true;
	}
	return -1;
}

static int check_net(const char *command, struct exec_options *o)
{
	if (!o->net)
		o->net = "loopback";
	if (!streq(o->net, "none") && !streq(o->net, "loopback"))
		return usage_error(command,
				   "--net: \"%.64s\" is not one of none, loopback; what "
				   "lies outside is reached by --forward",
				   o->net);
	if (streq(o->net, "none") && (o->forward.n || o->publish.n))
		return usage_error(command, "--net none lets no program make a socket: --forward "
					    "and --publish would lead nowhere");
	return -1;
}

int exec_options_check(const char *command, struct exec_options *o)
{
	int code = check_lists(command, o);

	if (code < 0)
		code = check_unenforced(command, o);
	if (code < 0)
		code = check_seccomp(command, o);
	if (code < 0)
		code = check_net(command, o);
	if (code >= 0)
		return code;
	if (o->cwd && o->cwd[0] != '/')
		return usage_error(command, "--cwd: \"%.64s\" is not an absolute path of the jail",
				   o->cwd);
	if (o->append && !o->stdout_path && !o->stderr_path)
		return usage_error(command, "--append is for --stdout and --stderr; neither is "
					    "given");
	if (!o->policy)
		o->policy = o->root ? "root" : "exec";
	return -1;
}
