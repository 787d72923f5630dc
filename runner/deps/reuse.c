/* SPDX-License-Identifier: MIT */

/*
 * An entry that may serve as a base has files beside node_modules: `recipe`, the hash of all that
 * decides an install but the manifest and the lockfile, `packages`, the sorted digests of its
 * lockfile, and these two themselves. No parser is needed here: a digest is what looks like one,
 * and since what an install gives is checked by the manager itself, a lockfile that lies here gains
 * nothing.
 *
 * A base must share three quarters of the packages. npm can take some away from it; of the other
 * managers the tree of a base is used only if it has none that is not wanted, and install.cjs
 * compares every word of the two lockfiles. Whatever goes wrong with the difference - npm changes
 * the lockfile, a peer conflict, a full disk - the caller starts again, and the base only spares
 * copies: REUSE_FILES believes nothing, since files are compared byte by byte.
 */

#include "deps/reuse.h"

#include <fcntl.h>
#include <nettle/base64.h>
#include <sys/stat.h>

#include "pipeline/pipeline.h"
#include "store/share.h"
#include "store/tarballs.h"
#include "util/util.h"

#define BASES_LOOKED_AT 64
#define DIGEST_PREFIX "sha512-"
#define HEX_SIZE 128
#define DIGEST_SIZE 88 /* base64 of 64 bytes */
#define DIGESTS_MAX 20000
#define TARBALL_LAYER_BYTES (384ull << 20)
#define BASE_LAYER_BYTES (768ull << 20)
#define LAYER_INODES 100000
#define ENTRY_FILES 100000
#define LIST_MAX (64u << 20)
#define CACHE "/tmp/npm"

void reuse_done(struct reuse *u)
{
	store_entry_free(u->base);
	sums_done(&u->sums);
	free(u->base_path);
	free(u->base_lockfile);
	free(u->base_manifest);
	free(u->tarballs);
	free(u->digests);
	free(u->missing);
	close_fd(u->list);
	*u = (struct reuse)REUSE_NULL;
}

static int no_memory(struct job *job)
{
	return job_fail(job, -ENOMEM, "deps", "out of memory");
}

/* -------------------------------------------------------------------------- digests */

struct line {
	char text[DIGEST_SIZE + 1]; /* with the newline */
};

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct line));
}

static bool is_digest(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=") ==
	       DIGEST_SIZE;
}

static bool from_hex(const char *s, char ret[static DIGEST_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[HEX_SIZE / 2];

	if (strspn(s, digits) != HEX_SIZE)
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((strchr(digits, s[2 * i]) - digits) << 4 |
				     (strchr(digits, s[2 * i + 1]) - digits));
	base64_encode_raw(ret, sizeof(bytes), bytes);
	return true;
}

/*
 * yarn 2 and later have digests of their own archives, in hex and behind a "key/" in later
 * versions: zips.cjs keeps these. `left` bytes are there.
 */
static bool read_digest(const struct reuse *u, const char *at, size_t left,
			char ret[static DIGEST_SIZE])
{
	const char *slash;

	if (!u->is_berry) {
		if (left <= DIGEST_SIZE || !is_digest(at))
			return false;
		memcpy(ret, at, DIGEST_SIZE);
		return true;
	}
	slash = memchr(at, '/', MIN_OF(left, (size_t)16));
	if (slash) {
		left -= (size_t)(slash + 1 - at);
		at = slash + 1;
	}
	return left > HEX_SIZE && from_hex(at, ret);
}

static int find_digests(struct reuse *u, const char *lockfile, size_t size)
{
	const char *prefix = u->is_berry ? "checksum: " : DIGEST_PREFIX;
	const char *at = lockfile, *end = lockfile + size;
	size_t n = 0, kept = 0, room = 1;
	struct line *lines;

	for (const char *s = at; (s = memmem(s, (size_t)(end - s), prefix, strlen(prefix))); s++)
		room++;
	lines = calloc(MIN_OF(room, (size_t)DIGESTS_MAX), sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	while (n < DIGESTS_MAX && n + 1 < room &&
	       (at = memmem(at, (size_t)(end - at), prefix, strlen(prefix)))) {
		at += strlen(prefix);
		if (read_digest(u, at, (size_t)(end - at), lines[n].text))
			lines[n++].text[DIGEST_SIZE] = '\n';
	}
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || by_text(&lines[i], &lines[kept - 1]) != 0)
			lines[kept++] = lines[i];
	}
	u->digests = (char *)lines;
	u->digests_size = kept * sizeof(*lines);
	return 0;
}

/* "aa/bb/rest" of a digest; its end included. */
#define PATH_SIZE 131

static bool digest_path(const char *text, char ret[static PATH_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[BASE64_DECODE_LENGTH(DIGEST_SIZE)];
	struct base64_decode_ctx ctx;
	size_t size = sizeof(bytes), at = 0;

	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &size, bytes, DIGEST_SIZE, text) || size != 64 ||
	    !base64_decode_final(&ctx))
		return false;
	for (size_t i = 0; i < size; i++) {
		ret[at++] = digits[bytes[i] >> 4];
		ret[at++] = digits[bytes[i] & 15];
		if (i < 2)
			ret[at++] = '/';
	}
	ret[at] = '\0';
	return true;
}

/* What will have to be downloaded, and is to be kept afterwards. */
static int find_missing(struct reuse *u)
{
	_cleanup_close_ int dir = open(u->tarballs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t n = u->digests_size / sizeof(struct line);
	const struct line *lines = (const struct line *)u->digests;

	if (dir < 0)
		return -errno;
	u->missing = malloc(n * PATH_SIZE + 1);
	if (!u->missing)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		char *path = u->missing + u->missing_size;

		if (digest_path(lines[i].text, path) && faccessat(dir, path, F_OK, 0) < 0)
			u->missing_size += PATH_SIZE;
	}
	return 0;
}

bool reuse_has_tarballs(const struct reuse *u)
{
	return u->missing && u->missing_size / PATH_SIZE < u->digests_size / sizeof(struct line);
}

/* ------------------------------------------------------------------------------ base */

static char *read_beside(const struct store_entry *e, const char *name, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(e->dir, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? NULL : job_read_fd(fd, DIGESTS_MAX * sizeof(struct line), ret_size);
}

static size_t count_shared(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0, k = 0, shared = 0, step = sizeof(struct line);

	while (i + step <= a_size && k + step <= b_size) {
		int order = memcmp(a + i, b + k, step);

		shared += order == 0;
		i += order <= 0 ? step : 0;
		k += order >= 0 ? step : 0;
	}
	return shared;
}

/* More than any number of packages: the entry has none that is not wanted. */
#define WITHIN (2 * DIGESTS_MAX)

/* How many packages the entry shares with what is wanted; 0: it is none to begin with. */
static size_t rate(const struct reuse *u, const struct store_entry *e)
{
	_cleanup_free_ char *recipe = NULL, *packages = NULL;
	size_t size = 0, shared, most;

	recipe = read_beside(e, "recipe", &size);
	if (!recipe || !streq(recipe, u->recipe))
		return 0;
	packages = read_beside(e, "packages", &size);
	if (!packages)
		return 0;
	shared = count_shared(u->digests, u->digests_size, packages, size);
	most = MAX_OF(size, u->digests_size) / sizeof(struct line);
	if (4 * shared < 3 * most)
		return 0;
	return !u->is_npm && shared == size / sizeof(struct line) ? shared + WITHIN : shared;
}

static int use_base(struct reuse *u, size_t rating)
{
	if (!u->is_npm && rating < WITHIN)
		u->how = REUSE_FILES;
	if (asprintf(&u->base_path, "%s/node_modules", u->base->path) < 0 ||
	    asprintf(&u->base_lockfile, "%s/lockfile", u->base->path) < 0 ||
	    asprintf(&u->base_manifest, "%s/manifest", u->base->path) < 0)
		return -ENOMEM;
	return 0;
}

static int find_base(struct reuse *u, struct store *s)
{
	char *keys[BASES_LOOKED_AT] = {};
	int n = store_newest(s, "deps", keys, BASES_LOOKED_AT);
	size_t best = 0;

	for (int i = 0; i < n; i++) {
		struct store_entry *e = NULL;
		size_t rating = store_peek(s, "deps", keys[i], &e) == 0 ? rate(u, e) : 0;

		if (rating > best) {
			best = rating;
			store_entry_free(u->base);
			u->base = e;
			e = NULL;
		}
		store_entry_free(e);
		free(keys[i]);
	}
	if (!u->base)
		return 0;
	/* Damaged sums make it no base; that it is damaged is found by `deps verify`. */
	if (store_sums(u->base, &u->sums) < 0) {
		u->base = store_entry_free(u->base);
		return 0;
	}
	return use_base(u, best);
}

int reuse_begin(struct reuse *u, struct job *job, const char *lockfile, size_t size,
		enum reuse_base how)
{
	int r;

	if (!u->wanted || !lockfile)
		return 0;
	u->how = how;
	r = tarballs_path(job->store, &u->tarballs, &job->error);
	if (r < 0)
		return r;
	r = find_digests(u, lockfile, size);
	if (r == 0)
		r = find_missing(u);
	if (r == 0 && how != REUSE_NOTHING && u->digests_size > 0 &&
	    !(u->is_npm && memmem(lockfile, size, "\"lockfileVersion\":1,", 20)))
		r = find_base(u, job->store);
	if (r == 0 && u->base)
		r = u->list = job_memfd(job, "shared");
	if (!u->base)
		u->how = REUSE_NOTHING;
	return r < 0 ? job_fail(job, r, "deps", "cannot look for earlier installs: %s",
				strerror(-r))
		     : 0;
}

/* ---------------------------------------------------------------------------- mounts */

static uint32_t add_dir(struct sbx_mount *m, const char *target)
{
	*m = (struct sbx_mount){ .size = sizeof(*m),
				 .type = SBX_MOUNT_DIR,
				 .mode = 0755,
				 .uid = TREE_OWNER,
				 .gid = TREE_OWNER,
				 .target = target };
	return 1;
}

static uint32_t add_overlay(struct sbx_mount *m, const char *source, const char *target,
			    uint64_t bytes)
{
	*m = (struct sbx_mount){ .size = sizeof(*m),
				 .type = SBX_MOUNT_OVERLAY,
				 .flags = SBX_MOUNT_IDMAP,
				 .mode = 0755,
				 .uid = TREE_OWNER,
				 .gid = TREE_OWNER,
				 .source = source,
				 .target = target,
				 .bytes = bytes,
				 .inodes = LAYER_INODES };
	return 1;
}

static uint32_t add_file(struct sbx_mount *m, const char *source, const char *target)
{
	*m = (struct sbx_mount){
		.size = sizeof(*m), .type = SBX_MOUNT_BIND, .source = source, .target = target
	};
	return 1;
}

uint32_t reuse_mounts(const struct reuse *u, struct sbx_mount *m)
{
	uint32_t n = 0;

	if (!u->tarballs)
		return 0;
	n += add_dir(m + n, CACHE);
	n += add_dir(m + n, CACHE "/_cacache");
	n += add_dir(m + n, CACHE "/_cacache/content-v2");
	n += add_overlay(m + n, u->tarballs, CACHE "/_cacache/content-v2/sha512",
			 TARBALL_LAYER_BYTES);
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_DIR,
				     .target = REUSE_NEW };
	if (!u->base)
		return n;
	m[n++] = (struct sbx_mount){ .size = sizeof(*m),
				     .type = SBX_MOUNT_BIND,
				     .flags = SBX_MOUNT_IDMAP,
				     .source = u->base_path,
				     .target = "/opt/base" };
	if (u->how != REUSE_TREE)
		return n;
	n += add_overlay(m + n, u->base_path, "/app/node_modules", BASE_LAYER_BYTES);
	if (u->is_npm)
		return n;
	n += add_file(m + n, u->base_lockfile, "/opt/base-lockfile");
	return n + add_file(m + n, u->base_manifest, "/opt/base-manifest");
}

/* ---------------------------------------------------------------------------- after it */

/* A cache that could not be filled costs time later, nothing else. */
int reuse_keep_tarballs(struct job *job, struct store_entry *entry)
{
	_cleanup_close_ int dir = openat(entry->dir, "tarballs",
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (dir >= 0)
		(void)tarballs_take(job->store, dir);
	r = tree_remove(entry->dir, "tarballs");
	return r < 0 ? job_fail(job, r, "store", "cannot remove what is left of tarballs: %s",
				strerror(-r))
		     : 0;
}

static int write_beside(struct job *job, struct store_entry *e, const char *name, const char *text,
			size_t size)
{
	_cleanup_close_ int fd = openat(e->dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || fchmod(fd, 0644) < 0 || write(fd, text, size) != (ssize_t)size)
		return job_fail(job, -EIO, "store", "cannot write %s of an entry", name);
	return 0;
}

int reuse_record(const struct reuse *u, struct job *job, struct store_entry *entry,
		 const char *manifest, const char *lockfile, size_t lockfile_size)
{
	int r;

	if (!u->digests)
		return 0;
	r = write_beside(job, entry, "recipe", u->recipe, strlen(u->recipe));
	if (r == 0)
		r = write_beside(job, entry, "packages", u->digests, u->digests_size);
	if (r < 0 || u->is_npm)
		return r;
	r = write_beside(job, entry, "manifest", manifest, strlen(manifest));
	return r < 0 ? r : write_beside(job, entry, "lockfile", lockfile, lockfile_size);
}

int reuse_link(struct reuse *u, struct job *job, struct store_entry *entry, struct tree_sum *sum)
{
	_cleanup_close_ int base = -1, to = -1;
	_cleanup_free_ char *list = NULL;
	size_t size = 0;
	int r;

	if (!u->base)
		return 0;
	list = job_read_fd(u->list, LIST_MAX, &size);
	base = openat(u->base->dir, "node_modules",
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	to = openat(entry->dir, "node_modules", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!list)
		return no_memory(job);
	if (base < 0 || to < 0)
		return job_fail(job, -errno, "store", "cannot open node_modules of an entry: %m");
	r = share_link(base, to, list, size, ENTRY_FILES);
	if (r >= 0)
		r = tree_sum(entry->dir, sum);
	entry->known = &u->sums;
	return r < 0 ? job_fail(job, r, "store", "cannot link the files of an earlier install: %s",
				strerror(-r))
		     : 0;
}
