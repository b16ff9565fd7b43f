/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way down (see output.h): buffers, the wait for a neighbour, the transmit queues, and
 * the loop to ourselves.
 */
#include "wire/output.h"

#include "wire/checksum.h"
#include "wire/packet.h"
#include "wire/state.h"

#include <netinet/in.h>
#include <rte_ethdev.h>
#include <rte_udp.h>

#define AHEAD_BYTES 768u /* of a buffer, that nearly every message reaches */
#define TX_TRIES 4 /* calls that bring nothing forward before the device is called full */

/* A buffer that was sent before comes back from another core: its header is asked for with the next few's, what will be
 * written into it while the one before it is. */
static struct rte_mbuf *
take_packet(struct bp_wire *wire)
{
	struct rte_mbuf *mbuf;

	if (unlikely(wire->ahead_count == 0)) {
		if (rte_mempool_get_bulk(wire->packets, (void **)wire->ahead, BP_WIRE_AHEAD) != 0)
			return rte_pktmbuf_alloc(wire->packets);
		wire->ahead_count = BP_WIRE_AHEAD;
		for (unsigned i = 0; i < BP_WIRE_AHEAD; i++)
			__builtin_prefetch(wire->ahead[i], 1);
	}
	mbuf = wire->ahead[--wire->ahead_count];
	if (likely(wire->ahead_count > 0)) {
		const uint8_t *room = (const uint8_t *)wire->ahead[wire->ahead_count - 1]->buf_addr +
				      RTE_PKTMBUF_HEADROOM - RTE_CACHE_LINE_SIZE;

		for (unsigned at = 0; at < AHEAD_BYTES; at += RTE_CACHE_LINE_SIZE)
			__builtin_prefetch(room + at, 1);
	}
	rte_pktmbuf_reset(mbuf);
	return mbuf;
}

struct rte_mbuf *
bp_output_alloc(struct bp_wire *wire, uint32_t size)
{
	struct rte_mbuf *mbuf;

	if (likely(size <= wire->packets_room)) {
		mbuf = take_packet(wire);
	} else if (size + sizeof(struct rte_udp_hdr) > rte_pktmbuf_data_room_size(wire->large)) {
		bp_wire_drop(wire, BP_DROP_tx_too_large, 1);
		return NULL;
	} else {
		mbuf = rte_pktmbuf_alloc(wire->large);
		/* A buffer is at most 65,535 bytes with its headroom; the largest messages leave less of it.
		 */
		if (mbuf != NULL && mbuf->buf_len - size < RTE_PKTMBUF_HEADROOM)
			mbuf->data_off = (uint16_t)(mbuf->buf_len - size);
	}
	if (mbuf == NULL) {
		bp_wire_drop(wire, BP_DROP_tx_no_buffer, 1);
		return NULL;
	}
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	return mbuf;
}

/* The checksum of a UDP datagram that goes out in one frame or (@whole false) in several. */
static void
udp_checksum(struct bp_wire *wire, const struct bp_output *output, bool whole)
{
	struct rte_mbuf *mbuf = output->mbuf;
	struct rte_udp_hdr *udp = rte_pktmbuf_mtod(mbuf, struct rte_udp_hdr *);

	if (whole && wire->ports[output->port].device.tx_udp_checksum) {
		udp->dgram_cksum = bp_checksum_pseudo(
			output->family, &output->source, &output->destination, IPPROTO_UDP, mbuf->pkt_len);
		mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
				  (output->family == 4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
		return;
	}
	udp->dgram_cksum = 0;
	udp->dgram_cksum = bp_checksum_transport(
		output->family, &output->source, &output->destination, IPPROTO_UDP, udp, mbuf->pkt_len);
	if (udp->dgram_cksum == 0) /* zero means that there is none */
		udp->dgram_cksum = 0xffff;
}

/* The largest buffers leave little room before the data; a small message in one of them moves back. */
static bool
make_headroom(struct rte_mbuf *mbuf, uint16_t size)
{
	uint16_t shift;

	if (likely(rte_pktmbuf_headroom(mbuf) >= size))
		return true;
	shift = (uint16_t)(size - rte_pktmbuf_headroom(mbuf));
	if (rte_pktmbuf_tailroom(mbuf) < shift)
		return false;
	memmove(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, shift), rte_pktmbuf_mtod(mbuf, uint8_t *),
		mbuf->data_len);
	mbuf->data_off = (uint16_t)(mbuf->data_off + shift);
	return true;
}

/* IPv4 is divided on the way where it must be; for IPv6 the path has to be known. */
static uint32_t
mtu_of(struct bp_wire *wire, const struct bp_output *output)
{
	struct bp_neighbour_key destination = {.ip = output->destination, .port = output->port};
	uint32_t mtu = wire->ports[output->port].device.mtu;

	if (output->family == 4 || output->mbuf->pkt_len + 40 <= BP_IPV6_MTU_MIN)
		return mtu;
	return bp_path_mtu(wire->neighbours, &destination, mtu, wire->now_us);
}

void
bp_output_emit(struct bp_wire *wire, struct bp_output *output, const struct rte_ether_addr *mac)
{
	struct rte_mbuf *mbuf = output->mbuf;
	uint32_t mtu = mtu_of(wire, output);
	bool whole = mbuf->pkt_len + (output->family == 4 ? 20u : 40u) <= mtu &&
		     make_headroom(mbuf, BP_ETHERNET_HEADER_MAX + BP_IP_HEADER_MAX);

	if (output->protocol == IPPROTO_UDP)
		udp_checksum(wire, output, whole);
	if (!whole) {
		bp_fragment_emit(wire, output, mac, mtu);
		return;
	}
	if (output->family == 4)
		bp_output_ipv4_header(wire, output, mbuf, wire->ipv4_id++, 0);
	else
		bp_output_ipv6_header(output, mbuf, output->protocol);
	if (!bp_output_ethernet_header(wire, output->port, output->vlan, mac,
		    output->family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6, mbuf))
		return;
	if (output->listener != BP_CONFIG_NONE)
		bp_way_learn(wire, output, mbuf);
	bp_output_queue(wire, output->port, mbuf);
}

static bool
same_next_hop(const struct bp_output *a, const struct bp_output *b)
{
	return bp_ip_equal(&a->next_hop.ip, &b->next_hop.ip) && a->next_hop.port == b->next_hop.port &&
	       a->next_hop.vlan == b->next_hop.vlan;
}

static bool
is_large(const struct bp_wire *wire, const struct bp_output *output)
{
	return output->mbuf->pool == wire->large;
}

static void
waiting_remove(struct bp_wire *wire, unsigned place)
{
	wire->waiting_count--;
	memmove(&wire->waiting[place], &wire->waiting[place + 1],
		(wire->waiting_count - place) * sizeof(wire->waiting[0]));
}

/* The queue of a neighbour is short, and a new arrival replaces the oldest (RFC 4861 7.2.2). The whole
 * queue's oldest goes when that is full: it has waited in vain the longest. */
static void
wait_for_neighbour(struct bp_wire *wire, const struct bp_output *output)
{
	unsigned neighbours = 0, large = 0, oldest = 0, oldest_large = 0, victim = UINT32_MAX;

	for (unsigned i = wire->waiting_count; i-- > 0;) {
		const struct bp_output *other = &wire->waiting[i].output;

		if (same_next_hop(other, output)) {
			neighbours++;
			oldest = i;
		}
		if (is_large(wire, other)) {
			large++;
			oldest_large = i;
		}
	}
	if (neighbours >= BP_WIRE_WAITING_PER_NEIGHBOUR)
		victim = oldest;
	else if (is_large(wire, output) && large >= BP_WIRE_WAITING_LARGE_MAX)
		victim = oldest_large;
	else if (wire->waiting_count >= BP_WIRE_WAITING_MAX)
		victim = 0;
	if (victim != UINT32_MAX) {
		rte_pktmbuf_free(wire->waiting[victim].output.mbuf);
		waiting_remove(wire, victim);
		bp_wire_drop(wire, BP_DROP_tx_neighbour_full, 1);
	}
	wire->waiting[wire->waiting_count++] =
		(struct bp_waiting){.output = *output, .since_us = wire->now_us};
}

/* Looks up the neighbour and sends the question that may be due. */
static enum bp_neighbour_state
find_neighbour(struct bp_wire *wire, struct bp_output *output, bool create, struct rte_ether_addr *mac)
{
	enum bp_neighbour_state state;
	enum bp_neighbour_ask ask;

	/* first: if the MAC address changes while it is looked up, whatever remembers the old one is out of date at once */
	output->resolutions = bp_neighbours_resolutions(wire->neighbours);
	state = bp_neighbour_use(wire->neighbours, &output->next_hop, create, wire->now_us, mac, &ask);
	if (unlikely(ask != BP_NEIGHBOUR_ASK_NONE)) {
		const struct rte_ether_addr *to = ask == BP_NEIGHBOUR_ASK_ONE ? mac : NULL;

		if (output->family == 4)
			bp_arp_ask(wire, &output->next_hop, &output->asker, to);
		else
			bp_nd_ask(wire, &output->next_hop, &output->asker, to);
	}
	return state;
}

void
bp_output_datagram(struct bp_wire *wire, struct bp_output *output)
{
	struct rte_ether_addr mac;

	switch (find_neighbour(wire, output, true, &mac)) {
	case BP_NEIGHBOUR_RESOLVED:
		bp_output_emit(wire, output, &mac);
		break;
	case BP_NEIGHBOUR_WAIT:
		wait_for_neighbour(wire, output);
		break;
	case BP_NEIGHBOUR_FULL:
		rte_pktmbuf_free(output->mbuf);
		bp_wire_drop(wire, BP_DROP_tx_neighbour_full, 1);
		break;
	}
}

/* Goes through the queue once; moves what has waited for longer than @patience_us to wire->failed. */
static unsigned
look_again(struct bp_wire *wire, uint64_t patience_us)
{
	unsigned kept = 0, failed = 0, count = wire->waiting_count;

	for (unsigned i = 0; i < count; i++) {
		struct bp_waiting waiting = wire->waiting[i];
		enum bp_neighbour_state state;
		struct rte_ether_addr mac;

		if (wire->now_us - waiting.since_us >= patience_us) {
			wire->failed[failed++] = waiting;
			continue;
		}
		state = find_neighbour(wire, &waiting.output, false, &mac);
		if (state == BP_NEIGHBOUR_RESOLVED) {
			bp_output_emit(wire, &waiting.output, &mac);
		} else if (state == BP_NEIGHBOUR_WAIT) {
			wire->waiting[kept++] = waiting;
		} else {
			rte_pktmbuf_free(waiting.output.mbuf);
			bp_wire_drop(wire, BP_DROP_tx_neighbour_full, 1);
		}
	}
	wire->waiting_count = kept;
	return failed;
}

void
bp_output_retry(struct bp_wire *wire)
{
	uint32_t resolutions;

	if (likely(wire->waiting_count == 0))
		return;
	resolutions = bp_neighbours_resolutions(wire->neighbours);
	if (resolutions == wire->resolutions_seen)
		return;
	wire->resolutions_seen = resolutions;
	look_again(wire, UINT64_MAX);
}

void
bp_output_tick(struct bp_wire *wire)
{
	unsigned failed;

	if (wire->waiting_count == 0)
		return;
	failed = look_again(wire, BP_NEIGHBOUR_ASKS * BP_NEIGHBOUR_ASK_US);
	/* The handlers may send, and what they send may wait: only now, with the queue in order again. */
	for (unsigned i = 0; i < failed; i++) {
		bp_wire_drop(wire, BP_DROP_tx_neighbour_unresolved, 1);
		bp_udp_failed(wire, &wire->failed[i].output);
		rte_pktmbuf_free(wire->failed[i].output.mbuf);
	}
}

void
bp_output_loop(struct bp_wire *wire, const struct bp_output *output)
{
	if (wire->looped_count == BP_LOOP_QUEUE) {
		rte_pktmbuf_free(output->mbuf);
		bp_wire_drop(wire, BP_DROP_tx_queue_full, 1);
		return;
	}
	wire->looped[wire->looped_count++] = *output;
	bp_count(&wire->counters->frames_sent, 1);
	bp_count(&wire->counters->bytes_sent, output->mbuf->pkt_len);
}

unsigned
bp_output_deliver_looped(struct bp_wire *wire)
{
	unsigned count = wire->looped_count;

	for (unsigned i = 0; i < count; i++) {
		struct bp_output output = wire->looped[i];
		struct bp_packet packet = {
			.frames = 1,
			.port = output.port,
			.vlan = output.vlan,
			.interface = bp_addresses_find(
				wire->addresses, output.port, output.vlan, &output.destination),
			.family = output.family,
			.looped = true,
			.checksum_verified = true,
			.source = output.source,
			.destination = output.destination,
		};
		uint32_t size = output.mbuf->pkt_len;
		unsigned verdict;

		verdict = bp_udp_input(wire, &packet, rte_pktmbuf_mtod(output.mbuf, const uint8_t *), size);
		bp_udp_deliver(wire);
		bp_wire_received(wire, verdict, 1, size);
		if (verdict == BP_DROP_udp_port_closed)
			bp_udp_failed(wire, &output);
		rte_pktmbuf_free(output.mbuf);
	}
	/* What the handlers looped meanwhile waits for the next turn. */
	wire->looped_count -= count;
	memmove(&wire->looped[0], &wire->looped[count], wire->looped_count * sizeof(wire->looped[0]));
	return count;
}

static uint64_t
bytes_of(struct rte_mbuf *const *frames, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += frames[i]->pkt_len;
	return bytes;
}

/* Lets the driver look at frames with offloads; what it refuses is taken out. Returns how many are left. */
static uint16_t
prepare(struct bp_wire *wire, struct bp_wire_end *port)
{
	struct bp_tx_queue *queue = &port->queue;
	uint16_t ready = 0;

	if (!port->device.tx_ipv4_checksum && !port->device.tx_udp_checksum)
		return queue->count;
	while (ready < queue->count) {
		ready = (uint16_t)(ready + rte_eth_tx_prepare(port->device.id, port->device.queue,
						   queue->frames + ready, (uint16_t)(queue->count - ready)));
		if (ready == queue->count)
			break;
		rte_pktmbuf_free(queue->frames[ready]);
		bp_wire_drop(wire, BP_DROP_tx_refused, 1);
		queue->count--;
		memmove(&queue->frames[ready], &queue->frames[ready + 1],
			(queue->count - ready) * sizeof(queue->frames[0]));
	}
	return ready;
}

static unsigned
transmit(struct bp_wire *wire, struct bp_wire_end *port)
{
	struct bp_tx_queue *queue = &port->queue;
	uint16_t count = prepare(wire, port), sent = 0;
	uint64_t bytes = bytes_of(queue->frames, count);

	for (unsigned tries = 0; sent < count && tries < TX_TRIES; tries++) {
		uint16_t taken = rte_eth_tx_burst(
			port->device.id, port->device.queue, queue->frames + sent, (uint16_t)(count - sent));

		sent = (uint16_t)(sent + taken);
		if (taken != 0)
			tries = 0;
	}
	bytes -= bytes_of(queue->frames + sent, count - sent);
	if (sent < count) {
		rte_pktmbuf_free_bulk(queue->frames + sent, count - sent);
		bp_wire_drop(wire, BP_DROP_tx_queue_full, count - sent);
	}
	bp_count(&wire->counters->frames_sent, sent);
	bp_count(&wire->counters->bytes_sent, bytes);
	queue->count = 0;
	return sent;
}

void
bp_output_queue(struct bp_wire *wire, uint16_t port, struct rte_mbuf *frame)
{
	struct bp_tx_queue *queue = &wire->ports[port].queue;

	queue->frames[queue->count++] = frame;
	if (queue->count == BP_TX_QUEUE)
		transmit(wire, &wire->ports[port]);
}

unsigned
bp_output_flush(struct bp_wire *wire)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < wire->port_count; i++) {
		if (wire->ports[i].queue.count != 0)
			sent += transmit(wire, &wire->ports[i]);
	}
	return sent;
}
