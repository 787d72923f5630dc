// SPDX-License-Identifier: MIT

// A classic judge of C programs, through cgo:   judge SOURCE.c TESTS [KEY=VALUE...]
//
// Does and prints what judge.c does and prints. What C reads through a pointer inside a struct must
// not be Go's memory, so arguments are made by memory, below; the structs themselves may be Go's.
package main

/*
#cgo pkg-config: libsandbox
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sandbox/sandbox.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u // Linux 6.3
#endif

static int memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int seal(int fd)
{
	return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unsafe"
)

// memory is what C may keep pointers to until it is freed.
type memory []unsafe.Pointer

func (m *memory) alloc(size uintptr) unsafe.Pointer {
	p := C.calloc(1, C.size_t(size)) // never nil: cgo panics instead
	*m = append(*m, p)
	return p
}

func (m *memory) free() {
	for _, p := range *m {
		C.free(p)
	}
}

func (m *memory) string(s string) *C.char {
	p := C.CString(s)
	*m = append(*m, unsafe.Pointer(p))
	return p
}

func (m *memory) strings(words ...string) **C.char {
	p := m.alloc(uintptr(len(words)+1) * unsafe.Sizeof((*C.char)(nil))) // the last one stays nil
	for i, word := range words {
		*(**C.char)(unsafe.Add(p, i*int(unsafe.Sizeof((*C.char)(nil))))) = m.string(word)
	}
	return (**C.char)(p)
}

// check makes an error of a negative return value.
func check(r C.int, e *C.struct_sbx_error) error {
	if r >= 0 {
		return nil
	}
	return fmt.Errorf("%s %s: %s", C.GoString(&e.stage[0]), C.GoString(&e.item[0]),
		C.GoString(&e.text[0]))
}

func newPlan(name string, settings []string) (plan *C.struct_sbx_plan, err error) {
	var policy *C.struct_sbx_policy
	var e C.struct_sbx_error
	var m memory
	defer m.free()

	dir, found := os.LookupEnv("SANDBOX_POLICY_DIR")
	if !found {
		dir = "/usr/local/share/sandbox/policies"
	}
	r := C.sbx_policy_load(&policy, m.string(dir+"/"+name+".json"), nil, &e)
	if r < 0 {
		return nil, check(r, &e)
	}
	defer C.sbx_policy_free(policy) // the plan does not refer to it
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		if r = C.sbx_policy_set(policy, m.string(key), m.string(value), &e); r < 0 {
			return nil, check(r, &e)
		}
	}
	r = C.sbx_policy_compile(policy, &plan, &e)
	return plan, check(r, &e)
}

type judge struct {
	ctx      *C.struct_sbx_ctx
	compiler *C.struct_sbx_plan
	plan     *C.struct_sbx_plan
	program  *os.File
}

func (j *judge) close() {
	j.program.Close() // a nil *os.File says so and no more
	C.sbx_plan_unref(j.plan)
	C.sbx_plan_unref(j.compiler)
	C.sbx_ctx_free(j.ctx)
}

func newJudge(settings []string) (*judge, error) {
	var e C.struct_sbx_error
	var j judge
	err := check(C.sbx_ctx_new(&j.ctx, nil, &e), &e)
	if err == nil {
		j.compiler, err = newPlan("compile", nil)
	}
	if err == nil {
		j.plan, err = newPlan("classic-judge", settings)
	}
	if err != nil {
		j.close()
		return nil, err
	}
	return &j, nil
}

// run runs one program in a new jail to its end, and look, if not nil, while the jail is there.
func (j *judge) run(plan *C.struct_sbx_plan, spec *C.struct_sbx_exec,
	look func(*C.struct_sbx_jail, *C.struct_sbx_result) error) (*C.struct_sbx_result, error) {
	var result C.struct_sbx_result
	var jail *C.struct_sbx_jail
	var proc *C.struct_sbx_proc
	var e C.struct_sbx_error

	spec.size = C.uint32_t(unsafe.Sizeof(*spec))
	result.size = C.uint32_t(unsafe.Sizeof(result))
	if r := C.sbx_jail_new(j.ctx, plan, &jail, nil, &e); r < 0 {
		return nil, check(r, &e)
	}
	defer C.sbx_jail_free(jail)
	if r := C.sbx_jail_exec(jail, &proc, spec, &e); r < 0 {
		return nil, check(r, &e)
	}
	defer C.sbx_proc_free(proc) // before its jail
	if r := C.sbx_proc_wait(proc, C.UINT64_MAX, &result, &e); r < 0 {
		return nil, check(r, &e)
	}
	if result.verdict == C.SBX_VERDICT_LOST {
		return nil, errors.New("the jail was lost")
	}
	if look != nil {
		return &result, look(jail, &result)
	}
	return &result, nil
}

func newMemfd(name string) (*os.File, error) {
	var m memory
	defer m.free()
	fd, err := C.memfd(m.string(name))
	if fd < 0 {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// takeProgram copies the executable to a sealed memfd: no test can change it for the next one, and
// no file is left behind. What a jail has at that path may be anything: it is looked at first.
func takeProgram(jail *C.struct_sbx_jail) (*os.File, error) {
	var e C.struct_sbx_error
	var m memory
	defer m.free()

	r := C.sbx_jail_open(jail, m.string("/box/program"), C.O_RDONLY|C.O_NOFOLLOW, &e)
	if r < 0 {
		return nil, check(r, &e)
	}
	file := os.NewFile(uintptr(r), "/box/program")
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("/box/program is not a file")
	}
	program, err := newMemfd("program")
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(program, file); err != nil {
		program.Close()
		return nil, err
	}
	if r, err := C.seal(C.int(program.Fd())); r < 0 {
		program.Close()
		return nil, err
	}
	return program, nil
}

// compile leaves j.program nil if the source does not compile, and prints the compiler's messages.
func (j *judge) compile(name string) error {
	var m memory
	defer m.free()

	source, err := os.Open(name)
	if err != nil {
		return err
	}
	defer source.Close()
	messages, err := newMemfd("messages")
	if err != nil {
		return err
	}
	defer messages.Close()
	spec := C.struct_sbx_exec{
		flags: C.SBX_EXEC_STDIN | C.SBX_EXEC_STDERR,
		argv: m.strings("gcc", "-std=gnu17", "-O2", "-pipe", "-x", "c", "-o", "/box/program", "-",
			"-lm"),
		env:       m.strings("PATH=/usr/bin:/bin"),
		stdin_fd:  C.int32_t(source.Fd()),
		stderr_fd: C.int32_t(messages.Fd()),
	}
	_, err = j.run(j.compiler, &spec,
		func(jail *C.struct_sbx_jail, result *C.struct_sbx_result) (err error) {
			if result.exit_code == 0 {
				j.program, err = takeProgram(jail)
				return err
			}
			if _, err = messages.Seek(0, io.SeekStart); err != nil {
				return err
			}
			text, err := io.ReadAll(messages)
			for i, b := range text { // it quotes the source: no control codes
				if (b < ' ' || b > '~') && b != '\n' && b != '\t' {
					text[i] = '?'
				}
			}
			fmt.Printf("%s", text)
			if result.verdict != C.SBX_VERDICT_EXITED {
				fmt.Println("the compiler met a limit")
			}
			return err
		})
	return err
}

func nextToken(b []byte) (token, rest []byte) {
	const space = " \t\n\v\f\r"
	b = bytes.TrimLeft(b, space)
	if end := bytes.IndexAny(b, space); end >= 0 {
		return b[:end], b[end:]
	}
	return b, nil
}

// sameTokens: the same tokens in the same order; the white space between them does not matter.
func sameTokens(a, b []byte) bool {
	for {
		var x, y []byte
		x, a = nextToken(a)
		y, b = nextToken(b)
		if !bytes.Equal(x, y) {
			return false
		}
		if len(x) == 0 {
			return true
		}
	}
}

// failure is the verdict of a run that failed, and why; "": its output decides.
func failure(r *C.struct_sbx_result) (verdict, why string) {
	switch {
	case r.verdict == C.SBX_VERDICT_CPU:
		return "TLE", "cpu time"
	case r.verdict == C.SBX_VERDICT_WALL:
		return "TLE", "wall time"
	case r.verdict == C.SBX_VERDICT_MEMORY:
		return "MLE", ""
	case r.verdict == C.SBX_VERDICT_OUTPUT:
		return "OLE", ""
	case r.exit_code == 0:
		return "", ""
	case r.term_signal > 0 && r.term_signal < 32:
		return "RE", "SIG" + C.GoString(C.sigabbrev_np(C.int(r.term_signal)))
	case r.term_signal > 0:
		return "RE", fmt.Sprint("signal ", r.term_signal)
	}
	return "RE", fmt.Sprint("exit code ", r.exit_code)
}

// test runs the program on one test and prints how that went. "": there is no such test.
func (j *judge) test(dir string, n int) (string, error) {
	var m memory
	defer m.free()

	input, err := os.Open(fmt.Sprintf("%s/%d.in", dir, n))
	if errors.Is(err, os.ErrNotExist) && n > 1 {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer input.Close()
	expected, err := os.ReadFile(fmt.Sprintf("%s/%d.ans", dir, n))
	if err != nil {
		return "", err
	}
	output, err := newMemfd("output")
	if err != nil {
		return "", err
	}
	defer output.Close()
	spec := C.struct_sbx_exec{
		flags:     C.SBX_EXEC_STDIN | C.SBX_EXEC_STDOUT | C.SBX_EXEC_OUTPUT_KILL,
		path:      m.string("/proc/self/fd/3"),
		argv:      m.strings("program"),
		stdin_fd:  C.int32_t(input.Fd()),
		stdout_fd: C.int32_t(output.Fd()),
		n_fds:     1,
		fds:       (*C.struct_sbx_fd)(m.alloc(unsafe.Sizeof(C.struct_sbx_fd{}))),
	}
	*spec.fds = C.struct_sbx_fd{fd: C.int32_t(j.program.Fd()), target: 3}
	result, err := j.run(j.plan, &spec, nil)
	if err != nil {
		return "", err
	}
	verdict, why := failure(result)
	if verdict == "" {
		if _, err = output.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
		got, err := io.ReadAll(output)
		if err != nil {
			return "", err
		}
		verdict = "WA"
		if sameTokens(got, expected) {
			verdict = "AC"
		}
	}
	fmt.Printf("%4d %-3s %6d ms %8d KiB  %s\n", n, verdict, result.cpu_ns/1000000,
		result.stats.memory_peak/1024, why)
	return verdict, nil
}

func judgeAll(source, tests string, settings []string) (string, error) {
	j, err := newJudge(settings)
	if err != nil {
		return "", err
	}
	defer j.close()
	if err = j.compile(source); err != nil {
		return "", err
	}
	if j.program == nil {
		return "CE", nil
	}
	verdict := "AC"
	for n := 1; ; n++ {
		v, err := j.test(tests, n)
		if err != nil {
			return "", err
		}
		if v == "" {
			return verdict, nil
		}
		if verdict == "AC" {
			verdict = v
		}
	}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: judge SOURCE.c TESTS [KEY=VALUE...]")
		os.Exit(2)
	}
	verdict, err := judgeAll(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(4)
	}
	fmt.Println("verdict", verdict)
	if verdict != "AC" {
		os.Exit(1)
	}
}
