/* SPDX-License-Identifier: MIT */

/*
 * Jails that wait. What a pool saves is all that does not depend on the submission: namespaces,
 * groups, mounts, init. A jail that waits has run nothing but our init, and is given away once.
 *
 * A process cannot enter another jail's network later (setns(2) wants rights over the namespace
 * that owns it, which a jail's init has over no other), so jails that are to share one are made
 * that way, in pairs: see `beside`. A pair is known by the serial number of the jail that owns the
 * network, not by its address, which may be another jail's by the time that it is asked for.
 */

#include "error.h"
#include "jail.h"
#include "ns.h"
#include "util/util.h"
#include <fcntl.h>

#define POOL_MAX 1024u

struct sbx_pool {
	struct sbx_ctx *ctx;
	struct sbx_plan *plan;
	struct sbx_pool *beside; /* NULL: none */
	bool has_group;
	struct sbx_group_options group;
	char group_label[32];
	char label[32];
	uint32_t size;
	pthread_mutex_t lock; /* for what follows; never held while a jail is made or ended */
	uint32_t n;
	struct sbx_jail **waiting;
};

static bool is_alive(const struct sbx_jail *j)
{
	return !fd_is_readable(j->pidfd);
}

/* Of no use any more: its init was killed, or nobody can ask for the network that it is in. */
static bool is_stale(const struct sbx_jail *j)
{
	return !is_alive(j) || (j->beside.pidfd >= 0 && fd_is_readable(j->beside.pidfd));
}

static struct sbx_jail *remove_at(struct sbx_pool *pool, uint32_t i)
{
	struct sbx_jail *j = pool->waiting[i];

	pool->waiting[i] = pool->waiting[--pool->n];
	return j;
}

static struct sbx_jail *remove_stale(struct sbx_pool *pool)
{
	struct sbx_jail *j = NULL;
	uint32_t i;

	(void)pthread_mutex_lock(&pool->lock);
	for (i = 0; i < pool->n && !j; i++)
		if (is_stale(pool->waiting[i]))
			j = remove_at(pool, i);
	(void)pthread_mutex_unlock(&pool->lock);
	return j;
}

static void drop_stale(struct sbx_pool *pool)
{
	struct sbx_jail *j;

	while ((j = remove_stale(pool)))
		sbx_jail_free(j);
}

/* --------------------------------------------------------------------------- making */

SBX_PUBLIC int sbx_pool_new(struct sbx_ctx *ctx, struct sbx_plan *plan, struct sbx_pool **ret,
			    const struct sbx_pool_options *o, struct sbx_error *err)
{
	struct sbx_pool_options options;
	struct sbx_pool *pool;
	int r = options_copy(&options, sizeof(options), o);

	if (r < 0 || !o)
		return error_set(err, r < 0 ? r : -EINVAL, "pool", "options",
				 "struct sbx_pool_options has a size this library does not know");
	if (!options.jails || options.jails > POOL_MAX || options.flags)
		return error_set(err, -EINVAL, "pool", "jails", "must be 1 to %u, and flags 0",
				 POOL_MAX);
	pool = calloc(1, sizeof(*pool));
	if (pool)
		pool->waiting = calloc(options.jails, sizeof(pool->waiting[0]));
	if (!pool || !pool->waiting) {
		free(pool);
		return error_set(err, -ENOMEM, "pool", NULL, "out of memory");
	}
	pool->ctx = ctx;
	pool->plan = sbx_plan_ref(plan);
	pool->beside = options.beside;
	pool->size = options.jails;
	(void)pthread_mutex_init(&pool->lock, NULL);
	r = label_copy(options.label ? options.label : "pool", pool->label, sizeof(pool->label),
		       err);
	if (r >= 0 && options.group) {
		pool->has_group = true;
		r = options_copy(&pool->group, sizeof(pool->group), options.group);
		if (r < 0)
			(void)error_set(err, r, "pool", "group",
					"struct sbx_group_options has a size this library does "
					"not know");
		else if (pool->group.label)
			r = label_copy(pool->group.label, pool->group_label,
				       sizeof(pool->group_label), err);
		pool->group.label = pool->group_label[0] ? pool->group_label : NULL;
	}
	if (r < 0) {
		sbx_pool_free(pool);
		return r;
	}
	*ret = pool;
	return 0;
}

/* A waiting jail of `pool` that has none of ours beside it yet; 0: there is no such jail. */
static int find_owner(struct sbx_pool *pool, struct sbx_pool *owners, struct beside *ret)
{
	struct sbx_jail *j;
	uint32_t i, k;
	int r = 0;

	(void)pthread_mutex_lock(&owners->lock);
	(void)pthread_mutex_lock(&pool->lock);
	for (i = 0; i < owners->n && !r; i++) {
		j = owners->waiting[i];
		for (k = 0; k < pool->n; k++)
			if (pool->waiting[k]->beside.serial == j->serial)
				break;
		if (k == pool->n && is_alive(j))
			r = beside_open(ret, j);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	(void)pthread_mutex_unlock(&owners->lock);
	return r;
}

static int make_jail(struct sbx_pool *pool, struct beside *beside, const struct sbx_jail_options *o,
		     struct sbx_jail **ret, struct sbx_error *err)
{
	struct sbx_jail_options options = *o;
	struct sbx_group *group = NULL;
	int r = 0;

	options.label = o->label ? o->label : pool->label;
	if (!o->group && beside && beside->group)
		options.group = group = group_ref(beside->group);
	else if (!o->group && pool->has_group)
		r = sbx_group_new(pool->ctx, &group, &pool->group, err);
	if (r < 0)
		return r;
	options.group = o->group ? o->group : group;
	r = jail_make(pool->ctx, pool->plan, ret, &options, beside, err);
	if (r < 0)
		sbx_group_free(group);
	else
		(*ret)->owns_group = group != NULL;
	return r;
}

/* 1: one more waits, 0: there is no jail that it could be made beside. */
static int add_jail(struct sbx_pool *pool, struct sbx_error *err)
{
	static const struct sbx_jail_options none = { .size = sizeof(none) };
	struct beside beside = BESIDE_NONE;
	struct sbx_jail *j = NULL;
	int r = 1;

	if (pool->beside)
		r = find_owner(pool, pool->beside, &beside);
	if (r > 0)
		r = make_jail(pool, pool->beside ? &beside : NULL, &none, &j, err);
	beside_close(&beside);
	if (r < 0 || !j)
		return r < 0 ? r : 0;
	(void)pthread_mutex_lock(&pool->lock);
	if (pool->n < pool->size) {
		pool->waiting[pool->n++] = j;
		j = NULL;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	sbx_jail_free(j); /* another thread was faster */
	return 1;
}

SBX_PUBLIC int sbx_pool_fill(struct sbx_pool *pool, uint32_t n, struct sbx_error *err)
{
	uint32_t made;
	int r = 1;

	drop_stale(pool);
	for (made = 0; r > 0 && (!n || made < n); made++) {
		if ((uint32_t)sbx_pool_waiting(pool) >= pool->size)
			break;
		r = add_jail(pool, err);
	}
	return r < 0 ? r : sbx_pool_waiting(pool);
}

SBX_PUBLIC int sbx_pool_waiting(struct sbx_pool *pool)
{
	int n;

	(void)pthread_mutex_lock(&pool->lock);
	n = (int)pool->n;
	(void)pthread_mutex_unlock(&pool->lock);
	return n;
}

/* --------------------------------------------------------------------------- taking */

/* The network that the caller wants is part of a waiting jail, or it is none of ours. */
static struct sbx_jail *find_waiting(struct sbx_pool *pool, const struct sbx_jail_options *o)
{
	uint64_t wanted = o->netns_of ? o->netns_of->serial : 0;
	struct sbx_jail *j = NULL;
	uint32_t i;

	if (o->group)
		return NULL;
	(void)pthread_mutex_lock(&pool->lock);
	for (i = 0; i < pool->n && !j; i++)
		if (pool->waiting[i]->beside.serial == wanted && is_alive(pool->waiting[i]))
			j = remove_at(pool, i);
	(void)pthread_mutex_unlock(&pool->lock);
	return j;
}

static int finish(struct sbx_jail *j, const struct sbx_jail_options *o, struct sbx_error *err)
{
	uint32_t i;
	int r = o->label ? label_copy(o->label, j->label, sizeof(j->label), err) : 0;

	for (i = 0; r >= 0 && i < o->n_mounts; i++)
		r = sbx_jail_mount(j, &o->mounts[i], err);
	return r;
}

SBX_PUBLIC int sbx_pool_take(struct sbx_pool *pool, struct sbx_jail **ret,
			     const struct sbx_jail_options *o, struct sbx_error *err)
{
	struct sbx_jail_options options;
	struct sbx_jail *j;
	int r = options_copy(&options, sizeof(options), o);

	if (r < 0)
		return error_set(err, r, "pool", "options",
				 "struct sbx_jail_options has a size this library does not know");
	j = find_waiting(pool, &options);
	if (!j)
		return make_jail(pool, NULL, &options, ret, err);
	r = finish(j, &options, err);
	if (r < 0) {
		sbx_jail_free(j);
		return r;
	}
	*ret = j;
	return 0;
}

SBX_PUBLIC struct sbx_pool *sbx_pool_free(struct sbx_pool *pool)
{
	if (!pool)
		return NULL;
	while (pool->n)
		sbx_jail_free(remove_at(pool, 0));
	(void)pthread_mutex_destroy(&pool->lock);
	sbx_plan_unref(pool->plan);
	free(pool->waiting);
	free(pool);
	return NULL;
}
