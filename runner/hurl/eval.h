/* SPDX-License-Identifier: MIT */
/*
 * Judging one response: queries extract, filters transform, predicates decide. Each of the three
 * is a table of const rows; the AST points to the rows, so the parser and the runner share them.
 *
 * Functions return 0; EVAL_FAILED after eval_fail() has recorded why (the case fails); <0 when the
 * engine itself cannot go on (-ENOMEM: also the limit of the scratch arena).
 */
#pragma once

#include "ast.h"
#include "jsonpath.h"
#include "random.h"
#include "regex.h"
#include "vars.h"

#define EVAL_FAILED 1

struct hurl_header {
	const char *name;
	const char *value;
	size_t len;
};

struct hurl_response {
	unsigned int status;
	const char *version;	/* "1.1" */
	const char *url;	/* that was answered, after redirects */
	struct hurl_header *headers;
	size_t header_count;
	const char *body;
	size_t body_len;
	const char *ip;		/* that answered */
	json_t *redirects;	/* list of {"location": URL}; NULL: none was followed */
	int64_t duration_ms, duration_us;
};

/* What hurl_failure is made of. The texts are escaped for display when they are recorded. */
struct hurl_fail_record {
	bool set;
	struct hurl_pos pos;
	char message[512];
	char expected[1200];
	char actual[1200];
	char request[320];
};

struct hurl_eval {
	struct hurl_arena *arena;	/* dies with the request */
	struct hurl_vars *vars;
	struct hurl_random *random;
	const struct hurl_file *file;	/* its assets */
	const struct hurl_response *response;
	json_t *json;			/* the body, parsed at first use */
	struct hurl_fail_record *fail;
};

int hurl_eval_fail(struct hurl_eval *e, struct hurl_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void hurl_fail_expected(struct hurl_fail_record *f, const char *text, size_t len);
void hurl_fail_actual(struct hurl_fail_record *f, const char *text, size_t len);

/* Fills the variables in. The text is terminated and lives in the arena. */
int hurl_render(struct hurl_eval *e, const struct hurl_template *t, const char **ret,
		size_t *ret_len);
/* The same for text that goes into a protocol line: NUL, CR and LF fail. */
int hurl_render_line(struct hurl_eval *e, const struct hurl_template *t, const char *what,
		     const char **ret, size_t *ret_len);
/* The bytes of a file,NAME; */
int hurl_asset_value(struct hurl_eval *e, struct hurl_pos pos, size_t asset,
		     struct hurl_value *ret);
/* An operand's value; strings are rendered. */
int hurl_operand_value(struct hurl_eval *e, const struct hurl_operand *o, struct hurl_value *ret);
int hurl_operand_regex(struct hurl_eval *e, const struct hurl_operand *o,
		       const struct hurl_regex **ret);
/* A match that hit a limit fails the case. *ret_matched otherwise. */
int hurl_match(struct hurl_eval *e, struct hurl_pos pos, const struct hurl_regex *re,
	       const struct hurl_value *subject, size_t from, struct hurl_match *ret,
	       bool *ret_matched);
int hurl_apply_jsonpath(struct hurl_eval *e, const struct hurl_operand *o, json_t *root,
			struct hurl_value *ret);

struct hurl_query_type {
	const char *name;
	enum hurl_arg arg;
	int (*eval)(struct hurl_eval *e, const struct hurl_query *q, struct hurl_value *ret);
};

struct hurl_filter_type {
	const char *name;
	enum hurl_arg args[2];
	int (*apply)(struct hurl_eval *e, const struct hurl_filter *f, const struct hurl_value *in,
		     struct hurl_value *ret);
};

enum hurl_judgement {
	JUDGED_FALSE,
	JUDGED_TRUE,
	JUDGED_MISMATCH, /* the predicate has no meaning for this type: fails with "not", too */
};

struct hurl_predicate_type {
	const char *name;
	const char *says;	/* "greater than", for the expected line */
	enum hurl_arg arg;
	int (*judge)(struct hurl_eval *e, const struct hurl_predicate *p,
		     const struct hurl_value *actual, const struct hurl_value *expected,
		     enum hurl_judgement *ret);
};

/* Zero-terminated by name. */
extern const struct hurl_query_type hurl_query_types[];
extern const struct hurl_filter_type hurl_filter_types[];
extern const struct hurl_predicate_type hurl_predicate_types[];

int hurl_query_value(struct hurl_eval *e, const struct hurl_query *q,
		     const struct hurl_filters *filters, struct hurl_value *ret);
int hurl_response_json(struct hurl_eval *e, struct hurl_pos pos, json_t **ret);
int hurl_check_predicate(struct hurl_eval *e, const struct hurl_predicate *p,
			 const struct hurl_value *actual);

/*
 * Cookie queries: "name" or "name[Attribute]"; *ret_attribute is NULL or the attribute's own
 * spelling. False: unknown attribute.
 */
bool hurl_cookie_split(const char *text, size_t len, size_t *ret_name_len,
		       const char **ret_attribute);
