/* SPDX-License-Identifier: MIT */

/*
 * The texts in a result come from the submission. Whatever is in them, Postgres must take the row,
 * or the verdict could never be recorded: jsonb refuses \u0000 and halves of surrogate pairs, text
 * refuses malformed UTF-8. These are replaced in place, so that a result never grows.
 */

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/ledger/ledger-internal.h"
#include "inside/text.h"
#include "util/util.h"

static int hex4(const char *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *d;

		d = s[i] ? strchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] | 0x20 : s[i]) : NULL;
		if (!d)
			return -1;
		value = value * 16 + (int)(d - digits);
	}
	return value;
}

/* Of an escape at `s`: its length, after it was replaced if no jsonb takes it. */
static size_t clean_escape(char *s)
{
	int code;

	if (s[1] != 'u')
		return s[1] ? 2 : 1;
	code = hex4(s + 2);
	if (code >= 0xd800 && code < 0xdc00 && s[6] == '\\' && s[7] == 'u') {
		int low = hex4(s + 8);

		if (low >= 0xdc00 && low < 0xe000)
			return 12;
	}
	if (code == 0 || (code >= 0xd800 && code < 0xe000))
		memcpy(s + 2, "fffd", 4);
	return code < 0 ? 2 : 6;
}

static void clean(char *s)
{
	size_t left = strlen(s);

	while (left > 0) {
		uint32_t code;
		size_t size = *s == '\\' ? clean_escape(s)
					 : utf8_sequence((const uint8_t *)s, left, &code);

		if (size == 0) {
			*s = '?';
			size = 1;
		}
		s += size;
		left -= size;
	}
}

static int dump(const json_t *root, const char *member, char **ret)
{
	const json_t *value = json_object_get(root, member);

	if (!value)
		return 0;
	*ret = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return *ret ? 0 : -ENOMEM;
}

static int take_apart(struct ledger_json *j, struct sbx_error *err)
{
	json_error_t why;
	json_t *root = json_loads(j->text, 0, &why);
	int r;

	if (!json_is_object(root)) {
		json_decref(root);
		return pg_error(err, -EINVAL, "result",
				"the result is no JSON object: %s (byte %d)",
				root ? "something else" : why.text, root ? 0 : why.position);
	}
	r = dump(root, "stages", &j->stages);
	if (r == 0)
		r = dump(root, "usage", &j->usage);
	json_decref(root);
	return r < 0 ? pg_error(err, r, NULL, "no memory") : 0;
}

int ledger_json_make(const char *json, struct ledger_json *ret, struct sbx_error *err)
{
	struct ledger_json j = { 0 };
	int r;

	if (!json || strlen(json) > QUEUE_RESULT_MAX)
		return pg_error(err, -EINVAL, "result",
				"the result is missing or larger than 1 MiB");
	j.text = strdup(json);
	if (!j.text)
		return pg_error(err, -ENOMEM, NULL, "no memory");
	clean(j.text);
	r = take_apart(&j, err);
	if (r < 0) {
		ledger_json_done(&j);
		return r;
	}
	*ret = j;
	return 0;
}

void ledger_json_done(struct ledger_json *j)
{
	free(j->text);
	free(j->stages);
	free(j->usage);
	*j = (struct ledger_json){ 0 };
}
