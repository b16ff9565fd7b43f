/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Equality of SIP and SIPS URIs. RFC 3261 19.1.4: user and password by case, the rest
 * not; an escape is equal to the character it stands for unless that one is reserved; parameters and
 * headers in any order. RFC 5954 4.2: IPv6 references as the addresses that they are.
 */
#include "sip/uri.h"

struct text {
	const uint8_t *p;
	const uint8_t *end;
};

static struct text
text_of(const uint8_t *bytes, struct bp_span span)
{
	return (struct text){.p = bytes + span.offset, .end = bytes + span.offset + span.size};
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character, escapes resolved. An escaped reserved character is not the same as the bare one: bit 8
 * tells. RFC 2396 2.2. */
static unsigned
next_character(struct text *text)
{
	uint8_t c = *text->p++;
	int high, low;

	if (c != '%' || text->end - text->p < 2)
		return c;
	high = hex_digit(text->p[0]);
	low = hex_digit(text->p[1]);
	if (high < 0 || low < 0)
		return c;
	text->p += 2;
	c = (uint8_t)(high << 4 | low);
	return c && strchr(";/?:@&=+$,", c) ? 0x100u | c : c;
}

static unsigned
fold(unsigned c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
text_equal(struct text a, struct text b, bool exact_case)
{
	while (a.p < a.end && b.p < b.end) {
		unsigned x = next_character(&a), y = next_character(&b);

		if (exact_case ? x != y : fold(x) != fold(y))
			return false;
	}
	return a.p == a.end && b.p == b.end;
}

/* One "name=value" of a list that @separator splits: what is at text->p, moved behind the separator. */
static bool
next_pair(struct text *list, char separator, struct text *name, struct text *value)
{
	const uint8_t *end, *equal;

	if (list->p >= list->end)
		return false;
	end = memchr(list->p, separator, (size_t)(list->end - list->p));
	if (end == NULL)
		end = list->end;
	equal = memchr(list->p, '=', (size_t)(end - list->p));
	*name = (struct text){.p = list->p, .end = equal ? equal : end};
	*value = (struct text){.p = equal ? equal + 1 : end, .end = end};
	list->p = end < list->end ? end + 1 : end;
	return true;
}

static bool
find_pair(struct text list, char separator, struct text wanted, struct text *value)
{
	struct text name;

	while (next_pair(&list, separator, &name, value)) {
		if (text_equal(name, wanted, false))
			return true;
	}
	return false;
}

/* Those that must be in both or in none. */
static bool
is_decisive(struct text name)
{
	static const char *const names[] = {"user", "ttl", "method", "maddr", "transport"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint8_t *p = (const uint8_t *)names[i];

		if (text_equal(name, (struct text){.p = p, .end = p + strlen(names[i])}, false))
			return true;
	}
	return false;
}

/* Each of @a has an equal one in @b; one that @b lacks matters when it is decisive, or @all matter. */
static bool
pairs_match(struct text a, struct text b, char separator, bool all)
{
	struct text name, value, other;
	unsigned budget = 64; /* the cost is quadratic: hostile lists are unequal */

	while (next_pair(&a, separator, &name, &value)) {
		if (budget-- == 0)
			return false;
		if (find_pair(b, separator, name, &other)) {
			if (!text_equal(value, other, false))
				return false;
		} else if (all || is_decisive(name)) {
			return false;
		}
	}
	return true;
}

static bool
host_equal(const uint8_t *a_bytes, struct bp_span a, const uint8_t *b_bytes, struct bp_span b)
{
	struct bp_ip x, y;

	if (a.size && b.size && a_bytes[a.offset] == '[' && b_bytes[b.offset] == '[' &&
		bp_sip_host_ip(a_bytes, a, &x) && bp_sip_host_ip(b_bytes, b, &y))
		return bp_ip_equal(&x, &y);
	return text_equal(text_of(a_bytes, a), text_of(b_bytes, b), false);
}

/* User, or user ":" password, as it stands before the '@'; empty: none. */
static struct text
userinfo(const uint8_t *bytes, const struct bp_sip_uri *uri)
{
	const uint8_t *begin = bytes + uri->user.offset, *host = bytes + uri->host.offset;

	if (uri->user.offset == 0 || uri->user.offset > uri->host.offset)
		return (struct text){.p = bytes, .end = bytes};
	return (struct text){.p = begin, .end = host - 1};
}

/* The parameters without the ';' they begin with. */
static struct text
params_of(const uint8_t *bytes, const struct bp_sip_uri *uri)
{
	struct text text = text_of(bytes, uri->params);

	if (text.p < text.end)
		text.p++;
	return text;
}

bool
bp_sip_uri_equal(const uint8_t *a_bytes, struct bp_span a, const uint8_t *b_bytes, struct bp_span b)
{
	struct bp_sip_uri x, y;
	struct text xp, yp, xh, yh;

	if (!bp_sip_uri_cut(a_bytes, a, &x) || !bp_sip_uri_cut(b_bytes, b, &y) || x.scheme != y.scheme)
		return false;
	if (x.scheme != BP_URI_SIP && x.scheme != BP_URI_SIPS)
		return text_equal(text_of(a_bytes, a), text_of(b_bytes, b), true);
	if (!text_equal(userinfo(a_bytes, &x), userinfo(b_bytes, &y), true) ||
		!host_equal(a_bytes, x.host, b_bytes, y.host) || x.port != y.port)
		return false;
	xp = params_of(a_bytes, &x);
	yp = params_of(b_bytes, &y);
	xh = text_of(a_bytes, x.headers);
	yh = text_of(b_bytes, y.headers);
	return pairs_match(xp, yp, ';', false) && pairs_match(yp, xp, ';', false) &&
	       pairs_match(xh, yh, '&', true) && pairs_match(yh, xh, '&', true);
}
