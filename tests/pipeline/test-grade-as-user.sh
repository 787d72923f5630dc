#!/bin/bash
# SPDX-License-Identifier: MIT
#
# sandbox-run grade as an ordinary user without subordinate ids and without a delegated group: what
# everybody has on a host that was not prepared. Postgres, an install and a build included.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../user.sh"

needs_root "to become another user"

user=65532 # in no passwd file, and nobody else's here
root_store=$store
home=$scratch/home
store=$home/.local/share/sandbox # the default of a user
json=$scratch/result.json

# Copies that everybody may read: the tree and root's store are perhaps not.
copy=$scratch/copy
copy_for_user "$copy/build"
mkdir -p "$copy/toolchain"
cp -r "$source_dir"/runner/toolchain/* "$copy/toolchain"
cp -r "$cars" "$copy/cars"
chmod -R a+rX "$copy"
chmod 755 "$scratch"
run=$copy/build/runner/sandbox-run
cars=$copy/cars

mkdir -p "$store" "$scratch/runtime"
cp -a "$root_store/runtime" "$store"

# What the examples need, where root's store has it: entries with just the packages of their
# lockfile.
installed() {
	"$node" -e '
		const fs = require("fs"), [lock, ...entries] = process.argv.slice(1);
		const names = (file) => Object.keys(JSON.parse(fs.readFileSync(file)).packages)
			.filter(Boolean).sort().join();
		const same = (file) => fs.existsSync(file) && names(file) === names(lock);
		for (const entry of entries)
			if (same(entry + "/node_modules/.package-lock.json")) console.log(entry);' \
		"$cars/submissions/correct/package-lock.json" "$root_store"/deps/*
}
mkdir "$store/deps"
for entry in $(installed); do
	cp -a "$entry" "$entry".* "$store/deps"
done

# npm's settings as root has them, wherever they stand, in files that the user may read.
npm_settings() {
	local key value ca
	for key in registry proxy https-proxy noproxy strict-ssl; do
		value=$(npm config get $key 2>/dev/null)
		[ -z "$value" ] || [ "$value" = null ] || echo "$key=$value"
	done
	ca=$(npm config get cafile 2>/dev/null)
	[ -f "$ca" ] || ca=${NODE_EXTRA_CA_CERTS:-}
	[ -f "$ca" ] || return
	cp "$ca" "$home/ca.pem"
	echo "cafile=$home/ca.pem"
}
npm_settings >"$home/.npmrc"
: >"$json"
chown -hR $user:$user "$home" "$scratch/runtime" "$json"
chmod 700 "$store" "$scratch/runtime"

become $user HOME="$home" XDG_RUNTIME_DIR="$scratch/runtime"

grade_as_user() { # SUBMISSION [OPTION...]
	local submission=$1
	shift
	: >"$json"
	"${as_user[@]}" "$run" grade "$submission" --challenge "$cars/challenge" --color never \
		--json="$json" "$@" \
		2>"$scratch/stderr" >&2 </dev/null
	status=$?
}

# Processes of the user, leases, half-made entries, mounts: all of it, by what it is called.
left_behind() {
	pgrep -u $user -a
	find "$scratch/runtime" ! -type d
	find "$store/tmp" -mindepth 1 2>/dev/null
	grep -F "$scratch" /proc/self/mountinfo
}

# until_true COMMAND...: asks again for at most half a minute.
until_true() {
	local end=$((SECONDS + 30))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

nobody_there() {
	! pgrep -u $user >/dev/null
}

# ------------------------------------------------------------------ the store and the refusal
like "install.sh finds the runtime in the user's store" "are installed in $store/runtime" \
	"$("${as_user[@]}" "$copy/toolchain/install.sh" 2>&1)"

grade_as_user "$cars/submissions/correct" --store "$root_store"
equal "root's store is refused" 4 "$status"
like "and the way out is named" '--store' "$(cat "$scratch/stderr")"

grade_as_user "$cars/submissions/correct"
equal "limits that cannot be enforced are refused" 4 "$status" "$(cat "$scratch/stderr")"
equal "as a failure of ours" IE "$(member .verdict)"
like "with the way out" '(delegat|Delegate|cgroup).*or --allow-unenforced memory' \
	"$(cat "$scratch/stderr")"
equal "a refusal leaves nothing behind" "" "$(left_behind)"

grade_as_user "$cars/submissions/correct" --allow-unenforced memory,wall
equal "a limit that is none is a wrong command line" 2 "$status"

# --------------------------------------------------------------------------------- verdicts
grade_as_user "$cars/submissions/correct" --allow-unenforced all
equal "correct: verdict" AC "$(member .verdict)" "$(cat "$scratch/stderr")"
equal "correct: exit code" 0 "$status"
like "with a database of its own" 'postgres on port 5432' \
	"$(member '.stages.find(s => s.name === "database").note')"
equal "the result names what was not enforced" '["memory","cpu","cpu-time"]' \
	"$(member '.unenforced.filter(l => l !== "swap")')"
like "people are told, too" 'not enforced on this host.*memory.*cpu-time' "$(cat "$scratch/stderr")"
equal "processes are limited all the same" rlimit "$(member .enforced.pids)"
equal "what nothing measured is not said to be 0" "disk_total disk_used oom_kills pids_refused" \
	"$("$node" -p '
		Object.keys(JSON.parse(require("fs").readFileSync(0)).usage).sort().join(" ")' \
		<"$json")"
equal "all in the store is the user's" "" "$(find "$store" ! \( -uid $user -gid $user \))"
equal "nothing is left behind" "" "$(left_behind)"

grade_as_user "$cars/submissions/bad-migration" --allow-unenforced memory,swap,cpu,cpu-time
equal "bad-migration: verdict" CE "$(member .verdict)" "$(cat "$scratch/stderr")"
grade_as_user "$cars/submissions/boot-crash" --allow-unenforced all
equal "boot-crash: verdict" BOOT "$(member .verdict)" "$(cat "$scratch/stderr")"
grade_as_user "$cars/submissions/hostile" --allow-unenforced all --keep-logs "$home/log"
equal "hostile: verdict" AC "$(member .verdict)" "$(cat "$scratch/stderr")"
check "the hostile submission ran its attacks" grep -q '^[0-9]* attacks, ' "$home/log"
equal "and none of them got anything" "" "$(grep '^\[GOT IT\]' "$home/log")"

# ------------------------------------------------------- an install and a build of the user's own
# One package of the example, so that little is fetched; the build writes beside it.
mkdir "$scratch/small"
"$node" -e '
	const fs = require("fs"), [from, to] = process.argv.slice(1);
	const all = JSON.parse(fs.readFileSync(from + "/package-lock.json")).packages;
	const name = Object.keys(all).find((n) => n && !all[n].dependencies && !all[n].bin);
	const entry = { ...all[name], dev: undefined };
	const dependencies = { [name.replace("node_modules/", "")]: entry.version };
	const put = (file, value) => fs.writeFileSync(to + "/" + file, JSON.stringify(value));
	put("package.json", { name: "small", version: "1.0.0", dependencies,
		scripts: { build: "node build.js", start: "node server.js" } });
	const root = { name: "small", version: "1.0.0", dependencies };
	put("package-lock.json", { name: "small", version: "1.0.0", lockfileVersion: 3,
		requires: true, packages: { "": root, [name]: entry } });
	fs.writeFileSync(to + "/build.js", `
		const fs = require("fs");
		fs.mkdirSync("node_modules/.cache");
		fs.writeFileSync("node_modules/.cache/made", "");`);
	fs.writeFileSync(to + "/server.js", `
		require("fs").accessSync("node_modules/.cache/made");
		require("http").createServer((q, a) => a.end("{}")).listen(process.env.PORT);`);
' "$cars/submissions/correct" "$scratch/small"
chmod -R a+rX "$scratch/small"
grade_as_user "$scratch/small" --allow-unenforced all
like "npm installs as the user" 'npm ci, 1 package' \
	"$(member '.stages.find(s => s.name === "deps").note')"
equal "the build wrote beside the packages, and the server answers" WA "$(member .verdict)" \
	"$(member .reason)" "$(cat "$scratch/stderr")"
equal "the entry holds nothing of the build" "" "$(find "$store/deps" -name .cache)"
equal "the entry is sealed" "" \
	"$(find "$store"/deps/*/node_modules ! -type l \( ! -uid $user -o ! -gid $user -o \
		-perm /022 \))"

# ----------------------------------------------------------------------------- sudden ends
all_run() {
	pgrep -u $user -x postgres >/dev/null && pgrep -u $user -x node >/dev/null &&
		pgrep -u $user -f '^sandbox-init' >/dev/null
}

for signal in KILL INT; do
	"${as_user[@]}" "$run" grade "$cars/submissions/silent" -c "$cars/challenge" -q \
		--allow-unenforced all \
		>/dev/null 2>&1 </dev/null &
	judge=$!
	until_true all_run
	equal "$signal: database and server run" 0 $?
	kill -$signal $judge
	wait $judge 2>/dev/null
	status=$?
	equal "$signal: the judge has ended" "$([ $signal = KILL ] && echo 137 || echo 130)" $status
	until_true nobody_there
	equal "$signal: so have all the processes that it had" "" "$(pgrep -u $user -a)"
done
grade_as_user "$cars/submissions/bad-migration" --allow-unenforced all
equal "the next run is not disturbed" CE "$(member .verdict)" "$(cat "$scratch/stderr")"
equal "and nothing is left of any of them" "" "$(left_behind)"
finish
