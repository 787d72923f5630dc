/* SPDX-License-Identifier: MIT */

/*
 * How the project wants to be built and started: from the scripts of package.json, followed to the
 * programs that they run, else from the file that is there. One program becomes an argument vector,
 * so that neither a shell nor a package manager stands between the server and its signals.
 *
 * The start script's other work is taken out of it: compilers go to the build, migrations and
 * generators have stages of their own. A build is left out when the server runs from its sources.
 */

#include "inside/inspect/plan.h"
#include "util/util.h"

static int check_scripts(const json_t *package, struct problem *p)
{
	static const char *const keys[] = { "start", "build" };
	const json_t *scripts = json_object_get(package, "scripts"), *script;

	if (scripts && !json_is_object(scripts))
		return problem_set(p, "package.json: \"scripts\" must be an object, like { "
				      "\"start\": \"node server.js\" }");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		script = json_object_get(scripts, keys[i]);
		if (script && !json_is_string(script))
			return problem_set(p,
					   "package.json: scripts.%s must be a string: a command "
					   "in quotes",
					   keys[i]);
	}
	return 0;
}

struct command *commands_last(struct commands *list)
{
	return &list->list[list->n - 1];
}

bool commands_have(const struct commands *list, enum purpose purpose)
{
	for (size_t i = 0; i < list->n; i++)
		if (command_purpose(&list->list[i]) == purpose)
			return true;
	return false;
}

bool commands_run(const struct commands *list, const char *const *names)
{
	for (size_t i = 0; i < list->n; i++)
		for (const char *const *name = names; *name; name++)
			if (command_is(&list->list[i], *name))
				return true;
	return false;
}

static void decide(struct plan *pl)
{
	tsconfig_read(&pl->pr, &pl->tsconfig);
	if (!plan_start(pl)) {
		/* The challenge may know how to start it. */
		plan_build_alone(pl);
		return;
	}
	plan_take_stages(pl, &pl->start);
	if (pl->start.n == 0)
		return;
	plan_entries(pl);
	plan_build(pl);
	plan_take_builds(pl);
	plan_entries(pl);
	if (pl->n_entries > 0 && pl->build.n == 0)
		plan_build(pl);
}

int inspect_commands(int root, const json_t *package, int out, struct problem *p)
{
	struct plan *pl = calloc(1, sizeof(*pl));
	int r = check_scripts(package, p);

	if (!pl)
		return -ENOMEM;
	pl->pr.root = root;
	pl->pr.package = package;
	hurl_arena_init(&pl->pr.arena, PROJECT_MEMORY);
	if (r == 0) {
		decide(pl);
		r = plan_tell(pl, out, p);
	}
	if (pl->pr.failed && r == 0)
		r = problem_set(p, "package.json: its scripts are too many or too long to be "
				   "followed; start the server with \"node FILE\"");
	hurl_arena_done(&pl->pr.arena);
	free(pl);
	return r;
}
