/* SPDX-License-Identifier: MIT */

/*
 * What is kept of a run: one result per submission, under its own name only when it is whole. A
 * result holds the hashes of the archive and of the challenge that it is about; a run that finds
 * both unchanged does not judge again. Failures of ours are no results.
 */

#include <fcntl.h>

#include "pipeline/clean.h"
#include "report/result.h"
#include "run/grade-all.h"
#include "run/tree-hash.h"
#include "util/util.h"

#define SAID_MAX 4096

static char *path_of(const struct grades *g, const char *prefix, const char *name)
{
	char *ret = NULL;

	return asprintf(&ret, "%s/%s%s", g->out, prefix, name) < 0 ? NULL : ret;
}

char *entry_temporary(const struct grades *g, const struct entry *e)
{
	return path_of(g, ".run-", e->file);
}

static double stage_ms(const struct result *v, const char *name)
{
	for (uint32_t i = 0; i < v->n_stages; i++) {
		if (streq(v->stages[i].name, name))
			return v->stages[i].wall_ms;
	}
	return 0;
}

static void take(struct grades *g, struct entry *e, const struct result *v)
{
	e->state = ENTRY_DONE;
	copy_string(e->verdict, sizeof(e->verdict), v->verdict);
	free(e->reason);
	e->reason = clean_line(v->reason, strlen(v->reason), CLEAN_LINE);
	e->passed = v->passed;
	e->total = v->total;
	e->score = v->score;
	e->max_score = v->max_score;
	e->tests_ms = stage_ms(v, "test");
	e->wall_ms = v->wall_ms;
	g->done++;
}

static bool same(const struct result *v, const char *key, const char *hash)
{
	const char *kept = result_string(v, NULL, key);

	return kept && *hash && streq(kept, hash);
}

bool entry_take_kept(struct grades *g, struct entry *e, bool again)
{
	_cleanup_(result_freep) struct result *v = NULL;
	_cleanup_free_ char *path = path_of(g, "", e->file);
	char why[RESULT_WHY];

	if (tree_hash(e->path, e->hash) < 0)
		e->hash[0] = '\0';
	if (again || !path || result_load(&v, path, why) < 0)
		return false;
	if (!same(v, "archive_sha256", e->hash) || !same(v, "challenge_sha256", g->challenge_hash))
		return false;
	if (result_is_ours(v))
		return false;
	e->kept = true;
	g->kept++;
	take(g, e, v);
	return true;
}

/* The worker wrote none: the command line was refused, or it died. */
static struct result *made_up(struct entry *e)
{
	_cleanup_free_ char *clean = NULL;
	cJSON *root = cJSON_CreateObject();
	struct result *v = NULL;
	char said[SAID_MAX + 1], why[RESULT_WHY];
	ssize_t n = pread(e->said, said, SAID_MAX, 0);

	said[MAX_OF(n, 0)] = '\0';
	said[strcspn(said, "\n")] = '\0';
	clean = clean_line(said, strlen(said), CLEAN_LINE);
	cJSON_AddStringToObject(root, "schema", "sandbox-result/1");
	cJSON_AddStringToObject(root, "submission", e->student);
	cJSON_AddStringToObject(root, "verdict", "IE");
	cJSON_AddStringToObject(root, "reason",
				clean && *clean ? clean : "The worker ended without a result.");
	return result_new(&v, root, why) < 0 ? NULL : v;
}

static int write_whole(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	bool bad;

	if (!f)
		return -errno;
	bad = fprintf(f, "%s\n", text) < 0 || fflush(f) != 0 || fsync(fileno(f)) < 0;
	return fclose(f) != 0 || bad ? -EIO : 0;
}

/* In one step: what has the final name is whole. */
static int keep(const struct grades *g, const struct entry *e, struct result *v)
{
	_cleanup_free_ char *path = path_of(g, "", e->file), *new = path_of(g, ".new-", e->file);
	_cleanup_free_ char *text = NULL;
	int r;

	cJSON_AddStringToObject(v->root, "student", e->student);
	cJSON_AddStringToObject(v->root, "archive_sha256", e->hash);
	cJSON_AddStringToObject(v->root, "challenge_sha256", g->challenge_hash);
	text = cJSON_Print(v->root);
	if (!path || !new || !text)
		return -ENOMEM;
	r = write_whole(new, text);
	return r < 0 ? r : rename(new, path) < 0 ? -errno : 0;
}

int entry_finish(struct grades *g, struct entry *e)
{
	_cleanup_(result_freep) struct result *v = NULL;
	_cleanup_free_ char *path = entry_temporary(g, e);
	char why[RESULT_WHY];
	int r;

	if (!path)
		return -ENOMEM;
	if (result_load(&v, path, why) < 0)
		v = made_up(e);
	(void)unlink(path);
	if (!v)
		return -ENOMEM;
	r = keep(g, e, v);
	take(g, e, v);
	return r;
}
