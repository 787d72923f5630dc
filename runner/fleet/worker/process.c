/* SPDX-License-Identifier: MIT */

/* See process.h. */

#include "fleet/worker/process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "cli/program.h"
#include "fleet/worker/control.h"
#include "util/util.h"

#define CONFIG_MAX (1u << 20)

void process_queue_options(const struct fleet_config *c, struct queue_options *ret)
{
	*ret = (struct queue_options){
		.url = c->redis.url,
		.prefix = c->redis.prefix,
		.command_timeout_ns = c->redis.timeout_ns,
		.lease_ms = (uint32_t)(c->queue.lease_ns / NSEC_PER_MSEC),
		.max_attempts = (uint32_t)c->queue.max_attempts,
		.depth_max = (uint32_t)c->queue.depth,
		.student_waiting_max = (uint32_t)c->queue.student_waiting,
		.student_running_max = (uint32_t)c->queue.student_running,
		.keep_s = (uint32_t)(c->queue.keep_ns / NSEC_PER_SEC),
		/* DevForces knows of no submission that has no result. */
		.no_supersede = c->compat.devforces != DEVFORCES_OFF,
	};
}

static size_t list_length(char **list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

void process_fetch_options(const struct fleet_config *c, struct fetch_options *ret)
{
	*ret = (struct fetch_options){
		.hosts = (const char *const *)c->fetch.hosts,
		.n_hosts = list_length(c->fetch.hosts),
		.networks = (const char *const *)c->fetch.networks,
		.n_networks = list_length(c->fetch.networks),
		.file_root = c->fetch.file_root,
		.ca_file = c->fetch.ca_file,
		.https_only = c->fetch.https_only,
		.max_bytes = c->fetch.max_size,
		.total_ns = c->fetch.timeout_ns,
		.connect_ns = c->fetch.connect_timeout_ns,
	};
}

void process_log(const struct fleet_config *c, struct log *ret)
{
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
						 LOG_LEVEL_DEBUG };
	enum log_format format = isatty(STDOUT_FILENO) ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;

	if (c->log.format > 0)
		format = (enum log_format)(c->log.format - 1);
	log_init(ret, STDOUT_FILENO, format, levels[c->log.level % ARRAY_SIZE(levels)], c->name);
}

static int read_config(struct fleet_config *ret)
{
	_cleanup_free_ char *text = NULL;
	char why[CONFIG_WHY] = "";
	struct stat st;

	if (fstat(CONTROL_CONFIG_FD, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return -EINVAL;
	text = malloc((size_t)st.st_size + 1);
	if (!text || read_full_at(CONTROL_CONFIG_FD, text, (size_t)st.st_size, 0) != st.st_size)
		return -EIO;
	return config_parse(ret, "the supervisor's configuration", text, (size_t)st.st_size, why);
}

/*
 * Passwords are in memory: no core dumps, and no look in by other processes of the same user. The
 * self-test has none, and a user's process that hides so cannot make jails.
 */
static void hide(const char *what)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "runner-%s", what);
	(void)prctl(PR_SET_NAME, name);
	if (!streq(what, "self-test"))
		(void)prctl(PR_SET_DUMPABLE, 0);
}

static void leave_signals_alone(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int process_begin(int argc, char **argv, const char *what, struct fleet_config *ret,
		  struct log *ret_log, struct metrics **ret_metrics)
{
	struct sbx_error err = { 0 };

	leave_signals_alone();
	hide(what);
	if (argc != 1 || fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(CONTROL_METRICS_FD, F_SETFD, FD_CLOEXEC) < 0 || read_config(ret) < 0) {
		fprintf(stderr, "sandbox-runner %s: this is a part of sandbox-runner run\n", what);
		return EXIT_USAGE;
	}
	(void)close(CONTROL_CONFIG_FD);
	process_log(ret, ret_log);
	(void)snprintf(ret_log->slot, sizeof(ret_log->slot), "%s%s",
		       streq(what, "slot") ? "" : what, streq(what, "slot") ? argv[0] : "");
	if (metrics_attach(ret_metrics, CONTROL_METRICS_FD, &err) < 0)
		log_warning(ret_log, "no metrics: %s", err.text);
	(void)close(CONTROL_METRICS_FD);
	return EXIT_OK;
}
