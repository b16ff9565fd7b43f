/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reassembly (see reassembly.h). Not librte_ip_frag: that is built for at most 8 fragments of a datagram
 * (RTE_LIBRTE_IP_FRAG_MAX_FRAG), a 65,507-byte message comes in 45, and overlaps must be seen.
 *
 * Fragments stay in the mbufs they came in, sorted by offset, until the last one; then all is copied
 * into the wire's scratch. No two pieces of a datagram may overlap: whoever tries that loses the whole
 * datagram (RFC 5722 3, here for IPv4 too), and its entry stays, dead, to swallow the rest. The table is
 * bounded; the oldest datagram makes room. As all wait equally long, the oldest is also the next to expire.
 */
#include "wire/reassembly.h"

#include "wire/reassembly_table.h"
#include "wire/state.h"

#include <rte_ip.h>

#define NONE BP_REASSEMBLY_NONE
#define TICK_BUDGET 64
#define PAYLOAD_MAX 65535u
#define PAYLOAD_MAX_V4 (65535u - 20)

static uint16_t *
bucket_of(struct bp_reassembly *reassembly, const struct bp_reassembly_key *key)
{
	uint64_t h = reassembly->secret, word;

	for (size_t i = 0; i + sizeof(word) <= sizeof(*key); i += sizeof(word)) {
		memcpy(&word, (const uint8_t *)key + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	h = (h ^ key->protocol ^ key->family) * reassembly->secret;
	return &reassembly->buckets[(h >> 32) % BP_REASSEMBLY_BUCKETS];
}

/* Frees the pieces of @datagram, all but the mbuf @keep. */
static void
free_pieces(struct bp_reassembly *reassembly, struct bp_reassembly_datagram *datagram,
	const struct rte_mbuf *keep)
{
	while (datagram->first != NONE) {
		uint16_t index = datagram->first;
		struct bp_reassembly_piece *piece = &reassembly->pieces[index];

		datagram->first = piece->next;
		if (piece->mbuf != keep)
			rte_pktmbuf_free(piece->mbuf);
		piece->next = reassembly->free_piece;
		reassembly->free_piece = index;
	}
	datagram->last = NONE;
	datagram->count = 0;
	datagram->bytes = 0;
}

/* Drops the fragments of @datagram that are here. */
static void
drop_pieces(struct bp_wire *wire, struct bp_reassembly_datagram *datagram, enum bp_drop reason)
{
	uint32_t count = datagram->count;

	if (count == 0)
		return;
	bp_wire_drop(wire, reason, count);
	bp_count(&wire->counters->frames_held, (uint64_t)0 - count);
	free_pieces(wire->reassembly, datagram, NULL);
}

/* Takes @datagram, which has no pieces left, out of the table. */
static void
remove_datagram(struct bp_reassembly *reassembly, struct bp_reassembly_datagram *datagram)
{
	uint16_t index = (uint16_t)(datagram - reassembly->datagrams);
	uint16_t *link = bucket_of(reassembly, &datagram->key);

	while (*link != index)
		link = &reassembly->datagrams[*link].next;
	*link = datagram->next;
	if (datagram->older != NONE)
		reassembly->datagrams[datagram->older].newer = datagram->newer;
	else
		reassembly->oldest = datagram->newer;
	if (datagram->newer != NONE)
		reassembly->datagrams[datagram->newer].older = datagram->older;
	else
		reassembly->newest = datagram->older;
	datagram->next = reassembly->free_datagram;
	reassembly->free_datagram = index;
}

static void
give_up(struct bp_wire *wire, struct bp_reassembly_datagram *datagram, enum bp_drop reason)
{
	drop_pieces(wire, datagram, reason);
	remove_datagram(wire->reassembly, datagram);
}

static bool
is_old(const struct bp_wire *wire, const struct bp_reassembly_datagram *datagram)
{
	return wire->now_us - datagram->since_us >= BP_REASSEMBLY_US;
}

static struct bp_reassembly_datagram *
find_or_add(struct bp_wire *wire, const struct bp_reassembly_key *key)
{
	struct bp_reassembly *reassembly = wire->reassembly;
	uint16_t *bucket = bucket_of(reassembly, key), index;
	struct bp_reassembly_datagram *datagram;

	for (index = *bucket; index != NONE; index = datagram->next) {
		datagram = &reassembly->datagrams[index];
		if (memcmp(&datagram->key, key, sizeof(*key)) != 0)
			continue;
		if (!is_old(wire, datagram))
			return datagram;
		give_up(wire, datagram, BP_DROP_fragment_timeout);
		break;
	}
	if (reassembly->free_datagram == NONE)
		give_up(wire, &reassembly->datagrams[reassembly->oldest], BP_DROP_fragment_no_memory);
	index = reassembly->free_datagram;
	datagram = &reassembly->datagrams[index];
	reassembly->free_datagram = datagram->next;
	*datagram = (struct bp_reassembly_datagram){
		.key = *key,
		.since_us = wire->now_us,
		.first = NONE,
		.last = NONE,
		.older = reassembly->newest,
		.newer = NONE,
		.next = *bucket,
	};
	*bucket = index;
	if (reassembly->newest != NONE)
		reassembly->datagrams[reassembly->newest].newer = index;
	else
		reassembly->oldest = index;
	reassembly->newest = index;
	return datagram;
}

/* A free piece for @datagram; another datagram may have to give up its own. NONE: there is none. */
static uint16_t
take_piece(struct bp_wire *wire, const struct bp_reassembly_datagram *datagram)
{
	struct bp_reassembly *reassembly = wire->reassembly;
	uint16_t index, victim = reassembly->oldest, newer;

	for (; reassembly->free_piece == NONE && victim != NONE; victim = newer) {
		newer = reassembly->datagrams[victim].newer;
		if (&reassembly->datagrams[victim] != datagram)
			give_up(wire, &reassembly->datagrams[victim], BP_DROP_fragment_no_memory);
	}
	index = reassembly->free_piece;
	if (index != NONE)
		reassembly->free_piece = reassembly->pieces[index].next;
	return index;
}

static bool
same_bytes(const struct bp_reassembly_piece *piece, const struct rte_mbuf *mbuf,
	const struct bp_fragment *fragment)
{
	uint8_t a_copy[256], b_copy[256];

	for (uint32_t done = 0, step; done < piece->size; done += step) {
		const void *a, *b;

		step = piece->size - done < sizeof(a_copy) ? piece->size - done : (uint32_t)sizeof(a_copy);
		a = rte_pktmbuf_read(piece->mbuf, piece->at + done, step, a_copy);
		b = rte_pktmbuf_read(mbuf, fragment->at + done, step, b_copy);
		if (a == NULL || b == NULL || memcmp(a, b, step) != 0)
			return false;
	}
	return true;
}

/* Finds the place of @fragment: after piece @before (NONE: first). HELD: it fits there; else a drop. */
static unsigned
find_place(const struct bp_reassembly *reassembly, const struct bp_reassembly_datagram *datagram,
	const struct rte_mbuf *mbuf, const struct bp_fragment *fragment, uint16_t *before)
{
	uint32_t end = fragment->offset + fragment->size;
	uint16_t next = datagram->first;

	*before = NONE;
	if (datagram->last != NONE && reassembly->pieces[datagram->last].offset < fragment->offset) {
		*before = datagram->last; /* in order, as nearly always */
		next = NONE;
	}
	while (next != NONE && reassembly->pieces[next].offset < fragment->offset) {
		*before = next;
		next = reassembly->pieces[next].next;
	}
	if (next != NONE && reassembly->pieces[next].offset == fragment->offset &&
		reassembly->pieces[next].size == fragment->size &&
		same_bytes(&reassembly->pieces[next], mbuf, fragment))
		return BP_DROP_fragment_duplicate;
	if (*before != NONE &&
		reassembly->pieces[*before].offset + reassembly->pieces[*before].size > fragment->offset)
		return BP_DROP_fragment_malformed;
	if (next != NONE && reassembly->pieces[next].offset < end)
		return BP_DROP_fragment_malformed;
	/* All must agree where the datagram ends. */
	if (datagram->end != 0 && (fragment->more ? end > datagram->end : end != datagram->end))
		return BP_DROP_fragment_malformed;
	if (!fragment->more && next != NONE)
		return BP_DROP_fragment_malformed;
	return BP_VERDICT_HELD;
}

static void
insert(struct bp_reassembly *reassembly, struct bp_reassembly_datagram *datagram, uint16_t before,
	uint16_t index, struct rte_mbuf *mbuf, const struct bp_fragment *fragment)
{
	uint16_t *link = before != NONE ? &reassembly->pieces[before].next : &datagram->first;

	reassembly->pieces[index] = (struct bp_reassembly_piece){
		.mbuf = mbuf,
		.at = fragment->at,
		.offset = fragment->offset,
		.size = fragment->size,
		.next = *link,
	};
	*link = index;
	if (datagram->last == before)
		datagram->last = index;
	datagram->count++;
	datagram->bytes += fragment->size;
	if (!fragment->more)
		datagram->end = fragment->offset + fragment->size;
	if (fragment->offset == 0)
		datagram->protocol = fragment->protocol;
}

/* The header that an undivided datagram would have had, before @payload; for who quotes it. */
static void
write_header(struct bp_packet *packet, const struct bp_reassembly_datagram *datagram, uint8_t *payload)
{
	if (packet->family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(payload - sizeof(*ip));

		*ip = (struct rte_ipv4_hdr){
			.version_ihl = RTE_IPV4_VHL_DEF,
			.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + datagram->end)),
			.packet_id = rte_cpu_to_be_16((uint16_t)datagram->key.identification),
			.time_to_live = packet->hop_limit,
			.next_proto_id = datagram->protocol,
		};
		memcpy(&ip->src_addr, packet->source.bytes + 12, 4);
		memcpy(&ip->dst_addr, packet->destination.bytes + 12, 4);
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		packet->ip_bytes = (const uint8_t *)ip;
	} else {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(payload - sizeof(*ip));

		ip->vtc_flow = rte_cpu_to_be_32(UINT32_C(6) << 28);
		ip->payload_len = rte_cpu_to_be_16((uint16_t)datagram->end);
		ip->proto = datagram->protocol;
		ip->hop_limits = packet->hop_limit;
		memcpy(&ip->src_addr, packet->source.bytes, 16);
		memcpy(&ip->dst_addr, packet->destination.bytes, 16);
		packet->ip_bytes = (const uint8_t *)ip;
	}
	packet->ip_size = (uint32_t)(payload - packet->ip_bytes) + datagram->end;
}

/* All is here: makes @packet the whole datagram and ends the entry. */
static unsigned
complete(struct bp_wire *wire, struct bp_reassembly_datagram *datagram, struct bp_packet *packet,
	struct bp_fragment *fragment)
{
	struct bp_reassembly *reassembly = wire->reassembly;
	uint8_t *payload = wire->scratch + BP_SCRATCH_HEADROOM;

	for (uint16_t index = datagram->first; index != NONE; index = reassembly->pieces[index].next) {
		const struct bp_reassembly_piece *piece = &reassembly->pieces[index];
		uint8_t *place = payload + piece->offset;
		const void *bytes = rte_pktmbuf_read(piece->mbuf, piece->at, piece->size, place);

		if (bytes != place && bytes != NULL)
			memcpy(place, bytes, piece->size);
	}
	packet->frames = datagram->count;
	bp_count(&wire->counters->frames_held, (uint64_t)0 - (datagram->count - 1u));
	bp_count(&wire->counters->datagrams_reassembled, 1);
	free_pieces(reassembly, datagram, packet->mbuf); /* its owner frees that one */
	packet->mbuf = NULL;
	packet->base = wire->scratch;
	packet->fragmented = true;
	packet->checksum_verified = false;
	write_header(packet, datagram, payload);
	fragment->protocol = datagram->protocol;
	fragment->bytes = payload;
	fragment->size = datagram->end;
	remove_datagram(reassembly, datagram);
	return BP_VERDICT_WHOLE;
}

unsigned
bp_reassembly_input(struct bp_wire *wire, struct bp_packet *packet, struct bp_fragment *fragment)
{
	struct bp_reassembly_key key = {
		.source = packet->source,
		.destination = packet->destination,
		.identification = fragment->identification,
		.port = packet->port,
		.vlan = packet->vlan,
		.family = packet->family,
		.protocol = packet->family == 4 ? fragment->protocol : 0,
	};
	uint16_t before, index;
	struct bp_reassembly_datagram *datagram;
	unsigned verdict;

	if (fragment->size == 0 || (fragment->more && fragment->size % 8 != 0) ||
		fragment->offset + fragment->size > (packet->family == 4 ? PAYLOAD_MAX_V4 : PAYLOAD_MAX))
		return BP_DROP_fragment_malformed;
	datagram = find_or_add(wire, &key);
	if (datagram->dead)
		return BP_DROP_fragment_malformed;
	verdict = find_place(wire->reassembly, datagram, packet->mbuf, fragment, &before);
	if (verdict == BP_DROP_fragment_duplicate)
		return verdict;
	if (verdict == BP_VERDICT_HELD && datagram->count == BP_REASSEMBLY_PIECES)
		verdict = BP_DROP_fragment_no_memory;
	if (verdict != BP_VERDICT_HELD) {
		drop_pieces(wire, datagram, (enum bp_drop)verdict);
		datagram->dead = true;
		return verdict;
	}
	index = take_piece(wire, datagram);
	if (index == NONE)
		return BP_DROP_fragment_no_memory;
	insert(wire->reassembly, datagram, before, index, packet->mbuf, fragment);
	if (datagram->bytes == datagram->end)
		return complete(wire, datagram, packet, fragment);
	bp_count(&wire->counters->frames_held, 1);
	return BP_VERDICT_HELD;
}

void
bp_reassembly_tick(struct bp_wire *wire)
{
	struct bp_reassembly *reassembly = wire->reassembly;

	for (unsigned budget = TICK_BUDGET; budget > 0 && reassembly->oldest != NONE; budget--) {
		struct bp_reassembly_datagram *datagram = &reassembly->datagrams[reassembly->oldest];

		if (!is_old(wire, datagram))
			break;
		give_up(wire, datagram, BP_DROP_fragment_timeout);
	}
}

void
bp_reassembly_clear(struct bp_wire *wire)
{
	struct bp_reassembly *reassembly = wire->reassembly;

	while (reassembly->oldest != NONE)
		give_up(wire, &reassembly->datagrams[reassembly->oldest], BP_DROP_fragment_timeout);
}
