/* SPDX-License-Identifier: MIT */

/*
 * The frames between a jail and the host, both ends. One table states what each tag may carry; the
 * writer refuses what the reader would refuse, so a limit is found where a good message can be
 * made.
 */

#include "inside/records.h"

#include <stdarg.h>
#include <stdio.h>

#include "inside/text.h"
#include "util/util.h"

enum kind {
	KIND_NONE, /* no such tag */
	KIND_EMPTY,
	KIND_TEXT,
	KIND_ARGUMENT,
	KIND_PATH,
	KIND_BYTES,
	KIND_COUNTS,
};

struct rule {
	uint8_t kind;
	uint16_t times;
	uint32_t size;
};

static const struct rule rules[RECORD_TAGS] = {
	[RECORD_END] = { KIND_EMPTY, 1, 0 },
	[RECORD_ERROR] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_NOTE] = { KIND_TEXT, 32, TEXT_MAX },
	[RECORD_COUNTS] = { KIND_COUNTS, 1, 12 },
	[RECORD_START] = { KIND_ARGUMENT, RECORD_MAX_ARGUMENTS, TEXT_MAX },
	[RECORD_BUILD] = { KIND_ARGUMENT, RECORD_MAX_ARGUMENTS, TEXT_MAX },
	[RECORD_MANIFEST] = { KIND_BYTES, 1, RECORD_MAX_MANIFEST },
	[RECORD_LOCKFILE] = { KIND_BYTES, 1, RECORD_MAX_LOCKFILE },
	[RECORD_HAS_DEPENDENCIES] = { KIND_EMPTY, 1, 0 },
	[RECORD_DEPENDENCIES_ERROR] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_PRISMA] = { KIND_EMPTY, 1, 0 },
	[RECORD_MIGRATION] = { KIND_PATH, RECORD_MAX_MIGRATIONS, RECORD_MAX_PATH },
	[RECORD_DRIZZLE] = { KIND_PATH, 1, RECORD_MAX_PATH },
	[RECORD_MIGRATE] = { KIND_ARGUMENT, RECORD_MAX_ARGUMENTS, TEXT_MAX },
	[RECORD_MIGRATE_TOOL] = { KIND_TEXT, 1, 200 },
	[RECORD_NODE_ENV] = { KIND_ARGUMENT, 1, 32 },
	[RECORD_DATABASE_VARIABLE] = { KIND_ARGUMENT, RECORD_MAX_VARIABLES, 128 },
	[RECORD_DATABASE_NAME] = { KIND_ARGUMENT, 1, 63 },
	[RECORD_DATABASE_ROLE] = { KIND_ARGUMENT, RECORD_MAX_ROLES, 63 },
	[RECORD_PRISMA_SCHEMA] = { KIND_BYTES, 1, RECORD_MAX_SCHEMA },
	[RECORD_ENTRY] = { KIND_PATH, RECORD_MAX_ENTRIES, RECORD_MAX_PATH },
	[RECORD_START_ERROR] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_START_FROM] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_BUILD_FROM] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_BUILD_SKIPPED] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_LANGUAGE] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_FRAMEWORK] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_START_MIGRATE] = { KIND_TEXT, 8, TEXT_MAX },
	[RECORD_MANAGER] = { KIND_ARGUMENT, 1, 128 },
	[RECORD_NPMRC] = { KIND_TEXT, 1, TEXT_MAX },
	[RECORD_WORKSPACE] = { KIND_BYTES, 1, 64u << 10 },
	[RECORD_SCRIPT] = { KIND_ARGUMENT, RECORD_MAX_SCRIPTS, TEXT_MAX },
	[RECORD_NODE_MODULES] = { KIND_EMPTY, 1, 0 },
};

static bool text_is_clean(const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		uint32_t code;
		size_t size = utf8_sequence((const uint8_t *)s + at, n - at, &code);

		if (size == 0 || (code_is_control(code) && code != '\n' && code != '\t'))
			return false;
		at += size;
	}
	return true;
}

static bool part_is_clean(const char *part, size_t n)
{
	if (n == 0 || n > 255)
		return false;
	return !(part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.')));
}

bool path_is_clean(const char *path, size_t size)
{
	size_t start = 0;

	if (size == 0 || size > RECORD_MAX_PATH)
		return false;
	for (size_t i = 0; i <= size; i++) {
		if (i < size && (path[i] == '\n' || path[i] == '\t'))
			return false;
		if (i < size && path[i] != '/')
			continue;
		if (!part_is_clean(path + start, i - start))
			return false;
		start = i + 1;
	}
	return text_is_clean(path, size);
}

static bool record_is_clean(uint32_t tag, const char *data, size_t size)
{
	const struct rule *rule;

	if (tag >= RECORD_TAGS || size > rules[tag].size)
		return false;
	rule = &rules[tag];
	switch (rule->kind) {
	case KIND_EMPTY:
		return size == 0;
	case KIND_COUNTS:
		return size == rule->size;
	case KIND_BYTES:
		return true;
	case KIND_TEXT:
		return text_is_clean(data, size);
	case KIND_ARGUMENT:
		return size > 0 && text_is_clean(data, size);
	case KIND_PATH:
		return path_is_clean(data, size);
	default:
		return false;
	}
}

static uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

int records_init(struct records_reader *r, const void *bytes, size_t size)
{
	if (size > RECORDS_MAX_BYTES)
		return -EMSGSIZE;
	*r = (struct records_reader){ .at = bytes };
	r->end = r->at + size;
	return 0;
}

int records_next(struct records_reader *r, struct record *ret)
{
	size_t left = (size_t)(r->end - r->at);
	uint32_t tag, size;

	if (r->ended)
		return left == 0 ? 0 : -EBADMSG;
	if (left < 8 || r->frames >= RECORDS_MAX_FRAMES)
		return -EBADMSG;
	tag = get_le32(r->at);
	size = get_le32(r->at + 4);
	if (size > left - 8 || !record_is_clean(tag, (const char *)r->at + 8, size))
		return -EBADMSG;
	if (r->seen[tag]++ >= rules[tag].times)
		return -EBADMSG;
	r->frames++;
	*ret = (struct record){ .tag = tag, .data = (const char *)r->at + 8, .size = size };
	r->at += 8 + size;
	if (tag != RECORD_END)
		return 1;
	r->ended = true;
	return r->at == r->end ? 0 : -EBADMSG;
}

char *record_string(const struct record *record)
{
	char *s = malloc((size_t)record->size + 1);

	if (!s)
		return NULL;
	memcpy(s, record->data, record->size);
	s[record->size] = '\0';
	return s;
}

void record_counts(const struct record *record, uint32_t *ret_files, uint64_t *ret_bytes)
{
	const uint8_t *p = (const uint8_t *)record->data;

	*ret_files = get_le32(p);
	*ret_bytes = get_le32(p + 4) | (uint64_t)get_le32(p + 8) << 32;
}

int records_put(int fd, enum record_tag tag, const void *data, size_t size)
{
	uint8_t head[8];
	int r;

	if (!record_is_clean(tag, data, size))
		return -EINVAL;
	put_le32(head, tag);
	put_le32(head + 4, (uint32_t)size);
	r = write_full(fd, head, sizeof(head));
	return r < 0 ? r : write_full(fd, data, size);
}

int records_put_string(int fd, enum record_tag tag, const char *s)
{
	return records_put(fd, tag, s, strlen(s));
}

int records_put_note(int fd, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_scrub(text);
	return records_put_string(fd, RECORD_NOTE, text);
}

int records_put_counts(int fd, uint32_t files, uint64_t bytes)
{
	uint8_t data[12];

	put_le32(data, files);
	put_le32(data + 4, (uint32_t)bytes);
	put_le32(data + 8, (uint32_t)(bytes >> 32));
	return records_put(fd, RECORD_COUNTS, data, sizeof(data));
}
