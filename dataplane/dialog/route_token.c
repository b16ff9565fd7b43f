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

static inline void
put(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = bytes; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value; /* becomes one store */
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
	put(packed + size, call.words[0], 8);
	put(packed + size + 8, call.words[1], 8);
	return bp_hash64(key, packed, size + 16);
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH (ONES * 0x80)

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

/* @text is read, @out written up to whole groups and two bytes more. */
static bool
decode(const char *text, unsigned size, uint8_t *out)
{
	uint64_t good = ONES;

	for (unsigned i = 0; i < size; i += 8, out += 6) {
		uint64_t x = load_big(text + i), plain = x & ~HIGH;
		uint64_t upper = at_least(plain, 'A') ^ at_least(plain, 'Z' + 1);
		uint64_t lower = at_least(plain, 'a') ^ at_least(plain, 'z' + 1);
		uint64_t digit = at_least(plain, '0') ^ at_least(plain, '9' + 1);
		uint64_t minus = at_least(plain, '-') ^ at_least(plain, '-' + 1);
		uint64_t under = at_least(plain, '_') ^ at_least(plain, '_' + 1);

		good &= (upper | lower | digit | minus | under) & ~(x >> 7);
		x = plain - upper * 'A' - lower * ('a' - 26) + digit * (52 - '0') + minus * (62 - '-') -
			under * ('_' - 63);
		x &= ONES * 63;
		x = (x & UINT64_C(0x3f003f003f003f00)) >> 2 | (x & UINT64_C(0x003f003f003f003f));
		x = (x & UINT64_C(0x0fff00000fff0000)) >> 4 | (x & UINT64_C(0x00000fff00000fff));
		x = (x & UINT64_C(0x00ffffff00000000)) >> 8 | (x & 0xffffff);
		store_big(out, x << 16);
	}
	return good == ONES;
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

/* Bytes 1 to 14 name the call; six bits to a character. The side is the lowest bit of byte 0, so the fifth of the second
 * character; byte 14 ends in the twentieth. */
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
