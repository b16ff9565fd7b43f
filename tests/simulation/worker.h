/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One worker: an engine, a fiber, an inbox. A turn takes some messages, runs some timers, and is a quiescent
 * state at its end.
 */
#ifndef BYEPASS_TESTS_SIMULATION_WORKER_H
#define BYEPASS_TESTS_SIMULATION_WORKER_H

#include "edge.h"
#include "fiber.h"
#include "witness.h"

/* What lies in an inbox: a message, or an ICMP error (sent is NULL). */
struct parcel {
	struct sent *sent;
	struct bp_flow to;
	struct text quoted;
	struct parcel *next;
};

struct worker {
	struct sim *sim;
	struct edge *edge;
	uint16_t index;
	struct bp_engine *engine;
	struct bp_counters counters;
	struct fiber *fiber;
	struct parcel *inbox, **inbox_end;
	unsigned waiting; /* in the inbox */
	struct in_hand hand;
	bool in_turn;
	uint64_t alarm, alarm_us; /* the one turn that is on the agenda */
	uint64_t next_us;         /* when the engine's next timer is due */
	struct bp_flow to;        /* what is reserved */
	uint32_t reserved;
	uint8_t buffer[65536];
};

void worker_begin(struct worker *worker, struct edge *edge, struct sim *sim, struct bp_edge *shared, uint16_t index);
/* @whole: its engine is free to go, too. */
void worker_end(struct worker *worker, bool whole);
/* Puts a copy of @parcel into the inbox. */
void worker_hand(struct worker *worker, const struct parcel *parcel);

/* edge.c */
void edge_defer(struct edge *edge, struct bp_batch *batch);
/* @worker has come to the end of a turn. */
void edge_quiescent(struct edge *edge, unsigned worker);

#endif
