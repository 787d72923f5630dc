/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * TLS for clients that insist on it (`ssl: { rejectUnauthorized: false }`, as managed databases ask
 * for): with a certificate that nobody can verify, over a path that never leaves this machine. It
 * protects nothing, and lets code run unchanged.
 */

struct tls;

/*
 * On a socket that does not block; the handshake happens with the first bytes. NULL: not possible.
 */
struct tls *tls_new(int fd);
struct tls *tls_free(struct tls *t);
/* Bytes, 0 at the end, -EAGAIN (`*ret_wants_output`: until output is possible), -EPIPE. */
ssize_t tls_read(struct tls *t, void *to, size_t size, bool *ret_wants_output);
ssize_t tls_write(struct tls *t, const void *from, size_t size);
/* Something is there that poll(2) does not know of. */
bool tls_pending(const struct tls *t);
/* Says that nothing more will come. */
void tls_close(struct tls *t);
