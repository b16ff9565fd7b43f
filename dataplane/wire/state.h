/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What one worker's wire holds. Private to dataplane/wire; touched by its worker alone, but
 * for the neighbours.
 */
#ifndef BYEPASS_WIRE_STATE_H
#define BYEPASS_WIRE_STATE_H

#include "wire/address.h"
#include "wire/bucket.h"
#include "wire/neighbour.h"
#include "wire/output.h"
#include "wire/reassembly.h"
#include "wire/way.h"
#include "wire/wire.h"

#include <rte_mbuf.h>

#define BP_TX_QUEUE 128
#define BP_LOOP_QUEUE BP_WIRE_LOOPED_MAX

/* ICMP that we originate, per worker: errors are few by need (RFC 1812 4.3.2.8), echo replies more. */
#define BP_ICMP_ERRORS_PER_SECOND 100
#define BP_ICMP_ERRORS_BURST 20
#define BP_ECHO_PER_SECOND 1000
#define BP_ECHO_BURST 200

struct bp_tx_queue {
	uint16_t count;
	struct rte_mbuf *frames[BP_TX_QUEUE];
};

struct bp_wire_end {
	struct bp_wire_port device;
	struct bp_ip link_local; /* fe80::/64 with the EUI-64 of the MAC address (RFC 4291 2.5.1) */
	struct bp_tx_queue queue;
};

/* A datagram that waits for its next hop's MAC address. */
struct bp_waiting {
	struct bp_output output;
	uint64_t since_us;
};

#define BP_WIRE_AHEAD 16 /* buffers that are asked for at a time */

struct bp_wire {
	uint64_t now_us;
	unsigned arrived_count;
	struct bp_datagram arrived[BP_WIRE_BURST]; /* of the burst at hand: parsed so far, not yet handed up */
	struct bp_counters *counters;
	struct bp_wire_handlers handlers;
	struct bp_addresses *addresses;
	struct bp_neighbours *neighbours;
	struct rte_mempool *packets;
	struct rte_mempool *large;
	struct bp_reassembly *reassembly;
	struct rte_mbuf *reserved; /* between reserve and send */
	uint32_t reserved_size;
	struct rte_mbuf *ahead[BP_WIRE_AHEAD]; /* of `packets`, taken before they are needed; the first @ahead_count */
	unsigned ahead_count;
	uint32_t packets_room; /* bytes from the start of the headers to the end of a `packets` mbuf */
	uint16_t ipv4_id;
	unsigned port_count;
	struct bp_bucket icmp_errors;
	struct bp_bucket echoes;

	uint32_t resolutions_seen;
	unsigned waiting_count;
	unsigned looped_count;
	struct bp_waiting waiting[BP_WIRE_WAITING_MAX];
	struct bp_waiting failed[BP_WIRE_WAITING_MAX]; /* of one tick, while their handlers run */
	struct bp_output looped[BP_LOOP_QUEUE];

	uint32_t way_generation; /* counts configurations, from 1 */
	struct bp_way ways[BP_WAYS];

	struct bp_wire_end ports[BP_WIRE_PORTS_MAX];
	uint8_t scratch[BP_SCRATCH_SIZE]; /* where a packet of several mbufs is made linear */
};

static inline void
bp_wire_drop(struct bp_wire *wire, enum bp_drop reason, uint32_t n)
{
	bp_count(&wire->counters->drops[reason], n);
}

#endif
