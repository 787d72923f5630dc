/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

/*
 * Text inside XML and HTML, in elements and in quoted attributes alike: & < > " ' as references,
 * line breaks and tabs as they are in an element and as references in an attribute, and whatever no
 * XML document may hold (control bytes, bytes that are no UTF-8, U+FFFE) as U+FFFD. NULL is "".
 */
void markup_text(FILE *f, const char *s);
void markup_attribute(FILE *f, const char *s);
