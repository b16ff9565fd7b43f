/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `byepass-bench load`: drives any SIP proxy over any DPDK port, with a caller on one side of it and a callee on
 * the other: at one rate, or looking for the highest one that the target carries.
 */
#include "bench.h"
#include "traffic.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include <arpa/inet.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define EAL_ARGUMENTS_MAX 64
#define DESCRIPTORS 1024
#define RX_MBUFS 8191
#define STEPS_MAX 64

struct load {
	struct gen_options options;
	struct gen *gen;
	char *eal;
	const char *json;
	double seconds, settle, drain;
	double loss, from, precision; /* of --search */
	unsigned tries; /* of a rate that fails */
	bool search;
	unsigned cpu;
	double tsc_hz;
};

/* What one rate gave. Loss is of calls: failed, still open after the drain, or repaired by a retransmission. */
struct step {
	double rate, seconds, ok_per_second, loss;
	uint64_t failed, retransmitted, open;
	double p50, p99, p999, late_p99; /* us */
	bool passed, late;
};

static volatile sig_atomic_t stopped;

static void
stop(int signal_number)
{
	stopped = 1;
}

static void
usage(void)
{
	printf("byepass-bench load --eal \"ARGS\" --caller PORT,IP[,UDP] --callee PORT,IP[,UDP] --target IP[:UDP] "
	       "[OPTION...]\n\n"
	       "  --eal ARGS      for EAL: devices, memory; e.g. \"--no-huge -m 256 --vdev=net_af_packet0,iface=v0\"\n"
	       "  --caller, --callee PORT,IP[,UDP]\n"
	       "                  DPDK port number, IPv4 address and UDP port (5060); both may be on one port\n"
	       "  --target IP[:UDP]   where the caller sends (5060); the MAC address is found by ARP\n"
	       "  --target-callee-side IP[:UDP]\n"
	       "                  where the callee gets its requests from (the same)\n"
	       "  --uri HOST      host of the Request-URI (the target)\n"
	       "  --seconds N     measure so long at each rate (10), after\n"
	       "  --settle N      seconds of the same rate (1)\n"
	       "  --drain N       then wait so long for open calls to end (2, and ring and hold time)\n"
	       "  --search LOSS   look for the highest rate at which at most this share of the calls fails, stays open, or\n"
	       "                  needs a retransmission (0.001 is one of a thousand)\n"
	       "  --from R        begin there (1000), double until it fails, then halve the distance until it is less than\n"
	       "  --precision P   this part of the rate (0.05)\n"
	       "  --tries N       a rate has failed when it failed so often (1): on a machine that does other things, too\n"
	       "  --direct        no proxy: the target is something that sends every frame back (testpmd's macswap), so that\n"
	       "                  what the wire and the ports carry can be compared; give --target the callee's address\n"
	       "  --json FILE     also write the numbers there\n"
	       "  --cpu N         run on that one of the CPUs that are allowed (0)\n%s"
	       "                  Without --seed each run has Call-IDs of its own.\n",
		traffic_help);
}

/* "192.0.2.1[:5060]" */
static void
read_address(const char *text, char separator, uint32_t *ip, uint16_t *udp)
{
	char copy[64], *at;
	struct in_addr address;

	snprintf(copy, sizeof(copy), "%s", text);
	at = strchr(copy, separator);
	*udp = 5060;
	if (at != NULL) {
		double number = traffic_number(at + 1, 1);

		if (number > UINT16_MAX)
			bench_usage("\"%s\" is no UDP port", at + 1);
		*udp = (uint16_t)number;
		*at = '\0';
	}
	if (inet_pton(AF_INET, copy, &address) != 1)
		bench_usage("\"%s\" is no IPv4 address", copy);
	*ip = ntohl(address.s_addr);
}

/* "PORT,IP[,UDP]" */
static void
read_end(const char *text, struct gen_end *end)
{
	char *rest;

	end->port = (uint16_t)strtoul(text, &rest, 10);
	if (rest == text || *rest != ',')
		bench_usage("\"%s\" is no PORT,IP[,UDP]", text);
	read_address(rest + 1, ',', &end->ip, &end->udp);
}

enum {
	EAL = 0x200,
	CALLER,
	CALLEE,
	TARGET,
	TARGET_CALLEE,
	URI,
	SECONDS,
	SETTLE,
	DRAIN,
	SEARCH,
	FROM,
	PRECISION,
	TRIES,
	DIRECT,
	JSON,
	CPU,
	HELP,
};

static void
take_option(struct load *load, int option, char *argument)
{
	struct gen_options *options = &load->options;

	switch (option) {
	case EAL:
		load->eal = argument;
		break;
	case CALLER:
		read_end(argument, &options->caller);
		break;
	case CALLEE:
		read_end(argument, &options->callee);
		break;
	case TARGET:
		read_address(argument, ':', &options->caller.peer_ip, &options->caller.peer_udp);
		break;
	case TARGET_CALLEE:
		read_address(argument, ':', &options->callee.peer_ip, &options->callee.peer_udp);
		break;
	case URI:
		options->target = argument;
		break;
	case SECONDS:
		load->seconds = traffic_number(argument, 0.1);
		break;
	case SETTLE:
		load->settle = traffic_number(argument, 0);
		break;
	case DRAIN:
		load->drain = traffic_number(argument, 0);
		break;
	case SEARCH:
		load->loss = traffic_number(argument, 0);
		load->search = true;
		break;
	case FROM:
		load->from = traffic_number(argument, 1);
		break;
	case PRECISION:
		load->precision = traffic_number(argument, 0.001);
		break;
	case TRIES:
		load->tries = (unsigned)traffic_number(argument, 1);
		break;
	case DIRECT:
		options->direct = true;
		break;
	case JSON:
		load->json = argument;
		break;
	case CPU:
		load->cpu = (unsigned)traffic_number(argument, 0);
		break;
	case HELP:
		usage();
		exit(0);
	default:
		exit(2);
	}
}

static struct load
read_options(int argc, char **argv)
{
	static const struct option names[] = {TRAFFIC_OPTIONS, {"eal", required_argument, NULL, EAL},
		{"caller", required_argument, NULL, CALLER}, {"callee", required_argument, NULL, CALLEE},
		{"target", required_argument, NULL, TARGET},
		{"target-callee-side", required_argument, NULL, TARGET_CALLEE}, {"uri", required_argument, NULL, URI},
		{"seconds", required_argument, NULL, SECONDS}, {"settle", required_argument, NULL, SETTLE},
		{"drain", required_argument, NULL, DRAIN}, {"search", required_argument, NULL, SEARCH},
		{"from", required_argument, NULL, FROM}, {"precision", required_argument, NULL, PRECISION},
		{"tries", required_argument, NULL, TRIES}, {"direct", no_argument, NULL, DIRECT},
		{"json", required_argument, NULL, JSON}, {"cpu", required_argument, NULL, CPU},
		{"help", no_argument, NULL, HELP}, {NULL, 0, NULL, 0}};
	struct load load = {.seconds = 10, .settle = 1, .drain = 2, .from = 1000, .precision = 0.05, .tries = 1};
	int option;

	gen_options_default(&load.options);
	load.options.seed = rte_rdtsc(); /* the target still knows the transactions of the last run */
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!traffic_option(option, optarg, &load.options))
			take_option(&load, option, optarg);
	}
	if (optind != argc)
		bench_usage("\"%s\" is too much", argv[optind]);
	if (load.eal == NULL || load.options.caller.ip == 0 || load.options.callee.ip == 0 ||
		load.options.caller.peer_ip == 0)
		bench_usage("--eal, --caller, --callee and --target are needed");
	if (load.options.direct) {
		load.options.callee.peer_ip = load.options.caller.ip;
		load.options.callee.peer_udp = load.options.caller.udp;
	} else if (load.options.callee.peer_ip == 0) {
		load.options.callee.peer_ip = load.options.caller.peer_ip;
		load.options.callee.peer_udp = load.options.caller.peer_udp;
	}
	load.drain += load.options.ring_s + load.options.hold_s;
	return load;
}

static _Noreturn void
fail(const char *what, int error)
{
	fprintf(stderr, "byepass-bench load: %s: %s\n", what, rte_strerror(error));
	exit(1);
}

/* Words of --eal, behind the program's name and what is always so. */
static void
start_eal(struct load *load)
{
	char *arguments[EAL_ARGUMENTS_MAX], cpu[32], *save = NULL;
	int count = 0;

	snprintf(cpu, sizeof(cpu), "--lcores=0@%u", load->cpu);
	arguments[count++] = (char *)"byepass-bench";
	arguments[count++] = cpu;
	arguments[count++] = (char *)"--no-telemetry";
	arguments[count++] = (char *)"--log-level=lib.*:error";
	for (char *word = strtok_r(load->eal, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save)) {
		if (count == EAL_ARGUMENTS_MAX)
			bench_usage("--eal has too many words");
		arguments[count++] = word;
	}
	if (rte_eal_init(count, arguments) < 0)
		fail("EAL", rte_errno);
}

static void
start_port(uint16_t port)
{
	static const struct rte_eth_conf conf;
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	struct rte_mempool *pool;
	char name[32];
	int error;

	if (!rte_eth_dev_is_valid_port(port))
		bench_usage("EAL has no port %u", port);
	snprintf(name, sizeof(name), "rx-%u", port);
	pool = rte_pktmbuf_pool_create(
		name, RX_MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, rte_eth_dev_socket_id(port));
	if (pool == NULL)
		fail("mbufs", rte_errno);
	if ((error = rte_eth_dev_configure(port, 1, 1, &conf)) < 0 ||
		(error = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rx, &tx)) < 0 ||
		(error = rte_eth_rx_queue_setup(port, 0, rx, SOCKET_ID_ANY, NULL, pool)) < 0 ||
		(error = rte_eth_tx_queue_setup(port, 0, tx, SOCKET_ID_ANY, NULL)) < 0 ||
		(error = rte_eth_dev_start(port)) < 0)
		fail("port", -error);
	rte_eth_promiscuous_enable(port); /* a port that cannot has nobody else's frames */
}

/* Turns for so many seconds, or until no call is open. */
static double
turn_for(struct load *load, double seconds, bool until_idle)
{
	uint64_t begin = rte_rdtsc(), end = begin + (uint64_t)(seconds * load->tsc_hz), now = begin;

	while (now < end && !stopped && !(until_idle && gen_idle(load->gen))) {
		gen_turn(load->gen, now);
		now = rte_rdtsc();
	}
	return (double)(now - begin) / load->tsc_hz;
}

static void
wait_until_ready(struct load *load)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(10 * load->tsc_hz);

	gen_rate(load->gen, 0);
	while (!gen_ready(load->gen) && !stopped) {
		uint64_t now = rte_rdtsc();

		gen_turn(load->gen, now);
		if (now > end) {
			fprintf(stderr, "byepass-bench load: the target does not answer ARP\n");
			exit(1);
		}
	}
	gen_rate(load->gen, 0);
}

static double
us(const struct load *load, const struct gen_histogram *histogram, double percent)
{
	return (double)gen_histogram_percentile(histogram, percent) / load->tsc_hz * 1e6;
}

/* One rate; @report is of the measured seconds and what followed from them. */
static struct step
run_step(struct load *load, double rate, struct gen_report *report)
{
	struct step step = {.rate = rate};
	uint64_t in_time;

	gen_rate(load->gen, rate);
	turn_for(load, load->settle, false);
	gen_report_reset(load->gen);
	step.seconds = turn_for(load, load->seconds, false);
	gen_report(load->gen, report);
	in_time = report->ok;
	gen_rate(load->gen, 0);
	turn_for(load, load->drain, true);
	gen_report(load->gen, report);
	gen_abandon(load->gen);
	step.ok_per_second = (double)in_time / step.seconds;
	step.failed = gen_report_failed(report);
	step.open = report->open;
	for (unsigned i = 0; i < GEN_KIND_COUNT; i++)
		step.retransmitted += report->retransmitted[i];
	step.loss = report->started > 0 ? (double)(step.failed + step.open + step.retransmitted) /
			(double)report->started : 1;
	step.p50 = us(load, &report->transit, 50);
	step.p99 = us(load, &report->transit, 99);
	step.p999 = us(load, &report->transit, 99.9);
	step.late_p99 = us(load, &report->late_by, 99);
	step.late = !isinf(rate) && (double)(report->started + 2) < 0.99 * rate * step.seconds;
	step.passed = step.loss <= load->loss && !step.late && report->ok > 0;
	return step;
}

static void
print_step(const struct step *step, bool judged)
{
	printf("%12.0f %12.0f %9lu %9lu %9lu %10.6f %10.1f %10.1f %10.1f %10.1f", step->rate, step->ok_per_second,
		step->failed, step->retransmitted, step->open, step->loss, step->p50, step->p99, step->p999,
		step->late_p99);
	printf("  %s\n", step->late ? "the generator cannot" : !judged ? "" : step->passed ? "ok" : "too much");
	fflush(stdout);
}

static void
json_step(struct bench_json *json, const struct step *step)
{
	bench_json_begin(json, NULL, '{');
	bench_json_number(json, "offered_per_second", step->rate);
	bench_json_number(json, "calls_per_second", step->ok_per_second);
	bench_json_number(json, "calls_failed", (double)step->failed);
	bench_json_number(json, "retransmitted", (double)step->retransmitted);
	bench_json_number(json, "calls_open", (double)step->open);
	bench_json_number(json, "loss", step->loss);
	bench_json_number(json, "transit_p99_us", step->p99);
	bench_json_end(json, '}');
}

/* Doubles the rate until it fails, then halves the distance. Returns the best step; @best is its report. */
static struct step
search(struct load *load, struct bench_json *json, struct gen_report *best)
{
	static struct gen_report report;
	struct step highest = {0};
	double low = 0, high = 0, rate = load->from;

	bench_json_begin(json, "steps", '[');
	for (unsigned i = 0; i < STEPS_MAX && !stopped; i++) {
		struct step step = {0};

		for (unsigned tries = 0; tries < load->tries; tries++) {
			step = run_step(load, rate, &report);
			print_step(&step, true);
			json_step(json, &step);
			if (step.passed || stopped)
				break;
		}
		if (step.passed) {
			low = rate;
			highest = step;
			*best = report;
		} else {
			high = rate;
		}
		if (high > 0 && (high - low <= load->precision * high || high < 2))
			break;
		rate = high == 0 ? low * 2 : (low + high) / 2;
	}
	bench_json_end(json, ']');
	return highest;
}

int
bench_load(int argc, char **argv)
{
	static struct gen_report report;
	struct load load = read_options(argc, argv);
	struct traffic_run run = {.options = &load.options, .scenario = traffic_scenario()};
	double rate = load.options.rate;
	struct bench_json json;
	struct step step;
	char error[256];

	start_eal(&load);
	bench_pin(load.cpu);
	start_port(load.options.caller.port);
	if (load.options.callee.port != load.options.caller.port)
		start_port(load.options.callee.port);
	run.tsc_hz = load.tsc_hz = (double)rte_get_tsc_hz();
	if (gen_create(&load.gen, &load.options, error) != 0)
		bench_usage("%s", error);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	json = bench_json_open(load.json);
	bench_machine(&json);
	bench_json_text(&json, "bench", "load");
	wait_until_ready(&load);
	printf("%12s %12s %9s %9s %9s %10s %10s %10s %10s %10s\n", "offered/s", "ok/s", "failed", "again", "open", "loss",
		"p50 us", "p99 us", "p99.9 us", "own p99");
	if (load.search) {
		step = search(&load, &json, &report);
		printf("highest rate with a loss of at most %g: %.0f calls/s\n", load.loss, step.rate);
		bench_json_number(&json, "highest_rate", step.rate);
		bench_json_number(&json, "loss_allowed", load.loss);
	} else {
		step = run_step(&load, rate, &report);
		print_step(&step, false);
	}
	bench_json_number(&json, "settle_seconds", load.settle);
	run.seconds = step.seconds;
	if (report.started > 0) {
		traffic_print(&run, &report);
		traffic_json(&json, &run, &report);
	}
	bench_json_close(&json);
	gen_free(load.gen);
	rte_eal_cleanup();
	return report.ok > 0 ? 0 : 1;
}
