#!/bin/bash
# SPDX-License-Identifier: MIT
# What the deps stage costs with each package manager: for packages that nobody had before, for the
# second submission with them, for one with one package more. Usage: deps.sh BUILD [ROUNDS
# [MANAGER...]]; README.md says what is measured.
set -euo pipefail

build=${1:?usage: deps.sh BUILD [ROUNDS [MANAGER...]]} rounds=${2:-3}
managers=("${@:3}")
[ ${#managers[@]} -gt 0 ] || managers=(npm pnpm@10 pnpm@9 pnpm@8 pnpm@7 yarn@1 yarn@4 yarn@3 bun)
source=${SANDBOX_STORE:-/var/lib/sandbox}
run=$build/runner/sandbox-run
node=$source/runtime/node/bin/node
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

file_of() { # MANAGER
	case $1 in npm) echo package-lock.json ;; pnpm*) echo pnpm-lock.yaml ;; yarn*) \
		echo yarn.lock ;; bun) echo bun.lock ;; esac
}

# Milliseconds of the deps stage.
stage() { # SUBMISSION
	"$run" grade "$scratch/$1" --challenge "$scratch/challenge" --store "$scratch/store" -q \
		--json="$scratch/result.json" 2>/dev/null >&2 || true
	"$node" -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
		if (r.verdict !== "AC") throw new Error(r.verdict + ": " + r.reason);
		console.log(r.stages.find((s) => s.name === "deps").wall_ms)' "$scratch/result.json"
}

# A server that needs the packages, with the lockfile that the judge resolves for it.
submission() { # NAME MANAGER DEPENDENCIES
	local dir=$scratch/$1 named=
	rm -rf "$dir"
	mkdir -p "$dir"
	[ "$2" = npm ] || named="\"packageManager\": \"$2\","
	cat >"$dir/package.json" <<-END
		{ "name": "shop", $named "scripts": { "start": "node server.js" },
			"dependencies": { $3 } }
	END
	echo "require('http').createServer((q, a) => a.end('ok')).listen(8000)" >"$dir/server.js"
	forget lock
	stage "$1" >/dev/null
	cp "$scratch"/store/lock/*/lockfile "$dir/$(file_of "$2")"
}

forget() { # KIND...
	for kind; do rm -rf "${scratch:?}/store/$kind"; done
}

measure() { # MANAGER
	submission base "$1" "$tree"
	submission plus "$1" "$tree, \"cors\": \"2.8.5\""
	for ((i = 0; i < rounds; i++)); do
		forget deps tarballs
		echo "cold $(stage base)"
		echo "second $(stage base)"
		echo "more $(stage plus)"
		forget deps
		echo "cached $(stage base)"
	done
}

tree='"express": "5.1.0", "pg": "8.16.3", "prisma": "6.19.3", "@prisma/client": "6.19.3",
	"typescript": "5.9.3", "tsx": "4.20.6"'
mkdir -p "$scratch/challenge"
printf 'GET http://127.0.0.1:8000/\nHTTP 200\n' >"$scratch/challenge/one.hurl"
echo '{ "title": "deps", "tests": ["one.hurl"], "port": 8000 }' >"$scratch/challenge/challenge.json"
mkdir -m 700 "$scratch/store" && ln -s "$(realpath "$source/runtime")" "$scratch/store/runtime"

printf '%-10s %10s %22s %22s %22s\n' manager 'cold ms' 'same lockfile' 'one package more' \
	'tarballs only'
for manager in "${managers[@]}"; do
	measure "$manager" >"$scratch/times"
	"$node" -e '
		const rows = {};
		for (const line of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
			const [name, ms] = line.split(" ");
			(rows[name] ??= []).push(Number(ms));
		}
		const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
		const cold = median(rows.cold);
		const cell = (name) => {
			const ms = median(rows[name]);
			return `${ms.toFixed(1)} ms ${(ms / cold).toFixed(3)}`.padStart(22);
		};
		console.log(process.argv[1].padEnd(10), cold.toFixed(1).padStart(10),
			cell("second"), cell("more"), cell("cached"));
	' "$manager" <"$scratch/times"
done
"$run" deps ls --store "$scratch/store"
