/* SPDX-License-Identifier: MIT */

/*
 * What the queue needs of a Redis, and what is lost without it. Asked of INFO, which a managed
 * Redis answers too where CONFIG is forbidden.
 */

#include <stdarg.h>

#include "fleet/queue/queue-internal.h"

struct findings {
	struct queue_finding *list;
	int n;
};

__attribute__((format(printf, 3, 4))) static void find(struct findings *f, bool fatal,
						       const char *format, ...)
{
	va_list args;

	if (f->n == QUEUE_FINDINGS_MAX)
		return;
	f->list[f->n].fatal = fatal;
	va_start(args, format);
	(void)vsnprintf(f->list[f->n].text, sizeof(f->list[f->n].text), format, args);
	va_end(args);
	f->n++;
}

/* The value of a line "name:value" of INFO; "" if it is not there. */
static const char *info(const char *text, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name);
	const char *at = text;

	ret[0] = '\0';
	while (at) {
		if (starts_with(at, name) && at[n] == ':') {
			size_t m = strcspn(at + n + 1, "\r\n");

			m = MIN_OF(m, size - 1);
			memcpy(ret, at + n + 1, m);
			ret[m] = '\0';
			break;
		}
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return ret;
}

static void check_version(struct findings *f, const char *text)
{
	char version[32], *end;
	unsigned long major, minor = 0;

	info(text, "redis_version", version, sizeof(version));
	major = strtoul(version, &end, 10);
	if (*end == '.')
		minor = strtoul(end + 1, NULL, 10);
	if (major < 6 || (major == 6 && minor < 2))
		find(f, true,
		     "Redis is %s; 6.2 or later is needed (LMOVE, and scripts that read the time)",
		     version[0] ? version : "of an unknown version");
}

static void check_memory(struct findings *f, const char *text)
{
	char policy[32], max[32];

	info(text, "maxmemory_policy", policy, sizeof(policy));
	info(text, "maxmemory", max, sizeof(max));
	if (policy[0] && !streq(policy, "noeviction"))
		find(f, true,
		     "maxmemory-policy is %s%s: Redis would throw away submissions, leases and "
		     "ranks "
		     "when it is full; set it to noeviction, then new submissions are refused "
		     "instead",
		     policy, streq(max, "0") ? " (there is no maxmemory yet)" : "");
}

static void check_persistence(struct findings *f, const char *text)
{
	char aof[8], saves[8];

	info(text, "aof_enabled", aof, sizeof(aof));
	if (streq(aof, "1")) {
		if (streq(info(text, "aof_last_write_status", saves, sizeof(saves)), "err"))
			find(f, true, "Redis cannot write its AOF: see its log");
		return;
	}
	find(f, false,
	     "appendonly is off: when Redis restarts, submissions since its last snapshot that "
	     "wait "
	     "or run are gone unless producers hand them in again; ranks are rebuilt from the "
	     "ledger "
	     "(admin rank rebuild). Set appendonly yes");
}

static void check_role(struct findings *f, const char *text)
{
	char value[16];

	if (streq(info(text, "role", value, sizeof(value)), "slave"))
		find(f, true, "this Redis is a replica: name its master");
	if (streq(info(text, "cluster_enabled", value, sizeof(value)), "1"))
		find(f, true,
		     "this is a node of a Redis Cluster, which is not spoken: use a single "
		     "Redis, or a proxy in front of the cluster");
}

static int command(struct queue *q, const char *word, redisReply **ret, struct sbx_error *err)
{
	redis_words_init(&q->args);
	redis_add(&q->args, word);
	return redis_command(q->redis, &q->args, 0, ret, err);
}

/* Redis's clock rules; it may still be wrong. What a contest's times are compared with is that. */
static int check_clock(struct queue *q, struct findings *f, struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct timespec here;
	long long apart;
	int r = command(q, "TIME", &reply, err);

	r = r < 0 ? r : redis_expect(reply, 2, "TIME", err);
	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_REALTIME, &here);
	apart = (long long)redis_number(reply, 0) - (long long)here.tv_sec;
	if (apart > 5 || apart < -5)
		find(f, false,
		     "the clock of Redis is %lld s %s this machine's: times of submission and the "
		     "ends of contests are by Redis's; run NTP on both",
		     apart < 0 ? -apart : apart, apart < 0 ? "behind" : "ahead of");
	return 0;
}

int queue_requires(struct queue *q, struct queue_finding ret[QUEUE_FINDINGS_MAX],
		   struct sbx_error *err)
{
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct findings f = { .list = ret };
	int r = command(q, "INFO", &reply, err);

	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS)
		return redis_error(err, -EPROTO, "INFO", "INFO answered something else");
	check_version(&f, reply->str);
	check_role(&f, reply->str);
	check_memory(&f, reply->str);
	check_persistence(&f, reply->str);
	r = check_clock(q, &f, err);
	return r < 0 ? r : f.n;
}
