/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading what a name server sent, see answer.h.
 */
#include "dns/answer.h"

#include <string.h>

#define HEADER 12
#define JUMPS_MAX 64

struct message {
	const uint8_t *bytes;
	size_t size;
};

struct resource {
	char owner[BP_NAME_SIZE_MAX + 1];
	uint16_t type, class;
	uint32_t ttl_s;
	size_t data, data_size;
};

static uint16_t
get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t
get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* The name at *@at in lower case without its last dot, and *@at behind it. Pointers only lead back (RFC 1035 4.1.4).
 * False: malformed, too long, or with a byte that a text could not hold. */
static bool
read_name(const struct message *m, size_t *at, char out[BP_NAME_SIZE_MAX + 1])
{
	size_t place = *at, end = 0, used = 0;

	for (unsigned jumps = 0; place < m->size;) {
		uint8_t size = m->bytes[place];

		if ((size & 0xc0) == 0xc0) {
			size_t to = place + 1 < m->size ? get16(m->bytes + place) & 0x3fffu : m->size;

			end = end ? end : place + 2;
			if (to >= place || ++jumps > JUMPS_MAX)
				return false;
			place = to;
			continue;
		}
		if (size == 0) {
			out[used] = '\0';
			*at = end ? end : place + 1;
			return true;
		}
		if (size > BP_NAME_LABEL_MAX || place + 1 + size > m->size ||
			used + (used > 0) + size > BP_NAME_SIZE_MAX)
			return false;
		if (used > 0)
			out[used++] = '.';
		for (unsigned i = 1; i <= size; i++) {
			uint8_t c = m->bytes[place + i];

			if (c <= ' ' || c >= 0x7f || c == '.' || c == '\\')
				return false;
			out[used++] = lower(c);
		}
		place += 1u + size;
	}
	return false;
}

static bool
read_resource(const struct message *m, size_t *at, struct resource *out)
{
	if (!read_name(m, at, out->owner) || m->size - *at < 10)
		return false;
	out->type = get16(m->bytes + *at);
	out->class = get16(m->bytes + *at + 2);
	out->ttl_s = get32(m->bytes + *at + 4);
	if (out->ttl_s > INT32_MAX) /* RFC 2181 8 */
		out->ttl_s = 0;
	out->data_size = get16(m->bytes + *at + 8);
	out->data = *at + 10;
	if (out->data_size > m->size - out->data)
		return false;
	*at = out->data + out->data_size;
	return true;
}

/* A character-string (RFC 1035 3.3) in lower case. */
static bool
read_text(const struct message *m, size_t *at, size_t end, char *out, size_t room)
{
	size_t size = *at < end ? m->bytes[*at] : end;

	if (*at + 1 + size > end)
		return false;
	for (size_t i = 0; i < size && i + 1 < room; i++)
		out[i] = lower(m->bytes[*at + 1 + i]);
	out[size < room ? size : room - 1] = '\0';
	if (size >= room)
		out[0] = '?'; /* longer than anything that is known */
	*at += 1 + size;
	return true;
}

static bool
read_naptr(const struct message *m, const struct resource *r, struct bp_dns_record *out)
{
	size_t at = r->data + 4, end = r->data + r->data_size;
	char regexp[2];

	if (r->data_size < 8)
		return false;
	out->priority = get16(m->bytes + r->data);
	out->weight = get16(m->bytes + r->data + 2);
	if (!read_text(m, &at, end, out->flags, sizeof(out->flags)) ||
		!read_text(m, &at, end, out->service, sizeof(out->service)) ||
		!read_text(m, &at, end, regexp, sizeof(regexp)))
		return false;
	out->regexp = regexp[0] != '\0';
	return read_name(m, &at, out->name) && at <= end;
}

static bool
read_data(const struct message *m, const struct resource *r, struct bp_dns_record *out)
{
	const uint8_t *data = m->bytes + r->data;
	size_t at = r->data + 6;

	memset(out, 0, sizeof(*out));
	switch (r->type) {
	case BP_DNS_A:
		if (r->data_size == 4)
			out->ip = bp_ip_from_v4(data);
		return r->data_size == 4;
	case BP_DNS_AAAA:
		if (r->data_size == 16)
			memcpy(out->ip.bytes, data, 16);
		return r->data_size == 16;
	case BP_DNS_SRV:
		if (r->data_size < 7)
			return false;
		out->priority = get16(data);
		out->weight = get16(data + 2);
		out->port = get16(data + 4);
		return read_name(m, &at, out->name) && at <= r->data + r->data_size;
	case BP_DNS_NAPTR:
		return read_naptr(m, r, out);
	default:
		return false;
	}
}

static void
at_most(uint32_t *ttl_s, uint32_t other_s)
{
	if (other_s < *ttl_s)
		*ttl_s = other_s;
}

/* One walk over the answers for @owner. GOOD; NOTHING and *alias "" or what it is an alias of; BAD. */
static enum bp_dns_outcome
look(const struct message *m, size_t at, const char *owner, enum bp_dns_type type, struct bp_dns_answer *answer,
	char alias[BP_NAME_SIZE_MAX + 1])
{
	uint32_t alias_s = UINT32_MAX;
	struct resource r;

	alias[0] = '\0';
	for (unsigned i = get16(m->bytes + 6); i > 0; i--) {
		if (!read_resource(m, &at, &r))
			return BP_DNS_BAD;
		if (r.class != 1 || strcmp(r.owner, owner) != 0)
			continue;
		if (r.type == type && answer->count < BP_DNS_RECORDS_MAX) {
			if (!read_data(m, &r, &answer->records[answer->count]))
				return BP_DNS_BAD;
			answer->count++;
			at_most(&answer->ttl_s, r.ttl_s);
		} else if (r.type == BP_DNS_CNAME && alias[0] == '\0') {
			size_t data = r.data;

			if (!read_name(m, &data, alias))
				return BP_DNS_BAD;
			alias_s = r.ttl_s;
		}
	}
	if (answer->count > 0)
		return BP_DNS_GOOD;
	at_most(&answer->ttl_s, alias_s);
	return BP_DNS_NOTHING;
}

/* For how long a "no" is good: the SOA of the authority section (RFC 2308 5). */
static uint32_t
negative_ttl(const struct message *m, size_t at)
{
	unsigned answers = get16(m->bytes + 6), authorities = get16(m->bytes + 8);
	struct resource r;

	for (unsigned i = 0; i < answers + authorities; i++) {
		if (!read_resource(m, &at, &r))
			return 0;
		if (i >= answers && r.type == BP_DNS_SOA && r.data_size >= 22) {
			uint32_t minimum_s = get32(m->bytes + r.data + r.data_size - 4);

			return minimum_s < r.ttl_s ? minimum_s : r.ttl_s;
		}
	}
	return 0;
}

/* Behind the one question. 0: there is another number of them. */
static size_t
skip_question(const struct message *m)
{
	char name[BP_NAME_SIZE_MAX + 1];
	size_t at = HEADER;

	if (get16(m->bytes + 4) != 1 || !read_name(m, &at, name) || m->size - at < 4)
		return 0;
	return at + 4;
}

enum bp_dns_outcome
bp_dns_answer_read(
	const uint8_t *bytes, size_t size, const char *name, enum bp_dns_type type, struct bp_dns_answer *answer)
{
	struct message m = {bytes, size};
	char owner[BP_NAME_SIZE_MAX + 1], alias[BP_NAME_SIZE_MAX + 1];
	enum bp_dns_outcome outcome;
	unsigned code;
	size_t at;

	answer->count = 0;
	answer->ttl_s = UINT32_MAX;
	if (size < HEADER || strlen(name) > BP_NAME_SIZE_MAX)
		return BP_DNS_BAD;
	at = skip_question(&m);
	code = bytes[3] & 15;
	if (code != 0 && code != 3)
		return BP_DNS_FAILED;
	if (at == 0 || get16(bytes + 6) > BP_DNS_SECTION_MAX || get16(bytes + 8) > BP_DNS_SECTION_MAX)
		return BP_DNS_BAD;
	strcpy(owner, name);
	for (unsigned i = 0; i <= BP_DNS_ALIASES_MAX; i++) {
		outcome = look(&m, at, owner, type, answer, alias);
		if (outcome != BP_DNS_NOTHING)
			return outcome;
		if (alias[0] == '\0') {
			answer->ttl_s = negative_ttl(&m, at);
			return BP_DNS_NOTHING;
		}
		strcpy(owner, alias);
	}
	return BP_DNS_BAD; /* aliases without end */
}
