/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP (RFC 792, RFC 1122 3.2.2): answers pings, tells of closed UDP ports, and hears that a datagram
 * of ours could not be delivered (RFC 3261 18.4). Answers go back to the MAC address that asked, so that
 * nobody can fill the neighbour table with pings from invented addresses.
 */
#include "wire/icmp.h"

#include "wire/checksum.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_icmp.h>
#include <rte_udp.h>

enum { /* RFC 792 */
	DESTINATION_UNREACHABLE = 3,
	PARAMETER_PROBLEM = 12,
	FRAGMENTATION_NEEDED = 4, /* code of unreachable */
	PORT_UNREACHABLE = 3,     /* code of unreachable */
};
enum { /* RFC 4443 */
	DESTINATION_UNREACHABLE_V6 = 1,
	PORT_UNREACHABLE_V6 = 4, /* code */
};

#define HEADER_SIZE 8
/* The whole error fits what every path carries (RFC 1812 4.3.2.3, RFC 4443 2.4). */
#define QUOTE_MAX (576u - 20 - HEADER_SIZE)
#define QUOTE_MAX_V6 (1280u - 40 - HEADER_SIZE)

void
bp_icmp_emit(struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac)
{
	struct rte_icmp_hdr *icmp = rte_pktmbuf_mtod(output->mbuf, struct rte_icmp_hdr *);
	uint32_t size = output->mbuf->pkt_len;

	if (output->family == 4)
		icmp->icmp_cksum = (uint16_t)~rte_raw_cksum(icmp, size);
	else
		icmp->icmp_cksum = bp_checksum_transport(
			6, &output->source, &output->destination, IPPROTO_ICMPV6, icmp, size);
	bp_output_emit(wire, output, mac);
}

/* Sends the message in @message back to where @packet came from. */
static void
answer(struct bp_wire *wire, const struct bp_packet *packet, struct rte_mbuf *message)
{
	struct bp_output output = {
		.mbuf = message,
		.source = packet->destination,
		.destination = packet->source,
		.port = packet->port,
		.vlan = packet->vlan,
		.listener = BP_CONFIG_NONE,
		.family = packet->family,
		.protocol = packet->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
	};

	bp_icmp_emit(wire, &output, &packet->source_mac);
}

unsigned
bp_icmp_echo(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes, uint32_t size,
	uint8_t reply_type)
{
	struct rte_icmp_hdr *reply;
	struct rte_mbuf *message;

	if (!bp_bucket_take(&wire->echoes, BP_ECHO_PER_SECOND, BP_ECHO_BURST, wire->now_us))
		return BP_DROP_icmp_limited;
	message = bp_output_alloc(wire, size);
	if (message == NULL)
		return BP_VERDICT_HANDLED; /* what could not be sent is counted there */
	reply = rte_pktmbuf_mtod(message, struct rte_icmp_hdr *);
	memcpy(reply, bytes, size);
	reply->icmp_type = reply_type;
	reply->icmp_cksum = 0;
	answer(wire, packet, message);
	return BP_VERDICT_HANDLED;
}

void
bp_icmp_port_unreachable(struct bp_wire *wire, const struct bp_packet *packet)
{
	uint32_t quote_max = packet->family == 4 ? QUOTE_MAX : QUOTE_MAX_V6;
	uint32_t quote_size = packet->ip_size < quote_max ? packet->ip_size : quote_max;
	struct rte_mbuf *message;
	uint8_t *bytes;

	if (packet->group || packet->looped)
		return;
	if (!bp_bucket_take(
		    &wire->icmp_errors, BP_ICMP_ERRORS_PER_SECOND, BP_ICMP_ERRORS_BURST, wire->now_us)) {
		bp_wire_drop(wire, BP_DROP_tx_icmp_limited, 1);
		return;
	}
	message = bp_output_alloc(wire, HEADER_SIZE + quote_size);
	if (message == NULL)
		return;
	bytes = rte_pktmbuf_mtod(message, uint8_t *);
	memset(bytes, 0, HEADER_SIZE);
	bytes[0] = packet->family == 4 ? DESTINATION_UNREACHABLE : DESTINATION_UNREACHABLE_V6;
	bytes[1] = packet->family == 4 ? PORT_UNREACHABLE : PORT_UNREACHABLE_V6;
	memcpy(bytes + HEADER_SIZE, packet->ip_bytes, quote_size);
	answer(wire, packet, message);
}

unsigned
bp_icmp_quoted_udp(struct bp_wire *wire, const struct bp_packet *packet, const struct bp_ip *to,
	const uint8_t *quoted, uint32_t size)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)quoted;
	struct bp_flow flow = {.ip = *to, .transport = BP_TRANSPORT_UDP};
	uint32_t payload_size;

	if (size < sizeof(*udp) || rte_be_to_cpu_16(udp->dgram_len) < sizeof(*udp))
		return BP_DROP_icmp_malformed;
	if (packet->interface == BP_CONFIG_NONE)
		return BP_DROP_icmp_foreign;
	flow.port = rte_be_to_cpu_16(udp->dst_port);
	flow.listener = bp_addresses_find_listener(
		wire->addresses, packet->interface, rte_be_to_cpu_16(udp->src_port));
	if (flow.listener == BP_CONFIG_NONE)
		return BP_DROP_icmp_foreign;
	payload_size = rte_be_to_cpu_16(udp->dgram_len) - (uint32_t)sizeof(*udp);
	if (payload_size > size - sizeof(*udp))
		payload_size = size - (uint32_t)sizeof(*udp);
	bp_count(&wire->counters->icmp_unreachable_received, 1);
	bp_udp_deliver(wire);
	wire->handlers.unreachable(wire->handlers.context, &flow, quoted + sizeof(*udp), payload_size);
	return BP_VERDICT_HANDLED;
}

static unsigned
unreachable(struct bp_wire *wire, const struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct rte_ipv4_hdr *quoted = (const struct rte_ipv4_hdr *)(bytes + HEADER_SIZE);
	uint32_t quoted_size = size - HEADER_SIZE, header_size;
	struct bp_ip source, destination;

	if (quoted_size < sizeof(*quoted) || quoted->version_ihl >> 4 != 4)
		return BP_DROP_icmp_malformed;
	header_size = (quoted->version_ihl & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
	if (header_size < sizeof(*quoted) || header_size > quoted_size)
		return BP_DROP_icmp_malformed;
	source = bp_ip_from_v4(&quoted->src_addr);
	destination = bp_ip_from_v4(&quoted->dst_addr);
	/* An error goes to the source of what it quotes. Later fragments do not show the ports. */
	if (!bp_ip_equal(&source, &packet->destination) || quoted->next_proto_id != IPPROTO_UDP ||
		(quoted->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) != 0)
		return BP_DROP_icmp_foreign;
	return bp_icmp_quoted_udp(
		wire, packet, &destination, bytes + HEADER_SIZE + header_size, quoted_size - header_size);
}

unsigned
bp_icmp_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	if (size < HEADER_SIZE || rte_raw_cksum(bytes, size) != 0xffff)
		return BP_DROP_icmp_malformed;
	switch (bytes[0]) {
	case RTE_IP_ICMP_ECHO_REQUEST:
		if (bytes[1] != 0)
			return BP_DROP_icmp_malformed;
		return bp_icmp_echo(wire, packet, bytes, size, RTE_IP_ICMP_ECHO_REPLY);
	case DESTINATION_UNREACHABLE:
		if (bytes[1] == FRAGMENTATION_NEEDED) /* cannot be: we never set Don't Fragment */
			return BP_DROP_icmp_foreign;
		return unreachable(wire, packet, bytes, size);
	case PARAMETER_PROBLEM:
		return unreachable(wire, packet, bytes, size);
	default: /* source quench and time exceeded among them: ignored, by RFC 3261 18.4 */
		return BP_DROP_icmp_foreign;
	}
}
