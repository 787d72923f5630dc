/* SPDX-License-Identifier: MIT */
#include "parser.h"

#define MAX_ITEMS 1000		/* lines of one section */

enum line_kind {
	LINE_EOF,
	LINE_RESPONSE,
	LINE_SECTION,
	LINE_BODY,
	LINE_KEY,
	LINE_REQUEST,
	LINE_OTHER,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t rest_of_line(const struct hurl_parser *p)
{
	const char *s = p->src + p->pos;
	const char *nl = memchr(s, '\n', p->len - p->pos);

	return nl ? (size_t)(nl - s) : p->len - p->pos;
}

/*
 * Bytes of "key" in "key:" or "key :", 0 if the line is none; templates and escapes are stepped
 * over.
 */
static size_t key_len(const char *s, size_t n)
{
	size_t i = 0, end;

	while (i < n && !is_blank(s[i]) && !strchr(":#\"`", s[i])) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		if (n - i > 2 && s[i] == '{' && s[i + 1] == '{') {
			const char *close = memmem(s + i, n - i, "}}", 2);

			if (!close)
				return 0;
			i = (size_t)(close - s) + 1;
		}
		i++;
	}
	for (end = i; end < n && is_blank(s[end]); end++)
		;
	return end < n && s[end] == ':' ? i : 0;
}

static size_t method_len(const char *s, size_t n)
{
	size_t i = 0;

	if (!n || s[0] < 'A' || s[0] > 'Z')
		return 0;
	while (i < n && ((s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
			 s[i] == '-' || s[i] == '_'))
		i++;
	return i < n && is_blank(s[i]) ? i : 0;
}

static bool is_response(const char *s, size_t n)
{
	return n >= 4 && memcmp(s, "HTTP", 4) == 0 &&
	       (n == 4 || is_blank(s[4]) || s[4] == '/' || s[4] == '#');
}

/* "[Name]", but not the JSON lists [true], [false], [null] */
static size_t section_len(const char *s, size_t n)
{
	size_t i = 1;

	if (!n || s[0] != '[')
		return 0;
	while (i < n && ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z'))
		i++;
	if (i == 1 || i == n || s[i] != ']')
		return 0;
	if (memcmp(s, "[true]", MIN_OF(n, (size_t)6)) == 0 ||
	    memcmp(s, "[null]", MIN_OF(n, (size_t)6)) == 0 ||
	    memcmp(s, "[false]", MIN_OF(n, (size_t)7)) == 0)
		return 0;
	return i + 1;
}

static bool starts_body(const struct hurl_parser *p, const char *s, size_t n)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t len = hurl_word_len(p);

	if (strchr("{[\"`<", s[0]) || hurl_looking_at(p, "base64,") || hurl_looking_at(p, "hex,") ||
	    hurl_looking_at(p, "file,"))
		return true;
	if ((s[0] >= '0' && s[0] <= '9') || (s[0] == '-' && n > 1 && s[1] >= '0' && s[1] <= '9'))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && memcmp(words[i], s, len) == 0)
			return true;
	return false;
}

static enum line_kind classify(const struct hurl_parser *p)
{
	const char *s = p->src + p->pos;
	size_t n = rest_of_line(p);

	if (hurl_peek(p) < 0)
		return LINE_EOF;
	if (is_response(s, n))
		return LINE_RESPONSE;
	if (section_len(s, n))
		return LINE_SECTION;
	if (s[0] != '{' && s[0] != '[' && key_len(s, n))
		return LINE_KEY;
	if (n > 2 && s[0] == '{' && s[1] == '{' && key_len(s, n))
		return LINE_KEY;
	if (starts_body(p, s, n))
		return LINE_BODY;
	return method_len(s, n) ? LINE_REQUEST : LINE_OTHER;
}

static int parse_kv(struct hurl_parser *p, struct hurl_kvs *kvs)
{
	struct hurl_kv *kv;
	char found[64];
	int r;

	if (kvs->count == MAX_ITEMS)
		return hurl_fail_here(p, "more than %d lines of the same kind", MAX_ITEMS);
	kv = hurl_arena_push(p->arena, &kvs->items, &kvs->count, sizeof(*kv));
	if (!kv)
		return -ENOMEM;
	r = hurl_parse_text(p, &hurl_text_key, &kv->key);
	if (r < 0)
		return r;
	hurl_skip_spaces(p);
	if (!kv->key.count || !hurl_accept(p, ":"))
		return hurl_fail_here(p, "expected 'name: value', found %s", hurl_found(p, found));
	hurl_skip_spaces(p);
	r = hurl_parse_text(p, &hurl_text_value, &kv->value);
	return r < 0 ? r : hurl_end_line(p);
}

static int parse_kvs(struct hurl_parser *p, struct hurl_kvs *kvs)
{
	for (;;) {
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		if (classify(p) != LINE_KEY)
			return 0;
		r = parse_kv(p, kvs);
		if (r < 0)
			return r;
	}
}

static int section_query(struct hurl_parser *p, struct hurl_entry *e)
{
	return parse_kvs(p, &e->query);
}

static int section_form(struct hurl_parser *p, struct hurl_entry *e)
{
	e->has_form = true;
	return parse_kvs(p, &e->form);
}

static int section_parts(struct hurl_parser *p, struct hurl_entry *e)
{
	e->has_parts = true;
	for (;;) {
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		if (classify(p) != LINE_KEY)
			return 0;
		r = hurl_parse_part(p, e);
		if (r < 0)
			return r;
	}
}

static int section_cookies(struct hurl_parser *p, struct hurl_entry *e)
{
	return parse_kvs(p, &e->cookies);
}

static int section_auth(struct hurl_parser *p, struct hurl_entry *e)
{
	struct hurl_pos pos = hurl_here(p);
	int r = parse_kvs(p, &e->auth);

	if (r == 0 && e->auth.count != 1)
		r = hurl_fail_at(p, pos, "[BasicAuth] needs exactly one line 'user: password'");
	return r;
}

static int section_options(struct hurl_parser *p, struct hurl_entry *e)
{
	for (;;) {
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		if (classify(p) != LINE_KEY)
			return 0;
		r = hurl_parse_option(p, &e->options);
		if (r < 0)
			return r;
	}
}

static int section_captures(struct hurl_parser *p, struct hurl_entry *e)
{
	struct hurl_expectation *x = &e->expect;

	for (;;) {
		struct hurl_capture *c;
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		if (classify(p) != LINE_KEY)
			return 0;
		if (x->capture_count == MAX_ITEMS)
			return hurl_fail_here(p, "more than %d captures", MAX_ITEMS);
		c = hurl_arena_push(p->arena, &x->captures, &x->capture_count, sizeof(*c));
		if (!c)
			return -ENOMEM;
		r = hurl_parse_capture(p, c);
		if (r < 0)
			return r;
	}
}

static int section_asserts(struct hurl_parser *p, struct hurl_entry *e)
{
	struct hurl_expectation *x = &e->expect;

	for (;;) {
		struct hurl_assert *a;
		enum line_kind kind;
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		kind = classify(p);
		if (kind != LINE_OTHER && kind != LINE_KEY)
			return 0;
		if (x->assert_count == MAX_ITEMS)
			return hurl_fail_here(p, "more than %d asserts", MAX_ITEMS);
		a = hurl_arena_push(p->arena, &x->asserts, &x->assert_count, sizeof(*a));
		if (!a)
			return -ENOMEM;
		r = hurl_parse_assert(p, a);
		if (r < 0)
			return r;
	}
}

static const struct section {
	const char *name;
	bool response;
	int (*parse)(struct hurl_parser *p, struct hurl_entry *e);
} sections[] = {
	{ "Query", false, section_query },	{ "QueryStringParams", false, section_query },
	{ "Form", false, section_form },	{ "FormParams", false, section_form },
	{ "Multipart", false, section_parts },	{ "MultipartFormData", false, section_parts },
	{ "Cookies", false, section_cookies },	{ "BasicAuth", false, section_auth },
	{ "Options", false, section_options },	{ "Captures", true, section_captures },
	{ "Asserts", true, section_asserts },
};

static int unknown_section(struct hurl_parser *p, const char *word, size_t len)
{
	const char *hint = hurl_refused(hurl_refused_sections, word, len);
	const char *names[ARRAY_SIZE(sections)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		names[i] = sections[i].name;
	near = hurl_suggest(word, len, names, ARRAY_SIZE(names));
	if (hint)
		return hurl_fail_here(p, "the section [%.*s] is not supported: %s", (int)len, word,
				      hint);
	return hurl_fail_here(p, "unknown section [%.*s]%s%s%s", (int)MIN_OF(len, (size_t)40), word,
			      near ? ", did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static int parse_section(struct hurl_parser *p, struct hurl_entry *e, bool response)
{
	size_t len = section_len(p->src + p->pos, rest_of_line(p)) - 2;
	const char *word = p->src + p->pos + 1;
	const struct section *s = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (strlen(sections[i].name) == len && memcmp(sections[i].name, word, len) == 0)
			s = &sections[i];
	if (!s)
		return unknown_section(p, word, len);
	if (s->response && !response)
		return hurl_fail_here(p, "[%s] belongs below a response, as in 'HTTP 200'",
				      s->name);
	if (!s->response && response)
		return hurl_fail_here(p, "[%s] belongs to the request, above the response",
				      s->name);
	hurl_advance(p, len + 2);
	r = hurl_end_line(p);
	return r < 0 ? r : s->parse(p, e);
}

/* Sections, then a body; both parts of an entry end so. */
static int parse_tail(struct hurl_parser *p, struct hurl_entry *e, bool response)
{
	struct hurl_body *body = response ? &e->expect.body : &e->body;

	for (;;) {
		enum line_kind kind;
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		kind = classify(p);
		if (kind != LINE_SECTION && kind != LINE_BODY)
			return 0;
		if (body->kind != BODY_NONE)
			return hurl_fail_here(p, "nothing may follow the body of a %s",
					      response ? "response" : "request");
		r = kind == LINE_SECTION ? parse_section(p, e, response)
					 : hurl_parse_body(p, response, body);
		if (r < 0)
			return r;
	}
}

/* What can be said once only. */
static int check_request(struct hurl_parser *p, const struct hurl_entry *e)
{
	if (e->has_form && e->body.kind != BODY_NONE)
		return hurl_fail_at(p, e->body.pos, "a request has [Form] or a body, not both");
	if (e->has_parts && e->body.kind != BODY_NONE)
		return hurl_fail_at(p, e->body.pos,
				    "a request has [Multipart] or a body, not both");
	if (e->has_parts && e->has_form)
		return hurl_fail_at(p, e->pos, "a request has [Multipart] or [Form], not both");
	if (e->auth.count && e->options.user.count)
		return hurl_fail_at(p, e->pos,
				    "a request has [BasicAuth] or the option user, not both");
	return 0;
}

static int parse_request(struct hurl_parser *p, struct hurl_entry *e)
{
	size_t n = method_len(p->src + p->pos, rest_of_line(p));
	int r;

	e->pos = hurl_here(p);
	if (n > 32)
		return hurl_fail_here(p, "this method is longer than 32 characters");
	e->method = hurl_arena_strndup(p->arena, p->src + p->pos, n);
	if (!e->method)
		return -ENOMEM;
	hurl_advance(p, n);
	hurl_skip_spaces(p);
	r = hurl_parse_text(p, &hurl_text_value, &e->url);
	if (r < 0)
		return r;
	if (!e->url.count)
		return hurl_fail_here(p, "expected a URL after %s", e->method);
	r = hurl_end_line(p);
	if (r == 0)
		r = parse_kvs(p, &e->headers);
	if (r == 0)
		r = parse_tail(p, e, false);
	return r < 0 ? r : check_request(p, e);
}

static int parse_version(struct hurl_parser *p, struct hurl_expectation *x)
{
	char found[64];

	if (!hurl_accept(p, "/"))
		return 0;
	if (hurl_accept(p, "1.0"))
		x->version = "1.0";
	else if (hurl_accept(p, "1.1"))
		x->version = "1.1";
	else if (hurl_looking_at(p, "2") || hurl_looking_at(p, "3"))
		return hurl_fail_here(p, "HTTP/2 and HTTP/3 are not supported");
	else
		return hurl_fail_here(p, "expected 1.0 or 1.1, found %s", hurl_found(p, found));
	return 0;
}

static int parse_status(struct hurl_parser *p, struct hurl_expectation *x)
{
	char found[64];

	hurl_skip_spaces(p);
	x->status_pos = hurl_here(p);
	if (hurl_accept(p, "*"))
		return 0;
	for (int i = 0; i < 3; i++) {
		int c = hurl_peek(p);

		if (c < '0' || c > '9')
			return hurl_fail_at(p, x->status_pos,
					    "expected a status of three digits or *, found %s",
					    hurl_found(p, found));
		x->status = x->status * 10 + (unsigned int)(c - '0');
		hurl_advance(p, 1);
	}
	if (x->status < 100)
		return hurl_fail_at(p, x->status_pos, "there is no status below 100");
	return 0;
}

static int parse_response(struct hurl_parser *p, struct hurl_entry *e)
{
	struct hurl_expectation *x = &e->expect;
	int r;

	x->present = true;
	x->pos = hurl_here(p);
	hurl_advance(p, 4);
	r = parse_version(p, x);
	if (r == 0)
		r = parse_status(p, x);
	if (r == 0)
		r = hurl_end_line(p);
	if (r == 0)
		r = parse_kvs(p, &x->headers);
	if (r == 0)
		r = parse_tail(p, e, true);
	return r;
}

/* What no request line is: says what would have been possible here. */
static int not_a_request(struct hurl_parser *p, enum line_kind kind, bool first)
{
	size_t n = rest_of_line(p), word = hurl_word_len(p);
	char found[64];

	if (kind == LINE_RESPONSE)
		return hurl_fail_here(p, first ? "a response without a request before it"
					       : "a second response for one request");
	if (kind == LINE_KEY)
		return hurl_fail_here(p, "a header must stand directly below the request line or "
					 "the HTTP line");
	if (word && word < n && is_blank(p->src[p->pos + word]) &&
	    memmem(p->src + p->pos, n, "://", 3))
		return hurl_fail_here(p, "a method is written in capitals, as in GET");
	return hurl_fail_here(p, "expected a request line, as in GET {{base}}/path, found %s",
			      hurl_found(p, found));
}

static int parse_entry(struct hurl_parser *p, bool first)
{
	struct hurl_file *f = p->file;
	enum line_kind kind = classify(p);
	struct hurl_entry *e;
	int r;

	if (kind != LINE_REQUEST)
		return not_a_request(p, kind, first);
	if (f->entry_count == HURL_MAX_ENTRIES)
		return hurl_fail_here(p, "more than %d requests in one file", HURL_MAX_ENTRIES);
	r = hurl_pragma_entry(p, f->entry_count, p->line);
	if (r < 0)
		return r;
	e = hurl_arena_push(p->arena, &f->entries, &f->entry_count, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->options.retry_interval_ms = 1000;
	e->options.max_redirs = HURL_MAX_REDIRECTS;
	e->options.repeat = 1;
	r = parse_request(p, e);
	if (r == 0 && classify(p) == LINE_RESPONSE)
		r = parse_response(p, e);
	return r < 0 ? r : hurl_pragma_entry_end(p);
}

int hurl_parse_entries(struct hurl_parser *p)
{
	for (;;) {
		int r = hurl_skip_blank(p);

		if (r < 0)
			return r;
		if (hurl_peek(p) < 0)
			break;
		r = parse_entry(p, p->file->entry_count == 0);
		if (r < 0)
			return r;
	}
	if (!p->file->entry_count)
		return hurl_fail_here(p, "this file has no request");
	return hurl_pragma_file_end(p);
}
