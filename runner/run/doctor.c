/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run doctor: the library's view of the host (sbx_probe) and what the commands need
 * besides. Nothing is changed: a repair is a command that the operator reads before running it.
 */

#include "cli/options.h"
#include "database/keeper.h"
#include "deps/toolchain.h"
#include "run/run.h"
#include "pipeline/settings.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <util/util.h>

#define CHECKS_MAX 96
#define ENOUGH_SPACE (2ull << 30)
#define ENOUGH_INODES 200000ull
#define ENOUGH_MEMORY_KB (1024ull * 1024)

static struct {
	const char *store, *database, *shared;
	struct option_optional json;
	enum color color;
	bool quiet;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_STRING, 0, "store", "DIR", &opt.store,
	  "where runtimes and dependencies are kept (default: $SANDBOX_STORE, " SETTINGS_STORE_HELP
	  ")" },
	{ OPTION_STRING, 0, "database", "URL", &opt.database,
	  "look at this server, too, as for grade: makes a database there and drops it" },
	{ OPTION_STRING, 0, "database-shared", "NAME", &opt.shared,
	  "with schemas in this database instead" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &opt.json, "all checks as JSON, to FILE or stdout" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "only what does not pass" },
	{ OPTION_COLOR, 0, "color", "WHEN", &opt.color, "auto, always or never" },
	{ OPTION_END },
};

static const struct command command = {
	.name = "doctor",
	.synopsis = "doctor [OPTIONS]",
	.summary = "Says what this host has and lacks for jails and for judging submissions, what\n"
		   "breaks without it, and the command that repairs it. Changes nothing.",
	.examples = "  sandbox-run doctor\n"
		    "  sandbox-run doctor --quiet\n"
		    "  sandbox-run doctor --json | jq '.checks[] | select(.status != \"pass\")'",
	.epilog = "Exit codes:\n"
		  "  0  nothing fails (there may be warnings)\n"
		  "  1  something fails: no jail, or as root none with limits, can be made\n"
		  "  2  the command line is wrong",
	.options = specs,
};

struct report {
	struct sbx_check checks[CHECKS_MAX];
	uint32_t n;
};

/* `breaks` and `remedy` may be NULL. */
__attribute__((format(printf, 6, 7))) static void add(struct report *r, int status,
						      const char *name, const char *breaks,
						      const char *remedy, const char *fmt, ...)
{
	struct sbx_check *c;
	va_list ap;

	if (r->n == CHECKS_MAX)
		return;
	c = &r->checks[r->n++];
	memset(c, 0, sizeof(*c));
	c->status = status;
	copy_string(c->name, sizeof(c->name), name);
	copy_string(c->breaks, sizeof(c->breaks), breaks ? breaks : "");
	copy_string(c->remedy, sizeof(c->remedy), remedy ? remedy : "");
	va_start(ap, fmt);
	(void)vsnprintf(c->found, sizeof(c->found), fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------------- installation */

static void check_inside(struct report *r, const struct settings *s)
{
	static const char *const siblings[] = { "", "-test", "-migrate", "-database", "-relay" };
	static const char breaks[] = "grade cannot unpack, migrate or test";
	static const char remedy[] = "meson compile -C BUILD, or meson install -C BUILD";
	char path[4096];

	for (size_t i = 0; i < ARRAY_SIZE(siblings); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", s->inside, siblings[i]);
		if (access(path, X_OK) == 0)
			continue;
		add(r, SBX_CHECK_FAIL, "sandbox-inside", breaks, remedy,
		    "sandbox-inside%s: %s: %.60s", siblings[i], strerror(errno), path);
		return;
	}
	add(r, SBX_CHECK_PASS, "sandbox-inside", NULL, NULL, "%.90s", s->inside);
}

/* The directory of `path` that exists, nearest to it. */
static void nearest_existing(const char *path, char *ret, size_t size)
{
	char *slash;

	(void)snprintf(ret, size, "%s", path);
	while (ret[0] && ret[1] && access(ret, F_OK) < 0 && (slash = strrchr(ret, '/')))
		*(slash == ret ? slash + 1 : slash) = '\0';
}

static void check_store_space(struct report *r, const char *dir)
{
	static const char breaks[] = "installs of dependencies fail half way";
	struct statvfs v;
	uint64_t bytes;

	if (statvfs(dir, &v) < 0) {
		add(r, SBX_CHECK_WARN, "store-space", breaks, "choose another --store", "%.40s: %s",
		    dir, strerror(errno));
		return;
	}
	bytes = (uint64_t)v.f_bavail * v.f_frsize;
	/* f_files is 0 on file systems without a table of inodes (btrfs). */
	if (bytes < ENOUGH_SPACE || (v.f_files && v.f_favail < ENOUGH_INODES))
		add(r, SBX_CHECK_WARN, "store-space", breaks,
		    "free space there, or choose another disk with --store or $SANDBOX_STORE",
		    "%.1f GiB and %llu inodes are free", (double)bytes / (1ull << 30),
		    (unsigned long long)v.f_favail);
	else
		add(r, SBX_CHECK_PASS, "store-space", NULL, NULL,
		    "%.1f GiB and %llu inodes are free", (double)bytes / (1ull << 30),
		    (unsigned long long)v.f_favail);
}

/* An ordinary user who only wants exec needs none: no failure then. */
static void check_store(struct report *r, const struct settings *s)
{
	static const char breaks[] = "grade has no place for runtimes and dependencies";
	int failed = geteuid() == 0 ? SBX_CHECK_FAIL : SBX_CHECK_WARN;
	char dir[4096], remedy[160];
	struct stat st;

	nearest_existing(s->store_dir, dir, sizeof(dir));
	if (geteuid() == 0)
		(void)snprintf(remedy, sizeof(remedy), "install -d -m 0700 -o root %.120s",
			       s->store_dir);
	else
		(void)snprintf(remedy, sizeof(remedy),
			       "name a directory of your own with --store or $SANDBOX_STORE");
	if (access(dir, W_OK | X_OK) < 0 || stat(dir, &st) < 0)
		add(r, failed, "store", breaks, remedy, "%.60s: %s", dir, strerror(errno));
	else if (streq(dir, s->store_dir) &&
		 (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)))
		add(r, failed, "store", "others could change what submissions are run with", remedy,
		    "%.50s: uid %u, mode %04o", dir, (unsigned int)st.st_uid, st.st_mode & 07777);
	else
		add(r, SBX_CHECK_PASS, "store", NULL, NULL, "%.70s%s", s->store_dir,
		    streq(dir, s->store_dir) ? "" : " will be made");
	check_store_space(r, dir);
}

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		size_t len = strcspn(path, ":");

		(void)snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, name);
		if (len && access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void check_node(struct report *r, const struct settings *s)
{
	static const char breaks[] = "grade refuses every submission";
	struct toolchain t = { 0 };
	struct sbx_error err = { 0 };
	char remedy[160];
	bool npm = in_path("npm");

	if (toolchain_find(&t, s->store_dir, &err) >= 0) {
		add(r, SBX_CHECK_PASS, "node", NULL, NULL, "Node %s with npm %s", t.node_version,
		    t.npm_version);
		toolchain_done(&t);
		return;
	}
	if (err.code == -EACCES) {
		add(r, SBX_CHECK_WARN, "node", breaks, "see store", "the store cannot be read");
		return;
	}
	(void)snprintf(remedy, sizeof(remedy), "%srunner/toolchain/install.sh %.100s",
		       npm ? "" : "apt-get install npm && ", s->store_dir);
	add(r, SBX_CHECK_WARN, "node", breaks, remedy, "%s",
	    err.code == -ENOENT ? "the store has no Node runtime"
				: "the store's Node runtime is damaged");
	if (npm)
		add(r, SBX_CHECK_PASS, "npm", NULL, NULL, "in PATH; it installs the store's own");
	else
		add(r, SBX_CHECK_WARN, "npm", "the store's Node runtime cannot be installed",
		    "apt-get install npm", "not in PATH");
}

static void check_postgres(struct report *r, const struct settings *s)
{
	const char *named = getenv("SANDBOX_POSTGRES_DIR");

	if (s->postgres_dir)
		add(r, SBX_CHECK_PASS, "postgres", NULL, NULL, "%.90s", s->postgres_dir);
	else if (named && *named)
		add(r, SBX_CHECK_WARN, "postgres", "challenges with a database cannot be judged",
		    "point $SANDBOX_POSTGRES_DIR to the directory of postgres and initdb",
		    "$SANDBOX_POSTGRES_DIR has no server: %.40s", named);
	else
		add(r, SBX_CHECK_WARN, "postgres", "challenges with a database cannot be judged",
		    "apt-get install postgresql (no cluster is needed: create_main_cluster = "
		    "false)",
		    "no server is installed");
}

static void check_memory(struct report *r)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kb = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kb) == 1)
			break;
	if (kb >= ENOUGH_MEMORY_KB)
		add(r, SBX_CHECK_PASS, "memory", NULL, NULL, "%.1f GiB available",
		    (double)kb / (1024 * 1024));
	else
		add(r, SBX_CHECK_WARN, "memory",
		    "a submission's default limits (1 GiB with its database and disk) exceed the "
		    "host",
		    "stop something, or lower \"memory\" in challenge.json", "%.1f GiB available",
		    (double)kb / (1024 * 1024));
}

static void check_database_server(struct report *r, const struct settings *s)
{
	const struct keeper_options o = { .program = s->keeper,
					  .url = opt.database,
					  .shared = opt.shared };
	struct sbx_error err = { 0 };
	int n;

	if (!opt.database || r->n + KEEPER_CHECKS_MAX > CHECKS_MAX)
		return;
	n = keeper_check(&o, r->checks + r->n, &err);
	if (n > 0)
		r->n += (uint32_t)n;
	else
		add(r, SBX_CHECK_FAIL, "database server",
		    "challenges with a database cannot be judged", "meson install", "%.90s",
		    n < 0 ? err.text : "sandbox-keeper says nothing");
}

static void examine(struct report *r)
{
	struct settings settings = { 0 };
	struct sbx_error err = { 0 };
	int n = sbx_probe(r->checks, CHECKS_MAX);

	r->n = n < CHECKS_MAX ? (uint32_t)n : CHECKS_MAX;
	check_memory(r);
	if (settings_find(&settings, opt.store, &err) < 0) {
		add(r, SBX_CHECK_FAIL, "policies", "no command that makes jails works", err.text,
		    "%.80s", err.item);
		return;
	}
	add(r, SBX_CHECK_PASS, "policies", NULL, NULL, "%.90s", settings.policy_dir);
	check_inside(r, &settings);
	check_store(r, &settings);
	check_node(r, &settings);
	check_postgres(r, &settings);
	check_database_server(r, &settings);
	settings_done(&settings);
}

/* ------------------------------------------------------------------ output */

static uint32_t count(const struct report *r, int status)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->checks[i].status == status;
	return n;
}

static bool passes(const struct report *r, const char *name)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (streq(r->checks[i].name, name))
			return r->checks[i].status == SBX_CHECK_PASS;
	return false;
}

/* What all that comes to, for who reads the last line only. */
static void print_conclusion(const struct report *r)
{
	bool memory = passes(r, "cgroup-memory"), cpu = passes(r, "cgroup-cpu");

	if (count(r, SBX_CHECK_FAIL))
		printf("Repair what fails before anything is run here.\n");
	else if (memory && cpu)
		printf("Jails and all of their limits work for uid %u.\n", (unsigned int)geteuid());
	else
		printf("Jails work for uid %u, but no limit of %s can be enforced for it.\n",
		       (unsigned int)geteuid(),
		       !memory && !cpu ? "memory or processors"
		       : !memory       ? "memory"
				       : "processors");
}

static void print_table(const struct report *r)
{
	static const char *const words[] = { "PASS", "WARN", "FAIL" };
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	bool color = color_wanted(opt.color, STDOUT_FILENO);

	for (uint32_t i = 0; i < r->n; i++) {
		const struct sbx_check *c = &r->checks[i];
		int s = c->status >= 0 && c->status <= 2 ? c->status : SBX_CHECK_FAIL;

		if (opt.quiet && s == SBX_CHECK_PASS)
			continue;
		printf("%s%s%s  %-17s  %s\n", color ? colors[s] : "", words[s],
		       color ? "\033[0m" : "", c->name, c->found);
		if (s == SBX_CHECK_PASS)
			continue;
		printf("      %-17s  %s\n", "without it", c->breaks);
		printf("      %-17s  %s\n", "repair", c->remedy);
	}
	printf("%s%u checks: %u passed, %u warnings, %u failures\n", opt.quiet ? "" : "\n", r->n,
	       count(r, SBX_CHECK_PASS), count(r, SBX_CHECK_WARN), count(r, SBX_CHECK_FAIL));
	print_conclusion(r);
}

static int print_json(const struct report *r)
{
	static const char *const words[] = { "pass", "warn", "fail" };
	const char *path = opt.json.value;
	_cleanup_fclose_ FILE *file = NULL;
	cJSON *o = cJSON_CreateObject(), *list, *c;
	char *text;
	bool ok;

	(void)cJSON_AddStringToObject(o, "schema", "sandbox-doctor/1");
	(void)cJSON_AddStringToObject(o, "version", sbx_version());
	(void)cJSON_AddNumberToObject(o, "uid", geteuid());
	(void)cJSON_AddBoolToObject(o, "ok", count(r, SBX_CHECK_FAIL) == 0);
	list = cJSON_AddArrayToObject(o, "checks");
	for (uint32_t i = 0; i < r->n; i++) {
		c = cJSON_CreateObject();
		(void)cJSON_AddStringToObject(c, "name", r->checks[i].name);
		(void)cJSON_AddStringToObject(c, "status", words[r->checks[i].status % 3]);
		(void)cJSON_AddStringToObject(c, "found", r->checks[i].found);
		(void)cJSON_AddStringToObject(c, "breaks", r->checks[i].breaks);
		(void)cJSON_AddStringToObject(c, "remedy", r->checks[i].remedy);
		(void)cJSON_AddItemToArray(list, c);
	}
	text = cJSON_Print(o);
	cJSON_Delete(o);
	if (!text)
		return -ENOMEM;
	file = path && !streq(path, "-") ? fopen(path, "we") : NULL;
	ok = (!path || streq(path, "-") || file) &&
	     fprintf(file ? file : stdout, "%s\n", text) > 0 && fflush(file ? file : stdout) == 0;
	free(text);
	return ok ? 0 : -errno;
}

int cmd_doctor(int argc, char **argv)
{
	struct report report = { .n = 0 };
	int n, r, code = options_read(&command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n > 0)
		return usage_error("doctor", "takes no arguments; \"%.64s\" is one too many",
				   argv[0]);
	examine(&report);
	if (opt.json.given) {
		r = print_json(&report);
		if (r < 0) {
			fprintf(stderr, "sandbox-run doctor: --json: %s\n", strerror(-r));
			return EXIT_USAGE;
		}
	}
	if (!opt.json.given || (opt.json.value && !streq(opt.json.value, "-")))
		print_table(&report);
	return count(&report, SBX_CHECK_FAIL) ? EXIT_FAILED : EXIT_OK;
}
