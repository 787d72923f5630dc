/* SPDX-License-Identifier: MIT */

/*
 * `sandbox-inside dotenv`: the .env files of the project in the current directory get the values of
 * the environment (DATABASE_URL, PGHOST ...) where they name the database; every other byte stays.
 * The environment wins anyway over what the usual packages read from a file; this is for programs
 * that read the file themselves, or tell the package to override. Run as the jailed user before
 * anything of the submission: what cannot be opened is left as it is.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "inside/inspect/dotenv.h"
#include "inside/inside.h"
#include "util/util.h"

static int write_back(const struct walk_file *file, const char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	size_t at = 0;

	(void)fchmodat(file->dir, file->name, 0644, 0);
	fd = openat(file->dir, file->name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (at < size) {
		ssize_t n = pwrite(fd, text + at, size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

static int rewrite(const struct walk_file *file, void *data)
{
	const char *const *values = data;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	if (dotenv_is_example(file->name))
		return 0;
	r = dotenv_rewrite(file->text, file->size, values, &text, &size);
	return r == 0 && text ? write_back(file, text, size) : r;
}

int inside_dotenv(int argc, char **argv)
{
	const char *values[PARTS] = {
		[PART_URL] = getenv("DATABASE_URL"),
		[PART_HOST] = getenv("PGHOST"),
		[PART_PORT] = getenv("PGPORT"),
		[PART_USER] = getenv("PGUSER"),
		[PART_PASSWORD] = getenv("PGPASSWORD"),
		[PART_NAME] = getenv("PGDATABASE"),
		[PART_SSL] = "false",
	};
	_cleanup_close_ int root = -1;
	int r;

	(void)argv;
	if (argc != 1 || !values[PART_URL]) {
		(void)fprintf(stderr, "usage: DATABASE_URL=... PGHOST=... sandbox-inside dotenv\n");
		return 2;
	}
	root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : dotenv_files(root, rewrite, values);
	if (r < 0)
		(void)fprintf(stderr, "sandbox-inside dotenv: %s\n", strerror(-r));
	return r < 0 ? 3 : 0;
}
