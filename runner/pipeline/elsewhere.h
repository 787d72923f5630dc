/* SPDX-License-Identifier: MIT */
#pragma once

#include "pipeline/pipeline.h"

/* A server that listens on another port than the challenge's (elsewhere.c). */
struct elsewhere {
	uint64_t patience; /* how long it must have been idle to be believed */
	uint64_t next;     /* when to look again */
	uint16_t port;     /* the one other port that answers HTTP; 0: none, or several */
	unsigned answers;  /* how often in a row, with the challenge's port silent */
	uint64_t idle_since, looked_at, cpu; /* of the server */
};

/*
 * The challenge's port is silent: is there another? Where the challenge allows it, the one that
 * keeps answering becomes job->server_port, and a relay its other end. 0; <0 ours, -EINTR.
 */
int elsewhere_look(struct job *job, struct elsewhere *e);
/* It answers elsewhere and has nothing left to do: the challenge's port will stay silent. Without
 * "any_port" this is the end. */
bool elsewhere_settled(const struct elsewhere *e);
/* Ports that the student's programs listen on, as text: "3000, 4000". Returns how many. */
uint32_t elsewhere_ports(struct job *job, char *text, size_t size);
/* Processor time of the app's jail; 0: nothing on this host counts it. */
uint64_t elsewhere_cpu(struct job *job);
