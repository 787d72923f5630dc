#!/bin/bash
# SPDX-License-Identifier: MIT
# What the deps stage costs: for packages that nobody had before, for the second submission with them,
# for one with one package more. Usage: deps.sh BUILD [ROUNDS]; README.md says what is measured.
set -euo pipefail

build=${1:?usage: deps.sh BUILD [ROUNDS]} rounds=${2:-3}
source=${SANDBOX_STORE:-/var/lib/sandbox}
run=$build/runner/sandbox-run
node=$source/runtime/node/bin/node
npm=$source/runtime/node/lib/node_modules/npm/bin/npm-cli.js
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

submission() { # NAME PACKAGE...: a server that needs them
	local dir=$scratch/$1
	shift
	mkdir -p "$dir"
	echo '{ "private": true, "scripts": { "start": "node server.js" } }' >"$dir/package.json"
	echo "require('http').createServer((q, a) => a.end('ok')).listen(8000)" >"$dir/server.js"
	(cd "$dir" && "$node" "$npm" install --package-lock-only --ignore-scripts --no-audit --no-fund \
		--omit-lockfile-registry-resolved --loglevel=error "$@" >/dev/null)
}

# Milliseconds of the deps stage.
stage() { # SUBMISSION
	"$run" grade "$scratch/$1" --challenge "$scratch/challenge" --store "$scratch/store" -q \
		--json="$scratch/result.json" 2>/dev/null >&2 || true
	"$node" -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
		if (r.verdict !== "AC") throw new Error(r.verdict + ": " + r.reason);
		console.log(r.stages.find((s) => s.name === "deps").wall_ms)' "$scratch/result.json"
}

forget() { # KIND...
	for kind; do rm -rf "${scratch:?}/store/$kind"; done
}

tree=(express@5 pg@8 prisma@6.19.3 @prisma/client@6.19.3 typescript@5.9 tsx@4)
submission base "${tree[@]}"
submission plus "${tree[@]}" cors@2.8.5
mkdir -p "$scratch/challenge"
printf 'GET http://127.0.0.1:8000/\nHTTP 200\n' >"$scratch/challenge/one.hurl"
echo '{ "title": "deps", "tests": ["one.hurl"], "port": 8000 }' >"$scratch/challenge/challenge.json"
mkdir -m 700 "$scratch/store" && ln -s "$(realpath "$source/runtime")" "$scratch/store/runtime"

for ((i = 0; i < rounds; i++)); do
	forget deps tarballs
	echo "cold $(stage base)"
	echo "second $(stage base)"
	echo "more $(stage plus)"
	forget deps
	echo "cached $(stage base)"
	forget deps
	echo "none-shared $(stage plus)"
done | "$node" -e '
	const rows = {};
	for (const line of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
		const [name, ms] = line.split(" ");
		(rows[name] ??= []).push(Number(ms));
	}
	const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
	const cold = median([...rows.cold]);
	const titles = { cold: "cold: nothing stored", second: "second submission, same lockfile",
		more: "one package more", cached: "all tarballs stored, no tree",
		"none-shared": "one package more, all tarballs stored, no tree" };
	for (const [name, title] of Object.entries(titles)) {
		const ms = median(rows[name]);
		console.log(title.padEnd(48), ms.toFixed(1).padStart(9), "ms", (ms / cold).toFixed(3).padStart(7), "x cold");
	}'
"$run" deps ls --store "$scratch/store"
