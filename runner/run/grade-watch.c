/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run grade --watch: for teachers who write a challenge. Submission and challenge are
 * watched before they are read, so that no change is missed; one that comes while a judgement is
 * under way ends it, and it begins again. Mistakes in the challenge are shown until they are
 * mended.
 */

#include <libgen.h>
#include <sys/epoll.h>

#include "run/grade.h"
#include "run/run.h"
#include "run/watch.h"
#include "util/util.h"

#define QUIET_MS 80
#define NAMED 6 /* tests that changed and are named */
#define CLEAR "\033[2J\033[3J\033[H"

static const char *name_of(const struct result_case *t)
{
	return t->name ? t->name : "a hidden test";
}

static const struct result_case *before_of(const struct result *old, const struct result_case *t)
{
	for (uint32_t i = 0; i < old->n_cases; i++) {
		const struct result_case *o = &old->cases[i];

		if (o->name && t->name && streq(o->name, t->name) &&
		    (!o->file || !t->file || streq(o->file, t->file)))
			return o;
	}
	return NULL;
}

static void tell_changed(const struct result *old, const struct result *v, bool passed)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n_cases; i++) {
		const struct result_case *t = &v->cases[i], *o = before_of(old, t);

		if (!o || o->passed == t->passed || t->passed != passed)
			continue;
		if (n++ < NAMED)
			fprintf(stderr, "  now %s: %s\n", passed ? "passes" : "fails", name_of(t));
	}
	if (n > NAMED)
		fprintf(stderr, "  and %u more now %s\n", n - NAMED, passed ? "pass" : "fail");
}

static void tell_difference(const struct result *old, const struct result *v)
{
	long more = (long)v->passed - (long)old->passed;

	tell_changed(old, v, true);
	tell_changed(old, v, false);
	fprintf(stderr, "%s, %u of %u tests passed (", v->verdict, v->passed, v->total);
	if (more == 0)
		fputs("as many as last time", stderr);
	else
		fprintf(stderr, "%s%ld since last time", more > 0 ? "+" : "", more);
	if (!streq(old->verdict, v->verdict))
		fprintf(stderr, ", which was %s", old->verdict);
	if (old->total != v->total)
		fprintf(stderr, "; there were %u tests", old->total);
	fputs(")\n", stderr);
}

static void tell(const struct result *old, const struct result *v)
{
	fputc('\n', stderr);
	if (old)
		tell_difference(old, v);
	else
		fprintf(stderr, "%s, %u of %u tests passed\n", v->verdict, v->passed, v->total);
}

static int watch_all(struct grade *g, struct watch *w)
{
	int r = watch_path(w, grade_opt.challenge);

	if (r == 0)
		r = watch_path(w, g->submission);
	w->n_ignored = 0;
	for (uint32_t i = 0; i < g->reports.n; i++)
		watch_ignore(w, g->reports.items[i].path);
	if (grade_opt.log)
		watch_ignore(w, grade_opt.log);
	return r;
}

/* One judgement, unless the challenge cannot be read. 1: it was ended; <0 ours; 0. */
static int judge_once(struct grade *g, int cancel_fd, struct result **last)
{
	struct result *v = NULL;
	int code = grade_load_challenge(g);

	if (code == EXIT_OK && !g->ctx)
		code = grade_open_installation(g);
	if (code == EXIT_INFRASTRUCTURE)
		return -EIO;
	if (code != EXIT_OK)
		return 0;
	if (g->log >= 0 && (ftruncate(g->log, 0) < 0 || lseek(g->log, 0, SEEK_SET) < 0))
		return -errno;
	code = grade_judge(g, cancel_fd, &v);
	if (v && code != EXIT_INTERRUPTED) {
		tell(*last, v);
		result_free(*last);
		*last = steal_ptr(v);
	}
	result_free(v);
	return code == EXIT_INTERRUPTED;
}

/* Until something has changed. 1, 0 a signal came, <0. */
static int wait_change(const struct grade *g, struct watch *w)
{
	struct pollfd set[] = {
		{ .fd = g->signals, .events = POLLIN },
		{ .fd = w->fd, .events = POLLIN },
	};
	int r = 0;

	while (r == 0) {
		if (poll(set, ARRAY_SIZE(set), -1) < 0 && errno != EINTR)
			return -errno;
		if (set[0].revents)
			return 0;
		r = set[1].revents ? watch_take(w) : 0;
	}
	return r < 0 ? r : 1;
}

/* Readable when a signal came or something changed: what a judgement is ended by. */
static int open_cancel(const struct grade *g, const struct watch *w)
{
	struct epoll_event e = { .events = EPOLLIN };
	_cleanup_close_ int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, g->signals, &e) < 0 ||
	    epoll_ctl(fd, EPOLL_CTL_ADD, w->fd, &e) < 0)
		return -errno;
	return steal_fd(&fd);
}

/* Ends with 0 after a signal, or <0. */
static int loop(struct grade *g, struct watch *w, int cancel_fd, struct result **last)
{
	bool clear = isatty(STDERR_FILENO);
	int r;

	for (;;) {
		r = watch_all(g, w);
		if (r == 0)
			r = watch_settle(w, QUIET_MS);
		if (r < 0)
			return r;
		if (clear)
			fputs(CLEAR, stderr);
		r = judge_once(g, cancel_fd, last);
		if (r < 0 || fd_is_readable(g->signals))
			return MIN_OF(r, 0);
		/* What has ended it need not be a change that matters. */
		if (r == 0) {
			fprintf(stderr, "watching for changes; Ctrl-C ends\n");
			r = wait_change(g, w);
		}
		if (r <= 0)
			return r;
		fprintf(stderr, "\n%s changed\n", *w->last ? w->last : "something");
	}
}

int grade_watch(struct grade *g)
{
	struct watch w = WATCH_NULL;
	struct result *last = NULL;
	int r = watch_open(&w), cancel = -1;

	if (r == 0)
		r = cancel = open_cancel(g, &w);
	if (r >= 0)
		r = loop(g, &w, cancel, &last);
	close_fd(cancel);
	watch_close(&w);
	result_free(last);
	if (r == -ENOSPC)
		return grade_complain("too many folders to watch: fs.inotify.max_user_watches");
	if (r < 0 && r != -EIO)
		return grade_complain("changes cannot be watched: %s", strerror(-r));
	return r < 0 ? EXIT_INFRASTRUCTURE : EXIT_INTERRUPTED;
}
