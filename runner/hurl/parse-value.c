/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "codec.h"
#include "eval.h"
#include "json.h"
#include "parser.h"

static int parse_bytes(struct hurl_parser *p, const char *prefix,
		       bool (*decode)(struct hurl_buf *, const char *, size_t),
		       struct hurl_value *ret)
{
	struct hurl_pos pos = hurl_here(p);
	const char *text, *end;
	struct hurl_buf out;
	char *bytes;
	size_t n;
	bool ok;

	hurl_advance(p, strlen(prefix));
	text = p->src + p->pos;
	end = memchr(text, ';', p->len - p->pos);
	if (!end)
		return hurl_fail_at(p, pos, "expected ';' at the end of these bytes");
	hurl_buf_init(&out, HURL_MAX_SOURCE);
	ok = decode(&out, text, (size_t)(end - text));
	n = out.len;
	bytes = hurl_buf_to_arena(&out, p->arena);
	if (!ok)
		return hurl_fail_at(p, pos, "these are not bytes in %.*s", (int)strlen(prefix) - 1,
				    prefix);
	if (!bytes)
		return -ENOMEM;
	hurl_advance(p, (size_t)(end - text) + 1);
	*ret = hurl_value_bytes(bytes, n);
	return 0;
}

static int try_bytes(struct hurl_parser *p, struct hurl_value *ret, bool *ret_is_bytes)
{
	*ret_is_bytes = true;
	if (hurl_looking_at(p, "hex,"))
		return parse_bytes(p, "hex,", hurl_hex_decode, ret);
	if (hurl_looking_at(p, "base64,"))
		return parse_bytes(p, "base64,", hurl_base64_decode, ret);
	*ret_is_bytes = false;
	return 0;
}

/*
 * ```json: the block must be one JSON value, so that its variables can be encoded for their place
 */
static int json_block(struct hurl_parser *p, size_t end, struct hurl_body *body)
{
	int r;

	body->kind = BODY_JSON;
	while (p->pos < end && strchr(" \t\n", p->src[p->pos]))
		hurl_advance(p, 1);
	r = hurl_parse_json(p, &body->text);
	if (r < 0)
		return r;
	while (p->pos < end && strchr(" \t\n", p->src[p->pos]))
		hurl_advance(p, 1);
	if (p->pos != end)
		return hurl_fail_here(p, "expected the closing ``` after the JSON value");
	return 0;
}

static int block_hint(struct hurl_parser *p, const char *hint, size_t len, struct hurl_pos pos,
		      bool *ret_json)
{
	static const struct hurl_name refused[] = {
		{ "xml", "" }, { "graphql", "" }, { "hex", "" }, { "base64", "" }, { "raw", "" },
		{ NULL, NULL },
	};

	while (len && (hint[len - 1] == ' ' || hint[len - 1] == '\t'))
		len--;
	*ret_json = len == 4 && memcmp(hint, "json", 4) == 0;
	if (!len || *ret_json || (len == 4 && memcmp(hint, "text", 4) == 0))
		return 0;
	if (hurl_refused(refused, hint, len))
		return hurl_fail_at(p, pos, "```%.*s is not supported", (int)len, hint);
	return hurl_fail_at(p, pos, "expected ```, ```json or ```text alone on the line");
}

static int parse_block(struct hurl_parser *p, struct hurl_body *body)
{
	struct hurl_pos pos = hurl_here(p), hint_pos;
	const char *text, *close, *nl;
	bool is_json = false;
	size_t end;
	int r;

	hurl_advance(p, 3);
	hint_pos = hurl_here(p);
	text = p->src + p->pos;
	close = memmem(text, p->len - p->pos, "```", 3);
	if (!close)
		return hurl_fail_at(p, pos, "this ``` has no closing ```");
	nl = memchr(text, '\n', (size_t)(close - text));
	end = p->pos + (size_t)(close - text);
	if (nl) {
		r = block_hint(p, text, (size_t)(nl - text), hint_pos, &is_json);
		if (r < 0)
			return r;
		hurl_advance(p, (size_t)(nl - text) + 1);
	}
	r = is_json ? json_block(p, end, body) : hurl_parse_raw(p, end, &body->text);
	if (r < 0)
		return r;
	body->text.pos = pos;
	hurl_advance(p, 3);
	return 0;
}

/* An expected body that can never equal anything must not wait for a student to be found. */
static int check_expected_json(struct hurl_parser *p, const struct hurl_body *body)
{
	struct hurl_arena scratch;
	char why[HURL_JSON_WHY];
	const char *text;
	size_t len;
	bool ok;

	text = hurl_template_constant(&body->text, &len);
	if (!text)
		return 0;
	hurl_arena_init(&scratch, HURL_MAX_SCRATCH);
	ok = hurl_json_load(&scratch, text, len, why) != NULL;
	hurl_arena_done(&scratch);
	return ok ? 0 : hurl_fail_at(p, body->pos, "this JSON cannot be compared: %s", why);
}

int hurl_parse_body(struct hurl_parser *p, bool expected, struct hurl_body *body)
{
	bool is_bytes;
	int r;

	body->pos = hurl_here(p);
	body->kind = BODY_TEXT;
	r = try_bytes(p, &body->bytes, &is_bytes);
	if (r < 0)
		return r;
	if (is_bytes) {
		body->kind = BODY_BYTES;
	} else if (hurl_looking_at(p, "file,")) {
		body->kind = BODY_FILE;
		r = hurl_parse_file(p, &body->asset);
	} else if (hurl_looking_at(p, "```")) {
		r = parse_block(p, body);
	} else if (hurl_looking_at(p, "`")) {
		r = hurl_parse_oneline(p, &body->text);
	} else if (hurl_looking_at(p, "<")) {
		return hurl_fail_here(p,
				      "XML bodies are not supported, write the text between ```");
	} else {
		body->kind = BODY_JSON;
		r = hurl_parse_json(p, &body->text);
	}
	if (r == 0 && expected && body->kind == BODY_JSON)
		r = check_expected_json(p, body);
	return r < 0 ? r : hurl_end_line(p);
}

static int parse_number(struct hurl_parser *p, struct hurl_value *ret)
{
	struct hurl_pos pos = hurl_here(p);
	const char *s = p->src + p->pos;
	char text[64], *end;
	size_t n = 0;
	bool real;

	while (p->pos + n < p->len && s[n] && strchr("+-.0123456789eE", s[n]))
		n++;
	if (n >= sizeof(text))
		return hurl_fail_at(p, pos, "this number is too long");
	memcpy(text, s, n);
	text[n] = '\0';
	real = strpbrk(text, ".eE") != NULL;
	errno = 0;
	if (real)
		*ret = (struct hurl_value){ .kind = VALUE_FLOAT, .real = strtod(text, &end) };
	else
		*ret = hurl_value_int(strtoll(text, &end, 10));
	if (end == text || *end || text[0] == '+')
		return hurl_fail_at(p, pos, "this is not a number: %s", text);
	if (errno || (real && !isfinite(ret->real)))
		return hurl_fail_at(p, pos, "%s is too big, write it as a string", text);
	hurl_advance(p, n);
	return 0;
}

static bool accept_word(struct hurl_parser *p, const char *word)
{
	return hurl_word_len(p) == strlen(word) && hurl_accept(p, word);
}

static int parse_constant(struct hurl_parser *p, struct hurl_operand *o)
{
	int c = hurl_peek(p);
	bool is_bytes;
	char found[64];
	int r;

	o->kind = OPERAND_VALUE;
	r = try_bytes(p, &o->value, &is_bytes);
	if (r < 0 || is_bytes)
		return r;
	if (c == '-' || (c >= '0' && c <= '9'))
		return parse_number(p, &o->value);
	if (accept_word(p, "true"))
		o->value = (struct hurl_value){ .kind = VALUE_BOOL, .boolean = true };
	else if (accept_word(p, "false"))
		o->value = (struct hurl_value){ .kind = VALUE_BOOL };
	else if (accept_word(p, "null"))
		o->value = (struct hurl_value){ .kind = VALUE_NULL };
	else if (c == '[' || c == '{')
		return hurl_fail_here(p,
				      "lists and objects cannot be compared here: write the whole "
				      "body below the response, or test their members");
	else
		return hurl_fail_here(p, "expected a value (\"string\", number, true, false, null, "
					 "{{variable}}, hex,...;), found %s",
				      hurl_found(p, found));
	return 0;
}

int hurl_parse_operand(struct hurl_parser *p, struct hurl_operand *o)
{
	o->pos = hurl_here(p);
	o->kind = OPERAND_TEXT;
	if (hurl_looking_at(p, "\""))
		return hurl_parse_quoted(p, &o->text);
	if (hurl_looking_at(p, "```")) {
		struct hurl_body body = { 0 };
		int r = parse_block(p, &body);

		o->text = body.text;
		return r;
	}
	if (hurl_looking_at(p, "`"))
		return hurl_parse_oneline(p, &o->text);
	if (hurl_looking_at(p, "file,")) {
		o->kind = OPERAND_FILE;
		return hurl_parse_file(p, &o->asset);
	}
	if (hurl_looking_at(p, "{{")) {
		o->kind = OPERAND_VARIABLE;
		o->text.pos = o->pos;
		return hurl_parse_placeholder(p, PIECE_PLAIN, &o->text);
	}
	return parse_constant(p, o);
}

static struct hurl_pos inside(const struct hurl_operand *o, size_t offset)
{
	return (struct hurl_pos){ o->pos.line, o->pos.column + 1 + (unsigned int)offset };
}

static int compile_regex(struct hurl_parser *p, struct hurl_operand *o, const char *text,
			 size_t len)
{
	char why[HURL_REGEX_WHY];
	size_t offset;
	int r = hurl_regex_compile(p->arena, text, len, &o->regex, why, &offset);

	if (r == -EINVAL)
		return hurl_fail_at(p, inside(o, offset), "bad regular expression: %s", why);
	return r;
}

/* /.../ where \/ stands for a slash */
static int parse_slashed(struct hurl_parser *p, struct hurl_operand *o)
{
	struct hurl_buf text;
	char *pattern;
	size_t len;

	hurl_buf_init(&text, HURL_MAX_SOURCE);
	hurl_advance(p, 1);
	while (hurl_peek(p) >= 0 && hurl_peek(p) != '\n' && hurl_peek(p) != '/') {
		if (hurl_looking_at(p, "\\/")) {
			hurl_advance(p, 1);
		} else if (hurl_looking_at(p, "\\\\")) {
			hurl_buf_addc(&text, '\\');
			hurl_advance(p, 1);
		}
		hurl_buf_addc(&text, p->src[p->pos]);
		hurl_advance(p, 1);
	}
	len = text.len;
	pattern = hurl_buf_to_arena(&text, p->arena);
	if (!pattern)
		return -ENOMEM;
	if (!hurl_accept(p, "/"))
		return hurl_fail_at(p, o->pos, "this regular expression has no closing /");
	return compile_regex(p, o, pattern, len);
}

static int parse_regex(struct hurl_parser *p, struct hurl_operand *o)
{
	const char *text;
	size_t len;
	int r;

	o->kind = OPERAND_REGEX;
	if (hurl_looking_at(p, "/"))
		return parse_slashed(p, o);
	r = hurl_parse_quoted(p, &o->text);
	if (r < 0)
		return r;
	text = hurl_template_constant(&o->text, &len);
	return text ? compile_regex(p, o, text, len) : 0;
}

static int parse_path(struct hurl_parser *p, struct hurl_operand *o)
{
	char why[HURL_PATH_WHY];
	const char *text;
	size_t len, offset;
	int r;

	o->kind = OPERAND_TEXT;
	r = hurl_parse_quoted(p, &o->text);
	if (r < 0)
		return r;
	text = hurl_template_constant(&o->text, &len);
	if (!text)
		return 0;
	r = hurl_jsonpath_compile(p->arena, text, len, &o->path, why, &offset);
	if (r == -EINVAL)
		return hurl_fail_at(p, inside(o, offset), "bad JSONPath: %s", why);
	return r;
}

static int parse_cookie(struct hurl_parser *p, struct hurl_operand *o)
{
	const char *text, *attribute;
	size_t len, name_len;
	int r;

	o->kind = OPERAND_TEXT;
	r = hurl_parse_quoted(p, &o->text);
	if (r < 0)
		return r;
	text = hurl_template_constant(&o->text, &len);
	if (text && !hurl_cookie_split(text, len, &name_len, &attribute))
		return hurl_fail_at(p, inside(o, name_len + 1),
				    "unknown cookie attribute, expected Value, Expires, Max-Age, "
				    "Domain, Path, Secure, HttpOnly or SameSite");
	return 0;
}

static int parse_restricted(struct hurl_parser *p, enum hurl_arg arg, const char *owner,
			    struct hurl_operand *o)
{
	enum hurl_value_kind k;
	bool ok;
	int r = hurl_parse_operand(p, o);

	if (r < 0 || arg == ARG_VALUE || o->kind == OPERAND_VARIABLE)
		return r;
	k = o->kind == OPERAND_VALUE ? o->value.kind
	    : o->kind == OPERAND_FILE ? VALUE_BYTES : VALUE_STRING;
	ok = k == VALUE_STRING || (arg == ARG_BYTES && k == VALUE_BYTES) ||
	     (arg == ARG_ORDERED && (k == VALUE_INT || k == VALUE_FLOAT));
	if (ok)
		return 0;
	return hurl_fail_at(p, o->pos, "expected a string or %s after %s",
			    arg == ARG_BYTES ? "bytes (hex,...;)" : "a number", owner);
}

int hurl_parse_argument(struct hurl_parser *p, enum hurl_arg arg, const char *owner,
			struct hurl_operand *o)
{
	int r;

	if (arg == ARG_NONE)
		return 0;
	if (hurl_peek(p) != ' ' && hurl_peek(p) != '\t')
		return hurl_fail_here(p, "expected a space and a value after %s", owner);
	hurl_skip_spaces(p);
	o->pos = hurl_here(p);
	switch (arg) {
	case ARG_STRING:
		o->kind = OPERAND_TEXT;
		return hurl_parse_quoted(p, &o->text);
	case ARG_JSONPATH:
		return parse_path(p, o);
	case ARG_COOKIE:
		return parse_cookie(p, o);
	case ARG_REGEX:
		return parse_regex(p, o);
	case ARG_INT:
		r = parse_constant(p, o);
		if (r == 0 && o->value.kind != VALUE_INT)
			r = hurl_fail_at(p, o->pos, "expected a whole number after %s", owner);
		return r;
	default:
		return parse_restricted(p, arg, owner, o);
	}
}
