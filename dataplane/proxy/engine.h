/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine: bytes, a flow and `now` go in; bytes and flows come out. It makes no
 * system call, has no clock, and allocates from the pools made at creation only. The same
 * engine runs on an lcore, in a fuzz target and in virtual time.
 *
 * One bp_edge is shared by all workers: table, records, dialogs. One bp_engine per
 * worker: its timers, free lists, counters and hooks; only its worker calls it.
 */
#ifndef BYEPASS_PROXY_ENGINE_H
#define BYEPASS_PROXY_ENGINE_H

#include "byepass/cdr.h"
#include "byepass/config.h"
#include "byepass/counters.h"
#include "byepass/names.h"
#include "byepass/kpi.h"

struct bp_edge;
struct bp_engine;
struct bp_batch;

/* What the engine needs of whoever runs it. Called on the worker's thread only. */
struct bp_engine_hooks {
	void *context;
	/* Room for a message of @size bytes to @to; written to until send. NULL: none (counted by the callee). At
	 * most one reservation is open at a time; a second reserve drops the first. */
	uint8_t *(*reserve)(void *context, const struct bp_flow *to, uint32_t size);
	/* Sends what was reserved: @size bytes, no more than reserved. */
	void (*send)(void *context, const struct bp_flow *to, uint32_t size);
	/* Takes a batch of freed memory, to be given to bp_batch_release() after an RCU grace period, on any thread. */
	void (*defer)(void *context, struct bp_batch *batch);
	/* What is known of a name now (RFC 3263); *@name with BP_NAME_FOUND, good until the engine's call returns. Never
	 * waits. @ask: BP_NAME_WAITS is only returned with the question on its way; else nothing is asked. NULL: names are
	 * not resolved. */
	enum bp_name_status (*resolve)(
		void *context, const struct bp_name_key *key, bool ask, const struct bp_name_entry **name);
	/* A number that is another one once more is known. Set when resolve is. */
	uint64_t (*resolved)(void *context);
};

struct bp_edge_options {
	uint16_t workers;
	uint32_t transactions; /* records in all */
	uint32_t dialogs;
	uint64_t kept_bytes;   /* memory for kept messages in all */
	/* Zeroed memory for the pools; defaults to mmap. Released with unmap at bp_edge_free. */
	void *(*map)(size_t size);
	void (*unmap)(void *memory, size_t size);
	uint8_t seed[32]; /* keys of hashes and branches; fresh random bytes at each start */
	uint64_t epoch;   /* start time, seconds; goes into route tokens */
};

/* Makes the shared half. 0, or -ENOMEM, -EINVAL, -E2BIG (pools of more than 128 GiB). */
int bp_edge_create(struct bp_edge **out, const struct bp_config *config, const struct bp_edge_options *options);

/* All engines are freed, all batches released. NULL is legal. */
void bp_edge_free(struct bp_edge *edge);

/* Control: gives @take each call detail record that the workers have finished, those of one worker in the order in which it
 * did; a record is good during the call. Returns how many. */
unsigned bp_edge_cdrs(struct bp_edge *edge, void (*take)(void *context, const struct bp_cdr *cdr), void *context);

/* Control, when no engine runs any more: gives @take a record of each call that is still under way, as of @now_us. Nothing
 * but bp_edge_free() comes after it. Returns how many. */
unsigned bp_edge_cut_cdrs(
	struct bp_edge *edge, uint64_t now_us, void (*take)(void *context, const struct bp_cdr *cdr), void *context);

/* The figures of a trunk summed over the workers, into *@out. False: there is no such trunk. Any thread. */
bool bp_edge_kpi(const struct bp_edge *edge, uint16_t trunk, struct bp_kpi *out);

/* Swaps the snapshot that all engines read. Returns the old one; free it after a grace period. */
const struct bp_config *bp_edge_configure(struct bp_edge *edge, const struct bp_config *config);

/* @counters: written by this engine's worker alone; outlives the engine. */
int bp_engine_create(struct bp_engine **out, struct bp_edge *edge, uint16_t worker,
	const struct bp_engine_hooks *hooks, struct bp_counters *counters);
void bp_engine_free(struct bp_engine *engine);

/* One SIP datagram. @bytes need not outlive the call. @now_us: monotonic microseconds, never going back.
 * RCU: the caller is a registered, online QSBR reader and announces a quiescent state only between calls. */
void bp_engine_receive(struct bp_engine *engine, const struct bp_flow *from, const uint8_t *bytes, uint32_t size,
	uint64_t now_us);

/* Datagrams of one burst in the order of their arrival: as bp_engine_receive() for each, but the memory that one will
 * look at is asked for while others are at work. @datagrams and their bytes need not outlive the call. */
void bp_engine_receive_burst(
	struct bp_engine *engine, const struct bp_datagram *datagrams, unsigned count, uint64_t now_us);

/* Runs at most @budget expired timers. Returns the time of the next, UINT64_MAX: none. */
uint64_t bp_engine_expire(struct bp_engine *engine, uint64_t now_us, unsigned budget);

/* Hands the batch that is being filled to hooks.defer even when it is not full; once per loop turn is right. */
void bp_engine_flush(struct bp_engine *engine);

/* The far end cannot be reached (ICMP, ICMPv6: RFC 3261 18.4). Affects transactions that wait for it. @quoted: the
 * start of our datagram as quoted in the ICMP error, may be cut off; @size may be 0. */
void bp_engine_flow_failed(struct bp_engine *engine, const struct bp_flow *to, const uint8_t *quoted, uint32_t size,
	uint64_t now_us);

/* Sends OPTIONS number @number to a target of a trunk that keeps the health of its targets; others are ignored. What answers
 * it stands in the trunk's bp_target_health. Repeated with the same number it is a retransmission. */
void bp_engine_probe(struct bp_engine *engine, uint16_t trunk, uint16_t target, uint32_t number, uint64_t now_us);

/* Requests that wait for a name are answered with 503: the worker ends. */
void bp_engine_release(struct bp_engine *engine, uint64_t now_us);

/* From now on requests outside a transaction and outside a dialog get 503 with Retry-After. */
void bp_engine_drain(struct bp_engine *engine);

/* Gives the memory of a deferred batch back to its owners. Any thread, after a grace period. */
void bp_batch_release(struct bp_batch *batch);

#endif
