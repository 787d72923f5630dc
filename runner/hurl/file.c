/* SPDX-License-Identifier: MIT */
/* A file from bytes to struct hurl_file: read, checked to be text, parsed, freed. */
#include <fcntl.h>
#include <sys/stat.h>

#include "asset.h"
#include "form.h"
#include "parser.h"

#define PARSE_MEMORY (128 * 1024 * 1024)

/* Copies the text without a byte order mark and with \n for \r\n, and refuses what is no text. */
static int take_text(struct hurl_parser *p, const char *text, size_t len)
{
	struct hurl_file *f = p->file;
	unsigned int code;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	f->text = hurl_arena_alloc(p->arena, len + 1);
	if (!f->text)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			f->text[f->len++] = text[i];
	p->src = f->text;
	p->len = f->len;
	while (p->pos < p->len) {
		size_t n = hurl_utf8_next(p->src + p->pos, p->len - p->pos, &code);

		if (!n || code == 0 || code == '\r')
			return hurl_fail_here(p, !n ? "this is not UTF-8"
						    : "a control character in the text");
		hurl_advance(p, n);
	}
	p->pos = p->line_start = 0;
	p->line = 1;
	p->last_line = 0;
	return 0;
}

static int parse_text(struct hurl_file **ret, const char *name, const char *text, size_t len,
		      struct hurl_error *err)
{
	struct hurl_file *f = calloc(1, sizeof(*f));
	struct hurl_parser p = { .file = f, .err = err, .src = "", .line = 1 };
	int r = -ENOMEM;

	*err = (struct hurl_error){ 0 };
	if (!f)
		return r;
	p.arena = &f->arena;
	hurl_arena_init(&f->arena, PARSE_MEMORY);
	f->name = hurl_arena_strndup(&f->arena, name, strnlen(name, sizeof(err->file) - 1));
	if (f->name && len > HURL_MAX_SOURCE)
		r = hurl_fail_here(&p, "this file is longer than %d bytes", HURL_MAX_SOURCE);
	else if (f->name)
		r = take_text(&p, text, len);
	if (r == 0)
		r = hurl_parse_entries(&p);
	if (r == -ENOMEM) {
		copy_string(err->file, sizeof(err->file), name);
		snprintf(err->text, sizeof(err->text), "out of memory while parsing");
	}
	if (r < 0) {
		hurl_file_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

int hurl_file_parse(struct hurl_file **ret, const char *name, const char *text, size_t len,
		    struct hurl_error *err)
{
	struct hurl_form form = { 0 };
	int r;

	if (!hurl_form_is_json(name))
		return parse_text(ret, name, text, len, err);
	r = hurl_form_read(&form, name, text, len, err);
	if (r == 0) {
		r = parse_text(ret, name, hurl_buf_str(&form.text), form.text.len, err);
		if (r == -EINVAL)
			hurl_form_locate(&form, err);
	}
	hurl_form_done(&form);
	return r;
}

static int cannot_read(struct hurl_error *err, const char *name, const char *why, int r)
{
	*err = (struct hurl_error){ 0 };
	copy_string(err->file, sizeof(err->file), name);
	snprintf(err->text, sizeof(err->text), "cannot read this file: %s", why);
	return r;
}

int hurl_file_load(struct hurl_file **ret, const char *path, const char *name,
		   struct hurl_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *buf = NULL;
	struct hurl_file *f = NULL;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0)
		return cannot_read(err, name, strerror(errno), -errno);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return cannot_read(err, name, "it is a folder", -EISDIR);
	buf = malloc(HURL_MAX_SOURCE + 1);
	if (!buf)
		return -ENOMEM;
	n = read_full(fd, buf, HURL_MAX_SOURCE + 1);
	if (n < 0)
		return cannot_read(err, name, strerror((int)-n), (int)n);
	r = hurl_file_parse(&f, name, buf, (size_t)n, err);
	if (r == 0)
		r = hurl_assets_load(f, path, err);
	if (r < 0) {
		hurl_file_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

struct hurl_file *hurl_file_free(struct hurl_file *f)
{
	if (f) {
		/* the arena holds all but the struct that holds the arena */
		hurl_arena_done(&f->arena);
		free(f);
	}
	return NULL;
}

size_t hurl_file_cases(const struct hurl_file *f)
{
	return f->case_count;
}

size_t hurl_file_asks(const struct hurl_file *f)
{
	return f->action_count;
}

const struct hurl_ask *hurl_file_ask(const struct hurl_file *f, size_t i)
{
	return &f->actions[i].ask;
}

void hurl_error_format(const struct hurl_error *err, char *out, size_t size)
{
	if (err->line)
		snprintf(out, size, "%s:%u:%u: %s", err->file, err->line, err->column, err->text);
	else
		snprintf(out, size, "%s: %s", err->file, err->text);
}
