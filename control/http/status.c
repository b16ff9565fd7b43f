/* SPDX-License-Identifier: BSD-3-Clause
 *
 * /healthz, /readyz, /v1/status and /v1/drops.
 */
#include "http/api.h"
#include "law.h"

#include <stdlib.h>
#include <string.h>

#define LAW_ATTEMPTS 20

static json_int_t
number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

void
bp_handle_healthz(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	if (bp_control_alive(control))
		bp_reply_json(reply, 200, json_pack("{s:s}", "status", "ok"));
	else
		bp_reply_error(reply, 503, "a worker does not turn its loop");
}

void
bp_handle_readyz(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	if (atomic_load(&control->draining))
		bp_reply_error(reply, 503, "draining: new requests are refused");
	else if (!bp_control_alive(control))
		bp_reply_error(reply, 503, "a worker does not turn its loop");
	else
		bp_reply_json(reply, 200, json_pack("{s:s}", "status", "ready"));
}

static json_t *
status_workers(const struct bp_control *control)
{
	unsigned count = bp_dataplane_worker_count(control->dataplane);
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		const struct bp_counters *c = bp_dataplane_counters(control->dataplane, i);

		json_array_append_new(list,
			json_pack("{s:i,s:i,s:f,s:I,s:I}", "worker", (int)i, "cpu",
				i < control->config->workers.count ? (int)control->config->workers.cpus[i]
								   : -1,
				"busy_ratio", (double)atomic_load(&control->busy_ppm[i]) / 1e6, "loops",
				number(bp_count_read(&c->loops)), "timer_lag_us",
				number(bp_count_read(&c->timer_lag_us))));
	}
	return list;
}

static json_t *
status_ports(const struct bp_control *control)
{
	unsigned count = bp_dataplane_port_count(control->dataplane);
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		struct bp_dataplane_port p;
		char mac[18];

		if (bp_dataplane_port(control->dataplane, i, &p) != 0)
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", p.mac[0], p.mac[1], p.mac[2],
			p.mac[3], p.mac[4], p.mac[5]);
		json_array_append_new(
			list, json_pack("{s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name", p.name,
				      "mac", mac, "link_up", p.link_up, "rx_packets", number(p.rx_packets),
				      "tx_packets", number(p.tx_packets), "rx_bytes", number(p.rx_bytes),
				      "tx_bytes", number(p.tx_bytes), "rx_missed", number(p.rx_missed),
				      "rx_errors", number(p.rx_errors), "rx_no_buffer",
				      number(p.rx_no_buffer), "tx_errors", number(p.tx_errors)));
	}
	return list;
}

static json_t *
status_dialogs(const struct bp_counters *sum, const struct bp_live *live, uint32_t limit)
{
	static const char *const reasons[] = {
#define X(name, text) #name,
		BP_DIALOG_ENDS(X)
#undef X
	};
	json_t *ended = json_object();

	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		json_object_set_new(ended, reasons[i], json_integer(number(sum->dialogs_ended[i])));
	return json_pack("{s:I,s:I,s:I,s:o}", "live", number(live->dialogs), "limit", number(limit),
		"created", number(sum->dialogs_created), "ended", ended);
}

static json_t *
status_cancels(const struct bp_counters *sum)
{
	static const char *const outcomes[] = {
#define X(name, text) #name,
		BP_CANCEL_OUTCOMES(X)
#undef X
	};
	json_t *object = json_object();

	for (unsigned i = 0; i < BP_CANCEL_OUTCOME_COUNT; i++)
		json_object_set_new(object, outcomes[i], json_integer(number(sum->cancel_outcomes[i])));
	return object;
}

static json_t *
status_messages(const struct bp_counters *sum)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "received", number(sum->messages_received), "forwarded",
		number(sum->forwarded), "answered", number(sum->answered), "absorbed", number(sum->absorbed),
		"dropped", number(bp_law_dropped(sum)));
}

static json_t *
status_states(const struct bp_live *live, enum bp_transaction_kind kind)
{
	char name[BP_STATE_NAME_SIZE];
	json_t *states = json_object();

	for (unsigned i = 0; i < bp_server_states(kind); i++) {
		bp_server_state_name(kind, i, name);
		json_object_set_new(states, name, json_integer(number(live->states[kind][i])));
	}
	return states;
}

static json_t *
status_transactions(const struct bp_live *live, uint32_t limit)
{
	return json_pack("{s:I,s:I,s:I,s:{s:o,s:o},s:{s:I,s:I}}", "invite", number(live->transactions[BP_KIND_INVITE]),
		"non_invite", number(live->transactions[BP_KIND_NON_INVITE]), "limit", number(limit), "states", "invite",
		status_states(live, BP_KIND_INVITE), "non_invite", status_states(live, BP_KIND_NON_INVITE), "bytes",
		"invite", number(live->bytes[BP_KIND_INVITE]), "non_invite", number(live->bytes[BP_KIND_NON_INVITE]));
}

void
bp_handle_status(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	struct bp_counters sum = {0};
	uint32_t transactions, dialogs;
	struct bp_live live;
	struct bp_law law;
	char text[128];

	bp_law_check(control->dataplane, LAW_ATTEMPTS, NULL, &law);
	bp_dataplane_sum(control->dataplane, &sum);
	bp_live_of(&sum, &live);
	bp_dataplane_capacity(control->dataplane, &transactions, &dialogs);
	bp_reply_json(reply, 200,
		json_pack("{s:s,s:s,s:f,s:I,s:i,s:s,s:o,s:o,s:o,s:{s:I,s:I,s:I,s:I},s:o,s:o,s:o}",
			"version", BP_VERSION, "state",
			atomic_load(&control->draining) ? "draining" : "running", "uptime_seconds",
			(double)(bp_now_utc_us() - control->started_us) / 1e6, "config_generation",
			number(control->config->generation), "node", (int)control->config->node_id,
			"counting_law", bp_law_text(&law, text, sizeof(text)), "messages",
			status_messages(&sum), "transactions", status_transactions(&live, transactions),
			"dialogs", status_dialogs(&sum, &live, dialogs), "held", "transactions",
			number(live.transactions[BP_KIND_INVITE] + live.transactions[BP_KIND_NON_INVITE]),
			"dialogs", number(live.dialogs), "calls", number(live.calls), "kept_messages",
			number(live.kept), "cancel_outcomes", status_cancels(&sum), "workers",
			status_workers(control), "ports", status_ports(control)));
}

void
bp_handle_drops(struct bp_control *control, const struct bp_request *request, struct bp_reply *reply)
{
	static const char *const rows[][4] = {
#define X(name, scope, severity, text) {#name, #scope, #severity, text},
		BP_DROPS(X)
#undef X
	};
	static const char *const scopes[][2] = {
		{"FRAME", "frame"}, {"MESSAGE", "message"}, {"OUTPUT", "output"}};
	unsigned workers = bp_dataplane_worker_count(control->dataplane);
	json_t *list = json_array();

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		json_t *each = json_array();
		const char *scope = "";
		uint64_t sum = 0;

		for (unsigned w = 0; w < workers; w++) {
			uint64_t n = bp_count_read(&bp_dataplane_counters(control->dataplane, w)->drops[i]);

			json_array_append_new(each, json_integer(number(n)));
			sum += n;
		}
		for (size_t s = 0; s < sizeof(scopes) / sizeof(scopes[0]); s++) {
			if (strcmp(rows[i][1], scopes[s][0]) == 0)
				scope = scopes[s][1];
		}
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:I,s:o}", "reason", rows[i][0],
						    "scope", scope, "severity", rows[i][2], "text",
						    rows[i][3], "count", number(sum), "workers", each));
	}
	bp_reply_json(reply, 200, json_pack("{s:o}", "drops", list));
}
