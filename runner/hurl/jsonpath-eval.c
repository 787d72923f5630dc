/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "hurl.h"
#include "jsonpath-ast.h"

struct nodes {
	json_t **items;
	size_t count;
};

struct path_eval {
	struct hurl_arena *arena;
	size_t budget;		/* nodes that may still be visited */
};

static json_t *step_definite(const struct path_step *step, json_t *node)
{
	size_t n = json_array_size(node);
	long i;

	if (step->kind == STEP_NAME)
		return json_object_get(node, step->name);
	i = step->indexes[0];
	if (i < 0)
		i += (long)n;
	return i < 0 ? NULL : json_array_get(node, (size_t)i);
}

static bool holds(const struct path_condition *c, json_t *node)
{
	struct hurl_value v;
	int order;

	for (size_t i = 0; i < c->step_count && node; i++)
		node = step_definite(&c->steps[i], node);
	if (!node)
		return false;
	v = hurl_value_json(node);
	if (c->op == OP_EXISTS)
		return true;
	if (c->op == OP_EQUAL || c->op == OP_NOT_EQUAL)
		return hurl_value_equal(&v, &c->value) == (c->op == OP_EQUAL);
	if (hurl_value_is_number(&v) && hurl_value_is_number(&c->value))
		order = hurl_number_compare(&v, &c->value);
	else if (v.kind == VALUE_STRING && c->value.kind == VALUE_STRING)
		order = strcmp(v.text, c->value.text);
	else
		return false;
	return (order < 0 && (c->op == OP_LESS || c->op == OP_LESS_EQUAL)) ||
	       (order > 0 && (c->op == OP_GREATER || c->op == OP_GREATER_EQUAL)) ||
	       (order == 0 && (c->op == OP_LESS_EQUAL || c->op == OP_GREATER_EQUAL));
}

static int add(struct path_eval *e, struct nodes *out, json_t *node)
{
	json_t **slot = hurl_arena_push(e->arena, &out->items, &out->count, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	*slot = node;
	return 0;
}

static int visit(struct path_eval *e)
{
	if (!e->budget)
		return -E2BIG;
	e->budget--;
	return 0;
}

static bool selected(const struct path_step *step, json_t *node)
{
	if (step->kind != STEP_FILTER)
		return true;
	for (size_t i = 0; i < step->condition_count; i++)
		if (!holds(&step->conditions[i], node))
			return false;
	return true;
}

static int each_child(struct path_eval *e, json_t *node, void *ctx,
		      int (*fn)(struct path_eval *e, json_t *child, const char *key, void *ctx))
{
	const char *key;
	json_t *child;
	size_t i;
	int r;

	if (json_is_object(node)) {
		json_object_foreach(node, key, child) {
			r = visit(e);
			if (r == 0)
				r = fn(e, child, key, ctx);
			if (r < 0)
				return r;
		}
		return 0;
	}
	json_array_foreach(node, i, child) {
		r = visit(e);
		if (r == 0)
			r = fn(e, child, NULL, ctx);
		if (r < 0)
			return r;
	}
	return 0;
}

struct step_ctx {
	const struct path_step *step;
	struct nodes *out;
};

static int take_child(struct path_eval *e, json_t *child, const char *key, void *ctx)
{
	struct step_ctx *c = ctx;

	return selected(c->step, child) ? add(e, c->out, child) : 0;
}

/* Depth is bounded: the document was checked against HURL_MAX_JSON_DEPTH. */
static int take_deep(struct path_eval *e, json_t *child, const char *key, void *ctx)
{
	struct step_ctx *c = ctx;
	int r = 0;

	if (c->step->kind == STEP_DEEP_WILDCARD || (key && strcmp(key, c->step->name) == 0))
		r = add(e, c->out, child);
	return r < 0 ? r : each_child(e, child, c, take_deep);
}

static long bounded(bool given, long i, long fallback, long n)
{
	if (!given)
		return fallback;
	if (i < 0)
		i += n;
	return i < 0 ? 0 : i > n ? n : i;
}

static int take_slice(struct path_eval *e, const struct path_step *step, json_t *node,
		      struct nodes *out)
{
	long n = (long)json_array_size(node);
	long to = bounded(step->has_to, step->to, n, n);
	int r = 0;

	for (long i = bounded(step->has_from, step->from, 0, n); r == 0 && i < to; i++) {
		r = visit(e);
		if (r == 0)
			r = add(e, out, json_array_get(node, (size_t)i));
	}
	return r;
}

static int take_indexes(struct path_eval *e, const struct path_step *step, json_t *node,
			struct nodes *out)
{
	long n = (long)json_array_size(node);
	int r = 0;

	for (size_t k = 0; r == 0 && k < step->index_count; k++) {
		long i = step->indexes[k] < 0 ? step->indexes[k] + n : step->indexes[k];
		json_t *item = i < 0 ? NULL : json_array_get(node, (size_t)i);

		r = visit(e);
		if (r == 0 && item)
			r = add(e, out, item);
	}
	return r;
}

static int step_many(struct path_eval *e, const struct path_step *step, json_t *node,
		     struct nodes *out)
{
	struct step_ctx ctx = { .step = step, .out = out };
	json_t *one;

	switch (step->kind) {
	case STEP_NAME:
	case STEP_INDEX:
		one = step_definite(step, node);
		return one ? add(e, out, one) : 0;
	case STEP_INDEXES:
		return take_indexes(e, step, node, out);
	case STEP_SLICE:
		return take_slice(e, step, node, out);
	case STEP_FILTER:
		return json_is_array(node) ? each_child(e, node, &ctx, take_child) : 0;
	case STEP_WILDCARD:
		return each_child(e, node, &ctx, take_child);
	case STEP_DEEP_NAME:
	case STEP_DEEP_WILDCARD:
		return each_child(e, node, &ctx, take_deep);
	}
	return 0;
}

static void decref(void *json)
{
	json_decref(json);
}

static int to_list(struct path_eval *e, const struct nodes *nodes, struct hurl_value *ret)
{
	json_t *list = json_array();

	if (!list || hurl_arena_defer(e->arena, decref, list) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < nodes->count; i++)
		if (json_array_append(list, nodes->items[i]) < 0)
			return -ENOMEM;
	*ret = hurl_value_json(list);
	return 0;
}

int hurl_jsonpath_eval(struct hurl_arena *a, const struct hurl_jsonpath *path, json_t *root,
		       struct hurl_value *ret)
{
	struct path_eval e = { .arena = a, .budget = HURL_MAX_NODES };
	struct nodes now = { .items = &root, .count = 1 };
	size_t i = 0;

	for (; i < path->step_count && path->steps[i].kind <= STEP_INDEX; i++) {
		root = step_definite(&path->steps[i], root);
		if (!root) {
			*ret = (struct hurl_value){ .kind = VALUE_NONE };
			return 0;
		}
	}
	if (i == path->step_count) {
		*ret = hurl_value_json(root);
		return 0;
	}
	for (; i < path->step_count; i++) {
		struct nodes next = { 0 };

		for (size_t k = 0; k < now.count; k++) {
			int r = visit(&e);

			if (r == 0)
				r = step_many(&e, &path->steps[i], now.items[k], &next);
			if (r < 0)
				return r;
		}
		now = next;
	}
	return to_list(&e, &now, ret);
}
