/* SPDX-License-Identifier: BSD-3-Clause */
#include "harness.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world w;
struct rte_mempool *packets_pool, *large_pool;
static struct rte_mempool *empty_pool; /* mbufs for external data */
static uint16_t port_id;
static uint64_t last_flags;

static struct bp_ip
bp_ip_of(const char *text)
{
	struct address address = ip(text);
	struct bp_ip out;

	if (address.size == 4)
		return bp_ip_from_v4(address.bytes);
	memcpy(out.bytes, address.bytes, 16);
	return out;
}

static void
start_port(void)
{
	struct rte_eth_conf conf = {0};

	if (rte_eth_dev_get_port_by_name("net_ring0", &port_id) != 0 ||
		rte_eth_dev_configure(port_id, 1, 1, &conf) != 0 ||
		rte_eth_rx_queue_setup(port_id, 0, 512, 0, NULL, packets_pool) != 0 ||
		rte_eth_tx_queue_setup(port_id, 0, 512, 0, NULL) != 0 || rte_eth_dev_start(port_id) != 0) {
		fprintf(stderr, "net_ring0 cannot be started\n");
		abort();
	}
}

int
harness_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	char *arguments[] = {(char *)(uintptr_t)name, (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "--no-pci", (char *)(uintptr_t) "--no-shconf", (char *)(uintptr_t) "-m",
		(char *)(uintptr_t) "256", (char *)(uintptr_t) "--no-telemetry",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--vdev=net_ring0", NULL};
	int failed;

	if (rte_eal_init((int)(sizeof(arguments) / sizeof(arguments[0])) - 1, arguments) < 0) {
		fprintf(stderr, "EAL does not start\n");
		return 1;
	}
	packets_pool =
		rte_pktmbuf_pool_create("packets", 2047, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
	large_pool = rte_pktmbuf_pool_create("large", 31, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	empty_pool = rte_pktmbuf_pool_create("empty", 4095, 0, 0, 0, SOCKET_ID_ANY);
	if (packets_pool == NULL || large_pool == NULL || empty_pool == NULL) {
		fprintf(stderr, "no memory for mbufs\n");
		return 1;
	}
	start_port();
	failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
	rte_eal_cleanup();
	return failed;
}

static void
keep(struct taken *list, unsigned *count, const struct bp_flow *from, const uint8_t *bytes, uint32_t size)
{
	if (*count < DATAGRAMS_KEPT) {
		list[*count].flow = *from;
		list[*count].size = size;
		list[*count].bytes = malloc(size + 1);
		memcpy(list[*count].bytes, bytes, size);
	}
	(*count)++;
}

static void
on_datagrams(void *context, const struct bp_datagram *datagrams, unsigned count)
{
	assert_ptr_equal(context, &w);
	for (unsigned i = 0; i < count; i++) {
		const struct bp_datagram *in = &datagrams[i];

		keep(w.datagrams, &w.datagram_count, &in->from, in->bytes, in->size);
		if (w.on_datagram != NULL)
			w.on_datagram(&in->from, in->bytes, in->size);
	}
}

static void
on_unreachable(void *context, const struct bp_flow *to, const uint8_t *quoted, uint32_t size)
{
	assert_ptr_equal(context, &w);
	keep(w.unreachable, &w.unreachable_count, to, quoted, size);
	if (w.on_unreachable != NULL)
		w.on_unreachable(to);
}

static void
add_interface(unsigned index, uint16_t realm, uint16_t vlan, const char *address, uint8_t prefix,
	const char *gateway)
{
	w.interfaces[index] = (struct bp_config_interface){
		.realm = realm,
		.vlan = vlan,
		.prefix = prefix,
		.family = strchr(address, ':') != NULL ? 6 : 4,
		.ip = bp_ip_of(address),
	};
	if (gateway != NULL)
		w.interfaces[index].gateway = bp_ip_of(gateway);
}

static void
add_listener(unsigned index, uint16_t interface, uint16_t port)
{
	w.listeners[index] = (struct bp_config_listener){
		.realm = w.interfaces[interface].realm,
		.interface = interface,
		.port = port,
		.family = w.interfaces[interface].family,
		.ip = w.interfaces[interface].ip,
	};
}

static void
make(void)
{
	const struct bp_wire_handlers handlers = {&w, on_datagrams, on_unreachable};

	assert_int_equal(bp_wire_create(&w.wire, &w.config, &w.port, 1, w.neighbours, packets_pool,
				 large_pool, &handlers, &w.counters),
		0);
	bp_wire_tick(w.wire, w.now_us); /* it learns the time */
}

void
world_remake(void)
{
	bp_wire_free(w.wire);
	make();
}

int
world_setup(void **state)
{
	static const uint8_t own[6] = {2, 0, 0, 0, 0, 1};

	memset(&w, 0, sizeof(w));
	w.now_us = 1000 * SECOND;
	add_interface(IF_V4, 0, 0, "192.0.2.1", 24, "192.0.2.254");
	add_interface(IF_V6, 0, 0, "2001:db8::1", 64, "2001:db8::fe");
	add_interface(IF_VLAN_V4, 1, 100, "10.0.0.1", 8, NULL);
	add_interface(IF_VLAN_NARROW, 1, 200, "10.1.0.1", 16, NULL);
	add_interface(IF_VLAN_V6, 1, 100, "2001:db8:64::1", 64, NULL);
	add_listener(LISTENER_V4, IF_V4, 5060);
	add_listener(LISTENER_V6, IF_V6, 5060);
	add_listener(LISTENER_VLAN_V4, IF_VLAN_V4, 5060);
	add_listener(LISTENER_VLAN_V6, IF_VLAN_V6, 5060);
	add_listener(LISTENER_V4_5062, IF_V4, 5062);
	w.config.interfaces = w.interfaces;
	w.config.interface_count = IF_COUNT;
	w.config.listeners = w.listeners;
	w.config.listener_count = LISTENER_COUNT;
	w.port = (struct bp_wire_port){.id = port_id, .mtu = 1500};
	memcpy(w.port.mac, own, sizeof(own));
	if (bp_neighbours_create(&w.neighbours, 256, SOCKET_ID_ANY) != 0)
		return -1;
	make();
	return 0;
}

static void
forget(struct taken *list, unsigned count)
{
	for (unsigned i = 0; i < count && i < DATAGRAMS_KEPT; i++)
		free(list[i].bytes);
}

int
world_teardown(void **state)
{
	law();
	drain();
	bp_wire_free(w.wire);
	bp_neighbours_free(w.neighbours);
	assert_int_equal(w.counters.frames_held, 0);
	law();
	assert_int_equal(rte_mempool_avail_count(packets_pool), packets_pool->size);
	assert_int_equal(rte_mempool_avail_count(large_pool), large_pool->size);
	assert_int_equal(rte_mempool_avail_count(empty_pool), empty_pool->size);
	forget(w.datagrams, w.datagram_count);
	forget(w.unreachable, w.unreachable_count);
	return 0;
}

static void
free_external(void *bytes, void *opaque)
{
	free(opaque);
	free(bytes);
}

/* An mbuf around a copy of @bytes that is not one byte longer. */
static struct rte_mbuf *
exact_mbuf(const uint8_t *bytes, uint32_t size)
{
	struct rte_mbuf_ext_shared_info *shared = malloc(sizeof(*shared));
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(empty_pool);
	uint8_t *copy = malloc(size != 0 ? size : 1);

	assert_non_null(mbuf);
	memcpy(copy, bytes, size);
	shared->free_cb = free_external;
	shared->fcb_opaque = shared;
	rte_mbuf_ext_refcnt_set(shared, 1);
	rte_pktmbuf_attach_extbuf(mbuf, copy, 0, (uint16_t)size, shared);
	mbuf->data_len = (uint16_t)size;
	mbuf->pkt_len = size;
	return mbuf;
}

static struct rte_mbuf *
chain(const struct frame *frame, uint32_t segment)
{
	struct rte_mbuf *head = NULL;

	for (uint32_t done = 0; done < frame->size; done += segment) {
		uint32_t size = frame->size - done < segment ? frame->size - done : segment;
		struct rte_mbuf *mbuf = exact_mbuf(frame->bytes + done, size);

		if (head == NULL)
			head = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(head, mbuf), 0);
	}
	return head;
}

void
input_burst(const struct frame *frames, const uint32_t *segments, unsigned count)
{
	struct rte_mbuf *burst[BURST_MAX];

	assert_true(count <= BURST_MAX);
	for (unsigned i = 0; i < count; i++)
		burst[i] = chain(&frames[i], segments[i]);
	bp_wire_input(w.wire, 0, burst, count, w.now_us);
	law();
}

void
input_flags(const struct frame *frame, uint64_t ol_flags, uint16_t vlan_tci)
{
	struct rte_mbuf *mbuf = exact_mbuf(frame->bytes, frame->size);

	mbuf->ol_flags |= ol_flags;
	mbuf->vlan_tci = vlan_tci;
	bp_wire_input(w.wire, 0, &mbuf, 1, w.now_us);
	law();
}

void
input(const struct frame *frame)
{
	input_flags(frame, 0, 0);
}

void
input_chain(const struct frame *frame, uint32_t segment)
{
	input_burst(frame, &segment, 1);
}

bool
sent(struct frame *frame)
{
	struct rte_mbuf *mbuf;

	bp_wire_flush(w.wire);
	if (rte_eth_rx_burst(port_id, 0, &mbuf, 1) == 0)
		return false;
	assert_int_equal(mbuf->nb_segs, 1);
	assert_true(mbuf->pkt_len >= 60);
	last_flags = mbuf->ol_flags;
	frame->size = mbuf->pkt_len;
	memcpy(frame->bytes, rte_pktmbuf_mtod(mbuf, void *), mbuf->pkt_len);
	rte_pktmbuf_free(mbuf);
	return true;
}

uint64_t
sent_flags(void)
{
	return last_flags;
}

unsigned
drain(void)
{
	static struct frame frame;
	unsigned count = 0;

	while (sent(&frame))
		count++;
	return count;
}

void
nothing_sent(void)
{
	assert_int_equal(drain(), 0);
}

void
tick_at(uint64_t now_us)
{
	w.now_us = now_us;
	bp_wire_tick(w.wire, now_us);
	law();
}

struct bp_flow
flow(uint16_t listener, const char *address, uint16_t port)
{
	return (struct bp_flow){.ip = bp_ip_of(address), .port = port, .listener = listener};
}

bool
send_to(const struct bp_flow *to, const void *bytes, uint32_t size)
{
	uint8_t *room = bp_wire_reserve(w.wire, to, size);

	if (room == NULL)
		return false;
	memcpy(room, bytes, size);
	bp_wire_send(w.wire, to, size);
	return true;
}

uint64_t
drops(enum bp_drop reason)
{
	return w.counters.drops[reason];
}

void
law(void)
{
	static const enum bp_drop_scope scopes[] = {
#define X(name, scope, severity, text) BP_DROP_SCOPE_##scope,
		BP_DROPS(X)
#undef X
	};
	uint64_t accounted = w.counters.frames_handled + w.counters.frames_delivered + w.counters.frames_held;

	for (unsigned i = 0; i < BP_DROP_COUNT; i++) {
		if (scopes[i] == BP_DROP_SCOPE_FRAME)
			accounted += w.counters.drops[i];
	}
	assert_int_equal(w.counters.frames_received, accounted);
}

void
resolve(uint16_t listener, const char *address, const char *mac)
{
	const struct bp_config_interface *interface = &w.interfaces[w.listeners[listener].interface];
	struct bp_flow to = flow(listener, address, 9);
	int vlan = interface->vlan != 0 ? interface->vlan : -1;
	static struct frame frame;
	char own[64];

	send_to(&to, "x", 1);
	drain();
	if (interface->family == 4) {
		const uint8_t *a = interface->ip.bytes + 12;

		snprintf(own, sizeof(own), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		frame_arp(&frame, OWN_MAC, vlan, 2, mac, address, OWN_MAC, own);
	} else {
		const char *ours = listener == LISTENER_V6 ? "2001:db8::1" : "2001:db8:64::1";
		uint8_t message[64];
		uint32_t size = nd(message, address, ours, 136, 0x60000000, address, 2, mac);

		frame_ip_hop(&frame, vlan, OWN_MAC, address, ours, 255, 58, message, size);
	}
	input(&frame);
	assert_int_equal(drain(), 1); /* what waited */
}

static void
mac_is(const uint8_t *bytes, const char *text)
{
	char have[18];

	snprintf(have, sizeof(have), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
		bytes[4], bytes[5]);
	assert_string_equal(have, text);
}

void
is_ethernet(const struct frame *frame, const char *to, int vlan, uint16_t type)
{
	mac_is(frame->bytes, to);
	mac_is(frame->bytes + 6, OWN_MAC);
	if (vlan >= 0) {
		assert_int_equal(get16(frame->bytes + 12), 0x8100);
		assert_int_equal(get16(frame->bytes + 14), vlan);
	}
	assert_int_equal(get16(frame->bytes + (vlan >= 0 ? 16 : 12)), type);
}

const uint8_t *
is_ip(const struct frame *frame, int vlan, const char *source, const char *destination, uint8_t protocol)
{
	struct address from = ip(source), to = ip(destination);
	const uint8_t *header = frame->bytes + (vlan >= 0 ? 18 : 14);
	uint32_t l2_size = vlan >= 0 ? 18 : 14;

	assert_int_equal(get16(header - 2), from.size == 4 ? 0x0800 : 0x86dd);
	if (from.size == 4) {
		assert_int_equal(header[0], 0x45);
		assert_true(l2_size + get16(header + 2) <= frame->size);
		assert_int_equal(header[9], protocol);
		assert_memory_equal(header + 12, from.bytes, 4);
		assert_memory_equal(header + 16, to.bytes, 4);
		if ((last_flags & RTE_MBUF_F_TX_IP_CKSUM) == 0)
			assert_int_equal(checksum(NULL, NULL, 0, header, 20), 0);
		return header + 20;
	}
	assert_int_equal(header[0] >> 4, 6);
	assert_true(l2_size + 40 + get16(header + 4) <= frame->size);
	assert_int_equal(header[6], protocol);
	assert_memory_equal(header + 8, from.bytes, 16);
	assert_memory_equal(header + 24, to.bytes, 16);
	return header + 40;
}
