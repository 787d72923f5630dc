/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The live view of `top`: what is selected, asked, said (struct top_view), how it is drawn
 * (top-screen.c), and what keys do (top-keys.c). What comes from Redis was written by others: no
 * byte of it reaches the terminal that is not printable.
 */

#include "fleet/admin/top-data.h"

enum top_pane {
	TOP_PANE_WORKERS,
	TOP_PANE_JOBS,
	TOP_PANE_RESULTS,
	TOP_PANES,
};

/* What destroys something is done after a "y". */
enum top_question {
	TOP_NO_QUESTION,
	TOP_ASK_DRAIN,
	TOP_ASK_PAUSE,
	TOP_ASK_CANCEL,
};

struct top_view {
	enum top_pane pane;
	char selected[TOP_PANES][QUEUE_ID_MAX + 1]; /* stays when rows move; "": the first */
	enum top_question question;
	char asked[QUEUE_ID_MAX + 1]; /* of whom */
	char message[200];            /* about the last key */
	bool trouble;                 /* the message is about Redis */
	char *text;                   /* of one submission or worker, over all else; NULL: none */
	int scroll;                   /* lines of it that are above the screen */
};

/* The rows of a pane as they are drawn, from above. */
int top_rows(const struct top *t, enum top_pane pane);
const char *top_row_id(const struct top *t, enum top_pane pane, int row);
int top_selected(const struct top *t, const struct top_view *v, enum top_pane pane);

/* The whole screen. `v` NULL: all of it, once, as lines. */
void top_draw(const struct top *t, const struct top_view *v);

/* All that was typed. False: it is to end. *ret_changed: the data are to be asked for again. */
bool top_keys(struct admin *a, const struct top *t, struct top_view *v, bool *ret_changed);
