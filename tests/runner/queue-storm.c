/* SPDX-License-Identifier: MIT */

/*
 * Random operations by several processes, which die in the middle of them; while they run, and in the
 * end, what queue-invariants.lua says is true. Redis may be restarted meanwhile. SIGTERM: it
 * is enough.
 *
 * Usage: queue-storm INVARIANTS.lua SEED OPERATIONS; prints "ok" or what is wrong.
 */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "queue-fixture.h"

#define PROCESSES 4
#define IDS 300
#define STUDENTS 12
#define HELD 6
#define KILLS 20

static unsigned long long random_state;
static struct queue_job held[HELD];

static unsigned int below(unsigned int n)
{
	unsigned long long z = (random_state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned int)((z ^ (z >> 31)) % n);
}

static void die(const char *what, const struct sbx_error *err)
{
	printf("# %s: %s (%s)\n", what, err->text, err->item);
	exit(2);
}

/* Asked until Redis answers, and now and then once more. */
#define ASK(q, call)                                                                               \
	({                                                                                         \
		struct sbx_error err = { 0 };                                                      \
		int _r;                                                                            \
		do {                                                                               \
			do {                                                                       \
				_r = call;                                                         \
				if (_r == -EAGAIN)                                                 \
					(void)usleep((useconds_t)(queue_backoff_ns(q) / 1000));    \
			} while (_r == -EAGAIN);                                                   \
			if (_r < 0)                                                                \
				die(#call, &err);                                                  \
		} while (below(10) == 0);                                                          \
		_r;                                                                                \
	})

static struct queue *storm_open(const char *prefix)
{
	return open_with((struct queue_options){ .url = redis_of_test(),
						 .lease_ms = 150,
						 .max_attempts = 3,
						 .depth_max = 100,
						 .student_running_max = 2,
						 .student_waiting_max = 5,
						 .retry_ms = { 10, 50, 100 } },
			 prefix);
}

static struct queue_submission any_submission(void)
{
	char id[16], student[16], challenge[16];
	unsigned int n = below(IDS);
	struct queue_submission s;

	(void)snprintf(id, sizeof(id), "j%u", n);
	(void)snprintf(student, sizeof(student), "s%u", n % STUDENTS);
	(void)snprintf(challenge, sizeof(challenge), "ch%u", n / STUDENTS % 4);
	s = make(id, student, challenge);
	(void)snprintf(s.contest, sizeof(s.contest), "c%u", n % 2);
	s.priority = (enum queue_priority)below(QUEUE_PRIORITIES);
	return s;
}

static void hand_in(struct queue *q)
{
	struct queue_submission s = any_submission();
	struct queue_place place;
	char payload[600];

	if (below(4)) {
		(void)ASK(q, queue_enqueue(q, &s, &place, &err));
		return;
	}
	(void)snprintf(payload, sizeof(payload),
		       "{\"id\":\"%s\",\"student\":\"%s\",\"challenge\":\"%s\",\"contest\":\"%s\","
		       "\"url\":\"x\"%s",
		       s.id, s.student, s.challenge, s.contest, below(5) ? "}" : "");
	for (;;) {
		static struct redis_words w;
		_cleanup_(redis_reply_freep) redisReply *reply = NULL;
		struct sbx_error err;

		redis_words_init(&w);
		redis_add(&w, "LPUSH");
		redis_add(&w, "submissions");
		redis_add(&w, payload);
		if (redis_command(queue_redis(q), &w, 0, &reply, &err) == 0)
			break;
		(void)usleep((useconds_t)(queue_backoff_ns(q) / 1000));
	}
	(void)ASK(q, queue_intake(q, "submissions", NULL, NULL, &err));
}

static void end_one(struct queue *q, struct queue_job *job, bool all)
{
	const struct contest contest = {
		.rules = CONTEST_POINTS, .starts_ms = 1, .ends_ms = 4000000000000, .version = 1
	};
	struct queue_result r = { .verdict = below(2) ? "AC" : "WA",
				  .total = 2,
				  .json = "{}",
				  .json_size = 2,
				  .points = below(1000),
				  .max_points = 1000 };
	uint64_t receivers;

	if (job->order == QUEUE_GIVE_UP)
		r.verdict = "IE";
	if (job->order == QUEUE_CANCEL)
		r.verdict = "CANCELLED";
	if (below(8) == 0) {
		r.publish_channel = job->submission.id;
		r.publish_message = "{}";
	}
	if (all || below(4))
		(void)ASK(q, queue_commit(q, job, &contest, &r, &receivers, &err));
	else
		(void)ASK(q,
			  queue_release(q, job->submission.id, job->fence, below(2), "why", &err));
	job->fence = 0;
}

static void renew(struct queue *q)
{
	struct queue_lease leases[HELD];
	size_t n = 0;

	for (size_t i = 0; i < HELD; i++) {
		if (!held[i].fence)
			continue;
		leases[n] = (struct queue_lease){ .fence = held[i].fence };
		copy_string(leases[n++].id, sizeof(leases[0].id), held[i].submission.id);
	}
	if (n)
		(void)ASK(q, queue_renew(q, leases, n, &err));
}

static void steer(struct queue *q)
{
	struct queue_submission s = any_submission();
	struct queue_selection one = { .id = s.id, .urgent = below(2) };
	struct queue_selection many = { .challenge = s.challenge, .student = s.student };
	struct queue_letter letters[4];
	struct queue_rejudged n;
	int found;

	switch (below(8)) {
	case 0:
		(void)ASK(q, queue_pause(q, s.contest, true, &err));
		break;
	case 1:
	case 2:
		(void)ASK(q, queue_pause(q, s.contest, false, &err));
		break;
	case 3:
		(void)ASK(q, queue_rejudge(q, &many, &n, &err));
		break;
	case 4:
		found = ASK(q, queue_dead_list(q, NULL, letters, 4, &err));
		if (found > 0)
			(void)ASK(q, queue_dead_requeue(q, letters[found - 1].entry, &err));
		break;
	default:
		(void)ASK(q, queue_rejudge(q, &one, &n, &err));
	}
}

static void one_operation(struct queue *q)
{
	struct queue_submission s = any_submission();
	unsigned int slot = below(HELD);

	switch (below(14)) {
	case 0:
	case 1:
	case 2:
	case 3:
		hand_in(q);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		if (held[slot].fence)
			end_one(q, &held[slot], false);
		else if (ASK(q, queue_claim(q, "w", below(10) ? 0 : 20, &held[slot], &err)) == 0)
			held[slot].fence = 0;
		break;
	case 8:
	case 9:
		renew(q);
		break;
	case 10:
		(void)ASK(q, queue_cancel(q, s.id, &err));
		break;
	case 11:
		steer(q);
		break;
	case 12:
		(void)ASK(q, queue_republish(q, &err));
		break;
	default:
		if (below(60) == 0)
			(void)kill(getpid(), SIGKILL);
	}
}

static pid_t start(const char *prefix, unsigned long long seed, long operations)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	random_state = seed;
	struct queue *q = storm_open(prefix);

	for (long i = 0; i < operations; i++)
		one_operation(q);
	queue_free(q);
	exit(0);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "re");

	if (!f || !text || !fread(text, 1, 65535, f))
		exit(3);
	(void)fclose(f);
	return text;
}

static bool invariants_hold(struct queue *q, const char *text, const char *prefix)
{
	static struct redis_words w;
	_cleanup_(redis_reply_freep) redisReply *reply = NULL;
	struct sbx_error err;

	for (;;) {
		redis_words_init(&w);
		redis_add(&w, "EVAL");
		redis_add(&w, text);
		redis_add(&w, "1");
		redis_add(&w, prefix);
		redis_add(&w, "2");
		redis_add(&w, "unrecorded");
		if (redis_command(queue_redis(q), &w, 0, &reply, &err) == 0)
			break;
		if (err.code != -EAGAIN)
			die("invariants", &err);
		(void)usleep((useconds_t)(queue_backoff_ns(q) / 1000));
	}
	for (size_t i = 0; i < reply->elements; i++)
		printf("# %s\n", redis_text(reply, i));
	return reply->elements == 0;
}

/* Everything comes to an end. */
static void drain(struct queue *q)
{
	struct queue_status status;
	struct queue_job job;

	for (int i = 0; i < 2; i++)
		(void)ASK(q, queue_pause(q, i ? "c1" : "c0", false, &err));
	do {
		while (ASK(q, queue_intake(q, "submissions", NULL, NULL, &err)) > 0)
			continue;
		if (ASK(q, queue_claim(q, "drain", 50, &job, &err)) == 1)
			end_one(q, &job, true);
		(void)ASK(q, queue_status(q, &status, &err));
	} while (status.depth || status.running || status.intake);
}

static bool nothing_remains(struct queue *q, const char *prefix)
{
	static const char *const names[] = { "leases",         "running", "rejudging", "queued",
					     "queued:rejudge", "delayed", "waits",     "count",
					     "latest",         "ready:0", "ready:1",   "ready:2",
					     "ready:3",        "held:c0", "held:c1",   "resuming",
					     "intake" };
	bool none = true;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!ask_number(q, "EXISTS", prefix, names[i]))
			continue;
		printf("# %s remains\n", names[i]);
		none = false;
	}
	return none;
}

static volatile sig_atomic_t stopped;

static void on_term(int number)
{
	(void)number;
	stopped = 1;
}

int main(int argc, char **argv)
{
	static const char prefix[] = "storm:{q}:";
	char *text = read_text(argc > 3 ? argv[1] : "");
	unsigned long long seed = strtoull(argv[2], NULL, 10);
	long operations = strtol(argv[3], NULL, 10);
	struct queue *q = storm_open(prefix);
	int died = 0, checks = 0, status, alive = PROCESSES, which;
	pid_t pids[PROCESSES], pid;
	bool ok = true;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, on_term);
	(void)alarm(300); /* nobody waits for it any more */
	random_state = seed;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = start(prefix, seed * 1000 + (unsigned)i, operations);
	while (alive && ok && !stopped) {
		pid = waitpid(-1, &status, WNOHANG);
		for (which = 0; pid > 0 && pids[which] != pid; which++)
			continue;
		if (pid > 0 && WIFSIGNALED(status)) {
			died++;
			pids[which] = start(prefix, seed * 1000 + 100 + (unsigned)died,
					    operations / 2);
		} else if (pid > 0) {
			alive--;
			pids[which] = -1;
			ok = WEXITSTATUS(status) == 0;
		} else {
			ok = invariants_hold(q, text, prefix);
			checks++;
			which = (int)below(PROCESSES);
			if (died < KILLS && checks % 4 == 0 && pids[which] > 0)
				(void)kill(pids[which], SIGKILL);
			(void)usleep(10000);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		if (pids[i] > 0 && kill(pids[i], SIGKILL) == 0)
			(void)waitpid(pids[i], NULL, 0);
	drain(q);
	ok = invariants_hold(q, text, prefix) && ok;
	ok = nothing_remains(q, prefix) && ok;
	printf("# seed %llu: %d processes were killed, %d times looked at, %lld events\n", seed,
	       died, checks, ask_number(q, "XLEN", prefix, "results"));
	printf("%s\n", ok ? "ok" : "not ok");
	queue_free(q);
	free(text);
	return ok ? 0 : 1;
}
