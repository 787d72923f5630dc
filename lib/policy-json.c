/* SPDX-License-Identifier: MIT */

/*
 * Policies in files: JSON with // and block comments.
 *
 * Comments are blanked out in place, so that every offset in the text stays true. cJSON builds the
 * tree; what it would let pass is refused here: duplicate keys, `\u0000` (it cuts strings there),
 * deep nesting, unknown keys, wrong types. cJSON keeps no positions: when something is wrong, the
 * path to the value is walked once more through the text to find its line.
 *
 * A file is applied to the policy as it is read; `extends` is applied before all else of the file,
 * so a child's keys win and its lists come after the parent's.
 */

#include "error.h"
#include "policy.h"
#include "util/text.h"
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#define FILE_SIZE_MAX (1u << 20)
#define EXTENDS_MAX 8u
#define MEMBERS_MAX 512

struct loader {
	const struct loader *child; /* the file that extends this one */
	const char *search_path;
	const char *path; /* NULL: from memory */
	uint32_t depth;
	uint32_t *n_files;
	dev_t dev;
	ino_t ino;
};

static int load_file(struct sbx_policy *p, struct loader *l, struct sbx_error *err);

static const struct json_spot *child_of(const struct json_spot *parent, const char *key,
					struct json_spot *slot)
{
	*slot = (struct json_spot){ .parent = parent, .key = key };
	return slot;
}

static int apply_scalar(struct sbx_policy *p, const struct json_source *s,
			const struct json_spot *at, const struct policy_key *key,
			const cJSON *value, struct sbx_error *err)
{
	static const char *const expected[] = {
		[POLICY_TEXT] = "a string",
		[POLICY_HOSTNAME] = "a string",
		[POLICY_PATH] = "a string",
		[POLICY_SIZE] = "a string with a unit, as \"256M\"",
		[POLICY_DURATION] = "a string with a unit, as \"10s\"",
		[POLICY_COUNT] = "a whole number",
		[POLICY_CPU] = "a number or a string, as \"1.5\"",
		[POLICY_BOOL] = "true or false",
	};
	char text[48], why[POLICY_WHY];
	const char *from = text;
	bool number = key->type == POLICY_COUNT || key->type == POLICY_CPU;

	if (cJSON_IsString(value) &&
	    (key->type != POLICY_COUNT || streq(value->valuestring, "none")) &&
	    key->type != POLICY_BOOL)
		from = value->valuestring;
	else if (cJSON_IsNumber(value) && number)
		(void)snprintf(text, sizeof(text), "%.15g", value->valuedouble);
	else if (cJSON_IsBool(value) && key->type == POLICY_BOOL)
		copy_string(text, sizeof(text), cJSON_IsTrue(value) ? "true" : "false");
	else
		return json_error(s, at, err, -EINVAL, "must be %s%s", expected[key->type],
				  key->none ? " or \"none\"" : "");
	if (policy_value_set(p, key, from, why) < 0)
		return json_error(s, at, err, -EINVAL, "%s", why);
	return 0;
}

static int apply_rules(struct sbx_policy *p, const struct json_source *s,
		       const struct json_spot *at, const cJSON *list, int32_t action,
		       struct sbx_error *err)
{
	struct json_spot here = { .parent = at };
	struct sbx_error inner;
	const cJSON *name;
	int r;

	if (!cJSON_IsArray(list))
		return json_error(s, at, err, -EINVAL, "must be a list of names");
	cJSON_ArrayForEach(name, list)
	{
		if (!cJSON_IsString(name))
			return json_error(s, &here, err, -EINVAL, "must be a name, as \"@files\"");
		r = sbx_policy_add_syscall(p, name->valuestring, action, &inner);
		if (r < 0)
			return json_error(s, &here, err, r, "\"%.40s\": %s", name->valuestring,
					  inner.text);
		here.index++;
	}
	return 0;
}

static int apply_syscalls(struct sbx_policy *p, const struct json_source *s,
			  const struct json_spot *at, const cJSON *value, struct sbx_error *err)
{
	static const char *const actions[] = {
		[SBX_SYSCALL_ALLOW] = "allow",
		[SBX_SYSCALL_EPERM] = "eperm",
		[SBX_SYSCALL_ENOSYS] = "enosys",
	};
	struct json_spot here;
	const cJSON *list;
	int32_t action;
	int r = 0;

	if (!cJSON_IsObject(value))
		return json_error(s, at, err, -EINVAL,
				  "must be an object with \"allow\", \"eperm\" or \"enosys\"");
	cJSON_ArrayForEach(list, value)
	{
		child_of(at, list->string, &here);
		for (action = SBX_SYSCALL_ALLOW; action <= SBX_SYSCALL_ENOSYS; action++)
			if (streq(actions[action], list->string))
				break;
		if (action > SBX_SYSCALL_ENOSYS)
			return json_error(s, &here, err, -EINVAL,
					  "unknown key: \"allow\", \"eperm\" or \"enosys\"");
		r = apply_rules(p, s, &here, list, action, err);
		if (r < 0)
			break;
	}
	return r;
}

static int apply_sysctls(struct sbx_policy *p, const struct json_source *s,
			 const struct json_spot *at, const cJSON *value, struct sbx_error *err)
{
	char why[POLICY_WHY], number[32];
	const char *text = number;
	struct json_spot here;
	const cJSON *item;
	int r;

	if (!cJSON_IsObject(value))
		return json_error(s, at, err, -EINVAL, "must be an object of paths and values");
	cJSON_ArrayForEach(item, value)
	{
		child_of(at, item->string, &here);
		if (cJSON_IsString(item))
			text = item->valuestring;
		else if (!cJSON_IsNumber(item))
			return json_error(s, &here, err, -EINVAL, "must be a string or a number");
		(void)snprintf(number, sizeof(number), "%.15g", item->valuedouble);
		r = policy_sysctl_set(p, item->string, cJSON_IsString(item) ? text : number, why);
		if (r < 0)
			return json_error(s, &here, err, r, "%s", why);
	}
	return 0;
}

static int apply_optional(struct sbx_policy *p, const struct json_source *s,
			  const struct json_spot *at, const cJSON *value, struct sbx_error *err)
{
	struct json_spot here = { .parent = at };
	const cJSON *item;

	if (!cJSON_IsArray(value))
		return json_error(s, at, err, -EINVAL, "must be a list, as [\"landlock\"]");
	p->landlock_optional = false;
	cJSON_ArrayForEach(item, value)
	{
		if (!cJSON_IsString(item) || !streq(item->valuestring, "landlock"))
			return json_error(s, &here, err, -EINVAL,
					  "only \"landlock\" can be optional: all else is needed");
		p->landlock_optional = true;
		here.index++;
	}
	return 0;
}

static bool name_valid(const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	return name[0] && strlen(name) <= 64 && !name[strspn(name, good)];
}

/* 1: `*ret` is the path of an existing file, 0: there is none. */
static int try_directory(const char *dir, size_t n, const char *name, char **ret)
{
	char *path = NULL;

	if (asprintf(&path, "%.*s%s%s.json", (int)n, dir, n ? "/" : "", name) < 0)
		return -ENOMEM;
	if (access(path, F_OK) < 0) {
		free(path);
		return 0;
	}
	*ret = path;
	return 1;
}

static int find_parent(const struct loader *l, const char *name, char **ret)
{
	const char *dir = l->search_path ? l->search_path : "", *end;
	const char *slash = l->path ? strrchr(l->path, '/') : NULL;
	int r = 0;

	if (l->path)
		r = try_directory(slash ? l->path : ".", slash ? (size_t)(slash - l->path) : 1,
				  name, ret);
	for (; r == 0 && *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		if (end > dir)
			r = try_directory(dir, (size_t)(end - dir), name, ret);
	}
	return r;
}

static int apply_extends(struct sbx_policy *p, const struct json_source *s,
			 const struct json_spot *at, const cJSON *value, const struct loader *l,
			 struct sbx_error *err)
{
	_cleanup_free_ char *path = NULL;
	struct loader parent;
	int r;

	if (!cJSON_IsString(value) || !name_valid(value->valuestring))
		return json_error(s, at, err, -EINVAL,
				  "must be the name of one policy: letters, digits, '-' and '_'");
	if (l->depth >= EXTENDS_MAX)
		return json_error(s, at, err, -ELOOP, "more than %u policies extend each other",
				  EXTENDS_MAX);
	r = find_parent(l, value->valuestring, &path);
	if (r < 0)
		return error_set(err, r, "policy", s->name, "the policy could not be read");
	if (r == 0)
		return json_error(s, at, err, -ENOENT,
				  "there is no %.40s.json beside this file or in the search path",
				  value->valuestring);
	parent = (struct loader){ .child = l,
				  .search_path = l->search_path,
				  .path = path,
				  .depth = l->depth + 1,
				  .n_files = l->n_files };
	r = load_file(p, &parent, err);
	if (r == -ELOOP && parent.ino && err && !err->code)
		return json_error(s, at, err, -ELOOP, "\"%.40s\" extends itself in the end",
				  value->valuestring);
	return r;
}

static int apply_key(struct sbx_policy *p, const struct json_source *s, const struct json_spot *at,
		     const cJSON *value, struct sbx_error *err)
{
	static const struct {
		const char *name;
		int (*apply)(struct sbx_policy *p, const struct json_source *s,
			     const struct json_spot *at, const cJSON *value, struct sbx_error *err);
	} lists[] = {
		{ "mounts", json_mounts },
		{ "syscalls", apply_syscalls },
		{ "sysctls", apply_sysctls },
		{ "optional", apply_optional },
	};
	const struct policy_key *key = policy_key_find(value->string);
	const char *near;
	size_t i;

	if (key)
		return apply_scalar(p, s, at, key, value, err);
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (streq(lists[i].name, value->string))
			return lists[i].apply(p, s, at, value, err);
	near = policy_key_nearest(value->string);
	return json_error(s, at, err, -EINVAL, "unknown key%s%s%s", near ? "; did you mean \"" : "",
			  near ? near : "", near ? "\"?" : "");
}

/* Duplicates at any depth; cJSON keeps both and finds the first. */
static int check_members(const struct json_source *s, const struct json_spot *at,
			 const cJSON *value, struct sbx_error *err)
{
	struct json_spot here = { .parent = at };
	const cJSON *item, *other;
	uint32_t n = 0;
	int r;

	cJSON_ArrayForEach(item, value)
	{
		here.key = item->string;
		here.index = n++;
		if (n > MEMBERS_MAX)
			return json_error(s, at, err, -E2BIG, "has more than %d members",
					  MEMBERS_MAX);
		for (other = item->next; item->string && other; other = other->next) {
			if (!streq(item->string, other->string))
				continue;
			here.last = true;
			return json_error(s, &here, err, -EEXIST, "the key is there twice");
		}
		r = check_members(s, &here, item, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_tree(struct sbx_policy *p, const struct json_source *s, const cJSON *root,
		      const struct loader *l, struct sbx_error *err)
{
	const cJSON *item;
	struct json_spot here;
	int r = 0;

	if (!cJSON_IsObject(root))
		return json_error(s, NULL, err, -EINVAL, "a policy is an object: { ... }");
	r = check_members(s, NULL, root, err);
	cJSON_ArrayForEach(item, root)
	{
		if (r == 0 && streq(item->string, "extends"))
			r = apply_extends(p, s, child_of(NULL, item->string, &here), item, l, err);
	}
	cJSON_ArrayForEach(item, root)
	{
		if (r == 0 && !streq(item->string, "extends"))
			r = apply_key(p, s, child_of(NULL, item->string, &here), item, err);
	}
	return r;
}

static int apply_text(struct sbx_policy *p, const char *text, size_t len, const char *name,
		      const struct loader *l, struct sbx_error *err)
{
	_cleanup_free_ char *copy = NULL;
	struct json_source s = { .name = name, .len = len, .number = ++*l->n_files };
	cJSON *root = NULL;
	int r;

	if (len > FILE_SIZE_MAX)
		return policy_error(err, -EFBIG, "policy", name, "the policy is larger than 1M");
	copy = malloc(len + 1);
	if (!copy)
		return error_set(err, -ENOMEM, "policy", name, "the policy could not be read");
	memcpy(copy, text, len);
	copy[len] = '\0';
	s.text = copy;
	r = json_prepare(&s, err);
	if (r == 0)
		r = json_parse(&s, &root, err);
	if (r == 0)
		r = apply_tree(p, &s, root, l, err);
	cJSON_Delete(root);
	return r;
}

static int read_file(struct loader *l, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	text = malloc(FILE_SIZE_MAX + 2);
	if (!text)
		return -ENOMEM;
	for (; n > 0 && at < FILE_SIZE_MAX + 1; at += (size_t)n) {
		n = read(fd, text + at, FILE_SIZE_MAX + 1 - at);
		if (n < 0)
			return -errno;
	}
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	*ret_len = at;
	*ret = steal_ptr(text);
	return 0;
}

static bool extends_itself(const struct loader *l)
{
	const struct loader *c;

	for (c = l->child; c; c = c->child)
		if (c->path && c->dev == l->dev && c->ino == l->ino)
			return true;
	return false;
}

/* A cycle is -ELOOP with err->code 0: the file that names the parent says where. */
static int load_file(struct sbx_policy *p, struct loader *l, struct sbx_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = read_file(l, &text, &len);

	if (r < 0)
		return error_set(err, r, "policy", l->path, "the policy file could not be read");
	if (extends_itself(l)) {
		if (err)
			err->code = 0;
		return -ELOOP;
	}
	return apply_text(p, text, len, l->path, l, err);
}

static int keep_search_path(struct sbx_policy *p, const char *search_path, struct sbx_error *err)
{
	p->search_path = search_path ? strdup(search_path) : NULL;
	if (search_path && !p->search_path)
		return error_set(err, -ENOMEM, "policy", NULL, "the policy could not be kept");
	return 0;
}

SBX_PUBLIC int sbx_policy_load(struct sbx_policy **ret, const char *path, const char *search_path,
			       struct sbx_error *err)
{
	uint32_t n_files = 0;
	struct loader l = { .search_path = search_path, .path = path, .n_files = &n_files };
	struct sbx_policy *p = NULL;
	int r = sbx_policy_new(&p, err);

	if (r < 0)
		return r;
	r = keep_search_path(p, search_path, err);
	if (r == 0)
		r = load_file(p, &l, err);
	if (r < 0) {
		sbx_policy_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

SBX_PUBLIC int sbx_policy_parse(struct sbx_policy **ret, const char *text, size_t len,
				const char *name, const char *search_path, struct sbx_error *err)
{
	uint32_t n_files = 0;
	struct loader l = { .search_path = search_path, .n_files = &n_files };
	struct sbx_policy *p = NULL;
	int r = sbx_policy_new(&p, err);

	if (r < 0)
		return r;
	r = keep_search_path(p, search_path, err);
	if (r == 0)
		r = apply_text(p, text, len, name ? name : "policy", &l, err);
	if (r < 0) {
		sbx_policy_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

int policy_syscalls_of(struct sbx_policy *p, const char *path, struct sbx_error *err)
{
	struct sbx_policy *other;
	int r = sbx_policy_load(&other, path, p->search_path, err);

	if (r < 0)
		return r;
	free(p->rules);
	p->rules = steal_ptr(other->rules);
	p->n_rules = other->n_rules;
	other->n_rules = 0;
	sbx_policy_free(other);
	return 0;
}
