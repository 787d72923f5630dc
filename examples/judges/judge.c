/* SPDX-License-Identifier: MIT */

/*
 * A classic judge of C programs:   judge SOURCE.c TESTS [KEY=VALUE...]
 *
 * Compiles the program in a jail (policy "compile"), runs it on TESTS/1.in, TESTS/2.in ... in a
 * fresh jail each (policy "classic-judge", in which memory=64M, cpu_time=1s ... can be set) and
 * compares what it prints with TESTS/1.ans ..., token by token. One line for each test, then the
 * verdict of the first that failed. Exit status: 0 accepted, 1 not, 2 usage, 4 the judge failed.
 *
 * What a program does is a verdict. What the judge cannot do ends it, and its jails end with it.
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* Linux 6.3 */
#endif

static struct sbx_error err;

__attribute__((noreturn)) static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "judge: %s: %s\n", what, why);
	exit(4);
}

/* Around calls of the library, which fill err. */
static int must(int r)
{
	if (r >= 0)
		return r;
	(void)fprintf(stderr, "judge: %s %s: %s\n", err.stage, err.item, err.text);
	exit(4);
}

/* Around system calls, which set errno. */
static int must_have(int r, const char *name)
{
	if (r < 0)
		die(name, strerror(errno));
	return r;
}

/* Opens a file, or one in memory ("w+"). Closing what is returned is enough. */
static FILE *must_open(const char *name, const char *mode)
{
	FILE *f = mode[0] == 'r' ? fopen(name, mode)
				 : fdopen(must_have(memfd_create(name, MFD_CLOEXEC), name), mode);

	must_have(f ? 0 : -1, name);
	return f;
}

static struct sbx_plan *load_plan(const char *name, char **settings)
{
	const char *dir = getenv("SANDBOX_POLICY_DIR"), *key;
	struct sbx_policy *policy = NULL;
	struct sbx_plan *plan = NULL;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s.json",
		       dir ? dir : "/usr/local/share/sandbox/policies", name);
	must(sbx_policy_load(&policy, path, NULL, &err));
	for (; settings && *settings; settings++) {
		key = strsep(settings, "=");
		must(sbx_policy_set(policy, key, *settings ? *settings : "", &err));
	}
	must(sbx_policy_compile(policy, &plan, &err));
	sbx_policy_free(policy); /* the plan does not refer to it */
	return plan;
}

/* Runs one program in a new jail to its end. The jail is the caller's, to look into and to free. */
static struct sbx_jail *run(struct sbx_ctx *ctx, struct sbx_plan *plan, const struct sbx_exec *e,
			    struct sbx_result *result)
{
	struct sbx_jail *jail = NULL;
	struct sbx_proc *proc = NULL;

	must(sbx_jail_new(ctx, plan, &jail, NULL, &err));
	must(sbx_jail_exec(jail, &proc, e, &err));
	must(sbx_proc_wait(proc, UINT64_MAX, result, &err));
	sbx_proc_free(proc);
	if (result->verdict == SBX_VERDICT_LOST)
		die("the jail", "was lost, which is not the program's fault");
	return jail;
}

/*
 * The executable as a sealed memfd: no test can change it for the next one, and no file is left
 * behind. What a jail has at that path may be anything: it is looked at before it is read.
 */
static int take_program(struct sbx_jail *jail)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, file = must(sbx_jail_open(jail, "/box/program", O_RDONLY | O_NOFOLLOW, &err));
	struct stat st;
	ssize_t n;

	fd = memfd_create("program", flags | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("program", flags);
	must_have(fd, "memfd_create");
	must_have(fstat(file, &st), "/box/program");
	if (!S_ISREG(st.st_mode))
		die("/box/program", "is not a file");
	while ((n = sendfile(fd, file, NULL, 1 << 20)) > 0)
		;
	must_have((int)n, "/box/program");
	must_have(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE),
		  "seal");
	(void)close(file);
	return fd;
}

/* -1: it does not compile, and the compiler's messages were printed. */
static int compile(struct sbx_ctx *ctx, struct sbx_plan *plan, const char *name)
{
	static const char *const argv[] = { "gcc", "-std=gnu17",   "-O2", "-pipe", "-x", "c",
					    "-o",  "/box/program", "-",   "-lm",   NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	FILE *source = must_open(name, "re"), *messages = must_open("messages", "w+");
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDIN | SBX_EXEC_STDERR,
			      .argv = argv,
			      .env = env,
			      .stdin_fd = fileno(source),
			      .stderr_fd = fileno(messages) };
	struct sbx_result result = { .size = sizeof(result) };
	struct sbx_jail *jail = run(ctx, plan, &e, &result);
	int program = -1, c;

	if (result.exit_code == 0) /* -1 unless it exited */
		program = take_program(jail);
	rewind(messages);
	while (program < 0 && (c = getc(messages)) != EOF) /* quotes the source: no control codes */
		(void)putchar(isprint(c) || c == '\n' || c == '\t' ? c : '?');
	if (result.verdict != SBX_VERDICT_EXITED)
		printf("the compiler met a limit\n");
	sbx_jail_free(jail);
	(void)fclose(messages);
	(void)fclose(source);
	return program;
}

/* The same tokens in the same order; the white space between them does not matter. */
static int same_tokens(FILE *a, FILE *b)
{
	int x, y;

	do {
		while (isspace(x = getc(a)))
			;
		while (isspace(y = getc(b)))
			;
		for (; x == y && x != EOF && !isspace(x); x = getc(a), y = getc(b))
			;
		if ((x != EOF && !isspace(x)) || (y != EOF && !isspace(y)))
			return 0;
	} while (x != EOF || y != EOF);
	return 1;
}

/* The verdict of a run that failed, and why; NULL: its output decides. */
static const char *failure(const struct sbx_result *r, char *why, size_t size)
{
	switch (r->verdict) {
	case SBX_VERDICT_CPU:
		(void)snprintf(why, size, "cpu time");
		return "TLE";
	case SBX_VERDICT_WALL:
		(void)snprintf(why, size, "wall time");
		return "TLE";
	case SBX_VERDICT_MEMORY:
		return "MLE";
	case SBX_VERDICT_OUTPUT:
		return "OLE";
	}
	if (r->exit_code == 0)
		return NULL;
	if (r->term_signal > 0 && r->term_signal < 32)
		(void)snprintf(why, size, "SIG%s", sigabbrev_np(r->term_signal));
	else if (r->term_signal)
		(void)snprintf(why, size, "signal %d", r->term_signal);
	else
		(void)snprintf(why, size, "exit code %d", r->exit_code);
	return "RE";
}

/* Runs the program on one test and prints how that went. NULL: there is no such test. */
static const char *judge(struct sbx_ctx *ctx, struct sbx_plan *plan, int program, const char *dir,
			 int n)
{
	static const char *const argv[] = { "program", NULL };
	struct sbx_fd fd = { .fd = program, .target = 3 };
	struct sbx_exec e = { .size = sizeof(e),
			      .flags = SBX_EXEC_STDIN | SBX_EXEC_STDOUT | SBX_EXEC_OUTPUT_KILL,
			      .path = "/proc/self/fd/3",
			      .argv = argv,
			      .n_fds = 1,
			      .fds = &fd };
	struct sbx_result result = { .size = sizeof(result) };
	char input[4096], answer[4096], why[32] = "";
	FILE *in, *out, *ans;
	const char *verdict;

	(void)snprintf(input, sizeof(input), "%s/%d.in", dir, n);
	(void)snprintf(answer, sizeof(answer), "%s/%d.ans", dir, n);
	if (n > 1 && access(input, F_OK) < 0 && errno == ENOENT)
		return NULL;
	in = must_open(input, "re");
	ans = must_open(answer, "re");
	out = must_open("output", "w+");
	e.stdin_fd = fileno(in);
	e.stdout_fd = fileno(out);
	sbx_jail_free(run(ctx, plan, &e, &result));
	rewind(out);
	verdict = failure(&result, why, sizeof(why));
	if (!verdict)
		verdict = same_tokens(out, ans) ? "AC" : "WA";
	if (ferror(out) || ferror(ans))
		die(answer, "cannot be read");
	printf("%4d %-3s %6llu ms %8llu KiB  %s\n", n, verdict,
	       (unsigned long long)result.cpu_ns / 1000000,
	       (unsigned long long)result.stats.memory_peak / 1024, why);
	(void)fclose(out);
	(void)fclose(ans);
	(void)fclose(in);
	return verdict;
}

int main(int argc, char **argv)
{
	struct sbx_ctx *ctx = NULL;
	struct sbx_plan *compiler, *runs;
	const char *verdict = "AC", *v;
	int program, n;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: judge SOURCE.c TESTS [KEY=VALUE...]\n");
		return 2;
	}
	must(sbx_ctx_new(&ctx, NULL, &err));
	compiler = load_plan("compile", NULL);
	runs = load_plan("classic-judge", argv + 3);
	program = compile(ctx, compiler, argv[1]);
	if (program < 0)
		verdict = "CE";
	for (n = 1; program >= 0 && (v = judge(ctx, runs, program, argv[2], n)); n++)
		if (!strcmp(verdict, "AC"))
			verdict = v;
	printf("verdict %s\n", verdict);
	if (program >= 0)
		(void)close(program);
	sbx_plan_unref(runs);
	sbx_plan_unref(compiler);
	sbx_ctx_free(ctx);
	return strcmp(verdict, "AC") != 0;
}
