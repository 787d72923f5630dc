/* SPDX-License-Identifier: MIT */

/*
 * From rules to BPF.
 *
 * Every number below SECCOMP_NUMBERS gets one class: allowed, EPERM, ENOSYS. The default is ENOSYS;
 * calls that libseccomp knows and the policy does not allow are EPERM, so that programs see a
 * refusal and not an ancient kernel; foreign ABIs (i386, x32) end the process.
 *
 * libseccomp makes the decision by architecture and number, as a binary tree. Arguments are checked
 * by blocks of our own behind it: libseccomp has no way to say "allow these values, fail the others
 * with that errno" for masked comparisons. It is told to return SECCOMP_RET_TRACE with a small
 * number for each call that has checks; in its program, those returns are then replaced, one
 * instruction by one, with jumps to the blocks. A block loads the lower half of an argument, which
 * is what the kernel makes of an int, so no rule can be walked around by setting a higher bit.
 *
 * Invariant: the program holds no SECCOMP_RET_TRACE when it is done.
 */

#include "error.h"
#include "policy.h"
#include "seccomp-filter.h"
#include "util/text.h"
#include "util/util.h"
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum class {
	CLASS_UNKNOWN, /* no rule: the default, ENOSYS */
	CLASS_EPERM,
	CLASS_ENOSYS,
	CLASS_ALLOW,
};

static int resolve(const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);

	return nr >= 0 && nr < SECCOMP_NUMBERS ? nr : -1;
}

static const struct seccomp_group *find_group(const char *name)
{
	size_t i;

	for (i = 0; i < seccomp_n_groups; i++)
		if (streq(seccomp_groups[i].name, name))
			return &seccomp_groups[i];
	return NULL;
}

static const char *nearest_group(const char *name)
{
	const char *best = NULL;
	unsigned int least = 3, d;
	size_t i;

	for (i = 0; i < seccomp_n_groups; i++) {
		d = text_distance(name, seccomp_groups[i].name);
		if (d >= least)
			continue;
		least = d;
		best = seccomp_groups[i].name;
	}
	return best;
}

static int no_such_call(const char *name, struct sbx_error *err)
{
	_cleanup_free_ char *near = NULL;
	unsigned int least = 3, d;
	char *known;
	int nr;

	for (nr = 0; nr < SECCOMP_NUMBERS; nr++) {
		known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (uint32_t)nr);
		d = known ? text_distance(name, known) : least;
		if (d >= least) {
			free(known);
			continue;
		}
		least = d;
		free(near);
		near = known;
	}
	if (near)
		return policy_error(err, -EINVAL, "policy", name,
				    "no such system call; did you mean \"%s\"?", near);
	return policy_error(err, -EINVAL, "policy", name,
			    "no system call of x86-64 that this libseccomp knows");
}

static int check_name(const char *name, struct sbx_error *err)
{
	const char *near;

	if (name[0] != '@')
		return resolve(name) < 0 ? no_such_call(name, err) : 0;
	if (find_group(name))
		return 0;
	near = nearest_group(name);
	return policy_error(err, -EINVAL, "policy", name, "no such group of system calls%s%s%s",
			    near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

int seccomp_rule_init(struct seccomp_rule *ret, const char *name, int32_t action,
		      struct sbx_error *err)
{
	size_t i;
	int r;

	if (action < SBX_SYSCALL_ALLOW || action > SBX_SYSCALL_ENOSYS)
		return policy_error(err, -EINVAL, "policy", name,
				    "no such action: allow (1), eperm (2) or enosys (3)");
	if (strlen(name) >= sizeof(ret->name))
		return policy_error(err, -EINVAL, "policy", NULL,
				    "the name of a system call has at most %zu characters",
				    sizeof(ret->name) - 1);
	r = check_name(name, err);
	if (r < 0)
		return r;
	for (i = 0; i < seccomp_n_refused && action == SBX_SYSCALL_ALLOW; i++)
		if (streq(seccomp_refused[i].syscall, name))
			return policy_error(err, -EPERM, "policy", name,
					    "no policy can allow this: %s", seccomp_refused[i].why);
	copy_string(ret->name, sizeof(ret->name), name);
	ret->action = action;
	return 0;
}

/* Names that an older libseccomp does not know stay at the default, ENOSYS. */
static void classify(uint8_t *classes, const char *name, uint8_t class)
{
	const struct seccomp_group *group;
	const char *const *member;
	int nr;

	if (name[0] != '@') {
		nr = resolve(name);
		if (nr >= 0)
			classes[nr] = class;
		return;
	}
	group = find_group(name);
	for (member = group ? group->members : NULL; member && *member; member++)
		classify(classes, *member, class);
}

static void classify_all(uint8_t *classes, const struct seccomp_rule *rules, size_t n)
{
	static const uint8_t class_of[] = {
		[SBX_SYSCALL_ALLOW] = CLASS_ALLOW,
		[SBX_SYSCALL_EPERM] = CLASS_EPERM,
		[SBX_SYSCALL_ENOSYS] = CLASS_ENOSYS,
	};
	const char *const *name;
	char *known;
	uint32_t nr;
	size_t i;

	memset(classes, CLASS_UNKNOWN, SECCOMP_NUMBERS);
	for (nr = 0; nr <= SECCOMP_REVIEWED; nr++) {
		known = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		if (known)
			classes[nr] = CLASS_EPERM;
		free(known);
	}
	for (name = seccomp_fallbacks; *name; name++)
		classify(classes, *name, CLASS_ENOSYS);
	for (i = 0; i < n; i++)
		classify(classes, rules[i].name, class_of[rules[i].action]);
}

/* The number of the call's first row in seccomp_checks plus one; 0: its arguments are free. */
static uint16_t first_check(int nr)
{
	size_t i;

	for (i = 0; i < seccomp_n_checks; i++)
		if (resolve(seccomp_checks[i].syscall) == nr)
			return (uint16_t)(i + 1);
	return 0;
}

static uint32_t action_of(int nr, uint8_t class)
{
	uint16_t check;

	if (class == CLASS_EPERM)
		return SCMP_ACT_ERRNO(EPERM);
	if (class != CLASS_ALLOW)
		return 0;
	check = first_check(nr);
	return check ? SCMP_ACT_TRACE(check) : SCMP_ACT_ALLOW;
}

static void ctx_freep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int tree_build(scmp_filter_ctx ctx, const uint8_t *classes)
{
	uint32_t action;
	int nr, r;

	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
	for (nr = 0; r == 0 && nr < SECCOMP_NUMBERS; nr++) {
		action = action_of(nr, classes[nr]);
		if (action)
			r = seccomp_rule_add_exact_array(ctx, action, nr, 0, NULL);
	}
	return r;
}

/* What the last rule says that names the group. */
static bool is_granted(const struct seccomp_rule *rules, size_t n, const char *group)
{
	while (n-- > 0)
		if (streq(rules[n].name, group))
			return rules[n].action == SBX_SYSCALL_ALLOW;
	return false;
}

/* Room for what libseccomp wrote and for the blocks behind it. */
struct program {
	const struct seccomp_rule *rules;
	size_t n_rules;
	struct sock_filter *code;
	uint32_t n;
	uint32_t capacity;
};

static int program_read(struct program *p, int fd)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || (size_t)st.st_size % sizeof(*p->code) ||
	    (size_t)st.st_size / sizeof(*p->code) > BPF_MAXINSNS)
		return -E2BIG;
	p->capacity = BPF_MAXINSNS;
	p->code = calloc(p->capacity, sizeof(*p->code));
	if (!p->code)
		return -ENOMEM;
	got = pread(fd, p->code, (size_t)st.st_size, 0);
	if (got != st.st_size)
		return got < 0 ? -errno : -EIO;
	p->n = (uint32_t)((size_t)got / sizeof(*p->code));
	return 0;
}

static int tree_export(const uint8_t *classes, struct program *ret)
{
	_cleanup_(ctx_freep) scmp_filter_ctx ctx = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!ctx)
		return -ENOMEM;
	r = tree_build(ctx, classes);
	if (r < 0)
		return r;
	fd = memfd_create("sandbox-filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	return r < 0 ? r : program_read(ret, fd);
}

/* Silently does nothing when the program is full: program_finish() sees that. */
static void emit(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (p->n < p->capacity)
		p->code[p->n] = (struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
	p->n++;
}

/* Little-endian: the lower half is at the offset itself. */
static void emit_load(struct program *p, unsigned int arg, uint32_t mask)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0,
	     (uint32_t)(offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t)));
	if (mask != ~0u)
		emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
}

static void emit_errno(struct program *p, int error)
{
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (uint32_t)error);
}

static void emit_one_of(struct program *p, const struct seccomp_check *c)
{
	uint8_t i;

	emit_load(p, c->arg, c->mask);
	for (i = 0; i < c->n; i++)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(c->n - i), 0, c->values[i]);
	emit_errno(p, c->error);
}

/* A row is eight instructions: three loads, one mask, three comparisons, a jump behind the check.
 */
static void emit_tuples(struct program *p, const struct seccomp_check *c)
{
	const uint32_t *row;
	uint8_t i;

	for (i = 0; i < c->n; i++) {
		row = c->values + 3 * i;
		emit_load(p, 0, ~0u);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 6, row[0]);
		emit_load(p, 1, c->mask);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, row[1]);
		emit_load(p, 2, ~0u);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, row[2]);
		emit(p, BPF_JMP | BPF_JA, 0, 0, 8u * (c->n - i - 1u) + 1);
	}
	emit_errno(p, c->error);
}

static void emit_check(struct program *p, const struct seccomp_check *c)
{
	if (c->op == CHECK_ONE_OF) {
		emit_one_of(p, c);
	} else if (c->op == CHECK_TUPLES) {
		emit_tuples(p, c);
	} else {
		emit_load(p, c->arg, ~0u);
		emit(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, c->mask);
		emit_errno(p, c->error);
	}
}

static void emit_block(struct program *p, size_t first)
{
	const char *name = seccomp_checks[first].syscall;
	const struct seccomp_check *c = &seccomp_checks[first];

	for (; c < seccomp_checks + seccomp_n_checks && streq(c->syscall, name); c++)
		if (!c->group || is_granted(p->rules, p->n_rules, c->group) != c->without)
			emit_check(p, c);
	emit(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

static bool returns_trace(const struct sock_filter *f)
{
	return f->code == (BPF_RET | BPF_K) &&
	       (f->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;
}

static int program_finish(struct program *p)
{
	uint32_t tree = p->n, at, i;
	uint32_t first;

	for (i = 0; i < tree; i++) {
		if (!returns_trace(&p->code[i]))
			continue;
		first = (p->code[i].k & SECCOMP_RET_DATA) - 1;
		if (first >= seccomp_n_checks)
			return -EIO;
		at = p->n;
		emit_block(p, first);
		p->code[i] = (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = at - i - 1 };
	}
	return p->n > p->capacity ? -E2BIG : 0;
}

int seccomp_compile(const struct seccomp_rule *rules, size_t n_rules, struct sock_filter **ret,
		    uint32_t *ret_n, struct sbx_error *err)
{
	uint8_t classes[SECCOMP_NUMBERS];
	struct program p = { .rules = rules, .n_rules = n_rules };
	int r;

	classify_all(classes, rules, n_rules);
	r = tree_export(classes, &p);
	if (r == 0)
		r = program_finish(&p);
	if (r < 0) {
		free(p.code);
		return error_set(err, r, "seccomp", NULL,
				 "the system call filter could not be compiled by libseccomp");
	}
	*ret = p.code;
	*ret_n = p.n;
	return 0;
}
