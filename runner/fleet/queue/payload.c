/* SPDX-License-Identifier: MIT */

/*
 * A payload as a producer pushed it: hostile bytes. jansson refuses duplicate keys, \u0000, what is
 * not UTF-8 and what is nested deeper than 2048, a depth for which nobody has a reason: depth and
 * size are looked at before. Members that are not known are ignored, so that producers may be newer
 * than we are.
 */

#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>

#include "fleet/queue/queue-internal.h"

#define DEPTH_MAX 8
#define MS_MAX 253402300799999ull /* the year 9999 */

__attribute__((format(printf, 2, 3))) static int bad(char why[200], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, 200, format, args);
	va_end(args);
	/* part of it may be of the payload */
	for (char *c = why; *c; c++)
		if (iscntrl((unsigned char)*c) || (unsigned char)*c >= 0x80)
			*c = '?';
	return -EINVAL;
}

static bool too_deep(const char *text, size_t size)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < size; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (text[i] == '}' || text[i] == ']') {
			depth--;
		}
	}
	return false;
}

/* A string of at most size - 1 bytes. 1; 0 it is not there (or null); -EINVAL. */
static int get_text(const json_t *root, const char *name, char *ret, size_t size, char why[200])
{
	const json_t *v = json_object_get(root, name);

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return bad(why, "\"%s\" is not a string", name);
	if (json_string_length(v) >= size)
		return bad(why, "\"%s\" has more than %zu bytes", name, size - 1);
	copy_string(ret, size, json_string_value(v));
	return 1;
}

static int get_id(const json_t *root, const char *name, char ret[QUEUE_ID_MAX + 1], char why[200])
{
	int r = get_text(root, name, ret, QUEUE_ID_MAX + 1, why);

	if (r > 0 && !queue_id_ok(ret))
		return bad(why, "\"%s\" is malformed: letters, digits and _.:@- are allowed", name);
	return r;
}

static int need_id(const json_t *root, const char *name, char ret[QUEUE_ID_MAX + 1], char why[200])
{
	int r = get_id(root, name, ret, why);

	return r == 0 ? bad(why, "\"%s\" is missing", name) : r;
}

static int get_url(const json_t *root, struct queue_submission *s, char why[200])
{
	int r = get_text(root, "url", s->url, sizeof(s->url), why);

	if (r < 0)
		return r;
	if (r == 0)
		return bad(why, "\"url\" is missing");
	for (const char *c = s->url; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return bad(why, "\"url\" has a character that no URL has");
	return s->url[0] ? 0 : bad(why, "\"url\" is empty");
}

static int get_sha256(const json_t *root, struct queue_submission *s, char why[200])
{
	int r = get_text(root, "sha256", s->sha256, sizeof(s->sha256), why);

	if (r > 0 && s->sha256[0] && !queue_sha256_ok(s->sha256))
		return bad(why, "\"sha256\" is not 64 hex digits in lower case");
	return r < 0 ? r : 0;
}

/* Not worth a dead letter: a trace that is malformed is none. */
static void get_traceparent(const json_t *root, struct queue_submission *s)
{
	const char *text = json_string_value(json_object_get(root, "traceparent"));

	if (text && strlen(text) == 55 && strspn(text, "0123456789abcdef-") == 55)
		queue_copy(s->traceparent, text);
}

static int get_priority(const json_t *root, struct queue_submission *s, char why[200])
{
	static const char *const names[] = { "admin", "contest", "practice", "rejudge" };
	const json_t *v = json_object_get(root, "priority");

	s->priority = s->contest[0] ? QUEUE_CONTEST : QUEUE_PRACTICE;
	if (!v || json_is_null(v))
		return 0;
	if (json_is_integer(v) && json_integer_value(v) >= 0 &&
	    json_integer_value(v) < QUEUE_PRIORITIES) {
		s->priority = (enum queue_priority)json_integer_value(v);
		return 0;
	}
	for (size_t i = 0; json_is_string(v) && i < ARRAY_SIZE(names); i++) {
		if (streq(json_string_value(v), names[i])) {
			s->priority = (enum queue_priority)i;
			return 0;
		}
	}
	return bad(why, "\"priority\" is not 0 to 3, admin, contest, practice or rejudge");
}

static int get_submitted(const json_t *root, struct queue_submission *s, char why[200])
{
	const json_t *v = json_object_get(root, "submitted_at");

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > MS_MAX)
		return bad(why, "\"submitted_at\" is not a number of milliseconds since 1970");
	s->submitted_ms = (uint64_t)json_integer_value(v);
	return 0;
}

static int native(const json_t *root, struct queue_submission *s, char why[200])
{
	int r = need_id(root, "student", s->student, why);

	r = r < 0 ? r : need_id(root, "challenge", s->challenge, why);
	r = r < 0 ? r : get_text(root, "contest", s->contest, sizeof(s->contest), why);
	if (r > 0 && s->contest[0] && !queue_id_ok(s->contest))
		r = bad(why, "\"contest\" is malformed: letters, digits and _.:@- are allowed");
	r = r < 0 ? r : get_sha256(root, s, why);
	r = r < 0 ? r : get_priority(root, s, why);
	return r < 0 ? r : get_submitted(root, s, why);
}

/*
 * ".../USER-challenge-CHALLENGE": whose it is. Another shape: whose it is is not known, so its own.
 */
static void student_of_url(struct queue_submission *s)
{
	const char *path = s->url + strcspn(s->url, "?#"), *last = path, *sign;
	char suffix[QUEUE_ID_MAX + 16];
	size_t n;

	(void)snprintf(suffix, sizeof(suffix), "-challenge-%s", s->challenge);
	while (last > s->url && last[-1] != '/')
		last--;
	sign = strstr(last, suffix);
	n = sign ? (size_t)(sign - last) : 0;
	if (n > 0 && n <= QUEUE_ID_MAX && sign + strlen(suffix) == path) {
		memcpy(s->student, last, n);
		s->student[n] = '\0';
	}
	if (!queue_id_ok(s->student))
		queue_copy(s->student, s->id);
}

static int devforces(const json_t *root, struct queue_submission *s, char why[200])
{
	int r = need_id(root, "challengeId", s->challenge, why);

	if (r < 0)
		return r;
	student_of_url(s);
	queue_copy(s->channel, s->id);
	s->priority = QUEUE_CONTEST;
	return 0;
}

int queue_payload_parse(const char *text, size_t size, struct queue_submission *ret, char why[200])
{
	json_auto_t *root = NULL;
	struct queue_submission s = { 0 };
	json_error_t error;
	int r;

	if (size > QUEUE_PAYLOAD_MAX)
		return bad(why, "it has %zu bytes, more than %d", size, QUEUE_PAYLOAD_MAX);
	if (too_deep(text, size))
		return bad(why, "it is nested deeper than %d", DEPTH_MAX);
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return bad(why, "it is no JSON: %s (byte %d)", error.text, error.position);
	if (!json_is_object(root))
		return bad(why, "it is no JSON object");
	r = need_id(root, "id", s.id, why);
	r = r < 0 ? r : get_url(root, &s, why);
	if (r < 0)
		return r;
	get_traceparent(root, &s);
	if (json_object_get(root, "challengeId") && !json_object_get(root, "student"))
		r = devforces(root, &s, why);
	else
		r = native(root, &s, why);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}
