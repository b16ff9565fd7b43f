/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers, durations and addresses as text, see units.h.
 */
#include "config/units.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *suffix;
	uint64_t us;
} durations[] = {
	{"d", 86400000000},
	{"h", 3600000000},
	{"m", 60000000},
	{"s", 1000000},
	{"ms", 1000},
	{"us", 1},
};

#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

/* Reads digits up to the first other byte. False: none, a leading zero, or too large. */
static bool
digits(const char *text, uint64_t *value, const char **end)
{
	const char *p = text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	}
	if (p == text || (*text == '0' && p != text + 1))
		return false;
	*value = v;
	*end = p;
	return true;
}

bool
bp_unit_number(const char *text, uint64_t *value)
{
	const char *end;
	uint64_t v;

	if (!digits(text, &v, &end) || *end != '\0')
		return false;
	*value = v;
	return true;
}

bool
bp_unit_duration(const char *text, uint64_t *us)
{
	const char *end;
	uint64_t v;

	if (!digits(text, &v, &end))
		return false;
	for (size_t i = 0; i < DURATIONS; i++) {
		if (strcmp(end, durations[i].suffix) == 0)
			return !__builtin_mul_overflow(v, durations[i].us, us);
	}
	return false;
}

const char *
bp_unit_duration_text(uint64_t us, char *out, size_t size)
{
	size_t i = 0;

	if (us == 0) {
		snprintf(out, size, "0s");
		return out;
	}
	while (us % durations[i].us != 0)
		i++;
	snprintf(out, size, "%" PRIu64 "%s", us / durations[i].us, durations[i].suffix);
	return out;
}

bool
bp_unit_ip(const char *text, struct bp_ip *ip, uint8_t *family)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*ip = bp_ip_from_v4(&v4);
		*family = 4;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	memcpy(ip->bytes, &v6, sizeof(ip->bytes));
	*family = 6;
	return !bp_ip_is_v4(ip);
}

bool
bp_unit_prefix(const char *text, struct bp_prefix *prefix)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct bp_prefix p;
	uint64_t bits;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!bp_unit_ip(address, &p.ip, &p.family) || !bp_unit_number(slash + 1, &bits))
		return false;
	if (bits == 0 || bits > (p.family == 4 ? 32 : 128))
		return false;
	p.bits = (uint8_t)bits;
	*prefix = p;
	return true;
}

bool
bp_unit_endpoint(const char *text, uint16_t port, struct bp_endpoint *endpoint)
{
	char address[INET6_ADDRSTRLEN];
	bool brackets = text[0] == '[';
	const char *start = brackets ? text + 1 : text;
	size_t size = strcspn(start, brackets ? "]" : ":");
	const char *rest = start + size;
	struct bp_endpoint e = {.port = port};
	uint64_t number = port;

	if (size >= sizeof(address) || (brackets && *rest++ != ']'))
		return false;
	memcpy(address, start, size);
	address[size] = '\0';
	if (!bp_unit_ip(address, &e.ip, &e.family) || (e.family == 6) != brackets)
		return false;
	if (*rest == ':' && !bp_unit_number(rest + 1, &number))
		return false;
	if ((*rest != ':' && *rest != '\0') || number == 0 || number > UINT16_MAX)
		return false;
	e.port = (uint16_t)number;
	*endpoint = e;
	return true;
}

const char *
bp_unit_ip_text(const struct bp_ip *ip, char *out, size_t size)
{
	bool v4 = bp_ip_is_v4(ip);

	if (inet_ntop(v4 ? AF_INET : AF_INET6, ip->bytes + (v4 ? 12 : 0), out, (socklen_t)size) == NULL)
		out[0] = '\0';
	return out;
}

const char *
bp_unit_endpoint_text(const struct bp_ip *ip, uint16_t port, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	bp_unit_ip_text(ip, address, sizeof(address));
	snprintf(out, size, bp_ip_is_v4(ip) ? "%s:%u" : "[%s]:%u", address, port);
	return out;
}

bool
bp_prefix_contains(const struct bp_prefix *prefix, const struct bp_ip *ip)
{
	unsigned bits = prefix->bits + (prefix->family == 4 ? 96u : 0u);
	unsigned whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00u >> (bits % 8));

	if ((prefix->family == 4) != bp_ip_is_v4(ip) || memcmp(prefix->ip.bytes, ip->bytes, whole) != 0)
		return false;
	return bits % 8 == 0 || ((prefix->ip.bytes[whole] ^ ip->bytes[whole]) & mask) == 0;
}
