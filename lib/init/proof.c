/* SPDX-License-Identifier: MIT */

/*
 * Proof that the mounts are what was asked for. mountinfo is read after the pivot, through the
 * host's /proc that was kept open for this: it lists exactly what can be reached from the jail's
 * root. Mounts that init attached are known by their id; a mount below one of them (a recursive
 * bind) inherits what is asked of it. Every line must be known in the end, nosuid, private, and
 * read-only and nodev where its entry says so: a mount that nobody asked for fails the proof too.
 *
 * The file is streamed through a small buffer, character by character: lines have no limit, and
 * the fields that matter (ids, options, propagation) contain no escapes.
 */

#include "init.h"

#define FIELD_SIZE 128

/* The fields of a line, counted from 1; after OPTIONS come optional ones and then "-". */
enum { FIELD_ID = 1, FIELD_PARENT = 2, FIELD_OPTIONS = 6, FIELD_DONE = 1000 };

struct line {
	uint32_t id;
	uint32_t parent;
	bool read_only, nosuid, nodev, shared;
};

struct reader {
	struct init *in;
	struct line line;
	int field;
	size_t n;
	char text[FIELD_SIZE]; /* the current field, cut */
	uint32_t added;        /* lines that became known in this pass */
	uint32_t unknown;
};

static struct known_mount *find(struct init *in, uint32_t id)
{
	for (uint32_t i = 0; i < in->n_known; i++)
		if (in->known[i].id == id)
			return &in->known[i];
	return NULL;
}

static int known_insert(struct init *in, struct known_mount k)
{
	if (in->n_known == KNOWN_MAX)
		return -E2BIG;
	in->known[in->n_known++] = k;
	return 0;
}

int known_add(struct init *in, int fd, uint32_t flags, int index)
{
	struct statx sx;
	int r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx);

	if (r < 0)
		return r;
	if (!(sx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	return known_insert(in, (struct known_mount){ .id = (uint32_t)sx.stx_mnt_id,
						      .flags = (uint16_t)flags,
						      .index = (int16_t)index });
}

static uint32_t parse_number(const char *s)
{
	uint32_t n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + (uint32_t)(*s++ - '0');
	return n;
}

static bool has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	while (*options) {
		if (memcmp(options, name, n) == 0 && (options[n] == ',' || !options[n]))
			return true;
		while (*options && *options != ',')
			options++;
		if (*options)
			options++;
	}
	return false;
}

static void end_field(struct reader *r)
{
	const char *s = r->text;

	/* Zeroed up to its end, so that has_option() compares within the buffer. */
	memset(r->text + r->n, 0, sizeof(r->text) - r->n);
	if (r->field == FIELD_ID) {
		r->line.id = parse_number(s);
	} else if (r->field == FIELD_PARENT) {
		r->line.parent = parse_number(s);
	} else if (r->field == FIELD_OPTIONS) {
		r->line.read_only = has_option(s, "ro");
		r->line.nosuid = has_option(s, "nosuid");
		r->line.nodev = has_option(s, "nodev");
	} else if (r->field > FIELD_OPTIONS && r->field < FIELD_DONE) {
		if (string_equal(s, "-"))
			r->field = FIELD_DONE;
		else if (memcmp(s, "shared:", 7) == 0 || memcmp(s, "master:", 7) == 0)
			r->line.shared = true;
	}
	r->n = 0;
}

/* -EROFS: writable; -EPERM: setuid, devices or propagation are possible. */
static int check_line(const struct line *l, uint32_t flags)
{
	if ((flags & KNOWN_READ_ONLY) && !l->read_only)
		return -EROFS;
	if (!l->nosuid || l->shared || ((flags & KNOWN_NODEV) && !l->nodev))
		return -EPERM;
	return 0;
}

static int end_line(struct reader *r)
{
	struct init *in = r->in;
	struct known_mount *k = find(in, r->line.id);

	if (!k) {
		const struct known_mount *above = find(in, r->line.parent);

		if (!above) {
			r->unknown++;
			return 0;
		}
		if (known_insert(
			    in, (struct known_mount){ r->line.id, above->flags, above->index }) < 0)
			return -E2BIG;
		k = &in->known[in->n_known - 1];
		r->added++;
	}
	in->index = k->index;
	return check_line(&r->line, k->flags);
}

static int feed(struct reader *r, char c)
{
	int result = 0;

	if (c == ' ' || c == '\n') {
		end_field(r);
		if (r->field < FIELD_DONE)
			r->field++;
	} else if (r->n < sizeof(r->text) - 1) {
		r->text[r->n++] = c;
	}
	if (c == '\n') {
		result = end_line(r);
		r->line = (struct line){ 0 };
		r->field = FIELD_ID;
	}
	return result;
}

static int read_pass(struct reader *r)
{
	char buffer[1024];
	long n, offset = 0;

	while ((n = sys_pread(r->in->mountinfo, buffer, sizeof(buffer), offset)) > 0) {
		offset += n;
		for (long i = 0; i < n; i++) {
			int result = feed(r, buffer[i]);

			if (result < 0)
				return result;
		}
	}
	return (int)n;
}

/* Again as long as a pass made mounts known: the order of lines is not that of the tree. */
int mounts_prove_again(struct init *in)
{
	struct reader r;
	int result;

	in->step = STEP_MOUNT_PROOF;
	do {
		r = (struct reader){ .in = in, .field = FIELD_ID };
		result = read_pass(&r);
	} while (result >= 0 && r.unknown > 0 && r.added > 0);
	if (result < 0)
		return result;
	in->index = -1;
	return r.unknown > 0 ? -EEXIST : 0; /* a mount that nobody asked for */
}

int mounts_prove(struct init *in)
{
	in->mountinfo = sys_openat(in->host_proc, "self/mountinfo", O_RDONLY);
	(void)sys_close(steal_fd(&in->host_proc));
	if (in->mountinfo < 0)
		return in->mountinfo;
	return mounts_prove_again(in);
}
