/* SPDX-License-Identifier: MIT */

/* The supervisor's loop: see supervisor.h. */

#include "fleet/worker/supervisor.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "cli/program.h"
#include "fleet/worker/notify.h"
#include "fleet/worker/process.h"
#include "util/util.h"

#define EVENT_SIGNAL UINT64_MAX
#define EVENTS 64
#define TURN_MAX (2 * NSEC_PER_SEC)

/* ------------------------------------------------------------------ config */

int supervisor_config(const struct supervisor *s, bool secrets)
{
	_cleanup_close_ int fd = memfd_create("config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int r;

	if (fd < 0 || !f)
		return -ENOMEM;
	r = config_write(f, &s->config, secrets, false);
	if (fclose(f) != 0 || r < 0)
		return -ENOMEM;
	r = write_full(fd, text, size);
	explicit_bzero(text, size);
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? r : steal_fd(&fd);
}

/* What slots are started with; sealed, since they all have the same. */
static int write_config(struct supervisor *s)
{
	int fd = supervisor_config(s, true);

	if (fd < 0)
		return fd;
	close_fd(s->config_fd);
	s->config_fd = fd;
	return 0;
}

static int reload_config(struct supervisor *s, char why[CONFIG_WHY])
{
	_cleanup_(config_done) struct fleet_config c = { 0 }, old = { 0 };
	const char *key;

	if (config_load(&c, s->flags, why) < 0 || config_check(&c, true, why) < 0)
		return -EINVAL;
	key = config_needs_restart(&s->config, &c);
	if (key) {
		(void)snprintf(why, CONFIG_WHY,
			       "%s cannot be changed while the worker runs: restart it", key);
		return -EINVAL;
	}
	old = s->config;
	s->config = c;
	c = old;
	old = (struct fleet_config){ 0 };
	return 0;
}

/* Slots take their configuration when they start: each ends after its job and is started again. */
static void reload(struct supervisor *s)
{
	struct timespec now = { 0 };
	char why[CONFIG_WHY] = "";

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	notify("RELOADING=1\nMONOTONIC_USEC=%lld",
	       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	if (reload_config(s, why) < 0) {
		log_error(&s->log, "the configuration stays as it was: %s", why);
	} else {
		process_log(&s->config, &s->log);
		if (write_config(s) < 0)
			log_error(&s->log, "out of memory");
		processes_tell(s, CONTROL_DRAIN);
		s->test_ns = MIN_OF(s->test_ns, deadline_after(s->config.self_test_ns));
		s->look_ns = 0;
		log_info(&s->log, "the configuration was read again; %llu slots",
			 (unsigned long long)s->config.slots);
	}
	notify("READY=1");
}

/* ------------------------------------------------------------------ states */

static void stop_now(struct supervisor *s, const char *why)
{
	if (s->state == SUPERVISOR_STOPPING)
		return;
	s->state = SUPERVISOR_STOPPING;
	log_info(&s->log, "stopping at once (%s): %u submissions are given back", why,
		 processes_count(s, true));
	processes_tell(s, CONTROL_STOP);
}

static void drain(struct supervisor *s)
{
	notify("STOPPING=1");
	if (s->state == SUPERVISOR_DRAINING) {
		stop_now(s, "asked to");
		return;
	}
	if (s->state == SUPERVISOR_STOPPING)
		return;
	s->state = SUPERVISOR_DRAINING;
	s->drain_ns = deadline_after(s->config.drain_timeout_ns);
	log_info(&s->log, "draining: %u submissions are still judged", processes_count(s, true));
	processes_tell(s, CONTROL_DRAIN);
	leases_beat(s);
}

void supervisor_rest(struct supervisor *s, bool on)
{
	if (on && s->state == SUPERVISOR_SERVING) {
		s->state = SUPERVISOR_RESTING;
		log_info(&s->log, "drained by an administrator: nothing more is claimed");
		processes_tell(s, CONTROL_DRAIN);
	} else if (!on && s->state == SUPERVISOR_RESTING) {
		s->state = SUPERVISOR_SERVING;
		log_info(&s->log, "no longer drained");
	}
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	s->changed = true;
	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			if (s->state == SUPERVISOR_SERVING || s->state == SUPERVISOR_RESTING)
				reload(s);
			break;
		case SIGUSR1:
			status_dump(s);
			break;
		case SIGQUIT:
			notify("STOPPING=1");
			stop_now(s, "SIGQUIT");
			break;
		default:
			drain(s);
			break;
		}
	}
}

/* -------------------------------------------------------------------- loop */

/* As process 1 of a container: the judges of slots that died come to us. */
static void reap_strangers(const struct supervisor *s)
{
	siginfo_t info = { 0 };

	while (getpid() == 1 && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid) {
		for (size_t i = 0; i < PROCESSES_MAX; i++) {
			if (s->processes[i].pid == info.si_pid)
				return;
		}
		(void)waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

static void do_what_is_due(struct supervisor *s)
{
	uint64_t now = now_ns();

	if (s->state == SUPERVISOR_DRAINING && now >= s->drain_ns)
		stop_now(s, "drain_timeout is over");
	if (now >= s->renew_ns)
		leases_renew(s);
	if (now >= s->beat_ns) {
		leases_beat(s);
		status_measure(s);
		s->changed = true;
	}
	if (s->changed && now >= s->publish_ns)
		status_publish(s);
	if (s->watchdog_every_ns && now >= s->watchdog_ns) {
		notify("WATCHDOG=1");
		s->watchdog_ns = deadline_after(s->watchdog_every_ns);
	}
	hold_look(s);
	processes_kill_late(s);
	processes_kill_hung(s);
	processes_start(s);
	reap_strangers(s);
	ops_beat(s->ops);
}

static int turn_timeout(const struct supervisor *s)
{
	uint64_t now = now_ns(), next = now + TURN_MAX;

	next = MIN_OF(next, MIN_OF(s->renew_ns, s->beat_ns));
	next = MIN_OF(next, MIN_OF(s->look_ns, processes_deadline(s)));
	if (s->changed)
		next = MIN_OF(next, s->publish_ns);
	if (s->state == SUPERVISOR_DRAINING)
		next = MIN_OF(next, s->drain_ns);
	if (s->watchdog_every_ns)
		next = MIN_OF(next, s->watchdog_ns);
	return next <= now ? 0 : (int)((next - now) / NSEC_PER_MSEC + 1);
}

static int turn(struct supervisor *s)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(s->epoll, events, EVENTS, turn_timeout(s));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 == EVENT_SIGNAL)
			take_signals(s);
		else
			processes_event(s, events[i].data.u64);
	}
	return 0;
}

static int open_signals(struct supervisor *s)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 };
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = EVENT_SIGNAL };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signals < 0 || s->epoll < 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &e) < 0)
		return -errno;
	return 0;
}

static bool is_over(const struct supervisor *s)
{
	return (s->state == SUPERVISOR_DRAINING || s->state == SUPERVISOR_STOPPING) &&
	       processes_gone(s);
}

int supervisor_run(struct supervisor *s)
{
	struct sbx_error err = { 0 };
	int r = open_signals(s);

	processes_init(s);
	if (r == 0)
		r = write_config(s);
	s->began_ns = now_ns();
	s->watchdog_every_ns = notify_watchdog_ns();
	s->watchdog_ns = deadline_after(s->watchdog_every_ns);
	s->renew_ns = deadline_after(s->config.queue.lease_ns / 3);
	s->test_ns = deadline_after(s->config.self_test_ns);
	while (r == 0 && !is_over(s)) {
		if (!s->accepted && now_ns() >= s->beat_ns && leases_require(s) < 0)
			return EXIT_INFRASTRUCTURE;
		do_what_is_due(s);
		if (!s->notified)
			notify("READY=1\nSTATUS=%llu slots", (unsigned long long)s->config.slots);
		s->notified = true;
		r = turn(s);
	}
	if (r < 0)
		log_error(&s->log, "the supervisor cannot go on: %s", strerror(-r));
	(void)queue_worker_gone(s->queue, s->config.name, &err);
	log_info(&s->log, "ended");
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
