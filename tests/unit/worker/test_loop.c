/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The loop turn by turn, on a net_ring port (what is sent on it comes in on it), between a fake wire and a
 * fake engine. Time is whatever counter value the test passes.
 */
#include "fake.h"
#include "proxy/engine.h"
#include "transaction/slab.h"
#include "worker/eal.h"
#include "worker/ports.h"
#include "worker/reclaim.h"
#include "worker/worker.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct bp_config_port config_ports[] = {{.name = "p0", .device = "net_ring0", .mtu = 1500}};
static struct bp_config config = {
	.workers = {.cpus = {0}, .count = 1, .control_cpu = 0},
	.trace = {.messages = 100},
	.ports = config_ports,
	.port_count = 1,
};
static struct bp_eal_arguments arguments;
static struct bp_ports ports;
static struct bp_worker worker;
static struct bp_clock unit; /* a tick is a microsecond */
static char notices[512];

static void
note(const char *line)
{
	snprintf(notices, sizeof(notices), "%s", line);
}

static int
group_setup(void **state)
{
	struct bp_pools pools;
	char error[256] = "";
	int rc;

	bp_clock_init(&unit, 0, 1000000);
	unit.mult = UINT64_MAX;
	rc = bp_eal_arguments_build(&arguments, &config, true, false, 64);
	if (!rc)
		rc = bp_eal_start(&arguments, &config, error, sizeof(error));
	if (!rc)
		rc = bp_ports_find(&ports, &config, 1, note, error, sizeof(error));
	if (!rc)
		rc = bp_pools_create(&pools, &config, 0, -1);
	if (!rc)
		rc = bp_ports_open(
			&ports, (const struct bp_pools *const[]){&pools}, note, error, sizeof(error));
	if (rc)
		fprintf(stderr, "%s\n", error);
	worker.pools = pools;
	rcu_register_thread();
	return rc;
}

static int
group_teardown(void **state)
{
	rcu_unregister_thread();
	bp_ports_close(&ports);
	bp_pools_free(&worker.pools);
	bp_eal_stop();
	bp_eal_arguments_free(&arguments);
	return 0;
}

static int
setup(void **state)
{
	struct bp_pools pools = worker.pools;

	memset(&fake, 0, sizeof(fake));
	memset(&worker, 0, sizeof(worker));
	worker.pools = pools;
	fake.next_us = UINT64_MAX;
	return bp_worker_create(&worker, 0, &config, &ports, NULL, NULL, &unit, NULL, NULL);
}

static int
teardown(void **state)
{
	bp_worker_free(&worker);
	return fake.engines + fake.wires;
}

/* Puts @count frames where the port will receive them. */
static void
inject(unsigned count)
{
	while (count--) {
		struct rte_mbuf *frame = rte_pktmbuf_alloc(worker.pools.packets);

		assert_non_null(frame);
		assert_non_null(rte_pktmbuf_append(frame, 60));
		assert_int_equal(rte_eth_tx_burst(ports.ports[0].wire.id, 0, &frame, 1), 1);
	}
}

/* The counter value at which the worker's clock shows @us. */
static uint64_t
at(uint64_t us)
{
	return us + 1;
}

static void
test_port(void **state)
{
	struct bp_dataplane_port port;

	assert_int_equal(ports.count, 1);
	assert_int_equal(ports.queues, 1);
	assert_string_equal(notices, "");
	assert_int_equal(bp_ports_read(&ports, 0, &port), 0);
	assert_string_equal(port.name, "p0");
	assert_true(port.link_up);
	assert_memory_equal(port.mac, ports.ports[0].wire.mac, 6);
	assert_true(rte_is_local_admin_ether_addr(
		(struct rte_ether_addr *)port.mac)); /* net_ring has none itself */
	assert_int_equal(bp_ports_read(&ports, 1, &port), -EINVAL);
}

static void
test_fewer_queues_than_workers(void **state)
{
	struct bp_ports found;
	char error[256] = "";

	assert_int_equal(bp_ports_find(&found, &config, 64, note, error, sizeof(error)), 0);
	assert_int_equal(found.queues, 16); /* net_ring's own */
	assert_non_null(strstr(
		notices, "port p0 (net_ring0) has 16 queue pairs: as many workers are started, not 64"));
	free(found.ports);
}

static void
test_port_that_is_not_there(void **state)
{
	struct bp_config_port other[] = {{.name = "p0", .device = "net_ring0", .mtu = 1500},
		{.name = "wan", .device = "net_tap7,iface=x", .mtu = 1500}};
	struct bp_config two = {.ports = other, .port_count = 2};
	struct bp_ports found;
	char error[256] = "";

	assert_int_equal(bp_ports_find(&found, &two, 1, note, error, sizeof(error)), -ENODEV);
	assert_non_null(strstr(error, "port wan (net_tap7,iface=x): cannot be opened: No such device"));
	free(found.ports);
}

static void
test_received_in_bursts(void **state)
{
	inject(BP_WORKER_BURST + 8);
	assert_true(bp_worker_turn(&worker, at(1000)));
	assert_int_equal(fake.frames, BP_WORKER_BURST);
	assert_int_equal(fake.input_us, 1000);
	assert_int_equal(fake.input_port, 0);
	assert_int_equal(fake.expired_us, 1000);
	assert_int_equal(fake.flushes, 1);
	assert_true(bp_worker_turn(&worker, at(1001)));
	assert_int_equal(fake.frames, BP_WORKER_BURST + 8);
	assert_false(bp_worker_turn(&worker, at(1002)));
	assert_int_equal(fake.bursts, 2);
	assert_int_equal(fake.flushes, 3);
	assert_int_equal(worker.counters.loops, 3);
	assert_int_equal(rte_mempool_in_use_count(worker.pools.packets), 0);
}

static void
test_busy_and_idle_time(void **state)
{
	bp_worker_turn(&worker, at(1000)); /* nothing */
	inject(1);
	bp_worker_turn(&worker, at(1010)); /* 10 us were idle; finds work */
	bp_worker_turn(&worker, at(1013)); /* 3 us were busy; nothing */
	bp_worker_turn(&worker, at(1020));
	assert_int_equal(worker.counters.busy_us, 3);
	assert_int_equal(worker.counters.idle_us, 17);
}

static void
test_stages_of_turns_that_work(void **state)
{
	bp_worker_turn(&worker, at(1000));
	for (unsigned i = 0; i < BP_STAGE_COUNT; i++)
		assert_int_equal(worker.counters.stage_cycles[i], 0);
	inject(1);
	bp_worker_turn(&worker, at(1001));
	for (unsigned i = 0; i < BP_STAGE_COUNT; i++) /* the fake wire hands nothing up */
		assert_true((worker.counters.stage_cycles[i] > 0) == (i != BP_STAGE_engine));
}

static void
test_time_never_goes_back(void **state)
{
	bp_worker_turn(&worker, at(5000));
	bp_worker_turn(&worker, at(4000)); /* the lcore moved to a CPU whose counter is behind */
	assert_int_equal(fake.expired_us, 5000);
	bp_worker_turn(&worker, at(5001));
	assert_int_equal(fake.expired_us, 5001);
	assert_int_equal(worker.counters.idle_us, 1);
}

static void
test_ticks_and_announcements(void **state)
{
	bp_worker_turn(&worker, at(1000));
	assert_int_equal(fake.ticks, 1);
	assert_int_equal(fake.announcements, 1); /* RFC 5227 2.3: two, two seconds apart */
	assert_int_equal(fake.flushed, 1);
	bp_worker_turn(&worker, at(1000 + BP_WORKER_TICK_US - 1));
	assert_int_equal(fake.ticks, 1);
	bp_worker_turn(&worker, at(1000 + BP_WORKER_TICK_US));
	assert_int_equal(fake.ticks, 2);
	assert_int_equal(fake.flushed, 2);
	assert_int_equal(fake.announcements, 1);
	bp_worker_turn(&worker, at(1000 + BP_WORKER_ANNOUNCE_US));
	assert_int_equal(fake.announcements, 2);
	bp_worker_turn(&worker, at(1000 + 3 * BP_WORKER_ANNOUNCE_US));
	assert_int_equal(fake.ticks, 4);
	assert_int_equal(fake.announcements, 2);
}

static void
test_timers(void **state)
{
	fake.next_us = 2000;
	assert_false(bp_worker_turn(&worker, at(1000)));
	assert_int_equal(bp_worker_next_us(&worker), 2000);
	assert_false(bp_worker_turn(&worker, at(1999)));
	fake.next_us = 700000;
	assert_true(bp_worker_turn(&worker, at(2007)));
	assert_int_equal(fake.expired_us, 2007);
	assert_int_equal(bp_worker_next_us(&worker), 1000 + BP_WORKER_TICK_US);
}

static void
test_mail(void **state)
{
	uint64_t ping, drain;

	bp_mailbox_post(&worker.mailbox, BP_COMMAND_PING, &ping);
	bp_mailbox_post(&worker.mailbox, BP_COMMAND_DRAIN, &drain);
	assert_int_equal(bp_mailbox_wait(&worker.mailbox, ping, 0), -ETIMEDOUT);
	assert_true(bp_worker_turn(&worker, at(1000)));
	assert_int_equal(bp_mailbox_wait(&worker.mailbox, drain, 0), 0);
	assert_int_equal(fake.drained, 1);
	assert_false(bp_worker_turn(&worker, at(1001)));
	assert_int_equal(fake.drained, 1);
}

#define OPTIONS                                                                                              \
	"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"         \
	"To: <sip:c@d>\r\nCall-ID: one\r\nCSeq: 9 OPTIONS\r\n\r\n"

static void
test_datagrams_reach_the_engine_and_the_trace(void **state)
{
	const struct bp_flow from = {.port = 5060, .listener = 1};
	struct bp_event_message events[4];

	bp_worker_turn(&worker, at(3000));
	fake.datagrams(fake.context,
		&(struct bp_datagram){.from = from, .bytes = (const uint8_t *)OPTIONS, .size = strlen(OPTIONS)}, 1);
	assert_int_equal(fake.received, 1);
	assert_int_equal(fake.received_us, 3000);
	assert_int_equal(fake.received_size, strlen(OPTIONS));
	assert_memory_equal(&fake.flow, &from, sizeof(from));
	memcpy(fake.reserve(fake.context, &from, 600), OPTIONS, strlen(OPTIONS));
	fake.send(fake.context, &from, strlen(OPTIONS));
	assert_int_equal(fake.sent, 1);
	fake.unreachable(fake.context, &from, NULL, 0);
	assert_int_equal(fake.failed, 1);

	assert_int_equal(bp_trace_take(worker.trace, events, 4), 2);
	assert_int_equal(events[0].direction, BP_IN);
	assert_int_equal(events[1].direction, BP_OUT);
	assert_int_equal(events[1].time_us, 3000);
	assert_string_equal(events[1].call_id, "one");
}

static void
test_no_room_no_trace(void **state)
{
	const struct bp_flow to = {.port = 5060};
	struct bp_event_message event;

	fake.no_room = true;
	assert_null(fake.reserve(fake.context, &to, 600));
	assert_int_equal(bp_trace_take(worker.trace, &event, 1), 0);
}

static void
test_batches_come_back_after_a_grace_period(void **state)
{
	struct call_rcu_data *thread = bp_reclaim_start(0);
	struct bp_batch batches[3] = {{.count = 1}};

	assert_non_null(thread);
	bp_reclaim_join(thread);
	for (unsigned i = 0; i < 3; i++)
		fake.defer(fake.context, &batches[i]);
	/* this thread has not been quiescent since, so no grace period can have ended */
	assert_int_equal(__atomic_load_n(&fake.released, __ATOMIC_ACQUIRE), 0);
	bp_reclaim_join(NULL);
	rcu_thread_offline();
	bp_reclaim_stop(thread);
	rcu_thread_online();
	assert_int_equal(fake.released, 3);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_port),
		TEST(test_fewer_queues_than_workers),
		TEST(test_port_that_is_not_there),
		TEST(test_received_in_bursts),
		TEST(test_busy_and_idle_time),
		TEST(test_stages_of_turns_that_work),
		TEST(test_time_never_goes_back),
		TEST(test_ticks_and_announcements),
		TEST(test_timers),
		TEST(test_mail),
		TEST(test_datagrams_reach_the_engine_and_the_trace),
		TEST(test_no_room_no_trace),
		TEST(test_batches_come_back_after_a_grace_period),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
