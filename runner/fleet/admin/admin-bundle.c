/* SPDX-License-Identifier: MIT */

/*
 * admin bundle: all of one submission in a folder, so that what a worker did can be done by hand,
 * on any machine: sandbox-run grade --bundle (runner/run/grade-bundle.c reads it).
 *
 *   bundle.json      what this is: hashes of the others, and of the tests it was judged by
 *   submission.zip   fetched once more; refused if its hash is no longer the one that was judged
 *   challenge/       a copy of the challenge's folder of this configuration
 *   job.json         what the queue knows of it, without the signature of its URL
 *   result.json      what was judged, as the ledger has it, else the queue
 *   log.jsonl        what the student saw
 *   config.json      what this configuration comes to, without passwords
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet/admin/admin-job.h"
#include "fleet/admin/admin-json.h"
#include "fleet/admin/admin.h"
#include "fleet/admin/bundle.h"
#include "fleet/fetch/fetch.h"
#include "fleet/worker/process.h"
#include "util/util.h"

#define LINES_MAX 500

static int write_text(struct admin *a, int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : write_full(fd, text, strlen(text));

	return r < 0 ? admin_complain(a, EXIT_FAILED, "%s: %s", name, strerror(-r)) : EXIT_OK;
}

static int write_json(struct admin *a, int dir, const char *name, cJSON *o)
{
	_cleanup_free_ char *text = o ? cJSON_Print(o) : NULL;

	cJSON_Delete(o);
	return text ? write_text(a, dir, name, text) : EXIT_FAILED;
}

static int write_log(struct admin *a, int dir, const struct queue_line *lines, int n)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return EXIT_FAILED;
	for (int i = 0; i < n; i++) {
		cJSON *o = admin_line_json(&lines[i]);
		char *line = cJSON_PrintUnformatted(o);

		fprintf(f, "%s\n", line ? line : "");
		free(line);
		cJSON_Delete(o);
	}
	return fclose(f) == 0 ? write_text(a, dir, "log.jsonl", text) : EXIT_FAILED;
}

static int write_config(struct admin *a, int dir)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int r = f ? config_write(f, &a->config, false, true) : -ENOMEM;

	if (!f || fclose(f) != 0 || r < 0)
		return EXIT_FAILED;
	return write_text(a, dir, "config.json", text);
}

static int fetch(struct admin *a, const struct queue_submission *s, struct fetched *ret)
{
	struct fetch_options o;
	const struct fetch_request request = { .url = s->url,
					       .sha256 = s->sha256,
					       .cancel_fd = -1 };
	struct fetcher *f = NULL;
	int r;

	process_fetch_options(&a->config, &o);
	r = fetcher_new(&f, &o, &a->err);
	if (r == 0)
		r = fetch_archive(f, &request, ret, &a->err);
	fetcher_free(f);
	return r;
}

static int write_archive(struct admin *a, int dir, const struct queue_submission *s)
{
	_cleanup_close_ int fd = -1;
	struct fetched got = { .fd = -1 };
	int r = fetch(a, s, &got);
	off_t at = 0;

	if (r < 0)
		return admin_failed(a);
	if (r == FETCH_CHANGED)
		return admin_complain(
			a, EXIT_FAILED,
			"the archive was overwritten: its SHA-256 is %s now, and %s was judged",
			got.sha256, s->sha256);
	if (r != FETCH_DONE)
		return admin_complain(a, EXIT_FAILED,
				      "the archive is not there any more (status %ld)", got.status);
	fd = openat(dir, "submission.zip", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && (uint64_t)at < got.size && sendfile(fd, got.fd, &at, got.size) > 0)
		;
	close_fd(got.fd);
	if (fd < 0 || (uint64_t)at < got.size)
		return admin_complain(a, EXIT_FAILED, "submission.zip: %s", strerror(errno));
	return EXIT_OK;
}

/* What bundle.json tells of a judging. */
struct judging {
	uint32_t judge_rev; /* 0: it has no result yet */
	char tests[QUEUE_SHA256_HEX + 1], challenge[KEY_SIZE];
};

/* The ledger's, which is what counts; the queue's if no ledger was named. */
static int write_result(struct admin *a, int dir, const struct queue_view *v, struct judging *ret)
{
	struct ledger_result r = { 0 };
	int n = 0, code;

	if (a->config.ledger.url) {
		if (!admin_ledger(a))
			return EXIT_INFRASTRUCTURE;
		n = ledger_latest(a->ledger, v->job.submission.id, &r, &a->err);
		if (n < 0)
			return admin_failed(a);
	}
	if (n == 0 && !v->result)
		return EXIT_OK;
	ret->judge_rev = n > 0 ? r.judge_rev : v->job.judge_rev;
	copy_string(ret->tests, sizeof(ret->tests), r.tests_sha256);
	code = write_text(a, dir, "result.json", n > 0 ? r.json : v->result);
	ledger_result_done(&r);
	return code;
}

static cJSON *files_json(int dir)
{
	static const char *const names[] = { "submission.zip", "job.json", "result.json",
					     "log.jsonl", "config.json" };
	cJSON *o = cJSON_CreateObject();
	char hash[KEY_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_close_ int fd = openat(dir, names[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && sha256_of(fd, hash) == 0)
			cJSON_AddStringToObject(o, names[i], hash);
	}
	return o;
}

/* Last: a bundle without it is not whole. */
static int write_manifest(struct admin *a, int dir, const struct queue_view *v,
			  const struct judging *j)
{
	const struct config_value *unenforced =
		&a->config.values[config_key_index("allow_unenforced")];
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "schema", "sandbox-bundle/1");
	cJSON_AddStringToObject(o, "version", sbx_version());
	cJSON_AddStringToObject(o, "id", v->job.submission.id);
	cJSON_AddStringToObject(o, "challenge", v->job.submission.challenge);
	admin_put(o, "judge_rev", j->judge_rev);
	cJSON_AddStringToObject(o, "tests_sha256", j->tests);
	cJSON_AddStringToObject(o, "challenge_sha256", j->challenge);
	cJSON_AddStringToObject(o, "allow_unenforced", unenforced->text ? unenforced->text : "");
	cJSON_AddStringToObject(o, "database",
				a->config.database.provider == DATABASE_SERVER ? "server"
									       : "instance");
	cJSON_AddItemToObject(o, "files", files_json(dir));
	return write_json(a, dir, "bundle.json", o);
}

static int fill(struct admin *a, int dir, const char *path, const struct queue_view *v,
		const struct queue_line *lines, int n)
{
	struct judging j = { 0 };
	int code = write_json(a, dir, "job.json", admin_job_json(v));

	if (code == EXIT_OK)
		code = write_log(a, dir, lines, n);
	if (code == EXIT_OK)
		code = write_config(a, dir);
	if (code == EXIT_OK)
		code = write_result(a, dir, v, &j);
	if (code == EXIT_OK)
		code = bundle_challenge(a, dir, path, v->job.submission.challenge, j.challenge);
	if (code == EXIT_OK)
		code = write_archive(a, dir, &v->job.submission);
	if (code == EXIT_OK && *j.tests && *j.challenge && !streq(j.tests, j.challenge))
		(void)admin_complain(
			a, EXIT_OK,
			"the challenge was changed since this was judged; it is in the "
			"bundle as it is now");
	return code == EXIT_OK ? write_manifest(a, dir, v, &j) : code;
}

static int make(struct admin *a, const char *path, const struct queue_view *v,
		const struct queue_line *lines, int n)
{
	_cleanup_close_ int dir = -1;
	int code;

	if (mkdir(path, 0700) < 0)
		return admin_complain(a, EXIT_USAGE, "%s: %s%s", path, strerror(errno),
				      errno == EEXIST ? ": name another with --out" : "");
	dir = open(path, O_DIRECTORY | O_CLOEXEC);
	code = dir < 0 ? EXIT_FAILED : fill(a, dir, path, v, lines, n);
	if (code == EXIT_OK)
		printf("%s; to judge it by hand:\n  sandbox-run grade --bundle %s\n", path, path);
	return code;
}

int admin_bundle(struct admin *a, int argc, char **argv)
{
	_cleanup_free_ struct queue_line *lines = calloc(LINES_MAX, sizeof(*lines));
	struct queue *q = admin_queue(a);
	struct queue_view v = { 0 };
	char path[QUEUE_ID_MAX + 16];
	int r, n;

	if (!q || !lines)
		return EXIT_INFRASTRUCTURE;
	r = queue_job_get(q, argv[0], &v, &a->err);
	if (r == 0)
		return admin_complain(a, EXIT_FAILED, "there is no submission %s in the queue",
				      argv[0]);
	n = r < 0 ? r : queue_log_read(q, argv[0], "0", 0, lines, LINES_MAX, &a->err);
	if (n >= 0) {
		(void)snprintf(path, sizeof(path), "bundle-%s", v.job.submission.id);
		r = make(a, admin_opt.out ? admin_opt.out : path, &v, lines, n);
	} else {
		r = admin_failed(a);
	}
	free(v.result);
	return r;
}
