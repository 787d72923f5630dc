/* SPDX-License-Identifier: MIT */

/*
 * See scram.h. The salted password is kept: its thousands of rounds are the same for every
 * connection of the one role.
 */

#include "inside/relay/scram.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha2.h>
#include <sys/random.h>

#include "util/util.h"

#define NONCE_BYTES 18
#define SALT_MAX 64
#define ROUNDS_MAX 1000000

static struct {
	uint8_t salt[SALT_MAX];
	size_t n_salt;
	int rounds;
	uint8_t salted[SHA256_DIGEST_SIZE];
} kept;

static void hmac(const uint8_t key[SHA256_DIGEST_SIZE], const char *text, size_t size,
		 uint8_t ret[SHA256_DIGEST_SIZE])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, SHA256_DIGEST_SIZE, key);
	hmac_sha256_update(&ctx, size, (const uint8_t *)text);
	hmac_sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
}

static void encode(const uint8_t *from, size_t size, char *ret)
{
	base64_encode_raw(ret, size, from);
	ret[BASE64_ENCODE_RAW_LENGTH(size)] = '\0';
}

/* How many bytes; -EPROTO: it is no base64, or too much. */
static ssize_t decode(const char *from, size_t size, uint8_t *ret, size_t room)
{
	struct base64_decode_ctx ctx;
	uint8_t bytes[BASE64_DECODE_LENGTH(SCRAM_TEXT)];
	size_t n = sizeof(bytes);

	base64_decode_init(&ctx);
	if (size >= SCRAM_TEXT || !base64_decode_update(&ctx, &n, bytes, size, from) ||
	    !base64_decode_final(&ctx) || n > room)
		return -EPROTO;
	memcpy(ret, bytes, n);
	return (ssize_t)n;
}

int scram_first(struct scram *s, char ret[SCRAM_TEXT])
{
	uint8_t bytes[NONCE_BYTES];
	char nonce[BASE64_ENCODE_RAW_LENGTH(NONCE_BYTES) + 1];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	encode(bytes, sizeof(bytes), nonce);
	(void)snprintf(s->first_bare, sizeof(s->first_bare), "n=,r=%s", nonce);
	return snprintf(ret, SCRAM_TEXT, "n,,%s", s->first_bare);
}

/* "r=...,s=...,i=...": three attributes in this order, as RFC 5802 has them. */
static int parse_first(const char *text, size_t *ret_nonce, uint8_t salt[SALT_MAX],
		       size_t *ret_salt, int *ret_rounds)
{
	const char *s = strstr(text, ",s="), *i = s ? strstr(s + 3, ",i=") : NULL;
	ssize_t n;
	char *end;
	long rounds;

	if (!starts_with(text, "r=") || !i)
		return -EPROTO;
	n = decode(s + 3, (size_t)(i - s - 3), salt, SALT_MAX);
	rounds = strtol(i + 3, &end, 10);
	if (n <= 0 || rounds < 1 || rounds > ROUNDS_MAX || (*end && *end != ','))
		return -EPROTO;
	*ret_nonce = (size_t)(s - text - 2);
	*ret_salt = (size_t)n;
	*ret_rounds = (int)rounds;
	return 0;
}

static void salt_password(const char *password, const uint8_t *salt, size_t n_salt, int rounds)
{
	if (kept.rounds == rounds && kept.n_salt == n_salt && memcmp(kept.salt, salt, n_salt) == 0)
		return;
	pbkdf2_hmac_sha256(strlen(password), (const uint8_t *)password, (unsigned)rounds, n_salt,
			   salt, sizeof(kept.salted), kept.salted);
	memcpy(kept.salt, salt, n_salt);
	kept.n_salt = n_salt;
	kept.rounds = rounds;
}

static void prove(struct scram *s, const char *message, uint8_t ret[SHA256_DIGEST_SIZE])
{
	uint8_t client[SHA256_DIGEST_SIZE], stored[SHA256_DIGEST_SIZE], server[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	hmac(kept.salted, "Client Key", 10, client);
	hmac(kept.salted, "Server Key", 10, server);
	sha256_init(&ctx);
	sha256_update(&ctx, sizeof(client), client);
	sha256_digest(&ctx, sizeof(stored), stored);
	hmac(stored, message, strlen(message), ret);
	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
		ret[i] ^= client[i];
	hmac(server, message, strlen(message), s->server_signature);
}

int scram_final(struct scram *s, const char *password, const char *server_first, size_t size,
		char ret[SCRAM_TEXT])
{
	char text[SCRAM_TEXT], bare[SCRAM_TEXT], message[3 * SCRAM_TEXT];
	char encoded[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1];
	uint8_t salt[SALT_MAX], proof[SHA256_DIGEST_SIZE];
	const char *own = strstr(s->first_bare, "r=") + 2;
	size_t n_nonce, n_salt;
	int rounds, r;

	if (size >= sizeof(text) || memchr(server_first, '\0', size))
		return -EPROTO;
	memcpy(text, server_first, size);
	text[size] = '\0';
	r = parse_first(text, &n_nonce, salt, &n_salt, &rounds);
	if (r < 0 || n_nonce <= strlen(own) || n_nonce > 256 || !starts_with(text + 2, own))
		return -EPROTO;
	salt_password(password, salt, n_salt, rounds);
	(void)snprintf(bare, sizeof(bare), "c=biws,r=%.*s", (int)n_nonce, text + 2);
	(void)snprintf(message, sizeof(message), "%s,%s,%s", s->first_bare, text, bare);
	prove(s, message, proof);
	encode(proof, sizeof(proof), encoded);
	r = snprintf(ret, SCRAM_TEXT, "%s,p=%s", bare, encoded);
	return r < SCRAM_TEXT ? r : -EPROTO;
}

int scram_verify(const struct scram *s, const char *server_final, size_t size)
{
	uint8_t signature[SHA256_DIGEST_SIZE];

	if (size < 2 || memcmp(server_final, "v=", 2) != 0)
		return -EPROTO;
	for (size_t i = 2; i < size; i++)
		if (server_final[i] == ',')
			size = i;
	return decode(server_final + 2, size - 2, signature, sizeof(signature)) ==
				       (ssize_t)sizeof(signature) &&
			       memeql_sec(signature, s->server_signature, sizeof(signature))
		       ? 0
		       : -EPROTO;
}
