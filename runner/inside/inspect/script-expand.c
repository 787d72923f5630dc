/* SPDX-License-Identifier: MIT */

/*
 * A script of package.json followed to the programs that it runs in the end, each once: through
 * other scripts with their pre and post hooks, package managers, wrappers and watchers. What cannot
 * be followed becomes "sh -c SCRIPT", as the manager would have run it.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

#define MAX_DEPTH 12
#define MAX_UNWRAPS 12
#define MAX_STEPS 300 /* of one project: scripts may call each other */

static struct commands *commands_new(struct project *pr)
{
	struct commands *c = hurl_arena_alloc(&pr->arena, sizeof(*c));

	pr->failed |= !c;
	return c;
}

static int append(struct commands *ret, const struct command *c)
{
	if (ret->n == SCRIPT_COMMANDS)
		return 1;
	ret->list[ret->n++] = *c;
	return 0;
}

/* A script that only a shell understands, as one command. */
static int append_shell(struct project *pr, const char *script, struct commands *ret)
{
	struct command c = { .before = '&' };
	const char *text = keep(pr, script, strlen(script));

	return command_add(&c, "sh") && command_add(&c, "-c") && command_add(&c, text)
		       ? append(ret, &c)
		       : 1;
}

/* "set A=B" of Windows and "export A=B" are for the commands behind them. */
static bool take_settings(const struct command *c, struct command *env)
{
	if (!command_is(c, "set") && !command_is(c, "SET") && !command_is(c, "export"))
		return false;
	for (size_t i = c->n_env + 1; i < c->n; i++) {
		if (!strchr(c->words[i], '=') || !command_add(env, c->words[i]))
			return false;
		env->n_env++;
	}
	return true;
}

static bool give_settings(const struct command *env, struct command *c)
{
	for (size_t i = env->n; i > 0; i--) {
		if (!command_insert(c, 0, env->words[i - 1]))
			return false;
		c->n_env++;
	}
	return true;
}

static bool is_parallel(const struct commands *list)
{
	for (size_t i = 1; i < list->n; i++)
		if (list->list[i].before == 'p')
			return true;
	return false;
}

static int expand_list(struct project *pr, const struct commands *list, struct commands *ret,
		       int depth)
{
	struct command env = {};

	for (size_t i = 0; i < list->n; i++) {
		struct command c = list->list[i];
		size_t first = ret->n;

		if (take_settings(&c, &env))
			continue;
		if (!give_settings(&env, &c) || expand_command(pr, &c, ret, depth + 1) != 0)
			return 1;
		if (ret->n > first)
			ret->list[first].before = c.before;
		pr->elsewhere |= command_is(&c, "cd");
	}
	return 0;
}

/* A change of the folder ends with the script. */
static int expand_all(struct project *pr, const struct commands *list, struct commands *ret,
		      int depth)
{
	bool before = pr->elsewhere;
	int r = expand_list(pr, list, ret, depth);

	pr->elsewhere = before;
	return r;
}

static int expand_parallel(struct project *pr, const struct command *list, size_t n,
			   struct commands *ret, int depth);

static int expand_script(struct project *pr, const char *script, struct commands *ret, int depth)
{
	struct commands *list = commands_new(pr);
	size_t first = ret->n;
	int r;

	if (!list || depth > MAX_DEPTH)
		return 1;
	r = script_parse(pr, script, list);
	if (r == 0 && is_parallel(list))
		r = expand_parallel(pr, list->list, list->n, ret, depth);
	else if (r == 0)
		r = expand_all(pr, list, ret, depth);
	if (r == 0)
		return 0;
	ret->n = first;
	return append_shell(pr, script, ret);
}

int expand_named(struct project *pr, const char *name, struct commands *ret, int depth)
{
	const char *const parts[] = { keepf(pr, "pre%s", name), name, keepf(pr, "post%s", name) };

	if (!project_script(pr, name) || depth > MAX_DEPTH)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *script = project_script(pr, parts[i]);

		/* What comes after a server has started would never run. */
		if (i == 2 && ret->n > 0 &&
		    command_purpose(&ret->list[ret->n - 1]) == PURPOSE_SERVER)
			break;
		if (script && expand_script(pr, script, ret, depth + 1) != 0)
			return 1;
	}
	return 0;
}

static bool has_server(const struct commands *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (command_purpose(&list->list[i]) == PURPOSE_SERVER)
			return true;
	return false;
}

static bool is_only_builds(const struct commands *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (command_purpose(&list->list[i]) != PURPOSE_BUILD)
			return false;
	return list->n > 0;
}

static int append_all(struct commands *ret, const struct commands *list)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = append(ret, &list->list[i]);
	return r;
}

/* Of programs that run at once: the server, after the builds. */
static int expand_parallel(struct project *pr, const struct command *list, size_t n,
			   struct commands *ret, int depth)
{
	struct commands *server = NULL;

	for (size_t i = 0; i < n; i++) {
		struct commands *one = commands_new(pr);

		if (!one || expand_command(pr, &list[i], one, depth + 1) != 0)
			return 1;
		if (has_server(one)) {
			if (server)
				return 1;
			server = one;
		} else if (is_only_builds(one) && append_all(ret, one) != 0) {
			return 1;
		}
	}
	return server ? append_all(ret, server) : 1;
}

/* The scripts that "build:*" means, or the one of that name. */
static int add_scripts(struct project *pr, const char *pattern, struct commands *list)
{
	const char *star = strchr(pattern, '*'), *name;
	json_t *value;

	json_object_foreach((json_t *)json_object_get(pr->package, "scripts"), name, value)
	{
		struct command c = { .before = 'p' };

		if (star ? strncmp(name, pattern, (size_t)(star - pattern)) != 0
			 : !streq(name, pattern))
			continue;
		if (!command_add(&c, "npm") || !command_add(&c, "run") ||
		    !command_add(&c, keep(pr, name, strlen(name))) || append(list, &c) != 0)
			return 1;
	}
	return 0;
}

/* "concurrently -n a,b 'npm:watch' 'nodemon x'": each word is a script. */
static int add_task(struct project *pr, const char *word, bool named, struct commands *list)
{
	static const char *const managers[] = { "npm:", "pnpm:", "yarn:", "bun:" };
	struct commands *parsed = commands_new(pr);

	word += *word == RAW;
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (starts_with(word, managers[i]))
			return add_scripts(pr, word + strlen(managers[i]), list);
	if (named)
		return add_scripts(pr, keep(pr, word, strcspn(word, " ")), list);
	if (!parsed || script_parse(pr, word, parsed) != 0 || parsed->n != 1)
		return 1;
	return append(list, &parsed->list[0]);
}

static int expand_tasks(struct project *pr, const struct command *c, struct commands *ret,
			int depth)
{
	static const char *const valued[] = { "-n",
					      "--names",
					      "-c",
					      "--prefix-colors",
					      "-p",
					      "--prefix",
					      "-s",
					      "--success",
					      "-m",
					      "-l",
					      "--max-processes",
					      "--restart-tries",
					      "-t",
					      "--restart-after",
					      "--timestamp-format" };
	bool named = !command_is(c, "concurrently"), all = command_is(c, "npm-run-all");
	bool parallel = !named || command_is(c, "run-p");
	struct commands *list = commands_new(pr);

	for (size_t i = c->n_env + 1; list && i < c->n; i++) {
		const char *word = c->words[i];
		bool option = word[0] == '-';

		parallel |= option && all && (streq(word, "-p") || streq(word, "--parallel"));
		for (size_t k = 0; !named && k < ARRAY_SIZE(valued); k++)
			if (streq(word, valued[k]))
				i++;
		if (!option && add_task(pr, word, named, list) != 0)
			return 1;
	}
	if (!list || list->n == 0)
		return 1;
	if (parallel)
		return expand_parallel(pr, list->list, list->n, ret, depth);
	return expand_all(pr, list, ret, depth);
}

/* "nest start --watch": built, then run from where nest puts it. */
static int expand_nest(struct project *pr, const struct command *c, struct commands *ret)
{
	struct command build = { .before = '&' }, run = *c;
	struct tsconfig t;

	tsconfig_read(pr, &t);
	run.n = run.n_env;
	run.words[run.n] = NULL;
	if (!command_add(&build, "nest") || !command_add(&build, "build") ||
	    !command_add(&run, "node") ||
	    !command_add(&run,
			 keepf(pr, "%s/main.js", t.out_dir && *t.out_dir ? t.out_dir : "dist")))
		return 1;
	return append(ret, &build) != 0 || append(ret, &run) != 0;
}

int expand_command(struct project *pr, const struct command *command, struct commands *ret,
		   int depth)
{
	struct command c = *command;
	size_t first = ret->n;

	for (int i = 0; i < MAX_UNWRAPS && depth <= MAX_DEPTH && pr->steps++ < MAX_STEPS; i++) {
		int r;

		if (command_is(&c, "concurrently") || command_is(&c, "npm-run-all") ||
		    command_is(&c, "run-s") || command_is(&c, "run-p"))
			return expand_tasks(pr, &c, ret, depth);
		if (command_is(&c, "nest") && c.n > c.n_env + 1 &&
		    streq(c.words[c.n_env + 1], "start"))
			return expand_nest(pr, &c, ret);
		r = manager_expand(pr, &c, ret, depth);
		if (r > 0)
			return 0;
		if (r < 0)
			ret->n = first;
		if (r < 0 || !tool_unwrap(pr, &c))
			return append(ret, &c);
	}
	ret->n = first;
	return 1;
}
