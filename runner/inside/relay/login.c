/* SPDX-License-Identifier: MIT */

/*
 * Logging in to the cluster as the one role. What belongs to it stays here; all other messages,
 * from AuthenticationOk to ReadyForQuery, are the client's, and so is a refusal.
 */

#include "inside/relay/relay.h"

#include "util/util.h"

#define MECHANISM "SCRAM-SHA-256"

enum { AUTH_OK = 0, AUTH_SASL = 10, AUTH_CONTINUE = 11, AUTH_FINAL = 12 };

static int send_password(struct connection *c, const void *head, size_t n_head, const char *text,
			 int n_text)
{
	unsigned char message[5 + 32 + SCRAM_TEXT];

	if (n_text < 0 || n_head > 32)
		return -RELAY_REFUSED;
	message[0] = 'p';
	put32(message + 1, (uint32_t)(4 + n_head + (size_t)n_text));
	memcpy(message + 5, head, n_head);
	memcpy(message + 5 + n_head, text, (size_t)n_text);
	return send_small(c->fd[SERVER], message, 5 + n_head + (size_t)n_text) < 0
		       ? -RELAY_UNREACHABLE
		       : 0;
}

/* The list of mechanisms: strings, and an empty one in the end. */
static bool offers_scram(const char *at, const char *end)
{
	while (at < end && *at) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return false;
		if (streq(at, MECHANISM))
			return true;
		at = nul + 1;
	}
	return false;
}

static int begin_scram(struct connection *c)
{
	unsigned char head[sizeof(MECHANISM) + 4];
	char text[SCRAM_TEXT];
	int n = scram_first(&c->scram, text);

	memcpy(head, MECHANISM, sizeof(MECHANISM));
	put32(head + sizeof(MECHANISM), (uint32_t)MAX_OF(n, 0));
	return send_password(c, head, sizeof(head), text, n);
}

/* `size` bytes after the type and the length. 1: it is the client's, 0: it was ours. */
static int authenticate(struct connection *c, const struct identity *who, const unsigned char *body,
			uint32_t size)
{
	const char *text = (const char *)body + 4;
	char proof[SCRAM_TEXT];

	if (size < 4)
		return -RELAY_REFUSED;
	switch (get32(body)) {
	case AUTH_OK:
		return 1;
	case AUTH_SASL:
		return offers_scram(text, (const char *)body + size) ? begin_scram(c)
								     : -RELAY_REFUSED;
	case AUTH_CONTINUE:
		return send_password(c, "", 0, proof,
				     scram_final(&c->scram, who->password, text, size - 4, proof));
	case AUTH_FINAL:
		return scram_verify(&c->scram, text, size - 4) < 0 ? -RELAY_REFUSED : 0;
	default:
		return -RELAY_REFUSED;
	}
}

/* Not ready, shutting down: that is no answer to what the client did. */
static bool is_unready(const unsigned char *body, uint32_t size)
{
	const char *at = (const char *)body, *end = at + size;

	while (at < end && *at) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return false;
		if (*at == 'C')
			return starts_with(at + 1, "57P0") && at[5] >= '1' && at[5] <= '3';
		at = nul + 1;
	}
	return false;
}

static void keep_key(struct connection *c, const unsigned char *body, uint32_t size)
{
	if (size < 8 || size > KEY_MAX)
		return;
	memcpy(c->key, body, size);
	c->n_key = size;
}

/* One whole message at `pass`. 1: go on, 0: later, <0. */
static int handle(struct connection *c, const struct identity *who, uint32_t size)
{
	struct buffer *b = &c->from[SERVER];
	const unsigned char *body = b->data + b->pass + 5;
	int r = 1;

	switch (b->data[b->pass]) {
	case 'R':
		/* What is taken out must be the first that is there. */
		if (b->pass != b->start && size >= 9 && get32(body) != AUTH_OK)
			return 0;
		r = authenticate(c, who, body, size - 5);
		if (r < 0)
			return r;
		if (r == 0)
			b->start += size;
		break;
	case 'E':
		if (is_unready(body, size - 5))
			return -RELAY_UNREACHABLE;
		c->state = CLOSING;
		break;
	case 'K':
		keep_key(c, body, size - 5);
		break;
	case 'Z':
		c->state = COPY;
		break;
	default:
		break;
	}
	b->pass += size;
	return 1;
}

int login_step(struct connection *c, const struct identity *who)
{
	struct buffer *b = &c->from[SERVER];
	int r = 1;

	while (r > 0 && c->state == LOGIN && b->end - b->pass >= 5) {
		uint32_t length = get32(b->data + b->pass + 1);

		if (length < 4 || length > BUFFER_SIZE - 1)
			return -RELAY_REFUSED;
		if (b->end - b->pass < length + 1)
			break;
		r = handle(c, who, length + 1);
	}
	if (c->state == COPY)
		b->pass = b->end;
	return MIN_OF(r, 0);
}
