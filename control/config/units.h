/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The words that a configuration value is written in: numbers, durations, addresses,
 * prefixes, endpoints. Text in, value out; no state. Nothing is guessed: "500" is not
 * a duration and "10.0.0.01" is not an address.
 */
#ifndef BYEPASS_CONFIG_UNITS_H
#define BYEPASS_CONFIG_UNITS_H

#include "byepass/flow.h"

#include <stddef.h>

struct bp_prefix {
	struct bp_ip ip;
	uint8_t bits;   /* of 32 for IPv4, of 128 for IPv6 */
	uint8_t family; /* 4 or 6 */
};

struct bp_endpoint {
	struct bp_ip ip;
	uint16_t port; /* host byte order */
	uint8_t family;
};

/* Longest text of an address with port: "[ipv6]:65535". */
#define BP_ENDPOINT_TEXT_SIZE 64

/* Decimal digits only, no sign, no leading zero but "0" itself. False: not a number or beyond 64 bits. */
bool bp_unit_number(const char *text, uint64_t *value);

/* A whole number and us, ms, s, m, h or d. */
bool bp_unit_duration(const char *text, uint64_t *us);

/* The shortest exact way to write @us: 500ms, 4s, 3m. */
const char *bp_unit_duration_text(uint64_t us, char *out, size_t size);

/* An IPv4 or IPv6 literal without brackets, zone or port. *family is 4 or 6. An IPv4-mapped IPv6 literal is
 * refused. */
bool bp_unit_ip(const char *text, struct bp_ip *ip, uint8_t *family);

/* "192.0.2.1/24", "2001:db8::1/64". */
bool bp_unit_prefix(const char *text, struct bp_prefix *prefix);

/* "192.0.2.1:5060", "[2001:db8::1]:5060". @port: what stands in when none is written, 0: one must be written.
 */
bool bp_unit_endpoint(const char *text, uint16_t port, struct bp_endpoint *endpoint);

/* Writes the endpoint as it stands in a URI or a Via. Returns @out. */
const char *bp_unit_endpoint_text(const struct bp_ip *ip, uint16_t port, char *out, size_t size);

/* Writes the bare address. Returns @out. */
const char *bp_unit_ip_text(const struct bp_ip *ip, char *out, size_t size);

/* Whether @ip lies in the network of @prefix; families must be equal. */
bool bp_prefix_contains(const struct bp_prefix *prefix, const struct bp_ip *ip);

#endif
