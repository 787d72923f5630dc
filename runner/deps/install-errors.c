/* SPDX-License-Identifier: MIT */

/*
 * Whose fault a failed install is. A closed list of what managers say decides: a package that does
 * not exist, a lockfile that does not match are the student's; everything else is ours, the
 * registry that cannot be reached included.
 */

#include "deps/install.h"

#include "deps/npm-errors.h"
#include "pipeline/clean.h"
#include "pipeline/units.h"
#include "util/util.h"

enum meaning {
	MEANS_OUTDATED,
	MEANS_REFUSED,
};

struct sign {
	enum manager_kind kind;
	const char *text;
	enum meaning meaning;
};

/* npm's are in npm-errors.c. */
static const struct sign signs[] = {
	{ MANAGER_PNPM, "ERR_PNPM_OUTDATED_LOCKFILE", MEANS_OUTDATED },
	{ MANAGER_PNPM, "ERR_PNPM_NO_LOCKFILE", MEANS_OUTDATED },
	{ MANAGER_PNPM, "ERR_PNPM_LOCKFILE_CONFIG_MISMATCH", MEANS_OUTDATED },
	{ MANAGER_PNPM, "ERR_PNPM_LOCKFILE_BREAKING_CHANGE", MEANS_OUTDATED },
	{ MANAGER_PNPM, "ERR_PNPM_LOCKFILE_MISSING_DEPENDENCY", MEANS_OUTDATED },
	{ MANAGER_PNPM, "ERR_PNPM_FETCH_404", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_FETCH_403", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_NO_MATCHING_VERSION", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_NO_VERSIONS", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_TARBALL_INTEGRITY", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_BROKEN_LOCKFILE", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_SPEC_NOT_SUPPORTED", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_CATALOG", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_PEER_DEP_ISSUES", MEANS_REFUSED },
	{ MANAGER_PNPM, "ERR_PNPM_UNSUPPORTED_ENGINE", MEANS_REFUSED },
	{ MANAGER_YARN, "error Your lockfile needs to be updated", MEANS_OUTDATED },
	{ MANAGER_YARN, "error Couldn't find any versions for", MEANS_REFUSED },
	{ MANAGER_YARN, "error Couldn't find package", MEANS_REFUSED },
	{ MANAGER_YARN, "Couldn't find match for", MEANS_REFUSED },
	{ MANAGER_YARN, "Request failed \"404", MEANS_REFUSED },
	{ MANAGER_YARN, "ntegrity check failed", MEANS_REFUSED },
	{ MANAGER_YARN, "didn't get the expected", MEANS_REFUSED },
	{ MANAGER_YARN, "error Received malformed", MEANS_REFUSED },
	{ MANAGER_YARN, "error Invalid value type", MEANS_REFUSED },
	{ MANAGER_BERRY, "YN0028", MEANS_OUTDATED },
	{ MANAGER_BERRY, "YN0035", MEANS_REFUSED },
	{ MANAGER_BERRY, "YN0082", MEANS_REFUSED },
	{ MANAGER_BERRY, "YN0027", MEANS_REFUSED },
	{ MANAGER_BERRY, "YN0018", MEANS_REFUSED },
	{ MANAGER_BERRY, "YN0016", MEANS_REFUSED },
	{ MANAGER_BUN, "lockfile had changes", MEANS_OUTDATED },
	{ MANAGER_BUN, "lockfile is frozen", MEANS_OUTDATED },
	{ MANAGER_BUN, "No version matching", MEANS_REFUSED },
	{ MANAGER_BUN, " - 404", MEANS_REFUSED },
	{ MANAGER_BUN, "ntegrity check failed", MEANS_REFUSED },
	{ MANAGER_BUN, "InvalidLockfile", MEANS_REFUSED },
	{ MANAGER_BUN, "failed to parse lockfile", MEANS_REFUSED },
};

/* What is known about the failure. */
struct failure {
	char code[64];
	char *text; /* cleaned */
	bool outdated, refused;
};

static void failure_done(struct failure *f)
{
	free(f->text);
}

/* The line in which `at` lies. */
static char *line_of(const char *log, const char *at)
{
	const char *begin = at;

	while (begin > log && begin[-1] != '\n')
		begin--;
	return clean_line(begin, strcspn(begin, "\n"), 300);
}

static void read_signs(const struct install *i, const char *log, struct failure *f)
{
	for (size_t k = 0; k < ARRAY_SIZE(signs); k++) {
		const char *at = signs[k].kind == i->manager->kind ? strstr(log, signs[k].text)
								   : NULL;

		if (!at)
			continue;
		f->outdated = signs[k].meaning == MEANS_OUTDATED;
		f->refused = !f->outdated;
		f->text = line_of(log, at);
		return;
	}
	f->text = clean_tail(log, strlen(log), 6);
	if (f->text)
		for (char *s = f->text; *s; s++)
			*s = *s == '\n' ? ' ' : *s;
}

/* A name that is not in the jail's hosts file is one that the student's lockfile brought in. */
static bool asks_elsewhere(const struct install *i, const char *code, const char *log)
{
	const char *name = strstr(log, "getaddrinfo ");

	if (!streq(code, "ENOTFOUND") && !streq(code, "EAI_AGAIN"))
		return false;
	name = name ? strchr(name + strlen("getaddrinfo "), ' ') : NULL;
	return name && strncmp(name + 1, i->registry.to_host, strlen(i->registry.to_host)) != 0;
}

static void read_failure(const struct install *i, const char *log, struct failure *f)
{
	if (i->manager->kind != MANAGER_NPM) {
		read_signs(i, log, f);
		return;
	}
	npm_error_code(log, f->code, sizeof(f->code));
	f->text = npm_error_text(log);
	f->outdated = streq(f->code, "EUSAGE");
	f->refused = npm_error_is_students(f->code) || asks_elsewhere(i, f->code, log);
}

static int broken_package(struct install *i, const char *log, const char *text)
{
	_cleanup_free_ char *package = i->lockfile ? npm_package_of_digest(i->lockfile,
									   i->lockfile_size, log)
						   : NULL;

	return job_verdict(i->job, VERDICT_CE,
			   "%s%s%s in the registry is not what package-lock.json says it is: "
			   "delete that file, run `npm install` and submit the new one. npm says: "
			   "%s",
			   package ? "\"" : "", package ? package : "A package",
			   package ? "\"" : "", text ? text : "");
}

static int outdated(struct install *i, const char *text)
{
	const struct manager *m = i->manager;

	if (i->may_resolve)
		return INSTALL_OUTDATED;
	return job_verdict(i->job, VERDICT_CE,
			   "%s does not match package.json: run `%s install` and submit both. %s%s "
			   "says: %s",
			   m->lockfile, m->name, m->name, m->kind == MANAGER_NPM ? " ci" : "",
			   text ? text : "");
}

static int unreachable(struct install *i, const struct failure *f)
{
	struct job *job = i->job;

	job->error = (struct sbx_error){ .code = -EHOSTUNREACH };
	copy_string(job->error.stage, sizeof(job->error.stage), i->manager->name);
	copy_string(job->error.item, sizeof(job->error.item), i->registry.url);
	/* How npm ends when every request fails: it only says how to report a bug of npm. */
	if (f->text && strstr(f->text, "Exit handler never called"))
		(void)snprintf(job->error.text, sizeof(job->error.text),
			       "npm gave up without a reason: is the registry reachable (npm "
			       "ping), and its certificate trusted (npm config get cafile)?");
	else
		(void)snprintf(job->error.text, sizeof(job->error.text),
			       "the install failed with %s; is the registry "
			       "reachable (npm ping)? %s",
			       *f->code ? f->code : "no code", f->text ? f->text : "");
	return -EHOSTUNREACH;
}

/* Of the codes that say little to those who see them for the first time. */
static const char *meaning_of(const char *code)
{
	static const char *const meanings[][2] = {
		{ "E404", ", a package is not in the npm registry: is it private, or misspelled?" },
		{ "E403", ", a package is not given to everybody: is it private?" },
		{ "ETARGET", ", the registry has no such version" },
		{ "ENOVERSIONS", ", the registry has no version of a package" },
		{ "ERESOLVE", ", versions in package.json exclude each other" },
		{ "EBADENGINE", ", a package is for another version of Node.js" },
		{ "EBADPLATFORM", ", a package is for another system than Linux" },
	};

	for (size_t k = 0; k < ARRAY_SIZE(meanings); k++)
		if (streq(meanings[k][0], code))
			return meanings[k][1];
	return "";
}

static int failed(struct install *i, const char *log)
{
	_cleanup_(failure_done) struct failure f = {};
	struct job *job = i->job;

	if (i->offline) {
		job->error = i->unreachable;
		return job->error.code;
	}
	read_failure(i, log, &f);
	if (i->pinned && (f.refused || f.outdated))
		return job_verdict(job, VERDICT_CE,
				   "package.json asks for %s (\"packageManager\"), which the "
				   "registry does not have: name a version that exists.",
				   i->pinned);
	if (f.outdated)
		return outdated(i, f.text);
	if (streq(f.code, "EINTEGRITY"))
		return broken_package(i, log, f.text);
	if (f.refused)
		return job_verdict(job, VERDICT_CE,
				   "The dependencies cannot be installed (%s%s): %s",
				   *f.code ? f.code : i->manager->name, meaning_of(f.code),
				   f.text ? f.text : "");
	return unreachable(i, &f);
}

static int disk_verdict(struct install *i, const struct sbx_result *r)
{
	char total[UNITS_TEXT];

	return job_verdict(i->job, VERDICT_CE,
			   "The dependencies do not fit into the disk space of an install "
			   "(%s in all, the cache of npm included): use fewer or smaller packages.",
			   units_size(total, r->stats.disk_total));
}

/* What ended it, if a limit did: 0 when none. */
static int limit_verdict(struct install *i, const struct sbx_result *r)
{
	struct job *job = i->job;
	char limit[UNITS_TEXT];

	switch (r->verdict) {
	case SBX_VERDICT_EXITED:
		return r->exit_code != 0 && r->stats.disk_full ? disk_verdict(i, r) : 0;
	case SBX_VERDICT_WALL:
		return job_verdict(job, VERDICT_CE,
				   "Installing the dependencies took longer than %s: use fewer or "
				   "smaller packages. Or was the network slow? Then try again.",
				   units_duration(limit, i->in->wall_ns));
	case SBX_VERDICT_DISK:
		return disk_verdict(i, r);
	case SBX_VERDICT_MEMORY:
		return job_verdict(job, VERDICT_CE,
				   "Installing the dependencies needed more memory than an "
				   "install may have: use fewer or smaller packages.");
	case SBX_VERDICT_CPU:
		return job_verdict(job, VERDICT_CE,
				   "Installing the dependencies used more processor time than "
				   "an install may have: use fewer or smaller packages.");
	case SBX_VERDICT_PIDS:
		return job_verdict(job, VERDICT_CE,
				   "Installing the dependencies wanted more processes than an "
				   "install may have: use fewer packages with install scripts.");
	case SBX_VERDICT_SECURITY:
		return job_verdict(job, VERDICT_SEC,
				   "Installing the dependencies made a system call of a foreign "
				   "kind (32-bit or x32), which the sandbox ends at once.");
	default:
		return job_fail(job, -EIO, "deps", "%s was ended by signal %d (verdict %d)",
				i->manager->name, r->term_signal, r->verdict);
	}
}

/*
 * npm only warns when a file of a package cannot be written, and ends with 0: on a full disk it
 * leaves a tree of cut files. Such a tree must not reach the store, so the warnings are read, and a
 * log too long to be whole is refused.
 */
static int check_complete(struct install *i, const struct sbx_result *r, const char *log)
{
	static const char *const broken[] = { "TAR_ENTRY_ERROR", "TAR_ENTRY_INVALID", "TAR_ABORT",
					      "TAR_BAD_ARCHIVE" };
	_cleanup_free_ char *line = NULL;
	struct job *job = i->job;
	char limit[UNITS_TEXT];
	const char *at = NULL;

	if (r->stderr_bytes > INSTALL_OUTPUT_MAX || r->stdout_bytes > INSTALL_OUTPUT_MAX)
		return job_verdict(job, VERDICT_CE,
				   "%s printed more than %s of warnings about the dependencies: "
				   "mend what an install at home warns of.",
				   i->manager->name, units_size(limit, INSTALL_OUTPUT_MAX));
	for (size_t k = 0; k < ARRAY_SIZE(broken) && !at; k++)
		at = strstr(log, broken[k]);
	if (r->hit & SBX_HIT_DISK || r->stats.disk_full || (at && strstr(log, "ENOSPC")))
		return disk_verdict(i, r);
	if (!at)
		return 0;
	line = clean_line(at, strcspn(at, "\n"), 200);
	if (line && (strstr(line, "path ") || strstr(line, "linkpath ") ||
		     starts_with(line, "TAR_BAD_ARCHIVE")))
		return job_verdict(job, VERDICT_CE,
				   "A package is not one that npm can unpack (%s): use another "
				   "version of it, or another package.",
				   line);
	return job_fail(job, -EIO, "npm", "npm could not unpack a package: %s", line ? line : "");
}

/* npm: "added 71 packages"; pnpm: "Packages: +71"; bun: "71 packages installed". */
static unsigned count_packages(const struct install *i, const char *log)
{
	const char *mark = i->manager->kind == MANAGER_PNPM ? "Packages: +" : "added ";
	const char *at = strstr(log, mark);

	return at ? (unsigned)strtoul(at + strlen(mark), NULL, 10) : 0;
}

int install_outcome(struct install *i, const struct sbx_result *r, const char *log)
{
	char code[40];
	int e = limit_verdict(i, r);

	if (e != 0)
		return e;
	if (r->exit_code == 0) {
		i->packages = count_packages(i, log);
		return check_complete(i, r, log);
	}
	npm_error_code(log, code, sizeof(code));
	if (r->hit & SBX_HIT_DISK || streq(code, "ENOSPC"))
		return disk_verdict(i, r);
	return failed(i, log);
}
