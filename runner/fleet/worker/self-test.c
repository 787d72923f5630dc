/* SPDX-License-Identifier: MIT */

/*
 * sandbox-runner self-test: whether jails are still what the policies demand, asked again and again
 * while a worker serves; a process of the supervisor (control.h), so that nothing waits for it. It
 * finds everything anew, as a judge that is started now would: a controller that is gone, a sysctl
 * that was changed, a policy, the runtime. It is told no password.
 */

#include "cli/program.h"
#include "fleet/fleet.h"
#include "fleet/worker/control.h"
#include "fleet/worker/installation.h"
#include "fleet/worker/process.h"
#include "util/util.h"

int cmd_self_test(int argc, char **argv)
{
	_cleanup_(config_done) struct fleet_config c = { 0 };
	struct control_packet packet = { .kind = CONTROL_TESTED };
	struct installation_options o = { .store = NULL };
	struct installation i = { .ctx = NULL };
	struct sbx_result result = { .size = sizeof(result) };
	struct metrics *metrics = NULL;
	struct sbx_error err = { 0 };
	struct log log;
	int code = process_begin(argc, argv, "self-test", &c, &log, &metrics), r;

	metrics_close(metrics);
	if (code != EXIT_OK)
		return code;
	o = (struct installation_options){ .store = c.store,
					   .policies = c.policies,
					   .store_size = c.store_size,
					   .allow_unenforced = c.allow_unenforced,
					   .log = &log };
	r = installation_open(&i, &o, &err);
	if (r == 0)
		r = installation_test(&i, &result, &err);
	installation_done(&i);
	packet.ok = r == 0;
	if (r < 0)
		(void)snprintf(packet.text, sizeof(packet.text), "%s%s%.60s: %.90s", err.stage,
			       *err.item ? ": " : "", err.item, err.text);
	(void)control_send(CONTROL_FD, &packet);
	return r == 0 ? EXIT_OK : EXIT_FAILED;
}
