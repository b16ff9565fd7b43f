/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What ICMP, ICMPv6 and neighbour discovery share.
 */
#ifndef BYEPASS_WIRE_ICMP_H
#define BYEPASS_WIRE_ICMP_H

#include "wire/packet.h"

struct rte_mbuf;
struct bp_output;

static inline bool
bp_ip_is_multicast_v6(const struct bp_ip *ip)
{
	return ip->bytes[0] == 0xff;
}

static inline bool
bp_ip_is_link_local(const struct bp_ip *ip)
{
	return ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* The group that solicitations for @ip are sent to (RFC 4291 2.7.1). */
static inline struct bp_ip
bp_ip_solicited_node(const struct bp_ip *ip)
{
	struct bp_ip group = {.bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(group.bytes + 13, ip->bytes + 13, 3);
	return group;
}

/* True if @ip is an IPv6 address of ours there, the link-local one included. */
bool bp_ipv6_is_ours(const struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip);

/* Answers an echo request: @bytes is the whole message. For both families. */
unsigned bp_icmp_echo(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes,
	uint32_t size, uint8_t reply_type);

/* Tells the sender of @packet that its UDP port is closed, if it may be told and the rate allows. */
void bp_icmp_port_unreachable(struct bp_wire *wire, const struct bp_packet *packet);

/* An error came in; @quoted is the transport header that it quotes, of a packet to @to. Tells
 * handlers.unreachable if it was a SIP datagram of ours. */
unsigned bp_icmp_quoted_udp(struct bp_wire *wire, const struct bp_packet *packet, const struct bp_ip *to,
	const uint8_t *quoted, uint32_t size);

/* Completes the checksum of the message in @output->mbuf (its field is zero) and sends to @mac. Takes the
 * mbuf. */
void bp_icmp_emit(struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac);

#endif
