/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMPv6 (RFC 4443): pings, errors about our datagrams, and the door to neighbour discovery
 * (nd.c) and multicast listener discovery (mld.c).
 */
#include "wire/checksum.h"
#include "wire/icmp.h"
#include "wire/state.h"

#include <netinet/in.h>

enum { /* RFC 4443, RFC 4861 */
	DESTINATION_UNREACHABLE = 1,
	PACKET_TOO_BIG = 2,
	PARAMETER_PROBLEM = 4,
	ECHO_REQUEST = 128,
	ECHO_REPLY = 129,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
};

#define HEADER_SIZE 8

struct quote { /* the datagram that an error is about */
	struct bp_ip destination;
	const uint8_t *transport;
	uint32_t size;
};

/* HANDLED: it is UDP of the address that the error came to; else a drop. */
static unsigned
read_quote(const struct bp_packet *packet, const uint8_t *bytes, uint32_t size, struct quote *quote)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)bytes;
	struct bp_ip source;
	uint8_t next;

	if (size < sizeof(*ip) || bytes[0] >> 4 != 6)
		return BP_DROP_icmp_malformed;
	memcpy(source.bytes, &ip->src_addr, 16);
	memcpy(quote->destination.bytes, &ip->dst_addr, 16);
	quote->transport = bytes + sizeof(*ip);
	quote->size = size - (uint32_t)sizeof(*ip);
	next = ip->proto;
	if (next == IPPROTO_FRAGMENT) { /* the one extension header that we send ourselves */
		if (quote->size < 8)
			return BP_DROP_icmp_malformed;
		if (((quote->transport[2] << 8 | quote->transport[3]) & 0xfff8) != 0)
			return BP_DROP_icmp_foreign; /* a later fragment does not show the ports */
		next = quote->transport[0];
		quote->transport += 8;
		quote->size -= 8;
	}
	if (!bp_ip_equal(&source, &packet->destination) || next != IPPROTO_UDP ||
		bp_ip_is_v4(&quote->destination))
		return BP_DROP_icmp_foreign;
	return BP_VERDICT_HANDLED;
}

static unsigned
unreachable(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	struct quote quote;
	unsigned verdict = read_quote(packet, bytes + HEADER_SIZE, size - HEADER_SIZE, &quote);

	if (verdict != BP_VERDICT_HANDLED)
		return verdict;
	return bp_icmp_quoted_udp(wire, packet, &quote.destination, quote.transport, quote.size);
}

/* RFC 8201 4. The datagram is lost; what the engine repeats will be divided. */
static unsigned
packet_too_big(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	struct quote quote;
	unsigned verdict = read_quote(packet, bytes + HEADER_SIZE, size - HEADER_SIZE, &quote);
	struct bp_neighbour_key destination = {.port = packet->port};
	uint32_t mtu =
		(uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 | bytes[7];
	uint16_t port;

	if (verdict != BP_VERDICT_HANDLED)
		return verdict;
	if (quote.size < 8 || mtu < BP_IPV6_MTU_MIN)
		return BP_DROP_icmp_malformed;
	port = (uint16_t)(quote.transport[0] << 8 | quote.transport[1]);
	if (packet->interface == BP_CONFIG_NONE ||
		bp_addresses_find_listener(wire->addresses, packet->interface, port) == BP_CONFIG_NONE)
		return BP_DROP_icmp_foreign;
	destination.ip = quote.destination;
	if (mtu < UINT16_MAX)
		bp_path_mtu_learn(wire->neighbours, &destination, (uint16_t)mtu, wire->now_us);
	return BP_VERDICT_HANDLED;
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
		return bp_mld_input(wire, packet, bytes, size);
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
	case PACKET_TOO_BIG:
		return packet_too_big(wire, packet, bytes, size);
	default:
		return BP_DROP_icmp_foreign;
	}
}
