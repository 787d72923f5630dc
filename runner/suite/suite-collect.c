/* SPDX-License-Identifier: MIT */

/*
 * Which tests a suite has: those that it reports where nothing listens, in that order. The fast way
 * is taken if publish.mjs finds nothing in the sources that it could treat differently, and if it
 * then reports the same tests with the same outcomes as the real one.
 */

#include "pipeline/clean.h"
#include "suite/suite-publish.h"
#include "util/util.h"

#define MAX_LINE 65536
#define MAX_TESTS CHALLENGE_MAX_CASES

/* What one way reported. */
struct collected {
	json_t *cases;  /* of {file, path, line, status} */
	json_t *broken; /* of {file, message} */
	json_t *answer; /* of publish.mjs */
	bool ended;
};

static void collected_done(struct collected *c)
{
	json_decref(c->cases);
	json_decref(c->broken);
	json_decref(c->answer);
}

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool path_ok(const json_t *path)
{
	size_t n = json_array_size(path);

	for (size_t i = 0; i < n; i++) {
		if (!json_is_string(json_array_get(path, i)))
			return false;
	}
	return n > 0;
}

static int take_line(struct collected *c, const char *line, size_t size)
{
	_cleanup_(json_decrefp)
		json_t *event = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
	const char *name = member(event, "event");

	if (streq(name, "found")) {
		if (!path_ok(json_object_get(event, "path")) ||
		    json_array_size(c->cases) == MAX_TESTS + 1)
			return -EBADMSG;
		return json_array_append(c->cases, event);
	}
	if (streq(name, "broken"))
		return json_array_append(c->broken, event);
	if (streq(name, "fast") || streq(name, "real")) {
		json_decref(c->answer);
		c->answer = json_incref(event);
		c->ended = true;
		return 0;
	}
	c->ended |= streq(name, "end");
	return streq(name, "ready") || c->ended ? 0 : -EBADMSG;
}

/* -EBADMSG: not what our programs write. */
static int take_report(struct collected *c, const char *bytes, size_t size)
{
	int r = 0;

	c->cases = json_array();
	c->broken = json_array();
	if (!c->cases || !c->broken)
		return -ENOMEM;
	while (r == 0 && size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t len = newline ? (size_t)(newline - bytes) : size;

		if (!newline || len > MAX_LINE)
			return -EBADMSG;
		r = take_line(c, bytes, len);
		bytes += len + 1;
		size -= len + 1;
	}
	return r == 0 && !c->ended ? -EBADMSG : r;
}

static int collect(struct suite_publish *p, enum suite_way way, struct collected *ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r = suite_publish_run(p, way, &bytes, &size);

	if (r < 0)
		return r;
	r = take_report(ret, bytes, size);
	if (r == 0)
		return 0;
	if (r != -EBADMSG)
		return job_fail(p->job, -ENOMEM, "suite", "out of memory");
	snprintf(p->why, CHALLENGE_ERROR_SIZE,
		 "the %s suites ended without a whole report: does a test call process.exit()?",
		 suite_runner_name(p->runner));
	return -EINVAL;
}

static bool same_case(const json_t *a, const json_t *b)
{
	static const char *const keys[] = { "file", "path", "status" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i])))
			return false;
	}
	return true;
}

static bool breaks(const struct collected *c, const char *file)
{
	for (size_t i = 0; i < json_array_size(c->broken); i++) {
		if (streq(member(json_array_get(c->broken, i), "file"), file))
			return true;
	}
	return false;
}

/* NULL: they agree. */
static const char *differ(const struct suite_publish *p, const struct collected *a,
			  const struct collected *b)
{
	const json_t *files = json_object_get(p->plan, "files");
	size_t n = json_array_size(a->cases);

	if (n != json_array_size(b->cases))
		return "the two ways found different numbers of tests";
	for (size_t i = 0; i < n; i++) {
		if (!same_case(json_array_get(a->cases, i), json_array_get(b->cases, i)))
			return "the two ways did not agree about a test";
	}
	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *file = json_string_value(json_array_get(files, i));

		if (breaks(a, file) != breaks(b, file))
			return "the two ways did not agree about a file";
	}
	return NULL;
}

/* Every file has a test: one that has none cannot be loaded, or is no test file. */
static int check_files(struct suite_publish *p, const struct collected *c)
{
	const json_t *files = json_object_get(p->plan, "files");

	for (size_t i = 0; i < json_array_size(files); i++) {
		const char *file = json_string_value(json_array_get(files, i)), *message = NULL;
		_cleanup_free_ char *clean = NULL;
		bool found = false;

		for (size_t k = 0; k < json_array_size(c->cases) && !found; k++)
			found = streq(member(json_array_get(c->cases, k), "file"), file);
		if (found)
			continue;
		for (size_t k = 0; k < json_array_size(c->broken) && !message; k++) {
			if (streq(member(json_array_get(c->broken, k), "file"), file))
				message = member(json_array_get(c->broken, k), "message");
		}
		clean = message ? clean_text(message, strlen(message), 600) : NULL;
		snprintf(p->why, CHALLENGE_ERROR_SIZE, "%s/%s: %s found no test in it%s%s",
			 p->challenge->dir, file, suite_runner_name(p->runner), clean ? ": " : "",
			 clean ? clean : "");
		return -EINVAL;
	}
	if (json_array_size(c->cases) <= MAX_TESTS)
		return 0;
	snprintf(p->why, CHALLENGE_ERROR_SIZE, "the %s suites have more than %d tests",
		 suite_runner_name(p->runner), MAX_TESTS);
	return -EINVAL;
}

/* How many tests pass with no server at all: a hint for the teacher. */
static int count_passed(const struct collected *c)
{
	int n = 0;

	for (size_t i = 0; i < json_array_size(c->cases); i++)
		n += streq(member(json_array_get(c->cases, i), "status"), "passed");
	return n;
}

static int finish_plan(struct suite_publish *p, const struct collected *real,
		       const struct collected *answer, const char *why_not)
{
	json_t *bundles = json_object_get(answer->answer, "bundles");
	int passed = count_passed(real);
	int r = json_object_set(p->plan, "cases", real->cases);

	for (size_t i = 0; i < json_array_size(real->cases); i++) {
		json_t *one = json_array_get(real->cases, i);

		(void)json_object_del(one, "event");
		(void)json_object_del(one, "status");
		(void)json_object_del(one, "message");
	}
	r |= json_object_set_new(p->plan, "passed_without_server", json_integer(passed));
	r |= json_object_set_new(p->plan, "fast", json_boolean(!why_not));
	if (why_not)
		r |= json_object_set_new(p->plan, "why_not_fast", json_string(why_not));
	else
		r |= json_object_set(p->plan, "bundles", bundles);
	return r == 0 ? 0 : job_fail(p->job, -ENOMEM, "suite", "out of memory");
}

/* 0 with *ret_why NULL if the fast way may be tried. */
static int prepare_fast(struct suite_publish *p, struct collected *answer, const char **ret_why)
{
	int r;

	*ret_why = p->runner != TESTS_VITEST     ? "there is one for Vitest only"
		   : p->challenge->suite.no_fast ? "the challenge does not want it"
		   : p->own                      ? "the challenge brings packages along"
						 : NULL;
	if (*ret_why)
		return 0;
	r = collect(p, SUITE_PUBLISH, answer);
	if (r == 0 && !streq(member(answer->answer, "event"), "fast"))
		*ret_why = member(answer->answer, "message");
	return r;
}

/* The plan that the bundled program reads has to name the bundles already. */
static int fast_collect(struct suite_publish *p, const struct collected *answer,
			struct collected *ret)
{
	int r = json_object_set(p->plan, "bundles", json_object_get(answer->answer, "bundles"));

	free(p->text);
	p->text = r == 0 ? json_dumps(p->plan, JSON_COMPACT) : NULL;
	if (!p->text)
		return job_fail(p->job, -ENOMEM, "suite", "out of memory");
	r = suite_publish_jail(p);
	return r < 0 ? r : collect(p, SUITE_FAST_WAY, ret);
}

int suite_publish_collect(struct suite_publish *p)
{
	_cleanup_(collected_done) struct collected answer = { 0 }, fast = { 0 }, real = { 0 };
	const char *why_not;
	int r = prepare_fast(p, &answer, &why_not);

	if (r == 0)
		r = collect(p, why_not ? SUITE_REAL : SUITE_CHECK, &real);
	if (r == 0)
		r = check_files(p, &real);
	if (r < 0)
		return r;
	if (!why_not) {
		r = fast_collect(p, &answer, &fast);
		if (r == 0)
			why_not = differ(p, &real, &fast);
		else if (r == -EINVAL)
			why_not = "it could not be run";
		else
			return r;
	}
	return finish_plan(p, &real, &answer, why_not);
}
