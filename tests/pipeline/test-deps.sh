#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Dependencies: the package managers, lockfiles that are missing or out of date, install scripts,
# and what is kept of an install. A store of its own, so that everything is installed here.
. "$(dirname "$0")/lib.sh"

tools=$(readlink -f "$store/runtime/node")
store=$scratch/store
mkdir -m 700 "$store" "$store/runtime"
ln -s "$tools" "$store/runtime/node"

plain=$scratch/plain
mkdir "$plain"
echo '{ "title": "deps", "port": 8000, "tests": ["t.hurl"] }' >"$plain/challenge.json"
printf 'GET http://localhost:8000/\nHTTP 200\n[Asserts]\nbody contains "1000"\n' >"$plain/t.hurl"

variant() { # NAME MEMBERS: a challenge with more members
	cp -r "$plain" "$scratch/$1"
	echo "{ \"title\": \"deps\", \"port\": 8000, \"tests\": [\"t.hurl\"], $2 }" \
		>"$scratch/$1/challenge.json"
}
variant required '"lockfile": "required"'
variant silent '"install_scripts": null'
variant listed '"install_scripts": ["esbuild"]'

work=$scratch/work
project() { # MEMBERS of package.json [JAVASCRIPT]: a server that needs ms
	rm -rf "$work"
	mkdir "$work"
	echo "{ \"name\": \"shop\", \"scripts\": { \"start\": \"node server.js\" }, $1 }" \
		>"$work/package.json"
	cat >"$work/server.js" <<-END
		const ms = require('ms');
		${2:-}
		require('http').createServer((q, r) => r.end(String(ms('1s')))).listen(8000);
	END
}
ms='"dependencies": { "ms": "2.1.3" }'
sum=sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==

note() { # of the stage
	member '.stages.find(s => s.name === "deps").note'
}

passes() { # NAME PATTERN of the note [CHALLENGE]
	grade "$work" "${3:-$plain}"
	equal "$1: AC" AC "$(member .verdict)" "$(tail -12 "$scratch/stderr")"
	like "$1: told how" "$2" "$(note)"
}

refused() { # NAME PATTERN of the reason [CHALLENGE]
	grade "$work" "${3:-$plain}"
	equal "$1: CE" CE "$(member .verdict)" "$(tail -12 "$scratch/stderr")"
	like "$1: the reason says why" "$2" "$(member .reason)"
}

# The managers, with the lockfiles that they write

project "$ms"
cat >"$work/package-lock.json" <<END
{ "name": "shop", "lockfileVersion": 3, "requires": true, "packages": {
  "": { "name": "shop", "dependencies": { "ms": "2.1.3" } },
  "node_modules/ms": { "version": "2.1.3", "license": "MIT", "integrity": "$sum" } } }
END
passes "npm" '^npm ci, 1 packages$'
passes "npm again" '^stored$'
cp -r "$work" "$scratch/npm"

project "$ms, \"packageManager\": \"pnpm@10.34.9+sha512.00\""
cat >"$work/pnpm-lock.yaml" <<END
lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      ms:
        specifier: 2.1.3
        version: 2.1.3

packages:

  ms@2.1.3:
    resolution: {integrity: $sum}

snapshots:

  ms@2.1.3: {}
END
passes "pnpm" '^pnpm install, 1 packages$'
like "pnpm: what was used is told" 'pnpm 10\.34\.9, pnpm-lock\.yaml' "$(member .detected)"
passes "pnpm again" '^stored$'
cp -r "$work" "$scratch/pnpm"

project "$ms"
cat >"$work/yarn.lock" <<END
# yarn lockfile v1


ms@2.1.3:
  version "2.1.3"
  resolved "https://registry.yarnpkg.example/npm/ms/-/ms-2.1.3.tgz#574c8138ce1d2b5861f0b44579dbadd60c6615b2"
  integrity $sum
END
passes "yarn 1" '^yarn install$'
cp -r "$work" "$scratch/yarn"

project "$ms, \"packageManager\": \"yarn@4.18.1\""
passes "yarn 4 without a lockfile" '^yarn install$'
cp "$store"/lock/*/lockfile "$work/yarn.lock"
passes "yarn 4 with the lockfile that was resolved" '^stored$'
equal "yarn 4: no word about versions then" '[]' "$(member .notes)"
cp -r "$work" "$scratch/berry"

project "$ms"
cat >"$work/bun.lock" <<END
{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "shop",
      "dependencies": {
        "ms": "2.1.3",
      },
    },
  },
  "packages": {
    "ms": ["ms@2.1.3", "", {}, "$sum"],
  }
}
END
passes "bun" '^bun install'
cp -r "$work" "$scratch/bun"

# Lockfiles that are not there, or not of this package.json

project "$ms"
refused "a lockfile is required" 'no package-lock\.json beside it: run .npm install' \
	"$scratch/required"
passes "no lockfile" '^npm (ci|install)'
like "no lockfile: the versions are told to be resolved" \
	'No lockfile: versions were resolved on 20[0-9-]*; submit package-lock\.json' \
	"$(member .notes)"
passes "no lockfile again" '^stored$'
# Something else is asked for, but what was resolved has the same versions.
equal "what was resolved is kept" 2 "$(find "$store/lock" -name lockfile | wc -l)"

for manager in npm pnpm yarn berry bun; do
	rm -rf "$work"
	cp -r "$scratch/$manager" "$work"
	sed -i 's/"ms": "2.1.3"/"ms": "2.1.3", "depd": "2.0.0"/' "$work/package.json"
	echo "require('depd');" >>"$work/server.js"
	[ "$manager" != npm ] || refused "$manager: out of date where one is required" \
		'package-lock\.json does not match package\.json: run .npm install' \
		"$scratch/required"
	passes "$manager: out of date" '(ci|install)'
	like "$manager: out of date is told" \
		'lockfile does not match package.json: versions were resolved' \
		"$(member .notes)"
done
passes "out of date again" '^stored$'

# What cannot be had

project '"dependencies": { "ms": "99.1.0" }'
refused "a version that does not exist" 'ETARGET.*ms@99\.1\.0'
project "$ms, \"packageManager\": \"pnpm@10.999.1\""
refused "a manager that does not exist" 'pnpm@10\.999\.1.*the registry does not have'
project "$ms, \"packageManager\": \"pnpm@3.1.0\""
refused "a manager that is too old" 'pnpm@3\.1\.0.*too old'

# Install scripts

project '"dependencies": { "ms": "2.1.3", "bcrypt": "5.1.1" }' "require('bcrypt')"
refused "a script that asks for another host" 'bcrypt 5\.1\.1 .*the host github\.com.*bcrypt 6'
passes_without() { # bcrypt 5 loads its binary when it is required
	grade "$work" "$scratch/silent"
	equal "scripts may be forbidden" BOOT "$(member .verdict)" "$(tail -12 "$scratch/stderr")"
	like "scripts may be forbidden: told" 'does not let bcrypt run its install script' \
		"$(member .notes)"
}
passes_without

native="require('bcrypt').hashSync('x', 4); require('sharp').versions.vips;
	require('esbuild').transformSync('let a: number = 1', { loader: 'ts' });
	require('@swc/core').transformSync('let a: number = 1',
		{ jsc: { parser: { syntax: 'typescript' } } });"
project '"dependencies": { "ms": "2.1.3", "bcrypt": "6.0.0", "sharp": "0.34.4",
	"esbuild": "0.25.10", "@swc/core": "1.13.5" }' "$native"
passes "binaries that come through the registry" '^npm ci'
equal "none of them ran a script" "" "$(find "$store/deps" -name scripts -maxdepth 2)"
project '"dependencies": { "ms": "2.1.3", "esbuild": "0.25.10" }' \
	"require('esbuild').transformSync('let a = 1')"
passes "a script that the challenge lists" '^npm' "$scratch/listed"
like "a tree in which one ran says so" 'esbuild@0\.25\.10' "$(cat "$store"/deps/*/scripts)"

# One install for all, whole or not at all

install_of() { # REVISION: a submission that nobody has handed in before
	rm -rf "$work"
	cp -r "$scratch/npm" "$work"
	sed -i "s/\"dependencies\"/\"overrides\": { \"unused\": \"$1.0.0\" }, &/" \
		"$work/package.json"
}

install_of 1
judge() { # NAME
	"$run" grade "$work" --challenge "$plain" --store "$store" --json="$scratch/$1.json" \
		2>/dev/null
}
judge one &
first=$!
judge two
wait "$first"
for name in one two; do
	cp "$scratch/$name.json" "$scratch/result.json"
	echo "$(member .verdict) $(note)"
done | sort >"$scratch/both"
like "two at once install once" $'^AC npm [^\n]*\nAC stored$' "$(cat "$scratch/both")"

install_of 2
before=$(find "$store/deps" -name '*.info' | wc -l)
# not a function: it is killed
"$run" grade "$work" --challenge "$plain" --store "$store" >/dev/null 2>&1 &
first=$!
until [ -n "$(find "$store/tmp" -maxdepth 1 -name 'deps-*')" ] || ! kill -0 "$first" 2>/dev/null; do
	sleep 0.02
done
kill -KILL "$first"
wait "$first" 2>/dev/null
equal "a killed install leaves no entry" "$before" "$(find "$store/deps" -name '*.info' | wc -l)"
passes "after it the install is done again" '^npm'
equal "and what the killed one left is gone" "" "$(find "$store/tmp" -mindepth 1)"

# Without the registry

export npm_config_registry=http://127.0.0.1:9/
passes "what is stored needs no registry" '^stored$'
rm -rf "$work"
cp -r "$scratch/pnpm" "$work"
passes "nor the manager" '^stored$'
install_of 3
passes "nor what has all its tarballs there" '^npm'
project '"dependencies": { "ms": "2.1.2" }'
grade "$work" "$plain"
equal "what is not stored is our failure then" IE "$(member .verdict)" \
	"$(tail -12 "$scratch/stderr")"
like "which names the registry" 'registry' "$(cat "$scratch/stderr")"

finish
