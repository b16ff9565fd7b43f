/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMPv6 (RFC 4443): pings, errors about our datagrams, and the door to neighbour discovery (nd.c).
 */
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/state.h"

#include <netinet/in.h>

enum { /* RFC 4443, RFC 4861 */
	DESTINATION_UNREACHABLE = 1,
	PARAMETER_PROBLEM = 4,
	ECHO_REQUEST = 128,
	ECHO_REPLY = 129,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
};

#define HEADER_SIZE 8

static unsigned
unreachable(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_ipv6_hdr *quoted = (const struct rte_ipv6_hdr *)(bytes + HEADER_SIZE);
	const uint8_t *transport = bytes + HEADER_SIZE + sizeof(*quoted);
	struct bp_ip source, destination;
	uint32_t left;
	uint8_t next;

	if (size < HEADER_SIZE + sizeof(*quoted) || bytes[HEADER_SIZE] >> 4 != 6)
		return BP_DROP_icmp_malformed;
	left = size - HEADER_SIZE - (uint32_t)sizeof(*quoted);
	memcpy(source.bytes, &quoted->src_addr, 16);
	memcpy(destination.bytes, &quoted->dst_addr, 16);
	next = quoted->proto;
	if (next == IPPROTO_FRAGMENT) { /* the one extension header that we send ourselves */
		if (left < 8)
			return BP_DROP_icmp_malformed;
		if (((transport[2] << 8 | transport[3]) & 0xfff8) != 0)
			return BP_DROP_icmp_foreign; /* a later fragment does not show the ports */
		next = transport[0];
		transport += 8;
		left -= 8;
	}
	if (!bp_ip_equal(&source, &packet->destination) || next != IPPROTO_UDP || bp_ip_is_v4(&destination))
		return BP_DROP_icmp_foreign;
	return bp_icmp_quoted_udp(wire, packet, &destination, transport, left);
}

unsigned
bp_icmp6_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	static const struct bp_ip unspecified;

	if (size < HEADER_SIZE || bp_checksum_transport(6, &packet->source, &packet->destination,
					  IPPROTO_ICMPV6, bytes, size) != 0)
		return BP_DROP_icmp_malformed;
	if (bytes[0] == NEIGHBOUR_SOLICITATION || bytes[0] == NEIGHBOUR_ADVERTISEMENT)
		return bp_nd_input(wire, packet, bytes, size);
	if (packet->group)
		return BP_DROP_icmp_foreign;
	if (bp_ip_equal(&packet->source, &unspecified))
		return BP_DROP_ip_source;
	switch (bytes[0]) {
	case ECHO_REQUEST:
		if (bytes[1] != 0)
			return BP_DROP_icmp_malformed;
		return bp_icmp_echo(wire, packet, bytes, size, ECHO_REPLY);
	case DESTINATION_UNREACHABLE:
	case PARAMETER_PROBLEM:
		return unreachable(wire, packet, bytes, size);
	default:
		return BP_DROP_icmp_foreign;
	}
}
