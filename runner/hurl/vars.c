/* SPDX-License-Identifier: MIT */
#include "vars.h"

#include <math.h>

#include "util/util.h"

static void value_drop(struct hurl_value *v)
{
	if (v->kind == VALUE_STRING || v->kind == VALUE_BYTES)
		free((char *)v->text);
	json_decref(v->json);
	*v = (struct hurl_value){ .kind = VALUE_NONE };
}

void hurl_vars_done(struct hurl_vars *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->items[i].name);
		value_drop(&v->items[i].value);
	}
	free(v->items);
	*v = (struct hurl_vars){ 0 };
}

const struct hurl_var *hurl_vars_get(const struct hurl_vars *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (streq(v->items[i].name, name))
			return &v->items[i];
	return NULL;
}

static int value_keep(const struct hurl_value *value, struct hurl_value *ret)
{
	struct hurl_value copy = *value;

	if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES) {
		char *text = malloc(value->len + 1);

		if (!text)
			return -ENOMEM;
		if (value->len)
			memcpy(text, value->text, value->len);
		text[value->len] = '\0';
		copy.text = text;
	}
	json_incref(copy.json);
	*ret = copy;
	return 0;
}

static int add(struct hurl_vars *v, const char *name)
{
	struct hurl_var *items;
	char *copy;

	if (v->count == HURL_MAX_VARIABLES)
		return -E2BIG;
	items = realloc(v->items, (v->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	v->items = items;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	items[v->count++] = (struct hurl_var){ .name = copy };
	return 0;
}

int hurl_vars_set(struct hurl_vars *v, const char *name, const struct hurl_value *value,
		  bool captured)
{
	struct hurl_var *var = (struct hurl_var *)hurl_vars_get(v, name);
	struct hurl_value kept;
	int r;

	if (!var) {
		r = add(v, name);
		if (r < 0)
			return r;
		var = &v->items[v->count - 1];
	}
	r = value_keep(value, &kept);
	if (r < 0)
		return r;
	value_drop(&var->value);
	var->value = kept;
	var->captured = captured;
	return 0;
}

static bool number_text(const char *text, struct hurl_value *ret)
{
	const char *digits = text + (*text == '-');
	size_t n = strspn(digits, "0123456789");
	char *end;

	errno = 0;
	if (n && !digits[n]) {
		*ret = hurl_value_int(strtoll(text, &end, 10));
		return errno == 0;
	}
	if (!n || digits[n] != '.' ||
	    strspn(digits + n + 1, "0123456789") != strlen(digits + n + 1) || !digits[n + 1])
		return false;
	*ret = (struct hurl_value){ .kind = VALUE_FLOAT, .real = strtod(text, &end) };
	return errno == 0 && isfinite(ret->real);
}

int hurl_vars_set_text(struct hurl_vars *v, const char *name, const char *text)
{
	struct hurl_value value;
	size_t n = strlen(text);

	if (streq(text, "true") || streq(text, "false"))
		value = (struct hurl_value){ .kind = VALUE_BOOL, .boolean = *text == 't' };
	else if (streq(text, "null"))
		value = (struct hurl_value){ .kind = VALUE_NULL };
	else if (n >= 2 && text[0] == '"' && text[n - 1] == '"')
		value = hurl_value_string(text + 1, n - 2);
	else if (!number_text(text, &value))
		value = hurl_value_string(text, n);
	return hurl_vars_set(v, name, &value, false);
}

int hurl_vars_copy(struct hurl_vars *v, const struct hurl_vars *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct hurl_var *var = &from->items[i];
		struct hurl_value value = var->value;
		int r;

		if (value.json)
			value.json = json_deep_copy(value.json);
		if (var->value.json && !value.json)
			return -ENOMEM;
		r = hurl_vars_set(v, var->name, &value, var->captured);
		json_decref(value.json);
		if (r < 0)
			return r;
	}
	return 0;
}
