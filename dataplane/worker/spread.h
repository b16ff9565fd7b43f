/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Calls spread over workers by their Call-ID. A trunk may talk from one port to one port, which is one flow for a NIC's
 * receive side scaling, and all of it comes to one queue. Then whoever receives a frame looks for the Call-ID in it and
 * hands it to worker[hash(Call-ID)], whole and unlooked at otherwise: one ring leads from each worker to each other, so
 * what one has received of a call stays in its order, and nobody waits for anybody. What has no Call-ID where it is looked for (fragments, ARP, rubbish) stays. Nothing but speed depends on who
 * gets a message.
 */
#ifndef BYEPASS_WORKER_SPREAD_H
#define BYEPASS_WORKER_SPREAD_H

#include "byepass/config.h"
#include "byepass/counters.h"
#include "transaction/keyed_hash.h"

#include <stdbool.h>

struct rte_mbuf;
struct rte_ring;

#define BP_SPREAD_RING 4096 /* frames on their way from one worker to another */

/* Shared by all workers; read only once they run, but for the rings and whose turn it is. */
struct bp_spread {
	struct bp_hash_key key; /* secret: nobody outside can aim at one worker */
	unsigned workers;
	size_t ring_size; /* bytes */
	uint8_t *rings;   /* workers * workers: of the first receiver those of each sender, then of the next */
	struct {
		unsigned sender; /* receiver: rw. Whose ring it looks into first */
	} __attribute__((aligned(64))) turns[BP_CONFIG_WORKERS_MAX];
};

/* Single producer, single consumer. */
static inline struct rte_ring *
bp_spread_ring(const struct bp_spread *spread, unsigned from, unsigned to)
{
	return (struct rte_ring *)(void *)(spread->rings + (to * spread->workers + from) * spread->ring_size);
}

/* 0 or -errno. Control; EAL is up. */
int bp_spread_create(struct bp_spread **out, unsigned workers);
/* Frames that are still on their way are let go. NULL is legal. No worker runs. */
void bp_spread_free(struct bp_spread *spread);

/* Hands on those of @frames, received on the port with index @port, that are others'. Returns how many are left, in their
 * order, at the front of @frames. What finds a full ring is dropped and counted. Thread: worker @self. */
unsigned bp_spread_out(struct bp_spread *spread, unsigned self, unsigned port, struct rte_mbuf **frames, unsigned count,
	struct bp_counters *counters);

/* Takes up to @max frames that others have handed to @self, of each sender in its order. Returns how many. Thread: worker @self. */
unsigned bp_spread_in(struct bp_spread *spread, unsigned self, struct rte_mbuf **frames, unsigned max);
/* The index of the port that a frame out of bp_spread_in() was received on. */
unsigned bp_spread_port(const struct rte_mbuf *frame);

/* The Call-ID of the SIP message in an Ethernet frame (RFC 3261 20.8; IPv4 or IPv6, whole). NULL: none is found. */
const uint8_t *bp_spread_call_id(const uint8_t *frame, uint32_t size, uint32_t *id_size);

#endif
