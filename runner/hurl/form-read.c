/* SPDX-License-Identifier: MIT */
/* From a JSON document to Hurl text. docs/hurl.md describes the document. */
#include "form.h"
#include "json.h"
#include "util/util.h"

static json_t *list_of(struct hurl_form *f, json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	if (v && !json_is_array(v)) {
		size_t mark = form_enter(f, ".%s", key);

		form_fail(f, "expected a list");
		form_leave(f, mark);
	}
	return json_is_array(v) ? v : NULL;
}

/* Calls @one for each element, with the path set and the line marked. */
static void each(struct hurl_form *f, json_t *object, const char *key,
		 void (*one)(struct hurl_form *f, json_t *v))
{
	json_t *list = list_of(f, object, key), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		size_t mark = form_enter(f, ".%s[%zu]", key, i);

		form_mark(f);
		one(f, v);
		form_leave(f, mark);
		if (f->error)
			return;
	}
}

static void read_pair(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "name", "value", NULL };

	if (!form_object(f, v, names))
		return;
	form_text(f, form_string(f, v, "name"), FORM_KEY);
	form_add(f, ": ");
	form_text(f, form_string(f, v, "value"), FORM_VALUE);
	form_add(f, "\n");
}

static void read_part(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "name", "value", "file", "type", NULL };
	const char *value;

	if (!form_object(f, v, names))
		return;
	form_text(f, form_string(f, v, "name"), FORM_KEY);
	form_add(f, ": ");
	if (json_object_get(v, "file")) {
		form_file(f, form_string(f, v, "file"));
		if (json_object_get(v, "value"))
			form_fail(f, "a part has a value or a file, not both");
		if (json_object_get(v, "type")) {
			form_add(f, " ");
			form_text(f, form_string(f, v, "type"), FORM_VALUE);
		}
	} else {
		value = form_string(f, v, "value");
		/* "file," at the start would be a file */
		if (strncmp(value, "file,", 5) == 0) {
			form_add(f, "\\u{66}");
			value++;
		}
		form_text(f, value, FORM_VALUE);
	}
	form_add(f, "\n");
}

static void section(struct hurl_form *f, json_t *object, const char *key, const char *title,
		    void (*one)(struct hurl_form *f, json_t *v))
{
	if (!json_object_get(object, key))
		return;
	form_printf(f, "[%s]\n", title);
	each(f, object, key, one);
}

static void read_auth(struct hurl_form *f, json_t *request)
{
	static const char *const names[] = { "user", "password", NULL };
	json_t *v = json_object_get(request, "basic_auth");
	size_t mark;

	if (!v)
		return;
	mark = form_enter(f, ".basic_auth");
	if (form_object(f, v, names)) {
		form_add(f, "[BasicAuth]\n");
		form_mark(f);
		form_text(f, form_string(f, v, "user"), FORM_KEY);
		form_add(f, ": ");
		form_text(f, form_string(f, v, "password"), FORM_VALUE);
		form_add(f, "\n");
	}
	form_leave(f, mark);
}

/* {"name": "variable", "variable": "x", "value": 5}; header and user likewise */
static void read_named_option(struct hurl_form *f, json_t *v, const char *name)
{
	bool variable = streq(name, "variable");
	const char *key = form_string(f, v, name);

	form_add(f, name);
	form_add(f, ": ");
	form_text(f, key, FORM_KEY);
	form_add(f, variable ? "=" : ": ");
	if (variable)
		form_operand(f, json_object_get(v, "value"));
	else
		form_text(f, form_string(f, v, "value"), FORM_VALUE);
	form_add(f, "\n");
}

static void read_option(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "name", "value", "variable", "header", "user", NULL };
	json_t *value = json_object_get(v, "value");
	const char *name;

	if (!form_object(f, v, names))
		return;
	name = form_string(f, v, "name");
	if (streq(name, "variable") || streq(name, "header") || streq(name, "user")) {
		read_named_option(f, v, name);
		return;
	}
	if (json_object_size(v) != 2) {
		form_fail(f, "expected 'name' and 'value'");
		return;
	}
	form_text(f, name, FORM_KEY);
	form_add(f, ": ");
	if (json_is_string(value))
		form_text(f, form_string(f, v, "value"), FORM_VALUE);
	else
		form_operand(f, value);
	form_add(f, "\n");
}

static void add_json(struct hurl_form *f, json_t *v)
{
	char *text;

	if (json_is_string(v)) {
		form_add(f, json_string_value(v));
		return;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
	form_add(f, text ? text : "");
	f->error = text ? f->error : -ENOMEM;
	free(text);
}

static void read_body(struct hurl_form *f, json_t *object)
{
	static const char *const names[] = { "json", "text", "base64", "file", NULL };
	json_t *v = json_object_get(object, "body");
	size_t mark;

	if (!v)
		return;
	mark = form_enter(f, ".body");
	form_mark(f);
	if (!form_object(f, v, names)) {
	} else if (json_object_size(v) != 1) {
		form_fail(f, "expected one of json, text, base64 and file");
	} else if (json_object_get(v, "json")) {
		add_json(f, json_object_get(v, "json"));
	} else if (json_object_get(v, "text")) {
		form_add(f, "`");
		form_text(f, form_string(f, v, "text"), FORM_ONELINE);
		form_add(f, "`");
	} else {
		form_operand(f, v);
	}
	form_add(f, "\n");
	form_leave(f, mark);
}

static void read_request(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "method",  "url",       "headers", "query",
					     "form",    "multipart", "cookies", "basic_auth",
					     "options", "body",      NULL };
	const char *method;

	if (!form_object(f, v, names))
		return;
	form_mark(f);
	method = form_string(f, v, "method");
	if (!*method || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] ||
	    (*method >= '0' && *method <= '9') || streq(method, "HTTP"))
		form_fail(f, "a method is a word in capitals, as in GET");
	form_add(f, method);
	form_add(f, " ");
	form_text(f, form_string(f, v, "url"), FORM_VALUE);
	form_add(f, "\n");
	each(f, v, "headers", read_pair);
	section(f, v, "query", "Query", read_pair);
	section(f, v, "form", "Form", read_pair);
	section(f, v, "multipart", "Multipart", read_part);
	section(f, v, "cookies", "Cookies", read_pair);
	read_auth(f, v);
	section(f, v, "options", "Options", read_option);
	read_body(f, v);
}

static void read_word(struct hurl_form *f, json_t *object)
{
	const char *word = form_string(f, object, "type");

	if (!*word || word[strcspn(word, " \t\n#\"/")])
		form_fail(f, "'type' is not a word");
	form_add(f, word);
}

static void read_query(struct hurl_form *f, json_t *object)
{
	static const char *const names[] = { "type", "arg", NULL };
	json_t *v = json_object_get(object, "query");
	size_t mark = form_enter(f, ".query");

	if (form_object(f, v, names)) {
		read_word(f, v);
		if (json_object_get(v, "arg")) {
			form_add(f, " ");
			form_operand(f, json_object_get(v, "arg"));
		}
	}
	form_leave(f, mark);
}

static void read_filters(struct hurl_form *f, json_t *object)
{
	static const char *const names[] = { "type", "args", NULL };
	json_t *list = list_of(f, object, "filters"), *v, *arg;
	size_t i, k;

	json_array_foreach(list, i, v)
	{
		size_t mark = form_enter(f, ".filters[%zu]", i);

		form_add(f, " ");
		if (form_object(f, v, names)) {
			read_word(f, v);
			json_array_foreach(list_of(f, v, "args"), k, arg)
			{
				form_add(f, " ");
				form_operand(f, arg);
			}
		}
		form_leave(f, mark);
	}
}

static void read_capture(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "name", "query", "filters", NULL };

	if (!form_object(f, v, names))
		return;
	form_text(f, form_string(f, v, "name"), FORM_KEY);
	form_add(f, ": ");
	read_query(f, v);
	read_filters(f, v);
	form_add(f, "\n");
}

static void read_predicate(struct hurl_form *f, json_t *object)
{
	static const char *const names[] = { "type", "not", "value", NULL };
	json_t *v = json_object_get(object, "predicate");
	size_t mark = form_enter(f, ".predicate");

	if (form_object(f, v, names)) {
		json_t *negated = json_object_get(v, "not");

		if (negated && !json_is_boolean(negated))
			form_fail(f, "'not' is true or false");
		form_add(f, json_is_true(negated) ? " not " : " ");
		read_word(f, v);
		if (json_object_get(v, "value")) {
			form_add(f, " ");
			form_operand(f, json_object_get(v, "value"));
		}
	}
	form_leave(f, mark);
}

static void read_assert(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "query", "filters", "predicate", NULL };

	if (!form_object(f, v, names))
		return;
	read_query(f, v);
	read_filters(f, v);
	read_predicate(f, v);
	form_add(f, "\n");
}

static void read_response(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "version", "status", "headers", "captures",
					     "asserts", "body",   NULL };
	json_t *status = json_object_get(v, "status");

	if (!form_object(f, v, names))
		return;
	form_mark(f);
	form_add(f, "HTTP");
	if (json_object_get(v, "version")) {
		form_add(f, "/");
		form_text(f, form_string(f, v, "version"), FORM_KEY);
	}
	if (status && !json_is_integer(status))
		form_fail(f, "'status' is a number; without it any status will do");
	if (status)
		form_printf(f, " %lld\n", (long long)json_integer_value(status));
	else
		form_add(f, " *\n");
	each(f, v, "headers", read_pair);
	section(f, v, "captures", "Captures", read_capture);
	section(f, v, "asserts", "Asserts", read_assert);
	read_body(f, v);
}

static void read_sql(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "sql", "value", NULL };
	_cleanup_free_ char *text = NULL;

	if (!form_object(f, v, names))
		return;
	if (asprintf(&text, "%s => %s", form_string(f, v, "sql"), form_string(f, v, "value")) < 0) {
		text = NULL;
		f->error = -ENOMEM;
		return;
	}
	form_label(f, "sql", text);
}

static void read_entry(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "request", "response", NULL };
	size_t mark;

	if (!form_object(f, v, names))
		return;
	mark = form_enter(f, ".request");
	read_request(f, json_object_get(v, "request"));
	form_leave(f, mark);
	if (!json_object_get(v, "response")) {
		form_add(f, "\n");
		return;
	}
	mark = form_enter(f, ".response");
	read_response(f, json_object_get(v, "response"));
	form_add(f, "\n");
	form_leave(f, mark);
}

static void read_step(struct hurl_form *f, json_t *v)
{
	static const char *const restart[] = { "restart-server", NULL };

	if (json_object_get(v, "restart-server")) {
		if (form_object(f, v, restart) && !json_is_true(json_object_get(v, restart[0])))
			form_fail(f, "'restart-server' can only be true");
		form_add(f, "# @restart-server\n");
	} else if (json_object_get(v, "sql")) {
		read_sql(f, v);
	} else {
		read_entry(f, v);
	}
}

/* A whole number, or a text: what a pragma takes. */
static void read_setting(struct hurl_form *f, json_t *v, const char *key, const char *pragma,
			 const char *before)
{
	json_t *member = json_object_get(v, key);
	char number[32];

	if (!member)
		return;
	form_mark(f);
	if (json_is_integer(member)) {
		(void)snprintf(number, sizeof(number), "%lld",
			       (long long)json_integer_value(member));
		form_label(f, pragma, number);
		return;
	}
	if (*before) {
		_cleanup_free_ char *text = NULL;

		if (asprintf(&text, "%s%s", before, form_string(f, v, key)) < 0)
			text = NULL;
		form_label(f, pragma, text ? text : "");
		return;
	}
	form_label(f, pragma, form_string(f, v, key));
}

static void read_group(struct hurl_form *f, json_t *v)
{
	_cleanup_free_ char *text = NULL;

	if (!json_object_get(v, "requires")) {
		read_setting(f, v, "group", "group", "");
		return;
	}
	form_mark(f);
	if (asprintf(&text, "%s require=%s", form_string(f, v, "group"),
		     form_string(f, v, "requires")) < 0) {
		text = NULL;
		f->error = -ENOMEM;
		return;
	}
	form_label(f, "group", text);
}

static void read_case(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "name",   "points",   "group",  "requires", "hide",
					     "hint",   "parallel", "expect", "repeat",   "p95",
					     "memory", "seed",     "steps",  NULL };
	json_t *hide = json_object_get(v, "hide");

	if (!form_object(f, v, names))
		return;
	read_setting(f, v, "name", "test", "");
	read_setting(f, v, "points", "points", "");
	read_group(f, v);
	if (hide && !json_is_boolean(hide))
		form_fail(f, "'hide' is true or false");
	form_add(f, json_is_true(hide) ? "# @hide\n" : "");
	read_setting(f, v, "hint", "hint", "");
	read_setting(f, v, "parallel", "parallel", "");
	read_setting(f, v, "expect", "expect", "");
	read_setting(f, v, "repeat", "repeat", "");
	read_setting(f, v, "p95", "p95", "< ");
	read_setting(f, v, "memory", "memory", "< ");
	read_setting(f, v, "seed", "seed", "");
	if (!json_array_size(json_object_get(v, "steps")))
		form_fail(f, "'steps' is a list with at least one request");
	each(f, v, "steps", read_step);
}

static void read_document(struct hurl_form *f, json_t *root)
{
	static const char *const names[] = { "hurl", "cases", NULL };

	if (!form_object(f, root, names))
		return;
	if (json_integer_value(json_object_get(root, "hurl")) != 1)
		form_fail(f, "'hurl' is the version of this form, 1");
	if (!json_array_size(json_object_get(root, "cases")))
		form_fail(f, "'cases' is a list with at least one case");
	each(f, root, "cases", read_case);
}

int hurl_form_read(struct hurl_form *f, const char *name, const char *text, size_t len,
		   struct hurl_error *err)
{
	struct hurl_arena arena;
	char why[HURL_JSON_WHY];
	json_t *root = NULL;

	*f = (struct hurl_form){ .path = "$" };
	hurl_buf_init(&f->text, HURL_MAX_SOURCE);
	hurl_arena_init(&arena, HURL_MAX_SCRATCH);
	if (len > HURL_MAX_SOURCE)
		form_fail(f, "longer than %d bytes", HURL_MAX_SOURCE);
	else
		root = hurl_json_load(&arena, text, len, why);
	if (root)
		read_document(f, root);
	else
		form_fail(f, "not valid JSON: %s", why);
	hurl_arena_done(&arena);
	if (!f->error && hurl_buf_error(&f->text) == -E2BIG)
		form_fail(f, "as text, this is longer than %d bytes", HURL_MAX_SOURCE);
	else if (!f->error)
		f->error = hurl_buf_error(&f->text);
	*err = (struct hurl_error){ 0 };
	copy_string(err->file, sizeof(err->file), name);
	copy_string(err->text, sizeof(err->text), f->error == -EINVAL ? f->why : "out of memory");
	return f->error;
}
