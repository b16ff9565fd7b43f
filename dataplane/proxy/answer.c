/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge's own responses. Refusals are stateless (8.2.7): the To tag is a keyed hash of the
 * transaction's identity, so the same request gets the same tag, and the ACK that follows
 * is known by it; a flood of bad requests leaves nothing behind.
 */
#include "proxy/context.h"

void
bp_answer_tag(const struct bp_engine *engine, const uint64_t id[2], char tag[17])
{
	bp_hex_write(bp_hash64(&engine->edge->tag_key, id, 16), 16, tag);
	tag[16] = '\0';
}

int
bp_answer_text(struct bp_engine *engine, const struct bp_request *request, uint16_t status, const char *reason,
	const char *extra)
{
	char tag[17];
	uint32_t size;

	bp_answer_tag(engine, request->id, tag);
	size = bp_build_response(request->m, status, reason, request->from, tag, extra, engine->scratch,
		BP_SIP_MESSAGE_SIZE_MAX);
	if (size == 0)
		return BP_DROP_request_malformed;
	bp_transmit_bytes(engine, &request->reply, engine->scratch, size);
	bp_count_response(engine, status);
	return BP_VERDICT_ANSWERED;
}

int
bp_answer(struct bp_engine *engine, const struct bp_request *request, uint16_t status, const char *extra)
{
	if (status == 503 && extra == NULL)
		extra = "Retry-After: 5\r\n";
	return bp_answer_text(engine, request, status, bp_sip_reason(status), extra);
}

/* 100 (Trying) at once: the caller's timer A stops (17.2.1). */
void
bp_answer_trying(struct bp_engine *engine, const struct bp_request *request)
{
	bp_answer_text(engine, request, 100, "Trying", NULL);
}

/* An ACK to a refusal of ours: it has the INVITE's branch, hence its identity, and our tag. */
bool
bp_answer_is_acked(const struct bp_engine *engine, const struct bp_request *request)
{
	char tag[17];

	bp_answer_tag(engine, request->id, tag);
	return bp_span_is(request->m->bytes, request->m->to_tag, tag);
}
