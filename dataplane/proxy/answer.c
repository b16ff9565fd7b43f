/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The edge's own responses. Refusals are stateless (8.2.7): the To tag is a keyed hash of the
 * transaction's identity, so the same request gets the same tag, and the ACK that follows
 * is known by it; a flood of bad requests leaves nothing behind.
 */
#include "proxy/account.h"

void
bp_answer_tag(const struct bp_engine *engine, const uint64_t id[2], char tag[17])
{
	bp_hex_write(bp_prf64(&engine->edge->tag_key, id), 16, tag);
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
	if (engine->post->on)
		bp_account_refused(engine, request, status);
	return BP_VERDICT_ANSWERED;
}

int
bp_answer(struct bp_engine *engine, const struct bp_request *request, uint16_t status, const char *extra)
{
	if (status == 503 && extra == NULL)
		extra = "Retry-After: 5\r\n";
	return bp_answer_text(engine, request, status, bp_sip_reason(status), extra);
}

/* Lines that a 100 copies, behind the topmost Via (8.2.6.1, 8.2.6.2). */
static const uint8_t trying_lines[] = {BP_SIP_FROM, BP_SIP_TO, BP_SIP_CALL_ID, BP_SIP_CSEQ, BP_SIP_TIMESTAMP};

#define TRYING_BEGIN "SIP/2.0 100 Trying\r\n"
#define TRYING_END "Content-Length: 0\r\n\r\n"

static uint32_t
trying_size(const struct bp_sip_message *m)
{
	const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_VIA);
	uint32_t size = sizeof(TRYING_BEGIN) + sizeof(TRYING_END) + BP_GATHER_VIA_TEXT;

	for (; header != NULL; header = bp_sip_next(m, header))
		size += header->line.size;
	for (unsigned i = 0; i < sizeof(trying_lines); i++)
		size += m->first[trying_lines[i]] ? bp_sip_first(m, trying_lines[i])->line.size : 0u;
	return size;
}

static uint8_t *
put_line(uint8_t *out, const struct bp_sip_message *m, const struct bp_sip_header *header)
{
	return bp_put(out, bp_sip_at(m, header->line), header->line.size);
}

static uint8_t *
put_top_via(uint8_t *out, const struct bp_sip_message *m, const struct bp_source_text *source)
{
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA);
	uint32_t at = via->line.offset, end = at + via->line.size;
	struct bp_gather gather;

	bp_gather_begin(&gather, m);
	bp_gather_via(&gather, source);
	for (unsigned i = 0; i < gather.count; i++) {
		const struct bp_gather_change *change = &gather.list[i];

		out = bp_put(out, m->bytes + at, change->offset - at);
		out = bp_put(out, change->text, change->insert);
		at = (uint32_t)change->offset + change->remove;
	}
	return bp_put(out, m->bytes + at, end - at);
}

/* 100 (Trying) at once: the caller's timer A stops (17.2.1). Every INVITE gets one, so it is written where it
 * leaves. */
void
bp_answer_trying(struct bp_engine *engine, const struct bp_request *request)
{
	const struct bp_sip_message *m = request->m;
	const struct bp_sip_header *via = bp_sip_first(m, BP_SIP_VIA);
	uint8_t *begin = engine->hooks.reserve(engine->hooks.context, &request->reply, trying_size(m)), *out;

	bp_count_response(engine, 100);
	if (begin == NULL)
		return;
	out = BP_PUT(begin, TRYING_BEGIN);
	bp_source_text(&engine->source, request->from);
	out = put_top_via(out, m, &engine->source);
	while ((via = bp_sip_next(m, via)) != NULL)
		out = put_line(out, m, via);
	for (unsigned i = 0; i < sizeof(trying_lines); i++)
		if (m->first[trying_lines[i]])
			out = put_line(out, m, bp_sip_first(m, trying_lines[i]));
	out = BP_PUT(out, TRYING_END);
	engine->hooks.send(engine->hooks.context, &request->reply, (uint32_t)(out - begin));
}

/* An ACK to a refusal of ours: it has the INVITE's branch, hence its identity, and our tag. */
bool
bp_answer_is_acked(const struct bp_engine *engine, const struct bp_request *request)
{
	char tag[17];

	if (request->m->to_tag.size != sizeof(tag) - 1)
		return false;
	bp_answer_tag(engine, request->id, tag);
	return bp_span_is(request->m->bytes, request->m->to_tag, tag);
}
