/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ICMP and ICMPv6: pings, errors about closed ports and their rate, errors about our own datagrams.
 */
#include "harness.h"

static struct frame frame, out;
static uint8_t message[FRAME_MAX], body[FRAME_MAX];

#define OWN "192.0.2.1"
#define PEER "192.0.2.9"
#define OWN6 "2001:db8::1"
#define PEER6 "2001:db8::9"

static void
ping(void **state)
{
	const uint8_t *reply;
	uint32_t size;

	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 13);
	for (size = 0; size <= 1472; size += 184) {
		uint32_t whole = icmp(message, 8, 0, 0x12340001, body, size);

		frame_ip(&frame, -1, PEER, OWN, 1, message, whole);
		input(&frame);
		assert_true(sent(&out));
		is_ethernet(&out, PEER_MAC, -1, 0x0800);
		reply = is_ip(&out, -1, OWN, PEER, 1);
		assert_int_equal(get16(reply - 18), 20 + whole);
		assert_int_equal(reply[0], 0);
		assert_int_equal(reply[1], 0);
		assert_int_equal(get32(reply + 4), 0x12340001);
		assert_memory_equal(reply + 8, body, size);
		assert_int_equal(checksum(NULL, NULL, 0, reply, whole), 0);
	}
	nothing_sent();
	assert_int_equal(w.counters.frames_handled, 9);
}

static void
ping6(void **state)
{
	struct address from = ip(OWN6), to = ip(PEER6);
	const uint8_t *reply;
	uint32_t whole = icmp6(message, PEER6, OWN6, 128, 0, 0x12340001, "payload", 7);

	frame_ip(&frame, -1, PEER6, OWN6, 58, message, whole);
	input(&frame);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	reply = is_ip(&out, -1, OWN6, PEER6, 58);
	assert_int_equal(reply[0], 129);
	assert_int_equal(get32(reply + 4), 0x12340001);
	assert_memory_equal(reply + 8, "payload", 7);
	assert_int_equal(checksum(&from, &to, 58, reply, whole), 0);

	whole = icmp6(message, "fe80::9", LINK_LOCAL, 128, 0, 1, "payload", 7);
	frame_ip(&frame, -1, "fe80::9", LINK_LOCAL, 58, message, whole);
	input(&frame);
	assert_true(sent(&out));
	is_ip(&out, -1, LINK_LOCAL, "fe80::9", 58);
	nothing_sent();
}

/* A ping in fragments is answered in fragments. */
static void
large_ping(void **state)
{
	static uint8_t whole[FRAME_MAX];
	const char *peers[] = {PEER, PEER6}, *own[] = {OWN, OWN6};

	for (unsigned i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 31);
	for (unsigned family = 0; family < 2; family++) {
		uint32_t size = family == 0 ? icmp(message, 8, 0, 7, body, 4000)
					    : icmp6(message, PEER6, OWN6, 128, 0, 7, body, 4000);
		uint32_t done = 0;

		for (uint32_t at = 0; at < size; at += 1400) {
			frame_fragment(&frame, peers[family], own[family], 99, at, at + 1400 < size,
				family == 0 ? 1 : 58, message + at, size - at < 1400 ? size - at : 1400);
			input(&frame);
		}
		while (sent(&out)) {
			const uint8_t *piece =
				is_ip(&out, -1, own[family], peers[family], family == 0 ? 1 : 44);
			uint32_t offset, piece_size;

			if (family == 0) {
				offset = (get16(piece - 14) & 0x1fff) * 8u;
				piece_size = get16(piece - 18) - 20u;
			} else {
				offset = get16(piece + 2) & 0xfff8u;
				piece_size = get16(piece - 36) - 8u;
				piece += 8;
			}
			memcpy(whole + offset, piece, piece_size);
			done += piece_size;
		}
		assert_int_equal(done, size);
		assert_int_equal(whole[0], family == 0 ? 0 : 129);
		assert_memory_equal(whole + 8, body, 4000);
	}
	assert_int_equal(w.counters.datagrams_reassembled, 2);
	assert_int_equal(w.counters.datagrams_fragmented, 2);
	assert_int_equal(w.counters.frames_handled, 6);
}

static void
pings_are_limited(void **state)
{
	uint32_t size = icmp(message, 8, 0, 1, "x", 1);
	unsigned answered = 0;

	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	for (unsigned i = 0; i < 2000; i++) {
		input(&frame);
		answered += drain();
	}
	assert_true(answered >= 100 && answered < 1000);
	assert_int_equal(drops(BP_DROP_icmp_limited), 2000 - answered);
	w.now_us += SECOND; /* the bucket fills again */
	input(&frame);
	assert_int_equal(drain(), 1);
}

static void
pings_to_groups_are_foreign(void **state)
{
	uint32_t size = icmp(message, 8, 0, 1, "x", 1);

	frame_ip_hop(&frame, -1, BROADCAST, PEER, "192.0.2.255", 64, 1, message, size);
	input(&frame);
	frame_ip_hop(
		&frame, -1, BROADCAST, PEER, OWN, 64, 1, message, size); /* a link broadcast to one address */
	input(&frame);
	frame_ip_hop(&frame, -1, "01:00:5e:00:00:01", PEER, "224.0.0.1", 64, 1, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 3);
	size = icmp6(message, PEER6, "ff02::1", 128, 0, 1, "x", 1);
	frame_ip_hop(&frame, -1, ALL_NODES_MAC, PEER6, "ff02::1", 64, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_foreign), 1);
	nothing_sent();
}

static void
bad_messages(void **state)
{
	struct address peer6 = ip(PEER6), own6 = ip(OWN6);
	uint32_t size = icmp(message, 8, 0, 1, "hello", 5);

	message[9] ^= 1; /* checksum */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	frame_ip(&frame, -1, PEER, OWN, 1, message, 7); /* short */
	input(&frame);
	size = icmp(message, 8, 1, 1, "hello", 5); /* code */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_malformed), 3);
	for (size = 0; size < 8; size++) { /* cut off, with a checksum that is right for what is left */
		memset(message, 0, 8);
		message[0] = 8;
		put16(message + 2, checksum(NULL, NULL, 0, message, size));
		frame_ip(&frame, -1, PEER, OWN, 1, message, size);
		input(&frame);
		message[0] = 128;
		put16(message + 2, 0);
		put16(message + 2, checksum(&peer6, &own6, 58, message, size));
		frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_icmp_malformed), 5 + 2 * size);
	}
	size = icmp(message, 13, 0, 1, "hello", 5); /* timestamp */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	size = icmp(message, 0, 0, 1, "hello", 5); /* a reply to nothing */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	size = icmp(message, 5, 1, 1, "hello", 5); /* redirect */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_foreign), 3);
	nothing_sent();
}

static void
closed_port(void **state)
{
	const uint8_t *error;

	frame_udp(&frame, -1, PEER, OWN, 7000, 5061, "hello", 5);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_port_closed), 1);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x0800);
	error = is_ip(&out, -1, OWN, PEER, 1);
	assert_int_equal(error[0], 3);
	assert_int_equal(error[1], 3);
	assert_int_equal(get32(error + 4), 0);
	assert_int_equal(get16(error - 18), 20 + 8 + 33);
	assert_memory_equal(error + 8, frame.bytes + 14, 33); /* all that came */
	assert_int_equal(checksum(NULL, NULL, 0, error, 8 + 33), 0);
	/* A long one is quoted in part: the error has at most 576 bytes. */
	frame_udp(&frame, -1, PEER, OWN, 7000, 5061, body, 1400);
	input(&frame);
	assert_true(sent(&out));
	error = is_ip(&out, -1, OWN, PEER, 1);
	assert_int_equal(get16(error - 18), 576);
	assert_memory_equal(error + 8, frame.bytes + 14, 548);
	nothing_sent();
}

static void
closed_port6(void **state)
{
	struct address from = ip(OWN6), to = ip(PEER6);
	const uint8_t *error;

	frame_udp(&frame, -1, PEER6, OWN6, 7000, 5061, body, 1400);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_port_closed), 1);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	error = is_ip(&out, -1, OWN6, PEER6, 58);
	assert_int_equal(error[0], 1);
	assert_int_equal(error[1], 4);
	assert_int_equal(get16(error - 36), 1240); /* 1280 with the header */
	assert_memory_equal(error + 8, frame.bytes + 14, 1232);
	assert_int_equal(checksum(&from, &to, 58, error, 1240), 0);
	nothing_sent();
}

/* The quote of a datagram that came in fragments begins with a header that fits. */
static void
closed_port_of_fragments(void **state)
{
	uint32_t size = udp(message, PEER, OWN, 7000, 5061, body, 2000);
	const uint8_t *error;

	frame_fragment(&frame, PEER, OWN, 5, 0, true, 17, message, 1000);
	input(&frame);
	frame_fragment(&frame, PEER, OWN, 5, 1000, false, 17, message + 1000, size - 1000);
	input(&frame);
	assert_int_equal(drops(BP_DROP_udp_port_closed), 2);
	assert_true(sent(&out));
	error = is_ip(&out, -1, OWN, PEER, 1);
	assert_int_equal(error[0], 3);
	assert_int_equal(error[8], 0x45);
	assert_int_equal(checksum(NULL, NULL, 0, error + 8, 20), 0);
	assert_memory_equal(error + 20, ip(PEER).bytes, 4);
	assert_memory_equal(error + 24, ip(OWN).bytes, 4);
	assert_memory_equal(error + 28, message, 500);
}

static void
errors_are_limited(void **state)
{
	unsigned answered = 0;

	frame_udp(&frame, -1, PEER, OWN, 7000, 5061, "hello", 5);
	for (unsigned i = 0; i < 100; i++)
		input(&frame);
	answered = drain();
	assert_true(answered >= 1 && answered <= 30);
	assert_int_equal(drops(BP_DROP_tx_icmp_limited), 100 - answered);
	assert_int_equal(drops(BP_DROP_udp_port_closed), 100);
	/* A tenth of a second later there are some more, but not a whole second's. */
	w.now_us += SECOND / 10;
	for (unsigned i = 0; i < 100; i++)
		input(&frame);
	answered = drain();
	assert_true(answered >= 1 && answered <= 12);
	w.now_us += 100 * SECOND; /* and it does not pile up */
	for (unsigned i = 0; i < 100; i++)
		input(&frame);
	answered = drain();
	assert_true(answered >= 1 && answered <= 30);
}

static void
no_errors_about_groups_and_errors(void **state)
{
	uint32_t size;

	frame_udp(&frame, -1, PEER, "192.0.2.255", 7000, 5061, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, PEER, OWN, 7000, 5061, "hello", 5); /* link broadcast */
	memset(frame.bytes, 0xff, 6);
	input(&frame);
	frame_udp(&frame, -1, PEER6, "ff02::1", 7000, 5061, "hello", 5);
	input(&frame);
	/* An error that quotes what we never sent. */
	frame_udp(&out, -1, OWN, PEER, 4444, 5061, "hello", 5);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	frame_udp(&frame, -1, "224.1.1.1", OWN, 7000, 5061, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "255.255.255.255", OWN, 7000, 5061, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "127.0.0.1", OWN, 7000, 5061, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "0.0.0.0", OWN, 7000, 5061, "hello", 5);
	input(&frame);
	frame_udp(&frame, -1, "::", OWN6, 7000, 5061, "hello", 5);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_source), 5);
	assert_int_equal(drops(BP_DROP_ip_foreign), 3);
	assert_int_equal(drops(BP_DROP_icmp_foreign), 1);
	nothing_sent();
}

static void
unreachable_in(void **state)
{
	static const uint8_t codes[] = {0, 1, 2, 3, 13};
	struct bp_flow expected = flow(LISTENER_V4_5062, "198.51.100.7", 6060);
	uint32_t size;

	frame_udp(&out, -1, OWN, "198.51.100.7", 5062, 6060, "INVITE sip:", 11);
	for (unsigned i = 0; i < sizeof(codes); i++) {
		size = icmp(message, 3, codes[i], 0, out.bytes + 14, out.size - 14);
		frame_ip(&frame, -1, PEER, OWN, 1, message, size); /* from a router on the way */
		input(&frame);
		assert_int_equal(w.unreachable_count, i + 1);
		assert_true(bp_flow_equal(&w.unreachable[i].flow, &expected));
		assert_int_equal(w.unreachable[i].size, 11);
		assert_memory_equal(w.unreachable[i].bytes, "INVITE sip:", 11);
	}
	size = icmp(message, 12, 0, 0, out.bytes + 14, out.size - 14); /* parameter problem */
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(w.unreachable_count, 6);
	/* The eight bytes that RFC 792 promises. */
	size = icmp(message, 3, 1, 0, out.bytes + 14, 28);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(w.unreachable_count, 7);
	assert_int_equal(w.unreachable[6].size, 0);
	assert_int_equal(w.counters.icmp_unreachable_received, 7);
	/* Padding behind the datagram is not part of it. */
	frame_append(&out, "trailing", 8);
	size = icmp(message, 3, 1, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(w.unreachable[7].size, 11);
	nothing_sent();
}

static void
unreachable_in6(void **state)
{
	struct bp_flow expected = flow(LISTENER_V6, "2001:db8:5::7", 6060);
	uint32_t size;

	frame_udp(&out, -1, OWN6, "2001:db8:5::7", 5060, 6060, "INVITE sip:", 11);
	for (unsigned code = 0; code <= 6; code++) {
		size = icmp6(message, PEER6, OWN6, 1, (uint8_t)code, 0, out.bytes + 14, out.size - 14);
		frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
		input(&frame);
		assert_int_equal(w.unreachable_count, code + 1);
		assert_true(bp_flow_equal(&w.unreachable[code].flow, &expected));
		assert_memory_equal(w.unreachable[code].bytes, "INVITE sip:", 11);
	}
	/* A quoted first fragment. */
	size = udp(body, OWN6, "2001:db8:5::7", 5060, 6060, "INVITE sip:", 11);
	frame_fragment(&out, OWN6, "2001:db8:5::7", 3, 0, true, 17, body, 16);
	size = icmp6(message, PEER6, OWN6, 1, 0, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
	input(&frame);
	assert_int_equal(w.unreachable_count, 8);
	assert_int_equal(w.unreachable[7].size, 8);
	for (uint32_t cut = 40; cut < 48; cut++) { /* the quote ends within the fragment header */
		size = icmp6(message, PEER6, OWN6, 1, 0, 0, out.bytes + 14, cut);
		frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_icmp_malformed), cut - 39);
	}
	nothing_sent();
}

/* RFC 8201: a router on the way cannot carry what we sent; from then on it leaves in smaller pieces. */
static void
packet_too_big(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, "2001:db8:5::7", 6060),
		       other = flow(LISTENER_V6, "2001:db8:5::8", 6060);
	uint32_t size;

	resolve(LISTENER_V6, "2001:db8::fe", PEER_MAC);
	assert_true(send_to(&to, body, 1400));
	assert_true(sent(&out));
	nothing_sent();
	size = icmp6(message, PEER6, OWN6, 2, 0, 1279, out.bytes + 14, 1232); /* no path is that narrow */
	frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
	input(&frame);
	for (uint32_t cut = 40; cut < 48; cut++) { /* the quote does not show the ports */
		size = icmp6(message, PEER6, OWN6, 2, 0, 1300, out.bytes + 14, cut);
		frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_icmp_malformed), cut - 38);
	}
	assert_true(send_to(&to, body, 1400));
	assert_int_equal(drain(), 1);
	size = icmp6(message, PEER6, OWN6, 2, 0, 1400, out.bytes + 14, 1232);
	frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
	input(&frame);
	size = icmp6(message, PEER6, OWN6, 2, 0, 1450, out.bytes + 14, 1232); /* it does not grow by this */
	frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
	input(&frame);
	assert_true(send_to(&to, body, 1400));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(sent(&out));
		assert_true(out.size <= 14 + 1400);
		is_ip(&out, -1, OWN6, "2001:db8:5::7", 44);
	}
	assert_true(send_to(&to, body, 1352));    /* this fits */
	assert_true(send_to(&other, body, 1400)); /* and that goes elsewhere */
	assert_int_equal(drain(), 2);
	/* Forgotten after ten minutes. */
	tick_at(w.now_us + 598 * SECOND);
	assert_true(send_to(&to, body, 1400));
	assert_int_equal(drain(), 2);
	size = nd(message, "2001:db8::fe", OWN6, 136, 0x60000000, "2001:db8::fe", 2, PEER_MAC);
	frame_ip_hop(&frame, -1, OWN_MAC, "2001:db8::fe", OWN6, 255, 58, message, size);
	input(&frame); /* the gateway is still there */
	tick_at(w.now_us + 5 * SECOND);
	assert_true(send_to(&to, body, 1400));
	assert_int_equal(drain(), 1);
	assert_int_equal(w.unreachable_count, 0);
	/* About what we never sent: not believed. */
	frame_udp(&out, -1, OWN6, "2001:db8:5::8", 5999, 6060, body, 1400);
	size = icmp6(message, PEER6, OWN6, 2, 0, 1300, out.bytes + 14, 1232);
	frame_ip(&frame, -1, PEER6, OWN6, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_foreign), 1);
	assert_true(send_to(&other, body, 1400));
	assert_int_equal(drain(), 1);
}

static void
errors_about_others(void **state)
{
	uint32_t size;

	/* Not from our address; not from a listener; not UDP; a later fragment. */
	frame_udp(&out, -1, "192.0.2.77", PEER, 5060, 6060, "x", 1);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	frame_udp(&out, -1, OWN, PEER, 5999, 6060, "x", 1);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	frame_ip(&out, -1, OWN, PEER, 6, "TCPTCPTCP", 9);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	frame_fragment(&out, OWN, PEER, 1, 8, false, 17, "\x13\xc4\x13\xc4\0\x20\0\0", 8);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	/* Those that RFC 3261 18.4 tells to ignore. */
	frame_udp(&out, -1, OWN, PEER, 5060, 6060, "x", 1);
	size = icmp(message, 11, 0, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	size = icmp(message, 4, 0, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	size = icmp(message, 3, 4, 0, out.bytes + 14, out.size - 14);
	frame_ip(&frame, -1, PEER, OWN, 1, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_foreign), 7);
	/* Cut off within the headers. */
	for (uint32_t cut = 0; cut < 28; cut++) {
		size = icmp(message, 3, 3, 0, out.bytes + 14, cut);
		frame_ip(&frame, -1, PEER, OWN, 1, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_icmp_malformed), cut + 1);
	}
	assert_int_equal(w.unreachable_count, 0);
	nothing_sent();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(ping),
		WIRE_TEST(ping6),
		WIRE_TEST(large_ping),
		WIRE_TEST(pings_are_limited),
		WIRE_TEST(pings_to_groups_are_foreign),
		WIRE_TEST(bad_messages),
		WIRE_TEST(closed_port),
		WIRE_TEST(closed_port6),
		WIRE_TEST(closed_port_of_fragments),
		WIRE_TEST(errors_are_limited),
		WIRE_TEST(no_errors_about_groups_and_errors),
		WIRE_TEST(unreachable_in),
		WIRE_TEST(unreachable_in6),
		WIRE_TEST(packet_too_big),
		WIRE_TEST(errors_about_others),
	};

	return harness_run("wire-icmp", tests, sizeof(tests) / sizeof(tests[0]));
}
