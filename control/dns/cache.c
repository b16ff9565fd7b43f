/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What names are known, and for how long. See cache.h.
 */
#include "dns/cache.h"

#include <errno.h>
#include <stdlib.h>

#define NO_SLOT UINT32_MAX
#define SECOND_US 1000000ull

struct slot {
	struct bp_name_key key;
	bool taken, pinned, locating;
	uint32_t next; /* of its bucket, or of the free ones */
	struct bp_name_entry *entry; /* as published; NULL: nothing is known */
	uint64_t asked_us, refresh_us, expires_us;
};

struct bp_dns_cache {
	struct bp_config_dns config;
	struct bp_name_table_writer *writer;
	struct bp_locate_options options;
	struct bp_dns_counters *counters;
	uint64_t random, now_us, ticked_us;
	uint32_t locates, hand, free, mask;
	uint32_t *buckets;
	struct slot *slots;
};

struct question {
	struct bp_dns_cache *cache;
	uint32_t slot;
};

int
bp_dns_cache_create(struct bp_dns_cache **out, const struct bp_config_dns *config,
	struct bp_name_table_writer *writer, const struct bp_locate_options *options,
	struct bp_dns_counters *counters, uint64_t random)
{
	struct bp_dns_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return -ENOMEM;
	cache->config = *config;
	cache->writer = writer;
	cache->options = *options;
	cache->counters = counters;
	cache->random = random | 1;
	cache->mask = writer->table->mask;
	cache->slots = calloc(config->cache, sizeof(*cache->slots));
	cache->buckets = malloc(((size_t)cache->mask + 1) * sizeof(*cache->buckets));
	if (cache->slots == NULL || cache->buckets == NULL) {
		bp_dns_cache_free(cache);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i <= cache->mask; i++)
		cache->buckets[i] = NO_SLOT;
	for (uint32_t i = 0; i < config->cache; i++)
		cache->slots[i].next = i + 1 < config->cache ? i + 1 : NO_SLOT;
	*out = cache;
	return 0;
}

void
bp_dns_cache_free(struct bp_dns_cache *cache)
{
	if (cache == NULL)
		return;
	free(cache->slots);
	free(cache->buckets);
	free(cache);
}

bool
bp_dns_cache_has_room(const struct bp_dns_cache *cache)
{
	return cache->locates < BP_DNS_LOCATES_MAX;
}

static uint32_t *
bucket_of(struct bp_dns_cache *cache, const struct bp_name_key *key)
{
	return &cache->buckets[bp_name_hash(cache->writer->table, key) & cache->mask];
}

static uint32_t
find(struct bp_dns_cache *cache, const struct bp_name_key *key)
{
	uint32_t at = *bucket_of(cache, key);

	while (at != NO_SLOT && !bp_name_key_equal(&cache->slots[at].key, key))
		at = cache->slots[at].next;
	return at;
}

static void
forget_entry(struct bp_dns_cache *cache, struct slot *slot)
{
	if (slot->entry == NULL)
		return;
	bp_name_table_take(cache->writer, slot->entry);
	slot->entry = NULL;
}

static void
forget(struct bp_dns_cache *cache, uint32_t at)
{
	struct slot *slot = &cache->slots[at];
	uint32_t *link = bucket_of(cache, &slot->key);

	while (*link != at)
		link = &cache->slots[*link].next;
	*link = slot->next;
	forget_entry(cache, slot);
	slot->taken = false;
	slot->next = cache->free;
	cache->free = at;
	atomic_fetch_sub(&cache->counters->entries, 1);
}

/* Twice round at most: first those that were used lose their mark, then one without goes. */
static void
evict(struct bp_dns_cache *cache)
{
	for (uint32_t i = 0; i < 2 * cache->config.cache; i++) {
		uint32_t at = cache->hand;
		struct slot *slot = &cache->slots[at];

		cache->hand = (cache->hand + 1) % cache->config.cache;
		if (!slot->taken || slot->pinned || slot->locating)
			continue;
		if (slot->entry != NULL && atomic_exchange(&slot->entry->used, 0) != 0)
			continue;
		forget(cache, at);
		atomic_fetch_add(&cache->counters->evicted, 1);
		return;
	}
}

static uint32_t
take_slot(struct bp_dns_cache *cache, const struct bp_name_key *key)
{
	uint32_t *bucket = bucket_of(cache, key), at;

	if (cache->free == NO_SLOT)
		evict(cache);
	at = cache->free;
	if (at == NO_SLOT)
		return NO_SLOT;
	cache->free = cache->slots[at].next;
	cache->slots[at] = (struct slot){.key = *key, .taken = true, .next = *bucket};
	*bucket = at;
	atomic_fetch_add(&cache->counters->entries, 1);
	return at;
}

/* xorshift64*: spreads what would otherwise come up together. */
static uint64_t
jitter(struct bp_dns_cache *cache, uint64_t range)
{
	cache->random ^= cache->random >> 12;
	cache->random ^= cache->random << 25;
	cache->random ^= cache->random >> 27;
	return range ? (cache->random * UINT64_C(2685821657736338717) >> 16) % range : 0;
}

static uint64_t
clamp(uint64_t value, uint64_t min, uint64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static uint64_t
life_of(const struct bp_dns_cache *cache, enum bp_name_status status, uint32_t ttl_s)
{
	const struct bp_config_dns *config = &cache->config;
	uint64_t ttl_us = ttl_s * SECOND_US;

	switch (status) {
	case BP_NAME_FOUND:
		return clamp(ttl_us, config->min_ttl_us, config->max_ttl_us);
	case BP_NAME_NONE:
		return ttl_s ? clamp(ttl_us, SECOND_US, config->negative_ttl_us) : config->negative_ttl_us;
	default:
		return clamp(config->negative_ttl_us, SECOND_US, BP_DNS_FAILURE_US);
	}
}

/* Looked up again after 75 to 95 % of its life, if somebody used it. */
static void
publish(struct bp_dns_cache *cache, struct slot *slot, struct bp_name_entry *entry, uint32_t ttl_s)
{
	enum bp_name_status status = (enum bp_name_status)entry->status;
	uint64_t life_us = life_of(cache, status, ttl_s);

	slot->expires_us = cache->now_us + life_us;
	slot->refresh_us = status == BP_NAME_FOUND
		? cache->now_us + life_us / 100 * 75 + jitter(cache, life_us / 100 * 20)
		: slot->expires_us;
	if (slot->entry != NULL)
		atomic_fetch_add(&cache->counters->refreshed, 1);
	if (bp_name_table_put(cache->writer, entry, slot->entry))
		slot->entry = entry;
	else
		atomic_fetch_add(&cache->counters->full, 1);
}

static void
count_result(struct bp_dns_cache *cache, const struct slot *slot, uint8_t status)
{
	struct bp_dns_counters *counters = cache->counters;

	atomic_fetch_add(status == BP_NAME_FOUND  ? &counters->found
				: status == BP_NAME_NONE ? &counters->none
							 : &counters->failed, 1);
	atomic_fetch_add(&counters->us, cache->now_us - slot->asked_us);
}

/* What is known stays while no server answers, for as long as its life lasts. */
static void
located(void *argument, const struct bp_located *result)
{
	struct question *question = argument;
	struct bp_dns_cache *cache = question->cache;
	struct slot *slot = &cache->slots[question->slot];

	free(question);
	slot->locating = false;
	cache->locates--;
	atomic_fetch_sub(&cache->counters->resolving, 1);
	if (result->entry == NULL) {
		slot->refresh_us = slot->expires_us = cache->now_us + SECOND_US;
		return;
	}
	count_result(cache, slot, result->entry->status);
	if (result->entry->status == BP_NAME_FAILED && slot->entry != NULL &&
		slot->entry->status == BP_NAME_FOUND && slot->expires_us > cache->now_us) {
		slot->refresh_us = cache->now_us + SECOND_US + (slot->expires_us - cache->now_us) / 2;
		free(result->entry);
		return;
	}
	publish(cache, slot, result->entry, result->ttl_s);
}

static void
locate(struct bp_dns_cache *cache, uint32_t at)
{
	struct question *question = malloc(sizeof(*question));
	struct slot *slot = &cache->slots[at];

	slot->asked_us = cache->now_us;
	slot->refresh_us = slot->asked_us + SECOND_US; /* should there be no memory now */
	if (slot->entry == NULL)
		slot->expires_us = slot->refresh_us;
	if (question == NULL)
		return;
	*question = (struct question){cache, at};
	slot->locating = true;
	cache->locates++;
	atomic_fetch_add(&cache->counters->resolving, 1);
	if (bp_locate(&cache->options, &slot->key, located, question) == 0)
		return;
	slot->locating = false;
	cache->locates--;
	atomic_fetch_sub(&cache->counters->resolving, 1);
	free(question);
}

void
bp_dns_cache_ask(struct bp_dns_cache *cache, const struct bp_name_key *key, bool pin, uint64_t now_us)
{
	uint32_t at = find(cache, key);

	cache->now_us = now_us;
	if (at == NO_SLOT) {
		at = take_slot(cache, key);
		if (at == NO_SLOT) {
			atomic_fetch_add(&cache->counters->full, 1);
			return;
		}
		cache->slots[at].pinned = pin;
		if (bp_dns_cache_has_room(cache)) /* else its turn comes with the next tick */
			locate(cache, at);
	}
	cache->slots[at].pinned |= pin;
}

static void
look_at(struct bp_dns_cache *cache, uint32_t at)
{
	struct slot *slot = &cache->slots[at];
	bool over = slot->expires_us <= cache->now_us;

	if (slot->locating) {
		if (over) /* its servers are slow: what was known is no longer true */
			forget_entry(cache, slot);
		return;
	}
	if (over && !slot->pinned) {
		forget(cache, at);
		return;
	}
	if (over && slot->entry != NULL && slot->entry->status == BP_NAME_FOUND)
		forget_entry(cache, slot);
	if (slot->refresh_us > cache->now_us || !bp_dns_cache_has_room(cache))
		return;
	if (slot->pinned || (slot->entry != NULL && atomic_exchange(&slot->entry->used, 0) != 0))
		locate(cache, at);
	else
		slot->refresh_us = slot->expires_us;
}

void
bp_dns_cache_tick(struct bp_dns_cache *cache, uint64_t now_us)
{
	cache->now_us = now_us;
	if (now_us - cache->ticked_us < BP_DNS_TICK_US)
		return;
	cache->ticked_us = now_us;
	for (uint32_t i = 0; i < cache->config.cache; i++)
		if (cache->slots[i].taken)
			look_at(cache, i);
}
