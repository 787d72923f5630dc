/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>

#include "jsonpath-ast.h"
#include "util/util.h"

#define MAX_STEPS 64
#define MAX_PATH_TEXT 4096
#define MAX_INDEX 100000000

struct path_parser {
	struct hurl_arena *arena;
	const char *s;
	size_t len;
	size_t pos;
	char *why;
};

__attribute__((format(printf, 2, 3))) static int bad(struct path_parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, HURL_PATH_WHY, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int peek(const struct path_parser *p)
{
	return p->pos < p->len ? (unsigned char)p->s[p->pos] : -1;
}

static bool accept(struct path_parser *p, const char *s)
{
	size_t n = strlen(s);

	if (n > p->len - p->pos || memcmp(p->s + p->pos, s, n) != 0)
		return false;
	p->pos += n;
	return true;
}

static void blanks(struct path_parser *p)
{
	while (peek(p) == ' ')
		p->pos++;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
	       c == '-' || c >= 0x80;
}

static int parse_name(struct path_parser *p, const char **ret)
{
	size_t start = p->pos;

	while (is_name_char(peek(p)))
		p->pos++;
	if (p->pos == start)
		return bad(p,
			   "expected a name (other characters than letters, digits, _ and - need "
			   "['...'])");
	if (peek(p) == '(')
		return bad(p, "functions are not supported, use a filter such as count");
	*ret = hurl_arena_strndup(p->arena, p->s + start, p->pos - start);
	return *ret ? 0 : -ENOMEM;
}

static int parse_quoted(struct path_parser *p, const char **ret)
{
	int quote = peek(p);
	struct hurl_buf text;

	hurl_buf_init(&text, MAX_PATH_TEXT);
	for (p->pos++; peek(p) >= 0 && peek(p) != quote; p->pos++) {
		if (peek(p) == '\\' && p->pos + 1 < p->len)
			p->pos++;
		hurl_buf_addc(&text, p->s[p->pos]);
	}
	if (peek(p) != quote) {
		hurl_buf_done(&text);
		return bad(p, "expected the closing %c", quote);
	}
	p->pos++;
	*ret = hurl_buf_to_arena(&text, p->arena);
	return *ret ? 0 : -ENOMEM;
}

static int parse_index(struct path_parser *p, long *ret)
{
	bool negative = accept(p, "-");
	long n = 0;

	if (!is_digit(peek(p)))
		return bad(p, "expected a whole number");
	for (; is_digit(peek(p)); p->pos++) {
		n = n * 10 + (peek(p) - '0');
		if (n > MAX_INDEX)
			return bad(p, "this index is too big");
	}
	*ret = negative ? -n : n;
	return 0;
}

static int add_index(struct path_parser *p, struct path_step *step)
{
	long *slot, n;
	int r;

	blanks(p);
	r = parse_index(p, &n);
	if (r < 0)
		return r;
	slot = hurl_arena_push(p->arena, &step->indexes, &step->index_count, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	*slot = n;
	blanks(p);
	return 0;
}

static int slice_end(struct path_parser *p, struct path_step *step)
{
	step->kind = STEP_SLICE;
	blanks(p);
	if (peek(p) == ']')
		return 0;
	step->has_to = true;
	return parse_index(p, &step->to);
}

/* 0   -1   0,2   1:3   1:   :3 */
static int parse_subscript(struct path_parser *p, struct path_step *step)
{
	int r;

	if (accept(p, ":"))
		return slice_end(p, step);
	r = add_index(p, step);
	if (r < 0)
		return r;
	if (accept(p, ":")) {
		step->has_from = true;
		step->from = step->indexes[0];
		return slice_end(p, step);
	}
	while (accept(p, ",")) {
		r = add_index(p, step);
		if (r < 0)
			return r;
	}
	step->kind = step->index_count == 1 ? STEP_INDEX : STEP_INDEXES;
	return 0;
}

static int parse_operator(struct path_parser *p, enum path_operator *ret)
{
	static const struct {
		const char *text;
		enum path_operator op;
	} operators[] = {
		{ "==", OP_EQUAL },	 { "!=", OP_NOT_EQUAL }, { "<=", OP_LESS_EQUAL },
		{ ">=", OP_GREATER_EQUAL }, { "<", OP_LESS },	 { ">", OP_GREATER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (accept(p, operators[i].text)) {
			*ret = operators[i].op;
			return 0;
		}
	}
	*ret = OP_EXISTS;
	if (peek(p) == '&' || peek(p) == ')' || peek(p) == ']')
		return 0;
	if (peek(p) == '|')
		return bad(p, "|| is not supported in a filter");
	return bad(p, "expected one of == != < <= > >= or the end of the filter");
}

static int parse_number(struct path_parser *p, struct hurl_value *ret)
{
	size_t start = p->pos;
	struct hurl_buf text;
	bool real;
	char *end;

	while (peek(p) > 0 && strchr("+-.0123456789eE", peek(p)))
		p->pos++;
	hurl_buf_init(&text, 64);
	hurl_buf_add(&text, p->s + start, p->pos - start);
	real = strpbrk(hurl_buf_str(&text), ".eE") != NULL;
	errno = 0;
	if (real)
		*ret = (struct hurl_value){ .kind = VALUE_FLOAT,
					    .real = strtod(hurl_buf_str(&text), &end) };
	else
		*ret = hurl_value_int(strtoll(hurl_buf_str(&text), &end, 10));
	real = errno == 0 && !*end && end != hurl_buf_str(&text) && !hurl_buf_error(&text);
	hurl_buf_done(&text);
	return real ? 0 : bad(p, "expected a number, a string in quotes, true, false or null");
}

static int parse_literal(struct path_parser *p, struct hurl_value *ret)
{
	const char *text;
	int r;

	if (peek(p) == '\'' || peek(p) == '"') {
		r = parse_quoted(p, &text);
		if (r == 0)
			*ret = hurl_value_string(text, strlen(text));
		return r;
	}
	if (accept(p, "true"))
		*ret = (struct hurl_value){ .kind = VALUE_BOOL, .boolean = true };
	else if (accept(p, "false"))
		*ret = (struct hurl_value){ .kind = VALUE_BOOL };
	else if (accept(p, "null"))
		*ret = (struct hurl_value){ .kind = VALUE_NULL };
	else
		return parse_number(p, ret);
	return 0;
}

static int parse_definite(struct path_parser *p, struct path_condition *c)
{
	while (peek(p) == '.' || peek(p) == '[') {
		struct path_step *step;
		int r;

		step = hurl_arena_push(p->arena, &c->steps, &c->step_count, sizeof(*step));
		if (!step)
			return -ENOMEM;
		if (c->step_count > MAX_STEPS)
			return bad(p, "this path has more than %d steps", MAX_STEPS);
		if (accept(p, ".")) {
			r = parse_name(p, &step->name);
		} else {
			p->pos++;
			blanks(p);
			if (peek(p) == '\'' || peek(p) == '"')
				r = parse_quoted(p, &step->name);
			else
				r = parse_subscript(p, step);
			blanks(p);
			if (r == 0 && (step->kind > STEP_INDEX || !accept(p, "]")))
				r = bad(p, "expected a name or one index, and ']'");
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_condition(struct path_parser *p, struct path_condition *c)
{
	int r;

	blanks(p);
	if (!accept(p, "@"))
		return bad(p, "expected '@'");
	r = parse_definite(p, c);
	if (r < 0)
		return r;
	blanks(p);
	r = parse_operator(p, &c->op);
	if (r < 0 || c->op == OP_EXISTS)
		return r;
	blanks(p);
	r = parse_literal(p, &c->value);
	blanks(p);
	return r;
}

static int parse_filter(struct path_parser *p, struct path_step *step)
{
	bool parens = accept(p, "(");

	step->kind = STEP_FILTER;
	do {
		struct path_condition *c;
		int r;

		c = hurl_arena_push(p->arena, &step->conditions, &step->condition_count,
				    sizeof(*c));
		if (!c)
			return -ENOMEM;
		if (step->condition_count > MAX_STEPS)
			return bad(p, "this filter has more than %d conditions", MAX_STEPS);
		r = parse_condition(p, c);
		if (r < 0)
			return r;
	} while (accept(p, "&&"));
	if (parens && !accept(p, ")"))
		return bad(p, "expected ')'");
	return 0;
}

static int parse_bracket(struct path_parser *p, struct path_step *step)
{
	int r = 0;

	blanks(p);
	if (accept(p, "*"))
		step->kind = STEP_WILDCARD;
	else if (accept(p, "?"))
		r = parse_filter(p, step);
	else if (peek(p) == '\'' || peek(p) == '"')
		r = parse_quoted(p, &step->name);
	else
		r = parse_subscript(p, step);
	blanks(p);
	if (r == 0 && !accept(p, "]"))
		r = bad(p, "expected ']'");
	return r;
}

static int parse_step(struct path_parser *p, struct path_step *step)
{
	if (accept(p, "..")) {
		if (peek(p) == '[')
			return bad(p, "a bracket after .. is not supported, write ..name or ..*");
		step->kind = STEP_DEEP_WILDCARD;
		if (accept(p, "*"))
			return 0;
		step->kind = STEP_DEEP_NAME;
		return parse_name(p, &step->name);
	}
	if (accept(p, ".")) {
		if (accept(p, "*")) {
			step->kind = STEP_WILDCARD;
			return 0;
		}
		return peek(p) == '[' ? bad(p, "expected a name after '.'")
				      : parse_name(p, &step->name);
	}
	if (accept(p, "["))
		return parse_bracket(p, step);
	return bad(p, "expected '.', '[' or the end of the path");
}

static int parse_path(struct path_parser *p, struct hurl_jsonpath *path)
{
	if (p->len > MAX_PATH_TEXT)
		return bad(p, "this path is longer than %d bytes", MAX_PATH_TEXT);
	if (!accept(p, "$"))
		return bad(p, "a path starts with '$'");
	while (p->pos < p->len) {
		struct path_step *step;
		int r;

		if (path->step_count == MAX_STEPS)
			return bad(p, "this path has more than %d steps", MAX_STEPS);
		step = hurl_arena_push(p->arena, &path->steps, &path->step_count, sizeof(*step));
		if (!step)
			return -ENOMEM;
		r = parse_step(p, step);
		if (r < 0)
			return r;
	}
	return 0;
}

int hurl_jsonpath_compile(struct hurl_arena *a, const char *text, size_t len,
			  struct hurl_jsonpath **ret, char why[HURL_PATH_WHY], size_t *ret_offset)
{
	struct path_parser p = { .arena = a, .s = text, .len = len, .why = why };
	struct hurl_jsonpath *path = hurl_arena_alloc(a, sizeof(*path));
	int r;

	if (!path)
		return -ENOMEM;
	r = parse_path(&p, path);
	*ret_offset = p.pos;
	if (r == 0)
		*ret = path;
	return r;
}
