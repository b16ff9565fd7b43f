/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The neighbour table by itself: its bounds, whom it evicts, who may ask, and several workers at once.
 */
#include "harness.h"
#include "wire/neighbour.h"

#include <pthread.h>
#include <stdatomic.h>

static struct bp_neighbours *table;

static int
setup(void **state)
{
	return bp_neighbours_create(&table, 64, SOCKET_ID_ANY);
}

static int
teardown(void **state)
{
	bp_neighbours_free(table);
	return 0;
}

static struct bp_neighbour_key
key_of(uint32_t number)
{
	struct bp_neighbour_key key = {.port = (uint16_t)(number & 1), .vlan = (uint16_t)(number & 0xff)};
	uint8_t ipv4[4];

	put32(ipv4, 0x0a000000 + number);
	key.ip = bp_ip_from_v4(ipv4);
	return key;
}

static struct rte_ether_addr
mac_of(uint32_t number)
{
	struct rte_ether_addr mac = {.addr_bytes = {2}};

	put32(mac.addr_bytes + 2, number);
	return mac;
}

static enum bp_neighbour_state
use(uint32_t number, uint64_t now_us, enum bp_neighbour_ask *ask, struct rte_ether_addr *mac)
{
	struct bp_neighbour_key key = key_of(number);

	return bp_neighbour_use(table, &key, true, now_us, mac, ask);
}

static bool
confirm(uint32_t number, uint64_t now_us)
{
	struct bp_neighbour_key key = key_of(number);
	struct rte_ether_addr mac = mac_of(number);

	return bp_neighbour_confirm(table, &key, &mac, true, true, now_us);
}

static void
one_request_a_second(void **state)
{
	enum bp_neighbour_ask ask;
	struct rte_ether_addr mac;

	assert_int_equal(use(1, 5 * SECOND, &ask, &mac), BP_NEIGHBOUR_WAIT);
	assert_int_equal(ask, BP_NEIGHBOUR_ASK_ALL);
	for (uint64_t t = 5 * SECOND; t < 6 * SECOND; t += SECOND / 10) {
		assert_int_equal(use(1, t, &ask, &mac), BP_NEIGHBOUR_WAIT);
		assert_int_equal(ask, BP_NEIGHBOUR_ASK_NONE);
	}
	assert_int_equal(use(1, 6 * SECOND, &ask, &mac), BP_NEIGHBOUR_WAIT);
	assert_int_equal(ask, BP_NEIGHBOUR_ASK_ALL);
	assert_true(confirm(1, 6 * SECOND));
	assert_int_equal(use(1, 7 * SECOND, &ask, &mac), BP_NEIGHBOUR_RESOLVED);
	assert_int_equal(ask, BP_NEIGHBOUR_ASK_NONE);
	assert_int_equal(mac.addr_bytes[5], 1);
	assert_int_equal(use(3, 7 * SECOND, &ask, &mac), BP_NEIGHBOUR_WAIT); /* another one */
}

static void
the_key_is_all_of_it(void **state)
{
	struct bp_neighbour_key key = key_of(1);
	struct rte_ether_addr mac;
	enum bp_neighbour_ask ask;

	use(1, SECOND, &ask, &mac);
	for (unsigned i = 0; i < 500; i++) { /* many of them meet it in its bucket */
		key.vlan++;
		assert_false(bp_neighbour_confirm(table, &key, &mac, true, true, SECOND));
	}
	key = key_of(1);
	key.port++;
	assert_false(bp_neighbour_confirm(table, &key, &mac, true, true, SECOND));
	key = key_of(1);
	key.ip.bytes[0] = 1;
	assert_false(bp_neighbour_confirm(table, &key, &mac, true, true, SECOND));
	assert_true(confirm(1, SECOND));
}

/* What is in use stays, whatever comes; what is idle makes room. */
static void
evicts_the_idle(void **state)
{
	enum bp_neighbour_ask ask;
	struct rte_ether_addr mac;
	unsigned full = 0;

	for (uint32_t i = 0; i < 8; i++) {
		use(i, 100 * SECOND, &ask, &mac);
		assert_true(confirm(i, 100 * SECOND));
	}
	for (uint32_t i = 100; i < 10100; i++) {
		full += use(i, 101 * SECOND, &ask, &mac) == BP_NEIGHBOUR_FULL;
		for (uint32_t j = 0; j < 8 && i % 1000 == 0; j++)
			assert_int_equal(use(j, 101 * SECOND, &ask, &mac), BP_NEIGHBOUR_RESOLVED);
	}
	assert_int_equal(full, 0); /* one that nobody answers for can always go */
	/* All slots resolved and in use: no room. */
	for (uint32_t i = 20000; i < 21000; i++) {
		if (use(i, 102 * SECOND, &ask, &mac) == BP_NEIGHBOUR_WAIT)
			assert_true(confirm(i, 102 * SECOND));
		else
			full++;
	}
	assert_true(full >= 1000 - 64);
	for (uint32_t j = 0; j < 8; j++)
		assert_int_equal(use(j, 102 * SECOND, &ask, &mac), BP_NEIGHBOUR_RESOLVED);
	/* Idle for a while: room again. */
	assert_int_equal(use(30000, 120 * SECOND, &ask, &mac), BP_NEIGHBOUR_WAIT);
}

/* A storm of requests for us from invented senders takes nothing from those in use or being asked for. */
static void
learning_is_modest(void **state)
{
	enum bp_neighbour_ask ask;
	struct rte_ether_addr mac;

	use(1, 100 * SECOND, &ask, &mac);
	assert_true(confirm(1, 100 * SECOND));
	use(2, 100 * SECOND, &ask, &mac);
	for (uint32_t i = 100; i < 5000; i++) {
		struct bp_neighbour_key key = key_of(i);

		mac = mac_of(i);
		bp_neighbour_learn(table, &key, &mac, 101 * SECOND);
	}
	assert_int_equal(use(1, 101 * SECOND, &ask, &mac), BP_NEIGHBOUR_RESOLVED);
	assert_true(confirm(2, 101 * SECOND));
	assert_int_equal(use(2, 101 * SECOND, &ask, &mac), BP_NEIGHBOUR_RESOLVED);
	assert_int_equal(
		use(6000, 101 * SECOND, &ask, &mac), BP_NEIGHBOUR_WAIT); /* and there is room for more */
}

static void
waiting_for_one_that_was_evicted(void **state)
{
	struct bp_neighbour_key key = key_of(1);
	enum bp_neighbour_ask ask;
	struct rte_ether_addr mac;

	assert_int_equal(bp_neighbour_use(table, &key, false, SECOND, &mac, &ask), BP_NEIGHBOUR_FULL);
	assert_int_equal(ask, BP_NEIGHBOUR_ASK_NONE);
	use(1, SECOND, &ask, &mac);
	assert_int_equal(bp_neighbour_use(table, &key, false, SECOND, &mac, &ask), BP_NEIGHBOUR_WAIT);
}

static void
path_mtus(void **state)
{
	struct bp_neighbour_key key = key_of(1);
	unsigned others = 0;

	assert_int_equal(bp_path_mtu(table, &key, 1500, SECOND), 1500);
	bp_path_mtu_learn(table, &key, 1400, SECOND);
	bp_path_mtu_learn(table, &key, 1450, SECOND);
	assert_int_equal(bp_path_mtu(table, &key, 1500, SECOND), 1400);
	assert_int_equal(bp_path_mtu(table, &key, 1300, SECOND), 1300);
	bp_path_mtu_learn(table, &key, 1280, SECOND);
	assert_int_equal(bp_path_mtu(table, &key, 1500, 599 * SECOND), 1280);
	assert_int_equal(bp_path_mtu(table, &key, 1500, 602 * SECOND), 1500);
	bp_path_mtu_learn(table, &key, 1450, 602 * SECOND); /* old news do not count */
	assert_int_equal(bp_path_mtu(table, &key, 1500, 602 * SECOND), 1450);
	for (uint32_t i = 2; i < 20000; i++) { /* those that share its place are not meant */
		key = key_of(i);
		others += bp_path_mtu(table, &key, 1500, 602 * SECOND) != 1500;
	}
	assert_int_equal(others, 0);
}

enum { THREADS = 4, ROUNDS = 60000, NUMBERS = 200 };

static atomic_uint asked, wrong, resolved;

/* Uses and answers for far more neighbours than there is room for: what is found must be the right one. */
static void *
hammer(void *argument)
{
	uint32_t seed = (uint32_t)(uintptr_t)argument * 2654435761u + 1;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t now_us = 1000 * SECOND + round * (SECOND / 100);
		enum bp_neighbour_ask ask;
		struct rte_ether_addr mac, expected;
		uint32_t number;

		seed = seed * 1664525 + 1013904223;
		number = (seed >> 10) % NUMBERS;
		expected = mac_of(number);
		if (use(number, now_us, &ask, &mac) == BP_NEIGHBOUR_RESOLVED) {
			atomic_fetch_add(&resolved, 1);
			if (!rte_is_same_ether_addr(&mac, &expected))
				atomic_fetch_add(&wrong, 1);
		}
		if (ask != BP_NEIGHBOUR_ASK_NONE)
			confirm((seed >> 20) % 4 == 0 ? (seed >> 8) % NUMBERS : number, now_us);
	}
	return NULL;
}

static void
many_workers(void **state)
{
	pthread_t threads[THREADS];

	atomic_store(&wrong, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, (void *)i), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_true(atomic_load(&resolved) > 1000);
}

static void *
ask_once(void *argument)
{
	for (uint64_t second = 0; second < 2000; second++) {
		enum bp_neighbour_ask ask;
		struct rte_ether_addr mac;

		use(1, (1000 + second) * SECOND, &ask, &mac);
		if (ask != BP_NEIGHBOUR_ASK_NONE)
			atomic_fetch_add(&asked, 1);
	}
	return NULL;
}

/* However many workers want the same neighbour in the same second, at most one request goes out. */
static void
one_worker_asks(void **state)
{
	pthread_t threads[THREADS];
	enum bp_neighbour_ask ask;
	struct rte_ether_addr mac;

	use(1, 999 * SECOND, &ask, &mac); /* it exists */
	atomic_store(&asked, 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_once, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(atomic_load(&asked) >= 1 && atomic_load(&asked) <= 2000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_request_a_second, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_is_all_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(evicts_the_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(learning_is_modest, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting_for_one_that_was_evicted, setup, teardown),
		cmocka_unit_test_setup_teardown(path_mtus, setup, teardown),
		cmocka_unit_test_setup_teardown(many_workers, setup, teardown),
		cmocka_unit_test_setup_teardown(one_worker_asks, setup, teardown),
	};

	return harness_run("wire-neighbour", tests, sizeof(tests) / sizeof(tests[0]));
}
