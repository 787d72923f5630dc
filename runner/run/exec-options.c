/* SPDX-License-Identifier: MIT */

/* The tables of exec and shell; see exec-options.h. Values are taken apart in exec-parse.c. */

#include "exec-options.h"
#include "run/run.h"
#include "trace.h"

struct exec_options exec_opt;

/* clang-format off */
#define LIMIT_ROWS                                                                                 \
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Limits (default: those of the policy)" },            \
	{ OPTION_SIZE, 'm', "memory", "SIZE", &exec_opt.memory,                                    \
	  "memory of all processes and files in the jail; no swap" },                              \
	{ OPTION_CPU, 0, "cpu", "N", &exec_opt.cpu, "processors at once, as in 1.5" },             \
	{ OPTION_DURATION, 0, "cpu-time", "TIME", &exec_opt.cpu_time,                              \
	  "processor time of all processes" },                                                     \
	{ OPTION_DURATION, 't', "wall", "TIME", &exec_opt.wall, "time from start to end" },        \
	{ OPTION_NUMBER, 0, "pids", "N", &exec_opt.pids, "processes and threads at once" },        \
	{ OPTION_SIZE, 0, "disk", "SIZE", &exec_opt.disk, "what may be written to /box" },         \
	{ OPTION_SIZE, 0, "fsize", "SIZE", &exec_opt.fsize, "size of one file" },                  \
	{ OPTION_NUMBER, 0, "nofile", "N", &exec_opt.nofile,                                       \
	  "descriptors that one process may have" },                                               \
	{ OPTION_SIZE, 0, "stack", "SIZE", &exec_opt.stack,                                        \
	  "stack of a program's first thread" }

#define UNENFORCED_ROWS                                                                            \
	{ OPTION_STRING, 0, "allow-unenforced", "LIST", &exec_opt.allow_unenforced,                \
	  "limits to go without where this host cannot enforce them: memory, swap, pids, cpu, "    \
	  "cpu-time or all, with commas (default: none)" },                                        \
	{ OPTION_STRING, 0, "require", "LIST", &exec_opt.require,                                  \
	  "the other way round: these must be enforced, the rest need not (default: all)" }

#define VIEW_ROWS                                                                                  \
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What the command sees" },                            \
	{ OPTION_STRING, 'p', "policy", "NAME", &exec_opt.policy,                                  \
	  "a policy of the installation, or a file (default: exec; with --root: root)" },          \
	{ OPTION_STRING, 0, "root", "DIR", &exec_opt.root,                                         \
	  "a prepared tree as the root; what is written to it goes to memory" },                   \
	{ OPTION_LIST, 0, "ro", "SRC[:DST]", &exec_opt.ro,                                         \
	  "show a file or directory, read-only, at DST (default: where it is)" },                  \
	{ OPTION_LIST, 0, "rw", "SRC[:DST]", &exec_opt.rw,                                         \
	  "the same, writable by the jailed user where its files belong to uid 1000" },            \
	{ OPTION_LIST, 0, "tmpfs", "DST:SIZE", &exec_opt.tmpfs,                                    \
	  "an empty writable directory in memory" },                                               \
	{ OPTION_PAIRS, 'e', "env", "NAME=VALUE", &exec_opt.env,                                   \
	  "set a variable; nothing is inherited but what is set here" },                           \
	{ OPTION_STRING, 'C', "cwd", "DIR", &exec_opt.cwd, "directory in the jail to start in" },  \
	{ OPTION_NUMBER, 0, "uid", "N", &exec_opt.uid,                                             \
	  "user in the jail (default: the policy's, 1000)" },                                      \
	{ OPTION_NUMBER, 0, "gid", "N", &exec_opt.gid, "group in the jail, likewise" },            \
	{ OPTION_LIST, 0, "seccomp", "PROFILE", &exec_opt.seccomp,                                 \
	  "system calls: of another policy (NAME or file), or allow:NAME,... deny:NAME,... "       \
	  "enosys:NAME,... on top of the policy's" },                                              \
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Network (a loopback interface of its own)" },        \
	{ OPTION_STRING, 0, "net", "KIND", &exec_opt.net,                                          \
	  "loopback: as the policy says; none: no program can make a socket" },                    \
	{ OPTION_LIST, 0, "forward", "PORT=TARGET", &exec_opt.forward,                             \
	  "connections in the jail to PORT go to TARGET outside: HOST:PORT, PORT or a unix "       \
	  "socket's path" },                                                                       \
	{ OPTION_LIST, 0, "publish", "[ADDR:]PORT=PORT", &exec_opt.publish,                        \
	  "connections outside to the first PORT (0: any, which is said) or to a unix socket's "   \
	  "path go to the second in the jail" }

#define OUTPUT_ROWS                                                                                \
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Result" },                                           \
	{ OPTION_OPTIONAL, 0, "json", "FILE", &exec_opt.json,                                      \
	  "the result as one line of JSON, to FILE or after the command's output to stdout" },     \
	{ OPTION_DESCRIPTOR, 0, "status-fd", "N", &exec_opt.status_fd,                             \
	  "lines of JSON on descriptor N: that it started, how it ended" },                        \
	{ OPTION_STRING, 0, "label", "NAME", &exec_opt.label,                                      \
	  "name of the jail in messages and control groups" },                                     \
	{ OPTION_FLAG, 'q', "quiet", NULL, &exec_opt.quiet,                                        \
	  "do not say on stderr which limit was reached" },                                        \
	{ OPTION_COUNT, 'v', "verbose", NULL, &exec_opt.verbose,                                   \
	  "say what the library does; twice: in detail" },                                         \
	{ OPTION_FLAG, 'n', "dry-run", NULL, &exec_opt.dry_run,                                    \
	  "print each step of the plan, make and run nothing" }
/* clang-format on */

#define EXIT_CODES                                                                                 \
	"    2  the command line or a file of defaults is wrong\n"                                 \
	"  124  the time or cpu time limit was reached\n"                                          \
	"  125  the jail could not be set up (a limit that cannot be enforced, too)\n"             \
	"  126  the command cannot be executed\n"                                                  \
	"  127  the command was not found in the jail\n"                                           \
	"  128+N  signal N ended it (137: also for the memory limit)\n"                            \
	"  130, 143  interrupted by Ctrl-C or SIGTERM; nothing is left behind"

static const struct option_spec exec_rows[] = {
	LIMIT_ROWS,
	{ OPTION_SIZE, 0, "output", "SIZE", &exec_opt.output,
	  "bytes of stdout, and of stderr; of longer output the middle is cut" },
	UNENFORCED_ROWS,
	VIEW_ROWS,
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "What the command gets" },
	{ OPTION_STRING, 'i', "stdin", "FILE", &exec_opt.stdin_path,
	  "read standard input from FILE of the host" },
	{ OPTION_STRING, 'o', "stdout", "FILE", &exec_opt.stdout_path,
	  "write standard output to FILE of the host, made or emptied first" },
	{ OPTION_STRING, 0, "stderr", "FILE", &exec_opt.stderr_path,
	  "the same for standard error; may be the same FILE" },
	{ OPTION_FLAG, 0, "append", NULL, &exec_opt.append,
	  "let --stdout and --stderr go on at the end of their files" },
	{ OPTION_LIST, 0, "fd", "N[=M]", &exec_opt.fds,
	  "pass our descriptor N, as M (default: N; 3 or higher)" },
	{ OPTION_DESCRIPTOR, 0, "args-fd", "N", &exec_opt.args_fd,
	  "read more arguments from descriptor N, each ended with a NUL" },
	OUTPUT_ROWS,
	{ OPTION_END },
};

const struct command exec_command = {
	.name = "exec",
	.synopsis = "exec [OPTIONS] [--] COMMAND [ARGUMENTS]",
	.summary = "Runs COMMAND in a jail of its own: no network, no files of the host but\n"
		   "/usr and what --ro and --rw show, an empty environment, limits on everything.",
	.examples = "  sandbox-run exec -- python3 -c 'print(6 * 7)'\n"
		    "  sandbox-run exec --memory 64M --wall 5s --ro ./prog:/prog -- /prog\n"
		    "  sandbox-run exec --stdin 1.in --stdout 1.out --json=1.json -- ./judge\n"
		    "  sandbox-run exec --publish 8000=8000 --ro ./app:/app -- node /app/main.js\n"
		    "  sandbox-run exec --dry-run --root ./alpine -- /bin/busybox",
	.epilog = "Exit codes: those of the command, and\n" EXIT_CODES,
	.options = exec_rows,
	.stop_at_operand = true,
};

static const struct option_spec shell_rows[] = {
	LIMIT_ROWS, UNENFORCED_ROWS, VIEW_ROWS, OUTPUT_ROWS, { OPTION_END },
};

const struct command shell_command = {
	.name = "shell",
	.synopsis = "shell [OPTIONS] [--] [COMMAND [ARGUMENTS]]",
	.summary = "Opens a shell, or COMMAND, in the jail that exec with the same options would\n"
		   "make, on a terminal of its own: what runs inside cannot reach yours.",
	.examples = "  sandbox-run shell\n"
		    "  sandbox-run shell --policy node-server --rw ./app:/app --cwd /app\n"
		    "  sandbox-run shell --root ./alpine -- /bin/ash\n"
		    "  sandbox-run shell --memory 64M --pids 8 -- bash\n"
		    "  sandbox-run shell --dry-run",
	.epilog = "Unless --wall, --cpu-time are given, a shell has no limit of time.\n\n"
		  "Exit codes: those of the shell, and\n" EXIT_CODES,
	.options = shell_rows,
	.stop_at_operand = true,
};

static const struct option_spec trace_rows[] = {
	LIMIT_ROWS,
	UNENFORCED_ROWS,
	VIEW_ROWS,
	{ OPTION_GROUP, 0, NULL, NULL, NULL, "Result" },
	{ OPTION_STRING, 'o', "report", "FILE", &trace_report_path,
	  "write the report to FILE, not to stderr when the command has ended" },
	{ OPTION_OPTIONAL, 0, "json", "FILE", &exec_opt.json,
	  "the same as one line of JSON, to FILE or after the command's output to stdout" },
	{ OPTION_FLAG, 'q', "quiet", NULL, &exec_opt.quiet, "print no report on stderr" },
	{ OPTION_COUNT, 'v', "verbose", NULL, &exec_opt.verbose,
	  "say what the library does; twice: in detail" },
	{ OPTION_END },
};

const struct command trace_command = {
	.name = "trace",
	.synopsis = "trace [OPTIONS] [--] COMMAND [ARGUMENTS]",
	.summary =
		"Runs COMMAND in the jail that exec with the same options would make, lets it\n"
		"make any system call (request to the kernel), and says in the end which ones it\n"
		"made, what the policy would have done with each, and what to write into a\n"
		"policy that lets it have what it needs. For programs that you trust.",
	.examples = "  sandbox-run trace -- python3 -c 'print(6 * 7)'\n"
		    "  sandbox-run trace --policy classic-judge --ro ./prog:/prog -- /prog <in\n"
		    "  sandbox-run trace -o report.txt --ro ./app:/app -- node /app/main.js\n"
		    "  sandbox-run trace -q --json=calls.json -- make -C /src\n"
		    "  sandbox-run trace --seccomp allow:flock -- apt-get --version",
	.epilog = "Exit codes: those of the command, and\n" EXIT_CODES,
	.options = trace_rows,
	.stop_at_operand = true,
};
