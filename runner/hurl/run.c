/* SPDX-License-Identifier: MIT */
/*
 * Files, cases, entries, attempts. A session belongs to one file: its variables, connections and
 * cookies. An attempt owns a scratch arena that dies with it; only captures and the failure record
 * outlive it. Nothing that a server does ends the run: the worst is a failed case.
 */
#include "run.h"

#include <stdarg.h>

#include "parser.h"

/*
 * libcurl counts in milliseconds: its timeout may come a little before the deadline it stands for.
 */
#define DEADLINE_SLACK_NS (5 * NSEC_PER_MSEC)

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

bool run_must_stop(struct run *run)
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

int session_fail(struct session *s, struct hurl_pos pos, const char *expected, const char *actual,
		 const char *fmt, ...)
{
	struct hurl_eval e = { .fail = &s->fail };
	char text[sizeof(s->fail.message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->fail = (struct hurl_fail_record){ 0 };
	(void)hurl_eval_fail(&e, pos, "%s", text);
	hurl_fail_expected(&s->fail, expected, strlen(expected));
	hurl_fail_actual(&s->fail, actual, strlen(actual));
	return EVAL_FAILED;
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
			const struct hurl_var *var = piece->mode == PIECE_TEXT || piece->function
							     ? NULL
							     : hurl_vars_get(e->vars, piece->text);

			captured |= var && var->captured;
		}
		r = hurl_vars_set(e->vars, v->name, &value, captured);
		if (r == -E2BIG)
			return hurl_eval_fail(e, v->pos, "more than %d variables",
					      HURL_MAX_VARIABLES);
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

/* Of # @expect, another status than the one that the file states is counted and nothing else. */
static bool only_counts(const struct session *s, const struct hurl_entry *entry)
{
	return entry == s->tallied && entry->expect.status && entry->expect.status != s->status;
}

static int send_and_check(struct session *s, struct hurl_eval *e, const struct hurl_entry *entry,
			  const struct hurl_options *o, struct hurl_http_request *req)
{
	struct hurl_response response;
	unsigned int sent = 0;
	uint64_t own;
	int r;

	req->timeout_ms = o->max_time_ms ? o->max_time_ms : HURL_DEFAULT_REQUEST_MS;
	own = after_ms(req->timeout_ms);
	req->deadline_ns = MIN_OF(own, s->run->deadline_ns);
	r = hurl_http_exchange(s->http, e, req, &response, &sent);
	s->requests += sent;
	if (r != 0)
		return r;
	s->status = response.status;
	if (s->duration_count < s->duration_max)
		s->durations_us[s->duration_count++] = (uint32_t)response.duration_us;
	if (only_counts(s, entry))
		return 0;
	e->response = &response;
	return hurl_check_response(e, &entry->expect);
}

static int no_memory(struct session *s, struct hurl_eval *e, const struct hurl_entry *entry)
{
	return hurl_eval_fail(e, entry->pos, "this request needs more memory than %.1f MiB",
			      (double)s->max_scratch / (1024 * 1024));
}

static int attempt(struct session *s, const struct hurl_entry *entry, const struct hurl_options *o)
{
	struct hurl_http_request req = { 0 };
	struct hurl_arena scratch;
	struct hurl_eval e = { .arena = &scratch, .vars = &s->vars, .random = &s->random,
			       .file = s->file, .fail = &s->fail };
	int r;

	s->status = 0;
	s->fail = (struct hurl_fail_record){ 0 };
	hurl_arena_init(&scratch, s->max_scratch);
	r = hurl_build_request(&e, entry, o, &req);
	if (r == 0) {
		note_request(s, &req);
		r = send_and_check(s, &e, entry, o, &req);
	}
	if (r < 0) /* the scratch arena's limit: a matter of this request */
		r = no_memory(s, &e, entry);
	curl_slist_free_all(req.headers);
	hurl_arena_done(&scratch);
	return r;
}

/* retry: {{n}} becomes a number. */
static int resolve_options(struct hurl_eval *e, const struct hurl_options *from,
			   struct hurl_options *ret)
{
	*ret = *from;
	for (size_t i = 0; i < from->template_count; i++) {
		const struct hurl_option_template *t = &from->templates[i];
		const struct hurl_operand o = { .kind = OPERAND_VARIABLE,
						.pos = t->pos,
						.text = t->text };
		struct hurl_value v;
		const char *needs;
		int r = hurl_operand_value(e, &o, &v);

		if (r != 0)
			return r;
		if (!hurl_option_set(t->option, &v, ret, &needs))
			return hurl_eval_fail(e, t->pos, "the option '%s' needs %s, not %s",
					      hurl_option_name(t->option), needs,
					      hurl_value_kind_name(&v));
	}
	return 0;
}

/* Before each attempt: variables that the request sets, and options that are variables. */
static int prepare(struct session *s, const struct hurl_entry *entry, struct hurl_options *ret)
{
	struct hurl_arena scratch;
	struct hurl_eval e = { .arena = &scratch, .vars = &s->vars, .random = &s->random,
			       .file = s->file, .fail = &s->fail };
	int r;

	s->fail = (struct hurl_fail_record){ 0 };
	hurl_arena_init(&scratch, s->max_scratch);
	r = set_entry_variables(&e, &entry->options);
	if (r == 0)
		r = resolve_options(&e, &entry->options, ret);
	if (r < 0)
		r = no_memory(s, &e, entry);
	hurl_arena_done(&scratch);
	return r;
}

/* Until it holds or may not be tried again. */
static bool run_attempts(struct session *s, const struct hurl_entry *entry, struct hurl_options *o)
{
	for (unsigned int tries = 0;; tries++) {
		if (prepare(s, entry, o) != 0)
			return false;
		if (o->skip || !o->repeat)
			return true;
		if (o->delay_ms)
			wait_until(s->run, after_ms(o->delay_ms));
		if (run_must_stop(s->run))
			return false;
		if (attempt(s, entry, o) == 0)
			return true;
		if (run_must_stop(s->run) || tries >= o->retry)
			return false;
		wait_until(s->run, after_ms(o->retry_interval_ms));
	}
}

bool run_entry(struct session *s, const struct hurl_entry *entry)
{
	struct hurl_options o = entry->options;
	unsigned int done = 0;

	do {
		if (!run_attempts(s, entry, &o))
			return false;
	} while (++done < o.repeat && !o.skip);
	return true;
}

static struct run_group *group_of(struct run *run, const char *name)
{
	for (size_t i = 0; i < run->group_count; i++)
		if (streq(run->groups[i].name, name))
			return &run->groups[i];
	return NULL;
}

static void note_group(struct run *run, const struct hurl_case_result *result)
{
	const char *name = result->info->group;
	struct run_group *g = name ? group_of(run, name) : NULL;

	if (g)
		g->failed |= result->status != HURL_PASSED;
}

static void report(struct run *run, const struct hurl_case_result *result)
{
	struct hurl_summary *sum = &run->summary;

	note_group(run, result);
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
static const char *stopped_by(const struct run *run, char out[320])
{
	if (run->summary.cancelled)
		return "not finished: the run was interrupted";
	snprintf(out, 320, "not finished: the time limit of the whole run (%.3g s) passed",
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

/* NULL, or why this case cannot pass without a request being made. */
static const char *blocked(struct run *run, const struct hurl_case *c, char why[320])
{
	const struct run_group *g = c->info.requires ? group_of(run, c->info.requires) : NULL;

	if (run->gone)
		return run->gone_text;
	if (!g || !g->failed)
		return NULL;
	snprintf(why, 320, "not run: a test of the group '%.220s' failed", g->name);
	return why;
}

static void not_run(struct session *s, struct hurl_case_result *result, enum hurl_status status,
		    const char *why)
{
	s->fail.pos = (struct hurl_pos){ result->info->line, 1 };
	result->status = status;
	report_failure(s, result, why);
}

static void run_case(struct session *s, const struct hurl_case *c)
{
	struct hurl_case_result result = { .info = &c->info, .status = HURL_PASSED };
	uint64_t start = now_ns();
	struct hurl_pos at;
	char why[320];
	bool passed, stopped;

	s->requests = 0;
	s->fail = (struct hurl_fail_record){ 0 };
	if (run_must_stop(s->run)) {
		not_run(s, &result, HURL_SKIPPED, stopped_by(s->run, why));
		return;
	}
	if (blocked(s->run, c, why)) {
		not_run(s, &result, HURL_FAILED, blocked(s->run, c, why));
		return;
	}
	passed = run_case_entries(s, c, &at);
	result.requests = s->requests;
	result.duration_ms = (double)(now_ns() - start) / 1e6;
	if (passed) {
		report(s->run, &result);
		return;
	}
	stopped = s->run->summary.cancelled || s->run->summary.timed_out;
	if (!s->fail.pos.line)
		s->fail.pos = at;
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

int session_start(struct session *s, const struct run *run, bool variables)
{
	const struct hurl_run_options *o = run->options;
	int r = hurl_http_new(&s->http, o->flags, o->cancel);

	s->max_scratch = HURL_MAX_SCRATCH;
	hurl_random_start(&s->random);
	if (r == 0 && variables && o->base)
		r = set_base(s, o->base);
	for (size_t i = 0; r == 0 && variables && i < o->variable_count; i++)
		r = hurl_vars_set_text(&s->vars, o->variables[i].name, o->variables[i].value);
	return r;
}

void session_done(struct session *s)
{
	s->http = hurl_http_free(s->http);
	hurl_vars_done(&s->vars);
	free(steal_ptr(s->durations_us));
}

static int run_file(struct run *run, const struct hurl_file *file)
{
	struct session s = { .run = run, .file = file };
	int r = session_start(&s, run, true);

	for (size_t i = 0; r == 0 && i < file->case_count; i++)
		run_case(&s, &file->cases[i]);
	session_done(&s);
	run->ask_base += (uint32_t)file->action_count;
	return r;
}

static int unknown_group(const struct hurl_file *f, const struct hurl_case *c,
			 struct hurl_error *err)
{
	*err = (struct hurl_error){ .line = c->requires_pos.line,
				    .column = c->requires_pos.column };
	copy_string(err->file, sizeof(err->file), f->name);
	snprintf(err->text, sizeof(err->text), "no test before this one is of the group '%s'",
		 c->info.requires);
	return -EINVAL;
}

/* All groups in the order in which they come; what a case requires must have come before. */
static int collect_groups(struct run *run, const struct hurl_file *f, struct hurl_error *err)
{
	for (size_t i = 0; i < f->case_count; i++) {
		const struct hurl_case *c = &f->cases[i];
		struct run_group *groups;

		if (c->info.requires && !group_of(run, c->info.requires))
			return unknown_group(f, c, err);
		if (!c->info.group || group_of(run, c->info.group))
			continue;
		groups = realloc(run->groups, (run->group_count + 1) * sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		run->groups = groups;
		groups[run->group_count++] = (struct run_group){ .name = c->info.group };
	}
	return 0;
}

static int prepare_run(struct run *run, struct hurl_file *const *files, size_t count,
		       struct hurl_error *err)
{
	int r = run_check_asks(files, count, run->options, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = collect_groups(run, files[i], err);
	return r;
}

int hurl_check_run(struct hurl_file *const *files, size_t count,
		   const struct hurl_run_options *options, struct hurl_error *err)
{
	struct run run = { .options = options };
	int r = prepare_run(&run, files, count, err);

	free(run.groups);
	return r;
}

static int run_files(struct run *run, struct hurl_file *const *files, size_t count,
		     struct hurl_error *err)
{
	int r = prepare_run(run, files, count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		r = run_file(run, files[i]);
		if (r < 0) {
			snprintf(err->text, sizeof(err->text), "cannot set up the HTTP client: %s",
				 strerror(-r));
			return r;
		}
	}
	return 0;
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
	r = run_files(&run, files, count, err);
	free(run.groups);
	if (r < 0)
		return r;
	run.summary.duration_ms = (double)(now_ns() - run.started_ns) / 1e6;
	*ret = run.summary;
	return 0;
}
