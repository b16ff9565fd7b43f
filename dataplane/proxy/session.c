/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Session timers as a proxy knows them (RFC 4028 8): asks for one by configuration, does not let one pass that is too
 * short, answers for a callee that does not know them, and notes when the session expires. The end is the
 * reaper's (reap.c).
 */
#include "proxy/context.h"

#define SESSION_S_MAX 0x7fffffffu
#define SESSION_S_DEFAULT_MIN 90u /* of Min-SE (RFC 4028 5) */

/* delta-seconds at the start of @value. False: there are none. *@digits: how many. */
static bool
read_seconds(const struct bp_sip_message *m, struct bp_span value, uint32_t *seconds, unsigned *digits)
{
	const uint8_t *text = m->bytes + value.offset;
	uint64_t number = 0;
	unsigned i = 0;

	for (; i < value.size && text[i] >= '0' && text[i] <= '9'; i++)
		if (number <= SESSION_S_MAX)
			number = number * 10 + (uint64_t)(text[i] - '0');
	*seconds = number < SESSION_S_MAX ? (uint32_t)number : SESSION_S_MAX;
	*digits = i;
	return i > 0;
}

static bool
supports_timer(const struct bp_sip_message *m)
{
	struct bp_sip_walk walk = {0};

	while (bp_sip_walk_next(m, BP_SIP_SUPPORTED, &walk))
		if (bp_span_is(m->bytes, walk.element, "timer"))
			return true;
	return false;
}

static unsigned
write_number(char *out, uint32_t number)
{
	char digits[10];
	unsigned count = 0, size = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		out[size++] = digits[--count];
	return size;
}

static unsigned
write_line(char *out, const char *name, uint32_t seconds, const char *end)
{
	unsigned size = (unsigned)strlen(name), tail = (unsigned)strlen(end);

	memcpy(out, name, size);
	size += write_number(out + size, seconds);
	memcpy(out + size, end, tail);
	return size + tail;
}

/* The number of header @id becomes @seconds, or a line with it comes behind the last one. */
static void
change(const struct bp_sip_message *m, struct bp_destination *destination, enum bp_sip_header_id id, const char *name,
	uint32_t seconds)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	struct bp_session_edit *edit = &destination->session_edits[destination->session_edit_count++];
	uint32_t unused;
	unsigned digits;

	if (header != NULL && read_seconds(m, header->value, &unused, &digits)) {
		*edit = (struct bp_session_edit){.offset = header->value.offset, .remove = (uint16_t)digits};
		edit->size = (uint8_t)write_number(edit->text, seconds);
	} else {
		*edit = (struct bp_session_edit){.offset = (uint16_t)(m->body_offset - 2)};
		edit->size = (uint8_t)write_line(edit->text, name, seconds, "\r\n");
	}
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int
refuse(struct bp_engine *engine, const struct bp_request *request)
{
	char extra[32];

	extra[write_line(extra, "Min-SE: ", engine->config->session_min_s, "\r\n")] = '\0';
	return bp_answer(engine, request, 422, extra);
}

/* What the request says. */
struct wish {
	bool has, timer;
	uint32_t seconds, min; /* min: of Min-SE, or its default */
	bool has_min;
};

static struct wish
read_wish(const struct bp_sip_message *m)
{
	const struct bp_sip_header *expires = bp_sip_first(m, BP_SIP_SESSION_EXPIRES);
	const struct bp_sip_header *min = bp_sip_first(m, BP_SIP_MIN_SE);
	struct wish wish = {.timer = supports_timer(m)};
	unsigned digits;

	wish.has = expires != NULL && read_seconds(m, expires->value, &wish.seconds, &digits);
	wish.has_min = min != NULL && read_seconds(m, min->value, &wish.min, &digits);
	if (!wish.has_min)
		wish.min = SESSION_S_DEFAULT_MIN;
	return wish;
}

int
bp_session_request(struct bp_engine *engine, const struct bp_request *request, struct bp_destination *destination)
{
	const struct bp_sip_message *m = request->m;
	uint32_t wanted = engine->config->session_s, least = engine->config->session_min_s, seconds;
	struct wish wish;

	if (wanted == 0 && m->first[BP_SIP_SESSION_EXPIRES] == 0)
		return 0;
	wish = read_wish(m);
	if (m->first[BP_SIP_SESSION_EXPIRES] != 0 && !wish.has)
		return 0; /* malformed: for those who use it */
	if (wish.has && wish.seconds < least && wish.timer)
		return refuse(engine, request);
	if (wish.has && wish.seconds < least && wish.min < least) { /* who cannot understand a 422 is helped */
		wish.min = least;
		change(m, destination, BP_SIP_MIN_SE, "Min-SE: ", least);
	}
	if (wish.has && wish.seconds < wish.min)
		seconds = wish.min;
	else if (wanted > 0 && (!wish.has || wish.seconds > wanted))
		seconds = larger(wanted, wish.min);
	else
		seconds = wish.seconds;
	if (!wish.has || seconds != wish.seconds)
		change(m, destination, BP_SIP_SESSION_EXPIRES, "Session-Expires: ", seconds);
	if (wanted > 0 || destination->session_edit_count > 0)
		destination->session = (seconds < SESSION_S_MAX ? seconds : SESSION_S_MAX) |
			(wish.timer ? BP_SESSION_TIMER : 0);
	return 0;
}

static const char *
refresher_of(const struct bp_sip_message *m, struct bp_span value, unsigned digits, struct bp_span *refresher)
{
	struct bp_span params = {.offset = (uint16_t)(value.offset + digits), .size = (uint16_t)(value.size - digits)};

	return bp_sip_param(m->bytes, params, "refresher", refresher) ? bp_sip_at(m, *refresher) : NULL;
}

uint32_t
bp_session_of_response(const struct bp_record *record, const struct bp_sip_message *m, bool *by_caller)
{
	const struct bp_sip_header *expires = bp_sip_first(m, BP_SIP_SESSION_EXPIRES);
	struct bp_span refresher;
	uint32_t seconds;
	unsigned digits;

	*by_caller = true;
	if (expires == NULL)
		return (record->session & BP_SESSION_TIMER) != 0 ? record->session & ~BP_SESSION_TIMER : 0;
	if (!read_seconds(m, expires->value, &seconds, &digits))
		return 0;
	*by_caller = refresher_of(m, expires->value, digits, &refresher) == NULL ||
		!bp_span_is(m->bytes, refresher, "uas");
	return larger(seconds, SESSION_S_DEFAULT_MIN); /* no UAS may say less (RFC 4028 9) */
}

/* Nobody behind us knows session timers, but the caller does: then he is the one who refreshes (8.2). */
void
bp_session_gather(
	struct bp_gather *gather, const struct bp_record *record, struct bp_session_lines *lines)
{
	const struct bp_sip_message *m = gather->m;
	const struct bp_sip_header *require = bp_sip_first(m, BP_SIP_REQUIRE);
	unsigned end = m->body_offset - 2u, size;

	size = write_line(lines->expires, "Session-Expires: ", record->session & ~BP_SESSION_TIMER, ";refresher=uac\r\n");
	bp_gather_change(gather, end, 0, lines->expires, size);
	if (require != NULL && require->value.size > 0)
		bp_gather_change(gather, require->value.offset, 0, "timer, ", sizeof("timer, ") - 1);
	else
		bp_gather_change(gather, end, 0, "Require: timer\r\n", sizeof("Require: timer\r\n") - 1);
}
