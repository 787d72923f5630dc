#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh IMAGE OUTPUT: writes OUTPUT, a C file with the bytes of IMAGE.
set -eu

[ -s "$1" ]
{
	echo '#include "init-image.h"'
	echo 'const unsigned char sbx_init_image[] __attribute__((aligned(16))) = {'
	od -An -v -tx1 "$1" | sed -e 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo '};'
	echo 'const unsigned int sbx_init_image_size = sizeof(sbx_init_image);'
} > "$2"
