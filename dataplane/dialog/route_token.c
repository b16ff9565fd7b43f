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

#include "transaction/base64.h"

#include <assert.h>
#include <string.h>

#define HEAD 19
#define CHECK 8
#define V6 8
#define TEXT_OF(bytes) (((bytes) * 8 + 5) / 6)
#define TEXT_V4 TEXT_OF(HEAD + 4 + CHECK)
#define TEXT_V6 TEXT_OF(HEAD + 16 + CHECK)
static_assert(TEXT_V4 == BP_ROUTE_TOKEN_SIZE_V4 && TEXT_V6 == BP_ROUTE_TOKEN_SIZE_MAX, "as the header says");
#define PACKED_MAX 64 /* with the Call-ID's words in the place of the check; whole groups */

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
	char text[BP_BASE64_TEXT];

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
	bp_base64_encode(packed, size, text);
	if (v4)
		memcpy(out, text, TEXT_V4);
	else
		memcpy(out, text, TEXT_V6);
	return v4 ? TEXT_V4 : TEXT_V6;
}

/* Bytes that are signed, with the signature behind them. 0: not a token. */
static unsigned
unpack(const char *text, unsigned size, uint8_t packed[PACKED_MAX])
{
	char whole[BP_BASE64_TEXT];
	unsigned ip;

	memset(whole, 'A', sizeof(whole)); /* zeros behind its end */
	if (size == TEXT_V4) {
		memcpy(whole, text, TEXT_V4);
		ip = 4;
	} else if (size == TEXT_V6) {
		memcpy(whole, text, TEXT_V6);
		ip = 16;
	} else {
		return 0;
	}
	if (!bp_base64_decode(whole, (size + 3) & ~3u, packed) || (packed[0] & V6) != (ip == 16 ? V6 : 0))
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
	uint8_t a = bp_base64_value((uint8_t)first[1]), b = bp_base64_value((uint8_t)second[1]);

	return first[0] == second[0] && ((a | b) & 64) == 0 && (a ^ b) == 16 && memcmp(first + 2, second + 2, 18) == 0;
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

/* Bytes 7 to 10: the characters from the tenth on, but for two bits before and two behind. */
bool
bp_route_token_index(const char *text, unsigned size, uint32_t *index)
{
	uint64_t bits = 0;
	uint8_t bad = 0;

	if (size < TEXT_V4)
		return false;
	for (unsigned i = 9; i < 15; i++) {
		uint8_t value = bp_base64_value((uint8_t)text[i]);

		bad |= value;
		bits = bits << 6 | (value & 63);
	}
	*index = (uint32_t)(bits >> 2);
	return (bad & 64) == 0;
}
