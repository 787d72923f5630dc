/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One connection to Redis over hiredis (0.14 of Debian 12, or 1.x): connects when it is needed, and
 * again after a failure; no call waits longer than the command timeout, plus what a blocking
 * command was told to wait. RESP2 only.
 *
 * <0 with *err, as in queue.h: -EAGAIN away or not ready; -EACCES it refuses us; -EPROTO what it
 * answered makes no sense; -EINVAL; -ENOMEM. A password is never in *err.
 */

#include <hiredis/hiredis.h>
#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct redis_url {
	char *host; /* NULL: a unix socket */
	char *path, *user, *password;
	char port[6];
	int db;
};

/*
 * redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], unix://[[USER]:PASSWORD@]/PATH[?db=N]; %XX in user
 * and password. redis_url_done() in every case.
 */
int redis_url_parse(const char *text, struct redis_url *ret, struct sbx_error *err);
void redis_url_done(struct redis_url *u);

/* A connected socket, close-on-exec, without delay. */
int redis_connect(const struct redis_url *u, uint64_t timeout_ns, struct sbx_error *err);

struct redis; /* redis.c */

int redis_open(struct redis **ret, const char *url, const char *prefix, uint64_t timeout_ns,
	       struct sbx_error *err);
struct redis *redis_free(struct redis *r);
const char *redis_prefix(const struct redis *r);
/* How long to wait before the next call: 0 after one that was answered. */
uint64_t redis_backoff_ns(const struct redis *r);

static inline void redis_freep(struct redis **r)
{
	redis_free(*r);
}
static inline void redis_reply_freep(redisReply **r)
{
	if (*r)
		freeReplyObject(*r);
}

/* Words of a command. Strings are the caller's, until it was sent. */
#define REDIS_WORDS_MAX 600
struct redis_words {
	int n;
	bool overflow;
	size_t size[REDIS_WORDS_MAX];
	const char *word[REDIS_WORDS_MAX];
	size_t used;
	char numbers[REDIS_WORDS_MAX * 4]; /* of redis_add_number() */
};
static inline void redis_words_init(struct redis_words *w)
{
	w->n = 0;
	w->used = 0;
	w->overflow = false;
}
void redis_add_bytes(struct redis_words *w, const void *bytes, size_t size);
void redis_add(struct redis_words *w, const char *word);
void redis_add_number(struct redis_words *w, uint64_t number);

/* *ret is the caller's and no error. `block_ns`: what the command itself may wait. */
int redis_command(struct redis *r, const struct redis_words *w, uint64_t block_ns, redisReply **ret,
		  struct sbx_error *err);

/* In the order of their names, the scripts of scripts.c. */
enum redis_script {
	SCRIPT_BEAT,
	SCRIPT_BURY,
	SCRIPT_CANCEL,
	SCRIPT_CLAIM,
	SCRIPT_COMMIT,
	SCRIPT_DEAD_REQUEUE,
	SCRIPT_ENDED,
	SCRIPT_ENQUEUE,
	SCRIPT_GC,
	SCRIPT_INTAKE,
	SCRIPT_JOB,
	SCRIPT_LIST,
	SCRIPT_LOG,
	SCRIPT_PAUSE,
	SCRIPT_PIN,
	SCRIPT_PLACE,
	SCRIPT_RANK_BEGIN,
	SCRIPT_RANK_FORGET,
	SCRIPT_RANK_READ,
	SCRIPT_RANK_STUDENT,
	SCRIPT_REJUDGE,
	SCRIPT_RELEASE,
	SCRIPT_RENEW,
	SCRIPT_REPUBLISH,
	SCRIPT_SELECT,
	SCRIPT_STATUS,
	SCRIPT_WORKERS,
	SCRIPTS,
};
/* The whole text; NULL: out of memory. The caller frees it. */
char *redis_script_text(enum redis_script script);

/*
 * EVALSHA with KEYS[1] the prefix and ARGV the words; loads the script if Redis does not have it
 * (any more). `key2` is KEYS[2], or NULL.
 */
int redis_script(struct redis *r, enum redis_script script, const char *key2,
		 const struct redis_words *args, redisReply **ret, struct sbx_error *err);

/* Of a reply: the i-th string of an array ("" if it is none), as it is or as a number. */
const char *redis_text(const redisReply *reply, size_t i);
uint64_t redis_number(const redisReply *reply, size_t i);
/* -EPROTO unless it is an array of at least n strings. */
int redis_expect(const redisReply *reply, size_t n, const char *what, struct sbx_error *err);

#define redis_error(err, code, item, ...) error_format(err, code, "redis", item, __VA_ARGS__)
