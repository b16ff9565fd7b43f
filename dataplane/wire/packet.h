/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A received packet on its way up through the protocols, and the way itself: each
 * bp_<protocol>_input() takes what the layer below has found out and returns a verdict
 * (verdict.h). @bytes are contiguous; nothing is written to them.
 */
#ifndef BYEPASS_WIRE_PACKET_H
#define BYEPASS_WIRE_PACKET_H

#include "byepass/flow.h"
#include "wire/verdict.h"

#include <rte_ether.h>

struct rte_mbuf;
struct bp_wire;

struct bp_packet {
	struct rte_mbuf *mbuf;   /* what a fragment is kept in; NULL: looped back or reassembled */
	const uint8_t *ip_bytes; /* IP header and what follows it, for quoting in ICMP errors */
	uint32_t ip_size;
	const uint8_t *base; /* start of the frame: in the mbuf, or in wire->scratch when it is of several */
	uint32_t frames;     /* how many received frames it is made of */
	uint16_t port;       /* index into bp_wire.ports */
	uint16_t vlan;
	uint16_t interface; /* that the destination address belongs to, BP_CONFIG_NONE: link-local or
			       multicast */
	uint8_t family;
	uint8_t hop_limit;
	bool group;             /* came to a group: link or IP destination is multicast or broadcast */
	bool fragmented;        /* came with a fragment header */
	bool looped;            /* never was on a wire */
	bool checksum_verified; /* of UDP, by the device */
	struct rte_ether_addr source_mac;
	struct bp_ip source;
	struct bp_ip destination;
};

/* @members: how many frames the verdict is about, more than one when this was the last fragment of a
 * datagram. */
unsigned bp_ethernet_input(struct bp_wire *wire, uint16_t port, struct rte_mbuf *frame, uint32_t *members);
unsigned bp_arp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_ipv4_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_ipv6_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_icmp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_icmp6_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_nd_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_mld_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);
unsigned bp_udp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size);

/* Hands up what has arrived so far: before its bytes go, and before anything is said that came after it. */
void bp_udp_deliver(struct bp_wire *wire);

/* Counts one received frame, and @verdict for @members frames. */
void bp_wire_received(struct bp_wire *wire, unsigned verdict, uint32_t members, uint32_t bytes);

#endif
