/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ports and packets: frames in, SIP datagrams out, and back. One bp_wire per worker,
 * called by that worker only; neighbours (ARP, ND) are shared by all workers, lock-free.
 * No blocking, no log, no malloc after creation.
 */
#ifndef BYEPASS_WIRE_WIRE_H
#define BYEPASS_WIRE_WIRE_H

#include "byepass/config.h"
#include "byepass/counters.h"

struct rte_mbuf;
struct rte_mempool;
struct bp_wire;
struct bp_neighbours;

#define BP_WIRE_BURST 64
#define BP_WIRE_PORTS_MAX 64
#define BP_WIRE_INTERFACES_MAX 4096
#define BP_WIRE_LISTENERS_MAX 4096

/* Mbufs that one wire may hold beyond the burst it works on: counts for the size of the pools. */
#define BP_WIRE_FRAGMENTS_MAX 1024 /* of the receive queues' pool */
#define BP_WIRE_WAITING_MAX                                                                                  \
	256 /* for a neighbour; of `packets`, and at most BP_WIRE_WAITING_LARGE_MAX of `large` */
#define BP_WIRE_WAITING_LARGE_MAX 8
#define BP_WIRE_WAITING_PER_NEIGHBOUR 32
#define BP_WIRE_LOOPED_MAX 64

/* What the wire needs to know of a port that worker/port.c opened. Index = index into bp_config.ports. */
struct bp_wire_port {
	uint16_t id;    /* DPDK port id */
	uint16_t queue; /* this worker's queue pair */
	uint16_t mtu;   /* bytes of an IP packet */
	uint8_t mac[6];
	bool tx_ipv4_checksum, tx_udp_checksum; /* offloads that were enabled */
	bool rx_checksum; /* the port reports checksum results in ol_flags */
};

struct bp_wire_handlers {
	void *context;
	/* Whole SIP datagrams for listeners in the order of their arrival, at most BP_WIRE_BURST; their bytes are
	 * valid during the call only. */
	void (*datagrams)(void *context, const struct bp_datagram *datagrams, unsigned count);
	/* An ICMP error says that @to cannot be reached, or its neighbour did not answer ARP or ND (RFC
	 * 3261 18.4).
	 * @quoted: the start of our datagram's payload. */
	void (*unreachable)(void *context, const struct bp_flow *to, const uint8_t *quoted, uint32_t size);
};

/* Shared neighbour table. 0 or -ENOMEM. */
int bp_neighbours_create(struct bp_neighbours **out, unsigned capacity, int numa_node);
void bp_neighbours_free(struct bp_neighbours *neighbours);

/* @packets: mbufs of at least 2,048 bytes + headroom; @large: mbufs with 64 KiB of data room for linear
 * copies.
 * @config: see bp_wire_configure. */
int bp_wire_create(struct bp_wire **out, const struct bp_config *config, const struct bp_wire_port *ports,
	unsigned port_count, struct bp_neighbours *neighbours, struct rte_mempool *packets,
	struct rte_mempool *large, const struct bp_wire_handlers *handlers, struct bp_counters *counters);
void bp_wire_free(struct bp_wire *wire);

/* The snapshot to use from now on (interfaces, listeners); called by the worker between bursts. What is
 * needed of it is copied. 0, or -E2BIG: more interfaces or listeners than above, or one on a port or
 * interface that is not there; then the old ones stay. */
int bp_wire_configure(struct bp_wire *wire, const struct bp_config *config);

/* Takes a burst received on @port and consumes all of it; handlers run inside, datagrams' last. */
void bp_wire_input(
	struct bp_wire *wire, unsigned port, struct rte_mbuf **frames, unsigned count, uint64_t now_us);

/* Transmit side of bp_engine_hooks: same contract as reserve and send there. Messages over the MTU leave as
 * fragments. An unresolved neighbour holds a few packets while it is asked for. What is for one of our own
 * addresses in the listener's realm and port comes in again at the next flush, on this worker,
 * BP_WIRE_LOOPED_MAX at a time. */
uint8_t *bp_wire_reserve(struct bp_wire *wire, const struct bp_flow *to, uint32_t size);
void bp_wire_send(struct bp_wire *wire, const struct bp_flow *to, uint32_t size);

/* Once per loop turn: brings in what was sent to one of our own addresses (a handler may run), sends what
 * waited and is resolved now, and hands what is queued to the devices. Returns how many packets moved. */
unsigned bp_wire_flush(struct bp_wire *wire);

/* Slow work: neighbour retries and expiry, reassembly time-outs; handlers.unreachable may run. About every 10
 * ms; bounded. */
void bp_wire_tick(struct bp_wire *wire, uint64_t now_us);

/* Announces our addresses (gratuitous ARP, MLD report, unsolicited NA). First worker only. */
void bp_wire_announce(struct bp_wire *wire, uint64_t now_us);

#endif
