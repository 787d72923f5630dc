/* SPDX-License-Identifier: MIT */
#pragma once

/* The static init (and relay) as an ELF file, built from lib/init/ and embedded as it is. */

extern const unsigned char sbx_init_image[];
extern const unsigned int sbx_init_image_size;
