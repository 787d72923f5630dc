#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Some twenty calls as judges make them, written for isolate's own command line. Needs `isolate` in
# PATH, gcc and python3 below /usr, and what isolate needs: nothing here knows which isolate it is.
# The calls of "CMS" are those of its cms/grading/Sandbox.py, those of "Judge0" of its
# app/jobs/isolate_job.rb. Prints a line for each check; fails if one of them does.
set -u

bad=0
check=0
tmp=$(mktemp -d)
trap 'isolate --cleanup; isolate --cg --box-id=1003 --cleanup; isolate --cg -b 17 --cleanup
	rm -rf "$tmp"' EXIT

# expect NAME CONDITION...: says whether the condition holds.
expect() {
	name=$1
	shift
	check=$((check + 1))
	if "$@"; then
		echo "check $check: $name: as expected"
	else
		echo "check $check: $name: NOT AS EXPECTED: $*"
		[ -f "$tmp/meta" ] && sed 's/^/    /' "$tmp/meta"
		bad=1
	fi
}

# The value of a key in the meta file, which consists of lines key:value.
meta() {
	sed -n "s/^$1://p" "$tmp/meta"
}

# --- by hand: one box, the basic life

isolate --cleanup
box=$(isolate --init)
expect "--init prints the directory of the box" test -d "$box/box"

cat >"$box/box/sum.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile char *hold;

int main(int argc, char **argv)
{
	long a, b;

	if (argc > 1 && !strcmp(argv[1], "spin"))
		for (;;)
			;
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		sleep(60);
	if (argc > 1 && !strcmp(argv[1], "crash"))
		*(volatile int *)0 = 1;
	if (argc > 2 && !strcmp(argv[1], "eat")) {
		size_t n = (size_t)atol(argv[2]) << 20;

		hold = malloc(n);
		for (size_t i = 0; hold && i < n; i += 1024)
			hold[i] = 1;
		puts(hold ? "eaten" : "refused");
		return hold ? 0 : 7;
	}
	if (scanf("%ld %ld", &a, &b) != 2)
		return 9;
	printf("%ld\n", a + b);
	return 0;
}
END
isolate --processes=20 --env=PATH=/usr/bin:/bin --run -- /usr/bin/gcc -O1 -o sum sum.c 2>"$tmp/err"
expect "gcc compiles in the box" test -x "$box/box/sum"

echo 20 22 >"$box/box/in.txt"
isolate -t 2 -w 10 -m 262144 -i in.txt -o out.txt -M "$tmp/meta" --run -- ./sum 2>"$tmp/err"
expect "stdin and stdout are files of the box" test "$(cat "$box/box/out.txt")" = 42

expect "the line on stderr has both times" \
	grep -Eq '^OK \([0-9]+\.[0-9]{3} sec real, [0-9]+\.[0-9]{3} sec wall\)$' "$tmp/err"

answer=$(echo 1 2 | isolate -s -M "$tmp/meta" --run ./sum)
expect "streams are inherited" test "$answer:$(meta exitcode):$(meta status)" = 3:0:

echo nonsense | isolate -s -M "$tmp/meta" --run -- ./sum
expect "a non-zero exit code is RE" \
	test "$?:$(meta status):$(meta exitcode):$(meta \
		message)" = "1:RE:9:Exited with error status 9"

isolate -s -M "$tmp/meta" --run -- ./sum crash
expect "a crash is SG" \
	test "$?:$(meta status):$(meta exitsig):$(meta message)" = "1:SG:11:Caught fatal signal 11"

isolate -s -t 0.4 -x 0.1 -w 20 -M "$tmp/meta" --run -- ./sum spin
expect "a loop is TO" \
	test "$?:$(meta status):$(meta killed):$(meta message)" = "1:TO:1:Time limit exceeded"

isolate -s -t 5 -w 0.3 -M "$tmp/meta" --run -- ./sum sleep
expect "sleeping is TO by the wall clock" test "$(meta status):$(meta message)" = \
	"TO:Time limit exceeded (wall clock)"

isolate -s -m 65536 -o out.txt -M "$tmp/meta" --run -- ./sum eat 100
expect "--mem bounds the address space" \
	test "$(meta exitcode):$(cat "$box/box/out.txt")" = 7:refused

isolate -s -p -E HOME=/tmp -E LANG=C -d data="$tmp":maybe -o out.txt --run -- \
	/usr/bin/python3 -c 'import os, sys; print(os.environ["HOME"], os.path.isdir("/data"))'
expect "python3, environment, a directory" test "$(cat "$box/box/out.txt")" = "/tmp True"

isolate --cleanup
expect "--cleanup removes the box" test ! -e "$box"

# --- CMS: a directory of its own as /tmp, control groups, everything in long options

outer=$(mktemp -d "$tmp/cms-XXXXXX")
mkdir "$outer/home"
chmod 777 "$outer/home"
isolate --box-id=1003 --cg --cleanup >/dev/null 2>&1
isolate --box-id=1003 --cg --init >/dev/null
cp "$0" "$outer/home/input.txt"
cat >"$outer/home/wc.py" <<'END'
import sys
print(len(sys.stdin.read()) > 100)
END
isolate --cg --box-id=1003 --chdir=/tmp "--dir=/tmp=$outer/home:rw" --dir=/dev/shm:tmp \
	--dir=/etc/alternatives --env=HOME=/tmp --stdin=/tmp/input.txt --stack=65536 \
	--cg-mem=262144 --stdout=/tmp/output.txt --processes=1 --stderr=/tmp/stderr.txt --time=10 \
	--wall-time=20.5 --extra-time=0.5 "--meta=$outer/run.meta.0" --run -- \
	/usr/bin/python3 wc.py </dev/null >"$tmp/out" 2>"$tmp/err"
cp "$outer/run.meta.0" "$tmp/meta"
expect "CMS: run" test "$(cat "$outer/home/output.txt"):$(meta exitcode)" = True:0
expect "CMS: cg-mem and time are there" \
	grep -Eq '^time:[0-9]+\.[0-9]{3}$' "$tmp/meta"

isolate --cg --box-id=1003 --chdir=/tmp "--dir=/tmp=$outer/home:rw" --dir=/dev/shm:tmp \
	--env=HOME=/tmp --cg-mem=32768 --stdout=/tmp/output.txt --processes=1 \
	--stderr=/tmp/stderr.txt --time=10 --wall-time=20 "--meta=$tmp/meta" --run -- \
	/usr/bin/python3 -c 'x = b"x" * (200 << 20)' </dev/null >"$tmp/out" 2>"$tmp/err"
expect "CMS: beyond --cg-mem is a kill that the meta file explains" \
	test "$(meta status):$(meta exitsig):$(meta cg-oom-killed)" = SG:9:1

isolate --box-id=1003 --cg "--dir=/tmp=$outer/home:rw" --run -- \
	/bin/chmod 777 -R /tmp >/dev/null 2>&1
isolate --box-id=1003 --cg --cleanup >/dev/null 2>&1
expect "CMS: cleanup" test -w "$outer/home/output.txt"

# --- Judge0: scripts in the box, files beside it, streams by the shell

workdir=$(isolate --cg -b 17 --init)
touch "$workdir/stdin.txt" "$workdir/stdout.txt" "$workdir/stderr.txt"
echo 'print(sum(map(int, input().split())))' >"$workdir/box/script.py"
echo '/usr/bin/python3 -m py_compile script.py' >"$workdir/box/compile.sh"
isolate --cg \
	-s -b 17 -M "$tmp/meta" --stderr-to-stdout -i /dev/null -t 15 -x 0 -w 20 -k 128000 -p120 \
	--cg-mem=512000 -f 4096 -E HOME=/tmp \
	-E PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	-E LANG -E LANGUAGE -E LC_ALL -E JUDGE0_HOMEPAGE -E JUDGE0_SOURCE_CODE \
	-E JUDGE0_MAINTAINER -E JUDGE0_VERSION -d /etc:noexec --run -- /bin/bash compile.sh \
	>"$workdir/compile_output.txt"
expect "Judge0: compile" test "$?:$(meta status):$(cat "$workdir/compile_output.txt")" = 0::

echo 3 4 5 >"$workdir/stdin.txt"
echo '/usr/bin/python3 script.py' >"$workdir/box/run.sh"
isolate --cg \
	-s -b 17 -M "$tmp/meta" -t 5 -x 1 -w 10 -k 64000 -p60 --cg-mem=128000 -f 1024 -E HOME=/tmp \
	-E PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
	-E LANG -E LANGUAGE -E LC_ALL -d /etc:noexec --run -- /bin/bash run.sh \
	<"$workdir/stdin.txt" >"$workdir/stdout.txt" 2>"$workdir/stderr.txt"
expect "Judge0: run" test "$?:$(cat "$workdir/stdout.txt"):$(meta exitcode)" = 0:12:0

rm -rf "$workdir"/box/* "$workdir"/tmp/*
isolate --cg -b 17 --cleanup
expect "Judge0: cleanup" test ! -d "$workdir"

exit $bad
