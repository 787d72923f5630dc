/* SPDX-License-Identifier: MIT */
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <strings.h>

#include "eval.h"
#include "json.h"
#include "util/util.h"

static int query_status(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_int(e->response->status);
	return 0;
}

static int query_version(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_string(e->response->version, strlen(e->response->version));
	return 0;
}

static int query_url(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_string(e->response->url, strlen(e->response->url));
	return 0;
}

static int query_duration(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_int(e->response->duration_ms);
	return 0;
}

static int query_bytes(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_bytes(e->response->body, e->response->body_len);
	return 0;
}

static int query_body(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	const struct hurl_response *resp = e->response;

	if (!hurl_utf8_valid(resp->body, resp->body_len))
		return hurl_eval_fail(e, q->pos, "the body is not UTF-8 text, test it with bytes");
	*ret = hurl_value_string(resp->body, resp->body_len);
	return 0;
}

static void decref(void *json)
{
	json_decref(json);
}

/* One header is a string, several of the same name are a list. */
static int query_header(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	const struct hurl_response *resp = e->response;
	const struct hurl_header *one = NULL;
	size_t count = 0, len;
	const char *name;
	json_t *list;
	int r = hurl_render(e, &q->arg.text, &name, &len);

	if (r != 0)
		return r;
	for (size_t i = 0; i < resp->header_count; i++) {
		if (strcasecmp(resp->headers[i].name, name) != 0)
			continue;
		one = &resp->headers[i];
		count++;
	}
	if (count < 2) {
		if (one)
			*ret = hurl_value_string(one->value, one->len);
		return 0;
	}
	list = json_array();
	if (!list || hurl_arena_defer(e->arena, decref, list) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < resp->header_count; i++) {
		const struct hurl_header *h = &resp->headers[i];

		if (strcasecmp(h->name, name) == 0 &&
		    json_array_append_new(list, json_stringn_nocheck(h->value, h->len)) < 0)
			return -ENOMEM;
	}
	*ret = hurl_value_json(list);
	return 0;
}

bool hurl_cookie_split(const char *text, size_t len, size_t *ret_name_len,
		       const char **ret_attribute)
{
	static const char *const known[] = { "Value", "Expires", "Max-Age",  "Domain",
					     "Path",  "Secure",	 "HttpOnly", "SameSite" };
	const char *open = memrchr(text, '[', len);

	*ret_attribute = NULL;
	*ret_name_len = len;
	if (!open || text[len - 1] != ']')
		return true;
	*ret_name_len = (size_t)(open - text);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i]);

		if (n == len - *ret_name_len - 2 && strncasecmp(open + 1, known[i], n) == 0)
			*ret_attribute = known[i];
	}
	return *ret_attribute != NULL;
}

/* The next "name=value" of a Set-Cookie line; false at the end. *ret_eq is NULL without '='. */
static bool next_part(const char **s, const char *end, const char **ret_name, const char **ret_eq,
		      const char **ret_end)
{
	const char *semicolon;

	while (*s < end && (**s == ' ' || **s == '\t' || **s == ';'))
		(*s)++;
	if (*s == end)
		return false;
	semicolon = memchr(*s, ';', (size_t)(end - *s));
	*ret_name = *s;
	*ret_end = semicolon ? semicolon : end;
	*ret_eq = memchr(*s, '=', (size_t)(*ret_end - *s));
	*s = *ret_end;
	while (*ret_end > *ret_name && ((*ret_end)[-1] == ' ' || (*ret_end)[-1] == '\t'))
		(*ret_end)--;
	return true;
}

static struct hurl_value attribute_value(const char *name, const char *value, size_t len)
{
	char *end;

	if (streq(name, "Max-Age") && len && len < 18) {
		char text[20] = "";
		long long n;

		memcpy(text, value, len);
		n = strtoll(text, &end, 10);
		if (!*end)
			return hurl_value_int(n);
	}
	return hurl_value_string(value, len);
}

static void cookie_value(const struct hurl_header *h, const char *attribute, struct hurl_value *ret)
{
	const char *s = h->value, *end = h->value + h->len, *name, *eq, *stop;
	bool want_value = !attribute || streq(attribute, "Value");

	*ret = (struct hurl_value){ .kind = VALUE_NONE };
	if (!next_part(&s, end, &name, &eq, &stop) || !eq)
		return;
	if (want_value) {
		*ret = hurl_value_string(eq + 1, (size_t)(stop - eq - 1));
		return;
	}
	while (next_part(&s, end, &name, &eq, &stop)) {
		size_t n = (size_t)((eq ? eq : stop) - name);

		if (n != strlen(attribute) || strncasecmp(name, attribute, n) != 0)
			continue;
		if (streq(attribute, "Secure") || streq(attribute, "HttpOnly"))
			ret->kind = VALUE_FLAG;
		else if (eq)
			*ret = attribute_value(attribute, eq + 1, (size_t)(stop - eq - 1));
	}
}

static int query_cookie(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	const struct hurl_response *resp = e->response;
	const char *text, *attribute;
	size_t len, n;
	int r = hurl_render(e, &q->arg.text, &text, &len);

	if (r != 0)
		return r;
	if (!hurl_cookie_split(text, len, &n, &attribute))
		return hurl_eval_fail(e, q->arg.pos, "unknown cookie attribute");
	for (size_t i = 0; i < resp->header_count; i++) {
		const struct hurl_header *h = &resp->headers[i];

		if (strcasecmp(h->name, "Set-Cookie") == 0 && h->len > n && h->value[n] == '=' &&
		    memcmp(h->value, text, n) == 0)
			cookie_value(h, attribute, ret);
	}
	return 0;
}

int hurl_response_json(struct hurl_eval *e, struct hurl_pos pos, json_t **ret)
{
	char why[HURL_JSON_WHY];

	if (!e->json) {
		e->json = hurl_json_load(e->arena, e->response->body, e->response->body_len, why);
		if (!e->json) {
			hurl_fail_expected(e->fail, "a JSON body", 11);
			hurl_fail_actual(e->fail, e->response->body, e->response->body_len);
			return hurl_eval_fail(e, pos, "the body is not valid JSON: %s", why);
		}
	}
	*ret = e->json;
	return 0;
}

static int query_jsonpath(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	json_t *root;
	int r = hurl_response_json(e, q->pos, &root);

	return r != 0 ? r : hurl_apply_jsonpath(e, &q->arg, root, ret);
}

static int query_regex(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	const struct hurl_regex *re;
	struct hurl_value body;
	struct hurl_match m;
	bool matched;
	int r;

	r = query_body(e, q, &body);
	if (r == 0)
		r = hurl_operand_regex(e, &q->arg, &re);
	if (r != 0)
		return r;
	if (!hurl_regex_groups(re))
		return hurl_eval_fail(e, q->arg.pos, "this regular expression needs a group (...)");
	r = hurl_match(e, q->arg.pos, re, &body, 0, &m, &matched);
	if (r == 0 && matched && m.group_start <= m.group_end)
		*ret = hurl_value_string(body.text + m.group_start, m.group_end - m.group_start);
	return r;
}

static int query_variable(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	const struct hurl_var *var;
	const char *name;
	size_t len;
	int r = hurl_render(e, &q->arg.text, &name, &len);

	if (r != 0)
		return r;
	var = hurl_vars_get(e->vars, name);
	if (var)
		*ret = var->value;
	return 0;
}

static int digest_value(struct hurl_eval *e, const uint8_t *digest, size_t len,
			struct hurl_value *ret)
{
	const char *bytes = hurl_arena_strndup(e->arena, (const char *)digest, len);

	if (!bytes)
		return -ENOMEM;
	*ret = hurl_value_bytes(bytes, len);
	return 0;
}

static int query_sha256(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, e->response->body_len, (const uint8_t *)e->response->body);
	sha256_digest(&ctx, sizeof(digest), digest);
	return digest_value(e, digest, sizeof(digest), ret);
}

static int query_md5(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx ctx;

	md5_init(&ctx);
	md5_update(&ctx, e->response->body_len, (const uint8_t *)e->response->body);
	md5_digest(&ctx, sizeof(digest), digest);
	return digest_value(e, digest, sizeof(digest), ret);
}

static int query_ip(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	*ret = hurl_value_string(e->response->ip, strlen(e->response->ip));
	return 0;
}

static int query_redirects(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret)
{
	json_t *list = e->response->redirects;

	if (!list) {
		list = json_array();
		if (!list || hurl_arena_defer(e->arena, decref, list) < 0)
			return -ENOMEM;
	}
	*ret = hurl_value_json(list);
	return 0;
}

const struct hurl_query_type hurl_query_types[] = {
	{ "status", ARG_NONE, query_status },
	{ "header", ARG_STRING, query_header },
	{ "cookie", ARG_COOKIE, query_cookie },
	{ "body", ARG_NONE, query_body },
	{ "bytes", ARG_NONE, query_bytes },
	{ "jsonpath", ARG_JSONPATH, query_jsonpath },
	{ "regex", ARG_REGEX, query_regex },
	{ "variable", ARG_STRING, query_variable },
	{ "duration", ARG_NONE, query_duration },
	{ "url", ARG_NONE, query_url },
	{ "version", ARG_NONE, query_version },
	{ "sha256", ARG_NONE, query_sha256 },
	{ "md5", ARG_NONE, query_md5 },
	{ "ip", ARG_NONE, query_ip },
	{ "redirects", ARG_NONE, query_redirects },
	{ NULL, ARG_NONE, NULL },
};

int hurl_query_value(struct hurl_eval *e, const struct hurl_query *q,
		     const struct hurl_filters *filters, struct hurl_value *ret)
{
	struct hurl_value v = { .kind = VALUE_NONE };
	int r = q->type->eval(e, q, &v);

	for (size_t i = 0; r == 0 && i < filters->count; i++) {
		const struct hurl_filter *f = &filters->items[i];
		struct hurl_value out = { .kind = VALUE_NONE };

		if (v.kind == VALUE_NONE)
			return hurl_eval_fail(e, f->pos,
					      "nothing to apply '%s' to: what stands before it found no "
					      "value",
					      f->type->name);
		r = f->type->apply(e, f, &v, &out);
		v = out;
	}
	if (r == 0)
		*ret = v;
	return r;
}
