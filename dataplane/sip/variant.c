/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One variant of the parser and the cutters. Compiled several times, for another
 * instruction set each; meson.build gives VARIANT, its name, and the compiler's options. All of it is static but
 * the table at the end, so that one variant never runs code of another. Neighbour: scan.c chooses.
 */
#include "sip/match_shape.h"
#include "sip/parse_message.h"

#define PASTE(a, b) a##b
#define NAME(variant) PASTE(bp_variant_, variant)
#define TEXT_OF(x) #x
#define STRING(x) TEXT_OF(x)

/* Less than this variant can work on goes to plain C. */
#if VECTOR
#define HAND_ON(size, call)                                                                                   \
	if (unlikely((size) < LIMIT_MIN))                                                                     \
	return bp_variant_plain.call
#else
#define HAND_ON(size, call)
#endif

static bool
supported(void)
{
#if defined(__AVX512VBMI2__)
	/* VBMI2 is for the choice alone: processors before it slow down for vectors of 64 bytes */
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") &&
	       __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
#elif defined(__AVX2__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
#elif defined(__SSE4_2__)
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#else
	return true;
#endif
}

static enum bp_sip_fault parse(
	struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits);

/* Line ends before the message (7.5), too many bytes, too few for this variant: put right, then begun again. */
NOINLINE enum bp_sip_fault
parse_odd(struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits)
{
	if (size > BP_SIP_MESSAGE_SIZE_MAX)
		size = BP_SIP_MESSAGE_SIZE_MAX;
	while (size > 0 && (bytes[0] == '\r' || bytes[0] == '\n')) {
		bytes++;
		size--;
	}
	if (size >= LIMIT_MIN)
		return parse(m, bytes, size, limits);
	HAND_ON(size, parse(m, bytes, size, limits));
	clear(m, offsetof(struct bp_sip_message, headers));
	m->max_forwards = -1;
	m->bytes = bytes;
	fault(m, BP_SIP_FAULT_EMPTY, 0);
	return m->fault;
}

static enum bp_sip_fault
parse(struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits)
{
	if (unlikely(size - LIMIT_MIN > BP_SIP_MESSAGE_SIZE_MAX - LIMIT_MIN || bytes[0] == '\r' ||
		     bytes[0] == '\n'))
		return parse_odd(m, bytes, size, limits);
	/* headers[] is large and need not be cleared: header_count and first[] say what there is */
	clear(m, offsetof(struct bp_sip_message, headers));
	m->max_forwards = -1;
	m->bytes = bytes;
	m->size = (uint16_t)size;
	parse_message(m, bytes, size, limits);
	return m->fault;
}

/* Without vectors of 32 bytes shapes are not worth it. */
static enum bp_sip_fault
parse_shaped(struct bp_sip_shapes *shapes, struct bp_sip_message *m, const uint8_t *bytes, uint32_t size,
	const struct bp_sip_limits *limits)
{
#if defined(__AVX2__)
	uint64_t key = 0;

	if (likely(size - BP_SHAPE_HEAD_MIN <= BP_SIP_MESSAGE_SIZE_MAX - BP_SHAPE_HEAD_MIN)) {
		key = find_shape(shapes, m, bytes, size, limits);
		if (likely(key == 0)) {
			shapes->found++;
			return BP_SIP_FAULT_NONE;
		}
	}
	parse(m, bytes, size, limits);
	if (key != 0)
		bp_shape_missed(shapes, key, m, limits);
	return m->fault;
#else
	return parse(m, bytes, size, limits);
#endif
}

static bool
walk_next(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_walk *walk)
{
	HAND_ON(m->size, walk_next(m, id, walk));
	return walk_list(m, id, m->size, walk);
}

static bool
first_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri)
{
#if VECTOR
	if (likely(m->size >= LIMIT_MIN))
		return first_uri_of(m, id, uri);
	return bp_variant_plain.first_uri(m, id, uri);
#else
	return first_any_uri(m, id, uri);
#endif
}

static bool
first_address(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address)
{
#if VECTOR
	if (likely(m->size >= LIMIT_MIN))
		return first_address_of(m, id, address);
	return bp_variant_plain.first_address(m, id, address);
#else
	return first_any_address(m, id, address);
#endif
}

static bool
via_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_via *via)
{
	HAND_ON(span_end(value), via_cut(bytes, value, via));
	return cut_via(bytes, value, span_end(value), false, via);
}

static bool
line_via(const struct bp_sip_message *m, const struct bp_sip_header *header, struct bp_sip_via *via)
{
	HAND_ON(m->size, line_via(m, header, via));
	return cut_via(m->bytes, header->value, m->size, true, via);
}

static bool
uri_cut(const uint8_t *bytes, struct bp_span span, struct bp_sip_uri *uri)
{
	HAND_ON(span_end(span), uri_cut(bytes, span, uri));
	return cut_uri(bytes, span, span_end(span), uri);
}

static bool
address_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_address *address)
{
	HAND_ON(span_end(value), address_cut(bytes, value, address));
	return cut_address(bytes, value, span_end(value), address);
}

static bool
param(const uint8_t *bytes, struct bp_span params, const char *name, struct bp_span *value)
{
	HAND_ON(span_end(params), param(bytes, params, name, value));
	return find_param(bytes, params, span_end(params), name, value);
}

static uint32_t
find_only(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	HAND_ON(end, find(bytes, at, end, set));
	return (uint32_t)find(bytes, at, end, end, set);
}

static uint32_t
find_other_only(const uint8_t *bytes, uint32_t at, uint32_t end, const struct bp_scan_set *set)
{
	HAND_ON(end, find_other(bytes, at, end, set));
	return (uint32_t)skip(bytes, at, end, end, set);
}

const struct bp_variant NAME(VARIANT) = {
	.name = STRING(VARIANT),
	.supported = supported,
	.parse = parse,
	.parse_shaped = parse_shaped,
	.walk_next = walk_next,
	.first_uri = first_uri,
	.first_address = first_address,
	.via_cut = via_cut,
	.line_via = line_via,
	.uri_cut = uri_cut,
	.address_cut = address_cut,
	.param = param,
	.find = find_only,
	.find_other = find_other_only,
	.lines = scan_lines,
};
