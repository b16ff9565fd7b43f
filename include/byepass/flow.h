/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a message comes from and goes to. A flow handle is all that the engine
 * knows of the network: the far address, the local listener, and whether the
 * transport is reliable. It is a value: copied freely, owned by nobody.
 */
#ifndef BYEPASS_FLOW_H
#define BYEPASS_FLOW_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum bp_transport {
	BP_TRANSPORT_UDP,
	BP_TRANSPORT_TCP,
	BP_TRANSPORT_TLS,
	BP_TRANSPORT_COUNT,
};

/* IPv4 addresses are kept as ::ffff:a.b.c.d, so that one comparison serves both families. */
struct bp_ip {
	uint8_t bytes[16];
};

struct bp_flow {
	struct bp_ip ip;     /* far end */
	uint16_t port;       /* far end, host byte order */
	uint16_t listener;   /* index into bp_config.listeners: our address, realm and transport */
	uint8_t transport;   /* enum bp_transport */
	uint8_t reliable;    /* 1: the transport retransmits, so timers A, E and G do not run */
	uint16_t generation; /* of the connection; 0 for UDP */
};
static_assert(sizeof(struct bp_flow) == 24, "a flow handle is kept in every record");

/* One SIP datagram of a burst, as it came in. The bytes belong to whoever hands it over. */
struct bp_datagram {
	struct bp_flow from;
	uint32_t size; /* bytes */
	const uint8_t *bytes;
};

static inline bool
bp_ip_is_v4(const struct bp_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

/* ipv4_be: four bytes in network order. */
static inline struct bp_ip
bp_ip_from_v4(const void *ipv4_be)
{
	struct bp_ip ip = {.bytes = {[10] = 0xff, [11] = 0xff}};

	memcpy(ip.bytes + 12, ipv4_be, 4);
	return ip;
}

static inline bool
bp_ip_equal(const struct bp_ip *a, const struct bp_ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static inline bool
bp_flow_equal(const struct bp_flow *a, const struct bp_flow *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
