/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packing, signing and checking of route tokens. Big-endian, so that nodes agree.
 *
 *   byte 0        key id (4 bits), 6 = IPv6 (bit 3), side (bit 0)
 *   1..2          node
 *   3..6 7..10 11..14   epoch, index, generation
 *   15..16        listener of the onward flow; 17..18 its far port
 *   19..          4 or 16 bytes of address, 8 bytes of check
 */
#include "dialog/route_token.h"

#include <string.h>

#define HEAD 19
#define CHECK 8
#define V6 8
#define PACKED_MAX (HEAD + 16 + CHECK)

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

static uint64_t
get(const uint8_t *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | in[i];
	return value;
}

static uint64_t
sign(const struct bp_hash_key *key, const uint8_t *packed, unsigned size, const char *call_id, unsigned call_id_size)
{
	struct bp_hash hash;
	uint64_t sum;

	bp_hash_begin(&hash, key, 64);
	bp_hash_add(&hash, packed, size);
	bp_hash_add(&hash, call_id, call_id_size);
	bp_hash_end(&hash, &sum);
	return sum;
}

static unsigned
encode(const uint8_t *in, unsigned size, char *out)
{
	unsigned written = 0, bits = 0;
	uint32_t window = 0;

	for (unsigned i = 0; i < size; i++) {
		window = window << 8 | in[i];
		for (bits += 8; bits >= 6; bits -= 6)
			out[written++] = alphabet[window >> (bits - 6) & 63];
	}
	if (bits > 0)
		out[written++] = alphabet[window << (6 - bits) & 63];
	return written;
}

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

static bool
decode(const char *text, unsigned size, uint8_t *out)
{
	unsigned bits = 0;
	uint32_t window = 0;

	for (unsigned i = 0; i < size; i++) {
		int value = digit(text[i]);

		if (value < 0)
			return false;
		window = window << 6 | (uint32_t)value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(window >> bits);
		}
	}
	return (window & ((1u << bits) - 1)) == 0; /* one spelling only */
}

static unsigned
encoded_size(unsigned bytes)
{
	return (bytes * 8 + 5) / 6;
}

unsigned
bp_route_token_write(const struct bp_hash_key *key, const struct bp_route_token *token, const char *call_id,
	unsigned call_id_size, char *out)
{
	bool v4 = bp_ip_is_v4(&token->onward.ip);
	unsigned ip = v4 ? 4 : 16;
	uint8_t packed[PACKED_MAX];

	packed[0] = (uint8_t)(token->key_id << 4 | (v4 ? 0 : V6) | (token->side & 1));
	put(packed + 1, token->node, 2);
	put(packed + 3, token->epoch, 4);
	put(packed + 7, token->index, 4);
	put(packed + 11, token->generation, 4);
	put(packed + 15, token->onward.listener, 2);
	put(packed + 17, token->onward.port, 2);
	memcpy(packed + HEAD, token->onward.ip.bytes + 16 - ip, ip);
	put(packed + HEAD + ip, sign(key, packed, HEAD + ip, call_id, call_id_size), CHECK);
	return encode(packed, HEAD + ip + CHECK, out);
}

/* Bytes that are signed, with the signature behind them. 0: not a token. */
static unsigned
unpack(const char *text, unsigned size, uint8_t packed[PACKED_MAX + 1])
{
	unsigned ip;

	if (size == encoded_size(HEAD + 4 + CHECK))
		ip = 4;
	else if (size == encoded_size(HEAD + 16 + CHECK))
		ip = 16;
	else
		return 0;
	if (!decode(text, size, packed) || (packed[0] & V6) != (ip == 16 ? V6 : 0))
		return 0;
	return HEAD + ip;
}

static struct bp_route_token
token_of(const uint8_t *packed, unsigned size)
{
	struct bp_route_token token = {
		.key_id = packed[0] >> 4,
		.side = packed[0] & 1,
		.node = (uint16_t)get(packed + 1, 2),
		.epoch = (uint32_t)get(packed + 3, 4),
		.index = (uint32_t)get(packed + 7, 4),
		.generation = (uint32_t)get(packed + 11, 4),
		.onward = {.listener = (uint16_t)get(packed + 15, 2), .port = (uint16_t)get(packed + 17, 2)},
	};

	if (size == HEAD + 4)
		token.onward.ip = bp_ip_from_v4(packed + HEAD);
	else
		memcpy(token.onward.ip.bytes, packed + HEAD, 16);
	return token;
}

bool
bp_route_token_read(const struct bp_hash_key *key, const char *text, unsigned size, const char *call_id,
	unsigned call_id_size, struct bp_route_token *token)
{
	uint8_t packed[PACKED_MAX + 1];
	unsigned is_signed = unpack(text, size, packed);

	if (is_signed == 0 || get(packed + is_signed, CHECK) != sign(key, packed, is_signed, call_id, call_id_size))
		return false;
	*token = token_of(packed, is_signed);
	return true;
}

bool
bp_route_token_open(const char *text, unsigned size, struct bp_route_token *token)
{
	uint8_t packed[PACKED_MAX + 1];
	unsigned is_signed = unpack(text, size, packed);

	if (is_signed != 0)
		*token = token_of(packed, is_signed);
	return is_signed != 0;
}
