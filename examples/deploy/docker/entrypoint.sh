#!/bin/sh
# SPDX-License-Identifier: MIT
# The store is a volume, empty at first: the runtimes of the image are put into it. Each version has
# a folder of its own there, so that runners of two versions on one node do not take them from each
# other.
set -eu
store=${SANDBOX_RUNNER_STORE:-${SANDBOX_STORE:-/var/lib/sandbox}}
seed=/usr/share/sandbox/store

umask 077
# Of an ordinary user: in a container nobody has logged in, who would have made it.
[ -z "${XDG_RUNTIME_DIR:-}" ] || mkdir -p "$XDG_RUNTIME_DIR"
mkdir -p "$store/locks" "$store/tmp" "$store/runtime"
exec 9>"$store/locks/runtime-node"
flock 9
for version in "$seed"/runtime/node-*; do
	name=$(basename "$version")
	[ -d "$store/runtime/$name" ] && continue
	cp -a "$version" "$store/runtime/.$name.$$"
	mv -T "$store/runtime/.$name.$$" "$store/runtime/$name"
done
cp -a --remove-destination "$seed/runtime/node" "$store/runtime/.node.$$"
mv -T "$store/runtime/.node.$$" "$store/runtime/node"
exec 9>&-
umask 022
exec "$@"
