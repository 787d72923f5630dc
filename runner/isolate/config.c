/* SPDX-License-Identifier: MIT */

/* See config.h. */

#include "config.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <util/util.h>

#define CONFIG_FILE "/etc/sandbox/isolate.conf"
#define BOX_ROOT "/var/local/lib/isolate"
#define LOCK_ROOT "/run/isolate/locks"
#define FIRST_ID 60000
#define LINE_SIZE 1024

struct reader {
	struct config *config;
	struct report *report;
	const char *path;
	unsigned int line;
};

static int wrong(const struct reader *rd, const char *why)
{
	return report_fail(rd->report, "%s, line %u: %s", rd->path, rd->line, why);
}

static int set_path(const struct reader *rd, char slot[PATH_MAX], const char *value)
{
	size_t n = strlen(value);

	while (n > 1 && value[n - 1] == '/')
		n--;
	if (value[0] != '/' || n >= PATH_MAX / 2)
		return wrong(rd, "must be an absolute path");
	memcpy(slot, value, n);
	slot[n] = '\0';
	return 0;
}

static int set_number(const struct reader *rd, uint32_t *slot, const char *value, uint32_t least,
		      uint32_t most, const char *why)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end || errno || number < least || number > most)
		return wrong(rd, why);
	*slot = (uint32_t)number;
	return 0;
}

static int set_id(const struct reader *rd, uint32_t *slot, const char *value)
{
	return set_number(rd, slot, value, 1, CONFIG_IDS_END - 1,
			  "must be from 1 to 65533: a jail has no other ids");
}

static const struct {
	const char *name;
	uint32_t limit;
} limit_names[] = {
	{ "memory", SBX_LIMIT_MEMORY },     { "swap", SBX_LIMIT_SWAP },
	{ "pids", SBX_LIMIT_PIDS },         { "cpu", SBX_LIMIT_CPU },
	{ "cpu-time", SBX_LIMIT_CPU_TIME },
};

void config_limits(uint32_t mask, char ret[64])
{
	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++) {
		size_t n = strlen(ret);

		if (mask & limit_names[i].limit)
			(void)snprintf(ret + n, 64 - n, "%s%s", n ? "," : "", limit_names[i].name);
	}
}

static int set_unenforced(const struct reader *rd, char *value)
{
	char *state = NULL;

	for (char *s = strtok_r(value, " \t,", &state); s; s = strtok_r(NULL, " \t,", &state)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(limit_names) && !streq(s, limit_names[i].name))
			i++;
		if (i == ARRAY_SIZE(limit_names))
			return wrong(rd, "the limits are memory, swap, pids, cpu and cpu-time");
		rd->config->allow_unenforced |= limit_names[i].limit;
	}
	return 0;
}

static int set_key(const struct reader *rd, const char *key, char *value)
{
	struct config *c = rd->config;
	uint32_t flag = 0;
	int r;

	if (streq(key, "box_root"))
		return set_path(rd, c->box_root, value);
	if (streq(key, "lock_root"))
		return set_path(rd, c->lock_root, value);
	if (streq(key, "first_uid"))
		return set_id(rd, &c->first_uid, value);
	if (streq(key, "first_gid"))
		return set_id(rd, &c->first_gid, value);
	if (streq(key, "num_boxes"))
		return set_number(rd, &c->num_boxes, value, 1, INT_MAX, "must be a whole number");
	if (streq(key, "cg_root"))
		return 0; /* the library finds its place itself */
	if (streq(key, "restricted_init")) {
		r = set_number(rd, &flag, value, 0, 1, "must be 0 or 1");
		c->restricted_init = flag;
		return r;
	}
	if (streq(key, "allow_unenforced"))
		return set_unenforced(rd, value);
	if (strchr(key, '.'))
		return wrong(rd, "boxes cannot be pinned to processors or memory nodes here; start "
				 "the judge's workers under taskset(1) or numactl(8) instead");
	return wrong(rd, "there is no such key; the keys are box_root, lock_root, first_uid, "
			 "first_gid, num_boxes, restricted_init and allow_unenforced");
}

static int read_line(const struct reader *rd, char *line)
{
	char *key = line + strspn(line, " \t"), *value, *end;

	if (*key == '#' || *key == '\n' || *key == '\0')
		return 0;
	value = strchr(key, '=');
	if (!value)
		return wrong(rd, "is not of the form key = value");
	for (end = value; end > key && strchr(" \t", end[-1]); end--)
		;
	*end = '\0';
	value += 1 + strspn(value + 1, " \t");
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	return set_key(rd, key, value);
}

static int read_file(struct config *c, struct report *r)
{
	const char *named = getenv("SANDBOX_ISOLATE_CONFIG");
	struct reader rd = { c, r, named && *named ? named : CONFIG_FILE, 0 };
	_cleanup_fclose_ FILE *f = fopen(rd.path, "re");
	char line[LINE_SIZE];

	if (!f && errno == ENOENT && rd.path != named)
		return 0;
	if (!f)
		return report_fail(r, "Cannot open %s: %s", rd.path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		rd.line++;
		if (!strchr(line, '\n') && !feof(f))
			return wrong(&rd, "is too long");
		if (read_line(&rd, line) < 0)
			return -1;
	}
	return 0;
}

/* An ordinary user's boxes are below the home directory: a tree that belongs to him alone. */
static int user_roots(struct config *c, struct report *r)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state && state[0] == '/')
		n = snprintf(c->box_root, PATH_MAX / 2, "%s/sandbox/isolate", state);
	else if (home && home[0] == '/')
		n = snprintf(c->box_root, PATH_MAX / 2, "%s/.local/state/sandbox/isolate", home);
	else
		return 0; /* the file has to say it */
	if (n >= PATH_MAX / 2)
		return report_fail(r, "The home directory has too long a name");
	(void)snprintf(c->lock_root, sizeof(c->lock_root), "%.4000s/locks", c->box_root);
	return 0;
}

/* --------------------------------------------------------------- our parts */

/* The root of the build tree if this executable is in one, BUILD/runner/isolate/, else "". */
static void build_root(char ret[PATH_MAX])
{
	static const char place[] = "/runner/isolate/";
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	ret[n > 0 ? n : 0] = '\0';
	slash = strrchr(ret, '/');
	if (slash)
		slash[1] = '\0';
	n = (ssize_t)(strlen(ret) - strlen(place));
	ret[n > 0 && streq(ret + n, place) ? n : 0] = '\0';
}

static int find_policy(struct config *c, const char *root, struct report *r)
{
	const char *named = getenv("SANDBOX_POLICY_DIR");
	int n;

	if (named && *named)
		n = snprintf(c->policy_dir, sizeof(c->policy_dir), "%s", named);
	else if (*root)
		n = snprintf(c->policy_dir, sizeof(c->policy_dir), "%s/policies", root);
	else
		n = snprintf(c->policy_dir, sizeof(c->policy_dir), "%s", SANDBOX_POLICYDIR);
	if (n < PATH_MAX)
		n = snprintf(c->policy, sizeof(c->policy), "%s/isolate.json", c->policy_dir);
	if (n < PATH_MAX && access(c->policy, R_OK) == 0)
		return 0;
	return report_fail(r,
			   "Cannot read the policy %s: install it (meson install) or set "
			   "$SANDBOX_POLICY_DIR",
			   c->policy);
}

static int find_starter(struct config *c, const char *root, struct report *r)
{
	if (*root)
		(void)snprintf(c->starter, sizeof(c->starter),
			       "%s/runner/isolate/sandbox-isolate-start", root);
	else
		(void)snprintf(c->starter, sizeof(c->starter), "%s",
			       SANDBOX_LIBEXECDIR "/sandbox-isolate-start");
	if (access(c->starter, X_OK) == 0)
		return 0;
	return report_fail(r, "Cannot find %s, which is part of the installation (meson install)",
			   c->starter);
}

int config_load(struct config *ret, struct report *r)
{
	char root[PATH_MAX];

	memset(ret, 0, sizeof(*ret));
	ret->first_uid = ret->first_gid = FIRST_ID;
	ret->num_boxes = INT_MAX;
	if (geteuid() == 0) {
		copy_string(ret->box_root, sizeof(ret->box_root), BOX_ROOT);
		copy_string(ret->lock_root, sizeof(ret->lock_root), LOCK_ROOT);
	} else if (user_roots(ret, r) < 0) {
		return -1;
	}
	if (read_file(ret, r) < 0)
		return -1;
	if (!ret->box_root[0] || !ret->lock_root[0])
		return report_fail(r,
				   "There is no place for boxes: set HOME, or box_root and "
				   "lock_root in %s",
				   CONFIG_FILE);
	build_root(root);
	return find_policy(ret, root, r) < 0 ? -1 : find_starter(ret, root, r);
}
