/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ethernet II with an optional 802.1Q tag: is the frame for us, on a VLAN that we know, and
 * whom does it go to next? Runs on the worker, for every frame. Neighbours: arp.c, ipv4.c, ipv6.c.
 */
#include "wire/ethernet.h"

#include "wire/packet.h"
#include "wire/state.h"

#define VLAN_ID_MASK 0x0fff

/* The frame's bytes in one piece: where they are, or copied into the scratch. NULL: too large. */
static const uint8_t *
frame_bytes(struct bp_wire *wire, struct rte_mbuf *frame)
{
	if (frame->nb_segs == 1)
		return rte_pktmbuf_mtod(frame, const uint8_t *);
	if (frame->pkt_len > sizeof(wire->scratch))
		return NULL;
	return rte_pktmbuf_read(frame, 0, frame->pkt_len, wire->scratch);
}

/* What the device says about the UDP checksum. A "bad" is looked at again in software: devices err there (no
 * checksum at all over IPv4), and only a liar pays for it. */
static bool
udp_checksum_verified(const struct bp_wire_end *port, const struct rte_mbuf *frame)
{
	uint64_t flags = frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	return port->device.rx_checksum &&
	       (flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD || flags == RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

static unsigned
dispatch(struct bp_wire *wire, struct bp_packet *packet, uint16_t type, const uint8_t *bytes, uint32_t size)
{
	switch (type) {
	case RTE_ETHER_TYPE_IPV4:
		packet->family = 4;
		return bp_ipv4_input(wire, packet, bytes, size);
	case RTE_ETHER_TYPE_IPV6:
		packet->family = 6;
		return bp_ipv6_input(wire, packet, bytes, size);
	case RTE_ETHER_TYPE_ARP:
		return bp_arp_input(wire, packet, bytes, size);
	default: /* also 802.3 lengths, 802.1ad and a second 802.1Q tag */
		return BP_DROP_ethernet_foreign;
	}
}

unsigned
bp_ethernet_input(struct bp_wire *wire, uint16_t port, struct rte_mbuf *frame, uint32_t *members)
{
	const struct rte_ether_addr *own = (const struct rte_ether_addr *)wire->ports[port].device.mac;
	struct bp_packet packet = {.mbuf = frame, .frames = 1, .port = port, .interface = BP_CONFIG_NONE};
	uint32_t size = frame->pkt_len, l2_size = RTE_ETHER_HDR_LEN;
	const struct rte_ether_hdr *ethernet;
	unsigned verdict;
	uint16_t type;

	if (size < RTE_ETHER_HDR_LEN)
		return BP_DROP_ethernet_foreign;
	packet.base = frame_bytes(wire, frame);
	if (packet.base == NULL)
		return BP_DROP_rx_linearize;
	ethernet = (const struct rte_ether_hdr *)packet.base;
	packet.group = rte_is_multicast_ether_addr(&ethernet->dst_addr);
	if (!packet.group && !rte_is_same_ether_addr(&ethernet->dst_addr, own))
		return BP_DROP_ethernet_foreign;
	if (!bp_ethernet_is_station(&ethernet->src_addr))
		return BP_DROP_ethernet_foreign;
	packet.source_mac = ethernet->src_addr;
	packet.checksum_verified = udp_checksum_verified(&wire->ports[port], frame);
	type = rte_be_to_cpu_16(ethernet->ether_type);
	if ((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
		packet.vlan = frame->vlan_tci & VLAN_ID_MASK;
	} else if (type == RTE_ETHER_TYPE_VLAN) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(packet.base + l2_size);

		if (size < RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
			return BP_DROP_ethernet_foreign;
		packet.vlan = rte_be_to_cpu_16(tag->vlan_tci) & VLAN_ID_MASK;
		type = rte_be_to_cpu_16(tag->eth_proto);
		l2_size += RTE_VLAN_HLEN;
	}
	if (!bp_addresses_vlan(wire->addresses, port, packet.vlan))
		return BP_DROP_vlan_unknown;
	verdict = dispatch(wire, &packet, type, packet.base + l2_size, size - l2_size);
	*members = packet.frames;
	return verdict;
}

bool
bp_output_ethernet_header(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct rte_ether_addr *mac,
	uint16_t ether_type, struct rte_mbuf *frame)
{
	const struct bp_wire_end *out = &wire->ports[port];
	struct rte_ether_hdr *ethernet;
	uint16_t l2_size = vlan != 0 ? BP_ETHERNET_HEADER_MAX : RTE_ETHER_HDR_LEN;

	ethernet = (struct rte_ether_hdr *)rte_pktmbuf_prepend(frame, l2_size);
	if (unlikely(ethernet ==
		     NULL)) { /* bp_output_alloc() leaves the room; only a foreign pool could lack it */
		rte_pktmbuf_free(frame);
		bp_wire_drop(wire, BP_DROP_tx_too_large, 1);
		return false;
	}
	rte_ether_addr_copy(mac, &ethernet->dst_addr);
	memcpy(&ethernet->src_addr, out->device.mac, RTE_ETHER_ADDR_LEN);
	ethernet->ether_type = rte_cpu_to_be_16(ether_type);
	if (vlan != 0) {
		struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)(ethernet + 1);

		ethernet->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
		tag->vlan_tci = rte_cpu_to_be_16(vlan);
		tag->eth_proto = rte_cpu_to_be_16(ether_type);
	}
	frame->l2_len = l2_size;
	if (frame->pkt_len <
		BP_ETHERNET_MIN) { /* with zeros of ours, so that no device pads with what it remembers */
		uint16_t pad = (uint16_t)(BP_ETHERNET_MIN - frame->pkt_len);
		char *tail = rte_pktmbuf_append(frame, pad);

		if (likely(tail != NULL))
			memset(tail, 0, pad);
	}
	return true;
}

void
bp_output_frame(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct rte_ether_addr *mac,
	uint16_t ether_type, struct rte_mbuf *frame)
{
	if (bp_output_ethernet_header(wire, port, vlan, mac, ether_type, frame))
		bp_output_queue(wire, port, frame);
}
