/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every valid frame, cut off at every length, and changed at random from a fixed seed: nothing crashes,
 * nothing is read past the end (the mbufs are exactly as long as the frames), nothing leaks, and every frame
 * is counted once.
 */
#include "harness.h"

#include <stdlib.h>

static struct frame corpus[64], frame, out;
static unsigned corpus_count;
static uint8_t message[FRAME_MAX], body[2000];

#define OWN "192.0.2.1"
#define PEER "192.0.2.9"
#define OWN6 "2001:db8::1"
#define PEER6 "2001:db8::9"

static void
add(const struct frame *f)
{
	corpus[corpus_count++] = *f;
}

static void
add_ip(const char *source, const char *destination, uint8_t hop_limit, uint8_t protocol, uint32_t size)
{
	const char *to = strncmp(destination, "ff02", 4) == 0 ? "33:33:ff:00:00:01" : OWN_MAC;

	frame_ip_hop(&frame, -1, to, source, destination, hop_limit, protocol, message, size);
	add(&frame);
}

static void
add_arp(uint16_t opcode, const char *to, const char *sender, const char *target)
{
	frame_arp(&frame, to, -1, opcode, PEER_MAC, sender, OWN_MAC, target);
	add(&frame);
	frame_arp(&frame, to, 100, opcode, PEER_MAC, "10.1.1.1", OWN_MAC, "10.0.0.1");
	add(&frame);
}

static void
add_errors(void)
{
	uint32_t size;

	frame_udp(&out, -1, OWN, PEER, 5060, 6060, "INVITE sip:a@b SIP/2.0", 22);
	size = icmp(message, 3, 3, 0, out.bytes + 14, out.size - 14);
	add_ip(PEER, OWN, 64, 1, size);
	frame_udp(&out, -1, OWN6, PEER6, 5060, 6060, "INVITE sip:a@b SIP/2.0", 22);
	size = icmp6(message, PEER6, OWN6, 1, 4, 0, out.bytes + 14, out.size - 14);
	add_ip(PEER6, OWN6, 64, 58, size);
	size = icmp6(message, PEER6, OWN6, 2, 0, 1280, out.bytes + 14, out.size - 14);
	add_ip(PEER6, OWN6, 64, 58, size);
	size = udp(body, OWN6, PEER6, 5060, 6060, "INVITE sip:a@b SIP/2.0", 22);
	frame_fragment(&out, OWN6, PEER6, 3, 0, true, 17, body, 24);
	size = icmp6(message, PEER6, OWN6, 1, 4, 0, out.bytes + 14, out.size - 14);
	add_ip(PEER6, OWN6, 64, 58, size);
}

static void
add_extensions(void)
{
	uint32_t size;

	memcpy(message, "\x3a\0\5\2\0\0\1\0", 8); /* an MLD query */
	size = icmp6(
		message + 8, "fe80::9", "ff02::1", 130, 0, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	add_ip("fe80::9", "ff02::1", 1, 0, 8 + size);

	memcpy(message, "\x3c\0\1\4\0\0\0\0\x2b\0\1\4\0\0\0\0\x11\0\2\0\0\0\0\0", 24);
	size = udp(message + 24, PEER6, OWN6, 5060, 5060, "extended", 8);
	add_ip(PEER6, OWN6, 64, 0, 24 + size);
}

static void
add_fragments(void)
{
	for (unsigned six = 0; six < 2; six++) {
		const char *source = six ? PEER6 : PEER, *destination = six ? OWN6 : OWN;
		uint32_t size = udp(message, source, destination, 5060, 5060, body, 100);

		frame_fragment(&frame, source, destination, 77, 0, true, 17, message, 48);
		add(&frame);
		frame_fragment(&frame, source, destination, 77, 48, true, 17, message + 48, 24);
		add(&frame);
		frame_fragment(&frame, source, destination, 77, 72, false, 17, message + 72, size - 72);
		add(&frame);
	}
	frame_fragment(&frame, PEER6, OWN6, 78, 0, false, 17, message,
		udp(message, PEER6, OWN6, 5060, 5060, "a", 1));
	add(&frame);
}

static void
make_corpus(void)
{
	corpus_count = 0;
	add_arp(1, BROADCAST, PEER, OWN);
	add_arp(2, OWN_MAC, PEER, OWN);
	add_arp(1, BROADCAST, PEER, PEER);
	add_ip(PEER, OWN, 64, 1, icmp(message, 8, 0, 1, "ping", 4));
	add_ip(PEER6, OWN6, 64, 58, icmp6(message, PEER6, OWN6, 128, 0, 1, "ping", 4));
	add_ip(PEER6, OWN6, 255, 58, nd(message, PEER6, OWN6, 135, 0, OWN6, 1, PEER_MAC));
	add_ip("::", "ff02::1:ff00:1", 255, 58, nd(message, "::", "ff02::1:ff00:1", 135, 0, OWN6, 0, NULL));
	add_ip(PEER6, OWN6, 255, 58, nd(message, PEER6, OWN6, 136, 0x60000000, PEER6, 2, PEER_MAC));
	frame_udp(&frame, -1, PEER, OWN, 5060, 5060, "BYE sip:a@b SIP/2.0", 19);
	add(&frame);
	frame_udp(&frame, 100, "10.1.1.1", "10.0.0.1", 5060, 5060, "BYE sip:a@b SIP/2.0", 19);
	add(&frame);
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5060, "BYE sip:a@b SIP/2.0", 19);
	add(&frame);
	frame_udp(&frame, -1, PEER, OWN, 5060, 5999, "closed", 6);
	add(&frame);
	frame_udp(&frame, -1, PEER6, OWN6, 5060, 5999, "closed", 6);
	add(&frame);
	add_errors();
	add_extensions();
	add_fragments();
}

/* Somebody waits for the neighbours that the corpus answers for. */
static void
be_waiting(void)
{
	struct bp_flow to = flow(LISTENER_V4, PEER, 5060), to6 = flow(LISTENER_V6, PEER6, 5060);

	send_to(&to, "waits", 5);
	send_to(&to6, "waits", 5);
}

/* Forgets what the handlers were told, so that a long run does not keep it all. */
static void
forget_datagrams(void)
{
	for (unsigned i = 0; i < w.datagram_count && i < DATAGRAMS_KEPT; i++)
		free(w.datagrams[i].bytes);
	for (unsigned i = 0; i < w.unreachable_count && i < DATAGRAMS_KEPT; i++)
		free(w.unreachable[i].bytes);
	w.datagram_count = 0;
	w.unreachable_count = 0;
}

/* All of the corpus is what it is meant to be: nothing of it is dropped but the two for a closed port. */
static void
corpus_is_valid(void **state)
{
	uint64_t dropped = 0;

	make_corpus();
	be_waiting();
	for (unsigned i = 0; i < corpus_count; i++)
		input(&corpus[i]);
	drain();
	for (unsigned i = 0; i < BP_DROP_COUNT; i++)
		dropped += w.counters.drops[i];
	assert_int_equal(drops(BP_DROP_udp_port_closed), 2);
	assert_int_equal(dropped, 2);
	assert_int_equal(w.datagram_count, 3 + 1 + 2 + 1);
	assert_int_equal(w.unreachable_count, 3);
	assert_int_equal(w.counters.frames_held, 0);
}

static void
cut_off_everywhere(void **state)
{
	make_corpus();
	for (unsigned i = 0; i < corpus_count; i++) {
		uint32_t l2_size = get16(corpus[i].bytes + 12) == 0x8100 ? 18 : 14;
		uint64_t delivered = w.counters.frames_delivered;

		be_waiting();
		frame = corpus[i];
		for (frame.size = 0; frame.size < corpus[i].size; frame.size++) {
			uint64_t received = w.counters.frames_received;

			input(&frame);
			assert_int_equal(w.counters.frames_received, received + 1);
			/* And as if the mbuf chain broke there: the header lies, the rest is missing. */
			if (frame.size > l2_size)
				input_chain(&frame, 11);
		}
		assert_int_equal(w.counters.frames_delivered, delivered); /* no part passes for the whole */
		drain();
		w.now_us += SECOND;
	}
	assert_int_equal(w.unreachable_count, 0);
	tick_at(w.now_us + 100 * SECOND);
	tick_at(w.now_us + 100 * SECOND);
	assert_int_equal(w.counters.frames_held, 0);
}

static uint64_t random_state;

static uint32_t
random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % limit);
}

/* Puts right what a random change has broken, so that some get past the checksums. */
static void
repair(struct frame *f)
{
	uint32_t l2_size = get16(f->bytes + 12) == 0x8100 ? 18 : 14;
	uint8_t *header = f->bytes + l2_size;
	struct address source, destination;
	uint32_t header_size, field;

	if (f->size < l2_size + 48)
		return;
	if (header[0] >> 4 == 4) {
		header_size = (header[0] & 15) * 4u;
		if (header_size < 20 || l2_size + header_size + 8 > f->size)
			return;
		frame_ipv4_checksum(f);
		if (header[9] == 1) {
			put16(header + header_size + 2, 0);
			put16(header + header_size + 2, checksum(NULL, NULL, 0, header + header_size,
								f->size - l2_size - header_size));
		} else if (header[9] == 17) {
			put16(header + header_size + 6, 0);
		}
	} else if (header[0] >> 4 == 6 && (header[6] == 58 || header[6] == 17)) {
		field = header[6] == 58 ? 42 : 46;
		source.size = destination.size = 16;
		memcpy(source.bytes, header + 8, 16);
		memcpy(destination.bytes, header + 24, 16);
		put16(header + field, 0);
		put16(header + field,
			checksum(&source, &destination, header[6], header + 40, f->size - l2_size - 40));
	}
}

static void
mutate(struct frame *f)
{
	for (uint32_t changes = 1 + random_below(4); changes > 0; changes--) {
		uint32_t at = random_below(f->size), other = random_below(f->size);

		switch (random_below(6)) {
		case 0:
			f->bytes[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			f->bytes[at] = (uint8_t)random_below(256);
			break;
		case 2:
			f->bytes[at] = (uint8_t)(random_below(2) * 255);
			break;
		case 3:
			f->bytes[at] = f->bytes[other];
			break;
		case 4:
			f->size = at + 1;
			break;
		default:
			if (f->size < 1500)
				frame_append(f, f->bytes + at, f->size - at < 64 ? f->size - at : 64);
			break;
		}
	}
	if (random_below(2) == 0)
		repair(f);
}

static void
changed_at_random(void **state)
{
	unsigned passed = 0;

	make_corpus();
	random_state = 20240607;
	for (unsigned round = 0; round < 60000; round++) {
		frame = corpus[random_below(corpus_count)];
		mutate(&frame);
		if (random_below(8) == 0)
			be_waiting();
		if (random_below(16) == 0)
			input_chain(&frame, 1 + random_below(100));
		else
			input(&frame);
		if (random_below(64) == 0)
			tick_at(w.now_us + random_below(2 * SECOND));
		drain();
		if (w.datagram_count + w.unreachable_count > 0)
			passed++;
		forget_datagrams();
	}
	assert_true(passed > 500); /* the changes are small enough to reach the end of the way */
	assert_true(w.counters.datagrams_reassembled > 0);
	for (unsigned i = 0; i < 50; i++)
		tick_at(w.now_us + 10 * SECOND);
	assert_int_equal(w.counters.frames_held, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(corpus_is_valid),
		WIRE_TEST(cut_off_everywhere),
		WIRE_TEST(changed_at_random),
	};

	return harness_run("wire-hostile", tests, sizeof(tests) / sizeof(tests[0]));
}
