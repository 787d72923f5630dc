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
	libcurl4-openssl-dev libarchive-dev libpq-dev
	nettle-dev liblzma-dev libzstd-dev libbz2-dev zlib1g-dev libacl1-dev liblz4-dev libxml2-dev)
run_packages=(ca-certificates)
test_packages=(libcmocka-dev bubblewrap g++ universal-ctags zip procps)

say() { printf '%s\n' "== $*" >&2; }

die() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || die "needs root: it installs packages, and jails are made by root. Run: sudo $0"
command -v apt-get >/dev/null || die "apt-get not found: this script knows Debian 12; elsewhere install the
packages named in it by hand, then run: meson setup build && ninja -C build"

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

apt_updated=
apt_install() {
	if [ -z "$apt_updated" ]; then
		apt-get update -qq || die "apt-get update failed: is there a network?"
		apt_updated=1
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
		die "apt-get install $* failed"
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
	local conf=/etc/postgresql-common/createcluster.conf saved
	compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && return
	say "installing postgresql (without a cluster)"
	apt_install postgresql-common
	saved=$(mktemp)
	cp -p "$conf" "$saved"
	printf '\ncreate_main_cluster = false\n' >>"$conf"
	apt_install postgresql-15
	cp -p "$saved" "$conf"
	rm -f "$saved"
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
		meson setup build >/dev/null || die "meson setup failed; see build/meson-logs/meson-log.txt"
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
