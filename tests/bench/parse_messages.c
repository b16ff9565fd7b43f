/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The messages that parsers are measured with: five of one call, as the second proxy
 * on its way receives them, and a thousand of other calls, drawn by a seeded generator.
 */
#include "parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SDP                                                                                                  \
	"v=0\r\n"                                                                                            \
	"o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\n"                                \
	"s=-\r\n"                                                                                            \
	"c=IN IP4 192.0.2.101\r\n"                                                                           \
	"t=0 0\r\n"                                                                                          \
	"m=audio 49172 RTP/AVP 0\r\n"                                                                        \
	"a=rtpmap:0 PCMU/8000\r\n"

static const char invite[] =
	"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n"
	"Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;rport\r\n"
	"Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101\r\n"
	"Max-Forwards: 69\r\n"
	"Route: <sip:ss2.biloxi.example.com;lr>\r\n"
	"Record-Route: <sip:ss1.atlanta.example.com;lr>\r\n"
	"From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
	"To: <sip:bob@biloxi.example.com>\r\n"
	"Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
	"CSeq: 1 INVITE\r\n"
	"Contact: <sip:alice@client.atlanta.example.com>\r\n"
	"User-Agent: Example/1.0\r\n"
	"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
	"Content-Type: application/sdp\r\n"
	"Content-Length: 151\r\n"
	"\r\n" SDP;

static const char ringing[] =
	"SIP/2.0 180 Ringing\r\n"
	"Via: SIP/2.0/UDP ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1;received=192.0.2.222\r\n"
	"Via: SIP/2.0/UDP "
	"ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111;rport=5060\r\n"
	"Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101\r\n"
	"Record-Route: <sip:ss2.biloxi.example.com;lr>\r\n"
	"Record-Route: <sip:ss1.atlanta.example.com;lr>\r\n"
	"From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
	"To: <sip:bob@biloxi.example.com>;tag=314159\r\n"
	"Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
	"CSeq: 1 INVITE\r\n"
	"Contact: <sip:bob@client.biloxi.example.com>\r\n"
	"Content-Length: 0\r\n"
	"\r\n";

static const char answer[] =
	"SIP/2.0 200 OK\r\n"
	"Via: SIP/2.0/UDP ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1;received=192.0.2.222\r\n"
	"Via: SIP/2.0/UDP "
	"ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111;rport=5060\r\n"
	"Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9;received=192.0.2.101\r\n"
	"Record-Route: <sip:ss2.biloxi.example.com;lr>\r\n"
	"Record-Route: <sip:ss1.atlanta.example.com;lr>\r\n"
	"From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
	"To: <sip:bob@biloxi.example.com>;tag=314159\r\n"
	"Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
	"CSeq: 1 INVITE\r\n"
	"Contact: <sip:bob@client.biloxi.example.com>\r\n"
	"Content-Type: application/sdp\r\n"
	"Content-Length: 151\r\n"
	"\r\n" SDP;

static const char bye[] =
	"BYE sip:alice@client.atlanta.example.com SIP/2.0\r\n"
	"Via: SIP/2.0/UDP ss2.biloxi.example.com:5060;branch=z9hG4bKnashds7.1;rport\r\n"
	"Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds7;received=192.0.2.201\r\n"
	"Max-Forwards: 69\r\n"
	"Route: <sip:ss1.atlanta.example.com;lr>\r\n"
	"From: <sip:bob@biloxi.example.com>;tag=314159\r\n"
	"To: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
	"Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
	"CSeq: 1 BYE\r\n"
	"Content-Length: 0\r\n"
	"\r\n";

static const char cancel[] = "CANCEL sip:bob@biloxi.example.com SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;rport\r\n"
			     "Max-Forwards: 70\r\n"
			     "Route: <sip:ss2.biloxi.example.com;lr>\r\n"
			     "From: \"Alice\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n"
			     "To: <sip:bob@biloxi.example.com>\r\n"
			     "Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n"
			     "CSeq: 1 CANCEL\r\n"
			     "Content-Length: 0\r\n"
			     "\r\n";

struct parse_message parse_mix[PARSE_MIX];
struct parse_message parse_varied[PARSE_VARIED];

/* the generator */

static uint64_t random_state;

static uint32_t
below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1d >> 32) * limit >> 32);
}

#define LINES 24
#define LINE 256

/* A message on its way to be written. */
struct draft {
	unsigned lines;
	char line[LINES][LINE];
};

static void __attribute__((format(printf, 2, 3))) add(struct draft *draft, const char *format, ...)
{
	va_list arguments;

	if (draft->lines == LINES)
		abort();
	va_start(arguments, format);
	if (vsnprintf(draft->line[draft->lines++], LINE, format, arguments) >= LINE)
		abort();
	va_end(arguments);
}

static const char *
one_of(const char *const *words, uint32_t count)
{
	return words[below(count)];
}
#define ONE_OF(words) one_of((words), sizeof(words) / sizeof((words)[0]))

static const char *const names[] = {"alice", "bob", "carol.king", "dave", "+15551234567", "0049301234567",
	"e", "frank-2", "gateway_7", "heidi.smith-jones", "1001", "sip.trunk.user.42"};

/* @size random characters of a token, NUL behind them. */
static const char *
token(char *out, unsigned size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	for (unsigned i = 0; i < size; i++)
		out[i] = letters[below(sizeof(letters) - 1)];
	out[size] = 0;
	return out;
}

/* A host name or an IPv4 address, sometimes with a port. */
static const char *
host(char *out, bool port)
{
	static const char *const first[] = {"proxy", "ss1", "edge-03", "client", "sbc", "gw7", "p"};
	static const char *const second[] = {
		"atlanta.example.com", "biloxi.example.com", "example.net", "core.carrier.example", "test"};
	int size;

	if (below(2))
		size = sprintf(out, "%s.%s", ONE_OF(first), ONE_OF(second));
	else
		size = sprintf(out, "%u.%u.%u.%u", 1 + below(223), below(256), below(256), below(256));
	if (port && below(2))
		sprintf(out + size, ":%u", 1024 + below(60000));
	return out;
}

static const char *
header(const char *name, const char *compact)
{
	return compact && below(10) == 0 ? compact : name;
}

static void
add_via(struct draft *draft, bool received)
{
	char name[64], branch[64];

	host(name, true);
	token(branch, 6 + below(24));
	if (received)
		add(draft, "%s: SIP/2.0/UDP %s;branch=z9hG4bK%s;received=10.%u.%u.%u%s", header("Via", "v"),
			name, branch, below(256), below(256), below(256), below(2) ? ";rport=5060" : "");
	else if (below(8))
		add(draft, "%s: SIP/2.0/%s %s;branch=z9hG4bK%s%s", header("Via", "v"),
			below(8) ? "UDP" : "TCP", name, branch, below(3) ? ";rport" : "");
	else
		add(draft, "%s: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s", header("Via", "v"), name, branch);
}

static void
add_party(struct draft *draft, const char *name, bool tag)
{
	static const char *const displays[] = {"", "", "", "\"Alice\" ", "Bob ", "\"Carol \\\"C\\\" King\" ",
		"The Operator ", "\"+1 555 123 4567\" "};
	char at[64], letters[64];

	add(draft, "%s: %s<sip:%s@%s%s>%s%s", name, ONE_OF(displays), ONE_OF(names), host(at, true),
		below(6) ? "" : ";user=phone", tag ? ";tag=" : "", tag ? token(letters, 4 + below(28)) : "");
}

static void
add_route(struct draft *draft, const char *name)
{
	char at[64], user[64];

	if (below(2))
		add(draft, "%s: <sip:%s;lr>", name, host(at, true));
	else
		add(draft, "%s: <sip:%s@%s;lr%s>", name, token(user, 8 + below(24)), host(at, true),
			below(2) ? "" : ";transport=udp");
}

static void
add_call(struct draft *draft, const char *method)
{
	char letters[64], at[64];

	if (below(2))
		add(draft, "%s: %s@%s", header("Call-ID", "i"), token(letters, 8 + below(24)),
			host(at, false));
	else
		add(draft, "%s: %s", header("Call-ID", "i"), token(letters, 16 + below(24)));
	add(draft, "CSeq: %u %s", 1 + below(below(2) ? 10 : 1000000), method);
}

static void
add_contact(struct draft *draft)
{
	char at[64];

	add(draft, "%s: <sip:%s@%s%s>", header("Contact", "m"), ONE_OF(names), host(at, true),
		below(4) ? "" : ";transport=udp");
}

static void
add_others(struct draft *draft)
{
	if (below(2))
		add(draft, "User-Agent: Example Phone %u.%u", below(10), below(10));
	if (below(2))
		add(draft, "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY");
	if (below(2))
		add(draft, "%s: replaces, timer", header("Supported", "k"));
	if (below(6) == 0)
		add(draft, "P-Asserted-Identity: <sip:%s@example.com>", ONE_OF(names));
	if (below(8) == 0)
		add(draft, "X-Correlation-Number: %u", below(1000000));
}

static void
shuffle(struct draft *draft)
{
	char swap[LINE];

	for (unsigned i = draft->lines - 1; i > 0; i--) {
		unsigned k = below(i + 1);

		memcpy(swap, draft->line[i], LINE);
		memcpy(draft->line[i], draft->line[k], LINE);
		memcpy(draft->line[k], swap, LINE);
	}
}

static unsigned
draw(char *out, unsigned kind)
{
	static const char *const methods[PARSE_MIX] = {"INVITE", "INVITE", "INVITE", "BYE", "CANCEL"};
	static struct draft draft;
	bool response = kind == 1 || kind == 2, body = kind == 0 || kind == 2;
	char at[64];
	unsigned size;

	draft.lines = 0;
	if (response)
		size = (unsigned)sprintf(out, "SIP/2.0 %s\r\n", kind == 1 ? "180 Ringing" : "200 OK");
	else
		size = (unsigned)sprintf(
			out, "%s sip:%s@%s SIP/2.0\r\n", methods[kind], ONE_OF(names), host(at, true));
	add_via(&draft, response);
	for (unsigned i = kind == 4 ? 0 : 1 + below(2); i; i--)
		add_via(&draft, true);
	if (!response) {
		add(&draft, "Max-Forwards: %u", 10 + below(61));
		if (below(4))
			add_route(&draft, "Route");
	}
	for (unsigned i = kind < 3 ? 1 + below(2) : 0; i; i--)
		add_route(&draft, "Record-Route");
	add_party(&draft, header("From", "f"), true);
	add_party(&draft, header("To", "t"), kind != 0 && kind != 4);
	add_call(&draft, methods[kind]);
	if (kind < 3)
		add_contact(&draft);
	add_others(&draft);
	if (body)
		add(&draft, "%s: application/sdp", header("Content-Type", "c"));
	add(&draft, "%s: %zu", header("Content-Length", "l"), body ? sizeof(SDP) - 1 : 0);
	shuffle(&draft);
	for (unsigned i = 0; i < draft.lines; i++)
		size += (unsigned)sprintf(out + size, "%s\r\n", draft.line[i]);
	return size + (unsigned)sprintf(out + size, "\r\n%s", body ? SDP : "");
}

/* making both sets */

static struct parse_message
place(const char *name, const char *text, uint32_t size)
{
	uint8_t *block = aligned_alloc(64, (42 + size + 63) / 64 * 64);

	if (block == NULL)
		abort();
	memcpy(block + 42, text, size);
	return (struct parse_message){.name = name, .bytes = block + 42, .size = size};
}

void
parse_messages_make(uint64_t seed)
{
	static const char *const kinds[PARSE_MIX] = {"INVITE", "180", "200", "BYE", "CANCEL"};
	char text[8192];

	parse_mix[0] = place(kinds[0], invite, sizeof(invite) - 1);
	parse_mix[1] = place(kinds[1], ringing, sizeof(ringing) - 1);
	parse_mix[2] = place(kinds[2], answer, sizeof(answer) - 1);
	parse_mix[3] = place(kinds[3], bye, sizeof(bye) - 1);
	parse_mix[4] = place(kinds[4], cancel, sizeof(cancel) - 1);
	random_state = seed * 2 + 1;
	for (unsigned i = 0; i < PARSE_VARIED; i++)
		parse_varied[i] = place(kinds[i % PARSE_MIX], text, draw(text, i % PARSE_MIX));
	/* no order of the kinds to learn either */
	for (unsigned i = PARSE_VARIED - 1; i > 0; i--) {
		unsigned k = below(i + 1);
		struct parse_message swap = parse_varied[i];

		parse_varied[i] = parse_varied[k];
		parse_varied[k] = swap;
	}
}
