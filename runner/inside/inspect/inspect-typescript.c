/* SPDX-License-Identifier: MIT */

/*
 * TypeScript: what tsconfig.json says about where its output goes, and what runs a .ts file when no
 * script says it. A runner that the project installs comes first, because its author used it; then
 * the compiler; then Node's own type stripping, which knows no enums and no imports without file
 * endings, and keeps imports of types that are not marked as such.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

#define MAX_TSCONFIG (256u << 10)
#define MAX_EXTENDS 4

bool is_typescript(const char *file)
{
	static const char *const endings[] = { ".ts", ".mts", ".cts", ".tsx" };
	size_t n = strlen(file);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t m = strlen(endings[i]);

		if (n > m && streq(file + n - m, endings[i]))
			return true;
	}
	return false;
}

/* Blanks what JSON has not: comments, and commas before a closing bracket. */
static void blank_comments(char *s)
{
	char *comma = NULL;

	while (*s) {
		if (*s == '"') {
			comma = NULL;
			for (s++; *s && *s != '"'; s++)
				s += *s == '\\' && s[1];
			s += *s == '"';
		} else if (s[0] == '/' && s[1] == '/') {
			while (*s && *s != '\n')
				*s++ = ' ';
		} else if (s[0] == '/' && s[1] == '*') {
			while (*s && !(s[0] == '*' && s[1] == '/'))
				*s++ = ' ';
			for (int i = 0; i < 2 && *s; i++)
				*s++ = ' ';
		} else {
			if (comma && (*s == '}' || *s == ']'))
				*comma = ' ';
			if (!strchr(" \t\r\n", *s))
				comma = *s == ',' ? s : NULL;
			s++;
		}
	}
}

static json_t *load(struct project *pr, const char *path)
{
	_cleanup_free_ char *text = file_read_text(pr->root, path, MAX_TSCONFIG);
	size_t skip;

	if (!text)
		return NULL;
	skip = starts_with(text, "\xef\xbb\xbf") ? 3 : 0;
	blank_comments(text + skip);
	return json_loads(text + skip, 0, NULL);
}

/* A directory setting as a clean path: "./dist/" is "dist", "." is "". */
static const char *directory(struct project *pr, const json_t *options, const char *key)
{
	const char *value = json_member(options, key);
	size_t n;

	if (!value)
		return NULL;
	while (starts_with(value, "./"))
		value += 2;
	n = strlen(value);
	while (n > 0 && value[n - 1] == '/')
		n--;
	if (n == 0 || (n == 1 && *value == '.'))
		return "";
	return path_is_clean(value, n) ? keep(pr, value, n) : NULL;
}

static void take_options(struct project *pr, const json_t *options, struct tsconfig *t)
{
	static const char *const strips[] = { "erasableSyntaxOnly", "allowImportingTsExtensions",
					      "rewriteRelativeImportExtensions" };

	if (!t->out_dir)
		t->out_dir = directory(pr, options, "outDir");
	if (!t->root_dir)
		t->root_dir = directory(pr, options, "rootDir");
	t->no_emit |= json_is_true(json_object_get(options, "noEmit"));
	for (size_t i = 0; i < ARRAY_SIZE(strips); i++)
		t->strips |= json_is_true(json_object_get(options, strips[i]));
}

void tsconfig_read(struct project *pr, struct tsconfig *ret)
{
	const char *path = "tsconfig.json";

	*ret = (struct tsconfig){};
	for (int i = 0; i < MAX_EXTENDS && path; i++) {
		_cleanup_(json_donep) json_t *json = load(pr, path);
		const char *base = json_member(json, "extends");

		ret->exists |= json != NULL;
		take_options(pr, json_object_get(json, "compilerOptions"), ret);
		path = base && starts_with(base, "./") ? entry_clean(keep(pr, base, strlen(base)))
						       : NULL;
	}
}

/* "src/a.ts" as what tsc calls its output: "src/a.js". */
static const char *compiled_name(struct project *pr, const char *file)
{
	size_t n = strlen(file);

	if (n > 4 && (streq(file + n - 4, ".mts") || streq(file + n - 4, ".cts")))
		return keepf(pr, "%.*s%cjs", (int)n - 3, file, file[n - 3]);
	if (n > 4 && streq(file + n - 4, ".tsx"))
		return keepf(pr, "%.*sjs", (int)n - 3, file);
	return keepf(pr, "%.*sjs", (int)n - 2, file);
}

size_t tsc_output(struct project *pr, const struct tsconfig *t, const char *file,
		  const char *ret[4])
{
	const char *name = compiled_name(pr, file), *slash = strchr(name, '/');
	const char *out = t->out_dir && *t->out_dir ? keepf(pr, "%s/", t->out_dir) : "";
	size_t n = 0, root = t->root_dir ? strlen(t->root_dir) : 0;

	if (root && starts_with(name, t->root_dir) && name[root] == '/')
		ret[n++] = keepf(pr, "%s%s", out, name + root + 1);
	else if (!t->root_dir && *out && slash)
		ret[n++] = keepf(pr, "%s%s", out, slash + 1);
	ret[n++] = keepf(pr, "%s%s", out, name);
	return n;
}

static bool add_words(struct command *c, const char *const *words)
{
	for (; *words; words++)
		if (!command_add(c, *words))
			return false;
	return true;
}

int run_file(struct project *pr, struct command *c, const char *file, const char **why)
{
	static const char *const tsx[] = { "node", "--import", "tsx", NULL };
	static const char *const ts_node[] = { "ts-node", NULL };
	static const char *const swc[] = { "node", "-r", "@swc-node/register", NULL };
	static const char *const esbuild[] = { "node", "-r", "esbuild-register", NULL };
	static const char *const plain[] = { "node", NULL };
	const char *const *words = plain;
	const char *clean = entry_clean(file);

	*why = NULL;
	if (!is_typescript(file))
		words = plain;
	else if (project_has(pr, "tsx"))
		words = tsx;
	else if (project_has(pr, "ts-node"))
		words = ts_node;
	else if (project_has(pr, "@swc-node/register"))
		words = swc;
	else if (project_has(pr, "esbuild-register"))
		words = esbuild;
	else if (clean)
		*why = erasable_problem(pr, clean);
	if (*why)
		return 1;
	return !add_words(c, words) || !command_add(c, file);
}
