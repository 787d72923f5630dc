/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the library and an unprivileged caller's holder say to each other (lib/holder.c has the
 * why). The holder is the init image under the name "sandbox-holder", started with these
 * descriptors and no others. One request at a time on a SEQPACKET socket, each answered by a
 * holder_reply; before the first the holder sends one by itself, when it is ready or cannot be.
 *
 * Shared with the static image, which has no libc.
 */

#include <stdint.h>

#define HOLDER_CONTROL_FD 3
#define HOLDER_IMAGE_FD 4   /* the memfd that it runs from, and that its children run from */
#define HOLDER_CREATOR_FD 5 /* pidfd of the process that made it */

#define HOLDER_PATH_MAX 4096u
#define HOLDER_FDS_MAX 4u /* that a child gets, as 3, 4, ...; number 5 is the creator's pidfd */
#define ID_MAPS_MAX 4u

/* One line of uid_map or gid_map (user_namespaces(7)). */
struct id_map {
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

enum holder_type {
	HOLDER_REPLY = 1,
	HOLDER_TREE,
	HOLDER_SPAWN,
};

/* TREE: a detached copy of the tree at a path, with its attributes set. Followed by the path. */
struct holder_tree {
	uint32_t type;
	uint32_t recursive;
	uint64_t attributes; /* MOUNT_ATTR_* to set */
};

/*
 * SPAWN: a child in new namespaces that runs the image. Its descriptors come first; then, if asked,
 * the network namespace to join and the cgroup to be born in. The answer comes when the child has
 * executed, with its pidfd.
 */
struct holder_spawn {
	uint32_t type;
	uint32_t n_fds;
	uint64_t flags; /* CLONE_NEW* */
	uint32_t joins_netns;
	uint32_t in_cgroup;
	uint32_t n_uid_maps;
	uint32_t n_gid_maps;
	struct id_map uid_maps[ID_MAPS_MAX]; /* "outside" is an id of the holder's namespace */
	struct id_map gid_maps[ID_MAPS_MAX];
	char name[32]; /* argv[0] */
};

struct holder_reply {
	uint32_t type;
	int32_t error; /* 0, with one descriptor, or a negative errno */
	int32_t step;  /* enum step of protocol.h */
};
