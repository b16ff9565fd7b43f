/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What leaves: reserve and send, fragments (read again by the wire's own input), the loop to ourselves,
 * and every way in which a message can get lost on its way out.
 */
#include "harness.h"
#include "wire/state.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>

static struct frame frame, out;
static uint8_t body[FRAME_MAX];

#define OWN "192.0.2.1"
#define PEER "192.0.2.9"
#define OWN6 "2001:db8::1"
#define PEER6 "2001:db8::9"

static void
fill(void)
{
	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 19 + i / 253);
}

/* Turns a frame that we sent around: addresses swapped, so that it is for us. The checksums hold. */
static void
turn_around(struct frame *f, bool six)
{
	uint8_t *header = f->bytes + 14, copy[16];
	uint32_t address = six ? 16 : 4, first = six ? 8 : 12;

	memcpy(copy, f->bytes, 6);
	memcpy(f->bytes, f->bytes + 6, 6);
	memcpy(f->bytes + 6, copy, 6);
	memcpy(copy, header + first, address);
	memcpy(header + first, header + first + address, address);
	memcpy(header + first + address, copy, address);
}

static void
fragments_come_together_again(void **state)
{
	static const uint16_t mtus[] = {1280, 1500, 2000, 9000, 576};
	static const uint32_t sizes[] = {1473, 1500, 2960, 4000, 9100, 30000, 65507};

	fill();
	for (unsigned m = 0; m < sizeof(mtus) / sizeof(mtus[0]); m++) {
		w.port.mtu = mtus[m];
		world_remake();
		for (unsigned six = 0; six < 2; six++) {
			uint16_t listener = six ? LISTENER_V6 : LISTENER_V4;
			struct bp_flow to = flow(listener, six ? PEER6 : PEER, 5060);

			if (six && mtus[m] < 1280)
				continue;
			if (m == 0)
				resolve(listener, six ? PEER6 : PEER, PEER_MAC);
			for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				static struct frame pieces[160];
				unsigned count = 0, largest = 0, before = w.datagram_count % DATAGRAMS_KEPT;

				w.datagram_count = 0;
				for (unsigned j = 0; j < before; j++)
					free(w.datagrams[j].bytes);
				assert_true(send_to(&to, body, sizes[i]));
				while (sent(&pieces[count])) {
					assert_true(pieces[count].size <= 14u + mtus[m]);
					if (pieces[count].size > largest)
						largest = pieces[count].size;
					count++;
				}
				/* Full fragments where mbufs are large enough: no more of them than needed.
				 */
				if (sizes[i] + (six ? 48 : 28) > mtus[m] && mtus[m] <= 2000)
					assert_true(largest > 14u + mtus[m] - 8);
				for (unsigned j = count; j-- > 0;) {
					turn_around(&pieces[j], six);
					input(&pieces[j]);
				}
				assert_int_equal(w.datagram_count, 1);
				assert_int_equal(w.datagrams[0].size, sizes[i]);
				assert_memory_equal(w.datagrams[0].bytes, body, sizes[i]);
			}
		}
	}
	assert_true(w.counters.datagrams_fragmented > 0);
	assert_int_equal(w.counters.frames_held, 0);
}

static void
fragment_fields(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060), to6 = flow(LISTENER_V6, PEER6, 5060);
	uint32_t identification = 0;

	fill();
	resolve(LISTENER_V4, PEER, PEER_MAC);
	resolve(LISTENER_V6, PEER6, PEER_MAC);
	assert_true(send_to(&to, body, 4000));
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *piece;

		assert_true(sent(&out));
		is_ethernet(&out, PEER_MAC, -1, 0x0800);
		piece = is_ip(&out, -1, OWN, PEER, 17);
		if (i == 0)
			identification = get16(piece - 16);
		assert_int_equal(get16(piece - 16), identification);
		assert_int_equal(get16(piece - 14), (i < 2 ? 0x2000 : 0) | i * 185);
	}
	assert_true(send_to(&to6, body, 4000));
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *piece;

		assert_true(sent(&out));
		is_ethernet(&out, PEER_MAC, -1, 0x86dd);
		piece = is_ip(&out, -1, OWN6, PEER6, 44);
		if (i == 0)
			identification = get32(piece + 4);
		assert_int_equal(piece[0], 17);
		assert_int_equal(piece[1], 0);
		assert_int_equal(get16(piece + 2), i * 1448 | (i < 2));
		assert_int_equal(get32(piece + 4), identification);
	}
	nothing_sent();
	assert_int_equal(w.counters.datagrams_fragmented, 2);
	assert_true(send_to(&to6, body, 4000));
	assert_true(sent(&out));
	assert_int_not_equal(get32(is_ip(&out, -1, OWN6, PEER6, 44) + 4), identification);
	assert_int_equal(drain(), 2);
}

static void
reserve_and_send(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);
	uint8_t *room;

	resolve(LISTENER_V4, PEER, PEER_MAC);
	/* Less than reserved. */
	room = bp_wire_reserve(w.wire, &to, 1000);
	assert_non_null(room);
	memcpy(room, "short", 5);
	bp_wire_send(w.wire, &to, 5);
	assert_true(sent(&out));
	assert_int_equal(get16(is_ip(&out, -1, OWN, PEER, 17) + 4), 13);
	/* A small message in a large reservation. */
	room = bp_wire_reserve(w.wire, &to, 65507);
	assert_non_null(room);
	memcpy(room, "short", 5);
	bp_wire_send(w.wire, &to, 5);
	assert_true(sent(&out));
	assert_memory_equal(is_ip(&out, -1, OWN, PEER, 17) + 8, "short", 5);
	/* The second reservation drops the first; sending nothing sends nothing. */
	assert_non_null(bp_wire_reserve(w.wire, &to, 100));
	assert_non_null(bp_wire_reserve(w.wire, &to, 100));
	bp_wire_send(w.wire, &to, 100);
	assert_int_equal(drain(), 1);
	bp_wire_send(w.wire, &to, 100);
	nothing_sent();
	/* More than reserved, and more than there can be. */
	assert_non_null(bp_wire_reserve(w.wire, &to, 100));
	bp_wire_send(w.wire, &to, 101);
	assert_null(bp_wire_reserve(w.wire, &to, 65508));
	assert_int_equal(drops(BP_DROP_tx_too_large), 2);
	nothing_sent();
	/* One is still open at the end. */
	assert_non_null(bp_wire_reserve(w.wire, &to, 100));
}

/* Every place that a message can end at in a buffer: sizes around those of the pools. */
static void
sizes_around_the_buffers(void **state)
{
	static const uint32_t around[] = {1, 1472, 2048, 65407, 65471, 65507};
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);

	fill();
	w.port.mtu = 9000;
	world_remake();
	resolve(LISTENER_V4, PEER, PEER_MAC);
	for (unsigned i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (uint32_t size = around[i] < 10 ? 0 : around[i] - 9;
			size <= around[i] + 9 && size <= 65507; size++) {
			uint32_t done = 0;

			assert_true(send_to(&to, body, size));
			while (sent(&out))
				done += get16(out.bytes + 16) - 20u;
			assert_int_equal(done, size + 8);
		}
	}
}

static void
no_buffers(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);
	struct rte_mbuf *taken[2047], *large[31];
	unsigned left;

	resolve(LISTENER_V4, PEER, PEER_MAC);
	for (unsigned i = 0; i < 31; i++)
		large[i] = rte_pktmbuf_alloc(large_pool);
	assert_null(bp_wire_reserve(w.wire, &to, 4000));
	assert_int_equal(drops(BP_DROP_tx_no_buffer), 1);
	rte_pktmbuf_free_bulk(large, 31);
	while (w.wire->ahead_count > 0) /* what it has taken before it needs it */
		assert_true(send_to(&to, "x", 1));
	bp_wire_flush(w.wire);
	drain();
	/* Some fragments could be had, but not all: then none goes. */
	for (left = 2047; rte_mempool_avail_count(packets_pool) > 2; left--)
		taken[2047 - left] = rte_pktmbuf_alloc(packets_pool);
	assert_true(send_to(&to, body, 4000));
	nothing_sent();
	assert_int_equal(drops(BP_DROP_tx_no_buffer), 2);
	assert_int_equal(w.counters.datagrams_fragmented, 0);
	taken[2047 - left] = rte_pktmbuf_alloc(packets_pool);
	taken[2048 - left] = rte_pktmbuf_alloc(packets_pool);
	assert_null(bp_wire_reserve(w.wire, &to, 100));
	assert_int_equal(drops(BP_DROP_tx_no_buffer), 3);
	/* Nor can a question be answered; the frame is handled all the same. */
	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, PEER, "00:00:00:00:00:00", OWN);
	input(&frame);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5999, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_tx_no_buffer), 5);
	rte_pktmbuf_free_bulk(taken, 2049 - left);
	assert_true(send_to(&to, body, 4000));
	assert_int_equal(drain(), 3);
}

static void
device_queue_full(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);
	unsigned count = 0;

	resolve(LISTENER_V4, PEER, PEER_MAC);
	for (unsigned i = 0; i < 1500; i++)
		assert_true(send_to(&to, "x", 1));
	bp_wire_flush(w.wire);
	count = drain();
	assert_true(count > 500 && count < 1500); /* as many as the ring has room for */
	assert_int_equal(drops(BP_DROP_tx_queue_full), 1500 - count);
	assert_int_equal(w.counters.frames_sent, 2 + count); /* with the ARP request and what waited for it */
	assert_int_equal(w.counters.bytes_sent, (2 + count) * 60);
}

/* What is sent to an address of ours comes in again, at the next flush. */
static void
loop_to_ourselves(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, OWN, 5062), from = flow(LISTENER_V4_5062, OWN, 5060);

	fill();
	assert_true(send_to(&to, "me", 2));
	assert_int_equal(w.datagram_count, 0);
	nothing_sent();
	assert_int_equal(w.datagram_count, 1);
	assert_true(bp_flow_equal(&w.datagrams[0].flow, &from));
	assert_memory_equal(w.datagrams[0].bytes, "me", 2);
	law();
	assert_int_equal(w.counters.frames_received, 1);
	assert_int_equal(w.counters.frames_sent, 1);
	/* The largest, in one piece; IPv6; a closed port. */
	assert_true(send_to(&to, body, 65507));
	nothing_sent();
	assert_int_equal(w.datagram_count, 2);
	assert_int_equal(w.datagrams[1].size, 65507);
	assert_memory_equal(w.datagrams[1].bytes, body, 65507);
	to = flow(LISTENER_V6, OWN6, 5060);
	assert_true(send_to(&to, "six", 3));
	nothing_sent();
	assert_int_equal(w.datagram_count, 3);
	to = flow(LISTENER_V4, OWN, 5999);
	assert_true(send_to(&to, "closed", 6));
	nothing_sent();
	assert_int_equal(drops(BP_DROP_udp_port_closed), 1);
	assert_int_equal(w.unreachable_count, 1);
	assert_true(bp_flow_equal(&w.unreachable[0].flow, &to));
	assert_memory_equal(w.unreachable[0].bytes, "closed", 6);
	law();
}

/* Another realm's address is not looped to: there it goes by its own ways. */
static void
other_realms_are_not_looped(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "10.0.0.1", 5060);

	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_ethernet(&out, BROADCAST, -1, 0x0806); /* the gateway is asked for */
	assert_int_equal(w.datagram_count, 0);
}

static void
send_on(const struct bp_flow *from, const uint8_t *bytes, uint32_t size)
{
	send_to(from, bytes, size);
	send_to(from, bytes, size);
}

/* A loop that doubles at each turn is cut off where its queue ends. */
static void
loops_are_bounded(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, OWN, 5060);

	w.on_datagram = send_on;
	assert_true(send_to(&to, "x", 1));
	for (unsigned turn = 0; turn < 20; turn++) {
		unsigned before = w.datagram_count;

		bp_wire_flush(w.wire);
		law();
		assert_true(w.datagram_count - before <= BP_WIRE_LOOPED_MAX);
	}
	assert_true(drops(BP_DROP_tx_queue_full) > 0);
	w.on_datagram = NULL;
	bp_wire_flush(w.wire);
	nothing_sent();
}

/* After a new snapshot the old addresses are foreign and the new ones are ours. */
static void
reconfigured(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);

	resolve(LISTENER_V4, PEER, PEER_MAC);
	w.interfaces[IF_V4].ip.bytes[15] = 2;
	w.listeners[LISTENER_V4].ip.bytes[15] = 2;
	w.listeners[LISTENER_V4].port = 5070;
	assert_int_equal(bp_wire_configure(w.wire, &w.config), 0);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 1);
	frame_udp(&frame, -1, PEER, "192.0.2.2", 5060, 5070, "x", 1);
	input(&frame);
	assert_int_equal(w.datagram_count, 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x0800); /* the neighbour is still known */
	assert_int_equal(get16(is_ip(&out, -1, "192.0.2.2", PEER, 17)), 5070);
	/* What cannot be is refused, and nothing changes. */
	w.interfaces[IF_V4].port = 1;
	assert_int_equal(bp_wire_configure(w.wire, &w.config), -E2BIG);
	frame_udp(&frame, -1, PEER, "192.0.2.2", 5060, 5070, "x", 1);
	input(&frame);
	assert_int_equal(w.datagram_count, 2);
	w.interfaces[IF_V4].port = 0;
	/* A listener that is gone. */
	w.config.listener_count = 0;
	assert_int_equal(bp_wire_configure(w.wire, &w.config), 0);
	assert_true(send_to(&to, "x", 1));
	assert_int_equal(drops(BP_DROP_tx_no_route), 1);
	nothing_sent();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(fragments_come_together_again),
		WIRE_TEST(fragment_fields),
		WIRE_TEST(reserve_and_send),
		WIRE_TEST(sizes_around_the_buffers),
		WIRE_TEST(no_buffers),
		WIRE_TEST(device_queue_full),
		WIRE_TEST(loop_to_ourselves),
		WIRE_TEST(other_realms_are_not_looped),
		WIRE_TEST(loops_are_bounded),
		WIRE_TEST(reconfigured),
	};

	return harness_run("wire-output", tests, sizeof(tests) / sizeof(tests[0]));
}
