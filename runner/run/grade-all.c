/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run grade-all: many submissions against one challenge. Each is judged by a worker, which
 * is `sandbox-run grade` in a process of its own: one that dies costs one row. This process touches
 * no submission but to hash it; it starts workers, waits for them and keeps what they found.
 */

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "challenge/challenge-tests.h"
#include "run/exec-options.h"
#include "run/grade-all-progress.h"
#include "run/grade-all.h"
#include "run/run.h"
#include "pipeline/settings.h"
#include "cli/signals.h"
#include "util/util.h"

#define JOBS_MAX 256u
/* Beside what the challenge allows: sandbox-run, the tester, an install. */
#define JOB_OVERHEAD (192ull << 20)
#define WORDS 32

static struct {
	const char *challenge, *store, *reveal, *allow_unenforced, *out, *csv, *json;
	struct option_measure jobs, store_size;
	enum color color;
	bool again, quiet;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What to judge" },
	{ OPTION_STRING, 'c', "challenge", "DIR", &opt.challenge,
	  "the folder with challenge.json and the hidden tests (required)" },
	{ OPTION_STRING, 0, "reveal", "WHAT", &opt.reveal,
	  "what results tell about the tests: none, names, messages, or all (default: the "
	  "challenge's)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "How" },
	{ OPTION_NUMBER, 'j', "jobs", "N", &opt.jobs,
	  "submissions at once (default: as many as there are processors, and as there is memory "
	  "for)" },
	{ OPTION_FLAG, 0, "again", NULL, &opt.again,
	  "judge those again, too, that have a result already" },
	{ OPTION_STRING, 0, "store", "DIR", &opt.store,
	  "runtimes and installed packages (default: $SANDBOX_STORE, " SETTINGS_STORE_HELP ")" },
	{ OPTION_SIZE, 0, "store-size", "SIZE", &opt.store_size,
	  "what installed packages may take on the disk (default: 10G)" },
	{ OPTION_STRING, 0, "allow-unenforced", "LIST", &opt.allow_unenforced,
	  "limits to go without where this host cannot enforce them, as for grade" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output (for people on stderr)" },
	{ OPTION_STRING, 'o', "out", "DIR", &opt.out,
	  "folder of results, one file each (default: SUBMISSIONS.results)" },
	{ OPTION_STRING, 0, "csv", "FILE", &opt.csv, "the table for spreadsheets; - is stdout" },
	{ OPTION_STRING, 0, "json", "FILE", &opt.json, "the table as JSON; - is stdout" },
	{ OPTION_COLOR, 0, "color", "WHEN", &opt.color, "auto, always or never (default: auto)" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "no progress and no table" },
	{ OPTION_END },
};

const struct command grade_all_command = {
	.name = "grade-all",
	.synopsis = "grade-all SUBMISSIONS --challenge DIR [OPTIONS]",
	.summary =
		"Judges many submissions against one challenge. SUBMISSIONS is a folder of zips\n"
		"and folders, named after their students, or a manifest: CSV (student,path) or\n"
		"lines of JSON ({\"student\": ..., \"path\": ...}), with paths relative to it.\n\n"
		"Ctrl-C stops it, and the same command goes on where it was: a result is kept\n"
		"until the archive or the challenge changes. What the sandbox failed to judge\n"
		"(IE) is tried again.",
	.examples = "  sandbox-run grade-all week3/ --challenge challenges/car-rental\n"
		    "  sandbox-run grade-all week3/ -c car-rental --jobs 4 --csv week3.csv\n"
		    "  sandbox-run grade-all list.csv -c car-rental --out results --again\n"
		    "  sandbox-run explain week3.results/ada.json --report html=ada.html",
	.epilog = "Exit codes:\n"
		  "    0  all are judged, whatever the verdicts\n"
		  "    2  the command line, the manifest or the challenge is wrong\n"
		  "    4  some could not be judged (IE), or a file could not be written\n"
		  "  130  interrupted; what is done is kept",
	.options = specs,
};

static int complain(const char *what, int error)
{
	fprintf(stderr, "sandbox-run grade-all: %s: %s\n", what, strerror(error));
	return EXIT_INFRASTRUCTURE;
}

/* -------------------------------------------------------------------- worker */

static void worker_words(const struct entry *e, const char *json, const char *words[WORDS])
{
	const struct {
		const char *name, *value;
	} pairs[] = {
		{ "--challenge", opt.challenge },
		{ "--store", opt.store },
		{ "--store-size", opt.store_size.text },
		{ "--reveal", opt.reveal },
		{ "--allow-unenforced", opt.allow_unenforced },
	};
	int n = 0;

	words[n++] = "sandbox-run";
	words[n++] = "grade";
	words[n++] = "--no-config";
	words[n++] = "--quiet";
	words[n++] = "--color=never";
	words[n++] = json;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!pairs[i].value)
			continue;
		words[n++] = pairs[i].name;
		words[n++] = pairs[i].value;
	}
	words[n++] = "--";
	words[n++] = e->path;
	words[n] = NULL;
}

/* Options of grade come from our command line alone. */
static void clear_environment(void)
{
	char name[128];
	bool found = true;

	while (found) {
		found = false;
		for (char **v = environ; v && *v && !found; v++) {
			if (!starts_with(*v, "SANDBOX_RUN_"))
				continue;
			found = true;
			copy_string(name, sizeof(name), *v);
			name[strcspn(name, "=")] = '\0';
			if (unsetenv(name) < 0)
				return;
		}
	}
}

/* In the new process: a group of its own, so that Ctrl-C is ours alone to pass on. */
__attribute__((noreturn)) static void become_worker(const char *const *words, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(said, 2) == 2) {
		clear_environment();
		(void)execv("/proc/self/exe", (char *const *)words);
	}
	_exit(EXIT_INFRASTRUCTURE);
}

static int start_worker(struct grades *g, struct entry *e)
{
	_cleanup_free_ char *path = entry_temporary(g, e), *json = NULL;
	const char *words[WORDS];

	if (!path || asprintf(&json, "--json=%s", path) < 0) {
		json = NULL;
		return -ENOMEM;
	}
	(void)unlink(path);
	worker_words(e, json, words);
	e->said = memfd_create("worker", MFD_CLOEXEC);
	if (e->said < 0)
		return -errno;
	e->pid = fork();
	if (e->pid < 0)
		return -errno;
	if (e->pid == 0)
		become_worker(words, e->said);
	e->pidfd = (int)syscall(SYS_pidfd_open, e->pid, 0);
	if (e->pidfd < 0) {
		(void)kill(e->pid, SIGTERM);
		(void)waitpid(e->pid, NULL, 0);
		return -errno;
	}
	e->state = ENTRY_RUNS;
	return 0;
}

/* It has ended. Of one that was interrupted nothing is kept. */
static int end_worker(struct grades *g, struct entry *e, bool stopped)
{
	int r = 0, status = 0;

	while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
		;
	e->pidfd = close_fd(e->pidfd);
	if (stopped && (!WIFEXITED(status) || WEXITSTATUS(status) == EXIT_INTERRUPTED)) {
		_cleanup_free_ char *path = entry_temporary(g, e);

		e->state = ENTRY_WAITS;
		if (path)
			(void)unlink(path);
	} else {
		r = entry_finish(g, e);
	}
	e->said = close_fd(e->said);
	return r;
}

/* ---------------------------------------------------------------------- loop */

struct run {
	struct grades *g;
	struct progress progress;
	struct entry *running[JOBS_MAX];
	uint32_t jobs, n;
	size_t next;
	int signals;
	bool stop;
};

static int fill(struct run *run)
{
	while (!run->stop && run->n < run->jobs && run->next < run->g->n) {
		struct entry *e = &run->g->entries[run->next++];
		int r;

		if (fd_is_readable(run->signals))
			return 0;
		if (entry_take_kept(run->g, e, opt.again)) {
			progress_done(&run->progress, run->g, e);
			continue;
		}
		r = start_worker(run->g, e);
		if (r < 0)
			return r;
		run->running[run->n++] = e;
	}
	return 0;
}

static void stop(struct run *run)
{
	run->stop = true;
	for (uint32_t i = 0; i < run->n; i++)
		(void)kill(run->running[i]->pid, SIGTERM);
}

static int reap(struct run *run, const struct pollfd *set)
{
	uint32_t n = 0, before = run->n;
	int r = 0;

	for (uint32_t i = 0; i < before; i++) {
		struct entry *e = run->running[i];

		if (!set[i].revents) {
			run->running[n++] = e;
			continue;
		}
		r = MIN_OF(end_worker(run->g, e, run->stop), r);
		if (e->state == ENTRY_DONE)
			progress_done(&run->progress, run->g, e);
	}
	run->n = n;
	return r;
}

static int wait_some(struct run *run)
{
	struct pollfd set[JOBS_MAX + 1];

	for (uint32_t i = 0; i < run->n; i++)
		set[i] = (struct pollfd){ .fd = run->running[i]->pidfd, .events = POLLIN };
	set[run->n] = (struct pollfd){ .fd = run->stop ? -1 : run->signals, .events = POLLIN };
	if (poll(set, run->n + 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (set[run->n].revents)
		stop(run);
	return reap(run, set);
}

static int loop(struct run *run)
{
	int r = 0;

	progress_begin(&run->progress, run->g);
	while (r == 0 && !run->stop && (run->n > 0 || run->next < run->g->n)) {
		r = fill(run);
		run->stop |= fd_is_readable(run->signals) && run->n == 0;
		if (r == 0 && run->n > 0)
			r = wait_some(run);
	}
	/* Interrupted, or something of ours failed: none is left to itself. */
	if (r < 0)
		stop(run);
	while (run->n > 0) {
		if (wait_some(run) < 0 && r == 0)
			r = -EIO;
	}
	progress_end(&run->progress);
	return r;
}

/* ------------------------------------------------------------------- outputs */

static int write_table(const char *path, const struct grades *g, const struct entry **ranked,
		       void (*put)(FILE *, const struct grades *, const struct entry **))
{
	FILE *f = streq(path, "-") ? stdout : fopen(path, "we");
	bool bad;

	if (!f)
		return complain(path, errno);
	put(f, g, ranked);
	bad = fflush(f) != 0 || ferror(f);
	if (f != stdout)
		bad |= fclose(f) != 0;
	return bad ? complain(path, errno) : EXIT_OK;
}

static int tell(struct grades *g, bool interrupted)
{
	size_t failed = grades_count(g, "IE");
	const struct entry **ranked;
	int code = EXIT_OK;

	grades_mark_twins(g);
	ranked = grades_ranked(g);
	if (!ranked)
		return complain("the table", ENOMEM);
	if (!opt.quiet)
		grades_print_table(stderr, g, ranked);
	if (opt.csv)
		code = write_table(opt.csv, g, ranked, grades_write_csv);
	if (opt.json)
		code = MAX_OF(code, write_table(opt.json, g, ranked, grades_write_json));
	free(ranked);
	if (!opt.quiet || interrupted)
		fprintf(stderr, "\n%zu of %zu done, %zu of them before; results in %s\n", g->done,
			g->n, g->kept, g->out);
	if (failed)
		fprintf(stderr,
			"%zu could not be judged (IE: the sandbox failed); the same command tries "
			"them again\n",
			failed);
	if (interrupted)
		fputs("interrupted; the same command goes on from here\n", stderr);
	if (interrupted)
		return EXIT_INTERRUPTED;
	return code != EXIT_OK || failed ? EXIT_INFRASTRUCTURE : EXIT_OK;
}

/* --------------------------------------------------------------------- begin */

static uint64_t memory_available(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			return kib << 10;
	}
	return UINT64_MAX;
}

/* Each may use all that the challenge allows, at the same time: what would not fit is not begun. */
static uint32_t default_jobs(const struct challenge *c)
{
	uint64_t one = c->limits.memory + JOB_OVERHEAD, fit;
	cpu_set_t set;
	int cpus = 1;

	if (c->postgres)
		one += c->limits.database_memory;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = CPU_COUNT(&set);
	fit = memory_available() / one;
	return (uint32_t)MAX_OF(MIN_OF((uint64_t)cpus, MIN_OF(fit, (uint64_t)JOBS_MAX)), 1u);
}

/* What a verdict depends on: not the README, nor the solutions that lie beside it. */
static int hash_challenge(struct grades *g)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct key key;
	size_t size;
	int r;

	if (asprintf(&path, "%s/challenge.json", opt.challenge) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = challenge_read_file(path, 1u << 20, &text, &size);
	if (r < 0)
		return r;
	key_begin(&key, "challenge/1");
	key_add(&key, text, size);
	for (uint32_t i = 0; i < g->challenge->n_tests; i++) {
		key_add_string(&key, g->challenge->tests[i].name);
		key_add(&key, g->challenge->tests[i].text, g->challenge->tests[i].size);
	}
	for (uint32_t i = 0; i < g->challenge->suite.n_files; i++) {
		key_add_string(&key, g->challenge->suite.files[i].name);
		key_add(&key, g->challenge->suite.files[i].text, g->challenge->suite.files[i].size);
	}
	key_add_string(&key, opt.reveal ? opt.reveal : "");
	key_end(&key, g->challenge_hash);
	return 0;
}

static int load_challenge(struct grades *g)
{
	char why[CHALLENGE_ERROR_SIZE];
	int r = challenge_load(&g->challenge, opt.challenge, why);

	if (r == -EINVAL) {
		fprintf(stderr, "sandbox-run grade-all: %s\n", why);
		return EXIT_USAGE;
	}
	if (r == 0)
		r = hash_challenge(g);
	return r < 0 ? complain(opt.challenge, -r) : EXIT_OK;
}

static int open_out(struct grades *g, const char *submissions)
{
	_cleanup_free_ char *real = realpath(submissions, NULL);
	size_t n;

	/* "." has no name of its own to put ".results" behind. */
	if (real && submissions[strspn(submissions, "./")] == '\0')
		submissions = real;
	n = strlen(submissions);
	while (n > 1 && submissions[n - 1] == '/')
		n--;
	if (opt.out)
		g->out = strdup(opt.out);
	else if (asprintf(&g->out, "%.*s.results", (int)n, submissions) < 0)
		g->out = NULL;
	if (!g->out)
		return complain("results", ENOMEM);
	/* Results tell of hidden tests, as far as they are revealed. */
	if (mkdir(g->out, 0700) < 0 && errno != EEXIST)
		return usage_error("grade-all", "%s: %s", g->out, strerror(errno));
	if (access(g->out, W_OK | X_OK) < 0)
		return usage_error("grade-all", "%s: %s", g->out, strerror(errno));
	return EXIT_OK;
}

static int check_call(char **argv, int n)
{
	enum reveal reveal;
	uint32_t bits;
	int r;

	if (n != 1)
		return usage_error("grade-all",
				   n == 0 ? "SUBMISSIONS is missing: a folder or a manifest"
					  : "one folder or one manifest at a time");
	if (!opt.challenge)
		return usage_error("grade-all",
				   "--challenge is missing: the folder with challenge.json");
	if (opt.reveal && reveal_parse(opt.reveal, &reveal) < 0)
		return usage_error("grade-all", "--reveal takes none, names, messages or all");
	if (opt.jobs.value > JOBS_MAX)
		return usage_error("grade-all", "--jobs: at most %u", JOBS_MAX);
	if (opt.csv && opt.json && streq(opt.csv, "-") && streq(opt.json, "-"))
		return usage_error("grade-all", "only one thing can be written to stdout");
	if (opt.allow_unenforced) {
		r = exec_parse_limits("grade-all", "--allow-unenforced", opt.allow_unenforced,
				      &bits);
		if (r >= 0)
			return r;
	}
	if (access(argv[0], R_OK) < 0)
		return usage_error("grade-all", "%s: %s", argv[0], strerror(errno));
	return EXIT_OK;
}

static int judge_all(struct grades *g)
{
	struct run run = { .g = g, .signals = signals_open() };
	int r;

	if (run.signals < 0)
		return complain("signals", -run.signals);
	run.jobs = opt.jobs.text ? (uint32_t)opt.jobs.value : default_jobs(g->challenge);
	run.progress = (struct progress){
		.quiet = opt.quiet,
		.bar = isatty(STDERR_FILENO),
		.color = color_wanted(opt.color, STDERR_FILENO),
	};
	r = loop(&run);
	close_fd(run.signals);
	if (r < 0)
		(void)complain("the work stopped", -r);
	return r < 0 ? MAX_OF(tell(g, false), EXIT_INFRASTRUCTURE) : tell(g, run.stop);
}

int cmd_grade_all(int argc, char **argv)
{
	_cleanup_(grades_done) struct grades g = { 0 };
	int n, code = options_read(&grade_all_command, argc, argv, &n);

	if (code >= 0)
		return code;
	code = check_call(argv, n);
	if (code == EXIT_OK)
		code = load_challenge(&g);
	if (code == EXIT_OK)
		code = grades_list(&g, argv[0]);
	if (code == EXIT_OK)
		code = open_out(&g, argv[0]);
	return code == EXIT_OK ? judge_all(&g) : code;
}
