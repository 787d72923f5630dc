/* SPDX-License-Identifier: MIT */

/* See report.h. */

#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <util/util.h>

/* O_NONBLOCK: a named pipe without a reader is an error, not a wait. */
#define META_FLAGS (O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int open_below(const char *root, const char *rest)
{
	const struct open_how how = { .flags = META_FLAGS | O_NOFOLLOW,
				      .mode = 0644,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	_cleanup_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, rest, &how, sizeof(how));
}

/* The directory that holds `path`, links resolved, and its last part: 0 or -1 with errno. */
static int split(const char *path, char dir[PATH_MAX], const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	*ret_name = slash ? slash + 1 : path;
	if (!parent)
		return -1;
	return realpath(slash == path ? "/" : parent, dir) ? 0 : -1;
}

/*
 * Below the boxes nothing is followed, neither in the directories on the way nor at the end.
 * Elsewhere directories are the caller's; a link at the end is followed if it belongs to us
 * (/dev/stdout, /dev/fd/63): who else could have put one there?
 */
static int open_meta(const char *path, const char *box_root)
{
	size_t n = strlen(box_root);
	char dir[PATH_MAX], whole[PATH_MAX];
	const char *name;
	struct stat st;

	if (strncmp(path, box_root, n) == 0 && path[n] == '/')
		return open_below(box_root, path + n + 1);
	if (split(path, dir, &name) < 0)
		return -1;
	if (snprintf(whole, sizeof(whole), "%s/%s", dir, name) >= (int)sizeof(whole)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (strncmp(whole, box_root, n) == 0 && whole[n] == '/')
		return open_below(box_root, whole + n + 1);
	if (lstat(whole, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid != 0 &&
	    st.st_uid != geteuid()) {
		errno = ELOOP;
		return -1;
	}
	return open(whole, META_FLAGS, 0644);
}

int report_open(struct report *r, const char *path, const char *box_root)
{
	struct stat st;
	int flags;

	r->meta = streq(path, "-") ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
				   : open_meta(path, box_root);
	if (r->meta < 0)
		return report_fail(r, "Cannot open the meta file %s: %s", path, strerror(errno));
	if (fstat(r->meta, &st) == 0 && S_ISREG(st.st_mode) && !streq(path, "-"))
		(void)!ftruncate(r->meta, 0);
	flags = fcntl(r->meta, F_GETFL);
	if (!streq(path, "-") && flags >= 0)
		(void)fcntl(r->meta, F_SETFL, flags & ~O_NONBLOCK);
	return 0;
}

void report_meta(struct report *r, const char *fmt, ...)
{
	size_t space = sizeof(r->lines) - r->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(r->lines + r->n, space, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < space)
		r->n += (size_t)n;
}

/* One line of the meta file and of the terminal, whatever a file is called. */
static void make_one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int report_fail(struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->message[0])
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(r->message, sizeof(r->message), fmt, ap);
	va_end(ap);
	make_one_line(r->message);
	return -1;
}

int report_library(struct report *r, const struct sbx_error *err)
{
	const char *advice = "";

	if (strstr(err->text, "--allow-unenforced")) /* an option of sandbox-run */
		advice = " (here: the key allow_unenforced of /etc/sandbox/isolate.conf)";
	else if (err->code == -ENOTSUP)
		advice = " (sandbox-run doctor says what this host lacks)";
	return report_fail(r, "%s%s%s%s%s%s", err->stage, err->item[0] ? ": " : "", err->item,
			   err->text[0] ? ": " : "", err->text, advice);
}

void report_note(const struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->verbose)
		return;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

/* What the program may have written to it meanwhile goes: it could only do so below its box. */
static int write_meta(struct report *r)
{
	struct stat st;

	if (r->meta < 0)
		return 0;
	if (fstat(r->meta, &st) == 0 && S_ISREG(st.st_mode) && lseek(r->meta, 0, SEEK_CUR) == 0 &&
	    ftruncate(r->meta, 0) < 0)
		return -1;
	return write_full(r->meta, r->lines, r->n);
}

int report_finish(struct report *r, int code)
{
	if (r->message[0]) {
		report_meta(r, "status:XX\nmessage:%s\n", r->message);
		fprintf(stderr, "%s\n", r->message);
		code = EXIT_INTERNAL;
	}
	if (write_meta(r) < 0) {
		fprintf(stderr, "Cannot write the meta file: %s\n", strerror(errno));
		code = EXIT_INTERNAL;
	}
	r->meta = close_fd(r->meta);
	return code;
}
