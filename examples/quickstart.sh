#!/bin/bash
# SPDX-License-Identifier: MIT
#
# From a bare Debian 12 to a verdict: installs what is missing, builds, and grades every submission
# of the car-rental challenge, each as the zip that a student would hand in.
# The first run takes some minutes (packages, build), the next ones seconds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
[ $# = 0 ] || {
	echo "quickstart.sh: it takes no arguments; sandbox-run grade does (README.md)" >&2
	exit 2
}

# What each submission shows, in the order of the table. hostile may be graded or be stopped by a
# limit; it must be contained, which its own findings tell (see below).
submissions=(correct partial bad-migration boot-crash wrong-port silent boot-spin memory-leak
	hostile)
declare -A expected=(
	[correct]=AC [partial]=PARTIAL [bad-migration]=CE [boot-crash]=BOOT [wrong-port]=BOOT
	[silent]=BOOT [boot-spin]=BOOT [memory-leak]=MLE [hostile]='AC|PARTIAL|PLE|DLE|MLE'
)

examples/setup.sh || exit 1

store=${SANDBOX_STORE:-/var/lib/sandbox}
node=$store/runtime/node/bin/node
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

zip_folder() { # FOLDER ZIP
	python3 -c 'import shutil, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL) # no traceback
shutil.make_archive(sys.argv[2][:-4], "zip", sys.argv[1])' "$1" "$2"
}

# The first sentence of a submission's README, which says what is in it.
describe() { # FOLDER
	awk -v RS= 'NR == 2 { gsub(/\n/, " "); sub(/\. .*/, "."); print }' "$1/README.md"
}

# One line of the result, fields separated by tabs: verdict, points, milliseconds, reason as far as
# a row of the table has room for it.
summary() { # JSON
	"$node" -e '
		const r = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
		const line = r.reason.split("\n")[0].replace(/\t/g, " ");
		const reason = line.replace(/^(.{65}).{4,}/, "$1...");
		console.log([r.verdict, `${r.score}/${r.max_score}`, Math.round(r.wall_ms), reason]
			.join("\t"));
	' "$1"
}

failed=0
rows=()
for name in "${submissions[@]}"; do
	printf '\n== %s: %s\n' "$name" "$(describe "examples/car-rental/submissions/$name")"
	zip_folder "examples/car-rental/submissions/$name" "$work/$name.zip" || exit 1
	quiet=(-q)
	[ "$name" = correct ] && quiet=()
	build/runner/sandbox-run grade "$work/$name.zip" "${quiet[@]}" \
		--challenge examples/car-rental/challenge --store "$store" \
		--json="$work/$name.json" --keep-logs "$work/$name.log"
	status=$?
	[ $status = 130 ] && exit 130
	if [ $status = 4 ]; then
		cat >&2 <<'END'

The sandbox failed, for the reason above: the others would tell the same.
What this host has and lacks:  build/runner/sandbox-run doctor
END
		exit 1
	fi
	if ! line=$(summary "$work/$name.json" 2>/dev/null); then
		rows+=("$name	no result	-	-	sandbox-run ended with $status")
		failed=$((failed + 1))
		continue
	fi
	verdict=${line%%	*}
	mark=
	if ! [[ $verdict =~ ^(${expected[$name]})$ ]]; then
		mark=" (expected ${expected[$name]})"
		failed=$((failed + 1))
	fi
	if [ "$name" = hostile ]; then
		if attacks=$(grep -m 1 '^\[GOT IT\]' "$work/$name.log"); then
			mark="$mark NOT CONTAINED: $attacks"
			failed=$((failed + 1))
		elif attacks=$(grep -m 1 '^[0-9]* attacks, ' "$work/$name.log"); then
			mark="$mark Contained: ${attacks%, * ms}"
		fi
	fi
	rows+=("$name	$line$mark")
done

printf '\n%-14s %-8s %-10s %8s  %s\n' SUBMISSION VERDICT POINTS TIME REASON
for row in "${rows[@]}"; do
	IFS=$'\t' read -r name verdict points ms reason <<<"$row"
	printf '%-14s %-8s %-10s %5s ms  %s\n' "$name" "$verdict" "$points" "$ms" "$reason"
done
cat <<'END'

AC all tests passed, PARTIAL some, CE the submission did not install, build or migrate, BOOT its server
did not start, MLE and TLE too much memory or time. Who is graded sees the reason, and the server's log.
END
if [ $failed != 0 ]; then
	printf '\n%d submissions were not judged as they should be; %s\n' $failed \
		'sandbox-run doctor looks at the host.'
	exit 1
fi
printf '\nAll %d submissions were judged as they should be. Next: README.md, docs/challenge.md.\n' \
	${#submissions[@]}
