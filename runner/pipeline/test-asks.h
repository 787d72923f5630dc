/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tester of the native engine wants of the host: # @restart-server, # @sql and # @memory.
 * It sends the index of a line of the challenge's tests, each at most once, and gets a struct
 * hurl_answer; what it may ask for, statements included, is the challenge's.
 */

#include "hurl/hurl.h"
#include "pipeline/tester.h"

/* tester_kind.asked */
int hurl_asked(struct job *job, struct tester *t);

/* test-asks-sql.c: runs a statement as the application's role. 0; <0 ours. */
int ask_sql(struct job *job, const char *sql, struct hurl_answer *ret);
/* A text that was written here, or cleaned. */
void ask_failed(struct hurl_answer *a, enum hurl_answer_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
