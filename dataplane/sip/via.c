/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a Via open: protocol, sent-by, and the parameters that route responses.
 * RFC 3261 20.42, 25.1; RFC 3581. White space and folds may stand around every separator.
 */
#include "sip/header_name.h"
#include "sip/param.h"

/* "SIP / 2.0 / UDP", white space as it likes. The position behind the space that follows, 0: malformed. */
static uint32_t
cut_protocol(const uint8_t *p, uint32_t at, uint32_t end, struct bp_span *transport)
{
	for (unsigned part = 0; part < 3; part++) {
		uint32_t stop = bp_scan_skip(p, at, end, &bp_set_token);

		if (stop == at)
			return 0;
		*transport = bp_span_make(at, stop);
		at = bp_skip_lws(p, stop, end);
		if (part == 2)
			return at > stop ? at : 0;
		if (at >= end || p[at] != '/')
			return 0;
		at = bp_skip_lws(p, at + 1, end);
	}
	return 0;
}

/* Digits of a port from @at on; moved behind them. 0: none, or over 65,535. */
static uint16_t
cut_port(const uint8_t *p, uint32_t *at, uint32_t end)
{
	uint32_t port = 0, i = *at;

	for (; i < end && p[i] >= '0' && p[i] <= '9' && port <= UINT16_MAX; i++)
		port = port * 10 + (uint32_t)(p[i] - '0');
	*at = i;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* host [ COLON port ]. The position behind it and the white space that follows, 0: malformed. */
static uint32_t
cut_sent_by(const uint8_t *p, uint32_t at, uint32_t end, struct bp_sip_via *via)
{
	uint32_t stop, after;

	if (at < end && p[at] == '[') {
		stop = bp_scan_skip(p, at + 1, end, &bp_set_ipv6);
		if (stop == at + 1 || stop >= end || p[stop] != ']')
			return 0;
		stop++;
	} else {
		stop = bp_scan_skip(p, at, end, &bp_set_host);
		if (stop == at)
			return 0;
	}
	via->host = bp_span_make(at, stop);
	via->sent_by = via->host;
	after = bp_skip_lws(p, stop, end);
	if (after >= end || p[after] != ':')
		return after;
	stop = bp_skip_lws(p, after + 1, end);
	via->port = cut_port(p, &stop, end);
	if (via->port == 0)
		return 0;
	via->sent_by = bp_span_make(at, stop);
	return bp_skip_lws(p, stop, end);
}

/* A parameter that must have a value, and stands once. */
static bool
take_value(struct bp_span *field, struct bp_span value)
{
	if (field->size || value.size == 0)
		return false;
	*field = value;
	return true;
}

static bool
take_param(const uint8_t *p, const struct bp_param *param, struct bp_sip_via *via)
{
	switch (param->name.size) {
	case 5:
		if (BP_PARAM_IS(p, param->name, "rport")) {
			if (via->rport_at)
				return false;
			via->rport_at = (uint16_t)(param->name.offset + param->name.size);
			via->rport = param->value;
		} else if (BP_PARAM_IS(p, param->name, "maddr")) {
			return take_value(&via->maddr, param->value);
		}
		return true;
	case 6:
		return !BP_PARAM_IS(p, param->name, "branch") || take_value(&via->branch, param->value);
	case 8:
		return !BP_PARAM_IS(p, param->name, "received") || take_value(&via->received, param->value);
	default:
		return true;
	}
}

bool
bp_sip_via_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_via *via)
{
	uint32_t at = bp_skip_lws(bytes, value.offset, (uint32_t)value.offset + value.size), begin = at;
	uint32_t end = bp_trim_lws(bytes, at, (uint32_t)value.offset + value.size);
	struct bp_span transport;
	struct bp_param param;
	struct bp_cursor cursor;

	memset(via, 0, sizeof(*via));
	via->transport = BP_TRANSPORT_COUNT;
	if (end - at > 12 && bp_load8(bytes + at) == bp_load8("SIP/2.0/") && bytes[at + 11] == ' ') {
		transport = bp_span_make(at + 8, at + 11);
		at = bp_skip_lws(bytes, at + 12, end);
	} else {
		at = cut_protocol(bytes, at, end, &transport);
	}
	if (at == 0 || (at = cut_sent_by(bytes, at, end, via)) == 0)
		return false;
	via->transport = bp_transport_of(bytes, transport);
	via->last = true;
	if (at < end && bytes[at] == ';') {
		bp_cursor_begin(&cursor, bytes, at, end, &bp_set_param);
		via->params.offset = (uint16_t)at;
		for (;;) {
			enum bp_param_result result = bp_param_next(&cursor, &at, &param);

			if (result == BP_PARAM_END)
				break;
			if (result == BP_PARAM_BAD || !take_param(bytes, &param, via))
				return false;
		}
		via->params.size =
			(uint16_t)(bp_trim_lws(bytes, via->params.offset, at) - via->params.offset);
	}
	if (at < end) {
		if (bytes[at] != ',' || bp_skip_lws(bytes, at + 1, end) == end)
			return false;
		via->last = false;
	}
	via->element = bp_span_make(begin, bp_trim_lws(bytes, begin, at));
	/* the cookie alone makes nothing unique: RFC 2543 matching then (RFC 4475 3.2.1) */
	via->magic = via->branch.size > 7 &&
		     bp_word_is(bp_load_upto8(bytes + via->branch.offset, 7, 8), bp_load8("z9hg4bk"));
	return true;
}
