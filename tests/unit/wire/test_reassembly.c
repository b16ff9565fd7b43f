/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reassembly: any order, duplicates, overlaps, time-outs, bounds, the largest datagram.
 */
#include "harness.h"

#include <stdlib.h>

#include "wire/reassembly.h"

#include <rte_mbuf.h>

static struct frame frame;
static uint8_t datagram[FRAME_MAX], body[FRAME_MAX];

static const char *const own[] = {"192.0.2.1", "2001:db8::1"}, *const peer[] = {
								       "198.51.100.9", "2001:db8:9::9"};
static const uint16_t listener[] = {LISTENER_V4, LISTENER_V6};

/* A UDP datagram with @size bytes of text in `datagram`. Returns its size. */
static uint32_t
make(unsigned family, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		body[i] = (uint8_t)(i * 17 + i / 251);
	return udp(datagram, peer[family], own[family], 5060, 5060, body, size);
}

static void
piece(unsigned family, uint32_t identification, uint32_t offset, uint32_t size, uint32_t whole)
{
	frame_fragment(&frame, peer[family], own[family], identification, offset, offset + size < whole, 17,
		datagram + offset, size);
}

static void
is_last_datagram(unsigned family, unsigned count, uint32_t size)
{
	struct bp_flow expected = flow(listener[family], peer[family], 5060);

	assert_int_equal(w.datagram_count, count);
	assert_true(bp_flow_equal(&w.datagrams[count - 1].flow, &expected));
	assert_int_equal(w.datagrams[count - 1].size, size);
	assert_memory_equal(w.datagrams[count - 1].bytes, body, size);
}

/* All orders of four fragments. */
static void
any_order(void **state)
{
	unsigned count = 0;

	for (unsigned family = 0; family < 2; family++) {
		uint32_t whole = make(family, 4000);

		for (unsigned order = 0; order < 256; order++) {
			unsigned at[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3};

			if ((1u << at[0] | 1u << at[1] | 1u << at[2] | 1u << at[3]) != 15)
				continue;
			for (unsigned i = 0; i < 4; i++) {
				uint32_t offset = at[i] * 1200;

				assert_int_equal(w.datagram_count, count);
				assert_int_equal(w.counters.frames_held, i);
				piece(family, 1000 + order, offset, at[i] == 3 ? whole - 3600 : 1200, whole);
				input(&frame);
			}
			is_last_datagram(family, ++count, 4000);
		}
	}
	assert_int_equal(count, 48);
	assert_int_equal(w.counters.frames_delivered, 4 * 48);
	assert_int_equal(w.counters.datagrams_reassembled, 48);
}

/* Many datagrams at once, all their fragments shuffled. */
static void
interleaved(void **state)
{
	enum { DATAGRAMS = 40, PIECES = 5 };
	unsigned order[DATAGRAMS * PIECES];
	uint32_t whole = make(0, 3000);

	srand(7);
	for (unsigned i = 0; i < DATAGRAMS * PIECES; i++) {
		unsigned j = (unsigned)rand() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned i = 0; i < DATAGRAMS * PIECES; i++) {
		uint32_t offset = order[i] % PIECES * 608;

		piece(0, order[i] / PIECES, offset, offset + 608 < whole ? 608 : whole - offset, whole);
		input(&frame);
	}
	is_last_datagram(0, DATAGRAMS, 3000);
	assert_int_equal(w.counters.frames_held, 0);
}

static void
same_identification_of_others(void **state)
{
	uint32_t whole = make(0, 2000);

	piece(0, 7, 0, 1000, whole);
	input(&frame);
	/* Another source, another protocol: other datagrams. */
	frame_fragment(&frame, "198.51.100.10", own[0], 7, 1000, false, 17, datagram + 1000, whole - 1000);
	input(&frame);
	frame_fragment(&frame, peer[0], own[0], 7, 1000, false, 1, datagram + 1000, whole - 1000);
	input(&frame);
	frame_fragment(&frame, peer[0], own[0], 8, 1000, false, 17, datagram + 1000, whole - 1000);
	input(&frame);
	assert_int_equal(w.counters.frames_held, 4);
	piece(0, 7, 1000, whole - 1000, whole);
	input(&frame);
	is_last_datagram(0, 1, 2000);
	assert_int_equal(w.counters.frames_held, 3);
}

static void
duplicates(void **state)
{
	for (unsigned family = 0; family < 2; family++) {
		uint32_t whole = make(family, 3000);

		piece(family, 1, 0, 1200, whole);
		input(&frame);
		input(&frame);
		piece(family, 1, 2400, whole - 2400, whole);
		input(&frame);
		input(&frame);
		input(&frame);
		assert_int_equal(drops(BP_DROP_fragment_duplicate), 3 * (family + 1));
		assert_int_equal(w.counters.frames_held, 2);
		piece(family, 1, 1200, 1200, whole);
		input(&frame);
		is_last_datagram(family, family + 1, 3000);
	}
}

/* One that has the place of another but not its bytes kills both (RFC 5722). */
static void
false_duplicates(void **state)
{
	uint32_t whole = make(1, 3000);

	piece(1, 1, 0, 1200, whole);
	input(&frame);
	frame.bytes[frame.size - 1] ^= 1;
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 2);
	assert_int_equal(w.counters.frames_held, 0);
	/* And the rest of it, which comes later. */
	piece(1, 1, 1200, 1200, whole);
	input(&frame);
	piece(1, 1, 0, 1200, whole);
	input(&frame);
	piece(1, 1, 2400, whole - 2400, whole);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 5);
	assert_int_equal(w.datagram_count, 0);
	/* Until it is forgotten; then the number may be used again. */
	tick_at(w.now_us + BP_REASSEMBLY_US);
	for (unsigned i = 0; i < 3; i++) {
		piece(1, 1, i * 1200, i == 2 ? whole - 2400 : 1200, whole);
		input(&frame);
	}
	is_last_datagram(1, 1, 3000);
	assert_int_equal(drops(BP_DROP_fragment_timeout), 0);
}

static void
overlaps(void **state)
{
	static const struct {
		uint32_t offset, size;
	} second[] = {
		{1192, 16},
		{0, 1208},
		{8, 8},
		{0, 8},
		{1184, 2000},
		{400, 400},
	};
	unsigned dropped = 0;

	for (unsigned family = 0; family < 2; family++) {
		uint32_t whole = make(family, 4000);

		for (unsigned i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
			for (unsigned turn = 0; turn < 2; turn++) { /* each of the two first */
				uint32_t identification = 10 * i + turn;

				if (turn == 0) {
					piece(family, identification, 0, 1200, whole);
					input(&frame);
				}
				piece(family, identification, second[i].offset, second[i].size, whole);
				input(&frame);
				if (turn == 1) {
					piece(family, identification, 0, 1200, whole);
					input(&frame);
				}
				dropped += 2;
				assert_int_equal(drops(BP_DROP_fragment_malformed), dropped);
				/* The rest does not bring it back. */
				piece(family, identification, 1200, 1200, whole);
				input(&frame);
				piece(family, identification, 2400, whole - 2400, whole);
				input(&frame);
				dropped += 2;
			}
		}
	}
	assert_int_equal(drops(BP_DROP_fragment_malformed), dropped);
	assert_int_equal(w.counters.frames_held, 0);
	assert_int_equal(w.datagram_count, 0);
}

/* Two fragments that each say "I am the last", and one behind the last. */
static void
contradicting_ends(void **state)
{
	make(0, 4000);
	frame_fragment(&frame, peer[0], own[0], 1, 1600, false, 17, datagram, 8);
	input(&frame);
	frame_fragment(&frame, peer[0], own[0], 1, 3200, false, 17, datagram, 8);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 2);
	frame_fragment(&frame, peer[0], own[0], 2, 1600, false, 17, datagram, 8);
	input(&frame);
	frame_fragment(&frame, peer[0], own[0], 2, 1608, true, 17, datagram, 8);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 4);
	frame_fragment(&frame, peer[0], own[0], 3, 1608, true, 17, datagram, 8);
	input(&frame);
	frame_fragment(&frame, peer[0], own[0], 3, 1600, false, 17, datagram, 8);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 6);
	assert_int_equal(w.counters.frames_held, 0);
}

static void
impossible_fragments(void **state)
{
	unsigned count = 0;

	make(0, 2000);
	for (unsigned family = 0; family < 2; family++) {
		frame_fragment(&frame, peer[family], own[family], 1, 0, true, 17, datagram,
			1001); /* not of eights */
		input(&frame);
		frame_fragment(&frame, peer[family], own[family], 1, 8, true, 17, datagram, 0);
		input(&frame);
		frame_fragment(&frame, peer[family], own[family], 1, 8, false, 17, datagram, 0);
		input(&frame);
		frame_fragment(&frame, peer[family], own[family], 1, 65528, false, 17, datagram,
			8); /* ping of death */
		input(&frame);
		frame_fragment(&frame, peer[family], own[family], 1, 65000, true, 17, datagram, 1000);
		input(&frame);
		count += 5;
		assert_int_equal(drops(BP_DROP_fragment_malformed), count);
	}
	assert_int_equal(w.counters.frames_held, 0);
}

/* A fragment header in front of everything there is (RFC 6946): not a fragment. */
static void
atomic_fragments(void **state)
{
	uint32_t whole = make(1, 500);

	piece(1, 1, 0, 104, 200); /* a real one with the same identification does not matter */
	input(&frame);
	assert_int_equal(w.counters.frames_held, 1);
	frame_fragment(&frame, peer[1], own[1], 1, 0, false, 17, datagram, whole);
	input(&frame);
	is_last_datagram(1, 1, 500);
	assert_int_equal(w.counters.datagrams_reassembled, 0);
}

/* Extension headers after the fragment header, and another fragment header among them. */
static void
extensions_in_fragments(void **state)
{
	static const uint8_t options[8] = {17, 0, 1, 4}, again[8] = {17, 0, 0, 0, 0, 0, 0, 9};
	uint8_t packet[2100];
	uint32_t whole = make(1, 1500);

	memcpy(packet, options, 8);
	memcpy(packet + 8, datagram, whole);
	frame_fragment(&frame, peer[1], own[1], 1, 0, true, 60, packet, 800);
	input(&frame);
	frame_fragment(&frame, peer[1], own[1], 1, 800, false, 60, packet + 800, whole + 8 - 800);
	input(&frame);
	is_last_datagram(1, 1, 1500);
	memcpy(packet, again, 8);
	frame_fragment(&frame, peer[1], own[1], 2, 0, true, 44, packet, 800);
	input(&frame);
	frame_fragment(&frame, peer[1], own[1], 2, 800, false, 44, packet + 800, whole + 8 - 800);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_malformed), 2);
	assert_int_equal(w.datagram_count, 1);
}

/* The first fragment says what follows, also when it comes last (RFC 8200 4.5). */
static void
next_header_of_the_first(void **state)
{
	uint32_t whole = make(1, 1500);

	frame_fragment(&frame, peer[1], own[1], 1, 800, false, 6, datagram + 800, whole - 800);
	input(&frame);
	frame_fragment(&frame, peer[1], own[1], 1, 0, true, 17, datagram, 800);
	input(&frame);
	is_last_datagram(1, 1, 1500);
	frame_fragment(&frame, peer[1], own[1], 2, 0, true, 17, datagram, 800);
	input(&frame);
	frame_fragment(&frame, peer[1], own[1], 2, 800, false, 6, datagram + 800, whole - 800);
	input(&frame);
	is_last_datagram(1, 2, 1500);
}

static void
time_outs(void **state)
{
	uint32_t whole = make(0, 3000);
	uint64_t start = w.now_us;

	piece(0, 1, 0, 1200, whole);
	input(&frame);
	w.now_us = start + SECOND;
	piece(0, 2, 0, 1200, whole);
	input(&frame);
	piece(0, 1, 1200, 1200, whole);
	input(&frame);
	tick_at(start + BP_REASSEMBLY_US - 1);
	assert_int_equal(drops(BP_DROP_fragment_timeout), 0);
	tick_at(start + BP_REASSEMBLY_US);
	assert_int_equal(drops(BP_DROP_fragment_timeout), 2);
	assert_int_equal(w.counters.frames_held, 1);
	/* A fragment finds its datagram too old, though no tick has been. */
	w.now_us = start + SECOND + BP_REASSEMBLY_US;
	piece(0, 2, 1200, 1200, whole);
	input(&frame);
	assert_int_equal(drops(BP_DROP_fragment_timeout), 3);
	assert_int_equal(w.counters.frames_held, 1);
	tick_at(start + SECOND + 2 * BP_REASSEMBLY_US);
	assert_int_equal(drops(BP_DROP_fragment_timeout), 4);
	assert_int_equal(w.counters.frames_held, 0);
	assert_int_equal(w.datagram_count, 0);
}

/* A flood of first fragments: the oldest go, each counted, and a whole datagram still gets through. */
static void
table_is_bounded(void **state)
{
	uint32_t whole = make(0, 3000);

	for (unsigned i = 0; i < 3 * BP_REASSEMBLY_DATAGRAMS; i++) {
		piece(0, i, 0, 1200, whole);
		input(&frame);
		assert_true(w.counters.frames_held <= BP_REASSEMBLY_DATAGRAMS);
	}
	assert_int_equal(drops(BP_DROP_fragment_no_memory), 2 * BP_REASSEMBLY_DATAGRAMS);
	for (unsigned i = 0; i < 3; i++) {
		piece(0, 60000, i * 1200, i == 2 ? whole - 2400 : 1200, whole);
		input(&frame);
	}
	is_last_datagram(0, 1, 3000);
	for (unsigned i = 0; i < 100; i++)
		tick_at(w.now_us + BP_REASSEMBLY_US);
	assert_int_equal(w.counters.frames_held, 0);
}

/* Few datagrams with very many pieces: the pieces are bounded as well. */
static void
pieces_are_bounded(void **state)
{
	make(0, 4000);
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned j = 0; j < 100; j++) {
			frame_fragment(&frame, peer[0], own[0], i, 8 + j * 8, true, 17, datagram, 8);
			input(&frame);
			assert_true(w.counters.frames_held <= BP_WIRE_FRAGMENTS_MAX);
		}
	}
	assert_int_equal(drops(BP_DROP_fragment_no_memory), 4000 - w.counters.frames_held);
	/* And those of one datagram. */
	tick_at(w.now_us + BP_REASSEMBLY_US);
	assert_int_equal(w.counters.frames_held, 0);
	for (unsigned j = 0; j < 500; j++) {
		frame_fragment(&frame, peer[0], own[0], 77, 8 + j * 8, true, 17, datagram, 8);
		input(&frame);
		assert_true(w.counters.frames_held <= BP_REASSEMBLY_PIECES);
	}
	assert_int_equal(w.counters.frames_held, 0);
}

static void
largest_datagram(void **state)
{
	for (unsigned family = 0; family < 2; family++) {
		uint32_t whole = make(family, 65507), steps[] = {1480, 552, 8184};

		for (unsigned s = 0; s < 3; s++) {
			uint32_t step = steps[s], count = (whole + step - 1) / step;

			for (uint32_t i = 0; i < count;
				i++) { /* odd ones first, then the even ones backwards */
				uint32_t k = i < count / 2 ? 2 * i + 1 : 2 * (count - 1 - i);

				piece(family, 100 + step, k * step, k + 1 == count ? whole - k * step : step,
					whole);
				input(&frame);
			}
			is_last_datagram(family, 3 * family + s + 1, 65507);
		}
	}
}

/* Fragments that arrive as chains of mbufs. */
static void
scattered_fragments(void **state)
{
	uint32_t whole = make(0, 20000);

	for (unsigned i = 0; i < 3; i++) {
		piece(0, 1, i * 8000, i == 2 ? whole - 16000 : 8000, whole);
		input_chain(&frame, 2048);
		if (i < 2)
			input_chain(&frame, 999); /* a duplicate, cut up otherwise */
	}
	is_last_datagram(0, 1, 20000);
	assert_int_equal(drops(BP_DROP_fragment_duplicate), 2);
}

static void
wrong_checksum_of_the_whole(void **state)
{
	uint32_t whole = make(0, 3000);

	datagram[2500] ^= 4;
	for (unsigned i = 0; i < 3; i++) {
		piece(0, 1, i * 1200, i == 2 ? whole - 2400 : 1200, whole);
		input(&frame);
	}
	assert_int_equal(drops(BP_DROP_udp_checksum), 3);
	assert_int_equal(w.datagram_count, 0);
}

/* What the device says about a fragment's checksum says nothing about the whole. */
static void
device_cannot_vouch_for_fragments(void **state)
{
	uint32_t whole = make(0, 3000);

	w.port.rx_checksum = true;
	world_remake();
	datagram[2500] ^= 4;
	for (unsigned i = 0; i < 3; i++) {
		piece(0, 1, i * 1200, i == 2 ? whole - 2400 : 1200, whole);
		input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0);
	}
	assert_int_equal(drops(BP_DROP_udp_checksum), 3);
}

/* The wire is freed with fragments still held: world_teardown() looks at the pools. */
static void
freed_while_held(void **state)
{
	make(0, 3000);
	for (unsigned i = 0; i < 50; i++) {
		piece(0, i, 0, 1200, 3008);
		input(&frame);
	}
	assert_int_equal(w.counters.frames_held, 50);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(any_order),
		WIRE_TEST(interleaved),
		WIRE_TEST(same_identification_of_others),
		WIRE_TEST(duplicates),
		WIRE_TEST(false_duplicates),
		WIRE_TEST(overlaps),
		WIRE_TEST(contradicting_ends),
		WIRE_TEST(impossible_fragments),
		WIRE_TEST(atomic_fragments),
		WIRE_TEST(extensions_in_fragments),
		WIRE_TEST(next_header_of_the_first),
		WIRE_TEST(time_outs),
		WIRE_TEST(table_is_bounded),
		WIRE_TEST(pieces_are_bounded),
		WIRE_TEST(largest_datagram),
		WIRE_TEST(scattered_fragments),
		WIRE_TEST(wrong_checksum_of_the_whole),
		WIRE_TEST(device_cannot_vouch_for_fragments),
		WIRE_TEST(freed_while_held),
	};

	return harness_run("wire-reassembly", tests, sizeof(tests) / sizeof(tests[0]));
}
