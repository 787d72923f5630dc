/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner submit: hands in one archive and follows it to its verdict. What is printed on the
 * way is the stream that a page of the platform would show; it can be read again from its
 * beginning.
 */

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "fleet/admin/admin-job.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "fleet/fleet.h"
#include "store/key.h"
#include "util/util.h"

#define LINES 64
#define WAIT_MS 2000

static struct {
	const char *challenge, *student, *contest, *id, *priority;
	bool no_follow, json, quiet;
} opt;

static const struct option_spec specs[] = {
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What is handed in" },
	{ OPTION_STRING, 0, "challenge", "ID", &opt.challenge, "for this challenge (required)" },
	{ OPTION_STRING, 0, "student", "ID", &opt.student, "by this student (required)" },
	{ OPTION_STRING, 0, "contest", "ID", &opt.contest,
	  "in this contest (default: none, unranked)" },
	{ OPTION_STRING, 0, "id", "ID", &opt.id,
	  "of the submission; the same one twice is one submission (default: a new one)" },
	{ OPTION_STRING, 0, "priority", "WHICH", &opt.priority,
	  "admin, contest or practice (default: contest with --contest, else practice)" },
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Output" },
	{ OPTION_FLAG, 0, "no-follow", NULL, &opt.no_follow, "only hand it in, and print its id" },
	{ OPTION_FLAG, 0, "json", NULL, &opt.json, "the result as JSON on stdout" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &opt.quiet, "no log, only the verdict" },
	ADMIN_FLEET_OPTIONS,
	{ OPTION_END },
};

static const struct command command = {
	.name = "submit",
	.synopsis = "submit ARCHIVE --challenge ID --student ID [OPTIONS]",
	.summary =
		"Hands in ARCHIVE, a URL or a zip below the folder that \"fetch\": { \"file_root\" "
		"}\n"
		"names, and follows it until its verdict is there. Ctrl-C ends the following, not\n"
		"the submission.",
	.examples = "  sandbox-runner submit https://files.example.org/a.zip \\\n"
		    "      --challenge todo --student ada --config runner.json\n"
		    "  sandbox-runner submit work.zip --challenge todo --student ada --no-follow",
	.epilog = "Exit codes:\n"
		  "    0  handed in, and accepted where it was followed\n"
		  "    1  tests failed, or it was cancelled or superseded\n"
		  "    2  the command line or the configuration is wrong\n"
		  "    3  the submission failed before its tests\n"
		  "    4  Redis is away, the queue is full, or judging failed",
	.options = specs,
};

static int hash_file(const char *path, char ret[QUEUE_SHA256_HEX + 1])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : sha256_of(fd, ret);
}

/* A path as the URL that workers know it by; they look below the same folder. */
static int url_of_file(struct admin *a, const char *path, struct queue_submission *s)
{
	const char *root = a->config.fetch.file_root;
	char full[PATH_MAX], base[PATH_MAX];
	size_t n;
	int r;

	if (!root)
		return admin_complain(
			a, EXIT_USAGE,
			"%s is a file: give the URL that workers can fetch it from, or let "
			"them read a folder (\"fetch\": { \"file_root\" })",
			path);
	if (!realpath(path, full) || !realpath(root, base))
		return admin_complain(a, EXIT_USAGE, "%s: %s", path, strerror(errno));
	n = strlen(base);
	if (strncmp(full, base, n) != 0 || full[n] != '/' || strlen(full + n) > QUEUE_URL_MAX - 8)
		return admin_complain(a, EXIT_USAGE, "%s does not lie below %s, which workers read",
				      path, base);
	r = hash_file(full, s->sha256);
	if (r < 0)
		return admin_complain(a, EXIT_USAGE, "%s: %s", path, strerror(-r));
	(void)snprintf(s->url, sizeof(s->url), "file://%s", full + n);
	return EXIT_OK;
}

static int new_id(char ret[QUEUE_ID_MAX + 1])
{
	unsigned char random[12];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", random[i]);
	return 0;
}

static int take_priority(struct queue_submission *s)
{
	static const char *const names[] = { "admin", "contest", "practice", NULL };

	s->priority = *s->contest ? QUEUE_CONTEST : QUEUE_PRACTICE;
	for (int i = 0; opt.priority && names[i]; i++) {
		if (!streq(opt.priority, names[i]))
			continue;
		s->priority = (enum queue_priority)i;
		return EXIT_OK;
	}
	return opt.priority ? usage_error("submit", "--priority is admin, contest or practice")
			    : EXIT_OK;
}

static int describe(struct admin *a, const char *archive, struct queue_submission *s)
{
	int code;

	if (!opt.challenge || !opt.student)
		return usage_error("submit", "--challenge and --student are required");
	copy_string(s->challenge, sizeof(s->challenge), opt.challenge);
	copy_string(s->student, sizeof(s->student), opt.student);
	copy_string(s->contest, sizeof(s->contest), opt.contest ? opt.contest : "");
	copy_string(s->id, sizeof(s->id), opt.id ? opt.id : "");
	if (!opt.id && new_id(s->id) < 0)
		return admin_complain(a, EXIT_INFRASTRUCTURE, "no random numbers");
	code = take_priority(s);
	if (code != EXIT_OK)
		return code;
	if (!strstr(archive, "://"))
		return url_of_file(a, archive, s);
	if (strlen(archive) > QUEUE_URL_MAX)
		return usage_error("submit", "the URL has more than %d bytes", QUEUE_URL_MAX);
	copy_string(s->url, sizeof(s->url), archive);
	return EXIT_OK;
}

/* Who waits for it would wonder. */
static void tell_of_no_worker(struct admin *a)
{
	struct queue_status status;

	if (queue_status(a->queue, &status, &a->err) < 0)
		return;
	if (status.paused)
		fprintf(stderr,
			"the queue is paused: it waits until sandbox-runner admin resume\n");
	else if (status.workers == 0)
		fprintf(stderr, "no worker takes submissions at the moment: it waits for one "
				"(sandbox-runner admin workers)\n");
}

/* It is judged all the same, and ranked nowhere. */
static void tell_of_no_contest(struct admin *a, const struct queue_submission *s)
{
	struct contest c = { 0 };

	if (*s->contest && a->config.ledger.url && a->config.compat.devforces == DEVFORCES_OFF &&
	    admin_ledger(a) && ledger_contest(a->ledger, s->contest, &c, &a->err) == 0)
		fprintf(stderr,
			"there is no contest %s in the ledger: it is not ranked until there is "
			"(sandbox-runner admin contest set)\n",
			s->contest);
}

static int enqueue(struct admin *a, const struct queue_submission *s)
{
	struct queue_place place = { 0 };
	char after[32];
	int r = queue_enqueue(a->queue, s, &place, &a->err);

	if (r == -EINVAL)
		return admin_complain(a, EXIT_USAGE, "%s", a->err.text);
	if (r < 0)
		return admin_failed(a);
	if (r == QUEUE_FULL || r == QUEUE_STUDENT_FULL)
		return admin_complain(a, EXIT_INFRASTRUCTURE, "%s; try again in %s",
				      r == QUEUE_FULL ? "the queue is full"
						      : "this student has too many that wait",
				      admin_duration(place.retry_after_ms, after));
	if (opt.quiet || opt.json)
		return EXIT_OK;
	if (r == QUEUE_DUPLICATE)
		fprintf(stderr, "%s was handed in before\n", s->id);
	else
		fprintf(stderr, "%s: handed in, place %llu\n", s->id,
			(unsigned long long)place.position);
	if (*place.superseded)
		fprintf(stderr, "it takes the place of %s\n", place.superseded);
	tell_of_no_worker(a);
	tell_of_no_contest(a, s);
	return EXIT_OK;
}

/* A "state" line after which nothing comes. */
static bool is_end(const struct queue_line *l)
{
	return streq(l->kind, "state") &&
	       (starts_with(l->text, "done") || streq(l->text, "cancelled") ||
		streq(l->text, "superseded"));
}

static void wait_backoff(const struct queue *q)
{
	uint64_t ns = queue_backoff_ns(q);
	struct timespec t = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
			      .tv_nsec = (long)(ns % NSEC_PER_SEC) };

	(void)nanosleep(&t, NULL);
}

/* Until its end; Redis may come and go meanwhile. 0, or an exit code. */
static int follow(struct admin *a, const char *id)
{
	_cleanup_free_ struct queue_line *lines = calloc(LINES, sizeof(*lines));
	char after[40] = "0";

	if (!lines)
		return EXIT_INFRASTRUCTURE;
	for (;;) {
		int n = queue_log_read(a->queue, id, after, WAIT_MS, lines, LINES, &a->err);

		if (n == -EAGAIN) {
			wait_backoff(a->queue);
			continue;
		}
		if (n < 0)
			return admin_failed(a);
		for (int i = 0; i < n; i++) {
			copy_string(after, sizeof(after), lines[i].entry);
			if (is_end(&lines[i]))
				return EXIT_OK;
			if (!opt.quiet && !opt.json)
				admin_put_log(stderr, "  ", &lines[i], false);
		}
	}
}

static int exit_code(const struct queue_view *v)
{
	if (streq(v->verdict, "AC"))
		return EXIT_OK;
	if (streq(v->verdict, "IE"))
		return EXIT_INFRASTRUCTURE;
	return streq(v->verdict, "CE") || streq(v->verdict, "BOOT") ? 3 : EXIT_FAILED;
}

static void print_verdict(const struct queue_view *v)
{
	bool color = color_wanted(COLOR_AUTO, STDOUT_FILENO);
	cJSON *result = v->result ? cJSON_Parse(v->result) : NULL;
	const char *reason = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(result, "reason"));
	char tests[64];

	(void)snprintf(tests, sizeof(tests), "%u of %u tests passed", v->passed, v->total);
	if (!streq(v->state, "done")) /* cancelled or superseded before it was judged */
		printf("%s\n", v->state);
	else
		printf("%s%s%s  %s\n", verdict_color(v->verdict, color), v->verdict,
		       COLOR_END(color), reason && *reason ? reason : tests);
	cJSON_Delete(result);
}

static int tell(struct admin *a, const char *id)
{
	struct queue_view v = { 0 };
	int r = queue_job_get(a->queue, id, &v, &a->err), code;

	if (r < 0)
		return admin_failed(a);
	if (r == 0)
		return admin_complain(a, EXIT_INFRASTRUCTURE, "%s is not in the queue any more",
				      id);
	code = exit_code(&v);
	if (opt.json)
		printf("%s\n", v.result ? v.result : "null");
	else
		print_verdict(&v);
	free(v.result);
	return code;
}

int cmd_submit(int argc, char **argv)
{
	_cleanup_(admin_done) struct admin a = { 0 };
	struct queue_submission s = { 0 };
	int n, code = options_read_words(&command, argc, argv, &n);

	if (code >= 0)
		return code;
	if (n != 1)
		return usage_error("submit", n == 0 ? "ARCHIVE is missing: a URL or a zip file"
						    : "one ARCHIVE at a time");
	code = admin_open(&a, "submit");
	if (code == EXIT_OK)
		code = describe(&a, argv[0], &s);
	if (code != EXIT_OK)
		return code;
	if (!admin_queue(&a))
		return EXIT_INFRASTRUCTURE;
	code = enqueue(&a, &s);
	if (code != EXIT_OK)
		return code;
	if (opt.no_follow)
		return printf("%s\n", s.id) > 0 ? EXIT_OK : EXIT_FAILED;
	code = follow(&a, s.id);
	return code != EXIT_OK ? code : tell(&a, s.id);
}
