/* SPDX-License-Identifier: MIT */

/*
 * sandbox-run grade --bundle: what `sandbox-runner admin bundle` wrote, judged once more, and
 * whether the verdict is the same. A bundle that is damaged, or whose challenge is not the one that
 * the verdict was made by, is refused: what came out of it would say nothing about that verdict.
 */

#include "run/grade.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "pipeline/clean.h"
#include "pipeline/tests-hash.h"
#include "report/result.h"
#include "run/run.h"
#include "util/util.h"
#include "json/json-config.h"

#define MANIFEST_MAX (64u << 10)
#define SCHEMA "sandbox-bundle/1"

__attribute__((format(printf, 2, 3))) static int refuse(const struct grade *g, const char *fmt, ...)
{
	_cleanup_free_ char *clean = NULL;
	char text[1500];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* Somebody else may have written it. */
	clean = clean_line(text, strlen(text), sizeof(text) * 8);
	fprintf(stderr, "sandbox-run grade: the bundle %s: %s\n", g->bundle.path,
		clean ? clean : "out of memory");
	return EXIT_USAGE;
}

static const char *text_of(const cJSON *root, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, key));

	return text ? text : "";
}

static int open_file(const struct grade *g, const char *name)
{
	return openat(g->bundle.dir, name,
		      O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
}

static int check_file(const struct grade *g, const char *name, const char *expected)
{
	_cleanup_close_ int fd = open_file(g, name);
	char found[KEY_SIZE];
	struct stat st;
	int r;

	if (strchr(name, '/') || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return refuse(g,
			      "%.60s is missing; make the bundle anew: sandbox-runner admin bundle",
			      name);
	r = sha256_of(fd, found);
	if (r < 0)
		return refuse(g, "%s: %s", name, strerror(-r));
	if (!streq(found, expected))
		return refuse(g, "%s is not what it was: SHA-256 %s, and bundle.json says %.64s",
			      name, found, expected);
	return EXIT_OK;
}

static int check_files(const struct grade *g, const cJSON *root)
{
	const cJSON *files = cJSON_GetObjectItemCaseSensitive(root, "files"), *one;
	bool archive = false;
	int code = EXIT_OK;

	cJSON_ArrayForEach(one, files)
	{
		if (code != EXIT_OK)
			return code;
		code = check_file(g, one->string ? one->string : "",
				  cJSON_IsString(one) ? one->valuestring : "");
		archive |= one->string && streq(one->string, "submission.zip");
	}
	if (code == EXIT_OK && !archive)
		return refuse(g, "bundle.json does not name submission.zip");
	return code;
}

static int take_settings(struct grade *g, const cJSON *root)
{
	struct grade_bundle *b = &g->bundle;
	const char *unenforced = text_of(root, "allow_unenforced");

	copy_string(b->tests, sizeof(b->tests), text_of(root, "tests_sha256"));
	copy_string(b->challenge, sizeof(b->challenge), text_of(root, "challenge_sha256"));
	copy_string(b->version, sizeof(b->version), text_of(root, "version"));
	copy_string(b->unenforced, sizeof(b->unenforced), unenforced);
	if (*b->unenforced && !grade_opt.allow_unenforced)
		grade_opt.allow_unenforced = b->unenforced;
	if (streq(text_of(root, "database"), "server") && !grade_opt.database && !grade_opt.quiet)
		fprintf(stderr,
			"the worker had databases of a server (--database); here it is an instance "
			"of its own\n");
	if (asprintf(&b->challenge_dir, "%s/challenge", b->path) < 0)
		b->challenge_dir = NULL;
	if (asprintf(&b->archive, "%s/submission.zip", b->path) < 0)
		b->archive = NULL;
	if (!b->challenge_dir || !b->archive)
		return grade_complain("out of memory");
	if (access(b->challenge_dir, F_OK) < 0)
		return refuse(g,
			      "it has no challenge; judge its archive by hand: sandbox-run grade "
			      "%s --challenge DIR",
			      b->archive);
	grade_opt.challenge = b->challenge_dir;
	g->submission = b->archive;
	return EXIT_OK;
}

static int take_manifest(struct grade *g, const cJSON *root)
{
	const char *schema = text_of(root, "schema");
	int code;

	if (!streq(schema, SCHEMA))
		return refuse(g,
			      "its schema is \"%.40s\", and this version (%s) reads \"" SCHEMA
			      "\": it was made by another version of sandbox-runner (%.20s)",
			      schema, sbx_version(), text_of(root, "version"));
	code = check_files(g, root);
	return code == EXIT_OK ? take_settings(g, root) : code;
}

int grade_bundle_open(struct grade *g)
{
	char why[JSON_CONFIG_WHY] = "";
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	struct json_config j;
	size_t size;
	int code;

	g->bundle.path = grade_opt.bundle;
	g->bundle.dir = open(grade_opt.bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->bundle.dir < 0)
		return refuse(g, "%s; it is a folder that sandbox-runner admin bundle wrote",
			      strerror(errno));
	fd = open_file(g, "bundle.json");
	text = read_content(fd, MANIFEST_MAX, &size);
	if (!text)
		return refuse(
			g,
			"bundle.json: %s; it is not whole. Make it anew: sandbox-runner admin "
			"bundle",
			strerror(errno));
	code = json_config_parse(&j, "bundle.json", text, size, why) < 0 ? refuse(g, "%s", why)
									 : take_manifest(g, j.root);
	json_config_done(&j);
	return code;
}

/* Once the challenge is loaded: is it the one that is in the bundle, and that it was judged by? */
int grade_bundle_check(struct grade *g)
{
	const struct grade_bundle *b = &g->bundle;
	char found[KEY_SIZE];
	int r = tests_hash(g->challenge, found);

	if (r < 0)
		return grade_complain("the challenge cannot be read: %s", strerror(-r));
	if (*b->challenge && !streq(found, b->challenge))
		return refuse(g,
			      "its challenge is not what it was when the bundle was made "
			      "(SHA-256 %s, and bundle.json says %s)",
			      found, b->challenge);
	if (*b->tests && !streq(found, b->tests))
		return refuse(
			g,
			"the challenge was changed between the verdict (tests %.12s...) and the "
			"bundle (%.12s...). To judge the archive by it as it is now: sandbox-run "
			"grade %s --challenge %s",
			b->tests, found, b->archive, b->challenge_dir);
	return EXIT_OK;
}

/* Beside the report: what it was then. */
void grade_bundle_compare(const struct grade *g, const struct result *now)
{
	_cleanup_(result_freep) struct result *then = NULL;
	_cleanup_free_ char *path = NULL;
	char why[RESULT_WHY];
	bool same;

	if (asprintf(&path, "%s/result.json", g->bundle.path) < 0) {
		path = NULL;
		return;
	}
	if (access(path, F_OK) < 0) {
		fprintf(stderr, "The bundle has no result: it had not been judged then.\n");
		return;
	}
	if (result_load(&then, path, why) < 0) {
		fprintf(stderr, "The result in the bundle cannot be read: %s\n", why);
		return;
	}
	same = streq(then->verdict, now->verdict) && then->passed == now->passed &&
	       then->total == now->total;
	if (same)
		fprintf(stderr, "The same as in the bundle: %s, %u of %u.\n", then->verdict,
			then->passed, then->total);
	else
		fprintf(stderr,
			"Not the same: %s, %u of %u in the bundle (version %s); %s, %u of %u now "
			"(version %s).\n",
			then->verdict, then->passed, then->total, then->version, now->verdict,
			now->passed, now->total, now->version);
}

void grade_bundle_done(struct grade_bundle *b)
{
	close_fd(b->dir);
	free(b->challenge_dir);
	free(b->archive);
}
