/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See spread.h. Runs on the worker, for every frame where calls are spread.
 */
#include "worker/spread.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include <netinet/in.h>
#include <string.h>

#define LINES_MAX 64 /* lines that are looked at; a Call-ID stands among the first */

/* The payload of a whole UDP datagram. NULL: something else. */
static const uint8_t *
payload(const uint8_t *frame, uint32_t size, uint32_t *payload_size)
{
	const struct rte_ether_hdr *ethernet = (const struct rte_ether_hdr *)frame;
	uint32_t at = sizeof(*ethernet);
	uint16_t type;

	if (size < at)
		return NULL;
	type = rte_be_to_cpu_16(ethernet->ether_type);
	if (type == RTE_ETHER_TYPE_VLAN && size >= at + sizeof(struct rte_vlan_hdr)) {
		type = rte_be_to_cpu_16(((const struct rte_vlan_hdr *)(frame + at))->eth_proto);
		at += sizeof(struct rte_vlan_hdr);
	}
	if (type == RTE_ETHER_TYPE_IPV4 && size >= at + sizeof(struct rte_ipv4_hdr)) {
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + at);

		if (ip->next_proto_id != IPPROTO_UDP ||
			(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0)
			return NULL;
		at += (ip->version_ihl & RTE_IPV4_HDR_IHL_MASK) * RTE_IPV4_IHL_MULTIPLIER;
	} else if (type == RTE_ETHER_TYPE_IPV6 && size >= at + sizeof(struct rte_ipv6_hdr)) {
		if (((const struct rte_ipv6_hdr *)(frame + at))->proto != IPPROTO_UDP)
			return NULL;
		at += sizeof(struct rte_ipv6_hdr);
	} else {
		return NULL;
	}
	at += sizeof(struct rte_udp_hdr);
	if (at >= size)
		return NULL;
	*payload_size = size - at;
	return frame + at;
}

/* The rest of the line behind "Call-ID" or "i", any case, and its colon. NULL: another header. */
static const uint8_t *
value_of(const uint8_t *line, const uint8_t *end)
{
	static const char name[] = "call-id";
	const uint8_t *at = line;

	if (end - line < 3)
		return NULL;
	if ((line[0] | 0x20) == 'i') {
		at = line + 1;
	} else {
		if ((line[0] | 0x20) != 'c' || end - line < (long)sizeof(name))
			return NULL;
		for (unsigned i = 0; i < sizeof(name) - 1; i++)
			if ((line[i] | 0x20) != name[i]) /* '-' has that bit, too */
				return NULL;
		at = line + sizeof(name) - 1;
	}
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at != ':')
		return NULL;
	at++;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

const uint8_t *
bp_spread_call_id(const uint8_t *frame, uint32_t size, uint32_t *id_size)
{
	uint32_t text_size = 0;
	const uint8_t *text = payload(frame, size, &text_size), *end, *line;

	if (text == NULL)
		return NULL;
	end = text + text_size;
	line = memchr(text, '\n', text_size);
	for (unsigned lines = 0; line != NULL && lines < LINES_MAX; lines++) {
		const uint8_t *next, *stop, *value;

		line++;
		next = memchr(line, '\n', (size_t)(end - line));
		stop = next != NULL ? next : end;
		if (stop > line && stop[-1] == '\r')
			stop--;
		if (stop == line)
			return NULL; /* the body begins */
		value = value_of(line, stop);
		if (value != NULL) {
			while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
			*id_size = (uint32_t)(stop - value);
			return *id_size > 0 ? value : NULL;
		}
		line = next;
	}
	return NULL;
}

static unsigned
worker_of(const struct bp_spread *spread, unsigned self, const struct rte_mbuf *frame)
{
	const uint8_t *id;
	uint32_t size;
	uint64_t hash;

	if (frame->nb_segs != 1)
		return self;
	id = bp_spread_call_id(rte_pktmbuf_mtod(frame, const uint8_t *), frame->data_len, &size);
	if (id == NULL)
		return self;
	hash = bp_hash64(&spread->key, id, size);
	return (unsigned)((hash >> 32) * spread->workers >> 32);
}

unsigned
bp_spread_out(struct bp_spread *spread, unsigned self, unsigned port, struct rte_mbuf **frames, unsigned count,
	struct bp_counters *counters)
{
	unsigned left = 0, handed = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned worker = worker_of(spread, self, frames[i]);

		if (worker == self) {
			frames[left++] = frames[i];
			continue;
		}
		frames[i]->hash.usr = port;
		if (rte_ring_sp_enqueue(bp_spread_ring(spread, self, worker), frames[i]) == 0) {
			handed++;
			continue;
		}
		bp_count(&counters->frames_received, 1);
		bp_count(&counters->bytes_received, frames[i]->pkt_len);
		bp_count(&counters->drops[BP_DROP_handover_full], 1);
		rte_pktmbuf_free(frames[i]);
	}
	if (handed > 0)
		bp_count(&counters->frames_handed_out, handed);
	return left;
}

unsigned
bp_spread_in(struct bp_spread *spread, unsigned self, struct rte_mbuf **frames, unsigned max)
{
	unsigned sender = spread->turns[self].sender, count = 0;

	for (unsigned i = 0; i < spread->workers && count < max; i++) {
		count += rte_ring_sc_dequeue_burst(
			bp_spread_ring(spread, sender, self), (void **)(frames + count), max - count, NULL);
		sender = sender + 1 < spread->workers ? sender + 1 : 0;
	}
	spread->turns[self].sender = sender; /* a full burst: whoever comes after its last sender is first the next time */
	return count;
}

unsigned
bp_spread_port(const struct rte_mbuf *frame)
{
	return frame->hash.usr;
}
