/* SPDX-License-Identifier: MIT */

/*
 * What it gains to prepare jails, database and testers ahead (pipeline_prepare): the same
 * submission again and again, in turns with and without, for the two ways to a database. One line
 * each: the medians of the time from having the archive to the verdict, of the wait for the database in it,
 * and of the processor time of app and database.
 *
 *	prepared SUBMISSION CHALLENGE STORE [RUNS]
 *
 * The URL of a database server is $SANDBOX_RUN_DATABASE; without it only the first way is measured.
 * $SANDBOX_BUILD is the build, and $SANDBOX_POLICY_DIR its policies.
 * tests/pipeline/test-prepared.sh runs it once for what comes out.
 */

#include <locale.h>

#include "database/keeper.h"
#include "pipeline/settings.h"
#include "pipeline/verdict.h"
#include "store/store.h"
#include "suite/suite.h"
#include "util/util.h"

#define RUNS_MAX 200

struct figures {
	double wall[RUNS_MAX], database[RUNS_MAX], app_cpu[RUNS_MAX], database_cpu[RUNS_MAX];
	unsigned int n;
};

struct bench {
	struct settings settings;
	struct challenge *challenge;
	struct sbx_ctx *ctx;
	struct store *store;
	const char *submission;
};

static int complain(const char *what, const struct sbx_error *err)
{
	(void)fprintf(stderr, "prepared: %s: %s %s: %s\n", what, err->stage, err->item, err->text);
	return 1;
}

static struct job new_job(const struct bench *b, int keeper_fd)
{
	struct job job = JOB_NULL;

	job.settings = &b->settings;
	job.challenge = b->challenge;
	job.submission = b->submission;
	job.reveal = REVEAL_NONE;
	job.ctx = b->ctx;
	job.store = b->store;
	job.keeper_fd = keeper_fd;
	return job;
}

static double stage_ms(const struct job *job, const char *name)
{
	for (uint32_t i = 0; i < job->n_times; i++)
		if (streq(job->times[i].name, name))
			return (double)job->times[i].wall_ns / 1e6;
	return 0;
}

static int run(const struct bench *b, int keeper_fd, bool prepare, struct figures *f)
{
	struct job job = new_job(b, keeper_fd);
	int r = prepare ? pipeline_prepare(&job) : 0;

	if (r < 0)
		return complain("cannot prepare", &job.error);
	if (prepare && !pipeline_is_fresh(&job))
		return complain("what was prepared has ended", &job.error);
	(void)pipeline_run(&job);
	if (f->n == 0)
		printf("verdict %s\n", verdict_name(job.verdict));
	f->wall[f->n] = (double)job.wall_ns / 1e6;
	f->database[f->n] = stage_ms(&job, "unpack") + stage_ms(&job, "database");
	if (job.n_samples > 0) {
		const struct sample *s = &job.samples[job.n_samples - 1];

		f->app_cpu[f->n] = (double)s->cpu_ns[0] / 1e6;
		f->database_cpu[f->n] = (double)s->cpu_ns[1] / 1e6;
	}
	f->n++;
	job_done(&job);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static void print(const char *way, const char *how, struct figures *f)
{
	printf("%-9s %-12s wall %7.1f ms, unpack and database %6.1f ms, cpu of app %6.1f ms, of "
	       "database %6.1f ms\n",
	       way, how, median(f->wall, f->n), median(f->database, f->n), median(f->app_cpu, f->n),
	       median(f->database_cpu, f->n));
}

static int measure(const struct bench *b, const char *way, int keeper_fd, unsigned int runs)
{
	static struct figures figures[2];
	int r = 0;

	memset(figures, 0, sizeof(figures));
	for (unsigned int i = 0; i < 2 * runs && r == 0; i++)
		r = run(b, keeper_fd, i % 2, &figures[i % 2]);
	if (r)
		return r;
	print(way, "as it comes", &figures[0]);
	print(way, "prepared", &figures[1]);
	return 0;
}

/* One that is dropped again: nothing may be left of it. */
static int drop_one(const struct bench *b, int keeper_fd)
{
	struct job job = new_job(b, keeper_fd);

	if (pipeline_prepare(&job) < 0)
		return complain("cannot prepare", &job.error);
	pipeline_drop(&job);
	job_done(&job);
	return 0;
}

/* This program does not lie where those of the project do. */
static int use_build(struct settings *s, const char *build)
{
	char *inside, *keeper;

	if (!build)
		return 0;
	if (asprintf(&inside, "%s/runner/inside/sandbox-inside", build) < 0 ||
	    asprintf(&keeper, "%s/runner/database/sandbox-keeper", build) < 0)
		return -ENOMEM;
	free(s->inside);
	free(s->keeper);
	s->inside = inside;
	s->keeper = keeper;
	return 0;
}

static int open_all(struct bench *b, char **argv, struct sbx_error *err)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	struct job job;
	int r = settings_find(&b->settings, argv[3], err);

	if (r == 0)
		r = use_build(&b->settings, getenv("SANDBOX_BUILD"));
	if (r < 0)
		return r;
	b->submission = argv[1];
	r = challenge_load(&b->challenge, argv[2], why);
	if (r < 0) {
		(void)fprintf(stderr, "prepared: %s\n", why);
		return r;
	}
	r = sbx_ctx_new(&b->ctx, NULL, err);
	if (r == 0)
		r = store_open(&b->store, b->settings.store_dir, 0, err);
	if (r < 0)
		return r;
	job = new_job(b, -1);
	r = suites_publish(&job, b->challenge, why);
	job_done(&job);
	return r;
}

int main(int argc, char **argv)
{
	const char *url = getenv("SANDBOX_RUN_DATABASE");
	unsigned int runs = argc == 5 ? (unsigned int)strtoul(argv[4], NULL, 10) : 10;
	struct keeper keeper = KEEPER_NULL;
	struct keeper_options o = { .url = url, .ahead = 1 };
	struct bench b = { .submission = NULL };
	struct sbx_error err = { 0 };
	int r;

	if (argc < 4 || argc > 5 || runs == 0 || runs > RUNS_MAX) {
		(void)fprintf(stderr, "usage: prepared SUBMISSION CHALLENGE STORE [RUNS]\n");
		return 2;
	}
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (open_all(&b, argv, &err) < 0)
		return complain("cannot begin", &err);
	r = drop_one(&b, -1);
	if (r == 0)
		r = measure(&b, "instance", -1, runs);
	o.program = b.settings.keeper;
	if (r == 0 && url && *url) {
		r = keeper_start(&keeper, &o, &err) < 0 ? complain("no keeper", &err) : 0;
		if (r == 0)
			r = drop_one(&b, keeper.fd);
		if (r == 0)
			r = measure(&b, "server", keeper.fd, runs);
	}
	store_free(b.store);
	sbx_ctx_free(b.ctx);
	keeper_stop(&keeper);
	challenge_free(b.challenge);
	settings_done(&b.settings);
	return r;
}
