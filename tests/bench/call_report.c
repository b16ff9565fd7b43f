/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What byepass-bench call says: for people, and as JSON.
 */
#include "call.h"
#include "support.h"

#include <inttypes.h>
#include <math.h>
#include <rte_cycles.h>

static const struct {
	const char *key;
	double percent;
} percentiles[] = {{"p50", 50}, {"p99", 99}, {"p999", 99.9}, {"max", 100}};

static void
latency(const char *what, const char *key, const struct gen_histogram *histogram, struct bench_json *json)
{
	double us = (double)rte_get_tsc_hz() / 1e6;

	printf("  %-28s", what);
	bench_json_begin(json, key, '{');
	for (unsigned i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
		double value = (double)gen_histogram_percentile(histogram, percentiles[i].percent) / us;

		printf(" %9.1f", value);
		bench_json_number(json, percentiles[i].key, value);
	}
	bench_json_end(json, '}');
	putchar('\n');
}

/* What a drawing needs: percentiles from 0 on, each step a fifth of what is left. */
static void
curve(const char *key, const struct gen_histogram *histogram, struct bench_json *json)
{
	double us = (double)rte_get_tsc_hz() / 1e6;

	bench_json_begin(json, key, '[');
	for (double rest = 1; histogram->total > 0 && rest * (double)histogram->total >= 1; rest *= 0.8) {
		double percent = 100 * (1 - rest);

		bench_json_begin(json, NULL, '{');
		bench_json_number(json, "percentile", percent);
		bench_json_number(json, "us", (double)gen_histogram_percentile(histogram, percent) / us);
		bench_json_end(json, '}');
	}
	bench_json_end(json, ']');
}

static void
failures(const struct gen_report *gen, struct bench_json *json)
{
	bench_json_begin(json, "failures", '{');
	for (unsigned i = 0; i < GEN_FAILURE_COUNT; i++) {
		if (gen->failed[i] == 0)
			continue;
		printf("  failed: %-44s %12" PRIu64 "\n", gen_failure_text((enum gen_failure)i), gen->failed[i]);
		bench_json_number(json, gen_failure_text((enum gen_failure)i), (double)gen->failed[i]);
	}
	bench_json_end(json, '}');
	for (unsigned i = 0; i < GEN_KIND_COUNT; i++)
		if (gen->retransmitted[i] > 0)
			printf("  retransmitted: %-37s %12" PRIu64 "\n", gen_kind_name((enum gen_kind)i), gen->retransmitted[i]);
	for (unsigned i = 1; i < GEN_FAULT_COUNT; i++)
		if (gen->wrong[i] > 0)
			printf("  wrong: %-45s %12" PRIu64 "\n", gen_fault_text((enum gen_fault)i), gen->wrong[i]);
}

static void
drops(const struct bp_counters *begin, const struct bp_counters *end)
{
	static const char *const names[] = {
#define X(name, scope, severity, text) #name,
		BP_DROPS(X)
#undef X
	};

	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		if (end->drops[i] > begin->drops[i])
			printf("  edge dropped: %-38s %12" PRIu64 "\n", names[i], end->drops[i] - begin->drops[i]);
}

static double
stages(const struct call_sample *sample, double calls, struct bench_json *json)
{
	static const struct {
		const char *name, *text;
	} known[] = {
#define X(name, text) {#name, text},
		BP_STAGES(X)
#undef X
	};
	double cycles = 0;

	bench_json_begin(json, "stages", '{');
	for (unsigned i = 0; i < BP_STAGE_COUNT; i++) {
		double spent = (double)(sample->end.stage_cycles[i] - sample->begin.stage_cycles[i]) / calls;

		printf("  %-10s %9.0f  %s\n", known[i].name, spent, known[i].text);
		bench_json_number(json, known[i].name, spent);
		cycles += spent;
	}
	bench_json_end(json, '}');
	return cycles;
}

void
call_report(const struct call_options *options, const struct call_result *result, struct bench_json *json)
{
	const struct call_sample *sample = &result->sample;
	const struct gen_report *gen = sample->gen;
	double calls = gen->ok > 0 ? (double)gen->ok : 1, cycles, hz = (double)rte_get_tsc_hz();
	double messages = (double)(sample->end.messages_received - sample->begin.messages_received);
	double busy_us = (double)(sample->end.busy_us - sample->begin.busy_us);
	double net;

	printf("\n%s, %u worker%s%s, %s, %.1f s after %.1f s of warm-up\n", options->scenario, options->workers,
		options->workers == 1 ? "" : "s", options->is_inline ? ", generator inline" : "",
		isinf(options->rate) && options->search < 0 ? "closed loop" : "open loop", sample->seconds, options->warm_up_s);
	bench_json_text(json, "scenario", options->scenario);
	bench_json_number(json, "workers", options->workers);
	bench_json_number(json, "inline", options->is_inline);
	bench_json_number(json, "seconds", sample->seconds);
	bench_json_number(json, "calls_ok", (double)gen->ok);
	bench_json_number(json, "calls_failed", (double)gen_report_failed(gen));
	bench_json_number(json, "calls_per_second", (double)gen->ok / sample->seconds);
	bench_json_number(json, "offered_per_second", (double)gen->started / sample->seconds);
	bench_json_number(json, "goodput", (double)gen->ok / sample->seconds);
	printf("  %-28s %9.0f calls/s (%" PRIu64 " ok, %" PRIu64 " failed, %.0f offered a second)\n", "measured",
		(double)gen->ok / sample->seconds, gen->ok, gen_report_failed(gen), (double)gen->started / sample->seconds);
	if (result->found > 0)
		printf("  %-28s %9.0f calls/s\n", "the highest rate found", result->found);
	if (result->open > 0)
		printf("  open calls that did not end: %" PRIu64 "\n", result->open);
	bench_json_number(json, "calls_open", (double)result->open);
	bench_json_number(json, "highest_rate", result->found);
	failures(gen, json);
	drops(&sample->begin, &sample->end);

	puts("\n  cycles a call, in turns that found work");
	cycles = stages(sample, calls, json);
	net = hz / cycles * options->workers;
	printf("  %-10s %9.0f  %.0f a message received\n", "all", cycles, cycles * calls / messages);
	printf("  %-28s %9.0f calls/s (%.0f MHz / cycles a call%s)\n", "busy all the time", net, hz / 1e6,
		options->workers == 1 ? "" : " * workers");
	printf("  %-28s %9.1f %%\n", "busy", 100 * busy_us / (sample->seconds * 1e6 * options->workers));
	bench_json_number(json, "cycles_per_call", cycles);
	bench_json_number(json, "cycles_per_message", cycles * calls / messages);
	bench_json_number(json, "calls_per_second_busy", net);
	bench_json_number(json, "busy_ratio", busy_us / (sample->seconds * 1e6 * options->workers));
	bench_json_number(json, "tsc_hz", hz);
	bench_json_number(json, "generator_cycles_per_call", (double)gen->busy_cycles / calls);
	printf("  %-28s %9.0f cycles a call\n", "generator", (double)gen->busy_cycles / calls);

	printf("\n  %-28s %9s %9s %9s %9s\n", "microseconds", "p50", "p99", "p99.9", "max");
	latency("through the edge: INVITE", "transit_us", &gen->transit, json);
	latency("other requests", "onward_us", &gen->onward, json);
	latency("responses", "back_us", &gen->back, json);
	latency("generator late by", "late_us", &gen->late_by, json);

	bench_json_begin(json, "curves", '{');
	curve("transit_us", &gen->transit, json);
	curve("onward_us", &gen->onward, json);
	curve("back_us", &gen->back, json);
	bench_json_end(json, '}');

	printf("\n  %-28s %9.0f bytes\n", "an established call", result->bytes_per_call);
	printf("  %-28s %9.0f bytes\n", "a finished transaction", result->bytes_per_transaction);
	printf("  %-28s %9.1f MiB\n", "memory at most", (double)result->peak_bytes / 1048576);
	printf("  %-28s %s\n", "counting law", result->law);
	bench_json_number(json, "bytes_per_call", result->bytes_per_call);
	bench_json_number(json, "bytes_per_finished_transaction", result->bytes_per_transaction);
	bench_json_number(json, "peak_memory_bytes", (double)result->peak_bytes);
	bench_json_text(json, "counting_law", result->law);
}
