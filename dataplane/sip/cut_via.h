/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a Via open: protocol, sent-by, and the parameters that route responses. What is
 * written without white space goes the short way. RFC 3261 20.42, 25.1; RFC 3581. Private to variant.c.
 */
#ifndef BYEPASS_SIP_CUT_VIA_H
#define BYEPASS_SIP_CUT_VIA_H

#include "sip/param.h"

/* "SIP / 2.0 / UDP", white space as it likes. The position behind the space that follows, 0: malformed. */
static uint32_t
cut_protocol(const uint8_t *p, uint32_t at, uint32_t end, uint32_t limit, struct bp_span *transport)
{
	for (unsigned part = 0; part < 3; part++) {
		uint32_t stop = skip(p, at, end, limit, &bp_set_token);

		if (stop == at)
			return 0;
		*transport = make_span(at, stop);
		at = skip_lws(p, stop, end);
		if (part == 2)
			return at > stop ? at : 0;
		if (at >= end || p[at] != '/')
			return 0;
		at = skip_lws(p, at + 1, end);
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
cut_sent_by(const uint8_t *p, uint32_t at, uint32_t end, uint32_t limit, struct bp_sip_via *via)
{
	uint32_t stop, after;

	if (at < end && p[at] == '[') {
		stop = skip(p, at + 1, end, limit, &bp_set_ipv6);
		if (stop == at + 1 || stop >= end || p[stop] != ']')
			return 0;
		stop++;
	} else {
		stop = skip(p, at, end, limit, &bp_set_host);
		if (stop == at)
			return 0;
	}
	via->host = make_span(at, stop);
	via->sent_by = via->host;
	after = skip_lws(p, stop, end);
	if (after >= end || p[after] != ':')
		return after;
	stop = skip_lws(p, after + 1, end);
	via->port = cut_port(p, &stop, end);
	if (via->port == 0)
		return 0;
	via->sent_by = make_span(at, stop);
	return skip_lws(p, stop, end);
}

INLINE bool
take_via_param(const uint8_t *p, const struct param *param, struct bp_sip_via *via)
{
	switch (param->name.size) {
	case 5:
		if (PARAM_IS(p, param->name, "rport")) {
			if (via->rport_at)
				return false;
			via->rport_at = (uint16_t)span_end(param->name);
			via->rport = param->value;
		} else if (PARAM_IS(p, param->name, "maddr")) {
			return take_value(&via->maddr, param->value);
		}
		return true;
	case 6:
		return !PARAM_IS(p, param->name, "branch") || take_value(&via->branch, param->value);
	case 8:
		return !PARAM_IS(p, param->name, "received") || take_value(&via->received, param->value);
	default:
		return true;
	}
}

/* The cookie alone makes nothing unique: RFC 2543 matching then (RFC 4475 3.2.1). */
INLINE bool
is_magic(const uint8_t *p, struct bp_span branch)
{
	return branch.size > 7 &&
	       bp_word_is(bp_load8(p + branch.offset) & 0x00ffffffffffffff, bp_load8("z9hg4bk"));
}

INLINE void
begin_via(struct bp_sip_via *via)
{
	memset(via, 0, sizeof(*via));
	via->transport = BP_TRANSPORT_COUNT;
}

/* Any Via. @via is begun. False: malformed; then its element is empty. */
NOINLINE bool
cut_any_via(const uint8_t *p, struct bp_span value, uint32_t limit, struct bp_sip_via *via)
{
	uint32_t at = skip_lws(p, value.offset, span_end(value)), begin = at;
	uint32_t end = trim_lws(p, at, span_end(value));
	struct bp_span transport;
	struct param param;
	struct cursor cursor;

	at = cut_protocol(p, at, end, limit, &transport);
	if (at == 0 || (at = cut_sent_by(p, at, end, limit, via)) == 0)
		return false;
	via->transport = transport_of(p, transport);
	via->last = true;
	if (at < end && p[at] == ';') {
		cursor_begin(&cursor, p, at, end, limit, &bp_set_param);
		via->params.offset = (uint16_t)at;
		for (;;) {
			enum param_result result = param_next(&cursor, &at, limit, &param);

			if (result == PARAM_END)
				break;
			if (result == PARAM_BAD || !take_via_param(p, &param, via))
				return false;
		}
		via->params.size = (uint16_t)(trim_lws(p, via->params.offset, at) - via->params.offset);
	}
	if (at < end) {
		if (p[at] != ',' || skip_lws(p, at + 1, end) == end)
			return false;
		via->last = false;
	}
	via->element = make_span(begin, trim_lws(p, begin, at));
	via->magic = is_magic(p, via->branch);
	return true;
}

#if VECTOR

/* The name that ends at @end, in lower case, in the upper bytes of a word; 0 when it is longer than that. */
INLINE uint64_t
name_word(const uint8_t *p, uint32_t begin, uint32_t end)
{
	uint32_t size = end - begin;

	/* what stands before it in the message is shifted out */
	return likely(size <= 8) ? (bp_load8(p + end - 8) | 0x2020202020202020) >> ((64 - 8 * size) & 63) : 0;
}

/* Parameters from the ';' at @at to the end, nothing between them. False: there is something. */
INLINE bool
cut_plain_via_params(
	const uint8_t *p, uint32_t at, uint32_t end, uint32_t limit, uint64_t stops, uint32_t base,
	struct bp_sip_via *via)
{
	struct cursor c = {.p = p, .plain = &bp_set_param, .stops = stops, .base = base, .end = end, .limit = limit};

	while (at < end) {
		uint32_t begin = at + 1, stop = cursor_stop(&c, begin);
		struct bp_span value = {0, 0};
		uint64_t name;

		if (unlikely(p[at] != ';' || stop == begin))
			return false;
		at = stop;
		if (stop < end && p[stop] == '=') {
			at = cursor_stop(&c, stop + 1);
			value = make_span(stop + 1, at);
			if (unlikely(value.size == 0))
				return false;
		}
		name = name_word(p, begin, stop);
		if (name == bp_load8("branch\0")) {
			if (unlikely(!take_value(&via->branch, value)))
				return false;
		} else if (name == bp_load8("rport\0\0")) {
			if (unlikely(via->rport_at))
				return false;
			via->rport_at = (uint16_t)stop;
			via->rport = value;
		} else if (name == bp_load8("received")) {
			if (unlikely(!take_value(&via->received, value)))
				return false;
		} else if (unlikely(name == bp_load8("maddr\0\0"))) {
			if (!take_value(&via->maddr, value))
				return false;
		}
	}
	return true;
}

/* A Via written as nearly all are: "SIP/2.0/UDP host:port;params", the only one of its value. @via is all zero. False:
 * it is not; what was found so far does not count. */
INLINE bool
cut_plain_via(const uint8_t *p, struct bp_span value, uint32_t limit, struct bp_sip_via *via)
{
	uint32_t at = value.offset, end = at + value.size, stop, transport;
	struct window window;
	uint64_t stops;

	if (unlikely(value.size < 14 || bp_load8(p + at) != bp_load8("SIP/2.0/")))
		return false;
	memcpy(&transport, p + at + 8, 4);
	transport |= 0x00202020;
	if (likely(transport == 0x20706475)) /* " pdu" */
		via->transport = BP_TRANSPORT_UDP;
	else if (transport == 0x20706374)
		via->transport = BP_TRANSPORT_TCP;
	else if (transport == 0x20736c74)
		via->transport = BP_TRANSPORT_TLS;
	else
		return false;
	at += 12;
	window_load(&window, p, at, limit);
	stops = window_out(&window, &bp_set_host);
	if (unlikely(stops == 0 || stops & 1))
		return false;
	stop = at + (uint32_t)__builtin_ctzll(stops);
	if (unlikely(stop > end))
		stop = end;
	via->host = make_span(at, stop);
	if (stop < end && p[stop] == ':') {
		uint32_t port;
		unsigned digits = few_digits(p, stop + 1, limit, &port);

		stop += 1 + digits;
		if (unlikely(digits == 0 || port - 1 >= UINT16_MAX || stop > end))
			return false;
		via->port = (uint16_t)port;
	}
	via->sent_by = make_span(at, stop);
	via->element = value;
	via->last = true;
	if (unlikely(stop == end))
		return true;
	via->params = make_span(stop, end);
	if (unlikely(!cut_plain_via_params(p, stop, end, limit, window_out(&window, &bp_set_param), at, via)))
		return false;
	via->magic = is_magic(p, via->branch);
	return true;
}

#endif

/* False: malformed; then the element is empty. */
INLINE bool
cut_via(const uint8_t *p, struct bp_span value, uint32_t limit, struct bp_sip_via *via)
{
#if VECTOR
	clear(via, sizeof(*via));
	if (likely(cut_plain_via(p, value, limit, via)))
		return true;
#endif
	begin_via(via);
	return cut_any_via(p, value, limit, via);
}

#endif
