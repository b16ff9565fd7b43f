/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the control threads share: the data path, the snapshot in force, the trace
 * store, and what the main loop has last seen of the workers.
 */
#ifndef BYEPASS_STATE_H
#define BYEPASS_STATE_H

#include "byepass/dataplane.h"
#include "cdr/writer.h"
#include "trace/store.h"

#include <stdatomic.h>

/* Workers count as alive for this long after they were last seen turning, in microseconds. */
#define BP_ALIVE_US 3000000

struct bp_dns;
struct bp_prober;

struct bp_control {
	struct bp_dataplane *dataplane; /* fixed while any thread runs */
	const struct bp_config *config; /* the same; owned by the data path */
	struct bp_trace_store *trace;   /* has its own lock */
	struct bp_prober *prober;       /* main: rw; NULL: there is none */
	struct bp_dns *dns;             /* NULL: names are not resolved */
	struct bp_cdr_writer *cdr;      /* the same; NULL: no call detail records */
	uint64_t started_us;            /* UTC */
	_Atomic bool draining;          /* main: rw, HTTP: ro */
	_Atomic uint64_t
		alive_us; /* monotonic; when all workers were last seen turning. main: rw, HTTP: ro */
	_Atomic uint32_t busy_ppm[BP_CONFIG_WORKERS_MAX]; /* share of the last second. main: rw, HTTP: ro */
};

/* Requests and calls that are still under way, or kept. */
struct bp_live {
	uint64_t transactions[BP_KIND_COUNT];
	uint64_t states[BP_KIND_COUNT][BP_STATES_MAX]; /* the same by the state of their IST or NIST */
	uint64_t bytes[BP_KIND_COUNT];                 /* in use for them */
	uint64_t dialogs;
	uint64_t calls; /* reserved at an INVITE */
	uint64_t kept;  /* messages */
};

uint64_t bp_now_monotonic_us(void);
uint64_t bp_now_utc_us(void);

/* A consistent copy of a worker's counters, each read atomically. */
void bp_counters_copy(const struct bp_counters *from, struct bp_counters *to);

/* Live figures of a sum over workers. */
void bp_live_of(const struct bp_counters *sum, struct bp_live *live);

/* States of the server machine of transactions of @kind, the last is Terminated; the name of one, in lower case. */
#define BP_STATE_NAME_SIZE 16
unsigned bp_server_states(enum bp_transaction_kind kind);
void bp_server_state_name(enum bp_transaction_kind kind, unsigned state, char out[BP_STATE_NAME_SIZE]);

/* Whether the workers turn, as far as the main loop has seen. */
bool bp_control_alive(const struct bp_control *control);

#endif
