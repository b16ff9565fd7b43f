/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See way.h. Runs on the worker, for every datagram sent.
 */
#include "wire/way.h"

#include "wire/checksum.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_udp.h>

static struct bp_way *
place_of(struct bp_wire *wire, const struct bp_flow *to)
{
	uint64_t words[2], h;

	/* Who could aim for one place would slow down his own datagrams' neighbours there, to what they cost
	 * without ways: no key is needed. */
	memcpy(words, to->ip.bytes, sizeof(words));
	h = (words[0] ^ words[1] ^ (uint64_t)to->port << 16 ^ to->listener) * 0x9e3779b97f4a7c15u;
	return &wire->ways[h >> 32 & (BP_WAYS - 1)];
}

static struct bp_way *
find(struct bp_wire *wire, const struct bp_flow *to)
{
	struct bp_way *way = place_of(wire, to);

	if (way->generation != wire->way_generation || wire->now_us - way->made_us >= BP_WAY_US ||
		!bp_ip_equal(&way->to.ip, &to->ip) || way->to.port != to->port || way->to.listener != to->listener ||
		way->resolutions != bp_neighbours_resolutions(wire->neighbours))
		return NULL;
	return way;
}

static void
ip_header(struct bp_wire *wire, const struct bp_way *way, uint8_t *bytes, struct rte_mbuf *mbuf, uint32_t udp_size)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)bytes;
	uint32_t sum;

	if (way->family == 6) {
		((struct rte_ipv6_hdr *)bytes)->payload_len = rte_cpu_to_be_16((uint16_t)udp_size);
		return;
	}
	ip->total_length = rte_cpu_to_be_16((uint16_t)(udp_size + sizeof(*ip)));
	ip->packet_id = rte_cpu_to_be_16(wire->ipv4_id++);
	if (wire->ports[way->port].device.tx_ipv4_checksum) {
		mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
		return;
	}
	sum = way->ip_sum + ip->total_length + ip->packet_id;
	ip->hdr_checksum = (uint16_t)~bp_checksum_fold(sum);
}

static void
udp_header(const struct bp_wire *wire, const struct bp_way *way, struct rte_udp_hdr *udp, struct rte_mbuf *mbuf,
	uint32_t udp_size)
{
	uint64_t sum = (uint64_t)way->udp_sum + rte_cpu_to_be_16((uint16_t)udp_size);

	udp->dgram_len = rte_cpu_to_be_16((uint16_t)udp_size);
	if (wire->ports[way->port].device.tx_udp_checksum) {
		udp->dgram_cksum = bp_checksum_fold(sum);
		mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (way->family == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
		return;
	}
	udp->dgram_cksum = (uint16_t)~bp_checksum_fold(sum + rte_raw_cksum(udp, udp_size));
	if (udp->dgram_cksum == 0) /* zero means that there is none */
		udp->dgram_cksum = 0xffff;
}

bool
bp_way_send(struct bp_wire *wire, const struct bp_flow *to, struct rte_mbuf *mbuf)
{
	const struct bp_way *way = find(wire, to);
	uint32_t udp_size, headers;
	uint8_t *bytes;

	if (way == NULL || mbuf->pkt_len > way->payload_max)
		return false;
	headers = (uint32_t)way->l2_size + way->l3_size + (uint32_t)sizeof(struct rte_udp_hdr);
	if (headers + mbuf->pkt_len < BP_ETHERNET_MIN || rte_pktmbuf_headroom(mbuf) < headers)
		return false;
	udp_size = mbuf->pkt_len + (uint32_t)sizeof(struct rte_udp_hdr);
	bytes = (uint8_t *)rte_pktmbuf_prepend(mbuf, (uint16_t)headers);
	memcpy(bytes, way->headers, headers);
	/* one store: the bit fields one by one would wait for each other, and for all stores of the message before */
	mbuf->tx_offload = rte_mbuf_tx_offload(way->l2_size, way->l3_size, 0, 0, 0, 0, 0);
	ip_header(wire, way, bytes + way->l2_size, mbuf, udp_size);
	udp_header(wire, way, (struct rte_udp_hdr *)(bytes + way->l2_size + way->l3_size), mbuf, udp_size);
	bp_output_queue(wire, way->port, mbuf);
	return true;
}

void
bp_way_learn(struct bp_wire *wire, const struct bp_output *output, const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	uint32_t headers = frame->l2_len + frame->l3_len + (uint32_t)sizeof(struct rte_udp_hdr);
	struct rte_udp_hdr *udp;
	struct bp_flow to = {.ip = output->destination, .listener = output->listener};
	struct bp_way *way;

	if (headers > sizeof(way->headers))
		return;
	udp = (struct rte_udp_hdr *)(uintptr_t)(bytes + headers - sizeof(*udp));
	to.port = rte_be_to_cpu_16(udp->dst_port);
	way = place_of(wire, &to);
	way->to = to;
	way->made_us = wire->now_us;
	way->generation = wire->way_generation;
	way->resolutions = output->resolutions;
	way->port = output->port;
	way->family = output->family;
	way->l2_size = (uint8_t)frame->l2_len;
	way->l3_size = (uint8_t)frame->l3_len;
	way->payload_max = (output->family == 4 ? wire->ports[output->port].device.mtu : BP_IPV6_MTU_MIN) -
			   way->l3_size - (uint32_t)sizeof(*udp);
	memcpy(way->headers, bytes, headers);
	udp = (struct rte_udp_hdr *)(way->headers + headers - sizeof(*udp));
	udp->dgram_len = 0;
	udp->dgram_cksum = 0;
	way->udp_sum = bp_checksum_pseudo(output->family, &output->source, &output->destination, IPPROTO_UDP, 0);
	if (output->family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(way->headers + way->l2_size);

		ip->total_length = 0;
		ip->packet_id = 0;
		ip->hdr_checksum = 0;
		way->ip_sum = rte_raw_cksum(ip, sizeof(*ip));
	}
}
