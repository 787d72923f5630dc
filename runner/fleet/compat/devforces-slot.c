/* SPDX-License-Identifier: MIT */

/* See devforces-slot.h. */

#include "fleet/compat/devforces-slot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pipeline/clean.h"
#include "util/util.h"

struct devforces_slot {
	struct pg *db;
	int dir;
	const char *path;
	bool fast;
	/* of the job at hand */
	char id[QUEUE_ID_MAX + 1];
	uint32_t total; /* 0: not known yet */
};

static int make_folder(const char *path)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	copy_string(part, sizeof(part), path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int devforces_slot_open(const struct fleet_config *c, struct devforces_slot **ret,
			struct sbx_error *err)
{
	struct devforces_slot *d;
	int r;

	if (c->compat.devforces == DEVFORCES_OFF)
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	*d = (struct devforces_slot){ .dir = -1, .path = c->compat.folder, .fast = c->compat.fast };
	r = make_folder(d->path);
	if (r == 0)
		d->dir = open(d->path, O_DIRECTORY | O_CLOEXEC);
	if (r < 0 || d->dir < 0)
		r = pg_error(
			err, r < 0 ? r : -errno, d->path,
			"the folder for DevForces' challenges (compat.folder) cannot be made: %s",
			strerror(r < 0 ? -r : errno));
	else
		r = pg_open(&d->db, c->compat.database_url, "sandbox-runner", err);
	if (r < 0)
		d = devforces_slot_free(d);
	*ret = d;
	return r;
}

struct devforces_slot *devforces_slot_free(struct devforces_slot *d)
{
	if (!d)
		return NULL;
	pg_free(d->db);
	close_fd(d->dir);
	free(d);
	return NULL;
}

bool devforces_is(const struct slot *s, const struct queue_job *job)
{
	return s->devforces && *job->submission.channel;
}

static uint64_t wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What is true of the challenge and of nothing else: all others would fail as well. */
static bool is_answer(int r)
{
	return r == 0 || r == -ENOENT || r == -EINVAL || r == -ENOSPC;
}

/*
 * 0; -ENOENT there is none any more; -EINVAL it makes no sense; -ENOSPC this machine cannot have
 * it; -EINTR stopped. A database that is away, or refuses us, is asked until somebody has put it
 * right: no submission is to blame for it.
 */
static int look_up(struct slot *s, const struct queue_job *job, struct devforces_challenge *ret,
		   struct sbx_error *err)
{
	struct devforces_slot *d = s->devforces;
	int r;

	for (;;) {
		r = devforces_challenge(d->db, job->submission.challenge, d->dir, d->path, d->fast,
					ret, err);
		slot_heard_ledger(s, is_answer(r) ? 0 : r, err);
		if (is_answer(r))
			break;
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
	if (r == 0) {
		copy_string(d->id, sizeof(d->id), job->submission.id);
		d->total = ret->total;
	}
	return r;
}

int devforces_slot_challenge(struct slot *s, const struct queue_job *job, char **ret, char why[200])
{
	struct devforces_challenge c = { .folder = NULL };
	struct sbx_error err = { 0 };
	int r = look_up(s, job, &c, &err);

	if (r == 0)
		*ret = c.folder;
	else if (r != -EINTR)
		(void)snprintf(why, 200, "%.190s", err.text);
	/* The database has no other answer for another worker. */
	return r == -ENOENT ? -EINVAL : r == -ENOSPC ? -ENOENT : r;
}

static void say(struct slot *s, const struct queue_job *job, const char *kind, const char *text)
{
	_cleanup_free_ char *message = devforces_log_message(kind, text, wall_ms());
	struct sbx_error err;
	uint64_t receivers;

	/* A line that nobody receives is lost, as with DevForces' own worker. */
	if (message)
		(void)queue_publish(s->queue, job->submission.channel, message, &receivers, &err);
}

void devforces_slot_stage(struct slot *s, const struct judge_stage *stage)
{
	_cleanup_free_ char *note = NULL;
	char text[256];

	if (!stage->done)
		return;
	note = clean_line(stage->note, strlen(stage->note), sizeof(stage->note));
	(void)snprintf(text, sizeof(text), "%s: %s%s%.1f ms", stage->name, note ? note : "",
		       note && *note ? ", " : "", (double)(stage->wall_ns / 1000) / 1000);
	say(s, s->job, "log", text);
}

/* 0 and s->devforces->total, 0 if nobody knows it; -EINTR. */
static int learn_total(struct slot *s, const struct queue_job *job)
{
	struct devforces_challenge c = { .folder = NULL };
	struct sbx_error err = { 0 };
	int r = 0;

	if (!streq(s->devforces->id, job->submission.id)) {
		s->devforces->total = 0;
		r = look_up(s, job, &c, &err);
		devforces_challenge_done(&c);
	}
	return r == -EINTR ? r : 0;
}

int devforces_slot_count(struct slot *s, const struct queue_job *job, struct ledger_result *row)
{
	int r = learn_total(s, job);
	uint32_t total = s->devforces->total;

	if (r < 0 || total == 0)
		return r;
	row->passed = devforces_passed(total, row->passed, row->verdict);
	row->total = total;
	row->points = (uint64_t)row->passed * 1000;
	row->max_points = (uint64_t)total * 1000;
	return 0;
}

int devforces_slot_contest(struct slot *s, const struct queue_job *job, struct contest *ret)
{
	struct sbx_error err = { 0 };
	int r;

	*ret = (struct contest){ .rules = CONTEST_NONE };
	if (s->config.compat.devforces != DEVFORCES_PUBLISH_RANK || !*job->submission.contest)
		return 0;
	for (;;) {
		r = devforces_contest(s->devforces->db, job->submission.contest, ret, &err);
		slot_heard_ledger(s, r == -EINVAL ? 0 : r, &err);
		if (r == -EINVAL)
			log_error(&s->log, "not ranked: DevForces' contest: %s", err.text);
		if (r >= 0 || r == -EINVAL)
			return 0;
		if (s->stop != SLOT_GO_ON)
			return -EINTR;
	}
}

char *devforces_slot_result(struct slot *s, const struct queue_job *job,
			    const struct ledger_result *row)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "%s: %u of %u tests passed", row->verdict, row->passed,
		       row->total);
	say(s, job, streq(row->verdict, "AC") ? "log" : "error", text);
	/* Of a challenge that is gone nobody knows the tests; none failed would be a success. */
	return devforces_result_message(row->passed, MAX_OF(row->total, 1u), wall_ms());
}
