/* SPDX-License-Identifier: MIT */
#include "report/markup.h"

#include "inside/text.h"
#include "util/util.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const char *reference(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* DEL and C1 are allowed in XML 1.0 and refused in HTML. */
static bool forbidden(uint32_t code)
{
	return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
	       (code & 0xfffe) == 0xfffe;
}

static void put(FILE *f, const char *s, bool attribute)
{
	size_t n = s ? strlen(s) : 0, size;

	for (size_t at = 0; at < n; at += size) {
		uint32_t code = 0;
		const char *ref;

		size = utf8_sequence((const uint8_t *)s + at, n - at, &code);
		ref = size ? reference(code) : REPLACEMENT;
		if (size == 0)
			size = 1;
		else if (forbidden(code))
			ref = REPLACEMENT;
		if (ref)
			(void)fputs(ref, f);
		else if (attribute && (code == '\n' || code == '\t'))
			fprintf(f, "&#%u;", code);
		else
			(void)fwrite(s + at, 1, size, f);
	}
}

void markup_text(FILE *f, const char *s)
{
	put(f, s, false);
}

void markup_attribute(FILE *f, const char *s)
{
	put(f, s, true);
}
