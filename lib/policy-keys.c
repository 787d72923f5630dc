/* SPDX-License-Identifier: MIT */

/*
 * The scalar keys of a policy: one table that policy files, sbx_policy_set() and the plan's
 * description share. Values arrive as text, as a person writes them: "256M", "1.5", "10s". A number
 * where a unit belongs is refused: nobody should have to guess whether 256 are bytes or mebibytes.
 */

#include "policy.h"
#include "util/text.h"
#include <ctype.h>
#include <limits.h>

#define AT(member) offsetof(struct policy_values, member)
#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define HOUR (3600 * NSEC_PER_SEC)

/* clang-format off */
const struct policy_key policy_keys[] = {
	{ "description", POLICY_TEXT, false, AT(description), 0, 255, "",
	  "what the policy is for" },
	{ "user", POLICY_COUNT, false, AT(user), 1, 65534, "1000",
	  "uid of the programs, inside the jail" },
	{ "group", POLICY_COUNT, false, AT(group), 1, 65534, "1000",
	  "gid of the programs, inside the jail" },
	{ "hostname", POLICY_HOSTNAME, false, AT(hostname), 1, 63, "sandbox", "host name" },
	{ "cwd", POLICY_PATH, false, AT(cwd), 1, 1023, "/", "directory that programs start in" },
	{ "memory", POLICY_SIZE, true, AT(memory), 4 * MIB, TIB, "none",
	  "memory of all processes; the file systems' sizes are added to it" },
	{ "pids", POLICY_COUNT, true, AT(pids), 1, 4000000, "none", "processes and threads" },
	{ "cpu", POLICY_CPU, true, AT(cpu), 10, 1024000, "none", "processors" },
	{ "cpu_time", POLICY_DURATION, true, AT(cpu_time), NSEC_PER_MSEC, 720 * HOUR, "none",
	  "processor time of all processes" },
	{ "wall", POLICY_DURATION, true, AT(wall), NSEC_PER_MSEC, 720 * HOUR, "none",
	  "time from start to end of a process" },
	{ "output", POLICY_SIZE, true, AT(output), 1 * KIB, 64 * GIB, "none",
	  "bytes of standard output, and as many of standard error" },
	{ "fsize", POLICY_SIZE, true, AT(fsize), 0, TIB, "none", "bytes in one file" },
	{ "nofile", POLICY_COUNT, false, AT(nofile), 8, 1048576, "1024",
	  "open descriptors of one process" },
	{ "stack", POLICY_SIZE, true, AT(stack), 64 * KIB, 64 * GIB, "8M",
	  "stack of a program's first thread" },
	{ "disk", POLICY_SIZE, false, AT(disk), 64 * KIB, TIB, "64M",
	  "bytes of the mounts whose size is \"disk\"" },
	{ "disk_inodes", POLICY_COUNT, false, AT(disk_inodes), 16, 100000000, "16384",
	  "files and directories of the mounts whose size is \"disk\"" },
	{ "root_size", POLICY_SIZE, false, AT(root_size), 64 * KIB, GIB, "1M",
	  "bytes of the root file system, which holds the policy's own files" },
	{ "root_inodes", POLICY_COUNT, false, AT(root_inodes), 64, 1000000, "2048",
	  "files and directories of the root file system" },
	{ "no_new_userns", POLICY_BOOL, false, AT(no_new_userns), 0, 1, "true",
	  "no user namespaces inside, whatever the filter lets through" },
	{ "landlock", POLICY_BOOL, false, AT(landlock), 0, 1, "true",
	  "Landlock rules for the file tree" },
	{ "scope_signals", POLICY_BOOL, false, AT(scope_signals), 0, 1, "false",
	  "signals only within one program's tree (Landlock, Linux 6.12)" },
	{ "scope_sockets", POLICY_BOOL, false, AT(scope_sockets), 0, 1, "false",
	  "abstract unix sockets only within one program's tree (Landlock, Linux 6.12)" },
};
/* clang-format on */
const size_t policy_n_keys = ARRAY_SIZE(policy_keys);

const struct policy_key *policy_key_find(const char *name)
{
	size_t i;

	for (i = 0; i < policy_n_keys; i++)
		if (streq(policy_keys[i].name, name))
			return &policy_keys[i];
	return NULL;
}

const char *policy_key_nearest(const char *name)
{
	static const char *const others[] = { "extends", "mounts", "syscalls", "sysctls",
					      "optional" };
	unsigned int least = 3, d;
	const char *best = NULL, *candidate;
	size_t i;

	for (i = 0; i < policy_n_keys + ARRAY_SIZE(others); i++) {
		candidate = i < policy_n_keys ? policy_keys[i].name : others[i - policy_n_keys];
		d = text_distance(name, candidate);
		if (d >= least)
			continue;
		least = d;
		best = candidate;
	}
	return best;
}

/* Digits up to `*ret_end`; -ERANGE beyond 10^15, which no limit needs. */
static int digits(const char *text, uint64_t *ret, const char **ret_end)
{
	uint64_t value = 0;
	const char *s = text;

	for (; isdigit((unsigned char)*s); s++) {
		if (value > 100000000000000ull)
			return -ERANGE;
		value = value * 10 + (uint64_t)(*s - '0');
	}
	*ret = value;
	*ret_end = s;
	return s == text ? -EINVAL : 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r;

	r = digits(text, &value, &end);
	if (r < 0)
		return r;
	for (; units->name; units++) {
		if (!streq(units->name, end))
			continue;
		if (value > UINT64_MAX / 2 / units->factor)
			return -ERANGE;
		*ret = value * units->factor;
		return 0;
	}
	return *end ? -EINVAL : -ENODATA;
}

int policy_parse_size(const char *text, uint64_t *ret, char *why)
{
	static const struct unit units[] = {
		{ "B", 1 }, { "K", KIB }, { "M", MIB }, { "G", GIB }, { NULL, 0 },
	};
	int r = parse_unit(text, units, ret);

	if (r == -ENODATA)
		(void)snprintf(why, POLICY_WHY,
			       "\"%.20s\" has no unit: write %.20sK, %.20sM or %.20sG", text, text,
			       text, text);
	else if (r == -ERANGE)
		(void)snprintf(why, POLICY_WHY, "\"%.40s\" is too large", text);
	else if (r < 0)
		(void)snprintf(why, POLICY_WHY,
			       "\"%.40s\" is no size: a whole number and B, K, M or G, as in 256M",
			       text);
	return r < 0 ? -EINVAL : 0;
}

static int parse_duration(const char *text, uint64_t *ret, char *why)
{
	static const struct unit units[] = {
		{ "ms", NSEC_PER_MSEC }, { "s", NSEC_PER_SEC }, { "m", 60 * NSEC_PER_SEC },
		{ "h", HOUR },           { NULL, 0 },
	};
	int r = parse_unit(text, units, ret);

	if (r == -ENODATA)
		(void)snprintf(why, POLICY_WHY,
			       "\"%.20s\" has no unit: write %.20sms, %.20ss or %.20sm", text, text,
			       text, text);
	else if (r == -ERANGE)
		(void)snprintf(why, POLICY_WHY, "\"%.40s\" is too long", text);
	else if (r < 0)
		(void)snprintf(why, POLICY_WHY,
			       "\"%.40s\" is no time: a whole number and ms, s, m or h, as in 10s",
			       text);
	return r < 0 ? -EINVAL : 0;
}

int policy_parse_count(const char *text, uint64_t *ret, char *why)
{
	const char *end;
	uint64_t value;
	int r = digits(text, &value, &end);

	if (r < 0 || *end) {
		(void)snprintf(why, POLICY_WHY, "\"%.40s\" is no whole number%s", text,
			       r == -ERANGE ? " that fits" : "");
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* "1.5": at most three decimals, so that nothing is rounded. */
static int parse_cpu(const char *text, uint64_t *ret, char *why)
{
	uint64_t whole = 0, scale = 1000;
	const char *s = NULL;
	int r = digits(text, &whole, &s);

	if (r == 0 && *s == '.') {
		whole *= scale;
		for (s++; isdigit((unsigned char)*s) && scale > 1; s++) {
			scale /= 10;
			whole += (uint64_t)(*s - '0') * scale;
		}
		r = scale == 1000 ? -EINVAL : 0;
	} else if (r == 0) {
		whole *= scale;
	}
	if (r < 0 || *s) {
		(void)snprintf(why, POLICY_WHY,
			       "\"%.40s\" is no number of processors, as in 1 or 0.25", text);
		return -EINVAL;
	}
	*ret = whole;
	return 0;
}

static int parse_bool(const char *text, uint64_t *ret, char *why)
{
	if (!streq(text, "true") && !streq(text, "false")) {
		(void)snprintf(why, POLICY_WHY, "\"%.40s\" is neither true nor false", text);
		return -EINVAL;
	}
	*ret = streq(text, "true");
	return 0;
}

const char *policy_path_fault(const char *path)
{
	const char *s, *end;

	if (path[0] != '/')
		return "is not absolute";
	if (strlen(path) >= PATH_MAX)
		return "is too long";
	for (s = path; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return "holds a control character";
	for (s = path; *s; s = end) {
		end = strchrnul(s + 1, '/');
		if (end == s + 1 && (*end || s != path))
			return "holds // or ends with /";
		if (end - s > 256)
			return "has a part of more than 255 bytes";
		if ((end - s == 2 && s[1] == '.') || (end - s == 3 && s[1] == '.' && s[2] == '.'))
			return "holds . or ..";
	}
	return NULL;
}

static bool hostname_valid(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!isalnum((unsigned char)s[i]) && (s[i] != '-' || i == 0) &&
		    (s[i] != '.' || i == 0))
			return false;
	return i > 0;
}

static int set_string(const struct policy_key *key, char *slot, const char *value, char *why)
{
	const char *fault = NULL;

	if (strlen(value) > key->most)
		fault = "is too long";
	else if (key->type == POLICY_PATH)
		fault = policy_path_fault(value);
	else if (key->type == POLICY_HOSTNAME && !hostname_valid(value))
		fault = "is no host name: letters, digits, '-' and '.'";
	if (fault) {
		(void)snprintf(why, POLICY_WHY, "\"%.50s\" %s", value, fault);
		return -EINVAL;
	}
	copy_string(slot, (size_t)key->most + 1, value);
	return 0;
}

static void number_text(const struct policy_key *key, uint64_t value, char *ret, size_t size)
{
	if (key->type == POLICY_SIZE)
		policy_size_text(value, ret, size);
	else if (key->type == POLICY_DURATION)
		policy_duration_text(value, ret, size);
	else if (key->type == POLICY_CPU)
		(void)snprintf(ret, size, "%.6g", (double)value / 1000);
	else
		(void)snprintf(ret, size, "%llu", (unsigned long long)value);
}

static int check_range(const struct policy_key *key, uint64_t value, char *why)
{
	char least[32], most[32];

	if (value >= key->least && value <= key->most)
		return 0;
	number_text(key, key->least, least, sizeof(least));
	number_text(key, key->most, most, sizeof(most));
	(void)snprintf(why, POLICY_WHY, "must be from %s to %s", least, most);
	return -EINVAL;
}

static int parse_number(const struct policy_key *key, const char *value, uint64_t *ret, char *why)
{
	if (key->none && streq(value, "none")) {
		*ret = POLICY_NONE;
		return 0;
	}
	if (key->type == POLICY_SIZE)
		return policy_parse_size(value, ret, why);
	if (key->type == POLICY_DURATION)
		return parse_duration(value, ret, why);
	if (key->type == POLICY_CPU)
		return parse_cpu(value, ret, why);
	if (key->type == POLICY_BOOL)
		return parse_bool(value, ret, why);
	return policy_parse_count(value, ret, why);
}

int policy_value_set(struct sbx_policy *p, const struct policy_key *key, const char *value,
		     char *why)
{
	void *slot = (char *)&p->values + key->offset;
	uint64_t number;
	int r;

	if (key->type == POLICY_TEXT || key->type == POLICY_HOSTNAME || key->type == POLICY_PATH)
		return set_string(key, slot, value, why);
	r = parse_number(key, value, &number, why);
	if (r == 0 && number != POLICY_NONE)
		r = check_range(key, number, why);
	if (r == 0)
		memcpy(slot, &number, sizeof(number));
	return r;
}

int policy_values_init(struct sbx_policy *p)
{
	char why[POLICY_WHY];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < policy_n_keys; i++)
		r = policy_value_set(p, &policy_keys[i], policy_keys[i].initial, why);
	return r;
}

void policy_size_text(uint64_t bytes, char *ret, size_t size)
{
	static const char units[] = "BKMG";
	unsigned int i = 0;
	uint64_t value = bytes;

	while (i < 3 && value >= 1024 && value % 1024 == 0) {
		value /= 1024;
		i++;
	}
	if (value < 10240 || i == 3)
		(void)snprintf(ret, size, "%llu%c", (unsigned long long)value, units[i]);
	else
		(void)snprintf(ret, size, "%.1fM", (double)bytes / (double)MIB);
}

void policy_duration_text(uint64_t ns, char *ret, size_t size)
{
	if (ns % NSEC_PER_SEC)
		(void)snprintf(ret, size, "%llums", (unsigned long long)(ns / NSEC_PER_MSEC));
	else
		(void)snprintf(ret, size, "%llus", (unsigned long long)(ns / NSEC_PER_SEC));
}
