/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * --report: which formats go where. html=FILE, junit=FILE, ctrf=FILE and tap=FILE, several joined
 * by commas or in several options; "-" is stdout.
 */

#include <stdio.h>

#include "report/result.h"
#include "cli/options.h"

#define REPORT_FILES_MAX 8

struct report_files {
	struct report_file {
		void (*write)(FILE *f, const struct result *v);
		char *path;
	} items[REPORT_FILES_MAX];
	uint32_t n;
};

/*
 * Reads the options and empties each file, so that a mistake is found before the work, and a result
 * of the past is not taken for one of a run that died. `stdout_taken`: something else is written
 * there. EXIT_OK, or what usage_error() returned.
 */
int report_files_open(struct report_files *r, const struct option_list *list, bool stdout_taken,
		      const char *command);
/* The result itself, as JSON, is one of the files. */
int report_files_add_json(struct report_files *r, const char *path, const char *command);
/* Writes all; 0, or -errno and *ret_path the file that could not be written. */
int report_files_write(const struct report_files *r, const struct result *v, const char **ret_path);
void report_files_done(struct report_files *r);
