/* SPDX-License-Identifier: MIT */

/*
 * Drawings of the page, as SVG inside it: where the time went, and memory and processors over that
 * time. All three have the same time axis. Every number that is drawn is in a text as well.
 */

#include <math.h>

#include "pipeline/units.h"
#include "report/formats.h"
#include "report/markup.h"
#include "util/util.h"

#define WIDTH 760
#define LEFT 92
#define RIGHT 20
#define PLOT (WIDTH - LEFT - RIGHT)
#define ROW 24
#define HEIGHT 150 /* of the area of a chart */
#define TOP 12
#define DATABASE 1

/* Of one chart: what is drawn of a sample, and how its numbers are written. */
struct chart {
	const char *title, *unit;
	double (*value)(const struct result *v, uint32_t i, int which);
	double limit; /* NAN: none */
	double max;
	double step; /* between the lines of the grid */
	bool bytes;
};

static double span_ms(const struct result *v)
{
	double end = v->wall_ms;

	for (uint32_t i = 0; i < v->n_stages; i++)
		end = MAX_OF(end, v->stages[i].start_ms + v->stages[i].wall_ms);
	return end > 0 && end < 1e12 ? end : 1;
}

static double x_of(const struct result *v, double ms)
{
	double x = ms / span_ms(v);

	return LEFT + (x < 0 ? 0 : x > 1 ? 1 : x) * PLOT;
}

static const char *time_text(char out[UNITS_TEXT], double ms)
{
	if (ms < 1000)
		snprintf(out, UNITS_TEXT, "%.*f ms", ms < 10 ? 1 : 0, ms);
	else
		snprintf(out, UNITS_TEXT, "%.*f s", ms < 10000 ? 2 : 1, ms / 1000);
	return out;
}

static const char *tick_text(char out[UNITS_TEXT], double ms)
{
	if (ms < 1000)
		snprintf(out, UNITS_TEXT, "%.4g ms", ms);
	else
		snprintf(out, UNITS_TEXT, "%.4g s", ms / 1000);
	return out;
}

/* 1, 2 or 5 times a power of ten, so that about `n` steps make `max`. */
static double nice_step(double max, int n)
{
	double raw = max / n, power = pow(10, floor(log10(raw)));

	if (raw <= power)
		return power;
	if (raw <= 2 * power)
		return 2 * power;
	return raw <= 5 * power ? 5 * power : 10 * power;
}

/* A power of two, so that the labels are whole MiB. */
static double byte_step(double max)
{
	double step = 1 << 20;

	while (max / step > 5)
		step *= 2;
	return step;
}

static void put_time_axis(FILE *f, const struct result *v, double y0, double y1)
{
	double span = span_ms(v), step = nice_step(span, 6);
	char text[UNITS_TEXT];

	for (double t = 0; t <= span * 1.0001; t += step) {
		double x = x_of(v, t);

		fprintf(f, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/>",
			x, x, y0, y1);
		fprintf(f,
			"<text class=\"tick\" x=\"%.1f\" y=\"%.0f\" "
			"text-anchor=\"middle\">%s</text>\n",
			x, y1 + 14, t == 0 ? "0" : tick_text(text, t));
	}
}

static void put_stage(FILE *f, const struct result *v, const struct result_stage *s, double y)
{
	double x = x_of(v, s->start_ms), end = x_of(v, s->start_ms + s->wall_ms);
	bool left = end > LEFT + PLOT * 0.72;
	char text[UNITS_TEXT];

	fprintf(f, "<text class=\"name\" x=\"%d\" y=\"%.0f\" text-anchor=\"end\">", LEFT - 8,
		y + 14);
	markup_text(f, s->name);
	fprintf(f,
		"</text><rect class=\"bar\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"14\" "
		"rx=\"2\"/>",
		x, y + 3, MAX_OF(end - x, 1.5));
	fprintf(f, "<text class=\"label%s\" x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n",
		left && end - x > 70 ? " inside" : "",
		left && end - x > 70 ? end - 6
		: left               ? x - 6
				     : end + 6,
		y + 14, left ? "end" : "start", time_text(text, s->wall_ms));
}

void html_waterfall(FILE *f, const struct result *v)
{
	double height = ROW * (double)v->n_stages;

	if (v->n_stages == 0)
		return;
	fprintf(f,
		"<svg role=\"img\" aria-label=\"When each stage ran, and how long\" "
		"viewBox=\"0 0 %d %.0f\">\n",
		WIDTH, height + 24);
	put_time_axis(f, v, 0, height);
	for (uint32_t i = 0; i < v->n_stages; i++)
		put_stage(f, v, &v->stages[i], ROW * (double)i);
	fputs("</svg>\n", f);
}

/* ------------------------------------------------------------------ over time */

static double memory_value(const struct result *v, uint32_t i, int which)
{
	return v->samples[i].memory[which];
}

/* Processors in use since the sample before. */
static double cpu_value(const struct result *v, uint32_t i, int which)
{
	const struct result_sample *now = &v->samples[i], *before = now - 1;
	double used, time;

	if (i == 0)
		return 0;
	used = now->cpu_ms[which] - before->cpu_ms[which];
	time = now->at_ms - before->at_ms;
	return used > 0 && time > 0 ? used / time : 0;
}

static double highest(const struct result *v, const struct chart *c, int which)
{
	double max = 0;

	for (uint32_t i = 0; i < v->n_samples; i++)
		max = MAX_OF(max, c->value(v, i, which));
	return max;
}

static const char *value_text(const struct chart *c, char out[UNITS_TEXT], double value)
{
	if (c->bytes)
		return units_size(out, (uint64_t)value);
	snprintf(out, UNITS_TEXT, "%.3g", value);
	return out;
}

static double y_of(const struct chart *c, double value)
{
	return TOP + HEIGHT * (1 - MIN_OF(value / c->max, 1));
}

static void put_grid(FILE *f, const struct result *v, const struct chart *c)
{
	char text[UNITS_TEXT];

	for (double value = 0; value <= c->max * 1.0001; value += c->step) {
		double y = y_of(c, value);

		fprintf(f,
			"<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, LEFT + PLOT, y, y, LEFT - 8, y + 4,
			value == 0 ? "0" : value_text(c, text, value));
	}
	put_time_axis(f, v, TOP, TOP + HEIGHT);
	if (isnan(c->limit) || c->limit > c->max)
		return;
	fprintf(f,
		"<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
		"<text class=\"limit-text\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">limit "
		"%s</text>\n",
		LEFT, LEFT + PLOT, y_of(c, c->limit), y_of(c, c->limit), LEFT + PLOT - 4,
		y_of(c, c->limit) - 4, value_text(c, text, c->limit));
}

/* What the tests were running in: the part of the time that students ask about. */
static void put_tests_band(FILE *f, const struct result *v)
{
	for (uint32_t i = 0; i < v->n_stages; i++) {
		const struct result_stage *s = &v->stages[i];
		double x = x_of(v, s->start_ms), end = x_of(v, s->start_ms + s->wall_ms);

		if (!streq(s->name, "test"))
			continue;
		fprintf(f,
			"<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
			x, TOP, MAX_OF(end - x, 1), HEIGHT);
		fprintf(f, "<text class=\"tick\" x=\"%.1f\" y=\"%d\">tests</text>\n", x + 4,
			TOP + 12);
	}
}

static void put_line(FILE *f, const struct result *v, const struct chart *c, int which)
{
	fprintf(f, "<polyline class=\"line%d\" points=\"", which);
	for (uint32_t i = 0; i < v->n_samples; i++)
		fprintf(f, "%s%.1f,%.1f", i ? " " : "", x_of(v, v->samples[i].at_ms),
			y_of(c, c->value(v, i, which)));
	fputs("\"/>\n", f);
}

static void put_chart(FILE *f, const struct result *v, struct chart *c)
{
	double app = highest(v, c, 0), database = highest(v, c, DATABASE);
	char a[UNITS_TEXT], b[UNITS_TEXT];

	if (app <= 0 && database <= 0)
		return;
	c->max = MAX_OF(app, database) * 1.08;
	/* A limit that is far away would press the lines to the ground. */
	if (!isnan(c->limit) && c->max > c->limit * 0.4)
		c->max = MAX_OF(c->max, c->limit * 1.05);
	c->step = c->bytes ? byte_step(c->max) : nice_step(c->max, 4);
	fprintf(f, "<figure><figcaption><b>%s</b> <span class=\"key0\">application</span>, %s %s",
		c->title, value_text(c, a, app), c->unit);
	if (database > 0)
		fprintf(f, "; <span class=\"key1\">its database</span>, %s %s",
			value_text(c, b, database), c->unit);
	fprintf(f,
		"</figcaption>\n<svg role=\"img\" aria-label=\"%s over time\" "
		"viewBox=\"0 0 %d %d\">\n",
		c->title, WIDTH, TOP + HEIGHT + 24);
	put_tests_band(f, v);
	put_grid(f, v, c);
	if (database > 0)
		put_line(f, v, c, DATABASE);
	put_line(f, v, c, 0);
	fputs("</svg></figure>\n", f);
}

/* What the kernel keeps: files in memory are counted, and have their own room (docs/result.md). */
static double memory_limit(const struct result *v)
{
	double files = result_number(v, "usage", "disk_total");

	return result_number(v, "limits", "memory") + (isnan(files) ? 0 : files);
}

void html_charts(FILE *f, const struct result *v)
{
	struct chart memory = {
		.title = "Memory",
		.unit = "at most",
		.value = memory_value,
		.limit = memory_limit(v),
		.bytes = true,
	};
	struct chart cpu = {
		.title = "Processors",
		.unit = "at most",
		.value = cpu_value,
		.limit = result_number(v, "limits", "cpu"),
	};

	if (v->n_samples < 2)
		return;
	fputs("<section><h2>Memory and processors over time</h2>\n", f);
	put_chart(f, v, &memory);
	put_chart(f, v, &cpu);
	fputs("</section>\n", f);
}
