/* SPDX-License-Identifier: MIT */

/*
 * What kind of project was submitted. All of it is read here, as the jailed user, so that the host
 * parses none of the submission's files: it receives arguments, canonical JSON and paths in
 * records.
 */

#include "inside/inspect/inspect.h"

#include "util/util.h"

int inspect(int root, int out, struct problem *p)
{
	_cleanup_(json_donep) json_t *package = NULL;
	int r = file_read_json(root, "package.json", RECORD_MAX_MANIFEST, &package, p);

	if (r == 0)
		r = inspect_commands(root, package, out, p);
	if (r == 0)
		r = inspect_packages(root, package, out);
	if (r == 0)
		r = inspect_migrations(root, package, out, p);
	if (r == 0)
		r = inspect_dotenv(root, out);
	if (r == 0)
		r = inspect_prisma(root, package, out);
	return r;
}
