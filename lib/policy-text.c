/* SPDX-License-Identifier: MIT */

/*
 * The text of a policy file: comments out, limits kept, and the way back from a value to its line.
 * The walker trusts the text to be JSON that cJSON has accepted; on anything else it stops where
 * it is, which costs a message its exact line and nothing more.
 */

#include "error.h"
#include "policy.h"
#include <cjson/cJSON.h>
#include <stdarg.h>

#define DEPTH_MAX 12

size_t json_line(const struct json_source *s, size_t offset)
{
	size_t line = 1, i;

	for (i = 0; i < offset && i < s->len; i++)
		line += s->text[i] == '\n';
	return line;
}

/* The end of a string that starts at `i`, behind its quote; s->len if it never ends. */
static size_t string_end(const struct json_source *s, size_t i)
{
	for (i++; i < s->len && s->text[i] != '"'; i++)
		if (s->text[i] == '\\')
			i++;
	return i < s->len ? i + 1 : s->len;
}

static size_t skip_space(const struct json_source *s, size_t i)
{
	while (i < s->len && strchr(" \t\r\n", s->text[i]))
		i++;
	return i;
}

static size_t skip_value(const struct json_source *s, size_t i)
{
	unsigned int depth = 0;

	for (i = skip_space(s, i); i < s->len; i++) {
		if (s->text[i] == '"')
			i = string_end(s, i) - 1;
		else if (strchr("[{", s->text[i]))
			depth++;
		else if (strchr("]}", s->text[i]) && depth)
			depth--;
		else if (strchr(",]}", s->text[i]) && !depth)
			return i;
	}
	return s->len;
}

/* Compares the key that starts at `i` with `key`; escapes are resolved by cJSON, as in the tree. */
static bool key_is(const struct json_source *s, size_t i, const char *key)
{
	size_t end = string_end(s, i);
	cJSON *item = cJSON_ParseWithLength(s->text + i, end - i);
	bool same = cJSON_IsString(item) && streq(item->valuestring, key);

	cJSON_Delete(item);
	return same;
}

/*
 * Where the member `spot` of the value at `i` stands; `*ret_value` is where its value starts, which
 * differs for members of objects: messages point at the key.
 */
static size_t find_member(const struct json_source *s, const struct json_spot *spot, size_t i,
			  size_t *ret_value)
{
	size_t found = i, value = i;
	uint32_t n = 0;

	for (i = skip_space(s, i + 1); i < s->len && !strchr("]}", s->text[i]); n++) {
		size_t start = i;
		size_t v = spot->key ? skip_space(s, string_end(s, i)) + 1 : i;

		if (spot->key ? key_is(s, i, spot->key) : n == spot->index) {
			found = start;
			value = skip_space(s, v);
			if (!spot->last)
				break;
		}
		i = skip_value(s, v);
		if (i < s->len && s->text[i] == ',')
			i = skip_space(s, i + 1);
	}
	*ret_value = value;
	return found;
}

static size_t locate(const struct json_source *s, const struct json_spot *spot, size_t *ret_value)
{
	size_t parent;

	if (!spot) {
		*ret_value = skip_space(s, 0);
		return *ret_value;
	}
	(void)locate(s, spot->parent, &parent);
	return find_member(s, spot, parent, ret_value);
}

static void path_text(const struct json_spot *spot, char *ret, size_t size)
{
	size_t n;

	if (!spot) {
		copy_string(ret, size, "$");
		return;
	}
	path_text(spot->parent, ret, size);
	n = strlen(ret);
	if (spot->key && strpbrk(spot->key, "./\"[] "))
		(void)snprintf(ret + n, size - n, "[\"%.40s\"]", spot->key);
	else if (spot->key)
		(void)snprintf(ret + n, size - n, ".%.40s", spot->key);
	else
		(void)snprintf(ret + n, size - n, "[%u]", spot->index);
}

/* "FILE:LINE $.path" in the room that an error has: a long file name loses its beginning. */
static void place_text(const struct json_source *s, size_t line, const char *path, char *ret,
		       size_t size)
{
	const char *name = s->name;
	size_t rest = (size_t)snprintf(NULL, 0, ":%zu%s%s", line, path ? " " : "",
				       path ? path : "");
	size_t room = rest + 12 < size ? size - 1 - rest : 11;
	bool cut = strlen(name) > room;

	if (cut)
		name += strlen(name) - room + 3;
	(void)snprintf(ret, size, "%s%s:%zu%s%s", cut ? "..." : "", name, line, path ? " " : "",
		       path ? path : "");
}

int json_error(const struct json_source *s, const struct json_spot *at, struct sbx_error *err,
	       int code, const char *fmt, ...)
{
	char text[sizeof(err->text)], item[sizeof(err->item)], path[64];
	size_t value;
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	path_text(at, path, sizeof(path));
	place_text(s, json_line(s, locate(s, at, &value)), path, item, sizeof(item));
	return policy_error(err, code, "policy", item, "%s", text);
}

static int text_error(const struct json_source *s, size_t offset, struct sbx_error *err,
		      const char *what)
{
	char item[sizeof(err->item)];

	place_text(s, json_line(s, offset), NULL, item, sizeof(item));
	return policy_error(err, -EINVAL, "policy", item, "%s", what);
}

static void blank(struct json_source *s, size_t from, size_t to)
{
	for (; from < to; from++)
		if (s->text[from] != '\n')
			s->text[from] = ' ';
}

/* 0: `*i` is behind the comment. */
static int blank_comment(struct json_source *s, size_t *i, struct sbx_error *err)
{
	size_t start = *i, end;
	const char *close;

	if (s->text[start + 1] == '/') {
		end = (size_t)(strchrnul(s->text + start, '\n') - s->text);
	} else {
		close = strstr(s->text + start + 2, "*/");
		if (!close)
			return text_error(s, start, err, "the comment is never closed with */");
		end = (size_t)(close - s->text) + 2;
	}
	blank(s, start, end);
	*i = end;
	return 0;
}

static int check_string(const struct json_source *s, size_t start, size_t end,
			struct sbx_error *err)
{
	size_t i;

	for (i = start; i + 5 < end; i++) {
		if (s->text[i] != '\\')
			continue;
		if (strncmp(s->text + i + 1, "u0000", 5) == 0)
			return text_error(s, i, err, "a string may not hold \\u0000");
		i++;
	}
	return 0;
}

int json_prepare(struct json_source *s, struct sbx_error *err)
{
	unsigned int depth = 0;
	size_t i = 0, end;
	int r = 0;

	if (strlen(s->text) != s->len)
		return text_error(s, strlen(s->text), err, "the text holds a NUL byte");
	while (r == 0 && i < s->len) {
		if (s->text[i] == '"') {
			end = string_end(s, i);
			r = check_string(s, i, end, err);
			i = end;
			continue;
		}
		if (s->text[i] == '/' && (s->text[i + 1] == '/' || s->text[i + 1] == '*')) {
			r = blank_comment(s, &i, err);
			continue;
		}
		depth += s->text[i] == '[' || s->text[i] == '{';
		depth -= depth && (s->text[i] == ']' || s->text[i] == '}');
		if (depth > DEPTH_MAX)
			return text_error(s, i, err, "objects and lists are nested too deeply");
		i++;
	}
	return r;
}

/* The commonest mistake, which cJSON places badly; s->len: there is none. */
static size_t find_spare_comma(const struct json_source *s)
{
	size_t i = 0, next;

	while (i < s->len) {
		next = s->text[i] == ',' ? skip_space(s, i + 1) : s->len;
		if (next < s->len && strchr("]}", s->text[next]))
			return i;
		i = s->text[i] == '"' ? string_end(s, i) : i + 1;
	}
	return s->len;
}

int json_parse(const struct json_source *s, cJSON **ret, struct sbx_error *err)
{
	const char *end = s->text;
	char what[96], near[24];
	size_t at;

	*ret = cJSON_ParseWithLengthOpts(s->text, s->len + 1, &end, 1);
	if (*ret)
		return 0;
	at = find_spare_comma(s);
	if (at < s->len)
		return text_error(s, at, err, "not JSON: no comma may stand before ] or }");
	at = skip_space(s, (size_t)(end - s->text));
	copy_string(near, sizeof(near), s->text + at);
	near[strcspn(near, "\r\n")] = '\0';
	if (at >= s->len)
		(void)snprintf(what, sizeof(what), "not JSON: the text ends too early");
	else
		(void)snprintf(what, sizeof(what), "not JSON from here: %s", near);
	return text_error(s, at, err, what);
}
