#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh OUTPUT SYMBOL FOLDER FILE...: writes OUTPUT, a C file with the list SYMBOL of the files
# (embed.h): by their paths below FOLDER, or, when that is empty, by the last part of each.
set -eu

out=$1 symbol=$2 folder=$3
shift 3
{
	echo '#include "embed/embed.h"'
	n=0
	for file; do
		echo "static const unsigned char bytes_$n[] = {"
		od -An -v -tx1 "${folder:+$folder/}$file" |
			sed -e 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
		echo '0 };'
		n=$((n + 1))
	done
	echo "const struct embedded $symbol[] = {"
	n=0
	for file; do
		[ -n "$folder" ] || file=${file##*/}
		echo "	{ \"$file\", bytes_$n, sizeof(bytes_$n) - 1 },"
		n=$((n + 1))
	done
	echo '	{ 0, 0, 0 },'
	echo '};'
} >"$out"
