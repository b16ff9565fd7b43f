/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The whole start and stop as control sees it, with a net_ring port and one worker that shares the CPU with
 * control, between a fake wire and a fake engine. A start that fails last goes first: it must leave nothing.
 */
#include "fake.h"
#include "byepass/dataplane.h"
#include "worker/host_interface.h"
#include "worker/state.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
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

/* In a network namespace of its own, which goes with the process: a kernel interface of MTU 1500. Skips where that
 * is not allowed. */
static unsigned
make_interface(void)
{
	if (unshare(CLONE_NEWNET) != 0 ||
		system("ip link add byp0 type veth peer name byp1 && ip link set byp0 up && ip link set byp1 up"))
		skip();
	ports[0] = (struct bp_config_port){
		.name = "p0", .device = "net_af_packet0,iface=byp0,blocksz=16384,framesz=16384", .mtu = 1400};
	return if_nametoindex("byp0");
}

static struct bp_dataplane *
start_on_interface(unsigned interface)
{
	struct bp_dataplane *dataplane;
	char error[256] = "";

	memset(&fake, 0, sizeof(fake));
	fake.next_us = UINT64_MAX;
	assert_int_equal(bp_host_interface_mtu(interface), 1500);
	assert_int_equal(bp_dataplane_start(&dataplane, &config, NULL, NULL, error, sizeof(error)), 0);
	assert_int_equal(bp_host_interface_mtu(interface), 1400);
	return dataplane;
}

static void
test_interface_gets_its_mtu_back(void **state)
{
	unsigned interface = make_interface();

	bp_dataplane_stop(start_on_interface(interface));
	assert_int_equal(bp_host_interface_mtu(interface), 1500);
	assert_int_equal(bp_host_interface_mtu(0), 0);
	assert_int_equal(bp_host_interface_mtu(999), 0);
}

/* What the second signal does, with huge pages out of a directory that looks like the kernel's. */
static void
test_abandoned(void **state)
{
	unsigned interface = make_interface();
	struct bp_dataplane *dataplane = start_on_interface(interface);
	struct bp_hugepage_pool *pool = &dataplane->hugepages;
	char path[160];
	unsigned long pages = 0;
	FILE *file;

	snprintf(pool->directory, sizeof(pool->directory), "/tmp/byepass-test-XXXXXX");
	assert_non_null(mkdtemp(pool->directory));
	snprintf(path, sizeof(path), "%s/nr_hugepages", pool->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "50\n");
	fclose(file);
	pool->added = 20;
	bp_dataplane_abandon(NULL);
	bp_dataplane_abandon(dataplane);
	assert_int_equal(bp_host_interface_mtu(interface), 1500);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	unlink(path);
	rmdir(pool->directory);
	assert_int_equal(pages, 30);
	bp_dataplane_stop(dataplane);
}

static void
test_mtu_that_cannot_be_set(void **state)
{
	struct bp_dataplane *dataplane = NULL;
	unsigned interface = make_interface();
	char error[256] = "";

	memset(&fake, 0, sizeof(fake));
	/* it takes no more than byp0 has */
	if (system("ip link set byp0 mtu 1300 && ip link add link byp0 name byp2 type macvlan && ip link set byp2 up"))
		skip();
	snprintf(ports[0].device, sizeof(ports[0].device),
		"net_af_packet0,iface=byp2,blocksz=16384,framesz=16384");
	assert_int_not_equal(bp_dataplane_start(&dataplane, &config, NULL, NULL, error, sizeof(error)), 0);
	assert_string_equal(error, "port p0 (net_af_packet0,iface=byp2,blocksz=16384,framesz=16384): "
				   "its MTU cannot be set: Invalid argument");
	assert_int_equal(bp_host_interface_mtu(interface), 1300);
}

/* EAL starts once in a process: each test has its own. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest start[] = {cmocka_unit_test(test_start_command_stop)};
	const struct CMUnitTest fails[] = {cmocka_unit_test(test_failed_start_leaves_nothing)};
	const struct CMUnitTest mtu[] = {cmocka_unit_test(test_interface_gets_its_mtu_back)};
	const struct CMUnitTest abandoned[] = {cmocka_unit_test(test_abandoned)};
	const struct CMUnitTest refused[] = {cmocka_unit_test(test_mtu_that_cannot_be_set)};
	cpu_set_t cpus;

	/* whichever CPU there is */
	sched_getaffinity(0, sizeof(cpus), &cpus);
	for (uint16_t cpu = CPU_SETSIZE; cpu-- > 0;)
		if (CPU_ISSET(cpu, &cpus))
			config.workers.cpus[0] = config.workers.control_cpu = cpu;
	if (argc > 1 && strcmp(argv[1], "mtu") == 0)
		return cmocka_run_group_tests(mtu, NULL, NULL);
	if (argc > 1 && strcmp(argv[1], "abandoned") == 0)
		return cmocka_run_group_tests(abandoned, NULL, NULL);
	if (argc > 1 && strcmp(argv[1], "refused") == 0)
		return cmocka_run_group_tests(refused, NULL, NULL);
	if (argc > 1)
		return cmocka_run_group_tests(fails, NULL, NULL);
	return cmocka_run_group_tests(start, NULL, NULL);
}
