/* SPDX-License-Identifier: MIT */

/* What several questions about a project share: its memory, its scripts, its packages. */

#include "inside/inspect/project.h"

#include <ctype.h>
#include <stdarg.h>

#include "util/util.h"

const char *keep(struct project *pr, const char *s, size_t n)
{
	char *copy = hurl_arena_strndup(&pr->arena, s, n);

	pr->failed |= !copy;
	return copy ? copy : "";
}

const char *keepf(struct project *pr, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		pr->failed = true;
		return "";
	}
	return keep(pr, text, (size_t)n);
}

const char *project_script(const struct project *pr, const char *name)
{
	const char *script = json_member(json_object_get(pr->package, "scripts"), name);

	if (!script)
		return NULL;
	script += strspn(script, " \t\r\n");
	return *script ? script : NULL;
}

const char *project_wants(const struct project *pr, const char *package)
{
	static const char *const fields[] = { "dependencies", "devDependencies",
					      "optionalDependencies" };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *version = json_member(json_object_get(pr->package, fields[i]), package);

		if (version)
			return version;
	}
	return NULL;
}

bool project_has(const struct project *pr, const char *package)
{
	char path[300];

	if (project_wants(pr, package))
		return true;
	(void)snprintf(path, sizeof(path), "node_modules/%s/package.json", package);
	return file_kind(pr->root, path) == FILE_REGULAR;
}

int project_major(const struct project *pr, const char *package)
{
	const char *version = project_wants(pr, package);

	while (version && *version && !isdigit((unsigned char)*version))
		version++;
	return version && *version ? atoi(version) : -1;
}
