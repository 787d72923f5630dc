/* SPDX-License-Identifier: MIT */
#include "deps/toolchain.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "util/util.h"

#define MANIFEST_MAX (64 * 1024)

static int toolchain_error(struct sbx_error *err, int code, const char *store_dir, const char *dir,
			   const char *what)
{
	if (!err)
		return code;
	*err = (struct sbx_error){ .code = code };
	(void)snprintf(err->stage, sizeof(err->stage), "toolchain");
	(void)snprintf(err->item, sizeof(err->item), "%s", dir);
	if (code == -EACCES)
		(void)snprintf(err->text, sizeof(err->text),
			       "the store is not yours to read: name one of your own with --store "
			       "or $SANDBOX_STORE");
	else
		(void)snprintf(err->text, sizeof(err->text),
			       "%s: run runner/toolchain/install.sh %.60s once (needs npm and the "
			       "registry)",
			       what, store_dir);
	return code;
}

/* "1.2.3"; becomes part of keys and messages. */
static bool version_ok(const char *s)
{
	size_t n = strspn(s, "0123456789.");

	return n > 0 && n < 32 && s[n] == '\0' && strchr(s, '.') && s[0] != '.';
}

static int read_text(const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static int npm_version(struct toolchain *t)
{
	_cleanup_free_ char *path = NULL, *text = malloc(MANIFEST_MAX);
	const cJSON *version;
	cJSON *json;
	int r;

	if (!text || asprintf(&path, "%s/lib/node_modules/npm/package.json", t->dir) < 0)
		return -ENOMEM;
	r = read_text(path, text, MANIFEST_MAX);
	if (r < 0)
		return r;
	json = cJSON_Parse(text);
	version = cJSON_GetObjectItemCaseSensitive(json, "version");
	r = -EBADMSG;
	if (cJSON_IsString(version) && version_ok(version->valuestring)) {
		copy_string(t->npm_version, sizeof(t->npm_version), version->valuestring);
		r = 0;
	}
	cJSON_Delete(json);
	return r;
}

/* The directory's name says the version: the symbolic link runtime/node ends in node-<version>. */
static int node_version(struct toolchain *t)
{
	const char *name = strrchr(t->dir, '/') + 1;
	_cleanup_free_ char *path = NULL;

	if (!starts_with(name, "node-") || !version_ok(name + 5))
		return -EBADMSG;
	copy_string(t->node_version, sizeof(t->node_version), name + 5);
	(void)snprintf(t->node_major, sizeof(t->node_major), "%.*s", (int)strcspn(name + 5, "."),
		       name + 5);
	if (asprintf(&path, "%s/bin/node", t->dir) < 0)
		return -ENOMEM;
	return access(path, X_OK) < 0 ? -errno : 0;
}

int toolchain_find(struct toolchain *ret, const char *store_dir, struct sbx_error *err)
{
	_cleanup_(toolchain_done) struct toolchain t = {};
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/runtime/node", store_dir) < 0)
		return -ENOMEM;
	t.dir = realpath(path, NULL);
	if (!t.dir)
		return toolchain_error(err, -errno, store_dir, path,
				       "the pinned Node runtime is not in the store");
	r = node_version(&t);
	if (r == 0)
		r = npm_version(&t);
	if (r < 0)
		return toolchain_error(err, r, store_dir, path,
				       "the pinned Node runtime in the store is damaged");
	*ret = t;
	t.dir = NULL;
	return 0;
}

void toolchain_done(struct toolchain *t)
{
	free(steal_ptr(t->dir));
}
