/* SPDX-License-Identifier: MIT */

/*
 * What does it cost to run one short program in a jail? The library and other ways (contenders.c)
 * run the same static program. Neighbours make times of a shared machine drift, so in every round
 * each contender runs once, in turn and beginning with another one each time, and the ratios are
 * medians of the rounds' own ratios.
 *
 * Sections: back to back, where caches and RCU are warm; apart, every single start after a pause,
 * as a server meets them, and with limits; two loops at once; and from a caller of 500 MiB.
 *
 * Usage: spawn [--quick] [--rounds N] [--spaced N] [--pause MS] [--policy FILE]
 */

#include "contenders.h"
#include "util/util.h"
#include <getopt.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define ROUNDS_MAX 100000l
#define PAUSE_MAX 10000l
#define CONTENDERS_MAX 10
#define LOOPS_MAX 2
#define BURST 5 /* starts of one loop in a round, where loops run at once */
#define LARGE ((size_t)500 << 20)

struct section {
	char title[64];
	long rounds;
	long pause_ms;
	int loops;
	bool limits;
	const struct contender *contenders[CONTENDERS_MAX]; /* NULL ends it */
};

/* ---------------------------------------------------------------------------- samples */

/* Of one contender in one section: `per_round` starts in each round. */
struct samples {
	long rounds, per_round;
	double *ms;
	double *phase_us[PHASES];
	double cpu_ms;
};

static double *doubles(long n)
{
	double *v = calloc((size_t)n, sizeof(*v));

	if (!v)
		die("memory", "none left");
	return v;
}

static void samples_init(struct samples *s, long rounds, long per_round)
{
	*s = (struct samples){ .rounds = rounds, .per_round = per_round };
	s->ms = doubles(rounds * per_round);
	for (int i = 0; i < PHASES; i++)
		s->phase_us[i] = doubles(rounds * per_round);
}

static void samples_done(struct samples *s)
{
	free(s->ms);
	for (int i = 0; i < PHASES; i++)
		free(s->phase_us[i]);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *v, long n, double q)
{
	_cleanup_free_ double *sorted = doubles(n);

	memcpy(sorted, v, (size_t)n * sizeof(*v));
	qsort(sorted, (size_t)n, sizeof(*sorted), compare);
	return sorted[(long)(q * (double)(n - 1) + 0.5)];
}

static double round_ms(const struct samples *s, long round)
{
	return quantile(s->ms + round * s->per_round, s->per_round, 0.5);
}

static double ratio(const struct samples *a, const struct samples *b)
{
	_cleanup_free_ double *v = doubles(a->rounds);

	for (long i = 0; i < a->rounds; i++)
		v[i] = round_ms(a, i) / round_ms(b, i);
	return quantile(v, a->rounds, 0.5);
}

/* ------------------------------------------------------------------------- measuring */

/* Of this process and of the children it has reaped. */
static double cpu_ms(void)
{
	static const int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	double sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		struct rusage u;

		(void)getrusage(who[i], &u);
		sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
	}
	return sum;
}

struct loop {
	pthread_t thread;
	struct bench *bench;
	const struct contender *contender;
	struct samples *samples;
	long first, n;
};

static void *run_loop(void *data)
{
	struct loop *l = data;
	double phase_us[PHASES] = { 0 };

	for (long i = l->first; i < l->first + l->n; i++) {
		uint64_t began = now_ns();

		l->contender->run(l->bench, phase_us);
		l->samples->ms[i] = (double)(now_ns() - began) / 1e6;
		for (int k = 0; k < PHASES; k++)
			l->samples->phase_us[k][i] = phase_us[k];
	}
	return NULL;
}

static void run_round(struct bench *b, const struct section *s, const struct contender *c,
		      struct samples *samples, long round)
{
	struct loop loops[LOOPS_MAX];
	long n = samples->per_round / s->loops;
	double cpu;

	if (s->pause_ms)
		(void)usleep((useconds_t)s->pause_ms * 1000);
	cpu = cpu_ms();
	if (c->prepare)
		c->prepare(b);
	for (int i = 0; i < s->loops; i++)
		loops[i] = (struct loop){ .bench = b,
					  .contender = c,
					  .samples = samples,
					  .first = round * samples->per_round + i * n,
					  .n = n };
	for (int i = 1; i < s->loops; i++)
		if (pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]) != 0)
			die("thread", "cannot be started");
	(void)run_loop(&loops[0]);
	for (int i = 1; i < s->loops; i++)
		(void)pthread_join(loops[i].thread, NULL);
	samples->cpu_ms += cpu_ms() - cpu;
}

/* -------------------------------------------------------------------------- a section */

static int find(const struct contender **list, int n, const struct contender *c)
{
	for (int i = 0; i < n; i++)
		if (list[i] == c)
			return i;
	return -1;
}

static void print_ratio(const struct samples *s, int i, int base)
{
	if (base < 0)
		printf(" %8s", "-");
	else
		printf(" %8.2f", ratio(&s[i], &s[base]));
}

static void print_section(const struct section *s, const struct contender **list, int n,
			  const struct samples *samples)
{
	int bare = find(list, n, &bare_spawn), wrap = find(list, n, &bwrap),
	    lib = find(list, n, &cold);
	long total = samples->rounds * samples->per_round;

	printf("%-34s %8s %8s %8s %8s %8s\n", s->title, "p50 ms", "p99 ms", "cpu ms", "x bare",
	       "x bwrap");
	for (int i = 0; i < n; i++) {
		printf("  %-32s %8.2f %8.2f %8.2f", list[i]->name,
		       quantile(samples[i].ms, total, 0.5), quantile(samples[i].ms, total, 0.99),
		       samples[i].cpu_ms / (double)total);
		print_ratio(samples, i, bare);
		print_ratio(samples, i, wrap);
		printf("\n");
	}
	printf("  library, cold, p50 us: create %.0f, exec %.0f, reap %.0f, free %.0f\n\n",
	       quantile(samples[lib].phase_us[CREATE], total, 0.5),
	       quantile(samples[lib].phase_us[EXECUTE], total, 0.5),
	       quantile(samples[lib].phase_us[REAP], total, 0.5),
	       quantile(samples[lib].phase_us[FREE], total, 0.5));
	(void)fflush(stdout);
}

static int select_contenders(struct bench *b, const struct section *s, const struct contender **ret)
{
	const char *why;
	int n = 0;

	for (int i = 0; i < CONTENDERS_MAX && s->contenders[i]; i++) {
		why = contender_missing(b, s->contenders[i]);
		if (why)
			printf("(%s is left out: %s)\n", s->contenders[i]->name, why);
		else
			ret[n++] = s->contenders[i];
	}
	return n;
}

/* One round more than is kept: the first finds nothing in any cache. */
static void run_section(struct bench *b, const struct section *s)
{
	const struct contender *list[CONTENDERS_MAX];
	struct samples samples[CONTENDERS_MAX], first;
	long per_round = s->loops > 1 ? s->loops * BURST : 1;
	int n;

	if (s->rounds == 0)
		return;
	bench_plan(b, s->limits, (int)per_round);
	n = select_contenders(b, s, list);
	for (int i = 0; i < n; i++)
		samples_init(&samples[i], s->rounds, per_round);
	samples_init(&first, 1, per_round);
	for (long round = -1; round < s->rounds; round++)
		for (int i = 0; i < n; i++) {
			int who = (int)((round + 1 + i) % n);

			run_round(b, s, list[who], round < 0 ? &first : &samples[who],
				  MAX_OF(round, 0l));
		}
	print_section(s, list, n, samples);
	samples_done(&first);
	for (int i = 0; i < n; i++)
		samples_done(&samples[i]);
	bench_done_plan(b);
}

/* ------------------------------------------------------------------------------- main */

/* What the build put beside this program. */
static void beside(const char *name, char ret[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 64);
	char *slash;

	if (n < 0)
		die("/proc/self/exe", strerror(errno));
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	(void)snprintf(slash, 64, "/%s", name);
}

static long number(const char *name, const char *text, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > most)
		die(name, "wants a number that is not negative nor too large");
	return n;
}

static void run_sections(struct bench *b, long rounds, long spaced, long pause_ms)
{
	struct section warm = { .rounds = rounds,
				.loops = 1,
				.contenders = { &cold, &pooled, &joined, &unprivileged, &bare_spawn,
						&bare_fork, &plain_unshare, &bwrap } };
	struct section apart = { .rounds = spaced,
				 .pause_ms = pause_ms,
				 .loops = 1,
				 .limits = true,
				 .contenders = { &cold, &pooled, &joined, &bare_spawn, &bare_fork,
						 &plain_unshare, &bwrap, &firejail, &nspawn } };
	struct section large = { .rounds = rounds / 3,
				 .loops = 1,
				 .contenders = { &cold, &pooled, &bare_spawn, &bare_fork,
						 &bwrap } };
	struct section parallel = { .rounds = rounds / (2 * BURST),
				    .loops = LOOPS_MAX,
				    .contenders = { &cold, &pooled, &bare_spawn, &bwrap } };
	char *memory;

	(void)snprintf(warm.title, sizeof(warm.title), "back to back, %ld rounds", rounds);
	run_section(b, &warm);
	(void)snprintf(apart.title, sizeof(apart.title), "%ld ms apart, limits, %ld rounds",
		       pause_ms, spaced);
	run_section(b, &apart);
	(void)snprintf(parallel.title, sizeof(parallel.title), "2 loops at once, %ld starts",
		       parallel.rounds * LOOPS_MAX * BURST);
	run_section(b, &parallel);
	(void)snprintf(large.title, sizeof(large.title), "caller of 500 MiB, %ld rounds",
		       large.rounds);
	memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || madvise(memory, LARGE, MADV_NOHUGEPAGE) < 0)
		die("500 MiB", strerror(errno));
	memset(memory, 1, LARGE);
	run_section(b, &large);
	(void)munmap(memory, LARGE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "spaced", required_argument, NULL, 's' },
		{ "pause", required_argument, NULL, 'p' },
		{ "policy", required_argument, NULL, 'P' },
		{ "quick", no_argument, NULL, 'q' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench b = { 0 };
	long rounds = 300, spaced = 50, pause_ms = 200;
	char policy[PATH_MAX];
	int c;

	beside("spawn.json", policy);
	beside("nothing", b.program);
	b.policy = policy;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rounds = number("--rounds", optarg, ROUNDS_MAX);
		else if (c == 's')
			spaced = number("--spaced", optarg, ROUNDS_MAX);
		else if (c == 'p')
			pause_ms = number("--pause", optarg, PAUSE_MAX);
		else if (c == 'P')
			b.policy = optarg;
		else if (c == 'q')
			rounds = 30, spaced = 5, pause_ms = 20;
		else
			return 2;
	}
	bench_open(&b);
	run_sections(&b, rounds, spaced, pause_ms);
	bench_close(&b);
	return 0;
}
