/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How the reassembly table lies in memory; for reassembly.c and create.c.
 */
#ifndef BYEPASS_WIRE_REASSEMBLY_TABLE_H
#define BYEPASS_WIRE_REASSEMBLY_TABLE_H

#include "wire/reassembly.h"
#include "wire/wire.h"

#define BP_REASSEMBLY_NONE UINT16_MAX /* no index */
#define BP_REASSEMBLY_BUCKETS (2 * BP_REASSEMBLY_DATAGRAMS)

struct bp_reassembly_piece {
	struct rte_mbuf *mbuf;
	uint32_t at; /* where its bytes lie in the mbuf */
	uint32_t offset;
	uint32_t size;
	uint16_t next;
};

struct bp_reassembly_key {
	struct bp_ip source;
	struct bp_ip destination;
	uint32_t identification;
	uint16_t port;
	uint16_t vlan;
	uint8_t family;
	uint8_t protocol; /* of IPv4; RFC 8200 identifies without it */
	uint8_t zero[2];
};
static_assert(sizeof(struct bp_reassembly_key) == 44, "compared as bytes");

struct bp_reassembly_datagram {
	struct bp_reassembly_key key;
	uint64_t since_us;
	uint32_t bytes; /* that are here */
	uint32_t end;   /* size of the payload; 0: not known yet */
	uint16_t first; /* pieces, by offset */
	uint16_t last;
	uint16_t count;
	uint16_t older; /* all datagrams by age */
	uint16_t newer;
	uint16_t next; /* in its bucket, or in the free list */
	uint8_t protocol;
	bool dead;
};

struct bp_reassembly {
	uint64_t secret;
	uint16_t free_datagram;
	uint16_t free_piece;
	uint16_t oldest;
	uint16_t newest;
	uint16_t buckets[BP_REASSEMBLY_BUCKETS];
	struct bp_reassembly_datagram datagrams[BP_REASSEMBLY_DATAGRAMS];
	struct bp_reassembly_piece pieces[BP_WIRE_FRAGMENTS_MAX];
};

#endif
