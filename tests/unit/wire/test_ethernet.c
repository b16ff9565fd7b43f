/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames that are not for us, VLAN tags in and out, and what the ports' offloads change.
 */
#include "harness.h"

#include <rte_mbuf.h>

static struct frame frame, out;

static void
foreign_frames(void **state)
{
	frame_udp(&frame, -1, "192.0.2.9", "192.0.2.1", 5060, 5060, "hello", 5);
	frame.bytes[5] = 0x77; /* another station's */
	input(&frame);
	assert_int_equal(drops(BP_DROP_ethernet_foreign), 1);

	frame_udp(&frame, -1, "192.0.2.9", "192.0.2.1", 5060, 5060, "hello", 5);
	frame.bytes[6] |= 1; /* a group cannot send */
	input(&frame);
	assert_int_equal(drops(BP_DROP_ethernet_foreign), 2);

	frame_ethernet(&frame, OWN_MAC, PEER_MAC, -1, 0x88cc); /* LLDP */
	frame_append(&frame, "\0\0\0\0", 4);
	input(&frame);
	frame_ethernet(&frame, OWN_MAC, PEER_MAC, -1, 38); /* an 802.3 length */
	frame_append(&frame, "\0\0\0\0", 4);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ethernet_foreign), 4);
	assert_int_equal(w.counters.frames_received, 4);
	assert_int_equal(w.datagram_count, 0);
	nothing_sent();
}

static void
vlan_tag_in(void **state)
{
	struct bp_flow expected = flow(LISTENER_VLAN_V4, "10.9.9.9", 6000);

	frame_udp(&frame, 100, "10.9.9.9", "10.0.0.1", 6000, 5060, "tagged", 6);
	input(&frame);
	assert_int_equal(w.datagram_count, 1);
	assert_true(bp_flow_equal(&w.datagrams[0].flow, &expected));
	assert_int_equal(w.datagrams[0].size, 6);
	assert_memory_equal(w.datagrams[0].bytes, "tagged", 6);

	/* Priority bits do not matter. */
	frame.bytes[14] |= 0xe0;
	input(&frame);
	assert_int_equal(w.datagram_count, 2);

	/* Taken out by the device. */
	frame_udp(&frame, -1, "10.9.9.9", "10.0.0.1", 6000, 5060, "tagged", 6);
	input_flags(&frame, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, 0xe000 | 100);
	assert_int_equal(w.datagram_count, 3);
}

static void
priority_tag_is_untagged(void **state)
{
	frame_udp(&frame, 0, "192.0.2.9", "192.0.2.1", 5060, 5060, "hello", 5);
	input(&frame);
	assert_int_equal(w.datagram_count, 1);
}

static void
addresses_stay_on_their_vlan(void **state)
{
	frame_udp(&frame, 300, "10.9.9.9", "10.0.0.1", 6000, 5060, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_vlan_unknown), 1);
	frame_udp(&frame, 200, "10.9.9.9", "10.0.0.1", 6000, 5060, "x", 1); /* is on 100 */
	input(&frame);
	frame_udp(&frame, -1, "10.9.9.9", "10.0.0.1", 6000, 5060, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 2);
	/* A second tag is not spoken. */
	frame_ethernet(&frame, OWN_MAC, PEER_MAC, 100, 0x8100);
	frame_append(&frame, "\0\x64\x08\0", 4);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ethernet_foreign), 1);
	assert_int_equal(w.datagram_count, 0);
}

static void
vlan_tag_out(void **state)
{
	struct bp_flow to = flow(LISTENER_VLAN_V4, "10.9.9.9", 6000);
	const uint8_t *datagram;

	resolve(LISTENER_VLAN_V4, "10.9.9.9", PEER_MAC);
	assert_true(send_to(&to, "out", 3));
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, 100, 0x0800);
	datagram = is_ip(&out, 100, "10.0.0.1", "10.9.9.9", 17);
	assert_int_equal(get16(datagram), 5060);
	assert_int_equal(get16(datagram + 2), 6000);
	assert_memory_equal(datagram + 8, "out", 3);
	nothing_sent();
}

/* Frames of less than 60 bytes are filled up with zeros, not with what was in the buffer. */
static void
padding_is_zero(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	uint8_t noise[200];

	memset(noise, 0xa5, sizeof(noise));
	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	for (unsigned i = 0; i < 2100; i++) { /* every mbuf of the pool has seen noise */
		assert_true(send_to(&to, noise, sizeof(noise)));
		assert_true(sent(&out));
	}
	assert_true(send_to(&to, "1", 1));
	assert_true(sent(&out));
	assert_int_equal(out.size, 60);
	for (unsigned i = 43; i < 60; i++)
		assert_int_equal(out.bytes[i], 0);
}

static void
transmit_offloads(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	struct bp_flow to6 = flow(LISTENER_V6, "2001:db8::9", 6000);
	uint32_t pseudo = 0xc000 + 0x0201 + 0xc000 + 0x0209 + 17 + 11;
	const uint8_t *datagram;

	w.port.tx_ipv4_checksum = true;
	w.port.tx_udp_checksum = true;
	world_remake();
	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	assert_true(send_to(&to, "off", 3));
	assert_true(sent(&out));
	assert_int_equal(sent_flags() & (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK),
		RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM);
	datagram = is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17);
	assert_int_equal(get16(datagram - 10), 0); /* the device fills it in */
	/* The sum of the pseudo header for a datagram of 11 bytes, for the device to go on from. */
	assert_int_equal(get16(datagram + 6), (pseudo & 0xffff) + (pseudo >> 16));
	resolve(LISTENER_V6, "2001:db8::9", PEER_MAC);
	assert_true(send_to(&to6, "off", 3));
	assert_true(sent(&out));
	assert_int_equal(sent_flags() & (RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK),
		RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM);
}

/* With offloads on, fragments still carry a checksum over the whole datagram, made in software. */
static void
fragments_do_not_use_the_udp_offload(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	static uint8_t message[3000], whole[3100];
	struct address source = ip("192.0.2.1"), destination = ip("192.0.2.9");
	const uint8_t *piece;

	w.port.tx_ipv4_checksum = true;
	w.port.tx_udp_checksum = true;
	world_remake();
	for (unsigned i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	assert_true(send_to(&to, message, sizeof(message)));
	for (unsigned offset = 0; offset < 3008;) {
		assert_true(sent(&out));
		assert_int_equal(sent_flags() & RTE_MBUF_F_TX_L4_MASK, 0);
		piece = is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17);
		assert_int_equal((get16(piece - 14) & 0x1fff) * 8, offset);
		memcpy(whole + offset, piece, get16(piece - 18) - 20u);
		offset += get16(piece - 18) - 20u;
	}
	assert_int_equal(checksum(&source, &destination, 17, whole, 3008), 0);
	nothing_sent();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(foreign_frames),
		WIRE_TEST(vlan_tag_in),
		WIRE_TEST(priority_tag_is_untagged),
		WIRE_TEST(addresses_stay_on_their_vlan),
		WIRE_TEST(vlan_tag_out),
		WIRE_TEST(padding_is_zero),
		WIRE_TEST(transmit_offloads),
		WIRE_TEST(fragments_do_not_use_the_udp_offload),
	};

	return harness_run("wire-ethernet", tests, sizeof(tests) / sizeof(tests[0]));
}
