/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv6 neighbour discovery: answer, resolve, expire, RFC 4861 7.1, and whom not to believe.
 */
#include "harness.h"

static struct frame frame, out;
static uint8_t message[256];

#define OWN "2001:db8::1"
#define PEER "2001:db8::9"
#define OWN_GROUP "ff02::1:ff00:1"
#define OWN_GROUP_MAC "33:33:ff:00:00:01"
#define PEER_GROUP "ff02::1:ff00:9"
#define PEER_GROUP_MAC "33:33:ff:00:00:09"
#define SOLICITED UINT32_C(0x40000000)
#define OVERRIDE UINT32_C(0x20000000)

static void
solicit_from(
	const char *source, const char *destination, const char *to_mac, const char *target, uint8_t option)
{
	uint32_t size = nd(message, source, destination, 135, 0, target, option, PEER_MAC);

	frame_ip_hop(&frame, -1, to_mac, source, destination, 255, 58, message, size);
}

static void
advertise_to(const char *destination, const char *to_mac, uint32_t flags, const char *target, uint8_t option,
	const char *mac)
{
	uint32_t size = nd(message, target, destination, 136, flags, target, option, mac);

	frame_ip_hop(&frame, -1, to_mac, target, destination, 255, 58, message, size);
}

/* @out is a neighbour message. */
static void
is_nd(const char *to_mac, int vlan, const char *source, const char *destination, uint8_t type, uint32_t flags,
	const char *target, uint8_t option)
{
	static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};
	struct address from = ip(source), to = ip(destination);
	const uint8_t *icmp6_bytes;

	is_ethernet(&out, to_mac, vlan, 0x86dd);
	icmp6_bytes = is_ip(&out, vlan, source, destination, 58);
	assert_int_equal(icmp6_bytes[-33], 255);
	assert_int_equal(get16(icmp6_bytes - 36), 32);
	assert_int_equal(checksum(&from, &to, 58, icmp6_bytes, 32), 0);
	assert_int_equal(icmp6_bytes[0], type);
	assert_int_equal(icmp6_bytes[1], 0);
	assert_int_equal(get32(icmp6_bytes + 4), flags);
	assert_memory_equal(icmp6_bytes + 8, ip(target).bytes, 16);
	assert_int_equal(icmp6_bytes[24], option);
	assert_int_equal(icmp6_bytes[25], 1);
	assert_memory_equal(icmp6_bytes + 26, own, 6);
}

static void
answers_for_its_addresses(void **state)
{
	uint32_t size;

	solicit_from(PEER, OWN_GROUP, OWN_GROUP_MAC, OWN, 1);
	input(&frame);
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, OWN, PEER, 136, SOLICITED | OVERRIDE, OWN, 2);

	solicit_from(PEER, OWN, OWN_MAC, OWN, 0); /* unicast, without the option */
	input(&frame);
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, OWN, PEER, 136, SOLICITED | OVERRIDE, OWN, 2);

	solicit_from("fe80::9", OWN_GROUP, OWN_GROUP_MAC, LINK_LOCAL, 1);
	input(&frame);
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, LINK_LOCAL, "fe80::9", 136, SOLICITED | OVERRIDE, LINK_LOCAL, 2);

	size = nd(message, "2001:db8:64::9", "2001:db8:64::1", 135, 0, "2001:db8:64::1", 1, PEER_MAC);
	frame_ip_hop(&frame, 100, OWN_MAC, "2001:db8:64::9", "2001:db8:64::1", 255, 58, message, size);
	input(&frame);
	assert_true(sent(&out));
	is_nd(PEER_MAC, 100, "2001:db8:64::1", "2001:db8:64::9", 136, SOLICITED | OVERRIDE, "2001:db8:64::1",
		2);
	nothing_sent();
	assert_int_equal(w.counters.frames_handled, 4);
}

static void
defends_against_duplicates(void **state)
{
	solicit_from("::", OWN_GROUP, OWN_GROUP_MAC, OWN, 0);
	input(&frame);
	assert_true(sent(&out));
	is_nd(ALL_NODES_MAC, -1, OWN, "ff02::1", 136, OVERRIDE, OWN, 2);
	nothing_sent();
}

static void
does_not_answer_for_others(void **state)
{
	solicit_from(
		PEER, OWN_GROUP, OWN_GROUP_MAC, "2001:db8::2:0:1", 1); /* the same group, another address */
	input(&frame);
	solicit_from(PEER, OWN, OWN_MAC, "2001:db8:64::1", 1); /* ours, on another VLAN */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_foreign), 2);
	/* No IPv6 on VLAN 200: no link-local address there. */
	frame_ip_hop(&frame, 200, OWN_GROUP_MAC, "fe80::9", OWN_GROUP, 255, 58, message,
		nd(message, "fe80::9", OWN_GROUP, 135, 0, LINK_LOCAL, 1, PEER_MAC));
	input(&frame);
	/* All nodes of a link are not asked for SIP. */
	frame_udp(&frame, -1, PEER, "ff02::1", 5060, 5060, "x", 1);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_foreign), 2);
	nothing_sent();
}

/* RFC 4861 7.1.1, each rule broken once. */
static void
solicitations_to_discard(void **state)
{
	struct address peer = ip(PEER), own = ip(OWN);
	unsigned count = 0;
	uint32_t size;

	size = nd(message, PEER, OWN, 135, 0, OWN, 1, PEER_MAC); /* a router could have carried it */
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 254, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	size = icmp6(message, PEER, OWN, 135, 1, 0, ip(OWN).bytes, 16); /* code */
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	size = icmp6(message, PEER, OWN, 135, 0, 0, ip(OWN).bytes, 15); /* short */
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	solicit_from(PEER, OWN_GROUP, OWN_GROUP_MAC, OWN_GROUP, 1); /* the target is a group */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	size = nd(message, PEER, OWN, 135, 0, OWN, 1, PEER_MAC); /* an option of no length */
	message[25] = 0;
	put16(message + 2, 0);
	put16(message + 2, checksum(&peer, &own, 58, message, size));
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	for (uint32_t tail = 1; tail < 8; tail++) { /* an option that is cut off */
		uint8_t rest[24] = {[16] = 1, [17] = 1};

		memcpy(rest, ip(OWN).bytes, 16);
		size = icmp6(message, PEER, OWN, 135, 0, 0, rest, 16 + tail);
		frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	}
	for (unsigned units = 2; units < 256; units += 11) { /* one that says it is longer */
		uint8_t rest[24] = {[16] = 14, [17] = (uint8_t)units};

		memcpy(rest, ip(OWN).bytes, 16);
		size = icmp6(message, PEER, OWN, 135, 0, 0, rest, 24);
		frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	}

	solicit_from("::", OWN, OWN_MAC, OWN, 0); /* duplicate detection not to the group */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	solicit_from("::", OWN_GROUP, OWN_GROUP_MAC, OWN, 1); /* or with an address */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	size = nd(message, PEER, OWN, 135, 0, OWN, 1, "33:33:00:00:00:01"); /* a group as an address */
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 255, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);

	solicit_from(PEER, OWN, OWN_MAC, OWN, 1); /* checksum */
	frame.bytes[60] ^= 1;
	input(&frame);
	assert_int_equal(drops(BP_DROP_icmp_malformed), 1);

	size = nd(message, PEER, OWN, 135, 0, OWN, 1,
		PEER_MAC); /* fragments (RFC 6980): atomic, and real ones */
	frame_fragment(&frame, PEER, OWN, 1, 0, false, 58, message, size);
	frame.bytes[21] = 255;
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	frame_fragment(&frame, PEER, OWN, 2, 0, true, 58, message, 16);
	frame.bytes[21] = 255;
	input(&frame);
	frame_fragment(&frame, PEER, OWN, 2, 16, false, 58, message + 16, size - 16);
	frame.bytes[21] = 255;
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), count + 2); /* two frames */
	nothing_sent();
}

/* RFC 4861 7.1.2. */
static void
advertisements_to_discard(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 5060);
	unsigned count = 0;
	uint32_t size;

	assert_true(send_to(&to, "waits", 5));
	assert_int_equal(drain(), 1);
	size = nd(message, PEER, OWN, 136, SOLICITED, PEER, 2, PEER_MAC);
	frame_ip_hop(&frame, -1, OWN_MAC, PEER, OWN, 64, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	advertise_to("ff02::1", ALL_NODES_MAC, SOLICITED, PEER, 2, PEER_MAC); /* solicited, but to all */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	advertise_to(OWN, OWN_MAC, SOLICITED, PEER_GROUP, 2, PEER_MAC);
	input(&frame);
	assert_int_equal(drops(BP_DROP_ip_source), 1);
	advertise_to(OWN, OWN_MAC, SOLICITED, PEER, 2, "ff:ff:ff:ff:ff:ff");
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_malformed), ++count);
	/* Nothing learned from all of these, nor from one that says no address (7.2.5). */
	advertise_to(OWN, OWN_MAC, SOLICITED, PEER, 0, PEER_MAC);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_foreign), 1);
	nothing_sent();
	advertise_to(OWN, OWN_MAC, SOLICITED, PEER, 2, PEER_MAC);
	input(&frame);
	assert_int_equal(drain(), 1);
}

static void
resolves_and_sends_what_waited(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000);
	const uint8_t *datagram;

	assert_true(send_to(&to, "six", 3));
	assert_true(sent(&out));
	is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
	nothing_sent();
	advertise_to(OWN, OWN_MAC, SOLICITED | OVERRIDE, PEER, 2, PEER_MAC);
	input(&frame);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	datagram = is_ip(&out, -1, OWN, PEER, 17);
	assert_int_equal(get16(datagram), 5060);
	assert_int_equal(get16(datagram + 2), 6000);
	assert_memory_equal(datagram + 8, "six", 3);
	nothing_sent();
}

static void
gateway_vlan_and_no_route(void **state)
{
	struct bp_flow far = flow(LISTENER_V6, "2001:db8:ffff::1", 5060);
	struct bp_flow vlan = flow(LISTENER_VLAN_V6, "2001:db8:64::77", 5060);
	struct bp_flow nowhere = flow(LISTENER_VLAN_V6, "2001:db8:ffff::1", 5060);

	assert_true(send_to(&far, "x", 1));
	assert_true(sent(&out));
	is_nd("33:33:ff:00:00:fe", -1, OWN, "ff02::1:ff00:fe", 135, 0, "2001:db8::fe", 1);
	assert_true(send_to(&vlan, "x", 1));
	assert_true(sent(&out));
	is_nd("33:33:ff:00:00:77", 100, "2001:db8:64::1", "ff02::1:ff00:77", 135, 0, "2001:db8:64::77", 1);
	assert_true(send_to(&nowhere, "x", 1));
	assert_int_equal(drops(BP_DROP_tx_no_route), 1);
	nothing_sent();
}

static void
asks_three_times_then_gives_up(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000);
	uint64_t start = w.now_us;
	unsigned requests = 0;

	assert_true(send_to(&to, "lost", 4));
	for (uint64_t t = 0; t <= 3 * SECOND; t += 10000) {
		tick_at(start + t);
		while (sent(&out)) {
			is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
			requests++;
		}
	}
	assert_int_equal(requests, 3);
	assert_int_equal(drops(BP_DROP_tx_neighbour_unresolved), 1);
	assert_int_equal(w.unreachable_count, 1);
	assert_true(bp_flow_equal(&w.unreachable[0].flow, &to));
}

static void
unasked_advertisements_are_not_learned(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000);

	advertise_to(OWN, OWN_MAC, SOLICITED | OVERRIDE, PEER, 2, OTHER_MAC);
	input(&frame);
	advertise_to("ff02::1", ALL_NODES_MAC, OVERRIDE, PEER, 2, OTHER_MAC);
	input(&frame);
	advertise_to(OWN, OWN_MAC, SOLICITED | OVERRIDE, OWN, 2, OTHER_MAC); /* from us? */
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_foreign), 2);
	assert_int_equal(drops(BP_DROP_ip_source), 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
	nothing_sent();
}

static void
claims_of_our_address_are_foreign(void **state)
{
	uint32_t size = nd(message, PEER, "ff02::1", 136, OVERRIDE, OWN, 2, OTHER_MAC);

	frame_ip_hop(&frame, -1, ALL_NODES_MAC, PEER, "ff02::1", 255, 58, message, size);
	input(&frame);
	assert_int_equal(drops(BP_DROP_nd_foreign), 1);
}

static void
solicitations_to_us_are_learned(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000), far = flow(LISTENER_V6, "2001:db8:1::9", 6000);

	solicit_from(PEER, OWN_GROUP, OWN_GROUP_MAC, OWN, 1);
	input(&frame);
	assert_int_equal(drain(), 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, OWN, PEER, 135, 0, PEER, 1); /* a unicast probe */
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	nothing_sent();
	/* Off-link: answered, not learned. */
	solicit_from("2001:db8:1::9", OWN_GROUP, OWN_GROUP_MAC, OWN, 1);
	input(&frame);
	assert_int_equal(drain(), 1);
	w.interfaces[IF_V6].prefix = 32;
	assert_int_equal(bp_wire_configure(w.wire, &w.config), 0);
	assert_true(send_to(&far, "x", 1));
	assert_true(sent(&out));
	is_nd("33:33:ff:00:00:09", -1, OWN, "ff02::1:ff00:9", 135, 0, "2001:db8:1::9", 1);
	nothing_sent();
}

/* RFC 4861 7.2.5: without the override flag another address only raises a doubt; with it too while the old one may
 * be there. */
static void
override(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000);
	uint32_t size;

	resolve(LISTENER_V6, PEER, PEER_MAC);
	tick_at(w.now_us + 5 * SECOND);
	advertise_to("ff02::1", ALL_NODES_MAC, 0, PEER, 2, OTHER_MAC);
	input(&frame);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, OWN, PEER, 135, 0, PEER, 1);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	/* Answered without an address: it hears us there. */
	advertise_to(OWN, OWN_MAC, SOLICITED, PEER, 0, PEER_MAC);
	input(&frame);
	assert_true(send_to(&to, "x", 1));
	assert_int_equal(drain(), 1);
	/* With the flag too, for as long as the old one may still answer, whatever the news. */
	tick_at(w.now_us + 5 * SECOND);
	advertise_to("ff02::1", ALL_NODES_MAC, OVERRIDE, PEER, 2, OTHER_MAC);
	input(&frame);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_MAC, -1, OWN, PEER, 135, 0, PEER, 1);
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	advertise_to(OWN, OWN_MAC, SOLICITED | OVERRIDE, PEER, 2, OTHER_MAC);
	input(&frame);
	size = nd(message, PEER, OWN_GROUP, 135, 0, OWN, 1, OTHER_MAC);
	frame_ip_hop(&frame, -1, OWN_GROUP_MAC, PEER, OWN_GROUP, 255, 58, message, size);
	input(&frame);
	assert_int_equal(drain(), 1);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_ethernet(&out, PEER_MAC, -1, 0x86dd);
	nothing_sent();
	/* Silent for a second: it is taken over. */
	tick_at(w.now_us + SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
	assert_int_equal(drain(), 1);
	advertise_to(OWN, OWN_MAC, SOLICITED | OVERRIDE, PEER, 2, OTHER_MAC);
	input(&frame);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_ethernet(&out, OTHER_MAC, -1, 0x86dd);
	nothing_sent();
}

static void
expires_by_probing(void **state)
{
	struct bp_flow to = flow(LISTENER_V6, PEER, 6000);
	uint64_t start = w.now_us;

	resolve(LISTENER_V6, PEER, PEER_MAC);
	for (unsigned i = 0; i < 3; i++) {
		tick_at(start + (600 + i) * SECOND);
		assert_true(send_to(&to, "x", 1));
		assert_true(sent(&out));
		if (i == 0)
			is_nd(PEER_MAC, -1, OWN, PEER, 135, 0, PEER, 1);
		else
			is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
		assert_int_equal(drain(), 1);
	}
	tick_at(start + 603 * SECOND);
	assert_true(send_to(&to, "x", 1));
	assert_true(sent(&out));
	is_nd(PEER_GROUP_MAC, -1, OWN, PEER_GROUP, 135, 0, PEER, 1);
	nothing_sent();
}

/* @out is an MLDv2 report of @count groups, or (1 group) an MLDv1 report. */
static const uint8_t *
is_report(int vlan, const char *destination, uint8_t type, unsigned count)
{
	static const uint8_t alert[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	struct address from = ip(LINK_LOCAL), to = ip(destination);
	const uint8_t *bytes = is_ip(&out, vlan, LINK_LOCAL, destination, 0);
	uint32_t size = type == 143 ? 8 + count * 20 : 24;

	assert_int_equal(out.bytes[0], 0x33);
	assert_memory_equal(out.bytes + 2, to.bytes + 12, 4);
	assert_int_equal(bytes[-33], 1);
	assert_memory_equal(bytes, alert, 8);
	assert_int_equal(bytes[8], type);
	assert_int_equal(checksum(&from, &to, 58, bytes + 8, size), 0);
	assert_int_equal(get16(bytes - 36), 8 + size);
	if (type == 143)
		assert_int_equal(get16(bytes + 14), count);
	return bytes + 16;
}

static void
query(const char *source, const char *destination, uint8_t hop_limit, const char *group, uint32_t size)
{
	uint8_t rest[20] = {0};

	memcpy(rest, ip(group).bytes, 16);
	memcpy(message, "\x3a\0\5\2\0\0\1\0", 8);
	size = icmp6(message + 8, source, destination, 130, 0, 1000 << 16, rest, size - 8);
	frame_ip_hop(&frame, -1, ALL_NODES_MAC, source, destination, hop_limit, 0, message, 8 + size);
	input(&frame);
}

/* RFC 3810: the groups that we want, when we come up and when a querier asks. */
static void
listeners_are_reported(void **state)
{
	const uint8_t *records;

	bp_wire_announce(w.wire, w.now_us);
	for (unsigned i = 0; i < 2; i++) {
		do
			assert_true(sent(&out));
		while (get16(out.bytes + (i == 1 ? 16 : 12)) != 0x86dd || out.bytes[i == 1 ? 24 : 20] != 0);
		records = is_report(i == 1 ? 100 : -1, "ff02::16", 143, 2);
		assert_int_equal(records[0], 4);
		assert_memory_equal(records + 4, ip(OWN_GROUP).bytes, 16);
		assert_memory_equal(
			records + 24, ip(OWN_GROUP).bytes, 16); /* the link-local address ends alike */
	}
	drain();
	query("fe80::9", "ff02::1", 1, "::", 28);
	assert_true(sent(&out));
	records = is_report(-1, "ff02::16", 143, 2);
	assert_int_equal(records[0], 2);
	assert_memory_equal(records + 4, ip(OWN_GROUP).bytes, 16);
	query("fe80::9", OWN_GROUP, 1, OWN_GROUP, 28);
	assert_true(sent(&out));
	is_report(-1, "ff02::16", 143, 2);
	query("fe80::9", "ff02::1", 1, "::", 24); /* an old querier */
	for (unsigned i = 0; i < 2; i++) {
		assert_true(sent(&out));
		records = is_report(-1, OWN_GROUP, 131, 1);
		assert_memory_equal(records, ip(OWN_GROUP).bytes, 16);
	}
	nothing_sent();
	assert_int_equal(w.counters.frames_handled, 3);
	query("fe80::9", PEER_GROUP, 1, PEER_GROUP, 28); /* a group that is not ours */
	nothing_sent();
	query(PEER, "ff02::1", 1, "::", 28); /* not from a neighbour */
	query("fe80::9", "ff02::1", 64, "::", 28);
	query("fe80::9", "ff02::1", 1, "::", 26); /* of no known version */
	assert_int_equal(drops(BP_DROP_icmp_foreign), 3);
	nothing_sent();
	for (unsigned i = 0; i < 200; i++)
		query("fe80::9", "ff02::1", 1, "::", 28);
	assert_true(drain() < 50);
	assert_true(drops(BP_DROP_icmp_limited) > 100);
}

/* More addresses than one report has room for. */
static void
many_listeners(void **state)
{
	static struct bp_config_interface many[120];
	unsigned records = 0;

	for (unsigned i = 0; i < 120; i++) {
		many[i] = w.interfaces[IF_V6];
		many[i].ip.bytes[15] = (uint8_t)(i + 1);
	}
	w.config.interfaces = many;
	w.config.interface_count = 120;
	w.config.listener_count = 0;
	assert_int_equal(bp_wire_configure(w.wire, &w.config), 0);
	query("fe80::9", "ff02::1", 1, "::", 28);
	while (sent(&out)) {
		unsigned count = get16(out.bytes + 14 + 40 + 14);

		is_report(-1, "ff02::16", 143, count);
		records += count;
	}
	assert_int_equal(records, 121);
}

static void
other_messages_are_foreign(void **state)
{
	static const uint8_t types[] = {133, 134, 137, 130, 143, 3, 200};
	uint32_t size;

	for (unsigned i = 0; i < sizeof(types); i++) {
		size = icmp6(message, "fe80::9", "ff02::1", types[i], 0, 0, "\0\0\0\0\0\0\0\0", 8);
		frame_ip_hop(&frame, -1, ALL_NODES_MAC, "fe80::9", "ff02::1", 255, 58, message, size);
		input(&frame);
		assert_int_equal(drops(BP_DROP_icmp_foreign), i + 1);
	}
	nothing_sent();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WIRE_TEST(answers_for_its_addresses),
		WIRE_TEST(defends_against_duplicates),
		WIRE_TEST(does_not_answer_for_others),
		WIRE_TEST(solicitations_to_discard),
		WIRE_TEST(advertisements_to_discard),
		WIRE_TEST(resolves_and_sends_what_waited),
		WIRE_TEST(gateway_vlan_and_no_route),
		WIRE_TEST(asks_three_times_then_gives_up),
		WIRE_TEST(unasked_advertisements_are_not_learned),
		WIRE_TEST(claims_of_our_address_are_foreign),
		WIRE_TEST(solicitations_to_us_are_learned),
		WIRE_TEST(override),
		WIRE_TEST(expires_by_probing),
		WIRE_TEST(listeners_are_reported),
		WIRE_TEST(many_listeners),
		WIRE_TEST(other_messages_are_foreign),
	};

	return harness_run("wire-nd", tests, sizeof(tests) / sizeof(tests[0]));
}
