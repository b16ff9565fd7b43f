/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv6 (RFC 8200): the header in and out, and the walk over extension headers. Multicast is taken for
 * neighbour discovery only. IPv4-mapped addresses must not come over a wire (RFC 4291 2.5.5.2 is for
 * APIs): here they mean IPv4, so they are refused first.
 */
#include "wire/icmp.h"
#include "wire/packet.h"
#include "wire/reassembly.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_ip.h>

#define DEFAULT_HOP_LIMIT 64
#define EXTENSIONS_MAX 8

static const struct bp_ip unspecified, loopback = {.bytes = {[15] = 1}};

/* False: an option runs over, or is unknown and wants the packet discarded (RFC 8200 4.2). */
static bool
options_fine(const uint8_t *options, uint32_t size)
{
	enum { PAD1 = 0, ROUTER_ALERT = 5 };

	for (uint32_t i = 0; i < size;) {
		if (options[i] == PAD1) {
			i++;
			continue;
		}
		if (size - i < 2 || options[i + 1] > size - i - 2 || options[i] >> 6 != 0)
			return false;
		i += 2u + options[i + 1];
	}
	return true;
}

/* One step over an extension header that only has to be well-formed. False: it is not. */
static bool
skip_extension(uint8_t *next, const uint8_t **bytes, uint32_t *size)
{
	const uint8_t *header = *bytes;
	uint32_t header_size;

	if (*size < 8)
		return false;
	header_size = (header[1] + 1u) * 8;
	if (header_size > *size)
		return false;
	if (*next == IPPROTO_ROUTING ? header[3] != 0 /* segments left: we are no router (RFC 5095) */
				     : !options_fine(header + 2, header_size - 2))
		return false;
	*next = header[0];
	*bytes += header_size;
	*size -= header_size;
	return true;
}

/* A fragment header. WHOLE: go on with what stands in @next, @bytes, @size. */
static unsigned
fragment(struct bp_wire *wire, struct bp_packet *packet, uint8_t *next, const uint8_t **bytes, uint32_t *size)
{
	const uint8_t *header = *bytes;
	struct bp_fragment piece;
	uint32_t identification;
	unsigned verdict;
	uint16_t field;

	if (*size < 8 || packet->mbuf == NULL) /* a fragment header within a reassembled datagram */
		return BP_DROP_fragment_malformed;
	field = (uint16_t)(header[2] << 8 | header[3]);
	memcpy(&identification, header + 4, sizeof(identification));
	packet->fragmented = true;
	if ((field & 0xfff9) == 0) { /* an atomic fragment is whole by itself (RFC 6946) */
		*next = header[0];
		*bytes += 8;
		*size -= 8;
		return BP_VERDICT_WHOLE;
	}
	piece = (struct bp_fragment){
		.identification = identification,
		.offset = field & 0xfff8u,
		.protocol = header[0],
		.more = (field & 1) != 0,
		.bytes = header + 8,
		.size = *size - 8,
		.at = (uint32_t)(header + 8 - packet->base),
	};
	verdict = bp_reassembly_input(wire, packet, &piece);
	*next = piece.protocol;
	*bytes = piece.bytes;
	*size = piece.size;
	return verdict;
}

static unsigned
payload(struct bp_wire *wire, struct bp_packet *packet, uint8_t next, const uint8_t *bytes, uint32_t size)
{
	unsigned verdict;

	for (unsigned headers = 0; headers < EXTENSIONS_MAX; headers++) {
		switch (next) {
		case IPPROTO_UDP:
			if (packet->group || packet->interface == BP_CONFIG_NONE)
				return BP_DROP_ip_foreign; /* no listener is on a group or on a link-local
							      address */
			return bp_udp_input(wire, packet, bytes, size);
		case IPPROTO_ICMPV6:
			return bp_icmp6_input(wire, packet, bytes, size);
		case IPPROTO_HOPOPTS:
			if (headers != 0)
				return BP_DROP_ip_malformed;
			__attribute__((fallthrough));
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			if (!skip_extension(&next, &bytes, &size))
				return BP_DROP_ip_malformed;
			break;
		case IPPROTO_FRAGMENT:
			verdict = fragment(wire, packet, &next, &bytes, &size);
			if (verdict != BP_VERDICT_WHOLE)
				return verdict;
			break;
		default:
			return BP_DROP_ip_protocol;
		}
	}
	return BP_DROP_ip_malformed;
}

bool
bp_ipv6_is_ours(const struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	return bp_addresses_find(wire->addresses, port, vlan, ip) != BP_CONFIG_NONE ||
	       (bp_ip_equal(ip, &wire->ports[port].link_local) &&
		       bp_addresses_vlan_ipv6(wire->addresses, port, vlan));
}

/* All nodes, or a solicited-node address (RFC 4291 2.7.1); whose, neighbour discovery sees by the target. */
static bool
group_is_ours(const struct bp_wire *wire, const struct bp_packet *packet)
{
	static const struct bp_ip all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};
	static const uint8_t solicited[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
	const struct bp_ip *ip = &packet->destination;

	return bp_addresses_vlan_ipv6(wire->addresses, packet->port, packet->vlan) &&
	       (bp_ip_equal(ip, &all_nodes) || memcmp(ip->bytes, solicited, sizeof(solicited)) == 0);
}

unsigned
bp_ipv6_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)bytes;
	uint32_t payload_size;

	if (size < sizeof(*ip) || bytes[0] >> 4 != 6)
		return BP_DROP_ip_malformed;
	payload_size = rte_be_to_cpu_16(ip->payload_len);
	if (payload_size > size - sizeof(*ip))
		return BP_DROP_ip_malformed;
	memcpy(packet->source.bytes, &ip->src_addr, 16);
	memcpy(packet->destination.bytes, &ip->dst_addr, 16);
	packet->hop_limit = ip->hop_limits;
	packet->ip_bytes = bytes;
	packet->ip_size = (uint32_t)sizeof(*ip) + payload_size;
	if (bp_ip_is_v4(&packet->destination))
		return BP_DROP_ip_foreign;
	packet->interface =
		bp_addresses_find(wire->addresses, packet->port, packet->vlan, &packet->destination);
	if (bp_ip_is_multicast_v6(&packet->destination)) {
		if (!group_is_ours(wire, packet))
			return BP_DROP_ip_foreign;
		packet->group = true;
	} else if (!bp_ipv6_is_ours(wire, packet->port, packet->vlan, &packet->destination)) {
		return BP_DROP_ip_foreign;
	}
	/* The unspecified source is for duplicate address detection; nd.c and the others look at it. */
	if (bp_ip_is_v4(&packet->source) || bp_ip_is_multicast_v6(&packet->source) ||
		bp_ip_equal(&packet->source, &loopback) ||
		bp_ipv6_is_ours(wire, packet->port, packet->vlan, &packet->source))
		return BP_DROP_ip_source;
	if (bp_ip_equal(&packet->source, &unspecified) && ip->proto != IPPROTO_ICMPV6)
		return BP_DROP_ip_source;
	return payload(wire, packet, ip->proto, bytes + sizeof(*ip), payload_size);
}

void
bp_output_ipv6_header(const struct bp_output *output, struct rte_mbuf *frame, uint8_t next_header)
{
	uint32_t payload_size = frame->pkt_len;
	struct rte_ipv6_hdr *ip;

	ip = (struct rte_ipv6_hdr *)rte_pktmbuf_prepend(frame, sizeof(*ip));
	ip->vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)payload_size);
	ip->proto = next_header;
	ip->hop_limits = output->hop_limit != 0 ? output->hop_limit : DEFAULT_HOP_LIMIT;
	memcpy(&ip->src_addr, output->source.bytes, 16);
	memcpy(&ip->dst_addr, output->destination.bytes, 16);
	frame->l3_len = sizeof(*ip);
}
