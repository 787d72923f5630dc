/* SPDX-License-Identifier: MIT */

/*
 * Install scripts: programs of packages that run once the packages are there. They run in the
 * install jail, whose only way out is the registry, so a package that fetches its binaries from
 * elsewhere or has to compile is refused with its name. Most packages that have a script do not
 * need it, because their binaries are packages of the registry, too: these are in a list below.
 */

#include "deps/install-scripts.h"

#include <fcntl.h>

#include "inside/records.h"
#include "pipeline/clean.h"
#include "pipeline/log-line.h"
#include "util/util.h"

#define SCRIPTS_NAME "scripts"

/* `major`.`minor` is the first version of which it is true. */
struct unneeded {
	const char *name;
	unsigned long major, minor;
};

static const struct unneeded unneeded[] = {
	{ "esbuild", 0, 13 },
	{ "prisma", 0, 0 },
	{ "@prisma/client", 0, 0 },
	{ "@prisma/engines", 0, 0 },
	{ "core-js", 0, 0 },
	{ "core-js-pure", 0, 0 },
	{ "core-js-bundle", 0, 0 },
	{ "protobufjs", 0, 0 },
	{ "@swc/core", 0, 0 },
	{ "sharp", 0, 33 },
	{ "bcrypt", 6, 0 },
	{ "@nestjs/core", 0, 0 },
	{ "@scarf/scarf", 0, 0 },
	{ "unrs-resolver", 0, 0 },
	{ "es5-ext", 0, 0 },
	{ "@parcel/watcher", 0, 0 },
	{ "msgpackr-extract", 0, 0 },
	{ "bufferutil", 4, 0 },
	{ "utf-8-validate", 5, 0 },
	{ "argon2", 0, 41 },
	{ "styled-components", 0, 0 },
	{ "husky", 0, 0 },
	{ "@firebase/util", 0, 0 },
	{ "tesseract.js", 0, 0 },
	{ "nx", 0, 0 },
	{ "ssh2", 0, 0 },
	{ "workerd", 0, 0 },
	{ "@apollo/rover", 0, 0 },
	{ "lefthook", 0, 0 },
	{ "preact", 0, 0 },
};

/* What to do about packages that cannot be installed here. */
static const struct {
	const char *name, *say;
} advices[] = {
	{ "bcrypt", "Use bcrypt 6 (npm install bcrypt@6) or bcryptjs." },
	{ "better-sqlite3", "Use the Postgres of the challenge, or node:sqlite." },
	{ "sqlite3", "Use the Postgres of the challenge, or node:sqlite." },
	{ "canvas", "Use @napi-rs/canvas." },
	{ "puppeteer", "There is no browser here: leave it out." },
	{ "playwright", "There is no browser here: leave it out." },
	{ "cypress", "There is no browser here: leave it out." },
	{ "node-sass", "Use sass." },
	{ "argon2", "Use argon2 0.41 or later, or @node-rs/argon2." },
	{ "sharp", "Use sharp 0.33 or later." },
	{ "libpq", "Use pg." },
	{ "pg-native", "Use pg." },
	{ "mongodb-memory-server", "It fetches a database server: leave it out." },
};

struct script {
	bool optional;
	char *name, *version, *path;
};

struct scripts {
	struct script list[RECORD_MAX_SCRIPTS];
	uint32_t n;
};

static void scripts_free(struct scripts **s)
{
	for (uint32_t k = 0; *s && k < (*s)->n; k++)
		free((*s)->list[k].name); /* the others point into it */
	free(*s);
}

/* "1 @a/b@1.2.3 node_modules/@a/b" */
static int parse_script(const struct record *record, struct script *ret)
{
	char *text = record_string(record), *at, *space;

	if (!text)
		return -ENOMEM;
	space = strlen(text) > 3 ? strchr(text + 2, ' ') : NULL;
	if (space)
		*space = '\0';
	at = space ? strrchr(text + 2, '@') : NULL;
	if (!at || at == text + 2 || !path_is_clean(space + 1, strlen(space + 1))) {
		free(text);
		return -EBADMSG;
	}
	*at = '\0';
	ret->optional = text[0] == '1';
	ret->version = at + 1;
	ret->path = space + 1;
	/* `text` stays the beginning of the allocation. */
	memmove(text, text + 2, strlen(text + 2) + 1);
	ret->name = text;
	return 0;
}

static int parse_scripts(const char *bytes, size_t size, struct scripts *ret)
{
	struct records_reader reader;
	struct record record;
	int r = records_init(&reader, bytes, size);

	while (r >= 0 && (r = records_next(&reader, &record)) > 0) {
		if (record.tag != RECORD_SCRIPT || ret->n == ARRAY_SIZE(ret->list))
			return -EBADMSG;
		r = parse_script(&record, &ret->list[ret->n]);
		if (r == 0)
			ret->n++;
	}
	return r;
}

static int exec_inside(struct install *i, const char *const *argv, int records,
		       struct sbx_result *ret)
{
	_cleanup_(words_done) struct words env = {};
	struct sbx_fd fd = { records, 3, 0 };
	struct sbx_exec e = { .path = INSIDE_PATH,
			      .argv = argv,
			      .env = env.list,
			      .cwd = "/app",
			      .fds = &fd,
			      .n_fds = records >= 0,
			      .wall_ns = i->in->wall_ns };
	int r = manager_environment(i->manager, &i->registry, &env);

	if (r == 0)
		r = words_print(&env, "npm_config_registry=%s", i->registry.url);
	if (r < 0)
		return job_fail(i->job, r, "deps", "out of memory");
	return install_exec(i, &e, ret);
}

static int list_scripts(struct install *i, struct scripts *ret)
{
	static const char *const argv[] = { "sandbox-inside", "scripts", NULL };
	_cleanup_close_ int records = job_memfd(i->job, "scripts");
	_cleanup_free_ char *bytes = NULL;
	struct sbx_result result;
	size_t size = 0;
	int r;

	if (records < 0)
		return records;
	r = exec_inside(i, argv, records, &result);
	if (r < 0)
		return r;
	if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 1)
		return job_verdict(i->job, VERDICT_CE,
				   "More than %u of the packages have install scripts: remove "
				   "dependencies that the server does not use.",
				   RECORD_MAX_SCRIPTS);
	bytes = job_read_fd(records, RECORDS_MAX_BYTES + 1, &size);
	r = bytes ? parse_scripts(bytes, size, ret) : -ENOMEM;
	if (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0 || r < 0)
		return job_fail(
			i->job, r < 0 ? r : -EIO, "deps",
			"the packages with install scripts cannot be listed (%d, verdict %d)",
			result.exit_code, result.verdict);
	return 0;
}

static bool is_unneeded(const struct script *s)
{
	char *rest;
	unsigned long major = strtoul(s->version, &rest, 10);
	unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;

	for (size_t k = 0; k < ARRAY_SIZE(unneeded); k++) {
		const struct unneeded *u = &unneeded[k];

		if (streq(u->name, s->name))
			return major > u->major || (major == u->major && minor >= u->minor);
	}
	return false;
}

/* The folder must have that name, too: a package says itself what it is called. */
static bool is_listed(const struct challenge_scripts *c, const struct script *s)
{
	size_t path = strlen(s->path), name = strlen(s->name);

	if (path <= name || s->path[path - name - 1] != '/' ||
	    !streq(s->path + path - name, s->name))
		return false;
	for (char **p = c->packages; p && *p; p++)
		if (streq(*p, s->name))
			return true;
	return false;
}

/* Listed by hand, even one that we think unneeded is run. */
static bool is_wanted(const struct challenge_scripts *c, const struct script *s)
{
	if (!c || c->kind == SCRIPTS_AUTO)
		return !is_unneeded(s);
	return c->kind == SCRIPTS_LISTED && is_listed(c, s);
}

static const char *advice(const char *name)
{
	for (size_t k = 0; k < ARRAY_SIZE(advices); k++)
		if (streq(advices[k].name, name))
			return advices[k].say;
	return "Use another package, or a version that brings its binary along.";
}

/* The host that the script could not find, or NULL. Cleaned, the caller's. */
static char *host_in(const char *log)
{
	static const char *const marks[] = { "getaddrinfo ENOTFOUND ", "getaddrinfo EAI_AGAIN ",
					     "Could not resolve host: ",
					     "unable to resolve host address " };
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	for (size_t k = 0; k < ARRAY_SIZE(marks); k++) {
		const char *at = strstr(log, marks[k]);
		size_t n = at ? strspn(at + strlen(marks[k]), name) : 0;

		if (n > 0)
			return clean_line(at + strlen(marks[k]), MIN_OF(n, 200), 200);
	}
	return NULL;
}

static bool wants_compiler(const char *log)
{
	static const char *const marks[] = { "gyp ERR!", "node-gyp",    "make: not found", "cmake",
					     "g++",      "find Python", "detect compiler" };

	for (size_t k = 0; k < ARRAY_SIZE(marks); k++)
		if (strstr(log, marks[k]))
			return true;
	return false;
}

static int script_verdict(struct install *i, const struct script *s, const char *log)
{
	_cleanup_free_ char *host = host_in(log);
	char line[LOG_LINE];

	if (host)
		return job_verdict(i->job, VERDICT_CE,
				   "The package %s %s cannot be installed: its install script "
				   "asks for the host %s, and an install here reaches only the npm "
				   "registry. %s",
				   s->name, s->version, host, advice(s->name));
	if (wants_compiler(log))
		return job_verdict(i->job, VERDICT_CE,
				   "The package %s %s cannot be installed: it has to be compiled, "
				   "and there is no compiler here. %s",
				   s->name, s->version, advice(s->name));
	log_error_line(log, strlen(log), line);
	return job_verdict(i->job, VERDICT_CE, "The install script of the package %s %s failed: %s",
			   s->name, s->version, line);
}

static int run_script(struct install *i, const struct script *s)
{
	const char *const argv[] = { "sandbox-inside", "script", s->path, NULL };
	_cleanup_free_ char *log = NULL;
	struct sbx_result result;
	size_t size = 0;
	int r = exec_inside(i, argv, -1, &result);

	if (r < 0)
		return r;
	if (result.verdict == SBX_VERDICT_EXITED && result.exit_code == 0)
		return 0;
	log = job_read_fd(i->log, 2 * INSTALL_OUTPUT_MAX, &size);
	if (!log)
		return job_fail(i->job, -ENOMEM, "deps", "out of memory");
	if (s->optional) {
		job_note(i->job,
			 "The install script of %s %s failed; other packages can do without it.",
			 s->name, s->version);
		return 0;
	}
	if (result.verdict != SBX_VERDICT_EXITED)
		return job_verdict(i->job, VERDICT_CE,
				   "The install script of the package %s %s was ended: it took too "
				   "long, or more memory or disk than an install may have.",
				   s->name, s->version);
	return script_verdict(i, s, log);
}

static int note_ran(struct install *i, struct store_entry *entry, const struct script *s)
{
	_cleanup_close_ int fd = openat(entry->dir, SCRIPTS_NAME,
					O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
					0644);

	i->scripts_ran = true;
	if (fd < 0 || dprintf(fd, "%s@%s\n", s->name, s->version) < 0)
		return job_fail(i->job, -EIO, "store", "cannot write to the entry: %m");
	return 0;
}

int install_scripts(struct install *i, struct store_entry *entry)
{
	const struct challenge_scripts *c = i->in->scripts;
	_cleanup_(scripts_free) struct scripts *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return job_fail(i->job, -ENOMEM, "deps", "out of memory");
	r = list_scripts(i, s);
	for (uint32_t k = 0; k < s->n && r == 0; k++) {
		if (!is_wanted(c, &s->list[k])) {
			if (c && c->kind != SCRIPTS_AUTO && !is_unneeded(&s->list[k]))
				job_note(i->job,
					 "The challenge does not let %s run its install script.",
					 s->list[k].name);
			continue;
		}
		r = note_ran(i, entry, &s->list[k]);
		if (r == 0)
			r = run_script(i, &s->list[k]);
	}
	return r;
}
