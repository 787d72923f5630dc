/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzz target (LLVMFuzzerTestOneInput) without libFuzzer: first every file of the corpus, then
 * N inputs that are mutations of them, the same ones for the same seed. What crashes, hangs or trips
 * a sanitizer is printed as the number of the mutation, which `--only` makes again.
 *
 * Usage: fuzz-TARGET [--runs N] [--seed N] [--only N] [--save FILE] CORPUS...
 *
 * With clang, `clang -fsanitize=fuzzer,address target.c ...` uses the same function instead.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "util/util.h"

#define INPUT_MAX 65536
#define MAX_FILES 1024
#define HANG 20 /* seconds for one input, sanitizers and a busy host included */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct {
	unsigned char *data;
	size_t size;
} corpus[MAX_FILES];
static size_t corpus_count;
static volatile unsigned long current;

static unsigned long long state;

static unsigned int below(unsigned int n)
{
	unsigned long long z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned int)((z ^ (z >> 31)) % n);
}

static void add_file(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *data = malloc(INPUT_MAX);
	ssize_t n = fd < 0 || !data ? -1 : read(fd, data, INPUT_MAX);

	if (n < 0 || corpus_count == MAX_FILES) {
		free(data);
		return;
	}
	corpus[corpus_count].data = data;
	corpus[corpus_count++].size = (size_t)n;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void add(const char *path)
{
	struct dirent **names;
	struct stat st;
	int n;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		add_file(path);
		return;
	}
	n = scandir(path, &names, NULL, by_name);
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *file = NULL;

		if (names[i]->d_name[0] != '.' &&
		    asprintf(&file, "%s/%s", path, names[i]->d_name) > 0)
			add_file(file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Words that open doors in a parser that random bytes find too seldom. */
static const char *const words[] = {
	"{{",
	"}}",
	"\n",
	"HTTP 200\n",
	"[Asserts]\n",
	"[Multipart]\n",
	"[Options]\n",
	"# @test x\n",
	"```",
	"`",
	"\"",
	"\\",
	"\\u{",
	"=>",
	"# @sql SELECT 1 => 1\n",
	"# @parallel 2\n",
	"not ",
	"jsonpath \"$..*\" ",
	"regex /(/ ",
	"file,",
	"hex,",
	"base64,",
	";",
	"/",
	"[?(@.",
	"\r\n",
	"\r\n\r\n",
	"Content-Length: ",
	"Transfer-Encoding: chunked\r\n",
	"HTTP/1.1 200 OK\r\n",
	"0\r\n\r\n",
	"ffffffffffffffff",
	"-1",
	"99999999999999999999",
	"\xff\xfe",
	"{\"cases\":[",
	"{\"type\":\"",
	"]",
	"}",
	",",
	":",
	"null",
	"1e999",
	"\xef\xbb\xbf",
	"\xc3\xa9",
};

static size_t insert(unsigned char *out, size_t size, const void *what, size_t len)
{
	size_t at = below((unsigned int)size + 1);

	if (size + len > INPUT_MAX)
		return size;
	memmove(out + at + len, out + at, size - at);
	memcpy(out + at, what, len);
	return size + len;
}

static size_t change(unsigned char *out, size_t size)
{
	const char *word = words[below(ARRAY_SIZE(words))];
	unsigned int at = size ? below((unsigned int)size) : 0, n, other;

	switch (below(7)) {
	case 0:
		if (size)
			out[at] ^= (unsigned char)(1u << below(8));
		return size;
	case 1:
		if (size)
			out[at] = (unsigned char)below(256);
		return size;
	case 2:
		return insert(out, size, word, strlen(word));
	case 3: /* a part goes */
		n = size ? below((unsigned int)MIN_OF(size - at, (size_t)64)) + 1 : 0;
		n = (unsigned int)MIN_OF((size_t)n, size - at);
		memmove(out + at, out + at + n, size - at - n);
		return size - n;
	case 4: /* a part comes twice */
		n = size ? below((unsigned int)MIN_OF(size - at, (size_t)256)) + 1 : 0;
		n = (unsigned int)MIN_OF((size_t)n, size - at);
		return insert(out, size, memcpy((unsigned char[256]){ 0 }, out + at, n), n);
	case 5: /* a part of another file */
		other = below((unsigned int)corpus_count);
		if (!corpus[other].size)
			return size;
		at = below((unsigned int)corpus[other].size);
		n = (unsigned int)MIN_OF(corpus[other].size - at, (size_t)below(512) + 1);
		return insert(out, size, corpus[other].data + at, n);
	default: /* the end goes */
		return at;
	}
}

static size_t mutate(unsigned char *out, unsigned long number, unsigned long seed)
{
	unsigned int from, times;
	size_t size;

	state = seed * 0x100000001b3u + number;
	from = below((unsigned int)corpus_count);
	size = corpus[from].size;
	memcpy(out, corpus[from].data, size);
	/* mostly small changes: what is broken in many places is refused at the first one */
	for (times = below(4) ? 1 : below(8) + 1; times; times--)
		size = change(out, size);
	return size;
}

static void on_fatal(int signal)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "not ok - mutation %lu: signal %d\n", current, signal);

	(void)!write(STDOUT_FILENO, text, (size_t)n);
	_exit(1);
}

static int option(int argc, char **argv, int *i, const char *name, unsigned long *ret)
{
	if (!streq(argv[*i], name) || *i + 1 >= argc)
		return 0;
	*ret = strtoul(argv[++*i], NULL, 10);
	return 1;
}

static void save(const char *path, const unsigned char *data, size_t size)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		(void)fprintf(stderr, "cannot write %s: %m\n", path);
}

int main(int argc, char **argv)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM };
	unsigned long runs = 2000, seed = 1, only = 0, first;
	unsigned char *input = malloc(INPUT_MAX);
	const char *save_as = NULL;

	for (int i = 1; i < argc; i++) {
		if (option(argc, argv, &i, "--runs", &runs) ||
		    option(argc, argv, &i, "--seed", &seed) ||
		    option(argc, argv, &i, "--only", &only))
			continue;
		if (streq(argv[i], "--save") && i + 1 < argc)
			save_as = argv[++i];
		else
			add(argv[i]);
	}
	if (!corpus_count || !input) {
		(void)fprintf(stderr, "%s: no corpus\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		(void)signal(fatal[i], on_fatal);
	for (size_t i = 0; i < corpus_count && !only; i++) {
		(void)alarm(HANG);
		(void)LLVMFuzzerTestOneInput(corpus[i].data, corpus[i].size);
	}
	first = only ? only : 1;
	for (current = first; current <= (only ? only : runs); current++) {
		size_t size = mutate(input, current, seed);

		if (save_as)
			save(save_as, input, size);
		(void)alarm(HANG);
		(void)LLVMFuzzerTestOneInput(input, size);
	}
	printf("1..1\nok 1 - %zu files, %lu mutations\n", corpus_count, only ? 1 : runs);
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	free(input);
	return 0;
}
