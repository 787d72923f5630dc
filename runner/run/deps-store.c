/* SPDX-License-Identifier: MIT */

/* deps ls, verify and gc. */

#include "run/deps.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "pipeline/clean.h"
#include "pipeline/units.h"
#include "store/tarballs.h"
#include "util/util.h"

#define opt deps_options
#define KEY_SHOWN 12

/* ------------------------------------------------------------------------------- ls */

struct listing {
	json_t *json; /* NULL: for people */
	uint64_t share;
	int n;
};

static void age(char out[UNITS_TEXT], time_t used)
{
	time_t seconds = time(NULL) - used;

	if (seconds < 120)
		snprintf(out, UNITS_TEXT, "%llds", (long long)MAX_OF(seconds, 0));
	else if (seconds < 2 * 3600)
		snprintf(out, UNITS_TEXT, "%lldm", (long long)seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(out, UNITS_TEXT, "%lldh", (long long)seconds / 3600);
	else
		snprintf(out, UNITS_TEXT, "%lldd", (long long)seconds / 86400);
}

static void list_json(struct listing *l, const struct store_fact *f)
{
	char used[32];
	struct tm tm;

	(void)strftime(used, sizeof(used), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&f->used, &tm));
	(void)json_array_append_new(
		l->json,
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:b}", "kind", f->kind, "key",
			  f->key, "what", f->label, "files", (json_int_t)f->sum.files, "bytes",
			  (json_int_t)f->sum.bytes, "disk", (json_int_t)f->sum.disk, "own",
			  (json_int_t)f->sum.own, "last_used", used, "broken", (int)f->broken));
}

static void list_one(void *data, const struct store_fact *f)
{
	struct listing *l = data;
	char size[UNITS_TEXT], own[UNITS_TEXT], used[UNITS_TEXT];

	l->n++;
	l->share += f->sum.share;
	if (l->json) {
		list_json(l, f);
		return;
	}
	age(used, f->used);
	printf("%-9s %-*.*s %10s %10s %7llu %6s  %s\n", f->kind, KEY_SHOWN, KEY_SHOWN, f->key,
	       units_size(size, f->sum.bytes), units_size(own, f->sum.own),
	       (unsigned long long)f->sum.files, used,
	       f->broken ? "(no valid record: not used)" : f->label);
}

static int write_json(json_t *json)
{
	const char *name = opt.json.value;
	FILE *f = name && !streq(name, "-") ? fopen(name, "we") : stdout;
	int r = f ? json_dumpf(json, f, JSON_INDENT(2)) : -1;

	if (r == 0 && fputc('\n', f) == EOF)
		r = -1;
	if (f && f != stdout && fclose(f) != 0)
		r = -1;
	json_decref(json);
	return r == 0 ? EXIT_OK : deps_complain("%s: %s", name ? name : "stdout", strerror(errno));
}

int deps_list(struct store *s)
{
	struct listing l = { .json = opt.json.given ? json_array() : NULL };
	struct tree_sum tarballs = {};
	char disk[UNITS_TEXT], cache[UNITS_TEXT];
	int r;

	if (!l.json)
		printf("%-9s %-*s %10s %10s %7s %6s  %s\n", "kind", KEY_SHOWN, "key", "size",
		       "alone", "files", "used", "what");
	r = store_list(s, list_one, &l);
	if (r >= 0)
		r = tarballs_sum(s, &tarballs);
	if (r < 0) {
		json_decref(l.json);
		return deps_complain("the store cannot be read: %s", strerror(-r));
	}
	if (l.json)
		return write_json(l.json);
	printf("%d entr%s, %s on the disk; %llu tarballs, %s\n", l.n, l.n == 1 ? "y" : "ies",
	       units_size(disk, l.share), (unsigned long long)tarballs.files,
	       units_size(cache, tarballs.disk));
	return EXIT_OK;
}

/* --------------------------------------------------------------------------- verify */

static void show_fault(void *data, const struct store_fault *f)
{
	/* A name in it is a package's. */
	_cleanup_free_ char *path = clean_line(f->path, strlen(f->path), CLEAN_LINE);
	bool inside = path && *path;

	(void)data;
	printf("%s %.*s: %s%s%s%s\n", f->kind, KEY_SHOWN, f->key, inside ? path : "",
	       inside ? " " : "", f->what,
	       f->removed   ? "; removed"
	       : opt.repair ? "; in use, not removed"
			    : "");
}

int deps_verify(struct store *s)
{
	int checked = 0, tarballs = 0;
	int bad = store_verify(s, opt.repair, show_fault, NULL, &checked);
	int more = bad < 0 ? bad : tarballs_verify(s, opt.repair, show_fault, NULL, &tarballs);

	if (more < 0)
		return deps_complain("the store cannot be read: %s", strerror(-more));
	bad += more;
	if (!opt.quiet)
		printf("%d entr%s and %d tarball%s checked, %d damaged%s\n", checked,
		       checked == 1 ? "y" : "ies", tarballs, tarballs == 1 ? "" : "s", bad,
		       bad && !opt.repair ? " (--repair removes them)" : "");
	return bad ? EXIT_FAILED : EXIT_OK;
}

/* ------------------------------------------------------------------------------- gc */

static int share_files(struct store *s)
{
	struct store_saved saved = {};
	char size[UNITS_TEXT];
	int r = store_dedupe(s, &saved);

	if (r < 0)
		return deps_complain("the files of the store cannot be shared: %s", strerror(-r));
	printf("shared: %llu files of %d entr%s, %s freed", (unsigned long long)saved.files,
	       saved.entries, saved.entries == 1 ? "y" : "ies", units_size(size, saved.bytes));
	if (saved.busy)
		printf(" (%d in use left as they are)", saved.busy);
	putchar('\n');
	return EXIT_OK;
}

int deps_gc(struct store *s)
{
	uint64_t cap = opt.cap.text ? opt.cap.value : UINT64_MAX, left = 0, tarballs = 0;
	char size[UNITS_TEXT], cache[UNITS_TEXT];
	time_t before = 0;
	int r = 0;

	/* First: what is shared need not be evicted to get below the cap. */
	if (opt.dedupe && share_files(s) != EXIT_OK)
		return EXIT_INFRASTRUCTURE;
	if (!opt.older && !opt.cap.text)
		return EXIT_OK;
	if (opt.older)
		before = time(NULL) - (time_t)opt.older_seconds;
	if (opt.older)
		r = store_expire(s, before, false, NULL);
	if (r >= 0)
		r = tarballs_trim(s, cap / TARBALLS_SHARE, before, &tarballs);
	if (r >= 0)
		r = store_trim(s, cap - MIN_OF(cap, tarballs), &left);
	if (r < 0)
		return deps_complain("the store cannot be trimmed: %s", strerror(-r));
	printf("left: entries %s, tarballs %s%s\n", units_size(size, left),
	       units_size(cache, tarballs),
	       left > cap ? " (what is in use cannot be evicted)" : "");
	return EXIT_OK;
}
