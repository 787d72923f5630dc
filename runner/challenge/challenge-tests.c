/* SPDX-License-Identifier: MIT */

/*
 * The hidden tests of a challenge: patterns to files, files to memory, memory through the parser of
 * the engine that will run them. A mistake in a test is found here, before a submission is touched.
 */

#include "challenge/challenge-tests.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>

#include "challenge/challenge-hurl.h"
#include "challenge/challenge-suite.h"
#include "hurl/ast.h"
#include "hurl/hurl.h"
#include "util/util.h"

#define MAX_TESTS 256
#define MAX_CASES CHALLENGE_MAX_CASES
#define MAX_TOTAL (8u << 20)

int challenge_read_file(const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = read_full(fd, text, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = steal_ptr(text);
	*ret_size = (size_t)n;
	return 0;
}

/* `dir` may hold what a pattern would take for its own. */
static char *escape_dir(const char *dir)
{
	char *out = malloc(strlen(dir) * 2 + 1), *p = out;

	if (!out)
		return NULL;
	for (; *dir; dir++) {
		if (strchr("*?[]\\", *dir))
			*p++ = '\\';
		*p++ = *dir;
	}
	*p = '\0';
	return out;
}

static int add_test(struct challenge *c, struct json_config *cfg, const cJSON *item,
		    const char *name)
{
	struct challenge_test *tests;

	for (uint32_t i = 0; i < c->n_tests; i++) {
		if (streq(c->tests[i].name, name))
			return 0;
	}
	if (c->n_tests == MAX_TESTS)
		return json_config_error(cfg, item, "more than %d test files", MAX_TESTS);
	tests = realloc(c->tests, (c->n_tests + 1) * sizeof(*tests));
	if (!tests)
		return -ENOMEM;
	c->tests = tests;
	tests[c->n_tests] = (struct challenge_test){ .name = strdup(name) };
	if (!tests[c->n_tests].name)
		return -ENOMEM;
	c->n_tests++;
	return 0;
}

int challenge_match(struct challenge *c, struct json_config *cfg, const cJSON *item,
		    int (*add)(struct challenge *c, struct json_config *cfg, const cJSON *item,
			       const char *name))
{
	_cleanup_free_ char *dir = escape_dir(c->dir), *pattern = NULL;
	size_t prefix = strlen(c->dir) + 1;
	glob_t g;
	int r;

	if (!dir || asprintf(&pattern, "%s/%s", dir, item->valuestring) < 0)
		return -ENOMEM;
	r = glob(pattern, GLOB_NOSORT | GLOB_ERR, NULL, &g);
	if (r == GLOB_NOSPACE)
		return -ENOMEM;
	if (r == GLOB_ABORTED && errno != ENOENT && errno != ENOTDIR)
		return json_config_error(cfg, item,
					 "a folder on the way to \"%s\" cannot be read: %s",
					 item->valuestring, strerror(errno));
	if (r != 0)
		return json_config_error(cfg, item, "no file matches \"%s\" in %s",
					 item->valuestring, c->dir);
	for (size_t i = 0; i < g.gl_pathc && r == 0; i++)
		r = add(c, cfg, item, g.gl_pathv[i] + prefix);
	globfree(&g);
	return r;
}

static int by_runner(const void *a, const void *b)
{
	const struct challenge_test *x = a, *y = b;

	return x->runner != y->runner ? (int)x->runner - (int)y->runner : strcmp(x->name, y->name);
}

/* Length of the folder part that all names share: what remains are short, distinct names. */
static size_t common_folder(const struct challenge *c)
{
	const char *first = c->tests[0].name, *slash = strrchr(first, '/');
	size_t n = slash ? (size_t)(slash - first) + 1 : 0;

	for (uint32_t i = 1; i < c->n_tests; i++) {
		while (n > 0 && strncmp(first, c->tests[i].name, n) != 0) {
			n--;
			while (n > 0 && first[n - 1] != '/')
				n--;
		}
	}
	return n;
}

static int cut_name(struct challenge_test *t, size_t prefix, struct json_config *cfg,
		    const cJSON *patterns)
{
	const char *name = t->name + prefix;

	if (name[0] == '-')
		return json_config_error(cfg, patterns, "a test file must not begin with '-': %s",
					 t->name);
	t->mount = strdup(name);
	return t->mount ? 0 : -ENOMEM;
}

static int add_cases(struct challenge *c, struct challenge_test *t, const struct hurl_file *file)
{
	size_t n = hurl_file_cases(file);
	struct challenge_case *cases = realloc(c->cases, (c->n_cases + n + 1) * sizeof(*cases));

	if (!cases)
		return -ENOMEM;
	c->cases = cases;
	for (size_t i = 0; i < n; i++) {
		const struct hurl_case_info *info = &file->cases[i].info;
		struct challenge_case *one = &cases[c->n_cases];

		*one = (struct challenge_case){
			.name = strdup(info->name),
			.group = info->group ? strdup(info->group) : NULL,
			.hint = info->hint ? strdup(info->hint) : NULL,
			.file = t->mount,
			.line = info->line,
			.points = info->points,
			.hidden = info->hidden,
		};
		c->n_cases++;
		if (!one->name || (info->group && !one->group) ||
		    (info->hint && !one->hint))
			return -ENOMEM;
		c->case_points += one->points;
	}
	t->cases = (uint32_t)n;
	return 0;
}

/* The engine's own message with the source line and a caret below it. */
static int test_error(char *why, const char *path, struct hurl_error *err)
{
	char text[800];
	size_t n;

	copy_string(err->file, sizeof(err->file), path);
	hurl_error_format(err, text, sizeof(text));
	n = (size_t)snprintf(why, CHALLENGE_ERROR_SIZE, "%s", text);
	if (*err->source && n < CHALLENGE_ERROR_SIZE)
		snprintf(why + n, CHALLENGE_ERROR_SIZE - n, "\n  | %s\n  | %*s^", err->source,
			 (int)err->caret, "");
	return -EINVAL;
}

static int parse_test(struct challenge *c, struct challenge_test *t, const char *path, char *why)
{
	struct hurl_file *file = NULL;
	struct hurl_error err = { 0 };
	int r;

	r = hurl_file_parse(&file, t->mount, t->text, t->size, &err);
	if (r == -EINVAL)
		return test_error(why, path, &err);
	if (r < 0)
		return r;
	r = challenge_add_hurl(c, t, file, path, why);
	if (r == 0)
		r = add_cases(c, t, file);
	hurl_file_free(file);
	return r;
}

static int read_test(struct challenge *c, struct challenge_test *t, size_t *total, char *why)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", c->dir, t->name) < 0)
		return -ENOMEM;
	r = challenge_read_file(path, HURL_MAX_SOURCE, &t->text, &t->size);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		*total += t->size;
	if (r == -EFBIG || *total > MAX_TOTAL) {
		snprintf(why, CHALLENGE_ERROR_SIZE,
			 "%s: too big: a test file may have %d KiB, all of them "
			 "together %u MiB",
			 path, HURL_MAX_SOURCE >> 10, MAX_TOTAL >> 20);
		return -EINVAL;
	}
	if (r < 0) {
		snprintf(why, CHALLENGE_ERROR_SIZE, "%s: %s", path,
			 r == -EINVAL ? "not a regular file" : strerror(-r));
		return -EINVAL;
	}
	if (challenge_is_suite(t->name))
		t->runner = challenge_suite_runner(c, t);
	return 0;
}

static int load_test(struct challenge *c, struct challenge_test *t, size_t prefix,
		     struct json_config *cfg, const cJSON *patterns)
{
	_cleanup_free_ char *path = NULL;
	int r = cut_name(t, prefix, cfg, patterns);

	if (r < 0 || t->runner != TESTS_HURL)
		return r;
	if (asprintf(&path, "%s/%s", c->dir, t->name) < 0)
		return -ENOMEM;
	return parse_test(c, t, path, cfg->why);
}

int challenge_load_tests(struct challenge *c, struct json_config *cfg, const cJSON *patterns)
{
	const cJSON *item;
	size_t prefix, total = 0;
	int r = 0;

	cJSON_ArrayForEach (item, patterns) {
		r = challenge_match(c, cfg, item, add_test);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < c->n_tests && r == 0; i++)
		r = read_test(c, &c->tests[i], &total, cfg->why);
	if (r < 0)
		return r;
	qsort(c->tests, c->n_tests, sizeof(*c->tests), by_runner);
	prefix = common_folder(c);
	for (uint32_t i = 0; i < c->n_tests && r == 0; i++)
		r = load_test(c, &c->tests[i], prefix, cfg, patterns);
	if (r < 0)
		return r;
	if (c->n_cases > MAX_CASES)
		return json_config_error(cfg, patterns, "%u tests; at most %d can be run",
					 c->n_cases, MAX_CASES);
	return 0;
}
