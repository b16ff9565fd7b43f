/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How the values of each metric are written, see metric.h.
 */
#include "http/metric.h"
#include "dns/dns.h"
#include "law.h"
#include "trace/ladder.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static const char *const directions[] = {"in", "out"};
static const char *const kinds[] = {"invite", "non_invite"};

/* The states of each machine, in the order of the counters. */
enum {
#define X(machine, state) machine##_##state,
	BP_ICT_STATES(X)
};
enum { BP_IST_STATES(X) };
enum { BP_NICT_STATES(X) };
enum {
	BP_NIST_STATES(X)
#undef X
};

/* Metrics speak in lower case. */
static const char *
lower(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < size; n++)
		out[n] = (char)tolower((unsigned char)text[n]);
	out[n] = '\0';
	return out;
}

static uint64_t
at(const struct bp_counters *counters, size_t offset)
{
	return *(const uint64_t *)((const char *)counters + offset);
}

void
bp_metric_sum(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, at(&view->sum, m->offset));
}

void
bp_metric_workers(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++)
		fprintf(stream, "byepass_%s{worker=\"%u\"} %" PRIu64 "\n", m->name, i,
			at(&view->each[i], m->offset));
}

void
bp_metric_stages(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	static const char *const names[] = {
#define X(name, text) #name,
		BP_STAGES(X)
#undef X
	};

	for (unsigned i = 0; i < view->workers; i++)
		for (unsigned stage = 0; stage < BP_STAGE_COUNT; stage++)
			fprintf(stream, "byepass_%s{worker=\"%u\",stage=\"%s\"} %" PRIu64 "\n", m->name, i, names[stage],
				view->each[i].stage_cycles[stage]);
}

/* Microseconds of each worker as seconds. */
void
bp_metric_workers_seconds(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++) {
		uint64_t us = at(&view->each[i], m->offset);

		fprintf(stream, "byepass_%s{worker=\"%u\"} %" PRIu64 ".%06" PRIu64 "\n", m->name, i,
			us / 1000000, us % 1000000);
	}
}

void
bp_metric_busy(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < view->workers; i++)
		fprintf(stream, "byepass_%s{worker=\"%u\"} %.6f\n", m->name, i,
			(double)atomic_load(&view->control->busy_ppm[i]) / 1e6);
}

/* direction and method: two rows of BP_METHOD_COUNT counters. */
void
bp_metric_methods(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned d = 0; d < BP_DIRECTION_COUNT; d++) {
		for (unsigned i = 0; i < BP_METHOD_COUNT; i++)
			fprintf(stream, "byepass_%s{direction=\"%s\",method=\"%s\"} %" PRIu64 "\n", m->name,
				directions[d], bp_trace_method(i),
				at(&view->sum, m->offset + (d * BP_METHOD_COUNT + i) * sizeof(uint64_t)));
	}
}

/* Only codes that were seen: there are seven hundred. */
void
bp_metric_codes(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned d = 0; d < BP_DIRECTION_COUNT; d++) {
		for (unsigned code = 0; code < BP_STATUS_MAX; code++) {
			if (view->sum.responses[d][code] != 0)
				fprintf(stream, "byepass_%s{direction=\"%s\",code=\"%03u\"} %" PRIu64 "\n",
					m->name, directions[d], code, view->sum.responses[d][code]);
		}
	}
}

void
bp_metric_dispositions(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
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

void
bp_metric_drops(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
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

void
bp_metric_cancels(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
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

void
bp_metric_dialog_ends(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
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

void
bp_metric_kinds(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		fprintf(stream, "byepass_%s{kind=\"%s\"} %" PRIu64 "\n", m->name, kinds[i],
			at(&view->sum, m->offset + i * sizeof(uint64_t)));
}

void
bp_metric_transactions(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	char state[BP_STATE_NAME_SIZE];

	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		for (unsigned j = 0; j < bp_server_states((enum bp_transaction_kind)i); j++) {
			bp_server_state_name((enum bp_transaction_kind)i, j, state);
			fprintf(stream, "byepass_%s{kind=\"%s\",state=\"%s\"} %" PRIu64 "\n", m->name, kinds[i], state,
				view->live.states[i][j]);
		}
}

void
bp_metric_transaction_bytes(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		fprintf(stream, "byepass_%s{kind=\"%s\"} %" PRIu64 "\n", m->name, kinds[i], view->live.bytes[i]);
}

void
bp_metric_dialogs(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.dialogs);
}

void
bp_metric_calls(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.calls);
}

void
bp_metric_kept(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->live.kept);
}

void
bp_metric_transactions_limit(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	uint32_t transactions, dialogs;

	bp_dataplane_capacity(view->control->dataplane, &transactions, &dialogs);
	fprintf(stream, "byepass_%s %" PRIu32 "\n", m->name, transactions);
}

void
bp_metric_dialogs_limit(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	uint32_t transactions, dialogs;

	bp_dataplane_capacity(view->control->dataplane, &transactions, &dialogs);
	fprintf(stream, "byepass_%s %" PRIu32 "\n", m->name, dialogs);
}

void
bp_metric_law(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	struct bp_law law;

	bp_law_check(view->control->dataplane, 3, NULL, &law);
	fprintf(stream, "byepass_%s %d\n", m->name, law.holds ? 1 : 0);
}

/* One figure of every port, at an offset in struct bp_dataplane_port. */
void
bp_metric_port(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
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

void
bp_metric_link(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	unsigned count = bp_dataplane_port_count(view->control->dataplane);
	struct bp_dataplane_port port;

	for (unsigned i = 0; i < count; i++) {
		if (bp_dataplane_port(view->control->dataplane, i, &port) == 0)
			fprintf(stream, "byepass_%s{port=\"%s\"} %d\n", m->name, port.name, port.link_up);
	}
}

void
bp_metric_memory(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	bp_metrics_memory(stream, m->name);
}

void
bp_metric_generation(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, view->control->config->generation);
}

void
bp_metric_build(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s{version=\"%s\",compiler=\"%s\"} 1\n", m->name, BP_VERSION,
#ifdef __clang__
		"clang"
#else
		"gcc"
#endif
	);
}

void
bp_metric_started(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	uint64_t us = view->control->started_us;

	fprintf(stream, "byepass_%s %" PRIu64 ".%03" PRIu64 "\n", m->name, us / 1000000, us / 1000 % 1000);
}

void
bp_metric_draining(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %d\n", m->name, atomic_load(&view->control->draining) ? 1 : 0);
}

void
bp_metric_up(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %d\n", m->name, bp_control_alive(view->control) ? 1 : 0);
}

/* Machines now in each state. What is terminated is gone. */
void
bp_metric_machines(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	static const struct {
		const char *machine, *state;
		unsigned id, index;
	} rows[] = {
#define X(machine, state) {#machine, #state, BP_MACHINE_##machine, machine##_##state},
		BP_ICT_STATES(X) BP_IST_STATES(X) BP_NICT_STATES(X) BP_NIST_STATES(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t entered = view->sum.states_entered[rows[i].id][rows[i].index];
		uint64_t left = view->sum.states_left[rows[i].id][rows[i].index];
		char machine[16], state[16];

		if (strcmp(rows[i].state, "TERMINATED") == 0)
			continue;
		fprintf(stream, "byepass_%s{machine=\"%s\",state=\"%s\"} %" PRIu64 "\n", m->name,
			lower(rows[i].machine, machine, sizeof(machine)),
			lower(rows[i].state, state, sizeof(state)), entered > left ? entered - left : 0);
	}
}

static uint64_t
dns_at(const struct bp_metric_view *view, size_t offset)
{
	const struct bp_dns_counters *counters = bp_dns_counters(view->control->dns);

	return counters ? atomic_load((const _Atomic uint64_t *)((const char *)counters + offset)) : 0;
}

void
bp_metric_dns(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	fprintf(stream, "byepass_%s %" PRIu64 "\n", m->name, dns_at(view, m->offset));
}

void
bp_metric_dns_seconds(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	uint64_t us = dns_at(view, m->offset);

	fprintf(stream, "byepass_%s %" PRIu64 ".%06" PRIu64 "\n", m->name, us / 1000000, us % 1000000);
}

void
bp_metric_dns_results(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
		{"found", offsetof(struct bp_dns_counters, found)},
		{"none", offsetof(struct bp_dns_counters, none)},
		{"failed", offsetof(struct bp_dns_counters, failed)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(stream, "byepass_%s{result=\"%s\"} %" PRIu64 "\n", m->name, rows[i].name,
			dns_at(view, rows[i].offset));
}

static const char *const pools[] = {
#define X(name, text) #name,
	BP_POOLS(X)
#undef X
};

/* Bytes in use of each pool of the engine. */
void
bp_metric_pools(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++) {
		uint64_t taken = view->sum.pool_taken_bytes[i], returned = view->sum.pool_returned_bytes[i];

		fprintf(stream, "byepass_%s{pool=\"%s\"} %" PRIu64 "\n", m->name, pools[i],
			taken > returned ? taken - returned : 0);
	}
}

void
bp_metric_pools_dry(const struct bp_metric_view *view, const struct bp_metric *m, FILE *stream)
{
	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		fprintf(stream, "byepass_%s{pool=\"%s\"} %" PRIu64 "\n", m->name, pools[i], view->sum.pool_dry[i]);
}
