/* SPDX-License-Identifier: MIT */
#pragma once

/* Parts of sbx_probe() (probe.c). Each fills one check, whose name is set and whose rest is empty.
 */

#include <sandbox/sandbox.h>
#include <stdbool.h>

void probe_pass(struct sbx_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Then `found` is set by the caller through the format; the other two are fixed texts. */
void probe_set(struct sbx_check *c, int status, const char *breaks, const char *remedy,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The running kernel is `major`.`minor` or newer. */
bool probe_kernel_at_least(unsigned int major, unsigned int minor);

/* The first line of a small file; false if there is none. */
bool probe_line(const char *path, char *buf, size_t size);

/* probe-caller.c: who may make jails here, and with which ids */
void probe_privilege(struct sbx_check *c);
void probe_userns(struct sbx_check *c);
void probe_userns_clone(struct sbx_check *c);
void probe_apparmor(struct sbx_check *c);
void probe_ids(struct sbx_check *c);
void probe_newuidmap(struct sbx_check *c);
void probe_subids(struct sbx_check *c);
void probe_runtime_dir(struct sbx_check *c);
void probe_container(struct sbx_check *c);

/* probe-cgroup.c */
void probe_cgroups(struct sbx_check *c);
void probe_delegation(struct sbx_check *c);
void probe_clone_into_cgroup(struct sbx_check *c);
void probe_cgroup_memory(struct sbx_check *c);
void probe_cgroup_pids(struct sbx_check *c);
void probe_cgroup_cpu(struct sbx_check *c);
void probe_cgroup_kill(struct sbx_check *c);
void probe_memory_peak(struct sbx_check *c);
void probe_swap(struct sbx_check *c);
