/* SPDX-License-Identifier: MIT */

/*
 * The entry point and the runtime. String instructions instead of loops: a loop in memset() is
 * what the compiler would turn into a call of memset().
 */

#include "rt.h"

_Noreturn void start_c(long *stack);

__asm__(".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start_c\n"
	"	hlt\n");

void *memset(void *p, int c, size_t n)
{
	void *to = p;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *p = to;

	__asm__ volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *p = (char *)to + n - 1;
	const char *q = (const char *)from + n - 1;

	if ((uintptr_t)to <= (uintptr_t)from)
		return memcpy(to, from, n);
	__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(p), "+S"(q), "+c"(n) : : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (size_t i = 0; i < n; i++)
		if (p[i] != q[i])
			return p[i] - q[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool string_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

char *number_format(char buf[static NUMBER_MAX], uint64_t n, uint32_t base)
{
	char digits[NUMBER_MAX];
	size_t i = 0, j = 0;

	do {
		digits[i++] = (char)('0' + n % base);
		n /= base;
	} while (n);
	while (i > 0)
		buf[j++] = digits[--i];
	buf[j] = '\0';
	return buf;
}

_Noreturn void start_c(long *stack)
{
	char **argv = (char **)(stack + 1);

	if (stack[0] < 1)
		sys_exit(2);
	if (string_equal(argv[0], "sandbox-init"))
		init_main();
	if (string_equal(argv[0], "sandbox-holder"))
		holder_main();
	if (string_equal(argv[0], "sandbox-relay"))
		relay_main();
	sys_exit(2);
}
