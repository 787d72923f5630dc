/* SPDX-License-Identifier: MIT */
#include "report/report-files.h"

#include <fcntl.h>

#include "report/formats.h"
#include "cli/program.h"
#include "util/util.h"

static const struct {
	const char *name;
	void (*write)(FILE *f, const struct result *v);
} formats[] = {
	{ "html", report_html },
	{ "junit", report_junit },
	{ "ctrf", report_ctrf },
	{ "tap", report_tap },
};

/* "html=a,junit=b": a comma separates only where a format follows, for files may have one. */
static bool begins_format(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		size_t n = strlen(formats[i].name);

		if (strncmp(s, formats[i].name, n) == 0 && s[n] == '=')
			return true;
	}
	return false;
}

static size_t word_length(const char *s)
{
	size_t n = 0;

	while (s[n] && !(s[n] == ',' && begins_format(s + n + 1)))
		n++;
	return n;
}

static bool to_stdout(const struct report_file *file)
{
	return streq(file->path, "-");
}

static int add(struct report_files *r, const char *word, size_t size, const char *command)
{
	const char *equals = memchr(word, '=', size);
	size_t name = equals ? (size_t)(equals - word) : size;

	if (!equals || size == name + 1)
		return usage_error(command,
				   "--report \"%.*s\": a format and its file are needed, as in "
				   "html=report.html",
				   (int)MIN_OF(size, 64u), word);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strlen(formats[i].name) != name || strncmp(formats[i].name, word, name) != 0)
			continue;
		if (r->n == REPORT_FILES_MAX)
			return usage_error(command, "--report: at most %d reports at once",
					   REPORT_FILES_MAX);
		r->items[r->n].write = formats[i].write;
		r->items[r->n].path = strndup(equals + 1, size - name - 1);
		return r->items[r->n++].path ? EXIT_OK : usage_error(command, "out of memory");
	}
	return usage_error(command, "--report \"%.*s\": the formats are html, junit, ctrf and tap",
			   (int)MIN_OF(name, 64u), word);
}

static int check_file(const struct report_file *file, const char *command)
{
	_cleanup_close_ int fd = -1;

	fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		  0666);
	/* A fifo that nobody reads yet. */
	if (fd < 0 && errno != ENXIO)
		return usage_error(command, "%s: %s", file->path, strerror(errno));
	return EXIT_OK;
}

static void report_json(FILE *f, const struct result *v)
{
	_cleanup_free_ char *text = cJSON_Print(v->root);

	if (text)
		fprintf(f, "%s\n", text);
	else
		errno = ENOMEM;
}

int report_files_add_json(struct report_files *r, const char *path, const char *command)
{
	struct report_file *file = &r->items[r->n];

	file->write = report_json;
	file->path = strdup(path);
	if (!file->path)
		return usage_error(command, "out of memory");
	r->n++;
	return to_stdout(file) ? EXIT_OK : check_file(file, command);
}

int report_files_open(struct report_files *r, const struct option_list *list, bool stdout_taken,
		      const char *command)
{
	uint32_t known = r->n;
	int code = EXIT_OK;

	for (uint32_t i = 0; i < list->n; i++) {
		const char *s = list->items[i];

		while (*s && code == EXIT_OK) {
			size_t n = word_length(s);

			code = add(r, s, n, command);
			s += n + (s[n] == ',');
		}
	}
	for (uint32_t i = known; i < r->n && code == EXIT_OK; i++) {
		if (!to_stdout(&r->items[i]))
			code = check_file(&r->items[i], command);
		else if (stdout_taken)
			code = usage_error(command, "only one thing can be written to stdout");
		else
			stdout_taken = true;
	}
	return code;
}

static int write_one(const struct report_file *file, const struct result *v)
{
	FILE *f = to_stdout(file) ? stdout : fopen(file->path, "we");
	bool bad;
	int r;

	if (!f)
		return -errno;
	errno = 0;
	file->write(f, v);
	bad = fflush(f) != 0 || ferror(f);
	r = bad ? -(errno ? errno : EIO) : 0;
	if (f != stdout && fclose(f) != 0 && r == 0)
		r = -errno;
	return r;
}

int report_files_write(const struct report_files *r, const struct result *v, const char **ret_path)
{
	int code = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		int one = write_one(&r->items[i], v);

		if (one < 0 && code == 0) {
			code = one;
			*ret_path = r->items[i].path;
		}
	}
	return code;
}

void report_files_done(struct report_files *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		free(r->items[i].path);
	*r = (struct report_files){ 0 };
}
