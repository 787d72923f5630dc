/* SPDX-License-Identifier: MIT */

/*
 * The relay between an application and a database server: what a client may say first, how we log
 * in, and what becomes of bytes that make no sense. Run with a sanitizer the mutations say more.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "inside/relay/relay.h"
#include "util/util.h"

static struct identity who = { "sbx_role", "sbx_base", "pencil", false };

static struct {
	struct connection c[2];
	int peer[2]; /* the other ends of the first one's descriptors */
} t;

int send_small(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -EPIPE;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	for (int side = CLIENT; side <= SERVER; side++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			return -1;
		t.c[0].fd[side] = pair[0];
		t.peer[side] = pair[1];
	}
	t.c[0].state = STARTUP;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int side = CLIENT; side <= SERVER; side++) {
		close_fd(t.c[0].fd[side]);
		close_fd(t.peer[side]);
	}
	return 0;
}

static void feed(int side, const void *bytes, size_t size)
{
	struct buffer *b = &t.c[0].from[side];

	assert_true(size <= sizeof(b->data) - b->end);
	memcpy(b->data + b->end, bytes, size);
	b->end += (uint32_t)size;
}

static int begin(const char **ret_refusal)
{
	return startup_step(&t.c[0], &who, t.c, 2, ret_refusal);
}

static size_t received(int side, char *ret, size_t size)
{
	ssize_t n = recv(t.peer[side], ret, size, MSG_DONTWAIT);

	return n < 0 ? 0 : (size_t)n;
}

/* ------------------------------------------------------------------------- startup */

/* `body` without its head, which is made here. */
static void feed_startup(uint32_t code, const char *body, size_t size)
{
	unsigned char head[8];

	put32(head, (uint32_t)size + 8);
	put32(head + 4, code);
	feed(CLIENT, head, sizeof(head));
	feed(CLIENT, body, size);
}

static void test_pins(void **state)
{
	static const char said[] = "user\0postgres\0database\0template1\0replication\0database\0"
				   "options\0-c x=y\0";
	static const char sent[] = "user\0sbx_role\0database\0sbx_base\0options\0-c x=y\0";
	const struct buffer *b = &t.c[0].from[CLIENT];
	const char *refusal;

	(void)state;
	feed_startup(196608, said, sizeof(said));
	assert_int_equal(begin(&refusal), 1);
	assert_int_equal(b->pass, sizeof(sent) + 8);
	assert_int_equal(get32(b->data), sizeof(sent) + 8);
	assert_int_equal(get32(b->data + 4), 196608);
	assert_memory_equal(b->data + 8, sent, sizeof(sent));
}

static void test_comes_in_pieces(void **state)
{
	static const char said[] = "\0\0\0\x11\0\3\0\0user\0me\0"; /* and the NUL of the literal */
	const char *refusal;

	(void)state;
	for (size_t i = 0; i < sizeof(said); i++) {
		feed(CLIENT, said + i, 1);
		assert_int_equal(begin(&refusal), i == sizeof(said) - 1);
	}
}

static void test_declines_encryption(void **state)
{
	static const unsigned char tls[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	static const unsigned char gss[] = { 0, 0, 0, 8, 4, 210, 22, 48 };
	const char *refusal;
	char answer[8];

	(void)state;
	feed(CLIENT, gss, sizeof(gss));
	assert_int_equal(begin(&refusal), 0);
	feed(CLIENT, tls, sizeof(tls));
	assert_int_equal(begin(&refusal), 0);
	assert_int_equal(received(CLIENT, answer, sizeof(answer)), 2);
	assert_memory_equal(answer, "NN", 2);
	feed(CLIENT, tls, sizeof(tls));
	assert_int_equal(begin(&refusal), -EPROTO);
}

static void test_accepts_tls_once(void **state)
{
	static const unsigned char tls[] = { 0, 0, 0, 8, 4, 210, 22, 47 };
	const char *refusal;
	char answer[8];

	(void)state;
	who.tls = true;
	feed(CLIENT, tls, sizeof(tls));
	assert_int_equal(begin(&refusal), 0);
	assert_int_equal(received(CLIENT, answer, sizeof(answer)), 1);
	assert_memory_equal(answer, "S", 1);
	assert_true(t.c[0].wants_tls);
	t.c[0].tls = (struct tls *)answer;
	feed(CLIENT, tls, sizeof(tls));
	assert_int_equal(begin(&refusal), -EPROTO);
	who.tls = false;
}

/* Bytes behind the question were sent in the clear: they must not pass for encrypted ones. */
static void test_nothing_before_tls(void **state)
{
	static const unsigned char tls[] = { 0, 0, 0, 8, 4, 210, 22, 47, 0 };
	const char *refusal;

	(void)state;
	feed(CLIENT, tls, sizeof(tls));
	assert_int_equal(begin(&refusal), -EPROTO);
}

static void test_refuses(void **state)
{
	static const struct {
		uint32_t code;
		const char *body;
		size_t size;
	} bad[] = {
		{ 131072, "user\0me\0", 9 },	       /* version 2 */
		{ 196608, "user\0me", 7 },	       /* no end */
		{ 196608, "user\0", 6 },	       /* no value */
		{ 196608, "user\0me\0\0more\0", 14 },  /* more after the end */
		{ 196608, "", 0 },
		{ 80877102, "12345678", 8 },	       /* to cancel what is not ours */
		{ 80877102, "1234", 4 },
	};
	const char *refusal;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tear_down(state);
		set_up(state);
		feed_startup(bad[i].code, bad[i].body, bad[i].size);
		assert_true(begin(&refusal) < 0);
	}
	tear_down(state);
	set_up(state);
	feed(CLIENT, "\x7f\0\0\0\0\3\0\0", 8); /* two gigabytes are announced */
	assert_int_equal(begin(&refusal), -EPROTO);
	assert_non_null(refusal);
}

static void test_cancels_its_own(void **state)
{
	const char *refusal;

	(void)state;
	t.c[1].state = COPY;
	t.c[1].n_key = 8;
	memcpy(t.c[1].key, "12345678", 8);
	feed_startup(80877102, "12345678", 8);
	assert_int_equal(begin(&refusal), 1);
	assert_true(t.c[0].cancels);
	assert_int_equal(t.c[0].from[CLIENT].pass, 16);
}

/* --------------------------------------------------------------------------- login */

static void feed_message(char type, const char *body, size_t size)
{
	unsigned char head[5] = { (unsigned char)type };

	put32(head + 1, (uint32_t)size + 4);
	feed(SERVER, head, sizeof(head));
	feed(SERVER, body, size);
}

static int login(void)
{
	t.c[0].state = t.c[0].state == STARTUP ? LOGIN : t.c[0].state;
	return login_step(&t.c[0], &who);
}

static void test_ready(void **state)
{
	const struct buffer *b = &t.c[0].from[SERVER];

	(void)state;
	feed_message('R', "\0\0\0\0", 4);
	feed_message('S', "a\0b", 4);
	feed_message('K', "12345678", 8);
	feed_message('Z', "I", 1);
	assert_int_equal(login(), 0);
	assert_int_equal(t.c[0].state, COPY);
	assert_int_equal(b->pass, b->end);
	assert_int_equal(t.c[0].n_key, 8);
	assert_memory_equal(t.c[0].key, "12345678", 8);
}

/* What is said to the cluster stays between us. */
static void test_asks_for_the_password(void **state)
{
	struct buffer *b = &t.c[0].from[SERVER];
	char said[SCRAM_TEXT];
	size_t n;

	(void)state;
	feed_message('R', "\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0", 38);
	assert_int_equal(login(), 0);
	assert_int_equal(b->start, b->end);
	n = received(SERVER, said, sizeof(said));
	assert_true(n > 30);
	assert_memory_equal(said + 5, "SCRAM-SHA-256\0", 14);
	assert_memory_equal(said + 23, "n,,n=,r=", 8);
	feed_message('E', "SFATAL\0C28P01\0Mno\0", 19);
	assert_int_equal(login(), 0);
	assert_int_equal(t.c[0].state, CLOSING);
	assert_int_equal(b->pass, b->end);
}

static void test_the_cluster_is_to_blame(void **state)
{
	static const struct {
		char type;
		const char *body;
		size_t size;
		int expected;
	} bad[] = {
		{ 'E', "SFATAL\0C57P03\0Mstarting up\0", 28, -RELAY_UNREACHABLE },
		{ 'E', "SFATAL\0C57P01\0Mshutdown\0", 25, -RELAY_UNREACHABLE },
		{ 'R', "\0\0\0\x05salt", 8, -RELAY_REFUSED },
		{ 'R', "\0\0\0\x03", 4, -RELAY_REFUSED },
		{ 'R', "\0\0\0\x0aPLAIN\0", 11, -RELAY_REFUSED },
		{ 'R', "\0\0", 2, -RELAY_REFUSED },
		{ 'R', "\0\0\0\x0br=x", 7, -RELAY_REFUSED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tear_down(state);
		set_up(state);
		feed_message(bad[i].type, bad[i].body, bad[i].size);
		assert_int_equal(login(), bad[i].expected);
	}
	tear_down(state);
	set_up(state);
	feed(SERVER, "R\xff\xff\xff\xff", 5);
	assert_int_equal(login(), -RELAY_REFUSED);
}

/* --------------------------------------------------------------------------- SCRAM */

/* The example of RFC 7677. */
static void test_scram(void **state)
{
	static const char first[] = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
	static const char expected[] = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				       "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
	static const char final[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
	struct scram s = { .first_bare = "n=user,r=rOprNGfwEbeRWgbNEkqO" };
	char text[SCRAM_TEXT];

	(void)state;
	assert_int_equal(scram_final(&s, "pencil", first, strlen(first), text), strlen(expected));
	assert_string_equal(text, expected);
	assert_int_equal(scram_verify(&s, final, strlen(final)), 0);
	assert_int_equal(scram_verify(&s, final, strlen(final) - 8), -EPROTO);
	assert_int_equal(scram_verify(&s, "e=other-error", 13), -EPROTO);
	s.server_signature[0] ^= 1;
	assert_int_equal(scram_verify(&s, final, strlen(final)), -EPROTO);
}

static void test_scram_refuses(void **state)
{
	static const char *const bad[] = {
		"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", /* nothing was added */
		"r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
		"r=rOprNGfwEbeRWgbNEkqOx,s=!!!!,i=4096",
		"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=0",
		"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=99999999999",
		"r=rOprNGfwEbeRWgbNEkqOx,i=1",
		"e=unknown-user",
		"",
	};
	struct scram s = { .first_bare = "n=,r=rOprNGfwEbeRWgbNEkqO" };
	char text[SCRAM_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(scram_final(&s, "pencil", bad[i], strlen(bad[i]), text) < 0);
}

/* ----------------------------------------------------------------------- mutations */

static uint64_t state_of_chance = 7;

static uint32_t below(uint32_t n)
{
	state_of_chance = state_of_chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state_of_chance >> 33) % n;
}

static void mutate(unsigned char *bytes, size_t size)
{
	for (uint32_t n = below(6); n > 0; n--)
		bytes[below((uint32_t)size)] = below(2) ? (unsigned char)below(256)
							: (unsigned char)"\0\x01\x04\xff"[below(4)];
}

/* No result is expected but to return, with what goes out inside what came in. */
static void test_mutations(void **state)
{
	unsigned char first[] = "\0\0\0\x2a\0\3\0\0user\0me\0database\0mine\0options\0-cx=y\0\0";
	unsigned char answer[] = "R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0R\0\0\0\x08\0\0\0\0"
				 "S\0\0\0\x08" "a\0b\0K\0\0\0\x0c" "12345678E\0\0\0\x0d" "C57014\0\0\0"
				 "Z\0\0\0\x05I";

	first[3] = sizeof(first) - 1;
	for (int i = 0; i < 20000; i++) {
		unsigned char copy[sizeof(answer)];
		struct buffer *b = t.c[0].from;
		const char *refusal;

		if (i % 100 == 0) {
			tear_down(state);
			set_up(state);
		}
		memset(b, 0, 2 * offsetof(struct buffer, data));
		t.c[0].state = STARTUP;
		b[CLIENT] = (struct buffer){ .start = 0 };
		b[SERVER].start = b[SERVER].pass = b[SERVER].end = 0;
		memcpy(copy, first, sizeof(first));
		mutate(copy, sizeof(first));
		feed(CLIENT, copy, 1 + below(sizeof(first) - 1));
		(void)begin(&refusal);
		assert_true(b[CLIENT].pass <= b[CLIENT].end && b[CLIENT].end <= BUFFER_SIZE);
		memcpy(copy, answer, sizeof(answer));
		mutate(copy, sizeof(answer));
		feed(SERVER, copy, 1 + below(sizeof(answer) - 1));
		t.c[0].state = STARTUP;
		(void)login();
		assert_true(b[SERVER].start <= b[SERVER].pass && b[SERVER].pass <= b[SERVER].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comes_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_declines_encryption, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_accepts_tls_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_before_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cancels_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ready, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_asks_for_the_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_cluster_is_to_blame, set_up, tear_down),
		cmocka_unit_test(test_scram),
		cmocka_unit_test(test_scram_refuses),
		cmocka_unit_test_setup_teardown(test_mutations, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
