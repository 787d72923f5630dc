#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A worker of an ordinary user without subordinate ids and without a delegated group: it says what this
# host cannot enforce for it, and serves when it is told to go without.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../user.sh"

[ "$(id -u)" = 0 ] || {
	echo "1..0 # SKIP needs root, to become another user"
	exit 0
}
unset "${!SANDBOX_RUNNER_@}"

user=65532 # in no passwd file, and nobody else's here
runner=$build/runner/fleet/sandbox-runner
config=$scratch/runner.json
home=$scratch/home
worker=
trap '[ -z "$worker" ] || { kill -TERM "$worker"; wait "$worker"; }; servers_stop; rm -rf "$scratch"' EXIT

redis_start && postgres_start || exit 1
before=$(traces)
mkdir -p "$scratch/archives" "$scratch/challenges" "$scratch/runtime" "$home/.local/share/sandbox"
"$run" init-challenge "$scratch/challenges/notes" >/dev/null 2>&1 || exit 1
zip_folder "$scratch/challenges/notes/solution" "$scratch/archives/good.zip"
cat >"$config" <<JSON
{
	"name": "w1", "slots": 1, "challenges": "challenges",
	"redis": { "url": "$redis_url" }, "ledger": { "url": "$postgres_url" },
	"fetch": { "file_root": "archives" }
}
JSON
"$runner" admin migrate --config "$config" >/dev/null || exit 1

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

"${as_user[@]}" "$copy/runner/fleet/sandbox-runner" run --config "$config" >"$scratch/out" 2>&1 </dev/null
equal "what this host cannot enforce for the user refuses it: exit code" 4 $?
like "and is named, with what to do" 'not serving, .*(memory|pids|cpu).*allow-unenforced' "$(cat "$scratch/out")"

"${as_user[@]}" "$copy/runner/fleet/sandbox-runner" run --config "$config" --allow-unenforced all \
	>"$scratch/out" 2>&1 </dev/null &
worker=$!
"$runner" submit "$scratch/archives/good.zip" --id one --student ada --challenge notes --config "$config" \
	--quiet >"$scratch/verdict" 2>&1
equal "told to go without, it judges" "0 AC" "$? $(cut -d' ' -f1 "$scratch/verdict")" "$(tail -5 "$scratch/out")"
like "and the result says what was not enforced" '"memory"' \
	"$(sql "SELECT result::json->>'unenforced' FROM sandbox.result WHERE submission = 'one'")"

# What a judge that was taken over could do: it is a process of the same user.
supervisor=$(pgrep -u $user -f 'sandbox-runner run' | head -1)
slot=$(pgrep -u $user -f '^sandbox-runner slot' | head -1)
for secret in environ maps mem fd/0; do
	for process in "$supervisor" "$slot"; do
		check "no other process of the user may look into $secret of ${process:-nobody}" \
			eval '[ -e "/proc/$process" ] && ! "${as_user[@]}" sh -c ": <\$0" "/proc/$process/$secret" 2>/dev/null'
	done
done
check "who may look into those of a judge" "${as_user[@]}" sh -c ': <$0' \
	"/proc/$(pgrep -u $user -f '^sandbox-runner judge' | head -1)/environ"

kill -TERM "$worker"
wait "$worker"
equal "it drains" 0 $?
worker=
nothing_left "$before"
finish
