/* SPDX-License-Identifier: MIT */
#include "store/sums.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/tree.h"
#include "util/util.h"

#define READ_SIZE (256u << 10)
#define TEXT_LIMIT (256u << 20)

struct making {
	struct sums sums;
	const struct sums *known;
	size_t room;
	uint8_t *buffer;
};

void sums_done(struct sums *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].path);
	free(s->list);
	*s = (struct sums){};
}

static void hex(const uint8_t *bytes, char ret[static KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[KEY_SIZE - 1] = '\0';
}

static int hash_file(struct making *m, int parent, const char *name, struct sum_line *line)
{
	_cleanup_close_ int fd = openat(parent, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;
	ssize_t n;

	if (fd < 0)
		return -errno;
	sha256_init(&hash);
	line->size = 0;
	while ((n = read(fd, m->buffer, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sha256_update(&hash, (size_t)n, m->buffer);
		line->size += (uint64_t)n;
	}
	sha256_digest(&hash, sizeof(digest), digest);
	hex(digest, line->hash);
	return 0;
}

static int hash_link(int parent, const char *name, struct sum_line *line)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char target[TREE_PATH_MAX];
	struct sha256_ctx hash;
	ssize_t n = readlinkat(parent, name, target, sizeof(target));

	if (n < 0)
		return -errno;
	sha256_init(&hash);
	sha256_update(&hash, (size_t)n, (const uint8_t *)target);
	sha256_digest(&hash, sizeof(digest), digest);
	hex(digest, line->hash);
	line->size = (uint64_t)n;
	return 0;
}

static int hash_regular(struct making *m, int parent, const char *name, const struct stat *st,
			struct sum_line *line)
{
	const struct sum_line *known = NULL;

	if (st->st_nlink > 1 && m->known)
		known = sums_find(m->known, line->path);
	if (!known || known->type != 'f' || known->size != (uint64_t)st->st_size)
		return hash_file(m, parent, name, line);
	line->size = known->size;
	memcpy(line->hash, known->hash, sizeof(line->hash));
	return 0;
}

static struct sum_line *add_line(struct sums *s, size_t *room, const char *path)
{
	struct sum_line *list;

	if (s->n == *room) {
		list = reallocarray(s->list, *room ? 2 * *room : 256, sizeof(*list));
		if (!list)
			return NULL;
		s->list = list;
		*room = *room ? 2 * *room : 256;
	}
	s->list[s->n] = (struct sum_line){ .path = strdup(path) };
	return s->list[s->n].path ? &s->list[s->n++] : NULL;
}

static int visit(void *data, int parent, const char *path, const struct stat *st)
{
	struct making *m = data;
	struct sum_line *line;
	const char *slash;

	if (!path)
		return -ENAMETOOLONG;
	if (m->sums.n == SUMS_MAX)
		return -E2BIG;
	line = add_line(&m->sums, &m->room, path);
	if (!line)
		return -ENOMEM;
	slash = strrchr(path, '/');
	line->mode = st->st_mode & 07777;
	line->type = S_ISDIR(st->st_mode) ? 'd' : S_ISREG(st->st_mode) ? 'f' : 'l';
	if (S_ISDIR(st->st_mode))
		return 0;
	if (S_ISREG(st->st_mode))
		return hash_regular(m, parent, slash ? slash + 1 : path, st, line);
	line->mode = 0;
	return S_ISLNK(st->st_mode) ? hash_link(parent, slash ? slash + 1 : path, line) : -EINVAL;
}

static int by_path(const void *a, const void *b)
{
	const struct sum_line *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int sums_make(int dir, const struct sums *known, struct sums *ret)
{
	_cleanup_free_ uint8_t *buffer = malloc(READ_SIZE);
	struct making m = { .known = known, .buffer = buffer };
	int r = buffer ? tree_walk(dir, visit, &m) : -ENOMEM;

	if (r < 0) {
		sums_done(&m.sums);
		return r;
	}
	if (m.sums.n)
		qsort(m.sums.list, m.sums.n, sizeof(*m.sums.list), by_path);
	*ret = m.sums;
	return 0;
}

const struct sum_line *sums_find(const struct sums *s, const char *path)
{
	struct sum_line wanted = { .path = (char *)path };

	return s->n ? bsearch(&wanted, s->list, s->n, sizeof(*s->list), by_path) : NULL;
}

/* ------------------------------------------------------------------------------ text */

int sums_write(const struct sums *s, int fd, char ret_hash[static KEY_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	_cleanup_free_ char *text = NULL;
	struct sha256_ctx hash;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int r = 0;

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct sum_line *l = &s->list[i];

		(void)fprintf(f, "%c %o %llu %s %s", l->type, l->mode, (unsigned long long)l->size,
			      *l->hash ? l->hash : "-", l->path);
		(void)fputc('\0', f);
	}
	if (ferror(f))
		r = -ENOMEM;
	if (fclose(f) != 0 || r < 0)
		return -ENOMEM;
	for (size_t at = 0; at < size;) {
		ssize_t n = write(fd, text + at, size - at);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	sha256_init(&hash);
	sha256_update(&hash, size, (const uint8_t *)text);
	sha256_digest(&hash, sizeof(digest), digest);
	hex(digest, ret_hash);
	return 0;
}

static int read_line(struct sums *s, size_t *room, const char *text)
{
	struct sum_line l = {}, *line;
	unsigned long long size;
	int path = 0;

	if (sscanf(text, "%c %o %llu %64s%n", &l.type, &l.mode, &size, l.hash, &path) != 4)
		return -EBADMSG;
	/* A path may begin with a space, too. */
	if (!strchr("fdl", l.type) || text[path++] != ' ' || !text[path] || s->n == SUMS_MAX)
		return -EBADMSG;
	line = add_line(s, room, text + path);
	if (!line)
		return -ENOMEM;
	l.path = line->path;
	l.size = size;
	if (streq(l.hash, "-"))
		l.hash[0] = '\0';
	*line = l;
	return 0;
}

static char *read_all(int fd, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size > TEXT_LIMIT)
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text || read_full_at(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return NULL;
	*ret_size = (size_t)st.st_size;
	return steal_ptr(text);
}

int sums_read(int fd, struct sums *ret, char ret_hash[static KEY_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	size_t size = 0, room = 0;
	_cleanup_free_ char *text = read_all(fd, &size);
	struct sha256_ctx hash;
	struct sums s = {};
	int r = 0;

	if (!text)
		return -EBADMSG;
	for (size_t at = 0; r == 0 && at < size; at += strlen(text + at) + 1)
		r = read_line(&s, &room, text + at);
	for (size_t i = 1; r == 0 && i < s.n; i++)
		r = strcmp(s.list[i - 1].path, s.list[i].path) < 0 ? 0 : -EBADMSG;
	if (r < 0) {
		sums_done(&s);
		return r;
	}
	sha256_init(&hash);
	sha256_update(&hash, size, (const uint8_t *)text);
	sha256_digest(&hash, sizeof(digest), digest);
	hex(digest, ret_hash);
	*ret = s;
	return 0;
}

static const char *line_differs(const struct sum_line *a, const struct sum_line *b)
{
	if (a->type != b->type)
		return "is another kind of file than when it was made";
	if (a->mode != b->mode)
		return "has another mode than when it was made";
	if (a->size != b->size)
		return "has another size than when it was made";
	return streq(a->hash, b->hash) ? NULL : "has another content than when it was made";
}

const char *sums_differ(const struct sums *recorded, const struct sums *found,
			const char **ret_path)
{
	for (size_t i = 0; i < recorded->n || i < found->n; i++) {
		const struct sum_line *a = i < recorded->n ? &recorded->list[i] : NULL;
		const struct sum_line *b = i < found->n ? &found->list[i] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
		const char *what = order == 0  ? line_differs(a, b)
				   : order < 0 ? "is missing"
					       : "was not there when it was made";

		*ret_path = order <= 0 ? a->path : b->path;
		if (what)
			return what;
	}
	return NULL;
}
