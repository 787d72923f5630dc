/* SPDX-License-Identifier: MIT */

/*
 * deps engines import: Prisma's native engines, which no npm package has. The operator downloads
 * them once and hands over a folder with one folder for each version, named by the engines' hash
 * (40 hexadecimal digits, as in "@prisma/engines-version"):
 *
 *   DIR/<hash>/libquery_engine-debian-openssl-3.0.x.so.node
 *   DIR/<hash>/schema-engine-debian-openssl-3.0.x
 *
 * or with the files of one version, and the hash as the folder's own name. They become entries of
 * the kind "engines", which are never evicted. What the names begin with decides what a file is;
 * those of other systems are left out.
 */

#include "run/deps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "util/util.h"

#define HASH_SIZE 40
#define ENGINE_MAX (256 << 20)

static bool is_hash(const char *name)
{
	return strlen(name) == HASH_SIZE && strspn(name, "0123456789abcdef") == HASH_SIZE;
}

/* What it is called in the entry; NULL: it is of no use here. */
static const char *engine_name(const char *file)
{
	bool ours = strstr(file, "debian-openssl-3.0.x");

	if (ours && starts_with(file, "libquery_engine-") && strstr(file, ".so.node") &&
	    !strstr(file, ".gz") && !strstr(file, ".sha256"))
		return "libquery_engine.so.node";
	if (ours && starts_with(file, "schema-engine-") && !strstr(file, ".gz") &&
	    !strstr(file, ".sha256"))
		return "schema-engine";
	return NULL;
}

static int copy_engine(int from_dir, const char *file, int to_dir, const char *name)
{
	_cleanup_close_ int from = openat(from_dir, file, O_RDONLY | O_CLOEXEC), to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > ENGINE_MAX)
		return -EINVAL;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0 || fchmod(to, 0755) < 0)
		return -errno;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return 0;
}

static int copy_engines(int from, struct store_entry *e)
{
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0, r = 0;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!d)
		return close_fd(copy), -errno;
	while (r == 0 && (entry = readdir(d))) {
		const char *name = engine_name(entry->d_name);

		if (!name)
			continue;
		r = copy_engine(from, entry->d_name, e->dir, name);
		n++;
	}
	(void)closedir(d);
	return r < 0 ? r : n;
}

static int import_one(struct store *s, int from, const char *hash)
{
	struct store_entry *e = NULL;
	struct sbx_error err = {};
	struct tree_sum sum;
	int r = store_get(s, "engines", hash, -1, &e, &err), n;

	if (r < 0)
		return deps_complain_error(&err);
	if (r == 0) {
		printf("%s: was imported before\n", hash);
		store_entry_free(e);
		return EXIT_OK;
	}
	n = copy_engines(from, e);
	r = n > 0 ? tree_seal(e->dir, &sum) : n;
	(void)snprintf(e->label, sizeof(e->label), "Prisma engines, %d file%s", n,
		       n == 1 ? "" : "s");
	if (n > 0 && r == 0)
		r = store_publish(e, &sum, &err);
	store_entry_free(e);
	if (n == 0)
		return deps_complain(
			"%s: there is no libquery_engine-debian-openssl-3.0.x.so.node or "
			"schema-engine-debian-openssl-3.0.x (unpacked) in it",
			hash);
	if (r < 0)
		return deps_complain("%s: %s", hash, *err.text ? err.text : strerror(-r));
	printf("%s: %d file%s\n", hash, n, n == 1 ? "" : "s");
	return EXIT_OK;
}

static int import_folders(struct store *s, int dir, int *ret_n)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), code = EXIT_OK;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!d)
		return close_fd(copy), deps_complain("cannot list the folder: %s", strerror(errno));
	while (code == EXIT_OK && (entry = readdir(d))) {
		_cleanup_close_ int fd = -1;

		if (!is_hash(entry->d_name))
			continue;
		fd = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		code = import_one(s, fd, entry->d_name);
		++*ret_n;
	}
	(void)closedir(d);
	return code;
}

int deps_engines_import(const struct settings *settings, struct store *s, const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *real = realpath(dir, NULL);
	int n = 0, code;

	(void)settings;
	if (fd < 0 || !real)
		return usage_error("deps", "%s: %s", dir, strerror(errno));
	if (is_hash(basename(real)))
		return import_one(s, fd, basename(real));
	code = import_folders(s, fd, &n);
	if (n == 0)
		return usage_error("deps",
				   "%s: there is no folder in it that is named by the hash of "
				   "Prisma's engines (40 hexadecimal digits)",
				   dir);
	return code;
}
