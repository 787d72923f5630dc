/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <strings.h>

#include "asset.h"
#include "util/util.h"

#define MAX_URL (64 * 1024)
#define MAX_MULTIPART (2 * HURL_MAX_ASSET)

static size_t authority_end(const char *url, size_t len)
{
	const char *start = memmem(url, len, "://", 3);
	size_t i;

	if (!start)
		return len;
	for (i = (size_t)(start - url) + 3; i < len && !strchr("/?#\\", url[i]); i++)
		;
	return i;
}

/* Renders piece by piece, to know whether a captured value reaches into "scheme://host:port". */
static int build_url(struct hurl_eval *e, const struct hurl_template *t, struct hurl_buf *out,
		     bool *ret_captured)
{
	size_t first_captured = SIZE_MAX;

	for (size_t i = 0; i < t->count; i++) {
		const struct hurl_template one = { .pos = t->pos,
						   .pieces = &t->pieces[i],
						   .count = 1 };
		const struct hurl_var *var = NULL;
		const char *text;
		size_t len;
		int r = hurl_render_line(e, &one, "this URL", &text, &len);

		if (r != 0)
			return r;
		if (t->pieces[i].mode != PIECE_TEXT)
			var = hurl_vars_get(e->vars, t->pieces[i].text);
		if (var && var->captured && first_captured == SIZE_MAX)
			first_captured = out->len;
		hurl_buf_add(out, text, len);
	}
	/* at its very end a value could still lengthen host or port */
	*ret_captured = first_captured <= authority_end(hurl_buf_str(out), out->len) &&
			first_captured != SIZE_MAX;
	return 0;
}

static int add_pairs(struct hurl_eval *e, const struct hurl_kvs *kvs, struct hurl_buf *out,
		     char separator)
{
	for (size_t i = 0; i < kvs->count; i++) {
		const char *text;
		size_t len;
		int r = hurl_render(e, &kvs->items[i].key, &text, &len);

		if (r != 0)
			return r;
		if (separator)
			hurl_buf_addc(out, separator);
		separator = '&';
		hurl_buf_add_url(out, text, len, "");
		r = hurl_render(e, &kvs->items[i].value, &text, &len);
		if (r != 0)
			return r;
		hurl_buf_addc(out, '=');
		hurl_buf_add_url(out, text, len, "");
	}
	return 0;
}

static int set_url(struct hurl_eval *e, const struct hurl_entry *entry,
		   struct hurl_http_request *ret)
{
	struct hurl_buf b;
	int r;

	hurl_buf_init(&b, MAX_URL);
	r = build_url(e, &entry->url, &b, &ret->url_captured);
	if (r == 0)
		r = add_pairs(e, &entry->query, &b, strchr(hurl_buf_str(&b), '?') ? '&' : '?');
	if (r == 0 && hurl_buf_error(&b) == -E2BIG)
		r = hurl_eval_fail(e, entry->pos, "this URL is longer than %d bytes", MAX_URL);
	if (r != 0) {
		hurl_buf_done(&b);
		return r;
	}
	ret->url = hurl_buf_to_arena(&b, e->arena);
	return ret->url ? 0 : -ENOMEM;
}

static bool is_token(const char *s)
{
	size_t n = strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n && !s[n];
}

static int add_header(struct hurl_http_request *req, const char *line)
{
	struct curl_slist *grown = curl_slist_append(req->headers, line);

	if (!grown)
		return -ENOMEM;
	req->headers = grown;
	return 0;
}

static int set_header(struct hurl_eval *e, const struct hurl_kv *kv, struct hurl_http_request *req,
		      bool *has_type)
{
	_cleanup_free_ char *line = NULL;
	const char *name, *value;
	int r = hurl_render_line(e, &kv->key, "the name of this header", &name, NULL);

	if (r == 0)
		r = hurl_render_line(e, &kv->value, "this header", &value, NULL);
	if (r != 0)
		return r;
	if (!is_token(name))
		return hurl_eval_fail(e, kv->key.pos, "'%s' is not the name of a header", name);
	*has_type |= strcasecmp(name, "Content-Type") == 0;
	req->encoding |= strcasecmp(name, "Accept-Encoding") == 0;
	/* libcurl: "Name;" sends an empty header, "Name:" would remove one */
	if (asprintf(&line, *value ? "%s: %s" : "%s;%s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return add_header(req, line);
}

/* A name between quotes, escaped as browsers do. */
static void add_quoted(struct hurl_buf *out, const char *key, const char *s, size_t len)
{
	hurl_buf_printf(out, "; %s=\"", key);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\r' || s[i] == '\n')
			hurl_buf_printf(out, "%%%02X", (unsigned char)s[i]);
		else
			hurl_buf_addc(out, s[i]);
	}
	hurl_buf_addc(out, '"');
}

static int add_part(struct hurl_eval *e, const struct hurl_part *part, const char *boundary,
		    struct hurl_buf *out)
{
	struct hurl_value file;
	const char *text;
	size_t len;
	int r = hurl_render(e, &part->key, &text, &len);

	if (r != 0)
		return r;
	hurl_buf_printf(out, "--%s\r\nContent-Disposition: form-data", boundary);
	add_quoted(out, "name", text, len);
	if (!part->is_file) {
		r = hurl_render(e, &part->value, &text, &len);
		hurl_buf_adds(out, "\r\n\r\n");
		if (r == 0)
			hurl_buf_add(out, text, len);
		hurl_buf_adds(out, "\r\n");
		return r;
	}
	r = hurl_asset_value(e, part->key.pos, part->asset, &file);
	if (r != 0)
		return r;
	text = e->file->assets[part->asset].name;
	add_quoted(out, "filename", text, strlen(text));
	hurl_buf_printf(out, "\r\nContent-Type: %s\r\n\r\n",
			part->type ? part->type : hurl_asset_type(text));
	hurl_buf_add(out, file.text, file.len);
	hurl_buf_adds(out, "\r\n");
	return 0;
}

static int set_multipart(struct hurl_eval *e, const struct hurl_entry *entry,
			 struct hurl_http_request *req, const char **ret_type)
{
	char boundary[64], type[128];
	const char *id = hurl_random_text(e->random, FUNCTION_UUID, e->arena);
	struct hurl_buf b;
	int r = 0;

	if (!id)
		return -ENOMEM;
	(void)snprintf(boundary, sizeof(boundary), "----------------%s", id);
	(void)snprintf(type, sizeof(type), "Content-Type: multipart/form-data; boundary=%s",
		       boundary);
	*ret_type = hurl_arena_strndup(e->arena, type, strlen(type));
	hurl_buf_init(&b, MAX_MULTIPART);
	for (size_t i = 0; r == 0 && i < entry->part_count; i++)
		r = add_part(e, &entry->parts[i], boundary, &b);
	hurl_buf_printf(&b, "--%s--\r\n", boundary);
	if (r == 0 && hurl_buf_error(&b) == -E2BIG)
		r = hurl_eval_fail(e, entry->pos, "this [Multipart] is longer than %d bytes",
				   MAX_MULTIPART);
	if (r != 0) {
		hurl_buf_done(&b);
		return r;
	}
	req->body_len = b.len;
	req->body = hurl_buf_to_arena(&b, e->arena);
	return req->body && *ret_type ? 0 : -ENOMEM;
}

static int set_file_body(struct hurl_eval *e, const struct hurl_body *body,
			 struct hurl_http_request *req)
{
	struct hurl_value file;
	int r = hurl_asset_value(e, body->pos, body->asset, &file);

	if (r == 0) {
		req->body = file.text;
		req->body_len = file.len;
	}
	return r;
}

static int set_body(struct hurl_eval *e, const struct hurl_entry *entry,
		    struct hurl_http_request *req, const char **ret_type)
{
	const struct hurl_body *body = &entry->body;
	struct hurl_buf form;
	int r;

	req->has_body = true;
	if (entry->has_form) {
		*ret_type = "Content-Type: application/x-www-form-urlencoded";
		hurl_buf_init(&form, HURL_MAX_BODY);
		r = add_pairs(e, &entry->form, &form, '\0');
		req->body_len = form.len;
		req->body = hurl_buf_to_arena(&form, e->arena);
		return r != 0 ? r : req->body ? 0 : -ENOMEM;
	}
	if (entry->has_parts)
		return set_multipart(e, entry, req, ret_type);
	if (body->kind == BODY_FILE)
		return set_file_body(e, body, req);
	if (body->kind == BODY_BYTES) {
		req->body = body->bytes.text;
		req->body_len = body->bytes.len;
		return 0;
	}
	if (body->kind == BODY_JSON)
		*ret_type = "Content-Type: application/json";
	if (body->kind != BODY_NONE)
		return hurl_render(e, &body->text, &req->body, &req->body_len);
	/* servers expect a length from these, even when it is 0 */
	req->body = "";
	req->has_body = streq(entry->method, "POST") || streq(entry->method, "PUT") ||
			streq(entry->method, "PATCH");
	return 0;
}

static int set_cookies(struct hurl_eval *e, const struct hurl_kvs *cookies,
		       struct hurl_http_request *req)
{
	struct hurl_buf b;
	int r = 0;

	hurl_buf_init(&b, MAX_URL);
	for (size_t i = 0; r == 0 && i < cookies->count; i++) {
		const char *name, *value;

		r = hurl_render_line(e, &cookies->items[i].key, "the name of this cookie", &name,
				     NULL);
		if (r == 0)
			r = hurl_render_line(e, &cookies->items[i].value, "this cookie", &value,
					     NULL);
		if (r != 0)
			break;
		hurl_buf_adds(&b, i ? "; " : "");
		hurl_buf_adds(&b, name);
		hurl_buf_addc(&b, '=');
		hurl_buf_adds(&b, value);
	}
	if (r == 0 && hurl_buf_error(&b) == -E2BIG)
		r = hurl_eval_fail(e, cookies->items[0].key.pos, "these cookies are too long");
	if (r != 0) {
		hurl_buf_done(&b);
		return r;
	}
	req->cookies = hurl_buf_to_arena(&b, e->arena);
	return req->cookies ? 0 : -ENOMEM;
}

static int set_auth(struct hurl_eval *e, const struct hurl_kv *kv, struct hurl_http_request *req)
{
	int r = hurl_render_line(e, &kv->key, "this user", &req->user, NULL);

	return r != 0 ? r : hurl_render_line(e, &kv->value, "this password", &req->password, NULL);
}

static int set_headers(struct hurl_eval *e, const struct hurl_kvs *headers,
		       struct hurl_http_request *req, bool *has_type)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < headers->count; i++)
		r = set_header(e, &headers->items[i], req, has_type);
	return r;
}

int hurl_build_request(struct hurl_eval *e, const struct hurl_entry *entry,
		       const struct hurl_options *o, struct hurl_http_request *ret)
{
	const char *type = "Content-Type:"; /* libcurl must not invent one */
	const struct hurl_kvs *auth = entry->auth.count ? &entry->auth : &o->user;
	bool has_type = false;
	int r;

	*ret = (struct hurl_http_request){
		.pos = entry->pos,
		.method = entry->method,
		.compressed = o->compressed,
		.path_as_is = o->path_as_is,
		.http10 = o->http10,
		.follow = o->location,
		.max_redirs = o->max_redirs,
	};
	r = set_url(e, entry, ret);
	if (r == 0)
		r = set_headers(e, &entry->headers, ret, &has_type);
	if (r == 0)
		r = set_headers(e, &o->headers, ret, &has_type);
	if (r == 0)
		r = set_body(e, entry, ret, &type);
	if (r == 0 && !has_type && ret->has_body)
		r = add_header(ret, type);
	if (r == 0 && ret->has_body)
		r = add_header(ret, "Expect:");
	/* libcurl is told to decode; it must not ask for it unless the test does */
	if (r == 0 && !ret->encoding && !ret->compressed)
		r = add_header(ret, "Accept-Encoding:");
	if (r == 0 && entry->cookies.count)
		r = set_cookies(e, &entry->cookies, ret);
	if (r == 0 && auth->count)
		r = set_auth(e, &auth->items[0], ret);
	return r;
}
