/* SPDX-License-Identifier: MIT */
#include "head.h"

#include <strings.h>

#include "util/util.h"

static bool bad(struct hurl_head *h, const char *problem)
{
	h->problem = problem;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool status_line(struct hurl_head *h, const char *s, size_t len)
{
	struct hurl_response *r = h->response;

	if (len < 12 || memcmp(s, "HTTP/1.", 7) != 0 || (s[7] != '0' && s[7] != '1') ||
	    s[8] != ' ' || !is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]) ||
	    (len > 12 && s[12] != ' '))
		return bad(h, "a malformed status line");
	r->version = s[7] == '0' ? "1.0" : "1.1";
	r->status = (unsigned int)((s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0'));
	if (r->status < 100)
		return bad(h, "a status below 100");
	r->header_count = 0;
	r->headers = NULL;
	h->started = true;
	h->lengths = 0;
	h->chunked = false;
	return true;
}

static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 0x20 || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c))
			return false;
	}
	return len > 0;
}

static bool content_length(struct hurl_head *h, const char *value, size_t len)
{
	int64_t n = 0;

	if (++h->lengths > 1)
		return bad(h, "more than one Content-Length");
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(value[i]) || i > 17)
			return bad(h, "an impossible Content-Length");
		n = n * 10 + (value[i] - '0');
	}
	if (!len)
		return bad(h, "an impossible Content-Length");
	h->length = n;
	return true;
}

static bool known_header(struct hurl_head *h, const char *name, const char *value, size_t len)
{
	if (strcasecmp(name, "Content-Length") == 0)
		return content_length(h, value, len);
	if (strcasecmp(name, "Transfer-Encoding") == 0)
		h->chunked = true;
	if (strcasecmp(name, "Set-Cookie") == 0)
		h->cookie_bytes += len;
	return true;
}

static bool header_line(struct hurl_head *h, const char *s, size_t len)
{
	struct hurl_response *r = h->response;
	const char *colon = memchr(s, ':', len);
	struct hurl_header *header;
	size_t n;

	if (s[0] == ' ' || s[0] == '\t')
		return bad(h, "a folded header line");
	if (!colon || !is_token(s, (size_t)(colon - s)))
		return bad(h, "a header line without a name");
	n = (size_t)(colon - s);
	header = hurl_arena_push(h->arena, &r->headers, &r->header_count, sizeof(*header));
	if (!header)
		return bad(h, "too much for the memory of a request");
	for (colon++; colon < s + len && (*colon == ' ' || *colon == '\t'); colon++)
		;
	while (len && (s[len - 1] == ' ' || s[len - 1] == '\t') && s + len > colon)
		len--;
	header->len = (size_t)(s + len - colon);
	header->name = hurl_arena_strndup(h->arena, s, n);
	header->value = hurl_arena_strndup(h->arena, colon, header->len);
	if (!header->name || !header->value) {
		r->header_count--;
		return bad(h, "too much for the memory of a request");
	}
	return known_header(h, header->name, header->value, header->len);
}

static bool end_of_head(struct hurl_head *h)
{
	if (h->lengths && h->chunked)
		return bad(h, "Content-Length together with Transfer-Encoding");
	/* an interim answer is followed by another head */
	h->started = false;
	if (h->response->status == 101)
		return bad(h, "a change of the protocol that nobody asked for");
	h->complete = h->response->status >= 200;
	return true;
}

bool hurl_head_line(struct hurl_head *h, const char *line, size_t len)
{
	if (h->problem)
		return false;
	h->bytes += len;
	if (h->bytes > HURL_MAX_HEADER_BYTES)
		return bad(h, "headers of more than 64 KiB");
	if (++h->lines > HURL_MAX_HEADERS + 2)
		return bad(h, "more than 100 header lines");
	if (memchr(line, '\0', len))
		return bad(h, "a NUL in a header");
	if (len < 2 || line[len - 1] != '\n' || line[len - 2] != '\r')
		return bad(h, "a header line that does not end in CR LF");
	len -= 2;
	if (memchr(line, '\r', len))
		return bad(h, "a carriage return inside a header line");
	if (h->complete)
		return true; /* a trailer: counted, not kept */
	if (!h->started)
		return status_line(h, line, len);
	return len ? header_line(h, line, len) : end_of_head(h);
}
