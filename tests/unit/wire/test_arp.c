/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ARP: answer, resolve, expire, and whom not to believe.
 */
#include "harness.h"

static struct frame frame, out;

#define ZERO_MAC "00:00:00:00:00:00"

static void
is_arp(const char *to, int vlan, uint16_t opcode, const char *sender, const char *target)
{
	const uint8_t *arp = out.bytes + (vlan >= 0 ? 18 : 14);
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4}, own[6] = {2, 0, 0, 0, 0, 1};

	is_ethernet(&out, to, vlan, 0x0806);
	assert_memory_equal(arp, head, 6);
	assert_int_equal(get16(arp + 6), opcode);
	assert_memory_equal(arp + 8, own, 6);
	assert_memory_equal(arp + 14, ip(sender).bytes, 4);
	assert_memory_equal(arp + 24, ip(target).bytes, 4);
}

static void
reply(const char *mac, const char *address)
{
	frame_arp(&frame, OWN_MAC, -1, 2, mac, address, OWN_MAC, "192.0.2.1");
	input(&frame);
}

static void
answers_for_its_addresses(void **state)
{
	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.7", ZERO_MAC, "192.0.2.1");
	input(&frame);
	assert_true(sent(&out));
	is_arp(PEER_MAC, -1, 2, "192.0.2.1", "192.0.2.7");

	frame_arp(&frame, BROADCAST, 100, 1, PEER_MAC, "10.7.7.7", ZERO_MAC, "10.0.0.1");
	input(&frame);
	assert_true(sent(&out));
	is_arp(PEER_MAC, 100, 2, "10.0.0.1", "10.7.7.7");

	/* By unicast, and from somebody who has no address yet (RFC 5227). */
	frame_arp(&frame, OWN_MAC, -1, 1, PEER_MAC, "0.0.0.0", ZERO_MAC, "192.0.2.1");
	input(&frame);
	assert_true(sent(&out));
	is_arp(PEER_MAC, -1, 2, "192.0.2.1", "0.0.0.0");
	nothing_sent();
	assert_int_equal(w.counters.frames_handled, 3);
}

static void
does_not_answer_for_others(void **state)
{
	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.7", ZERO_MAC, "192.0.2.2");
	input(&frame);
	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.7", ZERO_MAC, "10.0.0.1"); /* on VLAN 100 */
	input(&frame);
	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "198.51.100.7", ZERO_MAC, "192.0.2.1"); /* off-link */
	input(&frame);
	frame_arp(
		&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.1", ZERO_MAC, "192.0.2.1"); /* claims to be us */
	input(&frame);
	assert_int_equal(drops(BP_DROP_arp_foreign), 4);
	nothing_sent();
}

static void
malformed(void **state)
{
	static const struct {
		uint8_t at, value;
	} changes[] = {{15, 6}, {16, 0x86}, {18, 8}, {19, 16}, {21, 3}, {22, 1}};

	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.7", ZERO_MAC, "192.0.2.1");
		frame.bytes[changes[i].at] = changes[i].value; /* the last: its sender is a group */
		input(&frame);
		assert_int_equal(drops(BP_DROP_arp_malformed), i + 1);
	}
	frame_arp(&frame, BROADCAST, -1, 1, ZERO_MAC, "192.0.2.7", ZERO_MAC, "192.0.2.1");
	frame.bytes[6] = 2; /* Ethernet's source is fine, ARP's is not */
	input(&frame);
	assert_int_equal(drops(BP_DROP_arp_malformed), 7);
	nothing_sent();
}

static void
resolves_and_sends_what_waited(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	assert_true(send_to(&to, "first", 5));
	assert_true(send_to(&to, "second", 6));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
	nothing_sent();
	reply(PEER_MAC, "192.0.2.9");
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x0800);
	assert_memory_equal(is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17) + 8, "first", 5);
	assert_true(sent(&out));
	assert_memory_equal(is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17) + 8, "second", 6);
	nothing_sent();
	/* From now on at once. */
	assert_true(send_to(&to, "third", 5));
	assert_true(sent(&out));
	assert_memory_equal(is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17) + 8, "third", 5);
	nothing_sent();
	assert_int_equal(w.counters.frames_handled, 1);
}

static void
asks_three_times_then_gives_up(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	uint64_t start = w.now_us;
	unsigned requests = 0;

	assert_true(send_to(&to, "lost", 4));
	for (uint64_t t = 0; t < 3 * SECOND; t += 10000) {
		tick_at(start + t);
		while (sent(&out)) {
			is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
			assert_int_equal(t, requests * SECOND);
			requests++;
		}
		assert_int_equal(drops(BP_DROP_tx_neighbour_unresolved), 0);
	}
	assert_int_equal(requests, 3);
	tick_at(start + 3 * SECOND);
	assert_int_equal(drops(BP_DROP_tx_neighbour_unresolved), 1);
	nothing_sent();
	/* The engine hears of it, like of an ICMP error. */
	assert_int_equal(w.unreachable_count, 1);
	assert_true(bp_flow_equal(&w.unreachable[0].flow, &to));
	assert_int_equal(w.unreachable[0].size, 4);
	assert_memory_equal(w.unreachable[0].bytes, "lost", 4);
	/* And nothing more is asked while nobody wants anything. */
	tick_at(start + 10 * SECOND);
	nothing_sent();
}

static void
send_again(const struct bp_flow *to)
{
	send_to(to, "elsewhere", 9);
}

/* The handler sends from within the tick, to a neighbour that has to be asked for as well. */
static void
failing_over_within_the_tick(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	for (unsigned i = 0; i < 5; i++)
		assert_true(send_to(&to, "lost", 4));
	drain();
	w.on_unreachable = send_again;
	tick_at(w.now_us + 3 * SECOND);
	assert_int_equal(w.unreachable_count, 5);
	assert_true(sent(&out)); /* asked again */
	nothing_sent();
	reply(PEER_MAC, "192.0.2.9");
	assert_int_equal(drain(), 5);
}

static void
gateway_and_on_link(void **state)
{
	struct bp_flow far = flow(LISTENER_V4, "198.51.100.1", 5060);

	assert_true(send_to(&far, "far", 3));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.254");
	reply(OTHER_MAC, "192.0.2.254");
	assert_true(sent(&out));
	is_ethernet(&out, OTHER_MAC, -1, 0x0800);
	is_ip(&out, -1, "192.0.2.1", "198.51.100.1", 17);
	nothing_sent();
}

static void
longest_prefix_chooses_the_vlan(void **state)
{
	struct bp_flow narrow = flow(LISTENER_VLAN_V4, "10.1.2.3", 5060),
		       wide = flow(LISTENER_VLAN_V4, "10.2.2.3", 5060);

	assert_true(send_to(&narrow, "n", 1));
	assert_true(sent(&out));
	is_arp(BROADCAST, 200, 1, "10.1.0.1", "10.1.2.3");
	assert_true(send_to(&wide, "w", 1));
	assert_true(sent(&out));
	is_arp(BROADCAST, 100, 1, "10.0.0.1", "10.2.2.3");
	/* The message has the listener's address all the same. */
	frame_arp(&frame, OWN_MAC, 200, 2, PEER_MAC, "10.1.2.3", OWN_MAC, "10.1.0.1");
	input(&frame);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, 200, 0x0800);
	is_ip(&out, 200, "10.0.0.1", "10.1.2.3", 17);
	nothing_sent();
}

static void
no_route(void **state)
{
	struct bp_flow far = flow(LISTENER_VLAN_V4, "198.51.100.1", 5060),
		       mixed = flow(LISTENER_V4, "2001:db8::9", 1);
	struct bp_flow nowhere = flow(LISTENER_COUNT, "192.0.2.9", 5060),
		       port0 = flow(LISTENER_V4, "192.0.2.9", 0);

	assert_true(send_to(&far, "x", 1));
	assert_true(send_to(&mixed, "x", 1));
	assert_true(send_to(&nowhere, "x", 1));
	assert_true(send_to(&port0, "x", 1));
	assert_int_equal(drops(BP_DROP_tx_no_route), 4);
	nothing_sent();
}

/* A reply that nobody asked for makes no entry: the next message still has to ask. */
static void
unasked_replies_are_not_learned(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	reply(OTHER_MAC, "192.0.2.9");
	frame_arp(&frame, BROADCAST, -1, 1, OTHER_MAC, "192.0.2.9", ZERO_MAC, "192.0.2.9"); /* gratuitous */
	input(&frame);
	frame_arp(&frame, BROADCAST, -1, 2, OTHER_MAC, "192.0.2.9", BROADCAST, "192.0.2.9");
	input(&frame);
	assert_int_equal(drops(BP_DROP_arp_foreign), 3);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
	nothing_sent();
	/* Nor does one that comes when we have stopped asking. */
	tick_at(w.now_us + 20 * SECOND);
	drain();
	reply(OTHER_MAC, "192.0.2.9");
	assert_int_equal(drops(BP_DROP_arp_foreign), 4);
}

/* A SIP message from a neighbour makes no entry either. */
static void
sip_traffic_is_not_learned(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	frame_udp(&frame, -1, "192.0.2.9", "192.0.2.1", 6000, 5060, "hello", 5);
	input(&frame);
	assert_int_equal(w.datagram_count, 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
	nothing_sent();
}

/* One who asks for us is about to talk to us: used at once, but probed. */
static void
requests_to_us_are_learned(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	frame_arp(&frame, BROADCAST, -1, 1, PEER_MAC, "192.0.2.9", ZERO_MAC, "192.0.2.1");
	input(&frame);
	assert_int_equal(drain(), 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(PEER_MAC, -1, 1, "192.0.2.1", "192.0.2.9");
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x0800);
	nothing_sent();
}

/* The ways in which OTHER_MAC may say that it has the address: announced, asked for us with it, answered what nobody
 * asked, to us and to all. */
static void
claim(unsigned way)
{
	if (way == 0)
		frame_arp(&frame, BROADCAST, -1, 1, OTHER_MAC, "192.0.2.9", ZERO_MAC, "192.0.2.9");
	else if (way == 1)
		frame_arp(&frame, BROADCAST, -1, 1, OTHER_MAC, "192.0.2.9", ZERO_MAC, "192.0.2.1");
	else if (way == 2)
		frame_arp(&frame, OWN_MAC, -1, 2, OTHER_MAC, "192.0.2.9", OWN_MAC, "192.0.2.1");
	else
		frame_arp(&frame, BROADCAST, -1, 2, OTHER_MAC, "192.0.2.9", BROADCAST, "192.0.2.9");
	input(&frame);
	if (way == 1) { /* it gets its answer */
		assert_true(sent(&out));
		is_arp(OTHER_MAC, -1, 2, "192.0.2.1", "192.0.2.9");
	}
	nothing_sent();
}

/* One message goes to @mac, nothing beside it. */
static void
goes_to(const struct bp_flow *to, const char *mac)
{
	assert_true(send_to(to, "x", 1));
	assert_true(sent(&out));
	is_ethernet(&out, mac, -1, 0x0800);
	nothing_sent();
}

/* Who takes over from one that answers still is not believed, however often he says it. */
static void
what_is_known_is_defended(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	for (unsigned i = 0; i < 8; i++) {
		tick_at(w.now_us + (i < 4 ? 5 : 400) * SECOND); /* confirmed lately, and long ago */
		claim(i % 4);
		assert_true(send_to(&to, "x", 1));
		assert_true(sent(&out));
		is_arp(PEER_MAC, -1, 1, "192.0.2.1", "192.0.2.9"); /* is it still there? */
		assert_true(sent(&out));
		is_ethernet(&out, PEER_MAC, -1, 0x0800);
		for (unsigned way = 0; way < 4; way++) /* before it can answer */
			claim(way);
		goes_to(&to, PEER_MAC);
		reply(PEER_MAC, "192.0.2.9");
		for (unsigned way = 0; way < 4; way++)
			claim(way);
		goes_to(&to, PEER_MAC); /* one probe a second, whatever is claimed */
	}
}

/* A standby that takes over: the old one is silent for a second, all are asked, and who has said it is believed. */
static void
who_is_silent_is_replaced(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	for (unsigned way = 0; way < 4; way++) {
		tick_at(w.now_us + 1300 * SECOND); /* forgotten */
		resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
		tick_at(w.now_us + 5 * SECOND);
		claim(way);
		assert_true(send_to(&to, "x", 1));
		assert_int_equal(drain(), 2);
		tick_at(w.now_us + SECOND);
		assert_true(send_to(&to, "x", 1));
		assert_true(sent(&out));
		is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
		assert_int_equal(drain(), 1);
		reply(OTHER_MAC, "192.0.2.9");
		goes_to(&to, OTHER_MAC);
	}
	/* And when he says it again while nothing was sent. */
	for (unsigned way = 0; way < 4; way++) {
		tick_at(w.now_us + 1300 * SECOND);
		resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
		tick_at(w.now_us + 5 * SECOND);
		claim(way);
		assert_true(send_to(&to, "x", 1));
		assert_int_equal(drain(), 2);
		tick_at(w.now_us + SECOND);
		claim(way);
		assert_true(send_to(&to, "x", 1));
		while (sent(&out))
			is_ethernet(&out, OTHER_MAC, -1, get16(out.bytes + 12));
	}
}

static void
expires_by_probing(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	uint64_t start = w.now_us;

	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	tick_at(start + 599 * SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_int_equal(drain(), 1);
	/* After ten minutes the next message goes out as ever, and a probe beside it. */
	tick_at(start + 600 * SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(PEER_MAC, -1, 1, "192.0.2.1", "192.0.2.9");
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x0800);
	assert_true(send_to(&to, "x", 1));
	assert_int_equal(drain(), 1);
	/* Answered: good for ten minutes more. */
	reply(PEER_MAC, "192.0.2.9");
	tick_at(start + 1199 * SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_int_equal(drain(), 1);
	/* Not answered: two more, to everybody; then it is forgotten and messages wait. */
	for (unsigned i = 0; i < 3; i++) {
		tick_at(start + (1200 + i) * SECOND);
		assert_true(send_to(&to, "x", 1));
		assert_true(sent(&out));
		is_arp(i == 0 ? PEER_MAC : BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
		assert_int_equal(drain(), 1);
	}
	tick_at(start + 1203 * SECOND);
	assert_true(send_to(&to, "waits", 5));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
	nothing_sent();
	reply(OTHER_MAC, "192.0.2.9");
	assert_true(sent(&out));
	is_ethernet(&out, OTHER_MAC, -1, 0x0800);
	nothing_sent();
}

/* Only an answer to us proves that it hears us; one to others, or to everybody, does not put off the probe.
 */
static void
what_others_are_told_is_no_proof(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	tick_at(w.now_us + 600 * SECOND);
	frame_arp(&frame, BROADCAST, -1, 2, PEER_MAC, "192.0.2.9", BROADCAST, "192.0.2.9");
	input(&frame);
	frame_arp(&frame, OWN_MAC, -1, 2, PEER_MAC, "192.0.2.9", OTHER_MAC, "192.0.2.8");
	input(&frame);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(PEER_MAC, -1, 1, "192.0.2.1", "192.0.2.9");
	assert_int_equal(drain(), 1);
}

static void
idle_entries_are_forgotten(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);

	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	tick_at(w.now_us + 1200 * SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_arp(BROADCAST, -1, 1, "192.0.2.1", "192.0.2.9");
	nothing_sent();
}

static void
queues_are_bounded(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	char address[32], text[16];

	/* One neighbour: the newest stay. */
	for (unsigned i = 0; i < BP_WIRE_WAITING_PER_NEIGHBOUR + 5; i++) {
		snprintf(text, sizeof(text), "%04u", i);
		assert_true(send_to(&to, text, 4));
	}
	assert_int_equal(drops(BP_DROP_tx_neighbour_full), 5);
	assert_int_equal(drain(), 1);
	reply(PEER_MAC, "192.0.2.9");
	assert_true(sent(&out));
	assert_memory_equal(is_ip(&out, -1, "192.0.2.1", "192.0.2.9", 17) + 8, "0005", 4);
	assert_int_equal(drain(), BP_WIRE_WAITING_PER_NEIGHBOUR - 1);
	/* Many neighbours: the whole queue is bounded. The table (256 slots) has room for all of these. */
	for (unsigned i = 0; i < BP_WIRE_WAITING_MAX / 2 + 3; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i + 20);
		to = flow(LISTENER_V4, address, 6000);
		assert_true(send_to(&to, "x", 1));
		assert_true(send_to(&to, "y", 1));
	}
	assert_int_equal(drops(BP_DROP_tx_neighbour_full), 5 + 6);
	drain();
	tick_at(w.now_us + 3 * SECOND);
	assert_int_equal(drops(BP_DROP_tx_neighbour_unresolved) + drops(BP_DROP_tx_neighbour_full),
		BP_WIRE_WAITING_MAX + 5 + 6);
}

static void
few_large_messages_wait(void **state)
{
	struct bp_flow to = flow(LISTENER_V4, "192.0.2.9", 6000);
	static uint8_t message[4000];

	for (unsigned i = 0; i < BP_WIRE_WAITING_LARGE_MAX + 2; i++)
		assert_true(send_to(&to, message, sizeof(message)));
	assert_int_equal(drops(BP_DROP_tx_neighbour_full), 2);
	drain();
	reply(PEER_MAC, "192.0.2.9");
	assert_int_equal(drain(), 3 * BP_WIRE_WAITING_LARGE_MAX);
}

/* A flood to addresses that do not exist must not shut out the one that does. */
static void
scan_does_not_shut_out_the_living(void **state)
{
	struct bp_flow to;
	char address[32];
	unsigned sent_to_peer = 0;

	w.interfaces[IF_V4].prefix = 8;
	world_remake();
	resolve(LISTENER_V4, "192.0.2.9", PEER_MAC);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "192.9.%u.%u", i / 250, i % 250 + 1);
		to = flow(LISTENER_V4, address, 6000);
		assert_true(send_to(&to, "x", 1));
		drain();
		if (i % 500 == 0)
			tick_at(w.now_us + SECOND);
		to = flow(LISTENER_V4, "192.0.2.9", 6000);
		assert_true(send_to(&to, "alive", 5));
		while (sent(&out))
			sent_to_peer += get16(out.bytes + 12) == 0x0800;
	}
	assert_int_equal(sent_to_peer, 5000);
	drain();
	/* And a new one is still found. */
	resolve(LISTENER_V4, "192.0.2.10", OTHER_MAC);
}

static void
announces(void **state)
{
	unsigned arps = 0, advertisements = 0, reports = 0;

	bp_wire_announce(w.wire, w.now_us);
	while (sent(&out)) {
		unsigned l2_size = get16(out.bytes + 12) == 0x8100 ? 18 : 14;

		if (get16(out.bytes + l2_size - 2) == 0x0806) {
			const uint8_t *arp = out.bytes + l2_size;

			assert_memory_equal(out.bytes, "\xff\xff\xff\xff\xff\xff", 6);
			assert_memory_equal(arp + 14, arp + 24, 4);
			arps++;
		} else if (out.bytes[l2_size + 6] == 58) {
			advertisements++;
		} else {
			reports++;
		}
	}
	assert_int_equal(arps, 3);
	assert_int_equal(advertisements, 2);
	assert_int_equal(reports, 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(answers_for_its_addresses),
		WIRE_TEST(does_not_answer_for_others),
		WIRE_TEST(malformed),
		WIRE_TEST(resolves_and_sends_what_waited),
		WIRE_TEST(asks_three_times_then_gives_up),
		WIRE_TEST(failing_over_within_the_tick),
		WIRE_TEST(gateway_and_on_link),
		WIRE_TEST(longest_prefix_chooses_the_vlan),
		WIRE_TEST(no_route),
		WIRE_TEST(unasked_replies_are_not_learned),
		WIRE_TEST(sip_traffic_is_not_learned),
		WIRE_TEST(requests_to_us_are_learned),
		WIRE_TEST(what_is_known_is_defended),
		WIRE_TEST(who_is_silent_is_replaced),
		WIRE_TEST(expires_by_probing),
		WIRE_TEST(what_others_are_told_is_no_proof),
		WIRE_TEST(idle_entries_are_forgotten),
		WIRE_TEST(queues_are_bounded),
		WIRE_TEST(few_large_messages_wait),
		WIRE_TEST(scan_does_not_shut_out_the_living),
		WIRE_TEST(announces),
	};

	return harness_run("wire-arp", tests, sizeof(tests) / sizeof(tests[0]));
}
