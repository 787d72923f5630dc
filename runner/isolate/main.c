/* SPDX-License-Identifier: MIT */

/*
 * sandbox-isolate: the command line of isolate 2 on top of libsandbox, for judges that are written
 * for it. See sandbox-isolate(1) for what is the same, and what is not.
 */

#include "run.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <util/util.h>

static int init(const struct options *o, struct box *b)
{
	if (b->config->restricted_init && getuid() != 0)
		return report_fail(b->report, "New sandboxes can be created only by root");
	if (box_lock(b, true, o->wait) < 0)
		return -1;
	report_note(b->report, "Preparing sandbox");
	if (box_create(b) < 0)
		return -1;
	if (o->quota && box_quota(b, o->quota_blocks, o->quota_inodes) < 0) {
		/* Without its limit the box is not what was asked for. */
		(void)box_remove(b);
		(void)box_forget(b);
		return -1;
	}
	if (puts(b->path) < 0 || fflush(stdout) != 0)
		return report_fail(b->report, "Cannot write the name of the box");
	return 0;
}

static int run(const struct options *o, struct box *b, int *ret_code)
{
	int r = box_lock(b, false, o->wait);

	if (r == 0)
		return report_fail(b->report, "Box not found, did you run `isolate%s --init'?",
				   b->cg ? " --cg" : "");
	if (r < 0 || box_open(b) < 0)
		return -1;
	if (o->quota && box_quota(b, o->quota_blocks, o->quota_inodes) < 0)
		return -1;
	*ret_code = run_box(o, b);
	return 0;
}

static int cleanup(const struct options *o, struct box *b)
{
	int r = box_lock(b, false, o->wait);

	if (r == 0)
		report_note(b->report, "Nothing to do -- box did not exist");
	if (r <= 0)
		return r;
	report_note(b->report, "Deleting sandbox");
	return box_remove(b) < 0 ? -1 : box_forget(b);
}

static int execute(const struct options *o, struct config *config, struct report *r)
{
	struct box box;
	int code = EXIT_OK, ready = box_prepare(&box, config, &o->box, r);

	/* Whatever goes wrong, who asked for a meta file reads it there. */
	if (o->meta && report_open(r, o->meta, config->box_root) < 0)
		ready = -1;
	if (ready == 0) {
		if (o->command == COMMAND_INIT)
			(void)init(o, &box);
		else if (o->command == COMMAND_RUN)
			(void)run(o, &box, &code);
		else
			(void)cleanup(o, &box);
	}
	code = report_finish(r, code);
	box_done(&box);
	return code;
}

static int version(void)
{
	printf("The process isolator 2.0, as understood by sandbox-isolate %s\n", sbx_version());
	return EXIT_OK;
}

/* Walking deep trees takes descriptors; the program's own limit is set inside the jail. */
static void raise_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

/* A caller may have closed them: what is opened next must not become the program's output. */
static int fill_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -1;
	close_fd(fd);
	return 0;
}

int main(int argc, char **argv)
{
	static struct options o;
	static struct config config;
	struct report r = { .meta = -1 };
	int code;

	if (fill_stdio() < 0)
		return EXIT_INTERNAL;
	code = options_parse(&o, argc, argv);
	if (code >= 0) {
		rules_done(&o.rules);
		return code;
	}
	r.silent = o.silent;
	r.verbose = o.verbose;
	(void)umask(022);
	raise_descriptors();
	if (o.command == COMMAND_VERSION)
		code = version();
	else if (getauxval(AT_SECURE))
		code = report_finish(
			&r, report_fail(&r, "sandbox-isolate must not be setuid: it trusts "
					    "its environment; run it as root or as the "
					    "judge's user (see sandbox-isolate(1))"));
	else if (o.command == COMMAND_PRINT_CG_ROOT)
		code = report_finish(&r,
				     report_fail(&r, "--print-cg-root: control groups are made for "
						     "each run and have no fixed root here; "
						     "sandbox-run doctor shows what is used"));
	else if (config_load(&config, &r) < 0)
		code = report_finish(&r, EXIT_INTERNAL);
	else
		code = execute(&o, &config, &r);
	rules_done(&o.rules);
	return code;
}
