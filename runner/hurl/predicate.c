/* SPDX-License-Identifier: MIT */
/*
 * As in Hurl: a missing value satisfies no predicate (so "not contains" holds for it, and "!="
 * does not); a value of a type that the predicate has no meaning for fails with "not" as well.
 */
#include <arpa/inet.h>

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

static int judge_list(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_LIST);
}

static int judge_object(JUDGE_ARGS)
{
	return judge(ret, actual->kind == VALUE_OBJECT);
}

/* @form: 9 a digit, x a hexadecimal one, anything else itself */
static bool has_form(const char *s, const char *form)
{
	for (; *form; s++, form++) {
		bool digit = *s >= '0' && *s <= '9';
		bool hex = digit || ((*s | 32) >= 'a' && (*s | 32) <= 'f');

		if (*form == '9' ? !digit : *form == 'x' ? !hex : *s != *form)
			return false;
	}
	return true;
}

static bool copy_text(const struct hurl_value *v, char *out, size_t size)
{
	if (v->kind != VALUE_STRING || v->len >= size || memchr(v->text, '\0', v->len))
		return false;
	memcpy(out, v->text, v->len);
	out[v->len] = '\0';
	return true;
}

static bool is_day(const char *s)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = atoi(s), month = atoi(s + 5), day = atoi(s + 8), last;

	if (month < 1 || month > 12)
		return false;
	last = days[month - 1] +
	       (month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)));
	return day >= 1 && day <= last;
}

/* RFC 3339: 2024-05-01T10:00:00.123Z, with an offset instead of Z if need be */
static bool is_iso_date(const char *s)
{
	if (!has_form(s, "9999-99-99") || (s[10] != 'T' && s[10] != 't') ||
	    !has_form(s + 11, "99:99:99") || !is_day(s))
		return false;
	if (atoi(s + 11) > 23 || atoi(s + 14) > 59 || atoi(s + 17) > 60)
		return false;
	s += 19;
	if (*s == '.') {
		size_t n = strspn(s + 1, "0123456789");

		if (!n)
			return false;
		s += 1 + n;
	}
	if ((*s == 'Z' || *s == 'z') && !s[1])
		return true;
	return (*s == '+' || *s == '-') && has_form(s + 1, "99:99") && !s[6] && atoi(s + 1) <= 23 &&
	       atoi(s + 4) <= 59;
}

static int judge_iso_date(JUDGE_ARGS)
{
	char text[64];

	if (actual->kind != VALUE_STRING)
		return 0;
	return judge(ret, copy_text(actual, text, sizeof(text)) && is_iso_date(text));
}

static int judge_uuid(JUDGE_ARGS)
{
	char text[40];

	if (actual->kind != VALUE_STRING)
		return 0;
	return judge(ret, copy_text(actual, text, sizeof(text)) && strlen(text) == 36 &&
				  has_form(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"));
}

static int judge_address(const struct hurl_value *actual, int family, enum hurl_judgement *ret)
{
	unsigned char address[16];
	char text[64];

	if (actual->kind != VALUE_STRING)
		return 0;
	return judge(ret, copy_text(actual, text, sizeof(text)) &&
				  inet_pton(family, text, address) == 1);
}

static int judge_ipv4(JUDGE_ARGS)
{
	return judge_address(actual, AF_INET, ret);
}

static int judge_ipv6(JUDGE_ARGS)
{
	return judge_address(actual, AF_INET6, ret);
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
	{ "isList", "a list", ARG_NONE, judge_list },
	{ "isObject", "an object", ARG_NONE, judge_object },
	{ "isIsoDate", "a date and time as in 2024-05-01T10:00:00Z", ARG_NONE, judge_iso_date },
	{ "isUuid", "a UUID", ARG_NONE, judge_uuid },
	{ "isIpv4", "an IPv4 address", ARG_NONE, judge_ipv4 },
	{ "isIpv6", "an IPv6 address", ARG_NONE, judge_ipv6 },
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
