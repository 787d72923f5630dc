/* SPDX-License-Identifier: MIT */

/*
 * The messages: an object in an object, and of a result a third one, as text, since the backend
 * hands `message` on to a page that parses it.
 */

#include "fleet/compat/devforces.h"

#include <cjson/cJSON.h>

#include "util/util.h"

uint32_t devforces_passed(uint32_t total, uint32_t passed, const char *verdict)
{
	if (streq(verdict, "AC"))
		return total;
	return total == 0 ? 0 : MIN_OF(passed, total - 1);
}

static char *message(const char *outer, const char *inner, const char *text, uint64_t now_ms)
{
	cJSON *root = cJSON_CreateObject(), *data;
	char *ret;

	cJSON_AddStringToObject(root, "type", outer);
	data = cJSON_AddObjectToObject(root, "data");
	cJSON_AddStringToObject(data, "type", inner);
	cJSON_AddStringToObject(data, "message", text);
	/* Milliseconds since 1970 are exact in a double. */
	if (!cJSON_AddNumberToObject(data, "timestamp", (double)now_ms)) {
		cJSON_Delete(root);
		return NULL;
	}
	ret = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return ret;
}

/* An error is a line of log on the outside, too: the backend knows no third type there. */
char *devforces_log_message(const char *kind, const char *text, uint64_t now_ms)
{
	return message("log", kind, text, now_ms);
}

char *devforces_result_message(uint32_t passed, uint32_t total, uint64_t now_ms)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "{\"passed\":%u,\"total\":%u,\"failed\":%u}", passed,
		       total, total - passed);
	return message("result", "result", text, now_ms);
}
