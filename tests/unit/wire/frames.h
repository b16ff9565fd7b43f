/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames written by hand, byte by byte, with nothing of the code under test in them.
 */
#ifndef TESTS_UNIT_WIRE_FRAMES_H
#define TESTS_UNIT_WIRE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 66000

struct frame {
	uint32_t size;
	uint8_t bytes[FRAME_MAX];
};

/* An address as the frames carry it: 4 or 16 bytes. */
struct address {
	uint8_t size;
	uint8_t bytes[16];
};

struct address ip(const char *text);
uint16_t get16(const uint8_t *bytes);
uint32_t get32(const uint8_t *bytes);
void put16(uint8_t *bytes, uint32_t value);
void put32(uint8_t *bytes, uint32_t value);

/* The Internet checksum of @bytes, preceded by a pseudo header when @source is not NULL. */
uint16_t checksum(const struct address *source, const struct address *destination, uint8_t protocol,
	const uint8_t *bytes, uint32_t size);

/* Each begins anew (Ethernet) or appends to @frame; the IP builders complete the length and the header
 * checksum when frame_end() is called, and the transports' checksums go over what is behind them. */
void frame_ethernet(struct frame *frame, const char *to, const char *from, int vlan, uint16_t type);
void frame_append(struct frame *frame, const void *bytes, uint32_t size);

/* Whole frames to the wire under test (harness.h). @vlan: -1 for none. */
void frame_arp(struct frame *frame, const char *to, int vlan, uint16_t opcode, const char *sender_mac,
	const char *sender, const char *target_mac, const char *target);
void frame_ip(struct frame *frame, int vlan, const char *source, const char *destination, uint8_t protocol,
	const void *payload, uint32_t size);
void frame_ip_hop(struct frame *frame, int vlan, const char *to, const char *source, const char *destination,
	uint8_t hop_limit, uint8_t protocol, const void *payload, uint32_t size);
/* @field: flags and offset as in the header (IPv4: offset in units of 8; IPv6: in bytes, bit 0 more). */
void frame_fragment(struct frame *frame, const char *source, const char *destination, uint32_t identification,
	uint32_t offset, bool more, uint8_t protocol, const void *payload, uint32_t size);

/* Transports; each returns its size. */
uint32_t udp(uint8_t *out, const char *source, const char *destination, uint16_t source_port,
	uint16_t destination_port, const void *payload, uint32_t size);
uint32_t icmp(uint8_t *out, uint8_t type, uint8_t code, uint32_t rest, const void *payload, uint32_t size);
uint32_t icmp6(uint8_t *out, const char *source, const char *destination, uint8_t type, uint8_t code,
	uint32_t rest, const void *payload, uint32_t size);
/* Neighbour solicitation (135) or advertisement (136). @option: 1, 2 or 0 for none, with @mac. */
uint32_t nd(uint8_t *out, const char *source, const char *destination, uint8_t type, uint32_t flags,
	const char *target, uint8_t option, const char *mac);

void frame_udp(struct frame *frame, int vlan, const char *source, const char *destination,
	uint16_t source_port, uint16_t destination_port, const void *payload, uint32_t size);

/* Recomputes the checksum of the IPv4 header in @frame after a test has changed it. */
void frame_ipv4_checksum(struct frame *frame);

#endif
