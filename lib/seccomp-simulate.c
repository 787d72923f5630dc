/* SPDX-License-Identifier: MIT */

/*
 * The kernel's view of a filter, for descriptions and tests: the classic BPF subset that
 * seccomp(2) programs are made of, run over one system call.
 */

#include "seccomp-filter.h"
#include "util/util.h"

struct machine {
	uint32_t a;
	uint32_t next;
	uint32_t action;
	bool done;
	bool args;
};

static bool load(struct machine *m, uint32_t offset, const struct seccomp_data *data)
{
	if (offset > sizeof(*data) - sizeof(m->a) || offset % sizeof(m->a))
		return false;
	memcpy(&m->a, (const char *)data + offset, sizeof(m->a));
	m->args |= offset >= offsetof(struct seccomp_data, args);
	return true;
}

static void jump(struct machine *m, const struct sock_filter *f, bool taken)
{
	m->next += taken ? f->jt : f->jf;
}

static bool step(struct machine *m, const struct sock_filter *f, const struct seccomp_data *data)
{
	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return load(m, f->k, data);
	case BPF_ALU | BPF_AND | BPF_K:
		m->a &= f->k;
		return true;
	case BPF_JMP | BPF_JA:
		m->next += f->k;
		return m->next >= f->k;
	case BPF_JMP | BPF_JEQ | BPF_K:
		jump(m, f, m->a == f->k);
		return true;
	case BPF_JMP | BPF_JGT | BPF_K:
		jump(m, f, m->a > f->k);
		return true;
	case BPF_JMP | BPF_JGE | BPF_K:
		jump(m, f, m->a >= f->k);
		return true;
	case BPF_JMP | BPF_JSET | BPF_K:
		jump(m, f, m->a & f->k);
		return true;
	case BPF_RET | BPF_K:
		m->action = f->k;
		m->done = true;
		return true;
	default:
		return false;
	}
}

uint32_t seccomp_simulate(const struct sock_filter *filter, uint32_t n,
			  const struct seccomp_data *data, bool *ret_args)
{
	struct machine m = { 0 };
	uint32_t at;

	while (!m.done && m.next < n) {
		at = m.next++;
		if (!step(&m, &filter[at], data))
			break;
	}
	if (ret_args)
		*ret_args = m.args;
	return m.done ? m.action : SECCOMP_RET_KILL_PROCESS;
}
