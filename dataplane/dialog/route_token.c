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
#define PACKED_MAX (HEAD + 16 + 16 + 2) /* with the Call-ID's words in the place of the check */
#define TEXT_MAX 60

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static inline void
put(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

static inline uint64_t
get(const uint8_t *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | in[i];
	return value;
}

/* @packed has room for the Call-ID's words behind its @size bytes. */
static uint64_t
sign(const struct bp_hash_key *key, uint8_t *packed, unsigned size, struct bp_route_call call)
{
	for (unsigned i = 0; i < 16; i++)
		packed[size + i] = (uint8_t)(call.words[i / 8] >> 8 * (i % 8));
	return bp_hash64(key, packed, size + 16);
}

/* Three bytes make four characters. @in can be read, @out written up to whole groups. */
static void
encode(const uint8_t *in, unsigned size, char *out)
{
	for (unsigned i = 0; i < size; i += 3, out += 4) {
		uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)in[i + 1] << 8 | in[i + 2];

		out[0] = alphabet[group >> 18];
		out[1] = alphabet[group >> 12 & 63];
		out[2] = alphabet[group >> 6 & 63];
		out[3] = alphabet[group & 63];
	}
}

/* Values of the characters from ' ' to DEL; 64: none. */
/* clang-format off */
static const uint8_t values[96] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
	64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
};
/* clang-format on */

static uint32_t
value_of(char c)
{
	uint8_t place = (uint8_t)(c - ' ');

	return place < sizeof(values) ? values[place] : 64;
}

/* @text is read, @out written up to whole groups. */
static bool
decode(const char *text, unsigned size, uint8_t *out)
{
	uint32_t bad = 0;

	for (unsigned i = 0; i < size; i += 4, out += 3) {
		uint32_t a = value_of(text[i]), b = value_of(text[i + 1]), c = value_of(text[i + 2]),
			 d = value_of(text[i + 3]), group = a << 18 | b << 12 | c << 6 | d;

		bad |= a | b | c | d;
		out[0] = (uint8_t)(group >> 16);
		out[1] = (uint8_t)(group >> 8);
		out[2] = (uint8_t)group;
	}
	return (bad & 64) == 0;
}

static unsigned
encoded_size(unsigned bytes)
{
	return (bytes * 8 + 5) / 6;
}

void
bp_route_key_make(struct bp_route_key *key, const uint8_t secret[16])
{
	key->mac = bp_hash_key_load(secret);
	bp_digest_key_make(&key->call, &key->mac, 'c');
}

struct bp_route_call
bp_route_call(const struct bp_route_key *key, const char *call_id, unsigned size)
{
	struct bp_route_call call;
	struct bp_digest digest;

	bp_digest_begin(&digest, &key->call);
	bp_digest_add(&digest, call_id, size);
	bp_digest_end(&digest, 0, call.words);
	return call;
}

unsigned
bp_route_token_write(
	const struct bp_route_key *key, const struct bp_route_token *token, struct bp_route_call call, char *out)
{
	bool v4 = bp_ip_is_v4(&token->onward.ip);
	unsigned ip = v4 ? 4 : 16, size = HEAD + ip + CHECK;
	uint8_t packed[PACKED_MAX];
	char text[TEXT_MAX];

	packed[0] = (uint8_t)(token->key_id << 4 | (v4 ? 0 : V6) | (token->side & 1));
	put(packed + 1, token->node, 2);
	put(packed + 3, token->epoch, 4);
	put(packed + 7, token->index, 4);
	put(packed + 11, token->generation, 4);
	put(packed + 15, token->onward.listener, 2);
	put(packed + 17, token->onward.port, 2);
	memcpy(packed + HEAD, token->onward.ip.bytes + 16 - ip, ip);
	put(packed + HEAD + ip, sign(&key->mac, packed, HEAD + ip, call), CHECK);
	packed[size] = packed[size + 1] = 0;
	encode(packed, size, text);
	size = encoded_size(size);
	memcpy(out, text, size);
	return size;
}

bool
bp_route_token_read(const struct bp_route_key *key, const char *text, unsigned size, struct bp_route_call call,
	struct bp_route_token *token)
{
	char whole[TEXT_MAX];
	uint8_t packed[PACKED_MAX];
	uint64_t check;
	unsigned ip;

	if (size == encoded_size(HEAD + 4 + CHECK))
		ip = 4;
	else if (size == encoded_size(HEAD + 16 + CHECK))
		ip = 16;
	else
		return false;
	memset(whole + (size & ~3u), 'A', 4); /* zeros behind its end */
	memcpy(whole, text, size);
	if (!decode(whole, size, packed) || (packed[0] & V6) != (ip == 16 ? V6 : 0))
		return false;
	if ((packed[HEAD + ip + CHECK] | packed[HEAD + ip + CHECK + 1]) != 0)
		return false; /* one spelling only */
	check = get(packed + HEAD + ip, CHECK);
	if (check != sign(&key->mac, packed, HEAD + ip, call))
		return false;
	*token = (struct bp_route_token){
		.key_id = packed[0] >> 4,
		.side = packed[0] & 1,
		.node = (uint16_t)get(packed + 1, 2),
		.epoch = (uint32_t)get(packed + 3, 4),
		.index = (uint32_t)get(packed + 7, 4),
		.generation = (uint32_t)get(packed + 11, 4),
		.onward = {.listener = (uint16_t)get(packed + 15, 2), .port = (uint16_t)get(packed + 17, 2)},
	};
	if (ip == 4)
		token->onward.ip = bp_ip_from_v4(packed + HEAD);
	else
		memcpy(token->onward.ip.bytes, packed + HEAD, 16);
	return true;
}

/* Bytes 1 to 14 name the call; six bits to a character. The side is the lowest bit of byte 0, so the fifth of the second
 * character; byte 14 ends in the twentieth. */
bool
bp_route_token_twins(const char *first, const char *second)
{
	uint32_t a = value_of(first[1]), b = value_of(second[1]);

	return first[0] == second[0] && (a ^ b) == 16 && memcmp(first + 2, second + 2, 18) == 0;
}
