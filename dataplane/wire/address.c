/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our addresses. Two open-addressed hashes of indices (interfaces by place and address,
 * listeners by interface and UDP port) and the interfaces sorted by (port, realm, family), so
 * that a route looks at its own few neighbours only. See address.h.
 */
#include "wire/address.h"

#include "wire/wire.h"

#include <errno.h>

static_assert(BP_ADDRESS_SLOTS >= 2 * BP_WIRE_INTERFACES_MAX, "half of the slots stay empty");
static_assert(BP_ADDRESS_SLOTS >= 2 * BP_WIRE_LISTENERS_MAX, "half of the slots stay empty");

struct group { /* places in by_group of the interfaces that share port, realm and family */
	uint16_t first;
	uint16_t count;
	uint16_t gateway; /* interface whose gateway serves, BP_CONFIG_NONE: none */
};

struct bp_addresses {
	uint16_t interface_count;
	uint16_t listener_count;
	uint16_t interface_slots[BP_ADDRESS_SLOTS]; /* index + 1, 0 = empty */
	uint16_t listener_slots[BP_ADDRESS_SLOTS];
	uint16_t by_group[BP_WIRE_INTERFACES_MAX];
	struct group groups[BP_WIRE_INTERFACES_MAX]; /* of each interface */
	struct bp_interface interfaces[BP_WIRE_INTERFACES_MAX];
	struct bp_listener listeners[BP_WIRE_LISTENERS_MAX];
	uint64_t vlans[BP_WIRE_PORTS_MAX][BP_ADDRESS_VLANS / 64];
	uint64_t vlans_ipv6[BP_WIRE_PORTS_MAX][BP_ADDRESS_VLANS / 64];
};

size_t
bp_addresses_size(void)
{
	return sizeof(struct bp_addresses);
}

/* The configured addresses are few and ours, so nobody outside can aim for a slot: no key is needed. */
static uint32_t
hash_words(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t h = (a ^ c * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

	h = ((h ^ h >> 32) + b) * 0xc4ceb9fe1a85ec53u;
	return (uint32_t)(h >> 40);
}

static uint32_t
interface_hash(uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	uint64_t words[2];

	memcpy(words, ip->bytes, sizeof(words));
	return hash_words(words[0], words[1], (uint64_t)port << 16 | vlan) % BP_ADDRESS_SLOTS;
}

static uint32_t
listener_hash(uint16_t interface, uint16_t udp_port)
{
	return hash_words(interface, udp_port, 1) % BP_ADDRESS_SLOTS;
}

/* True if the first @bits bits are equal. */
static bool
prefix_covers(const struct bp_ip *a, const struct bp_ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || (uint8_t)((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

static bool
same_group(const struct bp_interface *a, const struct bp_interface *b)
{
	return a->port == b->port && a->realm == b->realm && a->family == b->family;
}

/* By port, realm, family; then the longest prefix first, then the configured order. */
static bool
sorts_before(const struct bp_addresses *addresses, uint16_t a_index, uint16_t b_index)
{
	const struct bp_interface *a = &addresses->interfaces[a_index], *b = &addresses->interfaces[b_index];

	if (a->port != b->port)
		return a->port < b->port;
	if (a->realm != b->realm)
		return a->realm < b->realm;
	if (a->family != b->family)
		return a->family < b->family;
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return a_index < b_index;
}

/* Shell sort: in place and bounded, where qsort(3) may call malloc. */
static void
sort_by_group(struct bp_addresses *addresses)
{
	static const unsigned gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
	uint16_t *order = addresses->by_group;
	unsigned count = addresses->interface_count;

	for (unsigned i = 0; i < count; i++)
		order[i] = (uint16_t)i;
	for (unsigned g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		for (unsigned i = gaps[g]; i < count; i++) {
			uint16_t moving = order[i];
			unsigned place = i;

			for (; place >= gaps[g] && sorts_before(addresses, moving, order[place - gaps[g]]);
				place -= gaps[g])
				order[place] = order[place - gaps[g]];
			order[place] = moving;
		}
	}
}

static void
find_groups(struct bp_addresses *addresses)
{
	unsigned first = 0;

	while (first < addresses->interface_count) {
		const struct bp_interface *head = &addresses->interfaces[addresses->by_group[first]];
		uint16_t gateway = BP_CONFIG_NONE;
		unsigned end = first;

		for (; end < addresses->interface_count; end++) {
			uint16_t index = addresses->by_group[end];

			if (!same_group(head, &addresses->interfaces[index]))
				break;
			if (gateway == BP_CONFIG_NONE && addresses->interfaces[index].has_gateway)
				gateway = index;
		}
		for (unsigned i = first; i < end; i++) {
			uint16_t index = addresses->by_group[i];
			bool own = addresses->interfaces[index].has_gateway;

			addresses->groups[index] = (struct group){
				.first = (uint16_t)first,
				.count = (uint16_t)(end - first),
				.gateway = own ? index : gateway,
			};
		}
		first = end;
	}
}

static void
add_interface(struct bp_addresses *addresses, uint16_t index, const struct bp_config_interface *from)
{
	static const struct bp_ip none, none_v4 = {.bytes = {[10] = 0xff, [11] = 0xff}};
	struct bp_interface *interface = &addresses->interfaces[index];
	uint32_t slot;

	*interface = (struct bp_interface){
		.ip = from->ip,
		.gateway = from->gateway,
		.port = from->port,
		.vlan = from->vlan % BP_ADDRESS_VLANS,
		.realm = from->realm,
		.family = from->family,
		.prefix = (uint8_t)(from->family == 4 ? 96 + (from->prefix < 32 ? from->prefix : 32)
						      : (from->prefix < 128 ? from->prefix : 128)),
		.has_gateway = !bp_ip_equal(&from->gateway, &none) && !bp_ip_equal(&from->gateway, &none_v4),
	};
	addresses->vlans[interface->port][interface->vlan / 64] |= UINT64_C(1) << interface->vlan % 64;
	if (interface->family == 6)
		addresses->vlans_ipv6[interface->port][interface->vlan / 64] |= UINT64_C(1)
										<< interface->vlan % 64;
	if (bp_addresses_find(addresses, interface->port, interface->vlan, &interface->ip) != BP_CONFIG_NONE)
		return; /* the same address twice: the first one serves */
	slot = interface_hash(interface->port, interface->vlan, &interface->ip);
	while (addresses->interface_slots[slot] != 0)
		slot = (slot + 1) % BP_ADDRESS_SLOTS;
	addresses->interface_slots[slot] = (uint16_t)(index + 1);
}

static void
add_listener(struct bp_addresses *addresses, uint16_t index, const struct bp_config_listener *from)
{
	const struct bp_interface *own = &addresses->interfaces[from->interface];
	uint16_t owner = bp_addresses_find(addresses, own->port, own->vlan, &own->ip);
	uint32_t slot;

	addresses->listeners[index] = (struct bp_listener){
		.ip = own->ip, .interface = from->interface, .owner = owner, .port = from->port};
	if (from->transport != BP_TRANSPORT_UDP ||
		bp_addresses_find_listener(addresses, owner, from->port) != BP_CONFIG_NONE)
		return;
	slot = listener_hash(owner, from->port);
	while (addresses->listener_slots[slot] != 0)
		slot = (slot + 1) % BP_ADDRESS_SLOTS;
	addresses->listener_slots[slot] = (uint16_t)(index + 1);
}

int
bp_addresses_build(struct bp_addresses *addresses, const struct bp_config *config, unsigned port_count)
{
	if (config->interface_count > BP_WIRE_INTERFACES_MAX ||
		config->listener_count > BP_WIRE_LISTENERS_MAX || port_count > BP_WIRE_PORTS_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < config->interface_count; i++) {
		if (config->interfaces[i].port >= port_count)
			return -E2BIG;
	}
	for (unsigned i = 0; i < config->listener_count; i++) {
		if (config->listeners[i].interface >= config->interface_count)
			return -E2BIG;
	}
	memset(addresses->interface_slots, 0, sizeof(addresses->interface_slots));
	memset(addresses->listener_slots, 0, sizeof(addresses->listener_slots));
	memset(addresses->vlans, 0, sizeof(addresses->vlans));
	memset(addresses->vlans_ipv6, 0, sizeof(addresses->vlans_ipv6));
	addresses->interface_count = config->interface_count;
	addresses->listener_count = config->listener_count;
	for (unsigned i = 0; i < config->interface_count; i++)
		add_interface(addresses, (uint16_t)i, &config->interfaces[i]);
	for (unsigned i = 0; i < config->listener_count; i++)
		add_listener(addresses, (uint16_t)i, &config->listeners[i]);
	sort_by_group(addresses);
	find_groups(addresses);
	return 0;
}

unsigned
bp_addresses_interface_count(const struct bp_addresses *addresses)
{
	return addresses->interface_count;
}

const struct bp_interface *
bp_addresses_interface(const struct bp_addresses *addresses, uint16_t interface)
{
	return &addresses->interfaces[interface];
}

const struct bp_listener *
bp_addresses_listener(const struct bp_addresses *addresses, uint16_t listener)
{
	return listener < addresses->listener_count ? &addresses->listeners[listener] : NULL;
}

bool
bp_addresses_vlan(const struct bp_addresses *addresses, uint16_t port, uint16_t vlan)
{
	return (addresses->vlans[port][vlan / 64] >> vlan % 64 & 1) != 0;
}

bool
bp_addresses_vlan_ipv6(const struct bp_addresses *addresses, uint16_t port, uint16_t vlan)
{
	return (addresses->vlans_ipv6[port][vlan / 64] >> vlan % 64 & 1) != 0;
}

uint16_t
bp_addresses_find(const struct bp_addresses *addresses, uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	uint32_t slot = interface_hash(port, vlan, ip);

	for (; addresses->interface_slots[slot] != 0; slot = (slot + 1) % BP_ADDRESS_SLOTS) {
		uint16_t index = (uint16_t)(addresses->interface_slots[slot] - 1);
		const struct bp_interface *interface = &addresses->interfaces[index];

		if (interface->port == port && interface->vlan == vlan && bp_ip_equal(&interface->ip, ip))
			return index;
	}
	return BP_CONFIG_NONE;
}

uint16_t
bp_addresses_find_listener(const struct bp_addresses *addresses, uint16_t interface, uint16_t udp_port)
{
	uint32_t slot = listener_hash(interface, udp_port);

	for (; addresses->listener_slots[slot] != 0; slot = (slot + 1) % BP_ADDRESS_SLOTS) {
		uint16_t index = (uint16_t)(addresses->listener_slots[slot] - 1);
		const struct bp_listener *listener = &addresses->listeners[index];

		if (listener->owner == interface && listener->port == udp_port)
			return index;
	}
	return BP_CONFIG_NONE;
}

bool
bp_interface_covers(const struct bp_interface *interface, const struct bp_ip *ip)
{
	return (interface->family == 4) == bp_ip_is_v4(ip) &&
	       prefix_covers(&interface->ip, ip, interface->prefix);
}

bool
bp_addresses_route(const struct bp_addresses *addresses, uint16_t from, const struct bp_ip *destination,
	struct bp_route *route)
{
	const struct group *group = &addresses->groups[from];
	const struct bp_interface *best = NULL;

	if ((addresses->interfaces[from].family == 4) != bp_ip_is_v4(destination))
		return false;
	for (unsigned i = 0; i < group->count; i++) {
		uint16_t index = addresses->by_group[group->first + i];
		const struct bp_interface *interface = &addresses->interfaces[index];

		if (bp_ip_equal(&interface->ip, destination)) {
			*route = (struct bp_route){interface, *destination, true};
			return true;
		}
		if (prefix_covers(&interface->ip, destination, interface->prefix) &&
			(best == NULL || (index == from && interface->prefix == best->prefix)))
			best = interface; /* sorted: the first is the longest; among equals the listener's own
					   */
	}
	if (best != NULL) {
		*route = (struct bp_route){best, *destination, false};
		return true;
	}
	if (group->gateway == BP_CONFIG_NONE)
		return false;
	best = &addresses->interfaces[group->gateway];
	*route = (struct bp_route){best, best->gateway, false};
	return true;
}
