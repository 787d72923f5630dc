/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <strings.h>

#include "json.h"
#include "util/util.h"

static void expect_text(struct hurl_eval *e, const char *expected, const char *actual)
{
	hurl_fail_expected(e->fail, expected, strlen(expected));
	hurl_fail_actual(e->fail, actual, strlen(actual));
}

static int check_status(struct hurl_eval *e, const struct hurl_expectation *x)
{
	char expected[32], actual[32];

	if (x->version && !streq(x->version, e->response->version)) {
		snprintf(expected, sizeof(expected), "HTTP/%s", x->version);
		snprintf(actual, sizeof(actual), "HTTP/%s", e->response->version);
		expect_text(e, expected, actual);
		return hurl_eval_fail(e, x->pos, "assert failed");
	}
	if (!x->status || x->status == e->response->status)
		return 0;
	snprintf(expected, sizeof(expected), "status %u", x->status);
	snprintf(actual, sizeof(actual), "status %u", e->response->status);
	expect_text(e, expected, actual);
	return hurl_eval_fail(e, x->status_pos, "assert failed");
}

static void describe_header(struct hurl_buf *b, const char *name, const char *value, size_t len)
{
	hurl_buf_printf(b, "%s%.100s: ", b->len ? ", " : "", name);
	hurl_buf_add_display(b, value, len, 300);
}

static int check_header(struct hurl_eval *e, const struct hurl_kv *kv)
{
	const struct hurl_response *resp = e->response;
	const char *name, *value;
	struct hurl_buf b;
	size_t len;
	int r = hurl_render_line(e, &kv->key, "the name of this header", &name, NULL);

	if (r == 0)
		r = hurl_render_line(e, &kv->value, "this header", &value, &len);
	if (r != 0)
		return r;
	hurl_buf_init(&b, 1100);
	for (size_t i = 0; i < resp->header_count; i++) {
		const struct hurl_header *h = &resp->headers[i];

		if (strcasecmp(h->name, name) != 0)
			continue;
		if (h->len == len && memcmp(h->value, value, len) == 0) {
			hurl_buf_done(&b);
			return 0;
		}
		describe_header(&b, h->name, h->value, h->len);
	}
	if (!b.len)
		hurl_buf_adds(&b, "no such header");
	hurl_fail_actual(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	describe_header(&b, name, value, len);
	hurl_fail_expected(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	return hurl_eval_fail(e, kv->key.pos, "assert failed");
}

static bool is_variable_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && !s[n] && !(*s >= '0' && *s <= '9') && *s != '-';
}

static bool fits_capture(const struct hurl_value *v)
{
	if (v->kind == VALUE_STRING || v->kind == VALUE_BYTES)
		return v->len <= HURL_MAX_CAPTURE;
	if (v->json)
		return json_dumpb(v->json, NULL, 0, JSON_COMPACT) <= HURL_MAX_CAPTURE;
	return true;
}

static int capture(struct hurl_eval *e, const struct hurl_capture *c)
{
	struct hurl_value v = { .kind = VALUE_NONE };
	const char *name;
	int r = hurl_render_line(e, &c->name, "this name", &name, NULL);

	if (r != 0)
		return r;
	if (!is_variable_name(name))
		return hurl_eval_fail(e, c->name.pos, "'%s' is not the name of a variable", name);
	r = hurl_query_value(e, &c->query, &c->filters, &v);
	if (r != 0)
		return r;
	if (v.kind == VALUE_NONE || v.kind == VALUE_FLAG) {
		expect_text(e, "a value", hurl_value_kind_name(&v));
		return hurl_eval_fail(e, c->query.pos, "there is nothing to capture for '%s'",
				      name);
	}
	if (!fits_capture(&v))
		return hurl_eval_fail(e, c->query.pos, "the value for '%s' is longer than %d bytes",
				      name, HURL_MAX_CAPTURE);
	r = hurl_vars_set(e->vars, name, &v, true);
	if (r == -E2BIG)
		return hurl_eval_fail(e, c->name.pos, "more than %d variables", HURL_MAX_VARIABLES);
	return r;
}

static void describe_node(struct hurl_buf *b, const char *path, json_t *json)
{
	struct hurl_value v = hurl_value_json(json);

	hurl_buf_printf(b, "%s: ", path);
	hurl_value_describe(&v, b);
}

static int json_differs(struct hurl_eval *e, const struct hurl_body *body, json_t *expected,
			json_t *actual)
{
	struct hurl_json_diff diff;
	struct hurl_buf b;

	hurl_json_first_diff(expected, actual, &diff);
	hurl_buf_init(&b, 1199);
	describe_node(&b, diff.path, diff.expected);
	hurl_fail_expected(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	describe_node(&b, diff.path, diff.actual);
	hurl_fail_actual(e->fail, hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	return hurl_eval_fail(e, body->pos, "the JSON body differs at %s", diff.path);
}

static int check_json(struct hurl_eval *e, const struct hurl_body *body)
{
	json_t *expected, *actual;
	char why[HURL_JSON_WHY];
	const char *text;
	size_t len;
	int r = hurl_render(e, &body->text, &text, &len);

	if (r != 0)
		return r;
	expected = hurl_json_load(e->arena, text, len, why);
	if (!expected)
		return hurl_eval_fail(e, body->pos, "the expected body is not valid JSON: %s", why);
	r = hurl_response_json(e, body->pos, &actual);
	if (r != 0 || hurl_json_equal(expected, actual))
		return r;
	return json_differs(e, body, expected, actual);
}

static size_t common_prefix(const struct hurl_value *a, const struct hurl_value *b)
{
	size_t n = 0;

	while (n < a->len && n < b->len && a->text[n] == b->text[n])
		n++;
	return n;
}

/* Shows both texts from shortly before the first difference. */
static int text_differs(struct hurl_eval *e, const struct hurl_body *body,
			const struct hurl_value *expected, const struct hurl_value *actual)
{
	size_t at = common_prefix(expected, actual), from = at > 200 ? at - 60 : 0;
	const struct hurl_value *both[] = { expected, actual };

	for (int i = 0; i < 2; i++) {
		struct hurl_value v = *both[i];
		struct hurl_buf b;

		v.text += from;
		v.len -= from;
		hurl_buf_init(&b, 1199);
		if (from)
			hurl_buf_printf(&b, "from byte %zu on: ", from);
		hurl_value_describe(&v, &b);
		if (i == 0)
			hurl_fail_expected(e->fail, hurl_buf_str(&b), b.len);
		else
			hurl_fail_actual(e->fail, hurl_buf_str(&b), b.len);
		hurl_buf_done(&b);
	}
	return hurl_eval_fail(e, body->pos, "the body differs from byte %zu on", at);
}

static int check_body(struct hurl_eval *e, const struct hurl_body *body)
{
	const struct hurl_response *resp = e->response;
	struct hurl_value expected, actual;
	const char *text;
	size_t len;
	int r;

	if (body->kind == BODY_NONE)
		return 0;
	if (body->kind == BODY_JSON)
		return check_json(e, body);
	expected = body->bytes;
	if (body->kind == BODY_FILE) {
		r = hurl_asset_value(e, body->pos, body->asset, &expected);
		if (r != 0)
			return r;
	}
	actual = hurl_value_bytes(resp->body, resp->body_len);
	if (body->kind == BODY_TEXT) {
		r = hurl_render(e, &body->text, &text, &len);
		if (r != 0)
			return r;
		expected = hurl_value_string(text, len);
		actual.kind = VALUE_STRING;
	}
	return hurl_value_equal(&expected, &actual) ? 0 : text_differs(e, body, &expected, &actual);
}

static int check_assert(struct hurl_eval *e, const struct hurl_assert *a)
{
	struct hurl_value v = { .kind = VALUE_NONE };
	int r = hurl_query_value(e, &a->query, &a->filters, &v);

	return r != 0 ? r : hurl_check_predicate(e, &a->predicate, &v);
}

int hurl_check_response(struct hurl_eval *e, const struct hurl_expectation *x)
{
	int r;

	if (!x->present)
		return 0;
	r = check_status(e, x);
	for (size_t i = 0; r == 0 && i < x->headers.count; i++)
		r = check_header(e, &x->headers.items[i]);
	for (size_t i = 0; r == 0 && i < x->capture_count; i++)
		r = capture(e, &x->captures[i]);
	if (r == 0)
		r = check_body(e, &x->body);
	for (size_t i = 0; r == 0 && i < x->assert_count; i++)
		r = check_assert(e, &x->asserts[i]);
	return r;
}
