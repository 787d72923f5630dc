#!/bin/bash
# SPDX-License-Identifier: MIT
# Every example is graded from a zip, as a student hands it in: verdict, exit code, reason.
# alone: what is left on the host is counted
. "$(dirname "$0")/lib.sh"

"$run" exec -- true # sweeps what dead owners left before
before=$(traces)

judged() { # NAME CHALLENGE VERDICT EXIT REASON-PATTERN
	local name=$1 challenge=$2
	zip_folder "$source_dir/examples/$challenge/submissions/$name" "$scratch/$name.zip"
	grade "$scratch/$name.zip" "$source_dir/examples/$challenge/challenge"
	equal "$challenge/$name: verdict" "$3" "$(member .verdict)" "$(tail -5 "$scratch/stderr")"
	equal "$challenge/$name: exit code" "$4" "$status"
	like "$challenge/$name: the reason says why" "$5" "$(member .reason)"
}

# Nothing is done in these until their time is over.
too_late() {
	judged wrong-port car-rental BOOT 3 'listens on port 3000, not on 8000'
	judged silent car-rental BOOT 3 'did not listen on port 8000 within 5 s'
}

in_time() {
	judged correct car-rental AC 0 'All 47 tests passed'
	equal "all points" 100 "$(member .score)"
	equal "a verdict for each test" 47 \
		"$(member '.tests.cases.filter(c => c.status === "passed").length')"
	like "memory is limited by a control group" '^cgroup[12]$' "$(member .enforced.memory)"
	equal "stages are timed in order" true \
		"$(member '.stages.every((s, i, all) => !i || s.start_ms >= all[i - 1].start_ms)')"

	judged partial car-rental PARTIAL 1 '38 of 47 tests passed'
	equal "partial fails where it cut corners, and nowhere else" 9 \
		"$(member '.tests.cases.filter(c => c.status !== "passed").length')"
	like "a failure shows what was expected and what came" \
		'"expected":"status 409".*"actual":"status 201"' \
		"$(member '.tests.cases.find(c => c.status !== "passed")')"

	judged bad-migration car-rental CE 3 \
		'migrations/002_rental.sql:13:.*syntax error at or near "from_day"'
	judged boot-crash car-rental BOOT 3 'ended with exit code 1'
	like "the student sees the last lines" "Cannot find module './routes/Bookings'" \
		"$(member .log)"
	judged boot-spin car-rental BOOT 3 'endless loop'
	judged memory-leak car-rental MLE 1 'more memory than the limit of 512 MiB'
	judged hostile car-rental AC 0 'All 47 tests passed'
	check "the hostile submission ran its attacks" grep -q '^[0-9]* attacks, ' "$scratch/log"
	equal "and none of them got anything" "" "$(grep '^\[GOT IT\]' "$scratch/log")"

	judged correct todo AC 0 'All 13 tests passed'
	judged wrong todo PARTIAL 1 '8 of 13 tests passed'
}

side_by_side too_late in_time
nothing_left "$before"
finish
