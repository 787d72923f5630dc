/* SPDX-License-Identifier: MIT */

/*
 * A plan for people. All is read back from the blob that the jail's init gets, the filter by
 * running it: what is printed is what will happen, not what the policy said.
 */

#include "error.h"
#include "policy.h"
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/resource.h>

static void print_size(FILE *f, const char *name, uint64_t bytes, const char *note)
{
	char text[32];

	policy_size_text(bytes, text, sizeof(text));
	(void)fprintf(f, "  %-14s %s%s\n", name, bytes ? text : "none", bytes ? note : "");
}

static void print_duration(FILE *f, const char *name, uint64_t ns)
{
	char text[32];

	policy_duration_text(ns, text, sizeof(text));
	(void)fprintf(f, "  %-14s %s\n", name, ns == UINT64_MAX ? "none" : text);
}

static void describe_identity(FILE *f, const struct sbx_plan *p)
{
	static const char *const landlock[] = {
		[PLAN_LANDLOCK_OFF] = "off",
		[PLAN_LANDLOCK_OPTIONAL] = "where the kernel has it",
		[PLAN_LANDLOCK_REQUIRED] = "required",
	};
	const struct plan_header *h = p->blob;

	(void)fprintf(f, "identity\n");
	(void)fprintf(f, "  %-14s %u\n  %-14s %u\n", "user", h->uid, "group", h->gid);
	(void)fprintf(f, "  %-14s %s\n", "hostname", plan_string(p, h->hostname));
	(void)fprintf(f, "  %-14s %s\n", "cwd", plan_string(p, h->cwd));
	(void)fprintf(f, "  %-14s %s\n", "landlock", landlock[h->landlock]);
	(void)fprintf(f, "  %-14s %s\n", "scopes",
		      h->flags & PLAN_LANDLOCK_SCOPE_SIGNAL
			      ? h->flags & PLAN_LANDLOCK_SCOPE_ABSTRACT ? "signals, sockets"
									: "signals"
		      : h->flags & PLAN_LANDLOCK_SCOPE_ABSTRACT ? "sockets"
								: "none");
	(void)fprintf(f, "  %-14s %s\n", "new userns",
		      h->flags & PLAN_NO_NEW_USERNS ? "refused" : "left to the filter");
}

static void describe_limits(FILE *f, const struct sbx_plan *p)
{
	(void)fprintf(f, "limits\n");
	print_size(f, "memory", p->memory, " with all file systems full");
	(void)fprintf(f, "  %-14s ", "pids");
	(void)(p->pids ? fprintf(f, "%u\n", p->pids) : fprintf(f, "none\n"));
	(void)fprintf(f, "  %-14s ", "cpu");
	(void)(p->cpu_milli ? fprintf(f, "%.6g\n", (double)p->cpu_milli / 1000)
			    : fprintf(f, "none\n"));
	print_duration(f, "cpu_time", p->cpu_ns);
	print_duration(f, "wall", p->wall_ns);
	print_size(f, "output", p->output, " each of stdout and stderr");
}

static const char *rlimit_name(uint32_t resource)
{
	static const char *const names[] = {
		[RLIMIT_CPU] = "cpu",
		[RLIMIT_FSIZE] = "fsize",
		[RLIMIT_DATA] = "data",
		[RLIMIT_STACK] = "stack",
		[RLIMIT_CORE] = "core",
		[RLIMIT_NOFILE] = "nofile",
		[RLIMIT_AS] = "as",
		[RLIMIT_NPROC] = "nproc",
		[RLIMIT_MEMLOCK] = "memlock",
		[RLIMIT_SIGPENDING] = "sigpending",
		[RLIMIT_MSGQUEUE] = "msgqueue",
		[RLIMIT_NICE] = "nice",
		[RLIMIT_RTPRIO] = "rtprio",
	};

	return resource < ARRAY_SIZE(names) && names[resource] ? names[resource] : "?";
}

static void describe_kernel(FILE *f, const struct sbx_plan *p)
{
	const struct plan_header *h = p->blob;
	const struct plan_rlimit *limits = (const struct plan_rlimit *)((const char *)h +
									h->rlimits_off);
	const struct plan_sysctl *sysctls = (const struct plan_sysctl *)((const char *)h +
									 h->sysctls_off);
	uint32_t i;

	(void)fprintf(f, "rlimits\n");
	for (i = 0; i < h->n_rlimits; i++)
		if (limits[i].value == RLIM64_INFINITY)
			(void)fprintf(f, "  %-14s none\n", rlimit_name(limits[i].resource));
		else
			(void)fprintf(f, "  %-14s %llu\n", rlimit_name(limits[i].resource),
				      (unsigned long long)limits[i].value);
	(void)fprintf(f, "sysctls%s\n", h->n_sysctls ? "" : " (none)");
	for (i = 0; i < h->n_sysctls; i++)
		(void)fprintf(f, "  %s = %s\n", plan_string(p, sysctls[i].path),
			      plan_string(p, sysctls[i].value));
}

static void describe_mount(FILE *f, const struct sbx_plan *p, const struct plan_mount *m)
{
	static const char *const types[] = {
		[SBX_MOUNT_BIND] = "bind",       [SBX_MOUNT_TMPFS] = "tmpfs",
		[SBX_MOUNT_PROC] = "proc",       [SBX_MOUNT_FILE] = "file",
		[SBX_MOUNT_SYMLINK] = "symlink", [SBX_MOUNT_DIR] = "dir",
		[SBX_MOUNT_DEVICE] = "device",   [SBX_MOUNT_OVERLAY] = "overlay",
	};
	char size[32];

	(void)fprintf(f, "  %-8s %s", types[m->type], plan_string(p, m->target));
	if (m->type == SBX_MOUNT_SYMLINK)
		(void)fprintf(f, " -> %s", plan_string(p, m->data));
	else if (m->type == SBX_MOUNT_FILE)
		(void)fprintf(f, " (%llu bytes)", (unsigned long long)m->data_len);
	else if (m->source && strcmp(plan_string(p, m->source), plan_string(p, m->target)))
		(void)fprintf(f, " from %s", plan_string(p, m->source));
	if (m->type == SBX_MOUNT_BIND)
		(void)fprintf(f, m->flags & SBX_MOUNT_RW ? " writable" : " read-only");
	if (m->bytes) {
		policy_size_text(m->bytes, size, sizeof(size));
		(void)fprintf(f, " %s, %llu inodes", size, (unsigned long long)m->inodes);
	}
	if (m->mode)
		(void)fprintf(f, " %04o %u:%u", m->mode, m->uid, m->gid);
	(void)fprintf(f, "%s%s%s\n", m->flags & SBX_MOUNT_IDMAP ? " idmap" : "",
		      m->flags & SBX_MOUNT_NOEXEC ? " noexec" : "",
		      m->flags & SBX_MOUNT_OPTIONAL ? " optional" : "");
}

static void describe_tree(FILE *f, const struct sbx_plan *p)
{
	const struct plan_header *h = p->blob;
	char size[32];
	uint32_t i;

	policy_size_text(h->root_bytes, size, sizeof(size));
	(void)fprintf(f, "file tree\n  %-8s / %s, %llu inodes, read-only\n", "tmpfs", size,
		      (unsigned long long)h->root_inodes);
	for (i = 0; i < h->n_mounts; i++)
		describe_mount(f, p, &plan_mounts(p)[i]);
}

struct counts {
	unsigned int allowed, checked, eperm, enosys;
};

static uint32_t simulate(const struct sbx_plan *p, uint32_t nr, uint8_t arg, uint64_t value,
			 bool *ret_args)
{
	const struct plan_header *h = p->blob;
	const struct sock_filter *filter = (const struct sock_filter *)((const char *)h +
									h->filter_off);
	struct seccomp_data data = { .nr = (int)nr, .arch = AUDIT_ARCH_X86_64 };

	data.args[arg] = value;
	return seccomp_simulate(filter, h->n_filter, &data, ret_args);
}

/* Of two rows of which a group makes one hold, the larger one has a last value of its own. */
static bool check_holds(const struct sbx_plan *p, uint32_t nr, const struct seccomp_check *c)
{
	const struct seccomp_check *larger = c->without ? c + 1 : c;

	return !c->group || (simulate(p, nr, larger->arg, larger->values[larger->n - 1], NULL) ==
			     SECCOMP_RET_ALLOW) != c->without;
}

static void describe_checks(FILE *f, const struct sbx_plan *p, uint32_t nr, const char *name)
{
	const struct seccomp_check *c;

	for (c = seccomp_checks; c < seccomp_checks + seccomp_n_checks; c++)
		if (streq(c->syscall, name) && check_holds(p, nr, c))
			(void)fprintf(f, "  %-14s %s, else %s\n", name, c->text,
				      strerrorname_np(c->error));
}

static void count_call(FILE *f, const struct sbx_plan *p, uint32_t nr, const char *name,
		       struct counts *c)
{
	bool args;
	uint32_t action = simulate(p, nr, 0, 0, &args);

	c->checked += args;
	c->allowed += !args && action == SECCOMP_RET_ALLOW;
	c->eperm += !args && action == (SECCOMP_RET_ERRNO | EPERM);
	c->enosys += !args && action == (SECCOMP_RET_ERRNO | ENOSYS);
	if (args)
		describe_checks(f, p, nr, name);
}

static void describe_filter(FILE *f, const struct sbx_plan *p)
{
	struct counts c = { 0 };
	char *name;
	uint32_t nr;

	(void)fprintf(f, "system calls\n");
	for (nr = 0; nr < SECCOMP_NUMBERS; nr++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		if (name)
			count_call(f, p, nr, name, &c);
		free(name);
	}
	(void)fprintf(f,
		      "  %-14s %u\n  %-14s %u\n  %-14s %u\n  %-14s %u, and all unknown numbers\n",
		      "allowed", c.allowed, "with arguments", c.checked, "EPERM", c.eperm, "ENOSYS",
		      c.enosys);
	(void)fprintf(f, "  %-14s i386, x32\n  %-14s %u instructions\n", "killed", "filter",
		      p->blob->n_filter);
}

static int write_all(int fd, const char *text, size_t n)
{
	ssize_t done;

	for (; n; text += done, n -= (size_t)done) {
		done = write(fd, text, n);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done < 0)
			done = 0;
	}
	return 0;
}

SBX_PUBLIC int sbx_plan_describe(const struct sbx_plan *plan, int fd, struct sbx_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	int r;

	if (!f)
		return error_set(err, -ENOMEM, "plan", NULL, "the plan could not be described");
	describe_identity(f, plan);
	describe_limits(f, plan);
	describe_kernel(f, plan);
	describe_tree(f, plan);
	describe_filter(f, plan);
	if (fclose(f) != 0)
		return error_set(err, -ENOMEM, "plan", NULL, "the plan could not be described");
	r = write_all(fd, text, n);
	return r < 0 ? error_set(err, r, "plan", NULL, "the description could not be written") : 0;
}
