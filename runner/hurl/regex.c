/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"

#include <errno.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>

#include "util/util.h"

#define MATCH_LIMIT 1000000	/* steps: some tens of milliseconds */
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB 16384
#define MAX_PATTERN 4096

struct hurl_regex {
	pcre2_code *code;
	const char *source;
	uint32_t groups;
};

static void code_free(void *code)
{
	pcre2_code_free(code);
}

static pcre2_code *compile(const char *pattern, size_t len, char why[HURL_REGEX_WHY],
			   size_t *ret_offset)
{
	pcre2_code *code;
	PCRE2_SIZE offset;
	int error;

	if (len > MAX_PATTERN) {
		snprintf(why, HURL_REGEX_WHY, "it is longer than %d bytes", MAX_PATTERN);
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)pattern, len,
			     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &error,
			     &offset, NULL);
	if (code)
		return code;
	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, HURL_REGEX_WHY) < 0)
		snprintf(why, HURL_REGEX_WHY, "it is malformed");
	*ret_offset = offset;
	return NULL;
}

int hurl_regex_compile(struct hurl_arena *a, const char *pattern, size_t len,
		       struct hurl_regex **ret, char why[HURL_REGEX_WHY], size_t *ret_offset)
{
	uint32_t backrefs = 0;
	struct hurl_regex *re;
	pcre2_code *code;

	*ret_offset = 0;
	code = compile(pattern, len, why, ret_offset);
	if (!code)
		return -EINVAL;
	if (hurl_arena_defer(a, code_free, code) < 0)
		return -ENOMEM;
	(void)pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &backrefs);
	if (backrefs) {
		snprintf(why, HURL_REGEX_WHY, "backreferences are not supported");
		return -EINVAL;
	}
	re = hurl_arena_alloc(a, sizeof(*re));
	if (!re)
		return -ENOMEM;
	re->code = code;
	re->source = hurl_arena_strndup(a, pattern, len);
	(void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	if (!re->source)
		return -ENOMEM;
	*ret = re;
	return 0;
}

unsigned int hurl_regex_groups(const struct hurl_regex *re)
{
	return re->groups;
}

const char *hurl_regex_source(const struct hurl_regex *re)
{
	return re->source;
}

static void fill(pcre2_match_data *data, int count, struct hurl_match *ret)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);

	*ret = (struct hurl_match){ .start = v[0], .end = v[1], .group_start = 1 };
	if (count > 1 && v[2] != PCRE2_UNSET) {
		ret->group_start = v[2];
		ret->group_end = v[3];
	}
	if (ret->start > ret->end) /* \K inside a lookahead */
		ret->start = ret->end;
}

int hurl_regex_match(const struct hurl_regex *re, const char *subject, size_t len, size_t from,
		     struct hurl_match *ret)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(re->code, NULL);
	int r = -ENOMEM;

	if (context && data) {
		int count;

		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_depth_limit(context, DEPTH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
		count = pcre2_match(re->code, (PCRE2_SPTR)subject, len, from, 0, data, context);
		if (count == PCRE2_ERROR_NOMEMORY)
			r = -ENOMEM;
		else if (count < 0)
			r = count == PCRE2_ERROR_NOMATCH ? 0 : -E2BIG;
		else
			r = 1;
		if (r == 1)
			fill(data, count, ret);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return r;
}
