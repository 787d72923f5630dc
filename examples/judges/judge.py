#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A classic judge of C programs, through ctypes:   judge.py SOURCE.c TESTS [KEY=VALUE...]

Does and prints what judge.c does and prints. Structs and numbers are those of sandbox/sandbox.h;
the member `size` tells the library which version of a struct this is, so that later ones may grow.
"""

import contextlib
import ctypes
import fcntl
import itertools
import os
import re
import signal
import stat
import sys

EXEC_STDIN, EXEC_STDOUT, EXEC_STDERR, EXEC_OUTPUT_KILL = 1, 2, 4, 8
VERDICT_EXITED, VERDICT_WALL, VERDICT_CPU, VERDICT_MEMORY, VERDICT_OUTPUT, VERDICT_LOST = 0, 3, 4, 5, 8, 10
FOREVER = 2**64 - 1
MFD_EXEC = 0x10  # Linux 6.3

TYPES = {
    "i32": ctypes.c_int32,
    "u32": ctypes.c_uint32,
    "u64": ctypes.c_uint64,
    "string": ctypes.c_char_p,
    "strings": ctypes.POINTER(ctypes.c_char_p),
    "pointer": ctypes.c_void_p,
}


def members(text):
    """ "u32 size flags, u64 x": what ctypes wants to know about the members of a struct."""
    lines = [line.split() for line in text.split(",")]
    return [(name, TYPES[line[0]]) for line in lines for name in line[1:]]


class Error(ctypes.Structure):
    _fields_ = members("i32 code") + [
        ("stage", ctypes.c_char * 20), ("item", ctypes.c_char * 84), ("text", ctypes.c_char * 148)
    ]


class Sized(ctypes.Structure):
    def __init__(self, **values):
        super().__init__(size=ctypes.sizeof(self), **values)


class Stats(Sized):
    _fields_ = [
        *members(
            "u32 size reserved,"
            "u64 memory_now memory_peak oom_kills pids_now pids_peak pids_refused cpu_ns,"
            "u64 disk_used disk_total, u32 disk_full group_oom"
        ),
        ("reserved2", ctypes.c_uint64 * 4),
    ]


class Result(Sized):
    _fields_ = [
        *members(
            "u32 size, i32 verdict exit_code term_signal, u32 hit,"
            "i32 memory_by swap_by pids_by cpu_by cpu_time_by wall_by disk_by output_by,"
            "u32 reserved, u64 wall_ns user_ns system_ns max_rss stdout_bytes stderr_bytes"
        ),
        ("stats", Stats),
        *members("u32 unenforced reserved3, u64 switches_voluntary switches_forced cpu_ns"),
    ]


class Fd(ctypes.Structure):
    _fields_ = members("i32 fd target, u32 flags")


class Exec(Sized):
    _fields_ = members(
        "u32 size flags, string path, strings argv env, string cwd,"
        "i32 stdin_fd stdout_fd stderr_fd, u32 n_fds, pointer fds,"
        "u64 stdout_limit stderr_limit wall_ns cpu_ns, u32 uid gid"
    )


# Without argtypes ctypes passes a pointer as an int, which is half of one, and a struct by value. A
# struct sbx_error pointer comes last in each of these.
FUNCTIONS = {
    "sbx_ctx_new": "pointer ret options",
    "sbx_policy_load": "pointer ret, string path search_path",
    "sbx_policy_set": "pointer policy, string key value",
    "sbx_policy_compile": "pointer policy ret",
    "sbx_jail_new": "pointer ctx plan ret options",
    "sbx_jail_exec": "pointer jail ret exec",
    "sbx_jail_open": "pointer jail, string path, i32 flags",
    "sbx_proc_wait": "pointer proc, u64 timeout_ns, pointer ret",
}
DESTRUCTORS = "sbx_ctx_free sbx_policy_free sbx_plan_unref sbx_jail_free sbx_proc_free".split()
RET = object()  # where new() puts the address that the object is written to

library = ctypes.CDLL("libsandbox.so.0")
functions = {}
for name, parameters in FUNCTIONS.items():
    functions[name] = getattr(library, name)
    functions[name].argtypes = [kind for _, kind in members(parameters)] + [ctypes.POINTER(Error)]
for name in DESTRUCTORS:
    functions[name] = getattr(library, name)
    functions[name].argtypes, functions[name].restype = [ctypes.c_void_p], ctypes.c_void_p


class JudgeError(Exception):
    """What the judge cannot do, as opposed to what a program does."""


def call(function, *arguments):
    error = Error()
    r = functions[function](*arguments, error)
    if r < 0:
        parts = (error.stage, error.item, error.text)
        raise JudgeError("{} {}: {}".format(*(b.decode(errors="replace") for b in parts)))
    return r


@contextlib.contextmanager
def new(function, destructor, *arguments):
    """An object of the library that lives as long as the `with`: they end in reverse order."""
    handle = ctypes.c_void_p()
    call(function, *(ctypes.byref(handle) if a is RET else a for a in arguments))
    try:
        yield handle
    finally:
        functions[destructor](handle)


def strings(*words):
    return (ctypes.c_char_p * (len(words) + 1))(*words)  # NULL at the end


@contextlib.contextmanager
def new_plan(name, settings=()):
    directory = os.environ.get("SANDBOX_POLICY_DIR", "/usr/local/share/sandbox/policies")
    path = os.fsencode(f"{directory}/{name}.json")
    with new("sbx_policy_load", "sbx_policy_free", RET, path, None) as policy:
        for setting in settings:
            key, _, value = setting.partition("=")
            call("sbx_policy_set", policy, os.fsencode(key), os.fsencode(value))
        with new("sbx_policy_compile", "sbx_plan_unref", policy, RET) as plan:
            yield plan


def run(jail, spec):
    """Runs one program in a new jail to its end."""
    result = Result()
    with new("sbx_jail_exec", "sbx_proc_free", jail, RET, ctypes.byref(spec)) as proc:
        call("sbx_proc_wait", proc, FOREVER, ctypes.byref(result))
    if result.verdict == VERDICT_LOST:
        raise JudgeError("the jail was lost")
    return result


def take_program(jail):
    """The executable as a sealed memfd: no test can change it for the next one, and no file is left
    behind. What a jail has at that path may be anything: it is looked at before it is read."""
    path = b"/box/program"
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    with open(call("sbx_jail_open", jail, path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise JudgeError("/box/program is not a file")
        try:
            program = open(os.memfd_create("program", flags | MFD_EXEC), "wb")
        except OSError:
            program = open(os.memfd_create("program", flags), "wb")
        while os.sendfile(program.fileno(), file.fileno(), None, 1 << 20):
            pass
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(program, fcntl.F_ADD_SEALS, seals)
    return program


def compile_source(ctx, plan, name):
    """None: it does not compile, and the compiler's messages were printed."""
    command = b"gcc -std=gnu17 -O2 -pipe -x c -o /box/program - -lm".split()
    with (
        open(name, "rb") as source,
        open(os.memfd_create("messages"), "w+b") as messages,
        new("sbx_jail_new", "sbx_jail_free", ctx, plan, RET, None) as jail,
    ):
        result = run(jail, Exec(
            flags=EXEC_STDIN | EXEC_STDERR, stdin_fd=source.fileno(), stderr_fd=messages.fileno(),
            argv=strings(*command), env=strings(b"PATH=/usr/bin:/bin"),
        ))
        if result.exit_code == 0:
            return take_program(jail)
        messages.seek(0)  # they quote the source: no control codes
        for b in messages.read():
            print(chr(b) if 32 <= b < 127 or b in b"\n\t" else "?", end="")
        if result.verdict != VERDICT_EXITED:
            print("the compiler met a limit")
        return None


def same_tokens(a, b):
    """The same tokens in the same order; the white space between them does not matter. One pair
    after the other: a list of all could need thirty times the memory of the output."""
    a, b = (re.finditer(rb"\S+", file.read()) for file in (a, b))
    return all(x and y and x[0] == y[0] for x, y in itertools.zip_longest(a, b))


def failure(result):
    """The verdict of a run that failed, and why; None: its output decides."""
    n = result.term_signal
    if result.verdict in (VERDICT_CPU, VERDICT_WALL):
        return "TLE", "cpu time" if result.verdict == VERDICT_CPU else "wall time"
    if result.verdict == VERDICT_MEMORY:
        return "MLE", ""
    if result.verdict == VERDICT_OUTPUT:
        return "OLE", ""
    if result.exit_code == 0:
        return None
    if n:
        return "RE", signal.Signals(n).name if n < 32 else f"signal {n}"
    return "RE", f"exit code {result.exit_code}"


def judge(ctx, plan, program, tests, n):
    """Runs the program on one test and prints how that went. None: there is no such test."""
    if n > 1 and not os.path.exists(f"{tests}/{n}.in"):
        return None
    fds = Fd(fd=program.fileno(), target=3)
    with (
        open(f"{tests}/{n}.in", "rb") as given,
        open(f"{tests}/{n}.ans", "rb") as expected,
        open(os.memfd_create("output"), "w+b") as output,
        new("sbx_jail_new", "sbx_jail_free", ctx, plan, RET, None) as jail,
    ):
        result = run(jail, Exec(
            flags=EXEC_STDIN | EXEC_STDOUT | EXEC_OUTPUT_KILL, path=b"/proc/self/fd/3",
            argv=strings(b"program"), stdin_fd=given.fileno(), stdout_fd=output.fileno(),
            n_fds=1, fds=ctypes.addressof(fds),
        ))
        output.seek(0)
        verdict, why = failure(result) or ("AC" if same_tokens(output, expected) else "WA", "")
    cpu_ms, memory_kib = result.cpu_ns // 1000000, result.stats.memory_peak // 1024
    print(f"{n:4} {verdict:3} {cpu_ms:6} ms {memory_kib:8} KiB  {why}")
    return verdict


def main(source, tests, *settings):
    verdicts = []
    with (
        new("sbx_ctx_new", "sbx_ctx_free", RET, None) as ctx,
        new_plan("compile") as compiler,
        new_plan("classic-judge", settings) as plan,
        compile_source(ctx, compiler, source) or contextlib.nullcontext() as program,
    ):
        while program and (verdict := judge(ctx, plan, program, tests, len(verdicts) + 1)):
            verdicts.append(verdict)
    verdict = next((v for v in verdicts if v != "AC"), "AC") if program else "CE"
    print("verdict", verdict)
    return int(verdict != "AC")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        print("usage: judge.py SOURCE.c TESTS [KEY=VALUE...]", file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(*sys.argv[1:]))
    except (JudgeError, OSError) as e:
        print(f"judge: {e}", file=sys.stderr)
        sys.exit(4)
