/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our addresses: who a packet is for, which way one leaves, at the largest size and in odd corners.
 */
#include "harness.h"
#include "wire/address.h"

#include <errno.h>
#include <stdlib.h>

static struct bp_addresses *addresses;
static struct bp_config config;
static struct bp_config_interface interfaces[BP_WIRE_INTERFACES_MAX + 1];
static struct bp_config_listener listeners[BP_WIRE_LISTENERS_MAX + 1];

static int
setup(void **state)
{
	addresses = calloc(1, bp_addresses_size());
	memset(&config, 0, sizeof(config));
	memset(interfaces, 0, sizeof(interfaces));
	memset(listeners, 0, sizeof(listeners));
	config.interfaces = interfaces;
	config.listeners = listeners;
	return addresses == NULL;
}

static int
teardown(void **state)
{
	free(addresses);
	return 0;
}

static struct bp_ip
v4(uint32_t number)
{
	uint8_t bytes[4];

	put32(bytes, number);
	return bp_ip_from_v4(bytes);
}

static unsigned
add(uint16_t port, uint16_t realm, uint16_t vlan, uint32_t address, uint8_t prefix, uint32_t gateway)
{
	unsigned index = config.interface_count++;

	interfaces[index] = (struct bp_config_interface){
		.port = port, .realm = realm, .vlan = vlan, .ip = v4(address), .prefix = prefix, .family = 4};
	if (gateway != 0)
		interfaces[index].gateway = v4(gateway);
	return index;
}

static void
leaves_by(unsigned from, uint32_t destination, const unsigned *by, uint32_t next_hop)
{
	struct bp_ip ip_destination = v4(destination), expected = v4(next_hop);
	struct bp_route route;

	if (by == NULL) {
		assert_false(bp_addresses_route(addresses, (uint16_t)from, &ip_destination, &route));
		return;
	}
	assert_true(bp_addresses_route(addresses, (uint16_t)from, &ip_destination, &route));
	assert_ptr_equal(route.interface, bp_addresses_interface(addresses, (uint16_t)*by));
	assert_true(bp_ip_equal(&route.next_hop, &expected));
	assert_false(route.local);
}

static void
routes(void **state)
{
	unsigned wide = add(0, 1, 0, 0x0a000001, 8, 0), narrow = add(0, 1, 5, 0x0a010001, 16, 0x0a0100fe);
	unsigned host = add(0, 1, 6, 0x0a010203, 31, 0), twin = add(0, 1, 0, 0x0a000002, 8, 0x0a0000fe);
	unsigned other_realm = add(0, 2, 0, 0x0a020001, 16, 0), other_port = add(1, 1, 0, 0x0a030001, 16, 0);

	assert_int_equal(bp_addresses_build(addresses, &config, 2), 0);
	leaves_by(wide, 0x0a090909, &wide, 0x0a090909);
	leaves_by(twin, 0x0a090909, &twin, 0x0a090909); /* of two equal ones its own */
	leaves_by(narrow, 0x0a090909, &wide, 0x0a090909);
	leaves_by(wide, 0x0a01ffff, &narrow, 0x0a01ffff);
	leaves_by(wide, 0x0a010202, &host, 0x0a010202); /* 10.1.2.2/31 */
	leaves_by(wide, 0x0a010204, &narrow, 0x0a010204);
	leaves_by(wide, 0x0a020009, &wide, 0x0a020009); /* the other realm's way is not taken */
	leaves_by(wide, 0x0a030009, &wide, 0x0a030009); /* nor the other port's */
	leaves_by(other_realm, 0x0a020009, &other_realm, 0x0a020009);
	leaves_by(other_port, 0x0a030009, &other_port, 0x0a030009);
	/* Off-link: one's own gateway, else another of the realm, else none. */
	leaves_by(narrow, 0x08080808, &narrow, 0x0a0100fe);
	leaves_by(twin, 0x08080808, &twin, 0x0a0000fe);
	leaves_by(wide, 0x08080808, &narrow, 0x0a0100fe);
	leaves_by(other_realm, 0x08080808, NULL, 0);
	leaves_by(other_port, 0x08080808, NULL, 0);
}

static void
default_prefix_and_local(void **state)
{
	unsigned all = add(0, 1, 0, 0x0a000001, 0, 0), host = add(0, 1, 0, 0xc0000201, 32, 0);
	struct bp_ip own = v4(0xc0000201), six = {.bytes = {0x20, 1}};
	struct bp_route route;

	assert_int_equal(bp_addresses_build(addresses, &config, 1), 0);
	leaves_by(host, 0x08080808, &all, 0x08080808); /* everything is on-link */
	assert_true(bp_addresses_route(addresses, (uint16_t)all, &own, &route));
	assert_true(route.local);
	assert_false(
		bp_addresses_route(addresses, (uint16_t)all, &six, &route)); /* a prefix of 0 is of IPv4 */
}

static void
as_many_as_there_may_be(void **state)
{
	for (unsigned i = 0; i < BP_WIRE_INTERFACES_MAX; i++) {
		add((uint16_t)(i % 3), (uint16_t)(i % 7), (uint16_t)(i % 4096), 0x0a000000 + i * 3, 30, 0);
		listeners[i] = (struct bp_config_listener){
			.interface = (uint16_t)i, .port = (uint16_t)(5000 + i % 10)};
	}
	config.listener_count = BP_WIRE_LISTENERS_MAX;
	assert_int_equal(bp_addresses_build(addresses, &config, 3), 0);
	for (unsigned i = 0; i < BP_WIRE_INTERFACES_MAX; i++) {
		uint16_t vlan = (uint16_t)(i % 4096), port = (uint16_t)(i % 3);
		struct bp_ip own = v4(0x0a000000 + i * 3), not_own = v4(0x0a000001 + i * 3);

		assert_int_equal(bp_addresses_find(addresses, port, vlan, &own), i);
		assert_int_equal(bp_addresses_find(addresses, port, vlan, &not_own), BP_CONFIG_NONE);
		assert_int_equal(
			bp_addresses_find(addresses, (uint16_t)(port + 1), vlan, &own), BP_CONFIG_NONE);
		assert_int_equal(
			bp_addresses_find_listener(addresses, (uint16_t)i, (uint16_t)(5000 + i % 10)), i);
		assert_int_equal(
			bp_addresses_find_listener(addresses, (uint16_t)i, (uint16_t)(5001 + i % 10)),
			BP_CONFIG_NONE);
		assert_true(bp_addresses_vlan(addresses, port, vlan));
	}
	assert_null(bp_addresses_listener(addresses, BP_WIRE_LISTENERS_MAX));
	config.interface_count++;
	assert_int_equal(bp_addresses_build(addresses, &config, 3), -E2BIG);
	config.interface_count--;
	config.listener_count++;
	assert_int_equal(bp_addresses_build(addresses, &config, 3), -E2BIG);
	config.listener_count--;
	assert_int_equal(bp_addresses_build(addresses, &config, 2), -E2BIG);
	assert_int_equal(bp_addresses_build(addresses, &config, BP_WIRE_PORTS_MAX + 1), -E2BIG);
	listeners[3].interface = BP_WIRE_INTERFACES_MAX;
	assert_int_equal(bp_addresses_build(addresses, &config, 3), -E2BIG);
}

/* Two realms may use the same address on different VLANs; the same place twice: the first one serves. */
static void
same_addresses(void **state)
{
	struct bp_ip own = v4(0x0a000001);
	unsigned third;

	add(0, 1, 10, 0x0a000001, 8, 0);
	add(0, 2, 20, 0x0a000001, 8, 0);
	third = add(0, 3, 20, 0x0a000001, 8, 0x0a0000fd);
	listeners[0] = (struct bp_config_listener){.interface = 0, .port = 5060};
	listeners[1] = (struct bp_config_listener){.interface = 1, .port = 5060};
	listeners[2] = (struct bp_config_listener){.interface = 2, .port = 5061};
	listeners[3] =
		(struct bp_config_listener){.interface = 0, .port = 5090, .transport = BP_TRANSPORT_TCP};
	config.listener_count = 4;
	assert_int_equal(bp_addresses_build(addresses, &config, 1), 0);
	assert_int_equal(bp_addresses_find(addresses, 0, 10, &own), 0);
	assert_int_equal(bp_addresses_find(addresses, 0, 20, &own), 1);
	assert_int_equal(bp_addresses_find(addresses, 0, 0, &own), BP_CONFIG_NONE);
	assert_int_equal(bp_addresses_find_listener(addresses, 0, 5060), 0);
	assert_int_equal(bp_addresses_find_listener(addresses, 1, 5060), 1);
	assert_int_equal(bp_addresses_find_listener(addresses, 1, 5061), 2);
	/* Found at the first one's place, but its messages leave by its own realm's way. */
	assert_int_equal(bp_addresses_listener(addresses, 2)->interface, 2);
	leaves_by(2, 0x08080808, &third, 0x0a0000fd);
	leaves_by(1, 0x08080808, NULL, 0);
	assert_int_equal(
		bp_addresses_find_listener(addresses, 0, 5090), BP_CONFIG_NONE); /* that is not UDP */
	assert_false(bp_addresses_vlan(addresses, 0, 0));
	assert_false(bp_addresses_vlan_ipv6(addresses, 0, 10));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(routes, setup, teardown),
		cmocka_unit_test_setup_teardown(default_prefix_and_local, setup, teardown),
		cmocka_unit_test_setup_teardown(as_many_as_there_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(same_addresses, setup, teardown),
	};

	return cmocka_run_group_tests_name("wire-address", tests, NULL, NULL);
}
