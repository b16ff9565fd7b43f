/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our addresses: which interface, which listener a packet is for, and which interface a
 * packet leaves by. Built from a snapshot into memory taken at creation; keeps
 * no pointer into the snapshot. One per worker.
 */
#ifndef BYEPASS_WIRE_ADDRESS_H
#define BYEPASS_WIRE_ADDRESS_H

#include "byepass/config.h"

#define BP_ADDRESS_SLOTS 8192 /* at least twice BP_WIRE_INTERFACES_MAX and BP_WIRE_LISTENERS_MAX */
#define BP_ADDRESS_VLANS 4096

struct bp_interface {
	struct bp_ip ip;
	struct bp_ip gateway;
	uint16_t port;
	uint16_t vlan;
	uint16_t realm;
	uint8_t prefix; /* of 128: IPv4 counts from bit 96 */
	uint8_t family;
	bool has_gateway;
};

struct bp_listener {
	struct bp_ip ip;
	uint16_t interface; /* that its messages leave by */
	uint16_t owner;     /* that bp_addresses_find() finds: another one when two realms share an address */
	uint16_t port;      /* UDP, host byte order */
};

struct bp_addresses; /* as large as bp_addresses_size() says */

/* Where a packet to some destination goes next. */
struct bp_route {
	const struct bp_interface *interface; /* that it leaves by, and whose address asks for the next hop */
	struct bp_ip next_hop;
	bool local; /* the destination is ourselves */
};

size_t bp_addresses_size(void);

/* 0, or -E2BIG: more interfaces or listeners than BP_WIRE_..._MAX, or a port at or over @port_count; what was
 * there stays. */
int bp_addresses_build(struct bp_addresses *addresses, const struct bp_config *config, unsigned port_count);

unsigned bp_addresses_interface_count(const struct bp_addresses *addresses);
const struct bp_interface *bp_addresses_interface(const struct bp_addresses *addresses, uint16_t interface);

/* NULL: there is none. */
const struct bp_listener *bp_addresses_listener(const struct bp_addresses *addresses, uint16_t listener);

/* True if a realm uses VLAN @vlan of @port (0: untagged). */
bool bp_addresses_vlan(const struct bp_addresses *addresses, uint16_t port, uint16_t vlan);

/* True if one of them has an IPv6 address there. */
bool bp_addresses_vlan_ipv6(const struct bp_addresses *addresses, uint16_t port, uint16_t vlan);

/* The interface with address @ip there, or BP_CONFIG_NONE. */
uint16_t bp_addresses_find(
	const struct bp_addresses *addresses, uint16_t port, uint16_t vlan, const struct bp_ip *ip);

/* The listener on @udp_port of @interface, or BP_CONFIG_NONE. */
uint16_t bp_addresses_find_listener(
	const struct bp_addresses *addresses, uint16_t interface, uint16_t udp_port);

/* True if @ip is on the link of @interface by its prefix. */
bool bp_interface_covers(const struct bp_interface *interface, const struct bp_ip *ip);

/* Among the interfaces with @from's port, realm and family: the longest prefix that covers @destination; else
 * the gateway, @from's own first. False: no route. */
bool bp_addresses_route(const struct bp_addresses *addresses, uint16_t from, const struct bp_ip *destination,
	struct bp_route *route);

#endif
