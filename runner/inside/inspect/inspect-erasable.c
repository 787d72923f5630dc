/* SPDX-License-Identifier: MIT */

/*
 * Can Node run a TypeScript program as it is, by blanking its types? It cannot compile enums,
 * namespaces, parameter properties, "import x = require()" and decorators, and finds no import
 * whose file ending is missing. The files are followed from the first one over their relative
 * imports.
 *
 * This is a reader of tokens, not a parser: it may be wrong about unusual code, and then Node's own
 * message is what the student sees. Nothing but the choice of a command and the wording depends on
 * it.
 */

#include "inside/inspect/project.h"

#include <ctype.h>

#include "util/util.h"

#define MAX_FILES 200
#define MAX_SOURCE (512u << 10)
#define MAX_TOKENS (256u << 10)

enum token_kind {
	TOKEN_NAME,
	TOKEN_STRING,
	TOKEN_OTHER,
};

struct token {
	uint8_t kind;
	uint32_t line, n;
	const char *s;
};

struct source {
	struct project *pr;
	const char *file;
	struct token *list;
	size_t n;
	const char **queue; /* files still to read */
	size_t *n_queue;
};

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool token_is(const struct source *s, size_t at, const char *text)
{
	return at < s->n && s->list[at].kind != TOKEN_STRING && s->list[at].n == strlen(text) &&
	       memcmp(s->list[at].s, text, s->list[at].n) == 0;
}

static bool is_name(const struct source *s, size_t at)
{
	return at < s->n && s->list[at].kind == TOKEN_NAME;
}

static bool is_any(const struct source *s, size_t at, const char *const *list)
{
	for (; *list; list++)
		if (token_is(s, at, *list))
			return true;
	return false;
}

/* Does a '/' behind the last token begin a regular expression? */
static bool regex_follows(const struct source *s)
{
	static const char *const words[] = { "return", "typeof", "case", "in",   "of",
					     "delete", "void",   "new",  "else", "await",
					     "yield",  "throw",  NULL };
	static const char *const closing[] = { ")", "]", "}", NULL };

	if (s->n == 0)
		return true;
	if (s->list[s->n - 1].kind == TOKEN_OTHER)
		return !is_any(s, s->n - 1, closing);
	return is_any(s, s->n - 1, words);
}

/* Behind a quoted text; at the end of the line if it is not closed there. */
static const char *skip_quoted(const char *at)
{
	char quote = *at++;

	while (*at && *at != quote && *at != '\n')
		at += 1 + (*at == '\\' && at[1]);
	return at + (*at == quote);
}

static const char *skip_template(const char *at)
{
	unsigned depth = 0;

	for (at++; *at && !(*at == '`' && depth == 0); at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (at[0] == '$' && at[1] == '{')
			depth++, at++;
		else if (depth > 0 && *at == '{')
			depth++;
		else if (depth > 0 && *at == '}')
			depth--;
	}
	return at + (*at == '`');
}

static const char *skip_regex(const char *at)
{
	bool in_class = false;

	for (at++; *at && *at != '\n' && (*at != '/' || in_class); at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '[')
			in_class = true;
		else if (*at == ']')
			in_class = false;
	}
	at += *at == '/';
	while (is_name_char(*at))
		at++;
	return at;
}

static const char *skip_comment(const char *at)
{
	const char *end = at[1] == '/' ? strchr(at, '\n') : strstr(at + 2, "*/");

	if (!end)
		return at + strlen(at);
	return at[1] == '/' ? end : end + 2;
}

/* The end of the token at `at`; *ret_kind is TOKEN_KINDS for what is none. */
static const char *skip_token(const struct source *s, const char *at, int *ret_kind)
{
	const char *from = at;

	*ret_kind = -1;
	if (at[0] == '/' && (at[1] == '/' || at[1] == '*'))
		return skip_comment(at);
	if (isspace((unsigned char)*at))
		return at + 1;
	*ret_kind = TOKEN_STRING;
	if (*at == '\'' || *at == '"')
		return skip_quoted(at);
	if (*at == '`')
		return skip_template(at);
	if (*at == '/' && regex_follows(s))
		return skip_regex(at);
	*ret_kind = is_name_char(*at) ? TOKEN_NAME : TOKEN_OTHER;
	while (is_name_char(*at))
		at++;
	return at == from ? at + 1 : at;
}

static void read_tokens(struct source *s, const char *text)
{
	uint32_t line = 1;

	while (*text && s->n < MAX_TOKENS) {
		int kind;
		const char *end = skip_token(s, text, &kind);

		if (kind >= 0)
			s->list[s->n++] = (struct token){ .kind = (uint8_t)kind,
							  .line = line,
							  .n = (uint32_t)(end - text),
							  .s = text };
		for (; text < end; text++)
			line += *text == '\n';
	}
}

static const char *parameter_property(const struct source *s, size_t at)
{
	static const char *const words[] = { "public",   "private",  "protected",
					     "readonly", "override", NULL };
	static const char *const before[] = { "(",         ",",        "public",   "private",
					      "protected", "readonly", "override", NULL };
	unsigned depth = 0;

	for (at++; at < s->n; at++) {
		if (token_is(s, at, "("))
			depth++;
		else if (token_is(s, at, ")") && --depth == 0)
			return NULL;
		else if (depth == 1 && is_any(s, at, words) && is_any(s, at - 1, before) &&
			 is_name(s, at + 1))
			return "a parameter property in a constructor";
	}
	return NULL;
}

static bool declared(const struct source *s, size_t at)
{
	return (at > 0 && (token_is(s, at - 1, "declare") || token_is(s, at - 1, "."))) ||
	       (at > 1 && token_is(s, at - 1, "const") && token_is(s, at - 2, "declare"));
}

static const char *syntax_problem(const struct source *s, size_t at)
{
	if (token_is(s, at, "enum") && is_name(s, at + 1) && token_is(s, at + 2, "{"))
		return declared(s, at) ? NULL : "an enum";
	if ((token_is(s, at, "namespace") || token_is(s, at, "module")) && is_name(s, at + 1) &&
	    token_is(s, at + 2, "{"))
		return declared(s, at) ? NULL : "a namespace";
	if (token_is(s, at, "constructor") && token_is(s, at + 1, "("))
		return parameter_property(s, at);
	if (token_is(s, at, "import") && is_name(s, at + 1) && token_is(s, at + 2, "="))
		return "\"import x = require()\"";
	if (token_is(s, at, "export") && token_is(s, at + 1, "="))
		return "\"export =\"";
	if (token_is(s, at, "@") && is_name(s, at + 1))
		return "a decorator";
	return NULL;
}

/* Is the string at `at` a module that is imported when the program runs? */
static bool is_import(const struct source *s, size_t at)
{
	size_t i = at;

	if (at > 0 && token_is(s, at - 1, "import"))
		return true;
	if (at > 1 && token_is(s, at - 1, "("))
		return token_is(s, at - 2, "import") || token_is(s, at - 2, "require");
	if (at == 0 || !token_is(s, at - 1, "from"))
		return false;
	while (i > 0 && !token_is(s, i, "import") && !token_is(s, i, "export"))
		i--;
	return !token_is(s, i + 1, "type") || token_is(s, i + 2, "from");
}

/* `path` from the directory of `file`, without "." and ".."; NULL: it leaves the tree. */
static const char *resolve(struct project *pr, const char *file, const char *path, size_t n)
{
	const char *slash = strrchr(file, '/');
	char out[RECORD_MAX_PATH + 1];
	size_t at = slash ? (size_t)(slash - file) : 0;

	if (at + n + 2 > sizeof(out))
		return NULL;
	memcpy(out, file, at);
	for (const char *end = path + n; path < end;) {
		size_t size = MIN_OF(strcspn(path, "/"), (size_t)(end - path));

		if (size == 2 && path[0] == '.' && path[1] == '.') {
			if (at == 0)
				return NULL;
			while (at > 0 && out[--at] != '/')
				;
		} else if (size > 0 && !(size == 1 && path[0] == '.')) {
			if (at > 0)
				out[at++] = '/';
			memcpy(out + at, path, size);
			at += size;
		}
		path += size + 1;
	}
	return keep(pr, out, at);
}

static const char *import_problem(struct source *s, size_t at)
{
	const struct token *t = &s->list[at];
	const char *path, *spec = t->s + 1;
	size_t n = t->n < 2 ? 0 : t->n - 2;

	if (n > 1 && (spec[0] == '@' || spec[0] == '~') && spec[1] == '/')
		return "an import through a path alias";
	if (n == 0 || spec[0] != '.')
		return NULL;
	path = resolve(s->pr, s->file, spec, n);
	if (!path)
		return NULL;
	if (file_kind(s->pr->root, path) != FILE_REGULAR)
		return keepf(s->pr, "an import without the ending of the file (\"%.*s\")",
			     (int)MIN_OF(n, (size_t)80), spec);
	for (size_t i = 0; i < *s->n_queue; i++)
		if (streq(s->queue[i], path))
			return NULL;
	if (is_typescript(path) && *s->n_queue < MAX_FILES)
		s->queue[(*s->n_queue)++] = path;
	return NULL;
}

static const char *source_problem(struct source *s)
{
	_cleanup_free_ char *text = file_read_text(s->pr->root, s->file, MAX_SOURCE);
	const char *what = NULL;

	if (!text)
		return NULL;
	s->n = 0;
	read_tokens(s, text);
	for (size_t i = 0; i < s->n && !what; i++) {
		if (s->list[i].kind != TOKEN_STRING)
			what = syntax_problem(s, i);
		else if (is_import(s, i))
			what = import_problem(s, i);
		if (what)
			what = keepf(s->pr, "%s:%u holds %s", s->file, s->list[i].line, what);
	}
	return what;
}

const char *erasable_problem(struct project *pr, const char *file)
{
	_cleanup_free_ struct token *tokens = calloc(MAX_TOKENS, sizeof(*tokens));
	const char *queue[MAX_FILES];
	size_t n = 0;
	struct source s = { .pr = pr, .list = tokens, .queue = queue, .n_queue = &n };
	const char *what = NULL;

	pr->failed |= !tokens;
	queue[n++] = file;
	for (size_t i = 0; tokens && i < n && !what; i++) {
		s.file = queue[i];
		what = strstr(s.file, ".tsx") ? keepf(pr, "%s holds JSX", s.file)
					      : source_problem(&s);
	}
	return what;
}
