/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records as JSON lines and CSV, see format.h. One row of `fields` is one field: in both formats and in docs/cdr.md.
 */
#include "cdr/format.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

struct line {
	enum bp_cdr_format format;
	const struct bp_cdr *cdr;
	const struct bp_cdr_place *place;
	char *at;
};

struct field {
	const char *name;
	const char *kind; /* for the documentation */
	const char *text;
	void (*write)(struct line *line, unsigned argument);
	unsigned argument;
};

#define US_PER_S 1000000

/* ---- values ---- */

static void
put(struct line *line, const char *text)
{
	size_t size = strlen(text);

	memcpy(line->at, text, size);
	line->at += size;
}

/* Bytes of the well-formed UTF-8 character at @text (RFC 3629), 0: there is none. */
static unsigned
utf8_size(const unsigned char *text, size_t size)
{
	unsigned char c = text[0];
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || size <= more)
		return 0;
	for (unsigned i = 1; i <= more; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) || (c == 0xf0 && text[1] < 0x90) ||
		(c == 0xf4 && text[1] > 0x8f))
		return 0;
	return more + 1;
}

static void
put_ascii(struct line *line, unsigned char c)
{
	if (line->format == BP_CDR_CSV) {
		if (c < 0x20 || c == 0x7f) /* a record is one line, and no terminal is told anything */
			c = ' ';
		if (c == '"')
			*line->at++ = '"';
		*line->at++ = (char)c;
	} else if (c < 0x20 || c == 0x7f) {
		line->at += sprintf(line->at, "\\u%04x", c);
	} else {
		if (c == '"' || c == '\\')
			*line->at++ = '\\';
		*line->at++ = (char)c;
	}
}

/* Quoted. What is no UTF-8 becomes U+FFFD, byte by byte. */
static void
put_bytes(struct line *line, const char *text, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)text;

	*line->at++ = '"';
	for (size_t i = 0; i < size;) {
		unsigned count = utf8_size(bytes + i, size - i);

		if (count == 1) {
			put_ascii(line, bytes[i]);
		} else if (count > 1) {
			memcpy(line->at, bytes + i, count);
			line->at += count;
		} else {
			put(line, "\xef\xbf\xbd");
			count = 1;
		}
		i += count;
	}
	*line->at++ = '"';
}

static void
put_text(struct line *line, const char *text)
{
	put_bytes(line, text, strlen(text));
}

static void
put_nothing(struct line *line)
{
	if (line->format == BP_CDR_JSON)
		put(line, "null");
}

static void
put_time(struct line *line, uint64_t us)
{
	uint64_t utc_us = us + (uint64_t)line->place->offset_us;
	time_t seconds = (time_t)(utc_us / US_PER_S);
	char text[48];
	struct tm tm;
	size_t size;

	if (us == 0) {
		put_nothing(line);
		return;
	}
	gmtime_r(&seconds, &tm);
	size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + size, sizeof(text) - size, ".%03uZ", (unsigned)(utc_us % US_PER_S / 1000));
	put_text(line, text);
}

static void
put_ms(struct line *line, uint64_t from_us, uint64_t to_us)
{
	line->at += sprintf(line->at, "%" PRIu64, to_us > from_us ? (to_us - from_us) / 1000 : 0);
}

/* ---- fields ---- */

static void
write_id(struct line *line, unsigned unused)
{
	char id[80];

	snprintf(id, sizeof(id), "%u-%" PRIx64 "-%u-%" PRIu64, line->place->node, line->place->started_us,
		line->cdr->worker, line->cdr->serial);
	put_text(line, id);
}

static void
write_attempt(struct line *line, unsigned unused)
{
	char id[24];

	snprintf(id, sizeof(id), "%016" PRIx64, line->cdr->attempt);
	put_text(line, id);
}

static void
write_kind(struct line *line, unsigned unused)
{
	put_text(line, line->cdr->kind == BP_CDR_DIALOG ? "dialog" : "attempt");
}

static void
write_node(struct line *line, unsigned unused)
{
	line->at += sprintf(line->at, "%u", line->place->node);
}

enum { START, RING, ANSWER, END };

static void
write_time(struct line *line, unsigned which)
{
	const struct bp_cdr *cdr = line->cdr;

	put_time(line, which == START ? cdr->start_us
			: which == RING ? atomic_load(&cdr->ring_us)
			: which == ANSWER ? cdr->answer_us
					  : cdr->end_us);
}

static void
write_text(struct line *line, unsigned which)
{
	put_bytes(line, bp_cdr_text(line->cdr, which), line->cdr->sizes[which]);
}

static void
write_user(struct line *line, unsigned which)
{
	const uint8_t *user = line->cdr->users[which - BP_CDR_TEXT_from];

	put_bytes(line, bp_cdr_text(line->cdr, which) + user[0], user[1]);
}

static void
write_trunk_in(struct line *line, unsigned unused)
{
	put_text(line, line->place->trunk_in);
}

enum { SOURCE, TARGET };

static void
write_flow(struct line *line, unsigned which)
{
	const struct bp_flow *flow = which == SOURCE ? &line->cdr->source : &line->cdr->target;
	bool v4 = bp_ip_is_v4(&flow->ip);
	char ip[INET6_ADDRSTRLEN], text[64] = "";

	inet_ntop(v4 ? AF_INET : AF_INET6, flow->ip.bytes + (v4 ? 12 : 0), ip, sizeof(ip));
	if (flow->port != 0)
		snprintf(text, sizeof(text), v4 ? "%s:%u" : "[%s]:%u", ip, flow->port);
	put_text(line, text);
}

static void
write_status(struct line *line, unsigned unused)
{
	line->at += sprintf(line->at, "%u", line->cdr->status);
}

static void
write_reason(struct line *line, unsigned unused)
{
	put_bytes(line, line->cdr->reason, line->cdr->reason_size);
}

static const char *const enders[] = {
#define X(name, text) #name,
	BP_CDR_ENDERS(X)
#undef X
};

static const char *const whys[] = {
#define X(name, text) #name,
	BP_CDR_FAILURES(X) BP_DIALOG_ENDS(X)
#undef X
};
static_assert(sizeof(whys) / sizeof(whys[0]) == BP_CDR_WHY_COUNT, "in the order of enum bp_cdr_why");

static const char *const races[] = {
#define X(name, text) #name,
	BP_CDR_RACES(X)
#undef X
};

static void
write_ender(struct line *line, unsigned unused)
{
	put_text(line, enders[line->cdr->ended_by]);
}

static void
write_why(struct line *line, unsigned unused)
{
	put_text(line, whys[line->cdr->why]);
}

static void
write_pdd(struct line *line, unsigned unused)
{
	const struct bp_cdr *cdr = line->cdr;
	uint64_t ring_us = atomic_load(&cdr->ring_us);

	put_ms(line, cdr->start_us, ring_us ? ring_us : cdr->answer_us ? cdr->answer_us : cdr->end_us);
}

static void
write_duration(struct line *line, unsigned unused)
{
	if (line->cdr->kind == BP_CDR_DIALOG)
		put_ms(line, line->cdr->answer_us, line->cdr->end_us);
	else
		put_nothing(line);
}

/* JSON: a list. CSV: with spaces between. */
static void
write_races(struct line *line, unsigned unused)
{
	uint32_t bits = atomic_load(&line->cdr->races);
	const char *between = "";

	put(line, line->format == BP_CDR_JSON ? "[" : "\"");
	for (unsigned i = 0; i < BP_CDR_RACE_COUNT; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		put(line, between);
		if (line->format == BP_CDR_JSON)
			put_text(line, races[i]);
		else
			put(line, races[i]);
		between = line->format == BP_CDR_JSON ? "," : " ";
	}
	put(line, line->format == BP_CDR_JSON ? "]" : "\"");
}

static void
write_cut(struct line *line, unsigned unused)
{
	put(line, line->cdr->cut ? "true" : "false");
}

/* clang-format off */
#define FIELDS(X) \
	X(id, "text", "Unique: node, start of the daemon, worker, number.", write_id, 0) \
	X(attempt, "text", "The same in all records of one INVITE: those of a fork that was answered twice.", write_attempt, 0) \
	X(kind, "word", "`dialog`, or `attempt`: an INVITE of which no dialog came.", write_kind, 0) \
	X(node, "number", "`node` of the configuration.", write_node, 0) \
	X(start, "time", "The INVITE came.", write_time, START) \
	X(ring, "time or null", "The first provisional response but 100 went to the caller.", write_time, RING) \
	X(answer, "time or null", "The 2xx went to the caller.", write_time, ANSWER) \
	X(end, "time", "Dialog: the BYE came that ended it, or the edge ended it. Attempt: the final response.", write_time, END) \
	X(pdd_ms, "number", "Post-dial delay: from `start` to `ring`, else to the final response.", write_pdd, 0) \
	X(duration_ms, "number or null", "Of a dialog, from `answer` to `end`: what is billed.", write_duration, 0) \
	X(call_id, "text", "Call-ID.", write_text, BP_CDR_TEXT_call_id) \
	X(calling, "text", "User part of From.", write_user, BP_CDR_TEXT_from) \
	X(called, "text", "User part of the Request-URI.", write_user, BP_CDR_TEXT_request_uri) \
	X(from, "text", "URI of From.", write_text, BP_CDR_TEXT_from) \
	X(to, "text", "URI of To.", write_text, BP_CDR_TEXT_to) \
	X(request_uri, "text", "Request-URI as it came.", write_text, BP_CDR_TEXT_request_uri) \
	X(asserted, "text", "URI of the first P-Asserted-Identity (RFC 3325), when the realm that it came from is trusted.", \
		write_text, BP_CDR_TEXT_asserted) \
	X(realm_in, "text", "Realm that the INVITE came from.", write_text, BP_CDR_TEXT_realm_in) \
	X(realm_out, "text", "Realm that it went to.", write_text, BP_CDR_TEXT_realm_out) \
	X(trunk_in, "text", "Trunk that has the sender's address as a target.", write_trunk_in, 0) \
	X(trunk_out, "text", "Trunk that it was sent to.", write_text, BP_CDR_TEXT_trunk_out) \
	X(source, "text", "Address and port that the INVITE came from.", write_flow, SOURCE) \
	X(target, "text", "Address and port that answered, or that it was sent to last; empty: nowhere.", write_flow, TARGET) \
	X(code, "number", "Final response to the INVITE.", write_status, 0) \
	X(ended_by, "word", "Who ended it.", write_ender, 0) \
	X(why, "word", "Why it ended.", write_why, 0) \
	X(reason, "text", "First Reason of the BYE or CANCEL that ended it (RFC 3326).", write_reason, 0) \
	X(races, "words", "Races that it went through. JSON: a list; CSV: with spaces between.", write_races, 0) \
	X(cut, "true or false", "Whether a text was longer than 255 bytes, or `reason` than 94, and lost its end.", write_cut, 0)

static const struct field fields[] = {
#define X(name, kind, text, write, argument) {#name, kind, text, write, argument},
	FIELDS(X)
#undef X
};

#define X(name, kind, text, write, argument) "," #name
static const char names[] = FIELDS(X) "\r\n";
#undef X
/* clang-format on */

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

const char *
bp_cdr_head(enum bp_cdr_format format)
{
	return format == BP_CDR_CSV ? names + 1 : "";
}

size_t
bp_cdr_format(enum bp_cdr_format format, const struct bp_cdr *cdr, const struct bp_cdr_place *place, char *out)
{
	struct line line = {.format = format, .cdr = cdr, .place = place, .at = out};

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (format == BP_CDR_JSON)
			line.at += sprintf(line.at, "%c\"%s\":", i == 0 ? '{' : ',', fields[i].name);
		else if (i > 0)
			*line.at++ = ',';
		fields[i].write(&line, fields[i].argument);
	}
	put(&line, format == BP_CDR_JSON ? "}\n" : "\r\n");
	return (size_t)(line.at - out);
}

void
bp_cdr_describe(FILE *stream)
{
	static const char *const tables[][2] = {
#define X(name, text) {#name, text},
		{"`ended_by`", NULL}, BP_CDR_ENDERS(X)
		{"`why` of an attempt", NULL}, BP_CDR_FAILURES(X)
		{"`why` of a dialog", NULL}, BP_DIALOG_ENDS(X)
		{"`races`", NULL}, BP_CDR_RACES(X)
#undef X
	};

	fprintf(stream, "| field | value | what it says |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < FIELD_COUNT; i++)
		fprintf(stream, "| `%s` | %s | %s |\n", fields[i].name, fields[i].kind, fields[i].text);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (tables[i][1] == NULL)
			fprintf(stream, "\n### %s\n\n| word | what happened |\n| --- | --- |\n", tables[i][0]);
		else
			fprintf(stream, "| `%s` | %s |\n", tables[i][0], tables[i][1]);
	}
}
