/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A worker: an engine, a wire, and the loop that turns them, on one lcore.
 */
#ifndef BYEPASS_WORKER_WORKER_H
#define BYEPASS_WORKER_WORKER_H

#include "byepass/config.h"
#include "byepass/counters.h"
#include "byepass/names.h"
#include "worker/clock.h"
#include "worker/idle.h"
#include "worker/mailbox.h"
#include "worker/pools.h"
#include "worker/trace.h"

#define BP_WORKER_BURST 32
#define BP_WORKER_EXPIRE_BUDGET 64 /* timers run in one turn */
#define BP_WORKER_TICK_US 10000
#define BP_WORKER_ANNOUNCEMENTS 2 /* RFC 5227 2.3: ANNOUNCE_NUM, ANNOUNCE_INTERVAL */
#define BP_WORKER_ANNOUNCE_US 2000000

struct bp_edge;
struct bp_engine;
struct bp_neighbours;
struct bp_ports;
struct bp_spread;
struct bp_wire;
struct call_rcu_data;

struct bp_worker_port {
	uint16_t id;
	uint16_t queue;
};

struct bp_worker {
	/* read only once the worker runs */
	const struct bp_config *config;
	struct bp_wire *wire;
	struct bp_engine *engine;
	struct bp_trace *trace;   /* NULL: tracing is off */
	struct bp_spread *spread; /* NULL: what comes in here is handled here */
	struct bp_worker_port *ports;
	unsigned port_count;
	unsigned index;
	struct bp_clock clock;
	struct call_rcu_data *reclaim;
	struct bp_pools pools;

	/* worker: rw */
	uint64_t now_us __attribute__((aligned(64)));
	uint64_t stage_tsc; /* when the stage that runs began */
	uint64_t stages[BP_STAGE_COUNT]; /* of the turn that runs */
	uint64_t next_timer_us;
	uint64_t next_tick_us;
	uint64_t announce_us;    /* next announcement, UINT64_MAX: none */
	unsigned announcements;  /* still to come */
	const uint8_t *reserved; /* what the engine writes its message to, for the trace */
	struct bp_idle idle;
	bool worked; /* the last turn found work */

	/* worker: w, control: r */
	struct bp_counters counters;
	bool running __attribute__((aligned(64))); /* turns its loop */
	/* control: w, worker: r */
	bool stop __attribute__((aligned(64)));
	struct bp_name_table *names; /* NULL: names are not resolved, or not yet */

	struct bp_mailbox mailbox;
};

/* Makes worker @index: pools are there already (@worker->pools), the rest is made here. Control only.
 * @worker: zeroed but for pools. 0 or -errno; bp_worker_free() in either case. */
int bp_worker_create(struct bp_worker *worker, unsigned index, const struct bp_config *config,
	const struct bp_ports *ports, struct bp_neighbours *neighbours, struct bp_edge *edge,
	const struct bp_clock *clock, struct call_rcu_data *reclaim, struct bp_spread *spread);

/* Engine, wire, mailbox, trace; not the pools. The worker does not run. */
void bp_worker_free(struct bp_worker *worker);

/* The lcore's function: turns until worker->stop. Returns 0. */
int bp_worker_run(void *worker);

/* What bp_worker_run() does before and after its turns: the thread becomes a reader of RCU, and stops being one. Thread:
 * the worker. */
void bp_worker_enter(struct bp_worker *worker);
void bp_worker_leave(struct bp_worker *worker);

/* One turn: receive, timers, tick, mail, transmit. @tsc: now. Returns whether there was work.
 * RCU: the caller is a registered, online reader; one quiescent state is announced at the end. */
bool bp_worker_turn(struct bp_worker *worker, uint64_t tsc);

/* When the worker has something to do even if no packet comes. */
uint64_t bp_worker_next_us(const struct bp_worker *worker);

/* The hooks' and handlers' functions; their context is the worker. Thread: the worker. */
enum bp_name_status bp_worker_resolve(
	void *context, const struct bp_name_key *key, bool ask, const struct bp_name_entry **name);
uint64_t bp_worker_resolved(void *context);
uint8_t *bp_worker_reserve(void *context, const struct bp_flow *to, uint32_t size);
void bp_worker_send(void *context, const struct bp_flow *to, uint32_t size);
void bp_worker_datagrams(void *context, const struct bp_datagram *datagrams, unsigned count);
void bp_worker_unreachable(void *context, const struct bp_flow *to, const uint8_t *quoted, uint32_t size);

#endif
