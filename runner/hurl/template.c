/* SPDX-License-Identifier: MIT */
/* Variables filled in, operands evaluated, failures recorded. */
#include <stdarg.h>

#include "eval.h"
#include "util/util.h"

static void record(char *dst, size_t size, const char *text, size_t len)
{
	struct hurl_buf b;

	hurl_buf_init(&b, size - 1);
	hurl_buf_add_display(&b, text, len, size);
	copy_string(dst, size, hurl_buf_str(&b));
	hurl_buf_done(&b);
}

int hurl_eval_fail(struct hurl_eval *e, struct hurl_pos pos, const char *fmt, ...)
{
	struct hurl_fail_record *f = e->fail;
	char text[sizeof(f->message)];
	va_list ap;

	if (f->set)
		return EVAL_FAILED;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->set = true;
	f->pos = pos;
	record(f->message, sizeof(f->message), text, strlen(text));
	return EVAL_FAILED;
}

void hurl_fail_expected(struct hurl_fail_record *f, const char *text, size_t len)
{
	record(f->expected, sizeof(f->expected), text, len);
}

void hurl_fail_actual(struct hurl_fail_record *f, const char *text, size_t len)
{
	record(f->actual, sizeof(f->actual), text, len);
}

static int undefined(struct hurl_eval *e, struct hurl_pos pos, const char *name)
{
	return hurl_eval_fail(e, pos, "the variable '%s' is not defined", name);
}

static int add_json_tree(struct hurl_buf *b, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));

	if (!text)
		return -ENOMEM;
	hurl_buf_adds(b, text);
	free(text);
	return 0;
}

static bool add_scalar(struct hurl_buf *b, const struct hurl_value *v)
{
	char real[32];

	switch (v->kind) {
	case VALUE_NULL:
		hurl_buf_adds(b, "null");
		return true;
	case VALUE_BOOL:
		hurl_buf_adds(b, v->boolean ? "true" : "false");
		return true;
	case VALUE_INT:
		hurl_buf_printf(b, "%lld", (long long)v->integer);
		return true;
	case VALUE_FLOAT:
		hurl_format_real(v->real, real);
		hurl_buf_adds(b, real);
		return true;
	default:
		return false;
	}
}

static int add_json(struct hurl_eval *e, struct hurl_buf *b, const struct hurl_piece *piece,
		    const struct hurl_value *v)
{
	bool text = v->kind == VALUE_STRING || v->kind == VALUE_BYTES;

	if (text && !hurl_utf8_valid(v->text, v->len))
		return hurl_eval_fail(e, piece->pos,
				      "the variable '%s' is not UTF-8 text and cannot "
				      "stand in JSON",
				      piece->text);
	if (piece->mode == PIECE_JSON_STRING) {
		if (text)
			hurl_buf_add_json_escaped(b, v->text, v->len);
		else if (!add_scalar(b, v))
			return hurl_eval_fail(e, piece->pos,
					      "the variable '%s' is %s and cannot stand "
					      "in a string",
					      piece->text, hurl_value_kind_name(v));
		return 0;
	}
	if (text)
		hurl_buf_add_json(b, v->text, v->len);
	else if (v->kind == VALUE_LIST || v->kind == VALUE_OBJECT)
		return add_json_tree(b, v->json);
	else
		(void)add_scalar(b, v);
	return 0;
}

static int placeholder_value(struct hurl_eval *e, const struct hurl_piece *piece,
			     struct hurl_value *ret)
{
	const struct hurl_var *var;
	const char *text;

	if (piece->function) {
		text = hurl_random_text(e->random, piece->function, e->arena);
		if (!text)
			return -ENOMEM;
		*ret = hurl_value_string(text, strlen(text));
		return 0;
	}
	var = hurl_vars_get(e->vars, piece->text);
	if (!var)
		return undefined(e, piece->pos, piece->text);
	*ret = var->value;
	return 0;
}

static int add_piece(struct hurl_eval *e, struct hurl_buf *b, const struct hurl_piece *piece)
{
	struct hurl_value v;
	int r;

	if (piece->mode == PIECE_TEXT) {
		hurl_buf_add(b, piece->text, piece->len);
		return 0;
	}
	r = placeholder_value(e, piece, &v);
	if (r != 0)
		return r;
	if (piece->mode != PIECE_PLAIN)
		return add_json(e, b, piece, &v);
	if (v.kind == VALUE_STRING)
		hurl_buf_add(b, v.text, v.len);
	else if (!add_scalar(b, &v))
		return hurl_eval_fail(e, piece->pos,
				      "the variable '%s' is %s and cannot be written as "
				      "text",
				      piece->text, hurl_value_kind_name(&v));
	return 0;
}

int hurl_render(struct hurl_eval *e, const struct hurl_template *t, const char **ret,
		size_t *ret_len)
{
	struct hurl_buf b;
	char *text;
	size_t len;
	int r = 0;

	hurl_buf_init(&b, HURL_MAX_BODY);
	for (size_t i = 0; r == 0 && i < t->count; i++)
		r = add_piece(e, &b, &t->pieces[i]);
	if (r == 0 && hurl_buf_error(&b) == -E2BIG)
		r = hurl_eval_fail(e, t->pos,
				   "this text is longer than %d bytes with its variables",
				   HURL_MAX_BODY);
	if (r != 0) {
		hurl_buf_done(&b);
		return r;
	}
	len = b.len;
	text = hurl_buf_to_arena(&b, e->arena);
	if (!text)
		return -ENOMEM;
	*ret = text;
	*ret_len = len;
	return 0;
}

int hurl_render_line(struct hurl_eval *e, const struct hurl_template *t, const char *what,
		     const char **ret, size_t *ret_len)
{
	const char *text;
	size_t len;
	int r = hurl_render(e, t, &text, &len);

	if (r != 0)
		return r;
	if (memchr(text, '\0', len) || memchr(text, '\n', len) || memchr(text, '\r', len))
		return hurl_eval_fail(e, t->pos, "%s would hold a line break or a NUL", what);
	*ret = text;
	if (ret_len)
		*ret_len = len;
	return 0;
}

int hurl_asset_value(struct hurl_eval *e, struct hurl_pos pos, size_t i, struct hurl_value *ret)
{
	const struct hurl_asset *a = &e->file->assets[i];

	if (!a->data)
		return hurl_eval_fail(e, pos, "the file %s is not there", a->name);
	*ret = hurl_value_bytes(a->data, a->len);
	return 0;
}

int hurl_operand_value(struct hurl_eval *e, const struct hurl_operand *o, struct hurl_value *ret)
{
	const char *text;
	size_t len;
	int r;

	switch (o->kind) {
	case OPERAND_VALUE:
		*ret = o->value;
		return 0;
	case OPERAND_TEXT:
		r = hurl_render(e, &o->text, &text, &len);
		if (r == 0)
			*ret = hurl_value_string(text, len);
		return r;
	case OPERAND_VARIABLE:
		return placeholder_value(e, &o->text.pieces[0], ret);
	case OPERAND_FILE:
		return hurl_asset_value(e, o->pos, o->asset, ret);
	default:
		*ret = (struct hurl_value){ .kind = VALUE_NONE };
		return 0;
	}
}

int hurl_operand_regex(struct hurl_eval *e, const struct hurl_operand *o,
		       const struct hurl_regex **ret)
{
	char why[HURL_REGEX_WHY];
	struct hurl_regex *re;
	const char *text;
	size_t len, offset;
	int r;

	if (o->regex) {
		*ret = o->regex;
		return 0;
	}
	r = hurl_render(e, &o->text, &text, &len);
	if (r != 0)
		return r;
	r = hurl_regex_compile(e->arena, text, len, &re, why, &offset);
	if (r == -EINVAL)
		return hurl_eval_fail(e, o->pos, "bad regular expression: %s", why);
	if (r == 0)
		*ret = re;
	return r;
}

int hurl_match(struct hurl_eval *e, struct hurl_pos pos, const struct hurl_regex *re,
	       const struct hurl_value *subject, size_t from, struct hurl_match *ret,
	       bool *ret_matched)
{
	int r = hurl_regex_match(re, subject->text, subject->len, from, ret);

	if (r == -E2BIG)
		return hurl_eval_fail(e, pos,
				      "the regular expression took too many steps on this text");
	if (r < 0)
		return r;
	*ret_matched = r;
	return 0;
}

int hurl_apply_jsonpath(struct hurl_eval *e, const struct hurl_operand *o, json_t *root,
			struct hurl_value *ret)
{
	struct hurl_jsonpath *path = o->path;
	char why[HURL_PATH_WHY];
	const char *text;
	size_t len, offset;
	int r;

	if (!path) {
		r = hurl_render(e, &o->text, &text, &len);
		if (r != 0)
			return r;
		r = hurl_jsonpath_compile(e->arena, text, len, &path, why, &offset);
		if (r == -EINVAL)
			return hurl_eval_fail(e, o->pos, "bad JSONPath: %s", why);
		if (r < 0)
			return r;
	}
	r = hurl_jsonpath_eval(e->arena, path, root, ret);
	if (r == -E2BIG)
		return hurl_eval_fail(e, o->pos,
				      "this path visits more than %d nodes of the response",
				      HURL_MAX_NODES);
	return r;
}
