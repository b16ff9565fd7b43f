/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making and freeing a wire and what it stands on: all memory that dataplane/wire ever takes. Control
 * thread only; no other file here allocates but from the mbuf pools.
 */
#include "wire/neighbour_table.h"
#include "wire/reassembly_table.h"
#include "wire/state.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_random.h>

int
bp_neighbours_create(struct bp_neighbours **out, unsigned capacity, int numa_node)
{
	struct bp_neighbours *neighbours;
	uint32_t buckets = 2;

	while (buckets * BP_NEIGHBOUR_WAYS < capacity && buckets < 1u << 20)
		buckets *= 2;
	neighbours = rte_zmalloc_socket("neighbours",
		sizeof(*neighbours) + (size_t)buckets * BP_NEIGHBOUR_WAYS * sizeof(struct bp_neighbour_slot),
		64, numa_node);
	if (neighbours == NULL)
		return -ENOMEM;
	neighbours->secret[0] = rte_rand() | 1;
	neighbours->secret[1] = rte_rand() | 1;
	neighbours->bucket_mask = buckets - 1;
	atomic_store(&neighbours->fragment, (uint32_t)rte_rand());
	*out = neighbours;
	return 0;
}

void
bp_neighbours_free(struct bp_neighbours *neighbours)
{
	rte_free(neighbours);
}

struct bp_reassembly *
bp_reassembly_create(int numa_node)
{
	struct bp_reassembly *reassembly =
		rte_zmalloc_socket("reassembly", sizeof(*reassembly), 64, numa_node);

	if (reassembly == NULL)
		return NULL;
	reassembly->secret = rte_rand() | 1;
	reassembly->oldest = BP_REASSEMBLY_NONE;
	reassembly->newest = BP_REASSEMBLY_NONE;
	for (unsigned i = 0; i < BP_REASSEMBLY_BUCKETS; i++)
		reassembly->buckets[i] = BP_REASSEMBLY_NONE;
	for (unsigned i = 0; i < BP_REASSEMBLY_DATAGRAMS; i++)
		reassembly->datagrams[i].next =
			(uint16_t)(i + 1 < BP_REASSEMBLY_DATAGRAMS ? i + 1 : BP_REASSEMBLY_NONE);
	for (unsigned i = 0; i < BP_WIRE_FRAGMENTS_MAX; i++)
		reassembly->pieces[i].next =
			(uint16_t)(i + 1 < BP_WIRE_FRAGMENTS_MAX ? i + 1 : BP_REASSEMBLY_NONE);
	return reassembly;
}

void
bp_reassembly_free(struct bp_reassembly *reassembly)
{
	rte_free(reassembly);
}

static struct bp_ip
link_local(const uint8_t mac[6])
{
	return (struct bp_ip){.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 0x02, mac[1], mac[2], 0xff,
				      0xfe, mac[3], mac[4], mac[5]}};
}

int
bp_wire_create(struct bp_wire **out, const struct bp_config *config, const struct bp_wire_port *ports,
	unsigned port_count, struct bp_neighbours *neighbours, struct rte_mempool *packets,
	struct rte_mempool *large, const struct bp_wire_handlers *handlers, struct bp_counters *counters)
{
	uint16_t room = rte_pktmbuf_data_room_size(packets);
	struct bp_wire *wire;
	int error = -ENOMEM;

	if (port_count > BP_WIRE_PORTS_MAX)
		return -E2BIG;
	if (room < RTE_PKTMBUF_HEADROOM + 2048 || rte_pktmbuf_data_room_size(large) < room)
		return -EINVAL;
	wire = rte_zmalloc_socket("wire", sizeof(*wire), 64, packets->socket_id);
	if (wire == NULL)
		return -ENOMEM;
	wire->addresses = rte_zmalloc_socket("addresses", bp_addresses_size(), 64, packets->socket_id);
	wire->reassembly = bp_reassembly_create(packets->socket_id);
	if (wire->addresses == NULL || wire->reassembly == NULL)
		goto fail;
	wire->counters = counters;
	wire->handlers = *handlers;
	wire->neighbours = neighbours;
	wire->packets = packets;
	wire->large = large;
	wire->packets_room = (uint32_t)room - RTE_PKTMBUF_HEADROOM;
	wire->ipv4_id = (uint16_t)rte_rand();
	wire->port_count = port_count;
	for (unsigned i = 0; i < port_count; i++) {
		wire->ports[i].device = ports[i];
		wire->ports[i].link_local = link_local(ports[i].mac);
	}
	bp_bucket_fill(&wire->icmp_errors, BP_ICMP_ERRORS_PER_SECOND, BP_ICMP_ERRORS_BURST);
	bp_bucket_fill(&wire->echoes, BP_ECHO_PER_SECOND, BP_ECHO_BURST);
	error = bp_wire_configure(wire, config);
	if (error != 0)
		goto fail;
	*out = wire;
	return 0;
fail:
	bp_reassembly_free(wire->reassembly);
	rte_free(wire->addresses);
	rte_free(wire);
	return error;
}

void
bp_wire_free(struct bp_wire *wire)
{
	if (wire == NULL)
		return;
	bp_reassembly_clear(wire);
	rte_pktmbuf_free(wire->reserved);
	rte_mempool_put_bulk(wire->packets, (void **)wire->ahead, wire->ahead_count);
	for (unsigned i = 0; i < wire->waiting_count; i++)
		rte_pktmbuf_free(wire->waiting[i].output.mbuf);
	for (unsigned i = 0; i < wire->looped_count; i++)
		rte_pktmbuf_free(wire->looped[i].mbuf);
	for (unsigned i = 0; i < wire->port_count; i++)
		rte_pktmbuf_free_bulk(wire->ports[i].queue.frames, wire->ports[i].queue.count);
	bp_reassembly_free(wire->reassembly);
	rte_free(wire->addresses);
	rte_free(wire);
}
