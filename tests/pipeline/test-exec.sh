#!/bin/bash
# SPDX-License-Identifier: MIT
# sandbox-run exec, shell and policy: every option at work in a real jail, and what is said when it
# cannot be.
# alone: what is left on the host is counted
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../user.sh"

# Neither the caller's defaults nor the host's take part.
for v in "${!SANDBOX_RUN_@}"; do unset "$v"; done
mkdir "$scratch/config"
export XDG_CONFIG_HOME=$scratch/config
chmod 755 "$scratch"

# said NAME EXIT PATTERN COMMAND...: stdout and stderr together.
said() {
	local name=$1 expected=$2 pattern=$3 out code
	shift 3
	out=$(timeout 60 "$@" 2>&1 </dev/null)
	code=$?
	equal "$name: exit code" "$expected" "$code" "$out"
	like "$name: output" "$pattern" "$out"
}

# The member of the object in FILE, as python has it: result FILE '["enforced"]["memory"]'
result() {
	python3 -c 'import json, sys
r = json.loads(open(sys.argv[1]).readlines()[-1])
print(eval("r" + sys.argv[2]))' "$1" "$2" 2>&1
}

"$run" exec -- true # sweeps what dead owners left before
before=$(traces)

# ------------------------------------------------------------------------------ limits
said "--nofile" 0 '^77$' "$run" exec --nofile 77 -- sh -c 'ulimit -n'
said "--nofile: too few" 125 'nofile.*from 8' "$run" exec --nofile 7 -- true
said "--stack" 0 '^4096$' "$run" exec --stack 4M -- sh -c 'ulimit -s'
said "--fsize" 153 'file size limit 64K' \
	"$run" exec --fsize 64K -- sh -c 'head -c 70000 /dev/zero >/box/f; kill -XFSZ $$'
said "--pids" 2 'fork' "$run" exec --pids 2 -- sh -c 'true | cat | cat'
said "--disk" 1 'No space left' "$run" exec --disk 1M -- sh -c 'head -c 2000000 /dev/zero >/box/f'
said "--output" 0 'bytes' "$run" exec --output 4K -- sh -c 'head -c 100000 /dev/zero | tr "\0" x'
said "--cpu" 0 '^$' "$run" exec --cpu 0.5 --json="$scratch/cpu" -- true
like "--cpu: enforced" '^cgroup[12]$' "$(result "$scratch/cpu" '["enforced"]["cpu"]')"
equal "nothing is unenforced" '[]' "$(result "$scratch/cpu" '["unenforced"]')"

# ------------------------------------------------------------------------- exit codes
said "124: time" 124 'time limit 100ms' "$run" exec --wall 100ms -- sleep 60
said "125: a policy that is not there" 125 'did you mean exec' "$run" exec --policy exce -- true
said "126: not executable" 126 'cannot be executed' "$run" exec -- /etc/passwd
said "127: not found" 127 'no-such.*not found' "$run" exec -- no-such
said "128+n: a signal" 143 'signal 15' "$run" exec -- sh -c 'kill -TERM $$'
said "the command's own code" 42 '^$' "$run" exec -- sh -c 'exit 42'

# ---------------------------------------------------------------------------- streams
printf 'line\n' >"$scratch/in"
said "--stdin, --stdout" 0 '^$' \
	"$run" exec --stdin "$scratch/in" --stdout "$scratch/out" -- tr a-z A-Z
equal "--stdout: what was written" LINE "$(cat "$scratch/out")"
said "--append" 0 '^$' "$run" exec --append --stdout "$scratch/out" -- echo more
equal "--append: at the end" "LINE more" "$(tr '\n' ' ' <"$scratch/out" | sed 's/ $//')"
said "one file for both" 0 '^$' "$run" exec --stdout "$scratch/both" --stderr "$scratch/both" \
	-- sh -c 'echo out; echo err >&2; echo out'
equal "one file for both: in the order of writing" "out err out " "$(tr '\n' ' ' <"$scratch/both")"
(umask 077 && "$run" exec --stdout "$scratch/private" -- true)
equal "a new file has the caller's umask" 600 "$(stat -c %a "$scratch/private")"
said "--stdin: not there" 125 'no-such-file: No such file' \
	"$run" exec --stdin "$scratch/no-such-file" -- true
said "--stdin: a directory" 125 'directory of the host' "$run" exec --stdin "$scratch" -- true
said "--append alone" 2 'stdout and --stderr' "$run" exec --append -- true

# ----------------------------------------------------------------- descriptors, arguments
exec 7<"$scratch/in" 8<"$scratch"
said "--fd N" 0 '^line$' "$run" exec --fd 7 -- sh -c 'cat <&7'
exec 7<"$scratch/in"
said "--fd N=M" 0 '^line$' "$run" exec --fd 7=3 -- sh -c 'cat <&3'
exec 7<"$scratch/in"
said "without --fd it is not passed" 2 'Bad f' "$run" exec -- sh -c 'cat <&7'
said "--fd: a directory is refused" 125 'directory of the host' "$run" exec --fd 8 -- true
said "--fd: not open" 125 'is not open' "$run" exec --fd 99 -- true
said "--fd: 0 to 2 are streams" 2 'from 3 to 1023' "$run" exec --fd 2 -- true
said "--fd: a target twice" 125 'given before' "$run" exec --fd 7=9 --fd 7=9 -- true
exec 7<&- 8<&-
printf 'a b\0\0c' >"$scratch/args"
said "--args-fd" 0 '^<x><a b><><c>$' "$run" exec --args-fd 3 -- printf '<%s>' x 3<"$scratch/args"
printf 'echo\0whole' >"$scratch/args"
said "--args-fd: the whole command" 0 '^whole$' "$run" exec --args-fd 3 3<"$scratch/args"
head -c 200000 /dev/zero >"$scratch/args"
said "--args-fd: too much" 125 '128 KiB' "$run" exec --args-fd 3 -- true 3<"$scratch/args"

# -------------------------------------------------------------------------- file tree
said "--tmpfs" 0 '^1024 w$' "$run" exec --tmpfs /scratch:1M \
	-- sh -c 'echo $(df -k --output=size /scratch | tail -1) $(touch /scratch/x && echo w)'
said "--tmpfs: no size" 2 'DST:SIZE' "$run" exec --tmpfs /scratch -- true
said "--tmpfs: relative" 2 'no absolute path' "$run" exec --tmpfs a:1M -- true

# A tree with a shell, made of what this host has: nothing of the host's own may be seen.
tree=$scratch/tree
mkdir -p "$tree/bin" "$tree/etc"
programs=$(for p in sh cat ls id touch; do command -v $p; done)
cp $programs "$tree/bin"
for library in $(ldd $programs | grep -oE '/[^ :]+\.so[^ :]*' | sort -u); do cp \
	--parents "$library" "$tree"; done
echo of-the-tree >"$tree/etc/marker"
chown -R 0:0 "$tree"
said "--root" 0 '^of-the-tree$' "$run" exec --root "$tree" -- /bin/sh -c 'cat /etc/marker'
said "--root: nothing of the host" 2 "cannot access '/usr/share'" \
	"$run" exec --root "$tree" -- ls /usr/share
said "--root: localhost is known" 0 'localhost' "$run" exec --root "$tree" -- cat /etc/hosts
echo hello >"$scratch/f"
said "--root: mounts below" 0 '^hello$' "$run" exec --root "$tree" --ro "$scratch/f:/data/f" \
	--tmpfs /t:1M -- sh -c 'touch /t/x /box/x && cat /data/f'
said "--root: root's files are read-only" 1 'Permission denied' \
	"$run" exec --root "$tree" -- touch /etc/new
chown -R 1000:1000 "$tree/etc"
said "--root: writes go to memory" 0 '^changed$' \
	"$run" exec --root "$tree" -- sh -c 'echo changed >/etc/marker; cat /etc/marker'
equal "--root: the tree is as it was" of-the-tree "$(cat "$tree/etc/marker")"
equal "--root: nothing was made in it" "bin etc" \
	"$(ls "$tree" | grep -vE '^(lib|lib64|usr)$' | xargs)"
said "--root: not there" 125 'no/such' "$run" exec --root /no/such -- true
said "--root: a file" 125 'not a directory' "$run" exec --root "$scratch/in" -- true
said "--root: the host's own is refused" 125 'no source' "$run" exec --root / -- true

# -------------------------------------------------------------------------------- ids
said "--uid, --gid" 0 '^1234 77$' "$run" exec --uid 1234 --gid 77 -- sh -c 'echo $(id -u) $(id -g)'
said "--uid 0 is no number" 2 'whole number' "$run" exec --uid 0 -- true
said "--uid: beyond the range" 125 'from 1 to 65534' "$run" exec --uid 70000 -- true

# ------------------------------------------------------------------------ system calls
make_socket='import socket
try:
    socket.socket(); print("made")
except OSError as e:
    print(e.strerror)'
said "control: sockets" 0 '^made$' "$run" exec -- python3 -c "$make_socket"
said "--net none" 0 'not permitted' "$run" exec --net none -- python3 -c "$make_socket"
said "--net loopback" 0 '^made$' "$run" exec --net loopback -- python3 -c "$make_socket"
said "--net host is refused" 2 'none, loopback' "$run" exec --net host -- true
said "--seccomp deny:" 0 'not permitted' \
	"$run" exec --seccomp deny:socket,bind -- python3 -c "$make_socket"
said "--seccomp enosys:" 0 'not implemented' \
	"$run" exec --seccomp enosys:@net -- python3 -c "$make_socket"
said "--seccomp NAME: that policy's calls" 0 'not permitted' \
	"$run" exec --seccomp base -- python3 -c "$make_socket"
said "--seccomp NAME and allow:" 0 '^made$' \
	"$run" exec --seccomp allow:@net --seccomp base -- python3 -c "$make_socket"
printf '{ "extends": "base", "memory": "none", "syscalls": { "allow": ["@net"] } }' \
	>"$scratch/profile.json"
said "--seccomp FILE" 0 '^made$' "$run" exec --policy classic-judge \
	--seccomp "$scratch/profile.json" -- python3 -c "$make_socket"
said "--seccomp: a misspelt call" 125 'did you mean "socket"' \
	"$run" exec --seccomp deny:sockt -- true
said "--seccomp: what no policy can allow" 125 'no policy can allow' \
	"$run" exec --seccomp allow:mount -- true
said "--seccomp: two profiles" 2 'second profile' "$run" exec --seccomp base --seccomp exec -- true

# ------------------------------------------------------------------------------ ports
cat >"$scratch/ports.py" <<'PY'
# Services outside, one of each kind; the command's words are then run with their addresses.
import os, socket, subprocess, sys, threading
run, scratch = sys.argv[1:3]
def serve(s):
    while True:
        c, _ = s.accept()
        c.sendall(b"from outside\n")
        c.close()
tcp, unix = socket.socket(), socket.socket(socket.AF_UNIX)
tcp.bind(("127.0.0.1", 0))
unix.bind(scratch + "/socket")
os.chmod(scratch + "/socket", 0o666)
for s in tcp, unix:
    s.listen(5)
    threading.Thread(target=serve, args=(s,), daemon=True).start()
port = tcp.getsockname()[1]
client = 'import socket; print(socket.create_connection(("127.0.0.1", 5432)).makefile().read(), end="")'
for target in f"127.0.0.1:{port}", str(port), scratch + "/socket":
    r = subprocess.run([run, "exec", "--forward", "5432=" + target, "--", "python3", "-c", client],
                       capture_output=True, text=True, timeout=60)
    print(r.returncode, r.stdout.strip(), r.stderr.strip())
os.chmod(scratch + "/socket", 0o600)
r = subprocess.run([run, "exec", "--forward", f"5432={scratch}/socket", "--", "true"],
                   capture_output=True, text=True, timeout=60)
print(r.returncode, r.stderr.strip())
PY
out=$(timeout 120 python3 "$scratch/ports.py" "$run" "$scratch" 2>&1)
equal "--forward HOST:PORT" "0 from outside" "$(sed -n 1p <<<"$out" | xargs)"
equal "--forward PORT" "0 from outside" "$(sed -n 2p <<<"$out" | xargs)"
equal "--forward /path" "0 from outside" "$(sed -n 3p <<<"$out" | xargs)"
like "--forward: a socket that is closed to others" '^125 .*chmod o\+rw' "$(sed -n 4p <<<"$out")"

cat >"$scratch/publish.py" <<'PY'
# A server in the jail, found from outside by what --status-fd says, and asked until it answers.
import json, os, socket, subprocess, sys
run, text = sys.argv[1:3]
r, w = os.pipe()
server = 'import socket; s = socket.create_server(("127.0.0.1", 8000)); print("ready", flush=True); c, _ = s.accept(); c.sendall(b"from inside\\n")'
p = subprocess.Popen([run, "exec", "--publish", text, "--status-fd", str(w), "--", "python3", "-c", server],
                     pass_fds=[w], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
os.close(w)
lines = os.fdopen(r)
started = json.loads(lines.readline())
p.stdout.readline()  # ready
place = started["published"][0]
if "path" in place:
    c = socket.socket(socket.AF_UNIX)
    c.connect(place["path"])
else:
    c = socket.create_connection((place["host"], place["host_port"]))
print(c.makefile().read(), end="")
finished = json.loads(lines.readline())
print(started["event"], started["pid"] > 1, finished["event"], finished["status"], p.wait(60))
print(p.stderr.read(), end="")
PY
out=$(timeout 60 python3 "$scratch/publish.py" "$run" 0=8000 2>&1)
equal "--publish 0=PORT" "from inside" "$(sed -n 1p <<<"$out")"
equal "--status-fd: both events" "started True finished 0 0" "$(sed -n 2p <<<"$out")"
like "--publish 0: the port is said" '127\.0\.0\.1:[0-9]+ leads to port 8000' \
	"$(sed -n 3p <<<"$out")"
out=$(timeout 60 python3 "$scratch/publish.py" "$run" "$scratch/published=8000" 2>&1)
equal "--publish /path" "from inside" "$(sed -n 1p <<<"$out")"
check "--publish /path: the socket is gone" test ! -e "$scratch/published"
said "--forward: no target" 2 'PORT=TARGET' "$run" exec --forward 5432 -- true
said "--forward: a socket that is not there" 125 'no/such: No such file' \
	"$run" exec --forward 1=/no/such -- true
said "--publish: no port" 2 'PORT=PORT' "$run" exec --publish 80 -- true
said "--net none with --forward" 2 'nowhere' "$run" exec --net none --forward 1=2 -- true

# ----------------------------------------------------------------------------- result
said "--json: to stdout" 3 '^."schema":"sandbox-exec/1","status":3,' \
	"$run" exec --json -- sh -c 'exit 3'
said "--status-fd: not open" 125 'status-fd: 99: is not open' "$run" exec --status-fd 99 -- true
said "--status-fd: a run that never began" 127 '"event":"finished".*"verdict":"error"' \
	"$run" exec --status-fd 2 -q -- no-such
said "--label" 125 'label' "$run" exec --label 'a b' -- true
said "--quiet" 124 '^$' "$run" exec -q --wall 100ms -- sleep 60

# ---------------------------------------------------------------------------- dry run
"$run" exec -- true
groups=$(traces)
said "--dry-run" 0 'bind +/usr read-only.*memory.*A=x y.*echo .it.*nothing was made' \
	"$run" exec --dry-run -e 'A=x y' --memory 64M --stdout "$scratch/never" --publish 0=8000 \
	-- echo "it's"
check "--dry-run: opens no file" test ! -e "$scratch/never"
equal "--dry-run: makes nothing" "$groups" "$(traces)"
said "--dry-run: finds mistakes" 125 'did you mean exec' "$run" exec --dry-run --policy exce -- true

# ------------------------------------------------------------ environment and defaults
export SANDBOX_RUN_WALL=100ms
said "SANDBOX_RUN_WALL" 124 'time limit 100ms' "$run" exec -- sleep 60
said "the command line wins" 0 '^$' "$run" exec --wall 50s -- sleep 0.2
SANDBOX_RUN_WALL=100 said "a wrong value" 2 'SANDBOX_RUN_WALL: "100" has no unit' \
	"$run" exec -- true
unset SANDBOX_RUN_WALL
SANDBOX_RUN_ENV=$'A=1\nB=2 3' said "a list has lines" 0 'A=1.B=2 3' "$run" exec -- env
SANDBOX_RUN_MEMROY=64M said "a misspelt variable" 2 'did you mean SANDBOX_RUN_MEMORY' \
	"$run" exec -- true
mkdir "$scratch/config/sandbox"
defaults=$scratch/config/sandbox/run.json
printf '// defaults\n{ "exec": { "nofile": 33, "env": { "X": "of-the-file" } } }' >"$defaults"
said "a file of defaults" 0 '^33 of-the-file$' "$run" exec -- sh -c 'echo $(ulimit -n) $X'
SANDBOX_RUN_NOFILE=44 said "the environment before the file" 0 '^44$' \
	"$run" exec -- sh -c 'ulimit -n'
said "--no-config" 0 '^4096$' "$run" exec --no-config -- sh -c 'ulimit -n'
said "--config" 0 '^33$' env XDG_CONFIG_HOME=/no/such \
	"$run" exec --config "$defaults" -- sh -c 'ulimit -n'
printf '{ "exec": {\n  "nofiel": 33 } }' >"$defaults"
said "a file with a mistake" 2 'run.json:2:13: .*did you mean "nofile"' "$run" exec -- true
chown 65534 "$defaults"
said "a file of somebody else" 2 'belongs to uid 65534' "$run" exec -- true
rm "$defaults"

# -------------------------------------------------------------------------- unprivileged
become 65534
copy_for_user "$scratch/copy"
theirs=$scratch/copy/runner/sandbox-run
trap 'rm -rf "$scratch" /tmp/sandbox-65534' EXIT
said "as nobody: goes without" 0 'uid=1000.*memory limit was not enforced' "${as_user[@]}" \
	"$theirs" exec --allow-unenforced all -- id
said "as nobody: --require" 0 '^uid=1000' "${as_user[@]}" "$theirs" exec -q --require pids -- id
said "as nobody: refused with the remedy" 125 '(memory|cpu|pids).*--allow-unenforced' \
	"${as_user[@]}" "$theirs" exec -- true
"${as_user[@]}" "$theirs" exec -q --allow-unenforced all --json -- true >"$scratch/result"
like "as nobody: the result says so" "'memory'" "$(result "$scratch/result" '["unenforced"]')"
said "--allow-unenforced: a wrong name" 2 'is not one of memory' \
	"$run" exec --allow-unenforced memori -- true
said "--allow-unenforced and --require" 2 'give one' \
	"$run" exec --allow-unenforced all --require pids -- true

# ----------------------------------------------------------------------------- policy
said "policy list" 0 'base.*exec.*node-server' "$run" policy list
said "policy show" 0 'identity.*file tree.*system calls' "$run" policy show node-server
for p in "$source_dir"/policies/*.json; do
	said "policy check $(basename "$p")" 0 'no fault found' "$run" policy check "$p"
done
printf '{\n  "extends": "exec",\n  "memroy": "1M"\n}' >"$scratch/bad.json"
said "policy check: a mistake" 2 'bad.json:3 .*did you mean "memory"' \
	"$run" policy check exec "$scratch/bad.json"
said "policy: no such verb" 2 'did you mean check' "$run" policy chek x

# ------------------------------------------------------------------------------- help
for c in exec shell grade test policy doctor trace; do
	out=$("$run" "$c" --help)
	equal "$c --help: at most 80 columns" "" "$(grep -E '^.{81}' <<<"$out")"
	like "$c --help: examples, exit codes last" 'Examples:.*Exit codes' "$out"
	check "help lists $c" grep -q "^  $c " <("$run" --help)
done

# ------------------------------------------------------------------------------ shell
cat >"$scratch/shell.py" <<'PY'
# A user at a terminal of 33 rows and 77 columns, who waits for the prompt before typing.
import fcntl, os, pty, select, signal, struct, sys, termios, time
run, what = sys.argv[1:3]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execv(run, [run, "shell", "-e", "PS1=ready> "])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
seen = b""
def wait_for(text):
    global seen
    while text not in seen:
        if not select.select([fd], [], [], 60)[0]:
            sys.exit(f"no {text!r} in {seen!r}")
        try:
            seen += os.read(fd, 4096)
        except OSError:
            sys.exit(f"ended without {text!r}: {seen!r}")
    here, seen = seen.split(text, 1)
    return (here + text).decode()
wait_for(b"ready> ")
def type_line(text, answer=b"ready> "):
    os.write(fd, text)
    return wait_for(answer)
if what == "size":
    print("33 77" in type_line(b"stty size\n"))
elif what == "interrupt":
    # Told by the job itself, which has the terminal by then.
    type_line(b"sh -c 'echo begin; exec sleep 1000'\n", b"\nbegin\r\n")
    print("ready" in type_line(b"\x03"))
elif what == "jobs":
    print("Stopped" in type_line(b"sh -c 'kill -STOP $$'\n") and "Stopped" in type_line(b"jobs\n"))
    type_line(b"kill -9 %1; fg\n")
elif what == "raw":
    print(termios.tcgetattr(fd)[3] & termios.ICANON == 0)
elif what == "term":
    os.kill(pid, signal.SIGTERM)
if what != "term":
    os.write(fd, b"exit 7\n")
while True: # until the last one that has it open is gone
    try:
        if not os.read(fd, 4096):
            break
    except OSError:
        break
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
for what in size interrupt jobs raw; do
	equal "shell: $what" "True 7" \
		"$(timeout 120 python3 "$scratch/shell.py" "$run" $what 2>&1 | xargs)"
done
equal "shell: SIGTERM" 143 "$(timeout 120 python3 "$scratch/shell.py" "$run" term 2>&1 | xargs)"
said "shell: no terminal" 2 'must be a terminal' "$run" shell
said "shell --dry-run" 0 'a terminal of its own' "$run" shell --dry-run

"$run" exec -- true
nothing_left "$before"
finish
