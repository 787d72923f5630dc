/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/*
 * The database of a submission on the operator's server, when job->keeper_fd says that there is
 * one. launch: asks for it and makes the relay's jail; ready: the answer, and the relay listens.
 * Both as database_launch() and stage_database().
 */
int server_database_launch(struct job *job);
int server_database_ready(struct job *job);
/* Waits for the answer; ready does so otherwise. */
int server_database_await(struct job *job);
/* The answer has come, and the server has not been away since then. */
bool server_database_is_fresh(struct job *job);
/* What the keeper says in the end: 0, 1 a verdict, <0 ours. */
int server_database_judge(struct job *job);

/* database.c: the password that the application is told. */
int database_password(char *ret, size_t size);
