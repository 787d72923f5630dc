/* SPDX-License-Identifier: MIT */
/*
 * Words that a teacher may write and the engine does not take: real Hurl that the subset lacks is
 * named as such, everything else gets the nearest known word.
 */
#include "parser.h"

#define LONGEST_WORD 32

const struct hurl_name hurl_refused_sections[] = {
	{ "Cookie", "write [Cookies]" }, { "Header", "write headers below the request line" },
	{ "Option", "write [Options]" },
	{ NULL, NULL },
};

const struct hurl_name hurl_refused_options[] = {
	{ "aws-sigv4", "" },
	{ "cacert", "" },
	{ "cert", "" },
	{ "connect-timeout", "use max-time" },
	{ "connect-to", "" },
	{ "digest", "" },
	{ "http2", "" },
	{ "http3", "" },
	{ "insecure", "" },
	{ "ipv4", "" },
	{ "ipv6", "" },
	{ "key", "" },
	{ "limit-rate", "" },
	{ "location-trusted", "use location" },
	{ "negotiate", "" },
	{ "netrc", "" },
	{ "netrc-file", "" },
	{ "netrc-optional", "" },
	{ "ntlm", "" },
	{ "output", "" },
	{ "pinnedpubkey", "" },
	{ "proxy", "" },
	{ "resolve", "" },
	{ "unix-socket", "" },
	{ "verbose", "" },
	{ "very-verbose", "" },
	{ "variables-file", "use variable" },
	{ "verbosity", "" },
	{ NULL, NULL },
};

const struct hurl_name hurl_refused_queries[] = {
	{ "xpath", "XML and HTML are only tested as text: body, regex" },
	{ "certificate", "" }, { "rawbytes", "use bytes" },
	{ NULL, NULL },
};

const struct hurl_name hurl_refused_filters[] = {
	{ "xpath", "" }, { "daysAfterNow", "" }, { "daysBeforeNow", "" }, { "dateFormat", "" },
	{ "decode", "" }, { "charsetDecode", "" }, { "format", "" },
	{ "htmlUnescape", "" }, { "toDate", "" },
	{ NULL, NULL },
};

const struct hurl_name hurl_refused_predicates[] = {
	{ "equals", "write ==" }, { "notEquals", "write !=" }, { "greaterThan", "write >" },
	{ "greaterThanOrEquals", "write >=" }, { "lessThan", "write <" },
	{ "lessThanOrEquals", "write <=" }, { "countEquals", "write count ==" },
	{ "isDate", "use isIsoDate" },
	{ NULL, NULL },
};

const char *hurl_refused(const struct hurl_name *table, const char *word, size_t len)
{
	for (; table->name; table++)
		if (strlen(table->name) == len && memcmp(table->name, word, len) == 0)
			return table->hint;
	return NULL;
}

static unsigned int lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Edit distance with neighbours swapped, case ignored; both words are at most LONGEST_WORD long. */
static unsigned int distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned int rows[3][LONGEST_WORD + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int differ = lower(a[i - 1]) != lower(b[j - 1]);

			row[j] = MIN_OF(above[j - 1] + differ, MIN_OF(row[j - 1], above[j]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = MIN_OF(row[j], before[j - 2] + 1);
		}
	}
	return row[lb];
}

const char *hurl_suggest(const char *word, size_t len, const char *const *names, size_t count)
{
	const char *best = NULL;
	unsigned int least = len > 4 ? 3 : 2;	/* one or two slips of the finger */

	if (len > LONGEST_WORD)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned int d;

		if (strlen(names[i]) > LONGEST_WORD)
			continue;
		d = distance(word, len, names[i], strlen(names[i]));
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}
