/* SPDX-License-Identifier: MIT */

/* `sandbox-inside test` as a program of its own: the engine needs shared libraries (test.c). */

#include "inside/inside.h"
#include "util/util.h"

int main(int argc, char **argv)
{
	/* Callers that execute this file directly may name the verb. */
	if (argc > 1 && streq(argv[1], "test"))
		return inside_test(argc - 1, argv + 1);
	return inside_test(argc, argv);
}
