/* SPDX-License-Identifier: MIT */
/*
 * As in Hurl: a missing value satisfies no predicate (so "not contains" holds for it, and "!="
 * does not); a value of a type that the predicate has no meaning for fails with "not" as well.
 */
#include "eval.h"
#include "util/util.h"

#define JUDGE_ARGS                                                                       \
	struct hurl_eval *e, const struct hurl_predicate *p, const struct hurl_value *actual, \
		const struct hurl_value *expected, enum hurl_judgement *ret

static int judge(enum hurl_judgement *ret, bool yes)
{
	*ret = yes ? JUDGED_TRUE : JUDGED_FALSE;
	return 0;
}

static int judge_equal(JUDGE_ARGS)
{
	if (actual->kind == VALUE_FLAG)
		return 0;
	return judge(ret, hurl_value_equal(actual, expected));
}

static int judge_not_equal(JUDGE_ARGS)
{
	if (actual->kind == VALUE_FLAG)
		return 0;
	return judge(ret, !hurl_value_equal(actual, expected));
}

static bool ordered(const struct hurl_value *a, const struct hurl_value *b, int *ret_order)
{
	if (hurl_value_is_number(a) && hurl_value_is_number(b)) {
		*ret_order = hurl_number_compare(a, b);
		return true;
	}
	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
		size_t n = MIN_OF(a->len, b->len);

		*ret_order = n ? memcmp(a->text, b->text, n) : 0;
		if (*ret_order == 0)
			*ret_order = a->len < b->len ? -1 : a->len > b->len;
		return true;
	}
	return false;
}

static int judge_less(JUDGE_ARGS)
{
	int order;

	return ordered(actual, expected, &order) ? judge(ret, order < 0) : 0;
}

static int judge_less_equal(JUDGE_ARGS)
{
	int order;

	return ordered(actual, expected, &order) ? judge(ret, order <= 0) : 0;
}

static int judge_greater(JUDGE_ARGS)
{
	int order;

	return ordered(actual, expected, &order) ? judge(ret, order > 0) : 0;
}

static int judge_greater_equal(JUDGE_ARGS)
{
	int order;

	return ordered(actual, expected, &order) ? judge(ret, order >= 0) : 0;
}

static bool texts(const struct hurl_value *a, const struct hurl_value *b)
{
	return a->kind == b->kind && (a->kind == VALUE_STRING || a->kind == VALUE_BYTES);
}

static bool same(const char *a, const char *b, size_t n)
{
	return !n || memcmp(a, b, n) == 0;
}

static int judge_starts(JUDGE_ARGS)
{
	if (!texts(actual, expected))
		return 0;
	return judge(ret, actual->len >= expected->len &&
				  same(actual->text, expected->text, expected->len));
}

static int judge_ends(JUDGE_ARGS)
{
	if (!texts(actual, expected))
		return 0;
	return judge(ret, actual->len >= expected->len &&
				  same(actual->text + actual->len - expected->len, expected->text,
				       expected->len));
}

static int judge_includes(JUDGE_ARGS)
{
	json_t *item;
	size_t i;

	if (actual->kind != VALUE_LIST)
		return 0;
	json_array_foreach(actual->json, i, item) {
		struct hurl_value v = hurl_value_json(item);

		if (hurl_value_equal(&v, expected))
			return judge(ret, true);
	}
	return judge(ret, false);
}

static int judge_contains(JUDGE_ARGS)
{
	if (actual->kind == VALUE_LIST)
		return judge_includes(e, p, actual, expected, ret);
	if (!texts(actual, expected))
		return 0;
	return judge(ret, !expected->len || memmem(actual->text, actual->len, expected->text,
						   expected->len) != NULL);
}

static int judge_matches(JUDGE_ARGS)
{
	const struct hurl_regex *re;
	struct hurl_match m;
	bool matched;
	int r;

	if (actual->kind != VALUE_STRING)
		return 0;
	r = hurl_operand_regex(e, &p->arg, &re);
	if (r == 0)
		r = hurl_match(e, p->arg.pos, re, actual, 0, &m, &matched);
	return r != 0 ? r : judge(ret, matched);
}

static int judge_exists(JUDGE_ARGS)
{
	return judge(ret, true);
}

static int judge_empty(JUDGE_ARGS)
{
	if (actual->kind == VALUE_LIST)
		return judge(ret, json_array_size(actual->json) == 0);
	if (actual->kind == VALUE_OBJECT)
		return judge(ret, json_object_size(actual->json) == 0);
	if (actual->kind == VALUE_STRING || actual->kind == VALUE_BYTES)
		return judge(ret, actual->len == 0);
	return 0;
}

static int judge_integer(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_INT);
}

static int judge_float(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_FLOAT);
}

static int judge_number(JUDGE_ARGS)
{
	return judge(ret, hurl_value_is_number(actual));
}

static int judge_string(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_STRING);
}

static int judge_boolean(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_BOOL);
}

static int judge_collection(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_LIST || actual->kind == VALUE_OBJECT ||
				  actual->kind == VALUE_BYTES);
}

const struct hurl_predicate_type hurl_predicate_types[] = {
	{ "==", "", ARG_VALUE, judge_equal },
	{ "!=", "other than ", ARG_VALUE, judge_not_equal },
	{ "<", "less than ", ARG_ORDERED, judge_less },
	{ "<=", "at most ", ARG_ORDERED, judge_less_equal },
	{ ">", "greater than ", ARG_ORDERED, judge_greater },
	{ ">=", "at least ", ARG_ORDERED, judge_greater_equal },
	{ "startsWith", "starts with ", ARG_BYTES, judge_starts },
	{ "endsWith", "ends with ", ARG_BYTES, judge_ends },
	{ "contains", "contains ", ARG_VALUE, judge_contains },
	{ "includes", "includes ", ARG_VALUE, judge_includes },
	{ "matches", "matches ", ARG_REGEX, judge_matches },
	{ "exists", "something", ARG_NONE, judge_exists },
	{ "isEmpty", "something empty", ARG_NONE, judge_empty },
	{ "isInteger", "an integer", ARG_NONE, judge_integer },
	{ "isFloat", "a float", ARG_NONE, judge_float },
	{ "isNumber", "a number", ARG_NONE, judge_number },
	{ "isString", "a string", ARG_NONE, judge_string },
	{ "isBoolean", "a boolean", ARG_NONE, judge_boolean },
	{ "isCollection", "a collection", ARG_NONE, judge_collection },
	{ NULL, NULL, ARG_NONE, NULL },
};

static int explain(struct hurl_eval *e, const struct hurl_predicate *p,
		   const struct hurl_value *actual, const struct hurl_value *expected)
{
	const struct hurl_regex *re;
	struct hurl_buf b;

	hurl_buf_init(&b, sizeof(e->fail->expected));
	hurl_buf_printf(&b, "%s%s", p->negated ? "not " : "", p->type->says);
	if (p->arg.kind == OPERAND_REGEX) {
		if (hurl_operand_regex(e, &p->arg, &re) == 0)
			hurl_buf_printf(&b, "/%.600s/", hurl_regex_source(re));
	} else if (p->arg.kind != OPERAND_NONE) {
		hurl_value_describe(expected, &b);
	}
	hurl_fail_expected(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	hurl_value_describe(actual, &b);
	hurl_fail_actual(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	return EVAL_FAILED;
}

int hurl_check_predicate(struct hurl_eval *e, const struct hurl_predicate *p,
			 const struct hurl_value *actual)
{
	enum hurl_judgement judged = JUDGED_MISMATCH;
	struct hurl_value expected;
	int r = hurl_operand_value(e, &p->arg, &expected);

	if (r != 0)
		return r;
	if (actual->kind == VALUE_NONE)
		judged = JUDGED_FALSE;
	else
		r = p->type->judge(e, p, actual, &expected, &judged);
	if (r != 0)
		return r;
	if (judged == JUDGED_MISMATCH) {
		(void)hurl_eval_fail(e, p->pos, "assert failed: '%s' has no meaning for %s here",
				     p->type->name, hurl_value_kind_name(actual));
		return explain(e, p, actual, &expected);
	}
	if ((judged == JUDGED_TRUE) != p->negated)
		return 0;
	(void)hurl_eval_fail(e, p->pos, "assert failed");
	return explain(e, p, actual, &expected);
}
