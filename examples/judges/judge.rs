// SPDX-License-Identifier: MIT

//! A classic judge of C programs, with hand-written bindings:   judge SOURCE.c TESTS [KEY=VALUE...]
//!
//! Does and prints what judge.c does and prints. The structs mirror sandbox/sandbox.h; `size` tells
//! the library which version of them this is. Handles are freed by Drop, and lifetimes say in which
//! order: a process before its jail, a jail before its context. What the header says of threads is
//! Send for all of them (one at a time) and Sync for contexts and plans (any number at once).

use std::env;
use std::ffi::{c_void, CStr, CString};
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::marker::PhantomData;
use std::mem::size_of;
use std::os::raw::{c_char, c_int, c_uint};
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::path::Path;
use std::process::exit;
use std::ptr::{null, null_mut};

#[repr(C)]
struct SbxError {
    code: i32,
    stage: [c_char; 20],
    item: [c_char; 84],
    text: [c_char; 148],
}

#[repr(C)]
#[derive(Default)]
struct SbxStats {
    size: u32,
    reserved: u32,
    memory_now: u64,
    memory_peak: u64,
    oom_kills: u64,
    pids_now: u64,
    pids_peak: u64,
    pids_refused: u64,
    cpu_ns: u64,
    disk_used: u64,
    disk_total: u64,
    disk_full: u32,
    group_oom: u32,
    reserved2: [u64; 4],
}

#[repr(C)]
#[derive(Default)]
struct SbxResult {
    size: u32,
    verdict: i32,
    exit_code: i32,
    term_signal: i32,
    hit: u32,
    memory_by: i32,
    swap_by: i32,
    pids_by: i32,
    cpu_by: i32,
    cpu_time_by: i32,
    wall_by: i32,
    disk_by: i32,
    output_by: i32,
    reserved: u32,
    wall_ns: u64,
    user_ns: u64,
    system_ns: u64,
    max_rss: u64,
    stdout_bytes: u64,
    stderr_bytes: u64,
    stats: SbxStats,
    unenforced: u32,
    reserved3: u32,
    switches_voluntary: u64,
    switches_forced: u64,
    cpu_ns: u64,
}

#[repr(C)]
struct SbxFd {
    fd: i32,
    target: i32,
    flags: u32,
}

#[repr(C)]
struct SbxExec {
    size: u32,
    flags: u32,
    path: *const c_char,
    argv: *const *const c_char,
    env: *const *const c_char,
    cwd: *const c_char,
    stdin_fd: i32,
    stdout_fd: i32,
    stderr_fd: i32,
    n_fds: u32,
    fds: *const SbxFd,
    stdout_limit: u64,
    stderr_limit: u64,
    wall_ns: u64,
    cpu_ns: u64,
    uid: u32,
    gid: u32,
}

const EXEC_STDIN: u32 = 1;
const EXEC_STDOUT: u32 = 2;
const EXEC_STDERR: u32 = 4;
const EXEC_OUTPUT_KILL: u32 = 8;
const VERDICT_EXITED: i32 = 0;
const VERDICT_WALL: i32 = 3;
const VERDICT_CPU: i32 = 4;
const VERDICT_MEMORY: i32 = 5;
const VERDICT_LOST: i32 = 10;
const VERDICT_OUTPUT: i32 = 8;

const MFD_CLOEXEC: c_uint = 1;
const MFD_ALLOW_SEALING: c_uint = 2;
const MFD_EXEC: c_uint = 0x10; // Linux 6.3
const F_ADD_SEALS: c_int = 1033;
const F_SEAL_ALL: c_int = 1 | 2 | 4 | 8; // SEAL, SHRINK, GROW, WRITE
const O_NOFOLLOW: c_int = 0o400000;

type Raw = *mut c_void;

#[link(name = "sandbox")]
extern "C" {
    fn sbx_ctx_new(ret: *mut Raw, options: *const c_void, err: *mut SbxError) -> c_int;
    fn sbx_ctx_free(ctx: Raw) -> Raw;
    fn sbx_policy_load(
        ret: *mut Raw, path: *const c_char, search_path: *const c_char, err: *mut SbxError,
    ) -> c_int;
    fn sbx_policy_set(
        policy: Raw, key: *const c_char, value: *const c_char, err: *mut SbxError,
    ) -> c_int;
    fn sbx_policy_free(policy: Raw) -> Raw;
    fn sbx_policy_compile(policy: Raw, ret: *mut Raw, err: *mut SbxError) -> c_int;
    fn sbx_plan_unref(plan: Raw) -> Raw;
    fn sbx_jail_new(
        ctx: Raw, plan: Raw, ret: *mut Raw, options: *const c_void, err: *mut SbxError,
    ) -> c_int;
    fn sbx_jail_open(jail: Raw, path: *const c_char, flags: c_int, err: *mut SbxError) -> c_int;
    fn sbx_jail_free(jail: Raw) -> Raw;
    fn sbx_jail_exec(jail: Raw, ret: *mut Raw, e: *const SbxExec, err: *mut SbxError) -> c_int;
    fn sbx_proc_wait(proc: Raw, timeout_ns: u64, ret: *mut SbxResult, err: *mut SbxError) -> c_int;
    fn sbx_proc_free(proc: Raw) -> Raw;
}

extern "C" {
    fn memfd_create(name: *const c_char, flags: c_uint) -> c_int;
    fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    fn sigabbrev_np(signal: c_int) -> *const c_char;
}

// ------------------------------------------------------------------- the library, made safe

type Result<T> = std::result::Result<T, String>;

fn text(bytes: &[c_char]) -> String {
    // The library ends each of them with a NUL.
    unsafe { CStr::from_ptr(bytes.as_ptr()) }.to_string_lossy().into_owned()
}

/// Calls the library with a place for the error; a negative return value becomes an Err.
fn call(f: impl FnOnce(*mut SbxError) -> c_int) -> Result<c_int> {
    let mut e = SbxError { code: 0, stage: [0; 20], item: [0; 84], text: [0; 148] };
    match f(&mut e) {
        r if r < 0 => Err(format!("{} {}: {}", text(&e.stage), text(&e.item), text(&e.text))),
        r => Ok(r),
    }
}

fn c_string(s: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(s).map_err(|_| "there is a NUL in an argument".to_string())
}

/// A handle that is freed when it goes out of scope, which is while what it refers to ('a) lives.
macro_rules! handle {
    ($name:ident, $free:ident) => {
        struct $name<'a>(Raw, PhantomData<&'a ()>);

        impl $name<'_> {
            fn new(f: impl FnOnce(*mut Raw, *mut SbxError) -> c_int) -> Result<Self> {
                let mut raw = null_mut();
                call(|e| f(&mut raw, e))?;
                Ok($name(raw, PhantomData))
            }
        }

        unsafe impl Send for $name<'_> {}

        impl Drop for $name<'_> {
            fn drop(&mut self) {
                unsafe { $free(self.0) };
            }
        }
    };
}

handle!(Ctx, sbx_ctx_free);
handle!(Policy, sbx_policy_free);
handle!(Plan, sbx_plan_unref);
handle!(Jail, sbx_jail_free);
handle!(Proc, sbx_proc_free);

unsafe impl Sync for Ctx<'_> {}
unsafe impl Sync for Plan<'_> {}

impl Plan<'_> {
    fn load(name: &str, settings: &[String]) -> Result<Plan<'static>> {
        let dir = env::var("SANDBOX_POLICY_DIR");
        let dir = dir.as_deref().unwrap_or("/usr/local/share/sandbox/policies");
        let path = c_string(format!("{dir}/{name}.json"))?;
        let policy =
            Policy::new(|ret, e| unsafe { sbx_policy_load(ret, path.as_ptr(), null(), e) })?;
        for setting in settings {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            let (key, value) = (c_string(key)?, c_string(value)?);
            call(|e| unsafe { sbx_policy_set(policy.0, key.as_ptr(), value.as_ptr(), e) })?;
        }
        Plan::new(|ret, e| unsafe { sbx_policy_compile(policy.0, ret, e) })
    }
}

/// A list of strings as C has it; `pointers` stay valid as long as this lives.
struct Strings {
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

impl Strings {
    fn new(list: &[&str]) -> Result<Strings> {
        let owned = list.iter().map(|s| c_string(*s)).collect::<Result<Vec<_>>>()?;
        let pointers = owned.iter().map(|s| s.as_ptr()).chain([null()]).collect();
        Ok(Strings { pointers, _owned: owned })
    }
}

/// What a program is started with; a descriptor that is not there is /dev/null.
#[derive(Default)]
struct Program<'a> {
    path: &'a str,
    argv: &'a [&'a str],
    env: &'a [&'a str],
    flags: u32,
    stdin: Option<&'a File>,
    stdout: Option<&'a File>,
    stderr: Option<&'a File>,
    fd3: Option<&'a File>,
}

impl<'ctx> Jail<'ctx> {
    fn start(ctx: &'ctx Ctx, plan: &Plan) -> Result<Jail<'ctx>> {
        Jail::new(|ret, e| unsafe { sbx_jail_new(ctx.0, plan.0, ret, null(), e) })
    }

    fn exec(&self, p: &Program) -> Result<Proc<'_>> {
        let (path, argv, env) = (c_string(p.path)?, Strings::new(p.argv)?, Strings::new(p.env)?);
        let number = |file: Option<&File>| file.map_or(-1, |f| f.as_raw_fd());
        let flag = |file: Option<&File>, flag| if file.is_some() { flag } else { 0 };
        let fd3 = SbxFd { fd: number(p.fd3), target: 3, flags: 0 };
        let spec = SbxExec {
            size: size_of::<SbxExec>() as u32,
            flags: p.flags
                | flag(p.stdin, EXEC_STDIN)
                | flag(p.stdout, EXEC_STDOUT)
                | flag(p.stderr, EXEC_STDERR),
            path: path.as_ptr(),
            argv: argv.pointers.as_ptr(),
            env: env.pointers.as_ptr(),
            cwd: null(),
            stdin_fd: number(p.stdin),
            stdout_fd: number(p.stdout),
            stderr_fd: number(p.stderr),
            n_fds: p.fd3.is_some() as u32,
            fds: &fd3,
            stdout_limit: 0,
            stderr_limit: 0,
            wall_ns: 0,
            cpu_ns: 0,
            uid: 0,
            gid: 0,
        };
        Proc::new(|ret, e| unsafe { sbx_jail_exec(self.0, ret, &spec, e) })
    }

    /// Runs one program to its end.
    fn run(&self, program: &Program) -> Result<SbxResult> {
        let mut result = SbxResult { size: size_of::<SbxResult>() as u32, ..Default::default() };
        let proc = self.exec(program)?;
        call(|e| unsafe { sbx_proc_wait(proc.0, u64::MAX, &mut result, e) })?;
        if result.verdict == VERDICT_LOST {
            return Err("the jail was lost".to_string());
        }
        Ok(result)
    }

    fn open(&self, path: &str) -> Result<File> {
        let c_path = c_string(path)?;
        let fd = call(|e| unsafe { sbx_jail_open(self.0, c_path.as_ptr(), O_NOFOLLOW, e) })?;
        Ok(unsafe { File::from_raw_fd(fd) })
    }
}

// ------------------------------------------------------------------------------- the judge

fn failed(name: impl AsRef<Path>) -> impl FnOnce(io::Error) -> String {
    move |e| format!("{}: {e}", name.as_ref().display())
}

fn memfd(name: &str, flags: c_uint) -> Result<File> {
    let c_name = c_string(name)?;
    match unsafe { memfd_create(c_name.as_ptr(), flags | MFD_CLOEXEC | MFD_ALLOW_SEALING) } {
        -1 if flags != 0 => memfd(name, 0), // a kernel that does not know them
        -1 => Err(failed(name)(io::Error::last_os_error())),
        fd => Ok(unsafe { File::from_raw_fd(fd) }),
    }
}

/// The executable as a sealed memfd: no test can change it for the next one, and no file is left
/// behind. What a jail has at that path may be anything: it is looked at before it is read.
fn take_program(jail: &Jail) -> Result<File> {
    let path = "/box/program";
    let mut file = jail.open(path)?;
    if !file.metadata().map_err(failed(path))?.is_file() {
        return Err(format!("{path} is not a file"));
    }
    let mut program = memfd("program", MFD_EXEC)?;
    io::copy(&mut file, &mut program).map_err(failed(path))?;
    if unsafe { fcntl(program.as_raw_fd(), F_ADD_SEALS, F_SEAL_ALL) } < 0 {
        return Err(failed(path)(io::Error::last_os_error()));
    }
    Ok(program)
}

fn read_back(mut file: File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|_| file.read_to_end(&mut bytes)).map_err(failed("memfd"))?;
    Ok(bytes)
}

/// None: it does not compile, and the compiler's messages were printed.
fn compile(ctx: &Ctx, plan: &Plan, name: &str) -> Result<Option<File>> {
    let source = File::open(name).map_err(failed(name))?;
    let messages = memfd("messages", 0)?;
    let jail = Jail::start(ctx, plan)?;
    let result = jail.run(&Program {
        path: "gcc",
        argv: &["gcc", "-std=gnu17", "-O2", "-pipe", "-x", "c", "-o", "/box/program", "-", "-lm"],
        env: &["PATH=/usr/bin:/bin"],
        stdin: Some(&source),
        stderr: Some(&messages),
        ..Default::default()
    })?;
    if result.exit_code == 0 {
        return take_program(&jail).map(Some);
    }
    let printable = |b: &u8| matches!(b, b' '..=b'~' | b'\n' | b'\t'); // it quotes the source
    for b in read_back(messages)?.iter() {
        print!("{}", if printable(b) { *b as char } else { '?' });
    }
    if result.verdict != VERDICT_EXITED {
        println!("the compiler met a limit");
    }
    Ok(None)
}

/// The same tokens in the same order; the white space between them does not matter.
fn same_tokens(a: &[u8], b: &[u8]) -> bool {
    fn tokens(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        bytes.split(|b| matches!(b, b' ' | b'\t'..=b'\r')).filter(|token| !token.is_empty())
    }
    tokens(a).eq(tokens(b))
}

/// The verdict of a run that failed, and why; None: its output decides.
fn failure(r: &SbxResult) -> Option<(&'static str, String)> {
    match (r.verdict, r.exit_code, r.term_signal) {
        (VERDICT_CPU, _, _) => Some(("TLE", "cpu time".to_string())),
        (VERDICT_WALL, _, _) => Some(("TLE", "wall time".to_string())),
        (VERDICT_MEMORY, _, _) => Some(("MLE", String::new())),
        (VERDICT_OUTPUT, _, _) => Some(("OLE", String::new())),
        (_, 0, _) => None,
        (_, _, signal @ 1..=31) => {
            let name = unsafe { CStr::from_ptr(sigabbrev_np(signal)) };
            Some(("RE", format!("SIG{}", name.to_string_lossy())))
        }
        (_, code, 0) => Some(("RE", format!("exit code {code}"))),
        (_, _, signal) => Some(("RE", format!("signal {signal}"))),
    }
}

/// Runs the program on one test and prints how that went. None: there is no such test.
fn judge(
    ctx: &Ctx, plan: &Plan, program: &File, dir: &str, n: u32,
) -> Result<Option<&'static str>> {
    let (input, answer) = (format!("{dir}/{n}.in"), format!("{dir}/{n}.ans"));
    if n > 1 && !Path::new(&input).exists() {
        return Ok(None);
    }
    let given = File::open(&input).map_err(failed(&input))?;
    let expected = fs::read(&answer).map_err(failed(&answer))?;
    let output = memfd("output", 0)?;
    let result = Jail::start(ctx, plan)?.run(&Program {
        path: "/proc/self/fd/3",
        argv: &["program"],
        flags: EXEC_OUTPUT_KILL,
        stdin: Some(&given),
        stdout: Some(&output),
        fd3: Some(program),
        ..Default::default()
    })?;
    let (verdict, why) = match failure(&result) {
        Some(failure) => failure,
        None if same_tokens(&read_back(output)?, &expected) => ("AC", String::new()),
        None => ("WA", String::new()),
    };
    let (ms, kib) = (result.cpu_ns / 1000000, result.stats.memory_peak / 1024);
    println!("{n:4} {verdict:3} {ms:6} ms {kib:8} KiB  {why}");
    Ok(Some(verdict))
}

fn judge_all(source: &str, dir: &str, settings: &[String]) -> Result<&'static str> {
    let ctx = Ctx::new(|ret, e| unsafe { sbx_ctx_new(ret, null(), e) })?;
    let (compiler, plan) = (Plan::load("compile", &[])?, Plan::load("classic-judge", settings)?);
    let program = match compile(&ctx, &compiler, source)? {
        Some(program) => program,
        None => return Ok("CE"),
    };
    let mut verdict = "AC";
    for n in 1.. {
        match judge(&ctx, &plan, &program, dir, n)? {
            Some(v) if verdict == "AC" => verdict = v,
            Some(_) => (),
            None => break,
        }
    }
    Ok(verdict)
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if arguments.len() < 3 {
        eprintln!("usage: judge SOURCE.c TESTS [KEY=VALUE...]");
        exit(2);
    }
    match judge_all(&arguments[1], &arguments[2], &arguments[3..]) {
        Ok(verdict) => {
            println!("verdict {verdict}");
            exit((verdict != "AC") as i32);
        }
        Err(why) => {
            eprintln!("judge: {why}");
            exit(4);
        }
    }
}
