/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench call: whole calls through the edge as it is run in production, all timers at the RFC's defaults.
 * Phases: what an established call takes (few calls, held until their INVITE's record is gone); the search for a rate, when
 * asked for; the warm-up, in which the 32-second timers begin to fill; the measurement; the end, when all calls are over
 * and their transactions still linger: what one of those takes.
 */
#include "call.h"
#include "bench.h"
#include "law.h"
#include "support.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINGER_S 32
#define ESTABLISHED 20000 /* calls */
#define ESTABLISHED_RATE 20000.0
#define ESTABLISHED_S 10 /* they are up for so long beyond */
#define SEARCH_STEP_S 3
#define SEARCH_STEPS 7 /* bisections: to less than a percent */
#define SETTLE_S 10.5 /* then timers A, E and K are over, and D, J, L and M are not */
#define BUCKET 16 /* bytes of the table for a record or a dialog; its buckets are no pool's */

static void
usage(void)
{
	puts("byepass-bench call [OPTION...]: full calls through the edge, over shared-memory ports\n\n"
	     "  --scenario NAME   bye (default), cancel, cancel-early, race, options, register, mixed, or a=70,b=30\n"
	     "  --rate N|max      calls a second, open loop; max: a new one for each that ends (default)\n"
	     "  --search SHARE    the highest rate with at most this share of failed calls, then measured\n"
	     "  --load SHARE      search, by 0.001 when nothing else is said, and measure at this share of what was found\n"
	     "  --seconds N       of the measurement (60)       --warm-up N   before it (35)\n"
	     "  --workers N       (1)                           --inline      each worker's CPU runs a generator, too\n"
	     "  --hot             all calls come to one queue, as from one port to one port, and are spread by Call-ID\n"
	     "  --cpu N           of the first worker (1)       --control-cpu N   of control and the generator (0)\n"
	     "  --window N        open calls with --rate max (512)\n"
	     "  --ring S          180 to 200 (0)                --hold S      ACK to BYE (0)\n"
	     "  --size BYTES      of an INVITE                  --headers FILE   more header lines for requests\n"
	     "  --sources N       callers' addresses (1)        --trunks N    targets (1)\n"
	     "  --transactions N, --dialogs N, --kept BYTES     capacity of the configuration\n"
	     "  --hugepages MODE  on (default: asked of the kernel, filled before the start), auto, off\n"
	     "  --config FILE     instead of the one made up; its ports are net_ring_caller and net_ring_callee\n"
	     "  --drain S         at the end, for calls that are still open (60)\n"
	     "  --no-bytes        leave out what measures bytes: 36 s before, 10 s after\n"
	     "  --json FILE");
}

static double
number(const char *text, double least)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= least))
		bench_usage("\"%s\" is no number from %g", text, least);
	return value;
}

enum {
	OPTION_SCENARIO = 256, OPTION_RATE, OPTION_SEARCH, OPTION_SECONDS, OPTION_WARM_UP, OPTION_WORKERS, OPTION_INLINE, OPTION_HOT,
	OPTION_CPU, OPTION_CONTROL_CPU, OPTION_WINDOW, OPTION_RING, OPTION_HOLD, OPTION_SIZE, OPTION_HEADERS, OPTION_SOURCES,
	OPTION_TRUNKS, OPTION_TRANSACTIONS, OPTION_DIALOGS, OPTION_KEPT, OPTION_HUGEPAGES, OPTION_CONFIG, OPTION_NO_BYTES, OPTION_JSON,
	OPTION_DRAIN, OPTION_LOAD
};

static const struct option known[] = {
	{"scenario", 1, NULL, OPTION_SCENARIO}, {"rate", 1, NULL, OPTION_RATE}, {"search", 1, NULL, OPTION_SEARCH},
	{"seconds", 1, NULL, OPTION_SECONDS}, {"warm-up", 1, NULL, OPTION_WARM_UP}, {"workers", 1, NULL, OPTION_WORKERS},
	{"inline", 0, NULL, OPTION_INLINE}, {"hot", 0, NULL, OPTION_HOT}, {"cpu", 1, NULL, OPTION_CPU}, {"control-cpu", 1, NULL, OPTION_CONTROL_CPU},
	{"window", 1, NULL, OPTION_WINDOW}, {"ring", 1, NULL, OPTION_RING}, {"hold", 1, NULL, OPTION_HOLD},
	{"size", 1, NULL, OPTION_SIZE}, {"headers", 1, NULL, OPTION_HEADERS}, {"sources", 1, NULL, OPTION_SOURCES},
	{"trunks", 1, NULL, OPTION_TRUNKS}, {"transactions", 1, NULL, OPTION_TRANSACTIONS},
	{"dialogs", 1, NULL, OPTION_DIALOGS}, {"kept", 1, NULL, OPTION_KEPT}, {"hugepages", 1, NULL, OPTION_HUGEPAGES}, {"config", 1, NULL, OPTION_CONFIG},
	{"no-bytes", 0, NULL, OPTION_NO_BYTES}, {"json", 1, NULL, OPTION_JSON}, {"drain", 1, NULL, OPTION_DRAIN},
	{"load", 1, NULL, OPTION_LOAD}, {"help", 0, NULL, 'h'}, {0}};

static void
take(struct call_options *options, int option)
{
	switch (option) {
	case OPTION_SCENARIO:
		options->scenario = optarg;
		if (!gen_scenario_read(optarg, options->weights))
			bench_usage("\"%s\" is no scenario", optarg);
		break;
	case OPTION_RATE: options->rate = strcmp(optarg, "max") == 0 ? INFINITY : number(optarg, 1); break;
	case OPTION_SEARCH: options->search = number(optarg, 0); break;
	case OPTION_SECONDS: options->seconds = number(optarg, 0.1); break;
	case OPTION_WARM_UP: options->warm_up_s = number(optarg, 0); break;
	case OPTION_WORKERS: options->workers = (unsigned)number(optarg, 1); break;
	case OPTION_INLINE: options->is_inline = true; break;
	case OPTION_HOT: options->hot = true; break;
	case OPTION_CPU: options->first_cpu = (unsigned)number(optarg, 0); break;
	case OPTION_CONTROL_CPU: options->control_cpu = (unsigned)number(optarg, 0); break;
	case OPTION_WINDOW: options->window = (uint32_t)number(optarg, 1); break;
	case OPTION_RING: options->ring_s = number(optarg, 0); break;
	case OPTION_HOLD: options->hold_s = number(optarg, 0); break;
	case OPTION_SIZE: options->message_size = (uint16_t)number(optarg, 0); break;
	case OPTION_HEADERS: options->headers = optarg; break;
	case OPTION_SOURCES: options->sources = (uint16_t)number(optarg, 1); break;
	case OPTION_TRUNKS: options->trunks = (uint16_t)number(optarg, 1); break;
	case OPTION_TRANSACTIONS: options->transactions = (uint64_t)number(optarg, 1024); break;
	case OPTION_DIALOGS: options->dialogs = (uint64_t)number(optarg, 1024); break;
	case OPTION_KEPT: options->kept = (unsigned)number(optarg, 64); break;
	case OPTION_HUGEPAGES: options->hugepages = optarg; break;
	case OPTION_CONFIG: options->config = optarg; break;
	case OPTION_NO_BYTES: options->bytes = false; break;
	case OPTION_JSON: options->json = optarg; break;
	case OPTION_DRAIN: options->drain_s = number(optarg, 0); break;
	case OPTION_LOAD: options->load = number(optarg, 0.01); break;
	case 'h':
		usage();
		exit(0);
	default: bench_usage("call: what was meant?");
	}
}

static void
parse(struct call_options *options, int argc, char **argv)
{
	int option;

	*options = (struct call_options){.scenario = "bye", .rate = INFINITY, .search = -1, .seconds = 60,
		.warm_up_s = LINGER_S + 3, .workers = 1, .first_cpu = 1, .window = 512, .sources = 1, .trunks = 1,
		.bytes = true, .drain_s = 60, .hugepages = "on"};
	gen_scenario_read("bye", options->weights);
	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1)
		take(options, option);
	if (optind != argc)
		bench_usage("call: \"%s\" is too much", argv[optind]);
	if (options->is_inline && options->workers > CALL_LANES_MAX)
		bench_usage("at most %u workers", CALL_LANES_MAX);
	if (!options->is_inline && options->workers != 1)
		bench_usage("one generator feeds one worker; with more of them, --inline");
	if (options->is_inline && options->first_cpu == 1)
		options->first_cpu = 0; /* the generators have no CPU of their own */
	if (options->transactions == 0)
		options->transactions = 16u << 20;
	if (options->kept == 0)
		options->kept = 192;
	if (options->load > 0 && options->search < 0)
		options->search = 0.001;
	if (options->dialogs == 0)
		options->dialogs = options->transactions / 2; /* one that has ended lingers, too */
}

static bool
make_lanes(const struct call_edge *edge, const struct call_options *options, bool established)
{
	char error[256];

	call_lanes.count = options->is_inline && !options->hot ? edge->workers : 1;
	call_lanes.is_inline = options->is_inline;
	for (unsigned i = 0; i < call_lanes.count; i++) {
		struct gen_options wanted;
		struct gen *gen;

		gen_options_default(&wanted);
		call_edge_ends(edge, options, i, &wanted.caller, &wanted.callee);
		memcpy(wanted.weights, options->weights, sizeof(wanted.weights));
		wanted.rate = 0;
		wanted.calls_max = 4u << 20;
		wanted.window = options->window;
		wanted.ring_s = options->ring_s;
		wanted.hold_s = options->hold_s;
		wanted.message_size = options->message_size;
		wanted.headers = options->headers;
		wanted.instance = (uint8_t)(established ? 128 + i : i);
		wanted.seed = (uint64_t)time(NULL);
		wanted.socket = -1;
		if (established) {
			gen_scenario_read("bye", wanted.weights);
			wanted.hold_s = LINGER_S + ESTABLISHED_S;
			wanted.ring_s = 0;
		}
		if (gen_create(&gen, &wanted, error) != 0) {
			fprintf(stderr, "byepass-bench: %s\n", error);
			return false;
		}
		__atomic_store_n(&call_lanes.lanes[i].gen, gen, __ATOMIC_RELEASE);
	}
	return true;
}

static void
free_lanes(void)
{
	struct gen *left[CALL_LANES_MAX];

	call_lanes_leave(left);
	for (unsigned i = 0; i < call_lanes.count; i++)
		gen_free(left[i]);
}

static uint64_t
pool_bytes(const struct bp_counters *counters)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < BP_POOL_KIND_COUNT; i++)
		bytes += counters->pool_taken_bytes[i] - counters->pool_returned_bytes[i];
	return bytes;
}

static uint64_t
live_transactions(const struct bp_counters *counters)
{
	uint64_t live = 0;

	for (unsigned i = 0; i < BP_KIND_COUNT; i++)
		live += counters->transactions_created[i] - counters->transactions_ended[i];
	return live;
}

static uint64_t
live_dialogs(const struct bp_counters *counters)
{
	uint64_t live = counters->dialogs_created;

	for (unsigned i = 0; i < BP_DIALOG_END_COUNT; i++)
		live -= counters->dialogs_ended[i];
	return live;
}

/* Calls that are held until the records of their INVITEs are gone: then a call is its dialogs and nothing else. */
static double
measure_established(const struct call_edge *edge, const struct call_options *options)
{
	struct bp_counters sum;
	uint64_t live;

	if (!make_lanes(edge, options, true))
		return 0;
	call_lanes_ask(ESTABLISHED_RATE, true);
	call_lanes_run(ESTABLISHED / ESTABLISHED_RATE);
	call_lanes_ask(0, false);
	call_lanes_run(LINGER_S);
	for (unsigned tries = 0; tries < ESTABLISHED_S * 10; tries++) {
		call_lanes_run(0.1);
		bp_dataplane_sum(edge->dataplane, &sum);
		if (live_transactions(&sum) == 0)
			break;
	}
	live = live_dialogs(&sum);
	call_lanes_drain(options->drain_s);
	free_lanes();
	if (live < ESTABLISHED / 2 || live_transactions(&sum) > 0)
		return 0;
	return (double)pool_bytes(&sum) / (double)live + BUCKET;
}

static double
failed_share(const struct gen_report *report)
{
	return report->started > 0 ? (double)gen_report_failed(report) / (double)report->started : 1;
}

/* Whether @rate goes well for a few seconds. */
static bool
try_rate(const struct call_options *options, double rate, struct gen_report *report)
{
	bool good;

	call_lanes_ask(rate, true);
	call_lanes_run(SEARCH_STEP_S);
	call_lanes_ask(0, false);
	call_lanes_drain(options->drain_s);
	call_lanes_report(report);
	good = failed_share(report) <= options->search && (double)report->started >= 0.98 * rate * SEARCH_STEP_S;
	printf("  %12.0f calls/s: %s, %" PRIu64 " ok, %" PRIu64 " failed\n", rate, good ? "good" : "too much", report->ok,
		gen_report_failed(report));
	fflush(stdout);
	return good;
}

static double
search(const struct call_options *options)
{
	struct gen_report *report = calloc(1, sizeof(*report));
	double good = 0, bad = isinf(options->rate) ? 50000 : options->rate;

	if (report == NULL)
		abort();
	while (try_rate(options, bad, report)) {
		good = bad;
		bad *= 2;
	}
	for (unsigned i = 0; i < SEARCH_STEPS && bad - good > good / 100; i++) {
		double rate = (good + bad) / 2;

		if (try_rate(options, rate, report))
			good = rate;
		else
			bad = rate;
	}
	free(report);
	return good;
}

/* Memory of this process, its huge pages included. */
static uint64_t
peak_memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long kib, sum = 0;
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "VmHWM: %llu", &kib) == 1 || sscanf(line, "HugetlbPages: %llu", &kib) == 1)
			sum += kib << 10;
	if (file != NULL)
		fclose(file);
	return sum;
}

static uint64_t
open_calls(void)
{
	struct gen_report *report = calloc(1, sizeof(*report));
	uint64_t open;

	if (report == NULL)
		abort();
	call_lanes_report(report);
	open = report->open;
	free(report);
	return open;
}

static void
between(void)
{
	call_lanes_run(0.001);
}

static void
measure(const struct call_edge *edge, const struct call_options *options, double rate, struct call_result *result)
{
	struct call_sample *sample = &result->sample;
	struct bp_counters sum;
	struct bp_law law;
	uint64_t begin;

	call_lanes_ask(rate, true);
	call_lanes_run(options->warm_up_s);
	call_lanes_ask(rate, true);
	bp_dataplane_sum(edge->dataplane, &sample->begin);
	begin = rte_rdtsc();
	call_lanes_run(options->seconds);
	sample->seconds = (double)(rte_rdtsc() - begin) / (double)rte_get_tsc_hz();
	bp_dataplane_sum(edge->dataplane, &sample->end);
	call_lanes_report(sample->gen);
	result->peak_bytes = peak_memory();
	call_lanes_ask(0, false);
	call_lanes_drain(options->drain_s);
	result->open = open_calls();
	if (options->bytes)
		call_lanes_run(SETTLE_S);
	bp_dataplane_sum(edge->dataplane, &sum);
	if (live_dialogs(&sum) == 0 && live_transactions(&sum) > 0)
		result->bytes_per_transaction = (double)pool_bytes(&sum) / (double)live_transactions(&sum) + BUCKET;
	bp_law_check(edge->dataplane, 100, between, &law);
	bp_law_text(&law, result->law, sizeof(result->law));
	result->good = law.holds;
}

int
bench_call(int argc, char **argv)
{
	struct call_options options;
	struct call_result result = {0};
	struct call_edge edge = {0};
	struct bench_json json;
	bool made;

	parse(&options, argc, argv);
	result.sample.gen = calloc(1, sizeof(*result.sample.gen));
	if (result.sample.gen == NULL)
		abort();
	json = bench_json_open(options.json);
	bench_machine(&json);
	if (!call_edge_start(&edge, &options, options.is_inline ? call_lane_run : NULL))
		return 1;
	if (options.bytes)
		result.bytes_per_call = measure_established(&edge, &options);
	made = make_lanes(&edge, &options, false);
	if (made) {
		double rate = options.rate;

		if (options.search >= 0) {
			result.found = search(&options);
			rate = result.found * (options.load > 0 ? options.load : 1);
		}
		measure(&edge, &options, rate, &result);
		free_lanes();
		call_report(&options, &result, &json);
	}
	bench_json_close(&json);
	call_edge_stop(&edge);
	free(result.sample.gen);
	return made && result.good && result.open == 0 ? 0 : 1;
}
