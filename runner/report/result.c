/* SPDX-License-Identifier: MIT */
#include "report/result.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "pipeline/clean.h"
#include "util/util.h"

#define MAX_FILE (64u << 20)
#define MAX_CASES 100000
#define MAX_DEPTH 32
#define SCHEMA "sandbox-result/1"

static const char *string(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(v) && isfinite(v->valuedouble) ? v->valuedouble : 0;
}

/* A number of a file is anybody's: clamped, or the conversion would be undefined. */
static int whole(const cJSON *o, const char *key)
{
	double n = number(o, key);

	return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : (int)n;
}

static bool is_true(const cJSON *o, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

double result_number(const struct result *v, const char *object, const char *key)
{
	const cJSON *o = object ? cJSON_GetObjectItemCaseSensitive(v->root, object) : v->root;
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, key);

	return cJSON_IsNumber(n) ? n->valuedouble : (double)NAN;
}

const char *result_string(const struct result *v, const char *object, const char *key)
{
	return string(object ? cJSON_GetObjectItemCaseSensitive(v->root, object) : v->root, key);
}

static void read_case(struct result_case *t, const cJSON *o)
{
	const cJSON *f = cJSON_GetObjectItemCaseSensitive(o, "failure");
	const char *status = or_empty(string(o, "status"));

	*t = (struct result_case){
		.name = string(o, "name"),
		.group = string(o, "group"),
		.file = string(o, "file"),
		.line = whole(o, "line"),
		.points = number(o, "points"),
		.duration_ms = number(o, "duration_ms"),
		.hidden = is_true(o, "hidden"),
		.passed = streq(status, "passed"),
		.skipped = streq(status, "skipped"),
		.message = string(f, "message"),
		.request = string(f, "request"),
		.expected = string(f, "expected"),
		.actual = string(f, "actual"),
		.hint = string(o, "hint"),
		.failure_line = whole(f, "line"),
		.failure_column = whole(f, "column"),
	};
}

/* An array of `list`'s size; NULL and *ret_n 0 when it is empty or no list. -ENOMEM. */
static int allocate(const cJSON *list, size_t size, void **ret, uint32_t *ret_n)
{
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

	*ret_n = (uint32_t)MIN_OF(n, MAX_CASES);
	*ret = *ret_n > 0 ? calloc(*ret_n, size) : NULL;
	return *ret_n > 0 && !*ret ? -ENOMEM : 0;
}

static int read_tests(struct result *v)
{
	const cJSON *tests = cJSON_GetObjectItemCaseSensitive(v->root, "tests");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(tests, "cases"), *item;
	uint32_t i = 0;

	v->total = (uint32_t)whole(tests, "total");
	v->run = (uint32_t)whole(tests, "run");
	v->passed = (uint32_t)whole(tests, "passed");
	v->failed = (uint32_t)whole(tests, "failed");
	v->skipped = (uint32_t)whole(tests, "skipped");
	v->reveal = or_empty(string(tests, "reveal"));
	if (allocate(list, sizeof(*v->cases), (void **)&v->cases, &v->n_cases) < 0)
		return -ENOMEM;
	cJSON_ArrayForEach(item, list)
	{
		if (i < v->n_cases)
			read_case(&v->cases[i++], item);
	}
	return 0;
}

static int read_stages(struct result *v)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(v->root, "stages"), *item;
	uint32_t i = 0;

	if (allocate(list, sizeof(*v->stages), (void **)&v->stages, &v->n_stages) < 0)
		return -ENOMEM;
	cJSON_ArrayForEach(item, list)
	{
		if (i >= v->n_stages)
			break;
		v->stages[i++] = (struct result_stage){
			.name = or_empty(string(item, "name")),
			.note = string(item, "note"),
			.start_ms = number(item, "start_ms"),
			.wall_ms = number(item, "wall_ms"),
		};
	}
	return 0;
}

static double element(const cJSON *row, int i)
{
	const cJSON *v = cJSON_GetArrayItem(row, i);

	/* Charts are drawn to scale: what no host has must not be the scale. */
	return cJSON_IsNumber(v) && v->valuedouble >= 0 ? MIN_OF(v->valuedouble, 1e15) : 0;
}

static int read_samples(struct result *v)
{
	const cJSON *o = cJSON_GetObjectItemCaseSensitive(v->root, "samples");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "rows"), *row;
	uint32_t i = 0;

	if (allocate(list, sizeof(*v->samples), (void **)&v->samples, &v->n_samples) < 0)
		return -ENOMEM;
	cJSON_ArrayForEach(row, list)
	{
		if (i >= v->n_samples)
			break;
		v->samples[i++] = (struct result_sample){
			.at_ms = element(row, 0),
			.memory = { element(row, 1), element(row, 3) },
			.cpu_ms = { element(row, 2), element(row, 4) },
		};
	}
	return 0;
}

static double parse_time(const char *s)
{
	struct tm tm = { 0 };
	const char *end = s ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	double ms = 0;

	if (!end)
		return 0;
	if (*end == '.')
		ms = strtod(end, NULL) * 1000;
	return (double)timegm(&tm) * 1000 + (ms >= 0 && ms < 1000 ? ms : 0);
}

static int read_all(struct result *v, char *why)
{
	const cJSON *root = v->root;
	const char *schema = string(root, "schema");

	if (!schema || !streq(schema, SCHEMA)) {
		snprintf(why, RESULT_WHY,
			 "this is no result of sandbox-run grade --json (its \"schema\" is not "
			 "\"" SCHEMA "\")");
		return -EINVAL;
	}
	v->challenge = or_empty(string(root, "challenge"));
	v->submission = or_empty(string(root, "submission"));
	v->verdict = or_empty(string(root, "verdict"));
	v->reason = or_empty(string(root, "reason"));
	v->version = or_empty(string(root, "version"));
	v->log = string(root, "log");
	v->score = number(root, "score");
	v->max_score = number(root, "max_score");
	v->wall_ms = number(root, "wall_ms");
	v->began_ms = parse_time(string(root, "began_at"));
	if (read_tests(v) < 0 || read_stages(v) < 0 || read_samples(v) < 0) {
		copy_string(why, RESULT_WHY, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

int result_new(struct result **ret, cJSON *root, char *why)
{
	_cleanup_(result_freep) struct result *v = calloc(1, sizeof(*v));
	int r;

	if (!root || !v) {
		cJSON_Delete(root);
		copy_string(why, RESULT_WHY, "out of memory");
		return -ENOMEM;
	}
	v->root = root;
	r = read_all(v, why);
	if (r == 0)
		*ret = steal_ptr(v);
	return r;
}

struct result *result_free(struct result *v)
{
	if (!v)
		return NULL;
	cJSON_Delete(v->root);
	free(v->cases);
	free(v->stages);
	free(v->samples);
	free(v);
	return NULL;
}

static int clean_tree(cJSON *v, unsigned int depth)
{
	for (; v; v = v->next) {
		if (depth > MAX_DEPTH)
			return -EINVAL;
		if (cJSON_IsString(v)) {
			char *clean = clean_text(v->valuestring, strlen(v->valuestring), SIZE_MAX);

			if (!clean)
				return -ENOMEM;
			cJSON_free(v->valuestring);
			v->valuestring = clean;
		}
		if (v->child && clean_tree(v->child, depth + 1) < 0)
			return -EINVAL;
	}
	return 0;
}

/* The whole file, terminated. */
static int read_file(const char *path, char **ret, char *why)
{
	FILE *f = streq(path, "-") ? stdin : fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	size_t at = 0, n = 1;
	bool bad;

	if (!f) {
		snprintf(why, RESULT_WHY, "%s", strerror(errno));
		return -EINVAL;
	}
	while (n > 0 && at <= MAX_FILE) {
		char *more = realloc(text, at + 65537);

		if (!more)
			break;
		text = more;
		n = fread(text + at, 1, 65536, f);
		at += n;
		text[at] = '\0';
	}
	bad = ferror(f) || n > 0;
	if (bad)
		snprintf(why, RESULT_WHY, "it cannot be read as a whole: %s",
			 at > MAX_FILE ? "it is too big for a result" : strerror(errno));
	if (f != stdin)
		(void)fclose(f);
	if (bad)
		return -EINVAL;
	*ret = steal_ptr(text);
	return 0;
}

int result_load(struct result **ret, const char *path, char *why)
{
	_cleanup_free_ char *text = NULL;
	cJSON *root;
	int r = read_file(path, &text, why);

	if (r < 0)
		return r;
	root = cJSON_Parse(text);
	if (!root) {
		copy_string(why, RESULT_WHY, "it is not JSON");
		return -EINVAL;
	}
	if (clean_tree(root, 0) < 0) {
		cJSON_Delete(root);
		copy_string(why, RESULT_WHY, "it is nested too deeply, or memory is out");
		return -EINVAL;
	}
	return result_new(ret, root, why);
}

static const struct {
	const char *name, *words;
	bool own, ours;
} verdicts[] = {
	{ "AC", "Accepted: every test passed", false, false },
	{ "PARTIAL", "Some tests passed", false, false },
	{ "WA", "No test passed", false, false },
	{ "CE", "It could not be installed, built or migrated", true, false },
	{ "BOOT", "The server never answered", true, false },
	{ "CRASH", "The server ended while it was tested", true, false },
	{ "MLE", "It needed more memory than it may have", true, false },
	{ "DLE", "It needed more disk space than it may have", true, false },
	{ "PLE", "It started more processes than it may", true, false },
	{ "OLE", "It printed more than it may", true, false },
	{ "TLE", "It took longer than it may", true, false },
	{ "SEC", "It made a forbidden kind of system call", true, false },
	{ "IE", "The sandbox failed; the submission is not to blame", true, true },
	{ "CANCELLED", "Interrupted before it was done", true, true },
	{ "SUPERSEDED", "A newer submission took its place", true, true },
};

const char *result_verdict_words(const char *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (streq(verdicts[i].name, verdict))
			return verdicts[i].words;
	}
	return "";
}

/* Did the submission itself fail, beyond what its tests say (a limit, CE, IE ...)? */
static bool result_verdict_is_own(const struct result *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (streq(verdicts[i].name, v->verdict))
			return verdicts[i].own;
	}
	return true;
}

bool result_needs_own(const struct result *v)
{
	if (result_verdict_is_own(v) || v->n_cases == 0)
		return true;
	for (uint32_t i = 0; i < v->n_cases; i++) {
		if (!v->cases[i].passed && !v->cases[i].skipped)
			return false;
	}
	return !streq(v->verdict, "AC");
}

bool result_own_passed(const struct result *v)
{
	return !result_verdict_is_own(v) && v->passed == v->run;
}

bool result_is_ours(const struct result *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (streq(verdicts[i].name, v->verdict))
			return verdicts[i].ours;
	}
	return true;
}

const char *result_time(char out[32], double ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	size_t n;

	out[0] = '\0';
	if (ms <= 0 || ms > 253402300799e3 || !gmtime_r(&seconds, &tm))
		return out;
	n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, 32 - n, ".%03uZ", (unsigned int)(ms - (double)seconds * 1000) % 1000);
	return out;
}
