/* SPDX-License-Identifier: MIT */

/*
 * Wrappers and watchers, one step at a time: each tool becomes what it would run, once. A tool is
 * unwrapped only when all its options are known or need not be; otherwise it is run as it is.
 */

#include "inside/inspect/project.h"
#include "util/util.h"

#define YES 1 /* `c` was changed */
#define NO 0

static bool has_prefix(const char *s, const char *const *list)
{
	for (; list && *list; list++)
		if (starts_with(s, *list))
			return true;
	return false;
}

/* Removes options up to the first word that is none: those in `valued` take the next word along. */
static void drop_options(struct command *c, size_t at, const char *const *valued)
{
	while (at < c->n && c->words[at][0] == '-') {
		size_t n = word_in(c->words[at], valued) && at + 1 < c->n ? 2 : 1;

		command_remove(c, at, n);
	}
}

/* "cross-env A=B node x", "env A=B node x". */
static int unwrap_env(struct project *pr, struct command *c)
{
	size_t at = c->n_env;

	(void)pr;
	if (at + 1 >= c->n || c->words[at + 1][0] == '-')
		return NO;
	command_remove(c, at, 1);
	while (c->n_env < c->n && strchr(c->words[c->n_env], '='))
		c->n_env++;
	return YES;
}

static int unwrap_first(struct project *pr, struct command *c)
{
	(void)pr;
	if (c->n_env + 1 >= c->n || c->words[c->n_env + 1][0] == '-')
		return NO;
	command_remove(c, c->n_env, 1);
	return YES;
}

/* Secrets are kept out of archives: a file of settings that is not there stops no server. */
static bool forgive_env_file(struct project *pr, struct command *c, size_t at)
{
	static const char option[] = "--env-file";
	const char *rest = c->words[at] + strlen(option);

	if (!starts_with(c->words[at], option) || (*rest && *rest != '='))
		return false;
	if (!*rest && (at + 1 >= c->n || *c->words[at + 1] == RAW))
		return false;
	c->words[at] = keepf(pr, "%s-if-exists=%s", option, *rest ? rest + 1 : c->words[at + 1]);
	if (!*rest)
		command_remove(c, at + 1, 1);
	return true;
}

/*
 * "dotenv -e FILE -- node x": Node reads such files itself, and minds as little if one is missing.
 */
static int unwrap_dotenv(struct project *pr, struct command *c)
{
	const char *files[4];
	size_t n = 0, at = c->n_env + 1;

	for (; at < c->n && c->words[at][0] == '-' && !streq(c->words[at], "--"); at++) {
		if (!streq(c->words[at], "-e") || at + 1 >= c->n || n == ARRAY_SIZE(files) ||
		    *c->words[at + 1] == RAW)
			return NO;
		files[n++] = c->words[++at];
	}
	at += at < c->n && streq(c->words[at], "--");
	if (at >= c->n || !streq(c->words[at], "node"))
		return NO;
	if (n == 0)
		files[n++] = ".env";
	command_remove(c, c->n_env, at - c->n_env);
	/* The last of Node's files wins, the first of dotenv's. */
	for (size_t i = 0; i < n; i++)
		if (!command_insert(c, c->n_env + 1,
				    keepf(pr, "--env-file-if-exists=%s", files[i])))
			return NO;
	return YES;
}

/* The setting `key` of nodemon.json or of package.json's nodemonConfig, as the project's string. */
static const char *nodemon_setting(struct project *pr, const char *key)
{
	_cleanup_(json_donep) json_t *config = NULL;
	struct problem p;
	const char *value = json_member(json_object_get(pr->package, "nodemonConfig"), key);

	if (!value && file_read_json(pr->root, "nodemon.json", 65536, &config, &p) == 0)
		value = json_member(config, key);
	return value ? keep(pr, value, strlen(value)) : NULL;
}

/* `text` is one command of several words ("ts-node --files"), put where word `at` is. */
static bool insert_words(struct project *pr, struct command *c, size_t at, const char *text)
{
	struct commands *parsed = hurl_arena_alloc(&pr->arena, sizeof(*parsed));

	pr->failed |= !parsed;
	if (!parsed || script_parse(pr, text, parsed) != 0 || parsed->n != 1)
		return false;
	for (size_t i = parsed->list[0].n; i > 0; i--)
		if (!command_insert(c, at, parsed->list[0].words[i - 1]))
			return false;
	if (at == c->n_env)
		c->n_env += parsed->list[0].n_env;
	return true;
}

/*
 * Takes nodemon's own options out from word `at` on: everything up to the script. What it does not
 * know is for node. *exec is the command that runs the script; NULL: chosen by its name.
 */
static void take_nodemon_options(struct project *pr, struct command *c, size_t at,
				 const char **exec)
{
	static const char *const valued[] = { "-w",       "--watch", "-e",      "--ext",    "-i",
					      "--ignore", "-d",      "--delay", "--config", "-s",
					      "--signal", "--cwd",   "-I",      NULL };
	static const char *const flags[] = { "-q",          "--quiet",
					     "-V",          "--verbose",
					     "-L",          "--legacy-watch",
					     "-C",          "--on-change-only",
					     "-I",          "--no-stdin",
					     "--no-colors", "--no-update-notifier",
					     "--exitcrash", "--spawn",
					     "--watch=",    "--ext=",
					     "--ignore=",   "--delay=",
					     "--inspect",   "--config=",
					     "--signal=",   NULL };

	*exec = NULL;
	while (at < c->n) {
		const char *word = c->words[at];

		if ((streq(word, "-x") || streq(word, "--exec")) && at + 1 < c->n) {
			*exec = c->words[at + 1];
			command_remove(c, at, 2);
		} else if (starts_with(word, "--exec=")) {
			*exec = word + strlen("--exec=");
			command_remove(c, at, 1);
		} else if (word_in(word, valued) && !streq(word, "-I") && at + 1 < c->n) {
			command_remove(c, at, 2);
		} else if (has_prefix(word, flags)) {
			command_remove(c, at, 1);
		} else {
			if (word[0] != '-' && !*exec)
				return;
			at++;
		}
	}
	(void)pr;
}

static int unwrap_nodemon(struct project *pr, struct command *c)
{
	size_t at = c->n_env;
	const char *exec, *file, *why;

	command_remove(c, at, 1);
	take_nodemon_options(pr, c, at, &exec);
	if (!exec && (at == c->n || c->words[at][0] == '-'))
		exec = nodemon_setting(pr, "exec");
	if (exec && *exec != RAW)
		return insert_words(pr, c, at, exec) ? YES : NO;
	if (exec)
		return NO;
	file = at < c->n && c->words[at][0] != '-' ? c->words[at] : NULL;
	if (!file) {
		file = json_member(pr->package, "main");
		if (!file || !entry_exists(pr, file))
			file = "index.js";
		if (!command_insert(c, at, file))
			return NO;
	}
	if (!is_typescript(file))
		return command_insert(c, at, "node") ? YES : NO;
	command_remove(c, at, 1);
	return run_file(pr, c, file, &why) == 0 ? YES : NO;
}

/* "pm2 start x -i max --name y", "forever x": node x. */
static int unwrap_keeper(struct project *pr, struct command *c)
{
	static const char *const valued[] = { "-i",
					      "--instances",
					      "-n",
					      "--name",
					      "--env",
					      "-o",
					      "--output",
					      "-e",
					      "--error",
					      "-l",
					      "--log",
					      "--max-memory-restart",
					      "--watch-delay",
					      "-w",
					      "--watch",
					      "-m",
					      NULL };
	size_t at = c->n_env;

	(void)pr;
	command_remove(c, at, 1);
	drop_options(c, at, valued);
	if (at < c->n && streq(c->words[at], "start"))
		command_remove(c, at, 1);
	drop_options(c, at, valued);
	if (at >= c->n || !entry_clean(c->words[at]) || strstr(c->words[at], "ecosystem") ||
	    strstr(c->words[at], ".json"))
		return NO;
	command_remove(c, at + 1, c->n - at - 1);
	return command_insert(c, at, "node") ? YES : NO;
}

static int unwrap_node_dev(struct project *pr, struct command *c)
{
	static const char *const valued[] = { "-w",           "--watch", "-i",     "--ignore", "-e",
					      "--extensions", "-x",      "--exec", NULL };
	size_t at = c->n_env;

	(void)pr;
	command_remove(c, at, 1);
	drop_options(c, at, valued);
	if (at < c->n && streq(c->words[at], "--"))
		command_remove(c, at, 1);
	return at < c->n && command_insert(c, at, "node") ? YES : NO;
}

/* Its runner is ts-node, which every manager but pnpm puts where it can be found. */
static int unwrap_ts_node_dev(struct project *pr, struct command *c)
{
	static const char *const own[] = {
		"--respawn",    "--rs",        "--clear",         "--cls",       "--poll",
		"--exit-child", "--notify",    "--quiet",         "--deps",      "--all-deps",
		"--no-deps",    "--no-notify", "--inspect",       "--tree-kill", "--debug=",
		"--interval=",  "--watch=",    "--ignore-watch=", "--debounce=", NULL
	};
	static const char *const valued[] = { "--interval",     "--debounce",     "--watch",
					      "--ignore-watch", "--graceful_ipc", NULL };
	bool changed = false;
	size_t at = c->n_env + 1;

	while (at < c->n && c->words[at][0] == '-') {
		bool takes = word_in(c->words[at], valued);

		if (!takes && !has_prefix(c->words[at], own)) {
			at++;
			continue;
		}
		command_remove(c, at, takes && at + 1 < c->n ? 2 : 1);
		changed = true;
	}
	if (file_kind(pr->root, "pnpm-lock.yaml") == FILE_REGULAR && !project_wants(pr, "ts-node"))
		return changed ? YES : NO;
	if (project_has(pr, "ts-node-dev") || project_has(pr, "ts-node")) {
		c->words[c->n_env] = "ts-node";
		return YES;
	}
	c->words[c->n_env] = "ts-node";
	return YES;
}

/* Node itself: without watching, without a debugger's port. */
static int unwrap_node(struct project *pr, struct command *c)
{
	static const char *const own[] = { "--watch", "--inspect", NULL };
	size_t at = c->n_env + 1;
	bool changed = false;

	while (at < c->n && c->words[at][0] == '-') {
		bool takes = streq(c->words[at], "--watch-path");

		changed |= forgive_env_file(pr, c, at);
		if (!has_prefix(c->words[at], own)) {
			at += command_file(c) > at + 1 && c->words[at + 1][0] != '-' ? 2 : 1;
			continue;
		}
		command_remove(c, at, takes && at + 1 < c->n ? 2 : 1);
		changed = true;
	}
	return changed ? YES : NO;
}

/* A runner that is not installed: the file is run by what is. */
static int run_otherwise(struct project *pr, struct command *c)
{
	size_t file = command_file(c);
	const char *why, *name = file ? c->words[file] : NULL;

	if (!file)
		return NO;
	command_remove(c, c->n_env, file + 1 - c->n_env);
	if (run_file(pr, c, name, &why) != 0) {
		(void)command_insert(c, c->n_env, name);
		return NO;
	}
	return YES;
}

/* "node --import tsx" is what tsx does, with one process less. */
static int unwrap_tsx(struct project *pr, struct command *c)
{
	static const char *const own[] = { "--clear-screen", "--inspect", "--no-cache", NULL };
	static const char *const valued[] = { "--ignore", "--include", "--exclude", NULL };
	size_t at = c->n_env + 1;
	int changed = NO;

	if (at < c->n && (streq(c->words[at], "watch") || streq(c->words[at], "--watch"))) {
		command_remove(c, at, 1);
		changed = YES;
	}
	while (at < c->n && (has_prefix(c->words[at], own) || word_in(c->words[at], valued))) {
		command_remove(c, at, word_in(c->words[at], valued) && at + 1 < c->n ? 2 : 1);
		changed = YES;
	}
	for (size_t i = at; i < c->n && c->words[i][0] == '-'; i++)
		changed |= forgive_env_file(pr, c, i) ? YES : NO;
	if (!project_has(pr, "tsx"))
		return run_otherwise(pr, c) ? YES : changed;
	if (at >= c->n || c->words[at][0] == '-' || *c->words[at] == RAW ||
	    (project_major(pr, "tsx") >= 0 && project_major(pr, "tsx") < 4))
		return changed;
	c->words[c->n_env] = "node";
	if (!command_insert(c, at, "tsx") || !command_insert(c, at, "--import"))
		return NO;
	return YES;
}

static int unwrap_ts_node(struct project *pr, struct command *c)
{
	if (project_has(pr, "ts-node") || project_has(pr, "ts-node-dev"))
		return NO;
	return run_otherwise(pr, c);
}

/* "tsc --watch" and other compilers: once. */
static int unwrap_watch(struct project *pr, struct command *c)
{
	static const char *const own[] = { "-w", "--watch", "--watch=true", "--preserveWatchOutput",
					   NULL };
	int changed = NO;

	(void)pr;
	for (size_t i = c->n_env + 1; i < c->n;) {
		if (word_in(c->words[i], own)) {
			command_remove(c, i, 1);
			changed = YES;
		} else {
			i++;
		}
	}
	return changed;
}

int tool_unwrap(struct project *pr, struct command *c)
{
	static const struct {
		const char *name;
		int (*unwrap)(struct project *pr, struct command *c);
	} tools[] = {
		{ "cross-env", unwrap_env },
		{ "cross-env-shell", unwrap_env },
		{ "env", unwrap_env },
		{ "exec", unwrap_first },
		{ "nohup", unwrap_first },
		{ "dotenv", unwrap_dotenv },
		{ "nodemon", unwrap_nodemon },
		{ "node-dev", unwrap_node_dev },
		{ "supervisor", unwrap_node_dev },
		{ "pm2", unwrap_keeper },
		{ "pm2-runtime", unwrap_keeper },
		{ "forever", unwrap_keeper },
		{ "ts-node-dev", unwrap_ts_node_dev },
		{ "tsnd", unwrap_ts_node_dev },
		{ "node", unwrap_node },
		{ "tsx", unwrap_tsx },
		{ "ts-node", unwrap_ts_node },
		{ "ts-node-esm", unwrap_ts_node },
		{ "tsc", unwrap_watch },
		{ "swc", unwrap_watch },
		{ "tsup", unwrap_watch },
		{ "esbuild", unwrap_watch },
		{ "rollup", unwrap_watch },
		{ "webpack", unwrap_watch },
		{ "babel", unwrap_watch },
		{ "tsc-alias", unwrap_watch },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (command_is(c, tools[i].name))
			return tools[i].unwrap(pr, c);
	return NO;
}
