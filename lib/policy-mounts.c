/* SPDX-License-Identifier: MIT */

/*
 * The "mounts" of a policy file: one object per entry, its keys by type in one table. Sizes may be
 * "disk": then the keys "disk" and "disk_inodes" decide when the plan is compiled, so that a
 * program can set the size of the work tree without knowing where it is.
 */

#include "error.h"
#include "policy.h"
#include "util/text.h"
#include <cjson/cJSON.h>

#define BIND (1u << SBX_MOUNT_BIND)
#define TMPFS (1u << SBX_MOUNT_TMPFS)
#define PROC (1u << SBX_MOUNT_PROC)
#define CONTENT (1u << SBX_MOUNT_FILE)
#define SYMLINK (1u << SBX_MOUNT_SYMLINK)
#define DIRECTORY (1u << SBX_MOUNT_DIR)
#define DEVICE (1u << SBX_MOUNT_DEVICE)
#define OVERLAY (1u << SBX_MOUNT_OVERLAY)
#define OWNED (TMPFS | CONTENT | DIRECTORY | OVERLAY)
#define ANY (~0u)

static const char *const type_names[] = {
	[SBX_MOUNT_BIND] = "bind",     [SBX_MOUNT_TMPFS] = "tmpfs",     [SBX_MOUNT_PROC] = "proc",
	[SBX_MOUNT_FILE] = "file",     [SBX_MOUNT_SYMLINK] = "symlink", [SBX_MOUNT_DIR] = "dir",
	[SBX_MOUNT_DEVICE] = "device", [SBX_MOUNT_OVERLAY] = "overlay",
};

enum kind {
	KIND_TYPE,
	KIND_SOURCE,
	KIND_TARGET,
	KIND_CONTENT,
	KIND_RW,
	KIND_OPTIONAL,
	KIND_IDMAP,
	KIND_NOEXEC,
	KIND_MODE,
	KIND_UID,
	KIND_GID,
	KIND_SIZE,
	KIND_INODES,
};

static const struct mount_key {
	const char *name;
	enum kind kind;
	uint32_t types;
	uint32_t needed; /* by these types */
} mount_keys[] = {
	{ "type", KIND_TYPE, ANY, ANY },
	{ "source", KIND_SOURCE, BIND | DEVICE | OVERLAY, OVERLAY },
	{ "target", KIND_TARGET, ANY, ANY },
	{ "content", KIND_CONTENT, CONTENT, CONTENT },
	{ "link", KIND_CONTENT, SYMLINK, SYMLINK },
	{ "rw", KIND_RW, BIND, 0 },
	{ "optional", KIND_OPTIONAL, BIND | DEVICE, 0 },
	{ "idmap", KIND_IDMAP, BIND | OVERLAY, 0 },
	{ "noexec", KIND_NOEXEC, BIND | TMPFS | OVERLAY, 0 },
	{ "mode", KIND_MODE, OWNED, 0 },
	{ "uid", KIND_UID, OWNED, 0 },
	{ "gid", KIND_GID, OWNED, 0 },
	{ "size", KIND_SIZE, TMPFS | OVERLAY, TMPFS | OVERLAY },
	{ "inodes", KIND_INODES, TMPFS | OVERLAY, 0 },
};

static const struct mount_key *find_key(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mount_keys); i++)
		if (streq(mount_keys[i].name, name))
			return &mount_keys[i];
	return NULL;
}

static const char *nearest_key(const char *name)
{
	unsigned int least = 3, d;
	const char *best = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mount_keys); i++) {
		d = text_distance(name, mount_keys[i].name);
		if (d >= least)
			continue;
		least = d;
		best = mount_keys[i].name;
	}
	return best;
}

static uint32_t type_number(const char *name)
{
	uint32_t i;

	for (i = SBX_MOUNT_BIND; i < ARRAY_SIZE(type_names); i++)
		if (streq(type_names[i], name))
			return i;
	return 0;
}

static int set_flag(struct policy_mount *pm, const cJSON *value, uint32_t flag, char *why)
{
	if (!cJSON_IsBool(value)) {
		copy_string(why, POLICY_WHY, "must be true or false");
		return -EINVAL;
	}
	pm->m.flags |= cJSON_IsTrue(value) ? flag : 0;
	return 0;
}

/* Octal in a string: JSON has no octal numbers, and 755 must not mean 01363. */
static int set_mode(struct policy_mount *pm, const cJSON *value, char *why)
{
	const char *s = cJSON_IsString(value) ? value->valuestring : "";
	uint32_t mode = 0;

	if (strlen(s) < 3 || strlen(s) > 5 || s[strspn(s, "01234567")]) {
		copy_string(why, POLICY_WHY, "must be an octal mode in a string, as \"0755\"");
		return -EINVAL;
	}
	for (; *s; s++)
		mode = mode * 8 + (uint32_t)(*s - '0');
	pm->m.mode = mode;
	return 0;
}

static int set_number(const cJSON *value, uint64_t *ret, char *why)
{
	char text[48];

	if (!cJSON_IsNumber(value)) {
		copy_string(why, POLICY_WHY, "must be a whole number");
		return -EINVAL;
	}
	(void)snprintf(text, sizeof(text), "%.15g", value->valuedouble);
	return policy_parse_count(text, ret, why);
}

static int set_id(const cJSON *value, uint32_t *ret, bool *ret_default, char *why)
{
	uint64_t id = 0;
	int r = set_number(value, &id, why);

	if (r == 0 && id > 65535) {
		copy_string(why, POLICY_WHY, "must be at most 65535");
		r = -EINVAL;
	}
	if (r == 0) {
		*ret = (uint32_t)id;
		*ret_default = false;
	}
	return r;
}

static int set_size(struct policy_mount *pm, const cJSON *value, char *why)
{
	if (!cJSON_IsString(value)) {
		copy_string(why, POLICY_WHY,
			    "must be a string with a unit, as \"64M\", or \"disk\"");
		return -EINVAL;
	}
	pm->disk_bytes = streq(value->valuestring, "disk");
	return pm->disk_bytes ? 0 : policy_parse_size(value->valuestring, &pm->m.bytes, why);
}

static int set_string(const cJSON *value, const char **ret, char *why)
{
	if (!cJSON_IsString(value)) {
		copy_string(why, POLICY_WHY, "must be a string");
		return -EINVAL;
	}
	*ret = value->valuestring;
	return 0;
}

static int set_key(struct policy_mount *pm, enum kind kind, const cJSON *value, char *why)
{
	switch (kind) {
	case KIND_TYPE:
		return 0; /* known before the other keys are looked at */
	case KIND_SOURCE:
		return set_string(value, &pm->m.source, why);
	case KIND_TARGET:
		return set_string(value, &pm->m.target, why);
	case KIND_CONTENT:
		return set_string(value, &pm->m.data, why);
	case KIND_RW:
		return set_flag(pm, value, SBX_MOUNT_RW, why);
	case KIND_OPTIONAL:
		return set_flag(pm, value, SBX_MOUNT_OPTIONAL, why);
	case KIND_IDMAP:
		return set_flag(pm, value, SBX_MOUNT_IDMAP, why);
	case KIND_NOEXEC:
		return set_flag(pm, value, SBX_MOUNT_NOEXEC, why);
	case KIND_MODE:
		return set_mode(pm, value, why);
	case KIND_UID:
		return set_id(value, &pm->m.uid, &pm->user_uid, why);
	case KIND_GID:
		return set_id(value, &pm->m.gid, &pm->group_gid, why);
	case KIND_SIZE:
		return set_size(pm, value, why);
	case KIND_INODES:
		return set_number(value, &pm->m.inodes, why);
	}
	return -EINVAL;
}

static int read_type(const struct json_source *s, const struct json_spot *at, const cJSON *entry,
		     uint32_t *ret, struct sbx_error *err)
{
	const struct json_spot here = { .parent = at, .key = "type" };
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(entry, "type");

	if (!type)
		return json_error(s, at, err, -EINVAL,
				  "needs a \"type\": bind, tmpfs, proc, file, "
				  "symlink, dir, device or overlay");
	*ret = cJSON_IsString(type) ? type_number(type->valuestring) : 0;
	if (!*ret)
		return json_error(s, &here, err, -EINVAL,
				  "must be \"bind\", \"tmpfs\", \"proc\", "
				  "\"file\", \"symlink\", \"dir\", "
				  "\"device\" or \"overlay\"");
	return 0;
}

static int read_key(struct policy_mount *pm, const struct json_source *s,
		    const struct json_spot *at, const cJSON *item, struct sbx_error *err)
{
	const struct json_spot here = { .parent = at, .key = item->string };
	const struct mount_key *key = find_key(item->string);
	const char *near = key ? NULL : nearest_key(item->string);
	char why[POLICY_WHY];

	if (!key)
		return json_error(s, &here, err, -EINVAL, "unknown key of a mount%s%s%s",
				  near ? "; did you mean \"" : "", near ? near : "",
				  near ? "\"?" : "");
	if (!(key->types & (1u << pm->m.type)))
		return json_error(s, &here, err, -EINVAL, "a mount of type \"%s\" has no \"%s\"",
				  type_names[pm->m.type], key->name);
	if (set_key(pm, key->kind, item, why) < 0)
		return json_error(s, &here, err, -EINVAL, "%s", why);
	return 0;
}

/* What the file leaves out. What holds files of the program belongs to the program. */
static void fill_in(struct policy_mount *pm, const cJSON *entry)
{
	if (pm->m.type == SBX_MOUNT_BIND || pm->m.type == SBX_MOUNT_DEVICE)
		if (!pm->m.source)
			pm->m.source = pm->m.target;
	if (pm->disk_bytes && !cJSON_GetObjectItemCaseSensitive(entry, "inodes"))
		pm->disk_inodes = true;
}

static int check_needed(const struct policy_mount *pm, const struct json_source *s,
			const struct json_spot *at, const cJSON *entry, struct sbx_error *err)
{
	const char *type = type_names[pm->m.type];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mount_keys); i++)
		if ((mount_keys[i].needed & (1u << pm->m.type)) &&
		    !cJSON_GetObjectItemCaseSensitive(entry, mount_keys[i].name))
			return json_error(s, at, err, -EINVAL,
					  "a mount of type \"%s\" needs a \"%s\"", type,
					  mount_keys[i].name);
	if (policy_mount_holds_memory(pm->m.type) && !pm->disk_inodes && !pm->m.inodes)
		return json_error(
			s, at, err, -EINVAL,
			"a mount of type \"%s\" needs \"inodes\", the number of its files", type);
	return 0;
}

static int read_entry(struct sbx_policy *p, const struct json_source *s, const struct json_spot *at,
		      const cJSON *entry, struct sbx_error *err)
{
	struct policy_mount pm = { .m.size = sizeof(pm.m), .file = s->number };
	struct sbx_error inner;
	const cJSON *item;
	int r = read_type(s, at, entry, &pm.m.type, err);

	if (r < 0)
		return r;
	pm.user_uid = policy_mount_holds_memory(pm.m.type);
	pm.group_gid = pm.user_uid;
	cJSON_ArrayForEach(item, entry)
	{
		r = read_key(&pm, s, at, item, err);
		if (r < 0)
			return r;
	}
	fill_in(&pm, entry);
	r = check_needed(&pm, s, at, entry, err);
	if (r < 0)
		return r;
	r = policy_mount_add(p, &pm, &inner);
	return r < 0 ? json_error(s, at, err, r, "%s", inner.text) : 0;
}

static int read_removal(struct sbx_policy *p, const struct json_source *s,
			const struct json_spot *at, const cJSON *target, struct sbx_error *err)
{
	const struct json_spot here = { .parent = at, .key = "remove" };
	struct sbx_error inner;
	int r;

	if (!cJSON_IsString(target) || target->next || target->prev != target)
		return json_error(s, &here, err, -EINVAL,
				  "must be the target of an earlier mount, and the only key");
	r = policy_mount_remove(p, target->valuestring, &inner);
	return r < 0 ? json_error(s, &here, err, r, "%s", inner.text) : 0;
}

int json_mounts(struct sbx_policy *p, const struct json_source *s, const struct json_spot *at,
		const cJSON *list, struct sbx_error *err)
{
	struct json_spot here = { .parent = at };
	const cJSON *entry, *removal;
	int r = 0;

	if (!cJSON_IsArray(list))
		return json_error(s, at, err, -EINVAL,
				  "must be a list of mounts: [ { ... }, ... ]");
	cJSON_ArrayForEach(entry, list)
	{
		if (!cJSON_IsObject(entry))
			return json_error(s, &here, err, -EINVAL, "must be an object: { ... }");
		removal = cJSON_GetObjectItemCaseSensitive(entry, "remove");
		r = removal ? read_removal(p, s, &here, removal, err)
			    : read_entry(p, s, &here, entry, err);
		if (r < 0)
			return r;
		here.index++;
	}
	return 0;
}
