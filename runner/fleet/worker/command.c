/* SPDX-License-Identifier: MIT */

/* sandbox-runner run: what must be well before a worker serves, then the supervisor. */

#include <sys/prctl.h>

#include "fleet/config/config-options.h"
#include "fleet/fleet.h"
#include "fleet/worker/installation.h"
#include "fleet/worker/process.h"
#include "fleet/worker/supervisor.h"
#include "pipeline/limits.h"
#include "util/util.h"

static struct command command = {
	.name = "run",
	.synopsis = "run [--config FILE] [OPTIONS]",
	.summary =
		"Judges submissions until it is told to end: takes them from the queue, as many\n"
		"at a time as there are slots, and writes every result into the ledger.",
	.examples = "  sandbox-runner run --config /etc/sandbox/runner.json\n"
		    "  sandbox-runner run -c runner.json --slots 4 --log-format text",
	.epilog = "Signals:\n"
		  "  TERM, INT  drain: finish what is running, claim nothing; twice: give it back\n"
		  "  QUIT       give back what is running and end\n"
		  "  HUP        read the configuration again\n"
		  "  USR1       say in the log what every slot is doing\n\n"
		  "Exit codes:\n"
		  "    0  drained\n"
		  "    1  it could not go on\n"
		  "    2  the command line or the configuration is wrong\n"
		  "    4  this host cannot isolate submissions as the policies demand",
	.options = NULL,
};

static int complain(const char *why)
{
	fprintf(stderr, "sandbox-runner run: %s\n", why);
	return EXIT_USAGE;
}

/*
 * Before any other process is there: this one is moved to a leaf of its control group, and the
 * others are born in it.
 */
static int test_installation(struct supervisor *s)
{
	const struct fleet_config *c = &s->config;
	struct installation_options o = { .store = c->store,
					  .policies = c->policies,
					  .store_size = c->store_size,
					  .allow_unenforced = c->allow_unenforced,
					  .log = &s->log };
	struct installation i = { .ctx = NULL };
	struct sbx_error err = { 0 };
	int r = installation_open(&i, &o, &err);

	if (r == 0)
		r = installation_test(&i, &s->tested, &err);
	if (r == 0)
		s->store = strdup(i.settings.store_dir);
	installation_done(&i);
	if (r == 0)
		return s->store ? EXIT_OK : EXIT_FAILED;
	log_error(&s->log,
		  "not serving, since submissions cannot be isolated as they must be: %s%s%s: %s",
		  err.stage, *err.item ? ": " : "", err.item, err.text);
	return EXIT_INFRASTRUCTURE;
}

static int open_outside(struct supervisor *s)
{
	struct ops_options o = { .listen = s->config.listen,
				 .anywhere = s->config.listen_anywhere };
	struct queue_options q;
	struct sbx_error err = { 0 };
	int r = metrics_open(&s->metrics, &err);

	process_queue_options(&s->config, &q);
	if (r == 0)
		r = queue_open(&s->queue, &q, &err);
	o.metrics = s->metrics;
	if (r == 0 && o.listen)
		r = ops_open(&s->ops, &o, &err);
	if (r == 0) {
		status_publish_once(s);
		return EXIT_OK;
	}
	log_error(&s->log, "%s%s%s: %s", err.stage, *err.item ? ": " : "", err.item, err.text);
	return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static void supervisor_done(struct supervisor *s)
{
	ops_close(s->ops);
	queue_free(s->queue);
	free(s->store);
	metrics_close(s->metrics);
	close_fd(s->epoll);
	close_fd(s->signals);
	close_fd(s->config_fd);
	config_done(&s->config);
}

static int run(struct supervisor *s)
{
	char why[CONFIG_WHY] = "";
	int code;

	if (config_load(&s->config, s->flags, why) < 0 || config_check(&s->config, true, why) < 0)
		return complain(why);
	process_log(&s->config, &s->log);
	code = test_installation(s);
	if (code != EXIT_OK)
		return code;
	/* Passwords are in memory; jails of our own are no more made. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	code = open_outside(s);
	if (code != EXIT_OK)
		return code;
	log_info(&s->log, "sandbox-runner %s serves with %llu slots", sbx_version(),
		 (unsigned long long)s->config.slots);
	return supervisor_run(s);
}

int cmd_run(int argc, char **argv)
{
	static struct supervisor s = { .epoll = -1, .signals = -1, .config_fd = -1 };
	int n, code;

	command.options = config_options(NULL);
	code = options_read_words(&command, argc, argv, &n);
	if (code >= 0)
		return code;
	if (n > 0)
		return usage_error("run", "takes no arguments; \"%.64s\" is one too many", argv[0]);
	s.flags = config_options_flags();
	code = run(&s);
	supervisor_done(&s);
	return code;
}
