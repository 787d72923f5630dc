/* SPDX-License-Identifier: MIT */
#pragma once

#include "deps/install.h"

/*
 * Runs the install scripts that the packages in the jail need and the challenge allows, one after
 * the other. The names of those that ran are kept in the file `scripts` of `entry`, beside
 * node_modules: such a tree is no base for others. 0; 1 a verdict; <0.
 */
int install_scripts(struct install *i, struct store_entry *entry);
