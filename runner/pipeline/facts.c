/* SPDX-License-Identifier: MIT */

/*
 * From records to facts. The form of every frame is checked by inside/records.c, which both ends
 * share; what is left is to collect them.
 */

#include "pipeline/facts.h"

#include "inside/records.h"
#include "util/util.h"

void facts_done(struct facts *f)
{
	strv_free(f->start);
	strv_free(f->build);
	strv_free(f->migrations);
	free(f->manifest);
	free(f->lockfile);
	free(f->dependencies_error);
	*f = (struct facts){ 0 };
}

static int append(char ***list, const struct record *record)
{
	size_t n = 0;
	char **v;

	while (*list && (*list)[n])
		n++;
	v = realloc(*list, (n + 2) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	*list = v;
	v[n + 1] = NULL;
	v[n] = record_string(record);
	return v[n] ? 0 : -ENOMEM;
}

static int take(char **ret, size_t *ret_size, const struct record *record)
{
	*ret = record_string(record);
	if (ret_size)
		*ret_size = record->size;
	return *ret ? 0 : -ENOMEM;
}

static int add_record(struct facts *f, const struct record *record, char **refusal)
{
	switch (record->tag) {
	case RECORD_ERROR:
		return take(refusal, NULL, record);
	case RECORD_COUNTS:
		record_counts(record, &f->files, &f->bytes);
		return 0;
	case RECORD_START:
		return append(&f->start, record);
	case RECORD_BUILD:
		return append(&f->build, record);
	case RECORD_MIGRATION:
		return append(&f->migrations, record);
	case RECORD_MANIFEST:
		return take(&f->manifest, &f->manifest_size, record);
	case RECORD_LOCKFILE:
		return take(&f->lockfile, &f->lockfile_size, record);
	case RECORD_DEPENDENCIES_ERROR:
		return take(&f->dependencies_error, NULL, record);
	case RECORD_HAS_DEPENDENCIES:
		f->has_dependencies = true;
		return 0;
	case RECORD_PRISMA:
		f->prisma_migrations = true;
		return 0;
	default:
		return 0;
	}
}

static int read_all(const char *bytes, size_t size, struct facts *f, char **refusal)
{
	struct records_reader reader;
	struct record record;
	int r = records_init(&reader, bytes, size);

	while (r >= 0) {
		r = records_next(&reader, &record);
		if (r <= 0)
			break;
		r = add_record(f, &record, refusal);
	}
	return r;
}

int facts_read(int fd, struct facts *ret, char **ret_refusal)
{
	_cleanup_free_ char *bytes = NULL, *refusal = NULL;
	struct facts f = { 0 };
	size_t size;
	int r;

	bytes = job_read_fd(fd, RECORDS_MAX_BYTES + 1, &size);
	r = bytes ? read_all(bytes, size, &f, &refusal) : -ENOMEM;
	if (r < 0) {
		facts_done(&f);
		return r;
	}
	*ret = f;
	*ret_refusal = steal_ptr(refusal);
	return 0;
}
