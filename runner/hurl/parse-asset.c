/* SPDX-License-Identifier: MIT */
/*
 * file,NAME; and [Multipart]. A name is relative to the folder of the test file and stays below it.
 * It is plain text: which files a test needs is known before it runs, because whoever runs it in a
 * jail has to put them there.
 */
#include "parser.h"

#define MAX_PARTS 100

static int bad_name(struct hurl_parser *p, struct hurl_pos pos, const char *why)
{
	return hurl_fail_at(p, pos, "a file is named relative to the test file's folder, and %s",
			    why);
}

static int check_name(struct hurl_parser *p, struct hurl_pos pos, const char *name)
{
	const char *part = name;

	if (!*name)
		return bad_name(p, pos, "this name is empty");
	if (strlen(name) > HURL_MAX_ASSET_NAME)
		return bad_name(p, pos, "this name is longer than 255 bytes");
	if (*name == '/')
		return bad_name(p, pos, "this is an absolute path");
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return bad_name(p, pos, "this name holds a control character");
	for (;;) {
		size_t n = strcspn(part, "/");

		if (!n || (n <= 2 && strspn(part, ".") >= n))
			return bad_name(p, pos, "no part of it may be empty, '.' or '..'");
		if (!part[n])
			return 0;
		part += n + 1;
	}
}

/* Characters up to the ';'; a backslash makes the next one ordinary. */
static int read_name(struct hurl_parser *p, struct hurl_pos pos, struct hurl_buf *out)
{
	hurl_skip_spaces(p);
	while (hurl_peek(p) != ';') {
		int c = hurl_peek(p);

		if (c < 0 || c == '\n')
			return hurl_fail_at(p, pos, "expected ';' after the name of the file");
		if (hurl_looking_at(p, "{{"))
			return hurl_fail_here(p,
					      "a variable is not supported in the name of a file");
		if (c == '\\') {
			hurl_advance(p, 1);
			c = hurl_peek(p);
			if (c <= 0 || !strchr("\\ ;#:{}", c))
				return hurl_fail_here(p,
						      "after \\ in the name of a file comes one of "
						      "\\ ; # : { } or a blank");
		}
		hurl_buf_addc(out, (char)c);
		hurl_advance(p, 1);
	}
	while (out->len && (out->data[out->len - 1] == ' ' || out->data[out->len - 1] == '\t'))
		out->data[--out->len] = '\0';
	return hurl_buf_error(out);
}

static int remember(struct hurl_parser *p, struct hurl_pos pos, const char *name, size_t *ret)
{
	struct hurl_file *f = p->file;
	struct hurl_asset *a;

	for (size_t i = 0; i < f->asset_count; i++) {
		if (streq(f->assets[i].name, name)) {
			*ret = i;
			return 0;
		}
	}
	if (f->asset_count == HURL_MAX_ASSETS)
		return hurl_fail_at(p, pos, "more than %d files beside one test file",
				    HURL_MAX_ASSETS);
	a = hurl_arena_push(p->arena, &f->assets, &f->asset_count, sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct hurl_asset){ .pos = pos, .name = name };
	*ret = f->asset_count - 1;
	return 0;
}

int hurl_parse_file(struct hurl_parser *p, size_t *ret_asset)
{
	struct hurl_pos pos = hurl_here(p);
	struct hurl_buf text;
	char *name;
	int r;

	hurl_advance(p, strlen("file,"));
	hurl_buf_init(&text, 4096);
	r = read_name(p, pos, &text);
	if (r < 0) {
		hurl_buf_done(&text);
		return r == -E2BIG ? bad_name(p, pos, "this name is too long") : r;
	}
	hurl_advance(p, 1);
	name = hurl_buf_to_arena(&text, p->arena);
	if (!name)
		return -ENOMEM;
	r = check_name(p, pos, name);
	return r < 0 ? r : remember(p, pos, name, ret_asset);
}

static bool is_type(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= 0x20 && *s != ' ')
			return false;
	return true;
}

/* The rest of the line, if it says one; no variables, as it is a constant of the file's name. */
static int content_type(struct hurl_parser *p, struct hurl_part *part)
{
	struct hurl_template t = { 0 };
	struct hurl_pos pos;
	size_t len;
	int r;

	hurl_skip_spaces(p);
	if (hurl_at_line_end(p))
		return 0;
	pos = hurl_here(p);
	r = hurl_parse_text(p, &hurl_text_value, &t);
	if (r < 0)
		return r;
	part->type = hurl_template_constant(&t, &len);
	if (!part->type || !is_type(part->type))
		return hurl_fail_at(p, pos, "expected a content type, as in image/png");
	return 0;
}

int hurl_parse_part(struct hurl_parser *p, struct hurl_entry *e)
{
	struct hurl_part *part;
	char found[64];
	int r;

	if (e->part_count == MAX_PARTS)
		return hurl_fail_here(p, "more than %d parts", MAX_PARTS);
	part = hurl_arena_push(p->arena, &e->parts, &e->part_count, sizeof(*part));
	if (!part)
		return -ENOMEM;
	r = hurl_parse_text(p, &hurl_text_key, &part->key);
	if (r < 0)
		return r;
	hurl_skip_spaces(p);
	if (!part->key.count || !hurl_accept(p, ":"))
		return hurl_fail_here(p, "expected 'name: value', found %s", hurl_found(p, found));
	hurl_skip_spaces(p);
	part->is_file = hurl_looking_at(p, "file,");
	if (part->is_file)
		r = hurl_parse_file(p, &part->asset);
	if (r == 0)
		r = part->is_file ? content_type(p, part)
				  : hurl_parse_text(p, &hurl_text_value, &part->value);
	return r < 0 ? r : hurl_end_line(p);
}
