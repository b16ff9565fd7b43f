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
#define PACKED_MAX 64 /* with the Call-ID's words in the place of the check; whole groups */
#define TEXT_MAX 64

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Big-endian, of 2, 4 or 8 bytes. */
static inline void
put(uint8_t *out, uint64_t value, unsigned bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	memcpy(out, (const uint8_t *)&value + 8 - bytes, bytes);
}

static inline uint64_t
get(const uint8_t *in, unsigned bytes)
{
	uint64_t value = 0;

	memcpy((uint8_t *)&value + 8 - bytes, in, bytes);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

/* @packed has room for the Call-ID's words behind its @size bytes. */
static uint64_t
sign(const struct bp_hash_key *key, uint8_t *packed, unsigned size, struct bp_route_call call)
{
	put(packed + size, call.words[0], 8);
	put(packed + size + 8, call.words[1], 8);
	return bp_hash64(key, packed, size + 16);
}

#define ONES UINT64_C(0x0101010101010101)

/* In each byte, all less than 128: 1 where it is at least @least. */
static inline uint64_t
at_least(uint64_t bytes, unsigned least)
{
	return (bytes + ONES * (0x80 - least)) >> 7 & ONES;
}

static inline uint64_t
load_big(const void *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

static inline void
store_big(void *to, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	memcpy(to, &word, sizeof(word));
}

/* Six bytes make eight characters. @in can be read for two bytes more than whole groups, @out written up to them. */
static void
encode(const uint8_t *in, unsigned size, char *out)
{
	for (unsigned i = 0; i < size; i += 6, out += 8) {
		uint64_t x = load_big(in + i) >> 16;

		x = (x & UINT64_C(0xffffff000000)) << 8 | (x & 0xffffff);
		x = (x & UINT64_C(0x00fff00000fff000)) << 4 | (x & UINT64_C(0x00000fff00000fff));
		x = (x & UINT64_C(0x0fc00fc00fc00fc0)) << 2 | (x & UINT64_C(0x003f003f003f003f));
		/* A-Z a-z 0-9 - _: what the first character of each run is further away than that of the one before */
		x += ONES * 'A' + at_least(x, 26) * ('a' - 'Z' - 1) - at_least(x, 52) * ('z' + 1 - '0') -
			at_least(x, 62) * ('9' + 1 - '-') + at_least(x, 63) * ('_' - '-' - 1);
		store_big(out, x);
	}
}

/* Values of all characters; 64: none. */
/* clang-format off */
static const uint8_t values[256] = {
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, 64, 0, 1, 2, 3, 4, 5, 6,
	7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
	49, 50, 51, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
};
/* clang-format on */

/* Four characters make three bytes. @text is read, @out written up to whole groups and one byte more. */
static bool
decode(const char *text, unsigned size, uint8_t *out)
{
	const uint8_t *in = (const uint8_t *)text;
	uint32_t bad = 0;

	for (unsigned i = 0; i < size; i += 4, out += 3) {
		uint32_t a = values[in[i]], b = values[in[i + 1]], c = values[in[i + 2]], d = values[in[i + 3]];
		uint32_t group = a << 26 | b << 20 | c << 14 | d << 8;

		bad |= a | b | c | d;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		group = __builtin_bswap32(group);
#endif
		memcpy(out, &group, sizeof(group));
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
	memset(packed + size, 0, 8);
	encode(packed, size, text);
	size = encoded_size(size);
	memcpy(out, text, size);
	return size;
}

/* Bytes that are signed, with the signature behind them. 0: not a token. */
static unsigned
unpack(const char *text, unsigned size, uint8_t packed[PACKED_MAX])
{
	char whole[TEXT_MAX];
	unsigned ip;

	if (size == encoded_size(HEAD + 4 + CHECK))
		ip = 4;
	else if (size == encoded_size(HEAD + 16 + CHECK))
		ip = 16;
	else
		return 0;
	memset(whole + (size & ~7u), 'A', 8); /* zeros behind its end */
	memcpy(whole, text, size);
	if (!decode(whole, size, packed) || (packed[0] & V6) != (ip == 16 ? V6 : 0))
		return 0;
	if ((packed[HEAD + ip + CHECK] | packed[HEAD + ip + CHECK + 1]) != 0)
		return 0; /* one spelling only */
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
bp_route_token_read(const struct bp_route_key *key, const char *text, unsigned size, struct bp_route_call call,
	struct bp_route_token *token)
{
	uint8_t packed[PACKED_MAX];
	unsigned is_signed = unpack(text, size, packed);
	uint64_t check = is_signed ? get(packed + is_signed, CHECK) : 0;

	if (is_signed == 0 || check != sign(&key->mac, packed, is_signed, call))
		return false;
	*token = token_of(packed, is_signed);
	return true;
}

/* Bytes 1 to 14 name the call; six bits to a character. The side is the lowest bit of byte 0, so the fifth of the
 * second character; byte 14 ends in the twentieth. */
bool
bp_route_token_twins(const char *first, const char *second)
{
	const char *a = memchr(alphabet, first[1], sizeof(alphabet)), *b = memchr(alphabet, second[1], sizeof(alphabet));

	return first[0] == second[0] && a != NULL && b != NULL && ((a - alphabet) ^ (b - alphabet)) == 16 &&
		memcmp(first + 2, second + 2, 18) == 0;
}

bool
bp_route_token_open(const char *text, unsigned size, struct bp_route_token *token)
{
	uint8_t packed[PACKED_MAX];
	unsigned is_signed = unpack(text, size, packed);

	if (is_signed != 0)
		*token = token_of(packed, is_signed);
	return is_signed != 0;
}

/* Bytes 7 to 10: in the second group of eight characters. */
bool
bp_route_token_index(const char *text, unsigned size, uint32_t *index)
{
	uint8_t group[8];

	if (size < encoded_size(HEAD + 4 + CHECK) || !decode(text + 8, 8, group))
		return false;
	*index = (uint32_t)get(group + 1, 4);
	return true;
}
