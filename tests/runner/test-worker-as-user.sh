#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A worker of an ordinary user without subordinate ids and without a delegated group: it says what
# this host cannot enforce for it, and serves when it is told to go without.
# alone: what is left on the host is counted
. "$(dirname "$0")/worker.sh"
. "$(dirname "$0")/../user.sh"

user=65532 # in no passwd file, and nobody else's here
home=$scratch/home
mkdir -p "$scratch/runtime" "$home/.local/share/sandbox"
challenge_notes || exit 1
worker_config <<JSON || exit 1
{
	"name": "w1", "slots": 1, "challenges": "challenges",
	"redis": { "url": "$redis_url" }, "ledger": { "url": "$postgres_url" },
	"fetch": { "file_root": "archives" }, "self_test": "1s", "log": { "level": "debug" }
}
JSON

# What the user may read and write: a copy of the program, a store of its own, the socket of Redis.
copy=$scratch/copy/build
copy_for_user "$copy"
mkdir -p "$copy/runner/fleet"
cp "$runner" "$copy/runner/fleet"
cp -a "$store/runtime" "$home/.local/share/sandbox"
chown -hR $user:$user "$home" "$scratch/runtime"
chmod -R a+rX "$scratch/archives" "$scratch/challenges" "$scratch/copy" "$config"
chmod 700 "$home/.local/share/sandbox" "$scratch/runtime"
chmod 755 "$scratch" "$scratch/redis"
chmod 666 "$redis_socket"
become $user HOME="$home" XDG_RUNTIME_DIR="$scratch/runtime"

"${as_user[@]}" "$copy/runner/fleet/sandbox-runner" run --config "$config" \
	>"$scratch/out" 2>&1 </dev/null
equal "what this host cannot enforce for the user refuses it: exit code" 4 $?
like "and is named, with what to do" 'not serving, .*(memory|pids|cpu).*allow-unenforced' \
	"$(cat "$scratch/out")"

"${as_user[@]}" "$copy/runner/fleet/sandbox-runner" run --config "$config" --allow-unenforced all \
	>"$log" 2>&1 </dev/null &
worker=$!
"$runner" submit "$scratch/archives/good.zip" --id one --student ada --challenge notes \
	--config "$config" \
	--quiet >"$scratch/verdict" 2>&1
equal "told to go without, it judges" "0 AC" "$? $(cut -d' ' -f1 "$scratch/verdict")" \
	"$(tail -5 "$log")"
like "and the result says what was not enforced" '"memory"' \
	"$(sql "SELECT result::json->>'unenforced' FROM sandbox.result WHERE submission = 'one'")"

await "it tests itself while it serves" has_logged 'the self-test passed'
equal "which holds nothing" 0 "$(logged 'nothing is claimed')"

# What a judge that was taken over could do: it is a process of the same user.
supervisor=$(pgrep -u $user -f 'sandbox-runner run' | head -1)
slot=$(pgrep -u $user -f '^sandbox-runner slot' | head -1)
for secret in environ maps mem fd/0; do
	for process in "$supervisor" "$slot"; do
		check "no other process of the user may look into $secret of ${process:-nobody}" \
			eval \
			'[ -e "/proc/$process" ] && ! "${as_user[@]}" sh -c ": <\$0" "/proc/$process/$secret" 2>/dev/null'
	done
done
check "who may look into those of a judge" "${as_user[@]}" sh -c ': <$0' \
	"/proc/$(pgrep -u $user -f '^sandbox-runner judge' | head -1)/environ"

worker_stop TERM
equal "it drains" 0 $status
nothing_left "$before"
finish
