/* SPDX-License-Identifier: MIT */
#include "store/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "util/util.h"

#define KEY_FILE_MAX (1024 * 1024)

void key_begin(struct key *k, const char *purpose)
{
	sha256_init(&k->hash);
	key_add_string(k, purpose);
}

void key_add(struct key *k, const void *data, size_t size)
{
	uint64_t n = size;

	sha256_update(&k->hash, sizeof(n), (const uint8_t *)&n);
	sha256_update(&k->hash, size, data);
}

void key_add_string(struct key *k, const char *s)
{
	key_add(k, s, strlen(s));
}

int key_add_file(struct key *k, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *data = NULL;
	ssize_t n;

	if (fd < 0)
		return -errno;
	data = malloc(KEY_FILE_MAX);
	if (!data)
		return -ENOMEM;
	n = read_full(fd, data, KEY_FILE_MAX);
	if (n < 0)
		return (int)n;
	if (n == KEY_FILE_MAX)
		return -EFBIG;
	key_add(k, data, (size_t)n);
	return 0;
}

void key_end(struct key *k, char ret[static KEY_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[SHA256_DIGEST_SIZE];

	sha256_digest(&k->hash, sizeof(hash), hash);
	for (size_t i = 0; i < sizeof(hash); i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[KEY_SIZE - 1] = '\0';
}

int sha256_of(int fd, char ret[static KEY_SIZE])
{
	unsigned char buffer[65536];
	struct key k;
	ssize_t n;

	sha256_init(&k.hash);
	while ((n = read_full(fd, buffer, sizeof(buffer))) > 0)
		sha256_update(&k.hash, (size_t)n, buffer);
	if (n < 0)
		return (int)n;
	key_end(&k, ret);
	return 0;
}
