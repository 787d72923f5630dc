/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A terminal for a jailed program that is not the caller's: a pseudoterminal, whose slave the
 * program gets, and whose master is joined to the caller's terminal by copying bytes. The program
 * can do to its own terminal what it likes; of the caller's it sees nothing but keys and the size.
 * The jail's init makes it the controlling terminal of the program, so that Ctrl-C and job control
 * work as anywhere.
 *
 * The caller's terminal is raw from terminal_open() to terminal_close(), which must be called on
 * every way out.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
	int master;
	int slave;
	int resized; /* a signalfd: the caller's terminal has another size */
	bool raw;
	struct termios saved;
	size_t n; /* keys that wait for the program */
	char keys[1024];
};

#define TERMINAL_NULL                                                                              \
	{                                                                                          \
		.master = -1, .slave = -1, .resized = -1                                           \
	}

int terminal_open(struct terminal *t, struct sbx_error *err);

/* The program has its own copies of the slave. */
void terminal_started(struct terminal *t);

/* Copies until `wake` or `signals` is readable: 1 if the latter is, 0, or -errno. */
int terminal_poll(struct terminal *t, int wake, int signals);

/* Shows what the program has still written, and gives the caller's terminal back as it was. */
void terminal_close(struct terminal *t);
