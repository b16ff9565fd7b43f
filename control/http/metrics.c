/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /metrics in the Prometheus text format 0.0.4, from copies of the workers' counters.
 * One row is one metric: the same table makes the scrape and docs/metrics.md. Labels
 * are bounded: never a Call-ID, an address or a number.
 */
#include "http/metric.h"
#include "dns/dns.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct bp_counters, field)
#define DNS(field) offsetof(struct bp_dns_counters, field)
#define CDR(field) offsetof(struct bp_cdr_stats, field)
#define PORT(field) offsetof(struct bp_dataplane_port, field)

/* clang-format off */
static const struct bp_metric metrics[] = {
	{"build_info", "gauge", "version, compiler", "Always 1; says which build runs.", bp_metric_build, 0},
	{"start_time_seconds", "gauge", "", "When the daemon started, seconds since the epoch.", bp_metric_started, 0},
	{"config_generation", "gauge", "", "Generation of the configuration in force.", bp_metric_generation, 0},
	{"draining", "gauge", "", "1 while new requests are refused because the daemon is about to end.", bp_metric_draining, 0},
	{"workers_alive", "gauge", "", "1 while all workers turn their loops.", bp_metric_up, 0},
	{"sip_requests_total", "counter", "direction, method", "SIP requests received and sent.", bp_metric_methods,
		AT(requests)},
	{"sip_responses_total", "counter", "direction, code", "SIP responses received and sent.", bp_metric_codes, 0},
	{"retransmissions_total", "counter", "direction, method",
		"Retransmissions received and sent, by the method of the CSeq.", bp_metric_methods, AT(retransmissions)},
	{"cancel_outcomes_total", "counter", "outcome", "What became of CANCEL requests.", bp_metric_cancels, 0},
	{"transactions", "gauge", "kind, state",
		"Relay records in use, requests under way or kept for the RFC's timers, by the state of their server transaction; "
		"a terminated one waits for its client side.",
		bp_metric_transactions, 0},
	{"transaction_bytes", "gauge", "kind",
		"Memory of the relay records in use: each has 128 bytes, and messages and the like that are kept for it. Without "
		"timer entries, 16 bytes each, and the table.",
		bp_metric_transaction_bytes, 0},
	{"transactions_created_total", "counter", "kind", "Relay records made.", bp_metric_kinds, AT(transactions_created)},
	{"transactions_limit", "gauge", "", "Relay records that there are.", bp_metric_transactions_limit, 0},
	{"calls_reserved", "gauge", "", "Call slots in use, from the INVITE on.", bp_metric_calls, 0},
	{"dialogs", "gauge", "", "Calls that are up.", bp_metric_dialogs, 0},
	{"dialogs_created_total", "counter", "", "Dialogs made by a 2xx.", bp_metric_sum, AT(dialogs_created)},
	{"dialogs_ended_total", "counter", "reason", "Dialogs ended, by reason.", bp_metric_dialog_ends, 0},
	{"machines", "gauge", "machine, state", "State machines of RFC 3261 figures 5 to 8, by the state that they are in.",
		bp_metric_machines, 0},
	{"dialogs_limit", "gauge", "", "Calls that can be up at the same time.", bp_metric_dialogs_limit, 0},
	{"kept_messages", "gauge", "", "Blocks of memory with messages that may have to be sent again, and what belongs to them.", bp_metric_kept, 0},
	{"messages_received_total", "counter", "", "SIP messages received.", bp_metric_sum, AT(messages_received)},
	{"messages_total", "counter", "disposition", "What became of the SIP messages received.", bp_metric_dispositions, 0},
	{"messages_parked", "gauge", "", "Requests that wait for a name; the counting law has them on their way.",
		bp_metric_sum, AT(messages_parked)},
	{"names_parked_total", "counter", "", "Requests that had to wait for a name.", bp_metric_sum, AT(names_parked)},
	{"names_park_full_total", "counter", "", "Requests refused with 503 because too many waited for a name.", bp_metric_sum,
		AT(names_park_full)},
	{"names_timeout_total", "counter", "", "Requests refused with 503 because their name took longer than dns.wait.",
		bp_metric_sum, AT(names_timeout)},
	{"names_asked_total", "counter", "", "Questions for names that workers put to control.", bp_metric_sum, AT(names_asked)},
	{"names_ask_full_total", "counter", "", "Requests refused with 503 because control was behind with the questions.",
		bp_metric_sum, AT(names_ask_full)},
	{"dns_queries_total", "counter", "", "Queries to name servers.", bp_metric_dns, DNS(queries)},
	{"dns_answers_total", "counter", "", "Answers of name servers.", bp_metric_dns, DNS(answers)},
	{"dns_query_failures_total", "counter", "", "Queries that no name server answered, or only with a failure.",
		bp_metric_dns, DNS(query_failures)},
	{"dns_bad_answers_total", "counter", "", "Answers of name servers that c-ares refused.", bp_metric_dns, DNS(bad_answers)},
	{"dns_names_total", "counter", "result", "Names resolved: to addresses, to nothing that can be used, or not at all.",
		bp_metric_dns_results, 0},
	{"dns_seconds_total", "counter", "", "Time from question to result, of all names together.", bp_metric_dns_seconds, DNS(us)},
	{"dns_refreshed_total", "counter", "", "Names resolved again before their time to live was over.", bp_metric_dns,
		DNS(refreshed)},
	{"dns_addresses_refused_total", "counter", "",
		"Addresses in answers that no next hop can have: the edge's own, loopback, multicast, link-local.", bp_metric_dns,
		DNS(refused)},
	{"dns_names_evicted_total", "counter", "", "Names forgotten to make room.", bp_metric_dns, DNS(evicted)},
	{"dns_questions_dropped_total", "counter", "", "Questions dropped because no room could be made.", bp_metric_dns, DNS(full)},
	{"dns_names", "gauge", "", "Names in the cache.", bp_metric_dns, DNS(entries)},
	{"dns_names_resolving", "gauge", "", "Names that are being resolved.", bp_metric_dns, DNS(resolving)},
	{"counting_law_holds", "gauge", "", "1 when every message received is accounted for by a disposition.", bp_metric_law,
		0},
	{"drops_total", "counter", "reason, worker", "Dropped packets and messages, by reason.", bp_metric_drops, 0},
	{"frames_received_total", "counter", "worker", "Ethernet frames received.", bp_metric_workers, AT(frames_received)},
	{"frames_sent_total", "counter", "worker", "Ethernet frames sent.", bp_metric_workers, AT(frames_sent)},
	{"frames_handled_total", "counter", "worker",
		"Frames that were used up without a message or a drop: ARP, neighbour discovery, ICMP.",
		bp_metric_workers, AT(frames_handled)},
	{"frames_delivered_total", "counter", "worker", "Frames that became a message, or a part of one.", bp_metric_workers,
		AT(frames_delivered)},
	{"frames_handed_out_total", "counter", "worker", "Frames handed to another worker, by their Call-ID.",
		bp_metric_workers, AT(frames_handed_out)},
	{"frames_handed_in_total", "counter", "worker", "Frames that another worker handed over.", bp_metric_workers,
		AT(frames_handed_in)},
	{"frames_held", "gauge", "worker", "Fragments that wait for the others of their datagram.", bp_metric_workers,
		AT(frames_held)},
	{"received_bytes_total", "counter", "worker", "Bytes of the frames received.", bp_metric_workers, AT(bytes_received)},
	{"sent_bytes_total", "counter", "worker", "Bytes of the frames sent.", bp_metric_workers, AT(bytes_sent)},
	{"datagrams_reassembled_total", "counter", "", "Datagrams put together from fragments.", bp_metric_sum,
		AT(datagrams_reassembled)},
	{"datagrams_fragmented_total", "counter", "", "Datagrams sent in fragments.", bp_metric_sum, AT(datagrams_fragmented)},
	{"icmp_unreachable_received_total", "counter", "", "ICMP and ICMPv6 errors for what we sent.", bp_metric_sum,
		AT(icmp_unreachable_received)},
	{"worker_loops_total", "counter", "worker", "Turns of the worker's loop.", bp_metric_workers, AT(loops)},
	{"worker_busy_seconds_total", "counter", "worker", "Time in turns that found work.", bp_metric_workers_seconds,
		AT(busy_us)},
	{"worker_idle_seconds_total", "counter", "worker", "Time in turns that found none, and asleep.",
		bp_metric_workers_seconds, AT(idle_us)},
	{"worker_stage_cycles_total", "counter", "worker, stage",
		"Time stamp counter cycles of turns that found work, by what they were spent on.", bp_metric_stages, 0},
	{"worker_busy_ratio", "gauge", "worker", "Share of the last second spent in turns that found work.", bp_metric_busy, 0},
	{"timer_lag_seconds", "gauge", "worker", "How late the last expired timer was.", bp_metric_workers_seconds,
		AT(timer_lag_us)},
	{"cdrs_finished_total", "counter", "", "Call detail records that workers left for control.", bp_metric_sum,
		AT(cdrs_finished)},
	{"cdrs_written_total", "counter", "", "Call detail records in files.", bp_metric_cdr, CDR(written)},
	{"cdrs_lost_total", "counter", "",
		"Call detail records lost because the disk was too slow or full for longer than `cdr.queue` bridges.",
		bp_metric_cdr, CDR(lost)},
	{"cdrs_repeated_total", "counter", "", "Refusals of an INVITE that was refused, and recorded, before: not written again.",
		bp_metric_cdr, CDR(repeated)},
	{"cdrs_waiting", "gauge", "", "Call detail records that wait for the disk.", bp_metric_cdr, CDR(waiting)},
	{"cdr_files_total", "counter", "", "Files of call detail records that are finished.", bp_metric_cdr, CDR(files)},
	{"cdr_disk_errors_total", "counter", "", "Times that the disk refused something.", bp_metric_cdr, CDR(errors)},
	{"kpi_session_requests_total", "counter", "trunk", "INVITEs outside a dialog that were sent to the trunk.",
		bp_metric_kpi, 0},
	{"kpi_sessions_answered_total", "counter", "trunk", "Of them, those answered with a 2xx.", bp_metric_kpi, 0},
	{"kpi_session_failures_total", "counter", "trunk, class",
		"Of them, those with another final response: redirected (3xx), challenged (401, 402, 407), user (480, 486, 600, 603),"
		" ineffective (408, 500, 503, 504), other.", bp_metric_kpi, 0},
	{"kpi_srd_seconds", "summary", "trunk, result",
		"Session Request Delay (RFC 6076 4.3): from the INVITE to the first 18x or 2xx; failed: to the final response.",
		bp_metric_kpi, 0},
	{"kpi_sdd_seconds", "summary", "trunk, result",
		"Session Disconnect Delay (RFC 6076 4.4): from the BYE to its 2xx; failed: to another end.", bp_metric_kpi, 0},
	{"kpi_sdt_seconds", "summary", "trunk", "Session Duration Time (RFC 6076 4.5): from the 2xx to the BYE.", bp_metric_kpi, 0},
	{"port_link_up", "gauge", "port", "1 while the link is up.", bp_metric_link, 0},
	{"port_received_packets_total", "counter", "port", "Packets that the device received.", bp_metric_port,
		PORT(rx_packets)},
	{"port_sent_packets_total", "counter", "port", "Packets that the device sent.", bp_metric_port, PORT(tx_packets)},
	{"port_received_bytes_total", "counter", "port", "Bytes that the device received.", bp_metric_port, PORT(rx_bytes)},
	{"port_sent_bytes_total", "counter", "port", "Bytes that the device sent.", bp_metric_port, PORT(tx_bytes)},
	{"port_receive_missed_total", "counter", "port",
		"Packets that the device lost because the worker was too slow to take them.", bp_metric_port, PORT(rx_missed)},
	{"port_receive_errors_total", "counter", "port", "Packets that the device received with errors.", bp_metric_port,
		PORT(rx_errors)},
	{"port_receive_no_buffer_total", "counter", "port", "Packets lost because no buffer was free.", bp_metric_port,
		PORT(rx_no_buffer)},
	{"port_send_errors_total", "counter", "port", "Packets that the device failed to send.", bp_metric_port,
		PORT(tx_errors)},
	{"pool_bytes", "gauge", "pool", "Memory of the engine in use, by what it holds.", bp_metric_pools, 0},
	{"pool_dry_total", "counter", "pool",
		"Times that the engine wanted memory and none was free: a new request is then refused with 503, "
		"other work goes on without what it wanted to keep.",
		bp_metric_pools_dry, 0},
	{"trunk_up", "gauge", "trunk, target", "1 while new requests may go to the target: not held, not down by probes.",
		bp_metric_trunk_up, 0},
	{"trunk_holds_total", "counter", "trunk, target", "Times that failures or a Retry-After held the target.",
		bp_metric_trunk_holds, 0},
	{"trunk_probes_total", "counter", "trunk, target, result", "Probes that were answered, and that failed.",
		bp_metric_trunk_probes, 0},
	{"probes_sent_total", "counter", "", "OPTIONS sent to targets, retransmissions too.", bp_metric_sum, AT(probes_sent)},
	{"probe_responses_total", "counter", "", "Final responses to them.", bp_metric_sum, AT(probes_answered)},
	{"memory_bytes", "gauge", "kind", "Memory of control, as jemalloc counts it.", bp_metric_memory, 0},
};
/* clang-format on */

#define METRICS (sizeof(metrics) / sizeof(metrics[0]))

/* Copies all workers' counters. False: no memory. */
static bool
take_view(struct bp_control *control, struct bp_metric_view *view)
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
	struct bp_metric_view view;

	if (!take_view(control, &view))
		return;
	for (size_t i = 0; i < METRICS; i++) {
		const struct bp_metric *m = &metrics[i];

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
