/* SPDX-License-Identifier: MIT */

/*
 * A connection that comes back. A failure that may have cut a command in the middle closes it, so
 * that no answer is ever taken for that of another command; the next call connects again. How long
 * to wait before that is said (redis_backoff_ns()), never slept here.
 */

#include <sys/random.h>

#include "fleet/queue/redis.h"
#include "util/util.h"

#define BACKOFF_FIRST (100 * NSEC_PER_MSEC)
#define BACKOFF_MAX (5 * NSEC_PER_SEC)

struct redis {
	struct redis_url url;
	char *prefix;
	uint64_t timeout_ns;
	redisContext *c;
	uint64_t backoff_ns; /* doubles; the jitter is in `wait_ns` */
	uint64_t wait_ns;
	char *sha[SCRIPTS]; /* as SCRIPT LOAD returned it */
};

int redis_open(struct redis **ret, const char *url, const char *prefix, uint64_t timeout_ns,
	       struct sbx_error *err)
{
	_cleanup_(redis_freep) struct redis *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	e = redis_url_parse(url, &r->url, err);
	if (e < 0)
		return e;
	r->prefix = strdup(prefix);
	if (!r->prefix)
		return -ENOMEM;
	r->timeout_ns = timeout_ns;
	*ret = steal_ptr(r);
	return 0;
}

static void hang_up(struct redis *r)
{
	if (r->c)
		redisFree(r->c);
	r->c = NULL;
}

struct redis *redis_free(struct redis *r)
{
	if (!r)
		return NULL;
	hang_up(r);
	redis_url_done(&r->url);
	for (size_t i = 0; i < ARRAY_SIZE(r->sha); i++)
		free(r->sha[i]);
	free(r->prefix);
	free(r);
	return NULL;
}

const char *redis_prefix(const struct redis *r)
{
	return r->prefix;
}

uint64_t redis_backoff_ns(const struct redis *r)
{
	return r->wait_ns;
}

/* Between half of it and all of it, so that many who lost the same Redis do not return together. */
static void grow_backoff(struct redis *r)
{
	uint32_t random = 0;

	r->backoff_ns = r->backoff_ns ? MIN_OF(r->backoff_ns * 2, BACKOFF_MAX) : BACKOFF_FIRST;
	(void)getrandom(&random, sizeof(random), GRND_NONBLOCK);
	r->wait_ns = r->backoff_ns / 2 + r->backoff_ns / 2 * (random % 1024) / 1024;
}

void redis_add_bytes(struct redis_words *w, const void *bytes, size_t size)
{
	if (w->n == REDIS_WORDS_MAX) {
		w->overflow = true;
		return;
	}
	w->word[w->n] = bytes;
	w->size[w->n++] = size;
}

void redis_add(struct redis_words *w, const char *word)
{
	redis_add_bytes(w, word, strlen(word));
}

void redis_add_number(struct redis_words *w, uint64_t number)
{
	char *at = w->numbers + w->used;
	size_t room = sizeof(w->numbers) - w->used;
	int n = snprintf(at, room, "%llu", (unsigned long long)number);

	if ((size_t)n >= room) {
		w->overflow = true;
		return;
	}
	w->used += (size_t)n;
	redis_add_bytes(w, at, (size_t)n);
}

/* What an error of Redis means: it begins with a word, or has it behind the name of a script. */
static const struct {
	const char *word;
	int code;
	const char *why;
} errors[] = {
	{ "LOADING", -EAGAIN, "Redis is reading its data from the disk" },
	{ "BUSY", -EAGAIN, "Redis is busy with a script that does not end" },
	{ "READONLY", -EAGAIN,
	  "this Redis is a replica: after a failover it is to be written to again" },
	{ "MASTERDOWN", -EAGAIN, "the master of this Redis is away" },
	{ "NOREPLICAS", -EAGAIN, "Redis has too few replicas to accept writes" },
	{ "OOM", -EAGAIN, "Redis has reached its maxmemory: raise it" },
	{ "MISCONF", -EAGAIN, "Redis cannot write to its disk and refuses changes: see its log" },
	{ "TRYAGAIN", -EAGAIN, "Redis is moving keys" },
	{ "CLUSTERDOWN", -EAGAIN, "the cluster of Redis is down" },
	{ "ERR max number of clients", -EAGAIN,
	  "Redis has no connection left: raise its maxclients" },
	{ "NOAUTH", -EACCES, "Redis wants a password: redis://:PASSWORD@HOST" },
	{ "WRONGPASS", -EACCES, "Redis does not accept this user and password" },
	{ "ERR invalid password", -EACCES, "Redis does not accept this password" },
	{ "ERR AUTH", -EACCES, "Redis has no password set, but the URL has one" },
	{ "ERR Client sent AUTH", -EACCES, "Redis has no password set, but the URL has one" },
	{ "NOPERM", -EACCES, "this user of Redis may not do what the queue needs (ACL)" },
	{ "DENIED", -EACCES, "Redis is in protected mode and takes local connections only" },
	{ "MOVED", -EACCES, "this is a node of a Redis Cluster, which is not spoken" },
	{ "CROSSSLOT", -EACCES, "this is a Redis Cluster: the prefix needs a hash tag, {q}" },
	{ "ERR DB index", -EACCES, "Redis does not have the database that the URL names" },
	{ "ERR unknown command", -EACCES, "Redis lacks a command: 6.2 or later is needed" },
};

/* Before 7.0 a script's error has its code inside: "ERR Error running script ...: -OOM command". */
static bool has_word(const char *text, const char *word)
{
	const char *inside = strstr(text, ": -");
	size_t n = strlen(word);

	if (starts_with(text, word))
		return text[n] == ' ' || text[n] == '\0' || strchr(word, ' ');
	return inside && starts_with(text, "ERR Error running script") &&
	       starts_with(inside + 3, word);
}

static int refused(const char *text, struct sbx_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (has_word(text, errors[i].word))
			return redis_error(err, errors[i].code, errors[i].word, "%s",
					   errors[i].why);
	return redis_error(err, -EPROTO, "command", "Redis: %s", text);
}

static int lost(struct redis *r, struct sbx_error *err)
{
	const char *why = r->c ? r->c->errstr : "out of memory";
	int code = -EAGAIN;

	if (r->c && r->c->err == REDIS_ERR_PROTOCOL)
		code = redis_error(err, -EPROTO, "connection", "what answers is no Redis: %s", why);
	else if (r->c && r->c->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))
		redis_error(err, code, "connection", "Redis is away: no answer in time");
	else
		redis_error(err, code, "connection", "Redis is away: %s", why);
	hang_up(r);
	return code;
}

static struct timeval to_timeval(uint64_t ns)
{
	return (struct timeval){ .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				 .tv_usec = (suseconds_t)(ns % NSEC_PER_SEC / 1000) };
}

/* One command on a connection that is there. */
static int exchange(struct redis *r, const struct redis_words *w, redisReply **ret,
		    struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	const char **argv = (const char **)(uintptr_t)w->word;

	errno = 0;
	reply = redisCommandArgv(r->c, w->n, argv, w->size);
	if (!reply)
		return lost(r, err);
	if (reply->type == REDIS_REPLY_ERROR)
		return starts_with(reply->str, "NOSCRIPT") ? -ENOENT : refused(reply->str, err);
	*ret = steal_ptr(reply);
	return 0;
}

static int greet(struct redis *r, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *auth = NULL, *select = NULL;
	struct redis_words *w = malloc(sizeof(*w));
	int e = 0;

	if (!w)
		return -ENOMEM;
	if (r->url.password) {
		redis_words_init(w);
		redis_add(w, "AUTH");
		if (r->url.user)
			redis_add(w, r->url.user);
		redis_add(w, r->url.password);
		e = exchange(r, w, &auth, err);
	}
	if (e == 0 && r->url.db) {
		redis_words_init(w);
		redis_add(w, "SELECT");
		redis_add_number(w, (uint64_t)r->url.db);
		e = exchange(r, w, &select, err);
	}
	free(w);
	return e;
}

static int be_connected(struct redis *r, struct sbx_error *err)
{
	int fd, e;

	if (r->c)
		return 0;
	fd = redis_connect(&r->url, r->timeout_ns, err);
	if (fd < 0)
		return fd;
	r->c = redisConnectFd(fd);
	if (!r->c) {
		close_fd(fd);
		return redis_error(err, -ENOMEM, "connection", "out of memory");
	}
	if (redisSetTimeout(r->c, to_timeval(r->timeout_ns)) != REDIS_OK)
		return lost(r, err);
	e = greet(r, err);
	if (e < 0)
		hang_up(r);
	return e;
}

int redis_command(struct redis *r, const struct redis_words *w, uint64_t block_ns, redisReply **ret,
		  struct sbx_error *err)
{
	int e;

	if (w->overflow)
		return redis_error(err, -EINVAL, "command", "a command has too many words");
	e = be_connected(r, err);
	if (e == 0 && block_ns &&
	    redisSetTimeout(r->c, to_timeval(r->timeout_ns + block_ns)) != REDIS_OK)
		e = lost(r, err);
	if (e == 0)
		e = exchange(r, w, ret, err);
	if (block_ns && r->c)
		(void)redisSetTimeout(r->c, to_timeval(r->timeout_ns));
	if (e == -EAGAIN) {
		grow_backoff(r);
	} else {
		r->backoff_ns = 0;
		r->wait_ns = 0;
	}
	return e;
}

static int load(struct redis *r, enum redis_script script, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	_cleanup_free_ struct redis_words *w = malloc(sizeof(*w));
	_cleanup_free_ char *text = redis_script_text(script);
	char *sha;
	int e;

	if (!w || !text)
		return redis_error(err, -ENOMEM, "script", "out of memory");
	redis_words_init(w);
	redis_add(w, "SCRIPT");
	redis_add(w, "LOAD");
	redis_add(w, text);
	e = redis_command(r, w, 0, &reply, err);
	if (e < 0)
		return e;
	if (reply->type != REDIS_REPLY_STRING || reply->len != 40)
		return redis_error(err, -EPROTO, "script", "Redis did not load a script");
	sha = strdup(reply->str);
	if (!sha)
		return redis_error(err, -ENOMEM, "script", "out of memory");
	free(r->sha[script]);
	r->sha[script] = sha;
	return 0;
}

int redis_script(struct redis *r, enum redis_script script, const char *key2,
		 const struct redis_words *args, redisReply **ret, struct sbx_error *err)
{
	_cleanup_free_ struct redis_words *w = malloc(sizeof(*w));
	int e = w ? 0 : redis_error(err, -ENOMEM, "script", "out of memory");

	if (e == 0 && args->overflow)
		e = redis_error(err, -EINVAL, "command", "a command has too many words");
	for (int tries = 0; e == 0 && tries < 3; tries++) {
		if (!r->sha[script])
			e = load(r, script, err);
		if (e < 0)
			break;
		redis_words_init(w);
		redis_add(w, "EVALSHA");
		redis_add(w, r->sha[script]);
		redis_add(w, key2 ? "2" : "1");
		redis_add(w, r->prefix);
		if (key2)
			redis_add(w, key2);
		for (int i = 0; i < args->n; i++)
			redis_add_bytes(w, args->word[i], args->size[i]);
		e = redis_command(r, w, 0, ret, err);
		if (e != -ENOENT)
			return e;
		/* restarted, or SCRIPT FLUSH */
		free(r->sha[script]);
		r->sha[script] = NULL;
		e = 0;
	}
	return e < 0 ? e : redis_error(err, -EAGAIN, "script", "Redis forgets its scripts at once");
}

const char *redis_text(const redisReply *reply, size_t i)
{
	if (reply->type != REDIS_REPLY_ARRAY || i >= reply->elements || !reply->element[i]->str)
		return "";
	return reply->element[i]->str;
}

uint64_t redis_number(const redisReply *reply, size_t i)
{
	return strtoull(redis_text(reply, i), NULL, 10);
}

int redis_expect(const redisReply *reply, size_t n, const char *what, struct sbx_error *err)
{
	size_t i = 0;

	if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= n)
		while (i < reply->elements && reply->element[i]->type == REDIS_REPLY_STRING)
			i++;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= n && i == reply->elements)
		return 0;
	return redis_error(err, -EPROTO, what, "Redis answered %s with something else", what);
}
