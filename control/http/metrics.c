/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /metrics in the Prometheus text format 0.0.4, from copies of the workers' counters.
 * One row is one metric: the same table makes the scrape and docs/metrics.md. Labels
 * are bounded: never a Call-ID, an address or a number.
 */
#include "http/api.h"
#include "law.h"
#include "trace/ladder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct view {
	struct bp_control *control;
	unsigned workers;
	struct bp_counters *each; /* of each worker; owned */
	struct bp_counters sum;
	struct bp_live live;
};

struct metric {
	const char *name;   /* without the prefix byepass_ */
	const char *type;   /* "counter" or "gauge" */
	const char *labels; /* for the documentation */
	const char *help;
	void (*write)(const struct view *view, const struct metric *metric, FILE *stream);
	size_t offset; /* of the counter, for the general writers */
};

#define AT(field) offsetof(struct bp_counters, field)

static const char *const directions[] = {"in", "out"};
static const char *const kinds[] = {"invite", "non_invite"};

static uint64_t
at(const struct bp_counters *counters, size_t offset)
{
	return *(const uint64_t *)((const char *)counters + offset);
}

static void
write_sum(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, at(&view->sum, m->offset));
}

static void
write_workers(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++)
		fprintf(stream, "byepass_%s{worker=\"%u\"} %" PRIu64 "\n", m->name, i,
			at(&view->each[i], m->offset));
}

/* Microseconds of each worker as seconds. */
static void
write_workers_seconds(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++) {
		uint64_t us = at(&view->each[i], m->offset);

		fprintf(stream, "byepass_%s{worker=\"%u\"} %" PRIu64 ".%06" PRIu64 "\n", m->name, i,
			us / 1000000, us % 1000000);
	}
}

static void
write_busy(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++)
		fprintf(stream, "byepass_%s{worker=\"%u\"} %.6f\n", m->name, i,
			(double)atomic_load(&view->control->busy_ppm[i]) / 1e6);
}

/* direction and method: two rows of BP_METHOD_COUNT counters. */
static void
write_methods(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned d = 0; d < BP_DIRECTION_COUNT; d++) {
		for (unsigned i = 0; i < BP_METHOD_COUNT; i++)
			fprintf(stream, "byepass_%s{direction=\"%s\",method=\"%s\"} %" PRIu64 "\n", m->name,
				directions[d], bp_trace_method(i),
				at(&view->sum, m->offset + (d * BP_METHOD_COUNT + i) * sizeof(uint64_t)));
	}
}

/* Only codes that were seen: there are seven hundred. */
static void
write_codes(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned d = 0; d < BP_DIRECTION_COUNT; d++) {
		for (unsigned code = 0; code < BP_STATUS_MAX; code++) {
			if (view->sum.responses[d][code] != 0)
				fprintf(stream, "byepass_%s{direction=\"%s\",code=\"%03u\"} %" PRIu64 "\n",
					m->name, directions[d], code, view->sum.responses[d][code]);
		}
	}
}

static void
write_dispositions(const struct view *view, const struct metric *m, FILE *stream)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{"forwarded", view->sum.forwarded},
		{"answered", view->sum.answered},
		{"absorbed", view->sum.absorbed},
		{"dropped", bp_law_dropped(&view->sum)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(stream, "byepass_%s{disposition=\"%s\"} %" PRIu64 "\n", m->name, rows[i].name,
			rows[i].count);
}

static void
write_drops(const struct view *view, const struct metric *m, FILE *stream)
{
	static const char *const names[] = {
#define X(name, scope, severity, text) #name,
		BP_DROPS(X)
#undef X
	};

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		for (unsigned w = 0; w < view->workers; w++)
			fprintf(stream, "byepass_%s{reason=\"%s\",worker=\"%u\"} %" PRIu64 "\n", m->name,
				names[i], w, view->each[w].drops[i]);
	}
}

static void
write_cancels(const struct view *view, const struct metric *m, FILE *stream)
{
	static const char *const names[] = {
#define X(name, text) #name,
		BP_CANCEL_OUTCOMES(X)
#undef X
	};

	for (unsigned i = 0; i < BP_CANCEL_OUTCOME_COUNT; i++)
		fprintf(stream, "byepass_%s{outcome=\"%s\"} %" PRIu64 "\n", m->name, names[i],
			view->sum.cancel_outcomes[i]);
}

static void
write_dialog_ends(const struct view *view, const struct metric *m, FILE *stream)
{
	static const char *const names[] = {
#define X(name, text) #name,
		BP_DIALOG_ENDS(X)
#undef X
	};

	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		fprintf(stream, "byepass_%s{reason=\"%s\"} %" PRIu64 "\n", m->name, names[i],
			view->sum.dialogs_ended[i]);
}

static void
write_kinds(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		fprintf(stream, "byepass_%s{kind=\"%s\"} %" PRIu64 "\n", m->name, kinds[i],
			at(&view->sum, m->offset + i * sizeof(uint64_t)));
}

static void
write_transactions(const struct view *view, const struct metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		fprintf(stream, "byepass_%s{kind=\"%s\"} %" PRIu64 "\n", m->name, kinds[i],
			view->live.transactions[i]);
}

static void
write_dialogs(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.dialogs);
}

static void
write_calls(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.calls);
}

static void
write_kept(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.kept);
}

static void
write_transactions_limit(const struct view *view, const struct metric *m, FILE *stream)
{
	uint32_t transactions, dialogs;

	bp_dataplane_capacity(view->control->dataplane, &transactions, &dialogs);
	fprintf(stream, "byepass_%s %" PRIu32 "\n", m->name, transactions);
}

static void
write_dialogs_limit(const struct view *view, const struct metric *m, FILE *stream)
{
	uint32_t transactions, dialogs;

	bp_dataplane_capacity(view->control->dataplane, &transactions, &dialogs);
	fprintf(stream, "byepass_%s %" PRIu32 "\n", m->name, dialogs);
}

static void
write_law(const struct view *view, const struct metric *m, FILE *stream)
{
	struct bp_law law;

	bp_law_check(view->control->dataplane, 3, NULL, &law);
	fprintf(stream, "byepass_%s %d\n", m->name, law.holds ? 1 : 0);
}

/* One figure of every port, at an offset in struct bp_dataplane_port. */
static void
write_port(const struct view *view, const struct metric *m, FILE *stream)
{
	unsigned count = bp_dataplane_port_count(view->control->dataplane);
	struct bp_dataplane_port port;
	uint64_t value;

	for (unsigned i = 0; i < count; i++) {
		if (bp_dataplane_port(view->control->dataplane, i, &port) != 0)
			continue;
		memcpy(&value, (const char *)&port + m->offset, sizeof(value));
		fprintf(stream, "byepass_%s{port=\"%s\"} %" PRIu64 "\n", m->name, port.name, value);
	}
}

static void
write_link(const struct view *view, const struct metric *m, FILE *stream)
{
	unsigned count = bp_dataplane_port_count(view->control->dataplane);
	struct bp_dataplane_port port;

	for (unsigned i = 0; i < count; i++) {
		if (bp_dataplane_port(view->control->dataplane, i, &port) == 0)
			fprintf(stream, "byepass_%s{port=\"%s\"} %d\n", m->name, port.name, port.link_up);
	}
}

static void
write_memory(const struct view *view, const struct metric *m, FILE *stream)
{
	bp_metrics_memory(stream, m->name);
}

static void
write_generation(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->control->config->generation);
}

static void
write_build(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s{version=\"%s\",compiler=\"%s\"} 1\n", m->name, BP_VERSION,
#ifdef __clang__
		"clang"
#else
		"gcc"
#endif
	);
}

static void
write_started(const struct view *view, const struct metric *m, FILE *stream)
{
	uint64_t us = view->control->started_us;

	fprintf(stream, "byepass_%s %" PRIu64 ".%03" PRIu64 "\n", m->name, us / 1000000, us / 1000 % 1000);
}

static void
write_draining(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %d\n", m->name, atomic_load(&view->control->draining) ? 1 : 0);
}

static void
write_up(const struct view *view, const struct metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %d\n", m->name, bp_control_alive(view->control) ? 1 : 0);
}

#define PORT(field) offsetof(struct bp_dataplane_port, field)

/* clang-format off */
static const struct metric metrics[] = {
	{"build_info", "gauge", "version, compiler", "Always 1; says which build runs.", write_build, 0},
	{"start_time_seconds", "gauge", "", "When the daemon started, seconds since the epoch.", write_started, 0},
	{"config_generation", "gauge", "", "Generation of the configuration in force.", write_generation, 0},
	{"draining", "gauge", "", "1 while new requests are refused because the daemon is about to end.", write_draining, 0},
	{"workers_alive", "gauge", "", "1 while all workers turn their loops.", write_up, 0},
	{"sip_requests_total", "counter", "direction, method", "SIP requests received and sent.", write_methods,
		AT(requests)},
	{"sip_responses_total", "counter", "direction, code", "SIP responses received and sent.", write_codes, 0},
	{"retransmissions_total", "counter", "direction, method",
		"Retransmissions received and sent, by the method of the CSeq.", write_methods, AT(retransmissions)},
	{"cancel_outcomes_total", "counter", "outcome", "What became of CANCEL requests.", write_cancels, 0},
	{"transactions", "gauge", "kind", "Relay records in use: requests under way, or kept for the RFC's timers.",
		write_transactions, 0},
	{"transactions_created_total", "counter", "kind", "Relay records made.", write_kinds, AT(transactions_created)},
	{"transactions_limit", "gauge", "", "Relay records that there are.", write_transactions_limit, 0},
	{"calls_reserved", "gauge", "", "Call slots in use, from the INVITE on.", write_calls, 0},
	{"dialogs", "gauge", "", "Calls that are up.", write_dialogs, 0},
	{"dialogs_created_total", "counter", "", "Dialogs made by a 2xx.", write_sum, AT(dialogs_created)},
	{"dialogs_ended_total", "counter", "reason", "Dialogs ended, by reason.", write_dialog_ends, 0},
	{"dialogs_limit", "gauge", "", "Calls that can be up at the same time.", write_dialogs_limit, 0},
	{"kept_messages", "gauge", "", "Messages kept because they may have to be sent again.", write_kept, 0},
	{"messages_received_total", "counter", "", "SIP messages received.", write_sum, AT(messages_received)},
	{"messages_total", "counter", "disposition", "What became of the SIP messages received.", write_dispositions, 0},
	{"counting_law_holds", "gauge", "", "1 when every message received is accounted for by a disposition.", write_law,
		0},
	{"drops_total", "counter", "reason, worker", "Dropped packets and messages, by reason.", write_drops, 0},
	{"frames_received_total", "counter", "worker", "Ethernet frames received.", write_workers, AT(frames_received)},
	{"frames_sent_total", "counter", "worker", "Ethernet frames sent.", write_workers, AT(frames_sent)},
	{"frames_handled_total", "counter", "worker",
		"Frames that were used up without a message or a drop: ARP, neighbour discovery, ICMP, fragments.",
		write_workers, AT(frames_handled)},
	{"received_bytes_total", "counter", "worker", "Bytes of the frames received.", write_workers, AT(bytes_received)},
	{"sent_bytes_total", "counter", "worker", "Bytes of the frames sent.", write_workers, AT(bytes_sent)},
	{"datagrams_reassembled_total", "counter", "", "Datagrams put together from fragments.", write_sum,
		AT(datagrams_reassembled)},
	{"datagrams_fragmented_total", "counter", "", "Datagrams sent in fragments.", write_sum, AT(datagrams_fragmented)},
	{"icmp_unreachable_received_total", "counter", "", "ICMP and ICMPv6 errors for what we sent.", write_sum,
		AT(icmp_unreachable_received)},
	{"worker_loops_total", "counter", "worker", "Turns of the worker's loop.", write_workers, AT(loops)},
	{"worker_busy_seconds_total", "counter", "worker", "Time in turns that found work.", write_workers_seconds,
		AT(busy_us)},
	{"worker_idle_seconds_total", "counter", "worker", "Time in turns that found none, and asleep.",
		write_workers_seconds, AT(idle_us)},
	{"worker_busy_ratio", "gauge", "worker", "Share of the last second spent in turns that found work.", write_busy, 0},
	{"timer_lag_seconds", "gauge", "worker", "How late the last expired timer was.", write_workers_seconds,
		AT(timer_lag_us)},
	{"port_link_up", "gauge", "port", "1 while the link is up.", write_link, 0},
	{"port_received_packets_total", "counter", "port", "Packets that the device received.", write_port,
		PORT(rx_packets)},
	{"port_sent_packets_total", "counter", "port", "Packets that the device sent.", write_port, PORT(tx_packets)},
	{"port_received_bytes_total", "counter", "port", "Bytes that the device received.", write_port, PORT(rx_bytes)},
	{"port_sent_bytes_total", "counter", "port", "Bytes that the device sent.", write_port, PORT(tx_bytes)},
	{"port_receive_missed_total", "counter", "port",
		"Packets that the device lost because the worker was too slow to take them.", write_port, PORT(rx_missed)},
	{"port_receive_errors_total", "counter", "port", "Packets that the device received with errors.", write_port,
		PORT(rx_errors)},
	{"port_receive_no_buffer_total", "counter", "port", "Packets lost because no buffer was free.", write_port,
		PORT(rx_no_buffer)},
	{"port_send_errors_total", "counter", "port", "Packets that the device failed to send.", write_port,
		PORT(tx_errors)},
	{"memory_bytes", "gauge", "kind", "Memory of control, as jemalloc counts it.", write_memory, 0},
};
/* clang-format on */

#define METRICS (sizeof(metrics) / sizeof(metrics[0]))

/* Copies all workers' counters. False: no memory. */
static bool
take_view(struct bp_control *control, struct view *view)
{
	uint64_t *sum = (uint64_t *)&view->sum;

	memset(view, 0, sizeof(*view));
	view->control = control;
	view->workers = bp_dataplane_worker_count(control->dataplane);
	if (view->workers > BP_CONFIG_WORKERS_MAX)
		view->workers = BP_CONFIG_WORKERS_MAX;
	view->each = aligned_alloc(64, (view->workers + 1) * sizeof(*view->each));
	if (view->each == NULL)
		return false;
	for (unsigned i = 0; i < view->workers; i++) {
		const uint64_t *one = (const uint64_t *)&view->each[i];

		bp_counters_copy(bp_dataplane_counters(control->dataplane, i), &view->each[i]);
		for (size_t k = 0; k < sizeof(view->sum) / sizeof(uint64_t); k++)
			sum[k] += one[k];
	}
	bp_live_of(&view->sum, &view->live);
	return true;
}

void
bp_metrics_write(struct bp_control *control, FILE *stream)
{
	struct view view;

	if (!take_view(control, &view))
		return;
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *m = &metrics[i];

		fprintf(stream, "# HELP byepass_%s %s\n# TYPE byepass_%s %s\n", m->name, m->help, m->name,
			m->type);
		m->write(&view, m, stream);
	}
	free(view.each);
}

void
bp_handle_metrics(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	FILE *stream = open_memstream(&reply->body, &reply->size);

	if (stream == NULL) {
		bp_reply_error(reply, 500, "out of memory");
		return;
	}
	bp_metrics_write(control, stream);
	if (fclose(stream) != 0 || reply->size == 0) {
		bp_reply_error(reply, 500, "out of memory");
		return;
	}
	reply->status = 200;
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
}

void
bp_metrics_describe(FILE *stream)
{
	static const char *const drops[][4] = {
#define X(name, scope, severity, text) {#name, #scope, #severity, text},
		BP_DROPS(X)
#undef X
	};
	static const char *const cancels[][2] = {
#define X(name, text) {#name, text},
		BP_CANCEL_OUTCOMES(X)
#undef X
	};
	static const char *const ends[][2] = {
#define X(name, text) {#name, text},
		BP_DIALOG_ENDS(X)
#undef X
	};

	fprintf(stream, "| metric | type | labels | what it says |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < METRICS; i++)
		fprintf(stream, "| `byepass_%s` | %s | %s | %s |\n", metrics[i].name, metrics[i].type,
			metrics[i].labels, metrics[i].help);
	fprintf(stream, "\n### Reasons of `byepass_drops_total`\n\n"
			"| reason | scope | severity | what happened |\n| --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		fprintf(stream, "| `%s` | %s | %s | %s |\n", drops[i][0], drops[i][1], drops[i][2],
			drops[i][3]);
	fprintf(stream, "\n### Outcomes of `byepass_cancel_outcomes_total`\n\n"
			"| outcome | what happened |\n| --- | --- |\n");
	for (unsigned i = 0; i < BP_CANCEL_OUTCOME_COUNT; i++)
		fprintf(stream, "| `%s` | %s |\n", cancels[i][0], cancels[i][1]);
	fprintf(stream, "\n### Reasons of `byepass_dialogs_ended_total`\n\n| reason | what happened |\n| --- "
			"| --- |\n");
	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		fprintf(stream, "| `%s` | %s |\n", ends[i][0], ends[i][1]);
}
