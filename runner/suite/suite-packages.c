/* SPDX-License-Identifier: MIT */

/*
 * The packages of suites: ours, which all are run with, and those that a challenge brings along in
 * a package.json. Both are entries of the store like those of submissions, made in install jails;
 * a challenge's lie beside its package.json, where Node looks before it comes to ours.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "deps/deps.h"
#include "embed/embed.h"
#include "pipeline/clean.h"
#include "suite/suite.h"
#include "util/util.h"

#define INSTALL_WALL (600 * NSEC_PER_SEC)

/* The note of the stage is about the submission's packages, not ours. */
static int get(struct job *job, const struct deps_input *in, struct store_entry **ret)
{
	char note[sizeof(job->times[0].note)] = "";
	int r;

	if (job->n_times > 0)
		copy_string(note, sizeof(note), job->times[job->n_times - 1].note);
	r = deps_get(job, in, ret);
	if (job->n_times > 0)
		copy_string(job->times[job->n_times - 1].note, sizeof(note), note);
	return r;
}

int suite_packages(struct job *job, struct store_entry **ret)
{
	const struct embedded *manifest = embedded_find(suite_data, "package.json");
	const struct embedded *lockfile = embedded_find(suite_data, "package-lock.json");
	struct deps_input in = { .manifest = (const char *)manifest->data,
				 .manifest_size = manifest->size,
				 .lockfile = (const char *)lockfile->data,
				 .lockfile_size = lockfile->size,
				 .scripts = &(const struct challenge_scripts){ SCRIPTS_NONE, NULL },
				 .lockfile_required = true,
				 .wall_ns = INSTALL_WALL };
	int r = get(job, &in, ret);

	if (r <= 0)
		return r;
	return job_fail(job, -EIO, "suite",
			"the packages that test suites need cannot be installed: %.90s",
			job->reason);
}

static int teacher(const struct challenge *c, char *why, const char *what, const char *reason)
{
	_cleanup_free_ char *clean = clean_text(reason, strlen(reason), 600);

	snprintf(why, CHALLENGE_ERROR_SIZE, "%s/%spackage.json: %s%s", c->dir,
		 c->suite.packages.folder, what, clean ? clean : "");
	return -EINVAL;
}

/* Two of them do not know each other's tests: a package that brings its own cannot be had. */
static int check_runner(const struct store_entry *e, const struct challenge *c, char *why)
{
	struct stat st;

	if (fstatat(e->dir, "node_modules/vitest", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return teacher(c, why,
		       "one of the packages brings a Vitest of its own along, and there "
		       "can be only one: leave it out, or name a version of it that has "
		       "Vitest neither as a dependency nor as a peer",
		       "");
}

/* Not the submission's verdict: it is no mistake of a student. */
static int failed(struct job *job, const struct challenge *c, char *why)
{
	char reason[sizeof(job->reason)];
	enum verdict verdict = job->verdict;

	copy_string(reason, sizeof(reason), job->reason);
	if (job_cancelled(job))
		return -EINTR;
	if (verdict == VERDICT_IE)
		return job_fail(job, -EIO, "suite",
				"the packages of the test suites cannot be installed: %.90s",
				reason);
	return teacher(c, why, "its packages cannot be installed: ", reason);
}

int suite_own_packages(struct job *job, const struct challenge *c, struct store_entry **ret,
		       char *why)
{
	const struct challenge_packages *p = &c->suite.packages;
	_cleanup_(store_entry_freep) struct store_entry *e = NULL;
	char reason[sizeof(job->reason)];
	enum verdict verdict = job->verdict;
	struct deps_input in = { .manifest = p->manifest,
				 .lockfile = p->lockfile,
				 .lockfile_size = p->lockfile_size,
				 .quiet = true,
				 .wall_ns = INSTALL_WALL };
	int r;

	if (!p->manifest)
		return 0;
	in.manifest_size = strlen(p->manifest);
	copy_string(reason, sizeof(reason), job->reason);
	r = get(job, &in, &e);
	if (r > 0)
		r = failed(job, c, why);
	job->verdict = verdict;
	copy_string(job->reason, sizeof(job->reason), reason);
	if (r == 0)
		r = check_runner(e, c, why);
	if (r == 0)
		*ret = steal_ptr(e);
	return r;
}
