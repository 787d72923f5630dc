/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of init and what its parts offer each other. See main.c for the order of things.
 *
 * Failures: a function returns a negative errno; `step` and `index` of struct init say where it
 * happened and are set before the attempt, so that nobody has to pass them along.
 */

#include "../plan-format.h"
#include "../protocol.h"
#include "rt.h"
#include <sandbox/sandbox.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PROCESSES_MAX 64u
#define QUOTAS_MAX 32u /* as many as struct parked names */
#define ACCESS_MAX 128u
#define KNOWN_MAX 768u
#define NAME_MAX_SIZE 256u

/* A message as it was received; the descriptors are owned and closed by message_done(). */
struct message {
	unsigned char *bytes; /* MESSAGE_MAX; aligned to a page */
	size_t size;
	uint32_t type; /* of the last message, also of one that was refused; 0: it has none */
	uint32_t n_fds;
	int fds[256];
};

/* Strings with their bounds: every offset that is read from a message or a plan is checked. */
struct strings {
	const char *bytes;
	uint32_t size;
};

/* One mount to make, from the plan, the START message or a MOUNT request. */
struct entry {
	struct plan_mount mount; /* owners as the jail has them */
	struct strings strings;
	const char *target;
	int fd;    /* the detached mount that it is made from; -1: none */
	int index; /* -1: a MOUNT request */
};

/* What a program may do beyond reading; `fd` names the root of the mount for Landlock. */
#define ACCESS_WRITE 1u
#define ACCESS_DEVICE 2u

struct access {
	int fd;
	uint32_t kind;
};

/* What mountinfo must say of a mount; nosuid and private propagation are always wanted. */
#define KNOWN_READ_ONLY 1u
#define KNOWN_NODEV 2u

struct known_mount {
	uint32_t id;
	uint16_t flags;
	int16_t index;
};

struct quota {
	int fd;
	uint16_t mount;
};

struct process {
	int pid; /* 0: a free slot */
	int status;
};

struct init {
	int32_t step;
	int32_t index;
	const struct plan_header *plan;
	struct message message;
	/* Within `message`, while START is carried out. */
	const struct start_request *start;
	const int16_t *fd_of;
	const struct plan_mount *extra;
	struct strings extra_strings;
	struct strings plan_strings;
	uint32_t sole_uid, sole_gid, nproc; /* of START */
	int root;                           /* the root of the jail's file tree */
	uint32_t roots_given; /* mounts of the plan that took the place of our own root */
	int host_proc;        /* the host's /proc, until the mounts are proven */
	int mountinfo;        /* ours: re-read from the start for each proof */
	int signals;
	uint32_t landlock_abi; /* 0: not applied */
	int ruleset;           /* for programs without trees of their own; -1: none */
	uint32_t n_access, n_known, n_quotas;
	struct access access[ACCESS_MAX];
	struct quota quotas[QUOTAS_MAX];
	struct process processes[PROCESSES_MAX];
	struct known_mount known[KNOWN_MAX];
};

/* One step of a list of steps: what is reported if `run` fails. */
struct stage {
	int32_t step;
	int (*run)(struct init *in);
};

/* message.c */
int message_receive(int socket, struct message *m); /* 0: end of file, 1: a message */
void message_done(struct message *m);
int message_steal_fd(struct message *m, uint32_t i);
int message_send(int socket, const void *bytes, size_t size, const int *fds, uint32_t n_fds);
void failed_send(int socket, const struct init *in, int error);
bool creator_is_alive_until_request(void); /* waits; false: exit */

/* plan.c */
const char *string_at(const struct strings *s, uint32_t offset);
int plan_map(struct init *in);
int start_receive(struct init *in);
uint32_t entry_count(const struct init *in);
int entry_get(struct init *in, uint32_t i, struct entry *ret); /* 1: optional and absent */
void entry_own(const struct init *in, struct entry *e);

/* host.c */
int process_protect(struct init *in);
int sysctls_write(struct init *in);
int hostname_set(struct init *in);
int loopback_up(struct init *in);

/* root.c */
int propagation_stop(struct init *in);
int root_make(struct init *in);
int root_pivot(struct init *in);
int tmpfs_make(uint64_t bytes, uint64_t inodes, const struct plan_mount *m, uint32_t attributes);

/* tree.c */
int tree_open_parent(int root, const char *target, char ret_name[static NAME_MAX_SIZE]);
int tree_open_directory(int root, const char *target);
int tree_open_file(int root, const char *target);

/* mounts.c */
int mounts_make(struct init *in);
int mount_apply(struct init *in, struct entry *e);

/* overlay.c */
int overlay_make(const struct entry *e, int *ret_upper);

/* proof.c */
int known_add(struct init *in, int fd, uint32_t flags, int index);
int mounts_prove(struct init *in);
int mounts_prove_again(struct init *in);

/* landlock.c */
int landlock_prepare(struct init *in);
int landlock_add(struct init *in, int ruleset, const struct access *a);
int landlock_ruleset(struct init *in); /* a new one with the jail's rules */
int landlock_add_tree(struct init *in, int ruleset, int fd, uint32_t fd_flags);

/* privileges.c; shared with the relay */
int groups_drop(void);
int bounding_drop(void);
int securebits_lock(void);
int ids_set(uint32_t uid, uint32_t gid);
int capabilities_drop(void); /* and verify */

/* program.c, exec.c */
int program_start(struct init *in);

/* loop.c */
int park(struct init *in);
_Noreturn void loop_run(struct init *in);

/* request.c */
int request_serve(struct init *in);
