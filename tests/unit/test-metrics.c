/* SPDX-License-Identifier: MIT */

/* Counting from many processes into one memory, which one of them may have filled with anything. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fleet/ops/host.h"
#include "fleet/ops/metrics-internal.h"
#include "util/util.h"

static struct metrics *m;

static int setup(void **state)
{
	return metrics_open(&m, NULL);
}

static int teardown(void **state)
{
	m = metrics_close(m);
	return 0;
}

/* The exposition; the caller's. */
static char *exposition(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(metrics_write(m, to), 0);
	(void)fclose(to);
	return text;
}

static void assert_shows(const char *line)
{
	_cleanup_free_ char *text = exposition();

	if (!strstr(text, line))
		fail_msg("no '%s' in\n%s", line, text);
}

static void assert_hides(const char *part)
{
	_cleanup_free_ char *text = exposition();

	if (strstr(text, part))
		fail_msg("'%s' in\n%s", part, text);
}

static void test_counters(void **state)
{
	metrics_add(m, METRIC_JOBS_CLAIMED, 2, NULL, NULL);
	metrics_add(m, METRIC_JOBS_CLAIMED, 3, NULL, NULL);
	metrics_add(m, METRIC_JOBS_FINISHED, 1, "AC", NULL);
	metrics_add(m, METRIC_SANDBOX_FAILURES, 4, "mount", "EPERM");
	assert_shows("\n# TYPE sandbox_runner_jobs_claimed_total "
		     "counter\nsandbox_runner_jobs_claimed_total 5\n");
	assert_shows("\nsandbox_runner_jobs_finished_total{verdict=\"AC\"} 1\n");
	assert_shows("\nsandbox_runner_jobs_finished_total{verdict=\"IE\"} 0\n");
	assert_shows("\nsandbox_runner_sandbox_failures_total{step=\"mount\",errno=\"EPERM\"} 4\n");
	assert_true(metrics_get(m, METRIC_JOBS_CLAIMED, NULL, NULL) == 5);
	metrics_add(NULL, METRIC_JOBS_CLAIMED, 1, NULL, NULL);
	metrics_observe(NULL, METRIC_LOG_BYTES, 1, NULL);
	metrics_set(NULL, METRIC_SLOTS, 1, NULL, NULL);
}

static void test_gauges(void **state)
{
	assert_hides("sandbox_runner_slots");
	metrics_set(m, METRIC_SLOTS, 4, NULL, NULL);
	metrics_set(m, METRIC_PSI_SOME, 0.25, "cpu", NULL);
	metrics_set(m, METRIC_BUILD_INFO, 1, "0.1.0", "abc123");
	metrics_set(m, METRIC_LAST_SUCCESS, 1795410609, NULL, NULL);
	assert_shows("\nsandbox_runner_slots 4\n");
	metrics_set(m, METRIC_SLOTS, 3, NULL, NULL);
	assert_shows("\nsandbox_runner_slots 3\n");
	assert_shows("{res=\"cpu\"} 0.25\n");
	assert_shows("{version=\"0.1.0\",commit=\"abc123\"} 1\n");
	assert_shows("_timestamp_seconds 1795410609\n");
}

static void test_histograms(void **state)
{
	metrics_observe(m, METRIC_STAGE_SECONDS, 5 * NSEC_PER_MSEC, "build");
	metrics_observe(m, METRIC_STAGE_SECONDS, 6 * NSEC_PER_MSEC, "build");
	metrics_observe(m, METRIC_STAGE_SECONDS, 500 * NSEC_PER_SEC, "build");
	assert_shows("_stage_seconds_bucket{stage=\"build\",le=\"0.005\"} 1\n");
	assert_shows("_stage_seconds_bucket{stage=\"build\",le=\"0.01\"} 2\n");
	assert_shows("_stage_seconds_bucket{stage=\"build\",le=\"120\"} 2\n");
	assert_shows("_stage_seconds_bucket{stage=\"build\",le=\"+Inf\"} 3\n");
	assert_shows("_stage_seconds_sum{stage=\"build\"} 500.011000000\n");
	assert_shows("_stage_seconds_count{stage=\"build\"} 3\n");
	metrics_observe(m, METRIC_JOB_MEMORY_PEAK, 100 << 20, NULL);
	assert_shows("_job_memory_peak_bytes_bucket{le=\"67108864\"} 0\n");
	assert_shows("_job_memory_peak_bytes_bucket{le=\"134217728\"} 1\n");
	assert_shows("_job_memory_peak_bytes_sum 104857600\n");
}

static void test_quantiles(void **state)
{
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, NULL, 0.5) < 0);
	for (int i = 0; i < 100; i++)
		metrics_observe(m, METRIC_JOB_SECONDS, (i < 90 ? 80 : 900) * NSEC_PER_MSEC,
				i % 2 ? "AC" : "WA");
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, NULL, 0.5) > 0.05);
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, NULL, 0.5) <= 0.1);
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, NULL, 0.95) > 0.5);
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, "AC", 0.95) <= 1);
	assert_true(metrics_quantile(m, METRIC_JOB_SECONDS, "IE", 0.5) < 0);
	metrics_observe(m, METRIC_JOB_CPU_SECONDS, 900 * NSEC_PER_SEC, NULL);
	assert_true(metrics_quantile(m, METRIC_JOB_CPU_SECONDS, NULL, 0.5) == 120);
}

/* Labels that are no labels, and more of them than there is room for. */
static void test_labels(void **state)
{
	char label[40];

	metrics_add(m, METRIC_JOBS_RETRIED, 1, "a\"b\n", NULL);
	metrics_add(m, METRIC_JOBS_RETRIED, 1, "", NULL);
	metrics_add(m, METRIC_JOBS_RETRIED, 1, NULL, NULL);
	metrics_add(m, METRIC_JOBS_RETRIED, 1, "a-label-that-is-longer-than-31-bytes", NULL);
	assert_shows("_jobs_retried_total{reason=\"other\"} 4\n");
	for (int i = 0; i < 100; i++) {
		(void)snprintf(label, sizeof(label), "reason-%d", i);
		metrics_add(m, METRIC_JOBS_RETRIED, 1, label, NULL);
	}
	assert_true(metrics_get(m, METRIC_JOBS_RETRIED, NULL, NULL) == 104);
	assert_true(metrics_get(m, METRIC_JOBS_RETRIED, "other", NULL) > 4);
}

static void test_processes(void **state)
{
	enum { CHILDREN = 4, ROUNDS = 3000 };
	struct metrics *attached;
	struct reading r;

	for (int i = 0; i < CHILDREN; i++) {
		if (fork() == 0) {
			if (metrics_attach(&attached, metrics_fd(m), NULL) < 0)
				_exit(1);
			for (int k = 0; k < ROUNDS; k++) {
				metrics_add(attached, METRIC_JOBS_RETRIED, 1, k % 2 ? "x" : "y",
					    NULL);
				metrics_observe(attached, METRIC_STAGE_SECONDS, 1, "z");
			}
			_exit(0);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_true(metrics_get(m, METRIC_JOBS_RETRIED, "x", NULL) == CHILDREN * ROUNDS / 2);
	assert_true(metrics_get(m, METRIC_JOBS_RETRIED, "y", NULL) == CHILDREN * ROUNDS / 2);
	assert_true(metrics_get(m, METRIC_STAGE_SECONDS, "z", NULL) == CHILDREN * ROUNDS);
	assert_int_equal(metrics_read(m, METRIC_STAGE_SECONDS, 0, &r), 1);
	assert_true(r.value == CHILDREN * ROUNDS);
}

/* Two processes that made the same series at once: it is shown once, with the sum. */
static void test_twins(void **state)
{
	struct series *s = m->shared->series[METRIC_JOBS_RETRIED];

	for (int i = 0; i < 2; i++) {
		copy_string(s[i].labels[0], LABEL_SIZE, "twin");
		atomic_store(&s[i].value, 5);
		atomic_store(&s[i].state, SERIES_READY);
	}
	assert_shows("{reason=\"twin\"} 10\n");
	assert_hides("{reason=\"twin\"} 5\n");
}

/* What a slot that is not ours any more may write. */
static void test_hostile(void **state)
{
	unsigned int seed = 7;

	for (int round = 0; round < 8; round++) {
		unsigned char *p = (unsigned char *)m->shared->series;
		_cleanup_free_ char *text = NULL;

		for (size_t i = 0; i < sizeof(m->shared->series); i++) {
			seed = seed * 1103515245 + 12345;
			p[i] = round % 2 ? (unsigned char)(seed >> 16)
					 : (unsigned char)(seed >> 16) % 3;
		}
		memset(m->shared->series[round], 'x', sizeof(m->shared->series[round]));
		text = exposition();
		for (const char *c = text; *c; c++)
			if (*c != '\n' && (*c < ' ' || *c > '~'))
				fail_msg("byte %02x", (unsigned char)*c);
		metrics_add(m, METRIC_JOBS_CLAIMED, 1, NULL, NULL);
		(void)metrics_quantile(m, METRIC_JOB_SECONDS, NULL, 0.5);
	}
}

static void test_attach(void **state)
{
	int other = memfd_create("other", MFD_CLOEXEC);
	struct metrics *attached = NULL;
	struct sbx_error err;

	assert_int_equal(metrics_attach(&attached, other, &err), -EPROTO);
	assert_int_equal(ftruncate(other, sizeof(struct metrics_shared)), 0);
	assert_int_equal(metrics_attach(&attached, other, &err), -EPROTO);
	assert_int_equal(metrics_attach(&attached, -1, &err), -EBADF);
	assert_null(attached);
	close(other);
	assert_int_equal(ftruncate(metrics_fd(m), 0), -1);
	assert_true(fcntl(metrics_fd(m), F_GETFD) & FD_CLOEXEC);
}

/* Every row of the table is one that Prometheus takes. */
static void test_table(void **state)
{
	for (int i = 0; i < METRIC_COUNT_; i++) {
		const struct metric_info *info = &metric_infos[i];
		size_t n;

		assert_non_null(info->name);
		assert_non_null(info->help);
		n = strlen(info->name);
		assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz_"), n);
		assert_int_equal(info->kind == KIND_COUNTER,
				 n > 6 && streq(info->name + n - 6, "_total"));
		assert_null(strpbrk(info->help, "\n\\"));
		if (info->kind == KIND_HISTOGRAM)
			assert_in_range(metric_buckets(info), 2, BUCKETS_MAX);
		for (int k = 0; info->known && info->known[k]; k++)
			assert_in_range(k, 0, SERIES_MAX - 2);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(info->name, metric_infos[k].name);
	}
}

static void test_disk(void **state)
{
	const struct host_least one = { .bytes = 1 }, all = { .bytes = UINT64_MAX };
	struct host_least most, inodes = { .bytes = 1, .inodes_percent = 101 };
	char why[HOST_WHY] = "";
	struct statvfs fs;

	assert_int_equal(host_disk("/", &one, why), 0);
	assert_string_equal(why, "");
	assert_int_equal(host_disk("/", &all, why), -ENOSPC);
	assert_non_null(strstr(why, "/ has "));
	assert_int_equal(host_disk("/nowhere/at/all", &one, why), -ENOENT);
	assert_non_null(strstr(why, "/nowhere/at/all"));

	assert_int_equal(statvfs("/", &fs), 0);
	/* Others write there, too: far from what is free. */
	most = (struct host_least){ .bytes = (uint64_t)fs.f_bavail * fs.f_frsize / 10 * 9 };
	assert_int_equal(host_disk("/", &most, why), 0);
	most.was_short = true;
	assert_int_equal(host_disk("/", &most, why), -ENOSPC);
	if (fs.f_files > 0) {
		assert_int_equal(host_disk("/", &inodes, why), -ENOSPC);
		assert_non_null(strstr(why, "inodes left"));
	}
}

static void test_over(void **state)
{
	assert_false(host_over(40, 40, false));
	assert_true(host_over(41, 40, false));
	assert_true(host_over(31, 40, true));
	assert_false(host_over(30, 40, true));
	assert_false(host_over(100, 100, false)); /* never */
	assert_false(host_over(-100, 1, true));   /* a kernel that does not tell */
}

static void test_pressure(void **state)
{
	assert_true(host_pressure("nothing") == -1);
	assert_true(host_pressure("../self/status") == -1);
	host_pressure_publish(m);
	if (host_pressure("cpu") >= 0)
		assert_shows("_psi_some{res=\"cpu\"} ");
	else
		assert_hides("_psi_some");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_histograms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quantiles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_over),
		cmocka_unit_test_setup_teardown(test_pressure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
