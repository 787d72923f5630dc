/* SPDX-License-Identifier: MIT */

/* What a slot takes from its judge, and nothing else: see judge-link.h. */

#include <jansson.h>
#include <sys/stat.h>

#include "fleet/worker/judge-link.h"
#include "util/util.h"

#define POINTS_MAX 1000000000000ull

static bool is_verdict(const char *name)
{
	static const char *const names[] = { "IE",    "CANCELLED", "SEC",     "MLE", "DLE",
					     "PLE",   "OLE",       "TLE",     "CE",  "BOOT",
					     "CRASH", "AC",        "PARTIAL", "WA" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (streq(names[i], name))
			return true;
	}
	return false;
}

static bool is_hash(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return text[n] == '\0' && (n == 0 || n == QUEUE_SHA256_HEX);
}

static bool adds_up(const struct judge_verdict *v)
{
	uint64_t run = (uint64_t)v->passed + v->failed + v->skipped;

	if (!is_verdict(v->verdict) || !is_hash(v->tests_sha256) || run > v->total)
		return false;
	if (v->points > v->max_points || v->max_points > POINTS_MAX)
		return false;
	return !streq(v->verdict, "AC") || v->failed == 0;
}

static bool is_result(const char *json, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
	const char *schema = json_string_value(json_object_get(root, "schema"));
	bool ret = schema && streq(schema, "sandbox-result/1");

	json_decref(root);
	return ret;
}

int judge_check_verdict(const struct judge_verdict *v)
{
	return adds_up(v) ? 0 : -EBADMSG;
}

int judge_take_json(int fd, uint32_t size, char **ret)
{
	_cleanup_free_ char *json = NULL;
	struct stat st;

	/*
	 * Of memory alone: a pipe, or a file system of somebody's own, could make us wait for ever.
	 */
	if (size == 0 || size > JUDGE_RESULT_MAX || fd < 0 || fstat(fd, &st) < 0 ||
	    !S_ISREG(st.st_mode) || fcntl(fd, F_GET_SEALS) < 0)
		return -EBADMSG;
	json = malloc((size_t)size + 1);
	if (!json)
		return -ENOMEM;
	if (read_full_at(fd, json, size, 0) != (ssize_t)size)
		return -EBADMSG;
	json[size] = '\0';
	if (!is_result(json, size))
		return -EBADMSG;
	*ret = steal_ptr(json);
	return 0;
}
