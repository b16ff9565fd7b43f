/* SPDX-License-Identifier: BSD-3-Clause
 *
 * EAL's arguments for a given configuration.
 */
#include "worker/device.h"
#include "worker/eal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
expect(const struct bp_config *config, bool huge, unsigned memory_mb, const char *const *want)
{
	struct bp_eal_arguments arguments;
	int i;

	assert_int_equal(bp_eal_arguments_build(&arguments, config, true, huge, memory_mb), 0);
	for (i = 0; want[i] && i < arguments.argc; i++)
		assert_string_equal(arguments.argv[i], want[i]);
	assert_int_equal(i, arguments.argc);
	assert_null(want[i]);
	assert_null(arguments.argv[i]);
	bp_eal_arguments_free(&arguments);
	assert_null(arguments.argv);
}

static void
test_virtual_ports_plain_memory(void **state)
{
	struct bp_config_port ports[] = {
		{.device = "net_tap0,iface=byp0"}, {.device = "net_af_packet1,iface=v1"}};
	struct bp_config config = {.workers = {.cpus = {1, 2, 5}, .count = 3, .control_cpu = 0},
		.ports = ports,
		.port_count = 2};

	expect(&config, false, 300,
		(const char *const[]){"byepass", "--lcores=0@0,1@1,2@2,3@5", "--main-lcore=0", "--no-shconf",
			"--file-prefix=byepass", "--log-level=warning", "--no-huge", "-m300",
			"--vdev=net_tap0,iface=byp0",
			"--vdev=net_af_packet1,iface=v1,blocksz=16384,framesz=16384", "--no-pci",
			"--no-telemetry", NULL});
}

static void
test_one_cpu_pci_and_arguments_of_the_user(void **state)
{
	struct bp_config_port ports[] = {{.device = "0000:03:00.0"}, {.device = "net_ring0"}};
	struct bp_config config = {.workers = {.cpus = {0},
					   .count = 1,
					   .control_cpu = 0,
					   .eal_args = "  --iova-mode=va\t-d /x.so "},
		.ports = ports,
		.port_count = 2};

	expect(&config, true, 300,
		(const char *const[]){"byepass", "--lcores=0@0,1@0", "--main-lcore=0", "--in-memory",
			"--file-prefix=byepass", "--log-level=warning", "--allow=0000:03:00.0",
			"--vdev=net_ring0", "--iova-mode=va", "-d", "/x.so", "--no-telemetry", NULL});
}

static void
test_telemetry_when_wanted(void **state)
{
	struct bp_config config = {
		.workers = {.cpus = {3}, .count = 1, .control_cpu = 2, .eal_args = "--telemetry"}};

	expect(&config, true, 0,
		(const char *const[]){"byepass", "--lcores=0@2,1@3", "--main-lcore=0", "--in-memory",
			"--file-prefix=byepass", "--log-level=warning", "--no-pci", "--telemetry", NULL});
}

static void
test_as_many_workers_as_there_can_be(void **state)
{
	struct bp_config config = {.workers = {.count = BP_CONFIG_WORKERS_MAX, .control_cpu = UINT16_MAX}};
	struct bp_eal_arguments arguments;

	for (unsigned i = 0; i < BP_CONFIG_WORKERS_MAX; i++)
		config.workers.cpus[i] = UINT16_MAX;
	assert_int_equal(bp_eal_arguments_build(&arguments, &config, true, true, 0), 0);
	assert_non_null(strstr(arguments.argv[1], ",64@65535"));
	bp_eal_arguments_free(&arguments);
}

static void
test_device_names(void **state)
{
	char name[16];

	bp_device_name("net_tap0,iface=byp0", name, sizeof(name));
	assert_string_equal(name, "net_tap0");
	bp_device_name("0000:03:00.0", name, sizeof(name));
	assert_string_equal(name, "0000:03:00.0");
	bp_device_name("net_a_very_long_name_indeed,x", name, sizeof(name));
	assert_string_equal(name, "net_a_very_long");
	assert_true(bp_device_is_virtual("net_af_xdp0,iface=x"));
	assert_false(bp_device_is_virtual("0000:03:00.0"));
}

/* net_af_packet cuts a datagram that the kernel reassembled to the size of its ring's frames. */
static void
test_frames_longer_than_the_mtu(void **state)
{
	assert_string_equal(bp_device_extra_arguments("net_tap0,iface=x"), "");
	assert_int_equal(bp_device_longest_frame("net_tap0,iface=x"), 0);
	assert_string_equal(
		bp_device_extra_arguments("net_af_packet0,iface=x"), ",blocksz=16384,framesz=16384");
	assert_int_equal(bp_device_longest_frame("net_af_packet0,iface=x"), 16384);
	assert_string_equal(bp_device_extra_arguments("net_af_packet0,iface=x,blocksz=8192"), "");
	assert_string_equal(bp_device_extra_arguments("net_af_packet0,iface=x,framesz=2048"), "");
	assert_int_equal(bp_device_longest_frame("net_af_packet0,iface=x,blocksz=8192"), 2048);
	assert_string_equal(
		bp_device_extra_arguments("net_af_packet0,blocksz=8192,framesz=4096,iface=x"), "");
	assert_int_equal(bp_device_longest_frame("net_af_packet0,blocksz=8192,framesz=4096,iface=x"), 4096);
}

static void
test_queue_pairs(void **state)
{
	assert_int_equal(bp_device_queue_pairs("net_tap0,iface=x"), 0);
	assert_int_equal(bp_device_queue_pairs("net_af_packet0,iface=x,qpairs=3"), 3);
	assert_int_equal(bp_device_queue_pairs("net_af_xdp0,queue_count=12,iface=x"), 12);
}

/* The process's own limits: no EAL is started. */
static void
test_cpu_that_does_not_exist(void **state)
{
	struct bp_config config = {.workers = {.cpus = {1000}, .count = 1, .control_cpu = 0}};
	struct bp_eal_arguments arguments;
	char error[256] = "";

	assert_int_equal(bp_eal_arguments_build(&arguments, &config, true, false, 64), 0);
	assert_int_equal(bp_eal_start(&arguments, &config, error, sizeof(error)), -EINVAL);
	assert_non_null(strstr(error, "CPU 1000 does not exist"));
	bp_eal_arguments_free(&arguments);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual_ports_plain_memory),
		cmocka_unit_test(test_one_cpu_pci_and_arguments_of_the_user),
		cmocka_unit_test(test_telemetry_when_wanted),
		cmocka_unit_test(test_as_many_workers_as_there_can_be),
		cmocka_unit_test(test_device_names),
		cmocka_unit_test(test_frames_longer_than_the_mtu),
		cmocka_unit_test(test_queue_pairs),
		cmocka_unit_test(test_cpu_that_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
