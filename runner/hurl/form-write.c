/* SPDX-License-Identifier: MIT */
/*
 * From the tree to its JSON form. Nothing is lost but comments, blank lines and spellings that mean
 * the same; a text with a literal "{{", which JSON strings use for variables, has no JSON form.
 */
#include "codec.h"
#include "eval.h"
#include "form.h"
#include "util/util.h"

struct writer {
	const struct hurl_file *file;
	struct hurl_pos pos; /* of what cannot be written */
	const char *problem;
	bool failed; /* out of memory */
};

/* Takes the member over; a missing one is an error to be found at the end. */
static void set(struct writer *w, json_t *object, const char *key, json_t *v)
{
	if (!v || json_object_set_new(object, key, v) < 0)
		w->failed = true;
}

static void append(struct writer *w, json_t *list, json_t *v)
{
	if (!v || json_array_append_new(list, v) < 0)
		w->failed = true;
}

static json_t *text(struct writer *w, const struct hurl_template *t)
{
	struct hurl_buf b;
	json_t *v;

	hurl_buf_init(&b, 4 * HURL_MAX_SOURCE);
	for (size_t i = 0; i < t->count; i++) {
		const struct hurl_piece *p = &t->pieces[i];
		bool more = i + 1 < t->count;

		if (p->mode != PIECE_TEXT) {
			hurl_buf_printf(&b, "{{%s}}", p->text);
			continue;
		}
		if (memchr(p->text, '\0', p->len) || memmem(p->text, p->len, "{{", 2) ||
		    (more && p->text[p->len - 1] == '{')) {
			w->problem = "a literal '{{' or a NUL has no JSON form";
			w->pos = t->pos;
		}
		hurl_buf_add(&b, p->text, p->len);
	}
	v = hurl_buf_error(&b) ? NULL : json_stringn(hurl_buf_str(&b), b.len);
	hurl_buf_done(&b);
	return v;
}

static json_t *bytes(const struct hurl_value *value)
{
	struct hurl_buf b;
	json_t *v;

	hurl_buf_init(&b, 4 * HURL_MAX_SOURCE);
	hurl_base64_encode(&b, value->text, value->len);
	v = json_pack("{s:s}", "base64", hurl_buf_str(&b));
	hurl_buf_done(&b);
	return v;
}

static json_t *constant(const struct hurl_value *v)
{
	switch (v->kind) {
	case VALUE_NULL:
		return json_null();
	case VALUE_BOOL:
		return json_boolean(v->boolean);
	case VALUE_INT:
		return json_integer(v->integer);
	case VALUE_FLOAT:
		return json_real(v->real);
	default:
		return bytes(v);
	}
}

static json_t *operand(struct writer *w, const struct hurl_operand *o)
{
	switch (o->kind) {
	case OPERAND_VALUE:
		return constant(&o->value);
	case OPERAND_VARIABLE:
		return json_pack("{s:s}", "variable", o->text.pieces[0].text);
	case OPERAND_FILE:
		return json_pack("{s:s}", "file", w->file->assets[o->asset].name);
	case OPERAND_REGEX:
		if (!o->text.count && o->regex)
			return json_pack("{s:s}", "regex", hurl_regex_source(o->regex));
		return text(w, &o->text);
	default:
		return text(w, &o->text);
	}
}

static json_t *pair(struct writer *w, const struct hurl_kv *kv)
{
	json_t *v = json_object();

	set(w, v, "name", text(w, &kv->key));
	set(w, v, "value", text(w, &kv->value));
	return v;
}

static void set_pairs(struct writer *w, json_t *object, const char *key, const struct hurl_kvs *kvs)
{
	json_t *list;

	if (!kvs->count)
		return;
	list = json_array();
	for (size_t i = 0; i < kvs->count; i++)
		append(w, list, pair(w, &kvs->items[i]));
	set(w, object, key, list);
}

static json_t *part(struct writer *w, const struct hurl_part *p)
{
	json_t *v = json_object();

	set(w, v, "name", text(w, &p->key));
	if (!p->is_file) {
		set(w, v, "value", text(w, &p->value));
		return v;
	}
	set(w, v, "file", json_string(w->file->assets[p->asset].name));
	if (p->type)
		set(w, v, "type", json_string(p->type));
	return v;
}

static void option(struct writer *w, json_t *list, const char *name, json_t *value)
{
	json_t *v = json_object();

	set(w, v, "name", json_string(name));
	set(w, v, "value", value);
	append(w, list, v);
}

static void flag(struct writer *w, json_t *list, const char *name, bool on)
{
	if (on)
		option(w, list, name, json_true());
}

static void number(struct writer *w, json_t *list, const char *name, unsigned int n,
		   unsigned int usual)
{
	if (n != usual)
		option(w, list, name, json_integer(n));
}

static void duration(struct writer *w, json_t *list, const char *name, unsigned int ms,
		     unsigned int usual)
{
	char out[32];

	if (ms == usual)
		return;
	(void)snprintf(out, sizeof(out), "%ums", ms);
	option(w, list, name, json_string(out));
}

static void named(struct writer *w, json_t *list, const char *name, json_t *key, json_t *value)
{
	json_t *v = json_object();

	set(w, v, "name", json_string(name));
	set(w, v, name, key);
	set(w, v, "value", value);
	append(w, list, v);
}

static void set_options(struct writer *w, json_t *object, const struct hurl_options *o)
{
	json_t *list = json_array();

	flag(w, list, "location", o->location);
	flag(w, list, "compressed", o->compressed);
	flag(w, list, "path-as-is", o->path_as_is);
	flag(w, list, "http1.0", o->http10);
	flag(w, list, "skip", o->skip);
	number(w, list, "repeat", o->repeat, 1);
	number(w, list, "retry", o->retry, 0);
	number(w, list, "max-redirs", o->max_redirs, HURL_MAX_REDIRECTS);
	duration(w, list, "retry-interval", o->retry_interval_ms, 1000);
	duration(w, list, "delay", o->delay_ms, 0);
	duration(w, list, "max-time", o->max_time_ms, 0);
	for (size_t i = 0; i < o->template_count; i++)
		option(w, list, hurl_option_name(o->templates[i].option),
		       text(w, &o->templates[i].text));
	for (size_t i = 0; i < o->variable_count; i++)
		named(w, list, "variable", json_string(o->variables[i].name),
		      operand(w, &o->variables[i].value));
	for (size_t i = 0; i < o->headers.count; i++)
		named(w, list, "header", text(w, &o->headers.items[i].key),
		      text(w, &o->headers.items[i].value));
	for (size_t i = 0; i < o->user.count; i++)
		named(w, list, "user", text(w, &o->user.items[i].key),
		      text(w, &o->user.items[i].value));
	if (json_array_size(list))
		set(w, object, "options", list);
	else
		json_decref(list);
}

static void set_body(struct writer *w, json_t *object, const struct hurl_body *body)
{
	json_t *v;

	if (body->kind == BODY_NONE)
		return;
	if (body->kind == BODY_BYTES) {
		set(w, object, "body", bytes(&body->bytes));
		return;
	}
	v = json_object();
	if (body->kind == BODY_FILE)
		set(w, v, "file", json_string(w->file->assets[body->asset].name));
	else
		set(w, v, body->kind == BODY_JSON ? "json" : "text", text(w, &body->text));
	set(w, object, "body", v);
}

static json_t *request(struct writer *w, const struct hurl_entry *e)
{
	json_t *v = json_object(), *list;

	set(w, v, "method", json_string(e->method));
	set(w, v, "url", text(w, &e->url));
	set_pairs(w, v, "headers", &e->headers);
	set_pairs(w, v, "query", &e->query);
	set_pairs(w, v, "form", &e->form);
	if (e->has_form && !e->form.count)
		set(w, v, "form", json_array());
	if (e->has_parts) {
		list = json_array();
		for (size_t i = 0; i < e->part_count; i++)
			append(w, list, part(w, &e->parts[i]));
		set(w, v, "multipart", list);
	}
	set_pairs(w, v, "cookies", &e->cookies);
	if (e->auth.count) {
		list = json_object();
		set(w, list, "user", text(w, &e->auth.items[0].key));
		set(w, list, "password", text(w, &e->auth.items[0].value));
		set(w, v, "basic_auth", list);
	}
	set_options(w, v, &e->options);
	set_body(w, v, &e->body);
	return v;
}

static json_t *query(struct writer *w, const struct hurl_query *q)
{
	json_t *v = json_object();

	set(w, v, "type", json_string(q->type->name));
	if (q->type->arg != ARG_NONE)
		set(w, v, "arg", operand(w, &q->arg));
	return v;
}

static void set_filters(struct writer *w, json_t *object, const struct hurl_filters *filters)
{
	json_t *list;

	if (!filters->count)
		return;
	list = json_array();
	for (size_t i = 0; i < filters->count; i++) {
		const struct hurl_filter *f = &filters->items[i];
		json_t *v = json_object(), *args = json_array();

		set(w, v, "type", json_string(f->type->name));
		for (size_t k = 0; k < ARRAY_SIZE(f->args) && f->type->args[k] != ARG_NONE; k++)
			append(w, args, operand(w, &f->args[k]));
		if (json_array_size(args))
			set(w, v, "args", args);
		else
			json_decref(args);
		append(w, list, v);
	}
	set(w, object, "filters", list);
}

static json_t *capture(struct writer *w, const struct hurl_capture *c)
{
	json_t *v = json_object();

	set(w, v, "name", text(w, &c->name));
	set(w, v, "query", query(w, &c->query));
	set_filters(w, v, &c->filters);
	return v;
}

static json_t *assertion(struct writer *w, const struct hurl_assert *a)
{
	json_t *v = json_object(), *p = json_object();

	set(w, v, "query", query(w, &a->query));
	set_filters(w, v, &a->filters);
	set(w, p, "type", json_string(a->predicate.type->name));
	if (a->predicate.negated)
		set(w, p, "not", json_true());
	if (a->predicate.type->arg != ARG_NONE)
		set(w, p, "value", operand(w, &a->predicate.arg));
	set(w, v, "predicate", p);
	return v;
}

static json_t *response(struct writer *w, const struct hurl_expectation *x)
{
	json_t *v = json_object(), *list;

	if (x->version)
		set(w, v, "version", json_string(x->version));
	if (x->status)
		set(w, v, "status", json_integer(x->status));
	set_pairs(w, v, "headers", &x->headers);
	list = json_array();
	for (size_t i = 0; i < x->capture_count; i++)
		append(w, list, capture(w, &x->captures[i]));
	if (x->capture_count)
		set(w, v, "captures", json_incref(list));
	json_decref(list);
	list = json_array();
	for (size_t i = 0; i < x->assert_count; i++)
		append(w, list, assertion(w, &x->asserts[i]));
	if (x->assert_count)
		set(w, v, "asserts", json_incref(list));
	json_decref(list);
	set_body(w, v, &x->body);
	return v;
}

static void add_steps(struct writer *w, json_t *list, const struct hurl_case *c, size_t before)
{
	for (size_t i = 0; i < c->action_count; i++) {
		const struct hurl_action *a = &w->file->actions[c->first_action + i];
		json_t *v;

		if (a->before != before)
			continue;
		v = json_object();
		if (a->ask.kind == HURL_ASK_RESTART) {
			set(w, v, "restart-server", json_true());
		} else {
			set(w, v, "sql", json_string(a->ask.sql));
			set(w, v, "value", text(w, &a->expected));
		}
		append(w, list, v);
	}
}

static json_t *steps(struct writer *w, const struct hurl_case *c)
{
	json_t *list = json_array();

	for (size_t i = c->first; i < c->first + c->count; i++) {
		const struct hurl_entry *e = &w->file->entries[i];
		json_t *v = json_object();

		add_steps(w, list, c, i);
		set(w, v, "request", request(w, e));
		if (e->expect.present)
			set(w, v, "response", response(w, &e->expect));
		append(w, list, v);
	}
	add_steps(w, list, c, c->first + c->count);
	return list;
}

static void set_tallies(struct writer *w, json_t *v, const struct hurl_case *c)
{
	struct hurl_buf b;

	if (!c->tally_count)
		return;
	hurl_buf_init(&b, 1024);
	for (size_t i = 0; i < c->tally_count; i++)
		hurl_buf_printf(&b, c->tallies[i].status < 10 ? "%s%u x %uxx" : "%s%u x %u",
				i ? ", " : "", c->tallies[i].count, c->tallies[i].status);
	set(w, v, "expect", json_string(hurl_buf_str(&b)));
	hurl_buf_done(&b);
}

static void set_measures(struct writer *w, json_t *v, const struct hurl_case *c)
{
	bool mega = c->memory % (1u << 20) == 0;
	char out[40];

	if (c->parallel)
		set(w, v, "parallel", json_integer(c->parallel));
	set_tallies(w, v, c);
	if (c->repeat)
		set(w, v, "repeat", json_integer(c->repeat));
	if (c->p95_us) {
		(void)snprintf(out, sizeof(out), "%llums", (unsigned long long)c->p95_us / 1000);
		set(w, v, "p95", json_string(out));
	}
	if (c->memory) {
		(void)snprintf(out, sizeof(out), "%llu%c",
			       (unsigned long long)c->memory >> (mega ? 20 : 10), mega ? 'M' : 'K');
		set(w, v, "memory", json_string(out));
	}
	if (c->seeded)
		set(w, v, "seed", json_integer((json_int_t)c->seed));
}

static json_t *one_case(struct writer *w, const struct hurl_case *c)
{
	const struct hurl_case_info *info = &c->info;
	json_t *v = json_object();

	/* a case that no @test opened is called after its file */
	if (info->name != w->file->name)
		set(w, v, "name", json_string(info->name));
	if (info->points != 1)
		set(w, v, "points", json_integer(info->points));
	if (info->group)
		set(w, v, "group", json_string(info->group));
	if (info->requires)
		set(w, v, "requires", json_string(info->requires));
	if (info->hidden)
		set(w, v, "hide", json_true());
	if (info->hint)
		set(w, v, "hint", json_string(info->hint));
	set_measures(w, v, c);
	set(w, v, "steps", steps(w, c));
	return v;
}

int hurl_file_to_json(const struct hurl_file *f, char **ret, struct hurl_error *err)
{
	struct writer w = { .file = f };
	json_t *root = json_object(), *cases = json_array();
	char *out = NULL;

	*err = (struct hurl_error){ 0 };
	set(&w, root, "hurl", json_integer(1));
	for (size_t i = 0; i < f->case_count; i++)
		append(&w, cases, one_case(&w, &f->cases[i]));
	set(&w, root, "cases", cases);
	if (!w.problem && !w.failed)
		out = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
	json_decref(root);
	copy_string(err->file, sizeof(err->file), f->name);
	if (w.problem) {
		err->line = w.pos.line;
		err->column = w.pos.column;
		copy_string(err->text, sizeof(err->text), w.problem);
		return -EOPNOTSUPP;
	}
	if (!out) {
		copy_string(err->text, sizeof(err->text), "out of memory");
		return -ENOMEM;
	}
	*ret = out;
	return 0;
}

int hurl_file_to_hurl(const struct hurl_file *f, char **ret, struct hurl_error *err)
{
	_cleanup_free_ char *json = NULL;
	struct hurl_form form = { 0 };
	int r = hurl_file_to_json(f, &json, err);

	if (r < 0)
		return r;
	r = hurl_form_read(&form, f->name, json, strlen(json), err);
	if (r == 0)
		*ret = strdup(hurl_buf_str(&form.text));
	hurl_form_done(&form);
	return r == 0 && !*ret ? -ENOMEM : r;
}
