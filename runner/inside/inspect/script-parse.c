/* SPDX-License-Identifier: MIT */

/*
 * A script of package.json as a list of commands. Only what needs no shell to be understood is
 * accepted: words, quotes, assignments, and commands in a row. Variables and patterns stay as they
 * are written, in words that are marked RAW and make the command one for a shell in the end.
 * Everything else (pipes, redirections, substitutions, "||") is left to sh as a whole.
 */

#include <ctype.h>

#include "inside/inspect/project.h"
#include "util/util.h"

struct scan {
	struct project *pr;
	const char *at;
	struct commands *out;
	struct command *command; /* NULL: none has begun */
	char text[TEXT_MAX], raw[TEXT_MAX];
	size_t n, n_raw;
	bool is_raw, has_word;
	char before; /* the operator that the next command follows */
};

bool word_in(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (streq(word, *list))
			return true;
	return false;
}

bool command_add(struct command *c, const char *word)
{
	if (c->n == SCRIPT_WORDS)
		return false;
	c->words[c->n++] = word;
	c->words[c->n] = NULL;
	return true;
}

void command_remove(struct command *c, size_t at, size_t n)
{
	memmove(&c->words[at], &c->words[at + n], (c->n - at - n + 1) * sizeof(*c->words));
	c->n -= n;
}

bool command_insert(struct command *c, size_t at, const char *word)
{
	if (c->n == SCRIPT_WORDS)
		return false;
	memmove(&c->words[at + 1], &c->words[at], (c->n - at + 1) * sizeof(*c->words));
	c->words[at] = word;
	c->n++;
	return true;
}

const char *command_program(const struct command *c)
{
	const char *word = c->n > c->n_env ? c->words[c->n_env] : "";
	static const char bin[] = "node_modules/.bin/";

	if (*word == RAW)
		return "";
	if (starts_with(word, "./"))
		return starts_with(word + 2, bin) ? word + 2 + strlen(bin) : word;
	return starts_with(word, bin) ? word + strlen(bin) : word;
}

bool command_is(const struct command *c, const char *program)
{
	return streq(command_program(c), program);
}

bool command_has_raw(const struct command *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (*c->words[i] == RAW)
			return true;
	return false;
}

static bool is_assignment(const char *word)
{
	size_t n;

	word += *word == RAW;
	n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return n > 0 && word[n] == '=' && (word[0] < '0' || word[0] > '9');
}

static bool put(struct scan *s, char literal, const char *raw, size_t n_raw)
{
	if (s->n + 1 >= sizeof(s->text) || s->n_raw + n_raw >= sizeof(s->raw))
		return false;
	if (literal)
		s->text[s->n++] = literal;
	memcpy(s->raw + s->n_raw, raw, n_raw);
	s->n_raw += n_raw;
	s->has_word = true;
	return true;
}

static bool end_word(struct scan *s)
{
	const char *word;

	if (!s->has_word)
		return true;
	if (!s->command) {
		if (s->out->n == SCRIPT_COMMANDS)
			return false;
		s->command = &s->out->list[s->out->n++];
		*s->command = (struct command){ .before = s->before };
	}
	word = s->is_raw ? keepf(s->pr, "%c%.*s", RAW, (int)s->n_raw, s->raw)
			 : keep(s->pr, s->text, s->n);
	if (s->command->n_env == s->command->n && is_assignment(word))
		s->command->n_env++;
	s->n = s->n_raw = 0;
	s->is_raw = s->has_word = false;
	return command_add(s->command, word);
}

/* "$NAME", "${NAME}", "${NAME:-text}": as they are; "$(" is a command of its own. */
static bool scan_variable(struct scan *s)
{
	const char *from = s->at++;

	if (*s->at == '{') {
		size_t n = strcspn(s->at, "}`$(\\\"'");

		if (s->at[n] != '}')
			return false;
		s->at += n + 1;
	} else if (*s->at == '(') {
		return false;
	} else {
		s->at += strspn(s->at,
				"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				"_");
	}
	s->is_raw = true;
	return put(s, '\0', from, (size_t)(s->at - from));
}

static bool scan_single(struct scan *s)
{
	const char *end = strchr(++s->at, '\'');

	if (!end || !put(s, '\0', "'", 1))
		return false;
	for (; s->at < end; s->at++)
		if (!put(s, *s->at, s->at, 1))
			return false;
	s->at++;
	return put(s, '\0', "'", 1);
}

static bool scan_double(struct scan *s)
{
	if (!put(s, '\0', s->at++, 1))
		return false;
	while (*s->at != '"') {
		bool ok;

		if (!*s->at || *s->at == '`')
			return false;
		if (*s->at == '$') {
			ok = scan_variable(s);
		} else if (*s->at == '\\' && s->at[1] && strchr("\"\\$`", s->at[1])) {
			ok = put(s, s->at[1], s->at, 2);
			s->at += 2;
		} else {
			ok = put(s, *s->at, s->at, 1);
			s->at++;
		}
		if (!ok)
			return false;
	}
	return put(s, '\0', s->at++, 1);
}

static bool scan_operator(struct scan *s)
{
	bool twice = s->at[1] == *s->at;

	if (!end_word(s) || !s->command || (*s->at == ';' && twice))
		return false;
	s->command = NULL;
	s->before = *s->at != '&' ? ';' : twice ? '&' : 'p';
	s->at += *s->at == '&' && twice ? 2 : 1;
	return true;
}

static bool scan_character(struct scan *s)
{
	switch (*s->at) {
	case ' ':
	case '\t':
	case '\r':
		s->at++;
		return end_word(s);
	case '\n':
	case ';':
	case '&':
		return scan_operator(s);
	case '\'':
		return scan_single(s);
	case '"':
		return scan_double(s);
	case '$':
		return scan_variable(s);
	case '\\':
		if (!s->at[1] || s->at[1] == '\n')
			return false;
		/* Before a letter it is the path of somebody on Windows, not a quoted letter. */
		if (isalnum((unsigned char)s->at[1]) || s->at[1] == '.' || s->at[1] == '_')
			return put(s, '/', "/", 1) && *s->at++;
		if (!put(s, s->at[1], s->at, 2))
			return false;
		s->at += 2;
		return true;
	case '*':
	case '?':
	case '[':
		s->is_raw = true;
		return put(s, *s->at, s->at, 1) && *s->at++;
	case '#':
		if (!s->has_word)
			return false;
		return put(s, *s->at, s->at, 1) && *s->at++;
	default:
		if (strchr("|<>(){}`!~", *s->at) || (unsigned char)*s->at < 0x20)
			return false;
		return put(s, *s->at, s->at, 1) && *s->at++;
	}
}

int script_parse(struct project *pr, const char *script, struct commands *ret)
{
	struct scan *s = hurl_arena_alloc(&pr->arena, sizeof(*s));

	ret->n = 0;
	pr->failed |= !s;
	if (!s)
		return 1;
	*s = (struct scan){ .pr = pr, .at = script, .out = ret, .before = '&' };
	while (*s->at)
		if (!scan_character(s))
			return 1;
	return !end_word(s) || ret->n == 0;
}

static bool is_plain_word(const char *word)
{
	return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_-./:=@%+,")] == '\0';
}

/* A word quoted for sh, unless it needs no quotes. */
static const char *quote_word(struct project *pr, const char *word)
{
	const char *text = "'";

	if (*word == RAW)
		return word + 1;
	if (is_plain_word(word))
		return word;
	for (const char *s = word; *s;) {
		size_t n = strcspn(s, "'");

		text = keepf(pr, "%s%.*s%s", text, (int)n, s, s[n] ? "'\\''" : "");
		s += n + (s[n] != '\0');
	}
	return keepf(pr, "%s'", text);
}

const char *commands_text(struct project *pr, const struct command *list, size_t n, bool exec_last)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++) {
		const struct command *c = &list[i];

		if (i > 0)
			text = keepf(pr, "%s%s", text, c->before == ';' ? "; " : " && ");
		for (size_t k = 0; k < c->n; k++) {
			if (k == c->n_env && exec_last && i + 1 == n)
				text = keepf(pr, "%sexec ", text);
			text = keepf(pr, "%s%s%s", text, quote_word(pr, c->words[k]),
				     k + 1 < c->n ? " " : "");
		}
	}
	return text;
}
