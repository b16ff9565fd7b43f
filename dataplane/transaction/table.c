/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The shared table: an array of buckets of one cache line. A lookup reads that line and, when a tag
 * fits, the record; one that finds nothing reads nothing else.
 *
 *   bucket   gate | overflow | entry 0 ... entry 5
 *   entry    63..32 tag            31..0 index + 1       empty: 63..32 version, 31..0 zero
 *   overflow 63..40 version, 39..32 filter, 31..0 index + 1: a list through the nodes' next. The filter has a bit
 *            for each tag in the list: who looks for another need not walk it
 *   gate     63..36 turn   35 busy 34..32 place          31..0 index + 1
 *
 * Insertions into one bucket take turns at its gate, which makes them insert-if-absent: who has read an
 * idle gate and found no match swaps the gate for a description of his insertion, and that swap fails when
 * another insertion was there meanwhile. Whoever finds a busy gate first carries out what it describes, so
 * nobody waits for anybody. Steps of a description may be tried by several and take effect once: a helper reads
 * the word that he will swap, sees that the gate still describes the same turn, and swaps; the word cannot
 * come back to what he read, because empty entries and list heads carry versions, and nodes stay what they are
 * for a grace period.
 *
 * A removal empties its entry without the gate, but it completes the turn that it meets there first: that may be the
 * one which put the entry in, and a helper of that would put it in again. In the overflow list removals take a turn
 * as well, so that the list never changes but by the turn at the gate.
 */
#include "transaction/table.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ENTRIES 6
#define ENTRIES_EXPECTED 4 /* of a bucket in a full table: one in ten buckets then has a list */
#define PLACE_LIST 6       /* not an entry: onto the overflow list */
#define PLACE_UNLIST 7     /* off the overflow list */
#define BUSY (UINT64_C(1) << 35)
#define TURN (UINT64_C(1) << 36)
#define TURN_MASK (~(TURN - 1))
#define VERSION (UINT64_C(1) << 40) /* of a link of the overflow list */
#define FILTER (UINT64_C(0xff) << 32)

struct bucket {
	_Atomic uint64_t gate;
	_Atomic uint64_t overflow;
	_Atomic uint64_t entries[ENTRIES];
} __attribute__((aligned(64)));
static_assert(sizeof(struct bucket) == 64, "a cache line");

struct bp_table {
	struct bucket *buckets;
	uint64_t count; /* of buckets; at most 2^32 */
	uint8_t *nodes; /* of slot 0 */
	size_t slot_size;
	size_t size; /* bytes of buckets */
	void (*unmap)(void *memory, size_t size);
};

static struct bp_table_node *
node_at(const struct bp_table *table, uint64_t word)
{
	return (struct bp_table_node *)(table->nodes + (size_t)((uint32_t)word - 1) * table->slot_size);
}

static uint32_t
number_of(const struct bp_table *table, const struct bp_table_node *node)
{
	return (uint32_t)((size_t)((const uint8_t *)node - table->nodes) / table->slot_size) + 1;
}

static struct bucket *
bucket_of(const struct bp_table *table, const uint64_t id[2])
{
	return &table->buckets[(id[0] >> 32) * table->count >> 32];
}

void
bp_table_prefetch(const struct bp_table *table, const uint64_t id[2])
{
	__builtin_prefetch(bucket_of(table, id), 1);
}

static uint64_t
entry_of(const uint64_t id[2], uint32_t number)
{
	return id[0] << 32 | number;
}

static uint64_t
filter_of(const uint64_t id[2])
{
	return UINT64_C(1) << (32 + (id[0] & 7));
}

static void *
map_plain(size_t size)
{
	void *memory = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void
unmap_plain(void *memory, size_t size)
{
	munmap(memory, size);
}

int
bp_table_create(struct bp_table **out, const struct bp_table_options *options)
{
	struct bp_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return -ENOMEM;
	table->count = options->entries / ENTRIES_EXPECTED + 1;
	table->nodes = (uint8_t *)options->slots + options->node_offset;
	table->slot_size = options->slot_size;
	table->size = table->count * sizeof(struct bucket);
	table->unmap = options->map ? options->unmap : unmap_plain;
	table->buckets = options->map ? options->map(table->size) : map_plain(table->size);
	if (table->buckets == NULL) {
		free(table);
		return -ENOMEM;
	}
	*out = table;
	return 0;
}

void
bp_table_free(struct bp_table *table)
{
	if (table == NULL)
		return;
	table->unmap(table->buckets, table->size);
	free(table);
}

static bool
is_wanted(const struct bp_table_node *node, const uint64_t id[2], bp_table_match match, const void *key)
{
	return node->id[0] == id[0] && node->id[1] == id[1] && (match == NULL || match(node, key));
}

static struct bp_table_node *
find_in(const struct bp_table *table, struct bucket *bucket, const uint64_t id[2], bp_table_match match,
	const void *key)
{
	uint32_t tag = (uint32_t)id[0];
	uint64_t word;

	for (unsigned i = 0; i < ENTRIES; i++) {
		word = atomic_load_explicit(&bucket->entries[i], memory_order_acquire);
		if ((uint32_t)(word >> 32) == tag && (uint32_t)word != 0 &&
			is_wanted(node_at(table, word), id, match, key))
			return node_at(table, word);
	}
	word = atomic_load_explicit(&bucket->overflow, memory_order_acquire);
	if ((word & filter_of(id)) == 0)
		return NULL;
	while ((uint32_t)word != 0) {
		struct bp_table_node *node = node_at(table, word);

		if (is_wanted(node, id, match, key))
			return node;
		word = atomic_load_explicit(&node->next, memory_order_acquire);
	}
	return NULL;
}

struct bp_table_node *
bp_table_find(struct bp_table *table, const uint64_t id[2], bp_table_match match, const void *key)
{
	return find_in(table, bucket_of(table, id), id, match, key);
}

/* Into the empty entry that the gate names. */
static void
fill(const struct bp_table *table, struct bucket *bucket, uint64_t gate)
{
	_Atomic uint64_t *place = &bucket->entries[gate >> 32 & 7];
	uint64_t seen = atomic_load(place);

	if ((uint32_t)seen == 0 && atomic_load(&bucket->gate) == gate)
		atomic_compare_exchange_strong(
			place, &seen, entry_of(node_at(table, gate)->id, (uint32_t)gate));
}

/* What comes after @seen in a link of the list. */
static uint64_t
next_link(uint64_t seen, uint64_t filter, uint64_t number)
{
	return (seen & ~(VERSION - 1)) + VERSION + (filter | (uint32_t)number);
}

/* Onto the overflow list; the node's next is set already. */
static void
list(const struct bp_table *table, struct bucket *bucket, uint64_t gate)
{
	uint64_t seen = atomic_load(&bucket->overflow);
	uint64_t filter = (seen & FILTER) | filter_of(node_at(table, gate)->id);

	if ((uint32_t)seen != (uint32_t)gate && atomic_load(&bucket->gate) == gate)
		atomic_compare_exchange_strong(&bucket->overflow, &seen, next_link(seen, filter, gate));
}

/* Off the overflow list, to which the node cannot come back for a grace period: late helpers find nothing to do. It
 * keeps its next for readers that stand on it. */
static void
unlist(const struct bp_table *table, struct bucket *bucket, uint64_t gate)
{
	_Atomic uint64_t *link = &bucket->overflow;
	uint64_t seen = atomic_load(link), next;

	while ((uint32_t)seen != (uint32_t)gate) {
		if ((uint32_t)seen == 0)
			return;
		link = &node_at(table, seen)->next;
		seen = atomic_load(link);
	}
	next = atomic_load(&node_at(table, gate)->next); /* an empty list has an empty filter */
	atomic_compare_exchange_strong(link, &seen, next_link(seen, (uint32_t)next ? seen & FILTER : 0, next));
}

/* Carries out what a busy gate describes and opens it. */
static void
complete(const struct bp_table *table, struct bucket *bucket, uint64_t gate)
{
	switch (gate >> 32 & 7) {
	case PLACE_LIST:
		list(table, bucket, gate);
		break;
	case PLACE_UNLIST:
		unlist(table, bucket, gate);
		break;
	default:
		fill(table, bucket, gate);
	}
	atomic_compare_exchange_strong(&bucket->gate, &gate, gate & TURN_MASK);
}

/* The gate, idle. */
static uint64_t
settle(const struct bp_table *table, struct bucket *bucket)
{
	uint64_t gate;

	while (((gate = atomic_load(&bucket->gate)) & BUSY) != 0)
		complete(table, bucket, gate);
	return gate;
}

/* Takes the next turn after @gate. False: somebody else did. */
static bool
take_turn(const struct bp_table *table, struct bucket *bucket, uint64_t gate, unsigned place, uint32_t number)
{
	uint64_t busy = (gate + TURN) | BUSY | (uint64_t)place << 32 | number;

	if (!atomic_compare_exchange_strong(&bucket->gate, &gate, busy))
		return false;
	complete(table, bucket, busy);
	return true;
}

static unsigned
first_empty(struct bucket *bucket)
{
	unsigned place = 0;

	while (place < ENTRIES && (uint32_t)atomic_load(&bucket->entries[place]) != 0)
		place++;
	return place;
}

struct bp_table_node *
bp_table_add(struct bp_table *table, struct bp_table_node *node, bp_table_match match, const void *key)
{
	struct bucket *bucket = bucket_of(table, node->id);
	uint32_t number = number_of(table, node);

	for (;;) {
		uint64_t gate = settle(table, bucket);
		struct bp_table_node *first = find_in(table, bucket, node->id, match, key);
		unsigned place;

		if (first != NULL)
			return first;
		place = first_empty(bucket);
		if (place == PLACE_LIST) /* nobody else sees the node yet; the list stays as it is until our turn */
			atomic_store(&node->next, (uint32_t)atomic_load(&bucket->overflow));
		if (take_turn(table, bucket, gate, place, number))
			return node;
	}
}

static bool
is_listed(const struct bp_table *table, struct bucket *bucket, uint32_t number)
{
	uint64_t word = atomic_load(&bucket->overflow);

	while ((uint32_t)word != 0 && (uint32_t)word != number)
		word = atomic_load(&node_at(table, word)->next);
	return (uint32_t)word == number;
}

bool
bp_table_remove(struct bp_table *table, struct bp_table_node *node)
{
	struct bucket *bucket = bucket_of(table, node->id);
	uint32_t number = number_of(table, node);

	for (;;) {
		uint64_t gate = settle(table, bucket), entry = entry_of(node->id, number);
		unsigned place = 0;

		while (place < ENTRIES && atomic_load(&bucket->entries[place]) != entry)
			place++;
		if (place < ENTRIES) /* the turn as version: no entry is emptied twice in one turn */
			return atomic_compare_exchange_strong(
				&bucket->entries[place], &entry, (gate & TURN_MASK) >> 36 << 32);
		if (!is_listed(table, bucket, number))
			return false;
		if (take_turn(table, bucket, gate, PLACE_UNLIST, number))
			return true;
	}
}
