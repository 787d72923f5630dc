/* SPDX-License-Identifier: MIT */

/*
 * The student's server is executed; it lives until the job is unwound. Then the tester is made,
 * unless it was while the database started, in the time that the server needs to boot anyway.
 *
 * What a build or a migration has left running is ended first: it could answer in the place of the
 * server, which is what is judged, and whose output and end are told.
 *
 * A start command that was detected may name a file that the build makes. Where exactly a compiler
 * puts it is seen here: the facts hold the candidates, and the first that exists is run.
 */

#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "util/util.h"

static void undo_log(void *data)
{
	struct job *job = data;

	job->server_log = close_fd(job->server_log);
}

static void undo_server(void *data)
{
	struct job *job = data;

	job->server = sbx_proc_free(job->server);
}

/* "node src/server.js"; of "sh -c SCRIPT" the script. */
static char *command_text(char **argv)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	if (argv[0] && streq(argv[0], "sh") && argv[1] && streq(argv[1], "-c") && argv[2] &&
	    !argv[3])
		argv += 2;
	for (char **v = argv; *v; v++)
		(void)fprintf(f, "%s%s", v == argv ? "" : " ", *v);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

void job_note_command(struct job *job, const char *what, char **argv, const char *from)
{
	_cleanup_free_ char *text = command_text(argv);

	if (!text)
		return;
	job_stage_note(job, "%s", text);
	job_detected(job, what, "%s%s%s%s", text, from ? " (" : "", from ? from : "",
		     from ? ")" : "");
}

static bool exists(struct job *job, const char *file)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (asprintf(&path, "/app/%s", file) < 0) {
		path = NULL;
		return false;
	}
	fd = sbx_jail_open(job->app, path, O_PATH, NULL);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* The word of `argv` that the candidates stand for: the first of them, maybe with "./". */
static char **entry_word(const struct job *job, char **argv)
{
	for (; *argv; argv++) {
		const char *word = *argv;

		while (starts_with(word, "./"))
			word += 2;
		if (streq(word, job->facts.entries[0]))
			return argv;
	}
	return NULL;
}

static int no_entry(struct job *job, char **argv)
{
	_cleanup_free_ char *text = command_text(argv);
	const char *from = job->facts.start_from ? job->facts.start_from : "start";

	if (job->facts.build)
		return job_verdict(
			job, VERDICT_BOOT,
			"The server is started with `%s` (%s), but there is no file %s: it is "
			"not in the archive, and the build did not make it.",
			text ? text : "", from, job->facts.entries[0]);
	return job_verdict(
		job, VERDICT_BOOT,
		"The server is started with `%s` (%s), but there is no file %s: it is not in "
		"the archive, and nothing builds it (package.json has no \"build\" script).",
		text ? text : "", from, job->facts.entries[0]);
}

/* Makes the word that names the file one that exists. The strings stay those of the facts. */
static int choose_entry(struct job *job, char **argv)
{
	char **word = job->facts.entries ? entry_word(job, argv) : NULL;

	if (!word)
		return 0;
	for (char **entry = job->facts.entries; *entry; entry++) {
		if (exists(job, *entry)) {
			*word = *entry;
			return 0;
		}
	}
	return no_entry(job, argv);
}

/* A list of its own, whose words are the challenge's or the facts'. 0; 1 the verdict is decided. */
static int start_command(struct job *job, char ***ret)
{
	const struct challenge_command *c = &job->challenge->start;
	char **from = c->kind == COMMAND_ARGV ? c->argv : job->facts.start, **argv;
	size_t n = 0;

	if (!from && job->facts.start_error)
		return job_verdict(job, VERDICT_BOOT, "%s", job->facts.start_error);
	if (!from)
		return job_verdict(
			job, VERDICT_BOOT,
			"There is nothing to start: package.json has no \"start\" "
			"script and no \"main\", and there is no server.js, index.js or app.js.");
	while (from[n])
		n++;
	argv = calloc(n + 1, sizeof(*argv));
	if (!argv)
		return job_fail(job, -ENOMEM, "start", "out of memory");
	memcpy(argv, from, n * sizeof(*argv));
	*ret = argv;
	return c->kind == COMMAND_ARGV ? 0 : choose_entry(job, argv);
}

static int exec_command(struct job *job, char **argv)
{
	_cleanup_(strv_freep) char **env = job_app_env(job);
	const struct challenge_limits *l = &job->challenge->limits;
	struct sbx_exec e = {
		.size = sizeof(e),
		.flags = SBX_EXEC_STDOUT | SBX_EXEC_STDERR | SBX_EXEC_OUTPUT_KILL,
		.argv = (const char *const *)argv,
		.env = (const char *const *)env,
		.cwd = "/app",
		.stdout_fd = job->server_log,
		.stderr_fd = job->server_log,
		.stdout_limit = l->output,
		.stderr_limit = l->output,
		.wall_ns = UINT64_MAX,
		.cpu_ns = l->cpu_time_ns,
	};

	if (!env)
		return job->error.code;
	return job_exec_student(job, &job->server, &e, VERDICT_BOOT, "The server");
}

int server_exec(struct job *job)
{
	_cleanup_free_ char **argv = NULL;
	int r = start_command(job, &argv);

	return r != 0 ? r : exec_command(job, argv);
}

static void note_start(struct job *job, char **argv)
{
	const struct facts *f = &job->facts;
	bool given = job->challenge->start.kind == COMMAND_ARGV;

	job_note_command(job, "start", argv, given ? "challenge.json" : f->start_from);
	if (f->language && !given)
		job_detected(job, "language", "%s", f->language);
	if (f->framework)
		job_detected(job, "framework", "%s", f->framework);
}

/* With no room for one more process the server has none either, and that is told. */
static int end_leftovers(struct job *job)
{
	struct sbx_result result;

	return job->student_ran ? MIN_OF(job_kill_all(job, job->app, KILL_SERVER_WALL, &result), 0)
				: 0;
}

int stage_start(struct job *job)
{
	_cleanup_free_ char **argv = NULL;
	int r = start_command(job, &argv);

	if (r == 0)
		r = end_leftovers(job);
	if (r != 0)
		return r;
	note_start(job, argv);
	job->server_log = job_memfd(job, "server-log");
	if (job->server_log < 0)
		return job->server_log;
	r = job_push_undo(job, undo_log, job);
	if (r == 0)
		r = exec_command(job, argv);
	if (r == 0)
		r = job_push_undo(job, undo_server, job);
	if (r != 0)
		return r;
	return job->n_testers > 0 ? 0 : testers_launch(job);
}
