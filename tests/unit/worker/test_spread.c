/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Spreading by Call-ID: where it is found in a frame, that all messages of a call meet at one worker in their order, and
 * that nothing is lost uncounted.
 */
#include "worker/spread.h"

#include <rte_eal.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WORKERS 3

static struct rte_mempool *pool;
static struct bp_counters counters[WORKERS];

enum kind { IPV4, IPV4_VLAN, IPV4_OPTIONS, IPV4_FRAGMENT, IPV6, TCP, ARP };

/* A frame around @text; only what the search looks at is filled in. */
static uint32_t
frame(uint8_t *out, enum kind kind, const char *text)
{
	uint8_t *at = out;
	uint16_t type = kind == IPV6 ? RTE_ETHER_TYPE_IPV6 : kind == ARP ? RTE_ETHER_TYPE_ARP : RTE_ETHER_TYPE_IPV4;

	memset(out, 0, 128);
	((struct rte_ether_hdr *)at)->ether_type = rte_cpu_to_be_16(kind == IPV4_VLAN ? RTE_ETHER_TYPE_VLAN : type);
	at += sizeof(struct rte_ether_hdr);
	if (kind == IPV4_VLAN) {
		((struct rte_vlan_hdr *)at)->eth_proto = rte_cpu_to_be_16(type);
		at += sizeof(struct rte_vlan_hdr);
	}
	if (kind == IPV6) {
		((struct rte_ipv6_hdr *)at)->proto = IPPROTO_UDP;
		at += sizeof(struct rte_ipv6_hdr);
	} else {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;

		ip->version_ihl = kind == IPV4_OPTIONS ? 0x46 : 0x45;
		ip->next_proto_id = kind == TCP ? IPPROTO_TCP : IPPROTO_UDP;
		ip->fragment_offset = rte_cpu_to_be_16(kind == IPV4_FRAGMENT ? RTE_IPV4_HDR_MF_FLAG : RTE_IPV4_HDR_DF_FLAG);
		at += kind == IPV4_OPTIONS ? 24 : 20;
	}
	at += sizeof(struct rte_udp_hdr);
	memcpy(at, text, strlen(text));
	return (uint32_t)(at - out + (long)strlen(text));
}

static void
found(enum kind kind, const char *text, const char *expected)
{
	uint8_t bytes[2048], *exact;
	uint32_t size = frame(bytes, kind, text), id_size = 0;
	const uint8_t *id;

	exact = test_malloc(size); /* a read past its end shows */
	memcpy(exact, bytes, size);
	id = bp_spread_call_id(exact, size, &id_size);
	if (expected == NULL) {
		assert_null(id);
	} else {
		assert_non_null(id);
		assert_int_equal(id_size, strlen(expected));
		assert_memory_equal(id, expected, id_size);
	}
	test_free(exact);
}

#define START "BYE sip:b@example.com SIP/2.0\r\n"

static void
where_it_stands(void **state)
{
	static const enum kind kinds[] = {IPV4, IPV4_VLAN, IPV4_OPTIONS, IPV6};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		found(kinds[i], START "Via: x\r\nCall-ID: a84b4c@pc33\r\nCSeq: 1 BYE\r\n\r\n", "a84b4c@pc33");
	found(IPV4, START "i:x\r\n\r\n", "x");
	found(IPV4, START "I \t: \t y z \t\r\n\r\n", "y z");
	found(IPV4, START "cALL-id:q", "q");
	found(IPV4, START "Call-ID: lf\nVia: x\n\n", "lf");
	found(IPV4_FRAGMENT, START "Call-ID: a\r\n\r\n", NULL);
	found(TCP, START "Call-ID: a\r\n\r\n", NULL);
	found(ARP, START "Call-ID: a\r\n\r\n", NULL);
	found(IPV4, START "Call-IDs: a\r\n\r\nCall-ID: b\r\n", NULL); /* that one is in the body */
	found(IPV4, START "Call_ID: a\r\n\r\n", NULL);
	found(IPV4, START "Call-ID:\r\n\r\n", NULL);
	found(IPV4, START "Call-ID", NULL);
	found(IPV4, START "i", NULL);
	found(IPV4, "\r\n\r\n", NULL);
	found(IPV4, "", NULL);
}

static void
every_truncation(void **state)
{
	uint8_t bytes[2048];
	uint32_t size = frame(bytes, IPV4, START "Via: x\r\nCall-ID: a84b4c@pc33\r\n\r\n"), id_size;

	for (uint32_t cut = 0; cut <= size; cut++) {
		uint8_t *exact = test_malloc(cut + 1);
		const uint8_t *id;

		memcpy(exact, bytes, cut);
		id = bp_spread_call_id(exact, cut, &id_size);
		assert_true(id == NULL || id + id_size <= exact + cut);
		test_free(exact);
	}
}

static struct rte_mbuf *
message(unsigned call, unsigned number)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	char text[256];
	uint8_t bytes[512];
	uint32_t size;

	assert_non_null(mbuf);
	snprintf(text, sizeof(text), START "Call-ID: call-%u\r\nX: %u\r\n\r\n", call, number);
	size = frame(bytes, IPV4, text);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)size), bytes, size);
	return mbuf;
}

/* Call and number of a message. */
static void
read_message(const struct rte_mbuf *mbuf, unsigned *call, unsigned *number)
{
	char text[512];

	memcpy(text, rte_pktmbuf_mtod_offset(mbuf, const char *, 42), mbuf->data_len - 42u);
	text[mbuf->data_len - 42] = '\0';
	assert_int_equal(sscanf(strstr(text, "call-"), "call-%u\r\nX: %u", call, number), 2);
}

static void
calls_meet_at_one_worker_in_order(void **state)
{
	enum { CALLS = 64, MESSAGES = 40 };
	unsigned next[CALLS] = {0}, home[CALLS], count_at[WORKERS] = {0}, total = 0;
	struct rte_mbuf *frames[32];
	struct bp_spread *spread;

	assert_int_equal(bp_spread_create(&spread, WORKERS), 0);
	memset(home, 0xff, sizeof(home));
	for (unsigned i = 0; i < CALLS * MESSAGES; i += 32) {
		unsigned receiver = i / 32 % WORKERS;

		for (unsigned k = 0; k < 32; k++)
			frames[k] = message((i + k) % CALLS, (i + k) / CALLS);
		for (unsigned worker = 0, left; worker < WORKERS; worker++) {
			if (worker == 0)
				left = bp_spread_out(spread, receiver, 1, frames, 32, &counters[receiver]);
			else
				left = bp_spread_in(spread, (receiver + worker) % WORKERS, frames, 32);
			for (unsigned k = 0; k < left; k++) {
				unsigned at = (receiver + worker) % WORKERS, call, number;

				read_message(frames[k], &call, &number);
				if (home[call] == UINT32_MAX)
					home[call] = at;
				assert_int_equal(home[call], at);
				assert_int_equal(next[call]++, number);
				if (worker > 0)
					assert_int_equal(bp_spread_port(frames[k]), 1);
				count_at[at]++;
				total++;
				rte_pktmbuf_free(frames[k]);
			}
		}
	}
	assert_int_equal(total, CALLS * MESSAGES);
	for (unsigned i = 0; i < WORKERS; i++)
		assert_true(count_at[i] > 0);
	bp_spread_free(spread);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

static void
full_ring(void **state)
{
	struct rte_mbuf *frames[32];
	struct bp_spread *spread;
	unsigned call = 0, sent = 1;

	memset(counters, 0, sizeof(counters));
	assert_int_equal(bp_spread_create(&spread, WORKERS), 0);
	for (;; call++) { /* one that is another worker's */
		frames[0] = message(call, 0);
		if (bp_spread_out(spread, 0, 0, frames, 1, &counters[0]) == 0)
			break;
		rte_pktmbuf_free(frames[0]);
	}
	for (; sent < 2 * BP_SPREAD_RING; sent += 32) {
		for (unsigned k = 0; k < 32; k++)
			frames[k] = message(call, sent + k);
		assert_int_equal(bp_spread_out(spread, 0, 0, frames, 32, &counters[0]), 0);
	}
	assert_int_equal(counters[0].frames_handed_out, BP_SPREAD_RING - 1);
	assert_int_equal(counters[0].drops[BP_DROP_handover_full], sent - (BP_SPREAD_RING - 1));
	assert_int_equal(counters[0].frames_received, sent - (BP_SPREAD_RING - 1));
	bp_spread_free(spread); /* with what is in it */
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
}

static int
setup(void **state)
{
	char *arguments[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-shconf", (char *)(uintptr_t) "-m", (char *)(uintptr_t) "64",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--log-level=error", NULL};

	if (rte_eal_init(8, arguments) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("frames", 8191, 0, 0, 1024, SOCKET_ID_ANY);
	return pool == NULL;
}

static int
teardown(void **state)
{
	return rte_eal_cleanup();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_it_stands),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(calls_meet_at_one_worker_in_order),
		cmocka_unit_test(full_ring),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
