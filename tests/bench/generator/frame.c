/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames and mbufs. See frame.h.
 */
#include "generator/frame.h"

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#define IP_AT 14
#define SOURCE_AT (IP_AT + 12)
#define DESTINATION_AT (IP_AT + 16)
#define CHECKSUM_AT (IP_AT + 10)
#define UDP_AT 34

static uint32_t
sum_words(const uint8_t *at, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t word;

		memcpy(&word, at + 2 * i, 2);
		sum += word;
	}
	return sum;
}

static int
create_places(struct side *side, char *error)
{
	struct gen_end *end = &side->end;

	side->place_count = (uint16_t)(end->addresses * end->udp_ports);
	for (unsigned i = 0; i < side->place_count; i++) {
		struct place *place = &side->places[i];
		uint32_t ip = htonl(end->ip + i / end->udp_ports);
		unsigned udp = end->udp + i % end->udp_ports;
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &ip, text, sizeof(text));
		place->text_size = (uint16_t)snprintf(place->text, sizeof(place->text), "%s:%u", text, udp);
		place->ip_be = ip;
		place->udp_be = htons((uint16_t)udp);
		place->sum = sum_words((const uint8_t *)&ip, 2);
		if (place->text_size != side->places[0].text_size || udp > UINT16_MAX) {
			snprintf(error, 256, "%s is not as long as %s: consecutive places must be", place->text,
				side->places[0].text);
			return -EINVAL;
		}
	}
	side->text_size = side->places[0].text_size;
	return 0;
}

int
frame_side_create(struct side *side, char *error)
{
	static const uint8_t none[6];
	struct gen_end *end = &side->end;
	struct rte_ether_addr mac;

	end->addresses += end->addresses == 0;
	end->udp_ports += end->udp_ports == 0;
	if ((uint32_t)end->addresses * end->udp_ports > GEN_PLACES_MAX) {
		snprintf(error, 256, "an end has at most %u places", GEN_PLACES_MAX);
		return -EINVAL;
	}
	if (memcmp(end->mac, none, 6) == 0) {
		if (rte_eth_macaddr_get(end->port, &mac) != 0) {
			snprintf(error, 256, "port %u has no MAC address", end->port);
			return -EINVAL;
		}
		memcpy(end->mac, mac.addr_bytes, 6);
	}
	side->mac_known = memcmp(end->peer_mac, none, 6) != 0;
	memset(side->by_size, SHAPE_NONE, sizeof(side->by_size));
	memcpy(side->ethernet, end->peer_mac, 6);
	memcpy(side->ethernet + 6, end->mac, 6);
	side->ethernet[12] = 0x08;
	return create_places(side, error);
}

void
frame_prepare(const struct side *side, struct template *template)
{
	struct rte_ipv4_hdr *ip = (void *)(template->frame + IP_AT);
	struct rte_udp_hdr *udp = (void *)(template->frame + UDP_AT);

	memset(template->frame, 0, HEADERS_SIZE);
	ip->version_ihl = 0x45;
	ip->total_length = htons((uint16_t)(template->size - IP_AT));
	ip->fragment_offset = htons(RTE_IPV4_HDR_DF_FLAG); /* so the identification may be 0 (RFC 6864 4.1) */
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->dst_addr = htonl(side->end.peer_ip);
	udp->dst_port = htons(side->end.peer_udp);
	udp->dgram_len = htons((uint16_t)(template->size - UDP_AT));
	template->sum = sum_words(template->frame + IP_AT, 10);
}

bool
frame_mbufs(struct gen *gen, uint32_t count)
{
	if (gen->stash_count >= count)
		return true;
	if (rte_pktmbuf_alloc_bulk(gen->pool, gen->stash + gen->stash_count, BURST) != 0)
		return false;
	gen->stash_count += BURST;
	return true;
}

void
frame_return(struct gen *gen, struct rte_mbuf *mbuf)
{
	if (mbuf->pool == gen->pool && mbuf->nb_segs == 1 && rte_mbuf_refcnt_read(mbuf) == 1 &&
		RTE_MBUF_DIRECT(mbuf) && gen->stash_count < STASH_MAX - BURST) {
		rte_pktmbuf_reset(mbuf);
		gen->stash[gen->stash_count++] = mbuf;
	} else {
		rte_pktmbuf_free(mbuf);
	}
}

void
frame_flush(struct gen *gen, struct side *side)
{
	uint16_t sent = 0;

	if (side->tx_count == 0)
		return;
	while (sent < side->tx_count) {
		uint16_t now = rte_eth_tx_burst(
			side->end.port, side->end.tx_queue, side->tx + sent, (uint16_t)(side->tx_count - sent));

		if (now == 0)
			break;
		sent = (uint16_t)(sent + now);
	}
	gen->report.frames_out += sent;
	gen->report.tx_refused += side->tx_count - sent;
	for (uint16_t i = sent; i < side->tx_count; i++)
		rte_pktmbuf_free(side->tx[i]);
	side->tx_count = 0;
}

static void
put(struct gen *gen, struct side *side, struct rte_mbuf *mbuf)
{
	side->tx[side->tx_count++] = mbuf;
	if (side->tx_count == TX_MAX)
		frame_flush(gen, side);
}

/* The one's complement sum of an IPv4 header, its checksum included: 0xffff when that is right. */
static inline uint16_t
header_sum(const uint8_t *header)
{
	uint64_t sum, more;
	uint32_t last;

	memcpy(&sum, header, 8);
	memcpy(&more, header + 8, 8);
	memcpy(&last, header + 16, 4);
	sum = (sum >> 32) + (sum & UINT32_MAX) + (more >> 32) + (more & UINT32_MAX) + last;
	sum = (sum >> 32) + (sum & UINT32_MAX);
	sum = (sum >> 16 & 0xffff) + (sum & 0xffff) + (sum >> 32);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)((sum >> 16) + sum);
}

/* Without a target in between a message goes to the place of the other end. */
static void
redirect(uint8_t *frame, const struct place *to)
{
	uint16_t check = 0;

	memcpy(frame + DESTINATION_AT, &to->ip_be, 4);
	memcpy(frame + UDP_AT + 2, &to->udp_be, 2);
	memcpy(frame + CHECKSUM_AT, &check, 2);
	check = (uint16_t)~header_sum(frame + IP_AT);
	memcpy(frame + CHECKSUM_AT, &check, 2);
}

static inline void
patch(const struct template *template, const struct writer *writer, const uint8_t *kept, uint8_t *frame)
{
	for (unsigned i = 0; i < template->number_count; i++)
		memcpy(frame + template->numbers[i], writer->number.bytes, NUMBER_SIZE);
	for (unsigned i = 0; i < template->patch_count; i++) {
		const struct patch *p = &template->patches[i];
		const uint8_t *from;

		if (p->kind == FIELD_OPAQUE)
			from = kept + p->kept;
		else
			from = (const uint8_t *)(p->kind == FIELD_SOURCE ? writer->source : writer->trunk)->text;
		copy_field(frame + p->at, from, p->size);
	}
}

void
frame_send(struct gen *gen, enum side_id id, const struct template *template, const struct writer *writer,
	const uint8_t *kept)
{
	const struct place *place = id == CALLER ? writer->source : writer->trunk;
	struct side *side = &gen->sides[id];
	struct rte_mbuf *mbuf;
	uint32_t sum;
	uint16_t check;
	uint8_t *frame;

	if (!frame_mbufs(gen, 1)) {
		gen->report.tx_refused++;
		return;
	}
	mbuf = gen->stash[--gen->stash_count];
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	gen->compare->copy(frame, template->frame, template->size);
	memcpy(frame, side->ethernet, sizeof(side->ethernet));
	memcpy(frame + SOURCE_AT, &place->ip_be, 4);
	memcpy(frame + UDP_AT, &place->udp_be, 2);
	sum = template->sum + place->sum;
	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t)~(sum + (sum >> 16));
	memcpy(frame + CHECKSUM_AT, &check, 2);
	if (gen->redirect)
		redirect(frame, id == CALLER ? writer->trunk : writer->source);
	patch(template, writer, kept, frame);
	if (side->end.checksum) {
		struct rte_udp_hdr *udp = (void *)(frame + UDP_AT);

		udp->dgram_cksum = rte_ipv4_udptcp_cksum((void *)(frame + IP_AT), udp);
	}
	mbuf->data_len = template->size;
	mbuf->pkt_len = template->size;
	gen->report.sent[template->kind]++;
	gen->report.bytes_out += template->size;
	put(gen, side, mbuf);
}

/* Lengths and checksums; the addresses are right. */
static bool
is_whole(const struct gen *gen, const struct side *side, const uint8_t *frame, uint32_t size)
{
	const struct rte_ipv4_hdr *ip = (const void *)(frame + IP_AT);
	const struct rte_udp_hdr *udp = (const void *)(frame + UDP_AT);
	uint32_t total = ntohs(ip->total_length);

	if (total < HEADERS_SIZE - IP_AT || total > size - IP_AT ||
		ntohs(udp->dgram_len) != total - (UDP_AT - IP_AT))
		return false;
	if (header_sum(frame + IP_AT) != 0xffff)
		return false;
	return !side->end.checksum || udp->dgram_cksum == 0 || rte_ipv4_udptcp_cksum(ip, udp) == 0xffff;
}

enum frame_is
frame_read(const struct gen *gen, const struct side *side, const struct rte_mbuf *mbuf, struct frame_in *in)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	const struct rte_ipv4_hdr *ip = (const void *)(frame + IP_AT);
	const struct rte_udp_hdr *udp = (const void *)(frame + UDP_AT);
	uint32_t address, port, size = mbuf->data_len;

	if (size < 42 || mbuf->nb_segs != 1)
		return FRAME_OTHER;
	if (frame[12] == 0x08 && frame[13] == 0x06)
		return FRAME_ARP;
	if (frame[12] != 0x08 || frame[13] != 0 || ip->version_ihl != 0x45 || ip->next_proto_id != IPPROTO_UDP ||
		(ip->fragment_offset & htons(0x3fff)) != 0)
		return FRAME_OTHER;
	address = ntohl(ip->dst_addr) - side->end.ip;
	port = (uint16_t)(ntohs(udp->dst_port) - side->end.udp);
	if (address >= side->end.addresses || port >= side->end.udp_ports)
		return FRAME_OTHER;
	if (!gen->direct && (ntohl(ip->src_addr) != side->end.peer_ip || ntohs(udp->src_port) != side->end.peer_udp))
		return FRAME_OTHER;
	if (!is_whole(gen, side, frame, size))
		return FRAME_WRONG;
	in->bytes = frame + HEADERS_SIZE;
	in->size = ntohs(udp->dgram_len) - 8u;
	in->place = (uint16_t)(address * side->end.udp_ports + port);
	return FRAME_MESSAGE;
}
