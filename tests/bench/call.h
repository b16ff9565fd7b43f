/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass-bench call: the data path as the daemon starts it, in this process, between two shared-memory ports; behind
 * them generators. call.c goes through the phases, call_edge.c makes the edge, call_lane.c turns generators,
 * call_report.c says what came of it.
 */
#ifndef BYEPASS_BENCH_CALL_H
#define BYEPASS_BENCH_CALL_H

#include "byepass/dataplane.h"
#include "generator/generator.h"

#include <stdatomic.h>

#define CALL_LANES_MAX 16

struct bench_json;
struct rte_mempool;

struct call_options {
	uint16_t weights[GEN_SCENARIO_COUNT];
	const char *scenario;
	double rate;    /* calls a second over all lanes; INFINITY: by the window */
	double search;  /* highest share of failed calls; below 0: no search */
	double seconds, warm_up_s;
	double load;    /* share of what the search found, at which is measured */
	double ring_s, hold_s;
	double drain_s; /* at most, until no call is open */
	unsigned workers;
	unsigned first_cpu, control_cpu;
	bool is_inline; /* each worker's lcore turns a generator, too */
	bool hot;       /* all calls come to the first worker's queue and are spread by Call-ID */
	bool bytes;     /* measure what established calls and finished transactions take */
	uint32_t window;
	uint16_t message_size;
	uint16_t sources, trunks;
	uint64_t transactions, dialogs; /* capacity; 0: what the rate needs */
	const char *hugepages; /* workers.hugepages */
	unsigned kept; /* bytes for each transaction; 0: auto */
	const char *config; /* a file; NULL: made up */
	const char *headers;
	const char *json;
};

/* The edge between its ports. The generator's side of them is started, too. */
struct call_edge {
	struct bp_dataplane *dataplane;
	unsigned workers;
	uint16_t caller_port, callee_port; /* DPDK ports of the generator's side */
	uint8_t caller_mac[6], callee_mac[6]; /* of the edge, on each side */
	struct rte_mempool *pool;
};

/* @run: the workers' lcore function, NULL: the usual one. Says what is wrong and returns false. */
bool call_edge_start(struct call_edge *edge, const struct call_options *options, int (*run)(void *worker));
void call_edge_stop(struct call_edge *edge);
/* Addresses of lane @lane's two ends. */
void call_edge_ends(const struct call_edge *edge, const struct call_options *options, unsigned lane, struct gen_end *caller,
	struct gen_end *callee);

/* A generator and what it is asked to do by the main thread. */
struct call_lane {
	struct gen *gen; /* main: w, lane: r. Taken away by call_lanes_leave() */
	/* main: w, lane: r. Valid once `asked` says so (release). */
	double rate;
	bool reset;
	struct gen_report *report; /* NULL: none wanted */
	_Atomic unsigned asked;
	/* lane: w, main: r */
	_Atomic unsigned done;
	_Atomic bool idle;
	_Atomic bool empty; /* the worker has seen that there is no generator. main clears it when it has taken it away */
};

struct call_lanes {
	unsigned count;
	bool is_inline;
	struct call_lane lanes[CALL_LANES_MAX];
};
extern struct call_lanes call_lanes;

/* The lcore function of inline workers: a turn of its generator, a turn of the worker. */
int call_lane_run(void *worker);
/* Turns, or lets turn, for so long. */
void call_lanes_run(double seconds);
/* Until no call is open, at most so long. */
void call_lanes_drain(double seconds);
/* Takes the generators away; nobody turns them any more. The caller frees them. */
void call_lanes_leave(struct gen *left[CALL_LANES_MAX]);
/* The rate over all lanes from now on; INFINITY: by the window. @reset: forget what was counted. */
void call_lanes_ask(double rate, bool reset);
/* The sum of all lanes' reports. */
void call_lanes_report(struct gen_report *sum);

/* What was counted in an interval. */
struct call_sample {
	double seconds;
	struct bp_counters begin, end; /* sums over workers */
	struct gen_report *gen;
};

struct call_result {
	struct call_sample sample;
	double bytes_per_call, bytes_per_transaction; /* 0: not measured */
	uint64_t peak_bytes;
	uint64_t open; /* calls that the end of the measurement did not end: there should be none */
	double found;  /* by the search, calls a second; 0: none was asked for */
	char law[128];
	bool good; /* the law holds */
};

void call_report(const struct call_options *options, const struct call_result *result, struct bench_json *json);

#endif
