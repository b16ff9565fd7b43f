/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP (RFC 768, RFC 8200 8.1): from a packet to a SIP datagram of a listener, and back.
 */
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/packet.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_udp.h>

#define MESSAGE_MAX 65507u /* what IPv4 can carry; the same limit for both families */

void
bp_udp_deliver(struct bp_wire *wire)
{
	unsigned count = wire->arrived_count;

	if (count == 0)
		return;
	wire->arrived_count = 0;
	wire->handlers.datagrams(wire->handlers.context, wire->arrived, count);
}

unsigned
bp_udp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)bytes;
	struct bp_flow from = {.ip = packet->source, .transport = BP_TRANSPORT_UDP};
	uint32_t udp_size;

	if (size < sizeof(*udp))
		return BP_DROP_udp_malformed;
	udp_size = rte_be_to_cpu_16(udp->dgram_len);
	if (udp_size < sizeof(*udp) || udp_size > size || udp->src_port == 0)
		return BP_DROP_udp_malformed;
	if (udp->dgram_cksum == 0) {
		if (packet->family == 6 && !packet->looped)
			return BP_DROP_udp_checksum;
	} else if (!packet->checksum_verified &&
		   bp_checksum_transport(packet->family, &packet->source, &packet->destination, IPPROTO_UDP,
			   bytes, udp_size) != 0) {
		return BP_DROP_udp_checksum;
	}
	from.port = rte_be_to_cpu_16(udp->src_port);
	from.listener = bp_addresses_find_listener(
		wire->addresses, packet->interface, rte_be_to_cpu_16(udp->dst_port));
	if (from.listener == BP_CONFIG_NONE) {
		bp_icmp_port_unreachable(wire, packet);
		return BP_DROP_udp_port_closed;
	}
	if (wire->arrived_count == BP_WIRE_BURST)
		bp_udp_deliver(wire);
	wire->arrived[wire->arrived_count++] = (struct bp_datagram){
		.from = from, .bytes = bytes + sizeof(*udp), .size = udp_size - (uint32_t)sizeof(*udp)};
	if (packet->base == wire->scratch) /* which the next one may need */
		bp_udp_deliver(wire);
	return BP_VERDICT_DELIVERED;
}

uint8_t *
bp_wire_reserve(struct bp_wire *wire, const struct bp_flow *to, uint32_t size)
{
	(void)to;
	rte_pktmbuf_free(wire->reserved);
	wire->reserved = NULL;
	if (size > MESSAGE_MAX) {
		bp_wire_drop(wire, BP_DROP_tx_too_large, 1);
		return NULL;
	}
	wire->reserved = bp_output_alloc(wire, size);
	wire->reserved_size = size;
	return wire->reserved != NULL ? rte_pktmbuf_mtod(wire->reserved, uint8_t *) : NULL;
}

/* Addresses @output. False: there is no way to @to. */
static bool
address(struct bp_wire *wire, const struct bp_flow *to, struct bp_output *output, bool *local)
{
	const struct bp_listener *listener = bp_addresses_listener(wire->addresses, to->listener);
	struct bp_route route;

	if (listener == NULL || !bp_addresses_route(wire->addresses, listener->interface, &to->ip, &route))
		return false;
	*output = (struct bp_output){
		.source = listener->ip,
		.destination = to->ip,
		.next_hop = {.ip = route.next_hop,
			.port = route.interface->port,
			.vlan = route.interface->vlan},
		.asker = route.interface->ip,
		.port = route.interface->port,
		.vlan = route.interface->vlan,
		.listener = to->listener,
		.family = route.interface->family,
		.protocol = IPPROTO_UDP,
	};
	*local = route.local;
	return true;
}

void
bp_wire_send(struct bp_wire *wire, const struct bp_flow *to, uint32_t size)
{
	struct rte_mbuf *mbuf = wire->reserved;
	struct rte_udp_hdr *udp;
	struct bp_output output;
	bool local = false;

	if (mbuf == NULL)
		return;
	wire->reserved = NULL;
	if (unlikely(size > wire->reserved_size || to->port == 0)) {
		bp_wire_drop(wire, to->port == 0 ? BP_DROP_tx_no_route : BP_DROP_tx_too_large, 1);
		rte_pktmbuf_free(mbuf);
		return;
	}
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	if (likely(bp_way_send(wire, to, mbuf)))
		return;
	if (unlikely(!address(wire, to, &output, &local))) {
		bp_wire_drop(wire, BP_DROP_tx_no_route, 1);
		rte_pktmbuf_free(mbuf);
		return;
	}
	udp = (struct rte_udp_hdr *)rte_pktmbuf_prepend(mbuf, sizeof(*udp));
	udp->src_port = rte_cpu_to_be_16(bp_addresses_listener(wire->addresses, to->listener)->port);
	udp->dst_port = rte_cpu_to_be_16(to->port);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(size + sizeof(*udp)));
	udp->dgram_cksum = 0;
	output.mbuf = mbuf;
	if (unlikely(local))
		bp_output_loop(wire, &output);
	else
		bp_output_datagram(wire, &output);
}

void
bp_udp_failed(struct bp_wire *wire, const struct bp_output *output)
{
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod(output->mbuf, const struct rte_udp_hdr *);
	struct bp_flow to = {
		.ip = output->destination,
		.port = rte_be_to_cpu_16(udp->dst_port),
		.listener = output->listener,
		.transport = BP_TRANSPORT_UDP,
	};

	if (output->listener == BP_CONFIG_NONE)
		return;
	bp_udp_deliver(wire);
	wire->handlers.unreachable(wire->handlers.context, &to, (const uint8_t *)(udp + 1),
		output->mbuf->pkt_len - (uint32_t)sizeof(*udp));
}
