#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Puts Debian's cloud kernel into DIR: DIR/vmlinuz, DIR/lib/modules, DIR/version.
# Usage: kernel.sh DIR
#
# Unpacked below the build tree and never installed on the host. What is there already is used as
# it is, so that only the first run needs a network.
set -euo pipefail

dir=${1:?usage: kernel.sh DIR}
meta=linux-image-cloud-amd64
[ -f "$dir/version" ] && exit

die() {
	printf 'kernel.sh: %s\n' "$*" >&2
	exit 1
}

# The image that the meta package depends on: linux-image-6.1.0-NN-cloud-amd64 in Debian 12.
package() {
	apt-cache depends "$meta" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -1
}

# Into the directory that it is called in.
download() {
	local name
	name=$(package)
	[ -n "$name" ] && apt-get -qq -o APT::Sandbox::User=root download "$name"
}

command -v apt-get >/dev/null || die "apt-get not found: the guest's kernel is Debian's $meta.
Elsewhere unpack such a package by hand: vmlinuz, lib/modules and a file 'version' go into $dir"

new=$dir.new
rm -rf "$new" "$dir"
mkdir -p "$new"
trap 'rm -rf "$new"' EXIT
cd "$new"
# Lists of packages that are old name a version that is gone.
download 2>error || { apt-get -qq update && download; } >>error 2>&1 || {
	head -4 error >&2
	die "no kernel for the guest: $meta could not be downloaded. Is there a network?"
}
dpkg -x ./*.deb .
release=$(basename lib/modules/*)
mv "boot/vmlinuz-$release" vmlinuz
busybox depmod -b "$new" "$release"
rm -rf ./*.deb boot usr error
echo "$release" >version
mv "$new" "$dir"
