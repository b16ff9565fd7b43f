/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configured route of a request: the longest prefix, then the most specific, then the order of the file. Few routes
 * are searched one by one, many by the index that control built (byepass/route_index.h).
 */
#include "proxy/context.h"

#define DOMAIN_MAX 127 /* bytes of a configured one */

/* The host in the URI of From or To, which nobody has cut open yet. */
static bool
domain_is(const struct bp_sip_message *m, enum bp_sip_header_id id, const char *domain)
{
	const struct bp_sip_header *header = bp_sip_first(m, id);
	struct bp_sip_address address;
	struct bp_sip_uri uri;

	return header != NULL && bp_sip_address_cut(m->bytes, header->value, &address) &&
		bp_sip_uri_cut(m->bytes, address.uri, &uri) && bp_span_is(m->bytes, uri.host, domain);
}

/* What is asked for beside realm, prefix and domain. */
static bool
rest_matches(const struct bp_config_route *route, const struct bp_sip_message *m)
{
	if (route->methods != 0 && !(route->methods >> m->method & 1))
		return false;
	if (route->from_domain_size != 0 && !domain_is(m, BP_SIP_FROM, route->from_domain))
		return false;
	return route->to_domain_size == 0 || domain_is(m, BP_SIP_TO, route->to_domain);
}

static bool
route_matches(const struct bp_config_route *route, const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	uint16_t realm)
{
	if (route->from != realm || uri->user.size < route->user_prefix_size ||
		memcmp(bp_sip_at(m, uri->user), route->user_prefix, route->user_prefix_size) != 0)
		return false;
	return (route->domain_size == 0 || bp_span_is(m->bytes, uri->host, route->domain)) && rest_matches(route, m);
}

/* A look-up in the index. */
struct search {
	const struct bp_config *config;
	const struct bp_sip_message *m;
	const struct bp_sip_uri *uri;
	uint16_t realm;
	struct bp_route_choice *choice;
};

/* The request's part of an entry's key is compared, then each of its routes. */
static bool
entry_matches(const struct search *s, const struct bp_route_entry *entry, unsigned size, bool domain)
{
	const struct bp_config_route *routes = s->config->routes;

	if (entry->from != s->realm || entry->prefix_size != size ||
		memcmp(entry->candidates + entry->count, bp_sip_at(s->m, s->uri->user), size) != 0)
		return false;
	for (unsigned i = 0; i < entry->count; i++) {
		const struct bp_config_route *route = &routes[entry->candidates[i].route];

		if (i == 0 && (domain ? !bp_span_is(s->m->bytes, s->uri->host, route->domain) : route->domain_size != 0))
			return false;
		if (!rest_matches(route, s->m))
			continue;
		*s->choice = (struct bp_route_choice){route, entry->candidates[i].trunk};
		return true;
	}
	return false;
}

#define ONES UINT64_C(0x0001000100010001)

/* The highest bit of each sixteen where @tags has @tag, and at times of one above such a one. */
static inline uint64_t
with_tag(const uint16_t *tags, uint16_t tag)
{
	uint64_t word;

	memcpy(&word, tags, sizeof(word));
	word ^= ONES * tag;
	return (word - ONES) & ~word & ONES << 15;
}

static inline unsigned
first_tag(uint64_t *hits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	unsigned bit = (unsigned)__builtin_ctzll(*hits);

	*hits &= *hits - 1;
	return bit / 16;
#else
	unsigned bit = (unsigned)__builtin_clzll(*hits);

	*hits &= ~(UINT64_C(1) << (63 - bit));
	return bit / 16;
#endif
}

static bool
look_up(const struct search *s, uint64_t hash, unsigned size, bool domain)
{
	const struct bp_route_index *index = s->config->route_index;
	uint16_t tag = bp_route_tag(hash);

	for (uint64_t at = hash;; at++) {
		const struct bp_route_bucket *bucket = &index->buckets[at & index->bucket_mask];

		for (unsigned half = 0; half < BP_ROUTE_BUCKET_SLOTS; half += 4) {
			uint64_t hits = with_tag(bucket->tags + half, tag);

			while (hits != 0) {
				uint32_t place = bucket->entries[half + first_tag(&hits)];

				if (place != 0 && entry_matches(s,
						(const struct bp_route_entry *)(index->entries + place - 1), size, domain))
					return true;
			}
		}
		if (bucket->entries[BP_ROUTE_BUCKET_SLOTS - 1] == 0)
			return false;
	}
}

/* Hashes of the prefixes of @lengths, and their buckets asked for. Returns the lengths that the user is long enough for. */
static uint64_t
hash_prefixes(const struct search *s, uint64_t lengths, uint64_t hash, uint64_t hashes[64])
{
	const struct bp_route_index *index = s->config->route_index;
	const uint8_t *user = (const uint8_t *)bp_sip_at(s->m, s->uri->user);
	unsigned size = s->uri->user.size < 63 ? s->uri->user.size : 63;
	uint64_t left, usable = lengths & (~UINT64_C(0) >> (63 - size));
	unsigned at = 0;

	for (left = usable; left != 0; left &= left - 1) {
		unsigned length = (unsigned)__builtin_ctzll(left);

		for (; at < length; at++)
			hash = bp_route_hash_step(hash, user[at]);
		hashes[length] = bp_route_hash_end(hash);
		__builtin_prefetch(&index->buckets[hashes[length] & index->bucket_mask]);
	}
	return usable;
}

/* BP_ROUTE_NO_DOMAIN: longer than any that is configured. */
static uint64_t
hash_host(const struct search *s)
{
	const uint8_t *host = (const uint8_t *)bp_sip_at(s->m, s->uri->host);
	uint64_t hash = bp_route_hash_domain();

	if (s->uri->host.size == 0 || s->uri->host.size > DOMAIN_MAX)
		return BP_ROUTE_NO_DOMAIN;
	for (unsigned i = 0; i < s->uri->host.size; i++) {
		uint8_t byte = host[i];

		hash = bp_route_hash_step(hash, byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
	}
	return hash | 1;
}

static bool
search_index(const struct search *s)
{
	struct bp_route_lengths lengths = s->config->route_index->realms[s->realm], usable = {0, 0};
	uint64_t any[64], domains[64], host = lengths.domain != 0 ? hash_host(s) : BP_ROUTE_NO_DOMAIN;

	usable.any = hash_prefixes(s, lengths.any, bp_route_hash_begin(s->realm, BP_ROUTE_NO_DOMAIN), any);
	if (host != BP_ROUTE_NO_DOMAIN)
		usable.domain = hash_prefixes(s, lengths.domain, bp_route_hash_begin(s->realm, host), domains);
	while ((usable.any | usable.domain) != 0) {
		unsigned length = 63 - (unsigned)__builtin_clzll(usable.any | usable.domain);
		uint64_t bit = UINT64_C(1) << length;

		if ((usable.domain & bit) != 0 && look_up(s, domains[length], length, true))
			return true;
		if ((usable.any & bit) != 0 && look_up(s, any[length], length, false))
			return true;
		usable.any &= ~bit;
		usable.domain &= ~bit;
	}
	return false;
}

bool
bp_route_choose(const struct bp_config *config, const struct bp_sip_message *m, const struct bp_sip_uri *uri,
	uint16_t realm, struct bp_route_choice *choice)
{
	if (config->route_index != NULL)
		return search_index(&(struct search){config, m, uri, realm, choice});
	for (uint32_t i = 0; i < config->route_count; i++) {
		const struct bp_config_route *route = &config->routes[i];

		if (!route_matches(route, m, uri, realm))
			continue;
		*choice = (struct bp_route_choice){route, route->trunk};
		return true;
	}
	return false;
}
