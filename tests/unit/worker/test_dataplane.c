/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole start and stop as control sees it, with a net_ring port and one worker that shares the CPU with
 * control, between a fake wire and a fake engine. A start that fails last goes first: it must leave nothing.
 */
#include "fake.h"
#include "byepass/dataplane.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static struct bp_config_port ports[] = {{.name = "p0", .device = "net_ring0", .mtu = 1500}};
static struct bp_config config = {
	.workers = {.count = 1, .poll = BP_POLL_ADAPTIVE, .hugepages = BP_HUGEPAGES_OFF},
	.capacity = {.transactions = 10000, .dialogs = 500},
	.trace = {.messages = 100},
	.ports = ports,
	.port_count = 1,
};
static unsigned freed;

static void
free_config(const struct bp_config *old)
{
	assert_ptr_equal(old, &config);
	freed++;
}

#define OPTIONS                                                                                              \
	"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"         \
	"To: <sip:c@d>\r\nCall-ID: one\r\nCSeq: 9 OPTIONS\r\n\r\n"

static void
test_start_command_stop(void **state)
{
	struct bp_dataplane *dataplane;
	struct bp_dataplane_port port;
	struct bp_counters sum;
	uint32_t transactions, dialogs;
	uint8_t zero[32] = {0};
	char error[256] = "x";
	sigset_t blocked;

	memset(&fake, 0, sizeof(fake));
	fake.next_us = UINT64_MAX;
	assert_int_equal(bp_dataplane_start(&dataplane, &config, free_config, NULL, error, sizeof(error)), 0);
	assert_string_equal(error, "");
	assert_int_equal(bp_dataplane_worker_count(dataplane), 1);
	assert_ptr_equal(bp_dataplane_config(dataplane), &config);
	bp_dataplane_capacity(dataplane, &transactions, &dialogs);
	assert_int_equal(transactions, 10000);
	assert_int_equal(dialogs, 500);
	assert_int_equal(fake.transactions, 10000);
	assert_int_equal(fake.dialogs, 500);
	assert_int_equal(fake.workers, 1);
	assert_true(fake.kept_bytes > 0);
	assert_memory_not_equal(fake.seed, zero, sizeof(zero));
	assert_int_equal(bp_dataplane_port_count(dataplane), 1);
	assert_int_equal(bp_dataplane_port(dataplane, 0, &port), 0);
	assert_string_equal(port.name, "p0");
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	assert_true(sigismember(&blocked, SIGIO));
	assert_false(sigismember(&blocked, SIGTERM));

	assert_true(bp_dataplane_alive(dataplane));
	assert_true(bp_dataplane_alive(dataplane));
	assert_int_equal(bp_dataplane_drain(dataplane), 0);
	assert_int_equal(__atomic_load_n(&fake.drained, __ATOMIC_ACQUIRE), 1);
	bp_dataplane_sum(dataplane, &sum);
	assert_true(sum.loops > 0);
	assert_true(bp_count_read(&bp_dataplane_counters(dataplane, 0)->loops) >= sum.loops);

	bp_dataplane_stop(dataplane);
	assert_int_equal(freed, 1);
	assert_int_equal(fake.engines + fake.edges + fake.wires + fake.neighbours, 0);
	assert_true(fake.announcements >= 1);
}

static void
test_failed_start_leaves_nothing(void **state)
{
	struct bp_dataplane *dataplane = NULL;
	char error[256] = "";

	memset(&fake, 0, sizeof(fake));
	fake.engine_rc = -ENOMEM;
	assert_int_equal(
		bp_dataplane_start(&dataplane, &config, free_config, NULL, error, sizeof(error)), -ENOMEM);
	assert_null(dataplane);
	assert_true(strlen(error) > 0);
	assert_int_equal(freed, 0);
	assert_int_equal(fake.engines + fake.edges + fake.wires + fake.neighbours, 0);
}

/* EAL starts once in a process: each test has its own. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest start[] = {cmocka_unit_test(test_start_command_stop)};
	const struct CMUnitTest fails[] = {cmocka_unit_test(test_failed_start_leaves_nothing)};
	cpu_set_t cpus;

	/* whichever CPU there is */
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (uint16_t cpu = CPU_SETSIZE; cpu-- > 0;)
		if (CPU_ISSET(cpu, &cpus))
			config.workers.cpus[0] = config.workers.control_cpu = cpu;
	if (argc > 1)
		return cmocka_run_group_tests(fails, NULL, NULL);
	return cmocka_run_group_tests(start, NULL, NULL);
}
