/* SPDX-License-Identifier: MIT */
/*
 * The JSON form of a test file: the same tree, to be kept in a database column or made by a
 * program. There is one parser: a JSON document is written out as Hurl text, which is then parsed
 * like any other file; what is wrong with it is said with the JSON path that the line was made
 * from.
 *
 *   form-write.c  from the tree to JSON
 *   form-read.c   from JSON to text: cases, requests, responses
 *   form.c        texts, escapes, places
 */
#pragma once

#include <jansson.h>

#include "ast.h"
#include "buf.h"

struct form_mark {
	unsigned int line;
	char *path; /* "$.cases[0].steps[1].response" */
};

struct hurl_form {
	struct hurl_buf text;
	struct form_mark *marks;
	size_t mark_count;
	char path[512];
	size_t counted; /* bytes of text whose lines are in `line` */
	unsigned int line;
	char why[400]; /* the first thing that is wrong, with its path */
	int error;     /* sticky: -EINVAL, -ENOMEM */
};

bool hurl_form_is_json(const char *name);
/* -EINVAL: @err says where in the document and why. hurl_form_done() in every case. */
int hurl_form_read(struct hurl_form *f, const char *name, const char *text, size_t len,
		   struct hurl_error *err);
/* Turns the place of an error in the text into one of the document. */
void hurl_form_locate(const struct hurl_form *f, struct hurl_error *err);
void hurl_form_done(struct hurl_form *f);

/* form.c, for form-read.c. All do nothing after the first error. */
size_t form_enter(struct hurl_form *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void form_leave(struct hurl_form *f, size_t mark);
void form_fail(struct hurl_form *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The line that begins here was made from the current path. */
void form_mark(struct hurl_form *f);
void form_add(struct hurl_form *f, const char *text);
void form_printf(struct hurl_form *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Not an object, or one with a member that @names (NULL-terminated) lacks: fails. */
bool form_object(struct hurl_form *f, json_t *v, const char *const *names);
const char *form_string(struct hurl_form *f, json_t *object, const char *key);
/* Text with {{variables}}, escaped for its place. */
enum form_place { FORM_KEY, FORM_VALUE, FORM_QUOTED, FORM_ONELINE };
void form_text(struct hurl_form *f, const char *s, enum form_place place);
/* A file name up to its ';'. */
void form_file(struct hurl_form *f, const char *name);
/* An argument of a query, filter or predicate. */
void form_operand(struct hurl_form *f, json_t *v);
/* The text of a pragma: one line, not empty. */
void form_label(struct hurl_form *f, const char *pragma, const char *s);
