/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hosts that are addresses: reading and writing them. RFC 3261 25.1, RFC 4291 2.2,
 * RFC 5118 4.10 (the third colon that the grammar of RFC 3261 allows is tolerated), RFC 5952 (writing).
 */
#include "sip/uri.h"

/* Dotted quad, nothing before or behind, no leading zeros beyond three digits. */
static bool
read_v4(const uint8_t *p, unsigned size, uint8_t out[4])
{
	unsigned at = 0;
	uint32_t address = 0; /* put together in a register: four stores would make the load behind them wait */

	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0, begin = at;

		while (at < size && at - begin < 4 && p[at] >= '0' && p[at] <= '9')
			value = value * 10 + (unsigned)(p[at++] - '0');
		if (at == begin || at - begin > 3 || value > 255)
			return false;
		address = address << 8 | value;
		if (part < 3 && (at >= size || p[at++] != '.'))
			return false;
	}
	address = __builtin_bswap32(address);
	memcpy(out, &address, 4);
	return at == size;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to four hex digits at *at into two bytes. */
static bool
read_group(const uint8_t *p, unsigned size, unsigned *at, uint8_t out[2])
{
	unsigned value = 0, begin = *at;

	while (*at < size && *at - begin < 4 && hex_digit(p[*at]) >= 0)
		value = value << 4 | (unsigned)hex_digit(p[(*at)++]);
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return *at > begin;
}

static bool
read_v6(const uint8_t *p, unsigned size, uint8_t out[16])
{
	unsigned at = 0, filled = 0, gap = 17;

	memset(out, 0, 16);
	if (size >= 2 && p[0] == ':' && p[1] != ':')
		return false;
	while (at < size) {
		if (at + 1 < size && p[at] == ':' && p[at + 1] == ':') {
			if (gap <= 16)
				return false;
			gap = filled;
			at += 2;
			if (at < size && p[at] == ':')
				at++; /* RFC 5118 4.10 */
			continue;
		}
		if (filled && gap != filled) {
			if (p[at++] != ':')
				return false;
		}
		if (filled <= 12 && read_v4(p + at, size - at, out + filled)) {
			filled += 4;
			at = size;
			break;
		}
		if (filled > 14 || !read_group(p, size, &at, out + filled))
			return false;
		filled += 2;
	}
	if (gap > 16)
		return filled == 16;
	if (filled > 14)
		return false;
	memmove(out + 16 - (filled - gap), out + gap, filled - gap);
	memset(out + gap, 0, 16 - filled);
	return true;
}

bool
bp_sip_host_ip(const uint8_t *bytes, struct bp_span host, struct bp_ip *ip)
{
	const uint8_t *p = bytes + host.offset;
	unsigned size = host.size;
	uint8_t v4[4];

	if (size == 0)
		return false;
	if (p[0] == '[')
		return size > 2 && p[size - 1] == ']' && read_v6(p + 1, size - 2, ip->bytes);
	if (p[0] < '0' || p[0] > '9' || !read_v4(p, size, v4))
		return false;
	*ip = bp_ip_from_v4(v4);
	return true;
}

static char *
write_byte(char *out, unsigned value)
{
	if (value >= 100)
		*out++ = (char)('0' + value / 100);
	if (value >= 10)
		*out++ = (char)('0' + value / 10 % 10);
	*out++ = (char)('0' + value % 10);
	return out;
}

static char *
write_group(char *out, unsigned value)
{
	static const char digits[] = "0123456789abcdef";
	bool begun = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned digit = value >> shift & 15;

		if (digit || begun || shift == 0) {
			*out++ = digits[digit];
			begun = true;
		}
	}
	return out;
}

/* The longest run of two or more zero groups, the first of them: RFC 5952 4.2. Its length, 0: none. */
static unsigned
longest_gap(const unsigned groups[8], unsigned *begin)
{
	unsigned best = 1;

	*begin = 8;
	for (unsigned i = 0; i < 8; i++) {
		unsigned run = 0;

		while (i + run < 8 && groups[i + run] == 0)
			run++;
		if (run > best) {
			best = run;
			*begin = i;
		}
		i += run;
	}
	return *begin < 8 ? best : 0;
}

unsigned
bp_sip_ip_write(const struct bp_ip *ip, char *out)
{
	unsigned groups[8], begin, gap;
	char *at = out;

	if (bp_ip_is_v4(ip)) {
		for (unsigned i = 12; i < 16; i++) {
			at = write_byte(at, ip->bytes[i]);
			if (i < 15)
				*at++ = '.';
		}
		return (unsigned)(at - out);
	}
	for (unsigned i = 0; i < 8; i++)
		groups[i] = (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
	gap = longest_gap(groups, &begin);
	*at++ = '[';
	for (unsigned i = 0; i < 8;) {
		if (i == begin) {
			*at++ = ':';
			*at++ = ':';
			i += gap;
			continue;
		}
		if (i && i != begin + gap)
			*at++ = ':';
		at = write_group(at, groups[i++]);
	}
	*at++ = ']';
	return (unsigned)(at - out);
}
