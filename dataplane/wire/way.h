/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Ways found lately: all headers of the datagram that last went to a flow, ready to be copied before the next one. What
 * they stand on (route, neighbour, path MTU) is looked up anew when a way is older than a tick, so that the neighbour's
 * life goes on as if each datagram had asked for it. Of one wire; its worker alone.
 */
#ifndef BYEPASS_WIRE_WAY_H
#define BYEPASS_WIRE_WAY_H

#include "wire/output.h"

#define BP_WAYS 256 /* direct-mapped by the flow */
#define BP_WAY_US 10000

struct bp_way {
	struct bp_flow to;
	uint64_t made_us;
	uint32_t generation;  /* wire->way_generation when it was made; another: no way */
	uint32_t resolutions; /* of the neighbours just before the next hop was looked up */
	uint32_t ip_sum;      /* of the IPv4 header but for length, identification and checksum */
	uint32_t udp_sum;     /* of the pseudo header but for the length */
	uint32_t payload_max; /* bytes that leave in one frame */
	uint16_t port;        /* index into bp_wire.ports */
	uint8_t family;
	uint8_t l2_size, l3_size;
	uint8_t headers[BP_HEADERS_MAX]; /* Ethernet, IP, UDP */
};

/* Sends @mbuf, of which the data is the payload, if there is a way to @to. False: nothing has happened. */
bool bp_way_send(struct bp_wire *wire, const struct bp_flow *to, struct rte_mbuf *mbuf);

/* Remembers the headers of @frame, which is whole and about to be sent as @output says. */
void bp_way_learn(struct bp_wire *wire, const struct bp_output *output, const struct rte_mbuf *frame);

#endif
