/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The wire of one worker: made and freed here; takes bursts apart and counts what became of
 * each frame. ethernet.c is the first step up, udp.c has the last step up and the first down.
 */
#include "wire/wire.h"

#include "wire/packet.h"
#include "wire/state.h"

#include <errno.h>

#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <rte_random.h>

#define PREFETCH_AHEAD 4

static struct bp_ip
link_local(const uint8_t mac[6])
{
	return (struct bp_ip){.bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 0x02, mac[1], mac[2], 0xff, 0xfe,
				      mac[3], mac[4], mac[5]}};
}

int
bp_wire_create(struct bp_wire **out, const struct bp_config *config, const struct bp_wire_port *ports,
	unsigned port_count, struct bp_neighbours *neighbours, struct rte_mempool *packets, struct rte_mempool *large,
	const struct bp_wire_handlers *handlers, struct bp_counters *counters)
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

int
bp_wire_configure(struct bp_wire *wire, const struct bp_config *config)
{
	return bp_addresses_build(wire->addresses, config, wire->port_count);
}

void
bp_wire_received(struct bp_wire *wire, unsigned verdict, uint32_t members, uint32_t bytes)
{
	struct bp_counters *counters = wire->counters;

	bp_count(&counters->frames_received, 1);
	bp_count(&counters->bytes_received, bytes);
	if (verdict == BP_VERDICT_DELIVERED)
		bp_count(&counters->frames_delivered, members);
	else if (verdict == BP_VERDICT_HANDLED)
		bp_count(&counters->frames_handled, members);
	else if (verdict < BP_DROP_COUNT)
		bp_count(&counters->drops[verdict], members);
	/* HELD: reassembly has counted it and will say what became of it */
}

void
bp_wire_input(struct bp_wire *wire, unsigned port, struct rte_mbuf **frames, unsigned count, uint64_t now_us)
{
	wire->now_us = now_us;
	for (unsigned i = 0; i < count && i < PREFETCH_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *frame = frames[i];
		uint32_t bytes = frame->pkt_len, members = 1;
		unsigned verdict;

		if (i + PREFETCH_AHEAD < count)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + PREFETCH_AHEAD], void *));
		verdict = bp_ethernet_input(wire, (uint16_t)port, frame, &members);
		bp_wire_received(wire, verdict, members, bytes);
		if (verdict != BP_VERDICT_HELD)
			rte_pktmbuf_free(frame);
	}
}

unsigned
bp_wire_flush(struct bp_wire *wire)
{
	if (unlikely(wire->looped_count != 0))
		bp_output_deliver_looped(wire);
	bp_output_retry(wire);
	return bp_output_flush(wire);
}

void
bp_wire_tick(struct bp_wire *wire, uint64_t now_us)
{
	wire->now_us = now_us;
	bp_output_tick(wire);
	bp_reassembly_tick(wire);
}

void
bp_wire_announce(struct bp_wire *wire, uint64_t now_us)
{
	wire->now_us = now_us;
	for (unsigned i = 0; i < bp_addresses_interface_count(wire->addresses); i++) {
		const struct bp_interface *interface = bp_addresses_interface(wire->addresses, (uint16_t)i);

		if (interface->family == 4)
			bp_arp_announce(wire, interface->port, interface->vlan, &interface->ip);
		else
			bp_nd_announce(wire, interface->port, interface->vlan, &interface->ip);
	}
}
