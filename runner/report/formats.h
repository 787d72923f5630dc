/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "report/result.h"

/*
 * A result in the formats that other programs, and people in a browser, read. Each writes all of
 * its document; whether it arrived is ferror(3)'s to say.
 */
void report_html(FILE *f, const struct result *v);
void report_junit(FILE *f, const struct result *v);
void report_ctrf(FILE *f, const struct result *v);
void report_tap(FILE *f, const struct result *v);

/* html-charts.c: parts of the page. */
void html_waterfall(FILE *f, const struct result *v);
void html_charts(FILE *f, const struct result *v);
/* html-style.c */
extern const char html_style[];
