/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The main loop: it takes trace events from the workers, watches that they turn, and
 * waits for signals. The first SIGTERM or SIGINT drains: new requests are refused, what
 * runs goes on until nothing is left or time is over. The second ends at once. See daemon.h.
 */
#include "daemon.h"
#include "config/load.h"
#include "dns/dns.h"
#include "http/server.h"
#include "log.h"
#include "probe.h"
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVENTS_BATCH 256
#define EVENT_BATCHES_MAX 64 /* a turn of the main loop is bounded too */
#define TURN_PROBING_MS 20
#define TURN_TAKING_MS 10 /* what workers leave for control */
#define TURN_MS 100
#define WATCH_US 1000000

struct daemon {
	struct bp_control control;
	struct bp_http_sockets sockets;
	struct bp_http *http;
	int signals;
	uint64_t watched_us; /* monotonic; when the workers were last looked at */
	uint64_t drain_from_us, drain_until_us;
	uint64_t busy_us[BP_CONFIG_WORKERS_MAX], idle_us[BP_CONFIG_WORKERS_MAX]; /* at that time */
};

static void
notice(const char *line)
{
	bp_log_text(BP_LOG_NOTICE, "notice", line);
}

/* Signals are taken from a descriptor; blocked before any thread is made, so that all inherit it. */
static int
open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
take_events(struct daemon *d)
{
	struct bp_event_message events[EVENTS_BATCH];

	for (unsigned i = 0; i < EVENT_BATCHES_MAX; i++) {
		unsigned count = bp_dataplane_events(d->control.dataplane, events, EVENTS_BATCH);

		bp_trace_store_add(d->control.trace, events, count);
		if (count < EVENTS_BATCH)
			return;
	}
}

static void
take_cdrs(const struct daemon *d)
{
	if (d->control.cdr != NULL)
		bp_dataplane_cdrs(d->control.dataplane, bp_cdr_writer_put, d->control.cdr);
}

/* Once a second: do the workers turn, and how busy were they. */
static void
watch(struct daemon *d, uint64_t now_us)
{
	unsigned workers = bp_dataplane_worker_count(d->control.dataplane);

	if (now_us - d->watched_us < WATCH_US)
		return;
	d->watched_us = now_us;
	if (bp_dataplane_alive(d->control.dataplane))
		atomic_store(&d->control.alive_us, now_us);
	else
		bp_log(BP_LOG_WARNING, "worker_stuck", "since_s=%" PRIu64,
			(now_us - atomic_load(&d->control.alive_us)) / 1000000);
	for (unsigned i = 0; i < workers && i < BP_CONFIG_WORKERS_MAX; i++) {
		const struct bp_counters *counters = bp_dataplane_counters(d->control.dataplane, i);
		uint64_t busy = bp_count_read(&counters->busy_us), idle = bp_count_read(&counters->idle_us);
		uint64_t all = busy - d->busy_us[i] + idle - d->idle_us[i];

		if (all > 0)
			atomic_store(
				&d->control.busy_ppm[i], (uint32_t)((busy - d->busy_us[i]) * 1000000 / all));
		d->busy_us[i] = busy;
		d->idle_us[i] = idle;
	}
}

static void
live(const struct daemon *d, struct bp_live *live)
{
	struct bp_counters sum = {0};

	bp_dataplane_sum(d->control.dataplane, &sum);
	bp_live_of(&sum, live);
}

static void
start_drain(struct daemon *d, uint64_t now_us, const char *signal_name)
{
	struct bp_live now;

	live(d, &now);
	atomic_store(&d->control.draining, true);
	d->drain_from_us = now_us;
	d->drain_until_us = now_us + d->control.config->drain_us;
	bp_log(BP_LOG_INFO, "drain",
		"signal=%s transactions=%" PRIu64 " dialogs=%" PRIu64 " longest_s=%" PRIu64, signal_name,
		now.transactions[BP_KIND_INVITE] + now.transactions[BP_KIND_NON_INVITE], now.dialogs,
		d->control.config->drain_us / 1000000);
	if (bp_dataplane_drain(d->control.dataplane) != 0)
		bp_log_text(BP_LOG_ERROR, "drain_unacknowledged",
			"a worker did not answer; it may still take new requests");
}

static void
end_at_once(const struct daemon *d)
{
	bp_log_text(BP_LOG_WARNING, "ended", "second signal: calls that are up are cut");
	take_cdrs(d);
	bp_cdr_writer_stop(d->control.cdr);
	if (d->control.config->control.socket[0] != '\0')
		unlink(d->control.config->control.socket);
	bp_dataplane_abandon(d->control.dataplane);
	_exit(1);
}

static void
take_signals(struct daemon *d, uint64_t now_us)
{
	struct signalfd_siginfo info;

	while (read(d->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			bp_log_text(BP_LOG_WARNING, "reload",
				"SIGHUP ignored: reload is not supported yet, restart instead");
		else if (atomic_load(&d->control.draining))
			end_at_once(d);
		else
			start_drain(d, now_us, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
	}
}

/* True: nothing is left to wait for. */
static bool
is_drained(const struct daemon *d, uint64_t now_us)
{
	uint64_t transactions;
	struct bp_live now;

	if (!atomic_load(&d->control.draining))
		return false;
	live(d, &now);
	transactions = now.transactions[BP_KIND_INVITE] + now.transactions[BP_KIND_NON_INVITE];
	if (transactions != 0 || now.dialogs != 0) {
		if (now_us < d->drain_until_us)
			return false;
		bp_log(BP_LOG_WARNING, "drain_over",
			"after_s=%" PRIu64 " transactions_cut=%" PRIu64 " dialogs_cut=%" PRIu64,
			(now_us - d->drain_from_us) / 1000000, transactions, now.dialogs);
		return true;
	}
	bp_log(BP_LOG_INFO, "drained", "after_s=%" PRIu64, (now_us - d->drain_from_us) / 1000000);
	return true;
}

static void
loop(struct daemon *d)
{
	bool probing = bp_prober_active(d->control.prober);
	bool taking = d->control.config->trace.messages > 0 || d->control.cdr != NULL;
	int turn_ms = taking ? TURN_TAKING_MS : TURN_MS;
	struct pollfd signals = {.fd = d->signals, .events = POLLIN};

	if (probing && turn_ms > TURN_PROBING_MS)
		turn_ms = TURN_PROBING_MS;
	for (;;) {
		uint64_t now_us;

		poll(&signals, 1, turn_ms);
		now_us = bp_now_monotonic_us();
		take_signals(d, now_us);
		take_events(d);
		take_cdrs(d);
		watch(d, now_us);
		if (probing && !atomic_load(&d->control.draining))
			bp_prober_turn(d->control.prober, d->control.dataplane, now_us);
		if (is_drained(d, now_us))
			return;
	}
}

/* Everything but the loop. False: said why, what was started is stopped by stop(). */
static bool
start(struct daemon *d, struct bp_config *config)
{
	char error[512] = "";
	int result;

	d->signals = open_signals();
	if (d->signals < 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", "cannot take signals");
		goto fail;
	}
	if (bp_http_open(&d->sockets, &config->control, error, sizeof(error)) != 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", error);
		goto fail;
	}
	if (bp_trace_store_create(&d->control.trace, config->trace.messages) != 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", "no memory for trace.messages");
		goto fail;
	}
	if (config->cdr.folder[0] != '\0' &&
		bp_cdr_writer_start(&d->control.cdr, config, bp_now_utc_us(), NULL, error, sizeof(error)) != 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", error);
		goto fail;
	}
	result = bp_dataplane_start(
		&d->control.dataplane, config, bp_config_free, notice, error, sizeof(error));
	if (result != 0) {
		d->control.dataplane = NULL;
		bp_log_text(BP_LOG_ERROR, "start_failed", error[0] != '\0' ? error : strerror(-result));
		goto fail;
	}
	d->control.config = config;
	if (bp_dns_start(&d->control.dns, config, d->control.dataplane, error, sizeof(error)) != 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", error[0] != '\0' ? error : "names cannot be resolved");
		return false;
	}
	d->control.started_us = bp_now_utc_us();
	d->watched_us = bp_now_monotonic_us();
	atomic_store(&d->control.alive_us, d->watched_us);
	if (bp_prober_create(&d->control.prober, config, d->watched_us, d->control.started_us) != 0) {
		bp_log_text(BP_LOG_ERROR, "start_failed", "no memory for probes");
		return false;
	}
	if (bp_http_start(&d->http, &d->sockets, &d->control) == 0)
		return true;
	bp_log_text(BP_LOG_ERROR, "start_failed", "the HTTP server could not be started");
	return false;
fail:
	bp_cdr_writer_stop(d->control.cdr);
	d->control.cdr = NULL;
	bp_config_free(config);
	return false;
}

static void
stop(struct daemon *d)
{
	bp_http_stop(d->http);
	bp_http_close(&d->sockets);
	bp_prober_free(d->control.prober);
	bp_dns_stop(d->control.dns);
	if (d->control.dataplane != NULL) {
		if (d->control.cdr != NULL)
			bp_dataplane_halt(d->control.dataplane, bp_cdr_writer_put, d->control.cdr);
		bp_cdr_writer_stop(d->control.cdr);
		bp_dataplane_stop(d->control.dataplane); /* frees the configuration */
	}
	bp_dns_free(d->control.dns);
	bp_trace_store_free(d->control.trace);
	if (d->signals >= 0)
		close(d->signals);
}

int
bp_daemon_run(struct bp_config *config)
{
	struct daemon *d = calloc(1, sizeof(*d));
	uint32_t transactions, dialogs;
	bool started;

	if (d == NULL) {
		bp_config_free(config);
		return 1;
	}
	d->signals = -1;
	d->sockets = (struct bp_http_sockets){.tcp = -1, .unix_ = -1};
	started = start(d, config);
	if (started) {
		bp_dataplane_capacity(d->control.dataplane, &transactions, &dialogs);
		bp_log(BP_LOG_INFO, "started",
			"version=%s workers=%u ports=%u realms=%u routes=%" PRIu32 " transactions=%" PRIu32
			" dialogs=%" PRIu32 " http=%s socket=%s",
			BP_VERSION, config->workers.count, config->port_count, config->realm_count,
			config->route_count, transactions, dialogs,
			config->control.http[0] != '\0' ? config->control.http : "none",
			config->control.socket[0] != '\0' ? config->control.socket : "none");
		loop(d);
	}
	stop(d);
	free(d);
	if (started)
		bp_log(BP_LOG_INFO, "ended", "code=0");
	return started ? 0 : 1;
}
