/* SPDX-License-Identifier: MIT */

/*
 * The .env files of a project, where students put them: beside package.json, in config/, server/,
 * prisma/. Used when the project is inspected and again when they are rewritten, so that both see
 * the same files.
 */

#include "inside/inspect/dotenv.h"
#include "util/util.h"

/* "config.env" is as common in tutorials. */
static bool is_dotenv(const char *name)
{
	if (starts_with(name, ".env") && (name[4] == '\0' || name[4] == '.'))
		return true;
	return streq(name, "config.env");
}

bool dotenv_is_example(const char *name)
{
	static const char *const words[] = { "example", "sample", "template", "dist", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

int dotenv_files(int root, int (*visit)(const struct walk_file *file, void *data), void *data)
{
	struct walk w = { .wanted = is_dotenv,
			  .visit = visit,
			  .data = data,
			  .max_size = DOTENV_MAX,
			  .max_depth = 3 };

	return walk_tree(&w, root);
}
