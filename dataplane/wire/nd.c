/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv6 neighbour discovery (RFC 4861 4.3, 4.4, 7.1, 7.2; RFC 6980): answers solicitations for our addresses,
 * solicits next hops, takes advertisements for entries that exist. Routers are configured,
 * not discovered: the other message types are foreign.
 */
#include "wire/checksum.h"
#include "wire/ethernet.h"
#include "wire/icmp.h"
#include "wire/state.h"

#include <netinet/in.h>

enum { NEIGHBOUR_SOLICITATION = 135, NEIGHBOUR_ADVERTISEMENT = 136 };
enum { OPTION_SOURCE_MAC = 1, OPTION_TARGET_MAC = 2 };

#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20
#define HOP_LIMIT 255 /* proves that no router has carried it */

struct message {
	uint8_t type;
	uint8_t code;
	uint16_t checksum;
	uint8_t flags; /* of an advertisement */
	uint8_t reserved[3];
	uint8_t target[16];
};
static_assert(sizeof(struct message) == 24, "RFC 4861 4.3, 4.4");

struct option {
	uint8_t type;
	uint8_t units; /* of 8 bytes */
	struct rte_ether_addr mac;
};
static_assert(sizeof(struct option) == 8, "RFC 4861 4.6.1, RFC 2464 6");

static const struct bp_ip unspecified, all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};

static bool
is_solicited_node(const struct bp_ip *ip)
{
	struct bp_ip group = bp_ip_solicited_node(ip);

	return bp_ip_equal(&group, ip);
}

/* Looks for option @wanted, whose address goes to @mac. False: an option is broken. */
static bool
options_read(const uint8_t *bytes, uint32_t size, uint8_t wanted, struct rte_ether_addr *mac, bool *found)
{
	*found = false;
	while (size > 0) {
		const struct option *option = (const struct option *)bytes;
		uint32_t option_size;

		if (size < 8 || option->units == 0)
			return false;
		option_size = option->units * 8u;
		if (option_size > size)
			return false;
		if (option->type == wanted && !*found) {
			if (option->units != 1 || !bp_ethernet_is_station(&option->mac))
				return false;
			*mac = option->mac;
			*found = true;
		}
		bytes += option_size;
		size -= option_size;
	}
	return true;
}

static void
send_message(struct bp_wire *wire, const struct message *message, uint8_t option_type, uint16_t port,
	uint16_t vlan, const struct bp_ip *source, const struct bp_ip *destination,
	const struct rte_ether_addr *mac)
{
	struct rte_mbuf *mbuf = bp_output_alloc(wire, sizeof(struct message) + sizeof(struct option));
	struct bp_output output = {
		.mbuf = mbuf,
		.source = *source,
		.destination = *destination,
		.port = port,
		.vlan = vlan,
		.listener = BP_CONFIG_NONE,
		.family = 6,
		.protocol = IPPROTO_ICMPV6,
		.hop_limit = HOP_LIMIT,
	};
	struct option *option;

	if (mbuf == NULL)
		return;
	memcpy(rte_pktmbuf_mtod(mbuf, void *), message, sizeof(*message));
	option = rte_pktmbuf_mtod_offset(mbuf, struct option *, sizeof(*message));
	option->type = option_type;
	option->units = 1;
	memcpy(&option->mac, wire->ports[port].device.mac, RTE_ETHER_ADDR_LEN);
	bp_icmp_emit(wire, &output, mac);
}

static void
advertise(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *target, uint8_t flags,
	const struct bp_ip *destination, const struct rte_ether_addr *mac)
{
	struct message message = {.type = NEIGHBOUR_ADVERTISEMENT, .flags = flags | FLAG_OVERRIDE};

	memcpy(message.target, target->bytes, sizeof(message.target));
	send_message(wire, &message, OPTION_TARGET_MAC, port, vlan, target, destination, mac);
}

static bool
is_on_link(const struct bp_wire *wire, uint16_t interface, const struct bp_ip *ip)
{
	if (bp_ip_is_link_local(ip))
		return true;
	return interface != BP_CONFIG_NONE &&
	       bp_interface_covers(bp_addresses_interface(wire->addresses, interface), ip);
}

/* 7.1.1, 7.2.3, 7.2.4 */
static unsigned
solicitation(struct bp_wire *wire, const struct bp_packet *packet, const struct bp_ip *target,
	const uint8_t *options, uint32_t options_size)
{
	struct bp_neighbour_key key = {.ip = packet->source, .port = packet->port, .vlan = packet->vlan};
	bool duplicate_detection = bp_ip_equal(&packet->source, &unspecified), found;
	struct rte_ether_addr mac = packet->source_mac;
	uint16_t interface;

	if (!options_read(options, options_size, OPTION_SOURCE_MAC, &mac, &found) ||
		(duplicate_detection && (found || !is_solicited_node(&packet->destination))))
		return BP_DROP_nd_malformed;
	if (!bp_ipv6_is_ours(wire, packet->port, packet->vlan, target))
		return BP_DROP_nd_foreign;
	if (duplicate_detection) {
		struct rte_ether_addr group = bp_ethernet_multicast(&all_nodes);

		advertise(wire, packet->port, packet->vlan, target, 0, &all_nodes, &group);
		return BP_VERDICT_HANDLED;
	}
	interface = bp_addresses_find(wire->addresses, packet->port, packet->vlan, target);
	if (found && is_on_link(wire, interface, &packet->source))
		bp_neighbour_learn(wire->neighbours, &key, &mac, wire->now_us);
	advertise(wire, packet->port, packet->vlan, target, FLAG_SOLICITED, &packet->source, &mac);
	return BP_VERDICT_HANDLED;
}

/* 7.1.2, 7.2.5 */
static unsigned
advertisement(struct bp_wire *wire, const struct bp_packet *packet, const struct bp_ip *target, uint8_t flags,
	const uint8_t *options, uint32_t options_size)
{
	struct bp_neighbour_key key = {.ip = *target, .port = packet->port, .vlan = packet->vlan};
	bool solicited = (flags & FLAG_SOLICITED) != 0, found;
	struct rte_ether_addr mac;

	if (!options_read(options, options_size, OPTION_TARGET_MAC, &mac, &found) ||
		bp_ip_equal(&packet->source, &unspecified) ||
		(solicited && bp_ip_is_multicast_v6(&packet->destination)))
		return BP_DROP_nd_malformed;
	if (bp_ipv6_is_ours(wire, packet->port, packet->vlan, target))
		return BP_DROP_nd_foreign; /* somebody else claims our address */
	return bp_neighbour_confirm(wire->neighbours, &key, found ? &mac : NULL, solicited,
		       (flags & FLAG_OVERRIDE) != 0, wire->now_us)
		       ? BP_VERDICT_HANDLED
		       : BP_DROP_nd_foreign;
}

unsigned
bp_nd_input(struct bp_wire *wire, struct bp_packet *packet, const uint8_t *bytes, uint32_t size)
{
	const struct message *message = (const struct message *)bytes;
	const uint8_t *options = bytes + sizeof(*message);
	struct bp_ip target;

	/* The checksum is right already; RFC 6980 5 for the fragments. */
	if (size < sizeof(*message) || message->code != 0 || packet->hop_limit != HOP_LIMIT ||
		packet->fragmented)
		return BP_DROP_nd_malformed;
	memcpy(target.bytes, message->target, sizeof(target.bytes));
	if (bp_ip_is_multicast_v6(&target) || bp_ip_is_v4(&target) || bp_ip_equal(&target, &unspecified))
		return BP_DROP_nd_malformed;
	if (message->type == NEIGHBOUR_SOLICITATION)
		return solicitation(wire, packet, &target, options, size - (uint32_t)sizeof(*message));
	return advertisement(
		wire, packet, &target, message->flags, options, size - (uint32_t)sizeof(*message));
}

void
bp_nd_ask(struct bp_wire *wire, const struct bp_neighbour_key *key, const struct bp_ip *asker,
	const struct rte_ether_addr *mac)
{
	struct message message = {.type = NEIGHBOUR_SOLICITATION};
	struct bp_ip group = bp_ip_solicited_node(&key->ip);
	struct rte_ether_addr group_mac = bp_ethernet_multicast(&group);

	memcpy(message.target, key->ip.bytes, sizeof(message.target));
	send_message(wire, &message, OPTION_SOURCE_MAC, key->port, key->vlan, asker,
		mac != NULL ? &key->ip : &group, mac != NULL ? mac : &group_mac);
}

void
bp_nd_announce(struct bp_wire *wire, uint16_t port, uint16_t vlan, const struct bp_ip *ip)
{
	struct rte_ether_addr group = bp_ethernet_multicast(&all_nodes);

	advertise(wire, port, vlan, ip, 0, &all_nodes, &group);
}
