/* SPDX-License-Identifier: MIT */
#include "run/grade-all-progress.h"

#include "util/util.h"

#define WIDTH 24
#define CLEAR_LINE "\r\033[K"

static const char *const groups[] = { "AC",  "PARTIAL", "WA",  "CE",  "BOOT", "CRASH", "MLE",
				      "DLE", "PLE",     "OLE", "TLE", "SEC",  "IE" };

static void put_counts(const struct grades *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		size_t n = grades_count(g, groups[i]);

		if (n > 0)
			fprintf(stderr, "  %s %zu", groups[i], n);
	}
}

/* By what was judged now: results that were there already took no time. */
static void put_eta(const struct progress *p, const struct grades *g)
{
	size_t judged = g->done - g->kept;
	uint64_t left;

	if (judged == 0 || g->done == g->n)
		return;
	left = (now_ns() - p->began_ns) / judged * (g->n - g->done) / NSEC_PER_SEC;
	if (left >= 3600)
		fprintf(stderr, "  %lluh%02llum left", (unsigned long long)left / 3600,
			(unsigned long long)left / 60 % 60);
	else
		fprintf(stderr, "  %llum%02llus left", (unsigned long long)left / 60,
			(unsigned long long)left % 60);
}

static void put_bar(const struct progress *p, const struct grades *g)
{
	int filled = (int)(g->n ? g->done * WIDTH / g->n : 0);

	fprintf(stderr, CLEAR_LINE "[");
	for (int i = 0; i < WIDTH; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu", g->done, g->n);
	put_counts(g);
	put_eta(p, g);
	(void)fflush(stderr);
}

static void put_line(const struct progress *p, const struct grades *g, const struct entry *e)
{
	const char *color = streq(e->verdict, "AC") ? "\033[32m" : "\033[31m";

	fprintf(stderr, "%zu/%zu  %s%-9s%s  %s  %u/%u  %.2f s%s\n", g->done, g->n,
		p->color ? color : "", e->verdict, p->color ? "\033[0m" : "", e->student, e->passed,
		e->total, e->wall_ms / 1000, e->kept ? "  (done before)" : "");
}

void progress_begin(struct progress *p, const struct grades *g)
{
	p->began_ns = now_ns();
	if (!p->quiet && p->bar)
		put_bar(p, g);
}

void progress_done(struct progress *p, const struct grades *g, const struct entry *e)
{
	if (p->quiet)
		return;
	if (p->bar)
		put_bar(p, g);
	else
		put_line(p, g, e);
}

void progress_end(struct progress *p)
{
	if (!p->quiet && p->bar)
		fputc('\n', stderr);
}
