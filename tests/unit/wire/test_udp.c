/* SPDX-License-Identifier: BSD-3-Clause
 *
 * UDP in both families, in and out, its checksum, and the IP headers before it.
 */
#include "harness.h"

#include <rte_mbuf.h>

static struct frame frame, out;
static uint8_t body[FRAME_MAX];

#define OWN "192.0.2.1"
#define PEER "192.0.2.9"
#define OWN6 "2001:db8::1"
#define PEER6 "2001:db8::9"

static void
is_datagram(unsigned index, uint16_t listener, const char *address, uint16_t port, const void *bytes,
	uint32_t size)
{
	struct bp_flow expected = flow(listener, address, port);

	assert_true(w.datagram_count > index);
	assert_true(bp_flow_equal(&w.datagrams[index].flow, &expected));
	assert_int_equal(w.datagrams[index].size, size);
	assert_memory_equal(w.datagrams[index].bytes, bytes, size);
}

static void
in(void **state)
{
	frame_udp(&frame, -1, "198.51.100.3", OWN, 40000, 5060, "hello", 5);
	input(&frame);
	is_datagram(0, LISTENER_V4, "198.51.100.3", 40000, "hello", 5);
	frame_udp(&frame, -1, PEER, OWN, 1, 5062, "other port", 10);
	input(&frame);
	is_datagram(1, LISTENER_V4_5062, PEER, 1, "other port", 10);
	frame_udp(&frame, -1, PEER6, OWN6, 65535, 5060, "six", 3);
	input(&frame);
	is_datagram(2, LISTENER_V6, PEER6, 65535, "six", 3);
	frame_udp(&frame, 100, "2001:db8:64::5", "2001:db8:64::1", 5060, 5060, "vlan", 4);
	input(&frame);
	is_datagram(3, LISTENER_VLAN_V6, "2001:db8:64::5", 5060, "vlan", 4);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "", 0); /* nothing: the engine counts it */
	input(&frame);
	is_datagram(4, LISTENER_V4, PEER, 5060, "", 0);
	assert_int_equal(w.counters.frames_delivered, 5);
	assert_int_equal(w.counters.frames_received, 5);
	assert_int_equal(
		w.counters.bytes_received, 14 + 28 + 5 + 14 + 28 + 10 + 14 + 48 + 3 + 18 + 48 + 4 + 14 + 28);
}

static void
padding_and_trailing_bytes(void **state)
{
	uint8_t datagram[64];
	uint32_t size;

	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "short", 5);
	frame_append(&frame, "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee", 13); /* to 60 bytes */
	input(&frame);
	is_datagram(0, LISTENER_V4, PEER, 5060, "short", 5);
	/* An IP packet longer than its datagram. */
	size = udp(datagram, PEER, OWN, 5060, 5060, "short", 5);
	memset(datagram + size, 0xee, 10);
	frame_ip(&frame, -1, PEER, OWN, 17, datagram, size + 10);
	input(&frame);
	is_datagram(1, LISTENER_V4, PEER, 5060, "short", 5);
}

static void
scattered_over_mbufs(void **state)
{
	static const uint32_t segments[] = {1, 7, 14, 33, 60, 500};

	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 3);
	for (unsigned i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		frame_udp(&frame, -1, PEER, OWN, 5060, 5060, body, 700);
		input_chain(&frame, segments[i]);
		is_datagram(i, LISTENER_V4, PEER, 5060, body, 700);
	}
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, body, 9000);
	input_chain(&frame, 2048);
	is_datagram(6, LISTENER_V6, PEER6, 5060, body, 9000);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, body, 700);
	memset(frame.bytes + frame.size, 0, FRAME_MAX - frame.size);
	frame.size = FRAME_MAX; /* more than any IP packet: a frame that no device should bring */
	input_chain(&frame, 2048);
	assert_int_equal(drops(BP_DROP_rx_linearize), 1);
}

static void
wrong_checksums(void **state)
{
	for (unsigned family = 0; family < 2; family++) {
		uint32_t header = family == 0 ? 20 : 40;

		frame_udp(&frame, -1, family == 0 ? PEER : PEER6, family == 0 ? OWN : OWN6, 5060, 5060,
			"hello", 5);
		for (uint32_t at = 14 + header; at < frame.size; at++) {
			if (at - 14 - header == 4 || at - 14 - header == 5)
				continue; /* the length has a test of its own */
			frame.bytes[at] ^= 0x20;
			input(&frame);
			frame.bytes[at] ^= 0x20;
		}
	}
	assert_int_equal(drops(BP_DROP_udp_checksum), 2 * (13 - 2));
	/* The pseudo header is part of it: another source address. */
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	frame.bytes[14 + 15] ^= 2;
	frame_ipv4_checksum(&frame);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_checksum), 2 * (13 - 2) + 1);
	assert_int_equal(w.datagram_count, 0);
}

/* What a veth or tap peer leaves in the field when it counts on an offload: the pseudo header's sum alone. */
static void
partial_checksums_are_wrong(void **state)
{
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 26, 0x8000 + 0x0201 + 0x0209 + 17 + 13 + 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_checksum), 1);
}

static void
no_checksum(void **state)
{
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 26, 0);
	input(&frame);
	assert_int_equal(w.datagram_count, 1); /* RFC 768: there is none */
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 46, 0);
	input(&frame);
	assert_int_equal(w.datagram_count, 1); /* RFC 8200 8.1: there must be one */
	assert_int_equal(drops(BP_DROP_udp_checksum), 1);
}

/* A checksum that comes out as zero is sent as all ones; both are right on the way in. */
static void
checksum_of_all_ones(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060);
	uint8_t text[2] = {0, 0};
	uint16_t value;

	frame_udp(&frame, -1, OWN, PEER, 5060, 5060, text, 2);
	value = get16(frame.bytes + 14 + 26);
	put16(text, value); /* the sum is all ones now */
	resolve(LISTENER_V4, PEER, PEER_MAC);
	assert_true(send_to(&to, text, 2));
	assert_true(sent(&out));
	assert_int_equal(get16(is_ip(&out, -1, OWN, PEER, 17) + 6), 0xffff);

	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, text, 2);
	assert_int_equal(get16(frame.bytes + 14 + 26), 0xffff);
	input(&frame);
	assert_int_equal(w.datagram_count, 1);
}

static void
what_the_device_says(void **state)
{
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	frame.bytes[14 + 28] ^= 1;
	/* The port was not asked to check: whatever it says is not believed. */
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0);
	assert_int_equal(drops(BP_DROP_udp_checksum), 1);
	w.port.rx_checksum = true;
	world_remake();
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, 0);
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0);
	assert_int_equal(drops(BP_DROP_udp_checksum), 3);
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0);
	assert_int_equal(w.datagram_count, 1);
	/* A "bad" about a good one is wrong. */
	frame.bytes[14 + 28] ^= 1;
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_BAD, 0);
	assert_int_equal(w.datagram_count, 2);
	/* IPv6 without a checksum stays wrong. */
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 46, 0);
	input_flags(&frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD, 0);
	assert_int_equal(drops(BP_DROP_udp_checksum), 4);
}

static void
bad_udp_lengths(void **state)
{
	static const uint16_t lengths[] = {0, 7, 14, 0xffff};
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
		put16(frame.bytes + 14 + 24, lengths[i]);
		input(&frame);
		assert_int_equal(drops(BP_DROP_udp_malformed), ++count);
		frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "hello", 5);
		put16(frame.bytes + 14 + 44, lengths[i]);
		input(&frame);
		assert_int_equal(drops(BP_DROP_udp_malformed), ++count);
	}
	frame_udp(&frame, -1, PEER, OWN, 0, 5060, "hello", 5); /* nobody to answer */
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_malformed), ++count);
	frame_ip(&frame, -1, PEER, OWN, 17, "1234567", 7);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_malformed), ++count);
}

static void
bad_ipv4_headers(void **state)
{
	unsigned count = 0;

	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	frame.bytes[14 + 10] ^= 1;
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_checksum), 1);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	frame.bytes[14] = 0x55; /* version */
	frame_ipv4_checksum(&frame);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), ++count);
	frame.bytes[14] = 0x44; /* a header of 16 bytes */
	frame_ipv4_checksum(&frame);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), ++count);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 2, 34); /* longer than the frame */
	frame_ipv4_checksum(&frame);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), ++count);
	put16(frame.bytes + 14 + 2, 19); /* shorter than its header */
	frame_ipv4_checksum(&frame);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), ++count);
	frame_ip(&frame, -1, PEER, OWN, 6, "TCP", 3);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_protocol), 1);
}

static void
options_frame(const uint8_t *options, uint8_t size)
{
	uint8_t datagram[64], header[60] = {0};
	uint32_t datagram_size = udp(datagram, PEER, OWN, 5060, 5060, "hello", 5);

	frame_ip(&frame, -1, PEER, OWN, 17, datagram, datagram_size);
	memcpy(header, frame.bytes + 14, 20);
	header[0] = (uint8_t)(0x45 + size / 4);
	put16(header + 2, 20 + size + datagram_size);
	memcpy(header + 20, options, size);
	frame.size = 14;
	frame_append(&frame, header, 20u + size);
	frame_append(&frame, datagram, datagram_size);
	frame_ipv4_checksum(&frame);
}

static void
ipv4_options(void **state)
{
	static const uint8_t fine[][8] = {
		{1, 1, 1, 1, 1, 1, 1, 0},       /* no-operation, end */
		{7, 7, 4, 0, 0, 0, 0, 0},       /* record route */
		{148, 4, 0, 0, 1, 1, 1, 1},     /* router alert */
		{0, 131, 255, 255, 1, 2, 3, 4}, /* what stands behind the end does not count */
	};
	static const uint8_t bad[][8] = {
		{131, 7, 4, 192, 0, 2, 9, 0},                       /* loose source route */
		{137, 7, 4, 192, 0, 2, 9, 0},                       /* strict source route */
		{7, 9, 4, 0, 0, 0, 0, 0},                           /* runs over */
		{7, 1, 4, 0, 0, 0, 0, 0},                           /* too short */
		{7, 0, 4, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 7}, /* no length */
	};

	for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		options_frame(fine[i], 8);
		input(&frame);
		is_datagram(i, LISTENER_V4, PEER, 5060, "hello", 5);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options_frame(bad[i], 8);
		input(&frame);
		assert_int_equal(drops(BP_DROP_ip_malformed), 2 * i + 1);
		frame.size = 14 + 28; /* nothing behind the options */
		put16(frame.bytes + 14 + 2, 28);
		frame_ipv4_checksum(&frame);
		input(&frame);
		assert_int_equal(drops(BP_DROP_ip_malformed), 2 * i + 2);
	}
}

static void
extension_frame(uint8_t first, const uint8_t *extensions, uint32_t size)
{
	uint8_t packet[256];

	memcpy(packet, extensions, size);
	size += udp(packet + size, PEER6, OWN6, 5060, 5060, "hello", 5);
	frame_ip(&frame, -1, PEER6, OWN6, first, packet, size);
}

static void
ipv6_extensions(void **state)
{
	static const uint8_t one[8] = {17, 0, 1, 4}, alert[8] = {17, 0, 5, 2, 0, 0, 1, 0};
	static const uint8_t skip[8] = {17, 0, 0x1e, 3, 1, 2, 3, 0},
			     discard[8] = {17, 0, 0x5e, 3, 1, 2, 3, 0};
	static const uint8_t overrun[8] = {17, 0, 1, 5}, toolong[8] = {17, 9, 1, 4};
	static const uint8_t chain[24] = {60, 0, 1, 4, 0, 0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 17, 0, 2, 0};
	static const uint8_t routing[8] = {17, 0, 0, 1},
			     second_hop[16] = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4};
	static const uint8_t none[8] = {59, 0, 1, 4};
	uint8_t many[80];

	extension_frame(60, one, 8);
	input(&frame);
	extension_frame(0, alert, 8);
	input(&frame);
	extension_frame(0, skip, 8);
	input(&frame);
	extension_frame(0, chain, 24);
	input(&frame);
	assert_int_equal(w.datagram_count, 4);
	extension_frame(60, discard, 8);
	input(&frame);
	extension_frame(60, overrun, 8);
	input(&frame);
	extension_frame(60, toolong, 8);
	input(&frame);
	extension_frame(43, routing, 8); /* a segment left: we are no router */
	input(&frame);
	extension_frame(0, second_hop, 16); /* hop-by-hop must be the first */
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), 5);
	extension_frame(60, none, 8);
	input(&frame);
	extension_frame(50, none, 8); /* ESP */
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_protocol), 2);
	for (unsigned i = 0; i < 10; i++)
		memcpy(many + i * 8, "\x3c\0\1\4\0\0\0\0", 8);
	many[72] = 17;
	extension_frame(60, many, 80);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), 6);
	for (uint32_t size = 0; size < 8; size++) { /* cut off within an extension header */
		frame_ip(&frame, -1, PEER6, OWN6, size % 2 == 0 ? 60 : 43, many, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_ip_malformed), 7 + size);
	}
	extension_frame(60, many + 24, 56); /* seven are enough */
	input(&frame);
	assert_int_equal(w.datagram_count, 5);
}

static void
bad_ipv6_headers(void **state)
{
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "hello", 5);
	put16(frame.bytes + 14 + 4, 14); /* longer than the frame */
	input(&frame);
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "hello", 5);
	frame.bytes[14] = 0x50;
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_malformed), 2);
	/* Mapped addresses mean IPv4 to us; nobody may slip in by them. */
	frame_udp(&frame, -1, PEER6, "::ffff:192.0.2.1", 5060, 5060, "hello", 5);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 1);
	frame_udp(&frame, -1, "::ffff:192.0.2.9", OWN6, 5060, 5060, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "::1", OWN6, 5060, 5060, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "ff02::5", OWN6, 5060, 5060, "hello", 5);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_source), 3);
	/* No SIP on the link-local address. */
	frame_udp(&frame, -1, "fe80::9", LINK_LOCAL, 5060, 5060, "hello", 5);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 2);
	assert_int_equal(w.datagram_count, 0);
}

static void
our_own_address_as_source(void **state)
{
	frame_udp(&frame, -1, OWN, OWN, 5060, 5060, "land", 4);
	input(&frame);
	frame_udp(&frame, -1, OWN6, OWN6, 5060, 5060, "land", 4);
	input(&frame);
	frame_udp(&frame, -1, LINK_LOCAL, OWN6, 5060, 5060, "land", 4);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_source), 3);
}

static void
groups_are_foreign(void **state)
{
	frame_udp(&frame, -1, PEER, "224.0.1.75", 5060, 5060, "x", 1); /* sip.mcast.net */
	frame.bytes[0] = 1;
	input(&frame);
	frame_udp(&frame, -1, PEER, "192.0.2.255", 5060, 5060, "x", 1);
	memset(frame.bytes, 0xff, 6);
	input(&frame);
	frame_udp(&frame, -1, PEER, "255.255.255.255", 5060, 5060, "x", 1);
	memset(frame.bytes, 0xff, 6);
	input(&frame);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "x", 1); /* our address in a link broadcast */
	memset(frame.bytes, 0xff, 6);
	input(&frame);
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "x", 1);
	frame.bytes[0] = 0x33;
	frame.bytes[1] = 0x33;
	input(&frame);
	frame_udp(&frame, -1, PEER6, "ff02::1:ff00:1", 5060, 5060, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 6);
	assert_int_equal(w.datagram_count, 0);
	nothing_sent();
}

static void
sent_is(uint16_t listener, const char *own, const char *peer, uint16_t own_port, const void *bytes,
	uint32_t size)
{
	struct bp_flow to = flow(listener, peer, 6060);
	struct address source = ip(own), destination = ip(peer);
	const uint8_t *datagram;

	assert_true(send_to(&to, bytes, size));
	assert_true(sent(&out));
	datagram = is_ip(&out, -1, own, peer, 17);
	assert_int_equal(datagram[source.size == 4 ? -12 : -33], 64);
	assert_int_equal(get16(datagram), own_port);
	assert_int_equal(get16(datagram + 2), 6060);
	assert_int_equal(get16(datagram + 4), 8 + size);
	assert_memory_equal(datagram + 8, bytes, size);
	assert_int_equal(checksum(&source, &destination, 17, datagram, 8 + size), 0);
}

static void
out_both_families(void **state)
{
	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 11 + i / 256);
	resolve(LISTENER_V4, PEER, PEER_MAC);
	resolve(LISTENER_V6, PEER6, PEER_MAC);
	for (uint32_t size = 0; size <= 1472; size += 1 + size / 7) {
		sent_is(LISTENER_V4, OWN, PEER, 5060, body, size);
		sent_is(LISTENER_V4_5062, OWN, PEER, 5062, body, size);
		if (size <= 1452)
			sent_is(LISTENER_V6, OWN6, PEER6, 5060, body, size);
	}
	sent_is(LISTENER_V4, OWN, PEER, 5060, body, 1472); /* just the MTU */
	sent_is(LISTENER_V6, OWN6, PEER6, 5060, body, 1452);
	nothing_sent();
	assert_int_equal(w.counters.datagrams_fragmented, 0);
}

/* Headers that are kept are only as good as what they were made from. */
static void
known_ways_end(void **state)
{
	static const uint8_t text[64] = "long enough for a frame without padding";
	struct bp_flow to = flow(LISTENER_V4, PEER, 6060);

	resolve(LISTENER_V4, PEER, PEER_MAC);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(send_to(&to, text, sizeof(text)));
		assert_true(sent(&out));
		is_ethernet(&out, PEER_MAC, -1, 0x0800);
	}
	w.listeners[LISTENER_V4].port = 5099; /* with the configuration */
	assert_int_equal(bp_wire_configure(w.wire, &w.config), 0);
	assert_true(send_to(&to, text, sizeof(text)));
	assert_true(sent(&out));
	assert_int_equal(get16(is_ip(&out, -1, OWN, PEER, 17)), 5099);
	w.now_us += 3600 * UINT64_C(1000000); /* with time: a neighbour that has been silent for so long is asked again */
	bp_wire_tick(w.wire, w.now_us);
	assert_true(send_to(&to, text, sizeof(text)));
	assert_true(sent(&out));
	assert_int_equal(get16(out.bytes + 12), 0x0806);
}

static char heard[BURST_MAX + 1];

static void
hear(const struct bp_flow *from, const uint8_t *bytes, uint32_t size)
{
	strncat(heard, (const char *)bytes, size < 1 ? size : 1);
}

static void
hear_unreachable(const struct bp_flow *to)
{
	strcat(heard, "!");
}

/* What comes in is told in the order of its arrival, also when a frame is in pieces, or an ICMP error is between. */
static void
burst_keeps_its_order(void **state)
{
	static const char said[] = "abcd!ef";
	static struct frame frames[7];
	uint32_t segments[] = {2000, 20, 30, 2000, 2000, 2000, 33};
	uint8_t message[128];
	uint32_t size;

	for (unsigned i = 0; i < 7; i++)
		frame_udp(&frames[i], -1, PEER, OWN, 5060, 5060, &said[i], 1);
	frame_udp(&out, -1, OWN, PEER, 5060, 5060, "BYE", 3);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frames[4], -1, PEER, OWN, 1, message, size);
	heard[0] = '\0';
	w.on_datagram = hear;
	w.on_unreachable = hear_unreachable;
	input_burst(frames, segments, 7);
	assert_string_equal(heard, said);
}

static void
long_burst(void **state)
{
	static struct frame frames[BURST_MAX];
	uint32_t segments[BURST_MAX];
	char said[BURST_MAX + 1] = "";

	for (unsigned i = 0; i < BURST_MAX; i++) {
		said[i] = (char)('!' + i % 90);
		frame_udp(&frames[i], -1, PEER, OWN, 5060, 5060, &said[i], 1);
		segments[i] = 2000;
	}
	said[BURST_MAX] = '\0';
	heard[0] = '\0';
	w.on_datagram = hear;
	input_burst(frames, segments, BURST_MAX);
	assert_string_equal(heard, said);
	assert_int_equal(w.counters.frames_delivered, BURST_MAX);
}

/* The identification of IPv4 datagrams that a router may still divide does not repeat soon. */
static void
identifications_differ(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 6060);
	static bool seen[65536];

	resolve(LISTENER_V4, PEER, PEER_MAC);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(send_to(&to, "x", 1));
		assert_true(sent(&out));
		assert_false(seen[get16(out.bytes + 18)]);
		seen[get16(out.bytes + 18)] = true;
		assert_int_equal(get16(out.bytes + 20), 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(in),
		WIRE_TEST(padding_and_trailing_bytes),
		WIRE_TEST(scattered_over_mbufs),
		WIRE_TEST(wrong_checksums),
		WIRE_TEST(partial_checksums_are_wrong),
		WIRE_TEST(no_checksum),
		WIRE_TEST(checksum_of_all_ones),
		WIRE_TEST(what_the_device_says),
		WIRE_TEST(bad_udp_lengths),
		WIRE_TEST(bad_ipv4_headers),
		WIRE_TEST(ipv4_options),
		WIRE_TEST(ipv6_extensions),
		WIRE_TEST(bad_ipv6_headers),
		WIRE_TEST(our_own_address_as_source),
		WIRE_TEST(groups_are_foreign),
		WIRE_TEST(out_both_families),
		WIRE_TEST(known_ways_end),
		WIRE_TEST(burst_keeps_its_order),
		WIRE_TEST(long_burst),
		WIRE_TEST(identifications_differ),
	};

	return harness_run("wire-udp", tests, sizeof(tests) / sizeof(tests[0]));
}
