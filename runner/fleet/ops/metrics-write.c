/* SPDX-License-Identifier: MIT */

/*
 * The text exposition: for each metric HELP and TYPE, then its series; of a histogram the cumulated
 * buckets, _sum and _count, where _count is the last bucket by construction, whatever is being
 * counted meanwhile.
 */

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "fleet/ops/metrics-internal.h"
#include "util/util.h"

#define PREFIX "sandbox_runner_"

static const char *const kinds[] = {
	[KIND_COUNTER] = "counter",
	[KIND_GAUGE] = "gauge",
	[KIND_HISTOGRAM] = "histogram",
};

/* {a="x",b="y",le="0.1"} or nothing. Checked labels need no escapes. */
static void write_labels(FILE *to, const struct metric_info *info, const struct reading *r,
			 const char *le)
{
	const char *separator = "{";

	for (int i = 0; i < 2 && info->labels[i]; i++) {
		(void)fprintf(to, "%s%s=\"%s\"", separator, info->labels[i], r->labels[i]);
		separator = ",";
	}
	if (le) {
		(void)fprintf(to, "%sle=\"%s\"", separator, le);
		separator = ",";
	}
	if (*separator == ',')
		(void)fputc('}', to);
}

static void write_gauge(FILE *to, double value)
{
	if (isnan(value))
		(void)fputs(" NaN\n", to);
	else if (isinf(value))
		(void)fputs(value > 0 ? " +Inf\n" : " -Inf\n", to);
	else
		(void)fprintf(to, " %.15g\n", value);
}

static void write_sum(FILE *to, const struct metric_info *info, uint64_t sum)
{
	if (info->scale == NSEC_PER_SEC)
		(void)fprintf(to, " %llu.%09llu\n", sum / NSEC_PER_SEC, sum % NSEC_PER_SEC);
	else
		(void)fprintf(to, " %" PRIu64 "\n", sum);
}

static void write_histogram(FILE *to, const struct metric_info *info, const struct reading *r)
{
	unsigned int n = metric_buckets(info);
	uint64_t total = 0;
	char le[32];

	for (unsigned int i = 0; i < n; i++) {
		total += r->buckets[i];
		if (info->bounds[i])
			(void)snprintf(le, sizeof(le), "%.15g",
				       (double)info->bounds[i] / (double)info->scale);
		else
			copy_string(le, sizeof(le), "+Inf");
		(void)fprintf(to, PREFIX "%s_bucket", info->name);
		write_labels(to, info, r, le);
		(void)fprintf(to, " %" PRIu64 "\n", total);
	}
	(void)fprintf(to, PREFIX "%s_sum", info->name);
	write_labels(to, info, r, NULL);
	write_sum(to, info, r->value);
	(void)fprintf(to, PREFIX "%s_count", info->name);
	write_labels(to, info, r, NULL);
	(void)fprintf(to, " %" PRIu64 "\n", total);
}

static void write_series(FILE *to, const struct metric_info *info, const struct reading *r)
{
	if (info->kind == KIND_HISTOGRAM) {
		write_histogram(to, info, r);
		return;
	}
	(void)fprintf(to, PREFIX "%s", info->name);
	write_labels(to, info, r, NULL);
	if (info->kind == KIND_COUNTER)
		(void)fprintf(to, " %" PRIu64 "\n", r->value);
	else
		write_gauge(to, r->gauge);
}

int metrics_write(const struct metrics *m, FILE *to)
{
	struct reading r;

	for (unsigned int i = 0; i < METRIC_COUNT_; i++) {
		const struct metric_info *info = &metric_infos[i];
		bool first = true;

		for (unsigned int n = 0; n < SERIES_MAX; n++) {
			if (!metrics_read(m, i, n, &r))
				continue;
			if (first)
				(void)fprintf(
					to, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
					info->name, info->help, info->name, kinds[info->kind]);
			first = false;
			write_series(to, info, &r);
		}
	}
	return ferror(to) ? -EIO : 0;
}
