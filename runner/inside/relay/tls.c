/* SPDX-License-Identifier: MIT */

/* See tls.h. The key is made when the first client asks. */

#include "inside/relay/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "util/util.h"

#define DAYS (100 * 365)

struct tls {
	SSL *ssl;
};

static SSL_CTX *context;

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = x ? X509_get_subject_name(x) : NULL;

	if (name && X509_set_version(x, X509_VERSION_3) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost",
				       -1, -1, 0) &&
	    X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
	    X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;
	X509 *certificate;

	/* Nothing is read from files: there are none here. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		ctx = SSL_CTX_new(TLS_server_method());
	if (ctx)
		key = EVP_EC_gen("P-256");
	certificate = key ? make_certificate(key) : NULL;
	if (!certificate || SSL_CTX_use_certificate(ctx, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	if (!ctx)
		return NULL;
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

struct tls *tls_new(int fd)
{
	struct tls *t;

	if (!context)
		context = make_context();
	t = context ? calloc(1, sizeof(*t)) : NULL;
	if (!t)
		return NULL;
	t->ssl = SSL_new(context);
	if (!t->ssl || !SSL_set_fd(t->ssl, fd))
		return tls_free(t);
	SSL_set_accept_state(t->ssl);
	return t;
}

struct tls *tls_free(struct tls *t)
{
	if (t)
		SSL_free(t->ssl);
	free(t);
	return NULL;
}

ssize_t tls_read(struct tls *t, void *to, size_t size, bool *ret_wants_output)
{
	int n, why;

	*ret_wants_output = false;
	if (size == 0)
		return 0;
	ERR_clear_error();
	n = SSL_read(t->ssl, to, (int)size);
	if (n > 0)
		return n;
	why = SSL_get_error(t->ssl, n);
	*ret_wants_output = why == SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	return why == SSL_ERROR_ZERO_RETURN ? 0 : -EPIPE;
}

ssize_t tls_write(struct tls *t, const void *from, size_t size)
{
	int n, why;

	ERR_clear_error();
	n = SSL_write(t->ssl, from, (int)size);
	if (n > 0)
		return n;
	why = SSL_get_error(t->ssl, n);
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : -EPIPE;
}

bool tls_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}

void tls_close(struct tls *t)
{
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
}
