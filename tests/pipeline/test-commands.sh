#!/bin/bash
# SPDX-License-Identifier: MIT
# init-challenge, grade --watch and grade-all: what they write, follow, keep and leave behind.
# alone: what is left on the host is counted
. "$(dirname "$0")/lib.sh"

"$run" exec -- true # sweeps what dead owners left before
before=$(traces)
cd "$scratch" || exit 1
export SANDBOX_STORE=$store

# -------------------------------------------------------------------- init-challenge
made() { # NAME OPTION...
	local name=$1
	shift
	"$run" init-challenge "$name" "$@" 2>stderr
	equal "init-challenge $*: exit code" 0 $? "$(cat stderr)"
	grade "$name/solution" "$name"
	equal "init-challenge $*: its solution" AC "$(member .verdict)" "$(tail -20 stderr)"
	grade "$name/wrong" "$name"
	equal "init-challenge $*: its wrong solution fails one test" \
		"PARTIAL a note without a text is refused with 400" \
		"$(member .verdict) $(member \
			'.tests.cases.filter(c => c.status !== "passed").map(c => c.name.replace(/.*> /, "")).join()')" \
		"$(tail -20 stderr)"
}
made my-notes
equal "init-challenge: the title is made from the name" '"My notes"' \
	"$(sed -n 's/.*"title": \(.*\),/\1/p' my-notes/challenge.json)"
equal "init-challenge: no word is left to fill in" "" "$(grep -rn '@[A-Z]*@' my-notes)"
made with-database --database
made with-vitest --suite vitest

"$run" init-challenge my-notes 2>stderr
equal "init-challenge: a folder with something in it is left alone" 2 $?
like "init-challenge: and it says so" 'not empty' "$(cat stderr)"
"$run" init-challenge x --suite mocha 2>stderr
equal "init-challenge: an unknown kind of tests" 2 $?
check "init-challenge: nothing is written then" test ! -e x
"$run" init-challenge missing/x --suite mocha 2>stderr
like "init-challenge: all that is wrong is said at once" 'no folder missing.*--suite takes' \
	"$(tr '\n' ' ' <stderr)"

# A folder that is there and empty becomes one, from inside as well.
mkdir here
(cd here && "$run" init-challenge . 2>/dev/null)
equal "init-challenge .: all of it" "$(cd my-notes && find . | sort)" "$(cd here && find . | sort)"

# Whole or not at all: Ctrl-C (that waits already when it begins), and a full disk.
python3 -c 'import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
os.kill(os.getpid(), signal.SIGINT)
os.execv(sys.argv[1], sys.argv[1:])' "$run" init-challenge interrupted 2>stderr
equal "init-challenge: Ctrl-C" 130 $? "$(cat stderr)"
equal "init-challenge: Ctrl-C leaves nothing" "" "$(find . -name '*interrupted*')"
mkdir full
for name in x .; do
	like "init-challenge $name: a full disk leaves nothing" ' space left on device.*1 \.$' \
		"$(unshare -m sh -c 'mount -t tmpfs -o nr_inodes=10 full full && cd full &&
			"$0" init-challenge "$1"; echo $? $(find .)' "$run" "$name" 2>&1 |
			tr '\n' ' ' | sed 's/ $//')"
done

# What students start from is looked for before anything is made for it.
cp -r my-notes templated
sed -i 's/"title"/"template": "gone", "title"/' templated/challenge.json
"$run" deps warm --challenge templated 2>stderr >made
equal "deps warm: a template that is not there" 2 $?
like "deps warm: it is named" '\$\.template: there is no folder "gone"' "$(cat stderr)"
equal "deps warm: nothing is made" "" "$(cat made)"

# ----------------------------------------------------------------------------- watch
# Its own lines are what is waited for: each round ends with one that says that it watches.
cp -r my-notes watched && cp -r my-notes/solution work
mkfifo said
"$run" grade work --challenge watched --watch --color never --json=watch.json \
	--report html=watched/report.html 2>said &
watcher=$!
exec 5<said
round() { # reads up to the end of a round into $said
	local line
	said=
	while IFS= read -t 60 -r line <&5; do
		said+=$line$'\n'
		[[ $line != "watching for changes"* ]] || return 0
	done
	return 1
}
round
equal "watch: the first round ends: a round" 0 $?
like "watch: it judges at once" 'AC, 6 of 6 tests passed' "$said"
cp my-notes/wrong/server.js work/server.js
round
equal "watch: the submission changed: a round" 0 $?
like "watch: what fails now is said" \
	'now fails: a note without a text.*PARTIAL, 5 of 6 tests passed \(-1 since last time, which was AC\)' \
	"$said"
printf '{ "title": 3 }' >watched/challenge.json
round
equal "watch: the challenge changed: a round" 0 $?
like "watch: a mistake in it is shown" 'challenge.json:1:12: the title must be' "$said"
mkdir -p work/src
round
equal "watch: a new folder: a round" 0 $?
cp my-notes/challenge.json watched/challenge.json
round
equal "watch: the mistake is mended: a round" 0 $?
like "watch: it goes on" 'PARTIAL, 5 of 6 tests passed \(as many as last time\)' "$said"
printf '// new' >work/src/new.js
round
equal "watch: a file in the new folder: a round" 0 $?
mkdir work/node_modules && echo x >work/node_modules/x && echo x >work/.x.swp
cp my-notes/solution/server.js new.js && mv new.js work/server.js
round
equal "watch: a file that is moved into place: a round" 0 $?
like "watch: what passes now is said" \
	'now passes: a note without a text.*AC, 6 of 6 tests passed \(\+1 since' "$said"
# What it writes into the watched folder itself is no change: nothing is left to be read but the
# end.
kill -INT $watcher
rest=$(cat <&5)
wait $watcher
equal "watch: Ctrl-C ends it" 130 $?
equal "watch: its own files are no change" "" "$rest"
exec 5<&-
check "watch: the report is there" grep -q 'verdict AC' watched/report.html

# ------------------------------------------------------------------------- grade-all
mkdir subs
cp -r my-notes/solution subs/ada
cp -r my-notes/wrong subs/bob
cp -r my-notes/wrong 'subs/=1+2'
zip_folder my-notes/solution "$scratch/subs/zed.zip"
printf broken >subs/mallory.zip
printf x >subs/notes.txt
cp -r my-notes/solution $'subs/e\e[31mvil\n"x'
all() { # OPTION...
	"$run" grade-all subs --challenge my-notes --store "$store" --color never --csv table.csv \
		--json table.json "$@" >stdout 2>stderr </dev/null
	status=$?
}
table() { # what JavaScript makes of the table
	"$node" -e 'const t = JSON.parse(require("fs").readFileSync("table.json"));
		const row = (s) => t.rows.find((r) => r.student.startsWith(s));
		const v = eval(process.argv[1]);
		console.log(typeof v === "string" ? v : JSON.stringify(v));' "$1" 2>&1
}
all --jobs 2
equal "grade-all: exit code" 0 "$status" "$(cat stderr)"
equal "grade-all: verdicts" "AC PARTIAL PARTIAL CE AC AC" \
	"$(table '["ada", "bob", "=1+2", "mallory", "zed", "e\\x1b"]
		.map((s) => row(s).verdict).join(" ")')"
equal "grade-all: ranks by tests passed" true \
	"$(table 't.rows.every((r, i, all) =>
		r.rank === i + 1 && (!i || r.passed <= all[i - 1].passed))')"
like "grade-all: the same archive is noted" '^(bob|=1\+2)$' \
	"$(table '(row("bob").same_as ?? row("=1+2").same_as)')"
equal "grade-all: no name writes to the terminal" "" "$(grep -P '[\x00-\x08\x0b-\x1f\x7f]' stderr)"
equal "grade-all: one line for each, and a header" 7 "$(grep -c $'\r$' table.csv)"
equal "grade-all: a name is no formula" 1 "$(grep -c "^[0-9]*,\"'=1+2\"," table.csv)"
equal "grade-all: every line of CSV has the same fields" 13 \
	"$(python3 -c 'import csv
print(*{len(r) for r in csv.reader(open("table.csv", newline=""))})')"
like "grade-all: files that are no submission are counted" '1 file of subs left out' "$(cat stderr)"
equal "grade-all: a result for each" 6 "$(find subs.results -name '*.json' | wc -l)"
equal "grade-all: results can be explained" 0 \
	"$("$run" explain subs.results/mallory.json >/dev/null && echo $?)"

all
equal "grade-all again: nothing is judged" '[6,true]' \
	"$(table '[t.done, t.rows.every((r) => r.kept)]')"
printf '\n' >>subs/bob/server.js
all
equal "grade-all: only what has changed is judged" bob \
	"$(table 't.rows.filter((r) => !r.kept).map((r) => r.student).join()')"
printf '\n# a comment\n' >>my-notes/README.md
all
equal "grade-all: the README is no reason" true "$(table 't.rows.every((r) => r.kept)')"
printf '\n# a comment\n' >>my-notes/tests/01-notes.hurl
all
equal "grade-all: a changed test judges all again" true "$(table 't.rows.every((r) => !r.kept)')"
sed -i 's/"verdict":\t"[A-Z]*"/"verdict":\t"IE"/' subs.results/ada.json
printf '{ "half' >subs.results/zed.json
all
equal "grade-all: IE and half-written results are judged again" "ada,zed" \
	"$(table 't.rows.filter((r) => !r.kept).map((r) => r.student).sort().join()')"
all --again
equal "grade-all --again: all are" true "$(table 't.rows.every((r) => !r.kept)')"

# On a terminal: a bar that is drawn over itself, and no line for each.
bar=$(script -qec "'$run' grade-all subs --challenge my-notes --store '$store' --color never" \
		/dev/null </dev/null | tr '\r' '\n')
like "grade-all: a bar on a terminal" '\[#{24}\] 6/6  AC 3  PARTIAL 2  CE 1' "$bar"
equal "grade-all: and no lines" "" "$(grep '(done before)' <<<"$bar")"

# Interrupted while its workers wait for servers that say nothing: these are the words to wait for.
mkdir slow
for i in 1 2 3; do
	mkdir "slow/s$i"
	printf '{ "scripts": { "start": "node x.js" } }' >"slow/s$i/package.json"
	printf 'setInterval(() => {}, 1000);' >"slow/s$i/x.js"
done
cp -r my-notes/solution slow/a
mkfifo progress
"$run" grade-all slow --challenge my-notes --store "$store" --jobs 1 2>progress \
	>/dev/null </dev/null &
grader=$!
exec 6<progress
read -t 60 -r line <&6
like "grade-all: the first is done" '1/4 +AC +a ' "$line"
kill -INT $grader
rest=$(cat <&6)
wait $grader
equal "grade-all: Ctrl-C: exit code" 130 $?
like "grade-all: Ctrl-C: it can go on" 'the same command goes on' "$rest"
equal "grade-all: Ctrl-C: what is done is kept, and nothing else" a.json \
	"$(ls -A slow.results | xargs)"
exec 6<&-
rm -r slow/s*
"$run" grade-all slow --challenge my-notes --store "$store" 2>stderr >/dev/null
like "grade-all: it goes on" '1 of 1 done, 1 of them before' "$(cat stderr)"

# Manifests.
printf 'student,path\r\n"Lovelace, Ada",subs/ada\r\n=cmd,"subs/zed.zip"\r\nnobody,no/such.zip\r\n' \
	>list.csv
"$run" grade-all list.csv --challenge my-notes --store "$store" --json table.json 2>stderr
equal "grade-all: a file that is missing is one row, and ours" 4 $? "$(cat stderr)"
equal "grade-all: a manifest of CSV" "Lovelace, Ada:AC =cmd:AC nobody:IE" \
	"$(table '["Love", "=cmd", "nobody"]
		.map((s) => row(s).student + ":" + row(s).verdict).join(" ")')"
like "grade-all: and says which" 'no/such.zip: No such file' "$(table 'row("nobody").reason')"
equal "grade-all: what could not be judged has no rank" null "$(table 'row("nobody").rank')"
printf '{ "student": "ada", "path": "subs/ada" }\n\n{ "student": "ada", "path": "subs/bob" }\n' \
	>list.jsonl
"$run" grade-all list.jsonl --challenge my-notes --store "$store" --json table.json --out results \
	2>stderr
equal "grade-all: a manifest of JSON" 0 $? "$(cat stderr)"
equal "grade-all: two of one name have a result each" "ada.json ada~2.json" "$(ls results | xargs)"

said() { # NAME PATTERN COMMAND...
	local name=$1 pattern=$2 out
	shift 2
	out=$("$run" "$@" 2>&1 </dev/null)
	equal "$name: exit code" 2 $? "$out"
	like "$name: message" "$pattern" "$out"
}
printf 'ada\n' >bad.csv
said "grade-all: a line without a path" 'bad.csv:1: a line must be' grade-all bad.csv \
	--challenge my-notes
printf 'ada,"x\n' >bad.csv
said "grade-all: an open quote" 'bad.csv:1: a line must be' grade-all bad.csv --challenge my-notes
printf '{ "student": 1 }\n' >bad.jsonl
said "grade-all: a wrong object" 'bad.jsonl:1: a line must be' grade-all bad.jsonl \
	--challenge my-notes
mkdir none
said "grade-all: an empty folder" 'no zip and no folder' grade-all none --challenge my-notes
said "grade-all: no such folder" 'No such file' grade-all /no/such --challenge my-notes
said "grade-all: no challenge" 'challenge is missing' grade-all subs
said "grade-all: too many jobs" 'at most' grade-all subs --challenge my-notes --jobs 1000

nothing_left "$before"
finish
