/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is asked of a view once it is there. Neighbours: variant.c makes it, scan.c chooses
 * by which variant.
 */
#include "sip/message.h"
#include "sip/header_name.h"

bool
bp_sip_answerable(const struct bp_sip_message *m)
{
	return m->status == 0 && m->first[BP_SIP_VIA] && m->first[BP_SIP_FROM] && m->first[BP_SIP_TO] &&
	       m->first[BP_SIP_CALL_ID] && m->first[BP_SIP_CSEQ];
}

const struct bp_sip_header *
bp_sip_find(const struct bp_sip_message *m, const char *name)
{
	uint32_t size = (uint32_t)strlen(name);
	uint8_t id = bp_header_id((const uint8_t *)name, size, size + 1);

	if (id != BP_SIP_OTHER)
		return bp_sip_first(m, id);
	for (const struct bp_sip_header *header = bp_sip_first(m, BP_SIP_OTHER); header;
		header = bp_sip_next(m, header)) {
		if (bp_span_is(m->bytes, header->name, name))
			return header;
	}
	return NULL;
}

bool
bp_span_is(const uint8_t *bytes, struct bp_span span, const char *token)
{
	for (uint32_t i = 0; i < span.size; i++) {
		uint8_t a = bytes[span.offset + i], b = (uint8_t)token[i];

		if (a >= 'A' && a <= 'Z')
			a |= 0x20;
		if (b >= 'A' && b <= 'Z')
			b |= 0x20;
		if (b == 0 || a != b)
			return false;
	}
	return token[span.size] == 0;
}
