/* SPDX-License-Identifier: MIT */
#include "codec.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool hurl_hex_decode(struct hurl_buf *out, const char *s, size_t len)
{
	int high = -1;

	for (size_t i = 0; i < len; i++) {
		int d = hex_digit(s[i]);

		if (is_blank(s[i]))
			continue;
		if (d < 0)
			return false;
		if (high < 0) {
			high = d;
			continue;
		}
		hurl_buf_addc(out, (char)(high << 4 | d));
		high = -1;
	}
	return high < 0;
}

bool hurl_base64_decode(struct hurl_buf *out, const char *s, size_t len)
{
	unsigned int bits = 0, have = 0, padding = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at;

		if (is_blank(s[i]))
			continue;
		if (s[i] == '=') {
			padding++;
			continue;
		}
		at = s[i] ? strchr(alphabet, s[i]) : NULL;
		if (!at || padding)
			return false;
		bits = bits << 6 | (unsigned int)(at - alphabet);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		hurl_buf_addc(out, (char)(bits >> have & 0xff));
	}
	/* what is left is zero bits of padding: 0, 2 or 4 of them */
	return have < 6 && padding <= 2;
}

void hurl_base64_encode(struct hurl_buf *out, const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *)str;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i;
		unsigned int v = (unsigned int)s[i] << 16;

		if (n > 1)
			v |= (unsigned int)s[i + 1] << 8;
		if (n > 2)
			v |= s[i + 2];
		hurl_buf_addc(out, alphabet[v >> 18]);
		hurl_buf_addc(out, alphabet[v >> 12 & 63]);
		hurl_buf_addc(out, n > 1 ? alphabet[v >> 6 & 63] : '=');
		hurl_buf_addc(out, n > 2 ? alphabet[v & 63] : '=');
	}
}

bool hurl_url_decode(struct hurl_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (s[i] != '%') {
			hurl_buf_addc(out, s[i]);
			continue;
		}
		if (len - i < 3)
			return false;
		high = hex_digit(s[i + 1]);
		low = hex_digit(s[i + 2]);
		if (high < 0 || low < 0)
			return false;
		hurl_buf_addc(out, (char)(high << 4 | low));
		i += 2;
	}
	return true;
}
