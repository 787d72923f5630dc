/* SPDX-License-Identifier: MIT */

/*
 * The live log of a submission: stages as they begin and end. It may be lost and must not delay:
 * while Redis does not take it, nothing is tried for a while.
 */

#include "fleet/worker/slot.h"

#include <cjson/cJSON.h>

#include "fleet/compat/devforces-slot.h"
#include "fleet/worker/control.h"
#include "pipeline/clean.h"
#include "util/util.h"

#define QUIET (5 * NSEC_PER_SEC)

static void put(struct slot *s, const char *kind, const char *text)
{
	struct sbx_error err;

	if (now_ns() < s->quiet_until_ns)
		return;
	if (queue_log(s->queue, s->job->submission.id, kind, text, &err) < 0)
		s->quiet_until_ns = deadline_after(QUIET);
	else
		s->log_bytes += strlen(text);
}

/* The judge may say anything; a stage's name is one of pipeline.c. */
static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz-");

	return n > 0 && name[n] == '\0';
}

/* {"stage":"deps","done":true,"ms":12.5,"note":"npm ci, 71 packages"} */
static char *stage_json(const struct judge_stage *stage)
{
	_cleanup_free_ char *note = clean_line(stage->note, strlen(stage->note),
					       sizeof(stage->note));
	cJSON *root = cJSON_CreateObject();
	char *ret;

	cJSON_AddStringToObject(root, "stage", stage->name);
	cJSON_AddBoolToObject(root, "done", stage->done != 0);
	if (stage->done)
		cJSON_AddNumberToObject(root, "ms", (double)(stage->wall_ns / 1000) / 1000);
	if (stage->done && note && *note)
		cJSON_AddStringToObject(root, "note", note);
	ret = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return ret;
}

/* "stored", or what was run: "npm ci, 71 packages" (deps.c); else there was nothing to install. */
static void count_deps(struct slot *s, const struct judge_stage *stage)
{
	if (streq(stage->note, "stored"))
		metrics_add(s->metrics, METRIC_CACHE_HITS, 1, "deps", NULL);
	else if (strstr(stage->note, " ci") || strstr(stage->note, " install"))
		metrics_add(s->metrics, METRIC_CACHE_MISSES, 1, "deps", NULL);
}

static void put_stage(struct slot *s, const struct judge_stage *stage)
{
	_cleanup_free_ char *json = stage_json(stage);

	if (stage->done) {
		metrics_observe(s->metrics, METRIC_STAGE_SECONDS, stage->wall_ns, stage->name);
		if (streq(stage->name, "deps"))
			count_deps(s, stage);
	} else {
		slot_tell(s, CONTROL_STAGE, stage->name);
	}
	log_stage(&s->log, stage->name);
	if (json)
		put(s, "stage", json);
	if (devforces_is(s, s->job))
		devforces_slot_stage(s, stage);
}

void slot_log_stage(struct slot *s, const struct judge_stage *stage)
{
	/* The judge's own "fetch" takes what the slot has fetched. */
	if (is_name(stage->name) && !streq(stage->name, "fetch"))
		put_stage(s, stage);
}

void slot_log_fetch(struct slot *s, const struct fetched *f)
{
	struct judge_stage stage = { .name = "fetch", .done = f != NULL };

	if (f) {
		stage.wall_ns = f->wall_ns;
		(void)snprintf(stage.note, sizeof(stage.note), "%llu KiB",
			       (unsigned long long)(f->size + 1023) / 1024);
	}
	put_stage(s, &stage);
}

void slot_log_reason(struct slot *s, const char *reason)
{
	_cleanup_free_ char *clean = clean_text(reason, strlen(reason), QUEUE_LOG_MAX);

	if (clean && *clean)
		put(s, "log", clean);
}
