/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The neighbour table: next hop -> MAC address, for ARP and neighbour discovery alike.
 * Shared by all workers, lock-free, of fixed size; any thread may call anything but
 * create and free. It only keeps; arp.c and nd.c ask and answer.
 *
 * An entry is made by bp_neighbour_use() (we want to send) and by bp_neighbour_learn() (it has
 * asked for us), never by a reply. It is INCOMPLETE until a reply comes, then RESOLVED; ten
 * minutes after the last confirmation its next use probes it, first by unicast, and only when
 * no probe is answered is it forgotten and asked for anew (RFC 1122 2.3.2.1, RFC 4861 7.3).
 *
 * A MAC address that is known is defended: who claims the address for another one only raises a doubt. The next use
 * probes the old one, by unicast, and the claim is believed when that has been silent for a second. So one forged
 * packet takes no traffic, and a standby that takes over has it a second later.
 */
#ifndef BYEPASS_WIRE_NEIGHBOUR_H
#define BYEPASS_WIRE_NEIGHBOUR_H

#include "byepass/flow.h"

#include <rte_ether.h>

struct bp_neighbours;

#define BP_NEIGHBOUR_ASK_US UINT64_C(1000000)         /* between two requests (RFC 4861 RETRANS_TIMER) */
#define BP_NEIGHBOUR_ASKS 3                           /* requests without an answer */
#define BP_NEIGHBOUR_CONFIRMED_US UINT64_C(600000000) /* a confirmation is good for this long */
#define BP_NEIGHBOUR_IN_USE_US UINT64_C(10000000)     /* used this lately: not evicted */

/* Where a neighbour is: its link and its address there. */
struct bp_neighbour_key {
	struct bp_ip ip;
	uint16_t port;
	uint16_t vlan;
};

enum bp_neighbour_state {
	BP_NEIGHBOUR_RESOLVED, /* the MAC address may be used */
	BP_NEIGHBOUR_WAIT,     /* not known yet */
	BP_NEIGHBOUR_FULL,     /* no room for an entry */
};

enum bp_neighbour_ask { /* what the caller is to send, who alone has won the right to */
	BP_NEIGHBOUR_ASK_NONE,
	BP_NEIGHBOUR_ASK_ALL, /* broadcast, or the solicited-node multicast address */
	BP_NEIGHBOUR_ASK_ONE, /* unicast to the MAC address that was found */
};

/* We have something to send to @key. @mac is set when RESOLVED. @create: make an entry where there is none;
 * who has waited and finds none has been evicted by others (FULL), and coming back would evict them in turn.
 */
enum bp_neighbour_state bp_neighbour_use(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key,
	bool create, uint64_t now_us, struct rte_ether_addr *mac, enum bp_neighbour_ask *ask);

/* An answer, or news. @mac: NULL when it gives none, which proves a known one (RFC 4861 7.2.5). @solicited: it answers
 * a question of ours and confirms; else the entry is probed at its next use. @override: may replace a MAC
 * address that we know (RFC 4861 7.2.5) and that is silent. True: there was an entry. */
bool bp_neighbour_confirm(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key,
	const struct rte_ether_addr *mac, bool solicited, bool override, uint64_t now_us);

/* @key has asked for one of our addresses, so it is about to talk to us: makes its entry, or updates one
 * whose MAC address is silent, to be probed at its next use. Nothing happens where the table is full. */
void bp_neighbour_learn(struct bp_neighbours *neighbours, const struct bp_neighbour_key *key,
	const struct rte_ether_addr *mac, uint64_t now_us);

/* A router says that @destination is behind a link of @mtu bytes (RFC 8201). Kept for ten minutes in one of
 * few places: a newer one may push it out, which costs a lost datagram. @mtu: at least 1,280. */
void bp_path_mtu_learn(struct bp_neighbours *neighbours, const struct bp_neighbour_key *destination,
	uint16_t mtu, uint64_t now_us);

/* What the path to @destination carries: the smaller of @mtu and what was learned. */
uint32_t bp_path_mtu(struct bp_neighbours *neighbours, const struct bp_neighbour_key *destination,
	uint32_t mtu, uint64_t now_us);

/* Changes whenever an entry becomes RESOLVED, on whichever worker: a cheap "look again". */
uint32_t bp_neighbours_resolutions(const struct bp_neighbours *neighbours);

/* Unique enough identifications for fragmented datagrams of all workers. */
uint32_t bp_neighbours_next_fragment(struct bp_neighbours *neighbours);

#endif
