/* SPDX-License-Identifier: MIT */

/*
 * cJSON keeps neither positions nor the rule that a key comes once, so both are added here:
 * comments are blanked in place, and where a value stands is found by walking text and tree side by
 * side.
 */

#include "json/json-config.h"

#include <stdarg.h>

#include "inside/text.h"
#include "cli/options.h"
#include "util/util.h"

#define PATH_MAX_BYTES 200

static void line_column(const char *text, const char *at, unsigned int *line, unsigned int *column)
{
	*line = 1;
	*column = 1;
	for (const char *p = text; p < at; p++) {
		if (*p == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			(*column)++;
		}
	}
}

static int error_at(struct json_config *c, const char *at, const char *text)
{
	unsigned int line, column;

	line_column(c->text, at, &line, &column);
	snprintf(c->why, JSON_CONFIG_WHY, "%s:%u:%u: %s", c->name, line, column, text);
	return -EINVAL;
}

/* The end of the string that starts at `p`, behind its closing quote; NULL: it has none. */
static char *string_end(char *p)
{
	for (p++; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

static void blank(char *from, const char *to)
{
	for (; from < to; from++) {
		if (*from != '\n' && *from != '\r')
			*from = ' ';
	}
}

/* 0, or an error for a comment that does not end. A string that does not end is left to cJSON. */
static int blank_comments(struct json_config *c)
{
	char *p = c->text, *end;

	while (*p) {
		if (*p == '"') {
			end = string_end(p);
			if (!end)
				return 0;
			p = end;
		} else if (p[0] == '/' && p[1] == '/') {
			end = p + strcspn(p, "\n");
			blank(p, end);
			p = end;
		} else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			if (!end)
				return error_at(c, p, "this comment has no end: close it with */");
			blank(p, end + 2);
			p = end + 2;
		} else {
			p++;
		}
	}
	return 0;
}

static int check_bytes(struct json_config *c, size_t size)
{
	size_t valid = utf8_valid_prefix(c->text, size);
	const char *nul = memchr(c->text, '\0', size);
	const char *escape = strstr(c->text, "\\u0000");

	if (valid < size)
		return error_at(c, c->text + valid,
				"this byte is not UTF-8: save the file as UTF-8");
	if (nul)
		return error_at(c, nul, "a NUL byte: this is not a text file");
	if (escape)
		return error_at(c, escape, "\\u0000 cannot be part of a text");
	return 0;
}

static const char *skip_space(const char *p)
{
	if (starts_with(p, "\xef\xbb\xbf"))
		p += 3;
	return p + strspn(p, " \t\r\n");
}

/* The commonest mistake: a comma behind the last member. It lies before where cJSON gave up. */
static const char *stray_comma(const char *text, const char *end)
{
	while (end > text && strchr(" \t\r\n}]", end[-1]))
		end--;
	if (end == text || end[-1] != ',')
		return NULL;
	return strchr("}]", *skip_space(end)) && *skip_space(end) ? end - 1 : NULL;
}

static int not_json(struct json_config *c, const char *end)
{
	const char *comma = stray_comma(c->text, end);

	if (comma)
		return error_at(c, comma, "this comma is too many: nothing follows it");
	return error_at(c, end,
			"this is not JSON: a comma, quote or bracket is missing or too many here "
			"or just before");
}

int json_config_parse(struct json_config *c, const char *name, const char *text, size_t size,
		      char *why)
{
	const char *end = NULL;
	int r;

	*c = (struct json_config){ .name = name, .why = why };
	c->text = malloc(size + 1);
	if (!c->text)
		return -ENOMEM;
	memcpy(c->text, text, size);
	c->text[size] = '\0';
	r = check_bytes(c, size);
	if (r == 0)
		r = blank_comments(c);
	if (r < 0)
		return r;
	c->root = cJSON_ParseWithOpts(c->text, &end, true);
	if (!c->root)
		return not_json(c, end ? end : c->text);
	if (!cJSON_IsObject(c->root))
		return error_at(c, c->text, "the file must hold one object: { ... }");
	return 0;
}

void json_config_done(struct json_config *c)
{
	cJSON_Delete(c->root);
	free(c->text);
	c->root = NULL;
	c->text = NULL;
}

/* Walks text and tree together until it meets `target`. */
struct walk {
	const cJSON *target;
	const char *found;
	char path[PATH_MAX_BYTES];
};

static const char *skip_string(const char *p)
{
	const char *end = string_end((char *)p);

	return end ? end : p + strlen(p);
}

static void path_push(struct walk *w, const cJSON *parent, const cJSON *child, unsigned int index)
{
	size_t n = strlen(w->path);

	if (cJSON_IsArray(parent))
		snprintf(w->path + n, sizeof(w->path) - n, "[%u]", index);
	else
		snprintf(w->path + n, sizeof(w->path) - n, ".%s", child->string);
}

/* `p` is at the start of the value of `node`; returns what is behind it. */
static const char *walk(struct walk *w, const char *p, const cJSON *node)
{
	unsigned int index = 0;
	size_t length = strlen(w->path);

	if (node == w->target) {
		w->found = p;
		return p;
	}
	if (*p == '"')
		return skip_string(p);
	if (*p != '{' && *p != '[')
		return p + strcspn(p, ",]} \t\r\n");
	p = skip_space(p + 1);
	for (const cJSON *child = node->child; child; child = child->next) {
		path_push(w, node, child, index++);
		if (*p == '"' && cJSON_IsObject(node))
			p = skip_space(skip_space(skip_string(p)) + 1);
		p = walk(w, p, child);
		if (w->found)
			return p;
		w->path[length] = '\0';
		p = skip_space(p);
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return *p ? p + 1 : p;
}

int json_config_error(struct json_config *c, const cJSON *at, const char *fmt, ...)
{
	struct walk w = { .target = at, .path = "$" };
	char text[512];
	va_list args;
	size_t n;
	int r;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	walk(&w, skip_space(c->text), c->root);
	r = error_at(c, w.found ? w.found : c->text, text);
	n = strlen(c->why);
	snprintf(c->why + n, JSON_CONFIG_WHY - n, " (%s)", w.path);
	return r;
}

int json_config_unique(struct json_config *c, const cJSON *object)
{
	for (const cJSON *a = object->child; a; a = a->next) {
		for (const cJSON *b = a->next; b; b = b->next) {
			if (streq(a->string, b->string))
				return json_config_error(c, b, "the key \"%s\" comes twice",
							 a->string);
		}
	}
	return 0;
}

#define MAX_KEYS 32

static int unknown_key(struct json_config *c, const cJSON *member, const struct json_key *keys,
		       size_t n)
{
	const char *names[MAX_KEYS + 1] = { 0 }, *nearest;
	char known[300] = "";

	for (size_t i = 0; i < n && i < MAX_KEYS; i++) {
		size_t at = strlen(known);

		names[i] = keys[i].name;
		snprintf(known + at, sizeof(known) - at, "%s%s", i ? ", " : "", keys[i].name);
	}
	nearest = suggest(member->string, names);
	if (nearest)
		return json_config_error(c, member, "there is no key \"%s\"; did you mean \"%s\"?",
					 member->string, nearest);
	return json_config_error(c, member, "there is no key \"%s\" here; the keys are: %s",
				 member->string, known);
}

int json_config_object(struct json_config *c, const cJSON *object, const struct json_key *keys,
		       size_t n, void *data)
{
	int r;

	if (!cJSON_IsObject(object))
		return json_config_error(c, object, "this must be an object: { ... }");
	r = json_config_unique(c, object);
	if (r < 0)
		return r;
	for (const cJSON *member = object->child; member; member = member->next) {
		size_t i = 0;

		while (i < n && !streq(keys[i].name, member->string))
			i++;
		r = i < n ? keys[i].set(c, member, data) : unknown_key(c, member, keys, n);
		if (r < 0)
			return r;
	}
	return 0;
}
