/* SPDX-License-Identifier: MIT */

/* What a student is told of an archive that cannot be fetched. */

#include "fleet/fetch/fetch.h"
#include "pipeline/pipeline.h"

static int gone(struct job *job, long status)
{
	if (status == 401 || status == 403)
		return job_verdict(
			job, VERDICT_CE,
			"The archive may not be read (the file server answered %ld): the "
			"link to it has probably expired. Submit again.",
			status);
	if (status == 0 || status == 404 || status == 410)
		return job_verdict(job, VERDICT_CE,
				   "The archive is not there any more. Submit again.");
	return job_verdict(job, VERDICT_CE,
			   "The archive cannot be fetched (the file server answered %ld). Submit "
			   "again.",
			   status);
}

int fetch_verdict(struct job *job, enum fetch_outcome outcome, const struct fetch_options *o,
		  const struct fetched *f)
{
	uint64_t max = o->max_bytes ? o->max_bytes : FETCH_MAX_DEFAULT;

	if (outcome == FETCH_TOO_LARGE)
		return job_verdict(job, VERDICT_CE,
				   "The archive has more than %llu MiB, which is the most that is "
				   "accepted. Is node_modules in it? Leave it out.",
				   (unsigned long long)max >> 20);
	if (outcome == FETCH_EMPTY)
		return job_verdict(job, VERDICT_CE,
				   "the archive is empty (0 bytes): upload the project as a .zip "
				   "file");
	return gone(job, f->status);
}
