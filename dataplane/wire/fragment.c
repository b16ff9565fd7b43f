/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fragmentation of what we send (RFC 791 2.3, RFC 8200 4.5): straight from the linear datagram into
 * fresh mbufs, all or nothing. The checksum of the transport is over the whole and is there already.
 */
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_ip.h>

#define FRAGMENTS_MAX 128

struct fragment_header { /* RFC 8200 4.5 */
	uint8_t next_header;
	uint8_t reserved;
	uint16_t offset; /* in bytes, a multiple of 8; bit 0: more follow */
	uint32_t identification;
};
static_assert(sizeof(struct fragment_header) == 8, "RFC 8200 4.5");

static void
send_piece(struct bp_wire *wire, const struct bp_output *output, const struct rte_ether_addr *mac,
	struct rte_mbuf *piece, uint32_t offset, bool more, uint32_t identification)
{
	if (output->family == 4) {
		bp_output_ipv4_header(wire, output, piece, (uint16_t)identification,
			(uint16_t)(offset / RTE_IPV4_HDR_OFFSET_UNITS | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
		bp_output_frame(wire, output->port, output->vlan, mac, RTE_ETHER_TYPE_IPV4, piece);
	} else {
		struct fragment_header *header =
			(struct fragment_header *)rte_pktmbuf_prepend(piece, sizeof(*header));

		header->next_header = output->protocol;
		header->reserved = 0;
		header->offset = rte_cpu_to_be_16((uint16_t)(offset | more));
		header->identification = rte_cpu_to_be_32(identification);
		bp_output_ipv6_header(output, piece, IPPROTO_FRAGMENT);
		bp_output_frame(wire, output->port, output->vlan, mac, RTE_ETHER_TYPE_IPV6, piece);
	}
}

void
bp_fragment_emit(
	struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac, uint32_t mtu)
{
	uint32_t headers = output->family == 4 ? 20 : 40 + sizeof(struct fragment_header);
	uint32_t size = output->mbuf->pkt_len, chunk, count;
	const uint8_t *bytes = rte_pktmbuf_mtod(output->mbuf, const uint8_t *);
	struct rte_mbuf *pieces[FRAGMENTS_MAX];
	uint32_t identification;

	chunk = mtu > headers ? mtu - headers : 0;
	if (chunk > wire->packets_room)
		chunk = wire->packets_room;
	chunk &= ~UINT32_C(7);
	count = chunk != 0 ? (size + chunk - 1) / chunk : UINT32_MAX;
	if (count > FRAGMENTS_MAX || size > UINT16_MAX - 20) {
		bp_wire_drop(wire, BP_DROP_tx_too_large, 1);
		goto done;
	}
	if (rte_pktmbuf_alloc_bulk(wire->packets, pieces, count) != 0) {
		bp_wire_drop(wire, BP_DROP_tx_no_buffer, 1);
		goto done;
	}
	identification = bp_neighbours_next_fragment(wire->neighbours);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t offset = i * chunk, piece_size = size - offset < chunk ? size - offset : chunk;

		memcpy(rte_pktmbuf_append(pieces[i], (uint16_t)piece_size), bytes + offset, piece_size);
		send_piece(wire, output, mac, pieces[i], offset, i + 1 < count, identification);
	}
	bp_count(&wire->counters->datagrams_fragmented, 1);
done:
	rte_pktmbuf_free(output->mbuf);
}
