#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Writes tests/abi/libsandbox.abi, the interface that tests/abi/test-library.sh holds the library
# to.
# Usage: tests/abi/renew.sh [BUILD [FILE]]     BUILD: a build directory with debug information,
# build/
#
# When: with every release, and when a change of the interface is meant. New functions pass the test
# without it; a struct that grew at its end is no break for its callers, but has to be written down
# here. Until somebody outside this repository builds upon the library an incompatible change is
# allowed, too: the soname stays libsandbox.so.0 and all symbols stay in the node LIBSANDBOX_0. From
# then on functions and structs only grow (new symbols in a node of their own), or the soname
# changes. What a renewal changes is in the diff: read it before it is committed.
set -euo pipefail
cd "$(dirname "$0")/../.."
library=${1:-build}/lib/libsandbox.so
file=${2:-tests/abi/libsandbox.abi}
[ -f "$library" ] || {
	echo "renew: there is no $library: build first, or name the build directory" >&2
	exit 1
}
command -v abidw >/dev/null || {
	echo "renew: abidw not found: apt-get install abigail-tools" >&2
	exit 1
}
abidw --headers-dir include --drop-private-types --exported-interfaces-only --no-elf-needed \
	--no-parameter-names --no-corpus-path --no-comp-dir-path --no-show-locs \
	--type-id-style hash --out-file "$file" "$(readlink -f "$library")"
# The same text wherever, and by whichever compiler, the library was built.
sed -i -E "s,(path=')[^']*/(lib/),\1\2,; s/(language=')[^']*/\1LANG_C11/" "$file"
