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
	free(f->manager);
	free(f->npmrc);
	free(f->workspace);
	strv_free(f->migrate);
	strv_free(f->database_variables);
	strv_free(f->database_roles);
	free(f->drizzle);
	free(f->node_env);
	free(f->migrate_tool);
	free(f->database_name);
	free(f->manifest);
	free(f->lockfile);
	free(f->prisma_schema);
	free(f->dependencies_error);
	strv_free(f->entries);
	strv_free(f->start_migrate);
	strv_free(f->unpack_notes);
	free(f->start_error);
	free(f->start_from);
	free(f->build_from);
	free(f->build_skipped);
	free(f->language);
	free(f->framework);
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
	case RECORD_DRIZZLE:
		return take(&f->drizzle, NULL, record);
	case RECORD_NODE_ENV:
		return take(&f->node_env, NULL, record);
	case RECORD_MIGRATE:
		return append(&f->migrate, record);
	case RECORD_MIGRATE_TOOL:
		return take(&f->migrate_tool, NULL, record);
	case RECORD_DATABASE_VARIABLE:
		return append(&f->database_variables, record);
	case RECORD_DATABASE_NAME:
		return take(&f->database_name, NULL, record);
	case RECORD_DATABASE_ROLE:
		return append(&f->database_roles, record);
	case RECORD_MANIFEST:
		return take(&f->manifest, &f->manifest_size, record);
	case RECORD_LOCKFILE:
		return take(&f->lockfile, &f->lockfile_size, record);
	case RECORD_PRISMA_SCHEMA:
		return take(&f->prisma_schema, &f->prisma_schema_size, record);
	case RECORD_DEPENDENCIES_ERROR:
		return take(&f->dependencies_error, NULL, record);
	case RECORD_NOTE:
		return append(&f->unpack_notes, record);
	case RECORD_ENTRY:
		return append(&f->entries, record);
	case RECORD_START_MIGRATE:
		return append(&f->start_migrate, record);
	case RECORD_START_ERROR:
		return take(&f->start_error, NULL, record);
	case RECORD_START_FROM:
		return take(&f->start_from, NULL, record);
	case RECORD_BUILD_FROM:
		return take(&f->build_from, NULL, record);
	case RECORD_BUILD_SKIPPED:
		return take(&f->build_skipped, NULL, record);
	case RECORD_LANGUAGE:
		return take(&f->language, NULL, record);
	case RECORD_FRAMEWORK:
		return take(&f->framework, NULL, record);
	case RECORD_MANAGER:
		return take(&f->manager, NULL, record);
	case RECORD_NPMRC:
		return take(&f->npmrc, NULL, record);
	case RECORD_WORKSPACE:
		return take(&f->workspace, NULL, record);
	case RECORD_NODE_MODULES:
		f->node_modules = true;
		return 0;
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
