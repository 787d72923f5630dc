/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The archive of a submission, from the URL that its producer gave, into a sealed memfd. The URL,
 * the server's answer and where its redirects lead to are hostile:
 *
 *   - Only schemes, hosts and ports that the operator listed, in redirects (at most three) as well.
 *   - No connection to an address that is not public, whatever name led there: the address is
 *     checked where the socket is made, so a name that resolves differently the second time does
 *     not pass.
 *   - Nothing of ours goes out: no cookies, netrc, proxy or credentials; user:password@ is refused.
 *   - At most max_bytes are taken, and are never decoded; the whole has a deadline, and must
 *     progress.
 *
 * A presigned URL is a password: only fetch_url_display() of it is ever written anywhere.
 *
 * Connections are kept for the next fetch. One fetcher, one thread.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FETCH_MAX_DEFAULT (50ull << 20)
#define FETCH_SHA256_HEX 64
#define FETCH_DISPLAY_MAX 256

struct fetcher; /* fetch.c */

struct fetch_options {
	/*
	 * "files.example.org", "*.example.org" (what is below it, at any depth), "203.0.113.7",
	 * "[2001:db8::1]"; with ":PORT", else the scheme's own. None: nothing is fetched from
	 * servers.
	 */
	const char *const *hosts;
	size_t n_hosts;
	const char *const
		*networks; /* "10.1.0.0/16", "fd00::/8": not public, and allowed all the same */
	size_t n_networks;
	const char *file_root; /* file:///x is x in this folder; NULL: file: is refused */
	const char *ca_file;   /* NULL: the system's */
	bool https_only;
	uint64_t max_bytes;   /* 0: FETCH_MAX_DEFAULT */
	uint64_t total_ns;    /* for all, redirects included; 0: 60 s */
	uint64_t connect_ns;  /* until connected, TLS included; 0: 10 s */
	uint64_t stall_ns;    /* in each such time at least stall_bytes must come; 0: 10 s */
	uint64_t stall_bytes; /* 0: 10 KiB */
};

/* Copies the options. -EINVAL, and *err says which entry of the lists makes no sense. */
int fetcher_new(struct fetcher **ret, const struct fetch_options *o, struct sbx_error *err);
struct fetcher *fetcher_free(struct fetcher *f);

struct fetch_request {
	const char *url;
	const char *sha256; /* what it has to be, lower case; NULL or "": not known */
	int cancel_fd; /* ends the fetch when it becomes readable (nothing is read); -1: none */
};

/* What became of it, where that is the submission's affair and not ours. */
enum fetch_outcome {
	FETCH_DONE,
	FETCH_GONE,  /* 403, 404, 410 and other 4xx: nothing there, or the signature has expired */
	FETCH_EMPTY, /* 0 bytes */
	FETCH_TOO_LARGE, /* more than max_bytes */
	FETCH_CHANGED,   /* the hash is another: it was overwritten, *ret has what is there now */
};

struct fetched {
	int fd; /* sealed memfd at its start; the caller's. -1 unless FETCH_DONE */
	uint64_t size;
	char sha256[FETCH_SHA256_HEX + 1];
	long status;             /* of the last answer; 0: there was none */
	uint64_t retry_after_ms; /* with -EAGAIN, as the server wishes; 0: it does not say */
	uint32_t redirects;
	bool reused;                  /* the connection was there */
	char from[FETCH_DISPLAY_MAX]; /* fetch_url_display() of where it came from in the end */
	uint64_t wall_ns;
};

/*
 * An enum fetch_outcome, or <0 with *err filled:
 *   -EAGAIN     may succeed later: no connection, timeout, broken off, 5xx, 429, TLS
 *   -EPERM      never: the URL is malformed, or leads where it must not; err->text is the reason
 *   -ECANCELED
 *   -ENOMEM, others: ours
 * *ret is written in every case.
 */
int fetch_archive(struct fetcher *f, const struct fetch_request *r, struct fetched *ret,
		  struct sbx_error *err);

/* Scheme, host and path of a URL, cleaned and cut: what may be shown and logged. */
void fetch_url_display(const char *url, char ret[static FETCH_DISPLAY_MAX]);

/*
 * Fills the job's verdict for an outcome that is not FETCH_DONE: CE and a sentence for the student
 * (docs/messages.md). Returns 1, as a stage does. FETCH_CHANGED is not for here: it is superseded.
 */
struct job;
int fetch_verdict(struct job *job, enum fetch_outcome outcome, const struct fetch_options *o,
		  const struct fetched *f);
