/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/*
 * Memory and processor time of the jails over the time of a job, for the charts of its report:
 * taken by job_attend() whenever it waits, so that no thread and no timer is needed. The list is
 * bounded: when it is full, every second sample is dropped and the interval doubled, so that a long
 * job has as many as a short one.
 */

/*
 * Takes one if it is time. Returns in how many nanoseconds the next one is due; UINT64_MAX: never.
 */
uint64_t samples_take(struct job *job);
