/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* 2025-01-01T00:00:00Z, from where seeded dates count up by a second each */
#define SEEDED_EPOCH 1735689600

/* splitmix64 */
static uint64_t next(struct hurl_random *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void hurl_random_start(struct hurl_random *r)
{
	struct timespec now;

	*r = (struct hurl_random){ 0 };
	if (getrandom(&r->state, sizeof(r->state), 0) == (ssize_t)sizeof(r->state))
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	r->state = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
}

void hurl_random_seed(struct hurl_random *r, uint64_t seed, unsigned int copy)
{
	*r = (struct hurl_random){ .seeded = true, .state = seed };
	r->state = next(r) + copy;
}

static const char *uuid(struct hurl_random *r, struct hurl_arena *a)
{
	uint64_t high = next(r), low = next(r);
	char text[40];

	high = (high & ~0xf000ull) | 0x4000;      /* version 4 */
	low = (low & ~(3ull << 62)) | 2ull << 62; /* the variant of RFC 9562 */
	(void)snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx",
		       (unsigned int)(high >> 32), (unsigned int)(high >> 16 & 0xffff),
		       (unsigned int)(high & 0xffff), (unsigned int)(low >> 48),
		       (unsigned long long)(low & 0xffffffffffffull));
	return hurl_arena_strndup(a, text, strlen(text));
}

static const char *date(struct hurl_random *r, struct hurl_arena *a)
{
	struct timespec now = { .tv_sec = SEEDED_EPOCH + (time_t)r->dates };
	char day[24], text[48];
	struct tm tm;

	if (r->seeded)
		r->dates++;
	else
		(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text, sizeof(text), "%s.%06ldZ", day, now.tv_nsec / 1000);
	return hurl_arena_strndup(a, text, strlen(text));
}

const char *hurl_random_text(struct hurl_random *r, enum hurl_function function,
			     struct hurl_arena *a)
{
	return function == FUNCTION_UUID ? uuid(r, a) : date(r, a);
}
