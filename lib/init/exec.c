/* SPDX-License-Identifier: MIT */

/*
 * EXEC, in the child: from a copy of init to the program. Every step is fatal and reported on the
 * exec pipe, which closes by itself when execve(2) succeeds. All descriptors are made close-on-exec
 * at once and the program's own are then put in place, so that none is inherited by accident.
 */

#include "exec.h"
#include <asm/ioctls.h>

static char *argv[VECTOR_MAX + 1];
static char *env[VECTOR_MAX + 1];

static struct child {
	const struct exec_request *request;
	const char *path;
	const char *cwd;
	int pipe;
	int ruleset; /* -1: Landlock is not applied */
} child;

static const char *next_string(const char **p, const char *end)
{
	const char *s = *p;

	while (*p < end)
		if (*(*p)++ == '\0')
			return s;
	return NULL;
}

static int fill_vector(char **v, uint32_t n, const char **p, const char *end)
{
	for (uint32_t i = 0; i < n; i++) {
		v[i] = (char *)(uintptr_t)next_string(p, end);
		if (!v[i])
			return -EPROTO;
	}
	return 0;
}

static int parse_strings(struct init *in)
{
	const struct exec_request *q = child.request;
	const char *p = (const char *)(q + 1), *end = p + q->strings_size;

	child.path = next_string(&p, end);
	child.cwd = next_string(&p, end);
	if (!child.path || !child.cwd)
		return -EPROTO;
	if (!*child.cwd)
		child.cwd = string_at(&in->plan_strings, in->plan->cwd);
	if (!child.cwd || fill_vector(argv, q->argc, &p, end) < 0 ||
	    fill_vector(env, q->envc, &p, end) < 0 || p != end)
		return -EPROTO;
	return 0;
}

/* While the descriptors still have the numbers that init gave them. */
static int build_ruleset(struct init *in)
{
	const struct exec_request *q = child.request;
	uint32_t trees = 0;
	int r = 0;

	if (in->landlock_abi == 0)
		return 0;
	for (uint32_t i = 0; i < q->n_fds; i++)
		trees |= q->fd_flags[i] & (SBX_FD_TREE_READ | SBX_FD_TREE_WRITE);
	child.ruleset = trees ? landlock_ruleset(in) : in->ruleset;
	if (child.ruleset < 0)
		return child.ruleset;
	for (uint32_t i = 0; trees && r >= 0 && i < q->n_fds; i++) {
		in->index = (int32_t)i;
		if (q->fd_flags[i] & (SBX_FD_TREE_READ | SBX_FD_TREE_WRITE))
			r = landlock_add_tree(in, child.ruleset, in->message.fds[i + 2],
					      q->fd_flags[i]);
	}
	return r;
}

static int move_above(int *fd, int lowest)
{
	int r;

	if (*fd < 0)
		return 0;
	r = sys_dupfd(*fd, lowest);
	if (r >= 0)
		*fd = r;
	return r;
}

/* Above every target, so that putting one in place overwrites no other. */
static int move_sources(struct init *in)
{
	const struct exec_request *q = child.request;
	int lowest = 3, r;

	for (uint32_t i = 0; i < q->n_fds; i++)
		if (q->target[i] >= lowest)
			lowest = q->target[i] + 1;
	r = move_above(&child.pipe, lowest);
	if (r >= 0)
		r = move_above(&child.ruleset, lowest);
	for (uint32_t i = 0; r >= 0 && i < q->n_fds; i++) {
		in->index = (int32_t)i;
		r = move_above(&in->message.fds[i + 2], lowest);
	}
	return r;
}

/* The jail's /dev/null, never a leftover of init. */
static int fill_stdio(uint32_t present)
{
	_cleanup_close_ int null = -1;

	for (int fd = 0; fd <= 2; fd++) {
		int r;

		if (present & (1u << fd))
			continue;
		if (null < 0)
			null = sys_open("/dev/null", O_RDWR | O_NOFOLLOW);
		if (null < 0)
			return null;
		if (null <= 2) {
			r = move_above(&null, 3);
			if (r < 0)
				return r;
		}
		r = sys_dup3(null, fd, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

static int place_fds(struct init *in)
{
	const struct exec_request *q = child.request;
	uint32_t present = 0;
	int r = move_sources(in);

	if (r >= 0)
		r = sys_close_range(0, ~0u, CLOSE_RANGE_CLOEXEC);
	for (uint32_t i = 0; r >= 0 && i < q->n_fds; i++) {
		in->index = (int32_t)i;
		r = sys_dup3(in->message.fds[i + 2], q->target[i], 0);
		if (q->target[i] <= 2)
			present |= 1u << q->target[i];
	}
	in->index = -1;
	return r < 0 ? r : fill_stdio(present);
}

static int start_session(struct init *in)
{
	const struct sigaction by_default = { 0 };
	int r = sys_setsid();

	for (int sig = 1; sig <= SIGNAL_MAX; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)sys_sigaction(sig, &by_default);
	if (r >= 0)
		r = sys_sigprocmask(SIG_SETMASK, 0);
	sys_umask(022);
	/* A terminal that belongs to no session becomes ours; one that does stays its owner's. */
	(void)sys_ioctl(0, TIOCSCTTY, NULL);
	return r;
}

/*
 * The limit of processes where no control group counts them. The kernel counts by user namespace
 * and id (5.14), so what it counts is this jail's; with one id that includes init.
 */
static int set_process_limit(struct init *in)
{
	uint64_t n = in->nproc + (in->sole_uid ? 1u : 0u);
	struct rlimit64 limit = { n, n };

	return in->nproc ? sys_prlimit(RLIMIT_NPROC, &limit, NULL) : 0;
}

/* A plan may want more than our own hard limit: what is stricter is kept. */
static int set_rlimits(struct init *in)
{
	const struct plan_header *p = in->plan;
	const struct plan_rlimit *l = (const void *)((const char *)p + p->rlimits_off);

	for (uint32_t i = 0; i < p->n_rlimits; i++) {
		struct rlimit64 now, wanted = { l[i].value, l[i].value };
		int r;

		in->index = (int32_t)i;
		r = sys_prlimit(l[i].resource, NULL, &now);
		if (r < 0)
			return r;
		if (wanted.rlim_cur > now.rlim_max)
			wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
		r = sys_prlimit(l[i].resource, &wanted, NULL);
		if (r < 0)
			return r;
	}
	in->index = -1;
	return set_process_limit(in);
}

/*
 * Where only the caller's own group is mapped the kernel lets nobody drop groups (a file that a
 * group may not read could be read by leaving it): such a jail keeps the caller's.
 */
static int drop_groups(struct init *in)
{
	int r = groups_drop();

	return r == -EPERM && in->sole_uid ? 0 : r;
}

static int drop_bounding(struct init *in)
{
	return bounding_drop();
}

static int lock_securebits(struct init *in)
{
	return securebits_lock();
}

static int set_ids(struct init *in)
{
	return ids_set(child.request->uid, child.request->gid);
}

static int drop_capabilities(struct init *in)
{
	return capabilities_drop();
}

static int set_no_new_privs(struct init *in)
{
	return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
}

static int restrict_by_landlock(struct init *in)
{
	return child.ruleset < 0 ? 0 : sys_landlock_restrict(child.ruleset);
}

static int change_directory(struct init *in)
{
	return sys_chdir(child.cwd);
}

static int install_filter(struct init *in)
{
	const struct plan_header *p = in->plan;
	struct sock_fprog program = {
		.len = (uint16_t)p->n_filter,
		.filter = (struct sock_filter *)((uintptr_t)p + p->filter_off),
	};

	if (child.request->flags & EXEC_TRACED)
		return trace_install(child.pipe);
	return sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
}

static const char *search_path(void)
{
	for (uint32_t i = 0; env[i]; i++)
		if (memcmp(env[i], "PATH=", 5) == 0)
			return env[i] + 5;
	return "/usr/local/bin:/usr/bin:/bin";
}

/* Not here, look on: what execvpe(3) passes over. */
static bool is_absence(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG ||
	       error == -ESTALE || error == -ENODEV || error == -ETIMEDOUT;
}

static int exec_in(const char *dir, size_t n)
{
	static char path[4096];
	size_t name = strlen(child.path);

	if (n + 1 + name + 1 > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, dir, n);
	if (n > 0)
		path[n++] = '/';
	memcpy(path + n, child.path, name + 1);
	return sys_execve(path, argv, env);
}

static int exec_searched(void)
{
	const char *p = search_path();
	int result = -ENOENT;

	if (!*child.path)
		return -ENOENT;
	for (;;) {
		size_t n = 0;
		int r;

		while (p[n] && p[n] != ':')
			n++;
		r = exec_in(p, n);
		if (r == -EACCES)
			result = r;
		else if (!is_absence(r))
			return r;
		if (!p[n])
			return result;
		p += n + 1;
	}
}

static int execute(struct init *in)
{
	for (const char *p = child.path; *p; p++)
		if (*p == '/')
			return sys_execve(child.path, argv, env);
	return exec_searched();
}

static const struct stage stages[] = {
	{ STEP_EXEC, parse_strings },
	{ STEP_LANDLOCK, build_ruleset },
	{ STEP_FDS, place_fds },
	{ STEP_SESSION, start_session },
	{ STEP_RLIMIT, set_rlimits },
	{ STEP_GROUPS, drop_groups },
	{ STEP_BOUNDING, drop_bounding },
	{ STEP_SECUREBITS, lock_securebits },
	{ STEP_SETUID, set_ids },
	{ STEP_CAPABILITIES, drop_capabilities },
	{ STEP_NO_NEW_PRIVS, set_no_new_privs },
	{ STEP_LANDLOCK, restrict_by_landlock },
	{ STEP_CWD, change_directory },
	{ STEP_SECCOMP, install_filter },
	{ STEP_EXEC, execute },
};

_Noreturn void child_run(struct init *in)
{
	struct exec_failure f;
	int r = 0;

	child.request = (const struct exec_request *)in->message.bytes;
	child.pipe = in->message.fds[PIPE_FD_INDEX];
	child.ruleset = -1;
	for (uint32_t i = 0; r >= 0 && i < ARRAY_SIZE(stages); i++) {
		in->step = stages[i].step;
		in->index = -1;
		r = stages[i].run(in);
	}
	f = (struct exec_failure){ .step = in->step, .error = r, .index = in->index };
	(void)sys_write(child.pipe, &f, sizeof(f));
	sys_exit(127);
}
