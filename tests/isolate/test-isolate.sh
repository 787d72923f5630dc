#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sandbox-isolate as a judge sees it: the life of a box, the meta file, files, limits, locks, wrong
# usage, and boxes that hostile programs left behind. typical.sh runs unchanged, with `isolate`
# being sandbox-isolate by a link in PATH.
set -u
. "$(dirname "$0")/../tap.sh"
. "$(dirname "$0")/../user.sh"

build=${SANDBOX_BUILD:?is set by tests/run.sh}
tests=$(cd "$(dirname "$0")" && pwd)
ulimit -n 1024 # as usual: no depth of a tree may need more
work=$(mktemp -d)
chmod 755 "$work"
mkdir "$work/bin" "$work/boxes"
ln -s "$build/runner/isolate/sandbox-isolate" "$work/bin/isolate"
printf 'box_root = %s\nlock_root = %s\n' "$work/boxes" "$work/locks" >"$work/conf"
export PATH=$work/bin:$PATH SANDBOX_ISOLATE_CONFIG=$work/conf
meta=$work/meta
trap 'umount "$work/boxes/0/box/mounted" "$work/quota" 2>/dev/null
	rm -rf "$work" /tmp/sandbox-12345' EXIT

# equal NAME EXPECTED ACTUAL
equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected: $2" "actual:   $3" "stderr: $(cat "$work/err" 2>/dev/null)"
	fi
}

like() { # NAME PATTERN TEXT
	if [[ $3 =~ $2 ]]; then
		pass "$1"
	else
		fail "$1" "pattern: $2" "text:    $3"
	fi
}

# await COMMAND...: until it succeeds; gives up after a while, and the test that follows fails.
await() {
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" && return
		read -rt 0.05 <> <(:)
	done
}

value() { sed -n "s/^$1://p" "$meta"; }
keys() { cut -d: -f1 "$meta" | tr '\n' ' '; }

# Runs in box 0 with a meta file; leaves `code`, $work/out and $work/err.
run() {
	rm -f "$meta"
	isolate -M "$meta" --run "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
}

shell() { # OPTION... -- SCRIPT: a script with as many processes as it likes
	local script=${!#}
	run -p -E PATH=/usr/bin:/bin "${@:1:$#-1}" /bin/sh -c "$script"
}

status() { echo "$code:$(value status):$(value message)"; }
fresh() { box=$(isolate --init)/box; }

# ------------------------------------------------------------------ life

fresh
equal "--init prints the directory" "$work/boxes/0/box" "$box"
equal "the box is the caller's alone" "0:0:700" "$(stat -c %u:%g:%a "$box")"

run -- /bin/echo hello
equal "output is inherited" hello "$(cat "$work/out")"
like "the line on stderr" '^OK \([0-9]+\.[0-9]{3} sec real, [0-9]+\.[0-9]{3} sec wall\)$' \
	"$(cat "$work/err")"
equal "a good run: keys in isolate's order" \
	"time time-wall max-rss csw-voluntary csw-forced exitcode " "$(keys)"
like "times have three decimals" '^[0-9]+\.[0-9]{3}$' "$(value time)"
like "max-rss is in KB" '^[1-9][0-9]{2,5}$' "$(value max-rss)"

echo data >"$box/file"
mkdir "$box/dir"
shell -- 'id -u; stat -c %u:%U file dir; echo more >>file; echo new >dir/new'
like "the program has a uid of its own, and the files" '^60000 60000:[^ ]+ 60000:' \
	"$(tr '\n' ' ' <"$work/out")"
equal "afterwards all is the caller's again" "0 0 0" \
	"$(stat -c %u "$box/file" "$box/dir" "$box/dir/new" | xargs)"
equal "what it wrote is there" "data more new" "$(cat "$box/file" "$box/dir/new" | xargs)"
shell -- 'echo kept >/tmp/kept'
shell -- 'cat /tmp/kept'
equal "/tmp is kept between runs" kept "$(cat "$work/out")"

echo old >"$box/left"
fresh
equal "--init resets a box" "" "$(ls -A "$box")"
isolate --cleanup
equal "--cleanup removes it" "0:" "$?:$(ls "$work/boxes")"
isolate --cleanup
equal "--cleanup twice is no error" 0 $?
run -- /bin/true
equal "no run without --init" "2:XX:Box not found, did you run \`isolate --init'?" "$(status)"

# -------------------------------------------------------------- how it ended

fresh
run -- /bin/sh -c 'exit 7'
equal "RE" "1:RE:Exited with error status 7" "$(status)"
equal "RE: exit code" 7 "$(value exitcode)"
run -- /bin/sh -c 'kill -SEGV $$'
equal "SG" "1:SG:Caught fatal signal 11" "$(status)"
equal "SG: signal" 11 "$(value exitsig)"
run -t 0.3 -w 60 -- /bin/sh -c 'while :; do :; done'
equal "TO" "1:TO:Time limit exceeded" "$(status)"
like "TO: keys in isolate's order" '^status message killed time time-wall max-rss ' "$(keys)"
like "TO: the time is told" '^0\.[3-9]|^[1-9]' "$(value time)"
run -t 0.2 -x 0.2 -w 60 -- /bin/sh -c 'while :; do :; done'
like "--extra-time: killed later, still TO" '^TO 0\.[4-9]|^TO [1-9]' "$(value status) $(value time)"
run -w 0.3 -- /bin/sleep 60
equal "TO by the wall clock" "1:TO:Time limit exceeded (wall clock)" "$(status)"
run -- /nonexistent
equal "what cannot be executed exits with 127" "1:RE:Exited with error status 127" "$(status)"
like "and says why" 'execve\("/nonexistent"\): No such file' "$(cat "$work/err")"
isolate -s --run -- /bin/false 2>"$work/err"
equal "--silent" "1:" "$?:$(cat "$work/err")"
isolate --run -M - -- /bin/true >"$work/out" 2>/dev/null
like "--meta=- is stdout" 'exitcode:0' "$(cat "$work/out")"

isolate --run -M "$meta" -- /bin/sh -c 'echo started; exec sleep 60' >"$work/out" 2>"$work/err" &
pid=$!
await grep -q started "$work/out"
kill -INT $pid
wait $pid
code=$?
equal "SIGINT" "1:SG:Interrupted" "$(status)"
equal "SIGINT: signal" "2:1" "$(value exitsig):$(value killed)"

# -------------------------------------------------------------------- memory

isolate --cleanup
box=$(isolate --cg --init)/box
run --cg --cg-mem=32768 -- /usr/bin/python3 -c 'x = b"x" * (200 << 20)'
equal "--cg-mem: killed" "1:SG:Caught fatal signal 9" "$(status)"
equal "--cg-mem: the meta file says why" 1 "$(value cg-oom-killed)"
like "--cg-mem: at the limit" '^3[12][0-9]{3}$' "$(value cg-mem)"
run --cg --cg-mem=262144 -- /usr/bin/python3 -c 'x = b"x" * (100 << 20)'
equal "--cg-mem: enough" "0::" "$(status)"
like "cg-mem is what was used" '^1[0-9]{5}$' "$(value cg-mem)"
equal "no word of a kill" "" "$(value cg-oom-killed)"
run --cg -- /bin/true
like "--cg: memory without a limit" '^[1-9][0-9]*$' "$(value cg-mem)"
run --cg -t 0.3 -w 60 -p -- /bin/sh -c 'while :; do :; done & while :; do :; done'
equal "--cg: time of all processes" "1:TO:Time limit exceeded" "$(status)"
isolate --run -- /bin/true 2>"$work/err"
like "--cg with all or with none" 'incompatible control group mode' "$(cat "$work/err")"
isolate --cg --cleanup
fresh
run -m 65536 -- /usr/bin/python3 -c 'x = b"x" * (200 << 20)'
like "--mem: address space" 'RE.*MemoryError' "$(value status) $(cat "$work/err")"
isolate --run --cg-mem=1000 -- /bin/true 2>"$work/err"
equal "--cg-mem needs --cg" "2:Options related to control groups require --cg to be set." \
	"$?:$(head -1 "$work/err")"

# -------------------------------------------------------------- other limits

run -- /bin/sh -c '/bin/true; echo not reached'
like "one process by default" 'Cannot fork' "$(cat "$work/err")"
run -p2 -- /bin/sh -c '/bin/true; echo reached'
equal "--processes=N" reached "$(cat "$work/out")"
run -p -- /bin/sh -c 'ulimit -n; ulimit -s; ulimit -f'
equal "descriptors: 64" 64 "$(head -1 "$work/out")"
run -p -n 9 -k 1024 -f 100 -- /bin/sh -c 'ulimit -n; ulimit -s; ulimit -f'
equal "--open-files, --stack, --fsize" "9 1024 200" "$(xargs <"$work/out")"
run -k 524288 -- /bin/bash -c 'ulimit -s'
equal "--stack: large" 524288 "$(cat "$work/out")"
run -f 10 -- /bin/dd if=/dev/zero of=big bs=1k count=100
equal "--fsize: the signal" "1:SG:Caught fatal signal 25" "$(status)"
equal "--fsize: not a byte more" 10240 "$(stat -c %s "$box/big")"
run -p -- /usr/bin/python3 -c 'import threading
t = threading.Thread(target=print, args=("ran",))
t.start()
t.join()'
equal "threads have stacks" ran "$(cat "$work/out")"

# --------------------------------------------------------------------- files

echo input >"$box/in"
run -i in -o out -r err -- /bin/sh -c 'read x; echo "got $x"; echo problem >&2'
equal "--stdin, --stdout, --stderr" "got input problem" "$(cat "$box/out" "$box/err" | xargs)"
run -i /box/in -o /tmp/out --stderr-to-stdout -- /bin/sh -c 'echo one; echo two >&2'
equal "--stderr-to-stdout, paths from the root" "one two" "$(xargs <"$work/boxes/0/tmp/tmp/out")"
run -i absent -- /bin/cat
equal "an input that is not there" '2:XX:open("absent"): No such file or directory' "$(status)"
run -c /tmp -i in -- /bin/pwd
equal "--chdir, after files of /box" /tmp "$(cat "$work/out")"
run -c nowhere -- /bin/pwd
equal "--chdir to nowhere" '2:XX:chdir("nowhere"): No such file or directory' "$(status)"

echo secret >"$work/secret"
ln -s "$work/secret" "$box/planted"
run -- /bin/true
equal "links go before a run" "" "$(ls "$box/planted" 2>/dev/null)"
shell --special-files \
	-- "ln -s '$work/secret' planted; mkfifo pipe; mkdir sub; ln -s '$work' sub/link"
equal "--special-files keeps them" "symbolic link,fifo" \
	"$(stat -c %F "$box/planted" "$box/pipe" | paste -sd,)"
# A run removes them, so that the program plants its own and the next run meets it in /tmp.
shell -- "ln -s '$work/secret' /tmp/planted"
run -o /tmp/planted -- /bin/echo overwritten
equal "a planted --stdout leads nowhere" "2:XX" "$code:$(value status)"
equal "and the file outside is untouched" secret "$(cat "$work/secret")"
run -i /tmp/planted -- /bin/cat
equal "nor does a planted --stdin" "2:XX:" "$code:$(value status):$(cat "$work/out")"
shell --special-files -- "ln -s '$work/secret' meta; ln -s '$work' sub"
isolate --run -M "$box/meta" -- /bin/true 2>"$work/err"
like "a planted meta file is refused" '^2 .*Too many levels' "$? $(cat "$work/err")"
shell --special-files -- "rm -rf sub; ln -s '$work' sub"
isolate --run -M "$box/sub/secret" -- /bin/true 2>"$work/err"
like "and a planted directory on its way" '^2 .*Too many levels' "$? $(cat "$work/err")"
equal "nothing was written through them" secret "$(cat "$work/secret")"
shell -- 'exec 3>meta.txt; :'
isolate --run -M "$box/meta.txt" -p \
	-- /bin/sh -c 'chmod 666 meta.txt; head -c 900 /dev/zero | tr "\0" f >meta.txt' 2>/dev/null
equal "a meta file in the box holds our words" "" "$(grep ffff "$box/meta.txt")"
like "all of them" 'exitcode:0' "$(cat "$box/meta.txt")"

# --------------------------------------------------------------- directories

fresh
mkdir -p "$work/shown/deep" "$work/writable"
echo shown >"$work/shown/file"
chmod 777 "$work/writable"
shell -d in/side="$work/shown" -- 'cat /in/side/file; touch /in/side/x 2>&1'
like "--dir: read-only" 'shown.*Read-only' "$(xargs <"$work/out")"
shell -d w="$work/writable:rw" -- 'echo 1 >/w/new'
equal "--dir: rw, by the box's uid" 60000 "$(stat -c %u "$work/writable/new")"
cp /bin/true "$work/shown/true"
shell -d x="$work/shown:noexec" -- '/x/true'
equal "--dir: noexec" 126 "$(value exitcode)"
shell -d "/absent:maybe" -- 'ls -d /absent 2>&1'
like "--dir: maybe" 'No such file' "$(cat "$work/out")"
run -d /absent -- /bin/true
equal "--dir: absent" "2:XX:Cannot mount /absent on /absent: No such file or directory" "$(status)"
shell -d space:tmp -- 'echo 1 >/space/file; cat /space/file'
equal "--dir: tmp" 1 "$(cat "$work/out")"
run -d usr= -- /usr/bin/true
equal "--dir: nothing there" 127 "$(value exitcode)"
shell -d memory=tmpfs:fs -d p=proc:fs -- 'echo 1 >/memory/x; ls /p/self/status'
equal "--dir: fs" /p/self/status "$(cat "$work/out")"
mkdir "$box/sub"
shell -d sub=./box/sub:rw -- 'echo 1 >/sub/x'
equal "--dir: of the box" 1 "$(cat "$box/sub/x")"
shell -- "ln -s '$work' /tmp/trap"
run -d t=./tmp/tmp/trap -- /bin/ls /t
like "--dir: no link of the box is followed" '^2:XX:.*a link lies on the way' "$(status)"
run -D -d box=./box -d "usr" -d lib -d lib64:maybe -- /usr/bin/test -d /tmp
equal "--no-default-dirs" 1 "$(value exitcode)"
run -- /bin/sh -c 'echo x >/dev/null && read -r x </dev/zero & ls /dev'
shell -- 'ls /dev'
equal "/dev is not the host's" "fd full null random shm stderr stdin stdout urandom zero" \
	"$(xargs <"$work/out")"
shell -- 'ls /etc /root /home 2>/dev/null; ls -d /proc/1/exe 2>/dev/null | wc -l'
equal "nothing else of the host" 0 "$(cat "$work/out")"

# --------------------------------------------------------------- environment

A=1 B=2 run -E A -E C=3 -E LIBC_FATAL_STDERR_= -- /usr/bin/env
equal "--env" "A=1 C=3" "$(sort "$work/out" | xargs)"
run -- /usr/bin/env
equal "nothing else" "LIBC_FATAL_STDERR_=1" "$(xargs <"$work/out")"
A=1 B=2 run -e -E B= -- /usr/bin/env
like "--full-env, then rules" '(^| )A=1( |$)' "$(xargs <"$work/out")"
equal "a variable taken out" "" "$(grep ^B= "$work/out")"

exec 7<"$work/secret"
run -p -- /bin/sh -c 'cat <&7'
equal "descriptors stay outside" "" "$(cat "$work/out")"
run -p --inherit-fds -- /bin/sh -c 'cat <&7'
equal "--inherit-fds" secret "$(cat "$work/out")"
exec 7<"$work"
run --inherit-fds -- /bin/true
like "but no directory" 'descriptor 7: it is a directory' "$(value message)"
exec 7<&-
isolate -s --run -p -- /bin/ls /proc/self/fd <&- >"$work/out"
equal "a closed stdin is an empty one" "0 1 2 3" "$(xargs <"$work/out")"

# --------------------------------------------------------------------- locks

mkfifo "$work/go"
isolate -s --run -- /bin/sh -c 'read x' <>"$work/go" 9>"$work/go" &
pid=$!
await pgrep -f '^/bin/sh -c read x$' >/dev/null
run -- /bin/true
equal "one run at a time" "2:XX:This box is currently in use by another process" "$(status)"
isolate --cleanup 2>"$work/err"
equal "nor a cleanup meanwhile" "2:This box is currently in use by another process" \
	"$?:$(cat "$work/err")"
other=$(isolate -b 5 --init)
isolate -s -b 5 --run -- /bin/true
equal "another box is free" "0:$work/boxes/5" "$?:$other"
isolate -b 5 --run -- /bin/sh -c 'exit 0' 2>"$work/err"
isolate -s --wait --run -- /bin/echo waited >"$work/out" &
waiting=$!
await grep -q '^73 ' "/proc/$waiting/syscall" # flock(2)
echo line >"$work/go"
wait $pid
wait $waiting
equal "--wait" "0:waited" "$?:$(cat "$work/out")"
isolate -b 5 --init >/dev/null
isolate -b 5 -p --run -- /bin/sh -c 'id -u' >"$work/out" 2>/dev/null
equal "each box has its uid" 60005 "$(cat "$work/out")"
isolate -b 5 --cleanup
isolate --as-uid=1234 --as-gid=1235 -b 6 --init >/dev/null
isolate -s --as-uid=1234 --as-gid=1235 -b 6 --run -- /usr/bin/touch x
equal "--as-uid: the box is theirs" "1234:1235 1234:1235" \
	"$(stat -c %u:%g "$work/boxes/6/box" "$work/boxes/6/box/x" | xargs)"
isolate -b 6 --cleanup
isolate -b 2147483646 --init >/dev/null
isolate -s -b 2147483646 --run -- /bin/true
equal "box ids as large as Judge0's" 0 $?
isolate -b 2147483646 --cleanup

# --------------------------------------------------------------- wrong usage

usage() { # NAME EXPECTED ARGUMENT...
	local name=$1 expected=$2
	shift 2
	isolate "$@" >"$work/out" 2>"$work/err" </dev/null
	equal "usage: $name" "2:$expected" "$?:$(head -1 "$work/err")"
}
usage "no command" "Please specify an isolate command (e.g. --init, --run)."
usage "two commands" "Only one command is allowed." --init --run
usage "no program" "--run mode requires a command to run" --run
usage "a program too many" "--init mode takes no parameters" --init x
usage "no number" "Invalid numeric parameter: abc" -m abc --run -- /bin/true
usage "a number too large" "Numeric parameter out of range: 9999999999" -b 9999999999 --init
usage "no time" "Invalid time: 1s" -t 1s --run -- /bin/true
usage "a rule" \
	"Invalid directory rule specified: a=b: the path outside is neither absolute nor begins with ./" \
	-d a=b --run -- /bin/true
usage "a rule's option" \
	"Invalid directory rule specified: usr:ro: the options are rw, noexec, maybe, fs, tmp, dev and norec" \
	-d usr:ro --run -- /bin/true
usage "a rule's way out" \
	"Invalid directory rule specified: a/../..=/usr: the path inside holds .." -d a/../..=/usr \
	--run -- /bin/true
usage "unknown option" "isolate: unrecognized option '--nonsense'" --nonsense
run --share-net -- /bin/true
like "--share-net is refused with the reason" '^2:XX:--share-net: a jail always has a network' \
	"$(status)"
run --tty-hack -- /bin/true
like "--tty-hack" '^2:XX:--tty-hack: ' "$(status)"
run --core=100 -- /bin/true
like "--core" '^2:XX:--core: ' "$(status)"
run -d x="$work:dev" -- /bin/true
like "--dir: dev" '^2:XX:Cannot allow devices' "$(status)"
run -d x=/proc -- /bin/true
like "--dir: the host's processes" "^2:XX:Cannot mount /proc" "$(status)"
isolate --version >"$work/out"
like "--version" '^The process isolator 2' "$(cat "$work/out")"
isolate --help >"$work/out"
equal "--help: 80 columns" "0:" "$?:$(grep -E '.{81}' "$work/out")"
printf 'box0.cpus = 1\n' >"$work/bad"
SANDBOX_ISOLATE_CONFIG=$work/bad isolate --init 2>"$work/err"
like "a line of the configuration that would not be kept" '^2 .*line 1: boxes cannot be pinned' \
	"$? $(cat "$work/err")"
printf 'box_root = %s\nlock_root = %s\n' "$work/open/boxes" "$work/open/locks" >"$work/bad"
mkdir "$work/open"
chmod 777 "$work/open"
SANDBOX_ISOLATE_CONFIG=$work/bad isolate --init 2>"$work/err"
like "boxes where anybody can write" '^2 .*open can be written by others' "$? $(cat "$work/err")"

# Without a configuration: where isolate has its boxes. A number that nobody else uses.
made=$([ -e /var/local/lib/isolate ] || echo /var/local/lib/isolate; [ -e /var/local/lib ] ||
		echo /var/local/lib)
out=$(env -u SANDBOX_ISOLATE_CONFIG isolate -b 2147483640 --init 2>&1)
env -u SANDBOX_ISOLATE_CONFIG isolate -s -b 2147483640 --run -- /bin/true
equal "the defaults work" "/var/local/lib/isolate/2147483640:0" "$out:$?"
env -u SANDBOX_ISOLATE_CONFIG isolate -b 2147483640 --cleanup
rm -f /run/isolate/locks/2147483640
[ -z "$made" ] || rmdir $made

# ------------------------------------------------------------- hostile boxes

fresh
shell --special-files -- '
	ln -s / root; ln -s .. up; ln -s nowhere dangling; mkfifo pipe
	/usr/bin/python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")"
	mkdir -p closed/inner; touch closed/inner/file
	ln -s /etc/passwd closed/inner/link; chmod 0 closed/inner closed
	cp /bin/sh sh; chmod 6755 sh; touch "$(printf "new\nline")" "-rf" "* ?"
	/usr/bin/python3 -c "
import os
for i in range(2000):
    os.mkdir(\"d\"); os.chdir(\"d\")
open(\"bottom\", \"w\")"'
equal "the hostile box was made" "0:" "$code:$(value status)"
shell -- 'exit 0'
equal "it is given and taken back" "0:" "$code:$(value status)"
equal "no set-id bit survives" "" "$(find "$box" -maxdepth 1 -perm /6000)"
equal "nothing special is left" "" "$(find "$box" -maxdepth 3 ! -type f ! -type d)"
equal "all of it is the caller's" "" "$(find "$box" ! -user 0)"
# Deeper than a walk goes, removed; what is there now is as deep as the file system will have it.
shell --special-files -- '/usr/bin/python3 -c "
import os
for n in range(3):
    os.chdir(\"/box\")
    for i in range(1000):
        os.mkdir(str(n)); os.chdir(str(n))
os.chdir(\"/tmp\")
for i in range(1000):
    os.mkdir(\"t\"); os.chdir(\"t\")
os.chdir(\"/tmp\")
for i in range(2000):
    os.mkdir(\"w%d\" % i); open(\"f%d\" % i, \"w\")
"; ln -s / /tmp/root'
isolate --cleanup 2>"$work/err"
equal "--cleanup of a deep and broad box" "0::" "$?:$(cat "$work/err"):$(ls "$work/boxes")"
equal "what the links led to is there" "secret shown" \
	"$(cat "$work/secret" "$work/shown/file" | xargs)"

fresh
mkdir "$box/mounted"
mount --bind "$work/shown" "$box/mounted"
run -- /bin/true
like "no mount is crossed: run" '^2:XX:Cannot give .*something is mounted there' "$(status)"
isolate --cleanup 2>"$work/err"
like "no mount is crossed: cleanup" 'something is mounted there' "$(cat "$work/err")"
equal "what is mounted is untouched" shown "$(cat "$work/shown/file")"
umount "$box/mounted"
isolate --cleanup
equal "and then all is well" "0:" "$?:$(ls "$work/boxes")"

fresh
shell -- 'echo $$ >pid; (while :; do sleep 1; done) >/dev/null 2>&1 & exit 0'
equal "no process outlives its run" "" \
	"$(pgrep -u 60000; pgrep -f '^sandbox-init' -a | grep isolate)"
isolate --cleanup

# --------------------------------------------------------------------- quota

fresh
isolate -q 10,10 --init 2>"$work/err" >/dev/null
before=$?
isolate --cleanup
mkdir "$work/quota"
if mount -t tmpfs -o usrquota,mode=755 none "$work/quota" 2>/dev/null; then
	printf 'box_root = %s\nlock_root = %s\n' "$work/quota/boxes" "$work/locks" \
		>"$work/conf.quota"
	export SANDBOX_ISOLATE_CONFIG=$work/conf.quota
	box=$(isolate -q 100,20 --init)/box
	run -- /bin/dd if=/dev/zero of=big bs=1k count=1000
	like "--quota: blocks" 'RE.*(Disk quota exceeded)' "$(value status) $(xargs <"$work/err")"
	rm -f "$box/big"
	shell -- 'i=0; while [ $i -lt 40 ]; do : >f$i || exit 5; i=$((i + 1)); done'
	equal "--quota: files" "RE" "$(value status)"
	isolate --cleanup
	export SANDBOX_ISOLATE_CONFIG=$work/conf
	umount "$work/quota"
else
	echo "# not on this host: --quota: blocks, files: the kernel has no quota on tmpfs"
fi
if [ $before = 0 ]; then
	echo "# not on this host: --quota is refused where nothing enforces it:" \
		"quotas are enforced here"
else
	like "--quota is refused where nothing enforces it" 'enforces none' \
		"$(cat "$work/err" 2>/dev/null; isolate -q 10,10 --init 2>&1 >/dev/null)"
fi

# ------------------------------------------------------------ an ordinary user

copy_for_user "$work/copy"
mkdir "$work/copy/bin"
ln -s ../runner/isolate/sandbox-isolate "$work/copy/bin/isolate"

become 12345 HOME="$work/home" PATH="$work/copy/bin:$PATH"
user() { # COMMAND: as somebody who is nobody on this host
	"${as_user[@]}" sh -c "$1" 2>"$work/err"
}
mkdir "$work/home"
chown 12345:12345 "$work/home"
user 'isolate --version >/dev/null && isolate --init >/dev/null && isolate -s --run -- /bin/true'
equal "user: a box can be made and used" 0 $?
user 'box=$(isolate --init); echo "$box"; echo in >"$box/box/in"
	isolate -s -i in -o out --run -- /bin/cat; cat "$box/box/out"' >"$work/out"
equal "user: a box below the home directory" \
	"$work/home/.local/state/sandbox/isolate/0 in" "$(xargs <"$work/out")"
user 'isolate -s -p5 -E PATH=/bin --run -- /bin/sh -c "
	id -u; ln -s /etc/passwd link; mkdir -p a/b; chmod 0 a/b a"' >"$work/out"
equal "user: the program has the box's uid" 60000 "$(cat "$work/out")"
equal "user: links go, closed directories open" "directory 12345" \
	"$(stat -c '%F %u' "$work"/home/.local/state/sandbox/isolate/0/box/{link,a} 2>/dev/null)"
user 'isolate -s -w 0.2 -M - --run -- /bin/sleep 60' >"$work/out"
like "user: wall limit" 'message:Time limit exceeded \(wall clock\)' "$(cat "$work/out")"
user 'isolate --cleanup'
equal "user: cleanup" "0:locks" "$?:$(ls "$work/home/.local/state/sandbox/isolate")"

# ------------------------------------------------------------------- typical

out=$("$tests/typical.sh" 2>&1)
code=$?
printf '%s\n' "$out" | sed 's/^/# /'
equal "a script for isolate runs unchanged" 0 $code
equal "no box is left" "" "$(ls "$work/boxes")"

finish
