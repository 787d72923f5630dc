/* SPDX-License-Identifier: MIT */

/* A payload of the queue. What is taken can be enqueued; what is refused has a reason, one line. */

#include "fleet/queue/queue.h"
#include "util/util.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static bool is_id(const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789_.:@-");

	return n && n <= QUEUE_ID_MAX && !text[n];
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct queue_submission s;
	char why[200] = "";

	if (queue_payload_parse((const char *)data, size, &s, why) < 0) {
		expect(why[0]);
		for (const char *c = why; *c; c++)
			expect(*c >= 0x20 && *c < 0x7f);
		return 0;
	}
	expect(is_id(s.id) && is_id(s.student) && is_id(s.challenge));
	expect(!s.contest[0] || is_id(s.contest));
	expect(!s.channel[0] || streq(s.channel, s.id));
	expect(!s.sha256[0] || strlen(s.sha256) == QUEUE_SHA256_HEX);
	expect(s.url[0] && (unsigned int)s.priority < QUEUE_PRIORITIES);
	return 0;
}
