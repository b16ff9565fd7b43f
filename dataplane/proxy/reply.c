/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A final response to a non-INVITE lingers for 32 seconds in case its request comes again. Nearly all of it
 * stands in that request, so only the rest is kept: the status, the To tag when the request had none,
 * and the header lines that the responder added. It is put together again from the retransmission.
 *
 * kept.bytes: size of the tag (1 byte), tag, header lines each with its CRLF.
 */
#include "proxy/context.h"

#define TAG_MAX 63
#define EXTRA_MAX 448

/* Lines that every response copies from its request (8.2.6.2), or that say nothing. */
static bool
is_copied(const struct bp_sip_message *m, const struct bp_sip_header *header)
{
	switch (header->id) {
	case BP_SIP_VIA:
	case BP_SIP_FROM:
	case BP_SIP_TO:
	case BP_SIP_CALL_ID:
	case BP_SIP_CSEQ:
		return true;
	case BP_SIP_CONTENT_LENGTH:
		return header->value.size == 1 && *bp_sip_at(m, header->value) == '0';
	default:
		return false;
	}
}

static unsigned
extra_lines(const struct bp_sip_message *m, char *out)
{
	unsigned size = 0;

	for (unsigned i = 0; i < m->header_count; i++) {
		const struct bp_sip_header *header = &m->headers[i];

		if (is_copied(m, header))
			continue;
		if (size + header->line.size > EXTRA_MAX)
			return EXTRA_MAX + 1;
		memcpy(out + size, bp_sip_at(m, header->line), header->line.size);
		size += header->line.size;
	}
	return size;
}

struct bp_kept *
bp_reply_keep(struct bp_engine *engine, const struct bp_record *record, const struct bp_sip_message *m)
{
	unsigned tag = record->to_tagged ? 0 : m->to_tag.size, extra;
	const char *reason = bp_sip_reason(m->status);
	struct bp_kept *kept;
	char lines[EXTRA_MAX];

	if (m->body_offset != m->size || tag > TAG_MAX || m->reason.size != strlen(reason) ||
		memcmp(bp_sip_at(m, m->reason), reason, m->reason.size) != 0)
		return NULL;
	extra = extra_lines(m, lines);
	if (extra > EXTRA_MAX || memchr(lines, '\0', extra) != NULL)
		return NULL;
	kept = bp_kept_take(engine->memory, 1 + tag + extra);
	if (kept == NULL)
		return NULL;
	bp_count(&engine->counters->kept_taken, 1);
	bp_block_charge(engine->memory, &kept->slot, BP_KIND_NON_INVITE);
	kept->status = m->status | BP_REPLY_FLAG;
	kept->size = (uint16_t)(1 + tag + extra);
	kept->bytes[0] = (uint8_t)tag;
	memcpy(kept->bytes + 1, bp_sip_at(m, m->to_tag), tag);
	memcpy(kept->bytes + 1 + tag, lines, extra);
	return kept;
}

void
bp_reply_send(struct bp_engine *engine, const struct bp_kept *kept, const struct bp_request *request,
	const struct bp_flow *to)
{
	uint16_t status = kept->status & (uint16_t)~BP_REPLY_FLAG;
	char tag[TAG_MAX + 1], extra[EXTRA_MAX + 1];
	unsigned tag_size = kept->bytes[0], extra_size = kept->size - 1u - tag_size;
	uint32_t size;

	memcpy(tag, kept->bytes + 1, tag_size);
	tag[tag_size] = '\0';
	memcpy(extra, kept->bytes + 1 + tag_size, extra_size);
	extra[extra_size] = '\0';
	size = bp_build_response(request->m, status, bp_sip_reason(status), request->from, tag_size ? tag : NULL, extra,
		engine->scratch, BP_SIP_MESSAGE_SIZE_MAX);
	bp_transmit_bytes(engine, to, engine->scratch, size);
}
