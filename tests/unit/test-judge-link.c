/* SPDX-License-Identifier: MIT */

/* What a slot takes from a judge that lies: packets, descriptors, verdicts, results. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "fleet/worker/judge-link.h"
#include "util/util.h"

struct link {
	int slot, judge;
};

static int make(void **state)
{
	static struct link l;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	l = (struct link){ pair[0], pair[1] };
	*state = &l;
	return 0;
}

static int end(void **state)
{
	struct link *l = *state;

	close_fd(l->slot);
	close_fd(l->judge);
	return 0;
}

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Any bytes with any descriptors, as no honest judge sends them. */
static void send_raw(int socket, const void *bytes, size_t size, const int *fds, size_t n)
{
	union {
		char space[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)bytes, .iov_len = size };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

	if (n > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
	}
	assert_int_equal(sendmsg(socket, &m, 0), (ssize_t)size);
}

static void test_round_trip(void **state)
{
	struct link *l = *state;
	struct judge_packet p = { .kind = JUDGE_STAGE, .serial = 7 }, got;
	int fd;

	assert_int_equal(judge_receive(l->slot, &got, &fd), 0);
	copy_string(p.stage.name, sizeof(p.stage.name), "deps");
	assert_int_equal(judge_send(l->judge, &p, -1), 0);
	assert_int_equal(judge_receive(l->slot, &got, &fd), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(got.serial, 7);
	assert_string_equal(got.stage.name, "deps");
	assert_int_equal(judge_receive(l->slot, &got, &fd), 0);
}

static void test_descriptor(void **state)
{
	struct link *l = *state;
	struct judge_packet p = { .kind = JUDGE_RESULT }, got;
	int before = open_fds(), mem = memfd_create("result", MFD_CLOEXEC), fd;

	assert_int_equal(judge_send(l->judge, &p, mem), 0);
	assert_int_equal(judge_receive(l->slot, &got, &fd), 1);
	assert_true(fd >= 0 && fd != mem);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close_fd(fd);
	close_fd(mem);
	assert_int_equal(open_fds(), before);
}

static void test_end(void **state)
{
	struct link *l = *state;
	struct judge_packet p = { .kind = JUDGE_CANCEL };
	int fd;

	l->judge = close_fd(l->judge);
	assert_int_equal(judge_receive(l->slot, &p, &fd), -EPIPE);
	assert_int_equal(judge_send(l->slot, &p, -1), -EPIPE);
}

/* Not one of these is taken, and none leaves a descriptor behind. */
static void test_malformed(void **state)
{
	struct link *l = *state;
	struct judge_packet p = { .kind = JUDGE_READY }, got;
	char large[sizeof(p) + 8] = { 0 };
	int before = open_fds(), fds[] = { 0, 1, 2 }, fd;

	send_raw(l->judge, &p, 4, fds, 3);
	assert_int_equal(judge_receive(l->slot, &got, &fd), -EBADMSG);
	send_raw(l->judge, &p, sizeof(p) - 1, fds, 1);
	assert_int_equal(judge_receive(l->slot, &got, &fd), -EBADMSG);
	memcpy(large, &p, sizeof(p));
	send_raw(l->judge, large, sizeof(large), fds, 2);
	assert_int_equal(judge_receive(l->slot, &got, &fd), -EBADMSG);
	for (uint32_t kind = 0; kind < 300; kind += 29) {
		p.kind = kind + 8;
		send_raw(l->judge, &p, sizeof(p), fds, 1);
		assert_int_equal(judge_receive(l->slot, &got, &fd), -EBADMSG);
	}
	assert_int_equal(open_fds(), before);
}

static void test_too_many_descriptors(void **state)
{
	struct link *l = *state;
	struct judge_packet p = { .kind = JUDGE_READY }, got;
	int before = open_fds(), fds[] = { 0, 1, 2 }, fd;

	send_raw(l->judge, &p, sizeof(p), fds, 3);
	assert_int_equal(judge_receive(l->slot, &got, &fd), 1);
	close_fd(fd);
	assert_int_equal(open_fds(), before);
}

static void test_endless_texts(void **state)
{
	struct link *l = *state;
	struct judge_packet p, got;
	int fd;

	memset(&p, 'x', sizeof(p));
	p.kind = JUDGE_STAGE;
	send_raw(l->judge, &p, sizeof(p), NULL, 0);
	assert_int_equal(judge_receive(l->slot, &got, &fd), 1);
	assert_int_equal(strlen(got.stage.name), sizeof(got.stage.name) - 1);
	assert_int_equal(strlen(got.stage.note), sizeof(got.stage.note) - 1);
	p.kind = JUDGE_RESULT;
	send_raw(l->judge, &p, sizeof(p), NULL, 0);
	assert_int_equal(judge_receive(l->slot, &got, &fd), 1);
	assert_int_equal(strlen(got.verdict.verdict), sizeof(got.verdict.verdict) - 1);
	assert_int_equal(strlen(got.verdict.tests_sha256), QUEUE_SHA256_HEX);
	assert_int_equal(strlen(got.verdict.reason), sizeof(got.verdict.reason) - 1);
	assert_int_equal(judge_check_verdict(&got.verdict), -EBADMSG);
}

static struct judge_verdict verdict(const char *name, uint32_t passed, uint32_t failed,
				    uint32_t total)
{
	struct judge_verdict v = { .passed = passed, .failed = failed, .total = total };

	copy_string(v.verdict, sizeof(v.verdict), name);
	memset(v.tests_sha256, 'a', QUEUE_SHA256_HEX);
	return v;
}

static void test_verdicts(void **state)
{
	struct judge_verdict v = verdict("AC", 3, 0, 3);

	(void)state;
	assert_int_equal(judge_check_verdict(&v), 0);
	v = verdict("PARTIAL", 1, 2, 3);
	assert_int_equal(judge_check_verdict(&v), 0);
	v = verdict("CE", 0, 0, 3);
	assert_int_equal(judge_check_verdict(&v), 0);
	v = verdict("SUPERSEDED", 0, 0, 3);
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v = verdict("", 0, 0, 0);
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v = verdict("AC", 2, 1, 3);
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v = verdict("WA", UINT32_MAX, UINT32_MAX, 3);
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v = verdict("AC", 3, 0, 3);
	v.points = 2000;
	v.max_points = 1000;
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v.points = v.max_points = UINT64_MAX;
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v = verdict("AC", 3, 0, 3);
	v.tests_sha256[3] = 'A';
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
	v.tests_sha256[3] = '\0';
	assert_int_equal(judge_check_verdict(&v), -EBADMSG);
}

static int text_fd(const char *text, size_t size)
{
	int fd = memfd_create("result", MFD_CLOEXEC);

	assert_int_equal(write_full(fd, text, size), 0);
	return fd;
}

static int take(const char *text, size_t said)
{
	_cleanup_close_ int fd = text_fd(text, strlen(text));
	_cleanup_free_ char *json = NULL;
	int r = judge_take_json(fd, (uint32_t)said, &json);

	if (r == 0)
		assert_string_equal(json, text);
	else
		assert_null(json);
	return r;
}

static void test_results(void **state)
{
	static const char good[] = "{\"schema\":\"sandbox-result/1\",\"verdict\":\"AC\"}";
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"schema\":\"sandbox-result/2\"}",
		"{\"schema\":\"sandbox-result/1\"",
		"{\"schema\":\"sandbox-result/1\"} {}",
		"{\"schema\":\"sandbox-result/1\",\"schema\":\"sandbox-result/1\"}",
		"{\"schema\":\"sandbox-result/1\",\"x\":\"\xff\"}",
	};
	_cleanup_free_ char *deep = malloc(JUDGE_RESULT_MAX + 1), *json = NULL;
	int pipes[2], null;

	(void)state;
	assert_int_equal(take(good, strlen(good)), 0);
	assert_int_equal(take(good, strlen(good) + 1), -EBADMSG);
	assert_int_equal(take(good, strlen(good) - 1), -EBADMSG);
	assert_int_equal(take(good, 0), -EBADMSG);
	assert_int_equal(take(good, UINT32_MAX), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(take(bad[i], strlen(bad[i])), -EBADMSG);
	memset(deep, '[', JUDGE_RESULT_MAX);
	deep[JUDGE_RESULT_MAX] = '\0';
	assert_int_equal(take(deep, JUDGE_RESULT_MAX), -EBADMSG);

	assert_int_equal(judge_take_json(-1, 10, &json), -EBADMSG);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(judge_take_json(pipes[0], 10, &json), -EBADMSG);
	null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(judge_take_json(null, 10, &json), -EBADMSG);
	close_fd(null);
	close_fd(pipes[0]);
	close_fd(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, make, end),
		cmocka_unit_test_setup_teardown(test_descriptor, make, end),
		cmocka_unit_test_setup_teardown(test_end, make, end),
		cmocka_unit_test_setup_teardown(test_malformed, make, end),
		cmocka_unit_test_setup_teardown(test_too_many_descriptors, make, end),
		cmocka_unit_test_setup_teardown(test_endless_texts, make, end),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
