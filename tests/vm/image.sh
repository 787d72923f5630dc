#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the guest's disk: a small Debian out of files of this one, and the build tree.
# Usage: image.sh BUILD KERNEL_DIR IMAGE
#
# Whoever runs this, the guest gives all files to its root (guest-init.sh): mke2fs -d keeps owners.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
build=$(readlink -f "${1:?usage: image.sh BUILD KERNEL_DIR IMAGE}")
kernel=$2
image=$3
release=$(<"$kernel/version")

# Their programs are what tests start, on the host and in jails.
packages=(attr bash coreutils dash findutils grep mawk procps sed util-linux uidmap)
# Of the kernel's modules those that jails and their tests make it load.
modules=(fs/overlayfs net/ipv4 net/ipv6 net/unix net/netlink net/packet net/vmw_vsock drivers/net)

tree=$image.tree
rm -rf "$tree"
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/usr/{bin,sbin,lib/x86_64-linux-gnu,lib64} "$tree"/{opt/sandbox,home/judge} \
	"$tree"/{dev,etc,proc,root,run,sys,tmp,var/tmp}
ln -s usr/bin usr/sbin usr/lib usr/lib64 "$tree"
ln -s ../run "$tree/var/run"

# Where a file of the host lies in a merged /usr.
merged() {
	case $1 in
	/bin/* | /sbin/* | /lib/* | /lib64/*) printf '/usr%s\n' "$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

add() { # FILE of the host, link or not
	local to
	to=$tree$(merged "$1")
	[ -e "$to" ] || [ -L "$to" ] && return
	mkdir -p "$(dirname "$to")"
	cp -a "$1" "$to"
}

# The libraries that programs in the tree need, found by the host's own linker.
add_libraries() {
	local file
	# ldd fails if one of all these files is a script or a static program.
	{ find "$tree" -type f \( -perm -100 -o -name '*.so*' \) -exec ldd {} + 2>/dev/null ||
		true; } |
		awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' |
		sort -u | while read -r file; do
		case $file in
		"$tree"/*) ;; # the build's own, beside its programs
		*) cp -aLn "$file" "$tree$(merged "$file")" ;;
		esac
	done
}

add_programs() {
	local package file
	for package in "${packages[@]}"; do
		dpkg -L "$package" | grep -E '^(/usr)?/s?bin/.' | while read -r file; do
			add "$file"
		done
	done
	# Not all alternatives are programs that are here.
	ln -sf mawk "$tree/usr/bin/awk"
	ln -sf dash "$tree/usr/bin/sh"
	cp "$(command -v busybox)" "$tree/usr/bin/busybox"
	for file in modprobe mount umount reboot; do
		ln -sf ../bin/busybox "$tree/usr/sbin/$file"
	done
	add /usr/share/zoneinfo/Etc/UTC
}

# What tests use of the build tree, with the same paths in it.
add_build() {
	local to=$tree/opt/sandbox dir
	mkdir -p "$to"/{lib,tests/jail,runner/inside,policies}
	cp -a "$build"/lib/libsandbox.so* "$to/lib/"
	cp -a "$build"/policies/*.json "$to/policies/"
	for dir in tests/jail runner runner/inside runner/isolate; do
		[ -d "$build/$dir" ] || continue
		mkdir -p "$to/$dir"
		find "$build/$dir" -maxdepth 1 -type f -perm -100 -exec cp -a {} "$to/$dir/" \;
	done
	[ -x "$to/runner/sandbox-run" ] || {
		echo "$build has no runner/sandbox-run: build first" >&2
		exit 1
	}
	cp "$here/delegation.sh" "$here/leftovers.sh" "$here/../tap.sh" "$to/tests/"
}

add_modules() {
	local from=$kernel/lib/modules/$release to=$tree/usr/lib/modules/$release dir
	for dir in "${modules[@]}"; do
		mkdir -p "$to/kernel/$dir"
		cp -a "$from/kernel/$dir/." "$to/kernel/$dir/"
	done
	cp -a "$from"/modules.builtin* "$from"/modules.order "$to/"
	busybox depmod -b "$tree" "$release"
}

# uid 1500 is the ordinary user, with subordinate ids as useradd gives them.
add_etc() {
	local etc=$tree/etc
	cat >"$etc/passwd" <<-'END'
		root:x:0:0:root:/root:/bin/bash
		nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
		judge:x:1500:1500:judge:/home/judge:/bin/bash
	END
	printf 'root:x:0:\nnogroup:x:65534:\njudge:x:1500:\n' >"$etc/group"
	printf 'root:*:19000:0:99999:7:::\njudge:*:19000:0:99999:7:::\n' >"$etc/shadow"
	chmod 0640 "$etc/shadow"
	printf 'judge:100000:65536\n' | tee "$etc/subuid" >"$etc/subgid"
	printf '127.0.0.1 localhost guest\n::1 localhost\n' >"$etc/hosts"
	printf 'guest\n' >"$etc/hostname"
	printf 'passwd: files\ngroup: files\nhosts: files\nsubid: files\n' >"$etc/nsswitch.conf"
	touch "$etc/login.defs"
	ln -s /usr/share/zoneinfo/Etc/UTC "$etc/localtime"
}

add_programs
add_build
add_libraries
add_modules
add_etc
install -m 0755 "$here/guest-init.sh" "$tree/usr/sbin/init"

rm -f "$image"
# Sparse, and of the size that a small host has: tests and doctor look at what is free.
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -d "$tree" "$image" 8G >/dev/null
