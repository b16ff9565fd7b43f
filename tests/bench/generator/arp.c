/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP (RFC 826) for the ends: answers for their addresses, asks for the target's.
 */
#include "generator/frame.h"

#include <rte_arp.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include <arpa/inet.h>

static void
send_arp(struct gen *gen, struct side *side, uint16_t operation, uint32_t own_be, const uint8_t *to_mac, uint32_t to_be)
{
	struct rte_ether_hdr *ethernet;
	struct rte_arp_hdr *arp;
	struct rte_mbuf *mbuf;

	if (!frame_mbufs(gen, 1))
		return;
	mbuf = gen->stash[--gen->stash_count];
	ethernet = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	memset(ethernet, 0, 60);
	memcpy(ethernet->dst_addr.addr_bytes, to_mac, 6);
	memcpy(ethernet->src_addr.addr_bytes, side->end.mac, 6);
	ethernet->ether_type = htons(RTE_ETHER_TYPE_ARP);
	arp = (void *)(ethernet + 1);
	arp->arp_hardware = htons(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = htons(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = 6;
	arp->arp_plen = 4;
	arp->arp_opcode = htons(operation);
	memcpy(arp->arp_data.arp_sha.addr_bytes, side->end.mac, 6);
	arp->arp_data.arp_sip = own_be;
	if (operation == RTE_ARP_OP_REPLY)
		memcpy(arp->arp_data.arp_tha.addr_bytes, to_mac, 6);
	arp->arp_data.arp_tip = to_be;
	mbuf->data_len = 60;
	mbuf->pkt_len = 60;
	if (side->tx_count == TX_MAX)
		frame_flush(gen, side);
	side->tx[side->tx_count++] = mbuf;
}

void
frame_arp(struct gen *gen, struct side *side, const struct rte_mbuf *mbuf)
{
	const struct rte_arp_hdr *arp = rte_pktmbuf_mtod_offset(mbuf, const void *, sizeof(struct rte_ether_hdr));
	uint32_t wanted;

	if (mbuf->data_len < sizeof(struct rte_ether_hdr) + sizeof(*arp) ||
		arp->arp_hardware != htons(RTE_ARP_HRD_ETHER) || arp->arp_protocol != htons(RTE_ETHER_TYPE_IPV4) ||
		arp->arp_hlen != 6 || arp->arp_plen != 4)
		return;
	if (ntohl(arp->arp_data.arp_sip) == side->end.peer_ip && !side->mac_known) {
		memcpy(side->end.peer_mac, arp->arp_data.arp_sha.addr_bytes, 6);
		memcpy(side->ethernet, side->end.peer_mac, 6);
		side->mac_known = true;
	}
	wanted = ntohl(arp->arp_data.arp_tip) - side->end.ip;
	if (arp->arp_opcode == htons(RTE_ARP_OP_REQUEST) && wanted < side->end.addresses)
		send_arp(gen, side, RTE_ARP_OP_REPLY, arp->arp_data.arp_tip, arp->arp_data.arp_sha.addr_bytes,
			arp->arp_data.arp_sip);
}

void
frame_ask(struct gen *gen, struct side *side)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (side->mac_known || (side->asked != 0 && (double)(gen->now - side->asked) < gen->options.tsc_hz))
		return;
	side->asked = gen->now;
	send_arp(gen, side, RTE_ARP_OP_REQUEST, htonl(side->end.ip), everybody, htonl(side->end.peer_ip));
}
