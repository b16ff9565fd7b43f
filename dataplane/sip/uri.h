/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SIP, SIPS and tel URIs, and the name-addr around them, cut open on demand.
 * RFC 3261 19.1, 20.10, 25.1; RFC 3966; RFC 5118. No state; any thread.
 */
#ifndef BYEPASS_SIP_URI_H
#define BYEPASS_SIP_URI_H

#include "sip/message.h"

/* A name-addr or addr-spec with its header parameters (From, To, Contact, Route ...). */
struct bp_sip_address {
	struct bp_span display; /* quotes kept */
	struct bp_span uri;
	struct bp_span params; /* header parameters, from the first ';' after the URI */
	struct bp_span tag;
};

/* struct bp_sip_uri is in message.h. False: malformed. Any scheme is accepted; only sip, sips and tel are cut
 * further. Of an address its URI is only looked at as far as scheme and characters go: cut it with
 * bp_sip_uri_cut(). A tag, lr, maddr or transport that stands twice is malformed, as is a tag or maddr
 * without a value. */
bool bp_sip_uri_cut(const uint8_t *bytes, struct bp_span span, struct bp_sip_uri *uri);
bool bp_sip_address_cut(const uint8_t *bytes, struct bp_span value, struct bp_sip_address *address);

/* The first element of a list of addresses (Route, Record-Route, Contact ...), or its URI, cut open: the same as the
 * first step of bp_sip_walk_next(), then bp_sip_address_cut(), then bp_sip_uri_cut(), in fewer steps.
 * False: there is none, or it is malformed; then all of it is zero. */
bool bp_sip_first_uri(const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_uri *uri);
bool bp_sip_first_address(
	const struct bp_sip_message *m, enum bp_sip_header_id id, struct bp_sip_address *address);

/* Host as an IP address: "192.0.2.1" or "[2001:db8::1]"; a third colon is tolerated (RFC 5118 4.10). False: a
 * name. */
bool bp_sip_host_ip(const uint8_t *bytes, struct bp_span host, struct bp_ip *ip);

/* Writes @ip as it stands in SIP (IPv6 in brackets); returns the size, at most 41 bytes, no NUL. */
unsigned bp_sip_ip_write(const struct bp_ip *ip, char *out);

/* Equality of SIP and SIPS URIs by RFC 3261 19.1.4 (escapes, case, parameter sets); other schemes: the same
 * bytes, but for escapes. More than 64 parameters or headers are never equal: the cost would be the
 * attacker's to choose. */
bool bp_sip_uri_equal(const uint8_t *a_bytes, struct bp_span a, const uint8_t *b_bytes, struct bp_span b);

#endif
