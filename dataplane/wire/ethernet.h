/* SPDX-License-Identifier: BSD-3-Clause
 *
 * MAC addresses.
 */
#ifndef BYEPASS_WIRE_ETHERNET_H
#define BYEPASS_WIRE_ETHERNET_H

#include "byepass/flow.h"

#include <rte_ether.h>

/* The group address of an IPv6 multicast address (RFC 2464 7). */
static inline struct rte_ether_addr
bp_ethernet_multicast(const struct bp_ip *ip)
{
	struct rte_ether_addr mac = {.addr_bytes = {0x33, 0x33}};

	memcpy(mac.addr_bytes + 2, ip->bytes + 12, 4);
	return mac;
}

/* True if it can be the address of one station. */
static inline bool
bp_ethernet_is_station(const struct rte_ether_addr *mac)
{
	return !rte_is_multicast_ether_addr(mac) && !rte_is_zero_ether_addr(mac);
}

#endif
