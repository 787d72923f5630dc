/* SPDX-License-Identifier: MIT */
#include "pipeline/samples.h"

#include "util/util.h"

#define FIRST_INTERVAL (50 * NSEC_PER_MSEC)

static void halve(struct job *job)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < job->n_samples; i += 2)
		job->samples[n++] = job->samples[i];
	job->n_samples = n;
	job->sample_interval_ns *= 2;
}

static void measure(struct sample *s, int which, struct sbx_jail *jail)
{
	if (jail)
		sbx_jail_usage(jail, &s->memory[which], &s->cpu_ns[which]);
}

uint64_t samples_take(struct job *job)
{
	uint64_t now = now_ns();
	struct sample *s;

	if (!job->app)
		return UINT64_MAX;
	if (job->sample_interval_ns == 0)
		job->sample_interval_ns = FIRST_INTERVAL;
	if (job->sampled_ns && now - job->sampled_ns < job->sample_interval_ns)
		return job->sample_interval_ns - (now - job->sampled_ns);
	if (job->n_samples == ARRAY_SIZE(job->samples))
		halve(job);
	s = &job->samples[job->n_samples++];
	*s = (struct sample){ .at_ns = now - job->began_ns };
	measure(s, 0, job->app);
	measure(s, 1, job->db);
	job->sampled_ns = now;
	return job->sample_interval_ns;
}
