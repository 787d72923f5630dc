/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The last step before the program, taken inside the jail by a program of ours (start.c): standard
 * streams from files of the box, resource limits that the library does not set, the directory. It
 * has the program's rights and sees the program's files, so that no name, link or pipe in the box
 * can mean anything else to it than to the program.
 *
 * Arguments: FD, then any of the words below, then "--", the program and its arguments. FD is the
 * write end of a pipe: what is written there is why the program was not started; end of file says
 * that it was. A program that cannot be executed is its own failure (exit code 127, as in isolate).
 */

#define START_PATH "/.isolate/start"

#define START_STDIN "stdin="
#define START_STDOUT "stdout="
#define START_STDERR "stderr="
#define START_MERGE "merge" /* stderr becomes stdout */
#define START_CHDIR "chdir="
#define START_AS "as="         /* bytes; 0 is never sent */
#define START_CPU "cpu="       /* seconds, of one process */
#define START_FSIZE "fsize="   /* bytes */
#define START_NOFILE "nofile=" /* descriptors */
#define START_STACK "stack="   /* bytes */
