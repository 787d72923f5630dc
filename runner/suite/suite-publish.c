/* SPDX-License-Identifier: MIT */

/*
 * Publishing the suites of one runner: their files are laid into a new entry, run where nothing
 * listens, and what they reported is written down as the plan.
 *
 * All of it is the teacher's, not a submission's; it is jailed all the same, bounded in time and
 * size, and only plain files enter the store. What goes wrong here is a mistake in the challenge
 * and is said as one: nobody is judged by a suite that could not be run once.
 */

#include "suite/suite-publish.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "pipeline/clean.h"
#include "pipeline/strv.h"
#include "util/util.h"

#define OUTPUT_MAX (64u << 10)
#define REPORT_MAX (8u << 20)
#define EXTRA_WALL (60 * NSEC_PER_SEC)
#define REPORT_FD 3
#define GO_FD 4

void suite_publish_done(struct suite_publish *p)
{
	p->jail = sbx_jail_free(p->jail);
	json_decref(p->plan);
	free(p->text);
}

static int teacher(struct suite_publish *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int teacher(struct suite_publish *p, const char *fmt, ...)
{
	_cleanup_free_ char *clean = NULL;
	char text[CHALLENGE_ERROR_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean = clean_text(text, strlen(text), CHALLENGE_ERROR_SIZE - 4);
	copy_string(p->why, CHALLENGE_ERROR_SIZE, clean ? clean : "the suites are wrong");
	return -EINVAL;
}

/* ---------------------------------------------------------------------------- files */

static int write_file(int dir, const char *name, const char *text, size_t size)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return -errno;
	r = write_full(fd, text, size);
	return r == 0 && fchmod(fd, 0644) < 0 ? -errno : r;
}

/* The folders of `name`, which is clean (no "..", nothing absolute). */
static int make_folders(int dir, const char *name)
{
	char path[4096];

	copy_string(path, sizeof(path), name);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(dir, path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int lay_file(struct suite_publish *p, int dir, const char *name, const char *text,
		    size_t size)
{
	int r = make_folders(dir, name);

	if (r == 0)
		r = write_file(dir, name, text, size);
	return r < 0 ? job_fail(p->job, r, "suite", "cannot store %s: %s", name, strerror(-r)) : 0;
}

static int make_folder(struct suite_publish *p, const char *name, mode_t mode)
{
	if (mkdirat(p->entry->dir, name, 0700) < 0 || fchmodat(p->entry->dir, name, mode, 0) < 0)
		return job_fail(p->job, -errno, "suite", "cannot make %s: %m", name);
	return 0;
}

/* What the packages that the challenge brings along are mounted on. */
static int lay_packages(struct suite_publish *p, int dir)
{
	_cleanup_free_ char *name = NULL;
	int r;

	if (asprintf(&name, "%snode_modules", p->challenge->suite.packages.folder) < 0) {
		name = NULL;
		return job_fail(p->job, -ENOMEM, "suite", "out of memory");
	}
	r = make_folders(dir, name);
	if (r == 0 && (mkdirat(dir, name, 0700) < 0 || fchmodat(dir, name, 0755, 0) < 0))
		r = -errno;
	return r < 0 ? job_fail(p->job, r, "suite", "cannot make %s: %s", name, strerror(-r)) : 0;
}

static int lay_files(struct suite_publish *p)
{
	const struct challenge *c = p->challenge;
	_cleanup_close_ int dir = -1;
	/* Whose the files in fast/ are depends on the caller's privileges; it lies below 0700. */
	int r = make_folder(p, "tests", 0755);

	if (r == 0)
		r = make_folder(p, "fast", 0777);
	if (r < 0)
		return r;
	dir = openat(p->entry->dir, "tests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return job_fail(p->job, -errno, "suite", "cannot open tests: %m");
	for (uint32_t i = 0; i < c->n_tests && r == 0; i++) {
		const struct challenge_test *t = &c->tests[i];

		if (t->runner == p->runner)
			r = lay_file(p, dir, t->name, t->text, t->size);
	}
	for (uint32_t i = 0; i < c->suite.n_files && r == 0; i++) {
		const struct challenge_file *f = &c->suite.files[i];

		r = lay_file(p, dir, f->name, f->text, f->size);
	}
	return r == 0 && p->own ? lay_packages(p, dir) : r;
}

/* ----------------------------------------------------------------------------- plan */

/* A configuration among the further files, by the names that the runners look for. */
static const char *find_config(const struct suite_publish *p)
{
	const struct challenge_suite *s = &p->challenge->suite;

	for (uint32_t i = 0; i < s->n_files; i++) {
		const char *slash = strrchr(s->files[i].name, '/');
		const char *name = slash ? slash + 1 : s->files[i].name;

		if (p->runner == TESTS_VITEST &&
		    (starts_with(name, "vitest.config.") || starts_with(name, "vite.config.")))
			return s->files[i].name;
		if (p->runner == TESTS_JEST && starts_with(name, "jest.config."))
			return s->files[i].name;
	}
	return NULL;
}

static int start_plan(struct suite_publish *p)
{
	const struct challenge *c = p->challenge;
	const char *config = find_config(p);
	json_t *files = json_array();

	for (uint32_t i = 0; files && i < c->n_tests; i++) {
		if (c->tests[i].runner == p->runner)
			(void)json_array_append_new(files, json_string(c->tests[i].name));
	}
	p->plan = json_pack("{s:o, s:s, s:s}", "files", files, "packages", SUITE_PACKAGES, "out",
			    SUITE_FAST);
	if (p->plan && config)
		(void)json_object_set_new(p->plan, "config", json_string(config));
	p->text = p->plan ? json_dumps(p->plan, JSON_COMPACT) : NULL;
	return p->text ? 0 : job_fail(p->job, -ENOMEM, "suite", "out of memory");
}

/* ------------------------------------------------------------------------------ run */

static int go_pipe(struct suite_publish *p, int *ret)
{
	_cleanup_close_ int out = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return job_fail(p->job, -errno, "suite", "pipe: %m");
	*ret = ends[0];
	out = ends[1];
	return write(out, "g", 1) == 1 ? 0 : job_fail(p->job, -EIO, "suite", "pipe: %m");
}

static int run_failed(struct suite_publish *p, const struct sbx_result *result, int log)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	text = job_read_fd(log, OUTPUT_MAX, &size);
	if (result->verdict == SBX_VERDICT_WALL || result->verdict == SBX_VERDICT_CPU)
		return teacher(p,
			       "the %s suites did not end where no server listens: a test or "
			       "hook waits for ever",
			       suite_runner_name(p->runner));
	return teacher(p, "the %s suites cannot be run (exit code %d, signal %d): %s",
		       suite_runner_name(p->runner), result->exit_code, result->term_signal,
		       text && size > 0 ? text : "nothing was printed");
}

static int execute(struct suite_publish *p, enum suite_way way, int report, int log)
{
	_cleanup_(strv_freep) char **env = NULL;
	_cleanup_close_ int go = -1;
	struct sbx_result result;
	struct sbx_proc *proc = NULL;
	struct sbx_exec e;
	struct sbx_fd fds[2] = { { .fd = report, .target = REPORT_FD }, { .target = GO_FD } };
	int r = go_pipe(p, &go);

	if (r < 0)
		return r;
	if (suite_command(p->challenge, p->runner, way, &e, &env) < 0)
		return job_fail(p->job, -ENOMEM, "suite", "out of memory");
	fds[1].fd = go;
	e.flags = SBX_EXEC_STDERR;
	e.stderr_fd = log;
	e.stderr_limit = OUTPUT_MAX;
	e.fds = fds;
	e.n_fds = ARRAY_SIZE(fds);
	e.wall_ns = p->challenge->limits.tests_ns + EXTRA_WALL;
	r = sbx_jail_exec(p->jail, &proc, &e, &p->job->error);
	if (r < 0)
		return r;
	r = job_wait(p->job, proc, UINT64_MAX, &result);
	sbx_proc_free(proc);
	if (r == 0 && (result.verdict != SBX_VERDICT_EXITED || result.exit_code != 0))
		r = run_failed(p, &result, log);
	return r;
}

int suite_publish_jail(struct suite_publish *p)
{
	struct suite_box box = { .suite = p->entry,
				 .packages = p->packages,
				 .own = p->own,
				 .own_folder = p->challenge->suite.packages.folder,
				 .plan = p->text,
				 .publish = true };

	p->jail = sbx_jail_free(p->jail);
	return suite_jail(p->job, &box, &p->jail);
}

int suite_publish_run(struct suite_publish *p, enum suite_way way, char **ret, size_t *ret_size)
{
	_cleanup_close_ int report = job_memfd(p->job, "suite-report");
	_cleanup_close_ int log = job_memfd(p->job, "suite-log");
	int r;

	if (report < 0 || log < 0)
		return p->job->error.code;
	r = execute(p, way, report, log);
	if (r < 0)
		return r;
	*ret = job_read_fd(report, REPORT_MAX, ret_size);
	return *ret ? 0 : job_fail(p->job, -ENOMEM, "suite", "out of memory");
}

/* ---------------------------------------------------------------------------- entry */

static int write_plan(struct suite_publish *p)
{
	_cleanup_free_ char *text = json_dumps(p->plan, JSON_COMPACT);
	int r;

	if (!text)
		return job_fail(p->job, -ENOMEM, "suite", "out of memory");
	if (strlen(text) > SUITE_PLAN_MAX)
		return teacher(p, "the names of the tests take more than %u KiB",
			       SUITE_PLAN_MAX >> 10);
	r = write_file(p->entry->dir, "plan.json", text, strlen(text));
	return r < 0 ? job_fail(p->job, r, "suite", "cannot store the plan: %s", strerror(-r)) : 0;
}

/* Node writes its code cache for its owner alone. */
static int finish(struct suite_publish *p)
{
	_cleanup_free_ char *report = NULL;
	size_t size;

	return suite_publish_run(p, SUITE_FINISH, &report, &size);
}

int suite_publish(struct suite_publish *p, struct tree_sum *ret)
{
	int r = lay_files(p);

	if (r == 0)
		r = start_plan(p);
	if (r < 0)
		return r;
	r = suite_publish_jail(p);
	if (r == 0)
		r = suite_publish_collect(p);
	if (r == 0)
		r = finish(p);
	if (r < 0)
		return r;
	p->jail = sbx_jail_free(p->jail);
	r = write_plan(p);
	if (r < 0)
		return r;
	r = tree_seal(p->entry->dir, ret);
	return r < 0 ? job_fail(p->job, r, "store", "what was published cannot be stored: %s",
				strerror(-r))
		     : 0;
}
