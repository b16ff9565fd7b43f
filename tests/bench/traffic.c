/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Options and reports of generated calls. See traffic.h.
 */
#include "traffic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char traffic_help[] =
	"  --scenario S    bye, cancel, cancel-early, race, options, register, mixed, or a mix: bye=70,options=30 (bye)\n"
	"  --rate R        calls a second, whatever becomes of those before; max: as many as the window lets\n"
	"  --window N      with --rate max: calls open at once (128)\n"
	"  --calls N       so many calls and no more\n"
	"  --calls-max N   open at once; what the rate wants beyond fails (1048576)\n"
	"  --ring S        seconds from 180 to 200, or to CANCEL (0)\n"
	"  --hold S        seconds from ACK to BYE (0)\n"
	"  --size N        bytes of an INVITE, by filling up its SDP\n"
	"  --sources N     addresses that calls come from (1)\n"
	"  --trunks N      addresses that calls go to (1)\n"
	"  --headers FILE  header lines for each initial request; {call} in them is the call's number\n"
	"  --t1 S, --t2 S  of the generator's own retransmissions (0.5, 4)\n"
	"  --seed N        of the mix and of the Call-IDs (1)\n"
	"  --checksum      UDP checksums are made and checked\n";

static const char *scenario = "bye";

double
traffic_number(const char *text, double least)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0' || !(number >= least) || isinf(number))
		bench_usage("\"%s\" is no number of at least %g", text, least);
	return number;
}

static uint32_t
whole(const char *text, double least, double most)
{
	double number = traffic_number(text, least);

	if (number > most || number != floor(number))
		bench_usage("\"%s\" is no whole number from %g to %g", text, least, most);
	return (uint32_t)number;
}

static double
read_rate(const char *text)
{
	return strcmp(text, "max") == 0 ? INFINITY : traffic_number(text, 0);
}

bool
traffic_option(int option, const char *argument, struct gen_options *options)
{
	switch (option) {
	case TRAFFIC_SCENARIO:
		if (!gen_scenario_read(argument, options->weights))
			bench_usage("\"%s\" is no scenario or mix", argument);
		scenario = argument;
		return true;
	case TRAFFIC_RATE:
		options->rate = read_rate(argument);
		return true;
	case TRAFFIC_WINDOW:
		options->window = whole(argument, 1, 1 << 24);
		return true;
	case TRAFFIC_CALLS:
		options->calls_total = (uint64_t)traffic_number(argument, 1);
		return true;
	case TRAFFIC_CALLS_MAX:
		options->calls_max = whole(argument, 1, 1 << 24);
		return true;
	case TRAFFIC_RING:
		options->ring_s = traffic_number(argument, 0);
		return true;
	case TRAFFIC_HOLD:
		options->hold_s = traffic_number(argument, 0);
		return true;
	case TRAFFIC_SIZE:
		options->message_size = (uint16_t)whole(argument, 1, 1 << 15);
		return true;
	case TRAFFIC_SOURCES:
		options->caller.addresses = (uint16_t)whole(argument, 1, GEN_PLACES_MAX);
		return true;
	case TRAFFIC_TRUNKS:
		options->callee.addresses = (uint16_t)whole(argument, 1, GEN_PLACES_MAX);
		return true;
	case TRAFFIC_HEADERS:
		options->headers = argument;
		return true;
	case TRAFFIC_T1:
		options->t1_s = traffic_number(argument, 0.001);
		return true;
	case TRAFFIC_T2:
		options->t2_s = traffic_number(argument, 0.001);
		return true;
	case TRAFFIC_SEED:
		options->seed = whole(argument, 0, UINT32_MAX);
		return true;
	case TRAFFIC_CHECKSUM:
		options->caller.checksum = options->callee.checksum = true;
		return true;
	default:
		return false;
	}
}

const char *
traffic_scenario(void)
{
	return scenario;
}

static void
print_latency(const struct traffic_run *run, const char *name, const struct gen_histogram *histogram)
{
	double us = 1e6 / run->tsc_hz;

	if (histogram->total == 0)
		return;
	printf("  %-26s %12.1f %12.1f %12.1f %12.1f\n", name,
		(double)gen_histogram_percentile(histogram, 50) * us, (double)gen_histogram_percentile(histogram, 99) * us,
		(double)gen_histogram_percentile(histogram, 99.9) * us, (double)histogram->max * us);
}

static void
print_latencies(const struct traffic_run *run, const struct gen_report *report)
{
	printf("  %-26s %12s %12s %12s %12s\n", "latency in us", "p50", "p99", "p99.9", "max");
	print_latency(run, "INVITE to the callee", &report->transit);
	print_latency(run, "other requests", &report->onward);
	print_latency(run, "the callee's responses", &report->back);
	print_latency(run, "INVITE -> 180", &report->ringing);
	print_latency(run, "INVITE -> 200", &report->setup);
	print_latency(run, "the generator's own delay", &report->late_by);
}

static void
print_counts(const struct gen_report *report)
{
	for (unsigned i = 0; i < GEN_FAILURE_COUNT; i++) {
		if (report->failed[i] > 0)
			printf("  failed: %-50s %12lu\n", gen_failure_text((enum gen_failure)i), report->failed[i]);
	}
	for (unsigned i = 0; i < GEN_FAULT_COUNT; i++) {
		if (report->wrong[i] > 0)
			printf("  wrong message: %-43s %12lu\n", gen_fault_text((enum gen_fault)i), report->wrong[i]);
	}
	for (unsigned i = 0; i < GEN_KIND_COUNT; i++) {
		if (report->sent[i] + report->received[i] > 0)
			printf("  %-14s sent %12lu  received %12lu  retransmitted %10lu\n",
				gen_kind_name((enum gen_kind)i), report->sent[i], report->received[i],
				report->retransmitted[i]);
	}
	printf("  repeated %lu, late %lu, ignored frames %lu, refused by a port %lu\n", report->repeated, report->late,
		report->frames_ignored, report->tx_refused);
	printf("  parsed in full %lu of %lu frames, %lu shapes (%lu refused)\n", report->slow, report->frames_in,
		report->shapes, report->shapes_refused);
}

void
traffic_print(const struct traffic_run *run, const struct gen_report *report)
{
	uint64_t failed = gen_report_failed(report), done = report->ok + failed;

	printf("%s: %lu calls begun, %lu ok, %lu failed, %lu open (%lu at most)\n", run->scenario, report->started,
		report->ok, failed, report->open, report->open_peak);
	if (run->seconds > 0)
		printf("  %.0f calls/s, %.0f messages/s, in %.2f s\n", (double)report->ok / run->seconds,
			(double)(report->frames_in + report->frames_out) / run->seconds, run->seconds);
	if (done > 0 && report->busy_cycles > 0)
		printf("  the generator: %.0f cycles a call (TSC at %.3f GHz), busy %.1f %%\n",
			(double)report->busy_cycles / (double)done, run->tsc_hz / 1e9,
			run->seconds > 0 ? 100 * (double)report->busy_cycles / run->tsc_hz / run->seconds : 0);
	if (run->cpu_seconds > 0)
		printf("  the generator had %.2f s of a CPU: %.0f calls a CPU second, %.0f cycles a call\n", run->cpu_seconds,
			(double)report->ok / run->cpu_seconds,
			run->cpu_seconds * run->tsc_hz / (double)(done > 0 ? done : 1));
	if (report->race_answered + report->race_cancelled > 0)
		printf("  races: %lu answered, %lu cancelled\n", report->race_answered, report->race_cancelled);
	print_counts(report);
	print_latencies(run, report);
}

static void
json_latency(struct bench_json *json, const struct traffic_run *run, const char *key,
	const struct gen_histogram *histogram)
{
	double us = 1e6 / run->tsc_hz;

	bench_json_begin(json, key, '{');
	bench_json_number(json, "count", (double)histogram->total);
	bench_json_number(json, "p50", (double)gen_histogram_percentile(histogram, 50) * us);
	bench_json_number(json, "p99", (double)gen_histogram_percentile(histogram, 99) * us);
	bench_json_number(json, "p999", (double)gen_histogram_percentile(histogram, 99.9) * us);
	bench_json_number(json, "max", (double)histogram->max * us);
	bench_json_end(json, '}');
}

static void
json_counts(struct bench_json *json, const struct gen_report *report)
{
	bench_json_begin(json, "failed", '{');
	for (unsigned i = 0; i < GEN_FAILURE_COUNT; i++) {
		if (report->failed[i] > 0)
			bench_json_number(json, gen_failure_text((enum gen_failure)i), (double)report->failed[i]);
	}
	bench_json_end(json, '}');
	bench_json_begin(json, "wrong_messages", '{');
	for (unsigned i = 0; i < GEN_FAULT_COUNT; i++) {
		if (report->wrong[i] > 0)
			bench_json_number(json, gen_fault_text((enum gen_fault)i), (double)report->wrong[i]);
	}
	bench_json_end(json, '}');
	bench_json_begin(json, "retransmitted", '{');
	for (unsigned i = 0; i < GEN_KIND_COUNT; i++) {
		if (report->retransmitted[i] > 0)
			bench_json_number(json, gen_kind_name((enum gen_kind)i), (double)report->retransmitted[i]);
	}
	bench_json_end(json, '}');
	bench_json_number(json, "repeated", (double)report->repeated);
	bench_json_number(json, "late", (double)report->late);
	bench_json_number(json, "frames_in", (double)report->frames_in);
	bench_json_number(json, "frames_out", (double)report->frames_out);
	bench_json_number(json, "parsed_in_full", (double)report->slow);
	bench_json_number(json, "shapes", (double)report->shapes);
	bench_json_number(json, "race_answered", (double)report->race_answered);
	bench_json_number(json, "race_cancelled", (double)report->race_cancelled);
}

void
traffic_json(struct bench_json *json, const struct traffic_run *run, const struct gen_report *report)
{
	uint64_t failed = gen_report_failed(report), done = report->ok + failed;
	double seconds = run->seconds;

	bench_json_text(json, "scenario", run->scenario);
	bench_json_number(json, "seconds", seconds);
	bench_json_number(json, "calls_begun", (double)report->started);
	bench_json_number(json, "calls_ok", (double)report->ok);
	bench_json_number(json, "calls_failed", (double)failed);
	bench_json_number(json, "calls_open", (double)report->open);
	if (seconds > 0) {
		bench_json_number(json, "calls_per_second", (double)report->ok / seconds);
		bench_json_number(json, "offered_per_second", (double)report->started / seconds);
	}
	if (run->cpu_seconds > 0) {
		bench_json_number(json, "cpu_seconds", run->cpu_seconds);
		bench_json_number(json, "calls_per_cpu_second", (double)report->ok / run->cpu_seconds);
	}
	bench_json_number(json, "goodput", report->started > 0 ? (double)report->ok / (double)report->started : 0);
	if (done > 0 && report->busy_cycles > 0)
		bench_json_number(json, "generator_cycles_per_call", (double)report->busy_cycles / (double)done);
	json_counts(json, report);
	json_latency(json, run, "transit_us", &report->transit);
	json_latency(json, run, "onward_us", &report->onward);
	json_latency(json, run, "back_us", &report->back);
	json_latency(json, run, "ringing_us", &report->ringing);
	json_latency(json, run, "setup_us", &report->setup);
	json_latency(json, run, "late_us", &report->late_by);
}
