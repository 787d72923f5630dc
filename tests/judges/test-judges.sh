#!/bin/bash
# SPDX-License-Identifier: MIT
# The judges of examples/judges, one for each language: the same verdicts for the same reasons, and
# the cpu time and memory that programs used, by their own account.
# quiet: fifty jails at once, each with its limit of time
set -u
. "$(dirname "$0")/../tap.sh"
build=${SANDBOX_BUILD:?is set by tests/run.sh}
source_dir=${SANDBOX_SOURCE:?is set by tests/run.sh}
examples=$source_dir/examples/judges
actor=$source_dir/tests/judges/actor.c
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export SANDBOX_POLICY_DIR=$build/policies LD_LIBRARY_PATH=$build/lib

skip() { # NAME REASON
	count=$((count + 1))
	printf 'ok %d - %s # SKIP %s\n' $count "$1" "$2"
}

equal() { # NAME EXPECTED ACTUAL [DETAIL]
	report "$1" "$([ "$2" = "$3" ] || printf 'expected: %s\nactual: %s\n%s' "$2" "$3" "${4:-}")"
}

# The first of these numbers is not larger than the second, and so on.
ascending() { # NAME NUMBER...
	local name=$1 last=
	shift
	for n in "$@"; do
		if ! [[ $n =~ ^[0-9]+$ ]] || { [ -n "$last" ] && [ "$n" -lt "$last" ]; }; then
			fail "$name" "not ascending: $*"
			return
		fi
		last=$n
	done
	pass "$name"
}

# ------------------------------------------------------------------------- the tests that are
# judged

# What the actor is told | what it should print | the verdict, and why
memory_mib=160 cpu_ms=2000
limits=("memory=${memory_mib}M" "cpu_time=${cpu_ms}ms" wall=60s output=1M)
cat >"$scratch/table" <<'TABLE'
print 2|0123456789abcde 0123456789abcde   done|AC
print 2|0123456789abcde 0123456789abcde done more|WA
print 2|0123456789abcde 0123456789abcde|WA
print 2|0123456789abcdef 0123456789abcd done|WA
print 65000|LONG done|AC
print 70000|LONG done|OLE
print 100000000|LONG done|OLE
burn 300|done|AC
burn 100000|done|TLE cpu time
touch 64|done|AC
touch 128|done|AC
touch 158|done|AC
touch 161|done|MLE
touch 400|done|MLE
children 2|done|AC
too-many 4|done|MLE
recurse 20000|done|AC
recurse 1000000|done|MLE
crash 0|done|RE SIGSEGV
raise 6|done|RE SIGABRT
raise 9|done|RE SIGKILL
raise 34|done|RE signal 34
exit 1|done|RE exit code 1
exit 0||AC
writes||AC
TABLE
mkdir "$scratch"/{all,one,sleep,none}
n=0
long=$(printf '0123456789abcde %.0s' $(seq 65000))
while IFS='|' read -r input answer verdict; do
	n=$((n + 1))
	echo "$input" >"$scratch/all/$n.in"
	echo "${answer/LONG/$long}" >"$scratch/all/$n.ans"
	echo "$n $verdict"
done <"$scratch/table" >"$scratch/expected"
echo "verdict WA" >>"$scratch/expected"
echo "burn 300" >"$scratch/one/1.in"
echo "done" >"$scratch/one/1.ans"
echo "sleep 1000" >"$scratch/sleep/1.in"
echo "done" >"$scratch/sleep/1.ans"
printf 'int main(void)\n{\n#error \033[2Jtricks\n}\n' >"$scratch/wrong.c"
printf '#include "/etc/shadow"\n' >"$scratch/curious.c"

# ------------------------------------------------------------------------------ one for each
# language

# For these to find the build tree; an installed library needs none of it.
export PKG_CONFIG_PATH=$build/meson-uninstalled CGO_CFLAGS="-g -O2 -I$source_dir/include"
export GOCACHE=$scratch/go-cache GO111MODULE=off

# With the address sanitizer, which fails a judge that leaks memory.
gcc_flags=(-std=gnu17 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
	-Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Werror
	"-I$source_dir/include" "-L$build/lib")

make_judge() { # LANGUAGE
	case $1 in
	c) gcc "${gcc_flags[@]}" "$examples/judge.c" -o "$scratch/judge-c" -lsandbox ;;
	go) go build -o "$scratch/judge-go" "$examples/judge.go" ;;
	rust) rustc --edition 2021 -O -D warnings -L "$build/lib" -o "$scratch/judge-rust" \
		"$examples/judge.rs" ;;
	python)
		printf '#!/bin/sh\nexec python3 -I -X dev -W error "%s" "$@"\n' \
			"$examples/judge.py" >"$scratch/judge-python"
		chmod +x "$scratch/judge-python"
		;;
	esac
}

# Number, verdict and reason of each test; and the one number of a column.
verdicts() { sed -E 's/ +[0-9]+ ms +[0-9]+ KiB//; s/^ +//; s/ +/ /g; s/ $//' "$1"; }
cpu() { awk -v n="$2" '$1 == n { print $3 }' "$1"; }
memory() { awk -v n="$2" '$1 == n { print $5 }' "$1"; }
row() { grep -nFx "$(grep -F "$1|" "$scratch/table" | head -1)" "$scratch/table" | cut -d: -f1; }

# What a program uses besides what it touches: libc, stack, page tables, kernel memory of the jail.
overhead_kib=4096

check_numbers() { # LANGUAGE OUTPUT
	local out=$2 mib
	ascending "$1: a program that burns 300 ms is reported with 300 to 360 ms" \
		300 "$(cpu "$out" "$(row 'burn 300')")" 360
	ascending "$1: one that never ends is stopped within a fifth of its limit" \
		$cpu_ms "$(cpu "$out" "$(row 'burn 100000')")" $((cpu_ms * 6 / 5))
	for mib in 64 128; do
		ascending "$1: touching $mib MiB is reported with that and at most 4 MiB" \
			$((mib * 1024)) "$(memory "$out" "$(row "touch $mib")")" \
			$((mib * 1024 + overhead_kib))
	done
	ascending "$1: no program gets more memory than its limit and the 256 KiB of the root" \
		$((memory_mib * 1024 - overhead_kib)) "$(memory "$out" "$(row 'touch 400')")" \
		$((memory_mib * 1024 + 256))
}

check_judge() { # LANGUAGE
	local judge=$scratch/judge-$1 out=$scratch/out-$1 began ended status
	timeout 300 "$judge" "$actor" "$scratch/all" "${limits[@]}" >"$out" 2>"$scratch/err"
	status=$?
	report "$1: verdicts and reasons" \
		"$(diff "$scratch/expected" <(verdicts "$out") && exit; cat "$scratch/err")"
	equal "$1: exit status of what is not accepted" 1 $status
	check_numbers "$1" "$out"

	began=$(date +%s%3N)
	timeout 60 "$judge" "$actor" "$scratch/one" >"$out.one" 2>&1
	status=$?
	ended=$(date +%s%3N)
	equal "$1: what passes all tests is accepted" "0 verdict AC" \
		"$status $(tail -1 "$out.one")" "$(cat "$out.one")"
	ascending "$1: cpu time is not more than the time that passed" 300 "$(cpu "$out.one" 1)" \
		$((ended - began))
	timeout 60 "$judge" "$actor" "$scratch/sleep" wall=300ms >"$out.sleep" 2>&1
	equal "$1: a program that sleeps meets the wall limit" "1 TLE wall time verdict TLE" \
		"$(verdicts "$out.sleep" | tr '\n' ' ' | sed 's/ $//')"
	ascending "$1: and has used next to nothing of it" 0 "$(cpu "$out.sleep" 1)" 30

	timeout 60 "$judge" "$scratch/wrong.c" "$scratch/one" >"$out.wrong" 2>&1
	equal "$1: what does not compile is CE" "1 verdict CE" "$? $(tail -1 "$out.wrong")" \
		"$(cat "$out.wrong")"
	report "$1: the compiler's message is printed, without control codes" \
		"$(grep -q 'error.*?\[2Jtricks' "$out.wrong" && ! grep -q $'\033' "$out.wrong" ||
			cat -v "$out.wrong")"
	timeout 60 "$judge" "$scratch/curious.c" "$scratch/one" >"$out.curious" 2>&1
	report "$1: the compiler sees no file of the host" \
		"$(grep -q 'shadow: No such file' "$out.curious" || cat "$out.curious")"

	timeout 60 "$judge" "$actor" "$scratch/one" memory=64 >"$out.bad" 2>&1
	equal "$1: a bad setting is the judge's failure" 4 $? "$(cat "$out.bad")"
	report "$1: and is explained" "$(grep -q 'memory.*unit' "$out.bad" || cat "$out.bad")"
	timeout 60 "$judge" "$actor" "$scratch/none" >"$out.none" 2>&1
	equal "$1: so is a folder without tests" 4 $? "$(cat "$out.none")"
	timeout 60 "$judge" >"$out.usage" 2>&1
	equal "$1: without arguments it says how it is used" "2 usage" \
		"$? $(grep -o '^usage' "$out.usage")"
}

for language in c:gcc python:python3 go:go rust:rustc; do
	compiler=${language#*:} language=${language%:*}
	if ! command -v "$compiler" >/dev/null; then
		skip "$language: builds" "$compiler is not installed"
		continue
	fi
	said=$(make_judge "$language" 2>&1) || said="failed: $said"
	report "$language: builds" "$said"
	[ -z "$said" ] && check_judge "$language"
done

# -------------------------------------------------------------------------------------- other
# things

cat >"$scratch/sizes.c" <<'C'
#include <sandbox/sandbox.h>
#include <stdio.h>
int main(void)
{
	printf("%zu %zu %zu %zu %zu\n", sizeof(struct sbx_error), sizeof(struct sbx_stats),
	       sizeof(struct sbx_result), sizeof(struct sbx_fd), sizeof(struct sbx_exec));
	return 0;
}
C
gcc "-I$source_dir/include" -o "$scratch/sizes" "$scratch/sizes.c"
equal "the structs of judge.py have the sizes of those in the header" "$("$scratch/sizes")" \
	"$(cd "$examples" && python3 -B -c 'import ctypes, judge
print(*map(ctypes.sizeof, (judge.Error, judge.Stats, judge.Result, judge.Fd, judge.Exec)))' 2>&1)"

said=$(gcc "${gcc_flags[@]}" "$examples/event-loop.c" -o "$scratch/event-loop" -lsandbox 2>&1)
report "event-loop builds" "$said"
timeout 300 "$scratch/event-loop" >"$scratch/out" 2>&1
equal "event-loop: 50 jails at once end as they should" "0 50 of 50" \
	"$? $(tail -1 "$scratch/out")" "$(cat "$scratch/out")"
equal "event-loop: all output went through it" "seq 5888950" \
	"$(awk '$1 == "seq" { print $1, $5 }' "$scratch/out")"

# Programs in other languages under the same policy.
in_jail() { timeout 60 "$build/runner/sandbox-run" exec -q --policy classic-judge "$@" 2>&1; }
equal "classic-judge runs Python" 5050 "$(in_jail -- /usr/bin/python3 -c 'print(sum(range(101)))')"
printf '#include <iostream>\n#include <thread>\nint main() {\n%s\n}\n' \
	'std::thread t([] { std::cout << 42; }); t.join();' >"$scratch/a.cc"
said=$(g++ -pthread -o "$scratch/cc" "$scratch/a.cc" 2>&1)
equal "classic-judge runs C++ with threads" 42 "$said$(in_jail --ro "$scratch/cc:/cc" -- /cc)"
if command -v javac >/dev/null && mkdir "$scratch/java"; then
	printf 'class T { public static void main(String[] a) { System.out.println(6 * 7); } }\n' \
		>"$scratch/java/T.java"
	javac -d "$scratch/java" "$scratch/java/T.java"
	equal "classic-judge runs Java" 42 \
		"$(in_jail --ro "$scratch/java:/classes" -- java -cp /classes T)"
fi
finish
