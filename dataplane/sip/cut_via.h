/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cuts a Via open: protocol, sent-by, and the parameters that route responses. What is
 * written without white space goes the short way. RFC 3261 20.42, 25.1; RFC 3581. Private to variant.c.
 */
#ifndef BYEPASS_SIP_CUT_VIA_H
#define BYEPASS_SIP_CUT_VIA_H

#include "sip/param.h"

/* "SIP / 2.0 / UDP", white space as it likes. The position behind the space that follows, 0: malformed. */
static size_t
cut_protocol(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_span *transport)
{
	for (unsigned part = 0; part < 3; part++) {
		size_t stop = skip(p, at, end, limit, &bp_set_token);

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
cut_port(const uint8_t *p, size_t *at, size_t end)
{
	uint32_t port = 0;
	size_t i = *at;

	for (; i < end && p[i] >= '0' && p[i] <= '9' && port <= UINT16_MAX; i++)
		port = port * 10 + (uint32_t)(p[i] - '0');
	*at = i;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* host [ COLON port ]. The position behind it and the white space that follows, 0: malformed. */
static size_t
cut_sent_by(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_via *via)
{
	size_t stop, after;

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
cut_any_via(const uint8_t *p, struct bp_span value, size_t limit, struct bp_sip_via *via)
{
	size_t at = skip_lws(p, value.offset, span_end(value)), begin = at;
	size_t end = trim_lws(p, at, span_end(value));
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

/* A name of @size letters that ends at @end, in lower case, in the upper bytes of a word. What stands before it in
 * the message fills the lower ones. */
INLINE uint64_t
name_word(const uint8_t *p, size_t end)
{
	return bp_load8(p + end - 8) | 0x2020202020202020;
}

#define NAME_IS(word, size, name)                                                                             \
	((size) == sizeof(name) - 1 &&                                                                        \
		(word) >> (64 - 8 * (sizeof(name) - 1)) == (bp_load8(name "\0\0\0\0\0\0\0") & NAME_BYTES(name)))
#define NAME_BYTES(name) (UINT64_MAX >> (64 - 8 * (sizeof(name) - 1)))

/* The parameter [begin, end) and its value, which is empty when it has none. False: it stood before, or lacks its
 * value. */
INLINE bool
take_plain_via_param(const uint8_t *p, size_t begin, size_t end, struct bp_span value, struct bp_sip_via *via)
{
	uint64_t word = name_word(p, end);
	size_t size = end - begin;

	if (NAME_IS(word, size, "branch"))
		return take_value(&via->branch, value);
	if (NAME_IS(word, size, "rport")) {
		if (unlikely(via->rport_at))
			return false;
		via->rport_at = (uint16_t)end;
		via->rport = value;
		return true;
	}
	if (NAME_IS(word, size, "received"))
		return take_value(&via->received, value);
	return likely(!NAME_IS(word, size, "maddr")) || take_value(&via->maddr, value);
}

/* Further parameters, from the ';' at @at on. As below. */
NOINLINE bool
cut_more_params(const uint8_t *p, size_t at, size_t end, size_t limit, struct bp_sip_via *via)
{
	struct stops stops;

	stops_begin(&stops, p, at + 1, limit, &bp_set_param);
	for (;;) {
		size_t begin = at + 1, name_end = stops_next(&stops, p, limit, &bp_set_param);
		struct bp_span value = {0, 0};

		at = name_end;
		if (p[at] == '=') {
			at = stops_next(&stops, p, limit, &bp_set_param);
			value = make_span(name_end + 1, at);
			if (unlikely(value.size == 0))
				return false;
		}
		if (unlikely(name_end == begin || !take_plain_via_param(p, begin, name_end, value, via)))
			return false;
		if (p[at] != ';')
			return at == end;
	}
}

/* A Via written as nearly all are: "SIP/2.0/UDP host:port;params", the only one of its value. @in_line: a byte follows
 * it that no Via has. @via is all zero. False: it is not plain; what was found so far does not count. */
INLINE bool
cut_plain_via(const uint8_t *p, struct bp_span whole, size_t limit, bool in_line, struct bp_sip_via *via)
{
	size_t at = whole.offset, end = at + whole.size, stop, next;
	uint64_t stops, at_end = 0;
	struct window window;
	uint32_t transport;

	if (unlikely(whole.size < 14 || bp_load8(p + at) != bp_load8("SIP/2.0/")))
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
	if (!in_line && end - at < 64)
		at_end = (uint64_t)1 << (end - at);
	window_load(&window, p, at, limit);
	stops = window_out(&window, &bp_set_host) | at_end;
	stop = low_zeros(stops);
	if (unlikely(stop - 1 >= 62))
		return false;
	via->host = (struct bp_span){(uint16_t)at, (uint16_t)stop};
#define BYTE(i) (in_line || at + (i) < end ? p[at + (i)] : 0)
	if (BYTE(stop) == ':') {
		stops &= stops - 1;
		next = low_zeros(stops);
		via->port = unlikely(next >= 63) ? 0 : read_port(p, at + stop + 1, at + next);
		if (unlikely(via->port == 0))
			return false;
		stop = next;
	}
	via->sent_by = (struct bp_span){(uint16_t)at, (uint16_t)stop};
	via->element = whole;
	via->last = true;
	via->params = make_span(at + stop, end);
	if (unlikely(BYTE(stop) != ';')) {
		via->params.offset = 0;
		return at + stop == end;
	}
	/* names and values are mostly made of what a host is made of */
	for (;;) {
		size_t begin = stop + 1, name_end;
		struct bp_span value = {0, 0};

		stops &= stops - 1;
		name_end = next = low_zeros(stops);
		/* what is not over with the window is cut from its beginning */
		if (unlikely(stops == 0))
			break;
		if (BYTE(name_end) == '=') {
			do {
				stops &= stops - 1;
				next = low_zeros(stops);
			} while (likely(stops != 0) && BYTE(next) != ';' && bp_set_has(&bp_set_param, BYTE(next)));
			if (unlikely(stops == 0))
				break;
			value = make_span(at + name_end + 1, at + next);
			if (unlikely(value.size == 0))
				return false;
		}
		if (unlikely(name_end == begin || !take_plain_via_param(p, at + begin, at + name_end, value, via)))
			return false;
		stop = next;
		if (BYTE(stop) != ';') {
			via->magic = is_magic(p, via->branch);
			return at + stop == end;
		}
	}
#undef BYTE
	if (!in_line || !cut_more_params(p, at + stop, end, limit, via))
		return false;
	via->magic = is_magic(p, via->branch);
	return true;
}

#endif

/* @in_line: as above. False: malformed; then the element is empty. */
INLINE bool
cut_via(const uint8_t *p, struct bp_span value, size_t limit, bool in_line, struct bp_sip_via *via)
{
#if VECTOR
	clear(via, sizeof(*via));
	if (likely(cut_plain_via(p, value, limit, in_line, via)))
		return true;
#endif
	begin_via(via);
	return cut_any_via(p, value, limit, via);
}

#endif
