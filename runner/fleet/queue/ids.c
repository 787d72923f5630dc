/* SPDX-License-Identifier: MIT */

/*
 * What a submission may be called: names become parts of keys, separated by '/', which is in none.
 */

#include "fleet/queue/queue-internal.h"

bool queue_id_ok(const char *id)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789_.:@-");

	return n > 0 && n <= QUEUE_ID_MAX && id[n] == '\0';
}

bool queue_sha256_ok(const char *text)
{
	return strspn(text, "0123456789abcdef") == QUEUE_SHA256_HEX &&
	       text[QUEUE_SHA256_HEX] == '\0';
}
