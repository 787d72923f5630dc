/* SPDX-License-Identifier: MIT */
/* Hexadecimal, base64 and percent encodings. Decoders return false on malformed input. */
#pragma once

#include "buf.h"

bool hurl_hex_decode(struct hurl_buf *out, const char *s, size_t len);
bool hurl_base64_decode(struct hurl_buf *out, const char *s, size_t len); /* blanks are ignored */
void hurl_base64_encode(struct hurl_buf *out, const char *s, size_t len);
bool hurl_url_decode(struct hurl_buf *out, const char *s, size_t len);
