/* SPDX-License-Identifier: MIT */

/* What each script is put together from: common.lua first, its own file last. */

#include "embed/embed.h"
#include "fleet/queue/redis.h"
#include "util/util.h"

extern const struct embedded queue_scripts[];

#define QUEUE "common.lua", "queue.lua"

static const char *const parts[SCRIPTS][5] = {
	[SCRIPT_BEAT] = { QUEUE, "beat.lua" },
	[SCRIPT_BURY] = { QUEUE, "bury.lua" },
	[SCRIPT_CANCEL] = { QUEUE, "cancel.lua" },
	[SCRIPT_CLAIM] = { QUEUE, "claim.lua" },
	[SCRIPT_COMMIT] = { QUEUE, "rank.lua", "commit.lua" },
	[SCRIPT_DEAD_REQUEUE] = { QUEUE, "dead-requeue.lua" },
	[SCRIPT_ENDED] = { QUEUE, "ended.lua" },
	[SCRIPT_ENQUEUE] = { QUEUE, "place-of.lua", "enqueue.lua" },
	[SCRIPT_GC] = { QUEUE, "gc.lua" },
	[SCRIPT_INTAKE] = { QUEUE, "intake.lua" },
	[SCRIPT_JOB] = { QUEUE, "job.lua" },
	[SCRIPT_LIST] = { QUEUE, "list.lua" },
	[SCRIPT_LOG] = { QUEUE, "log.lua" },
	[SCRIPT_PAUSE] = { QUEUE, "pause.lua" },
	[SCRIPT_PIN] = { QUEUE, "pin.lua" },
	[SCRIPT_PLACE] = { QUEUE, "place-of.lua", "place.lua" },
	[SCRIPT_RANK_BEGIN] = { "common.lua", "rank-begin.lua" },
	[SCRIPT_RANK_FORGET] = { "common.lua", "rank-forget.lua" },
	[SCRIPT_RANK_READ] = { "common.lua", "rank-read.lua" },
	[SCRIPT_RANK_STUDENT] = { "common.lua", "rank.lua", "rank-student.lua" },
	[SCRIPT_REJUDGE] = { QUEUE, "rejudge.lua" },
	[SCRIPT_RELEASE] = { QUEUE, "release.lua" },
	[SCRIPT_RENEW] = { QUEUE, "renew.lua" },
	[SCRIPT_REPUBLISH] = { QUEUE, "republish.lua" },
	[SCRIPT_SELECT] = { QUEUE, "select.lua" },
	[SCRIPT_STATUS] = { QUEUE, "status.lua" },
	[SCRIPT_WORKERS] = { QUEUE, "workers.lua" },
};

static const struct embedded *find(const char *name)
{
	const struct embedded *e = queue_scripts;

	while (!streq(e->name, name))
		e++;
	return e;
}

char *redis_script_text(enum redis_script script)
{
	size_t size = 1, at = 0;
	char *text;

	for (const char *const *name = parts[script]; *name; name++)
		size += find(*name)->size;
	text = malloc(size);
	for (const char *const *name = parts[script]; text && *name; name++) {
		memcpy(text + at, find(*name)->data, find(*name)->size);
		at += find(*name)->size;
	}
	if (text)
		text[at] = '\0';
	return text;
}
