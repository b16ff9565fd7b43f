/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Seeded spoiling of messages. See mutate.h.
 */
#include "mutate.h"

#include <string.h>

uint64_t
random_next(struct random *random) /* splitmix64 */
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

unsigned
random_below(struct random *random, unsigned n)
{
	return (unsigned)(random_next(random) % n);
}

static const char *const tokens[] = {"\r\n", "\r\n\r\n", "\n", "\r", " ", "\t", ":", ";", ",", "<", ">", "\"",
	"\\", "@", "?", "&", "%00", "%", "[", "]", "[::1]", ":0", ":99999", ":5060", "=", ";lr",
	";tag=", ";tag=x", ";branch=", ";branch=z9hG4bK", ";rport", ";rport=1", ";received=1.2.3.4",
	";received=[", ";maddr=192.0.2.10", ";ttl=1", "sip:", "sips:", "tel:", "SIP/2.0", "SIP/2.0/UDP ",
	"SIP/2.0/TCP ", "INVITE ", "ACK ", "CANCEL ", "BYE ", "0", "-1", "4294967295", "4294967296",
	"99999999999999999999", "\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK",
	"\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0", "\r\nRoute: <sip:192.0.2.1;lr>",
	"\r\nRoute: <sip:10.0.0.1:5060;lr>", "\r\nRoute: <sip:x@192.0.2.1:5060;lr>,<sip:10.0.0.1>",
	"\r\nMax-Forwards: 0", "\r\nMax-Forwards: 1", "\r\nProxy-Require: x", "\r\nRecord-Route: <sip:a;lr>",
	"\r\nContent-Length: 3", "\r\nContact: *", "\r\nl: 0", "\r\nv: SIP/2.0/UDP x", "\r\n folded", "\xff",
	"\x80\x81", "\xc3\xa9"};

struct buffer {
	uint8_t *bytes;
	size_t size;
};

/* @remove bytes at @at go, @size bytes of @with come. */
static void
replace(struct buffer *buffer, size_t at, size_t remove, const void *with, size_t size)
{
	if (buffer->size - remove + size > MUTATE_SIZE_MAX)
		return;
	memmove(buffer->bytes + at + size, buffer->bytes + at + remove, buffer->size - at - remove);
	memcpy(buffer->bytes + at, with, size);
	buffer->size = buffer->size - remove + size;
}

/* A random line: where it begins; its size with its end. */
static size_t
random_line(struct random *random, const struct buffer *buffer, size_t *size)
{
	size_t at = random_below(random, (unsigned)buffer->size), end;

	while (at > 0 && buffer->bytes[at - 1] != '\n')
		at--;
	for (end = at; end < buffer->size && buffer->bytes[end] != '\n'; end++)
		;
	*size = (end < buffer->size ? end + 1 : end) - at;
	return at;
}

static void
change_number(struct random *random, struct buffer *buffer)
{
	static const char *const numbers[] = {"0", "1", "-1", "00000000000000000001", "2147483648",
		"4294967295", "4294967296", "65536", "999", "1.5", "0x1"};
	const char *number = numbers[random_below(random, 11)];
	size_t at = random_below(random, (unsigned)buffer->size), end;

	while (at < buffer->size && (buffer->bytes[at] < '0' || buffer->bytes[at] > '9'))
		at++;
	for (end = at; end < buffer->size && buffer->bytes[end] >= '0' && buffer->bytes[end] <= '9'; end++)
		;
	replace(buffer, at, end - at, number, strlen(number));
}

static void
move_line(struct random *random, struct buffer *buffer, bool remove)
{
	uint8_t line[2048];
	size_t size, at = random_line(random, buffer, &size);

	if (size == 0 || size > sizeof(line))
		return;
	memcpy(line, buffer->bytes + at, size);
	if (remove)
		replace(buffer, at, size, "", 0);
	if (buffer->size == 0)
		return;
	at = random_line(random, buffer, &(size_t){0});
	replace(buffer, at, 0, line, size);
}

static void
mutate_once(struct random *random, struct buffer *buffer, const char *other)
{
	size_t at = random_below(random, (unsigned)buffer->size), left = buffer->size - at, size;
	const char *token = tokens[random_below(random, sizeof(tokens) / sizeof(tokens[0]))];
	uint8_t byte = (uint8_t)random_next(random);
	uint8_t block[600];

	switch (random_below(random, 14)) {
	case 0:
		buffer->bytes[at] ^= (uint8_t)(1u << random_below(random, 8));
		break;
	case 1:
		buffer->bytes[at] = byte;
		break;
	case 2: /* a range goes */
		replace(buffer, at, 1 + random_below(random, left < 40 ? (unsigned)left : 40), "", 0);
		break;
	case 3:
		replace(buffer, at, 0, token, strlen(token));
		break;
	case 4:
		replace(buffer, at, left < strlen(token) ? left : strlen(token), token, strlen(token));
		break;
	case 5:
		move_line(random, buffer, false);
		break;
	case 6:
		move_line(random, buffer, true);
		break;
	case 7:
		at = random_line(random, buffer, &size);
		replace(buffer, at, size, "", 0);
		break;
	case 8:
		change_number(random, buffer);
		break;
	case 9:
		buffer->size = at;
		break;
	case 10: /* the tail of another message */
		if (other && strlen(other) > 0) {
			other += random_below(random, (unsigned)strlen(other));
			replace(buffer, at, left, other, strlen(other));
		}
		break;
	case 11: /* the same again and again */
		size = left < sizeof(block) ? left : sizeof(block);
		size = 1 + random_below(random, (unsigned)size);
		memcpy(block, buffer->bytes + at, size);
		for (unsigned n = random_below(random, 30); n > 0; n--)
			replace(buffer, at, 0, block, size);
		break;
	case 12: /* case */
		buffer->bytes[at] ^= 0x20;
		break;
	default: /* token at the start of a line or of a value */
		at = random_line(random, buffer, &size);
		replace(buffer, at, 0, token, strlen(token));
		break;
	}
}

size_t
mutate(struct random *random, uint8_t *bytes, size_t size, const char *other)
{
	struct buffer buffer = {bytes, size};

	for (unsigned n = 1 + random_below(random, 4); n > 0 && buffer.size > 0; n--)
		mutate_once(random, &buffer, other);
	return buffer.size;
}
