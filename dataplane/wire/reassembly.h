/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reassembly of IPv4 and IPv6 fragments (RFC 791, RFC 8200 4.5, RFC 5722): one table per
 * worker, of fixed size. Only its worker calls it.
 */
#ifndef BYEPASS_WIRE_REASSEMBLY_H
#define BYEPASS_WIRE_REASSEMBLY_H

#include "wire/packet.h"

struct bp_reassembly;

#define BP_REASSEMBLY_DATAGRAMS 1024
#define BP_REASSEMBLY_PIECES 128 /* of one datagram: 65,535 bytes come over an MTU of 576 in 119 */
#define BP_REASSEMBLY_US                                                                                     \
	UINT64_C(5000000)       /* a retransmitted message is a new datagram, so waiting longer is idle */
#define BP_SCRATCH_HEADROOM 128 /* for the headers before a reassembled payload */
#define BP_SCRATCH_SIZE (BP_SCRATCH_HEADROOM + 65536 + 64)

struct bp_fragment {
	uint32_t identification;
	uint32_t offset;  /* bytes */
	uint8_t protocol; /* IPv4: protocol; IPv6: next header of the fragment header */
	bool more;
	const uint8_t *bytes;
	uint32_t size;
	uint32_t at; /* where @bytes lie in the packet's mbuf */
};

struct bp_reassembly *bp_reassembly_create(int numa_node);
void bp_reassembly_free(struct bp_reassembly *reassembly);

/* Takes a fragment. HELD: the mbuf is kept. WHOLE: it was the last one; @packet then stands for the whole
 * datagram (an IP header and the payload, in wire->scratch) and @fragment for its payload. Else a drop. */
unsigned bp_reassembly_input(struct bp_wire *wire, struct bp_packet *packet, struct bp_fragment *fragment);

/* Gives up what is too old. */
void bp_reassembly_tick(struct bp_wire *wire);

/* Gives up everything. */
void bp_reassembly_clear(struct bp_wire *wire);

#endif
