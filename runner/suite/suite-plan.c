/* SPDX-License-Identifier: MIT */
#include "suite/suite-plan.h"

#include <fcntl.h>

#include "pipeline/clean.h"
#include "store/store.h"
#include "util/util.h"

#define MAX_NAME 300

void suite_plan_done(struct suite_plan *p)
{
	json_decref(p->json);
	free(p->text);
}

int suite_plan_read(struct job *job, const struct store_entry *e, struct suite_plan *ret)
{
	_cleanup_close_ int fd = openat(e->dir, "plan.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return job_fail(job, -errno, "suite", "the stored suite has no plan: %m");
	ret->text = job_read_fd(fd, SUITE_PLAN_MAX, &ret->size);
	if (!ret->text)
		return job_fail(job, -ENOMEM, "suite", "out of memory");
	ret->json = json_loadb(ret->text, ret->size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(json_object_get(ret->json, "cases")))
		return job_fail(job, -EBADMSG, "suite", "the plan of the stored suite is damaged");
	ret->fast = json_is_true(json_object_get(ret->json, "fast"));
	return 0;
}

/* The first `n` names of a test, from its outermost describe block: "outer > inner". */
static char *join(const json_t *path, size_t n)
{
	char text[MAX_NAME + 8] = "";

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(text);
		const char *name = json_string_value(json_array_get(path, i));

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " > " : "", name ? name : "");
	}
	return clean_line(text, strlen(text), MAX_NAME);
}

static struct challenge_test *test_named(struct challenge *c, const char *name)
{
	for (uint32_t i = 0; name && i < c->n_tests; i++) {
		if (c->tests[i].runner != TESTS_HURL && streq(c->tests[i].name, name))
			return &c->tests[i];
	}
	return NULL;
}

static int add_case(struct job *job, const json_t *from, struct challenge *c,
		    struct challenge_case *one)
{
	const json_t *path = json_object_get(from, "path");
	size_t names = json_array_size(path);
	long long line = json_integer_value(json_object_get(from, "line"));
	struct challenge_test *t = test_named(c, json_string_value(json_object_get(from, "file")));

	if (!t || names == 0)
		return job_fail(job, -EBADMSG, "suite", "the plan of the stored suite is damaged");
	*one = (struct challenge_case){ .name = join(path, names),
					.group = names > 1 ? join(path, names - 1) : NULL,
					.file = t->mount,
					.line = line > 0 && line < 1000000 ? (uint32_t)line : 0,
					.points = c->suite.points };
	c->n_cases++;
	t->cases++;
	c->case_points += one->points;
	if (!one->name || (names > 1 && !one->group))
		return job_fail(job, -ENOMEM, "suite", "out of memory");
	return 0;
}

int suite_plan_add_cases(struct job *job, const struct suite_plan *p, struct challenge *c)
{
	const json_t *cases = json_object_get(p->json, "cases");
	size_t n = json_array_size(cases);
	struct challenge_case *all = realloc(c->cases, (c->n_cases + n + 1) * sizeof(*all));
	int r = 0;

	if (!all)
		return job_fail(job, -ENOMEM, "suite", "out of memory");
	c->cases = all;
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_case(job, json_array_get(cases, i), c, &all[c->n_cases]);
	return r;
}
