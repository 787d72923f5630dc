/* SPDX-License-Identifier: MIT */
/*
 * Files, cases, entries, attempts. A session belongs to one file: its variables, connections and
 * cookies. An attempt owns a scratch arena that dies with it; only captures and the failure record
 * outlive it. Nothing that a server does ends the run: the worst is a failed case.
 */
#include "check.h"
#include "hurl.h"
#include "parser.h"
#include "request.h"

/* libcurl counts in milliseconds: its timeout may come a little before the deadline it stands for. */
#define DEADLINE_SLACK_NS (5 * NSEC_PER_MSEC)

struct run {
	const struct hurl_run_options *options;
	struct hurl_summary summary;
	uint64_t started_ns;
	uint64_t deadline_ns;
};

struct session {
	struct run *run;
	const struct hurl_file *file;
	struct hurl_vars vars;
	struct hurl_http *http;
	unsigned int requests;		/* of the current case */
	struct hurl_fail_record fail;	/* of the current attempt */
};

static bool cancelled(const struct run *run)
{
	return run->options->cancel && *run->options->cancel;
}

static bool out_of_time(struct run *run)
{
	if (now_ns() + DEADLINE_SLACK_NS >= run->deadline_ns)
		run->summary.timed_out = true;
	return run->summary.timed_out;
}

static bool must_stop(struct run *run)
{
	if (cancelled(run))
		run->summary.cancelled = true;
	return run->summary.cancelled || out_of_time(run);
}

/* Ends early at the run's deadline, or within half a second of a cancellation. */
static void wait_until(struct run *run, uint64_t until_ns)
{
	uint64_t now;

	until_ns = MIN_OF(until_ns, run->deadline_ns);
	while ((now = now_ns()) < until_ns && !cancelled(run)) {
		uint64_t ns = MIN_OF(until_ns - now, NSEC_PER_SEC / 2);
		struct timespec t = { .tv_nsec = (long)ns };

		(void)nanosleep(&t, NULL);
	}
}

static uint64_t after_ms(unsigned int ms)
{
	return deadline_after((uint64_t)ms * NSEC_PER_MSEC);
}

static int set_entry_variables(struct hurl_eval *e, const struct hurl_options *o)
{
	for (size_t i = 0; i < o->variable_count; i++) {
		const struct hurl_option_variable *v = &o->variables[i];
		struct hurl_value value;
		bool captured = false;
		int r = hurl_operand_value(e, &v->value, &value);

		if (r != 0)
			return r;
		for (size_t k = 0; k < v->value.text.count; k++) {
			const struct hurl_piece *piece = &v->value.text.pieces[k];
			const struct hurl_var *var = piece->mode == PIECE_TEXT
							     ? NULL
							     : hurl_vars_get(e->vars, piece->text);

			captured |= var && var->captured;
		}
		r = hurl_vars_set(e->vars, v->name, &value, captured);
		if (r == -E2BIG)
			return hurl_eval_fail(e, v->pos, "more than %d variables", HURL_MAX_VARIABLES);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "POST /signup": the address of the server tells nobody anything. */
static void note_request(struct session *s, const struct hurl_http_request *req)
{
	const char *path = strstr(req->url, "://");
	struct hurl_buf b;

	path = path ? path + 3 + strcspn(path + 3, "/?#") : req->url;
	hurl_buf_init(&b, sizeof(s->fail.request) - 1);
	hurl_buf_printf(&b, "%s ", req->method);
	hurl_buf_add_display(&b, *path ? path : "/", *path ? strlen(path) : 1, 200);
	copy_string(s->fail.request, sizeof(s->fail.request), hurl_buf_str(&b));
	hurl_buf_done(&b);
}

static int send_and_check(struct session *s, struct hurl_eval *e, const struct hurl_entry *entry,
			  struct hurl_http_request *req)
{
	struct hurl_response response;
	unsigned int sent = 0;
	uint64_t own;
	int r;

	req->timeout_ms = entry->options.max_time_ms ? entry->options.max_time_ms
						     : HURL_DEFAULT_REQUEST_MS;
	own = after_ms(req->timeout_ms);
	req->deadline_ns = MIN_OF(own, s->run->deadline_ns);
	r = hurl_http_exchange(s->http, e, req, &response, &sent);
	s->requests += sent;
	if (r != 0)
		return r;
	e->response = &response;
	return hurl_check_response(e, &entry->expect);
}

static int attempt(struct session *s, const struct hurl_entry *entry)
{
	struct hurl_http_request req = { 0 };
	struct hurl_arena scratch;
	struct hurl_eval e = { .arena = &scratch, .vars = &s->vars, .fail = &s->fail };
	int r;

	s->fail = (struct hurl_fail_record){ 0 };
	hurl_arena_init(&scratch, HURL_MAX_SCRATCH);
	r = set_entry_variables(&e, &entry->options);
	if (r == 0)
		r = hurl_build_request(&e, entry, &req);
	if (r == 0) {
		note_request(s, &req);
		r = send_and_check(s, &e, entry, &req);
	}
	if (r < 0) /* the scratch arena's limit: a matter of this request */
		r = hurl_eval_fail(&e, entry->pos, "this request needs more memory than %d MiB",
				   HURL_MAX_SCRATCH / (1024 * 1024));
	curl_slist_free_all(req.headers);
	hurl_arena_done(&scratch);
	return r;
}

static bool run_entry(struct session *s, const struct hurl_entry *entry)
{
	const struct hurl_options *o = &entry->options;

	for (unsigned int tries = 0;; tries++) {
		if (o->delay_ms)
			wait_until(s->run, after_ms(o->delay_ms));
		if (must_stop(s->run))
			return false;
		if (attempt(s, entry) == 0)
			return true;
		if (must_stop(s->run) || tries == o->retry)
			return false;
		wait_until(s->run, after_ms(o->retry_interval_ms));
	}
}

static void report(struct run *run, const struct hurl_case_result *result)
{
	struct hurl_summary *sum = &run->summary;

	sum->total++;
	sum->max_points += result->info->points;
	if (result->status == HURL_PASSED) {
		sum->passed++;
		sum->points += result->info->points;
	} else if (result->status == HURL_FAILED) {
		sum->failed++;
	} else {
		sum->skipped++;
	}
	if (run->options->on_case)
		run->options->on_case(run->options->userdata, result);
}

/* Why a case was not decided by the server under test. */
static const char *stopped_by(const struct run *run, char out[80])
{
	if (run->summary.cancelled)
		return "not finished: the run was interrupted";
	snprintf(out, 80, "not finished: the time limit of the whole run (%.3g s) passed",
		 (double)run->options->total_timeout_ms / 1000);
	return out;
}

static void report_failure(struct session *s, struct hurl_case_result *result, const char *message)
{
	const struct hurl_fail_record *f = &s->fail;
	char source[160] = "";
	struct hurl_failure failure = {
		.message = message ? message : f->message,
		.file = s->file->name,
		.line = f->pos.line,
		.column = f->pos.column,
		.request = f->request,
		.expected = message ? "" : f->expected,
		.actual = message ? "" : f->actual,
		.source = source,
	};

	if (f->pos.line)
		hurl_error_source(s->file->text, s->file->len, f->pos, source, sizeof(source),
				  &failure.caret);
	result->failure = &failure;
	report(s->run, result);
}

static void run_case(struct session *s, const struct hurl_case *c)
{
	struct hurl_case_result result = { .info = &c->info, .status = HURL_PASSED };
	uint64_t start = now_ns();
	bool stopped = must_stop(s->run);
	char why[80];
	size_t i = 0;

	s->requests = 0;
	s->fail = (struct hurl_fail_record){ 0 };
	if (stopped) {
		s->fail.pos = (struct hurl_pos){ c->info.line, 1 };
		result.status = HURL_SKIPPED;
		report_failure(s, &result, stopped_by(s->run, why));
		return;
	}
	while (i < c->count && run_entry(s, &s->file->entries[c->first + i]))
		i++;
	result.requests = s->requests;
	result.duration_ms = (double)(now_ns() - start) / 1e6;
	if (i == c->count) {
		report(s->run, &result);
		return;
	}
	stopped = s->run->summary.cancelled || s->run->summary.timed_out;
	if (!s->fail.pos.line)
		s->fail.pos = s->file->entries[c->first + i].pos;
	result.status = s->run->summary.cancelled ? HURL_SKIPPED : HURL_FAILED;
	report_failure(s, &result, stopped ? stopped_by(s->run, why) : NULL);
}

static int set_base(struct session *s, const char *base)
{
	_cleanup_free_ char *copy = strdup(base);
	struct hurl_value port;
	char *text = NULL;
	CURLU *url;
	int r = -ENOMEM;

	if (!copy)
		return -ENOMEM;
	for (size_t n = strlen(copy); n && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	url = curl_url();
	if (url && !curl_url_set(url, CURLUPART_URL, copy, 0) &&
	    !curl_url_get(url, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT)) {
		struct hurl_value value = hurl_value_string(copy, strlen(copy));

		port = hurl_value_int(atoi(text));
		r = hurl_vars_set(&s->vars, "base", &value, false);
		if (r == 0)
			r = hurl_vars_set(&s->vars, "port", &port, false);
	}
	curl_free(text);
	curl_url_cleanup(url);
	return r < 0 ? r : hurl_http_trust(s->http, copy);
}

static int session_start(struct session *s)
{
	const struct hurl_run_options *o = s->run->options;
	int r = hurl_http_new(&s->http, o->flags, o->cancel);

	if (r == 0 && o->base)
		r = set_base(s, o->base);
	for (size_t i = 0; r == 0 && i < o->variable_count; i++)
		r = hurl_vars_set_text(&s->vars, o->variables[i].name, o->variables[i].value);
	return r;
}

static int run_file(struct run *run, const struct hurl_file *file)
{
	struct session s = { .run = run, .file = file };
	int r = session_start(&s);

	for (size_t i = 0; r == 0 && i < file->case_count; i++)
		run_case(&s, &file->cases[i]);
	s.http = hurl_http_free(s.http);
	hurl_vars_done(&s.vars);
	return r;
}

int hurl_run(struct hurl_file *const *files, size_t count, const struct hurl_run_options *options,
	     struct hurl_summary *ret, struct hurl_error *err)
{
	struct run run = { .options = options, .started_ns = now_ns(), .deadline_ns = UINT64_MAX };
	int r;

	*err = (struct hurl_error){ 0 };
	if (options->base) {
		r = hurl_check_base(options->base, options->flags, err->text, sizeof(err->text));
		if (r < 0)
			return r;
	}
	if (options->total_timeout_ms)
		run.deadline_ns = deadline_after(options->total_timeout_ms * NSEC_PER_MSEC);
	for (size_t i = 0; i < count; i++) {
		r = run_file(&run, files[i]);
		if (r < 0) {
			snprintf(err->text, sizeof(err->text), "cannot set up the HTTP client: %s",
				 strerror(-r));
			return r;
		}
	}
	run.summary.duration_ms = (double)(now_ns() - run.started_ns) / 1e6;
	*ret = run.summary;
	return 0;
}
