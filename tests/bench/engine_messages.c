/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The messages that the caller and the callee of `byepass-bench engine` send, as carriers' equipment writes them, and
 * how those look that the edge sends on. All fields that differ from call to call have a fixed width, so that a
 * message is a copy and a few patches.
 *
 * In the texts: %N the call's number, %B the edge's branch, %1 and %2 its route tokens.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define VIA_CALLER(kind) "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---" kind "%N;rport\r\n"
#define VIA_BACK(kind) "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=%B\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---" kind "%N;rport=5060;received=192.0.2.10\r\n"
#define FROM "From: \"Alice Liddell\" <sip:+4930%N@192.0.2.10>;tag=9fxced76sl-%N\r\n"
#define TO "To: <sip:+4940%N@192.0.2.1>\r\n"
#define TO_TAGGED "To: <sip:+4940%N@192.0.2.1>;tag=314159a6cv-%N\r\n"
#define CALL_ID "Call-ID: 3848276298220188511-%N@192.0.2.10\r\n"
#define RECORD_ROUTE "Record-Route: <sip:%1@10.0.0.1:5060;lr>\r\nRecord-Route: <sip:%2@192.0.2.1:5060;lr>\r\n"
#define ROUTE "Route: <sip:%2@192.0.2.1:5060;lr>\r\nRoute: <sip:%1@10.0.0.1:5060;lr>\r\n"
#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, PRACK, OPTIONS, UPDATE, INFO, REFER, NOTIFY\r\n"
#define CONTACT_CALLER "Contact: <sip:+4930%N@192.0.2.10:5060;transport=udp>\r\n"
#define CONTACT_CALLEE "Contact: <sip:+4940%N@10.0.0.2:5060;transport=udp>\r\n"
#define AGENT_CALLER "User-Agent: Carrier-SBC/7.4.1 (build 20231114)\r\n"
#define AGENT_CALLEE "Server: Softswitch/12.3\r\n"
#define SDP(ip) "v=0\r\no=carrier 2890844526 2890844526 IN IP4 " ip "\r\ns=call\r\nc=IN IP4 " ip "\r\nt=0 0\r\n" \
	"m=audio 49172 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n" \
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
#define NO_BODY "Content-Length: 0\r\n\r\n"
#define BODY_CALLER "Content-Type: application/sdp\r\nContent-Length: 243\r\n\r\n" SDP("192.0.2.10")
#define BODY_CALLEE "Content-Type: application/sdp\r\nContent-Length: 239\r\n\r\n" SDP("10.0.0.2")

#define INVITE "INVITE sip:+4940%N@192.0.2.1 SIP/2.0\r\n" VIA_CALLER("i") "Max-Forwards: 70\r\n" FROM TO CALL_ID \
	"CSeq: 1 INVITE\r\n" CONTACT_CALLER ALLOW "Supported: timer, 100rel\r\n" AGENT_CALLER BODY_CALLER
#define RINGING "SIP/2.0 180 Ringing\r\n" VIA_BACK("i") RECORD_ROUTE FROM TO_TAGGED CALL_ID "CSeq: 1 INVITE\r\n" \
	CONTACT_CALLEE AGENT_CALLEE NO_BODY
#define ANSWER "SIP/2.0 200 OK\r\n" VIA_BACK("i") RECORD_ROUTE FROM TO_TAGGED CALL_ID "CSeq: 1 INVITE\r\n" \
	CONTACT_CALLEE ALLOW AGENT_CALLEE BODY_CALLEE
#define TO_CALLEE(method, kind, cseq) method " sip:+4940%N@10.0.0.2:5060;transport=udp SIP/2.0\r\n" \
	VIA_CALLER(kind) ROUTE "Max-Forwards: 70\r\n" FROM TO_TAGGED CALL_ID "CSeq: " cseq " " method "\r\n" \
	AGENT_CALLER NO_BODY
#define BYE_ANSWER "SIP/2.0 200 OK\r\n" VIA_BACK("b") FROM TO_TAGGED CALL_ID "CSeq: 2 BYE\r\n" AGENT_CALLEE NO_BODY

#define IN_TRANSACTION(method, to) method " sip:+4940%N@192.0.2.1 SIP/2.0\r\n" VIA_CALLER("i") \
	"Max-Forwards: 70\r\n" FROM to CALL_ID "CSeq: 1 " method "\r\n" AGENT_CALLER NO_BODY
#define CANCEL_ANSWER "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=%B\r\n" FROM TO_TAGGED CALL_ID \
	"CSeq: 1 CANCEL\r\n" AGENT_CALLEE NO_BODY
#define TERMINATED "SIP/2.0 487 Request Terminated\r\n" VIA_BACK("i") FROM TO_TAGGED CALL_ID \
	"CSeq: 1 INVITE\r\n" AGENT_CALLEE NO_BODY

static struct engine_scenario scenarios[] = {
	{"bye", {
		{.name = "INVITE", .text = INVITE, .out_count = 2,
			.out = {{.begin = "SIP/2.0 100 ", .upstream = true}, {.begin = "INVITE "}}},
		{.name = "180", .from_callee = true, .text = RINGING, .out_count = 1,
			.out = {{.begin = "SIP/2.0 180 ", .upstream = true}}},
		{.name = "200", .from_callee = true, .text = ANSWER, .out_count = 1,
			.out = {{.begin = "SIP/2.0 200 ", .upstream = true}}},
		{.name = "ACK", .text = TO_CALLEE("ACK", "a", "1"), .out_count = 1, .out = {{.begin = "ACK "}}},
		{.name = "BYE", .text = TO_CALLEE("BYE", "b", "2"), .out_count = 1, .out = {{.begin = "BYE "}}},
		{.name = "200 (BYE)", .from_callee = true, .text = BYE_ANSWER, .out_count = 1,
			.out = {{.begin = "SIP/2.0 200 ", .upstream = true}}},
	}},
	{"cancel", {
		{.name = "INVITE", .text = INVITE, .out_count = 2,
			.out = {{.begin = "SIP/2.0 100 ", .upstream = true}, {.begin = "INVITE "}}},
		{.name = "180", .from_callee = true, .text = RINGING, .out_count = 1,
			.out = {{.begin = "SIP/2.0 180 ", .upstream = true}}},
		{.name = "CANCEL", .text = IN_TRANSACTION("CANCEL", TO), .out_count = 2,
			.out = {{.begin = "SIP/2.0 200 ", .upstream = true, .own_tag = true}, {.begin = "CANCEL "}}},
		{.name = "200 (CANCEL)", .from_callee = true, .text = CANCEL_ANSWER, .out_count = 0},
		{.name = "487", .from_callee = true, .text = TERMINATED, .out_count = 2,
			.out = {{.begin = "ACK "}, {.begin = "SIP/2.0 487 ", .upstream = true}}},
		{.name = "ACK", .text = IN_TRANSACTION("ACK", TO_TAGGED), .out_count = 0},
	}},
};
/* clang-format on */

struct engine_scenario *
engine_scenario(const char *name)
{
	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

static unsigned
field_size(unsigned field, unsigned token_size)
{
	return field == ENGINE_CALL_NUMBER ? ENGINE_NUMBER : field == ENGINE_BRANCH ? BP_BRANCH_ID_SIZE : token_size;
}

static void
compile(struct engine_template *t, const char *text, unsigned token_size)
{
	static const char letters[] = "NB12";

	for (; *text != '\0'; text++) {
		const char *letter = *text == '%' ? strchr(letters, text[1]) : NULL;

		if (letter == NULL) {
			t->bytes[t->size++] = (uint8_t)*text;
			continue;
		}
		if (t->count == ENGINE_FIELDS_MAX)
			abort();
		t->fields[t->count].offset = (uint16_t)t->size;
		t->fields[t->count++].field = (uint8_t)(letter - letters);
		t->size += field_size((unsigned)(letter - letters), token_size);
		text++;
	}
}

void
engine_compile(struct engine_scenario *scenario, unsigned token_size)
{
	for (unsigned i = 0; i < ENGINE_STEPS; i++)
		if ((i == 0) == (token_size == 0))
			compile(&scenario->steps[i].in, scenario->steps[i].text, token_size);
}

static void
write_number(uint64_t number, char out[ENGINE_NUMBER])
{
	for (unsigned i = ENGINE_NUMBER; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
}

static unsigned tokens_of; /* size of a token, from the first INVITE */

uint32_t
engine_fill(const struct engine_step *step, const struct engine_call *call, uint64_t number, uint8_t *out)
{
	const struct engine_template *t = &step->in;
	char digits[ENGINE_NUMBER];

	write_number(number, digits);
	memcpy(out, t->bytes, t->size);
	for (unsigned i = 0; i < t->count; i++) {
		uint8_t *to = out + t->fields[i].offset;

		switch ((enum engine_field)t->fields[i].field) {
		case ENGINE_CALL_NUMBER:
			memcpy(to, digits, ENGINE_NUMBER);
			break;
		case ENGINE_BRANCH:
			memcpy(to, call->branch, BP_BRANCH_ID_SIZE);
			break;
		case ENGINE_TOKEN_0:
			memcpy(to, call->tokens[0], tokens_of);
			break;
		case ENGINE_TOKEN_1:
			memcpy(to, call->tokens[1], tokens_of);
			break;
		}
	}
	return t->size;
}

static uint16_t
find(const struct engine_expected *e, const char *text, unsigned from)
{
	const uint8_t *at = memmem(e->bytes + from, e->size - from, text, strlen(text));

	return at ? (uint16_t)(at - e->bytes + strlen(text)) : 0;
}

/* The first of its kind: how the others must look. */
static bool
learn(struct engine_expected *e, uint64_t number, const uint8_t *bytes, uint32_t size)
{
	char digits[ENGINE_NUMBER + 1];
	const char *end;
	uint16_t at = 0;

	if (size > sizeof(e->bytes) || size < strlen(e->begin) || memcmp(bytes, e->begin, strlen(e->begin)) != 0)
		return false;
	memcpy(e->bytes, bytes, size);
	e->size = size;
	write_number(number, digits);
	digits[ENGINE_NUMBER] = '\0';
	while ((at = find(e, digits, at)) != 0 && e->number_count < ENGINE_FIELDS_MAX)
		e->numbers[e->number_count++] = (uint16_t)(at - ENGINE_NUMBER);
	e->tag_at = e->own_tag ? find(e, ";tag=", find(e, "\r\nTo:", 0)) : 0;
	e->branch_at = e->upstream ? 0 : find(e, ";branch=", 0);
	if (!e->upstream && memcmp(bytes, "INVITE", 6) == 0) {
		e->token_at[0] = find(e, "Record-Route: <sip:", 0);
		e->token_at[1] = find(e, "Record-Route: <sip:", e->token_at[0]);
		end = memchr(e->bytes + e->token_at[0], '@', ENGINE_TOKEN);
		if (e->token_at[1] == 0 || end == NULL)
			return false;
		tokens_of = (unsigned)(end - (const char *)e->bytes) - e->token_at[0];
	}
	e->learned = true;
	return e->number_count > 0;
}

unsigned
engine_token_size(const struct engine_expected *invite)
{
	return tokens_of;
}

/* The whole message, but for the edge's own fields: those of Record-Route come back in 180 and 200. */
static bool
is_as_learned(const struct engine_expected *e, const struct engine_call *call, uint64_t number, const uint8_t *bytes)
{
	uint8_t copy[ENGINE_SIZE_MAX];
	char digits[ENGINE_NUMBER];
	uint32_t at = 0;

	write_number(number, digits);
	memcpy(copy, e->bytes, e->size);
	for (unsigned i = 0; i < e->number_count; i++)
		memcpy(copy + e->numbers[i], digits, ENGINE_NUMBER);
	if (e->branch_at)
		memcpy(copy + e->branch_at, bytes + e->branch_at, BP_BRANCH_ID_SIZE);
	if (e->tag_at)
		memcpy(copy + e->tag_at, bytes + e->tag_at, 16);
	for (unsigned i = 0; i < 2 && !e->upstream; i++)
		if (e->token_at[i])
			memcpy(copy + e->token_at[i], bytes + e->token_at[i], tokens_of);
	for (unsigned i = 0; i < 2 && e->upstream; i++) {
		uint16_t token = find(e, "Record-Route: <sip:", at);

		if (token == 0)
			break;
		memcpy(copy + token, call->tokens[i], tokens_of);
		at = token;
	}
	return memcmp(copy, bytes, e->size) == 0;
}

bool
engine_take(struct engine_expected *e, struct engine_call *call, uint64_t number, const uint8_t *bytes, uint32_t size,
	bool whole)
{
	char digits[ENGINE_NUMBER];

	if (!e->learned && !learn(e, number, bytes, size))
		return false;
	write_number(number, digits);
	if (size != e->size || memcmp(bytes, e->begin, strlen(e->begin)) != 0 ||
		memcmp(bytes + e->numbers[e->number_count - 1], digits, ENGINE_NUMBER) != 0)
		return false;
	if (e->branch_at)
		memcpy(call->branch, bytes + e->branch_at, BP_BRANCH_ID_SIZE);
	if (e->token_at[1]) {
		memcpy(call->tokens[0], bytes + e->token_at[0], tokens_of);
		memcpy(call->tokens[1], bytes + e->token_at[1], tokens_of);
	}
	return !whole || is_as_learned(e, call, number, bytes);
}
