/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

#define FETCH_MAX_BYTES (50u << 20)

/* Writes the folder `dir` as a zip into job->archive_fd. As a stage: 0, >0 a verdict, <0 ours. */
int fetch_folder(struct job *job, int dir);
