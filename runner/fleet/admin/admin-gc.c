/* SPDX-License-Identifier: MIT */

/*
 * admin gc: removes what no job needs any more, in Redis, on the server of the students' databases,
 * and on this host. Workers clean up behind themselves and behind dead ones; this is for what none
 * of them meets, and for a look at what there is.
 */

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "database/keeper.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/gc.h"
#include "pipeline/settings.h"
#include "pipeline/units.h"
#include "util/util.h"

#define OLDER_BY_DEFAULT (30 * 86400ull)

void gc_tell(struct gc *g, const char *place, const char *what, uint64_t n, uint64_t bytes,
	     const char *sentence)
{
	const char *rest = strstr(sentence, "%s");
	char size[UNITS_TEXT];
	cJSON *o;

	g->found += n;
	g->bytes += bytes;
	if (g->items) {
		o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "place", place);
		cJSON_AddStringToObject(o, "what", what);
		admin_put(o, "n", n);
		admin_put(o, "bytes", bytes);
		cJSON_AddItemToArray(g->items, o);
		return;
	}
	if (n == 0)
		return;
	printf("%-9s %6" PRIu64 " %.*s%s%s", place, n,
	       (int)(rest ? rest - sentence : (ptrdiff_t)strlen(sentence)), sentence,
	       rest && n != 1 ? "s" : "", rest ? rest + 2 : "");
	if (bytes)
		printf(", %s", units_size(size, bytes));
	putchar('\n');
}

void gc_note(struct gc *g, const char *fmt, ...)
{
	va_list args;

	if (g->items)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

void gc_failed(struct gc *g, const char *place, const struct sbx_error *err)
{
	g->failed = true;
	(void)admin_complain(g->a, EXIT_INFRASTRUCTURE, "%s: %s%s%s", place, err->item,
			     *err->item ? ": " : "", *err->text ? err->text : strerror(-err->code));
}

static void gc_queue(struct gc *g)
{
	struct queue *q = admin_queue(g->a);
	struct queue_gc n = { 0 };

	if (!q || queue_gc(q, g->older_s * 1000, g->dry, &n, &g->a->err) < 0) {
		g->failed = true;
		(void)(q ? admin_failed(g->a) : 0);
		return;
	}
	gc_tell(g, "queue", "results", n.results, 0, "old event%s in the stream of results");
	gc_tell(g, "queue", "dead", n.dead, 0, "old dead letter%s");
	gc_tell(g, "queue", "strays", n.strays, 0, "place%s of submissions that are not there");
	gc_tell(g, "queue", "lost", n.lost, 0,
		"submission%s that stood nowhere and would have waited for ever");
	gc_tell(g, "queue", "students", n.students, 0,
		"student%s of whom a wrong number was said to wait or run");
	gc_tell(g, "queue", "unheard", n.unheard, 0,
		"result%s kept to be published, of submissions that are not there");
}

/* --------------------------------------------------------------- databases */

static void name_swept(const char *name, void *data)
{
	(void)data;
	if (!admin_opt.json)
		gc_note(data, "          %.60s", name);
}

static void gc_databases(struct gc *g)
{
	const struct fleet_config *c = &g->a->config;
	struct keeper_options o = { .url = c->database.url,
				    .shared = c->database.isolation ? c->database.shared : NULL,
				    .template = c->database.template,
				    .temp_file_limit = c->database.temp_file_limit,
				    .connections = (uint32_t)c->database.connections };
	struct settings settings = { 0 };
	struct sbx_error *err = &g->a->err;
	int n = settings_find(&settings, c->store, err);

	o.program = settings.keeper;
	if (n == 0)
		n = keeper_sweep(&o, g->dry, name_swept, g, err);
	if (n < 0)
		gc_failed(g, "databases", err);
	else
		gc_tell(g, "databases", "databases", (uint64_t)n, 0,
			"role%s with a database of a worker that is gone");
	settings_done(&settings);
}

/* -------------------------------------------------------------------- verb */

static const struct part {
	const char *name;
	void (*run)(struct gc *g);
} parts[] = {
	{ "queue", gc_queue },
	{ "databases", gc_databases },
	{ "host", gc_host },
	{ "store", gc_store },
};

static bool is_meant(const struct part *p, const struct gc *g, int argc, char **argv)
{
	const struct fleet_config *c = &g->a->config;

	for (int i = 0; i < argc; i++) {
		if (streq(argv[i], p->name))
			return true;
	}
	if (argc > 0)
		return false;
	return p->run != gc_databases ||
	       (c->database.provider == DATABASE_SERVER && c->database.url);
}

static int check_parts(const struct admin *a, int argc, char **argv)
{
	const char *names[ARRAY_SIZE(parts) + 1] = { NULL }, *near;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		names[i] = parts[i].name;
	for (int i = 0; i < argc; i++) {
		bool known = false;

		for (size_t k = 0; names[k]; k++)
			known |= streq(argv[i], names[k]);
		near = suggest(argv[i], names);
		if (!known)
			return usage_error(
				"admin",
				"gc takes queue, databases, host and store, not \"%.40s\"%s%s%s",
				argv[i], near ? "; did you mean " : "", near ? near : "",
				near ? "?" : "");
		if (streq(argv[i], "databases") && !a->config.database.url)
			return admin_complain(a, EXIT_USAGE,
					      "gc databases: \"database\": { \"url\" } is not "
					      "configured; databases of submissions in jails of "
					      "their own leave nothing");
	}
	return EXIT_OK;
}

static int conclude(struct gc *g)
{
	char size[UNITS_TEXT];
	cJSON *root;
	int code = EXIT_OK;

	if (g->items) {
		root = cJSON_CreateObject();
		cJSON_AddBoolToObject(root, "dry_run", g->dry);
		cJSON_AddItemToObject(root, "items", g->items);
		code = admin_print_json(root);
	} else if (g->found == 0 && !g->failed) {
		printf("there is nothing to be removed\n");
	} else if (g->found > 0) {
		printf("%s%s%s%s\n", g->dry ? "would be removed" : "removed", g->bytes ? ": " : "",
		       g->bytes ? units_size(size, g->bytes) : "",
		       g->dry ? "; nothing was changed (--dry-run)" : "");
	}
	return g->failed ? EXIT_INFRASTRUCTURE : code;
}

int admin_gc(struct admin *a, int argc, char **argv)
{
	struct gc g = { .a = a, .dry = admin_opt.dry_run, .older_s = OLDER_BY_DEFAULT };
	const char *why;
	int code = check_parts(a, argc, argv);

	if (code != EXIT_OK)
		return code;
	if (admin_opt.older && parse_age(admin_opt.older, &g.older_s, &why) < 0)
		return usage_error("admin", "--older-than: \"%.40s\" %s", admin_opt.older, why);
	g.items = admin_opt.json ? cJSON_CreateArray() : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (is_meant(&parts[i], &g, argc, argv))
			parts[i].run(&g);
	}
	return conclude(&g);
}
