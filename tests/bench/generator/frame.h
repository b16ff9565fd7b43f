/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames around messages: Ethernet, IPv4 without options, UDP; ARP; mbufs.
 */
#ifndef BYEPASS_BENCH_FRAME_H
#define BYEPASS_BENCH_FRAME_H

#include "generator/state.h"

/* Fills the places and the constant headers in, from @side->end. Returns 0 or -EINVAL with @error. */
int frame_side_create(struct side *side, char *error);

/* Writes the headers of a finished template. */
void frame_prepare(const struct side *side, struct template *template);

/* Room for @count more messages: mbufs are in the stash. */
bool frame_mbufs(struct gen *gen, uint32_t count);

/* Sends a message. Without an mbuf it is lost, and counted. @kept: what the template's opaque fields are; @writer:
 * places, number. */
void frame_send(struct gen *gen, enum side_id id, const struct template *template, const struct writer *writer,
	const uint8_t *kept);

/* Hands over to the port what was sent so far. */
void frame_flush(struct gen *gen, struct side *side);

/* What a frame is for the side: */
enum frame_is { FRAME_MESSAGE, FRAME_OTHER, FRAME_ARP, FRAME_WRONG };
struct frame_in {
	const uint8_t *bytes; /* of SIP */
	uint32_t size;
	uint16_t place;
};
enum frame_is frame_read(
	const struct gen *gen, const struct side *side, const struct rte_mbuf *mbuf, struct frame_in *in);

/* An ARP packet that came in; it may be answered, or tell the target's MAC address. */
void frame_arp(struct gen *gen, struct side *side, const struct rte_mbuf *mbuf);
/* Asks for the target's MAC address, once a second. */
void frame_ask(struct gen *gen, struct side *side);

/* Gives the mbuf back, or keeps it for a message to send. */
void frame_return(struct gen *gen, struct rte_mbuf *mbuf);

#endif
