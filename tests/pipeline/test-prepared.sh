#!/bin/bash
# SPDX-License-Identifier: MIT
# Jails, database and testers that were made before there was a submission (pipeline_prepare), for
# both ways to a database: the verdict is the same, and what is not used leaves nothing.
# alone: what is left on the host is counted
. "$(dirname "$0")/../runner/lib.sh"

prepared=$build/tests/bench/prepared
export SANDBOX_POLICY_DIR=$build/policies

postgres_start || {
	fail "a private Postgres starts"
	finish
	exit
}
before=$(traces)

both_ways() { # SUBMISSION VERDICT [CHALLENGE]
	local out
	out=$(SANDBOX_BUILD=$build SANDBOX_RUN_DATABASE=$postgres_url \
		"$prepared" "$1" "${3:-$cars/challenge}" "$store" 1 2>&1)
	equal "$(basename "$1"): on both, prepared and not" "$2 $2 $2 $2" \
		"$(sed -n 's/^verdict //p' <<<"$out" | xargs)" "$out"
}

both_ways "$cars/submissions/correct" AC
both_ways "$cars/submissions/bad-migration" CE
both_ways "$cars/submissions/boot-crash" BOOT
equal "no role and no database is left" "" \
	"$(sql "SELECT datname FROM pg_database WHERE datname LIKE 'sbx%'
		UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'sbx%'")"
nothing_left "$before"
finish
