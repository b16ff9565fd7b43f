/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The wire of one worker: takes bursts apart and counts what became of each frame; the turn
 * and the tick. ethernet.c is the first step up, udp.c has the last step up and the first down;
 * create.c makes it all.
 */
#include "wire/wire.h"

#include "wire/packet.h"
#include "wire/state.h"

#include <rte_prefetch.h>

#define PREFETCH_AHEAD 4
#define PREFETCH_LINES 10 /* of most SIP messages all, or nearly */

int
bp_wire_configure(struct bp_wire *wire, const struct bp_config *config)
{
	wire->way_generation++;
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

/* The headers at once, the message by the time that it is parsed. */
static void
prefetch(const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);

	rte_prefetch0(bytes);
	for (unsigned line = 1; line < PREFETCH_LINES; line++)
		rte_prefetch1(bytes + line * RTE_CACHE_LINE_SIZE);
}

/* At most BP_WIRE_BURST frames. They are let go after what is in them has been handed up. */
static void
take_burst(struct bp_wire *wire, unsigned port, struct rte_mbuf **frames, unsigned count)
{
	struct rte_mbuf *done[BP_WIRE_BURST];
	unsigned done_count = 0;

	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(frames[i]);
	for (unsigned i = 0; i < count && i < PREFETCH_AHEAD; i++)
		prefetch(frames[i]);
	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *frame = frames[i];
		uint32_t bytes = frame->pkt_len, members = 1;
		unsigned verdict;

		if (i + PREFETCH_AHEAD < count)
			prefetch(frames[i + PREFETCH_AHEAD]);
		verdict = bp_ethernet_input(wire, (uint16_t)port, frame, &members);
		bp_wire_received(wire, verdict, members, bytes);
		if (verdict != BP_VERDICT_HELD)
			done[done_count++] = frame;
	}
	bp_udp_deliver(wire);
	rte_pktmbuf_free_bulk(done, done_count);
}

void
bp_wire_input(struct bp_wire *wire, unsigned port, struct rte_mbuf **frames, unsigned count, uint64_t now_us)
{
	wire->now_us = now_us;
	for (unsigned i = 0; i < count; i += BP_WIRE_BURST)
		take_burst(wire, port, frames + i, RTE_MIN(count - i, (unsigned)BP_WIRE_BURST));
}

unsigned
bp_wire_flush(struct bp_wire *wire)
{
	unsigned moved = 0;

	if (unlikely(wire->looped_count != 0))
		moved = bp_output_deliver_looped(wire);
	bp_output_retry(wire);
	return moved + bp_output_flush(wire);
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

		if (interface->family == 4) {
			bp_arp_announce(wire, interface->port, interface->vlan, &interface->ip);
		} else {
			bp_mld_join(wire, interface->port, interface->vlan, &interface->ip);
			bp_nd_announce(wire, interface->port, interface->vlan, &interface->ip);
		}
	}
}
