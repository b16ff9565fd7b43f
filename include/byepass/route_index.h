/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many routes, made for being found: control builds it (control/config/route_index.c), workers read it
 * (dataplane/proxy/route_index.c), and the hash that both must agree on stands here. It belongs to the snapshot.
 *
 * Routes with the same realm, Request-URI domain and user prefix share an entry, in which they stand in the
 * order of their precedence. An entry is found by the hash of the three. Which lengths of prefixes there are in
 * a realm says a bitmap, so that a look-up asks for as many buckets as there are lengths, all at once.
 */
#ifndef BYEPASS_ROUTE_INDEX_H
#define BYEPASS_ROUTE_INDEX_H

#include <assert.h>
#include <stdint.h>

#define BP_ROUTE_CANDIDATES_MAX 64 /* routes that differ in methods and in the domains of From and To only */
#define BP_ROUTE_BUCKET_SLOTS 8

struct bp_route_candidate {
	uint32_t route; /* index into bp_config.routes */
	uint16_t trunk; /* BP_CONFIG_NONE: the route's realm */
	uint16_t reserved;
};

/* In units of eight bytes; the prefix stands behind the candidates. */
struct bp_route_entry {
	uint16_t from;
	uint16_t count;
	uint8_t prefix_size;
	uint8_t reserved[3];
	struct bp_route_candidate candidates[]; /* those of one entry have the same domain */
};
static_assert(sizeof(struct bp_route_entry) == 8, "entries are counted in such units");

/* A look-up goes on to the next bucket when this one is full. */
struct bp_route_bucket {
	uint16_t tags[BP_ROUTE_BUCKET_SLOTS];    /* never 0 where there is an entry */
	uint32_t entries[BP_ROUTE_BUCKET_SLOTS]; /* 1 + place of the entry; 0: free, and so are all behind */
	uint8_t reserved[16];
} __attribute__((aligned(64)));
static_assert(sizeof(struct bp_route_bucket) == 64, "a cache line");

/* Bit n: there are prefixes of n bytes; bit 0: routes without one. */
struct bp_route_lengths {
	uint64_t any;    /* routes for any domain of the Request-URI */
	uint64_t domain; /* routes for one */
};

struct bp_route_index {
	struct bp_route_bucket *buckets; /* owned, as the others; a power of two, at least one slot is free */
	uint64_t bucket_mask;
	uint64_t *entries;
	uint64_t entry_words;
	struct bp_route_lengths *realms; /* by realm */
	uint32_t prefixes; /* entries in all */
};

#define BP_ROUTE_NO_DOMAIN UINT64_C(0)

static inline uint64_t
bp_route_hash_step(uint64_t hash, uint8_t byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

/* The hash of a domain in lower case begins with this, that of a prefix with the other; never BP_ROUTE_NO_DOMAIN once
 * a byte was added and bit 0 is set by the caller. */
static inline uint64_t
bp_route_hash_domain(void)
{
	return UINT64_C(0xcbf29ce484222325);
}

static inline uint64_t
bp_route_hash_begin(uint16_t from, uint64_t domain)
{
	return (domain + from + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t
bp_route_hash_end(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 29;
}

static inline uint16_t
bp_route_tag(uint64_t ended)
{
	return (uint16_t)(ended >> 48 | 1);
}

#endif
