/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A wire on a DPDK ring port: what it sends can be read back, what it receives is put in by
 * hand. The world is made anew for each test; when it ends, the frame law of counters.h must
 * hold and every mbuf must be back in its pool.
 */
#ifndef TESTS_UNIT_WIRE_HARNESS_H
#define TESTS_UNIT_WIRE_HARNESS_H

#include "byepass/config.h"
#include "byepass/counters.h"
#include "frames.h"
#include "wire/wire.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdarg.h>
#include <cmocka.h>

#define OWN_MAC "02:00:00:00:00:01"
#define PEER_MAC "02:00:00:00:00:aa"
#define OTHER_MAC "02:00:00:00:00:bb"
#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define ALL_NODES_MAC "33:33:00:00:00:01"
#define LINK_LOCAL "fe80::ff:fe00:1" /* of OWN_MAC */
#define SECOND UINT64_C(1000000)

/* Interfaces and listeners of the world, by index. Realm 0 is untagged, realm 1 is on VLANs 100 and 200. */
enum {
	IF_V4,          /* 192.0.2.1/24, gateway 192.0.2.254 */
	IF_V6,          /* 2001:db8::1/64, gateway 2001:db8::fe */
	IF_VLAN_V4,     /* VLAN 100: 10.0.0.1/8, no gateway */
	IF_VLAN_NARROW, /* VLAN 200: 10.1.0.1/16 */
	IF_VLAN_V6,     /* VLAN 100: 2001:db8:64::1/64, no gateway */
	IF_COUNT,
};
enum {
	LISTENER_V4,      /* 192.0.2.1:5060 */
	LISTENER_V6,      /* [2001:db8::1]:5060 */
	LISTENER_VLAN_V4, /* 10.0.0.1:5060 */
	LISTENER_VLAN_V6, /* [2001:db8:64::1]:5060 */
	LISTENER_V4_5062, /* 192.0.2.1:5062 */
	LISTENER_COUNT,
};

#define DATAGRAMS_KEPT 64

struct taken {
	struct bp_flow flow;
	uint32_t size;
	uint8_t *bytes;
};

struct world {
	struct bp_config config;
	struct bp_config_interface interfaces[IF_COUNT];
	struct bp_config_listener listeners[LISTENER_COUNT];
	struct bp_wire_port port;
	struct bp_wire *wire;
	struct bp_neighbours *neighbours;
	struct bp_counters counters;
	uint64_t now_us;
	/* what the handlers were told */
	struct taken datagrams[DATAGRAMS_KEPT];
	struct taken unreachable[DATAGRAMS_KEPT];
	unsigned datagram_count;
	unsigned unreachable_count;
	/* called by the handler when set */
	void (*on_datagram)(const struct bp_flow *from, const uint8_t *bytes, uint32_t size);
	void (*on_unreachable)(const struct bp_flow *to);
};

extern struct world w;
extern struct rte_mempool *packets_pool, *large_pool;

/* Runs the group with EAL started; for main(). */
int harness_run(const char *name, const struct CMUnitTest *tests, size_t count);

int world_setup(void **state);
int world_teardown(void **state);
/* Makes the wire again after a test has changed w.port or w.config. */
void world_remake(void);

#define WIRE_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* Puts one frame in. The mbuf's data is exactly as long as the frame, so that a sanitizer sees a read past
 * it. */
void input(const struct frame *frame);
void input_flags(const struct frame *frame, uint64_t ol_flags, uint16_t vlan_tci);
/* The same in an mbuf chain whose segments have @segment bytes each. */
void input_chain(const struct frame *frame, uint32_t segment);
/* All of them in one burst; frame i in segments of segments[i] bytes. */
#define BURST_MAX 100
void input_burst(const struct frame *frames, const uint32_t *segments, unsigned count);

/* Flushes and takes the next frame that was sent. False: there is none. */
bool sent(struct frame *frame);
/* ol_flags of the mbuf that sent() saw last. */
uint64_t sent_flags(void);
void nothing_sent(void);
/* Takes all that was sent. Returns how many. */
unsigned drain(void);

void tick_at(uint64_t now_us);

struct bp_flow flow(uint16_t listener, const char *address, uint16_t port);
/* Reserves, fills in, sends. False: reserve failed. */
bool send_to(const struct bp_flow *to, const void *bytes, uint32_t size);

uint64_t drops(enum bp_drop reason);
/* The frame law of counters.h. */
void law(void);

/* Answers the wire's ARP or NS for @address, so that it is resolved. */
void resolve(uint16_t listener, const char *address, const char *mac);

/* Asserts on a sent frame. */
void is_ethernet(const struct frame *frame, const char *to, int vlan, uint16_t type);
const uint8_t *is_ip(
	const struct frame *frame, int vlan, const char *source, const char *destination, uint8_t protocol);

#endif
