/* SPDX-License-Identifier: MIT */

/*
 * deps warm: the stages of a grade up to the generated client, and nothing after them. It is the
 * same code with the same inputs, so that what it makes has the keys that submissions will ask for.
 *
 * Each submission is a process of its own, as many at once as --jobs says. They share nothing but
 * the store, whose locks make two that need the same entry wait for one another.
 */

#include "run/deps.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "deps/toolchain.h"
#include "pipeline/template.h"
#include "pipeline/units.h"
#include "cli/signals.h"
#include "suite/suite.h"
#include "util/util.h"

#define opt deps_options
#define JOBS_DEFAULT 2
#define JOBS_MAX 64
#define POLL_MS 100

struct warm {
	const struct settings *settings;
	struct store *store;
	struct challenge *challenge;
	char *template; /* of the challenge; NULL: none */
	int signals;
	pid_t running[JOBS_MAX];
	int n_running, code;
	bool stopped;
};

static void log_line(void *data, int level, const char *line)
{
	(void)data;
	if (level <= SBX_LOG_WARNING || opt.verbose > 0)
		fprintf(stderr, "sandbox: %s\n", line);
}

/* ----------------------------------------------------------------------- one process */

static int tell(const struct job *job, const char *name)
{
	char time[UNITS_TEXT];

	if (job->verdict == VERDICT_NONE) {
		if (!opt.quiet)
			printf("%s: ready (", name);
		for (uint32_t i = 0; i < job->n_times && !opt.quiet; i++) {
			const struct stage_time *t = &job->times[i];

			if (streq(t->name, "deps") || streq(t->name, "generate"))
				printf("%s%s: %s", streq(t->name, "deps") ? "" : "; ", t->name,
				       *t->note ? t->note : "-");
		}
		if (!opt.quiet)
			printf("; %s)\n", units_duration(time, job->wall_ns));
		return EXIT_OK;
	}
	printf("%s: %s: %s\n", name, verdict_name(job->verdict), job->reason);
	return job->verdict == VERDICT_CANCELLED ? EXIT_INTERRUPTED
	       : job->verdict == VERDICT_IE      ? EXIT_INFRASTRUCTURE
						 : EXIT_FAILED;
}

static int warm_template(struct job *job)
{
	struct store_entry *e = NULL;
	int r;

	job->began_ns = now_ns();
	r = template_get(job, &e);
	if (r < 0)
		return deps_complain_error(&job->error);
	store_entry_free(e);
	if (!opt.quiet)
		printf("Postgres: ready\n");
	return EXIT_OK;
}

/* The database and the test suites of the challenge. */
static int warm_challenge(struct warm *w, struct job *job)
{
	char why[CHALLENGE_ERROR_SIZE] = "";
	int r;

	job->began_ns = now_ns();
	r = suites_publish(job, w->challenge, why);
	if (r == -EINVAL && *why) {
		fprintf(stderr, "sandbox-run deps: %s\n", why);
		return EXIT_USAGE;
	}
	if (r < 0)
		return deps_complain_error(&job->error);
	return w->challenge->postgres ? warm_template(job) : EXIT_OK;
}

/* `name` NULL: what the challenge itself needs. */
static int warm_one(struct warm *w, const char *name)
{
	struct sbx_ctx_options o = { .size = sizeof(o),
				     .flags = SBX_CTX_OWN_LEAF,
				     .log = log_line,
				     .allow_unenforced = opt.unenforced };
	struct sbx_error err = { 0 };
	struct job job = JOB_NULL;
	int code;

	if (sbx_ctx_new(&job.ctx, &o, &err) < 0)
		return deps_complain_error(&err);
	job.settings = w->settings;
	job.challenge = w->challenge;
	job.submission = name;
	job.store = w->store;
	job.cancel_fd = w->signals;
	job.last_stage = "generate";
	if (name) {
		w->challenge->postgres = false;
		(void)pipeline_run(&job);
		code = tell(&job, name);
	} else {
		code = warm_challenge(w, &job);
	}
	job_done(&job);
	sbx_ctx_free(job.ctx);
	return code;
}

/* -------------------------------------------------------------------------- the others */

static void stop_all(struct warm *w)
{
	w->stopped = true;
	for (int i = 0; i < w->n_running; i++)
		(void)kill(w->running[i], SIGTERM);
}

static void take_code(struct warm *w, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INFRASTRUCTURE;

	w->code = MAX_OF(w->code, code);
}

/* Waits until fewer than `max` are left. */
static void reap(struct warm *w, int max)
{
	while (w->n_running >= max) {
		bool ended = false;

		for (int i = 0; i < w->n_running; i++) {
			int status;

			if (waitpid(w->running[i], &status, WNOHANG) != w->running[i])
				continue;
			take_code(w, status);
			w->running[i] = w->running[--w->n_running];
			ended = true;
			break;
		}
		if (!ended && !w->stopped && fd_is_readable(w->signals))
			stop_all(w);
		if (!ended)
			(void)poll(NULL, 0, POLL_MS);
	}
}

static void start(struct warm *w, const char *name, int jobs)
{
	pid_t pid;

	reap(w, jobs);
	if (w->stopped)
		return;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int code;

		close_fd(w->signals);
		w->signals = signals_open();
		code = warm_one(w, name);
		(void)fflush(NULL);
		_exit(code);
	}
	if (pid < 0)
		w->code = deps_complain("fork: %s", strerror(errno));
	else
		w->running[w->n_running++] = pid;
}

/* Before anything is made: a wrong name is a matter of seconds, databases and tools are not. */
static int find_template(struct warm *w)
{
	struct stat st;

	if (!w->challenge->template)
		return 0;
	if (asprintf(&w->template, "%s/%s", w->challenge->dir, w->challenge->template) < 0) {
		w->template = NULL;
		return deps_complain("out of memory");
	}
	if (stat(w->template, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
		return 0;
	fprintf(stderr,
		"sandbox-run deps: %s/challenge.json: $.template: there is no folder \"%s\"; "
		"correct the name or remove it\n",
		w->challenge->dir, w->challenge->template);
	return EXIT_USAGE;
}

static int load_challenge(struct warm *w)
{
	char why[CHALLENGE_ERROR_SIZE];
	int r;

	if (!opt.challenge) {
		w->challenge = challenge_bare();
		return w->challenge ? 0 : deps_complain("out of memory");
	}
	r = challenge_load(&w->challenge, opt.challenge, why);
	if (r == -ENOMEM)
		return deps_complain("out of memory");
	if (r < 0)
		fprintf(stderr, "sandbox-run deps: %s\n", why);
	return r < 0 ? EXIT_USAGE : find_template(w);
}

static int warm_all(struct warm *w, char **words, int n)
{
	int jobs = opt.jobs.text ? (int)MIN_OF(opt.jobs.value, JOBS_MAX) : JOBS_DEFAULT;

	if (opt.challenge)
		start(w, NULL, jobs);
	/* Most need what the template needs: it is finished first. */
	if (w->template)
		start(w, w->template, jobs);
	if (w->template)
		reap(w, 1);
	for (int i = 0; i < n; i++)
		start(w, words[i], jobs);
	reap(w, 1);
	return w->stopped ? EXIT_INTERRUPTED : w->code;
}

static int check_files(char **words, int n)
{
	struct stat st;

	for (int i = 0; i < n; i++) {
		if (stat(words[i], &st) < 0)
			return usage_error("deps", "%s: %s", words[i], strerror(errno));
	}
	return 0;
}

int deps_warm(const struct settings *settings, struct store *s, char **words, int n)
{
	struct warm w = { .settings = settings, .store = s, .signals = -1 };
	struct toolchain toolchain = { 0 };
	struct sbx_error err = { 0 };
	int code = check_files(words, n);

	if (code != 0)
		return code;
	if (!settings->node_dir) {
		if (toolchain_find(&toolchain, settings->store_dir, &err) == 0)
			toolchain_done(&toolchain);
		return deps_complain_error(&err);
	}
	w.signals = signals_open();
	if (w.signals < 0)
		return deps_complain("signals cannot be blocked: %s", strerror(-w.signals));
	code = load_challenge(&w);
	if (code == 0)
		code = warm_all(&w, words, n);
	challenge_free(w.challenge);
	free(w.template);
	close_fd(w.signals);
	return code;
}
