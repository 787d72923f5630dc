/* SPDX-License-Identifier: MIT */

/* See judge-challenges.h. */

#include "fleet/worker/judge-challenges.h"

#include <dirent.h>
#include <sys/stat.h>

#include "pipeline/tests-hash.h"
#include "suite/suite.h"
#include "util/util.h"

#define FILES_MAX 4000
#define DEPTH_MAX 16

/* ------------------------------------------------------------------- state */

struct look {
	struct key key;
	uint32_t files;
};

static int is_counted(const struct dirent *e)
{
	return e->d_name[0] != '.' && !streq(e->d_name, "node_modules");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int look_into(struct look *l, int dir, unsigned int depth);

static int look_at(struct look *l, int dir, const char *name, unsigned int depth)
{
	_cleanup_close_ int below = -1;
	struct stat st;

	if (fstatat(dir, name, &st, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	key_add_string(&l->key, name);
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
		below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return below < 0 ? -errno : look_into(l, below, depth + 1);
	}
	key_add(&l->key, &st.st_ino, sizeof(st.st_ino));
	key_add(&l->key, &st.st_size, sizeof(st.st_size));
	key_add(&l->key, &st.st_mtim, sizeof(st.st_mtim));
	key_add(&l->key, &st.st_ctim, sizeof(st.st_ctim));
	return 0;
}

static int look_into(struct look *l, int dir, unsigned int depth)
{
	struct dirent **entries;
	int r = 0, n = scandirat(dir, ".", &entries, is_counted, by_name);

	if (n < 0)
		return -errno;
	key_add_string(&l->key, "{");
	for (int i = 0; i < n; i++) {
		if (r == 0 && l->files++ < FILES_MAX)
			r = look_at(l, dir, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	key_add_string(&l->key, "}");
	return r;
}

static int state_of(const char *path, char ret[static KEY_SIZE])
{
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct look l = { .files = 0 };
	int r;

	if (dir < 0)
		return -errno;
	key_begin(&l.key, "challenge-state/1");
	r = look_into(&l, dir, 0);
	if (r == 0)
		key_end(&l.key, ret);
	return r;
}

/* -------------------------------------------------------------------- kept */

static void forget(struct kept_challenge *k)
{
	free(k->dir);
	challenge_free(k->challenge);
	*k = (struct kept_challenge){ 0 };
}

/*
 * The place of `dir`: where it is, or else one that is free or was not used for the longest time.
 */
static struct kept_challenge *place_of(struct challenges *c, const char *dir)
{
	struct kept_challenge *best = &c->kept[0];

	for (size_t i = 0; i < CHALLENGES_KEPT; i++) {
		struct kept_challenge *k = &c->kept[i];

		if (k->dir && streq(k->dir, dir))
			return k;
		if (k->used < best->used)
			best = k;
	}
	forget(best);
	return best;
}

static int load(struct job *job, const char *dir, struct kept_challenge *ret, char *why)
{
	_cleanup_(challenge_freep) struct challenge *c = NULL;
	int r = challenge_load(&c, dir, why);

	if (r == 0)
		r = suites_publish(job, c, why);
	if (r == 0)
		r = tests_hash(c, ret->tests);
	if (r < 0)
		return r;
	ret->dir = strdup(dir);
	if (!ret->dir)
		return -ENOMEM;
	ret->challenge = steal_ptr(c);
	return 0;
}

int challenges_get(struct challenges *c, struct job *job, const char *dir,
		   const struct kept_challenge **ret, char *why)
{
	struct kept_challenge *k = place_of(c, dir);
	char state[KEY_SIZE];
	int r;

	/* Looked at before it is loaded: what changes meanwhile is seen by the next job. */
	*why = '\0';
	r = state_of(dir, state);
	if (r == 0 && (!k->challenge || !streq(state, k->state))) {
		forget(k);
		r = load(job, dir, k, why);
		copy_string(k->state, sizeof(k->state), state);
	}
	if (r < 0) {
		forget(k);
		return r;
	}
	k->used = ++c->uses;
	*ret = k;
	return 0;
}

bool challenges_is_current(const struct challenges *c, const char *dir)
{
	char state[KEY_SIZE];

	for (size_t i = 0; i < CHALLENGES_KEPT; i++) {
		const struct kept_challenge *k = &c->kept[i];

		if (k->dir && streq(k->dir, dir))
			return state_of(dir, state) == 0 && streq(state, k->state);
	}
	return false;
}

void challenges_done(struct challenges *c)
{
	for (size_t i = 0; i < CHALLENGES_KEPT; i++)
		forget(&c->kept[i]);
}
