/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP (RFC 826, RFC 5227): answers for our addresses, asks for next hops, announces. A reply can only
 * change an entry that exists; only a request addressed to us makes one (neighbour.h).
 */
#include "wire/ethernet.h"
#include "wire/packet.h"
#include "wire/state.h"

#include <rte_arp.h>

static void
send_arp(struct bp_wire *wire, uint16_t port, uint16_t vlan, uint16_t opcode, const struct rte_ether_addr *to,
	const struct rte_ether_addr *target_mac, const struct bp_ip *sender, const struct bp_ip *target)
{
	struct rte_mbuf *frame = bp_output_alloc(wire, sizeof(struct rte_arp_hdr));
	struct rte_arp_hdr *arp;

	if (frame == NULL)
		return;
	arp = rte_pktmbuf_mtod(frame, struct rte_arp_hdr *);
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = RTE_ETHER_ADDR_LEN;
	arp->arp_plen = 4;
	arp->arp_opcode = rte_cpu_to_be_16(opcode);
	memcpy(&arp->arp_data.arp_sha, wire->ports[port].device.mac, RTE_ETHER_ADDR_LEN);
	memcpy(&arp->arp_data.arp_sip, sender->bytes + 12, 4);
	arp->arp_data.arp_tha = *target_mac;
	memcpy(&arp->arp_data.arp_tip, target->bytes + 12, 4);
	bp_output_frame(wire, port, vlan, to, RTE_ETHER_TYPE_ARP, frame);
}

static unsigned
request(struct bp_wire *wire, struct bp_packet *packet, const struct rte_ether_addr *mac)
{
	static const struct bp_ip unspecified = {.bytes = {[10] = 0xff, [11] = 0xff}};
	struct bp_neighbour_key key = {.ip = packet->source, .port = packet->port, .vlan = packet->vlan};
	bool probe = bp_ip_equal(
		&packet->source, &unspecified); /* RFC 5227 2.1: asks before it uses the address */
	uint16_t index;

	if (bp_ip_equal(&packet->source,
		    &packet->destination)) /* announces itself; nothing to learn for us but news */
		return bp_neighbour_confirm(wire->neighbours, &key, mac, false, true, wire->now_us)
			       ? BP_VERDICT_HANDLED
			       : BP_DROP_arp_foreign;
	index = bp_addresses_find(wire->addresses, packet->port, packet->vlan, &packet->destination);
	if (index == BP_CONFIG_NONE)
		return BP_DROP_arp_foreign;
	if (!probe) {
		if (!bp_interface_covers(bp_addresses_interface(wire->addresses, index), &packet->source))
			return BP_DROP_arp_foreign;
		bp_neighbour_learn(wire->neighbours, &key, mac, wire->now_us);
	}
	send_arp(wire, packet->port, packet->vlan, RTE_ARP_OP_REPLY, mac, mac, &packet->destination,
		&packet->source);
	return BP_VERDICT_HANDLED;
}

unsigned
bp_arp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)bytes;
	struct bp_neighbour_key key;
	bool to_us;

	if (size < sizeof(*arp) || arp->arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
		arp->arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != 4 ||
		!bp_ethernet_is_station(&arp->arp_data.arp_sha))
		return BP_DROP_arp_malformed;
	packet->source = bp_ip_from_v4(&arp->arp_data.arp_sip);
	packet->destination = bp_ip_from_v4(&arp->arp_data.arp_tip);
	/* Somebody claims an address of ours, or hears himself. */
	if (bp_addresses_find(wire->addresses, packet->port, packet->vlan, &packet->source) !=
			BP_CONFIG_NONE ||
		memcmp(&arp->arp_data.arp_sha, wire->ports[packet->port].device.mac, RTE_ETHER_ADDR_LEN) == 0)
		return BP_DROP_arp_foreign;
	if (arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return request(wire, packet, &arp->arp_data.arp_sha);
	if (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REPLY))
		return BP_DROP_arp_malformed;
	/* Only a reply sent to us can be the answer to a question of ours. */
	to_us = !packet->group && bp_addresses_find(wire->addresses, packet->port, packet->vlan,
					  &packet->destination) != BP_CONFIG_NONE;
	key = (struct bp_neighbour_key){.ip = packet->source, .port = packet->port, .vlan = packet->vlan};
	return bp_neighbour_confirm(wire->neighbours, &key, &arp->arp_data.arp_sha, to_us, true, wire->now_us)
		       ? BP_VERDICT_HANDLED
		       : BP_DROP_arp_foreign;
}

void
bp_arp_ask(struct bp_wire *wire, const struct bp_neighbour_key *key, const struct bp_ip *asker,
	const struct rte_ether_addr *mac)
{
	static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, unknown;

	send_arp(wire, key->port, key->vlan, RTE_ARP_OP_REQUEST, mac != NULL ? mac : &broadcast, &unknown,
		asker, &key->ip);
}

void
bp_arp_announce(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	struct bp_neighbour_key key = {.ip = *ip, .port = port, .vlan = vlan};

	bp_arp_ask(wire, &key, ip, NULL); /* RFC 5227 2.3: a request for one's own address */
}
