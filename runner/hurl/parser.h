/* SPDX-License-Identifier: MIT */
/*
 * The parser: a hand-written recursive descent over one buffer, split by layer.
 *
 *   reader.c         position, blanks, comments, errors with their place
 *   parse-text.c     templates and every kind of string
 *   parse-json.c     JSON literals with variables in them
 *   parse-value.c    bodies, bytes, regular expressions, arguments
 *   parse-query.c    captures and asserts
 *   parse-options.c  [Options]
 *   parse-asset.c    file,NAME; and [Multipart]
 *   parse.c          entries, requests, responses, sections
 *   file.c           the text itself: encoding, limits, loading
 *   pragma.c         # @test and its family: from comments to cases
 *   pragma-value.c   what stands behind a pragma
 *
 * All functions return 0, -EINVAL after parser_fail() has described the problem, or -ENOMEM.
 * Text is UTF-8 without NUL and without carriage returns (file.c sees to it), so that columns
 * count characters.
 */
#pragma once

#include "ast.h"
#include "util/util.h"

enum hurl_pragma_kind {
	PRAGMA_TEST,
	PRAGMA_POINTS,
	PRAGMA_GROUP,
	PRAGMA_HIDE,
	PRAGMA_HINT,
	PRAGMA_PARALLEL,
	PRAGMA_EXPECT,
	PRAGMA_REPEAT,
	PRAGMA_P95,
	PRAGMA_MEMORY,
	PRAGMA_SEED,
	PRAGMA_RESTART,	/* from here on they act where they stand */
	PRAGMA_SQL,
};

struct hurl_pragma {
	enum hurl_pragma_kind kind;
	struct hurl_pos pos;
	const char *arg;
	size_t len;
};

struct hurl_parser {
	struct hurl_file *file;
	struct hurl_arena *arena;
	struct hurl_error *err;
	const char *src;
	size_t len;
	size_t pos;
	size_t line_start;
	unsigned int line;
	unsigned int last_line;		/* of the last line that was not blank or comment */
	struct hurl_pragma *pending;	/* seen, not yet given to a case */
	size_t pending_count;
};

/* reader.c */
int hurl_fail_at(struct hurl_parser *p, struct hurl_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int hurl_fail_here(struct hurl_parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct hurl_pos hurl_here(const struct hurl_parser *p);
int hurl_peek(const struct hurl_parser *p);			/* -1: end of file */
bool hurl_looking_at(const struct hurl_parser *p, const char *s);
void hurl_advance(struct hurl_parser *p, size_t n);
bool hurl_accept(struct hurl_parser *p, const char *s);
/* newline, comment or end of file */
bool hurl_at_line_end(const struct hurl_parser *p);
void hurl_skip_spaces(struct hurl_parser *p);
int hurl_skip_blank(struct hurl_parser *p);			/* blank lines, comments, pragmas */
int hurl_end_line(struct hurl_parser *p);
size_t hurl_word_len(const struct hurl_parser *p);		/* of [A-Za-z0-9_-]* */
/* "'xyz' here", "the end of the file" */
const char *hurl_found(const struct hurl_parser *p, char out[64]);
/* Fills source and caret of an error from the text that it is about. */
void hurl_error_source(const char *src, size_t len, struct hurl_pos pos, char *source, size_t size,
		       unsigned int *ret_caret);

/* names.c: did you mean, and what real Hurl has and the subset lacks */
struct hurl_name {
	const char *name;
	const char *hint;
};
const char *hurl_suggest(const char *word, size_t len, const char *const *names, size_t count);
/* NULL, or the hint for a construct that exists in Hurl but not here */
const char *hurl_refused(const struct hurl_name *table, const char *word, size_t len);
extern const struct hurl_name hurl_refused_sections[], hurl_refused_options[],
	hurl_refused_queries[], hurl_refused_filters[], hurl_refused_predicates[];

/* parse.c */
int hurl_parse_entries(struct hurl_parser *p);

/* parse-text.c */
struct hurl_text_kind {
	const char *what;	/* "string" */
	const char *stops;	/* besides newline */
	const char *escapes;	/* what may follow a backslash; NULL: backslashes are literal */
	bool trim;		/* trailing blanks do not belong to it */
};
extern const struct hurl_text_kind hurl_text_key, hurl_text_value;
int hurl_parse_text(struct hurl_parser *p, const struct hurl_text_kind *kind,
		    struct hurl_template *ret);
int hurl_parse_quoted(struct hurl_parser *p, struct hurl_template *ret);
int hurl_parse_oneline(struct hurl_parser *p, struct hurl_template *ret);
/* after the opening ```: the text up to @end */
int hurl_parse_raw(struct hurl_parser *p, size_t end, struct hurl_template *ret);
int hurl_parse_placeholder(struct hurl_parser *p, enum hurl_piece_mode mode,
			   struct hurl_template *t);
int hurl_template_add(struct hurl_parser *p, struct hurl_template *t, const char *text, size_t len);
/* the text if it has no variable, else NULL */
const char *hurl_template_constant(const struct hurl_template *t, size_t *ret_len);

/* parse-json.c: appends the literal to @ret and moves behind it */
int hurl_parse_json(struct hurl_parser *p, struct hurl_template *ret);

/* parse-value.c */
int hurl_parse_body(struct hurl_parser *p, bool expected, struct hurl_body *ret);
int hurl_parse_argument(struct hurl_parser *p, enum hurl_arg arg, const char *owner,
			struct hurl_operand *ret);
int hurl_parse_operand(struct hurl_parser *p, struct hurl_operand *ret);

/* parse-query.c */
int hurl_parse_assert(struct hurl_parser *p, struct hurl_assert *ret);
int hurl_parse_capture(struct hurl_parser *p, struct hurl_capture *ret);

/* parse-options.c */
int hurl_parse_option(struct hurl_parser *p, struct hurl_options *o);

/* parse-asset.c */
int hurl_parse_file(struct hurl_parser *p, size_t *ret_asset);	/* at "file,": up to the ';' */
int hurl_parse_part(struct hurl_parser *p, struct hurl_entry *e);

/* pragma.c */
int hurl_pragma_comment(struct hurl_parser *p, struct hurl_pos pos, const char *text, size_t len,
			bool own_line);
/* Gives the pending pragmas to the entry that starts here, opening a case where they say so. */
int hurl_pragma_entry(struct hurl_parser *p, size_t entry, unsigned int line);
/* No pragma may stand inside the entry that ended. */
int hurl_pragma_entry_end(struct hurl_parser *p);
int hurl_pragma_file_end(struct hurl_parser *p);
