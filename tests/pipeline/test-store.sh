#!/bin/bash
# SPDX-License-Identifier: MIT
# The content store as its operator sees it: deps ls, warm, verify, gc; what a lockfile that differs
# by little takes over from an earlier install; what is damaged is found and made again.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=$source_dir/tests/pipeline/store
one=$scratch/one two=$scratch/two

new_store() { # DIR: with the runtime of the store that the tests use
	mkdir -m 700 "$1" && ln -s "$store/runtime" "$1/runtime"
}

deps() { # STORE VERB [WORD...]
	local in=$1
	shift
	"$run" deps "$@" --store "$in" 2>&1
}

keys() {
	"$run" deps ls --json --store "$1" | "$node" -e '
		for (const e of JSON.parse(require("fs").readFileSync(0)))
			if (e.kind === "deps") console.log(e.key)' | sort
}

# The key that SUBMISSION added to STORE, in $key; what warm said, in $said.
warm() { # STORE SUBMISSION
	keys "$1" >"$scratch/before"
	said=$(deps "$1" warm "$2")
	key=$(keys "$1" | comm -13 "$scratch/before" -)
}

tree() { # FOLDER: every name with its kind, mode, target and content
	(cd "$1" && find . -printf '%y %m %p %l\n' | sort && find . -type f -print0 | sort -z |
			xargs -0 sha256sum)
}

new_store "$one"
new_store "$two"

warm "$one" "$packages/base"
base=$key
like "a folder is made ready" 'base: ready \(deps: npm ci, 2[0-9] packages' "$said"
like "and then it is" 'base: ready \(deps: stored' "$(deps "$one" warm "$packages/base")"
equal "the tarballs are kept" 25 "$(find "$one/tarballs" -type f | wc -l)"

warm "$one" "$packages/plus"
like "one package more takes over the rest" 'plus: ready \(deps: npm install, from an earlier one' \
	"$said"
plus=$key
equal "whose files are not there twice" 2 \
	"$(stat -c %h "$one/deps/$plus/node_modules/pg/package.json")"
equal "the new tarball is kept, too" 26 "$(find "$one/tarballs" -type f | wc -l)"
warm "$one" "$packages/changed"
like "so does one that is gone, one that is new and one of another version" \
	'changed: ready \(deps: npm install, from an earlier one' "$said"
changed=$key

for name in plus changed; do
	rm -rf "$two/deps"
	warm "$two" "$packages/$name"
	like "$name: a store without the base installs all" 'deps: npm ci' "$said"
	tree "$two/deps/$key/node_modules" >"$scratch/full"
	tree "$one/deps/${!name}/node_modules" >"$scratch/difference"
	equal "$name: the difference gives the very same tree" "" \
		"$(diff "$scratch/full" "$scratch/difference" | head -5)"
	equal "$name: both have the same key" "${!name}" "$key"
done

# The tree to begin with is another student's: one whose lockfile lies about a package that others
# have.
forge() { # CODE: makes $scratch/evil of the base; p are the packages of its lockfile
	rm -rf "$scratch/evil" && cp -r "$packages/base" "$scratch/evil"
	"$node" -e 'const fs = require("fs"), [, f, change] = process.argv;
		const l = JSON.parse(fs.readFileSync(f));
		new Function("p", change)(l.packages);
		fs.writeFileSync(f, JSON.stringify(l));' "$scratch/evil/package-lock.json" "$1"
}

tree "$two/deps/$key/node_modules" >"$scratch/full"
for lie in \
	'const c = p["node_modules/cors"], v = p["node_modules/vary"]; c.integrity += " " + v.integrity;
		c.resolved = "https://registry.example/vary/-/vary-1.1.2.tgz"' \
	'p["node_modules/ws"].bin = { semver: "index.js" }' \
	'p["node_modules/cors/lib"] = p["node_modules/vary"]' \
	'Object.assign(p["node_modules/cors"], p["node_modules/vary"], { name: "vary" })'; do
	forge "$lie"
	rm -rf "${one:?}/deps"
	deps "$one" warm "$scratch/evil" >"$scratch/out"
	warm "$one" "$packages/changed"
	tree "$one/deps/$key/node_modules" >"$scratch/difference"
	equal "no lie of another's lockfile is in a tree: ${lie:0:40}" "" \
		"$(diff "$scratch/full" "$scratch/difference" | head -5; grep ' IE' "$scratch/out")"
done
rm -rf "${one:?}/deps"
for name in base plus changed; do
	deps "$one" warm "$packages/$name" >/dev/null
done

# A tree to begin with is no excuse for a lockfile that is not that of the manifest.
mkdir -p "$scratch/strict/tests" "$scratch/outdated"
printf 'GET http://127.0.0.1:8000/\nHTTP 200\n' >"$scratch/strict/tests/one.hurl"
echo '{ "title": "t", "tests": ["tests/*.hurl"], "port": 8000, "lockfile": "required" }' \
	>"$scratch/strict/challenge.json"
cp "$packages/plus/package.json" "$packages/base/package-lock.json" "$scratch/outdated"
like "a lockfile that misses a package is refused" 'outdated: CE: .*does not match package.json' \
	"$(deps "$one" warm --challenge "$scratch/strict" "$scratch/outdated")"

# What is stored needs no registry: nothing listens there.
like "what is stored needs no registry" 'plus: ready \(deps: stored' \
	"$(npm_config_registry=http://127.0.0.1:9/ deps "$one" warm "$packages/plus")"

# Half of the jobs at once: one installs, the other waits for it.
rm -rf "${two:?}/deps"
cp -r "$packages/base" "$scratch/same"
said=$(deps "$two" warm -j 2 "$packages/base" "$scratch/same")
equal "two that need the same install it once" "1 1" \
	"$(grep -c 'deps: npm ci' <<<"$said") $(grep -c 'deps: stored' <<<"$said")"

like "ls lists entries" "deps +${base:0:12} +.*npm [0-9.]+, 2[0-9] packages" "$(deps "$one" ls)"
equal "as JSON, too" "deps npm" "$("$run" deps ls --json --store "$one" | "$node" -e '
	const e = JSON.parse(require("fs").readFileSync(0)).find((e) => e.key === process.argv[1]);
	console.log(e.kind, e.what.split(" ")[0])' "$base")"

like "verify finds nothing wrong" '^[0-9] entries and 2[0-9] tarballs checked, 0 damaged$' \
	"$(deps "$one" verify)"
victim=$one/deps/$base/node_modules/ws/lib/sender.js
cp -p "$victim" "$scratch/kept"
printf x | dd of="$victim" bs=1 seek=10 conv=notrunc status=none
said=$(deps "$one" verify)
status=$?
equal "a changed byte is damage" 1 "$status" "$said"
like "which is named" "deps ${base:0:12}: node_modules/ws/lib/sender.js has another content" "$said"
equal "in every entry that has the file" 3 "$(grep -c sender.js <<<"$said")"
like "verify --repair removes it" 'another content than when it was made; removed' \
	"$(deps "$one" verify --repair)"
like "what was removed is made again" 'base: ready \(deps: npm ci' \
	"$(deps "$one" warm "$packages/base")"
equal "and is whole" 0 "$(deps "$one" verify >"$scratch/out"; echo $?)" "$(cat "$scratch/out")"

# Half-written records: as after a crash of the machine.
for suffix in info sums; do
	truncate -s 20 "$one/deps/$base.$suffix"
	like "an entry with half a .$suffix is not used" 'base: ready \(deps: npm ci' \
		"$(deps "$one" warm "$packages/base")"
done
rm "$one/deps/$base.info"
like "nor is one without .info" 'base: ready \(deps: npm ci' "$(deps "$one" warm "$packages/base")"
tarball=$(find "$one/tarballs" -type f | head -1)
truncate -s 5 "$tarball"
like "a tarball that is cut is found" 'is not what its name says; removed' \
	"$(deps "$one" verify --repair)"

warm "$one" "$packages/plus"
touch -d '10 days ago' "$one/deps/$base.info"
like "gc evicts what is old" '^left: ' "$(deps "$one" gc --older-than 7d)"
equal "and that only" "$plus" "$(keys "$one")"
equal "files that were shared stay" 1 "$(stat -c %h "$one/deps/$plus/node_modules/pg/package.json")"
like "gc --cap evicts the rest" '^left: entries 0 bytes, tarballs 0 bytes' \
	"$(deps "$one" gc --cap 1K)"
equal "nothing is left behind" "0 0 0" "$(find "$one/deps" -mindepth 1 | wc -l) \
$(find "$one/tmp" -mindepth 1 | wc -l) $(find "$one/tarballs" -type f | wc -l)"

# Two lockfiles without a common beginning that share two packages share their files, too.
three=$scratch/three
new_store "$three"
"$node" -e '
	const fs = require("fs"), [from, more, to] = process.argv.slice(1);
	const take = (folder, names) => {
		const { packages } = JSON.parse(fs.readFileSync(folder + "/package-lock.json"));
		return names.map((n) => ["node_modules/" + n, packages["node_modules/" + n]]);
	};
	const list = [...take(from, ["ws", "yaml"]), ...take(more, ["@types/qs", "semver"])];
	const dependencies = Object.fromEntries(list.map(([p, e]) => [p.slice(13), e.version]));
	const root = { name: "unrelated", dependencies };
	fs.mkdirSync(to);
	fs.writeFileSync(to + "/package.json", JSON.stringify({ private: true, ...root }));
	fs.writeFileSync(to + "/package-lock.json", JSON.stringify({ name: "unrelated",
		lockfileVersion: 3, packages: { "": root, ...Object.fromEntries(list) } }));
' "$packages/base" "$packages/changed" "$scratch/unrelated"
warm "$three" "$packages/base"
base=$key
warm "$three" "$scratch/unrelated"
like "what shares less is installed in full" 'unrelated: ready \(deps: npm ci, 4 packages' "$said"
sender=node_modules/ws/lib/sender.js
mine=$three/deps/$key/$sender
check "and has the files that it shares once" test "$mine" -ef "$three/deps/$base/$sender"
cp -p "$mine" "$scratch/sender.js" && rm "$mine" && cp -p "$scratch/sender.js" "$mine"
like "gc --dedupe finds what is there twice" '^shared: [1-9][0-9]* files of 2 entries, .* freed$' \
	"$(deps "$three" gc --dedupe)"
check "and makes it one" test "$mine" -ef "$three/deps/$base/$sender"
rm "$mine" && cp -p "$scratch/sender.js" "$mine"
printf x | dd of="$three/deps/$base/$sender" bs=1 seek=10 conv=notrunc status=none
like "what is damaged is left alone" '^shared: 0 files of 2 entries' "$(deps "$three" gc --dedupe)"
check "and not given to others" cmp "$mine" "$scratch/sender.js"
touch -d '10 days ago' "$three/deps/$base.info"
deps "$three" gc --older-than 7d >/dev/null
equal "eviction of one leaves the other" "$key" "$(keys "$three")"
equal "whole" 0 "$(deps "$three" verify >"$scratch/out"; echo $?)" "$(cat "$scratch/out")"

# A challenge names its template; the command line is checked.
mkdir -p "$scratch/challenge/tests" && cp -r "$packages/base" "$scratch/challenge/start"
printf 'GET http://127.0.0.1:8000/\nHTTP 200\n' >"$scratch/challenge/tests/one.hurl"
echo '{ "title": "t", "tests": ["tests/*.hurl"], "port": 8000, "template": "start" }' \
	>"$scratch/challenge/challenge.json"
like "a challenge's template is made ready" 'challenge/start: ready \(deps: npm ci' \
	"$(deps "$one" warm --challenge "$scratch/challenge")"
for words in "" "warm" "gc" "verify x" "lz" "engines" "engines import $scratch/none"; do
	# shellcheck disable=SC2086
	"$run" deps $words --store "$one" >/dev/null 2>"$scratch/stderr"
	equal "deps $words: refused" 2 $? "$(cat "$scratch/stderr")"
done

# An ordinary user has a store of his own, and it works the same way.
. "$source_dir/tests/user.sh"
become 61234 HOME="$scratch/copy/user"
copy_for_user "$scratch/copy/build"
mkdir -p "$scratch/copy/user" && cp -r "$packages" "$scratch/copy"
mkdir -m 700 "$scratch/copy/user/store" && cp -a "$(realpath "$store/runtime")" \
	"$scratch/copy/user/store/runtime"
chmod -R a+rX "$scratch/copy" && chmod a+rx "$scratch" && chown -R 61234:61234 "$scratch/copy/user"
for name in base plus; do
	said=$("${as_user[@]}" "$scratch/copy/build/runner/sandbox-run" deps warm \
		"$scratch/copy/store/$name" --store "$scratch/copy/user/store" \
		--allow-unenforced all 2>&1)
done
like "a user's difference" 'plus: ready \(deps: npm install, from an earlier one' "$said"
equal "shares files, too" 2 \
	"$(find "$scratch/copy/user/store/deps" -path '*/pg/package.json' -links 2 | wc -l)"

# Engines are the operator's: they are imported once and never evicted.
hash=c2990dca591cba766e3b7ef5d9e8a84796e47ab7
mkdir -p "$scratch/engines/$hash"
echo x >"$scratch/engines/$hash/schema-engine-debian-openssl-3.0.x"
echo x >"$scratch/engines/$hash/schema-engine-windows.exe"
like "engines are imported" "^$hash: 1 file$" "$(deps "$one" engines import "$scratch/engines")"
like "once" "was imported before" "$(deps "$one" engines import "$scratch/engines/$hash")"
deps "$one" gc --cap 1K >/dev/null
check "and never evicted" test -x "$one/engines/$hash/schema-engine"

# What is made once for a machine is not counted as the time of the submission that happens to be
# the first.
mkdir -p "$scratch/first/tests"
echo '{ "title": "x", "port": 8000, "database": "postgres", "tests": ["tests/*.hurl"] }' \
	>"$scratch/first/challenge.json"
printf '# @test answers\nGET {{base}}/\nHTTP 200\n' >"$scratch/first/tests/a.hurl"
mkdir "$scratch/plain"
echo 'require("http").createServer((q, s) => s.end()).listen(8000)' >"$scratch/plain/server.js"
stages() {
	store=$one grade "$scratch/plain" "$scratch/first"
	member '.verdict + " " + r.stages.map(s => s.name).slice(0, 3).join(" ")'
}
equal "the database's template has a line of its own" "AC fetch template unpack" "$(stages)"
equal "and is not made again" "AC fetch unpack deps" "$(stages)"

finish
