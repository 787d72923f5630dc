/* SPDX-License-Identifier: MIT */

/*
 * The first bytes of a client. Whatever user and database it names, it gets the one role and the
 * one database; its other parameters are passed on, as the role may set them anyway. Who wants TLS
 * gets it. A request to cancel is passed on for what runs over
 * this relay, and for nothing else.
 */

#include "inside/relay/relay.h"

#include "util/util.h"

#define PROTOCOL_MAJOR 3u
#define CANCEL_CODE 80877102u
#define SSL_CODE 80877103u
#define GSS_CODE 80877104u
#define NEGOTIATIONS_MAX 2u

struct writer {
	unsigned char data[STARTUP_MAX + 3 * NAME_MAX_PG];
	size_t size;
	bool failed;
};

static void add(struct writer *w, const char *text)
{
	size_t n = strlen(text) + 1;

	w->failed |= n > sizeof(w->data) - w->size;
	if (w->failed)
		return;
	memcpy(w->data + w->size, text, n);
	w->size += n;
}

static bool is_pinned(const char *name)
{
	return streq(name, "user") || streq(name, "database") || streq(name, "replication");
}

/* Pairs of strings, and an empty one in the end. */
static int add_parameters(struct writer *w, const char *at, const char *end)
{
	while (at < end && *at) {
		const char *name = at, *value = memchr(name, '\0', (size_t)(end - name));

		if (!value || ++value >= end || !memchr(value, '\0', (size_t)(end - value)))
			return -EPROTO;
		at = value + strlen(value) + 1;
		if (is_pinned(name))
			continue;
		add(w, name);
		add(w, value);
	}
	return at == end - 1 ? 0 : -EPROTO;
}

static int rewrite(struct connection *c, const struct identity *who, uint32_t size)
{
	struct buffer *b = &c->from[CLIENT];
	struct writer w = { .size = 8 };
	const char *text = (const char *)b->data;

	memcpy(w.data + 4, b->data + 4, 4); /* the version */
	add(&w, "user");
	add(&w, who->user);
	add(&w, "database");
	add(&w, who->database);
	if (add_parameters(&w, text + 8, text + size) < 0)
		return -EPROTO;
	add(&w, "");
	if (w.failed || b->end != size) /* nobody sends queries before there is an answer */
		return -EPROTO;
	put32(w.data, (uint32_t)w.size);
	memcpy(b->data, w.data, w.size);
	b->start = 0;
	b->pass = b->end = (uint32_t)w.size;
	return 1;
}

static int cancel(struct connection *c, const struct connection *all, size_t n, uint32_t size)
{
	struct buffer *b = &c->from[CLIENT];

	for (size_t i = 0; i < n; i++) {
		const struct connection *o = &all[i];

		if (o->state != COPY || o->n_key != size - 8 ||
		    memcmp(o->key, b->data + 8, o->n_key) != 0)
			continue;
		b->pass = b->end = size;
		c->cancels = true;
		return 1;
	}
	return -ESRCH;
}

/* What came along with the question was not encrypted, whoever has put it there. */
static int negotiate(struct connection *c, bool accept)
{
	struct buffer *b = &c->from[CLIENT];

	if (++c->negotiations > NEGOTIATIONS_MAX || b->end != 8 || c->tls)
		return -EPROTO;
	b->end = 0;
	c->wants_tls = accept;
	return send_small(c->fd[CLIENT], accept ? "S" : "N", 1);
}

int startup_step(struct connection *c, const struct identity *who, const struct connection *all,
		 size_t n, const char **ret_refusal)
{
	struct buffer *b = &c->from[CLIENT];
	uint32_t size, code;

	*ret_refusal = NULL;
	if (b->end < 8)
		return b->ended ? -EPIPE : 0;
	size = get32(b->data);
	code = get32(b->data + 4);
	if (size < 8 || size > STARTUP_MAX) {
		*ret_refusal = "invalid length of startup packet";
		return -EPROTO;
	}
	if (b->end < size)
		return b->ended ? -EPIPE : 0;
	if (size == 8 && (code == SSL_CODE || code == GSS_CODE))
		return negotiate(c, code == SSL_CODE && who->tls);
	if (code == CANCEL_CODE)
		return size > 12 ? cancel(c, all, n, size) : -EPROTO;
	if (code >> 16 != PROTOCOL_MAJOR) {
		*ret_refusal = "unsupported frontend protocol: this is version 3";
		return -EPROTO;
	}
	*ret_refusal = "invalid startup packet layout";
	return rewrite(c, who, size);
}
