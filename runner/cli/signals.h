/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Blocks the signals that would end us (INT, TERM, HUP, QUIT) and returns a descriptor that they
 * are read from, non-blocking: from the first thing made to the last one removed there is no
 * instant at which Ctrl-C could leave something behind. A negative errno on failure.
 */
int signals_open(void);
