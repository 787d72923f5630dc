/* SPDX-License-Identifier: MIT */

/*
 * What all stages share: the undo stack, messages, waiting, and the start of a student's
 * program (its environment is made in environment.c). job_attend() is the only place where a job
 * waits for processes, so that output moves, limits hold and Ctrl-C works whatever a stage is
 * waiting for.
 */

#include "pipeline/pipeline.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "pipeline/clean.h"
#include "pipeline/log-line.h"
#include "pipeline/samples.h"
#include "pipeline/tests-report.h"
#include "pipeline/verdict.h"
#include "util/util.h"

#define MAX_LOG (64u << 20)

int job_push_undo(struct job *job, void (*run)(void *data), void *data)
{
	if (job->n_undo == ARRAY_SIZE(job->undo)) {
		run(data);
		return job_fail(job, -ENOSPC, "undo", "too many things to undo: this is a bug");
	}
	job->undo[job->n_undo++] = (struct undo){ run, data };
	return 0;
}

void job_note(struct job *job, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	if (job->n_notes == ARRAY_SIZE(job->notes))
		return;
	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		return;
	}
	job->notes[job->n_notes] = clean_line(text, (size_t)r, CLEAN_LINE);
	if (job->notes[job->n_notes])
		job->n_notes++;
}

static struct detected *detected_slot(struct job *job, const char *what)
{
	for (uint32_t i = 0; i < job->n_detected; i++) {
		if (streq(job->detected[i].what, what))
			return &job->detected[i];
	}
	if (job->n_detected == ARRAY_SIZE(job->detected))
		return NULL;
	job->detected[job->n_detected] = (struct detected){ .what = what };
	return &job->detected[job->n_detected++];
}

void job_detected(struct job *job, const char *what, const char *fmt, ...)
{
	struct detected *d = detected_slot(job, what);
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	if (!d)
		return;
	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0)
		text = NULL;
	free(d->text);
	d->text = text ? clean_line(text, (size_t)r, CLEAN_LINE) : NULL;
}

void job_stage_note(struct job *job, const char *fmt, ...)
{
	_cleanup_free_ char *clean = NULL;
	struct stage_time *t;
	char text[sizeof(t->note)];
	va_list args;

	if (job->n_times == 0)
		return;
	t = &job->times[job->n_times - 1];
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean = clean_line(text, strlen(text), sizeof(t->note) - 4);
	copy_string(t->note, sizeof(t->note), clean ? clean : "");
}

int job_fail(struct job *job, int code, const char *stage, const char *fmt, ...)
{
	va_list args;

	job->error = (struct sbx_error){ .code = code };
	copy_string(job->error.stage, sizeof(job->error.stage), stage);
	va_start(args, fmt);
	vsnprintf(job->error.text, sizeof(job->error.text), fmt, args);
	va_end(args);
	return code;
}

int job_verdict(struct job *job, enum verdict v, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	va_list args;
	int r;

	if (!verdict_stronger(v, job->verdict))
		return 1;
	job->verdict = v;
	va_start(args, fmt);
	r = vasprintf(&text, fmt, args);
	va_end(args);
	if (r < 0)
		text = NULL;
	clean = text ? clean_text(text, (size_t)r, sizeof(job->reason) - 4) : NULL;
	copy_string(job->reason, sizeof(job->reason), clean ? clean : verdict_name(v));
	return 1;
}

bool job_cancelled(const struct job *job)
{
	struct pollfd p = { .fd = job->cancel_fd, .events = POLLIN };

	return job->cancel_fd >= 0 && poll(&p, 1, 0) > 0;
}

/* One of the processes that live on while stages come and go. */
struct attended {
	struct sbx_proc *p;
	bool *ended;
	struct sbx_result *result;
};

#define ATTENDED (2 + TESTERS_MAX)

static void list_attended(struct job *job, struct attended ret[ATTENDED])
{
	ret[0] = (struct attended){ job->server, &job->server_ended, &job->server_result };
	ret[1] = (struct attended){ job->postgres, &job->postgres_ended, &job->postgres_result };
	for (int i = 0; i < TESTERS_MAX; i++) {
		struct tester *t = &job->testers[i];

		ret[2 + i] = (struct attended){ t->proc, &t->ended, &t->result };
	}
}

/* 1: it has ended, and its result is kept. */
static int dispatch_attended(struct job *job, const struct attended *a)
{
	int r = sbx_proc_dispatch(a->p, &job->error);

	if (r <= 0)
		return r;
	*a->result = (struct sbx_result){ .size = sizeof(*a->result) };
	r = sbx_proc_wait(a->p, 0, a->result, &job->error);
	if (r < 0)
		return r;
	job->unenforced |= a->result->unenforced;
	*a->ended = true;
	return 1;
}

static int poll_timeout(uint64_t ns)
{
	if (ns == UINT64_MAX)
		return -1;
	ns = (ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return ns > 60000 ? 60000 : (int)ns;
}

/*
 * One poll(2). The set is: cancel, fd, p, then the attended. 1, 0 nothing (the wait may have been
 * shorter than asked for), <0.
 */
static int attend_once(struct job *job, struct sbx_proc *p, int fd, short events,
		       uint64_t timeout_ns)
{
	struct pollfd set[3 + ATTENDED] = {
		{ .fd = job->cancel_fd, .events = POLLIN },
		{ .fd = fd, .events = events },
		{ .fd = p ? sbx_proc_pollfd(p) : -1, .events = POLLIN },
	};
	struct attended a[ATTENDED];
	bool happened = false;
	int r;

	list_attended(job, a);
	for (int i = 0; i < ATTENDED; i++) {
		bool wait = a[i].p && a[i].p != p && !*a[i].ended;

		set[3 + i] = (struct pollfd){ wait ? sbx_proc_pollfd(a[i].p) : -1, POLLIN, 0 };
	}
	timeout_ns = MIN_OF(timeout_ns, samples_take(job));
	r = poll(set, ARRAY_SIZE(set), poll_timeout(timeout_ns));
	if (r <= 0)
		return r == 0 || errno == EINTR ? 0 : job_fail(job, -errno, "poll", "%m");
	if (set[0].revents)
		return -EINTR;
	for (int i = 0; i < ATTENDED; i++) {
		r = set[3 + i].revents ? dispatch_attended(job, &a[i]) : 0;
		if (r < 0)
			return r;
		happened |= r > 0;
	}
	r = set[2].revents ? sbx_proc_dispatch(p, &job->error) : 0;
	if (r < 0)
		return r;
	return happened || r > 0 || set[1].revents;
}

int job_attend(struct job *job, struct sbx_proc *p, int fd, short events, uint64_t timeout_ns)
{
	uint64_t deadline = deadline_after(timeout_ns);

	for (;;) {
		uint64_t now = now_ns();
		uint64_t left = deadline > now ? deadline - now : 0;
		int r = attend_once(job, p, fd, events, deadline == UINT64_MAX ? UINT64_MAX : left);

		if (r != 0)
			return r;
		if (now >= deadline)
			return 0;
	}
}

/* The result of an attended process may have been taken already. */
static bool ended_before(struct job *job, const struct sbx_proc *p, struct sbx_result *ret)
{
	struct attended a[ATTENDED];

	list_attended(job, a);
	for (int i = 0; i < ATTENDED; i++) {
		if (a[i].p == p && *a[i].ended) {
			*ret = *a[i].result;
			return true;
		}
	}
	return false;
}

int job_wait(struct job *job, struct sbx_proc *p, uint64_t timeout_ns, struct sbx_result *ret)
{
	uint64_t deadline = deadline_after(timeout_ns);
	struct sbx_result result = { .size = sizeof(result) };
	int r;

	if (ended_before(job, p, ret))
		return 0;
	for (;;) {
		uint64_t now = now_ns();

		r = sbx_proc_dispatch(p, &job->error);
		if (r < 0)
			return r;
		if (r > 0)
			break;
		if (now >= deadline)
			return -ETIMEDOUT;
		r = job_attend(job, p, -1, 0, deadline == UINT64_MAX ? UINT64_MAX : deadline - now);
		if (r < 0)
			return r;
	}
	r = sbx_proc_wait(p, 0, &result, &job->error);
	if (r < 0)
		return r;
	job->unenforced |= result.unenforced;
	*ret = result;
	return 0;
}

uint32_t job_inside_mounts(struct job *job, struct sbx_mount ret[INSIDE_MOUNTS_MAX])
{
	static const char *const targets[INSIDE_MOUNTS_MAX] = {
		INSIDE_PATH,
		INSIDE_PATH "-test",
		INSIDE_PATH "-migrate",
		INSIDE_PATH "-database",
	};
	uint32_t n = 0;

	for (uint32_t i = 0; i < INSIDE_MOUNTS_MAX; i++) {
		const char *suffix = targets[i] + strlen(INSIDE_PATH);

		if (!job->inside_paths[i] &&
		    asprintf(&job->inside_paths[i], "%s%s", job->settings->inside, suffix) < 0)
			job->inside_paths[i] = NULL;
		if (!job->inside_paths[i] || access(job->inside_paths[i], X_OK) < 0)
			continue;
		ret[n++] = (struct sbx_mount){
			.size = sizeof(*ret),
			.type = SBX_MOUNT_BIND,
			.source = job->inside_paths[i],
			.target = targets[i],
		};
	}
	return n;
}

int job_memfd(struct job *job, const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? job_fail(job, -errno, "memfd", "cannot make a buffer in memory: %m") : fd;
}

char *job_read_fd(int fd, size_t max, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	off_t end = lseek(fd, 0, SEEK_END);
	size_t size, at = 0;

	if (end < 0)
		return NULL;
	size = (uint64_t)end > max ? max : (size_t)end;
	text = malloc(size + 1);
	while (text && at < size) {
		ssize_t n = pread(fd, text + at, size - at, (off_t)at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (!text)
		return NULL;
	text[at] = '\0';
	*ret_size = at;
	return steal_ptr(text);
}

void job_take_log(struct job *job, int fd)
{
	static const char heap[] = "JavaScript heap out of memory";
	_cleanup_free_ char *text = NULL;
	size_t size;

	*job->log_error = '\0';
	text = fd >= 0 ? job_read_fd(fd, MAX_LOG, &size) : NULL;
	if (!text || size == 0)
		return;
	job->heap_exhausted |= memmem(text, size, heap, strlen(heap)) != NULL;
	free(job->log_tail);
	job->log_tail = clean_tail(text, size, CLEAN_LINES);
	log_error_line(text, size, job->log_error);
}

int job_exec_student(struct job *job, struct sbx_proc **ret, const struct sbx_exec *e,
		     enum verdict otherwise, const char *what)
{
	struct sbx_error *err = &job->error;
	int r = sbx_jail_exec(job->app, ret, e, err);

	job->student_ran |= otherwise != VERDICT_NONE;
	if (r >= 0)
		return r;
	if (streq(err->stage, "fork") && r == -EAGAIN)
		return job_verdict(job, VERDICT_PLE,
				   "%s could not be started: what ran before it left %u "
				   "processes behind, the limit. A build or migration must end all "
				   "that it starts.",
				   what, job->challenge->limits.pids);
	if (!streq(err->stage, "exec") || otherwise == VERDICT_NONE)
		return r;
	if (r == -ENOENT)
		return job_verdict(job, otherwise,
				   "%s could not be started: there is no program \"%s\". Is its "
				   "package missing in package.json?",
				   what, e->argv[0]);
	if (r == -EACCES || r == -ENOEXEC || r == -ENOTDIR || r == -ELOOP)
		return job_verdict(job, otherwise,
				   "%s could not be started: \"%s\" is not a program that "
				   "can be run. Start it with node.",
				   what, e->argv[0]);
	return r;
}

void job_done(struct job *job)
{
	test_cases_free(job->cases, job->n_cases);
	free(job->log_tail);
	for (uint32_t i = 0; i < job->n_notes; i++)
		free(job->notes[i]);
	for (uint32_t i = 0; i < job->n_detected; i++)
		free(job->detected[i].text);
	for (size_t i = 0; i < ARRAY_SIZE(job->inside_paths); i++)
		free(job->inside_paths[i]);
	job->n_detected = 0;
	job->cases = NULL;
	job->log_tail = NULL;
	job->n_cases = job->n_notes = 0;
}
