/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Internet checksum of a transport with its pseudo header (RFC 768, RFC 8200 8.1).
 */
#ifndef BYEPASS_WIRE_CHECKSUM_H
#define BYEPASS_WIRE_CHECKSUM_H

#include "byepass/flow.h"

#include <rte_ip.h>

static inline uint16_t
bp_checksum_fold(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The sum of the pseudo header, not complemented: what a device wants to find in the checksum field. */
static inline uint16_t
bp_checksum_pseudo(uint8_t family, const struct bp_ip *source, const struct bp_ip *destination,
	uint8_t protocol, uint32_t size)
{
	unsigned skip = family == 4 ? 12 : 0;
	uint64_t sum = rte_raw_cksum(source->bytes + skip, 16 - skip);

	sum += rte_raw_cksum(destination->bytes + skip, 16 - skip);
	sum += rte_cpu_to_be_16(protocol);
	sum += rte_cpu_to_be_16((uint16_t)(size >> 16));
	sum += rte_cpu_to_be_16((uint16_t)size);
	return bp_checksum_fold(sum);
}

/* The checksum of @size bytes with their pseudo header; over bytes that hold a correct one, 0. */
static inline uint16_t
bp_checksum_transport(uint8_t family, const struct bp_ip *source, const struct bp_ip *destination,
	uint8_t protocol, const void *bytes, uint32_t size)
{
	uint64_t sum = bp_checksum_pseudo(family, source, destination, protocol, size);

	return (uint16_t)~bp_checksum_fold(sum + rte_raw_cksum(bytes, size));
}

#endif
