/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packet buffers. One pool per worker, used by that worker alone once it runs: its mempool cache serves
 * nearly every call. A pool must fill every descriptor of its queues and still have some left,
 * or reception starves; AF_XDP holds the most (2,048 to fill, a transmit and a completion ring).
 */
#include "worker/pools.h"
#include "worker/device.h"
#include "wire/wire.h"

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <stdio.h>

#define PER_PORT 4096 /* buffers that a port's rings may hold */
#define BESIDES 4095  /* bursts, reassembly, packets that wait for a neighbour, the cache */
#define CACHE 256
#define LARGE_COUNT 127
#define LARGE_CACHE 16
#define FRAMES_COUNT (BP_WIRE_FRAGMENTS_MAX * 2 - 1) /* though reassembly holds half, reception goes on */
#define FRAME_OVERHEAD 282   /* Ethernet, two VLAN tags, CRC; 256 bytes that AF_XDP takes for itself */
#define ELEMENT_OVERHEAD 256 /* mbuf and mempool headers */
#define PAGE 4096
#define PER_WORKER (24ull << 20) /* wire's tables, trace ring, allocator's losses */
#define ONCE (32ull << 20)       /* neighbours, ethdev's own */

static uint16_t
packet_room(const struct bp_config *config)
{
	unsigned room = 2048;

	for (unsigned i = 0; i < config->port_count; i++)
		room = RTE_MAX(room, config->ports[i].mtu + (unsigned)FRAME_OVERHEAD);
	room = RTE_ALIGN_CEIL(room, RTE_CACHE_LINE_SIZE) + RTE_PKTMBUF_HEADROOM;
	return (uint16_t)RTE_MIN(room, (unsigned)UINT16_MAX);
}

static unsigned
packet_count(const struct bp_config *config)
{
	return BESIDES + PER_PORT * config->port_count;
}

/* Room for the longest frame of those ports that have one of their own; 0: no such port. */
static uint16_t
frame_room(const struct bp_config *config)
{
	uint32_t room = 0;

	for (unsigned i = 0; i < config->port_count; i++)
		room = RTE_MAX(room, bp_device_longest_frame(config->ports[i].device));
	if (room == 0)
		return 0;
	room += RTE_PKTMBUF_HEADROOM;
	return (uint16_t)RTE_MIN(room, (uint32_t)UINT16_MAX);
}

int
bp_pools_create(struct bp_pools *pools, const struct bp_config *config, unsigned worker, int node)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	memset(pools, 0, sizeof(*pools));
	snprintf(name, sizeof(name), "packets_%u", worker);
	pools->packets =
		rte_pktmbuf_pool_create(name, packet_count(config), CACHE, 0, packet_room(config), node);
	if (!pools->packets)
		return rte_errno ? -rte_errno : -ENOMEM;
	snprintf(name, sizeof(name), "large_%u", worker);
	pools->large = rte_pktmbuf_pool_create(name, LARGE_COUNT, LARGE_CACHE, 0, UINT16_MAX, node);
	if (!pools->large)
		return rte_errno ? -rte_errno : -ENOMEM;
	if (frame_room(config)) {
		snprintf(name, sizeof(name), "frames_%u", worker);
		pools->frames =
			rte_pktmbuf_pool_create(name, FRAMES_COUNT, CACHE, 0, frame_room(config), node);
		if (!pools->frames)
			return rte_errno ? -rte_errno : -ENOMEM;
	}
	return 0;
}

void
bp_pools_free(struct bp_pools *pools)
{
	rte_mempool_free(pools->packets);
	rte_mempool_free(pools->large);
	rte_mempool_free(pools->frames);
	memset(pools, 0, sizeof(*pools));
}

struct rte_mempool *
bp_pools_receive(const struct bp_pools *pools, const struct bp_config_port *port)
{
	return bp_device_longest_frame(port->device) ? pools->frames : pools->packets;
}

/* An element is not laid across a boundary of two pages that may not be neighbours in memory, so small pages
 * waste what is left of them. */
static uint64_t
element(uint64_t room)
{
	uint64_t size = room + ELEMENT_OVERHEAD;

	return size > PAGE / 2 ? RTE_ALIGN_CEIL(size, PAGE) : size;
}

uint64_t
bp_pools_memory(const struct bp_config *config)
{
	uint64_t worker = packet_count(config) * element(packet_room(config));

	worker += (LARGE_COUNT + 1) * element(UINT16_MAX) + PER_WORKER;
	if (frame_room(config))
		worker += FRAMES_COUNT * element(frame_room(config));
	return ONCE + worker * config->workers.count;
}
