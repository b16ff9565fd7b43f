/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A SIP message as a view: offsets into bytes that somebody else owns. One pass
 * finds the start line, the lines and the known headers; URIs, parameters and lists
 * are cut open only when asked for (uri.h, via.h, address.h). No allocation, no
 * state; any thread. RFC 3261 section 7 and 25.
 */
#ifndef BYEPASS_SIP_MESSAGE_H
#define BYEPASS_SIP_MESSAGE_H

#include "byepass/counters.h" /* enum bp_method */
#include "byepass/flow.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A piece of a message. Offsets are 16 bits: a UDP datagram cannot be longer. size 0 and offset 0: absent. */
struct bp_span {
	uint16_t offset;
	uint16_t size;
};

#define BP_SIP_MESSAGE_SIZE_MAX 65535
#define BP_SIP_STATUS_BAD 999
#define BP_SIP_HEADERS_MAX 256 /* what a view can hold; the configured limit may be lower */

/* X(id, long name, compact name or 0) */
#define BP_SIP_HEADERS(X) \
	X(VIA, "Via", 'v') X(FROM, "From", 'f') X(TO, "To", 't') X(CALL_ID, "Call-ID", 'i') \
	X(CSEQ, "CSeq", 0) X(MAX_FORWARDS, "Max-Forwards", 0) X(ROUTE, "Route", 0) \
	X(RECORD_ROUTE, "Record-Route", 0) X(CONTACT, "Contact", 'm') \
	X(CONTENT_LENGTH, "Content-Length", 'l') X(CONTENT_TYPE, "Content-Type", 'c') \
	X(REQUIRE, "Require", 0) X(PROXY_REQUIRE, "Proxy-Require", 0) X(SUPPORTED, "Supported", 'k') \
	X(UNSUPPORTED, "Unsupported", 0) X(EXPIRES, "Expires", 0) X(REASON, "Reason", 0) \
	X(RETRY_AFTER, "Retry-After", 0) X(TIMESTAMP, "Timestamp", 0) X(PATH, "Path", 0) \
	X(SESSION_EXPIRES, "Session-Expires", 'x') X(MIN_SE, "Min-SE", 0) X(RSEQ, "RSeq", 0) \
	X(RACK, "RAck", 0) X(EVENT, "Event", 'o') X(REFER_TO, "Refer-To", 'r') \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0) \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0) X(PRIVACY, "Privacy", 0) \
	X(RESOURCE_PRIORITY, "Resource-Priority", 0) X(USER_AGENT, "User-Agent", 0) \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0) X(MAX_BREADTH, "Max-Breadth", 0)

enum bp_sip_header_id {
	BP_SIP_OTHER,
#define X(id, name, compact) BP_SIP_##id,
	BP_SIP_HEADERS(X)
#undef X
	BP_SIP_HEADER_ID_COUNT,
};

struct bp_sip_header {       /* 16 bytes: an index is a shift */
	struct bp_span line; /* from the first byte of the name to past the CRLF, folded lines included;
			      * without CRLF when the datagram ends in it (BP_SIP_FAULT_NO_END) */
	struct bp_span name;
	struct bp_span value; /* without leading and trailing white space; folds inside are kept. Empty: its
			       * offset is where a value can be inserted */
	uint8_t id;           /* enum bp_sip_header_id */
	uint8_t next;         /* index + 1 of the next header line of the same id; 0: none */
	uint16_t reserved;
};
static_assert(sizeof(struct bp_sip_header) == 16, "see above");

/* The limits that configuration sets; over one of them is BP_SIP_FAULT_TOO_*. */
struct bp_sip_limits {
	uint16_t headers;
	uint16_t vias;
	uint16_t uri;
};

/* X(name, status, text): what is wrong with a message. status: the response that a request with this fault
 * gets; 0: none can be given, drop it. METHOD: a CSeq method mismatch where the request's own method is not
 * known either (RFC 4475 3.1.2.18). BAD_ROUTE is not found by the parser but by whoever cuts Route open. */
#define BP_SIP_FAULTS(X) \
	X(NONE, 0, "well-formed") \
	X(EMPTY, 0, "nothing but line ends: a keepalive") \
	X(START_LINE, 400, "Bad Start Line") \
	X(VERSION, 505, "Version Not Supported") \
	X(STATUS_CODE, 0, "Bad Status Code") \
	X(REQUEST_URI, 400, "Bad Request-URI") \
	X(HEADER_LINE, 400, "Bad Header Line") \
	X(NO_END, 400, "Headers Do Not End") \
	X(TOO_MANY_HEADERS, 513, "Too Many Headers") \
	X(TOO_MANY_VIAS, 513, "Too Many Vias") \
	X(TOO_LONG_URI, 414, "Request-URI Too Long") \
	X(NO_VIA, 0, "No Via") \
	X(BAD_VIA, 400, "Bad Via") \
	X(NO_FROM, 400, "Missing From") \
	X(BAD_FROM, 400, "Bad From") \
	X(NO_TO, 400, "Missing To") \
	X(BAD_TO, 400, "Bad To") \
	X(NO_CALL_ID, 400, "Missing Call-ID") \
	X(BAD_CALL_ID, 400, "Bad Call-ID") \
	X(NO_CSEQ, 400, "Missing CSeq") \
	X(BAD_CSEQ, 400, "Bad CSeq") \
	X(CSEQ_METHOD, 400, "CSeq Method Mismatch") \
	X(REPEATED_HEADER, 400, "Repeated Header") \
	X(BAD_MAX_FORWARDS, 400, "Bad Max-Forwards") \
	X(BAD_CONTENT_LENGTH, 400, "Bad Content-Length") \
	X(BODY_TRUNCATED, 400, "Body Shorter Than Content-Length") \
	X(BAD_ROUTE, 400, "Bad Route") \
	X(METHOD, 501, "Not Implemented")

enum bp_sip_fault {
#define X(name, status, text) BP_SIP_FAULT_##name,
	BP_SIP_FAULTS(X)
#undef X
	BP_SIP_FAULT_COUNT,
};

/* A Via value, cut open (RFC 3261 20.42, RFC 3581). */
struct bp_sip_via {
	struct bp_span element;  /* the whole via-parm, without the comma */
	struct bp_span host;     /* sent-by host; an IPv6 reference keeps its brackets */
	struct bp_span sent_by;  /* host[:port] as written */
	struct bp_span branch;   /* value; empty: none */
	struct bp_span received; /* value; empty: none */
	struct bp_span rport;    /* value; empty when it stands without one */
	struct bp_span maddr;
	struct bp_span params; /* from the first ';' to the end of the element */
	uint16_t port;         /* sent-by port, 0: none given */
	uint16_t rport_at;     /* offset just past the "rport" token, 0: no rport parameter */
	uint8_t transport;     /* enum bp_transport; BP_TRANSPORT_COUNT: another */
	bool magic;            /* branch begins with z9hG4bK: RFC 3261, not 2543 */
	bool last;             /* no further via-parm in this header line */
};

enum bp_uri_scheme { BP_URI_OTHER, BP_URI_SIP, BP_URI_SIPS, BP_URI_TEL };

/* A URI, cut open (RFC 3261 19.1, RFC 3966); see uri.h. */
struct bp_sip_uri {
	uint8_t scheme; /* enum bp_uri_scheme */
	bool loose;     /* ;lr */
	uint16_t port;  /* 0: none given */
	struct bp_span whole;
	struct bp_span user;    /* without the password; for tel: the number */
	struct bp_span host;    /* an IPv6 reference keeps its brackets */
	struct bp_span params;  /* from the first ';' */
	struct bp_span headers; /* after '?' */
	struct bp_span maddr;
	uint8_t transport; /* of ;transport=, BP_TRANSPORT_COUNT when none or another */
};

/* What a view may know beyond what a parse finds, because a message of the same shape was cut open. */
struct bp_sip_known {
	struct bp_sip_uri contact; /* as bp_sip_first_uri() gives it; whole.size 0: not known */
	struct bp_span next_host;  /* sent-by host of the second line of Via, which is one well-formed Via; size 0: not known */
};

struct bp_sip_message {
	const uint8_t *bytes; /* the start line; not owned. All offsets count from here */
	uint16_t size;        /* start line to the end of the body; junk behind it is not counted */
	uint16_t status;      /* 0: a request; BP_SIP_STATUS_BAD: a response with a bad status code */
	uint8_t method;       /* enum bp_method; of the CSeq for a response */
	uint8_t header_count;
	uint8_t fault; /* enum bp_sip_fault: the first thing found wrong */
	/* index + 1 of the first header line of each id; 0: absent. BP_SIP_OTHER: the unknown ones */
	uint8_t first[BP_SIP_HEADER_ID_COUNT];
	uint16_t fault_offset;
	uint16_t headers_offset; /* first byte after the start line */
	uint16_t body_offset;    /* first byte after the blank line */
	uint32_t cseq;
	int16_t max_forwards;       /* -1: absent */
	struct bp_span method_text; /* as written */
	struct bp_span uri;         /* Request-URI */
	struct bp_span reason;
	struct bp_span call_id;
	struct bp_span from_tag; /* empty: none (RFC 2543) */
	struct bp_span to_tag;   /* empty: none */
	struct bp_span cseq_method;
	struct bp_sip_via via;    /* the topmost */
	struct bp_sip_uri target; /* the Request-URI, cut open; all zero in a response */
	struct bp_sip_known known; /* by bp_sip_parse_shaped() only */
	struct bp_span body;
	struct bp_sip_header headers[BP_SIP_HEADERS_MAX - 1];
};

/* Parses one datagram.
 * @m:      out; valid as long as @bytes is. On a fault everything found before and around it stands, so that
 *          a request can still be answered when bp_sip_answerable() says so.
 * @bytes:  the datagram, not modified. @size: 0..65,535 bytes. Leading CRs and LFs are skipped (7.5):
 *          m->bytes is then @bytes plus their number.
 * @limits: NULL: none but what a view can hold.
 * Returns the first fault, BP_SIP_FAULT_NONE when the message is fit to be proxied.
 *
 * Checked: start line, Request-URI (no headers in it: 19.1.1), every header line's form, the mandatory
 * headers (8.1.1; Max-Forwards may be absent), none of them twice, tags, CSeq number (32 bits, 8.1.1.5) and
 * method, the top Via, Content-Length against the datagram (18.3). A missing From tag and branch are accepted
 * (RFC 2543). Not checked: headers that a proxy has no business with.
 *
 * Lines end with CRLF. A CR or LF alone, anywhere before the blank line, is BP_SIP_FAULT_HEADER_LINE: who
 * reads it as a line end sees other headers than who does not, and a border must not let both be right.
 *
 * Source: RFC 3261 7, 16.3, 18.3, 20, 25; RFC 4475; RFC 5118. */
enum bp_sip_fault bp_sip_parse(
	struct bp_sip_message *m, const uint8_t *bytes, uint32_t size, const struct bp_sip_limits *limits);

/* Whether a response to this faulty request can be built: it is a request, and Via, From, To, Call-ID and
 * CSeq lines are there, well-formed or not. An ACK is never answered; that is for the caller to know. */
bool bp_sip_answerable(const struct bp_sip_message *m);

uint16_t bp_sip_fault_status(enum bp_sip_fault fault);
const char *bp_sip_fault_text(enum bp_sip_fault fault);

/* The method's token, "INVITE"; "OTHER" for an extension method. Static. */
const char *bp_sip_method_name(enum bp_method method);

/* The canonical reason phrase of a status code, or that of its class (RFC 3261 21). Static. */
const char *bp_sip_reason(uint16_t status);

static inline const char *
bp_sip_at(const struct bp_sip_message *m, struct bp_span span)
{
	return (const char *)m->bytes + span.offset;
}

/* First header line of a known id, or NULL. */
static inline const struct bp_sip_header *
bp_sip_first(const struct bp_sip_message *m, enum bp_sip_header_id id)
{
	return m->first[id] ? &m->headers[m->first[id] - 1] : NULL;
}

/* The next header line of the same id, or NULL. */
static inline const struct bp_sip_header *
bp_sip_next(const struct bp_sip_message *m, const struct bp_sip_header *header)
{
	return header->next ? &m->headers[header->next - 1] : NULL;
}

/* First header line with this name (any case, not compact), known or not, or NULL. */
const struct bp_sip_header *bp_sip_find(const struct bp_sip_message *m, const char *name);

/* Walks the comma-separated elements of all lines of one header (Route, Record-Route, Contact, Via ...):
 * commas inside quotes, <> and comments do not separate (7.3.1). Start with a zeroed walk.
 * Returns false at the end. walk->element is the element without white space around it; its size is 0 where
 * nothing stands between two commas. A line without any value has no element. */
struct bp_sip_walk {
	struct bp_span element;
	const struct bp_sip_header *header; /* line of the element */
	uint16_t next;                      /* offset where the rest begins; 0: next line */
	uint16_t index;                     /* 0 for the first element */
	bool started;
	bool first_of_line, last_of_line;
};
bool bp_sip_walk_next(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_walk *walk);

/* Cuts the first via-parm of @value open: an element, or a header's value. False: malformed; then
 * element.size is 0. A parameter that matters here and stands twice is malformed (7.3.1), and so is an empty
 * one. */
bool bp_sip_via_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_via *via);

/* The same for the value of a line of @m, which has no fault: in fewer steps, since a line end is known to follow. */
bool bp_sip_line_via(const struct bp_sip_message *m, const struct bp_sip_header *header, struct bp_sip_via *via);

/* Case-insensitive comparison of a span with a token (7.3.1). */
bool bp_span_is(const uint8_t *bytes, struct bp_span span, const char *token);

/* Looks a parameter up in ";name=value;name" (or "?a=b&c" style is not meant). Returns false when absent;
 * *value is empty when it has none. A quoted value keeps its quotes. */
bool bp_sip_param(const uint8_t *bytes, struct bp_span params, const char *name, struct bp_span *value);

#endif
