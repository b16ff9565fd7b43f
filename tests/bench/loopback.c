/* SPDX-License-Identifier: BSD-3-Clause
 *
 * `byepass-bench loopback`: the generator against itself. Its caller and its callee face each other through two
 * rings, on one core: what the generator itself can do. With --drop, --damage and --repeat the rings
 * are bad ones, which shows that nothing goes by unseen and that retransmissions repair what can be repaired.
 */
#include "bench.h"
#include "traffic.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_SIZE 4096
#define BURST 32

struct harm {
	uint32_t drop, damage, repeat; /* every n-th frame; 0: none */
	uint64_t count;
};

/* rings[0] leads to the callee, rings[1] to the caller; of bad ones [2] and [3] lead to those. */
struct loopback {
	struct gen *gen;
	struct rte_ring *rings[4];
	struct harm harm;
	double seconds;
	unsigned cpu;
	bool huge;
	const char *json;
	struct gen_options options;
};

static void
usage(void)
{
	printf("byepass-bench loopback [OPTION...]\n\n"
	       "  --seconds N     measure so long, after a warm-up of a fifth of it (5)\n"
	       "  --calls N       instead: so many calls in virtual time, no clock (fixed work, for counting instructions)\n"
	       "  --json FILE     also write the numbers there\n"
	       "  --cpu N         run on that one of the CPUs that are allowed (0)\n"
	       "  --huge          use huge pages\n"
	       "  --drop N, --damage N, --repeat N\n"
	       "                  every N-th frame is lost, has a byte changed, or comes twice\n%s",
		traffic_help);
}

static struct loopback
read_options(int argc, char **argv)
{
	static const struct option names[] = {TRAFFIC_OPTIONS, {"seconds", required_argument, NULL, 's'},
		{"json", required_argument, NULL, 'j'}, {"cpu", required_argument, NULL, 'c'},
		{"huge", no_argument, NULL, 'H'}, {"drop", required_argument, NULL, 'd'},
		{"damage", required_argument, NULL, 'g'}, {"repeat", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct loopback loopback = {.seconds = 5};
	int option;

	gen_options_default(&loopback.options);
	loopback.options.rate = INFINITY;
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (traffic_option(option, optarg, &loopback.options))
			continue;
		switch (option) {
		case 's':
			loopback.seconds = traffic_number(optarg, 0.01);
			break;
		case 'j':
			loopback.json = optarg;
			break;
		case 'c':
			loopback.cpu = (unsigned)traffic_number(optarg, 0);
			break;
		case 'H':
			loopback.huge = true;
			break;
		case 'd':
			loopback.harm.drop = (uint32_t)traffic_number(optarg, 2);
			break;
		case 'g':
			loopback.harm.damage = (uint32_t)traffic_number(optarg, 2);
			break;
		case 'r':
			loopback.harm.repeat = (uint32_t)traffic_number(optarg, 2);
			break;
		case 'h':
			usage();
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind != argc)
		bench_usage("\"%s\" is too much", argv[optind]);
	return loopback;
}

static void
fail(const char *what)
{
	fprintf(stderr, "byepass-bench loopback: %s: %s\n", what, rte_strerror(rte_errno));
	exit(1);
}

static void
start_eal(const struct loopback *loopback)
{
	char *arguments[] = {(char *)"byepass-bench", (char *)"--no-pci", (char *)"--no-telemetry",
		(char *)"--no-shconf", (char *)"--log-level=lib.*:error", (char *)"--lcores=0@0",
		(char *)(loopback->huge ? "--in-memory" : "--no-huge"), (char *)"-m", (char *)"64"};
	char cpu[32];

	snprintf(cpu, sizeof(cpu), "--lcores=0@%u", loopback->cpu);
	arguments[5] = cpu;
	if (rte_eal_init(9, arguments) < 0)
		fail("EAL");
	bench_pin(loopback->cpu);
}

static uint16_t
make_port(const char *name, struct rte_ring *rx, struct rte_ring *tx)
{
	static const struct rte_eth_conf conf;
	struct rte_mempool *pool = rte_pktmbuf_pool_create(name, 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	int port = rte_eth_from_rings(name, &rx, 1, &tx, 1, 0);

	if (port < 0 || pool == NULL || rte_eth_dev_configure((uint16_t)port, 1, 1, &conf) < 0 ||
		rte_eth_rx_queue_setup((uint16_t)port, 0, 0, 0, NULL, pool) < 0 ||
		rte_eth_tx_queue_setup((uint16_t)port, 0, 0, 0, NULL) < 0 || rte_eth_dev_start((uint16_t)port) < 0)
		fail(name);
	return (uint16_t)port;
}

static bool
is_bad(const struct harm *harm)
{
	return harm->drop > 0 || harm->damage > 0 || harm->repeat > 0;
}

static void
make_ends(struct loopback *loopback)
{
	static const char *const names[] = {"to-callee", "to-caller", "from-caller", "from-callee"};
	struct gen_end *caller = &loopback->options.caller, *callee = &loopback->options.callee;
	struct rte_ring **rings = loopback->rings;
	bool bad = is_bad(&loopback->harm);

	for (unsigned i = 0; i < 4; i++) {
		rings[i] = rte_ring_create(names[i], RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rings[i] == NULL)
			fail(names[i]);
	}
	caller->port = make_port("caller", rings[1], rings[bad ? 2 : 0]);
	callee->port = make_port("callee", rings[0], rings[bad ? 3 : 1]);
	memcpy(caller->mac, "\2byep\1", 6);
	memcpy(callee->mac, "\2byep\2", 6);
	memcpy(caller->peer_mac, callee->mac, 6);
	memcpy(callee->peer_mac, caller->mac, 6);
	caller->ip = callee->peer_ip = 0x0a010064; /* 10.1.0.100 */
	callee->ip = caller->peer_ip = 0x0a020064;
	caller->udp = caller->peer_udp = callee->udp = callee->peer_udp = 5060;
	loopback->options.direct = true;
}

static void
damage(struct rte_mbuf *mbuf, uint64_t count)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint32_t message = mbuf->data_len - 42u;

	/* anywhere in the message, each time at another place */
	frame[42 + count * 2654435761u % message] ^= (uint8_t)(1 + count % 255);
}

/* Moves what stands in one ring to the other, as badly as wanted. */
static void
move(struct harm *harm, struct rte_ring *from, struct rte_ring *to)
{
	void *mbuf;

	while (rte_ring_dequeue(from, &mbuf) == 0) {
		uint64_t count = ++harm->count;

		if (harm->drop > 0 && count % harm->drop == 0) {
			rte_pktmbuf_free(mbuf);
			continue;
		}
		if (harm->repeat > 0 && count % harm->repeat == 0) {
			struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, ((struct rte_mbuf *)mbuf)->pool, 0, UINT32_MAX);

			if (copy != NULL && rte_ring_enqueue(to, copy) != 0)
				rte_pktmbuf_free(copy);
		}
		if (harm->damage > 0 && count % harm->damage == 0)
			damage(mbuf, count);
		if (rte_ring_enqueue(to, mbuf) != 0)
			rte_pktmbuf_free(mbuf);
	}
}

static bool
turn(struct loopback *loopback, uint64_t tsc)
{
	bool busy = gen_turn(loopback->gen, tsc);

	if (is_bad(&loopback->harm)) {
		move(&loopback->harm, loopback->rings[2], loopback->rings[0]);
		move(&loopback->harm, loopback->rings[3], loopback->rings[1]);
	}
	return busy;
}

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Until the clock says so. Returns the seconds. */
static double
run_for(struct loopback *loopback, double seconds)
{
	uint64_t begin = rte_rdtsc(), end = begin + (uint64_t)(seconds * (double)rte_get_tsc_hz()), now = begin;

	while (now < end) {
		turn(loopback, now);
		now = rte_rdtsc();
	}
	return (double)(now - begin) / (double)rte_get_tsc_hz();
}

/* All calls, and until they are over, in virtual time: a microsecond a turn, or a millisecond when nothing is to do. */
static void
run_calls(struct loopback *loopback)
{
	uint64_t us = (uint64_t)(loopback->options.tsc_hz / 1e6), now = 1000 * us;

	while (!gen_exhausted(loopback->gen) || !gen_idle(loopback->gen))
		now += turn(loopback, now) ? us : 1000 * us;
}

int
bench_loopback(int argc, char **argv)
{
	static struct gen_report report;
	struct loopback loopback = read_options(argc, argv);
	struct traffic_run run = {.options = &loopback.options, .scenario = traffic_scenario()};
	struct bench_json json;
	char error[256];

	start_eal(&loopback);
	make_ends(&loopback);
	json = bench_json_open(loopback.json);
	bench_machine(&json);
	loopback.options.virtual_time = loopback.options.calls_total > 0;
	run.tsc_hz = loopback.options.tsc_hz = loopback.options.virtual_time ? 2.5e9 : (double)rte_get_tsc_hz();
	if (gen_create(&loopback.gen, &loopback.options, error) != 0) {
		fprintf(stderr, "byepass-bench loopback: %s\n", error);
		return 1;
	}
	if (loopback.options.virtual_time) {
		run_calls(&loopback);
	} else {
		run_for(&loopback, loopback.seconds / 5);
		gen_report_reset(loopback.gen);
		run.cpu_seconds = cpu_seconds();
		run.seconds = run_for(&loopback, loopback.seconds);
		run.cpu_seconds = cpu_seconds() - run.cpu_seconds;
	}
	gen_report(loopback.gen, &report);
	if (isinf(loopback.options.rate) && !loopback.options.virtual_time)
		printf("closed loop: a new call whenever fewer than %u are open\n", loopback.options.window);
	traffic_print(&run, &report);
	bench_json_text(&json, "bench", "loopback");
	bench_json_text(&json, "loop", isinf(loopback.options.rate) ? "closed" : "open");
	traffic_json(&json, &run, &report);
	bench_json_close(&json);
	gen_free(loopback.gen);
	return report.ok > 0 && (is_bad(&loopback.harm) || gen_report_failed(&report) == 0) ? 0 : 1;
}
