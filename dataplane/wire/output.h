/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way down: a transport payload with its UDP or ICMP header gets its IP header (or
 * several: fragment.c), waits for its neighbour where it must, gets its Ethernet header
 * and goes into the port's transmit queue.
 */
#ifndef BYEPASS_WIRE_OUTPUT_H
#define BYEPASS_WIRE_OUTPUT_H

#include "byepass/flow.h"
#include "wire/neighbour.h"

#include <rte_ether.h>
#include <rte_mbuf.h>

struct bp_wire;

#define BP_ETHERNET_HEADER_MAX 18 /* with a VLAN tag */
#define BP_IP_HEADER_MAX 48       /* IPv6 with a fragment header */
#define BP_HEADERS_MAX (BP_ETHERNET_HEADER_MAX + BP_IP_HEADER_MAX + 8)
static_assert(BP_HEADERS_MAX <= RTE_PKTMBUF_HEADROOM, "headers go into the headroom");

#define BP_ETHERNET_MIN 60 /* without FCS */
#define BP_IPV6_MTU_MIN 1280u

struct bp_output {
	struct rte_mbuf *mbuf; /* contiguous: header of the transport, then its payload. Owned. */
	struct bp_ip source;
	struct bp_ip destination;
	struct bp_neighbour_key next_hop;
	struct bp_ip asker; /* our address that asks for the next hop */
	uint32_t resolutions; /* of the neighbours, read before the next hop was looked up */
	uint16_t port;
	uint16_t vlan;
	uint16_t listener; /* of a SIP datagram, else BP_CONFIG_NONE */
	uint8_t family;
	uint8_t protocol;
	uint8_t hop_limit;
};

/* An mbuf with @size bytes of data at its end, and room for all headers before them; from `large` when it
 * must (there only the UDP header is sure to fit, which is enough for what will be fragmented). NULL: none,
 * counted. */
struct rte_mbuf *bp_output_alloc(struct bp_wire *wire, uint32_t size);

/* Finds the neighbour; sends, or waits. Takes the mbuf. */
void bp_output_datagram(struct bp_wire *wire, struct bp_output *output);

/* Sends to @mac. Takes the mbuf. */
void bp_output_emit(struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac);

/* Loops @output to our own input at the next flush. Takes the mbuf. */
void bp_output_loop(struct bp_wire *wire, const struct bp_output *output);

/* Puts an Ethernet header with the VLAN tag before @frame, and pads it. False: the mbuf is freed, and counted. */
bool bp_output_ethernet_header(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct rte_ether_addr *mac,
	uint16_t ether_type, struct rte_mbuf *frame);

/* The same, and queues it on @port. Takes the mbuf. */
void bp_output_frame(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct rte_ether_addr *mac,
	uint16_t ether_type, struct rte_mbuf *frame);

/* Queues a whole frame. Takes the mbuf. */
void bp_output_queue(struct bp_wire *wire, uint16_t port, struct rte_mbuf *frame);

/* Sends what waits and has been resolved. */
void bp_output_retry(struct bp_wire *wire);

/* The same, and gives up what has waited too long. */
void bp_output_tick(struct bp_wire *wire);

/* What was looped before the call comes in. Returns how many. */
unsigned bp_output_deliver_looped(struct bp_wire *wire);

/* Hands the queues to the devices. Returns frames sent. */
unsigned bp_output_flush(struct bp_wire *wire);

/* Write the IP header of @output before @frame's data. @fragment: the field of that name, 0 for a whole
 * datagram. */
void bp_output_ipv4_header(struct bp_wire *wire, const struct bp_output *output, struct rte_mbuf *frame,
	uint16_t identification, uint16_t fragment);
void bp_output_ipv6_header(const struct bp_output *output, struct rte_mbuf *frame, uint8_t next_header);

/* fragment.c: sends a datagram in fragments of at most @mtu bytes. Takes the mbuf. */
void bp_fragment_emit(
	struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac, uint32_t mtu);

/* arp.c, nd.c: ask for @key by @asker; @mac: by unicast, NULL: everybody. */
void bp_arp_ask(struct bp_wire *wire, const struct bp_neighbour_key *key, const struct bp_ip *asker,
	const struct rte_ether_addr *mac);
void bp_nd_ask(struct bp_wire *wire, const struct bp_neighbour_key *key, const struct bp_ip *asker,
	const struct rte_ether_addr *mac);

/* arp.c, nd.c: tell the link that @ip is ours. */
void bp_arp_announce(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip);
void bp_nd_announce(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip);

/* mld.c: asks for the solicitations for @ip, and for our link-local address. */
void bp_mld_join(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip);

/* udp.c: an ICMP error for @output, which nobody will carry; for handlers.unreachable. */
void bp_udp_failed(struct bp_wire *wire, const struct bp_output *output);

#endif
