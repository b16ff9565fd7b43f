/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 (RFC 791, RFC 1122 3.2.1): the header in and out. A host, not a router: what is not for
 * one of our addresses is foreign, broadcast and multicast among it.
 */
#include "wire/packet.h"
#include "wire/reassembly.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_ip.h>

#define DEFAULT_TTL 64

/* False: an option that runs over, or asks for a route of its own (RFC 7126 4.3, 4.4). */
static bool
options_fine(const uint8_t *options, uint32_t size)
{
	enum { END = 0, NOP = 1, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };

	for (uint32_t i = 0; i < size;) {
		if (options[i] == END)
			return true;
		if (options[i] == NOP) {
			i++;
			continue;
		}
		if (options[i] == LOOSE_ROUTE || options[i] == STRICT_ROUTE || size - i < 2 ||
			options[i + 1] < 2 || options[i + 1] > size - i)
			return false;
		i += options[i + 1];
	}
	return true;
}

static bool
source_is_host(const uint8_t *ipv4)
{
	/* "This" network, loopback, multicast, class E with the broadcast (RFC 1122 3.2.1.3). */
	return ipv4[0] != 0 && ipv4[0] != 127 && ipv4[0] < 224;
}

static unsigned
payload(struct bp_wire *wire, struct bp_packet *packet, uint8_t protocol, const uint8_t *bytes, uint32_t size)
{
	switch (protocol) {
	case IPPROTO_UDP:
		return bp_udp_input(wire, packet, bytes, size);
	case IPPROTO_ICMP:
		return bp_icmp_input(wire, packet, bytes, size);
	default:
		return BP_DROP_ip_protocol;
	}
}

static unsigned
fragment(struct bp_wire *wire, struct bp_packet *packet, const struct rte_ipv4_hdr *ip, const uint8_t *bytes,
	uint32_t size)
{
	uint16_t offset = rte_be_to_cpu_16(ip->fragment_offset);
	struct bp_fragment piece = {
		.identification = rte_be_to_cpu_16(ip->packet_id),
		.offset = (uint32_t)(offset & RTE_IPV4_HDR_OFFSET_MASK) * RTE_IPV4_HDR_OFFSET_UNITS,
		.protocol = ip->next_proto_id,
		.more = (offset & RTE_IPV4_HDR_MF_FLAG) != 0,
		.bytes = bytes,
		.size = size,
		.at = (uint32_t)(bytes - packet->base),
	};
	unsigned verdict = bp_reassembly_input(wire, packet, &piece);

	if (verdict != BP_VERDICT_WHOLE)
		return verdict;
	return payload(wire, packet, piece.protocol, piece.bytes, piece.size);
}

unsigned
bp_ipv4_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)bytes;
	uint32_t header_size, total_size;

	if (size < sizeof(*ip) || ip->version_ihl >> 4 != 4)
		return BP_DROP_ip_malformed;
	header_size = (ip->version_ihl & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
	total_size = rte_be_to_cpu_16(ip->total_length);
	if (header_size < sizeof(*ip) || total_size < header_size || total_size > size)
		return BP_DROP_ip_malformed;
	/* As cheap as to trust the device, which may not even look. */
	if (rte_raw_cksum(bytes, header_size) != 0xffff)
		return BP_DROP_ip_checksum;
	if (header_size > sizeof(*ip) && !options_fine(bytes + sizeof(*ip), header_size - sizeof(*ip)))
		return BP_DROP_ip_malformed;
	packet->source = bp_ip_from_v4(&ip->src_addr);
	packet->destination = bp_ip_from_v4(&ip->dst_addr);
	packet->hop_limit = ip->time_to_live;
	packet->ip_bytes = bytes;
	packet->ip_size = total_size;
	packet->interface =
		bp_addresses_find(wire->addresses, packet->port, packet->vlan, &packet->destination);
	if (packet->interface == BP_CONFIG_NONE || packet->group)
		return BP_DROP_ip_foreign;
	if (!source_is_host(packet->source.bytes + 12) ||
		bp_addresses_find(wire->addresses, packet->port, packet->vlan, &packet->source) !=
			BP_CONFIG_NONE)
		return BP_DROP_ip_source;
	if ((ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0)
		return fragment(wire, packet, ip, bytes + header_size, total_size - header_size);
	return payload(wire, packet, ip->next_proto_id, bytes + header_size, total_size - header_size);
}

void
bp_output_ipv4_header(struct bp_wire *wire, const struct bp_output *output, struct rte_mbuf *frame,
	uint16_t identification, uint16_t fragment_field)
{
	struct rte_ipv4_hdr *ip;

	ip = (struct rte_ipv4_hdr *)rte_pktmbuf_prepend(frame, sizeof(*ip));
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = 0;
	ip->total_length = rte_cpu_to_be_16((uint16_t)frame->pkt_len);
	ip->packet_id = rte_cpu_to_be_16(identification);
	/* Don't Fragment stays clear: routers on the way may cut it up, so no path MTU has to be learned. */
	ip->fragment_offset = rte_cpu_to_be_16(fragment_field);
	ip->time_to_live = output->hop_limit != 0 ? output->hop_limit : DEFAULT_TTL;
	ip->next_proto_id = output->protocol;
	ip->hdr_checksum = 0;
	memcpy(&ip->src_addr, output->source.bytes + 12, 4);
	memcpy(&ip->dst_addr, output->destination.bytes + 12, 4);
	frame->l3_len = sizeof(*ip);
	if (wire->ports[output->port].device.tx_ipv4_checksum)
		frame->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	else
		ip->hdr_checksum = rte_ipv4_cksum(ip);
}
