/* SPDX-License-Identifier: MIT */

/*
 * A challenge of DevForces as a folder: challenge.json and one Vitest file. Made under another name
 * and renamed, so that nobody sees half of it; of two makers the first wins, since the name holds
 * the hash of all that is in it.
 *
 * The number of tests that DevForces says is not demanded of the suite: where the two differ,
 * results are still given, as its own worker does.
 */

#include "fleet/compat/devforces.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fleet/compat/devforces-table.h"
#include "store/key.h"
#include "store/tree.h"
#include "util/util.h"

#define PORT 8000
#define TOTAL_MAX 100000

static char *challenge_json(const char *id, bool fast)
{
	cJSON *root = cJSON_CreateObject(), *suite;
	char *ret = NULL;

	cJSON_AddStringToObject(root, "title", id);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(root, "tests"),
			     cJSON_CreateString("tests/challenge.test.ts"));
	cJSON_AddNumberToObject(root, "port", PORT);
	cJSON_AddStringToObject(root, "database", "postgres");
	/* What its page shows are numbers, and log lines that are ours. */
	cJSON_AddStringToObject(root, "reveal", "none");
	suite = cJSON_AddObjectToObject(root, "suite");
	cJSON_AddStringToObject(suite, "runner", "vitest");
	if (fast || cJSON_AddFalseToObject(suite, "fast"))
		ret = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return ret;
}

static int write_file(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : write_full(fd, text, strlen(text));
}

static int fill(int parent, const char *name, const char *json, const char *test_file)
{
	_cleanup_close_ int dir = -1;
	int r;

	if (mkdirat(parent, name, 0700) < 0)
		return -errno;
	dir = openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || mkdirat(dir, "tests", 0700) < 0)
		return -errno;
	r = write_file(dir, "tests/challenge.test.ts", test_file);
	return r < 0 ? r : write_file(dir, "challenge.json", json);
}

static int make_folder(int parent, const char *name, const char *json, const char *test_file)
{
	char temporary[64];
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* When it was used last, for `admin gc`. */
		(void)utimensat(parent, name, NULL, AT_SYMLINK_NOFOLLOW);
		return 0;
	}
	(void)snprintf(temporary, sizeof(temporary), ".new-%d", (int)getpid());
	(void)tree_remove(parent, temporary);
	r = fill(parent, temporary, json, test_file);
	if (r == 0 && renameat2(parent, temporary, parent, name, RENAME_NOREPLACE) < 0)
		r = errno == EEXIST ? 0 : -errno;
	(void)tree_remove(parent, temporary);
	return r;
}

static void name_of(const char *id, const char *json, const char *test_file, uint32_t total,
		    char ret[KEY_SIZE])
{
	struct key k;

	key_begin(&k, "devforces challenge");
	key_add_string(&k, id);
	key_add_string(&k, json);
	key_add_string(&k, test_file);
	key_add(&k, &total, sizeof(total));
	key_end(&k, ret);
}

static int read_row(struct pg *db, const char *id, PGresult **ret, struct sbx_error *err)
{
	char table[DEVFORCES_TABLE_MAX], sql[256];
	const char *const params[] = { id };
	int r = devforces_table(db, "Challenge", table, err);

	if (r < 0)
		return r;
	(void)snprintf(sql, sizeof(sql),
		       "SELECT \"testFile\", \"totalTestCases\" FROM %s WHERE id = $1", table);
	r = pg_query(db, sql, ARRAY_SIZE(params), params, ret, err);
	if (r < 0)
		return r;
	return PQntuples(*ret) == 0
		       ? pg_error(err, -ENOENT, "devforces", "there is no challenge %s", id)
		       : 0;
}

int devforces_challenge(struct pg *db, const char *id, int dir, const char *path, bool fast,
			struct devforces_challenge *ret, struct sbx_error *err)
{
	_cleanup_(pg_clear) PGresult *row = NULL;
	_cleanup_free_ char *json = challenge_json(id, fast), *folder = NULL;
	char name[KEY_SIZE];
	uint64_t total;
	int r = json ? read_row(db, id, &row, err) : -ENOMEM;

	if (r < 0)
		return r;
	total = strtoull(PQgetvalue(row, 0, 1), NULL, 10);
	if (total < 1 || total > TOTAL_MAX)
		return pg_error(err, -EINVAL, "devforces",
				"\"totalTestCases\" of challenge %s is not from 1 to %d", id,
				TOTAL_MAX);
	name_of(id, json, PQgetvalue(row, 0, 0), (uint32_t)total, name);
	r = make_folder(dir, name, json, PQgetvalue(row, 0, 0));
	if (r < 0)
		return pg_error(err, -ENOSPC, path,
				"the challenge %s cannot be written below it: %s", id,
				strerror(-r));
	if (asprintf(&folder, "%s/%s", path, name) < 0)
		return -ENOMEM;
	ret->folder = steal_ptr(folder);
	ret->total = (uint32_t)total;
	return 0;
}

void devforces_challenge_done(struct devforces_challenge *c)
{
	free(c->folder);
	*c = (struct devforces_challenge){ 0 };
}
