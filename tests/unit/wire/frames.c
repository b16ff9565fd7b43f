/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address
ip(const char *text)
{
	struct address address = {.size = strchr(text, ':') != NULL ? 16 : 4};

	if (inet_pton(address.size == 16 ? AF_INET6 : AF_INET, text, address.bytes) != 1) {
		fprintf(stderr, "bad address in a test: %s\n", text);
		abort();
	}
	return address;
}

uint16_t
get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

uint32_t
get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

void
put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

void
put32(uint8_t *bytes, uint32_t value)
{
	put16(bytes, value >> 16);
	put16(bytes + 2, value);
}

static uint32_t
sum(uint32_t start, const uint8_t *bytes, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		start += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
	while (start > 0xffff)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

uint16_t
checksum(const struct address *source, const struct address *destination, uint8_t protocol,
	const uint8_t *bytes, uint32_t size)
{
	uint32_t total = 0;

	if (source != NULL) {
		uint8_t tail[8] = {[7] = protocol};

		put32(tail, size);
		total = sum(total, source->bytes, source->size);
		total = sum(total, destination->bytes, destination->size);
		total = sum(total, tail, sizeof(tail));
	}
	for (uint32_t i = 0; i < size; i += 65000)
		total = sum(total, bytes + i, size - i < 65000 ? size - i : 65000);
	return (uint16_t)~total;
}

static void
mac_parse(uint8_t *out, const char *text)
{
	unsigned m[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		abort();
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)m[i];
}

void
frame_append(struct frame *frame, const void *bytes, uint32_t size)
{
	if (frame->size + size > FRAME_MAX)
		abort();
	if (size > 0)
		memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += size;
}

void
frame_ethernet(struct frame *frame, const char *to, const char *from, int vlan, uint16_t type)
{
	uint8_t *out = frame->bytes;

	mac_parse(out, to);
	mac_parse(out + 6, from);
	out += 12;
	if (vlan >= 0) {
		put16(out, 0x8100);
		put16(out + 2, (uint32_t)vlan);
		out += 4;
	}
	put16(out, type);
	frame->size = (uint32_t)(out + 2 - frame->bytes);
}

void
frame_arp(struct frame *frame, const char *to, int vlan, uint16_t opcode, const char *sender_mac,
	const char *sender, const char *target_mac, const char *target)
{
	uint8_t arp[28] = {0, 1, 8, 0, 6, 4};

	put16(arp + 6, opcode);
	mac_parse(arp + 8, sender_mac);
	memcpy(arp + 14, ip(sender).bytes, 4);
	mac_parse(arp + 18, target_mac);
	memcpy(arp + 24, ip(target).bytes, 4);
	frame_ethernet(frame, to, sender_mac, vlan, 0x0806);
	frame_append(frame, arp, sizeof(arp));
}

static void
append_ipv4(struct frame *frame, const struct address *source, const struct address *destination, uint8_t ttl,
	uint8_t protocol, uint32_t identification, uint16_t field, uint32_t size)
{
	uint8_t header[20] = {0x45};

	put16(header + 2, 20 + size);
	put16(header + 4, identification);
	put16(header + 6, field);
	header[8] = ttl;
	header[9] = protocol;
	memcpy(header + 12, source->bytes, 4);
	memcpy(header + 16, destination->bytes, 4);
	put16(header + 10, checksum(NULL, NULL, 0, header, 20));
	frame_append(frame, header, 20);
}

static void
append_ipv6(struct frame *frame, const struct address *source, const struct address *destination,
	uint8_t hop_limit, uint8_t next, uint32_t size)
{
	uint8_t header[40] = {0x60};

	put16(header + 4, size);
	header[6] = next;
	header[7] = hop_limit;
	memcpy(header + 8, source->bytes, 16);
	memcpy(header + 24, destination->bytes, 16);
	frame_append(frame, header, 40);
}

void
frame_ip_hop(struct frame *frame, int vlan, const char *to, const char *source, const char *destination,
	uint8_t hop_limit, uint8_t protocol, const void *payload, uint32_t size)
{
	struct address from = ip(source), target = ip(destination);

	frame_ethernet(frame, to, PEER_MAC, vlan, from.size == 4 ? 0x0800 : 0x86dd);
	if (from.size == 4)
		append_ipv4(frame, &from, &target, hop_limit, protocol, 0x1234, 0, size);
	else
		append_ipv6(frame, &from, &target, hop_limit, protocol, size);
	frame_append(frame, payload, size);
}

void
frame_ip(struct frame *frame, int vlan, const char *source, const char *destination, uint8_t protocol,
	const void *payload, uint32_t size)
{
	frame_ip_hop(frame, vlan, OWN_MAC, source, destination, 64, protocol, payload, size);
}

void
frame_fragment(struct frame *frame, const char *source, const char *destination, uint32_t identification,
	uint32_t offset, bool more, uint8_t protocol, const void *payload, uint32_t size)
{
	struct address from = ip(source), target = ip(destination);
	uint8_t header[8] = {protocol};

	frame_ethernet(frame, OWN_MAC, PEER_MAC, -1, from.size == 4 ? 0x0800 : 0x86dd);
	if (from.size == 4) {
		append_ipv4(frame, &from, &target, 64, protocol, identification,
			(uint16_t)(offset / 8 | (more ? 0x2000 : 0)), size);
	} else {
		append_ipv6(frame, &from, &target, 64, 44, size + 8);
		put16(header + 2, offset | more);
		put32(header + 4, identification);
		frame_append(frame, header, 8);
	}
	frame_append(frame, payload, size);
}

uint32_t
udp(uint8_t *out, const char *source, const char *destination, uint16_t source_port,
	uint16_t destination_port, const void *payload, uint32_t size)
{
	struct address from = ip(source), to = ip(destination);
	uint16_t value;

	put16(out, source_port);
	put16(out + 2, destination_port);
	put16(out + 4, 8 + size);
	put16(out + 6, 0);
	if (size > 0)
		memcpy(out + 8, payload, size);
	value = checksum(&from, &to, 17, out, 8 + size);
	put16(out + 6, value != 0 ? value : 0xffff);
	return 8 + size;
}

uint32_t
icmp(uint8_t *out, uint8_t type, uint8_t code, uint32_t rest, const void *payload, uint32_t size)
{
	out[0] = type;
	out[1] = code;
	put16(out + 2, 0);
	put32(out + 4, rest);
	if (size > 0)
		memcpy(out + 8, payload, size);
	put16(out + 2, checksum(NULL, NULL, 0, out, 8 + size));
	return 8 + size;
}

uint32_t
icmp6(uint8_t *out, const char *source, const char *destination, uint8_t type, uint8_t code, uint32_t rest,
	const void *payload, uint32_t size)
{
	struct address from = ip(source), to = ip(destination);

	out[0] = type;
	out[1] = code;
	put16(out + 2, 0);
	put32(out + 4, rest);
	if (size > 0)
		memcpy(out + 8, payload, size);
	put16(out + 2, checksum(&from, &to, 58, out, 8 + size));
	return 8 + size;
}

uint32_t
nd(uint8_t *out, const char *source, const char *destination, uint8_t type, uint32_t flags,
	const char *target, uint8_t option, const char *mac)
{
	uint8_t body[24];
	uint32_t size = 16;

	memcpy(body, ip(target).bytes, 16);
	if (option != 0) {
		body[16] = option;
		body[17] = 1;
		mac_parse(body + 18, mac);
		size = 24;
	}
	return icmp6(out, source, destination, type, 0, flags, body, size);
}

void
frame_udp(struct frame *frame, int vlan, const char *source, const char *destination, uint16_t source_port,
	uint16_t destination_port, const void *payload, uint32_t size)
{
	static uint8_t datagram[FRAME_MAX];

	size = udp(datagram, source, destination, source_port, destination_port, payload, size);
	frame_ip(frame, vlan, source, destination, 17, datagram, size);
}

void
frame_ipv4_checksum(struct frame *frame)
{
	uint8_t *header = frame->bytes + (get16(frame->bytes + 12) == 0x8100 ? 18 : 14);

	put16(header + 10, 0);
	put16(header + 10, checksum(NULL, NULL, 0, header, (header[0] & 15) * 4u));
}
