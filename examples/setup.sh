#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs what is missing (Debian packages, the pinned Node runtime), and builds into build/.
# Usage: examples/setup.sh [--tests]     --tests: also what the test suite needs
#
# Nothing that is there already is changed; no Postgres cluster is created or started.
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(gcc libc6-dev meson ninja-build pkg-config python3
	libcjson-dev libseccomp-dev libnl-3-dev libcap-dev libjansson-dev libpcre2-dev
	libcurl4-openssl-dev libarchive-dev libpq-dev libhiredis-dev libmicrohttpd-dev libssl-dev
	nettle-dev liblzma-dev libzstd-dev libbz2-dev zlib1g-dev libacl1-dev liblz4-dev libxml2-dev)
run_packages=(ca-certificates)
test_packages=(libcmocka-dev bubblewrap g++ universal-ctags zip procps
	abigail-tools scdoc groff-base zsh fish # abi
	libxml2-utils patch                     # pipeline
	redis-tools                             # runner: holds the server program, and starts none
	curl openssl chromium-headless-shell    # runner
	golang-go rustc                         # judges
	qemu-system-x86 busybox-static uidmap attr e2fsprogs) # vm

say() { printf '%s\n' "== $*" >&2; }

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "needs root: it installs packages, and jails are made by root.
Run the same command as root, for example with sudo."
command -v apt-get >/dev/null ||
	die "apt-get not found: this script knows Debian 12; elsewhere install the
packages named in it by hand, then run: meson setup build && ninja -C build"

apt_log=$(mktemp)
keep_log=false
cluster_conf=/etc/postgresql-common/createcluster.conf
cluster_conf_saved=

restore_cluster_conf() {
	[ -n "$cluster_conf_saved" ] || return 0
	cp -p "$cluster_conf_saved" "$cluster_conf"
	rm -f "$cluster_conf_saved"
	cluster_conf_saved=
}

clean_up() {
	restore_cluster_conf
	[ "$keep_log" = true ] || rm -f "$apt_log"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# What apt says matters only when it fails: the first of its complaints then, without a network the
# rest is a hundred times the same. Another apt (a fresh machine upgrades itself) is waited for.
apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" \
		>>"$apt_log" 2>&1 && return
	grep -E '^([EW]:|dpkg: error)' "$apt_log" | head -4 >&2 || true
	keep_log=true
	die "apt-get $1 failed; all that it said is in $apt_log." \
		"Is there a network, and is this a Debian 12?"
}

# update without a network succeeds, with warnings: install is what tells.
apt_updated=
apt_install() {
	[ -n "$apt_updated" ] || apt_get update
	apt_updated=1
	apt_get install -y --no-install-recommends "$@"
}

install_missing() {
	local missing=() package
	for package in "$@"; do
		installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return
	say "installing ${missing[*]}"
	apt_install "${missing[@]}"
}

# The server programs only. The package would create and start a cluster: told not to, for the
# length of the installation.
install_postgres() {
	local saved
	compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return
	say "installing postgresql (without a cluster)"
	apt_install postgresql-common
	saved=$(mktemp)
	cp -p "$cluster_conf" "$saved"
	cluster_conf_saved=$saved
	printf '\ncreate_main_cluster = false\n' >>"$cluster_conf"
	apt_install postgresql-15
	restore_cluster_conf
}

# Any npm that can fetch packages; submissions never run on it but on the pinned runtime.
install_npm() {
	command -v npm >/dev/null && command -v node >/dev/null && return
	say "installing nodejs and npm (a minute or two)"
	apt_install nodejs npm
}

build() {
	if [ ! -f build/build.ninja ]; then
		say "configuring build/"
		# Where ld.so and pkg-config look; without dpkg-dev meson would say lib64.
		meson setup build --libdir=lib >/dev/null ||
			die "meson setup failed; see build/meson-logs/meson-log.txt"
	fi
	[ "$with_tests" = false ] || meson configure build -Dtests=true
	say "building"
	ninja -C build >build/ninja.log 2>&1 || {
		tail -40 build/ninja.log >&2
		die "the build failed"
	}
}

packages=("${build_packages[@]}" "${run_packages[@]}")
with_tests=false
if [ "${1:-}" = --tests ]; then
	with_tests=true
	packages+=("${test_packages[@]}")
elif [ $# -gt 0 ]; then
	die "unknown argument $1; usage: examples/setup.sh [--tests]"
fi
install_missing "${packages[@]}"
install_postgres
install_npm
build
runner/toolchain/install.sh "${SANDBOX_STORE:-/var/lib/sandbox}"
