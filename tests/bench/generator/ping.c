/* SPDX-License-Identifier: BSD-3-Clause
 *
 * OPTIONS requests of the target's own, which asks whether a side is alive: answered without state (RFC 3261 11.2).
 * They come to wherever the frame came from.
 */
#include "generator/messages.h"
#include "generator/side.h"

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <stdio.h>

/* All lines of a header, as they stand. */
static uint32_t
put_lines(const struct bp_sip_message *m, enum bp_sip_header_id id, char *out, uint32_t room)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	uint32_t size = 0;

	for (; header != NULL; header = bp_sip_next(m, header)) {
		if (header->line.size > room - size)
			return size;
		memcpy(out + size, bp_sip_at(m, header->line), header->line.size);
		size += header->line.size;
	}
	return size;
}

/* The response's text; the parsed request is in the lesson. */
static uint32_t
write_response(const struct gen *gen, const struct bp_sip_message *m, char *out, uint32_t room)
{
	const struct bp_sip_header *to = bp_sip_first(m, BP_SIP_TO);
	uint32_t size = (uint32_t)snprintf(out, room, "SIP/2.0 200 OK\r\n");

	size += put_lines(m, BP_SIP_VIA, out + size, room - size);
	size += put_lines(m, BP_SIP_FROM, out + size, room - size);
	size += put_lines(m, BP_SIP_CALL_ID, out + size, room - size);
	size += put_lines(m, BP_SIP_CSEQ, out + size, room - size);
	size += (uint32_t)snprintf(out + size, room - size,
		"To: %.*s%s%s\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nContent-Length: 0\r\n\r\n",
		(int)to->value.size, bp_sip_at(m, to->value), m->to_tag.size > 0 ? "" : ";tag=ping-",
		m->to_tag.size > 0 ? "" : gen->run);
	return size;
}

void
callee_ping(struct gen *gen, enum side_id id, const struct rte_mbuf *mbuf)
{
	const uint8_t *in = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	const struct rte_ipv4_hdr *ip = (const void *)(in + 14);
	const struct bp_sip_message *m = &gen->lesson->m;
	struct side *side = &gen->sides[id];
	struct template *template = &gen->ping;
	struct writer writer = {&side->places[0], &side->places[0], {{0}}};
	struct builder builder;
	char text[MESSAGE_MAX];
	uint32_t size = write_response(gen, m, text, sizeof(text));

	if (size >= sizeof(text))
		return;
	for (unsigned i = 0; i < side->place_count; i++) {
		if (memcmp(&side->places[i].ip_be, &ip->dst_addr, 4) == 0 &&
			memcmp(&side->places[i].udp_be, in + 36, 2) == 0)
			writer.source = writer.trunk = &side->places[i];
	}
	message_begin(gen, &builder, template, GEN_KIND_OK_OTHER);
	builder_bytes(&builder, text, size);
	if (!builder_end(&builder))
		return;
	frame_prepare(side, template);
	frame_send(gen, id, template, &writer, NULL);
	gen->report.pings++;
}
