/* SPDX-License-Identifier: MIT */
#pragma once

#include "fleet/queue/queue.h"
#include "fleet/queue/redis.h"
#include "util/util.h"

struct queue {
	struct redis *redis;
	struct queue_options o; /* without url and prefix */
	struct redis_words args;
	bool beaten; /* this worker has said that it is there */
};

/* The arguments of the next script: the settings come first, the caller adds the rest. */
struct redis_words *queue_args(struct queue *q);
/* `n`: how many strings the answer has at least. */
int queue_call(struct queue *q, enum redis_script script, size_t n, redisReply **ret,
	       struct sbx_error *err);
/* The same for an answer that is one word; copied into `ret`. */
int queue_call_word(struct queue *q, enum redis_script script, char ret[16], struct sbx_error *err);

/* A key of the queue, the caller's buffer. */
#define QUEUE_KEY_MAX 256
const char *queue_key(const struct queue *q, const char *name, char buffer[QUEUE_KEY_MAX]);

/* -EINVAL and *err unless all of it is well-formed. */
int queue_submission_check(const struct queue_submission *s, struct sbx_error *err);
/* The index in `words` of what a script (`script`, for the error) has answered; -EPROTO: none. */
int queue_word_of(const char *word, const char *const *words, size_t n, const char *script,
		  struct sbx_error *err);
int queue_check_id(const char *id, const char *what, struct sbx_error *err);
/* Enqueues what stands in the intake list as `raw`; see queue_enqueue(). */
int queue_enqueue_raw(struct queue *q, const struct queue_submission *s, const char *raw,
		      size_t raw_size, struct queue_place *ret, struct sbx_error *err);

#define queue_copy(ret, text) copy_string((ret), sizeof(ret), (text))
