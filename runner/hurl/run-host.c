/* SPDX-License-Identifier: MIT */
/* # @restart-server, # @sql, # @memory: the engine asks by index, compares, and reports. */
#include "run.h"

#include <math.h>

#include "util/util.h"

static int ask(struct session *s, const struct hurl_action *a, struct hurl_answer *ret)
{
	struct run *run = s->run;
	size_t index = (size_t)(a - s->file->actions);
	int r = run->options->ask(run->options->userdata, run->ask_base + (uint32_t)index, ret);

	if (r < 0)
		return session_fail(s, a->pos, "", "", "the judge does not answer: %s",
				    strerror(-r));
	ret->text[MIN_OF(ret->len, (uint32_t)sizeof(ret->text) - 1)] = '\0';
	ret->len = (uint32_t)strlen(ret->text);
	if (ret->status == HURL_ANSWER_GONE) {
		run->gone = true;
		snprintf(run->gone_text, sizeof(run->gone_text),
			 "not run: the server did not come back when it was restarted in line %u",
			 a->pos.line);
	}
	if (ret->status >= HURL_ANSWER_FAILED)
		return session_fail(s, a->pos, "", "", "%s", ret->text);
	return 0;
}

static bool is_number(const char *s, double *ret)
{
	char *end;

	if (!*s || strspn(s, "+-.0123456789eE") != strlen(s))
		return false;
	errno = 0;
	*ret = strtod(s, &end);
	return !*end && errno == 0;
}

static const char *expected_text(struct session *s, const struct hurl_action *a,
				 struct hurl_arena *arena)
{
	struct hurl_eval e = { .arena = arena,
			       .vars = &s->vars,
			       .random = &s->random,
			       .file = s->file,
			       .fail = &s->fail };
	const char *text;
	size_t len;

	return hurl_render(&e, &a->expected, &text, &len) == 0 ? text : NULL;
}

/* As the text says it; numbers by value, booleans also as Postgres writes them. */
static bool same_value(const char *expected, const struct hurl_answer *answer)
{
	const char *actual = answer->text;
	size_t n = strlen(expected);
	double x, y;

	if (answer->status == HURL_ANSWER_NULL)
		return streq(expected, "null") || streq(expected, "NULL");
	if (streq(expected, actual))
		return true;
	if (streq(expected, "true") || streq(expected, "false"))
		return strlen(actual) == 1 && *actual == *expected;
	if (n >= 2 && expected[0] == '"' && expected[n - 1] == '"')
		return strlen(actual) == n - 2 && memcmp(actual, expected + 1, n - 2) == 0;
	/* integers of 64 bits differ where doubles do not */
	if (!strpbrk(expected, ".eE") && !strpbrk(actual, ".eE"))
		return false;
	return is_number(expected, &x) && is_number(actual, &y) && !(x < y) && !(x > y);
}

static int compare_sql(struct session *s, const struct hurl_action *a,
		       const struct hurl_answer *answer)
{
	bool none = answer->status == HURL_ANSWER_NULL;
	struct hurl_arena arena;
	const char *expected;
	int r = EVAL_FAILED;

	hurl_arena_init(&arena, s->max_scratch);
	expected = expected_text(s, a, &arena);
	if (expected)
		r = same_value(expected, answer)
			    ? 0
			    : session_fail(s, a->pos, expected, none ? "NULL" : answer->text,
					   "the statement gives another value");
	hurl_arena_done(&arena);
	return r;
}

static bool run_action(struct session *s, const struct hurl_action *a)
{
	struct hurl_answer answer = { 0 };

	s->fail = (struct hurl_fail_record){ 0 };
	if (!s->run->options->ask) {
		s->run->summary.left_out++;
		return true;
	}
	if (run_must_stop(s->run) || ask(s, a, &answer) != 0)
		return false;
	if (a->ask.kind == HURL_ASK_RESTART)
		return true;
	return compare_sql(s, a, &answer) == 0;
}

bool run_steps(struct session *s, const struct hurl_case *c, size_t before)
{
	for (size_t i = 0; i < c->action_count; i++) {
		const struct hurl_action *a = &s->file->actions[c->first_action + i];

		if (a->before == before && !run_action(s, a))
			return false;
	}
	return true;
}

bool run_memory(struct session *s, const struct hurl_case *c)
{
	struct hurl_answer answer = { 0 };
	char expected[40], actual[40];

	if (!c->memory)
		return true;
	if (!s->run->options->ask) {
		s->run->summary.left_out++;
		return true;
	}
	s->fail = (struct hurl_fail_record){ 0 };
	if (run_must_stop(s->run) || ask(s, &s->file->actions[c->memory_ask], &answer) != 0)
		return false;
	if (answer.number < c->memory)
		return true;
	snprintf(expected, sizeof(expected), "less than %.1f MiB", (double)c->memory / (1 << 20));
	snprintf(actual, sizeof(actual), "%.1f MiB", (double)answer.number / (1 << 20));
	(void)session_fail(s, c->memory_pos, expected, actual, "the server holds too much memory");
	return false;
}

static int needs_host(const struct hurl_file *f, const struct hurl_ask *ask, struct hurl_error *err)
{
	static const char *const names[] = { "restart-server", "sql", "memory" };

	*err = (struct hurl_error){ .line = ask->line, .column = 1 };
	copy_string(err->file, sizeof(err->file), f->name);
	snprintf(err->text, sizeof(err->text),
		 "'# @%s' works only where the judge runs the server (sandbox-run grade); "
		 "--skip-pragmas leaves such lines out",
		 names[ask->kind]);
	return -EINVAL;
}

int run_check_asks(struct hurl_file *const *files, size_t count,
		   const struct hurl_run_options *options, struct hurl_error *err)
{
	if (options->ask || options->flags & HURL_SKIP_ASKS)
		return 0;
	for (size_t i = 0; i < count; i++)
		if (files[i]->action_count)
			return needs_host(files[i], &files[i]->actions[0].ask, err);
	return 0;
}
