/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A wire and an engine that only write down what they were asked: the worker's tests run
 * between these two.
 */
#ifndef TEST_WORKER_FAKE_H
#define TEST_WORKER_FAKE_H

#include "byepass/config.h"
#include "byepass/counters.h"

struct bp_wire_handlers;
struct bp_engine_hooks;
struct bp_batch;

struct fake {
	/* wire */
	unsigned wires, neighbours;
	unsigned frames, bursts, flushes, ticks, announcements;
	uint64_t input_us, tick_us, announce_us;
	unsigned input_port;
	unsigned sent;
	uint8_t room[2048];
	bool no_room;
	/* engine */
	unsigned edges, engines;
	unsigned received, expired, drained, flushed, failed;
	uint64_t received_us, expired_us, next_us;
	uint32_t received_size;
	struct bp_flow flow;
	unsigned released;
	uint32_t transactions, dialogs;
	uint64_t kept_bytes;
	uint16_t workers;
	uint8_t seed[32];
	int engine_rc; /* what bp_engine_create returns */
	/* what they were given */
	struct bp_counters *counters;
	void *context;
	void (*datagrams)(void *context, const struct bp_datagram *datagrams, unsigned count);
	void (*unreachable)(void *context, const struct bp_flow *to, const uint8_t *quoted, uint32_t size);
	uint8_t *(*reserve)(void *context, const struct bp_flow *to, uint32_t size);
	void (*send)(void *context, const struct bp_flow *to, uint32_t size);
	void (*defer)(void *context, struct bp_batch *batch);
};

extern struct fake fake;

#endif
