/* SPDX-License-Identifier: MIT */
#include "form.h"

#include <stdarg.h>

#include "parser.h"

#define MAX_MARKS 100000

bool hurl_form_is_json(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && streq(name + n - 5, ".json");
}

void hurl_form_done(struct hurl_form *f)
{
	hurl_buf_done(&f->text);
	for (size_t i = 0; i < f->mark_count; i++)
		free(f->marks[i].path);
	free(f->marks);
	*f = (struct hurl_form){ 0 };
}

size_t form_enter(struct hurl_form *f, const char *fmt, ...)
{
	size_t n = strlen(f->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->path + n, sizeof(f->path) - n, fmt, ap);
	va_end(ap);
	return n;
}

void form_leave(struct hurl_form *f, size_t mark)
{
	f->path[mark] = '\0';
}

void form_fail(struct hurl_form *f, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (f->error)
		return;
	f->error = -EINVAL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(f->why, sizeof(f->why), "%.140s: %s", f->path, text);
}

static void count_lines(struct hurl_form *f)
{
	for (; f->counted < f->text.len; f->counted++)
		f->line += f->text.data[f->counted] == '\n';
}

void form_mark(struct hurl_form *f)
{
	struct form_mark *marks;

	if (f->error || f->mark_count == MAX_MARKS)
		return;
	marks = (f->mark_count & (f->mark_count + 1)) == 0
			? realloc(f->marks, (2 * f->mark_count + 2) * sizeof(*marks))
			: f->marks;
	if (!marks) {
		f->error = -ENOMEM;
		return;
	}
	f->marks = marks;
	count_lines(f);
	marks[f->mark_count] = (struct form_mark){ .line = f->line + 1, .path = strdup(f->path) };
	if (marks[f->mark_count].path)
		f->mark_count++;
	else
		f->error = -ENOMEM;
}

void hurl_form_locate(const struct hurl_form *f, struct hurl_error *err)
{
	const char *path = "$";
	char text[sizeof(err->text)];

	for (size_t i = 0; i < f->mark_count && f->marks[i].line <= err->line; i++)
		path = f->marks[i].path;
	snprintf(text, sizeof(text), "%.140s: %.360s", path, err->text);
	copy_string(err->text, sizeof(err->text), text);
	err->line = err->column = 0;
}

void form_add(struct hurl_form *f, const char *text)
{
	if (!f->error)
		hurl_buf_adds(&f->text, text);
}

void form_printf(struct hurl_form *f, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	form_add(f, text);
}

bool form_object(struct hurl_form *f, json_t *v, const char *const *names)
{
	const char *key;
	size_t count = 0;
	json_t *member;

	while (names[count])
		count++;
	if (!json_is_object(v)) {
		form_fail(f, "expected an object");
		return false;
	}
	json_object_foreach(v, key, member)
	{
		const char *near;
		size_t i = 0;

		while (i < count && !streq(names[i], key))
			i++;
		if (i < count)
			continue;
		near = hurl_suggest(key, strlen(key), names, count);
		form_fail(f, "unknown key '%.60s'%s%s%s", key, near ? ", did you mean '" : "",
			  near ? near : "", near ? "'?" : "");
		return false;
	}
	return !f->error;
}

const char *form_string(struct hurl_form *f, json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	if (!json_is_string(v)) {
		form_fail(f, "expected a string '%s'", key);
		return "";
	}
	if (strlen(json_string_value(v)) != json_string_length(v)) {
		form_fail(f, "a NUL in '%s'", key);
		return "";
	}
	return json_string_value(v);
}

static void add_code(struct hurl_form *f, unsigned char c)
{
	form_printf(f, "\\u{%x}", c);
}

/* What would end or begin something else in this place. */
static bool is_special(enum form_place place, char c, bool edge)
{
	switch (place) {
	case FORM_KEY:
		return strchr(" \t#:\"`[]{}<", c) != NULL;
	case FORM_VALUE:
		return edge && (c == ' ' || c == '\t');
	default:
		return false;
	}
}

static void add_literal(struct hurl_form *f, const char *s, size_t len, enum form_place place,
			bool first, bool last)
{
	static const char *const escaped[] = { "\\", "#\\", "\"\\", "`\\" };

	for (size_t i = 0; i < len && !f->error; i++) {
		bool edge = (first && i == 0) || (last && i + 1 == len);
		char c = s[i];

		if (c == '\n')
			form_add(f, "\\n");
		else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f ||
			 is_special(place, c, edge) || (c == '\t' && place != FORM_ONELINE))
			add_code(f, (unsigned char)c);
		else if (strchr(escaped[place], c))
			form_printf(f, "\\%c", c);
		else
			hurl_buf_addc(&f->text, c);
	}
}

void form_text(struct hurl_form *f, const char *s, enum form_place place)
{
	const char *start = s, *open;

	while (!f->error && (open = strstr(s, "{{"))) {
		const char *close = strstr(open, "}}");

		if (!close) {
			form_fail(f, "a {{ without its }}");
			return;
		}
		add_literal(f, s, (size_t)(open - s), place, s == start, false);
		for (const char *c = open; c < close + 2; c++)
			if ((unsigned char)*c < 0x20)
				form_fail(f, "a control character inside {{ }}");
		if (!f->error)
			hurl_buf_add(&f->text, open, (size_t)(close + 2 - open));
		s = close + 2;
	}
	add_literal(f, s, strlen(s), place, s == start, true);
}

void form_file(struct hurl_form *f, const char *name)
{
	form_add(f, "file,");
	for (; *name && !f->error; name++) {
		if ((unsigned char)*name < 0x20)
			form_fail(f, "a control character in the name of a file");
		if (strchr("\\ ;#:{}", *name))
			hurl_buf_addc(&f->text, '\\');
		hurl_buf_addc(&f->text, *name);
	}
	form_add(f, ";");
}

static void add_regex(struct hurl_form *f, const char *s)
{
	form_add(f, "/");
	for (; *s && !f->error; s++) {
		if (*s == '\n')
			form_fail(f, "a line break in a regular expression: write \\n");
		if (s[0] == '\\' && s[1] == '/')
			s++;
		else if (s[0] == '\\' && s[1])
			hurl_buf_addc(&f->text, *s++);
		if (*s == '/')
			hurl_buf_addc(&f->text, '\\');
		hurl_buf_addc(&f->text, *s);
	}
	form_add(f, "/");
}

static void add_special(struct hurl_form *f, json_t *v)
{
	static const char *const names[] = { "variable", "base64", "regex", "file", NULL };
	const char *key, *s;

	if (!form_object(f, v, names))
		return;
	if (json_object_size(v) != 1) {
		form_fail(f, "expected one of variable, base64, regex and file");
		return;
	}
	key = json_object_iter_key(json_object_iter(v));
	s = form_string(f, v, key);
	if (streq(key, "variable")) {
		form_add(f, "{{");
		form_text(f, s, FORM_KEY);
		form_add(f, "}}");
	} else if (streq(key, "base64")) {
		if (s[strspn(s,
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")])
			form_fail(f, "this is not base64");
		form_add(f, "base64,");
		form_add(f, s);
		form_add(f, ";");
	} else if (streq(key, "regex")) {
		add_regex(f, s);
	} else {
		form_file(f, s);
	}
}

void form_operand(struct hurl_form *f, json_t *v)
{
	char *text;

	if (json_is_object(v)) {
		add_special(f, v);
	} else if (json_is_string(v)) {
		if (strlen(json_string_value(v)) != json_string_length(v))
			form_fail(f, "a NUL in a string");
		form_add(f, "\"");
		form_text(f, json_string_value(v), FORM_QUOTED);
		form_add(f, "\"");
	} else if (!v || json_is_array(v)) {
		form_fail(f, v ? "a list cannot stand here" : "a value is missing");
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
		form_add(f, text ? text : "");
		f->error = text ? f->error : -ENOMEM;
		free(text);
	}
}

void form_label(struct hurl_form *f, const char *pragma, const char *s)
{
	size_t n = strlen(s);

	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < 0x20 && *c != '\t')
			form_fail(f, "a control character in '%s'", pragma);
	if (!n || strchr(" \t", s[0]) || strchr(" \t", s[n - 1]))
		form_fail(f, "'%s' is empty, or has a blank at its edge", pragma);
	form_printf(f, "# @%s ", pragma);
	form_add(f, s);
	form_add(f, "\n");
}
